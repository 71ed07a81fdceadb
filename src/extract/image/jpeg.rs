//! JPEG (ITU-T T.81, annex B): segments up to the first scan, some of which are blocks of metadata.

use crate::extract::embedded::{decode, exif, icc, photoshop, xmp};
use crate::extract::{Facts, Group, Input, Parsed, length};

/// Bytes of an extended XMP packet that are put together: larger ones are depth maps and pictures.
const EXTENDED: u32 = 256 << 10;

/// Bytes of Photoshop's resources that are put together.
const RESOURCES: u64 = 1 << 20;

/// Bytes between segments that are skipped in search of the next marker, as decoders do.
const GARBAGE: u32 = 4096;

/// Reads the segments up to the first scan or the end of the image.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let soi = input.u16_be("SOI")?;
    if soi != 0xFFD8 {
        return Err(input.malformed_at(0, format!("expected the marker SOI (ffd8), got {soi:04x}")));
    }
    walk(input, facts)
}

/// Reads the segments of a file that Exiv2 made: those that hold metadata, behind a mark of its own.
pub fn segments(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(7, "mark")?;
    walk(input, facts)
}

fn walk(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut seen = Seen::default();
    loop {
        let at = input.position();
        match marker(input)? {
            // EOI and SOS end the headers; RSTn, SOI and TEM have no body.
            0xD9 | 0xDA => break,
            0x01 | 0xD0..=0xD8 => {}
            code => segment(input, facts, code, at, &mut seen)?,
        }
    }
    seen.resources.finish(input, facts)?;
    seen.extended.finish(input, facts)
}

#[derive(Default)]
struct Seen {
    exif: bool,
    frame: bool,
    /// What Adobe's segment says of the colours.
    transform: Option<u8>,
    extended: Extended,
    resources: Resources,
}

/// The code of the next marker; fill bytes (B.1.1.2) and garbage before it are skipped.
fn marker(input: &mut Input<'_>) -> Parsed<u8> {
    for _ in 0..GARBAGE {
        if input.u8("marker")? != 0xFF {
            continue;
        }
        loop {
            match input.u8("marker")? {
                0xFF => {}
                0 => break,
                code => return Ok(code),
            }
        }
    }
    Err(input.malformed(format!("expected a marker within {GARBAGE} bytes")))
}

fn segment(input: &mut Input<'_>, facts: &mut Facts, code: u8, at: u64, seen: &mut Seen) -> Parsed<()> {
    input.entry()?;
    let start = input.position();
    let len = u64::from(input.u16_be("segment length")?);
    let end = start.saturating_add(len.max(2));
    let body = input.position()..end;
    input.within(body, "segment", |input| match code {
        // SOFn, without DHT (C4), JPG (C8) and DAC (CC): table B.1.
        0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if !seen.frame => {
            seen.frame = true;
            frame(input, facts, at, seen.transform)
        }
        // What an application made of its own segment spoils no other one.
        0xE0..=0xEF => {
            let result = application(input, facts, code, seen);
            facts.tolerate(result).map(drop)
        }
        0xFE => comment(input, facts, at),
        _ => Ok(()),
    })?;
    if end > input.end() {
        return Err(input.malformed_at(start, format!("segment {code:02x} claims {len} bytes, the file ends earlier")));
    }
    Ok(())
}

