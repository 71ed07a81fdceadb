//! RealMedia (RealNetworks, "RealMedia file format"; the type-specific data: wiki.multimedia.cx, "RealMedia" and "RealAudio"), and
//! RealAudio, which is that data alone with the sound behind it.

use crate::extract::audio::{self, Tag};
use crate::extract::embedded::decode;
use crate::extract::stream::{Kind, Ratio, Stream, Summary};
use crate::extract::{Facts, Input, Parsed};

/// Chunks that are looked at: all headers stand before the data.
const CHUNKS: u32 = 256;
/// Most streams that are described.
const STREAMS: usize = 64;
/// The mark of a sound's description.
const SOUND: [u8; 4] = *b".ra\xFD";

/// Reads RealMedia.
pub fn media(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut summary = Summary { format: ("rm", "RealMedia"), ..Summary::default() };
    let read = chunks(input, facts, &mut summary);
    let read = facts.tolerate(read).map(|_| ());
    summary.publish(input, facts);
    read
}

/// Reads RealAudio.
pub fn audio(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut stream = Stream::of(Kind::Audio, "");
    let read = sound(input, facts, &mut stream);
    let read = facts.tolerate(read).map(|_| ());
    let streams = if stream.sample_rate > 0 { vec![stream] } else { Vec::new() };
    Summary { format: ("rm", "RealMedia"), streams, ..Summary::default() }.publish(input, facts);
    read
}

/// Chunks of a name, a length with its own head, and a version.
fn chunks(input: &mut Input<'_>, facts: &mut Facts, summary: &mut Summary) -> Parsed<()> {
    for _ in 0..CHUNKS {
        if input.remaining() < 10 {
            break;
        }
        let start = input.position();
        let name: [u8; 4] = input.array("chunk")?;
        let len = u64::from(input.u32_be("chunk length")?).max(10);
        input.skip(2, "chunk version")?;
        let body = input.position()..start.saturating_add(len);
        let read = match &name {
            b"DATA" => break,
            b"PROP" => input.within(body, "properties", |input| properties(input, summary)),
            b"MDPR" if summary.streams.len() < STREAMS => {
                input.within(body, "stream properties", |input| stream(input, facts, summary))
            }
            b"CONT" => input.within(body, "content description", |input| {
                texts(input, facts, |input| Ok(input.u16_be("length of a text")?.into()))
            }),
            _ => input.seek(body.end.min(input.end()), "next chunk"),
        };
        facts.tolerate(read)?;
    }
    Ok(())
}

fn properties(input: &mut Input<'_>, summary: &mut Summary) -> Parsed<()> {
    input.skip(4, "highest rate")?;
    summary.bitrate = Some(u64::from(input.u32_be("rate")?)).filter(|rate| *rate > 0);
    input.skip(4 + 4 + 4, "packets")?;
    summary.duration = milliseconds(input.u32_be("duration")?);
    Ok(())
}

fn milliseconds(number: u32) -> Option<f64> {
    (number > 0).then(|| f64::from(number) / 1000.0)
}

/// One stream: rates, times, name and type, and what its codec needs to know.
fn stream(input: &mut Input<'_>, facts: &mut Facts, summary: &mut Summary) -> Parsed<()> {
    input.skip(2 + 4, "number and highest rate")?;
    let rate = u64::from(input.u32_be("rate")?);
    input.skip(4 + 4, "sizes of packets")?;
    let start = input.u32_be("start")?;
    input.skip(4, "lead")?;
    let duration = milliseconds(input.u32_be("duration")?);
    for what in ["name", "type"] {
        let len = u64::from(input.u8("length of a text")?);
        input.skip(len, what)?;
    }
    input.skip(4, "length of the data")?;
    let mut stream = Stream {
        time_base: Ratio::new(1, 1000),
        bitrate: Some(rate).filter(|rate| *rate > 0),
        start: Some(f64::from(start) / 1000.0),
        duration,
        ..Stream::default()
    };
    if input.remaining() >= 8 && input.peek_array("mark of sound")? == SOUND {
        stream.kind = Kind::Audio;
        sound(input, facts, &mut stream)?;
    } else if input.remaining() >= 26 && input.peek_up_to(8)?.ends_with(b"VIDO") {
        stream.kind = Kind::Video;
        video(input, &mut stream)?;
    } else {
        // What describes the file as a whole is no stream.
        return Ok(());
    }
    summary.streams.push(stream);
    Ok(())
}

fn video(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    input.skip(8, "length and mark")?;
    let code: [u8; 4] = input.array("codec")?;
    stream.tag = Some(code);
    stream.codec = match &code {
        b"RV10" => "rv10",
        b"RV20" => "rv20",
        b"RV30" => "rv30",
        b"RV40" => "rv40",
        _ => "",
    };
    stream.width = input.u16_be("width")?.into();
    stream.height = input.u16_be("height")?.into();
    input.skip(6, "depth and padding")?;
    // Sixteen bits behind the point.
    stream.frame_rate = Ratio::new(input.u32_be("frame rate")?.into(), 65_536);
    stream.average_rate = stream.frame_rate;
    Ok(())
}

