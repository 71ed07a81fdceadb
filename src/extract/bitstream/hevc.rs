//! HEVC: sequence parameter sets (ITU-T H.265, 7.3.2.2 and E.2.1).

use super::{units, vui};
use crate::extract::stream::{Bits, Coding, Stream};

/// Bytes of a parameter set that are looked at.
const SET: usize = 1024;

/// The first sequence parameter set of units between start codes.
pub fn by_start_code(bytes: &[u8], stream: &mut Stream) -> bool {
    units::by_start_code(bytes).any(|unit| parameter_set(unit, stream).is_some())
}

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1); the width of lengths in the samples.
pub fn record(bytes: &[u8], stream: &mut Stream) -> Option<usize> {
    let head = bytes.first_chunk::<23>()?;
    let &[1, profile, _, _, _, _, _, _, _, _, _, _, level, _, _, _, chroma, depth, ..] = head else { return None };
    let &[.., width, _arrays] = head;
    stream.coding = Coding {
        profile: profile_name(profile & 0x1F),
        level: Some(level),
        chroma: Some(chroma & 3),
        depth: (depth & 7).saturating_add(8),
    };
    let mut rest = bytes.get(23..)?;
    // Arrays of units of one type, each with its length.
    while let Some((&[_kind, high, low], body)) = rest.split_first_chunk::<3>() {
        rest = body;
        for _ in 0..u16::from_le_bytes([low, high]) {
            let Some((&[high, low], body)) = rest.split_first_chunk::<2>() else { break };
            let len = usize::from(u16::from_le_bytes([low, high])).min(body.len());
            let (unit, after) = body.split_at_checked(len)?;
            rest = after;
            if parameter_set(unit, stream).is_some() {
                return Some(usize::from(width & 3).saturating_add(1));
            }
        }
    }
    Some(usize::from(width & 3).saturating_add(1))
}

/// A unit, if it is a sequence parameter set (type 33).
fn parameter_set(unit: &[u8], stream: &mut Stream) -> Option<()> {
    let (head, body) = unit.split_first_chunk::<2>()?;
    let [first, _] = head;
    if first >> 1 != 33 {
        return None;
    }
    let plain = units::unescape(body.get(..body.len().min(SET))?);
    let mut bits = Bits::new(&plain);
    let mut read = stream.clone();
    let order = sequence(&mut bits, &mut read)?;
    // Samples of the narrow range where nothing is said (E.3.1).
    read.colour.full = read.colour.full.or(Some(false));
    let _ = usability(&mut bits, order, &mut read);
    *stream = read;
    Some(())
}

/// Reads up to the block sizes; the bits of a picture order count.
fn sequence(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<u32> {
    bits.skip(4);
    let layers = bits.take(3)?;
    bits.skip(1);
    let (profile, level) = profile_tier_level(bits, layers)?;
    bits.golomb()?;
    let chroma = u8::try_from(bits.golomb()?).ok().filter(|chroma| *chroma <= 3)?;
    if chroma == 3 {
        bits.skip(1);
    }
    let (wide, high) = (bits.golomb()?, bits.golomb()?);
    let (mut width, mut height) = (wide, high);
    if bits.flag()? {
        let (left, right, top, bottom) = (bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?);
        let across = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let down = if chroma == 1 { 2 } else { 1 };
        width = wide.checked_sub(left.checked_add(right)?.checked_mul(across)?)?;
        height = high.checked_sub(top.checked_add(bottom)?.checked_mul(down)?)?;
    }
    let depth = u8::try_from(bits.golomb()?).ok().filter(|more| *more <= 8)?.checked_add(8)?;
    bits.golomb()?;
    let order = bits.golomb()?.checked_add(4).filter(|bits| *bits <= 16)?;
    let first = if bits.flag()? { 0 } else { layers };
    let mut reordered = 0;
    for _ in first..=layers {
        bits.golomb()?;
        reordered = bits.golomb()?;
        bits.golomb()?;
    }
    (stream.width, stream.height) = (width, height);
    stream.coding = Coding { profile: profile_name(profile), level: Some(level), chroma: Some(chroma), depth };
    stream.b_frames = Some(reordered.min(16));
    Some(order)
}

/// Profile and level (7.3.3), over those of the temporal layers.
fn profile_tier_level(bits: &mut Bits<'_>, layers: u32) -> Option<(u8, u8)> {
    bits.skip(3);
    let profile = bits.byte(5)?;
    bits.skip(32 + 48);
    let level = bits.byte(8)?;
    let mut present = Vec::new();
    for _ in 0..layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if layers > 0 {
        bits.skip(8_u32.saturating_sub(layers).saturating_mul(2));
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 });
        bits.skip(if level { 8 } else { 0 });
    }
    Some((profile, level))
}