/// A segment of an application tells by its first bytes whose it is.
fn application(input: &mut Input<'_>, facts: &mut Facts, code: u8, seen: &mut Seen) -> Parsed<()> {
    match code {
        // EXIF 2.32, 4.7.2.
        0xE1 if !seen.exif && named(input, b"Exif\0")? => {
            seen.exif = true;
            input.skip(1, "EXIF identifier")?;
            exif::parse(input, facts)
        }
        // ISO 16684-3, 6.1.
        0xE1 if named(input, b"http://ns.adobe.com/xap/1.0/\0")? => xmp::parse(input, facts),
        0xE1 if named(input, b"http://ns.adobe.com/xmp/extension/\0")? => seen.extended.part(input),
        // ICC.1:2022, B.4: number and count of the pieces; the texts of a profile stand in the first one.
        0xE2 if named(input, b"ICC_PROFILE\0")? => match input.array("piece")? {
            [1, _] => icc::parse(input, facts),
            _ => Ok(()),
        },
        0xED if named(input, b"Photoshop 3.0\0")? => seen.resources.part(input),
        // ITU-T T.872, 6.5.3.
        0xEE if named(input, b"Adobe")? => {
            input.skip(6, "version and flags")?;
            seen.transform = Some(input.u8("colour transform")?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether the segment begins with `name`; if so the cursor is behind it.
fn named(input: &mut Input<'_>, name: &[u8]) -> Parsed<bool> {
    let len = length(name.len());
    let found = input.peek_up_to(len)? == name;
    if found {
        input.skip(len, "identifier")?;
    }
    Ok(found)
}

/// Frame header (B.2.2): precision, lines, samples per line, components.
fn frame(input: &mut Input<'_>, facts: &mut Facts, at: u64, transform: Option<u8>) -> Parsed<()> {
    let precision = input.u8("precision")?;
    let height = input.u16_be("lines")?;
    let width = input.u16_be("samples per line")?;
    let components = input.u8("components")?;
    super::size(input, facts, at, u32::from(width), u32::from(height));
    super::field(input, facts, at, "BitsPerSample", u32::from(precision));
    super::field(input, facts, at, "ColorComponents", u32::from(components));
    // JFIF 1.02 for one and three components, ITU-T T.872 (6.5.3) where Adobe says otherwise.
    match (components, transform) {
        (1, _) => super::color_space(input, facts, at, "Grayscale"),
        (3, Some(0)) => super::color_space(input, facts, at, "RGB"),
        (3, _) => super::color_space(input, facts, at, "YCbCr"),
        (4, Some(2)) => super::color_space(input, facts, at, "YCCK"),
        (4, _) => super::color_space(input, facts, at, "CMYK"),
        _ => {}
    }
    Ok(())
}

fn comment(input: &mut Input<'_>, facts: &mut Facts, at: u64) -> Parsed<()> {
    let bytes = input.take_up_to(input.remaining())?;
    facts.add("jpeg", Group::Header, "Comment", at, decode(&bytes));
    Ok(())
}

/// Photoshop's resources: those of several segments follow one another, even inside a resource.
#[derive(Default)]
struct Resources {
    bytes: Vec<u8>,
    at: u64,
    parts: u32,
}

impl Resources {
    fn part(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        if self.bytes.is_empty() {
            self.at = input.position();
        }
        self.parts = self.parts.saturating_add(1);
        if length(self.bytes.len()) < RESOURCES {
            self.bytes.extend(input.take_up_to(input.remaining())?);
        }
        Ok(())
    }

    fn finish(&self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mark = facts.mark();
        let result = photoshop::parse(&mut input.unpacked(&self.bytes), facts);
        if self.parts > 1 {
            facts.found_in(mark, self.at)
        } else {
            facts.moved(mark, self.at)
        }
        facts.tolerate(result).map(drop)
    }
}

/// An XMP packet that did not fit into one segment (ISO 16684-3, 6.1.2), put together from its parts.
#[derive(Default)]
struct Extended {
    /// Which packet the parts are of: the checksum that the main packet names.
    guid: [u8; 32],
    bytes: Vec<u8>,
    at: u64,
}

impl Extended {
    /// A part: checksum, length of the whole packet, place of the part in it. Parts out of order are left out.
    fn part(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let at = input.position();
        let guid: [u8; 32] = input.array("checksum")?;
        let (whole, from) = (input.u32_be("packet length")?, input.u32_be("part offset")?);
        if whole > EXTENDED {
            return Ok(());
        }
        if self.bytes.is_empty() && from == 0 {
            (self.guid, self.at) = (guid, at);
        }
        if guid == self.guid && u64::from(from) == length(self.bytes.len()) {
            let room = u64::from(whole.saturating_sub(from));
            self.bytes.extend(input.take_up_to(room)?);
        }
        Ok(())
    }

    fn finish(&self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mark = facts.mark();
        let result = xmp::parse(&mut input.unpacked(&self.bytes), facts);
        facts.found_in(mark, self.at);
        result
    }
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(bytes: &[u8]) -> (Facts, Parsed<()>) {
        let data = bytes.to_vec();
        let mut facts = Facts::new(&Limits::default());
        let result = parse(&mut Input::new(&data, &Limits::default()), &mut facts);
        (facts, result)
    }

    fn sample() -> Vec<u8> {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![8, 0])], &[], &[]]);
        let mut bytes = b"\xFF\xD8\xFF\xE0\0\x04JF\xFF\xFF\xE1".to_vec();
        bytes.extend((tiff.len() as u16 + 8).to_be_bytes());
        bytes.extend(b"Exif\0\0");
        bytes.extend(tiff);
        bytes.extend(b"\xFF\xC4\0\x03xgarbage\xFF\xC2\0\x0B\x08\x02\x80\x01\xE0\x01\x01\x11\0\xFF\xDA\0\x02");
        bytes
    }

    #[test]
    fn size_and_exif_through_fill_bytes_and_garbage() {
        let (facts, result) = read(&sample());
        result.unwrap();
        assert_eq!(facts.warnings, []);
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(640)));
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(480)));
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(8)));
    }

    fn app(code: u8, body: &[u8]) -> Vec<u8> {
        [&[0xFF, code][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
    }

    #[test]
    fn blocks_of_other_applications() {
        let part = |from: u32, text: &str| {
            let head = [&b"http://ns.adobe.com/xmp/extension/\0"[..], &[b'A'; 32], &70_u32.to_be_bytes()].concat();
            app(0xE1, &[head, from.to_be_bytes().to_vec(), text.as_bytes().to_vec()].concat())
        };
        let iptc = photoshop::tests::resource_of(0x0404, b"\x1C\x02\x19\0\x03sea");
        let profile = icc::tests::profile_of(b"desc\0\0\0\0\0\0\0\x03P3\0");
        let segments = [
            app(0xE1, b"http://ns.adobe.com/xap/1.0/\0<rdf:Description dc:title='main'/>"),
            part(0, "<rdf:Description dc:source='ext"),
            part(31, "ended'/>"),
            part(31, "again"),
            app(0xED, &[&b"Photoshop 3.0\0"[..], &iptc].concat()),
            app(0xE2, &[&b"ICC_PROFILE\0\x01\x01"[..], &profile].concat()),
            app(0xE2, b"ICC_PROFILE\0\x02\x01"),
            app(0xEE, b"Adobe\0\x64\0\0\0\0\x02"),
            app(0xC0, b"\x08\0\x10\0\x20\x04"),
        ];
        let (facts, result) = read(&[b"\xFF\xD8".to_vec(), segments.concat(), b"\xFF\xD9".to_vec()].concat());
        result.unwrap();
        assert_eq!(facts.warnings, []);
        let text = |group, tag| facts.find(group, tag).cloned();
        assert_eq!(text(Group::Xmp, "dc:title"), Some(Datum::from("main")));
        assert_eq!(text(Group::Xmp, "dc:source"), Some(Datum::from("extended")));
        assert_eq!(text(Group::Iptc, "Keywords"), Some(Datum::from("sea")));
        assert_eq!(text(Group::Icc, "ProfileDescription"), Some(Datum::from("P3")));
        assert_eq!(text(Group::Header, "ColorSpace"), Some(Datum::from("YCCK")));
    }

    #[test]
    fn every_cut_keeps_what_came_before() {
        let whole = sample();
        let (all, _) = read(&whole);
        for end in 0..whole.len() {
            let (facts, result) = read(&whole[..end]);
            assert!(result.is_err() || end + 4 > whole.len(), "{end}");
            assert!(facts.facts.iter().all(|fact| all.facts.contains(fact)), "{end}");
        }
    }
}
