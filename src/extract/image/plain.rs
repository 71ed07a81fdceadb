//! Formats of one small header: DjVu, MNG and JNG, QuickDraw pictures, and PGF, which may hold a PNG for its metadata.

use super::png;
use crate::extract::{Facts, Input, Parsed};

/// Chunks of a DjVu document that are looked at for the first page.
const CHUNKS: u32 = 64;
/// Smallest PGF header behind the length of it.
const PGF_HEADER: u64 = 16;

/// DjVu (DjVu3 specification, 8): `AT&TFORM`, then one page, or a document whose forms are pages. The size is that of the
/// first page.
pub fn djvu(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4 + 4 + 4, "signature and length")?;
    if input.array("type of form")? == *b"DJVU" {
        return page(input, facts);
    }
    for _ in 0..CHUNKS {
        if input.remaining() < 12 {
            break;
        }
        input.entry()?;
        let kind: [u8; 4] = input.array("chunk")?;
        let len = u64::from(input.u32_be("chunk length")?);
        let start = input.position();
        if kind == *b"FORM" && input.array("type of form")? == *b"DJVU" {
            return page(input, facts);
        }
        // Chunks begin at even places.
        let end = start.saturating_add(len);
        input.seek(end.saturating_add(end & 1), "next chunk")?;
    }
    Err(input.malformed("expected a page"))
}

/// The chunk INFO, which is the first one of a page (8.3.1).
fn page(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.array("first chunk")? != *b"INFO" {
        return Err(input.malformed("expected the chunk INFO"));
    }
    let len = input.u32_be("chunk length")?;
    let at = input.position();
    let (width, height) = (input.u16_be("width")?, input.u16_be("height")?);
    super::size(input, facts, at, u32::from(width), u32::from(height));
    if len >= 10 {
        input.skip(5, "version, resolution and gamma")?;
        // Three bits, as EXIF counts turns, of the four that there are.
        let turn = input.u8("flags")? & 7;
        if matches!(turn, 1 | 2 | 5 | 6) {
            let orientation = [(1, 1), (2, 3), (5, 8), (6, 6)].into_iter().find(|(code, _)| *code == turn);
            orientation.into_iter().for_each(|(_, turn)| super::field(input, facts, at, "Orientation", turn));
        }
    }
    Ok(())
}

/// MNG and JNG (MNG 1.0, "Critical MNG control chunks"; JNG 1.0): the first chunk has the size.
pub fn mng(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(8 + 4, "signature and chunk length")?;
    let kind: [u8; 4] = input.array("first chunk")?;
    let at = input.position();
    let (width, height) = (input.u32_be("width")?, input.u32_be("height")?);
    super::size(input, facts, at, width, height);
    if kind == *b"MHDR" {
        input.skip(4 + 4, "ticks and layers")?;
        let frames = input.u32_be("number of frames")?;
        // Zero and the largest number mean that nobody counted.
        if frames > 0 && frames < 0x7FFF_FFFF {
            super::field(input, facts, at, "FrameCount", frames);
        }
    }
    Ok(())
}

/// QuickDraw pictures (Inside Macintosh: Imaging With QuickDraw, A-22), behind 512 bytes that belong to the program that
/// wrote them, or without these.
pub fn pict(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bare = input.peek_up_to(16)?.get(10..14) == Some(&[0, 0x11, 2, 0xFF]);
    input.seek(if bare { 2 } else { 514 }, "frame")?;
    let at = input.position();
    let mut side = |what| input.i16_be(what).map(i32::from);
    let (top, left, bottom, right) = (side("top")?, side("left")?, side("bottom")?, side("right")?);
    let length = |from: i32, to: i32| u32::try_from(to.saturating_sub(from)).unwrap_or(0);
    super::size(input, facts, at, length(left, right), length(top, bottom));
    Ok(())
}

