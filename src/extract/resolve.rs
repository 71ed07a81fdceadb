//! Facts to members: one table says which fact wins for which member. `docs/extraction.md` shows the same table.

use super::facts::{Datum, Fact, Facts, Group, Moment};
use super::sniff::{Format, MediaType};
use super::warning::Warning;
use super::{Options, credits, exif_text, labels};
use crate::model::field::{self, FieldId};
use crate::model::{Kind, Members, Value};
use std::sync::OnceLock;

/// A member and the facts that can give it, the first present one wins.
type Row = (FieldId, &'static [(Group, &'static str)]);

/// The precedence of every resolved member.
pub static PRECEDENCE: &[Row] = &[
    (
        field::IMAGE_WIDTH,
        &[(Group::Header, "ImageWidth"), (Group::Exif, "PixelXDimension"), (Group::Exif, "ImageWidth")],
    ),
    (
        field::IMAGE_HEIGHT,
        &[(Group::Header, "ImageHeight"), (Group::Exif, "PixelYDimension"), (Group::Exif, "ImageLength")],
    ),
    (
        field::ORIENTATION,
        &[(Group::Exif, "Orientation"), (Group::Header, "Orientation"), (Group::Xmp, "tiff:Orientation")],
    ),
    (
        field::PRODUCE_TIME,
        &[
            (Group::Time, "Original"),
            (Group::Time, "XmpOriginal"),
            (Group::Time, "IptcCreated"),
            (Group::Time, "Digitized"),
            (Group::Time, "XmpCreated"),
            (Group::Time, "IptcDigitized"),
            (Group::Time, "Created"),
            (Group::Time, "Gps"),
            (Group::Time, "Day"),
            (Group::Time, "Modified"),
        ],
    ),
    (field::LAT_LONG, &[(Group::Place, "Gps"), (Group::Place, "Xmp"), (Group::Place, "Container")]),
    (
        field::TITLE,
        &[
            (Group::Tag, "Title"),
            (Group::Document, "Title"),
            (Group::Xmp, "dc:title"),
            (Group::Iptc, "ObjectName"),
            (Group::Exif, "ImageTitle"),
            (Group::Exif, "XPTitle"),
            (Group::Iptc, "Headline"),
            (Group::Xmp, "photoshop:Headline"),
            (Group::Xmp, "dc:description"),
            (Group::Iptc, "Caption-Abstract"),
            (Group::Exif, "ImageDescription"),
        ],
    ),
    (
        field::ARTIST,
        &[
            (Group::Tag, "Artist"),
            (Group::Document, "Author"),
            (Group::Xmp, "dc:creator"),
            (Group::Xmp, "dc:creator/cc:Agent/dc:title"),
            (Group::Iptc, "By-line"),
            (Group::Exif, "Artist"),
            (Group::Exif, "Photographer"),
            (Group::Exif, "XPAuthor"),
        ],
    ),
    (field::ALBUM_ARTIST, &[(Group::Tag, "AlbumArtist")]),
    (field::ALBUM, &[(Group::Tag, "Album")]),
    (field::COMPOSER, &[(Group::Tag, "Composer")]),
    (field::PERFORMER, &[(Group::Tag, "Performer")]),
    (field::LANGUAGE, &[(Group::Tag, "Language"), (Group::Media, "Language")]),
    (field::FORMAT_NAME, &[(Group::Media, "FormatName")]),
    (field::FORMAT_LONG_NAME, &[(Group::Media, "FormatLongName")]),
    (field::DURATION, &[(Group::Media, "Duration")]),
    (field::BITRATE, &[(Group::Media, "Bitrate")]),
    (field::START_TIME, &[(Group::Media, "StartTime")]),
    (field::STREAM_COUNT, &[(Group::Media, "StreamCount")]),
    (field::PROGRAM_COUNT, &[(Group::Media, "ProgramCount")]),
    (field::VIDEO_WIDTH, &[(Group::Media, "VideoWidth")]),
    (field::VIDEO_HEIGHT, &[(Group::Media, "VideoHeight")]),
    (field::PAGE_COUNT, &[(Group::Document, "PageCount")]),
    (field::DOCUMENT_LANGUAGE, &[(Group::Document, "Language"), (Group::Document, "LanguageGuess")]),
];

/// One entry of the table turned round: what a fact may give, and at which rank.
struct Way {
    group: Group,
    tag: &'static str,
    row: usize,
    rank: usize,
}

fn ways() -> &'static [Way] {
    static WAYS: OnceLock<Vec<Way>> = OnceLock::new();
    WAYS.get_or_init(|| {
        let mut ways: Vec<Way> = Vec::new();
        for (row, (_, sources)) in PRECEDENCE.iter().enumerate() {
            for (rank, &(group, tag)) in sources.iter().enumerate() {
                ways.push(Way { group, tag, row, rank });
            }
        }
        ways.sort_by_key(|way| (way.group, way.tag));
        ways
    })
}

