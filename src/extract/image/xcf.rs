//! XCF, GIMP's own format (devel-docs/xcf.txt of GIMP 2.10): the header, and the blocks among the image's parasites.

use crate::extract::embedded::{decode, exif, icc, xmp};
use crate::extract::{Facts, Group, Input, Parsed};

/// The property that ends a list, and the one that holds parasites (section 3 of the document).
const END: u32 = 0;
const PARASITES: u32 = 21;
/// Bytes of a parasite's name.
const NAME: u64 = 256;

/// Reads the header and the image's properties.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(9, "signature")?;
    let version: [u8; 5] = input.array("version")?;
    let at = input.position();
    let (width, height) = (input.u32_be("width")?, input.u32_be("height")?);
    super::size(input, facts, at, width, height);
    match input.u32_be("base type")? {
        0 => super::color_space(input, facts, at, "RGB"),
        1 => super::color_space(input, facts, at, "Grayscale"),
        2 => super::color_space(input, facts, at, "Palette"),
        _ => {}
    }
    // "v004\0" and later say how pixels are stored; before, they have eight bits.
    let bits = if version.starts_with(b"v") && version > *b"v003\0" { precision(input)? } else { Some(8) };
    bits.into_iter().for_each(|bits| super::field(input, facts, at, "BitsPerSample", bits));
    loop {
        input.entry()?;
        let (kind, len) = (input.u32_be("property")?, u64::from(input.u32_be("property length")?));
        let start = input.position();
        match kind {
            END => return Ok(()),
            PARASITES => {
                input.within(start..start.saturating_add(len), "parasites", |input| parasites(input, facts))?
            }
            _ => input.skip(len, "property")?,
        }
    }
}

/// Bits of a channel by the precision's number: those of version 4 to 6, and since version 7.
fn precision(input: &mut Input<'_>) -> Parsed<Option<u32>> {
    Ok(match input.u32_be("precision")? {
        0 | 100..=175 => Some(8),
        1 | 3 | 200..=275 | 500..=575 => Some(16),
        2 | 4 | 300..=375 | 600..=675 => Some(32),
        700..=775 => Some(64),
        _ => None,
    })
}

/// Name, flags, length and bytes of each.
fn parasites(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    while input.remaining() > 12 {
        input.entry()?;
        let len = u64::from(input.u32_be("name length")?);
        let name = input.take(len.min(NAME), "name")?;
        input.skip(len.saturating_sub(NAME), "name")?;
        input.skip(4, "flags")?;
        let len = u64::from(input.u32_be("parasite length")?);
        let start = input.position();
        input.within(start..start.saturating_add(len), "parasite", |input| match name.as_slice() {
            b"exif-data\0" => exif::identified(input, facts),
            b"gimp-metadata\0" => {
                // The word "GIMP_XMP_1" stands before the packet.
                let head = input.peek_up_to(16)?.iter().position(|byte| *byte == b'<');
                input.skip(head.map_or(0, crate::extract::length), "mark")?;
                xmp::parse(input, facts)
            }
            b"icc-profile\0" => icc::parse(input, facts),
            b"gimp-comment\0" => {
                let text = input.take_up_to(super::NOTE)?;
                facts.add(input.format(), Group::Header, "Comment", start, decode(&text));
                Ok(())
            }
            _ => Ok(()),
        })?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the format under test is big-endian")]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    #[test]
    fn header_and_parasites() {
        let parasite = |name: &[u8], body: &[u8]| {
            let (name_len, len) = ((name.len() as u32).to_be_bytes(), (body.len() as u32).to_be_bytes());
            [&name_len[..], name, &[0; 4], &len, body].concat()
        };
        let list = [
            parasite(b"gimp-comment\0", b"made by hand\0"),
            parasite(b"gimp-metadata\0", b"GIMP_XMP_1<rdf:Description dc:title='x'/>"),
        ]
        .concat();
        let mut data = b"gimp xcf v011\0\0\0\x01\x40\0\0\0\xF0\0\0\0\x01\0\0\0\xC8".to_vec();
        data.extend(b"\0\0\0\x11\0\0\0\x01\0\0\0\0\x15");
        data.extend((list.len() as u32).to_be_bytes());
        data.extend(list);
        data.extend([0; 8]);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        let of = |group, tag| facts.find(group, tag).cloned();
        assert_eq!(of(Group::Header, "ImageWidth"), Some(Datum::Int(320)));
        assert_eq!(of(Group::Header, "BitsPerSample"), Some(Datum::Int(16)));
        assert_eq!(of(Group::Header, "ColorSpace"), Some(Datum::from("Grayscale")));
        assert_eq!(of(Group::Header, "Comment"), Some(Datum::from("made by hand")));
        assert_eq!(of(Group::Xmp, "dc:title"), Some(Datum::from("x")));
        assert_eq!(facts.warnings, []);
    }
}
