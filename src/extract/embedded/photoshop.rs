//! Photoshop's image resource blocks (Adobe Photoshop file formats specification, "Image Resource Blocks"), as PSD files,
//! JPEG's APP13 and TIFF's tag 34377 carry them.

use super::{exif, icc, iptc, xmp};
use crate::extract::{Facts, Group, Input, Parsed};

/// Reads the resources up to the end of the innermost part.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    super::block(input, facts, "photoshop", |input, facts| {
        while input.remaining() >= 12 {
            resource(input, facts)?;
        }
        Ok(())
    })
}

fn resource(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.entry()?;
    let signature: [u8; 4] = input.array("resource signature")?;
    // The others are of ImageReady, PhotoDeluxe and Lightroom.
    if ![b"8BIM", b"MeSa", b"PHUT", b"DCSR", b"AgHg"].contains(&&signature) {
        return Err(input.malformed(format!("expected the resource signature 8BIM, got {signature:?}")));
    }
    let id = input.u16_be("resource number")?;
    // A Pascal string, padded to an even length with its length byte.
    let name = u64::from(input.u8("name length")?);
    input.skip(name | 1, "name")?;
    let len = u64::from(input.u32_be("resource length")?);
    let start = input.position();
    let end = start.saturating_add(len);
    let found = input.within(start..end, "resource", |input| match id {
        0x0404 => iptc::parse(input, facts),
        0x040F => icc::parse(input, facts),
        0x0422 => exif::parse(input, facts),
        0x0424 => xmp::parse(input, facts),
        0x040A => {
            let marked = input.u8("copyright flag")?;
            facts.add(input.format(), Group::Header, "CopyrightFlag", start, u32::from(marked));
            Ok(())
        }
        _ => Ok(()),
    });
    facts.tolerate(found)?;
    input.seek(end.saturating_add(len & 1).min(input.end()), "next resource")
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the format under test is big-endian")]
pub(in crate::extract) mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    /// One resource without a name.
    pub(in crate::extract) fn resource_of(id: u16, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u32).to_be_bytes();
        let mut bytes = [b"8BIM", &id.to_be_bytes()[..], &[0, 0], &len, body].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    #[test]
    fn resources_behind_odd_names_and_lengths() {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let mut data = b"8BIM\x03\xED\x03abc\0\0\0\x03xyz\0".to_vec();
        data.extend(resource_of(0x0404, b"\x1C\x02\x05\0\x05Title"));
        data.extend(resource_of(0x0422, &tiff));
        data.extend(b"junk of some bytes");
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Iptc, "ObjectName"), Some(&Datum::from("Title")));
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
        assert_eq!(facts.warnings.len(), 1);
    }
}
