//! BPG (Better Portable Graphics specification 0.9.8, section 3): the header and its extensions.

use crate::extract::embedded::{exif, icc, xmp};
use crate::extract::{Facts, Input, Parsed};

/// Reads the header.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "signature")?;
    let at = input.position();
    let [first, second] = input.array("formats")?;
    let (width, height) = (number(input)?, number(input)?);
    super::size(input, facts, at, width, height);
    // pixel_format, alpha1_flag, bit_depth_minus_8; then color_space, extension_present_flag, alpha2_flag.
    super::field(input, facts, at, "BitsPerSample", u32::from(first & 0xF).saturating_add(8));
    super::alpha(input, facts, at, first & 0x10 != 0 || second & 0x04 != 0);
    match (first >> 5, second >> 4) {
        (0, _) => super::color_space(input, facts, at, "Grayscale"),
        (_, 1) => super::color_space(input, facts, at, "RGB"),
        _ => super::color_space(input, facts, at, "YCbCr"),
    }
    number(input)?;
    if second & 0x08 == 0 {
        return Ok(());
    }
    let len = u64::from(number(input)?);
    let start = input.position();
    input.within(start..start.saturating_add(len), "extensions", |input| extensions(input, facts))
}

/// Tag and length of each extension, then its bytes.
fn extensions(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    while !input.at_end() {
        input.entry()?;
        let (tag, len) = (number(input)?, u64::from(number(input)?));
        let start = input.position();
        input.within(start..start.saturating_add(len), "extension", |input| match tag {
            // Some writers leave a byte before the TIFF header.
            1 if input.peek_array::<1>("EXIF")? == [0] => {
                input.skip(1, "EXIF")?;
                exif::parse(input, facts)
            }
            1 => exif::parse(input, facts),
            2 => icc::parse(input, facts),
            3 => xmp::parse(input, facts),
            _ => Ok(()),
        })?;
    }
    Ok(())
}

/// `ue7(32)`: seven bits a byte, most significant first, the top bit says that more follow.
fn number(input: &mut Input<'_>) -> Parsed<u32> {
    let mut value = 0_u32;
    for _ in 0..5 {
        let byte = input.u8("number")?;
        value = (value << 7) | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(input.malformed("expected a number of at most five bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn header_and_extensions() {
        let packet = b"<rdf:Description dc:title='x'/>";
        let extension = [&[3, packet.len() as u8][..], packet].concat();
        let data = [&b"BPG\xFB\x52\x08\x82\x40\x81\x70\x00"[..], &[extension.len() as u8], &extension].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        let of = |group, tag| facts.find(group, tag).cloned();
        assert_eq!(of(Group::Header, "ImageWidth"), Some(Datum::Int(320)));
        assert_eq!(of(Group::Header, "ImageHeight"), Some(Datum::Int(240)));
        assert_eq!(of(Group::Header, "BitsPerSample"), Some(Datum::Int(10)));
        assert_eq!(of(Group::Header, "HasAlpha"), Some(Datum::Int(1)));
        assert_eq!(of(Group::Xmp, "dc:title"), Some(Datum::from("x")));
        let endless = b"BPG\xFB\0\0\xFF\xFF\xFF\xFF\xFF\xFF".to_vec();
        assert!(parse(&mut Input::new(&endless, &Limits::default()), &mut facts).is_err());
    }
}
