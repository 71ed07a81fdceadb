//! ICO and CUR: the size of the largest image in the directory (`ICONDIR`).

use crate::extract::{Facts, Input, Parsed};

/// Reads the directory.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "header")?;
    let count = input.u16_le("number of images")?;
    let at = input.position();
    let mut largest = (0_u32, 0_u32);
    let mut depth = 0_u16;
    for _ in 0..count {
        input.entry()?;
        if input.remaining() < 16 {
            break;
        }
        let [width, height] = input.array("size")?;
        // A byte holds up to 255: 0 stands for 256.
        let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
        let this = (side(width), side(height));
        input.skip(4, "colours and planes")?;
        let bits = input.u16_le("bits per pixel")?;
        let area = |size: (u32, u32)| size.0.saturating_mul(size.1);
        if (area(this), bits) > (area(largest), depth) {
            (largest, depth) = (this, bits);
        }
        input.skip(8, "length and place")?;
    }
    super::size(input, facts, at, largest.0, largest.1);
    super::field(input, facts, at, "FrameCount", u32::from(count));
    // Cursors have the hot spot's place where icons have their bits.
    if input.format() == "ico" {
        super::field(input, facts, at, "BitsPerPixel", u32::from(depth));
    }
    super::alpha(input, facts, at, true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn largest_entry_wins_and_zero_is_256() {
        let mut data = b"\0\0\x01\0\x03\0".to_vec();
        for side in [16_u8, 0, 48] {
            data.extend([side, side]);
            data.extend([0; 14]);
        }
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(256)));
    }
}
