//! Formats of one small header: True Audio, NeXT and Sun audio, AMR; and bare frames of AC-3 and DTS.

use super::tags::{self, Tag};
use super::{id3, mpeg, pcm};
use crate::extract::bitstream::{ac3, dts};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

/// Bytes of bare frames that are looked at.
const FRAMES: u64 = 32 << 10;

fn publish(
    format: (&'static str, &'static str),
    read: Parsed<Stream>,
    input: &Input<'_>,
    facts: &mut Facts,
) -> Parsed<()> {
    let streams = facts.tolerate(read).map(|stream| stream.into_iter().collect());
    let (streams, end) = match streams {
        Ok(streams) => (streams, Ok(())),
        Err(stop) => (Vec::new(), Err(stop)),
    };
    Summary { format, streams, ..Summary::default() }.publish(input, facts);
    end
}

/// True Audio (tta.tausoft.org, "TTA1 format").
pub fn tta(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut front = Facts::new(input.limits());
    id3::version_2(input, &mut front)?;
    let read = tta_header(input);
    let end = mpeg::trailers(input, facts);
    facts.tolerate(end)?;
    facts.append(front);
    publish(("tta", "TTA (True Audio)"), read, input, facts)
}

fn tta_header(input: &mut Input<'_>) -> Parsed<Stream> {
    let start = input.position();
    if input.array::<4>("mark of True Audio")? != *b"TTA1" {
        return Err(input.malformed_at(start, "expected the mark TTA1"));
    }
    input.skip(2, "format")?;
    let (channels, bits) = (input.u16_le("channels")?, input.u16_le("bits per sample")?);
    let (rate, samples) = (input.u32_le("sample rate")?, input.u32_le("number of samples")?);
    let duration = seconds(samples.into(), rate);
    let bytes = input.file_len().saturating_sub(start);
    Ok(Stream {
        time_base: Ratio::new(1, rate.into()),
        duration,
        bitrate: duration.filter(|d| *d > 0.0).map(|d| whole(float(bytes) * 8.0 / d)),
        sample_rate: rate,
        channels: channels.into(),
        bits: bits.into(),
        ..Stream::of(Kind::Audio, "tta")
    })
}

/// NeXT and Sun audio (Sun, "audio_file_format", au.4).
pub fn au(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let read = au_header(input, facts);
    publish(("au", "Sun AU"), read, input, facts)
}

