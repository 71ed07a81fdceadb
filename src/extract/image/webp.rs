//! WebP (RFC 9649): lossy, lossless and extended files.

use super::exif;
use crate::extract::container::riff::{self, Lengths};
use crate::extract::{Facts, Input, Parsed};

/// Flags of the VP8X chunk (section 2.7.1).
const EXIF: u8 = 0x08;
/// The same.
const ANIMATION: u8 = 0x02;

/// Reads the chunks that carry sizes and EXIF.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "RIFF header")?;
    let mut extended: Option<u8> = None;
    while let Some(chunk) = riff::next(input, Lengths::Little)? {
        let first = extended.is_none();
        let body = chunk.body.clone();
        let result = input.within(body, "chunk", |input| match &chunk.kind {
            b"VP8X" => {
                extended = Some(canvas(input, facts)?);
                Ok(())
            }
            b"VP8 " if first => lossy(input, facts),
            b"VP8L" if first => lossless(input, facts),
            b"EXIF" => exif_chunk(input, facts),
            _ => Ok(()),
        });
        facts.tolerate(result)?;
        // EXIF comes last and only in extended files that announce it (section 2.7).
        if extended.is_none_or(|flags| flags & EXIF == 0) {
            break;
        }
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

/// Section 2.7.1: flags, reserved bytes, width and height less one.
fn canvas(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<u8> {
    let at = input.position();
    let flags = input.u8("flags")?;
    input.skip(3, "reserved")?;
    let (width, height) = (input.u24_le("width")?, input.u24_le("height")?);
    super::size(input, facts, at, width.saturating_add(1), height.saturating_add(1));
    if flags & ANIMATION != 0 {
        super::field(input, facts, at, "Animated", 1);
    }
    Ok(flags)
}

/// RFC 6386, section 9.1: the frame tag, the start code and two 14-bit sizes with a scale in the upper bits.
fn lossy(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    input.skip(3, "frame tag")?;
    let start: [u8; 3] = input.array("start code")?;
    if start != [0x9D, 0x01, 0x2A] {
        return Err(input.malformed_at(at, format!("expected the VP8 start code 9d012a, got {start:02x?}")));
    }
    let (width, height) = (input.u16_le("width")?, input.u16_le("height")?);
    super::size(input, facts, at, u32::from(width & 0x3FFF), u32::from(height & 0x3FFF));
    Ok(())
}

/// Section 3.4: signature 0x2F, then width and height less one in 14 bits each.
fn lossless(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let signature = input.u8("signature")?;
    if signature != 0x2F {
        return Err(input.malformed_at(at, format!("expected the VP8L signature 2f, got {signature:02x}")));
    }
    let bits = input.u32_le("size")?;
    let (width, height) = (bits & 0x3FFF, (bits >> 14) & 0x3FFF);
    super::size(input, facts, at, width.saturating_add(1), height.saturating_add(1));
    Ok(())
}

fn exif_chunk(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    // Some writers keep the identifier of JPEG's APP1.
    if input.peek_array::<6>("EXIF")? == *b"Exif\0\0" {
        input.skip(6, "EXIF identifier")?;
    }
    exif::parse(input, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    fn read(chunks: &[u8]) -> Facts {
        let data = [b"RIFF\0\0\0\0WEBP", chunks].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    fn sized(facts: &Facts, width: i64, height: i64) {
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(width)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(height)));
    }

    #[test]
    fn three_kinds_of_files() {
        sized(&read(b"VP8 \x0A\0\0\0\0\0\0\x9D\x01\x2A\x40\x41\xF0\0"), 320, 240);
        sized(&read(b"VP8L\x05\0\0\0\x2F\x3F\xC1\x3B\0\0"), 320, 240);
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let mut file = b"VP8X\x0A\0\0\0\x08\0\0\0\x3F\x01\0\xEF\0\0VP8L\x01\0\0\0\x2F\0EXIF".to_vec();
        file.extend((tiff.len() as u32).to_le_bytes());
        file.extend(tiff);
        let facts = read(&file);
        sized(&facts, 320, 240);
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
    }
}
