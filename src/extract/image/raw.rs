//! Raw formats that are not TIFF themselves: Canon CR3 (boxes) and Fujifilm RAF (an own header around a JPEG).

use super::jpeg;
use crate::extract::container::bmff;
use crate::extract::container::tiff::Tiff;
use crate::extract::embedded::exif::{Kind, Reading};
use crate::extract::embedded::xmp;
use crate::extract::{Datum, Facts, Group, Input, Parsed};

/// The `uuid` box in `moov` that holds Canon's TIFF blocks.
const CANON: [u8; 16] =
    [0x85, 0xC0, 0xB6, 0x87, 0x82, 0x0F, 0x11, 0xE0, 0x81, 0x11, 0xF4, 0xCE, 0x46, 0x2B, 0x6A, 0x48];

/// CR3: main, EXIF and GPS directories are TIFF blocks of their own in `CMT1`, `CMT2` and `CMT4`.
pub fn cr3(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bmff::each(input, |input, head| match &head.kind {
        b"uuid" if input.array::<16>("UUID")? == xmp::UUID => xmp::parse(input, facts),
        b"moov" => bmff::each(input, |input, head| match &head.kind {
            b"uuid" if input.array::<16>("UUID")? == CANON => canon(input, facts),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

fn canon(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    // Times and their fractions are spread over the blocks: one reading gathers them.
    let mut reading: Option<Reading> = None;
    bmff::each(input, |input, head| {
        let kind = match &head.kind {
            b"CMT1" => Kind::Main,
            b"CMT2" => Kind::Exif,
            b"CMT4" => Kind::Gps,
            _ => return Ok(()),
        };
        let tiff = Tiff::open(input)?;
        let directory = tiff.directory(input, tiff.first)?;
        let reading = reading.get_or_insert_with(|| Reading::new(tiff));
        reading.rebase(tiff);
        reading.entries(input, facts, &directory.entries, kind)
    })?;
    if let Some(reading) = reading {
        reading.finish(facts);
    }
    let side = |facts: &Facts, tag| match facts.find(Group::Exif, tag) {
        Some(Datum::Text(text)) => text.parse::<u32>().ok(),
        _ => None,
    };
    if let (Some(width), Some(height)) = (side(facts, "ImageWidth"), side(facts, "ImageLength")) {
        super::size(input, facts, input.position(), width, height);
    }
    Ok(())
}

/// RAF: the header points to a JPEG with the EXIF block, and to a directory of the sensor's data.
pub fn raf(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(84, "header")?;
    let (jpeg_at, jpeg_len) = (u64::from(input.u32_be("JPEG offset")?), u64::from(input.u32_be("JPEG length")?));
    let (table_at, table_len) = (u64::from(input.u32_be("table offset")?), u64::from(input.u32_be("table length")?));
    let table = input.within(table_at..table_at.saturating_add(table_len), "table", |input| sensor(input, facts));
    facts.tolerate(table)?;
    input.within(jpeg_at..jpeg_at.saturating_add(jpeg_len), "JPEG", |input| jpeg::parse(input, facts))
}

/// Entries of tag, length and value, all big-endian; 0x0111 is the cropped size, height first.
fn sensor(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let count = input.u32_be("number of entries")?;
    for _ in 0..count {
        input.entry()?;
        let (tag, len) = (input.u16_be("tag")?, u64::from(input.u16_be("length")?));
        let start = input.position();
        if tag == 0x0111 && len == 4 {
            let (height, width) = (input.u16_be("height")?, input.u16_be("width")?);
            super::size(input, facts, start, u32::from(width), u32::from(height));
            return Ok(());
        }
        input.seek(start.saturating_add(len), "next entry")?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::Limits;
    use crate::extract::embedded::exif;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    #[test]
    fn canon_blocks_give_size_tags_and_time() {
        let side = |n: u16| n.to_le_bytes().to_vec();
        let main = exif::tests::block_of([&[(0x100, 3, 1, side(6000)), (0x101, 3, 1, side(4000))], &[], &[]]);
        let second = exif::tests::block_of([&[(0x9003, 2, 20, b"2020:08:19 17:11:11\0".to_vec())], &[], &[]]);
        let blocks = [boxed(b"CMT1", &main), boxed(b"CMT2", &second)].concat();
        let uuid = boxed(b"uuid", &[&CANON[..], &blocks].concat());
        let data = [boxed(b"ftyp", b"crx \0\0\0\0"), boxed(b"moov", &uuid)].concat();
        let mut facts = Facts::new(&Limits::default());
        cr3(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(6000)));
        assert!(facts.find(Group::Time, "Original").is_some());
    }
}
