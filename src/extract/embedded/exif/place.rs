//! Where a picture was taken, from the GPS directory (EXIF 2.32, 4.6.6).

use super::FORMAT;
use crate::extract::container::tiff::{Entry, Values};
use crate::extract::{Facts, Group, Warning};
use crate::model::LatLong;

/// The tags that make a place and its height.
#[derive(Debug, Default)]
pub(super) struct Place {
    lat: Option<f64>,
    lon: Option<f64>,
    south: Option<bool>,
    west: Option<bool>,
    altitude: Option<f64>,
    below: bool,
    at: u64,
}

/// A fraction as a number; `None` for a zero denominator.
#[expect(clippy::as_conversions, reason = "numerators and denominators have 32 bits: exact in f64")]
pub(super) fn number((over, under): (i64, i64)) -> Option<f64> {
    (under != 0).then(|| over as f64 / under as f64)
}

/// Degrees with their minutes and seconds; missing minutes and seconds count 0.
fn degrees(value: &Values) -> Option<f64> {
    let Values::Ratio(parts) = value else { return None };
    let mut parts = parts.iter().map(|part| number(*part));
    let degrees = parts.next()??;
    let mut part = || parts.next().flatten().unwrap_or(0.0);
    let (minutes, seconds) = (part(), part());
    Some(degrees + minutes / 60.0 + seconds / 3600.0)
}

impl Place {
    pub(super) fn note(&mut self, entry: &Entry, value: &Values) {
        match (entry.tag, value) {
            (1, Values::Text(text)) => self.south = half(text, b'N', b'S'),
            (3, Values::Text(text)) => self.west = half(text, b'E', b'W'),
            (2, value) => (self.lat, self.at) = (degrees(value), entry.at),
            (4, value) => self.lon = degrees(value),
            // 1 and, since EXIF 3.0 (4.6.7.1.6), 3 are below: the sea, the ellipsoid.
            (5, value) => self.below = matches!(value.whole(), Some(1 | 3)),
            (6, Values::Ratio(parts)) => self.altitude = parts.first().and_then(|part| number(*part)),
            _ => {}
        }
    }

    pub(super) fn finish(&self, facts: &mut Facts) {
        if let Some(metres) = self.altitude {
            facts.add(FORMAT, Group::Place, "Altitude", self.at, if self.below { -metres } else { metres });
        }
        let (Some(lat), Some(lon)) = (self.lat, self.lon) else { return };
        // Without a reference the sign of the number stands: some writers use signed degrees.
        let signed = |degrees: f64, negative: Option<bool>| if negative == Some(true) { -degrees } else { degrees };
        match LatLong::new(signed(lat, self.south), signed(lon, self.west)) {
            Some(place) => facts.add(FORMAT, Group::Place, "Gps", self.at, place),
            None => facts.warn(Warning {
                format: FORMAT,
                offset: self.at,
                message: format!("expected latitude and longitude in degrees, got {lat} and {lon}"),
            }),
        }
    }
}

fn half(text: &[u8], positive: u8, negative: u8) -> Option<bool> {
    match text.first()?.to_ascii_uppercase() {
        letter if letter == positive => Some(false),
        letter if letter == negative => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_seconds_may_be_missing_and_zero_denominators_count_as_missing() {
        let of = |parts: &[(i64, i64)]| degrees(&Values::Ratio(parts.to_vec()));
        assert_eq!(of(&[(10, 1), (30, 1), (0, 0)]), Some(10.5));
        assert_eq!(of(&[(1050, 100)]), Some(10.5));
        assert_eq!(of(&[(0, 0), (30, 1), (0, 1)]), None);
        assert_eq!(of(&[]), None);
    }
}
