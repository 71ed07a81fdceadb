//! JPEG 2000: boxed files (ITU-T T.800, annex I) and bare codestreams (annex A).

use super::exif;
use crate::extract::container::bmff;
use crate::extract::{Facts, Format, Input, Parsed};

/// The `uuid` box that holds EXIF in JP2 files; its letters spell what it is.
const EXIF_UUID: [u8; 16] = *b"JpgTiffExif->JP2";

/// Reads the boxes up to the codestream.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bmff::each(input, |input, head| {
        let result = match &head.kind {
            b"ftyp" => brand(input, facts),
            b"jp2h" => bmff::each(input, |input, head| match &head.kind {
                b"ihdr" => header(input, facts),
                _ => Ok(()),
            }),
            b"uuid" if input.array::<16>("UUID")? == EXIF_UUID => exif::parse(input, facts),
            _ => Ok(()),
        };
        facts.tolerate(result).map(drop)
    })
}

fn brand(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.array("brand")? == *b"jpx " {
        facts.refine(Format::Jpx);
    }
    Ok(())
}

/// Image header box (I.5.3.1).
fn header(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let (height, width) = (input.u32_be("height")?, input.u32_be("width")?);
    super::size(input, facts, at, width, height);
    let components = input.u16_be("components")?;
    super::field(input, facts, at, "ColorComponents", u32::from(components));
    let depth = input.u8("bits per component")?;
    // 255 says that the components differ.
    if depth != 255 {
        super::field(input, facts, at, "BitsPerSample", u32::from(depth & 0x7F).saturating_add(1));
    }
    Ok(())
}

/// Reads the SIZ marker segment of a bare codestream (A.5.1): the image area is what the offsets leave of the grid.
pub fn codestream(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(8, "SOC, SIZ, length and capabilities")?;
    let at = input.position();
    let (right, bottom) = (input.u32_be("width")?, input.u32_be("height")?);
    let (left, top) = (input.u32_be("left")?, input.u32_be("top")?);
    super::size(input, facts, at, right.saturating_sub(left), bottom.saturating_sub(top));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn boxes_and_codestream() {
        let boxes =
            b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x1Ejp2h\0\0\0\x16ihdr\0\0\0\xF0\0\0\x01\x40\0\x03\x07\x07\0\0".to_vec();
        let stream = b"\xFF\x4F\xFF\x51\0\x2F\0\0\0\0\x01\x50\0\0\x01\0\0\0\0\x10\0\0\0\x10".to_vec();
        type Parse = fn(&mut Input<'_>, &mut Facts) -> Parsed<()>;
        let readers: [(Vec<u8>, Parse); 2] = [(boxes, parse), (stream, codestream)];
        for (data, read) in readers {
            let mut facts = Facts::new(&Limits::default());
            read(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
        }
    }
}
