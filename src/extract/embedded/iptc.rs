//! IPTC-IIM (Information Interchange Model, version 4.2): the application record, and the character set it is written in.

use super::{clock, decode};
use crate::extract::{Facts, Group, Input, Moment, Parsed};
use jiff::civil::{Date, Time};

const FORMAT: &str = "iptc";
/// Marks the start of a dataset (1.5).
const TAG_MARKER: u8 = 0x1C;
/// Dataset 1:90 that says "UTF-8" (1.6; ISO 2022 escape sequence).
const UTF_8: &[u8] = b"\x1B%G";
/// Bytes of a value that are read; captions, the longest texts, have at most 2,000.
const MOST: u64 = 32 << 10;

/// Names of the datasets of record 2, spelled as in chapter 6 but for blanks and slashes.
static NAMES: &[(u8, &str)] = &[
    (5, "ObjectName"),
    (7, "EditStatus"),
    (10, "Urgency"),
    (12, "SubjectReference"),
    (15, "Category"),
    (20, "SupplementalCategories"),
    (22, "FixtureIdentifier"),
    (25, "Keywords"),
    (26, "ContentLocationCode"),
    (27, "ContentLocationName"),
    (30, "ReleaseDate"),
    (35, "ReleaseTime"),
    (37, "ExpirationDate"),
    (38, "ExpirationTime"),
    (40, "SpecialInstructions"),
    (55, "DateCreated"),
    (60, "TimeCreated"),
    (62, "DigitalCreationDate"),
    (63, "DigitalCreationTime"),
    (65, "OriginatingProgram"),
    (70, "ProgramVersion"),
    (75, "ObjectCycle"),
    (80, "By-line"),
    (85, "By-lineTitle"),
    (90, "City"),
    (92, "Sub-location"),
    (95, "Province-State"),
    (100, "Country-PrimaryLocationCode"),
    (101, "Country-PrimaryLocationName"),
    (103, "OriginalTransmissionReference"),
    (105, "Headline"),
    (110, "Credit"),
    (115, "Source"),
    (116, "CopyrightNotice"),
    (118, "Contact"),
    (120, "Caption-Abstract"),
    (122, "Writer-Editor"),
    (131, "ImageOrientation"),
    (135, "LanguageIdentifier"),
];

/// Dates and times that belong together.
#[derive(Default)]
struct Clock {
    date: Option<Date>,
    time: Option<(Time, Option<i32>)>,
    at: u64,
}

/// Reads the datasets up to the end of the innermost part.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    super::block(input, facts, FORMAT, |input, facts| {
        let (mut created, mut digitized) = (Clock::default(), Clock::default());
        let result = datasets(input, facts, &mut created, &mut digitized);
        created.finish(input, facts, "IptcCreated");
        digitized.finish(input, facts, "IptcDigitized");
        result
    })
}

fn datasets(input: &mut Input<'_>, facts: &mut Facts, created: &mut Clock, digitized: &mut Clock) -> Parsed<()> {
    let mut utf_8 = false;
    while let Some((record, number, len)) = head(input)? {
        let at = input.position();
        if input.remaining() < len {
            return Err(input.malformed_at(at, format!("dataset {record}:{number} claims {len} bytes, fewer are left")));
        }
        let bytes = input.take(len.min(MOST), "value")?;
        input.seek(at.saturating_add(len), "next dataset")?;
        match (record, number) {
            (1, 90) => utf_8 = bytes == UTF_8,
            (2, 55) => (created.date, created.at) = (date(&bytes), at),
            (2, 60) => created.time = time(&bytes),
            (2, 62) => (digitized.date, digitized.at) = (date(&bytes), at),
            (2, 63) => digitized.time = time(&bytes),
            _ => {}
        }
        let name = NAMES.binary_search_by_key(&number, |(of, _)| *of).ok().and_then(|at| NAMES.get(at));
        if let (2, Some((_, name))) = (record, name) {
            let text = if utf_8 { String::from_utf8_lossy(&bytes).into_owned() } else { decode(&bytes) };
            facts.add(input.format(), Group::Iptc, *name, at, text);
        }
    }
    Ok(())
}

