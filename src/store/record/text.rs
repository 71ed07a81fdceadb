//! Texts that a few bytes can give back letter by letter: times, points, hexadecimal and decimal numbers.

use crate::codec::Take;
use crate::codec::take::{put_counted, put_signed, put_varint};
use crate::error::{Error, Result};

/// Flag of a time: written with `Z` rather than an offset.
const ZULU: u8 = 0x10;

/// An RFC 3339 time as written: calendar time, number of fraction digits, and offset (RFC 3339, section 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// Seconds from 1970-01-01T00:00:00 to the calendar time, whatever the offset.
    seconds: i64,
    digits: u8,
    fraction: u32,
    /// Minutes east; `None` is `Z`.
    offset: Option<i16>,
}

/// Reads exactly `count` digits off the front.
fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let number = head.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))?;
    Some((number, rest))
}

/// Reads one given letter off the front.
fn letter(text: &[u8], expected: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == expected).map(|(_, rest)| rest)
}

impl Time {
    /// Parses a time that [`Time::to_text`] gives back unchanged; `None` for all others.
    pub(super) fn parse(text: &str) -> Option<Time> {
        let (year, rest) = digits(text.as_bytes(), 4)?;
        let (month, rest) = digits(letter(rest, b'-')?, 2)?;
        let (day, rest) = digits(letter(rest, b'-')?, 2)?;
        let (hour, rest) = digits(letter(rest, b'T')?, 2)?;
        let (minute, rest) = digits(letter(rest, b':')?, 2)?;
        let (second, rest) = digits(letter(rest, b':')?, 2)?;
        let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !valid || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (digits, fraction, rest) = parse_fraction(rest)?;
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Time { seconds, digits, fraction, offset: parse_offset(rest)? })
    }

    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.push(self.digits | if self.offset.is_none() { ZULU } else { 0 });
        put_signed(out, self.seconds);
        if self.digits > 0 {
            put_varint(out, u64::from(self.fraction));
        }
        if let Some(minutes) = self.offset {
            put_signed(out, i64::from(minutes));
        }
    }

    pub(super) fn take(take: &mut Take<'_>) -> Result<Time> {
        let form = take.u8("time form")?;
        let seconds = take.signed("time seconds")?;
        let digits = form & 0x0F;
        let fraction = if digits > 0 { take.varint("time fraction")? } else { 0 };
        let offset = if form & ZULU == 0 { Some(take.signed("time offset")?) } else { None };
        let wrong = || Error::corrupted(format!("record: expected a time of the years 0 to 9999, got form {form:#x}"));
        // Years 0000 to 9999.
        let valid = (-62_167_219_200..253_402_300_800).contains(&seconds)
            && digits <= 9
            && fraction < 10u64.pow(u32::from(digits))
            && offset.is_none_or(|minutes| minutes.unsigned_abs() < 24 * 60);
        if !valid {
            return Err(wrong());
        }
        let offset = offset.map(i16::try_from).transpose().map_err(|_| wrong())?;
        Ok(Time { seconds, digits, fraction: u32::try_from(fraction).map_err(|_| wrong())?, offset })
    }

    pub(super) fn to_text(self) -> String {
        use std::fmt::Write;
        let (year, month, day) = civil(self.seconds.div_euclid(86_400));
        let of_day = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        // Writing to a String cannot fail.
        let _ok = match self.digits {
            0 => Ok(()),
            digits => write!(text, ".{:0width$}", self.fraction, width = usize::from(digits)),
        };
        let _ok = match self.offset {
            None => write!(text, "Z"),
            Some(minutes) => {
                let (sign, size) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
                write!(text, "{sign}{:02}:{:02}", size / 60, size % 60)
            }
        };
        text
    }
}

fn parse_fraction(text: &[u8]) -> Option<(u8, u32, &[u8])> {
    let Some(rest) = letter(text, b'.') else { return Some((0, 0, text)) };
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = if (1..=9).contains(&count) { digits(rest, count)? } else { return None };
    Some((count as u8, u32::try_from(number).ok()?, rest))
}

