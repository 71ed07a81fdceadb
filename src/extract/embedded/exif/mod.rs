//! EXIF: the tags of a TIFF block as facts, and the times and the place that they mean.

mod maker;
mod place;
mod tags;
mod text;
mod times;

use super::{icc, iptc, photoshop, xmp};
use crate::extract::container::tiff::{Entry, Tiff, Values};
use crate::extract::{Facts, Group, Input, Parsed};
use place::Place;
use times::Times;

const FORMAT: &str = "exif";
/// Pointer to the EXIF directory (EXIF 2.32, 4.6.3).
const EXIF_POINTER: u16 = 0x8769;
/// Pointer to the GPS directory (EXIF 2.32, 4.6.3).
const GPS_POINTER: u16 = 0x8825;
/// The maker's own data (EXIF 2.32, 4.6.5 C).
const MAKER_NOTE: u16 = 0x927C;

/// Reads the TIFF block at the cursor: main, EXIF and GPS directories, no thumbnail.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    super::block(input, facts, FORMAT, block)
}

/// The same behind the identifier of JPEG's APP1, which some writers keep in other formats.
pub(in crate::extract) fn identified(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_array::<6>("EXIF")? == *b"Exif\0\0" {
        input.skip(6, "EXIF identifier")?;
    }
    parse(input, facts)
}

/// Reads the item or box that ISO media files and JPEG XL keep EXIF in: the offset of the TIFF header, then the block
/// (ISO/IEC 23008-12, A.2.1; ISO/IEC 18181-2, 9.4).
pub(in crate::extract) fn item(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let skip = u64::from(input.u32_be("TIFF header offset")?);
    input.skip(skip, "TIFF header")?;
    parse(input, facts)
}

fn block(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let tiff = Tiff::open(input)?;
    let main = tiff.directory(input, tiff.first)?;
    let mut reading = Reading::new(tiff);
    reading.entries(input, facts, &main.entries, Kind::Main)?;
    reading.finish(facts);
    Ok(())
}

/// Which table names the tags of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Kind {
    Main,
    Exif,
    Gps,
}

/// What several tags mean together, gathered over the directories of one block.
pub(in crate::extract) struct Reading {
    tiff: Tiff,
    times: Times,
    place: Place,
}

impl Reading {
    pub(in crate::extract) fn new(tiff: Tiff) -> Reading {
        Reading { tiff, times: Times::default(), place: Place::default() }
    }

    /// Goes on with another block of the same picture.
    pub(in crate::extract) fn rebase(&mut self, tiff: Tiff) {
        self.tiff = tiff;
    }

    /// Reads the entries of one directory and of the directories they point to. A bad entry is a warning.
    pub(in crate::extract) fn entries(
        &mut self,
        input: &mut Input<'_>,
        facts: &mut Facts,
        entries: &[Entry],
        kind: Kind,
    ) -> Parsed<()> {
        for entry in entries {
            let result = self.entry(input, facts, entry, kind);
            facts.tolerate(result)?;
        }
        Ok(())
    }

    fn entry(&mut self, input: &mut Input<'_>, facts: &mut Facts, entry: &Entry, kind: Kind) -> Parsed<()> {
        let name = match kind {
            Kind::Gps => tags::gps(entry.tag),
            Kind::Main | Kind::Exif => tags::main(entry.tag),
        };
        if kind == Kind::Main && other_block(input, facts, entry)? {
            return Ok(());
        }
        if (kind, entry.tag) == (Kind::Exif, MAKER_NOTE) {
            return maker::parse(input, facts, entry);
        }
        let Some(name) = name else { return Ok(()) };
        let value = self.tiff.value(input, entry)?;
        match (kind, entry.tag) {
            (Kind::Main, EXIF_POINTER) => self.follow(input, facts, &value, Kind::Exif)?,
            (Kind::Main | Kind::Exif, GPS_POINTER) => self.follow(input, facts, &value, Kind::Gps)?,
            _ => {}
        }
        self.times.note(kind, entry, &value);
        if kind == Kind::Gps {
            self.place.note(entry, &value);
        }
        let group = if kind == Kind::Gps { Group::Gps } else { Group::Exif };
        // Orientation is the one tag that a member takes as a number.
        if let (0x0112, Some(number)) = (entry.tag, value.whole()) {
            if (1..=8).contains(&number) {
                facts.add(FORMAT, group, name, entry.at, number);
            }
            return Ok(());
        }
        if let Some(text) = text::render(kind, entry, &value, self.tiff.is_little()) {
            facts.add(FORMAT, group, name, entry.at, text);
        }
        Ok(())
    }

    fn follow(&mut self, input: &mut Input<'_>, facts: &mut Facts, value: &Values, kind: Kind) -> Parsed<()> {
        let Some(offset) = value.whole().and_then(|offset| u64::try_from(offset).ok()) else { return Ok(()) };
        let result = self.tiff.directory(input, offset);
        // Depth is bounded by kinds: main to EXIF to GPS, and never back.
        match facts.tolerate(result)? {
            Some(directory) => self.entries(input, facts, &directory.entries, kind),
            None => Ok(()),
        }
    }

    /// Adds the times and the place.
    pub(in crate::extract) fn finish(&self, facts: &mut Facts) {
        self.times.finish(facts);
        self.place.finish(facts);
    }
}

