//! Times and places as media files write them.

use crate::extract::Moment;
use crate::model::LatLong;
use jiff::civil::DateTime;

/// Seconds from 1904-01-01, where QuickTime counts from, to 1970-01-01 (ISO/IEC 14496-12, 8.2.2.3).
const SINCE_1904: u64 = 2_082_844_800;

/// A QuickTime time in UTC; `None` for zero and for times before 1970, which clocks that were never set give.
pub fn since_1904(seconds: u64) -> Option<Moment> {
    let unix = i64::try_from(seconds.checked_sub(SINCE_1904)?).ok().filter(|s| *s > 0)?;
    utc(jiff::Timestamp::from_second(unix).ok()?)
}

/// A time in UTC, nanoseconds after 2001-01-01 (Matroska, "DateUTC").
pub fn since_2001(nanoseconds: i64) -> Option<Moment> {
    const EPOCH: i128 = 978_307_200_000_000_000;
    utc(jiff::Timestamp::from_nanosecond(i128::from(nanoseconds).checked_add(EPOCH)?).ok()?)
}

/// Seconds from 1601-01-01, where Windows counts from, to 1970-01-01.
const SINCE_1601: u64 = 11_644_473_600;

/// A time of Windows in UTC, in units of 100 nanoseconds; `None` for times before 1970.
pub fn since_1601(ticks: u64) -> Option<Moment> {
    let seconds = ticks.checked_div(10_000_000)?.checked_sub(SINCE_1601)?;
    utc(jiff::Timestamp::from_second(i64::try_from(seconds).ok().filter(|s| *s > 0)?).ok()?)
}

fn utc(at: jiff::Timestamp) -> Option<Moment> {
    Some(Moment { clock: jiff::tz::Offset::UTC.to_datetime(at), offset: Some(0) })
}

/// A full date and time with its zone: `2019-05-01T08:00:00+0800`. Anything less is no moment: a year alone says
/// nothing of when.
pub fn with_zone(text: &str) -> Option<Moment> {
    let text = text.trim();
    let at = text.rfind(['Z', 'z', '+', '-']).filter(|at| *at >= 16)?;
    let (clock, zone) = text.split_at_checked(at)?;
    let clock: DateTime = clock.trim_end().replacen(' ', "T", 1).parse().ok()?;
    Some(Moment { clock, offset: Some(offset(zone)?) })
}

/// A full date and time, with or without a zone. Anything less is no moment.
pub fn written(text: &str) -> Option<Moment> {
    let text = text.trim();
    if let Some(clock) = text.strip_suffix("UTC") {
        let clock = clock.trim_end().replacen(' ', "T", 1).parse::<DateTime>().ok()?;
        return Some(Moment { clock, offset: Some(0) });
    }
    let alone = || text.get(16..).and_then(|_| text.replacen(' ', "T", 1).parse::<DateTime>().ok());
    with_zone(text).or_else(|| alone().map(|clock| Moment { clock, offset: None }))
}

/// Seconds east of UTC of `Z`, `+08`, `+0800` or `+08:00`.
fn offset(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = zone.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = i32::from(hours).checked_mul(3600)?.checked_add(i32::from(minutes).checked_mul(60)?)?;
    let valid = hours <= 15 && minutes < 60;
    valid.then(|| if sign == "-" { seconds.saturating_neg() } else { seconds })
}

/// A point after ISO 6709, Annex H: `+27.5916+086.5640+8850/`, also in degrees and minutes or with seconds.
pub fn iso_6709(text: &str) -> Option<LatLong> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while parts.len() < 2 && rest.starts_with(['+', '-']) {
        let end = rest.get(1..)?.find(['+', '-', '/', 'C']).map_or(rest.len(), |at| at.saturating_add(1));
        let (part, after) = rest.split_at_checked(end)?;
        parts.push(part);
        rest = after;
    }
    let [lat, lon] = parts.as_slice() else { return None };
    LatLong::new(degrees(lat, 2)?, degrees(lon, 3)?)
}

/// Degrees of a part whose whole degrees have `width` digits, maybe followed by two of minutes and two of seconds.
fn degrees(part: &str, width: usize) -> Option<f64> {
    let (sign, number) = part.split_at_checked(1)?;
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let whole = number.find('.').unwrap_or(number.len());
    let value = match whole.checked_sub(width) {
        Some(2) => sexagesimal(number, width, &[])?,
        Some(4) => sexagesimal(number, width, &[2])?,
        _ => number.parse().ok()?,
    };
    Some(if sign == "-" { -value } else { value })
}

/// Degrees, then groups of sixtieths: those of the given widths, and what is left.
fn sexagesimal(number: &str, width: usize, groups: &[usize]) -> Option<f64> {
    let (head, mut rest) = number.split_at_checked(width)?;
    let (mut sum, mut unit) = (head.parse::<f64>().ok()?, 1.0 / 60.0);
    for group in groups {
        let (part, after) = rest.split_at_checked(*group)?;
        sum += part.parse::<f64>().ok()? * unit;
        unit /= 60.0;
        rest = after;
    }
    Some(sum + rest.parse::<f64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_times_with_a_zone_are_moments() {
        let moment = with_zone("2019-05-01T08:00:00+0800").unwrap();
        assert_eq!((moment.clock.to_string().as_str(), moment.offset), ("2019-05-01T08:00:00", Some(28_800)));
        assert_eq!(with_zone("2019-05-01 08:00:00.5-03:30").unwrap().offset, Some(-12_600));
        assert_eq!(with_zone("2019-05-01T08:00:00Z").unwrap().offset, Some(0));
        for bad in
            ["", "2019", "2019-05-01", "2019-05-01T08:00:00", "2019-13-01T08:00:00Z", "2019-05-01T08:00:00+99:00"]
        {
            assert_eq!(with_zone(bad), None, "{bad}");
        }
    }

    #[test]
    fn epochs() {
        assert_eq!(since_1904(0), None);
        assert_eq!(since_1904(3_600), None);
        assert_eq!(since_1904(SINCE_1904 + 86_400).unwrap().clock.to_string(), "1970-01-02T00:00:00");
        assert_eq!(since_2001(-1_000_000_000).unwrap().clock.to_string(), "2000-12-31T23:59:59");
        assert_eq!(since_1601(116_444_736_000_000_000 + 864_000_000_000).unwrap().clock.day(), 2);
        assert_eq!((since_1601(0), since_1601(u64::MAX)), (None, None));
        assert_eq!((since_1904(u64::MAX), since_2001(i64::MAX).is_some()), (None, true));
    }

    #[test]
    fn places_in_three_forms() {
        let near = |text: &str, lat: f64, lon: f64| {
            let at = iso_6709(text).unwrap();
            assert!((at.lat - lat).abs() < 1e-6 && (at.lon - lon).abs() < 1e-6, "{text}: {at:?}");
        };
        near("+27.5916+086.5640+8850CRSWGS_84/", 27.5916, 86.564);
        near("+40.20-075.25/", 40.2, -75.25);
        near("+4012.22-07515.25/", 40.203_666_7, -75.254_166_7);
        near("-401213.1-0751500.0/", -40.203_638_9, -75.25);
        for bad in ["", "+", "+12", "+91+000/", "12.5,3", "+12x+003/", "+-+-"] {
            assert!(iso_6709(bad).is_none(), "{bad}");
        }
    }
}