/// The fact that wins for each row of the table.
fn winners(facts: &[Fact]) -> Vec<Option<&Fact>> {
    let mut best: Vec<Option<(usize, &Fact)>> = vec![None; PRECEDENCE.len()];
    for fact in facts {
        let key = (fact.group, fact.tag.as_ref());
        let start = ways().partition_point(|way| (way.group, way.tag) < key);
        let found = ways().get(start..).unwrap_or(&[]);
        for way in found.iter().take_while(|way| (way.group, way.tag) == key) {
            if let Some(slot) = best.get_mut(way.row) {
                // Of equal rank the first fact wins: parsers add the main image's facts first.
                if slot.is_none_or(|(rank, _)| way.rank < rank) {
                    *slot = Some((way.rank, fact));
                }
            }
        }
    }
    best.into_iter().map(|slot| slot.map(|(_, fact)| fact)).collect()
}

/// Makes the members that the facts support.
pub(super) fn resolve(facts: &mut Facts, format: Format, size: u64, options: &Options) -> Members {
    let format = facts.refined.unwrap_or(format);
    let mut members = Members::new();
    let mut doubts = Vec::new();
    let mut zone_of = None;
    for ((field, _), fact) in PRECEDENCE.iter().zip(winners(&facts.facts)) {
        let Some(fact) = fact.map(|fact| full_time(fact, &facts.facts)) else { continue };
        if let (field::PRODUCE_TIME, Datum::Time(moment)) = (*field, &fact.value) {
            let zone = zone(moment, facts, options);
            members.set(field::PRODUCE_TIME_ZONE, zone.how());
            zone_of = Some((fact.format, fact.offset, zone));
        }
        match member(*field, fact, facts, options) {
            Some(value) => members.set(*field, value),
            None => doubts.push(doubt(*field, fact)),
        }
    }
    type_members(&mut members, facts, format);
    if format.media() == MediaType::Image {
        displayed(&members, facts);
        members.set(field::EXIF, exif_text::render(facts, format, size));
    }
    if let Some((of, offset, zone)) = zone_of {
        facts.add(of, Group::Time, "Zone", offset, zone.to_string());
    }
    credits::add(facts);
    doubts.into_iter().for_each(|warning| facts.warn(warning));
    members
}

/// A day without a time gives way to a full time on the same day.
fn full_time<'f>(fact: &'f Fact, facts: &'f [Fact]) -> &'f Fact {
    let day = |fact: &Fact| match &fact.value {
        Datum::Time(moment) => Some(moment.clock.date()),
        _ => None,
    };
    let same = |other: &&Fact| other.group == Group::Time && other.tag != "Day" && day(other) == day(fact);
    if (fact.group, &*fact.tag) != (Group::Time, "Day") {
        return fact;
    }
    facts.iter().find(same).unwrap_or(fact)
}

fn doubt(field: FieldId, fact: &Fact) -> Warning {
    let message = format!("{} {:?} does not fit {field}", fact.tag, fact.value);
    Warning { format: fact.format, offset: fact.offset, message }
}

/// The value of `field` that `fact` gives, `None` where it does not fit the field.
fn member(field: FieldId, fact: &Fact, facts: &Facts, options: &Options) -> Option<Value> {
    let value = match (field.field().kind, &fact.value) {
        _ if field == field::ARTIST => Value::from(everyone(fact, facts)?),
        (Kind::Time, Datum::Time(moment)) => Value::from(rfc3339(moment, zone(moment, facts, options))),
        (Kind::Geo, Datum::Place(place)) => Value::from(place.to_string()),
        (Kind::Int, Datum::Int(number)) => Value::Int(*number),
        (Kind::Int, Datum::Text(text)) => Value::Int(text.parse().ok()?),
        (Kind::Float, Datum::Float(number)) => Value::Float(*number),
        (Kind::Keyword | Kind::Text | Kind::Stored, Datum::Text(text)) => Value::from(&**text),
        _ => return None,
    };
    let turned = field != field::ORIENTATION || value.as_int().is_some_and(|turn| (1..=8).contains(&turn));
    (turned && value.check(field).is_ok()).then_some(value)
}

/// All that the same source names beside `fact`, once each: a work has as many creators as it has.
fn everyone(fact: &Fact, facts: &Facts) -> Option<String> {
    let Datum::Text(first) = &fact.value else { return None };
    let mut names: Vec<&str> = vec![first];
    let same = |other: &&Fact| (other.format, other.group, &other.tag) == (fact.format, fact.group, &fact.tag);
    for other in facts.facts.iter().filter(same).take(MOST_NAMES) {
        if let Datum::Text(name) = &other.value
            && !names.contains(&&**name)
        {
            names.push(name);
        }
    }
    Some(names.join("; "))
}

