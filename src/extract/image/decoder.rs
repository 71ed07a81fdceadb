//! Formats whose headers the crate `image` reads: DDS, OpenEXR, farbfeld, Radiance HDR, netpbm, QOI and TGA.

use crate::extract::{Facts, Format, Group, Input, Parsed};
use image::{ImageDecoder, ImageFormat, ImageReader};
use std::io::BufReader;

/// Bytes that a decoder may read for a header.
const HEADER: u64 = 256 << 10;
/// Bytes that a decoder may allocate for a header.
const ALLOCATION: u64 = 16 << 20;

/// Reads the header of the format that the input was opened as.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let Some(format) = format(input.format()) else { return Ok(()) };
    let name = input.format();
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(ALLOCATION);
    let source = BufReader::with_capacity(4096, input.reader_of(HEADER));
    let mut reader = ImageReader::with_format(source, format);
    reader.limits(limits);
    let found = reader.into_decoder().map(|decoder| (decoder.dimensions(), decoder.original_color_type()));
    input.check()?;
    match found {
        Ok(((width, height), color)) => {
            super::size(input, facts, 0, width, height);
            let channels = color.channel_count();
            super::field(input, facts, 0, "ColorComponents", u32::from(channels));
            let bits = u32::from(color.bits_per_pixel()).checked_div(u32::from(channels)).unwrap_or(0);
            facts.add(name, Group::Header, "BitsPerSample", 0, bits);
            super::alpha(input, facts, 0, matches!(channels, 2 | 4));
            Ok(())
        }
        Err(error) => Err(input.malformed_at(0, format!("the header cannot be read: {error}"))),
    }
}

/// The crate's name of a format.
fn format(name: &str) -> Option<ImageFormat> {
    let table = [
        (Format::Dds, ImageFormat::Dds),
        (Format::Exr, ImageFormat::OpenExr),
        (Format::Farbfeld, ImageFormat::Farbfeld),
        (Format::Hdr, ImageFormat::Hdr),
        (Format::Pbm, ImageFormat::Pnm),
        (Format::Pgm, ImageFormat::Pnm),
        (Format::Ppm, ImageFormat::Pnm),
        (Format::Pam, ImageFormat::Pnm),
        (Format::Qoi, ImageFormat::Qoi),
        (Format::Tga, ImageFormat::Tga),
    ];
    table.iter().find(|(format, _)| format.name() == name).map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    #[test]
    fn what_the_crate_encodes_has_the_size_that_was_encoded() {
        let picture = image::RgbaImage::new(32, 24);
        let kinds = [(Format::Qoi, ImageFormat::Qoi), (Format::Tga, ImageFormat::Tga), (Format::Pam, ImageFormat::Pnm)];
        for (format, encoder) in kinds {
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut bytes, encoder).unwrap();
            let data = bytes.into_inner();
            let mut input = Input::new(&data, &Limits::default());
            input.set_format(format.name());
            let mut facts = Facts::new(&Limits::default());
            parse(&mut input, &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(32)), "{format:?}");
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(24)), "{format:?}");
        }
    }

    #[test]
    fn a_cut_header_is_a_warning() {
        let data = b"qoif\0\0".to_vec();
        let mut input = Input::new(&data, &Limits::default());
        input.set_format(Format::Qoi.name());
        assert!(parse(&mut input, &mut Facts::new(&Limits::default())).is_err());
    }
}