/// Record, dataset and length of the next dataset (1.5); `None` at the end or at padding.
fn head(input: &mut Input<'_>) -> Parsed<Option<(u8, u8, u64)>> {
    if input.remaining() < 5 || input.peek_array::<1>("tag marker")? == [0] {
        return Ok(None);
    }
    input.entry()?;
    let [marker, record, number] = input.array("dataset")?;
    if marker != TAG_MARKER {
        return Err(input.malformed(format!("expected the tag marker 1c, got {marker:02x}")));
    }
    let len = input.u16_be("length")?;
    if len & 0x8000 == 0 {
        return Ok(Some((record, number, u64::from(len))));
    }
    // An extended dataset: the length of the length.
    let mut long = 0_u64;
    for byte in input.take(u64::from(len & 0x7FFF).min(8), "extended length")? {
        long = (long << 8) | u64::from(byte);
    }
    Ok(Some((record, number, long)))
}

/// `CCYYMMDD`; zeros stand for what is not known.
fn date(bytes: &[u8]) -> Option<Date> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().filter(|date| date.year() > 0)
}

/// `HHMMSS` and maybe `+HHMM` or `-HHMM`.
fn time(bytes: &[u8]) -> Option<(Time, Option<i32>)> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let (clock, zone) = text.split_at_checked(6)?;
    let part = |from: usize| -> Option<i8> { clock.get(from..from.checked_add(2)?)?.parse().ok() };
    let time = Time::new(part(0)?, part(2)?, part(4)?, 0).ok()?;
    Some((time, clock::offset(zone)))
}

impl Clock {
    fn finish(&self, input: &Input<'_>, facts: &mut Facts, tag: &'static str) {
        let Some(date) = self.date else { return };
        match self.time {
            Some((time, offset)) => {
                let moment = Moment { clock: date.to_datetime(time), offset };
                facts.add(input.format(), Group::Time, tag, self.at, moment);
            }
            None => facts.add(input.format(), Group::Time, "Day", self.at, clock::day(date)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(bytes: &[u8]) -> Facts {
        let data = bytes.to_vec();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    fn moment(facts: &Facts, tag: &str) -> Option<(String, Option<i32>)> {
        match facts.find(Group::Time, tag)? {
            Datum::Time(moment) => Some((moment.clock.to_string(), moment.offset)),
            _ => None,
        }
    }

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn texts_times_and_extended_lengths() {
        let facts = read(
            b"\x1C\x01\x5A\0\x03\x1B%G\x1C\x02\x19\0\x05caf\xC3\xA9\x1C\x02\x19\x80\x02\0\x03sea\x1C\x02\x37\0\x0820200819\
              \x1C\x02\x3C\0\x0B171111-0330\x1C\x02\x3E\0\x0820200820\x1C\x02\xFF\0\x01x\0\0\0\0\0\0",
        );
        let words: Vec<_> = facts.facts.iter().filter(|fact| fact.tag == "Keywords").map(|fact| &fact.value).collect();
        assert_eq!(words, [&Datum::from("caf\u{e9}"), &Datum::from("sea")]);
        assert_eq!(moment(&facts, "IptcCreated"), Some(("2020-08-19T17:11:11".into(), Some(-12_600))));
        assert_eq!(moment(&facts, "Day"), Some(("2020-08-20T00:00:00".into(), None)));
        assert_eq!(facts.warnings, []);
    }

    #[test]
    fn what_is_cut_or_garbage_is_told_and_the_rest_kept() {
        let cut = read(b"\x1C\x02\x05\0\x03one\x1C\x02\x19\0\x09two");
        assert_eq!((cut.facts.len(), cut.warnings.len()), (1, 1));
        let garbage = read(b"\x1C\x02\x05\0\x03one!garbage");
        assert_eq!((garbage.facts.len(), garbage.warnings.len()), (1, 1));
    }
}
