//! VP8 and VP9: frame headers (RFC 6386, 9.1; VP9 bitstream 0.6, 6.2) and the record of VP9.

use crate::extract::stream::{Bits, Coding, Stream};

/// A key frame of VP8: three bytes of tag, a start code, the size in 14 bits each.
pub fn vp8(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let &[tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = bytes else { return None };
    if tag & 1 != 0 {
        return None;
    }
    let size = (u16::from_le_bytes([w0, w1]) & 0x3FFF, u16::from_le_bytes([h0, h1]) & 0x3FFF);
    (stream.width, stream.height) = (size.0.into(), size.1.into());
    // The version chooses the filters (RFC 6386, 9.1); ffprobe calls it the profile.
    let profile = *["0", "1", "2", "3"].get(usize::from((tag >> 1) & 7))?;
    stream.coding = Coding { profile, chroma: Some(1), depth: 8, ..Coding::default() };
    stream.colour.full = stream.colour.full.or(Some(false));
    Some(())
}

/// A key frame of VP9.
pub fn vp9(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let mut bits = Bits::new(bytes);
    let marker = bits.take(2)?;
    let profile = bits.byte(1)? | (bits.byte(1)? << 1);
    if profile == 3 {
        bits.skip(1);
    }
    let (shown, kind) = (bits.flag()?, bits.flag()?);
    // A frame shown again and one between key frames say nothing.
    if marker != 2 || shown || kind {
        return None;
    }
    bits.skip(2);
    if bits.take(24)? != 0x49_83_42 {
        return None;
    }
    let mut read = stream.clone();
    let (chroma, depth) = colour(&mut bits, profile, &mut read)?;
    (read.width, read.height) = (bits.take(16)?.checked_add(1)?, bits.take(16)?.checked_add(1)?);
    read.coding = Coding { profile: profile_name(profile), level: None, chroma: Some(chroma), depth };
    *stream = read;
    Some(())
}

/// 6.2.2
fn colour(bits: &mut Bits<'_>, profile: u8, stream: &mut Stream) -> Option<(u8, u8)> {
    let depth = if profile < 2 {
        8
    } else if bits.flag()? {
        12
    } else {
        10
    };
    let space = bits.take(3)?;
    if space == 7 {
        // RGB exists in the odd profiles only, where it is 4:4:4.
        stream.colour.full = Some(true);
        stream.colour.matrix = Some(0);
        bits.skip(if profile & 1 == 1 { 1 } else { 0 });
        return (profile & 1 == 1).then_some((3, depth));
    }
    stream.colour.full = Some(bits.flag()?);
    // 7.2.2; 0 says nothing.
    stream.colour.matrix = match space {
        1 => Some(5),
        2 => Some(1),
        3 => Some(6),
        4 => Some(7),
        5 => Some(9),
        _ => stream.colour.matrix,
    };
    if profile & 1 == 0 {
        return Some((1, depth));
    }
    let chroma = match (bits.flag()?, bits.flag()?) {
        (true, true) => 1,
        (true, false) => 2,
        _ => 3,
    };
    bits.skip(1);
    Some((chroma, depth))
}

/// The box `vpcC` (VP Codec ISO Media File Format Binding 1.0), behind version and flags.
pub fn record(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let &[profile, _level, packed, primaries, transfer, matrix, ..] = bytes else { return None };
    let chroma = match (packed >> 1) & 7 {
        0 | 1 => 1,
        2 => 2,
        _ => 3,
    };
    stream.coding = Coding { profile: profile_name(profile), level: None, chroma: Some(chroma), depth: packed >> 4 };
    stream.colour.primaries = primaries.into();
    stream.colour.transfer = transfer.into();
    stream.colour.matrix = Some(matrix.into());
    stream.colour.full = Some(packed & 1 == 1);
    Some(())
}

fn profile_name(profile: u8) -> &'static str {
    match profile {
        0 => "Profile 0",
        1 => "Profile 1",
        2 => "Profile 2",
        3 => "Profile 3",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    #[test]
    fn key_frames_of_both() {
        let mut stream = Stream::default();
        assert!(vp8(&[0x10, 2, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xB4, 0x40], &mut stream).is_some());
        assert_eq!((stream.width, stream.height), (320, 180));
        assert!(vp8(&[0x11, 2, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xB4, 0], &mut stream).is_none());
        // Profile 2, ten bits, bt709.
        let head = Writer::default().bits(2, 2).bits(0, 1).bits(1, 1).bits(0, 2).bits(0, 2).bits(0x49_8342, 24);
        let frame = head.bits(0, 1).bits(2, 3).bits(0, 1).bits(639, 16).bits(359, 16).bytes();
        let mut stream = Stream::default();
        assert!(vp9(&frame, &mut stream).is_some());
        assert_eq!((stream.width, stream.height, stream.coding.profile), (640, 360, "Profile 2"));
        assert_eq!(stream.coding.pixel_format(false), "yuv420p10le");
        assert_eq!(stream.colour.names(), ["", "", "bt709", "tv"]);
        for at in 0..frame.len() {
            assert!(vp9(&frame[..at], &mut Stream::default()).is_none());
        }
    }

    #[test]
    fn a_record_of_vp9() {
        let mut stream = Stream::default();
        record(&[0, 31, 0x82, 1, 1, 1, 0, 0], &mut stream).unwrap();
        assert_eq!((stream.coding.profile, stream.coding.pixel_format(false)), ("Profile 0", "yuv420p"));
    }
}
