//! The message in which a worker says what a file says: sections, each at most once, in ascending order.

use super::members::{self, finite};
use super::names;
use super::{Kind, finished, pixels};
use crate::analyze::Picture;
use crate::codec::Take;
use crate::codec::take::{put_counted, put_signed, put_varint};
use crate::error::{Error, Result};
use crate::extract::{Datum, Extracted, Fact, Group, Moment, Warning};
use crate::isolate::Outcome;
use crate::model::LatLong;

/// Members of the document.
const MEMBERS: u8 = 1;
/// What was wrong with the file.
const WARNINGS: u8 = 2;
/// How many bytes were read, and where.
const READING: u8 = 3;
/// Facts with their provenance.
const FACTS: u8 = 4;
/// The decoded picture, or why there is none.
const PIXELS: u8 = 5;

const TEXT: u8 = 0;
const INT: u8 = 1;
const FLOAT: u8 = 2;
const TIME: u8 = 3;
const PLACE: u8 = 4;

/// Bytes that each section but pixels may take: members, warnings, ranges and facts fit one message together.
const ROOM: usize = (8 << 20) / 5;

/// Groups by their number on the wire.
const GROUPS: [Group; 14] = [
    Group::Header,
    Group::Exif,
    Group::Gps,
    Group::Maker,
    Group::Xmp,
    Group::Iptc,
    Group::Icc,
    Group::Time,
    Group::Place,
    Group::Media,
    Group::Document,
    Group::Digest,
    Group::Archive,
    Group::Tag,
];

/// What came of a job that its worker survived.
#[derive(Debug)]
pub struct Reply {
    /// Number of the job.
    pub number: u64,
    /// `Ok`, `Partial`, or why there is nothing.
    pub outcome: Outcome,
    /// In words, where there is nothing.
    pub message: String,
    /// What the file says.
    pub extracted: Extracted,
    /// The decoded picture or why there is none, where that was wanted.
    pub picture: Option<Result<Picture>>,
}

impl Reply {
    /// Whether the worker ends after it, or may: it panicked, whether or not because memory was refused.
    pub(in crate::isolate) fn is_last(&self) -> bool {
        let nothing = self.extracted.members.is_empty() && self.picture.is_none();
        self.outcome == Outcome::Crashed || (self.outcome == Outcome::LimitMemory && nothing)
    }

    /// The message. What does not fit is left out from the end: facts first, then ranges and warnings. `None` if the
    /// members alone are too long.
    pub fn encode(&self, evidence: bool) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(1024);
        self.encode_to(evidence, &mut out).then_some(out)
    }

    /// Appends the message; `false`, with a part of it appended, if the members alone are too long.
    pub(in crate::isolate) fn encode_to(&self, evidence: bool, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        out.push(Kind::Reply.tag());
        put_varint(out, self.number);
        out.push(self.outcome.code());
        put_counted(out, self.message.as_bytes());
        section(out, MEMBERS, |out| members::put(out, &self.extracted.members));
        if out.len() - before > ROOM {
            return false;
        }
        section(out, WARNINGS, |out| put_list(out, &self.extracted.warnings, put_warning));
        let ranges = if evidence { self.extracted.ranges.as_slice() } else { &[] };
        section(out, READING, |out| {
            put_varint(out, self.extracted.bytes_read);
            put_list(out, ranges, |out, range| {
                put_varint(out, range.start);
                put_varint(out, range.end.saturating_sub(range.start));
            });
        });
        if evidence {
            section(out, FACTS, |out| put_list(out, &self.extracted.facts, put_fact));
        }
        if let Some(picture) = &self.picture {
            section(out, PIXELS, |out| pixels::put(out, picture));
        }
        true
    }

    /// Reads the body of a message.
    pub fn decode(mut take: Take<'_>) -> Result<Reply> {
        let number = take.varint("job")?;
        let code = take.u8("outcome")?;
        let outcome = Outcome::from_code(code)
            .ok_or_else(|| Error::corrupted(format!("expected the code of an outcome, got {code}")))?;
        let message = take.text("message")?.to_owned();
        let (mut extracted, mut picture, mut last) = (Extracted::default(), None, 0);
        while !take.is_empty() {
            let tag = take.u8("section")?;
            if tag <= last {
                return Err(Error::corrupted(format!("expected a section beyond {last}, got {tag}")));
            }
            last = tag;
            let mut body = Take::new(take.counted("section")?);
            match tag {
                MEMBERS => extracted.members = members::take(&mut body, None)?,
                WARNINGS => extracted.warnings = take_list(&mut body, 3, take_warning)?,
                READING => {
                    extracted.bytes_read = body.varint("bytes read")?;
                    extracted.ranges = take_list(&mut body, 2, |take| {
                        let start = take.varint("start of a range")?;
                        Ok(start..start.saturating_add(take.varint("length of a range")?))
                    })?;
                }
                FACTS => extracted.facts = take_list(&mut body, 6, take_fact)?,
                PIXELS => {
                    // It is the rest of its section.
                    picture = Some(pixels::take(body)?);
                    continue;
                }
                other => return Err(Error::corrupted(format!("expected a section of a reply, got {other}"))),
            }
            finished(body)?;
        }
        Ok(Reply { number, outcome, message, extracted, picture })
    }
}

