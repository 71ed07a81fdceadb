//! The minimized image box: size, orientation, depth, colours of a single picture, bit by bit (ISO/IEC 23008-12:2025,
//! "MinimizedImageBox").

use crate::extract::image;
use crate::extract::stream::Bits;
use crate::extract::{Facts, Group, Input, Parsed};

/// Bytes of the box that hold what is read.
const HEAD: u64 = 32;

/// Reads the start of the box.
pub(super) fn read(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.peek_up_to(HEAD)?.to_vec();
    match Mini::of(&bytes) {
        Some(mini) => {
            image::size(input, facts, at, mini.width, mini.height);
            image::alpha(input, facts, at, mini.alpha);
            facts.add(input.format(), Group::Header, "Orientation", at, i64::from(mini.orientation));
            image::field(input, facts, at, "BitsPerSample", mini.depth);
            image::field(input, facts, at, "ColorComponents", if mini.chroma == 0 { 1 } else { 3 });
            Ok(())
        }
        None => Err(input.malformed_at(at, "expected a minimized image of version 0")),
    }
}

/// What the first fields say.
#[derive(Debug, PartialEq, Eq)]
struct Mini {
    width: u32,
    height: u32,
    /// As EXIF writes it.
    orientation: u32,
    alpha: bool,
    /// 0 where there are no colours.
    chroma: u32,
    depth: u32,
}

impl Mini {
    fn of(bytes: &[u8]) -> Option<Mini> {
        let mut bits = Bits::new(bytes);
        if bits.take(2)? != 0 {
            return None;
        }
        let (_explicit_codec, float, _full_range) = (bits.flag()?, bits.flag()?, bits.flag()?);
        let alpha = bits.flag()?;
        let (_explicit_points, _hdr, _icc, _exif, _xmp) =
            (bits.flag()?, bits.flag()?, bits.flag()?, bits.flag()?, bits.flag()?);
        let chroma = bits.take(2)?;
        let orientation = bits.take(3)?.saturating_add(1);
        let side = if bits.flag()? { 15 } else { 7 };
        let (width, height) = (bits.take(side)?.saturating_add(1), bits.take(side)?.saturating_add(1));
        // Where chroma samples lie, of layouts that leave it open.
        bits.skip(match chroma {
            1 => 2,
            2 => 1,
            _ => 0,
        });
        let depth = if float {
            16_u32.checked_shl(bits.take(2)?)?
        } else if bits.flag()? {
            bits.take(3)?.saturating_add(9)
        } else {
            8
        };
        Some(Mini { width, height, orientation, alpha, chroma, depth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_small_and_large() {
        let large = Mini::of(b"\x08\x08\x80\xFF\x01\xFE\x20").unwrap();
        assert_eq!((large.width, large.height, large.orientation, large.depth), (256, 256, 1, 8));
        // Alpha, no colours, orientation 6, 64 by 2, 10 bits: 00 000100 00000 101 0 0111111 0000001 1 001.
        let small = Mini::of(&[0b0000_0100, 0b0000_0101, 0b0011_1111, 0b0000_0011, 0b0010_0000]).unwrap();
        assert_eq!(small, Mini { width: 64, height: 2, orientation: 6, alpha: true, chroma: 0, depth: 10 });
        assert_eq!(Mini::of(b"\xC8\x08\x80\xFF\x01\xFE\x20"), None);
        (0..5).for_each(|len| assert_eq!(Mini::of(&b"\x08\x08\x80\xFF\x01"[..len]), None));
    }
}
