//! TIFF and the raw formats that are TIFF: which directory is the main image, its size, and EXIF.

use super::jpeg;
use crate::extract::container::tiff::{Directory, Entry, Tiff};
use crate::extract::embedded::exif::{Kind, Reading};
use crate::extract::{Facts, Format, Group, Input, Parsed, Stop};

/// Directories of the chain that are looked at: pages of scanned documents.
const PAGES: usize = 4096;
/// Bytes of a page that are read: its directory.
const PAGE: u64 = 512;
/// Pointer to directories of the same picture in other sizes (TIFF Technical Note 1).
const SUB_IFDS: u16 = 0x014A;
/// Panasonic's JPEG for display, in the main directory of RW2.
const PREVIEW: u16 = 0x002E;
/// The type UNDEFINED (TIFF 6.0, page 16).
const UNDEFINED: u16 = 7;
/// Panasonic's sensor borders, in the main directory of RW2: top, left, bottom, right.
const BORDERS: [u16; 4] = [4, 5, 6, 7];

/// Reads plain TIFF: the first page is the main image.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let (tiff, main) = open(input, facts)?;
    if main.entries.iter().any(|entry| entry.tag == 0xC612) {
        facts.refine(Format::Dng);
        return raw_size(input, facts, &tiff, &main);
    }
    picture(input, &tiff, &main)?.add(input, facts);
    layout(input, facts, &tiff, &main)?;
    pages(input, facts, &tiff, main.next)
}

/// How the pixels of a directory are made: bits, channels, colours (TIFF 6.0, section 8; TIFF/EP for raw data).
fn layout(input: &mut Input<'_>, facts: &mut Facts, tiff: &Tiff, directory: &Directory) -> Parsed<()> {
    let (mut bits, mut samples, mut colors, mut extra, mut at) = (1, 1, None, 0, 0);
    for entry in &directory.entries {
        match entry.tag {
            0x0102 => (bits, at) = (number(input, tiff, entry)?, entry.at),
            0x0115 => samples = number(input, tiff, entry)?,
            0x0106 => colors = Some(number(input, tiff, entry)?),
            // ExtraSamples: 1 and 2 are alpha, with or without its colours multiplied.
            0x0152 => extra = number(input, tiff, entry)?,
            _ => {}
        }
    }
    super::field(input, facts, at, "BitsPerSample", bits);
    super::field(input, facts, at, "ColorComponents", samples);
    super::alpha(input, facts, at, matches!(extra, 1 | 2));
    let name = match colors {
        Some(0 | 1 | 4) => "Grayscale",
        Some(2) => "RGB",
        Some(3) => "Palette",
        Some(5) => "CMYK",
        Some(6) => "YCbCr",
        Some(8..=10) => "Lab",
        Some(32_803 | 34_892) => "Raw",
        _ => return Ok(()),
    };
    super::color_space(input, facts, at, name);
    Ok(())
}

/// Reads a raw file: the main image is the largest one at full resolution, often in a sub-directory.
pub fn raw(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let (tiff, main) = open(input, facts)?;
    raw_size(input, facts, &tiff, &main)?;
    // Panasonic keeps most of what it says in the JPEG for display. The raw image's own facts stand before its.
    let Some(shown) = main.entries.iter().find(|entry| entry.tag == PREVIEW && entry.kind == UNDEFINED) else {
        return Ok(());
    };
    let end = shown.at.saturating_add(shown.size());
    let read = input.within(shown.at..end, "JPEG", |input| jpeg::parse(input, facts));
    facts.tolerate(read).map(drop)
}

/// Header, main directory, and all its tags as facts.
fn open(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<(Tiff, Directory)> {
    let tiff = Tiff::open(input)?;
    let main = tiff.directory(input, tiff.first)?;
    let mut reading = Reading::new(tiff);
    reading.entries(input, facts, &main.entries, Kind::Main)?;
    reading.finish(facts);
    Ok((tiff, main))
}

/// What a directory says of its image.
#[derive(Debug, Clone, Copy, Default)]
struct Picture {
    width: u32,
    height: u32,
    reduced: bool,
    at: u64,
}

impl Picture {
    fn area(&self) -> u64 {
        u64::from(self.width).saturating_mul(u64::from(self.height))
    }

    fn add(&self, input: &Input<'_>, facts: &mut Facts) {
        super::size(input, facts, self.at, self.width, self.height);
    }
}

/// A number of the directory. Entries that cannot be read were warned of when the tags became facts.
fn number(input: &mut Input<'_>, tiff: &Tiff, entry: &Entry) -> Parsed<u32> {
    match tiff.value(input, entry) {
        Ok(value) => Ok(value.whole().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)),
        Err(Stop::Malformed(_)) => Ok(0),
        Err(stop) => Err(stop),
    }
}

/// Of entries with the same tag the first one counts that is above 0.
fn picture(input: &mut Input<'_>, tiff: &Tiff, directory: &Directory) -> Parsed<Picture> {
    let mut found = Picture::default();
    for entry in &directory.entries {
        match entry.tag {
            // NewSubfileType: bit 0 is a reduced version of another image (TIFF 6.0, page 36).
            0x00FE => found.reduced = number(input, tiff, entry)? & 1 == 1,
            0x0100 if found.width == 0 => (found.width, found.at) = (number(input, tiff, entry)?, entry.at),
            0x0101 if found.height == 0 => found.height = number(input, tiff, entry)?,
            _ => {}
        }
    }
    Ok(found)
}

