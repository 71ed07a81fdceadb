//! AV1: sequence headers (AV1 bitstream and decoding process, 5.5).

use crate::extract::stream::{Bits, Coding, Stream};

/// AV1CodecConfigurationRecord (AV1 in ISOBMFF 1.2, 2.3), with the sequence header behind it.
pub fn record(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let [0x81, profile, flags, _, units @ ..] = bytes else { return None };
    let chroma = match (flags & 0x10 != 0, flags & 0x08 != 0, flags & 0x04 != 0) {
        (true, ..) => 0,
        (_, true, true) => 1,
        (_, true, false) => 2,
        (_, false, _) => 3,
    };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    stream.coding =
        Coding { profile: profile_name(profile >> 5), level: Some(profile & 0x1F), chroma: Some(chroma), depth };
    units_of(units, stream);
    Some(())
}

/// The first sequence header among open bitstream units (5.3) that carry their sizes.
pub fn units_of(bytes: &[u8], stream: &mut Stream) -> bool {
    let mut rest = bytes;
    while let Some((&head, body)) = rest.split_first() {
        let (kind, extended, sized) = ((head >> 3) & 15, head & 4 != 0, head & 2 != 0);
        let Some(body) = body.get(usize::from(extended)..) else { return false };
        let Some((size, body)) = (if sized { leb128(body) } else { Some((body.len(), body)) }) else { return false };
        let (unit, after) = body.split_at_checked(size.min(body.len())).unwrap_or((body, &[]));
        if kind == 1 {
            let mut read = stream.clone();
            if sequence(&mut Bits::new(unit), &mut read).is_some() {
                *stream = read;
                return true;
            }
        }
        rest = after;
    }
    false
}

/// 4.10.5
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for at in 0..4_usize {
        let byte = bytes.get(at)?;
        value |= usize::from(byte & 0x7F) << at.saturating_mul(7);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at.saturating_add(1)..)?));
        }
    }
    None
}

/// 5.5.1
fn sequence(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    let profile = bits.byte(3)?;
    bits.skip(1);
    let reduced = bits.flag()?;
    let level = if reduced { bits.byte(5)? } else { operating_points(bits)? };
    let (wide, high) = (bits.take(4)?.saturating_add(1), bits.take(4)?.saturating_add(1));
    (stream.width, stream.height) = (bits.take(wide)?.checked_add(1)?, bits.take(high)?.checked_add(1)?);
    if !reduced && bits.flag()? {
        bits.skip(7);
    }
    bits.skip(3);
    if !reduced {
        tools(bits)?;
    }
    bits.skip(3);
    let (chroma, depth) = colour(bits, profile, stream)?;
    stream.coding = Coding { profile: profile_name(profile), level: Some(level), chroma: Some(chroma), depth };
    Some(())
}

/// The level of the first operating point, over times and models.
fn operating_points(bits: &mut Bits<'_>) -> Option<u8> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64);
        if bits.flag()? {
            variable(bits)?;
        }
        if bits.flag()? {
            delay_bits = bits.take(5)?.checked_add(1);
            bits.skip(32 + 5 + 5);
        }
    }
    let delays = bits.flag()?;
    let mut level = 0;
    for index in 0..=bits.take(5)? {
        bits.skip(12);
        let this = bits.byte(5)?;
        if index == 0 {
            level = this;
        }
        if this > 7 {
            bits.skip(1);
        }
        if let Some(width) = delay_bits
            && bits.flag()?
        {
            bits.skip(width.saturating_mul(2).saturating_add(1));
        }
        if delays && bits.flag()? {
            bits.skip(4);
        }
    }
    Some(level)
}

/// A number with its length in zeros (4.10.3).
fn variable(bits: &mut Bits<'_>) -> Option<()> {
    let mut zeros = 0_u32;
    while !bits.flag()? {
        zeros = zeros.checked_add(1).filter(|zeros| *zeros < 32)?;
    }
    bits.skip(zeros);
    Some(())
}

