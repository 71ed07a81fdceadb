//! MPEG audio, layers 1 to 3 (ISO/IEC 11172-3 and 13818-3), between ID3 and APE tags.

use super::{ape_tag, id3};
use crate::extract::bitstream::mpeg_audio::{self, Frame};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Group, Input, Parsed};

/// How far behind the tags the first frame may begin.
const GARBAGE: u64 = 64 << 10;
/// Bytes of frames whose rates are looked at, where no header counts them.
const SAMPLED: usize = 24 << 10;

/// What a header in the first frame says of the whole (Xing and Info: gabriel.mp3-tech.org, "Xing VBR header";
/// VBRI: Fraunhofer IIS).
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    frames: Option<u32>,
    bytes: Option<u32>,
    /// Samples that the encoder put in front and behind (LAME tag, revision 1).
    around: Option<(u32, u32)>,
    /// Whether the header says that all frames have one rate.
    constant: bool,
}

/// Reads a file of MPEG audio frames.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = frames(input, facts, &mut streams);
    Summary { format: ("mp3", "MP2/3 (MPEG audio layer 2/3)"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn frames(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    id3::version_2(input, facts)?;
    let start = input.position();
    let bytes = input.peek_up_to(GARBAGE)?.to_vec();
    let end = trailers(input, facts);
    let end = facts.tolerate(end)?.unwrap_or(input.file_len());
    let Some((at, frame)) = mpeg_audio::first(&bytes) else {
        return Err(input.malformed_at(start, "expected frames of MPEG audio"));
    };
    let first = bytes.get(at..).unwrap_or(&[]);
    let count = counted(first, &frame);
    let sound = end.saturating_sub(start.saturating_add(u64::try_from(at).unwrap_or(0)));
    streams.push(stream(&frame, &count, first, sound));
    gapless(input, start, &frame, &count, facts);
    Ok(())
}

/// Tags behind the sound: ID3v1 at the very end, an APE tag in front of it. Where the sound ends.
pub(super) fn trailers(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<u64> {
    let mut first = Facts::new(input.limits());
    let end = id3::version_1(input, &mut first)?;
    let end = ape_tag::read(input, end, facts);
    // The longer fields of an APE tag come before those of ID3v1.
    facts.append(first);
    end
}

/// The header in the first frame, behind its four bytes and its side information (ISO/IEC 11172-3, 2.4.1.7).
fn counted(bytes: &[u8], frame: &Frame) -> Count {
    let side = match (frame.first_version, frame.channels) {
        (true, 1) => 21,
        (true, _) => 36,
        (false, 1) => 13,
        (false, _) => 21,
    };
    let at = |offset: usize| bytes.get(offset..).unwrap_or(&[]);
    let mut count = Count::default();
    let body = at(side);
    if let Some((b"Xing" | b"Info", rest)) = body.split_first_chunk::<4>() {
        count.constant = body.starts_with(b"Info");
        let _ = xing(rest, &mut count);
    } else if let Some((b"VBRI", rest)) = at(36).split_first_chunk::<4>() {
        count.bytes = number(rest, 6);
        count.frames = number(rest, 10);
    }
    count.frames = count.frames.filter(|frames| *frames > 0);
    count
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c, d] = *bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes([d, c, b, a]))
}

/// Flags say which of four fields follow; behind them stands the tag of the encoder.
fn xing(bytes: &[u8], count: &mut Count) -> Option<()> {
    let flags = number(bytes, 0)?;
    let mut at = 4_usize;
    if flags & 1 != 0 {
        count.frames = number(bytes, at);
        at = at.saturating_add(4);
    }
    if flags & 2 != 0 {
        count.bytes = number(bytes, at);
        at = at.saturating_add(4);
    }
    at = at.saturating_add(if flags & 4 != 0 { 100 } else { 0 });
    at = at.saturating_add(if flags & 8 != 0 { 4 } else { 0 });
    let encoder = bytes.get(at..)?;
    if encoder.first().is_some_and(u8::is_ascii_uppercase) {
        let [a, b, c] = *encoder.get(21..)?.first_chunk::<3>()?;
        let packed = u32::from_le_bytes([c, b, a, 0]);
        count.around = Some((packed >> 12, packed & 0xFFF));
    }
    Some(())
}

fn stream(frame: &Frame, count: &Count, opening: &[u8], sound: u64) -> Stream {
    let mut stream = Stream { time_base: Ratio::new(1, 14_112_000), ..Stream::of(Kind::Audio, "") };
    frame.describe(&mut stream);
    stream.samples = mpeg_audio::UNTOLD;
    let samples = u64::from(frame.samples());
    match count.frames {
        Some(frames) => {
            stream.duration = seconds(u64::from(frames).saturating_mul(samples), frame.rate);
            let bytes = count.bytes.filter(|bytes| *bytes > 0).map_or(sound, u64::from);
            let measured = stream.duration.filter(|d| *d > 0.0).map(|d| whole(float(bytes) * 8.0 / d));
            // The frame that holds the header may be larger than the others, so that it fits.
            let usual = || next_frame(opening, frame).map(|next| u64::from(next.bitrate));
            stream.bitrate = if count.constant { usual().or(stream.bitrate) } else { measured };
        }
        // Without a count the file is taken to go on like its first frames.
        None => {
            let rate = average(opening, frame);
            stream.bitrate = Some(whole(rate));
            stream.duration = Some(float(sound) * 8.0 / rate);
        }
    }
    stream.start = count.around.and_then(|(before, _)| seconds(u64::from(before).saturating_add(DECODER), frame.rate));
    stream
}

/// Samples by which a decoder of layer 3 lags.
const DECODER: u64 = 529;

/// The frame behind the first one.
fn next_frame(bytes: &[u8], first: &Frame) -> Option<Frame> {
    let rest = bytes.get(usize::try_from(first.len).ok()?..)?;
    Frame::read(*rest.first_chunk::<4>()?).filter(|next| next.alike(first))
}

/// Bits per second over the frames at the start.
fn average(bytes: &[u8], first: &Frame) -> f64 {
    let bytes = bytes.get(..bytes.len().min(SAMPLED)).unwrap_or(bytes);
    let (mut at, mut bits, mut frames) = (0_usize, 0.0, 0.0);
    while let Some(frame) = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).and_then(|head| Frame::read(*head)) {
        if !frame.alike(first) {
            break;
        }
        bits += f64::from(frame.bitrate);
        frames += 1.0;
        at = at.saturating_add(usize::try_from(frame.len).unwrap_or(usize::MAX));
    }
    if frames > 0.0 { bits / frames } else { f64::from(first.bitrate) }
}

