//! FLIF (FLIF 0.3 specification, part 1): the main header, and the packed blocks of metadata behind it.

use crate::extract::embedded::{exif, icc, xmp};
use crate::extract::{Facts, Input, Parsed};
use flate2::read::DeflateDecoder;
use std::io::Read;

/// Bytes of a block, packed and unpacked.
const BLOCK: u64 = 1 << 20;
/// Identifier of XMP in JPEG, which writers keep.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Reads the main header and the blocks.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "signature")?;
    let at = input.position();
    let [kind, depth] = input.array("format and depth")?;
    let side = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    let (width, height) = (side(input.sevens(9, "number")?), side(input.sevens(9, "number")?));
    super::size(input, facts, at, width, height);
    let channels = u32::from(kind & 15);
    super::field(input, facts, at, "ColorComponents", channels);
    super::alpha(input, facts, at, channels == 4);
    super::color_space(input, facts, at, if channels == 1 { "Grayscale" } else { "RGB" });
    match depth {
        b'1' => super::field(input, facts, at, "BitsPerSample", 8),
        b'2' => super::field(input, facts, at, "BitsPerSample", 16),
        _ => {}
    }
    // Formats 5 and 6 are moving pictures: two frames at least.
    if matches!(kind >> 4, 5 | 6) {
        let frames = u32::try_from(input.sevens(9, "number")?).unwrap_or(u32::MAX).saturating_add(2);
        super::field(input, facts, at, "FrameCount", frames);
    }
    blocks(input, facts)
}

/// Names of four letters, each with its length and packed bytes, up to a name that begins with a zero.
fn blocks(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    while input.remaining() > 5 && input.peek_array::<1>("block")? >= [b' '] {
        input.entry()?;
        let name: [u8; 4] = input.array("name of a block")?;
        let len = input.sevens(9, "number")?;
        let start = input.position();
        let read = input.within(start..start.saturating_add(len), "block", |input| block(input, facts, name));
        facts.tolerate(read)?;
    }
    Ok(())
}

fn block(input: &mut Input<'_>, facts: &mut Facts, name: [u8; 4]) -> Parsed<()> {
    if !matches!(&name, b"eXif" | b"eXmp" | b"iCCP") {
        return Ok(());
    }
    let at = input.position();
    let packed = input.take_up_to(BLOCK)?;
    let mut bytes = Vec::new();
    let unpacked = DeflateDecoder::new(packed.as_slice()).take(BLOCK).read_to_end(&mut bytes);
    if let (Err(error), true) = (unpacked, bytes.is_empty()) {
        return Err(input.malformed_at(at, format!("expected a packed block, but {error}")));
    }
    let mark = facts.mark();
    let read = match &name {
        b"eXmp" => xmp::packet(input, facts, at, bytes.strip_prefix(XMP).unwrap_or(&bytes)),
        b"eXif" => exif::identified(&mut input.unpacked(&bytes), facts),
        _ => icc::profile(input, facts, at, &bytes),
    };
    facts.found_in(mark, at);
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Datum, Group};
    use flate2::write::DeflateEncoder;
    use std::io::Write;

    fn packed(name: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        let body = encoder.finish().unwrap();
        let len = [0x80 | (body.len() >> 7) as u8, (body.len() & 0x7F) as u8];
        [&name[..], &len, &body].concat()
    }

    #[test]
    fn the_header_and_what_is_packed_behind_it() {
        let tiff = exif::tests::block_of([&[(0x13B, 2, 4, b"Phi\0".to_vec())], &[], &[]]);
        let packet = b"<rdf:RDF><rdf:Description dc:title='night'/></rdf:RDF>";
        let data = [
            &b"FLIF\x541\x82\x3F\x81\x6F\x03"[..],
            &packed(b"eXif", &[b"Exif\0\0", tiff.as_slice()].concat()),
            &packed(b"eXmp", packet),
            b"\0rest",
        ]
        .concat();
        let facts = facts_of(parse, &data);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
        assert_eq!(facts.find(Group::Header, "FrameCount"), Some(&Datum::Int(5)));
        assert_eq!(facts.find(Group::Exif, "Artist"), Some(&"Phi".into()));
        assert_eq!(facts.find(Group::Xmp, "dc:title"), Some(&"night".into()));
        survives(parse, &data, 400);
    }
}
