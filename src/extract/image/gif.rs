//! GIF87a and GIF89a (GIF89a specification, section 18): the logical screen.

use crate::extract::{Facts, Input, Parsed};

/// Reads the logical screen descriptor.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(6, "signature")?;
    let at = input.position();
    let (width, height) = (input.u16_le("width")?, input.u16_le("height")?);
    super::size(input, facts, at, u32::from(width), u32::from(height));
    let packed = input.u8("flags")?;
    super::field(input, facts, at, "BitsPerSample", u32::from((packed >> 4) & 7).saturating_add(1));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn logical_screen() {
        let data = b"GIF89a\x0A\0\x14\x01\x91\0\0".to_vec();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(10)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(276)));
        assert_eq!(facts.find(Group::Header, "BitsPerSample"), Some(&Datum::Int(2)));
    }
}