/// Names that one member lists.
const MOST_NAMES: usize = 64;

/// Adds the size that a viewer shows: of orientations from 5 on the sides are swapped (EXIF 2.32, 4.6.4 A).
fn displayed(members: &Members, facts: &mut Facts) {
    let number = |id| members.get(id).and_then(Value::as_int);
    let (Some(width), Some(height)) = (number(field::IMAGE_WIDTH), number(field::IMAGE_HEIGHT)) else { return };
    let turned = number(field::ORIENTATION).is_some_and(|turn| turn >= 5);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    facts.add("resolved", Group::Header, "DisplayWidth", 0, width);
    facts.add("resolved", Group::Header, "DisplayHeight", 0, height);
}

fn type_members(members: &mut Members, facts: &Facts, format: Format) {
    members.set(field::CONTENT_TYPE, format.content_type());
    members.set(field::MEDIA_TYPE, format.media().name());
    if !facts.content.is_empty() {
        members.set(field::DOCUMENT_CONTENT, facts.content.as_str());
    }
    members.set(field::VIDEO_STREAMS, Value::Rows(facts.video_streams.clone()));
    members.set(field::AUDIO_STREAMS, Value::Rows(facts.audio_streams.clone()));
    members.set(field::SUBTITLES, Value::Rows(facts.subtitles.clone()));
    members.set(field::LABELS, Value::Rows(labels::labels(facts)));
    let cover = |(width, height): &(u32, u32)| format!("{{\"ImageWidth\":{width},\"ImageHeight\":{height}}}");
    let covers: Vec<String> = facts.audio_covers.iter().map(cover).collect();
    if !covers.is_empty() {
        members.set(field::AUDIO_COVERS, Value::Json(format!("[{}]", covers.join(",")).into()));
    }
}

/// How an offset from UTC became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// The file states it.
    Stated(i32),
    /// The camera's clock compared with GPS time.
    FromGps(i32),
    /// Nobody knows; the option says.
    Assumed(i32),
}

/// Seconds in the quarter of an hour that time zones are multiples of.
const QUARTER: i64 = 15 * 60;
/// A GPS fix is at most this much older or newer than the picture for the difference to show the zone.
const SLACK: i64 = 150;

/// The documented rule: the stated offset; else GPS UTC time, if the difference is within 150 s of a multiple of 15
/// minutes between -12:00 and +14:00; else the assumed offset.
pub(super) fn zone(moment: &Moment, facts: &Facts, options: &Options) -> Zone {
    if let Some(offset) = moment.offset {
        return Zone::Stated(offset);
    }
    let gps = match facts.find(Group::Time, "Gps") {
        Some(Datum::Time(gps)) => from_gps(moment, gps),
        _ => None,
    };
    gps.map_or(Zone::Assumed(options.assume_offset), Zone::FromGps)
}

fn from_gps(moment: &Moment, gps: &Moment) -> Option<i32> {
    let ahead = moment.clock.duration_since(gps.clock).as_secs();
    let quarters = ahead.checked_add(QUARTER.checked_div(2)?)?.checked_div_euclid(QUARTER)?;
    let offset = quarters.checked_mul(QUARTER)?;
    let near = ahead.checked_sub(offset)?.abs() <= SLACK;
    let plausible = (-12 * 3600..=14 * 3600).contains(&offset);
    if near && plausible { i32::try_from(offset).ok() } else { None }
}

impl Zone {
    /// The value of `ProduceTimeZone`.
    fn how(self) -> &'static str {
        match self {
            Zone::Stated(_) => "stated",
            Zone::FromGps(_) => "from GPS time",
            Zone::Assumed(_) => "assumed",
        }
    }

    fn seconds(self) -> i32 {
        let (Zone::Stated(offset) | Zone::FromGps(offset) | Zone::Assumed(offset)) = self;
        offset
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.how(), hours_and_minutes(self.seconds()))
    }
}

fn hours_and_minutes(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs().checked_div(60).unwrap_or(0);
    let (hours, rest) = (minutes.checked_div(60).unwrap_or(0), minutes.checked_rem(60).unwrap_or(0));
    format!("{sign}{hours:02}:{rest:02}")
}

