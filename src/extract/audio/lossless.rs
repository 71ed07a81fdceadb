//! OptimFROG (the header as mutagen and MediaInfo know it: "OFR ", a length, what follows) and TAK (TAK stream format: blocks of a
//! kind and a length): lossless sound with one small header and tags at the end.

use super::mpeg;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

/// Blocks of TAK that are looked at.
const BLOCKS: u32 = 64;

/// Reads an OptimFROG file.
pub fn optim_frog(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    both_ends(input, facts, ("ofr", "OptimFROG"), frog_header)
}

/// Reads a TAK file.
pub fn tak(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    both_ends(input, facts, ("tak", "raw TAK"), tak_blocks)
}

fn both_ends(
    input: &mut Input<'_>,
    facts: &mut Facts,
    format: (&'static str, &'static str),
    head: fn(&mut Input<'_>) -> Parsed<Stream>,
) -> Parsed<()> {
    let read = head(input);
    let stream = facts.tolerate(read)?;
    let end = mpeg::trailers(input, facts);
    let end = facts.tolerate(end)?.unwrap_or(input.file_len());
    let mut streams: Vec<Stream> = stream.into_iter().collect();
    for stream in &mut streams {
        let rate = stream.duration.filter(|d| *d > 0.0).map(|d| float(end) * 8.0 / d);
        stream.bitrate = rate.map(whole);
        stream.time_base = Ratio::new(1, stream.sample_rate.into());
    }
    Summary { format, streams, ..Summary::default() }.publish(input, facts);
    Ok(())
}

/// Samples of all channels in 48 bits, their type, channels less one, rate.
fn frog_header(input: &mut Input<'_>) -> Parsed<Stream> {
    input.skip(4, "mark")?;
    let len = input.u32_le("length of the header")?;
    if len != 12 && len < 15 {
        return Err(input.malformed(format!("expected a header of 12 bytes or of 15 and more, got {len}")));
    }
    let (low, high) = (input.u32_le("samples")?, input.u16_le("samples")?);
    // Two types for each width: without and with a sign.
    let kind = input.u8("type of samples")?;
    let channels = u32::from(input.u8("channels")?).saturating_add(1);
    let rate = input.u32_le("rate")?;
    let samples = (u64::from(high) << 32) | u64::from(low);
    let each = samples.checked_div(channels.into()).unwrap_or(0);
    let bits = u32::from(kind >> 1).saturating_add(1).saturating_mul(8).min(32);
    let duration = seconds(each, rate).filter(|d| *d > 0.0);
    Ok(Stream { sample_rate: rate, channels, bits, duration, ..Stream::of(Kind::Audio, "") })
}

fn tak_blocks(input: &mut Input<'_>) -> Parsed<Stream> {
    input.skip(4, "mark")?;
    for _ in 0..BLOCKS {
        let kind = input.u8("kind of block")? & 0x7F;
        let len = u64::from(input.u24_le("length of a block")?);
        if kind == 1 {
            return stream_info(input);
        }
        // The end of the blocks.
        if kind == 0 {
            break;
        }
        input.skip(len, "next block")?;
    }
    Err(input.malformed("expected a block of stream information"))
}

/// Bits from the lowest: codec (6), profile (4), type of frames (4), samples (35), type of data (3), rate less 6,000 (18), bits of a
/// sample less 8 (5), channels less one (4).
fn stream_info(input: &mut Input<'_>) -> Parsed<Stream> {
    let bytes: [u8; 10] = input.array("stream information")?;
    let all = bytes.iter().rev().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let part = |from: u32, count: u32| {
        let mask = 1_u128.checked_shl(count).map_or(0, |top| top.saturating_sub(1));
        u64::try_from(all.checked_shr(from).unwrap_or(0) & mask).unwrap_or(0)
    };
    let small = |from, count, more: u32| u32::try_from(part(from, count)).unwrap_or(0).saturating_add(more);
    let (rate, bits, channels) = (small(52, 18, 6000), small(70, 5, 8), small(75, 4, 1));
    let duration = seconds(part(14, 35), rate).filter(|d| *d > 0.0);
    Ok(Stream { sample_rate: rate, channels, bits, duration, ..Stream::of(Kind::Audio, "tak") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Group, Parse};
    use crate::model::{Value, field};

    #[test]
    fn headers_say_how_long_it_is() {
        let samples = 2_u32 * 44_100 * 3;
        let frog = [&b"OFR \x0F\0\0\0"[..], &samples.to_le_bytes(), &[0, 0, 2, 1], &44_100_u32.to_le_bytes(), &[0; 60]]
            .concat();
        let bits = 2_u128 | (132_300 << 14) | (38_100 << 52) | (8 << 70) | (1 << 75);
        let info = &bits.to_le_bytes()[..10];
        let tak_file = [&b"tBaK\x02\x02\0\0zz\x01\x0D\0\0"[..], info, &[0; 60]].concat();
        let readers: [(Parse, Vec<u8>); 2] = [(optim_frog, frog), (tak, tak_file)];
        for (parse, data) in readers {
            let facts = facts_of(parse, &data);
            assert_eq!(facts.find(Group::Media, "Duration"), Some(&3.0.into()));
            let row = &facts.audio_streams[0];
            assert_eq!(row.get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(44_100)));
            assert_eq!(row.get(field::AUDIO_CHANNELS), Some(&Value::Int(2)));
            survives(parse, &data, 100);
        }
    }
}
