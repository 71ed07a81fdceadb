//! PSD and PSB (Adobe Photoshop file formats specification): the header, and EXIF among the image resources.

use super::exif;
use crate::extract::{Facts, Input, Parsed};

/// Image resource that holds EXIF ("EXIF data 1").
const EXIF: u16 = 0x0422;

/// Reads the header and the image resources.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "signature")?;
    let at = input.position();
    let channels = input.u16_be("channels")?;
    let (height, width) = (input.u32_be("height")?, input.u32_be("width")?);
    super::size(input, facts, at, width, height);
    let bits = input.u16_be("depth")?;
    super::field(input, facts, at, "BitsPerSample", u32::from(bits));
    super::field(input, facts, at, "ColorComponents", u32::from(channels));
    input.skip(2, "colour mode")?;
    let palette = u64::from(input.u32_be("colour mode data length")?);
    input.skip(palette, "colour mode data")?;
    let len = u64::from(input.u32_be("image resources length")?);
    let start = input.position();
    input.within(start..start.saturating_add(len), "image resources", |input| resources(input, facts))
}

fn resources(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    while input.remaining() >= 12 {
        input.entry()?;
        let signature: [u8; 4] = input.array("resource signature")?;
        if signature != *b"8BIM" && signature != *b"MeSa" {
            return Err(input.malformed(format!("expected the resource signature 8BIM, got {signature:?}")));
        }
        let id = input.u16_be("resource number")?;
        // A Pascal string, padded to an even length with its length byte.
        let name = u64::from(input.u8("name length")?);
        input.skip(name | 1, "name")?;
        let len = u64::from(input.u32_be("resource length")?);
        let start = input.position();
        let end = start.saturating_add(len);
        if id == EXIF {
            return input.within(start..end, "EXIF", |input| exif::parse(input, facts));
        }
        input.seek(end.saturating_add(len & 1), "next resource")?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn header_and_exif_resource() {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let mut resources = b"8BIM\x03\xED\x03abc\0\0\0\x03xyz\0".to_vec();
        resources.extend(b"8BIM\x04\x22\0\0");
        resources.extend((tiff.len() as u32).to_be_bytes());
        resources.extend(&tiff);
        let mut data = b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\xF0\0\0\x01\x40\0\x08\0\x03\0\0\0\x02pp".to_vec();
        data.extend((resources.len() as u32).to_be_bytes());
        data.extend(resources);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
    }
}