/// Appends a section: tag, length, body.
fn section(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let at = out.len();
    fill(out);
    // The length is known now: the body moves behind it.
    let (end, mut length) = (out.len(), Vec::with_capacity(5));
    put_varint(&mut length, (end - at) as u64);
    out.resize(end + length.len(), 0);
    out.copy_within(at..end, at + length.len());
    out.iter_mut().skip(at).zip(length).for_each(|(to, from)| *to = from);
}

/// Appends as many items as fit one message, after their number.
fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    let (mut body, mut count) = (Vec::new(), 0u64);
    for item in items {
        let before = body.len();
        put(&mut body, item);
        if body.len() > ROOM {
            body.truncate(before);
            break;
        }
        count += 1;
    }
    put_varint(out, count);
    out.extend_from_slice(&body);
}

fn take_list<T>(take: &mut Take<'_>, least: usize, mut item: impl FnMut(&mut Take<'_>) -> Result<T>) -> Result<Vec<T>> {
    let count = take.count(least, "entries of a section")?;
    // Grown as entries come: a claim costs nothing.
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(item(take)?);
    }
    Ok(items)
}

fn put_warning(out: &mut Vec<u8>, warning: &Warning) {
    put_counted(out, warning.format.as_bytes());
    put_varint(out, warning.offset);
    put_counted(out, warning.message.as_bytes());
}

fn take_warning(take: &mut Take<'_>) -> Result<Warning> {
    let format = names::kept(take.text("format")?);
    Ok(Warning { format, offset: take.varint("offset")?, message: take.text("message")?.to_owned() })
}

fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    put_counted(out, fact.format.as_bytes());
    out.push(GROUPS.iter().position(|group| *group == fact.group).unwrap_or(0) as u8);
    put_counted(out, fact.tag.as_bytes());
    put_varint(out, fact.offset);
    match &fact.value {
        Datum::Text(text) => {
            out.push(TEXT);
            put_counted(out, text.as_bytes());
        }
        Datum::Int(number) => {
            out.push(INT);
            put_signed(out, *number);
        }
        Datum::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Datum::Time(moment) => {
            out.push(TIME);
            put_counted(out, moment.clock.to_string().as_bytes());
            out.push(u8::from(moment.offset.is_some()));
            put_signed(out, i64::from(moment.offset.unwrap_or(0)));
        }
        Datum::Place(place) => {
            out.push(PLACE);
            out.extend_from_slice(&place.lat.to_bits().to_le_bytes());
            out.extend_from_slice(&place.lon.to_bits().to_le_bytes());
        }
    }
}

fn take_fact(take: &mut Take<'_>) -> Result<Fact> {
    let format = names::kept(take.text("format")?);
    let group = usize::from(take.u8("group")?);
    let group = *GROUPS.get(group).ok_or_else(|| Error::corrupted(format!("expected a group, got {group}")))?;
    let tag = take.text("tag")?.to_owned().into();
    Ok(Fact { format, group, tag, offset: take.varint("offset")?, value: take_datum(take)? })
}

