//! Video without a container: bare streams of H.264, HEVC, MPEG-4 part 2 and AV1, and IVF, which puts no more than a size
//! and a time in front of each frame.

use crate::extract::bitstream;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float};
use crate::extract::{Facts, Input, Parsed, length};

/// Bytes in which the headers of a bare stream must stand.
const HEAD: u64 = 64 << 10;
/// Bytes of the first frame that are looked at.
const FRAME: u64 = 4096;
/// Bytes in which pictures are counted; the rest is taken to be like them.
const COUNTED: u64 = 1 << 20;
/// Frames per second where the stream does not say: what players take.
const USUAL: u64 = 25;

/// Reads a bare stream of H.264 (ITU-T H.264, annex B).
pub fn h264(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bare(input, facts, "h264", ("h264", "raw H.264 video"))
}

/// Reads a bare stream of HEVC (ITU-T H.265, annex B).
pub fn hevc(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bare(input, facts, "hevc", ("hevc", "raw HEVC video"))
}

/// Reads a bare stream of MPEG-4 part 2.
pub fn mpeg4(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bare(input, facts, "mpeg4", ("m4v", "raw MPEG-4 video"))
}

/// Reads a bare stream of AV1 (AV1 bitstream specification, 5.2: low-overhead format).
pub fn av1(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bare(input, facts, "av1", ("obu", "AV1 low overhead OBU"))
}

fn bare(
    input: &mut Input<'_>,
    facts: &mut Facts,
    codec: &'static str,
    format: (&'static str, &'static str),
) -> Parsed<()> {
    let at = input.position();
    let bytes = input.peek_up_to(HEAD)?.to_vec();
    let mut stream = Stream::of(Kind::Video, codec);
    let found = bitstream::elementary(&bytes, &mut stream);
    stream.frame_rate = stream.coded_rate.or(Ratio::new(USUAL, 1));
    stream.average_rate = stream.frame_rate;
    stream.bitrate = None;
    if found && stream.coded_rate.is_some() {
        count(input, &mut stream)?;
    }
    Summary { format, streams: vec![stream], ..Summary::default() }.publish(input, facts);
    if found {
        Ok(())
    } else {
        Err(input.malformed_at(at, format!("expected a header of {codec} in the first {HEAD} bytes")))
    }
}

/// How long a stream is by its pictures, which its own rate gives a length.
fn count(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    input.rewind();
    let bytes = input.take_up_to(COUNTED)?;
    let pictures = float(bitstream::pictures::pictures(stream.codec, &bytes));
    let share = float(input.file_len()) / float(length(bytes.len())).max(1.0);
    stream.duration = stream.coded_rate.map(|rate| pictures * share / rate.value()).filter(|d| *d > 0.0);
    Ok(())
}

/// Reads IVF (wiki.multimedia.cx, "Duck IVF": 32 bytes of header, then frames with 12 bytes in front).
pub fn ivf(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(6, "mark and version")?;
    let header = u64::from(input.u16_le("length of the header")?);
    let code: [u8; 4] = input.array("codec")?;
    let (width, height) = (u32::from(input.u16_le("width")?), u32::from(input.u16_le("height")?));
    let (rate, scale) = (u64::from(input.u32_le("rate")?), u64::from(input.u32_le("scale")?));
    let frames = u64::from(input.u32_le("number of frames")?);
    let codec = match &code {
        b"AV01" => "av1",
        b"VP80" => "vp8",
        b"VP90" => "vp9",
        b"H264" => "h264",
        b"HEVC" | b"H265" => "hevc",
        _ => "",
    };
    let mut stream = Stream { tag: Some(code), ..Stream::of(Kind::Video, codec) };
    let first = first_frame(input, header, &mut stream);
    facts.tolerate(first)?;
    (stream.width, stream.height) = (width, height);
    stream.time_base = Ratio::new(scale, rate);
    stream.frame_rate = Ratio::new(rate, scale);
    stream.average_rate = stream.frame_rate;
    stream.frames = Some(frames).filter(|frames| *frames > 0);
    stream.duration = stream.frame_rate.map(|rate| float(frames) / rate.value()).filter(|d| *d > 0.0);
    Summary { format: ("ivf", "On2 IVF"), streams: vec![stream], ..Summary::default() }.publish(input, facts);
    Ok(())
}

fn first_frame(input: &mut Input<'_>, header: u64, stream: &mut Stream) -> Parsed<()> {
    input.seek(header, "first frame")?;
    let size = u64::from(input.u32_le("size of a frame")?);
    input.skip(8, "time of a frame")?;
    let bytes = input.take_up_to(FRAME.min(size))?;
    bitstream::elementary(&bytes, stream);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn sample() -> Vec<u8> {
        let head =
            [&b"DKIF\0\0\x20\0VP80"[..], &[64, 1, 240, 0], &[30, 0, 0, 0, 1, 0, 0, 0, 90, 0, 0, 0], &[0; 4]].concat();
        // A key frame of 320 by 240 (RFC 6386, 9.1).
        let frame = [0x10, 0, 0, 0x9D, 1, 0x2A, 64, 1, 240, 0];
        [&head[..], &[10, 0, 0, 0], &[0; 8], &frame].concat()
    }

    #[test]
    fn a_file_of_frames_says_how_many_there_are() {
        let facts = facts_of(ivf, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&3.0.into()));
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("vp8"));
        assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("30/1"));
        assert_eq!(video.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(320)));
        assert_eq!(video.get(field::VIDEO_FRAME_COUNT), Some(&Value::Int(90)));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(ivf, &sample(), 1000);
        for parse in [h264, hevc, mpeg4, av1] {
            survives(parse, &sample(), 1000);
        }
    }
}
