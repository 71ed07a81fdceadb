//! Monkey's Audio (monkeysaudio.com, "APE file format"): a descriptor and a header, or one older header.

use super::{id3, mpeg};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

/// What the headers say.
struct Header {
    blocks_per_frame: u32,
    last_blocks: u32,
    frames: u32,
    bits: u16,
    channels: u16,
    rate: u32,
}

/// Reads a file of Monkey's Audio.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = both_ends(input, facts, &mut streams);
    Summary { format: ("ape", "Monkey's Audio"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn both_ends(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    let mut front = Facts::new(input.limits());
    id3::version_2(input, &mut front)?;
    let header = header(input);
    let header = facts.tolerate(header)?;
    let end = mpeg::trailers(input, facts);
    let end = facts.tolerate(end)?.unwrap_or(input.file_len());
    // The format's own tags stand at the end, and so win.
    facts.append(front);
    streams.extend(header.map(|header| stream(&header, end)));
    Ok(())
}

fn header(input: &mut Input<'_>) -> Parsed<Header> {
    let start = input.position();
    if input.array::<4>("mark of Monkey's Audio")? != *b"MAC " {
        return Err(input.malformed_at(start, "expected the mark MAC"));
    }
    let version = input.u16_le("version")?;
    let header = if version >= 3980 { new(input, start) } else { old(input, version) }?;
    if header.rate == 0 || header.channels == 0 {
        return Err(input.malformed("expected a sample rate and channels above 0"));
    }
    Ok(header)
}

/// From version 3.98 on: the descriptor says how long it is.
fn new(input: &mut Input<'_>, start: u64) -> Parsed<Header> {
    input.skip(2, "padding")?;
    let descriptor = input.u32_le("length of the descriptor")?;
    input.seek(start.saturating_add(descriptor.into()), "header")?;
    input.skip(2 + 2, "compression and flags")?;
    let blocks_per_frame = input.u32_le("blocks of a frame")?;
    let (last_blocks, frames) = (input.u32_le("blocks of the last frame")?, input.u32_le("number of frames")?);
    let (bits, channels) = (input.u16_le("bits per sample")?, input.u16_le("channels")?);
    Ok(Header { blocks_per_frame, last_blocks, frames, bits, channels, rate: input.u32_le("sample rate")? })
}

fn old(input: &mut Input<'_>, version: u16) -> Parsed<Header> {
    let (compression, flags) = (input.u16_le("compression")?, input.u16_le("flags")?);
    let channels = input.u16_le("channels")?;
    let rate = input.u32_le("sample rate")?;
    input.skip(4 + 4, "length of the WAV header and tail")?;
    let (frames, last_blocks) = (input.u32_le("number of frames")?, input.u32_le("blocks of the last frame")?);
    let blocks_per_frame = match version {
        3950.. => 73_728 * 4,
        3900.. => 73_728,
        3800.. if compression == 4000 => 73_728,
        _ => 9216,
    };
    let bits = match (flags & 1 != 0, flags & 8 != 0) {
        (true, _) => 8,
        (_, true) => 24,
        _ => 16,
    };
    Ok(Header { blocks_per_frame, last_blocks, frames, bits, channels, rate })
}

fn stream(header: &Header, bytes: u64) -> Stream {
    let whole_frames = u64::from(header.frames.saturating_sub(1));
    let before = whole_frames.saturating_mul(header.blocks_per_frame.into());
    let blocks = if header.frames == 0 { 0 } else { before.saturating_add(header.last_blocks.into()) };
    let duration = seconds(blocks, header.rate).filter(|d| *d > 0.0);
    Stream {
        time_base: Ratio::new(1, header.rate.into()),
        duration,
        bitrate: duration.map(|d| whole(float(bytes) * 8.0 / d)),
        sample_rate: header.rate,
        channels: header.channels.into(),
        bits: header.bits.into(),
        frames: Some(header.frames.into()),
        tag: Some(*b"APE "),
        ..Stream::of(Kind::Audio, "ape")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};

    #[test]
    fn headers_old_and_new() {
        let le = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let descriptor = [&b"MAC "[..], &[0x96, 0x0F, 0, 0], &le(&[52]), &[0; 40]].concat();
        let new = [descriptor, vec![0; 4], le(&[73_728, 22_050, 3]), vec![16, 0, 2, 0], le(&[44_100])].concat();
        let facts = facts_of(parse, &new);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&3.843_673.into()));
        let old = [&b"MAC "[..], &[0x3C, 0x0F, 0xD0, 0x07, 8, 0, 1, 0], &le(&[44_100, 0, 0, 1, 44_100])].concat();
        let facts = facts_of(parse, &old);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.0.into()));
        survives(parse, &new, 200);
        survives(parse, &old, 200);
    }
}
