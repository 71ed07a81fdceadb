//! The zone of a capture time of which the file says the clock alone: that of the place where it was taken.
//!
//! Extraction keeps apart what a file states, what follows from GPS time, and what is assumed (`ProduceTimeZone`); it knows no
//! map. Here the place's zone takes the place of an assumption. Rules of zones: the IANA database as `jiff` carries it, so
//! that every machine says the same.

use crate::analyze::place::Location;
use crate::extract::{Extracted, Group};
use crate::model::{LatLong, Members, Value, field};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// Rules of zones as they come with us, whatever the system has: the same file says the same everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// `ProduceTimeZone` of a time whose offset nobody knows.
const ASSUMED: &str = "assumed";
/// What `--facts` names as the source of a derived zone.
const SOURCE: &str = "places";

/// Gives a time with an assumed zone the one of the place where it was taken: `said` by the caller, else by the file.
pub(super) fn settle(extracted: &mut Extracted, said: Option<&Value>) {
    let Some((time, name, offset)) = of_place(&extracted.members, said) else { return };
    let zone = format!("from place {name}");
    extracted.members.set(field::PRODUCE_TIME, time);
    extracted.members.set(field::PRODUCE_TIME_ZONE, zone.as_str());
    let told = extracted.facts.iter_mut().find(|fact| fact.group == Group::Time && fact.tag == "Zone");
    if let Some(fact) = told {
        fact.format = SOURCE;
        fact.value = format!("{zone} {}", written(offset)).into();
    }
}

/// The time with its offset, and the zone's name.
fn of_place(members: &Members, said: Option<&Value>) -> Option<(String, &'static str, Offset)> {
    if members.text(field::PRODUCE_TIME_ZONE) != Some(ASSUMED) {
        return None;
    }
    let place = said.or_else(|| members.get(field::LAT_LONG)).and_then(Value::as_str)?;
    let name = Location::of(LatLong::parse(place).ok()?)?.time_zone;
    let clock = clock(members.text(field::PRODUCE_TIME)?)?;
    let offset = offset_at(&ZONES.get(name).ok()?, clock)?;
    Some((format!("{clock}{}", written(offset)), name, offset))
}

/// What the clock showed: the part of an RFC 3339 time in front of its offset.
fn clock(time: &str) -> Option<DateTime> {
    let clock = time.strip_suffix('Z').or_else(|| time.get(..time.len().checked_sub("+00:00".len())?))?;
    clock.parse().ok()
}

/// The offset when the clock showed that, in whole minutes. Of an hour that passes twice it is the first, of one that is left out
/// the offset before it (as RFC 5545, 3.3.5 has it).
fn offset_at(zone: &TimeZone, clock: DateTime) -> Option<Offset> {
    let instant = zone.to_ambiguous_timestamp(clock).compatible().ok()?;
    let ahead = clock.duration_since(Offset::UTC.to_datetime(instant)).as_secs();
    // Offsets had seconds before zones had whole hours.
    let minutes = (ahead + 30).div_euclid(60);
    Offset::from_seconds(i32::try_from(minutes * 60).ok()?).ok()
}