/// The description of a sound, in three versions.
fn sound(input: &mut Input<'_>, facts: &mut Facts, stream: &mut Stream) -> Parsed<()> {
    input.skip(4, "mark of sound")?;
    let version = input.u16_be("version")?;
    if version == 3 {
        // Always the same codec; the texts stand behind eight bytes.
        (stream.codec, stream.sample_rate, stream.channels) = ("ra_144", 8000, 1);
        input.skip(2 + 8 + 4, "lengths")?;
        return texts(input, facts, |input| Ok(input.u8("length of a text")?.into()));
    }
    if !matches!(version, 4 | 5) {
        return Err(input.malformed(format!("expected version 3, 4 or 5 of a sound, got {version}")));
    }
    input.skip(if version == 4 { 42 } else { 48 }, "lengths")?;
    stream.sample_rate = input.u16_be("rate")?.into();
    input.skip(2, "rate")?;
    stream.bits = input.u16_be("bits of a sample")?.into();
    stream.channels = input.u16_be("channels")?.into();
    if version == 4 {
        let len = u64::from(input.u8("length of a name")?);
        input.skip(len, "interleaver")?;
        input.skip(1, "length of a name")?;
    } else {
        input.skip(4, "interleaver")?;
    }
    let code: [u8; 4] = input.array("codec")?;
    stream.tag = Some(code);
    stream.codec = codec(code);
    if version == 4 && !input.at_end() {
        input.skip(3, "marks")?;
        return texts(input, facts, |input| Ok(input.u8("length of a text")?.into()));
    }
    Ok(())
}

fn codec(code: [u8; 4]) -> &'static str {
    match &code {
        b"dnet" => "ac3",
        b"cook" => "cook",
        b"sipr" => "sipr",
        b"28_8" => "ra_288",
        b"14_4" | b"lpcJ" => "ra_144",
        b"raac" | b"racp" => "aac",
        b"atrc" => "atrac3",
        b"ralf" => "ralf",
        _ => "",
    }
}

/// Title, author, copyright and comment, each behind its length.
fn texts(input: &mut Input<'_>, facts: &mut Facts, length: fn(&mut Input<'_>) -> Parsed<u64>) -> Parsed<()> {
    for tag in [Tag::Title, Tag::Artist, Tag::Copyright, Tag::Comment] {
        if input.at_end() {
            break;
        }
        let len = length(input)?;
        let at = input.position();
        let bytes = input.take_up_to(len)?;
        audio::tag(facts, input.format(), tag, at, decode(&bytes));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the format under test is big-endian")]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Datum, Group};
    use crate::model::{Value, field};

    fn sound_of(version: u16) -> Vec<u8> {
        let head = [&SOUND[..], &version.to_be_bytes()].concat();
        let format = [&22_050_u16.to_be_bytes()[..], &[0, 0], &16_u16.to_be_bytes(), &2_u16.to_be_bytes()].concat();
        let code: &[u8] = if version == 4 { b"\x04Int4\x04cook" } else { b"genrcook" };
        [head, vec![0; if version == 4 { 42 } else { 48 }], format, code.to_vec()].concat()
    }

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&name[..], &(body.len() as u32 + 10).to_be_bytes(), &[0, 0], body].concat()
    }

    fn sample() -> Vec<u8> {
        let be = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
        let stream = |data: &[u8]| {
            let times = be(&[32_000, 32_000, 0, 0, 0, 0, 7500]);
            chunk(b"MDPR", &[&[0, 0][..], &times, b"\x05Audio\x03a/b", &be(&[data.len() as u32]), data].concat())
        };
        let video = [&be(&[34])[..], b"VIDORV40", &[1, 64, 0, 240], &[0; 6], &be(&[15 << 16]), &[0; 8]].concat();
        let texts = b"\0\x05Title\0\x03Ann\0\0\0\0";
        [
            chunk(b".RMF", &[0; 8]),
            chunk(b"PROP", &be(&[40_000, 36_000, 0, 0, 0, 7500, 0, 0, 0, 2])),
            chunk(b"CONT", texts),
            stream(&sound_of(5)),
            stream(&video),
            chunk(b"DATA", &[0; 8]),
        ]
        .concat()
    }

    #[test]
    fn streams_and_texts_of_a_film() {
        let facts = facts_of(media, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&7.5.into()));
        assert_eq!(facts.find(Group::Media, "Bitrate"), Some(&36_000_i64.into()));
        assert_eq!(
            (facts.find(Group::Tag, "Title"), facts.find(Group::Tag, "Artist")),
            (Some(&"Title".into()), Some(&"Ann".into()))
        );
        let (video, audio) = (&facts.video_streams[0], &facts.audio_streams[0]);
        assert_eq!(
            (video.text(field::VIDEO_CODEC_NAME), video.text(field::VIDEO_FRAME_RATE)),
            (Some("rv40"), Some("15/1"))
        );
        assert_eq!(video.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(320)));
        assert_eq!(audio.text(field::AUDIO_CODEC_NAME), Some("cook"));
        survives(media, &sample(), 400);
    }

    #[test]
    fn sounds_alone() {
        let fourth = [sound_of(4), b"\0\x03\0\x05Title\x03Ann\0\0".to_vec()].concat();
        let third = [&SOUND[..], &[0, 3], &[0; 14], b"\x05Title\x03Ann\0\0"].concat();
        for (data, rate) in [(fourth, 22_050), (third, 8000)] {
            let facts = facts_of(audio, &data);
            assert_eq!(facts.audio_streams[0].get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(rate)));
            assert_eq!(facts.find(Group::Tag, "Artist"), Some(&Datum::from("Ann")));
            survives(audio, &data, 100);
        }
    }
}
