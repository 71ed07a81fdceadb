//! WAV, RF64 and BW64: chunks of RIFF (Microsoft, "Multimedia Programming Interface", chapter 3; EBU Tech 3306); and Wave64
//! (Sonic Foundry, "Sony Wave64"), whose chunks are named by GUIDs.

use super::id3;
use super::tags::{self, Tag};
use crate::extract::bitstream;
use crate::extract::container::riff::{self, Chunk, Lengths};
use crate::extract::stream::{Stream, Summary, float, seconds, windows};
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// What the chunks say together.
#[derive(Default)]
struct Wave {
    format: Option<windows::Wave>,
    /// Length of the samples: as claimed, and as far as the file goes.
    data: Option<u64>,
    /// 64-bit length of the samples, from the chunk `ds64` (EBU Tech 3306, 3.4).
    long: Option<u64>,
    /// Samples per channel, from the chunk `fact`.
    samples: Option<u32>,
    /// The start of the samples.
    first: Vec<u8>,
}

/// Bytes of packed samples in which a frame is looked for.
const FRAME: u64 = 4096;

/// Reads a file of sound in RIFF.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let lengths = if input.array::<4>("RIFF mark")? == *b"RIFX" { Lengths::Big } else { Lengths::Little };
    input.skip(8, "RIFF header")?;
    let mut wave = Wave::default();
    // An ID3 tag says more than the list of texts, whatever their order, and so wins.
    let mut plain = Facts::new(input.limits());
    let walked = walk(input, lengths, &mut wave, facts, &mut plain);
    // What was found before a cap stays found; so in every parser here.
    let walked = facts.tolerate(walked).map(|_| ());
    facts.append(plain);
    let streams = wave.format.map(|format| stream(format, &wave)).into_iter().collect();
    Summary { format: ("wav", "WAV / WAVE (Waveform Audio)"), streams, ..Summary::default() }.publish(input, facts);
    walked
}

/// Reads a file of Wave64: the chunks of WAV, named by GUIDs whose first bytes are the old names, with 64-bit lengths that
/// include their heads, each at a multiple of eight bytes.
pub fn wave64(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(24 + 16, "RIFF header")?;
    let mut wave = Wave::default();
    while input.remaining() >= 24 {
        input.entry()?;
        let start = input.position();
        let kind: [u8; 4] = input.array("chunk type")?;
        input.skip(12, "chunk type")?;
        let size = input.u64_le("chunk size")?;
        let end = start.saturating_add(size.max(24));
        let body = input.position()..end.min(input.end());
        let chunk = Chunk { kind, body: body.clone(), claimed: 0 };
        let read = input.within(body, "chunk", |input| content(input, &chunk, Lengths::Little, &mut wave, facts));
        facts.tolerate(read)?;
        input.seek(end.div_ceil(8).saturating_mul(8).min(input.end()), "next chunk")?;
    }
    let streams = wave.format.map(|format| stream(format, &wave)).into_iter().collect();
    Summary { format: ("w64", "Sony Wave64"), streams, ..Summary::default() }.publish(input, facts);
    Ok(())
}

