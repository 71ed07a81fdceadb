//! What some properties mean together: times, the place, whether a picture hides a film.

use crate::extract::embedded::clock;
use crate::extract::{Facts, Group};
use crate::model::LatLong;

/// Gathered over one packet.
#[derive(Default)]
pub(super) struct Meaning {
    lat: Option<f64>,
    lon: Option<f64>,
    altitude: Option<f64>,
    below: bool,
    motion: bool,
    at: u64,
}

/// Properties that are times, and which one (ISO 16684-1, 8.4; XMP specification part 2, 2.1 and 3.3; the mapping of the
/// Metadata Working Group's guidelines 2.0, 5.3).
static TIMES: &[(&str, &str)] = &[
    ("exif:DateTimeOriginal", "XmpOriginal"),
    ("photoshop:DateCreated", "XmpOriginal"),
    ("xmp:CreateDate", "XmpCreated"),
    ("exif:DateTimeDigitized", "XmpCreated"),
    ("xmp:ModifyDate", "Modified"),
];

impl Meaning {
    pub(super) fn note(&mut self, tag: &str, text: &str, at: u64, format: &'static str, facts: &mut Facts) {
        if let Some((_, time)) = TIMES.iter().find(|(of, _)| *of == tag) {
            match clock::moment(text) {
                Some(moment) => facts.add(format, Group::Time, *time, at, moment),
                None => {
                    let day = clock::date(text).filter(|date| date.year() > 0);
                    day.into_iter().for_each(|day| facts.add(format, Group::Time, "Day", at, clock::day(day)));
                }
            }
            return;
        }
        match tag {
            "exif:GPSLatitude" => (self.lat, self.at) = (degrees(text, 'N', 'S'), at),
            "exif:GPSLongitude" => self.lon = degrees(text, 'E', 'W'),
            "exif:GPSAltitude" => self.altitude = fraction(text),
            "exif:GPSAltitudeRef" => self.below = text == "1",
            // Google's names of a picture with a film behind it, of 2018 and since 2021.
            "GCamera:MicroVideo" | "GCamera:MotionPhoto" => self.motion |= text == "1",
            _ => {}
        }
    }

    pub(super) fn finish(&self, format: &'static str, facts: &mut Facts) {
        if let Some(place) = self.lat.zip(self.lon).and_then(|(lat, lon)| LatLong::new(lat, lon)) {
            facts.add(format, Group::Place, "Xmp", self.at, place);
        }
        if let Some(metres) = self.altitude {
            facts.add(format, Group::Place, "Altitude", self.at, if self.below { -metres } else { metres });
        }
        if self.motion {
            facts.add(format, Group::Header, "MotionPhoto", self.at, 1_i64);
        }
    }
}

/// `D,M.mmmH` or `D,M,SH`, where H is one of two letters (XMP specification part 2, 3.3.1); plain degrees are found too.
fn degrees(text: &str, positive: char, negative: char) -> Option<f64> {
    let number = text.trim_end_matches([positive, negative]);
    let mut parts = number.split(',').map(|part| part.trim().parse::<f64>().ok());
    let degrees = parts.next()??;
    let (minutes, seconds) = (parts.next().unwrap_or(Some(0.0))?, parts.next().unwrap_or(Some(0.0))?);
    let degrees = degrees + minutes / 60.0 + seconds / 3600.0;
    Some(if text.ends_with(negative) { -degrees } else { degrees })
}

/// `n/d` or a plain number.
fn fraction(text: &str) -> Option<f64> {
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let (over, under): (f64, f64) = (over.trim().parse().ok()?, under.trim().parse().ok()?);
    Some(over / under).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(leaves: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::new(&Limits::default());
        let mut meaning = Meaning::default();
        leaves.iter().for_each(|(tag, text)| meaning.note(tag, text, 7, "xmp", &mut facts));
        meaning.finish("xmp", &mut facts);
        facts
    }

    #[test]
    fn places_and_heights() {
        let facts = read(&[
            ("exif:GPSLatitude", "33,51.906S"),
            ("exif:GPSLongitude", "151,12,36E"),
            ("exif:GPSAltitude", "1005/10"),
            ("exif:GPSAltitudeRef", "1"),
        ]);
        let Some(Datum::Place(place)) = facts.find(Group::Place, "Xmp") else { panic!("no place") };
        assert_eq!(place.to_string(), "-33.865100,151.210000");
        assert_eq!(facts.find(Group::Place, "Altitude"), Some(&Datum::Float(-100.5)));
        assert!(read(&[("exif:GPSLatitude", "north"), ("exif:GPSAltitude", "1/0")]).facts.is_empty());
    }

    #[test]
    fn times_with_and_without_their_clock() {
        let facts = read(&[("photoshop:DateCreated", "2020-08-19"), ("xmp:CreateDate", "2020-08-19T17:11:11+08:00")]);
        let Some(Datum::Time(time)) = facts.find(Group::Time, "XmpCreated") else { panic!("no time") };
        assert_eq!((time.clock.to_string(), time.offset), ("2020-08-19T17:11:11".into(), Some(28_800)));
        assert!(facts.find(Group::Time, "Day").is_some() && facts.find(Group::Time, "XmpOriginal").is_none());
    }
}