/// Blocks of other vocabularies in the main directory: XMP (ISO 16684-3), IPTC, Photoshop's resources, a colour profile
/// (TIFF/EP, ICC.1:2022 B.4). Returns whether the entry is one.
fn other_block(input: &mut Input<'_>, facts: &mut Facts, entry: &Entry) -> Parsed<bool> {
    let parse = match entry.tag {
        0x02BC => xmp::parse,
        0x83BB => iptc::parse,
        0x8649 => photoshop::parse,
        0x8773 => icc::parse,
        _ => return Ok(false),
    };
    let end = entry.at.saturating_add(entry.size());
    input.within(entry.at..end, "block", |input| parse(input, facts)).map(|()| true)
}

#[cfg(test)]
pub(in crate::extract) mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    /// Tag, kind, count and bytes of a directory entry.
    type Raw = (u16, u16, u32, Vec<u8>);

    /// A little-endian TIFF block of a main, an EXIF and a GPS directory.
    pub(in crate::extract) fn block_of(dirs: [&[Raw]; 3]) -> Vec<u8> {
        let mut bytes = b"II\x2A\0\x08\0\0\0".to_vec();
        let mut starts = Vec::new();
        let mut at = 8_u32;
        for dir in dirs {
            starts.push(at);
            let extra: usize = dir.iter().map(|(_, _, _, v)| if v.len() > 4 { v.len() } else { 0 }).sum();
            at += 2 + 12 * (dir.len() as u32 + 2) + 4 + extra as u32;
        }
        for (i, dir) in dirs.iter().enumerate() {
            let mut dir = dir.to_vec();
            if i == 0 {
                dir.push((EXIF_POINTER, 4, 1, starts[1].to_le_bytes().to_vec()));
                dir.push((GPS_POINTER, 4, 1, starts[2].to_le_bytes().to_vec()));
            }
            let mut data_at = starts[i] + 2 + 12 * dir.len() as u32 + 4;
            let mut data: Vec<u8> = Vec::new();
            bytes.resize(starts[i] as usize, 0);
            bytes.extend((dir.len() as u16).to_le_bytes());
            for (tag, kind, count, value) in &dir {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(kind.to_le_bytes());
                bytes.extend(count.to_le_bytes());
                if value.len() > 4 {
                    bytes.extend(data_at.to_le_bytes());
                    data_at += value.len() as u32;
                    data.extend(value);
                } else {
                    let mut padded = value.clone();
                    padded.resize(4, 0);
                    bytes.extend(padded);
                }
            }
            bytes.extend([0; 4]);
            bytes.extend(data);
        }
        bytes
    }

    pub(in crate::extract) fn ratios(numbers: &[(u32, u32)]) -> Vec<u8> {
        numbers.iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect()
    }

    fn facts_of(bytes: Vec<u8>) -> Facts {
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&bytes, &Limits::default()), &mut facts).unwrap();
        facts
    }

    #[test]
    fn tags_of_all_three_directories_become_facts() {
        let facts = facts_of(block_of([
            &[(0x10F, 2, 6, b"Maker\0".to_vec()), (0x112, 3, 1, vec![6, 0])],
            &[
                (0x829A, 5, 1, ratios(&[(1, 250)])),
                (0x9003, 2, 20, b"2020:08:19 17:11:11\0".to_vec()),
                (0x9011, 2, 7, b"+08:00\0".to_vec()),
                (0x9291, 2, 4, b"250\0".to_vec()),
            ],
            &[
                (1, 2, 2, b"S\0".to_vec()),
                (2, 5, 3, ratios(&[(33, 1), (51, 1), (5436, 100)])),
                (3, 2, 2, b"E\0".to_vec()),
                (4, 5, 3, ratios(&[(151, 1), (12, 1), (36, 1)])),
            ],
        ]));
        assert_eq!(facts.warnings, []);
        let text = |group, tag: &str| match facts.find(group, tag) {
            Some(Datum::Text(text)) => text.to_string(),
            other => panic!("{tag}: {other:?}"),
        };
        assert_eq!(text(Group::Exif, "Make"), "Maker");
        assert_eq!(text(Group::Exif, "ExposureTime"), "1/250");
        assert_eq!(text(Group::Gps, "GPSLatitudeRef"), "South");
        assert_eq!(text(Group::Gps, "GPSLatitude"), "33deg 51' 54.360\"");
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
        let Some(Datum::Place(place)) = facts.find(Group::Place, "Gps") else { panic!("no place") };
        assert_eq!(place.to_string(), "-33.865100,151.210000");
        let Some(Datum::Time(time)) = facts.find(Group::Time, "Original") else { panic!("no time") };
        assert_eq!((time.clock.to_string(), time.offset), ("2020-08-19T17:11:11.25".into(), Some(8 * 3600)));
    }

    #[test]
    fn other_blocks_of_the_main_directory_are_read() {
        let xmp = b"<rdf:Description dc:title='x'/>".to_vec();
        let iptc = b"\x1C\x02\x05\0\x03one\0\0\0\0".to_vec();
        let count = |bytes: &[u8]| bytes.len() as u32;
        let facts =
            facts_of(block_of([&[(0x2BC, 1, count(&xmp), xmp), (0x83BB, 4, count(&iptc) / 4, iptc)], &[], &[]]));
        assert_eq!(facts.find(Group::Xmp, "dc:title"), Some(&Datum::from("x")));
        assert_eq!(facts.find(Group::Iptc, "ObjectName"), Some(&Datum::from("one")));
        assert_eq!(facts.warnings, []);
    }

    #[test]
    fn a_directory_that_points_to_itself_ends() {
        let mut bytes = b"II\x2A\0\x08\0\0\0\x02\0".to_vec();
        for tag in [EXIF_POINTER, GPS_POINTER] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(b"\x04\0\x01\0\0\0\x08\0\0\0");
        }
        bytes.extend([8, 0, 0, 0]);
        let facts = facts_of(bytes);
        assert!(facts.facts.len() < 10);
    }
}
