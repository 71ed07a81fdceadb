//! JPEG (ITU-T T.81, annex B): segments up to the first scan. EXIF lies in APP1 (EXIF 2.32, 4.7.2).

use super::exif;
use crate::extract::{Facts, Group, Input, Parsed};

/// Bytes between segments that are skipped in search of the next marker, as decoders do.
const GARBAGE: u32 = 4096;

/// Reads the segments up to the first scan or the end of the image.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let soi = input.u16_be("SOI")?;
    if soi != 0xFFD8 {
        return Err(input.malformed_at(0, format!("expected the marker SOI (ffd8), got {soi:04x}")));
    }
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
    Ok(())
}

#[derive(Default)]
struct Seen {
    exif: bool,
    frame: bool,
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
            frame(input, facts, at)
        }
        0xE1 if !seen.exif && starts(input, b"Exif\0") => {
            seen.exif = true;
            input.skip(6, "EXIF identifier")?;
            exif::parse(input, facts)
        }
        0xFE => comment(input, facts, at),
        _ => Ok(()),
    })?;
    if end > input.end() {
        return Err(input.malformed_at(start, format!("segment {code:02x} claims {len} bytes, the file ends earlier")));
    }
    Ok(())
}

fn starts(input: &mut Input<'_>, with: &[u8; 5]) -> bool {
    input.peek_array::<5>("identifier").is_ok_and(|found| found == *with)
}

/// Frame header (B.2.2): precision, lines, samples per line, components.
fn frame(input: &mut Input<'_>, facts: &mut Facts, at: u64) -> Parsed<()> {
    let precision = input.u8("precision")?;
    let height = input.u16_be("lines")?;
    let width = input.u16_be("samples per line")?;
    let components = input.u8("components")?;
    super::size(input, facts, at, u32::from(width), u32::from(height));
    super::field(input, facts, at, "BitsPerSample", u32::from(precision));
    super::field(input, facts, at, "ColorComponents", u32::from(components));
    Ok(())
}

fn comment(input: &mut Input<'_>, facts: &mut Facts, at: u64) -> Parsed<()> {
    let bytes = input.take_up_to(input.remaining())?;
    facts.add("jpeg", Group::Header, "Comment", at, exif::decode(&bytes));
    Ok(())
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
