//! Dates as documents write them.

use crate::extract::Moment;
use jiff::civil::{Date, DateTime};

/// Years that a clock of a computer may show.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// `YYYY-MM-DDThh:mm:ss.fff+hh:mm`, shorter forms too (W3C note "Date and Time Formats"). Whether it has a time of day.
pub(super) fn w3c(text: &str) -> Option<(Moment, bool)> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let date: Date = date.parse().ok().filter(|date: &Date| YEARS.contains(&date.year()))?;
    let Some(rest) = rest.strip_prefix(['T', ' ']) else {
        return rest.is_empty().then(|| (Moment { clock: date.at(0, 0, 0, 0), offset: None }, false));
    };
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    let clock: DateTime = format!("{date}T{}", clock.trim()).parse().ok()?;
    Some((Moment { clock, offset: zone_of(zone) }, true))
}

/// Seconds east of UTC of `Z`, `+02:00`, `+0200` or `+02'00'`.
fn zone_of(text: &str) -> Option<i32> {
    let sign = match text.chars().next()? {
        'Z' | 'z' => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).take(4).collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: i32 = hours.parse().ok().filter(|hours| *hours <= 15)?;
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok().filter(|minutes| *minutes < 60)? };
    hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?.checked_mul(sign)
}

/// `D:YYYYMMDDHHmmSSOHH'mm` (ISO 32000-1, 7.9.4). Dates without a time of day tell nothing here.
pub(super) fn pdf(text: &str) -> Option<Moment> {
    let text = text.trim().trim_start_matches("D:");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(digits)?;
    let part = |from: usize, to: usize| clock.get(from..to).and_then(|part| part.parse::<i8>().ok());
    let year: i16 = clock.get(..4)?.parse().ok().filter(|year| YEARS.contains(year))?;
    let seconds = part(12, 14).unwrap_or(0).min(59);
    let clock = DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, seconds, 0).ok()?;
    Some(Moment { clock, offset: zone_of(zone) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_both_kinds() {
        let shown = |moment: Moment| format!("{} {:?}", moment.clock, moment.offset);
        let table = [
            ("2021-03-25T00:48:00Z", "2021-03-25T00:48:00 Some(0)"),
            ("2015-03-01T17:26:12.31", "2015-03-01T17:26:12.31 None"),
            ("2012-01-18 08:00:00-03:30", "2012-01-18T08:00:00 Some(-12600)"),
            ("2012-01-18T08:00", "2012-01-18T08:00:00 None"),
        ];
        for (text, want) in table {
            assert_eq!(w3c(text).map(|(moment, _)| shown(moment)).as_deref(), Some(want));
        }
        assert!(w3c("2012-01-18").is_some_and(|(_, timed)| !timed));
        let table = [
            ("D:20220519170759+02'00", "2022-05-19T17:07:59 Some(7200)"),
            ("D:20220519170759Z", "2022-05-19T17:07:59 Some(0)"),
            ("202205191707", "2022-05-19T17:07:00 None"),
        ];
        for (text, want) in table {
            assert_eq!(pdf(text).map(shown).as_deref(), Some(want));
        }
        for bad in
            ["", "D:", "D:2022", "D:99991399", "x", "D:20221319170759", "2012-13-01T00:00:00Z", "0001-01-01T00:00:00Z"]
        {
            assert!(pdf(bad).is_none() && w3c(bad).is_none(), "{bad}");
        }
    }
}
