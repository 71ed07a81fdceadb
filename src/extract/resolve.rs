//! Facts to members: one table says which fact wins for which member. `docs/extraction.md` shows the same table.

use super::facts::{Datum, Fact, Facts, Group, Moment};
use super::sniff::{Format, MediaType};
use super::warning::Warning;
use super::{Options, exif_text};
use crate::model::field::{self, FieldId};
use crate::model::{Kind, Members, Value};
use std::sync::OnceLock;

/// A member and the facts that can give it, the first present one wins.
type Row = (FieldId, &'static [(Group, &'static str)]);

/// The precedence of every resolved member.
pub static PRECEDENCE: &[Row] = &[
    (field::IMAGE_WIDTH, &[(Group::Header, "ImageWidth")]),
    (field::IMAGE_HEIGHT, &[(Group::Header, "ImageHeight")]),
    (field::ORIENTATION, &[(Group::Exif, "Orientation"), (Group::Header, "Orientation")]),
    (
        field::PRODUCE_TIME,
        &[
            (Group::Time, "Original"),
            (Group::Time, "Digitized"),
            (Group::Time, "Created"),
            (Group::Time, "Modified"),
            (Group::Time, "Gps"),
        ],
    ),
    (field::LAT_LONG, &[(Group::Place, "Gps"), (Group::Place, "Container")]),
    (field::TITLE, &[(Group::Tag, "Title"), (Group::Exif, "XPTitle"), (Group::Exif, "ImageDescription")]),
    (field::ARTIST, &[(Group::Tag, "Artist"), (Group::Exif, "Artist"), (Group::Exif, "XPAuthor")]),
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

/// Makes the members that the facts support.
pub(super) fn resolve(facts: &mut Facts, format: Format, size: u64, options: &Options) -> Members {
    let mut best: Vec<Option<(usize, &Fact)>> = vec![None; PRECEDENCE.len()];
    for fact in &facts.facts {
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
    let mut members = Members::new();
    let mut doubts = Vec::new();
    for ((field, _), fact) in PRECEDENCE.iter().zip(&best) {
        let Some((_, fact)) = *fact else { continue };
        match member(*field, fact, facts, options) {
            Some(value) => members.set(*field, value),
            None => doubts.push(doubt(*field, fact)),
        }
    }
    type_members(&mut members, facts, format);
    if facts.refined.unwrap_or(format).media() == MediaType::Image {
        members.set(field::EXIF, exif_text::render(facts, facts.refined.unwrap_or(format), size));
    }
    for warning in doubts {
        facts.warn(warning);
    }
    members
}

fn doubt(field: FieldId, fact: &Fact) -> Warning {
    let message = format!("{} {:?} does not fit {field}", fact.tag, fact.value);
    Warning { format: fact.format, offset: fact.offset, message }
}

/// The value of `field` that `fact` gives, `None` where it does not fit the field.
fn member(field: FieldId, fact: &Fact, facts: &Facts, options: &Options) -> Option<Value> {
    let value = match (field.field().kind, &fact.value) {
        (Kind::Time, Datum::Time(moment)) => Value::from(rfc3339(moment, zone(moment, facts, options))),
        (Kind::Geo, Datum::Place(place)) => Value::from(place.to_string()),
        (Kind::Int, Datum::Int(number)) => Value::Int(*number),
        (Kind::Float, Datum::Float(number)) => Value::Float(*number),
        (Kind::Keyword | Kind::Text | Kind::Stored, Datum::Text(text)) => Value::Text(text.clone()),
        _ => return None,
    };
    value.check(field).ok().map(|()| value)
}

fn type_members(members: &mut Members, facts: &mut Facts, format: Format) {
    let format = facts.refined.unwrap_or(format);
    members.set(field::CONTENT_TYPE, format.content_type());
    members.set(field::MEDIA_TYPE, format.media().name());
    members.set(field::VIDEO_STREAMS, Value::Rows(facts.video_streams.clone()));
    members.set(field::AUDIO_STREAMS, Value::Rows(facts.audio_streams.clone()));
    members.set(field::SUBTITLES, Value::Rows(facts.subtitles.clone()));
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

/// RFC 3339 (section 5.6). A stated offset of zero is written `Z`, a derived or assumed one `+00:00`.
fn rfc3339(moment: &Moment, zone: Zone) -> String {
    let (Zone::Stated(offset) | Zone::FromGps(offset) | Zone::Assumed(offset)) = zone;
    if matches!(zone, Zone::Stated(0)) {
        return format!("{}Z", moment.clock);
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs().checked_div(60).unwrap_or(0);
    let (hours, rest) = (minutes.checked_div(60).unwrap_or(0), minutes.checked_rem(60).unwrap_or(0));
    format!("{}{sign}{hours:02}:{rest:02}", moment.clock)
}
