//! The times of a picture: three of the camera's clock, each with its fraction and offset, and GPS time in UTC.

use super::{FORMAT, Kind};
use crate::extract::container::tiff::{Entry, Values};
use crate::extract::{Facts, Group, Moment};
use jiff::civil::{Date, DateTime, Time};

/// One time of the camera's clock, in three tags.
#[derive(Debug, Default)]
struct Clock {
    text: Option<String>,
    fraction: Option<String>,
    offset: Option<String>,
    at: u64,
}

/// All times of one block.
#[derive(Debug, Default)]
pub(super) struct Times {
    original: Clock,
    digitized: Clock,
    modified: Clock,
    gps_date: Option<String>,
    gps_time: Option<Vec<(i64, i64)>>,
    gps_at: u64,
}

impl Times {
    pub(super) fn note(&mut self, kind: Kind, entry: &Entry, value: &Values) {
        let text = || match value {
            Values::Text(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
            _ => None,
        };
        match (kind, entry.tag) {
            (Kind::Gps, 0x1D) => self.gps_date = text(),
            (Kind::Gps, 0x07) => {
                if let Values::Ratio(parts) = value {
                    (self.gps_time, self.gps_at) = (Some(parts.clone()), entry.at);
                }
            }
            (Kind::Gps, _) => {}
            // EXIF 2.32, 4.6.5 F.
            (_, 0x9003) => (self.original.text, self.original.at) = (text(), entry.at),
            (_, 0x9004) => (self.digitized.text, self.digitized.at) = (text(), entry.at),
            (_, 0x0132) => (self.modified.text, self.modified.at) = (text(), entry.at),
            (_, 0x9291) => self.original.fraction = text(),
            (_, 0x9292) => self.digitized.fraction = text(),
            (_, 0x9290) => self.modified.fraction = text(),
            (_, 0x9011) => self.original.offset = text(),
            (_, 0x9012) => self.digitized.offset = text(),
            (_, 0x9010) => self.modified.offset = text(),
            _ => {}
        }
    }

    pub(super) fn finish(&self, facts: &mut Facts) {
        let clocks = [("Original", &self.original), ("Digitized", &self.digitized), ("Modified", &self.modified)];
        for (tag, clock) in clocks {
            if let Some(moment) = clock.moment() {
                facts.add(FORMAT, Group::Time, tag, clock.at, moment);
            }
        }
        if let Some(moment) = self.gps() {
            facts.add(FORMAT, Group::Time, "Gps", self.gps_at, moment);
        }
    }

    fn gps(&self) -> Option<Moment> {
        let date = date(self.gps_date.as_deref()?)?;
        let &[hours, minutes, seconds] = self.gps_time.as_deref()? else { return None };
        let whole = |part: (i64, i64)| part.0.checked_div(part.1).and_then(|number| i8::try_from(number).ok());
        // Fractions of a second are below what GPS receivers of cameras keep in step.
        let time = Time::new(whole(hours)?, whole(minutes)?, whole(seconds)?, 0).ok()?;
        Some(Moment { clock: date.to_datetime(time), offset: Some(0) })
    }
}

impl Clock {
    fn moment(&self) -> Option<Moment> {
        let clock = date_time(self.text.as_deref()?)?;
        let nanos = self.fraction.as_deref().and_then(fraction).unwrap_or(clock.subsec_nanosecond());
        let clock = clock.with().subsec_nanosecond(nanos).build().ok()?;
        Some(Moment { clock, offset: self.offset.as_deref().and_then(offset) })
    }
}

/// `YYYY:MM:DD`, also with `-` or `/`. Zeros and blanks stand for "unknown" (EXIF 2.32, 4.6.5 F) and are `None`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.trim_matches(['\0', ' ']).splitn(3, [':', '-', '/', '.']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(year.trim().parse().ok()?, month.trim().parse().ok()?, day.trim().parse().ok()?).ok()
}

/// `YYYY:MM:DD HH:MM:SS`, lenient in its separators; seconds may be missing or have a fraction.
pub(in crate::extract::image) fn date_time(text: &str) -> Option<DateTime> {
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
fn fraction(text: &str) -> Option<i32> {
    let digits = text.split('\0').next()?.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    nanos.parse().ok()
}

/// `+HH:MM`, `-HH:MM` or `Z`, as seconds east of UTC (EXIF 2.32, 4.6.5 F).
fn offset(text: &str) -> Option<i32> {
    let text = text.split('\0').next()?.trim();
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let valid = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_mul(sign)?;
    valid.then_some(seconds)
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
        assert_eq!(offset("Z"), Some(0));
        for bad in ["", "   :  ", "+25:00", "08:00", "+8"] {
            assert_eq!(offset(bad), None, "{bad}");
        }
    }

    #[test]
    fn gps_time_needs_a_date() {
        let entry = |tag| Entry { tag, kind: 5, count: 3, at: 7 };
        let mut times = Times::default();
        times.note(Kind::Gps, &entry(7), &Values::Ratio(vec![(7, 1), (54, 1), (2199, 100)]));
        assert_eq!(times.gps(), None);
        times.note(Kind::Gps, &entry(0x1D), &Values::Text(b"2019:01:02\0".to_vec()));
        assert_eq!(times.gps().unwrap().clock.to_string(), "2019-01-02T07:54:21");
    }
}