fn au_header(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<Stream> {
    input.skip(4, "mark .snd")?;
    let (data, size) = (u64::from(input.u32_be("place of the data")?), input.u32_be("size of the data")?);
    let (code, rate) = (input.u32_be("encoding")?, input.u32_be("sample rate")?);
    let channels = input.u32_be("channels")?;
    let offset = input.position();
    let note = input.take_up_to(data.saturating_sub(offset).min(4096))?;
    let note = String::from_utf8_lossy(note.split(|byte| *byte == 0).next().unwrap_or(&[])).into_owned();
    for line in note.lines() {
        if let Some((key, value)) = line.split_once('=')
            && let Some(tag) = Tag::of_comment(key)
        {
            tags::tag(facts, input.format(), tag, offset, value.to_owned());
        }
    }
    let (codec, bytes) = match code {
        1 => ("pcm_mulaw", 1),
        2 => (pcm::signed(8, true), 1),
        3 => (pcm::signed(16, true), 2),
        4 => (pcm::signed(24, true), 3),
        5 => (pcm::signed(32, true), 4),
        6 => (pcm::float(32, true), 4),
        7 => (pcm::float(64, true), 8),
        27 => ("pcm_alaw", 1),
        _ => ("", 0),
    };
    let held = input.file_len().saturating_sub(data);
    let held = if size == u32::MAX { held } else { held.min(size.into()) };
    let per_second = u64::from(rate).saturating_mul(channels.into()).saturating_mul(bytes);
    Ok(Stream {
        tag: u8::try_from(code).ok().map(|code| [code, 0, 0, 0]),
        time_base: Ratio::new(1, rate.into()),
        duration: Some(float(held) / float(per_second)).filter(|_| per_second > 0),
        bitrate: Some(per_second.saturating_mul(8)).filter(|rate| *rate > 0),
        sample_rate: rate,
        channels,
        ..Stream::of(Kind::Audio, codec)
    })
}

/// Bytes of a speech frame by mode (RFC 4867, 5.3; 3GPP TS 26.101 and 26.201).
const NARROW: [u64; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1];
const WIDE: [u64; 16] = [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1];

/// AMR with its mark (RFC 4867, 5): frames of 20 ms, told by their first byte.
pub fn amr(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let read = amr_frames(input);
    publish(("amr", "3GPP AMR"), read, input, facts)
}

fn amr_frames(input: &mut Input<'_>) -> Parsed<Stream> {
    let wide = input.peek_up_to(9)? == b"#!AMR-WB\n";
    input.skip(if wide { 9 } else { 6 }, "mark of AMR")?;
    let (sizes, codec, rate) = if wide { (WIDE, "amr_wb", 16_000) } else { (NARROW, "amr_nb", 8_000) };
    let bytes = input.peek_up_to(FRAMES)?;
    let (mut at, mut frames) = (0_u64, 0.0);
    while let Some(head) = usize::try_from(at).ok().and_then(|at| bytes.get(at)) {
        at = at.saturating_add(sizes.get(usize::from((head >> 3) & 15)).copied().unwrap_or(1));
        frames += 1.0;
    }
    let seen = at.max(1);
    let all = frames * float(input.remaining()) / float(seen);
    let duration = if input.remaining() <= seen { frames / 50.0 } else { all / 50.0 };
    Ok(Stream {
        tag: Some(if wide { *b"sawb" } else { *b"samr" }),
        time_base: Ratio::new(1, rate),
        duration: Some(duration).filter(|d| *d > 0.0),
        sample_rate: if wide { 16_000 } else { 8_000 },
        channels: 1,
        ..Stream::of(Kind::Audio, codec)
    })
}

/// Bare frames of AC-3 or E-AC-3: as long as their bit rate says.
pub fn dolby(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.peek_up_to(FRAMES)?;
    let mut stream = Stream::of(Kind::Audio, "ac3");
    let found = ac3::first(bytes, &mut stream);
    let format = match stream.codec {
        "eac3" => ("eac3", "raw E-AC-3"),
        _ => ("ac3", "raw AC-3"),
    };
    bare(format, found, stream, input, facts)
}

/// Bare frames of DTS.
pub fn dts(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.peek_up_to(FRAMES)?;
    let mut stream = Stream::of(Kind::Audio, "dts");
    let frame = dts::first(bytes, &mut stream);
    // The length of a frame tells the rate better than its code does.
    if let Some((len, samples)) = frame.filter(|(_, samples)| *samples > 0) {
        let bits = f64::from(len) * 8.0 * f64::from(stream.sample_rate);
        stream.bitrate = Some(whole(bits / f64::from(samples)));
    }
    bare(("dts", "raw DTS"), frame.is_some(), stream, input, facts)
}

fn bare(
    format: (&'static str, &'static str),
    found: bool,
    mut stream: Stream,
    input: &Input<'_>,
    facts: &mut Facts,
) -> Parsed<()> {
    stream.time_base = Ratio::new(1, 90_000);
    let rate = stream.bitrate.filter(|rate| *rate > 0);
    stream.duration = rate.map(|rate| float(input.file_len()) * 8.0 / float(rate));
    let read = if found { Ok(stream) } else { Err(input.malformed("expected a frame")) };
    publish(format, read, input, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Group, Parse};

    fn duration(parse: Parse, data: &[u8]) -> Option<f64> {
        survives(parse, data, 64);
        match facts_of(parse, data).find(Group::Media, "Duration") {
            Some(crate::extract::Datum::Float(found)) => Some(*found),
            _ => None,
        }
    }

    #[test]
    fn lengths() {
        let be = |numbers: &[u32]| -> Vec<u8> {
            numbers.iter().flat_map(|n| n.to_le_bytes().into_iter().rev().collect::<Vec<_>>()).collect()
        };
        let tta_file = [&b"TTA1\x01\0\x02\0\x10\0"[..], &[0x44, 0xAC, 0, 0], &[0x88, 0x58, 1, 0]].concat();
        assert_eq!(duration(tta, &tta_file), Some(2.0));
        let note = b"TITLE=Song\0\0";
        let sound = [&b".snd"[..], &be(&[36, 16_000, 3, 8000, 1]), note, &[0; 16_000]].concat();
        assert_eq!(duration(au, &sound), Some(1.0));
        assert_eq!(facts_of(au, &sound).find(Group::Tag, "Title"), Some(&"Song".into()));
        let speech = [b"#!AMR\n".to_vec(), [&[0x3C][..], &[0; 31]].concat().repeat(50)].concat();
        assert_eq!(duration(amr, &speech), Some(1.0));
        let mut frames = vec![0x0B, 0x77, 0, 0, 0x1E, 0x40, 0xE1, 0];
        frames.resize(56_000, 0);
        assert_eq!(duration(dolby, &frames), Some(1.0));
        assert_eq!(duration(dts, b"\x7F\xFE\x80\x01"), None);
    }
}
