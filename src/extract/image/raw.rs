//! Raw formats that are not TIFF themselves: Canon CR3 (boxes), Fujifilm RAF (an own header around a JPEG), Minolta MRW (blocks,
//! one of which is TIFF) and Sigma X3F (an own header).

use super::{jpeg, tiff};
use crate::extract::container::bmff;
use crate::extract::container::tiff::Tiff;
use crate::extract::embedded::exif::{Kind, Reading};
use crate::extract::embedded::{exif, xmp};
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

/// MRW: blocks of a tag and a length, big-endian. `PRD` has the size of the picture behind that of the sensor, height
/// first; `TTW` is TIFF.
pub fn mrw(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "signature")?;
    let end = u64::from(input.u32_be("length of the blocks")?).saturating_add(8);
    while input.position() < end {
        input.entry()?;
        let tag: [u8; 4] = input.array("block")?;
        let len = u64::from(input.u32_be("block length")?);
        let start = input.position();
        let read = input.within(start..start.saturating_add(len), "block", |input| match &tag {
            b"\0PRD" => {
                input.skip(12, "version and sensor")?;
                let (height, width) = (input.u16_be("height")?, input.u16_be("width")?);
                super::size(input, facts, start, u32::from(width), u32::from(height));
                Ok(())
            }
            b"\0TTW" => exif::parse(input, facts),
            _ => Ok(()),
        });
        facts.tolerate(read)?;
    }
    Ok(())
}

/// IIQ: TIFF whose main directory is a thumbnail; the raw image is described by a directory of Phase One's own behind the header,
/// in the byte order of its mark: number of entries, then tag, type, length and value of four bytes each.
pub fn iiq(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let sized = sensor_of_phase_one(input, facts);
    facts.tolerate(sized)?;
    input.rewind();
    tiff::raw(input, facts)
}

fn sensor_of_phase_one(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(8, "header")?;
    let start = input.position();
    let little = input.array("mark of Phase One")? == *b"IIII";
    let number = |input: &mut Input<'_>, what| if little { input.u32_le(what) } else { input.u32_be(what) };
    input.skip(4, "kind")?;
    let directory = u64::from(number(input, "place of the directory")?);
    input.seek(start.saturating_add(directory), "directory")?;
    let count = number(input, "number of entries")?;
    input.skip(4, "reserved")?;
    let (mut width, mut height, at) = (0, 0, input.position());
    for _ in 0..count {
        input.entry()?;
        let tag = number(input, "tag")?;
        input.skip(8, "type and length")?;
        let value = number(input, "value")?;
        // The sensor without its borders.
        match tag {
            0x010C => width = value,
            0x010D => height = value,
            _ => {}
        }
    }
    super::size(input, facts, at, width, height);
    Ok(())
}

/// X3F: version, identifier and marks, then columns, rows and how far the camera was turned, all little-endian.
pub fn x3f(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(28, "identifier and marks")?;
    let at = input.position();
    let (width, height) = (input.u32_le("columns")?, input.u32_le("rows")?);
    super::size(input, facts, at, width, height);
    // Degrees anticlockwise, as EXIF writes what is needed to turn them back (EXIF 2.32, 4.6.4 A).
    let orientation = match input.u32_le("rotation")? {
        0 => 1_i64,
        90 => 6,
        180 => 3,
        270 => 8,
        _ => return Ok(()),
    };
    facts.add(input.format(), Group::Header, "Orientation", at, orientation);
    Ok(())
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    #[test]
    fn minolta_blocks_and_sigma_header() {
        let block = |tag: &[u8; 4], body: &[u8]| [&tag[..], &(body.len() as u32).to_be_bytes(), body].concat();
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let prd = [&b"27200001\0\x01\0\x02"[..], &240_u16.to_be_bytes(), &320_u16.to_be_bytes()].concat();
        let minolta = block(b"\0MRM", &[block(b"\0PRD", &prd), block(b"\0TTW", &tiff)].concat());
        let mut sigma = b"FOVb\0\0\x02\0".to_vec();
        sigma.resize(28, 0);
        sigma.extend([320_u32.to_le_bytes(), 240_u32.to_le_bytes(), 90_u32.to_le_bytes()].concat());
        type Parse = fn(&mut Input<'_>, &mut Facts) -> Parsed<()>;
        let readers: [(Vec<u8>, Parse, Group); 2] = [(minolta, mrw, Group::Exif), (sigma, x3f, Group::Header)];
        for (data, read, group) in readers {
            let mut facts = Facts::new(&Limits::default());
            read(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
            assert_eq!(facts.find(group, "Orientation"), Some(&Datum::Int(6)));
            assert_eq!(facts.warnings, []);
        }
    }

    #[test]
    fn phase_one_has_a_directory_of_its_own() {
        let le = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        // Marks, directory at 16 behind them with three entries, then the directory of TIFF at 80.
        let own = [b"IIIICwaR".to_vec(), le(&[16, 0, 3, 0, 0x108, 1, 4, 7372, 0x10C, 1, 4, 7320, 0x10D, 1, 4, 5484])]
            .concat();
        let main = [&1_u16.to_le_bytes()[..], &0x112_u16.to_le_bytes(), &3_u16.to_le_bytes(), &le(&[1, 6, 0])].concat();
        let data = [&b"II\x2A\0"[..], &le(&[80]), &own, &main].concat();
        let facts = crate::extract::tried::facts_of(iiq, &data);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(7320)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(5484)));
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
        crate::extract::tried::survives(iiq, &data, 200);
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