fn take_datum(take: &mut Take<'_>) -> Result<Datum> {
    Ok(match take.u8("type of a fact")? {
        TEXT => Datum::Text(take.text("text")?.into()),
        INT => Datum::Int(take.signed("number")?),
        FLOAT => Datum::Float(finite(f64::from_bits(take.u64("number")?))?),
        TIME => Datum::Time(take_moment(take)?),
        PLACE => {
            let (lat, lon) = (f64::from_bits(take.u64("latitude")?), f64::from_bits(take.u64("longitude")?));
            let place = LatLong::new(lat, lon);
            Datum::Place(place.ok_or_else(|| Error::corrupted(format!("expected a place, got {lat}, {lon}")))?)
        }
        other => return Err(Error::corrupted(format!("expected the type of a fact, got {other}"))),
    })
}

fn take_moment(take: &mut Take<'_>) -> Result<Moment> {
    let text = take.text("time")?;
    let clock = text.parse().map_err(|_| Error::corrupted(format!("expected a date and time, got {text:?}")))?;
    let (known, seconds) = (take.u8("offset from UTC")?, take.signed("offset from UTC")?);
    let offset = match (known, i32::try_from(seconds)) {
        (0, Ok(0)) => None,
        (1, Ok(seconds)) => Some(seconds),
        _ => return Err(Error::corrupted(format!("expected an offset from UTC, got {known} and {seconds}"))),
    };
    Ok(Moment { clock, offset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Hint, Options, extract};
    use proptest::prelude::*;

    fn sample(name: &str) -> Reply {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample").join(name);
        let bytes = std::fs::read(path).unwrap();
        let extracted = extract(&bytes, &Hint { name }, &Options::default()).unwrap();
        Reply { number: 9, outcome: Outcome::Partial, message: "m".into(), extracted, picture: None }
    }

    fn read(message: &[u8]) -> Result<Reply> {
        let (kind, take) = Kind::of(message)?;
        assert_eq!(kind, Kind::Reply);
        Reply::decode(take)
    }

    #[test]
    fn what_a_file_says_comes_through_unchanged() {
        for name in ["photos/2022/Reykjavik/IMG_2041.jpg", "videos/ferry.mp4", "documents/shots.csv"] {
            let sent = sample(name);
            let came = read(&sent.encode(true).unwrap()).unwrap();
            assert_eq!((came.number, came.outcome, came.message.as_str()), (9, Outcome::Partial, "m"));
            assert_eq!(came.extracted.members, sent.extracted.members, "{name}");
            assert_eq!(came.extracted.facts, sent.extracted.facts, "{name}");
            assert_eq!(came.extracted.warnings, sent.extracted.warnings);
            assert_eq!(came.extracted.ranges, sent.extracted.ranges);
            assert_eq!(came.extracted.bytes_read, sent.extracted.bytes_read);
            let plain = read(&sent.encode(false).unwrap()).unwrap();
            assert!(plain.extracted.facts.is_empty() && plain.extracted.ranges.is_empty());
        }
    }

    #[test]
    fn a_cut_or_changed_reply_is_refused_or_read_but_never_a_panic() {
        let message = sample("photos/2022/Reykjavik/IMG_2041.jpg").encode(true).unwrap();
        let mut refused = 0;
        for at in 1..message.len() {
            refused += u32::from(read(&message[..at]).is_err());
            let mut other = message.clone();
            other[at] ^= 0x81;
            let _any = read(&other);
        }
        // A cut between two sections leaves a shorter reply that is whole.
        assert!(refused as usize >= message.len() - 6, "{refused} of {}", message.len());
    }

    #[test]
    fn members_must_belong_where_they_are_and_stand_in_order() {
        let section = |body: &[u8]| [&[Kind::Reply.tag(), 1, 0, 0, MEMBERS, body.len() as u8], body].concat();
        assert!(read(&section(&[1, 20, TEXT, 1, b'a'])).is_ok());
        for body in [
            &[2, 20, TEXT, 1, b'a', 20, TEXT, 1, b'b'][..],
            &[1, 0, TEXT, 1, b'a'],
            &[1, 20, 9, 1, b'a'],
            &[1, 20, TEXT, 1, 0xFF],
            &[200, 1, 20, TEXT],
            &[1, 20, TEXT, 1, b'a', 0],
        ] {
            assert!(read(&section(body)).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            let _any = read(&[&[Kind::Reply.tag(), 1, 0, 0], &bytes[..]].concat());
        }
    }
}
