//! WavPack 4 and 5 (wavpack.com, "WavPack 4 & 5 binary file / block format").

use super::mpeg;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

/// Sampling rates by index; the sixteenth is told by a sub-block.
const RATES: [u32; 15] = [
    6_000, 8_000, 9_600, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
    192_000,
];
/// Sub-blocks looked at in a block.
const PARTS: u32 = 64;
/// Bytes at the end that are searched for the last block.
const TAIL: u64 = 256 << 10;

/// The header of a block.
struct Block {
    end: u64,
    /// Samples of the whole file; `None` where the writer could not know.
    total: Option<u64>,
    index: u64,
    samples: u32,
    flags: u32,
}

/// Reads a WavPack file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = both_ends(input, facts, &mut streams);
    Summary { format: ("wv", "WavPack"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn both_ends(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    let read = first(input);
    let found = facts.tolerate(read)?;
    let end = mpeg::trailers(input, facts);
    let end = facts.tolerate(end)?.unwrap_or(input.file_len());
    let Some((mut stream, total)) = found else { return Ok(()) };
    let total = match total {
        Some(total) => Some(total),
        None => {
            let last = last_sample(input, end);
            facts.tolerate(last)?.flatten()
        }
    };
    stream.duration = total.and_then(|total| seconds(total, stream.sample_rate));
    stream.bitrate = stream.duration.filter(|d| *d > 0.0).map(|d| whole(float(end) * 8.0 / d));
    streams.push(stream);
    Ok(())
}

fn block(input: &mut Input<'_>) -> Parsed<Block> {
    let start = input.position();
    if input.array::<4>("block mark")? != *b"wvpk" {
        return Err(input.malformed_at(start, "expected a block that begins with wvpk"));
    }
    let size = input.u32_le("block size")?;
    input.skip(2, "version")?;
    let (index_high, total_high) = (input.u8("block index")?, input.u8("number of samples")?);
    let (total, index) = (input.u32_le("number of samples")?, input.u32_le("block index")?);
    let (samples, flags) = (input.u32_le("samples of the block")?, input.u32_le("flags")?);
    input.skip(4, "checksum")?;
    let known = total != u32::MAX;
    Ok(Block {
        end: start.saturating_add(8).saturating_add(size.into()).min(input.end()),
        total: known.then_some((u64::from(total_high) << 32) | u64::from(total)),
        index: (u64::from(index_high) << 32) | u64::from(index),
        samples,
        flags,
    })
}

/// What the blocks of the first samples say: the stream, and the number of samples.
fn first(input: &mut Input<'_>) -> Parsed<(Stream, Option<u64>)> {
    let first = block(input)?;
    let flags = first.flags;
    let one = |flags: u32| if flags & 4 != 0 { 1 } else { 2 };
    let mut stream = Stream { channels: one(flags), ..Stream::of(Kind::Audio, "wavpack") };
    let index = usize::try_from((flags >> 23) & 15).unwrap_or(0);
    stream.sample_rate = RATES.get(index).copied().unwrap_or(0);
    stream.bits = (flags & 3).saturating_add(1).saturating_mul(8);
    if flags & 0x80 != 0 {
        stream.bits = 64;
    }
    let mut scale = 1_u32;
    let part = input.position()..first.end;
    input.within(part, "block", |input| parts(input, &mut stream, &mut scale))?;
    // Further channels are in blocks of their own, up to one that is marked as the last.
    let mut last = flags;
    let mut summed = one(flags);
    while last & 0x1000 == 0 && input.remaining() >= 32 && summed < 256 {
        input.entry()?;
        let next = block(input)?;
        last = next.flags;
        summed = summed.saturating_add(one(last));
        input.seek(next.end, "next block")?;
    }
    stream.channels = stream.channels.max(summed);
    if stream.sample_rate == 0 {
        return Err(input.malformed("expected a sample rate above 0"));
    }
    // One bit a sample: eight of them count as one.
    if flags >> 31 == 1 {
        stream.bits = 64;
        stream.sample_rate = stream.sample_rate.saturating_mul(scale);
    }
    stream.time_base = Ratio::new(1, stream.sample_rate.into());
    Ok((stream, first.total))
}

/// Sub-blocks: a type, a length in words, a body.
fn parts(input: &mut Input<'_>, stream: &mut Stream, scale: &mut u32) -> Parsed<()> {
    for _ in 0..PARTS {
        if input.remaining() < 2 {
            break;
        }
        let kind = input.u8("kind of sub-block")?;
        let words = if kind & 0x80 != 0 { input.u24_le("sub-block size")? } else { input.u8("sub-block size")?.into() };
        let end = input.position().saturating_add(u64::from(words).saturating_mul(2)).min(input.end());
        match kind & 0x3F {
            0x27 if words >= 2 => stream.sample_rate = input.u24_le("sample rate")?,
            0x0D if words >= 1 => stream.channels = stream.channels.max(input.u8("channels")?.into()),
            // The power of two by which the rate counts (WavPack 5, DSD).
            0x0E if words >= 1 => *scale = 1_u32 << (input.u8("DSD rate")? & 31),
            _ => {}
        }
        input.seek(end, "next sub-block")?;
    }
    Ok(())
}

/// Where the last block of the file ends, in samples.
fn last_sample(input: &mut Input<'_>, end: u64) -> Parsed<Option<u64>> {
    let start = end.saturating_sub(TAIL);
    input.seek(start, "last block")?;
    let bytes = input.take_up_to(end.saturating_sub(start))?;
    let Some(at) = bytes.windows(4).rposition(|four| four == b"wvpk") else { return Ok(None) };
    input.seek(start.saturating_add(u64::try_from(at).unwrap_or(0)), "last block")?;
    let last = block(input)?;
    Ok(Some(last.index.saturating_add(last.samples.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn block_of(total: u32, index: u32, flags: u32, parts: &[u8]) -> Vec<u8> {
        let numbers: Vec<u8> = [total, index, 44_100, flags, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
        let size = u32::try_from(24 + parts.len()).unwrap().to_le_bytes();
        [&b"wvpk"[..], &size, &[0x10, 4, 0, 0], &numbers, parts].concat()
    }

    #[test]
    fn known_and_unknown_lengths() {
        // Two bytes a sample, stereo, 44.1 kHz, first and last block of its samples.
        let flags = 1 | 9 << 23 | 0x1800;
        let known = block_of(88_200, 0, flags, &[]);
        assert_eq!(facts_of(parse, &known).find(Group::Media, "Duration"), Some(&2.0.into()));
        let unknown = [block_of(u32::MAX, 0, flags, &[]), block_of(u32::MAX, 44_100, flags, &[])].concat();
        assert_eq!(facts_of(parse, &unknown).find(Group::Media, "Duration"), Some(&2.0.into()));
        // A rate out of line, and two more blocks of channels.
        let odd = block_of(22_050, 0, 15 << 23 | 0x800, &[0x27, 2, 0x22, 0x56, 0, 0]);
        let more = [odd, block_of(0, 0, 0, &[]), block_of(0, 0, 4 | 0x1000, &[])].concat();
        let facts = facts_of(parse, &more);
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_CHANNELS), Some(&Value::Int(5)));
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.0.into()));
        survives(parse, &more, 200);
    }
}
