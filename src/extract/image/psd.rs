//! PSD and PSB (Adobe Photoshop file formats specification): the header, and the blocks among the image resources.

use crate::extract::embedded::photoshop;
use crate::extract::{Facts, Input, Parsed};

/// Colour modes and the channels that each has without alpha ("File Header Section").
static MODES: &[(u16, &str, u16)] = &[
    (0, "Bitmap", 1),
    (1, "Grayscale", 1),
    (2, "Palette", 1),
    (3, "RGB", 3),
    (4, "CMYK", 4),
    (7, "Multichannel", u16::MAX),
    (8, "Duotone", 1),
    (9, "Lab", 3),
];

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
    let mode = input.u16_be("colour mode")?;
    if let Some((_, name, colors)) = MODES.iter().find(|(number, ..)| *number == mode) {
        super::color_space(input, facts, at, name);
        super::alpha(input, facts, at, channels > *colors);
    }
    let palette = u64::from(input.u32_be("colour mode data length")?);
    input.skip(palette, "colour mode data")?;
    let len = u64::from(input.u32_be("image resources length")?);
    let start = input.position();
    input.within(start..start.saturating_add(len), "image resources", |input| photoshop::parse(input, facts))
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::embedded::exif;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn header_and_exif_resource() {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let resources = photoshop::tests::resource_of(0x0422, &tiff);
        let mut data = b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\xF0\0\0\x01\x40\0\x08\0\x03\0\0\0\x02pp".to_vec();
        data.extend((resources.len() as u32).to_be_bytes());
        data.extend(resources);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
    }
}