/// Flags of coding tools.
fn tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4);
    let order = bits.flag()?;
    if order {
        bits.skip(2);
    }
    let screen = if bits.flag()? { true } else { bits.flag()? };
    // Whole-pixel motion is chosen for screen content only.
    if screen && !bits.flag()? {
        bits.skip(1);
    }
    if order {
        bits.skip(3);
    }
    Some(())
}

/// 5.5.2: chroma format and depth.
fn colour(bits: &mut Bits<'_>, profile: u8, stream: &mut Stream) -> Option<(u8, u8)> {
    let deep = bits.flag()?;
    let depth = match (profile, deep) {
        (2, true) => {
            if bits.flag()? {
                12
            } else {
                10
            }
        }
        (_, true) => 10,
        (_, false) => 8,
    };
    let grey = profile != 1 && bits.flag()?;
    let (mut primaries, mut transfer, mut matrix) = (2, 2, 2);
    if bits.flag()? {
        (primaries, transfer, matrix) = (bits.byte(8)?, bits.byte(8)?, bits.byte(8)?);
        stream.colour.primaries = primaries.into();
        stream.colour.transfer = transfer.into();
        stream.colour.matrix = Some(matrix.into());
    }
    if grey {
        stream.colour.full = Some(bits.flag()?);
        return Some((0, depth));
    }
    // sRGB is always 4:4:4 and full.
    if (primaries, transfer, matrix) == (1, 13, 0) {
        stream.colour.full = Some(true);
        return Some((3, depth));
    }
    stream.colour.full = Some(bits.flag()?);
    let chroma = match (profile, depth) {
        (0, _) => 1,
        (1, _) => 3,
        (_, 12) => match (bits.flag()?, bits.flag()?) {
            (true, true) => 1,
            (true, false) => 2,
            _ => 3,
        },
        _ => 2,
    };
    Some((chroma, depth))
}

/// A.2
fn profile_name(profile: u8) -> &'static str {
    match profile {
        0 => "Main",
        1 => "High",
        2 => "Professional",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    /// Main, level 8, 320 x 180, 10 bits, bt2020.
    fn header() -> Vec<u8> {
        let points = Writer::default().bits(0, 3).bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 1).bits(0, 5).bits(0, 12);
        let size = points.bits(8, 5).bits(0, 1).bits(8, 4).bits(7, 4).bits(319, 9).bits(179, 8).bits(0, 1);
        let tools = size.bits(0, 3).bits(0, 4).bits(1, 1).bits(0, 2).bits(1, 1).bits(1, 1).bits(0, 3).bits(0, 3);
        let colour = tools.bits(1, 1).bits(0, 1).bits(1, 1).bits(9, 8).bits(16, 8).bits(9, 8).bits(0, 1).bits(0, 2);
        let body = colour.bits(1, 8).bytes();
        [&[0x0A, body.len() as u8][..], &body].concat()
    }

    #[test]
    fn a_sequence_header_behind_a_delimiter() {
        let mut stream = Stream::default();
        assert!(units_of(&[&[0x12, 0][..], &header()].concat(), &mut stream));
        assert_eq!((stream.width, stream.height), (320, 180));
        assert_eq!((stream.coding.profile, stream.coding.level), ("Main", Some(8)));
        assert_eq!(stream.coding.pixel_format(false), "yuv420p10le");
        assert_eq!(stream.colour.names(), ["bt2020", "smpte2084", "bt2020nc", "tv"]);
        let mut record_only = Stream::default();
        record(&[0x81, 0x04, 0x0C, 0], &mut record_only);
        assert_eq!((record_only.coding.pixel_format(false), record_only.width), ("yuv420p", 0));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        let unit = header();
        for at in 0..unit.len() {
            units_of(&unit[..at], &mut Stream::default());
            for bit in 0..8 {
                let mut flipped = unit.clone();
                flipped[at] ^= 1 << bit;
                units_of(&flipped, &mut Stream::default());
            }
        }
    }
}