fn walk(input: &mut Input<'_>, lengths: Lengths, wave: &mut Wave, facts: &mut Facts, plain: &mut Facts) -> Parsed<()> {
    while let Some(mut chunk) = riff::next(input, lengths)? {
        if chunk.kind == *b"data"
            && let Some(long) = wave.long
        {
            chunk.body.end = chunk.body.start.saturating_add(long).min(input.end());
        }
        let read = input.within(chunk.body.clone(), "chunk", |input| match &chunk.kind {
            b"id3 " | b"ID3 " => id3::version_2(input, facts),
            _ => content(input, &chunk, lengths, wave, plain),
        });
        facts.tolerate(read)?;
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

fn content(input: &mut Input<'_>, chunk: &Chunk, lengths: Lengths, wave: &mut Wave, facts: &mut Facts) -> Parsed<()> {
    match &chunk.kind {
        b"fmt " => wave.format = Some(windows::Wave::read(input, lengths == Lengths::Big)?),
        b"fact" => wave.samples = Some(input.u32_le("number of samples")?),
        b"ds64" => {
            input.skip(8, "length of the file")?;
            wave.long = Some(input.u64_le("length of the samples")?);
        }
        b"data" if wave.data.is_none() => {
            wave.data = Some(input.remaining());
            wave.first = input.peek_up_to(FRAME)?.to_vec();
        }
        b"bext" => broadcast(input, facts)?,
        b"LIST" if input.array::<4>("kind of list")? == *b"INFO" => info(input, lengths, facts)?,
        _ => {}
    }
    Ok(())
}

fn stream(format: windows::Wave, wave: &Wave) -> Stream {
    let mut stream = format.stream();
    let plain = stream.codec.starts_with("pcm_");
    let frame = u32::from(format.block).max(1);
    let data = wave.data.unwrap_or(0);
    let by_bytes = || Some(float(data) / f64::from(format.bytes_per_second)).filter(|_| format.bytes_per_second > 0);
    stream.duration = if plain {
        data.checked_div(frame.into()).and_then(|samples| seconds(samples, format.rate))
    } else {
        wave.samples.filter(|n| *n > 0).and_then(|n| seconds(n.into(), format.rate)).or_else(by_bytes)
    };
    if matches!(stream.codec, "mp1" | "mp2" | "mp3") {
        bitstream::elementary(&wave.first, &mut stream);
    }
    if plain {
        stream.bitrate = Some(u64::from(format.rate).saturating_mul(frame.into()).saturating_mul(8));
    }
    stream
}

/// The broadcast extension (EBU Tech 3285, 2.3): fields of fixed length.
fn broadcast(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    let field = |bytes: &[u8]| {
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
        String::from_utf8_lossy(text).trim().to_owned()
    };
    let description = field(&input.take(256, "description")?);
    let originator = field(&input.take(32, "originator")?);
    input.skip(32, "reference")?;
    let (date, time) = (field(&input.take(10, "date")?), field(&input.take(8, "time")?));
    tags::tag(facts, input.format(), Tag::Comment, offset, description);
    tags::tag(facts, input.format(), Tag::Artist, offset, originator);
    // Digits with any sign between them.
    let plain = |text: &str, mark: &str| text.replace([':', '-', '_', '.', ' '], mark);
    if let Ok(clock) = format!("{}T{}", plain(&date, "-"), plain(&time, ":")).parse() {
        facts.add(input.format(), Group::Time, "Original", offset, Moment { clock, offset: None });
    }
    let samples = input.u64_le("time reference")?;
    facts.add(input.format(), Group::Media, "TimeReference", offset, i64::try_from(samples).unwrap_or(i64::MAX));
    Ok(())
}

/// The list INFO: texts, each a chunk (RIFF MCI, "INFO list chunk").
pub(in crate::extract) fn info(input: &mut Input<'_>, lengths: Lengths, facts: &mut Facts) -> Parsed<()> {
    while let Some(chunk) = riff::next(input, lengths)? {
        let known = match &chunk.kind {
            b"INAM" => Some(Tag::Title),
            b"IART" => Some(Tag::Artist),
            b"IPRD" => Some(Tag::Album),
            b"IMUS" => Some(Tag::Composer),
            b"ISTR" => Some(Tag::Performer),
            b"ILNG" => Some(Tag::Language),
            b"IGNR" => Some(Tag::Genre),
            b"ICRD" => Some(Tag::Year),
            b"IPRT" | b"ITRK" => Some(Tag::Track),
            b"ICMT" => Some(Tag::Comment),
            b"ICOP" => Some(Tag::Copyright),
            _ => None,
        };
        if let Some(tag) = known {
            let offset = input.position();
            let bytes = input.take_up_to(chunk.body.end.saturating_sub(offset).min(4096))?;
            let text = String::from_utf8_lossy(&bytes);
            let text = text.split('\0').next().unwrap_or_default();
            tags::tag(facts, input.format(), tag, offset, text.to_owned());
        }
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;
    use crate::model::field;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let pad = vec![0; body.len() % 2];
        [&kind[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), body, &pad].concat()
    }

    fn facts_of(mark: &[u8; 4], chunks: &[Vec<u8>]) -> Facts {
        let data = [&mark[..], b"\xFF\xFF\xFF\xFFWAVE", &chunks.concat()].concat();
        let limits = Limits::default();
        let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        let _ = parse(&mut input, &mut facts);
        facts
    }

    // 8,000 Hz, 2 channels, 16 bits.
    const FORMAT: &[u8] = b"\x01\0\x02\0\x40\x1F\0\0\0\x7D\0\0\x04\0\x10\0";

    #[test]
    fn chunks_of_wave64_are_named_by_guids() {
        let long = |kind: &[u8; 4], body: &[u8]| {
            let pad = vec![0; body.len().next_multiple_of(8) - body.len()];
            [&kind[..], &[7; 12], &(body.len() as u64 + 24).to_le_bytes(), body, &pad].concat()
        };
        let data = [vec![0; 40], long(b"junk", &[1; 3]), long(b"fmt ", FORMAT), long(b"data", &[0; 16_000])].concat();
        let facts = crate::extract::tried::facts_of(wave64, &data);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&0.5.into()));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CODEC_NAME), Some("pcm_s16le"));
        crate::extract::tried::survives(wave64, &data, 200);
    }

    #[test]
    fn tags_behind_the_samples_are_read() {
        let list = [b"INFO".to_vec(), chunk(b"INAM", b"Song\0"), chunk(b"IART", b"Me")].concat();
        let facts = facts_of(b"RIFF", &[chunk(b"fmt ", FORMAT), chunk(b"data", &[0; 32_000]), chunk(b"LIST", &list)]);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Me".into()));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CODEC_NAME), Some("pcm_s16le"));
    }

    #[test]
    fn rf64_takes_the_long_length_and_never_beyond_the_file() {
        let long = [&[0; 8][..], &16_000_u64.to_le_bytes(), &[0; 12]].concat();
        let data = [&b"data\xFF\xFF\xFF\xFF"[..], &[0; 16_100]].concat();
        let facts = facts_of(b"RF64", &[chunk(b"ds64", &long), chunk(b"fmt ", FORMAT), data]);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&0.5.into()));
    }

    #[test]
    fn nonsense_is_survived() {
        for cut in 0..16 {
            facts_of(b"RIFF", &[chunk(b"fmt ", &FORMAT[..cut])]);
        }
        let facts = facts_of(b"RIFF", &[chunk(b"fmt ", &[0; 16])]);
        assert!(facts.audio_streams.is_empty());
    }
}
