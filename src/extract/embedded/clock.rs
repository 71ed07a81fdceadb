//! Dates, times and zones as text, in the forms that cameras and editors write.

use crate::extract::Moment;
use jiff::civil::{Date, DateTime, Time};

/// `YYYY:MM:DD`, also with `-` or `/`. Zeros and blanks stand for "unknown" (EXIF 2.32, 4.6.5 F) and are `None`.
pub(super) fn date(text: &str) -> Option<Date> {
    let mut parts = text.trim_matches(['\0', ' ']).splitn(3, [':', '-', '/', '.']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(year.trim().parse().ok()?, month.trim().parse().ok()?, day.trim().parse().ok()?).ok()
}

/// `YYYY:MM:DD HH:MM:SS`, lenient in its separators; seconds may be missing or have a fraction.
pub(super) fn date_time(text: &str) -> Option<DateTime> {
    let text = text.split('\0').next()?.trim();
    let (day, clock) = text.split_once([' ', 'T'])?;
    let day = date(day)?;
    // A zone behind the seconds is not of the specification, but found.
    let clock = clock.trim().trim_end_matches('Z');
    let clock = clock.split(['+', '-']).next()?;
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (parts.next()?.trim().parse().ok()?, parts.next()?.trim().parse().ok()?);
    let seconds = parts.next().unwrap_or("0");
    let (second, rest) = seconds.split_once('.').unwrap_or((seconds, ""));
    let nanos = fraction(rest).unwrap_or(0);
    let time = Time::new(hour, minute, second.trim().parse().ok()?, nanos).ok()?;
    (day.year() > 0).then(|| day.to_datetime(time))
}

/// Decimal digits behind the point, as nanoseconds.
pub(super) fn fraction(text: &str) -> Option<i32> {
    let digits = text.split('\0').next()?.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    nanos.parse().ok()
}

/// `+HH:MM`, `+HHMM`, either also with `-`, or `Z`, as seconds east of UTC (EXIF 2.32, 4.6.5 F; IIM 4.2, 6; ISO 8601).
pub(super) fn offset(text: &str) -> Option<i32> {
    let text = text.split('\0').next()?.trim();
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let valid = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_mul(sign)?;
    valid.then_some(seconds)
}

/// A date and time with whatever zone follows it: `2020-08-19T17:11:11.5+08:00`, without seconds or zone too.
pub(in crate::extract) fn moment(text: &str) -> Option<Moment> {
    let clock = date_time(text)?;
    // The date has separators of its own, so the zone is looked for behind it.
    let zone = text.split_once([' ', 'T']).and_then(|(_, time)| time.get(time.find(['+', '-', 'Z'])?..));
    Some(Moment { clock, offset: zone.and_then(offset) })
}

/// A date and time as mails carry them (RFC 1123, RFC 2822): `Wed, 19 Aug 2020 17:11:11 +0800`.
pub(in crate::extract) fn mail(text: &str) -> Option<Moment> {
    let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(Moment { clock: zoned.datetime(), offset: Some(zoned.offset().seconds()) })
}

/// A day of which the time is not known, as its midnight.
pub(super) fn day(date: Date) -> Moment {
    Moment { clock: date.to_datetime(Time::midnight()), offset: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_forms_that_cameras_write() {
        let show = |text| date_time(text).map(|time| time.to_string());
        assert_eq!(show("2020:08:19 17:11:11\0").as_deref(), Some("2020-08-19T17:11:11"));
        assert_eq!(show("2020-08-19T17:11:11.5Z").as_deref(), Some("2020-08-19T17:11:11.5"));
        assert_eq!(show("2020:08:19 17:11").as_deref(), Some("2020-08-19T17:11:00"));
        assert_eq!(show("2020/08/19 17:11:11+08:00").as_deref(), Some("2020-08-19T17:11:11"));
        for unknown in ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "2020:13:01 00:00:00", "2020:08:19"] {
            assert_eq!(show(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn fractions_and_offsets() {
        assert_eq!(fraction("5\0"), Some(500_000_000));
        assert_eq!(fraction("012345678999"), Some(12_345_678));
        assert_eq!(fraction("  "), None);
        assert_eq!(offset("+08:00\0"), Some(28_800));
        assert_eq!(offset("-03:30"), Some(-12_600));
        assert_eq!(offset("-0330"), Some(-12_600));
        assert_eq!(offset("Z"), Some(0));
        for bad in ["", "   :  ", "+25:00", "08:00", "+8"] {
            assert_eq!(offset(bad), None, "{bad}");
        }
    }

    #[test]
    fn zones_are_found_behind_the_time_only() {
        let show = |text| moment(text).map(|moment| (moment.clock.to_string(), moment.offset));
        assert_eq!(show("2020-08-19T17:11:11.5-03:30"), Some(("2020-08-19T17:11:11.5".into(), Some(-12_600))));
        assert_eq!(show("2020:08:19 17:11:11"), Some(("2020-08-19T17:11:11".into(), None)));
        assert_eq!(show("2020-08-19T17:11Z"), Some(("2020-08-19T17:11:00".into(), Some(0))));
        assert_eq!(show("2020-08-19"), None);
    }
}
