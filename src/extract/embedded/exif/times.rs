//! The times of a picture: three of the camera's clock, each with its fraction and offset, and GPS time in UTC.

use super::{FORMAT, Kind};
use crate::extract::container::tiff::{Entry, Values};
use crate::extract::embedded::clock::{self, date, fraction, offset};
use crate::extract::{Facts, Group, Moment};
use jiff::civil::Time;

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
        let moments = clocks.map(|(_, clock)| clock.moment());
        for ((tag, clock), moment) in clocks.iter().zip(moments) {
            let Some(mut moment) = moment else { continue };
            // One clock, read at one time, has one zone, whichever of its tags states it.
            let twin = moments.iter().flatten().find(|twin| same_second(twin, &moment) && twin.offset.is_some());
            moment.offset = moment.offset.or(twin.and_then(|twin| twin.offset));
            facts.add(FORMAT, Group::Time, *tag, clock.at, moment);
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
        let stated = clock::moment(self.text.as_deref()?)?;
        let nanos = self.fraction.as_deref().and_then(fraction).unwrap_or(stated.clock.subsec_nanosecond());
        let clock = stated.clock.with().subsec_nanosecond(nanos).build().ok()?;
        Some(Moment { clock, offset: self.offset.as_deref().and_then(offset).or(stated.offset) })
    }
}

fn same_second(a: &Moment, b: &Moment) -> bool {
    a.clock.date() == b.clock.date() && a.clock.time().duration_since(b.clock.time()).as_secs() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_holds_for_equal_times() {
        let entry = |tag| Entry { tag, kind: 2, count: 20, at: 7 };
        let text = |text: &str| Values::Text(text.as_bytes().to_vec());
        let mut times = Times::default();
        times.note(Kind::Exif, &entry(0x9003), &text("2020:08:19 17:11:11\0"));
        times.note(Kind::Exif, &entry(0x9291), &text("5"));
        times.note(Kind::Main, &entry(0x0132), &text("2020:08:19 17:11:11\0"));
        times.note(Kind::Exif, &entry(0x9004), &text("2020:08:20 17:11:11\0"));
        times.note(Kind::Exif, &entry(0x9010), &text("-03:30\0"));
        let mut facts = Facts::new(&crate::extract::Limits::default());
        times.finish(&mut facts);
        let offset = |tag| match facts.find(Group::Time, tag) {
            Some(crate::extract::Datum::Time(moment)) => moment.offset,
            other => panic!("{other:?}"),
        };
        assert_eq!(["Original", "Digitized", "Modified"].map(offset), [Some(-12_600), None, Some(-12_600)]);
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