fn raw_size(input: &mut Input<'_>, facts: &mut Facts, tiff: &Tiff, main: &Directory) -> Parsed<()> {
    if let Some(active) = panasonic(input, tiff, main)? {
        active.add(input, facts);
        return Ok(());
    }
    let mut best = picture(input, tiff, main)?;
    let mut chosen = None;
    for offset in sub_directories(input, facts, tiff, main)? {
        let directory = tiff.directory(input, offset);
        let Some(directory) = facts.tolerate(directory)? else { continue };
        let other = picture(input, tiff, &directory)?;
        let larger = other.reduced == best.reduced && other.area() > best.area();
        if other.area() > 0 && (larger || (best.reduced && !other.reduced)) {
            (best, chosen) = (other, Some(directory));
        }
    }
    layout(input, facts, tiff, chosen.as_ref().unwrap_or(main))?;
    // Where the raw data carries no size tags (CR2), EXIF says what the camera calls the picture's size.
    if let Some(stated) = stated(facts).filter(|stated| stated.area() > best.area()) {
        best = stated;
    }
    best.add(input, facts);
    Ok(())
}

fn stated(facts: &Facts) -> Option<Picture> {
    let side = |tag| match facts.find(Group::Exif, tag)? {
        crate::extract::Datum::Text(text) => text.parse().ok(),
        _ => None,
    };
    Some(Picture { width: side("PixelXDimension")?, height: side("PixelYDimension")?, ..Picture::default() })
}

fn sub_directories(input: &mut Input<'_>, facts: &mut Facts, tiff: &Tiff, main: &Directory) -> Parsed<Vec<u64>> {
    let Some(entry) = main.entries.iter().find(|entry| entry.tag == SUB_IFDS) else { return Ok(Vec::new()) };
    let value = tiff.value(input, entry);
    Ok(match facts.tolerate(value)? {
        Some(crate::extract::container::tiff::Values::Whole(offsets)) => {
            offsets.iter().take(16).filter_map(|offset| u64::try_from(*offset).ok()).collect()
        }
        _ => Vec::new(),
    })
}

/// The active area between the sensor's borders; `None` for files that are not of Panasonic.
fn panasonic(input: &mut Input<'_>, tiff: &Tiff, main: &Directory) -> Parsed<Option<Picture>> {
    let mut borders = [0_u32; 4];
    let mut at = 0;
    for (border, tag) in borders.iter_mut().zip(BORDERS) {
        let Some(entry) = main.entries.iter().find(|entry| entry.tag == tag) else { return Ok(None) };
        at = entry.at;
        *border = number(input, tiff, entry)?;
    }
    let [top, left, bottom, right] = borders;
    let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
    Ok(Some(Picture { width, height, reduced: false, at }))
}

/// Counts the pages behind the first one; smaller versions of a page are none. A chain that comes back to an earlier page
/// ends there.
fn pages(input: &mut Input<'_>, facts: &mut Facts, tiff: &Tiff, next: u64) -> Parsed<()> {
    input.set_stride(Some(PAGE));
    let counted = count_pages(input, tiff, next);
    input.set_stride(None);
    if let Some(count) = counted? {
        super::field(input, facts, tiff.absolute(tiff.first), "FrameCount", count);
    }
    Ok(())
}

/// The number of pages; `None` where they are too many to be counted.
fn count_pages(input: &mut Input<'_>, tiff: &Tiff, next: u64) -> Parsed<Option<u32>> {
    let mut seen = std::collections::BTreeSet::from([tiff.first]);
    let mut next = next;
    let mut count = 1_u32;
    while next != 0 && seen.len() < PAGES {
        if !seen.insert(next) {
            return Err(input.malformed_at(tiff.absolute(next), "the chain of directories comes back to itself"));
        }
        let page = tiff.directory(input, next)?;
        let kind = page.entries.iter().find(|entry| entry.tag == 0x00FE);
        let reduced = kind.map(|entry| number(input, tiff, entry)).transpose()?.is_some_and(|kind| kind & 1 == 1);
        next = page.next;
        count = count.saturating_add(u32::from(!reduced));
    }
    Ok((next == 0).then_some(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(bytes: Vec<u8>, parse: fn(&mut Input<'_>, &mut Facts) -> Parsed<()>) -> Facts {
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&bytes, &Limits::default()), &mut facts).unwrap();
        facts
    }

    fn long(number: u32) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    #[test]
    fn first_page_of_plain_tiff_and_full_image_of_raw() {
        let plain = crate::extract::embedded::exif::tests::block_of([
            &[(0x100, 4, 1, long(320)), (0x101, 4, 1, long(240)), (0x14A, 4, 1, long(8))],
            &[],
            &[],
        ]);
        assert_eq!(read(plain, parse).find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        // A reduced main image whose sub-directory (at 62) is the full one.
        let mut bytes = b"II\x2A\0\x08\0\0\0\x04\0".to_vec();
        let entry = |tag: u16, value: u32| [&tag.to_le_bytes()[..], b"\x04\0\x01\0\0\0", &value.to_le_bytes()].concat();
        for (tag, value) in [(0xFE, 1), (0x100, 160), (0x101, 120), (0x14A, 62)] {
            bytes.extend(entry(tag, value));
        }
        bytes.extend([0; 4]);
        bytes.extend(b"\x03\0");
        for (tag, value) in [(0xFE, 0), (0x100, 3040), (0x101, 2014)] {
            bytes.extend(entry(tag, value));
        }
        let facts = read(bytes, raw);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(3040)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(2014)));
    }

    #[test]
    fn a_chain_in_a_circle_is_told_and_ends() {
        let bytes = b"II\x2A\0\x08\0\0\0\0\0\x0E\0\0\0\0\0\x08\0\0\0".to_vec();
        let mut facts = Facts::new(&Limits::default());
        let result = parse(&mut Input::new(&bytes, &Limits::default()), &mut facts);
        assert!(result.is_err_and(|stop| stop.to_string().contains("comes back")));
    }
}