fn parse_offset(text: &[u8]) -> Option<Option<i16>> {
    if text == b"Z" {
        return Some(None);
    }
    let (sign, rest) = text.split_first()?;
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(letter(rest, b':')?, 2)?;
    let size = i16::try_from(hours * 60 + minutes).ok()?;
    match sign {
        _ if hours > 23 || minutes > 59 || !rest.is_empty() => None,
        b'+' => Some(Some(size)),
        // "-00:00" says that the offset is unknown (RFC 3339, section 4.3): it stays text.
        b'-' if size > 0 => Some(Some(-size)),
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar: whole years before, then whole months.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let months: i64 = (1..month).map(|m| days_in(year, m)).sum();
    year_start(year) + months + day - 1
}

/// Days from 1970-01-01 to the first of January.
fn year_start(year: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    before * 365 + leap_days - 719_162
}

/// The date of a day count: the inverse of [`days`].
fn civil(day: i64) -> (i64, i64, i64) {
    // 146,097 days in 400 years; the guess is at most one year off.
    let mut year = 1970 + (day * 400).div_euclid(146_097);
    while year_start(year) > day {
        year -= 1;
    }
    while year_start(year + 1) <= day {
        year += 1;
    }
    let (mut month, mut left) = (1, day - year_start(year));
    while left >= days_in(year, month) {
        left -= days_in(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

/// A point with exactly six decimals each, as millionths of a degree.
pub(super) fn parse_point(text: &str) -> Option<(i64, i64)> {
    let (lat, lon) = text.split_once(',')?;
    Some((parse_millionths(lat)?, parse_millionths(lon)?))
}

fn parse_millionths(text: &str) -> Option<i64> {
    let (negative, plain) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = plain.split_once('.')?;
    let canonical = whole == "0" || !whole.starts_with('0');
    if !canonical || !(1..=3).contains(&whole.len()) || fraction.len() != 6 {
        return None;
    }
    let (whole, _) = digits(whole.as_bytes(), whole.len())?;
    let (fraction, _) = digits(fraction.as_bytes(), 6)?;
    let number = whole * 1_000_000 + fraction;
    // "-0.000000" has no integer of its own.
    if negative { (number > 0).then_some(-number) } else { Some(number) }
}

/// The inverse of [`parse_point`].
pub(super) fn point_text(lat: i64, lon: i64) -> String {
    let (lat_sign, lon_sign) = (if lat < 0 { "-" } else { "" }, if lon < 0 { "-" } else { "" });
    let (lat, lon) = (lat.unsigned_abs(), lon.unsigned_abs());
    let split = |n: u64| (n / 1_000_000, n % 1_000_000);
    let ((a, b), (c, d)) = (split(lat), split(lon));
    format!("{lat_sign}{a}.{b:06},{lon_sign}{c}.{d:06}")
}

/// A whole number below 2^64 without leading zeros, of at least six digits (fewer are as short as text).
pub(super) fn parse_digits(text: &str) -> Option<u64> {
    let plain = text.len() >= 6 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Flags of a hexadecimal text: capital letters; in double quotes, as an ETag is.
const UPPER: u8 = 1;
const QUOTED: u8 = 2;

/// The form and the digits of a text that is hexadecimal throughout, at least eight digits, in one case.
pub(super) fn hex_form(text: &str) -> Option<(u8, &str)> {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let (quoted, digits) = inner.map_or((0, text), |inner| (QUOTED, inner));
    if digits.len() < 8 || !digits.len().is_multiple_of(2) {
        return None;
    }
    let all = |is: fn(u8) -> bool| digits.bytes().all(is);
    if all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        Some((quoted, digits))
    } else if all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')) {
        Some((quoted | UPPER, digits))
    } else {
        None
    }
}

/// Appends the bytes of hexadecimal digits after their count.
pub(super) fn put_hex(out: &mut Vec<u8>, digits: &str) {
    let nibble = |b: u8| if b.is_ascii_digit() { b - b'0' } else { (b | 0x20).wrapping_sub(b'a') + 10 };
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)).collect();
    put_counted(out, &bytes);
}

/// The text of hexadecimal bytes: the inverse of [`hex_form`] and [`put_hex`].
pub(super) fn hex_text(flags: u8, bytes: &[u8]) -> String {
    let letters = if flags & UPPER == 0 { b"0123456789abcdef" } else { b"0123456789ABCDEF" };
    let quote = (flags & QUOTED != 0).then_some('"');
    let digit = |nibble: u8| letters.get(usize::from(nibble & 15)).map_or('0', |b| char::from(*b));
    let digits = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
    quote.into_iter().chain(digits).chain(quote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again(text: &str) -> Option<String> {
        let mut out = Vec::new();
        Time::parse(text)?.put(&mut out);
        let mut take = Take::new(&out);
        let time = Time::take(&mut take).unwrap();
        assert!(take.is_empty());
        Some(time.to_text())
    }

    proptest! {
        #[test]
        fn times_agree_with_a_calendar(seconds in -62_135_596_800i64..253_402_300_799, minutes in -1439i16..1440) {
            let civil = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            prop_assert_eq!(Time::parse(&civil).unwrap().seconds, seconds);
            prop_assert_eq!(again(&civil), Some(civil.clone()));
            let offset = format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
            let local = civil.replace('Z', &format!(".120{offset}"));
            prop_assert_eq!(again(&local), Some(local.clone()));
        }

        #[test]
        fn what_is_packed_comes_back(text in "[-+0-9T:.Z,\"a-fA-F]{0,40}") {
            if let Some(time) = again(&text) {
                prop_assert_eq!(&time, &text);
            }
            if let Some((lat, lon)) = parse_point(&text) {
                prop_assert_eq!(&point_text(lat, lon), &text);
            }
            if let Some(number) = parse_digits(&text) {
                prop_assert_eq!(number.to_string(), text.clone());
            }
            if let Some((flags, digits)) = hex_form(&text) {
                let mut out = Vec::new();
                put_hex(&mut out, digits);
                prop_assert_eq!(hex_text(flags, Take::new(&out).counted("hex").unwrap()), text);
            }
        }

        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            if let Ok(time) = Time::take(&mut Take::new(&bytes)) {
                // What a hostile record makes us say is at least a time.
                prop_assert!(time.to_text().len() >= 20);
            }
            let _text = hex_text(3, &bytes);
        }

        #[test]
        fn points(lat in -90_000_000i64..=90_000_000, lon in -180_000_000i64..=180_000_000) {
            prop_assert_eq!(parse_point(&point_text(lat, lon)), Some((lat, lon)));
        }
    }

    #[test]
    fn which_are_packed() {
        for good in ["2024-02-29T00:00:00Z", "1969-12-31T23:59:59.000+08:00", "0001-01-01T00:00:00.123456789-11:30"] {
            assert_eq!(again(good).as_deref(), Some(good));
        }
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-02-29 00:00:00Z",
            "2024-02-29T00:00:00",
            "2024-02-29T00:00:60Z",
            "2024-02-29t00:00:00z",
            "2024-02-29T00:00:00-00:00",
            "",
        ] {
            assert_eq!(again(text), None, "{text}");
        }
        assert_eq!(hex_form("\"ABCDEF0123\""), Some((UPPER | QUOTED, "ABCDEF0123")));
        for text in ["abcdef0", "ABCDEFab", "\"abcdef01", "xyzxyzxy"] {
            assert_eq!(hex_form(text), None, "{text}");
        }
        assert_eq!(parse_point("30.5,1.5"), None);
        assert_eq!(parse_point("-0.000000,1.000000"), None);
        assert_eq!(parse_point("-0.000001,179.999999"), Some((-1, 179_999_999)));
        assert_eq!(parse_digits("012345"), None);
    }
}
