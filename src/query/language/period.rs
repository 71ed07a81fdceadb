//! Calendar periods: `2024`, `2024-05`, `2024-05-01`, `2024-05-01T08`, `2024-05-01T08:30`; with seconds, an instant.

use crate::model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span, ToSpan};

/// What a time must look like.
pub(super) const EXPECTED: &str = "a time such as 2024, 2024-05, 2024-05-01, 2024-05-01T08:30 or 2024-05-01T08:30:00+08:00 between the years 1678 and 2261";

/// A length of time, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    /// Its first instant.
    pub(super) start: Timestamp,
    /// The first instant after it; `None` for an instant.
    pub(super) end: Option<Timestamp>,
}

/// Reads a period: in UTC, unless an offset such as `+08:00` follows.
pub(super) fn parse(text: &str) -> Option<Period> {
    let (local, offset) = split_offset(text)?;
    let (date, clock) = match local.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (local, None),
    };
    if clock.is_some_and(|clock| clock.matches(':').count() == 2) {
        let zone = if local.len() == text.len() { "Z" } else { "" };
        return Timestamp::parse(&format!("{text}{zone}")).ok().map(|start| Period { start, end: None });
    }
    let mut date = date.split('-');
    let year = number(date.next()?, 4)?;
    let (month, day) = (date.next().map(two), date.next().map(two));
    let mut clock = clock.map(|clock| clock.split(':'));
    let hour = clock.as_mut().and_then(Iterator::next).map(two);
    let minute = clock.as_mut().and_then(Iterator::next).map(two);
    if date.next().is_some() || !(1678..=2261).contains(&year) {
        return None;
    }
    let length: Span = match (month, day, hour, minute) {
        (None, None, None, None) => 1.year(),
        (Some(_), None, None, None) => 1.month(),
        (Some(_), Some(_), None, None) => 1.day(),
        (Some(_), Some(_), Some(_), None) => 1.hour(),
        (Some(_), Some(_), Some(_), Some(_)) => 1.minute(),
        _ => return None,
    };
    let or = |part: Option<Option<i8>>, default: i8| part.unwrap_or(Some(default));
    let start = DateTime::new(year, or(month, 1)?, or(day, 1)?, or(hour, 0)?, or(minute, 0)?, 0, 0).ok()?;
    let end = start.checked_add(length).ok()?;
    Some(Period { start: instant(start, offset)?, end: Some(instant(end, offset)?) })
}

/// The local time and its offset: `Z`, `+08:00`, or none, which is UTC.
fn split_offset(text: &str) -> Option<(&str, Offset)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, Offset::UTC));
    }
    let split = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at));
    let Some((local, offset)) = split.filter(|(_, offset)| offset.starts_with(['+', '-']) && offset.contains(':'))
    else {
        return Some((text, Offset::UTC));
    };
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (i32::from(two(hours)?), i32::from(two(minutes)?));
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some((local, Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

fn two(text: &str) -> Option<i8> {
    number(text, 2).and_then(|number| i8::try_from(number).ok())
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i16> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn instant(local: DateTime, offset: Offset) -> Option<Timestamp> {
    let nanos = offset.to_timestamp(local).ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn periods_begin_and_end_with_the_calendar() {
        for (text, start, end) in [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-12", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-05-01T08", "2024-05-01T08:00:00Z", "2024-05-01T09:00:00Z"),
            ("2024-05-01T23:59", "2024-05-01T23:59:00Z", "2024-05-02T00:00:00Z"),
            ("2024-05-01 08:30", "2024-05-01T08:30:00Z", "2024-05-01T08:31:00Z"),
            ("2024+08:00", "2023-12-31T16:00:00Z", "2024-12-31T16:00:00Z"),
            ("2024-05-07:30", "2024-05-01T07:30:00Z", "2024-06-01T07:30:00Z"),
            ("2024-05-01-08:00", "2024-05-01T08:00:00Z", "2024-05-02T08:00:00Z"),
            ("2024-05-01T08Z", "2024-05-01T08:00:00Z", "2024-05-01T09:00:00Z"),
            ("2261", "2261-01-01T00:00:00Z", "2262-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text), Some(Period { start: at(start), end: Some(at(end)) }), "{text}");
        }
        for (text, instant) in [
            ("2024-05-01T08:30:15", "2024-05-01T08:30:15Z"),
            ("2024-05-01T08:30:15.25z", "2024-05-01T08:30:15.25Z"),
            ("2024-05-01T08:30:15+08:00", "2024-05-01T00:30:15Z"),
        ] {
            assert_eq!(parse(text), Some(Period { start: at(instant), end: None }), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "24",
            "2024-",
            "2024-5",
            "2024-13",
            "2023-02-29",
            "2024-05-01T",
            "2024-05T08",
            "2024-05-01T24",
            "1677",
            "2262",
            "2024-05-01T08:60",
            "2024-05-01-02",
            "yesterday",
            "2024-05-01T08:30:99",
            "2024+8:00",
            "2024+24:00",
            "+08:00",
            "Z",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
            "2024-05-01T08:30:15T",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