fn written(offset: Offset) -> String {
    let minutes = offset.seconds().unsigned_abs() / 60;
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Fact};

    const LISBON: &str = "38.7128,-9.1305";

    fn extracted(time: &str, zone: &str, place: Option<&str>) -> Extracted {
        let mut found = Extracted::default();
        found.members.set(field::PRODUCE_TIME, time);
        found.members.set(field::PRODUCE_TIME_ZONE, zone);
        place.into_iter().for_each(|place| found.members.set(field::LAT_LONG, place));
        let value = Datum::from(format!("{zone} +00:00"));
        found.facts.push(Fact { format: "exif", group: Group::Time, tag: "Zone".into(), offset: 9, value });
        found
    }

    fn settled(time: &str, zone: &str, place: Option<&str>, said: Option<&str>) -> (String, String, Datum) {
        let mut found = extracted(time, zone, place);
        settle(&mut found, said.map(Value::from).as_ref());
        let text = |id| found.members.text(id).unwrap().to_owned();
        (text(field::PRODUCE_TIME), text(field::PRODUCE_TIME_ZONE), found.facts.remove(0).value)
    }

    #[test]
    fn winter_summer_and_half_hours_by_place() {
        for (time, place, expected, zone) in [
            ("2024-01-09T11:20:45.25+00:00", LISBON, "2024-01-09T11:20:45.25+00:00", "Europe/Lisbon"),
            ("2024-07-09T11:20:45+00:00", LISBON, "2024-07-09T11:20:45+01:00", "Europe/Lisbon"),
            ("2024-07-09T11:20:45-05:30", "52.52,13.405", "2024-07-09T11:20:45+02:00", "Europe/Berlin"),
            ("2024-01-09T11:20:45Z", "52.52,13.405", "2024-01-09T11:20:45+01:00", "Europe/Berlin"),
            ("2024-07-09T11:20:45+00:00", "19.076,72.8777", "2024-07-09T11:20:45+05:30", "Asia/Kolkata"),
            ("2024-01-09T00:20:45+00:00", "-36.8485,174.7633", "2024-01-09T00:20:45+13:00", "Pacific/Auckland"),
            ("2024-07-09T00:20:45+00:00", "-36.8485,174.7633", "2024-07-09T00:20:45+12:00", "Pacific/Auckland"),
            // Spain's clocks were on the time of Greenwich until 1940.
            ("1930-07-09T00:20:45+00:00", "40.4168,-3.7038", "1930-07-09T00:20:45+00:00", "Europe/Madrid"),
        ] {
            let (got, from, fact) = settled(time, ASSUMED, Some(place), None);
            assert_eq!((got.as_str(), from), (expected, format!("from place {zone}")), "{time} at {place}");
            assert_eq!(fact, format!("from place {zone} {}", &expected[expected.len() - 6..]).as_str().into());
        }
    }

    #[test]
    fn hours_that_pass_twice_and_hours_that_never_were() {
        let berlin = |time: &str| settled(time, ASSUMED, Some("52.52,13.405"), None).0;
        // 2024-10-27, three o'clock: back to two. 2024-03-31, two o'clock: on to three.
        assert_eq!(berlin("2024-10-27T01:59:59+00:00"), "2024-10-27T01:59:59+02:00");
        assert_eq!(berlin("2024-10-27T02:30:00+00:00"), "2024-10-27T02:30:00+02:00");
        assert_eq!(berlin("2024-10-27T03:00:00+00:00"), "2024-10-27T03:00:00+01:00");
        assert_eq!(berlin("2024-03-31T02:30:00+00:00"), "2024-03-31T02:30:00+01:00");
    }

    #[test]
    fn what_is_known_stays_and_so_does_what_no_place_tells() {
        for (zone, place) in [
            ("stated", Some(LISBON)),
            ("from GPS time", Some(LISBON)),
            (ASSUMED, None),
            // The open sea, and no place at all.
            (ASSUMED, Some("0,-30")),
            (ASSUMED, Some("nowhere")),
        ] {
            let time = "2024-07-09T11:20:45+00:00";
            assert_eq!(settled(time, zone, place, None), (time.into(), zone.into(), format!("{zone} +00:00").into()));
        }
        let broken = settled("+", ASSUMED, Some(LISBON), None);
        assert_eq!((broken.0.as_str(), broken.1.as_str()), ("+", ASSUMED));
    }

    #[test]
    fn the_callers_place_counts_before_the_files() {
        let found = settled("2024-07-09T11:20:45+00:00", ASSUMED, Some(LISBON), Some("52.52,13.405"));
        assert_eq!(found.0, "2024-07-09T11:20:45+02:00");
    }
}
