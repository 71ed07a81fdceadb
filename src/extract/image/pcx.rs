//! PCX (ZSoft PCX technical reference manual): the window of the image, both corners included.

use crate::extract::{Facts, Input, Parsed};

/// Reads the header.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(3, "manufacturer, version, encoding")?;
    let bits = input.u8("bits per pixel")?;
    let at = input.position();
    let (left, top) = (input.u16_le("left")?, input.u16_le("top")?);
    let (right, bottom) = (input.u16_le("right")?, input.u16_le("bottom")?);
    let side = |from: u16, to: u16| u32::from(to).saturating_add(1).saturating_sub(u32::from(from));
    super::size(input, facts, at, side(left, right), side(top, bottom));
    super::field(input, facts, at, "BitsPerSample", u32::from(bits));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn both_corners_are_inside() {
        let data = b"\x0A\x05\x01\x08\x0A\0\x14\0\x49\x01\x03\x01".to_vec();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
    }
}