/// RFC 3339 (section 5.6). A stated offset of zero is written `Z`, a derived or assumed one `+00:00`.
fn rfc3339(moment: &Moment, zone: Zone) -> String {
    match zone {
        Zone::Stated(0) => format!("{}Z", moment.clock),
        zone => format!("{}{}", moment.clock, hours_and_minutes(zone.seconds())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;
    use jiff::civil::date;

    fn moment(hour: i8, minute: i8, offset: Option<i32>) -> Moment {
        Moment { clock: date(2020, 8, 19).at(hour, minute, 11, 0), offset }
    }

    fn produced(facts: &[(&'static str, Moment)], options: &Options) -> (String, String) {
        let mut all = Facts::new(&Limits::default());
        for (tag, moment) in facts {
            all.add("exif", Group::Time, *tag, 0, *moment);
        }
        let members = resolve(&mut all, Format::Jpeg, 1, options);
        let Some(Datum::Text(zone)) = all.find(Group::Time, "Zone") else { panic!("no zone") };
        assert!(zone.starts_with(members.text(field::PRODUCE_TIME_ZONE).unwrap()), "{zone}");
        (members.text(field::PRODUCE_TIME).unwrap().to_owned(), zone.to_string())
    }

    #[test]
    fn zones_are_stated_or_from_gps_or_assumed_and_say_so() {
        let options = Options { assume_offset: -19_800, ..Options::default() };
        let gps = |hour, minute| ("Gps", moment(hour, minute, Some(0)));
        let table = [
            (vec![("Original", moment(17, 11, Some(28_800))), gps(1, 0)], "17:11:11+08:00", "stated +08:00"),
            (vec![("Original", moment(17, 11, Some(0)))], "17:11:11Z", "stated +00:00"),
            (vec![("Original", moment(17, 11, None)), gps(9, 12)], "17:11:11+08:00", "from GPS time +08:00"),
            (vec![("Original", moment(3, 11, None)), gps(12, 41)], "03:11:11-09:30", "from GPS time -09:30"),
            // Five minutes off a zone: the fix was old.
            (vec![("Original", moment(17, 11, None)), gps(9, 6)], "17:11:11-05:30", "assumed -05:30"),
            (
                vec![("Modified", moment(1, 0, None)), ("Digitized", moment(2, 0, None))],
                "02:00:11-05:30",
                "assumed -05:30",
            ),
            (vec![gps(9, 11)], "09:11:11Z", "stated +00:00"),
            (vec![("Day", moment(0, 0, None)), ("Modified", moment(5, 0, Some(0)))], "05:00:11Z", "stated +00:00"),
        ];
        for (facts, time, zone) in table {
            assert_eq!(produced(&facts, &options), (format!("2020-08-19T{time}"), zone.to_owned()));
        }
    }

    #[test]
    fn the_best_rank_wins_and_of_equals_the_first() {
        let mut facts = Facts::new(&Limits::default());
        facts.add("exif", Group::Exif, "ImageDescription", 0, "a description");
        facts.add("exif", Group::Exif, "XPTitle", 0, "a title");
        facts.add("exif", Group::Exif, "XPTitle", 0, "another title");
        facts.add("exif", Group::Exif, "PixelXDimension", 0, "320");
        facts.add("exif", Group::Exif, "PixelYDimension", 0, "many");
        let members = resolve(&mut facts, Format::Jpeg, 7, &Options::default());
        assert_eq!(members.text(field::TITLE), Some("a title"));
        assert_eq!(members.get(field::IMAGE_WIDTH).and_then(Value::as_int), Some(320));
        assert_eq!(members.get(field::IMAGE_HEIGHT), None);
        assert_eq!(facts.warnings.len(), 1);
        let exif = members.text(field::EXIF).unwrap();
        assert!(exif.starts_with(r#"{"FileSize":{"value":"7"},"Format":{"value":"jpg"},"#), "{exif}");
    }

    #[test]
    fn creators_are_joined_and_impossible_orientations_are_doubted() {
        let mut facts = Facts::new(&Limits::default());
        for name in ["Ann", "Bo", "Ann"] {
            facts.add("xmp", Group::Xmp, "dc:creator", 0, name);
        }
        facts.add("iptc", Group::Iptc, "By-line", 0, "cut");
        facts.add("xmp", Group::Xmp, "tiff:Orientation", 0, "9");
        facts.add("png", Group::Header, "ImageWidth", 0, 3_i64);
        facts.add("png", Group::Header, "ImageHeight", 0, 2_i64);
        let members = resolve(&mut facts, Format::Png, 7, &Options::default());
        assert_eq!(members.text(field::ARTIST), Some("Ann; Bo"));
        assert_eq!((members.get(field::ORIENTATION), facts.warnings.len()), (None, 1));
        assert_eq!(facts.find(Group::Header, "DisplayWidth"), Some(&Datum::Int(3)));
    }

    #[test]
    fn every_row_names_a_field_once() {
        let fields: std::collections::BTreeSet<_> = PRECEDENCE.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields.len(), PRECEDENCE.len());
    }
}