/// From the block sizes to the usability information.
fn usability(bits: &mut Bits<'_>, order: u32, stream: &mut Stream) -> Option<()> {
    for _ in 0..6 {
        bits.golomb()?;
    }
    if bits.flag()? && bits.flag()? {
        scaling_lists(bits)?;
    }
    bits.skip(2);
    if bits.flag()? {
        bits.skip(8);
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1);
    }
    reference_sets(bits)?;
    if bits.flag()? {
        for _ in 0..bits.golomb()?.min(32) {
            bits.skip(order.saturating_add(1));
        }
    }
    bits.skip(2);
    if !bits.flag()? {
        return Some(());
    }
    vui::common(bits, stream)?;
    bits.skip(3);
    if bits.flag()? {
        for _ in 0..4 {
            bits.golomb()?;
        }
    }
    if bits.flag()? {
        let (ticks, scale) = (bits.take(32)?, bits.take(32)?);
        stream.coded_rate = vui::rate(scale, ticks.into());
    }
    Some(())
}

/// 7.3.4
fn scaling_lists(bits: &mut Bits<'_>) -> Option<()> {
    for size in 0..4_u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.flag()? {
                bits.golomb()?;
                continue;
            }
            if size > 1 {
                bits.signed_golomb()?;
            }
            for _ in 0..if size == 0 { 16 } else { 64 } {
                bits.signed_golomb()?;
            }
        }
    }
    Some(())
}

/// Short-term reference picture sets (7.3.7).
fn reference_sets(bits: &mut Bits<'_>) -> Option<()> {
    let count = bits.golomb()?.min(64);
    let mut pictures = 0_u32;
    for index in 0..count {
        if index > 0 && bits.flag()? {
            bits.skip(1);
            bits.golomb()?;
            let mut kept = 0_u32;
            for _ in 0..=pictures {
                let used = bits.flag()?;
                if used || bits.flag()? {
                    kept = kept.saturating_add(1);
                }
            }
            pictures = kept;
        } else {
            let (before, after) = (bits.golomb()?.min(16), bits.golomb()?.min(16));
            pictures = before.saturating_add(after);
            for _ in 0..pictures {
                bits.golomb()?;
                bits.skip(1);
            }
        }
    }
    Some(())
}

/// ITU-T H.265, A.3.
fn profile_name(profile: u8) -> &'static str {
    match profile {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Rext",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::{Writer, escaped};

    /// Main 10, level 93, 1280 x 720 (726 cropped by 6), three reordered, 30 Hz, bt2020 and PQ.
    fn hdr() -> Vec<u8> {
        let tier = Writer::default().bits(0, 4).bits(0, 3).bits(1, 1).bits(0, 3).bits(2, 5).bits(0, 32).bits(0, 48);
        let size = tier.bits(93, 8).golomb(0).golomb(1).golomb(1280).golomb(726);
        let crop = size.bits(1, 1).golomb(0).golomb(0).golomb(0).golomb(3).golomb(2).golomb(2).golomb(4);
        let layers = crop.bits(1, 1).golomb(4).golomb(3).golomb(0);
        let blocks =
            layers.golomb(0).golomb(3).golomb(0).golomb(3).golomb(0).golomb(0).bits(0, 1).bits(0, 2).bits(0, 1);
        // One set of two pictures, one predicted from it that keeps two of three.
        let sets = blocks.golomb(2).golomb(1).golomb(1).golomb(0).bits(1, 1).golomb(0).bits(1, 1);
        let sets = sets.bits(1, 1).bits(0, 1).golomb(0).bits(1, 1).bits(0, 1).bits(1, 1).bits(0, 1).bits(0, 1);
        let info = sets.bits(0, 1).bits(0, 2).bits(1, 1).bits(1, 1).bits(1, 8).bits(0, 1);
        let colour = info.bits(1, 1).bits(5, 3).bits(0, 1).bits(1, 1).bits(9, 8).bits(16, 8).bits(9, 8).bits(0, 1);
        let timing = colour.bits(0, 3).bits(0, 1).bits(1, 1).bits(1, 32).bits(30, 32);
        [vec![33 << 1, 1], timing.bits(1, 8).bytes()].concat()
    }

    #[test]
    fn a_full_parameter_set_in_a_record() {
        let set = escaped(&hdr());
        let mut head = vec![1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93, 0xF0, 0, 0xFC, 0xFD, 0xFA, 0xFA, 0, 0, 3, 1];
        head.extend([0xA1, 0, 1, 0, set.len() as u8]);
        let mut stream = Stream::default();
        assert_eq!(record(&[head, set].concat(), &mut stream), Some(4));
        assert_eq!((stream.width, stream.height, stream.b_frames), (1280, 720, Some(3)));
        assert_eq!((stream.coding.profile, stream.coding.pixel_format(false)), ("Main 10", "yuv420p10le"));
        assert_eq!(stream.colour.names(), ["bt2020", "smpte2084", "bt2020nc", "tv"]);
        assert_eq!(stream.coded_rate.unwrap().to_string(), "30/1");
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        let set = hdr();
        for at in 0..set.len() {
            parameter_set(&set[..at], &mut Stream::default());
            for bit in 0..8 {
                let mut flipped = set.clone();
                flipped[at] ^= 1 << bit;
                parameter_set(&flipped, &mut Stream::default());
            }
        }
    }
}