/// PGF (libPGF, "PGF file format"): version, length of the header, size and sampling; behind it, inside the length, data of
/// the program's own, for digiKam a PNG of one pixel with the metadata.
pub fn pgf(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "mark and version")?;
    let len = u64::from(input.u32_le("length of the header")?);
    let at = input.position();
    let (width, height) = (input.u32_le("width")?, input.u32_le("height")?);
    super::size(input, facts, at, width, height);
    input.skip(2, "levels and quality")?;
    let (bits, channels) = (input.u8("bits of a pixel")?, input.u8("channels")?);
    super::field(input, facts, at, "BitsPerPixel", u32::from(bits));
    super::field(input, facts, at, "ColorComponents", u32::from(channels));
    let own = at.saturating_add(PGF_HEADER)..at.saturating_add(len);
    if own.end > own.start.saturating_add(8) && own.end <= input.end() {
        input.within(own, "data of the program's own", |input| {
            if input.peek_array("PNG")? == *b"\x89PNG" { png::parse(input, facts) } else { Ok(()) }
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Datum, Group, Parse};

    fn size(parse: Parse, data: &[u8]) -> Option<(Datum, Datum)> {
        survives(parse, data, 600);
        let facts = facts_of(parse, data);
        facts.find(Group::Header, "ImageWidth").cloned().zip(facts.find(Group::Header, "ImageHeight").cloned())
    }

    fn of(width: u32, height: u32) -> Option<(Datum, Datum)> {
        Some((width.into(), height.into()))
    }

    #[test]
    fn pages_of_djvu_alone_and_in_a_document() {
        let page = [&b"DJVUINFO\0\0\0\x0A"[..], &[1, 64, 0, 240, 24, 0, 100, 0, 22, 6]].concat();
        let single = [&b"AT&TFORM\0\0\0\x1A"[..], &page].concat();
        assert_eq!(size(djvu, &single), of(320, 240));
        assert_eq!(facts_of(djvu, &single).find(Group::Header, "Orientation"), Some(&6_u32.into()));
        let directory = b"DIRM\0\0\0\x03abc\0";
        let many = [&b"AT&TFORM\0\0\0\x40DJVM"[..], directory, b"FORM\0\0\0\x16", &page].concat();
        assert_eq!(size(djvu, &many), of(320, 240));
        assert_eq!(size(djvu, b"AT&TFORM\0\0\0\x40DJVM"), None);
    }

    #[test]
    fn headers_of_the_others() {
        let head =
            [&b"\x8AMNG\r\n\x1A\n\0\0\0\x1CMHDR"[..], &[0, 0, 1, 64, 0, 0, 0, 240], &[0; 8], &[0, 0, 0, 5]].concat();
        assert_eq!(size(mng, &head), of(320, 240));
        assert_eq!(facts_of(mng, &head).find(Group::Header, "FrameCount"), Some(&5_u32.into()));
        let picture = [0, 99, 0, 10, 0, 20, 0, 250, 1, 84, 0, 0x11, 2, 0xFF, 0x0C, 0];
        assert_eq!(size(pict, &picture), of(320, 240));
        assert_eq!(size(pict, &[vec![0; 512], picture.to_vec()].concat()), of(320, 240));
    }

    #[test]
    fn a_picture_inside_pgf_gives_its_texts_but_not_its_size() {
        let png = [
            &b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\0\0\0\0"[..],
            b"\0\0\0\x0BtEXtTitle\0night\0\0\0\0\0\0\0\0IEND\0\0\0\0",
        ];
        let (png, size_of) = (png.concat(), [64, 1, 0, 0, 240, 0, 0, 0]);
        let len = (16 + png.len() as u32).to_le_bytes();
        let data = [&b"PGF6"[..], &len, &size_of, &[0, 0, 24, 3, 3, 0, 0, 0], &png].concat();
        assert_eq!(size(pgf, &data), of(320, 240));
        let facts = facts_of(pgf, &data);
        assert!(facts.facts.iter().any(|fact| fact.value == Datum::from("night")), "{:?}", facts.facts);
    }
}
