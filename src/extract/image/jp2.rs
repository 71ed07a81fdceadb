//! JPEG 2000: boxed files (ITU-T T.800, annex I) and bare codestreams (annex A).

use crate::extract::container::bmff;
use crate::extract::embedded::{exif, icc, iptc, xmp};
use crate::extract::{Facts, Format, Input, Parsed};

/// The `uuid` box that holds EXIF in JP2 files; its letters spell what it is.
const EXIF_UUID: [u8; 16] = *b"JpgTiffExif->JP2";
/// The one that holds IPTC (as Adobe and ExifTool write it).
const IPTC_UUID: [u8; 16] =
    [0x33, 0xC7, 0xA4, 0xD2, 0xB8, 0x1D, 0x47, 0x23, 0xA0, 0xBA, 0xF1, 0xA3, 0xE0, 0x97, 0xAD, 0x38];

/// Reads the boxes up to the codestream.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bmff::each(input, |input, head| {
        let result = match &head.kind {
            b"ftyp" => brand(input, facts),
            b"jp2h" => bmff::each(input, |input, head| match &head.kind {
                b"ihdr" => header(input, facts),
                b"bpcc" => depths(input, facts),
                b"colr" => colors(input, facts),
                b"cdef" => channels(input, facts),
                _ => Ok(()),
            }),
            b"xml " => xmp::parse(input, facts),
            b"uuid" => match input.array::<16>("UUID")? {
                EXIF_UUID => exif::parse(input, facts),
                IPTC_UUID => iptc::parse(input, facts),
                xmp::UUID => xmp::parse(input, facts),
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        facts.tolerate(result).map(drop)
    })
}

/// Bits per component box (I.5.3.2): one byte for each; the first tells.
fn depths(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let depth = input.u8("bits per component")?;
    super::field(input, facts, at, "BitsPerSample", u32::from(depth & 0x7F).saturating_add(1));
    Ok(())
}

/// Colour specification box (I.5.3.3): a number, or a profile.
fn colors(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let [method, _, _] = input.array("method, precedence, approximation")?;
    match method {
        1 => match input.u32_be("colour space")? {
            16 => super::color_space(input, facts, at, "RGB"),
            17 => super::color_space(input, facts, at, "Grayscale"),
            18 => super::color_space(input, facts, at, "YCbCr"),
            12 => super::color_space(input, facts, at, "CMYK"),
            _ => {}
        },
        2 | 3 => icc::parse(input, facts)?,
        _ => {}
    }
    Ok(())
}

/// Channel definition box (I.5.3.6): channels, each with its number, its type and what it belongs to. Types 1 and 2 are
/// opacity.
fn channels(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let count = input.u16_be("number of channels")?;
    let mut alpha = false;
    for _ in 0..count {
        input.entry()?;
        input.skip(2, "channel")?;
        alpha |= matches!(input.u16_be("channel type")?, 1 | 2);
        input.skip(2, "association")?;
    }
    super::alpha(input, facts, at, alpha);
    Ok(())
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
    input.skip(16, "tiles")?;
    let components = input.u16_be("components")?;
    super::field(input, facts, at, "ColorComponents", u32::from(components));
    let depth = input.u8("bits per component")?;
    super::field(input, facts, at, "BitsPerSample", u32::from(depth & 0x7F).saturating_add(1));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn boxes_and_codestream() {
        let boxes = b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x3Djp2h\0\0\0\x16ihdr\0\0\0\xF0\0\0\x01\x40\0\x03\x07\x07\0\0\
              \0\0\0\x0Fcolr\x01\0\0\0\0\0\x12\0\0\0\x10cdef\0\x01\0\x03\0\x01\0\0\
              \0\0\0\x27xml <rdf:Description dc:title='x'/>"
            .to_vec();
        let stream = b"\xFF\x4F\xFF\x51\0\x2F\0\0\0\0\x01\x50\0\0\x01\0\0\0\0\x10\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\x0B".to_vec();
        type Parse = fn(&mut Input<'_>, &mut Facts) -> Parsed<()>;
        let readers: [(Vec<u8>, Parse); 2] = [(boxes, parse), (stream, codestream)];
        let mut found = Vec::new();
        for (data, read) in readers {
            let mut facts = Facts::new(&Limits::default());
            read(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
            assert_eq!(facts.find(Group::Header, "ColorComponents"), Some(&Datum::Int(3)));
            assert_eq!(facts.warnings, []);
            found.push(facts);
        }
        assert_eq!(found[0].find(Group::Header, "ColorSpace"), Some(&Datum::from("YCbCr")));
        assert_eq!(found[0].find(Group::Header, "HasAlpha"), Some(&Datum::Int(1)));
        assert_eq!(found[0].find(Group::Xmp, "dc:title"), Some(&Datum::from("x")));
        assert_eq!(found[1].find(Group::Header, "BitsPerSample"), Some(&Datum::Int(12)));
    }
}
