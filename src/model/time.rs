//! Times: RFC 3339 text outside, nanoseconds since 1970 inside.

use super::query::Calendar;
use crate::error::{Error, Result};
use std::fmt;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, years 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Parses RFC 3339 (`2024-05-01T08:00:00.25+08:00`).
    pub fn parse(text: &str) -> Result<Timestamp> {
        if let Some(seconds) = parse_plain_utc(text.as_bytes()) {
            return Ok(Timestamp(seconds * 1_000_000_000));
        }
        let parsed: Option<jiff::Timestamp> = text.parse().ok();
        let nanos = parsed.and_then(|t| i64::try_from(t.as_nanosecond()).ok());
        nanos.map(Timestamp).ok_or_else(|| {
            Error::invalid(format!("expected an RFC 3339 time between the years 1678 and 2261, got {text:?}"))
        })
    }
}

impl Timestamp {
    /// The calendar interval in UTC that holds this instant: nanoseconds of its beginning and of its end, which belongs to
    /// the next. At the ends of time it is cut off.
    pub fn interval(self, calendar: Calendar) -> (i64, i64) {
        let cut = || (self.0, self.0.saturating_add(1));
        let Ok(instant) = jiff::Timestamp::from_nanosecond(i128::from(self.0)) else { return cut() };
        let time = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let (month, day, hour, span) = match calendar {
            Calendar::Year => (1, 1, 0, jiff::Span::new().years(1)),
            Calendar::Month => (time.month(), 1, 0, jiff::Span::new().months(1)),
            Calendar::Day => (time.month(), time.day(), 0, jiff::Span::new().days(1)),
            Calendar::Hour => (time.month(), time.day(), time.hour(), jiff::Span::new().hours(1)),
        };
        let nanos = |time: jiff::civil::DateTime| {
            let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            let nanos = zoned.timestamp().as_nanosecond();
            Some(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
        };
        let from = jiff::civil::DateTime::new(time.year(), month, day, hour, 0, 0, 0).ok();
        let bounds = from.and_then(|from| Some((nanos(from)?, nanos(from.checked_add(span).ok()?)?)));
        bounds.unwrap_or_else(cut)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

/// The present instant of the wall clock.
pub fn now() -> Timestamp {
    Timestamp(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}

/// `YYYY-MM-DDTHH:MM:SSZ`, by far the most frequent form, without a general parser.
/// Days since 1970 after Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn parse_plain_utc(text: &[u8]) -> Option<i64> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'Z'] = text else {
        return None;
    };
    let number =
        |digits: &[u8]| digits.iter().try_fold(0i64, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')));
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?);
    // Days 29 to 31 and leap seconds need the calendar: left to the general parser.
    if !(1700..=2200).contains(&year) || !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_form_agrees_with_the_general_parser() {
        for text in ["2000-02-28T23:59:59Z", "1970-01-01T00:00:00Z", "2024-12-01T12:30:00Z", "1969-07-20T20:17:40Z"] {
            let general: jiff::Timestamp = text.parse().unwrap();
            assert_eq!(Timestamp::parse(text).unwrap().0 as i128, general.as_nanosecond(), "{text}");
        }
    }

    #[test]
    fn intervals_follow_the_calendar() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (calendar, from, to) in [
            (Calendar::Year, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            (Calendar::Month, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Calendar::Day, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Calendar::Hour, "2024-02-29T23:00:00Z", "2024-03-01T00:00:00Z"),
        ] {
            assert_eq!(at("2024-02-29T23:59:59.9Z").interval(calendar), (at(from).0, at(to).0));
            assert_eq!(at(from).interval(calendar).0, at(from).0);
        }
        for edge in [i64::MIN, i64::MAX] {
            let (from, to) = Timestamp(edge).interval(Calendar::Year);
            assert!(from <= edge && edge <= to);
        }
    }

    #[test]
    fn instants_not_texts_compare() {
        let east = Timestamp::parse("2020-08-19T17:11:11+08:00").unwrap();
        assert_eq!(east, Timestamp::parse("2020-08-19T09:11:11.000Z").unwrap());
        for bad in ["", "2020", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z", "9999-01-01T00:00:00Z", "yesterday"] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }
}