/// The exact length of what is played, as a fact: ffprobe's duration counts what the encoder put around it.
fn gapless(input: &Input<'_>, offset: u64, frame: &Frame, count: &Count, facts: &mut Facts) {
    let Some((frames, (before, behind))) = count.frames.zip(count.around) else { return };
    let samples = u64::from(frames).saturating_mul(frame.samples().into());
    let played = samples.saturating_sub(u64::from(before).saturating_add(behind.into()));
    if let Some(played) = seconds(played, frame.rate) {
        facts.add(input.format(), Group::Media, "EncoderDelay", offset, before);
        facts.add(input.format(), Group::Media, "EncoderPadding", offset, behind);
        facts.add(input.format(), Group::Media, "PlayedDuration", offset, played);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    /// MPEG 1 layer III, 128 kbit/s, 44.1 kHz, stereo: 417 bytes.
    fn frame(body: &[u8]) -> Vec<u8> {
        let mut frame = [&[0xFF, 0xFB, 0x90, 0][..], &[0; 32], body].concat();
        frame.resize(417, 0);
        frame
    }

    fn be(number: u32) -> [u8; 4] {
        let [a, b, c, d] = number.to_le_bytes();
        [d, c, b, a]
    }

    fn counted_file() -> Vec<u8> {
        // 1,000 frames, 300,000 bytes; 576 samples in front, 1,000 behind.
        let lame = [&b"LAME3.100"[..], &[0; 12], &[0x24, 0x03, 0xE8], &[0; 10]].concat();
        let head = [&b"Xing"[..], &be(3), &be(1000), &be(300_000), &lame].concat();
        [frame(&head), frame(&[]).repeat(3)].concat()
    }

    #[test]
    fn a_header_counts_the_frames() {
        let facts = facts_of(parse, &counted_file());
        let duration = 1000.0 * 1152.0 / 44_100.0;
        let close = |tag: &str, to: f64| match facts.find(Group::Media, tag) {
            Some(crate::extract::Datum::Float(found)) => assert!((found - to).abs() < 1e-5, "{tag}: {found}"),
            other => panic!("{tag}: {other:?}"),
        };
        close("Duration", duration);
        close("PlayedDuration", duration - 1576.0 / 44_100.0);
        close("StartTime", 1105.0 / 44_100.0);
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_BITRATE), Some(&Value::Int(91_875)));
    }

    #[test]
    fn without_one_the_first_frames_do() {
        let plain = [b"ID3\x03\0\0\0\0\0\0".to_vec(), frame(&[]).repeat(100)].concat();
        let facts = facts_of(parse, &plain);
        assert_eq!(facts.find(Group::Media, "Bitrate"), Some(&128_031_i64.into()));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_BITRATE), Some(&Value::Int(128_000)));
        // The other header: 36 bytes in, 500 frames.
        let vbri = [&b"VBRI\0\x01\0\0\0\0"[..], &be(150_000), &be(500), &[0; 8]].concat();
        let facts = facts_of(parse, &[frame(&vbri), frame(&[]).repeat(2)].concat());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&13.061_224.into()));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &counted_file(), 100);
    }
}
