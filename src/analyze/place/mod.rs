//! Where on earth a place is: the nearest town, its division, country and time zone, without asking anyone.
//!
//! `places.xz` holds 170,000 places of more than 1,000 inhabitants with their names. Data: GeoNames (www.geonames.org), CC BY
//! 4.0; the script `build` beside it made it, its bytes are described in `docs/format.md`, "Places". A point belongs to the
//! nearest place, not to the polygon that it lies in: within a few kilometres of a border that may be the other side's.

use crate::codec::take::Take;
use crate::error::{Error, Result};
use crate::model::{LatLong, Members, field};
use std::io::Read;
use std::sync::LazyLock;

/// The data.
static PACKED: &[u8] = include_bytes!("places.xz");
/// Bytes that it unpacks to at most.
const MAX_BYTES: u64 = 16 << 20;
/// Farthest place that a point belongs to, in kilometres.
const FARTHEST_KM: f64 = 100.0;
/// Mean radius of the earth in kilometres (IUGG).
const EARTH_KM: f64 = 6371.0;
/// Coordinates are whole ten-thousandths of a degree.
const STEPS: f64 = 1e4;

/// Where a point is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Nearest place, as GeoNames writes it.
    pub city: &'static str,
    /// The place's name in Chinese characters, for places where Chinese is written; may be empty.
    pub city_chinese: &'static str,
    /// First administrative division; may be empty.
    pub province: &'static str,
    /// Country in English.
    pub country: &'static str,
    /// Time zone of the place in the IANA database, for example `Asia/Shanghai`.
    pub time_zone: &'static str,
    /// Distance of the place in kilometres.
    pub kilometres: f64,
}

impl Location {
    /// Where a point is; `None` where no place is within a hundred kilometres.
    pub fn of(point: LatLong) -> Option<Location> {
        PLACES.as_ref().ok()?.nearest(point)
    }

    /// The value of `Addresses`: one element in English, and one in Chinese where the data has a name.
    pub fn addresses(&self) -> Vec<Members> {
        let line = [self.city, self.province, self.country].into_iter().filter(|part| !part.is_empty());
        let mut english = Members::new();
        english.set(field::ADDRESS_LANGUAGE, "en");
        english.set(field::ADDRESS_LINE, line.collect::<Vec<_>>().join(", "));
        english.set(field::ADDRESS_COUNTRY, self.country);
        english.set(field::ADDRESS_PROVINCE, self.province);
        english.set(field::ADDRESS_CITY, self.city);
        let mut all = vec![english];
        if !self.city_chinese.is_empty() {
            let mut chinese = Members::new();
            chinese.set(field::ADDRESS_LANGUAGE, "zh");
            chinese.set(field::ADDRESS_LINE, self.city_chinese);
            chinese.set(field::ADDRESS_CITY, self.city_chinese);
            all.push(chinese);
        }
        all
    }
}

/// Unpacked once, when the first point is asked for: some 10 MiB.
static PLACES: LazyLock<Result<Places>> = LazyLock::new(|| Places::unpack(PACKED));

/// All places in the order of their latitude.
struct Places {
    latitudes: Vec<i32>,
    longitudes: Vec<i32>,
    provinces: Vec<u16>,
    countries: Vec<u16>,
    zones: Vec<u16>,
    shared: Strings,
    names: Strings,
    chinese: Strings,
}

/// Many strings in one, each ended by a line feed.
struct Strings {
    text: &'static str,
    ends: Vec<u32>,
}

impl Strings {
    fn get(&self, at: usize) -> &'static str {
        let end = self.ends.get(at).map_or(0, |end| *end as usize);
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize + 1);
        self.text.get(start..end).unwrap_or("")
    }
}

impl Places {
    fn unpack(packed: &[u8]) -> Result<Places> {
        let mut bytes = Vec::new();
        lzma_rust2::XzReader::new(packed, false)
            .take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("unpack the places", e))?;
        // Kept for as long as the process lives, so that names can be handed out without copies.
        let mut take = Take::new(Vec::leak(bytes));
        let (count, shared) = (take.u32("places")? as usize, take.u32("names")? as usize);
        let mut latitude = 0i32;
        let deltas = take.bytes(count * 4, "latitudes")?.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b));
        let latitudes = deltas.map(|delta| {
            latitude = latitude.wrapping_add(delta);
            latitude
        });
        let latitudes = latitudes.collect();
        let longitudes =
            take.bytes(count * 4, "longitudes")?.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)).collect();
        let mut numbers = |what: &'static str| -> Result<Vec<u16>> {
            Ok(take.bytes(count * 2, what)?.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect())
        };
        let (provinces, countries, zones) = (numbers("provinces")?, numbers("countries")?, numbers("zones")?);
        let text = std::str::from_utf8(take.rest())
            .map_err(|e| Error::corrupted(format!("places: names are not UTF-8: {e}")))?;
        let mut ends = text.match_indices('\n').map(|(at, _)| at);
        let mut from = 0;
        let mut strings = |count: usize, what: &str| -> Result<Strings> {
            let found: Vec<usize> = ends.by_ref().take(count).collect();
            let end = found.last().copied().unwrap_or(from);
            let part = text.get(from..end).filter(|_| found.len() == count);
            let part =
                part.ok_or_else(|| Error::corrupted(format!("places: expected {count} {what}, got {}", found.len())))?;
            let ends = found.iter().map(|at| (at - from) as u32).collect();
            from = end + 1;
            Ok(Strings { text: part, ends })
        };
        let (shared, names) = (strings(shared, "shared names")?, strings(count, "names")?);
        let chinese = strings(count, "Chinese names")?;
        Ok(Places { latitudes, longitudes, provinces, countries, zones, shared, names, chinese })
    }

    /// The nearest place: latitudes are tried from the point's own outwards until they alone are too far.
    fn nearest(&self, point: LatLong) -> Option<Location> {
        let latitude = (point.lat * STEPS).round() as i32;
        let middle = self.latitudes.partition_point(|l| *l < latitude);
        let mut best = (FARTHEST_KM, None);
        let mut look = |at: usize| -> bool {
            let (Some(lat), Some(lon)) = (self.latitudes.get(at), self.longitudes.get(at)) else { return false };
            let (lat, lon) = (f64::from(*lat) / STEPS, f64::from(*lon) / STEPS);
            if (lat - point.lat).abs().to_radians() * EARTH_KM > best.0 {
                return false;
            }
            let distance = distance(point, lat, lon);
            if distance < best.0 {
                best = (distance, Some(at));
            }
            true
        };
        let (mut up, mut down) = (Some(middle), middle.checked_sub(1));
        while up.is_some() || down.is_some() {
            up = up.filter(|at| look(*at)).map(|at| at + 1);
            down = down.filter(|at| look(*at)).and_then(|at| at.checked_sub(1));
        }
        let (kilometres, at) = best;
        let at = at?;
        let shared = |numbers: &[u16]| numbers.get(at).map_or("", |n| self.shared.get(usize::from(*n)));
        Some(Location {
            city: self.names.get(at),
            city_chinese: self.chinese.get(at),
            province: shared(&self.provinces),
            country: shared(&self.countries),
            time_zone: shared(&self.zones),
            kilometres,
        })
    }
}

/// Great-circle distance in kilometres (haversine formula).
fn distance(from: LatLong, lat: f64, lon: f64) -> f64 {
    let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
    let across = from.lat.to_radians().cos() * lat.to_radians().cos() * half(from.lon, lon);
    2.0 * EARTH_KM * (half(from.lat, lat) + across).sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, lon: f64) -> Location {
        Location::of(LatLong::new(lat, lon).unwrap()).unwrap()
    }

    #[test]
    fn known_points() {
        for (lat, lon, city, province, country, zone) in [
            (38.7128, -9.1305, "Lisbon", "Lisbon", "Portugal", "Europe/Lisbon"),
            (52.52, 13.405, "Berlin", "Berlin", "Germany", "Europe/Berlin"),
            (64.1466, -21.9426, "Reykjav\u{ed}k", "Capital Region", "Iceland", "Atlantic/Reykjavik"),
            (-36.8485, 174.7633, "Auckland", "Auckland", "New Zealand", "Pacific/Auckland"),
        ] {
            let found = at(lat, lon);
            assert_eq!((found.province, found.country, found.time_zone), (province, country, zone), "{found:?}");
            assert!(found.city == city || found.kilometres < 5.0, "{found:?}");
        }
        let hangzhou = at(30.2936, 120.1614);
        assert_eq!((hangzhou.city, hangzhou.city_chinese), ("Hangzhou", "\u{676d}\u{5dde}"));
        let lines: Vec<Option<&str>> = vec![Some("Hangzhou, Zhejiang Sheng, China"), Some("\u{676d}\u{5dde}")];
        let addresses = hangzhou.addresses();
        assert_eq!(addresses.iter().map(|a| a.text(field::ADDRESS_LINE)).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn the_open_sea_is_nowhere() {
        for (lat, lon) in [(0.0, -30.0), (-60.0, -120.0), (90.0, 0.0), (-90.0, 180.0)] {
            assert_eq!(Location::of(LatLong::new(lat, lon).unwrap()), None);
        }
    }

    #[test]
    fn damage_is_an_error() {
        let mut damaged = PACKED.to_vec();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x40;
        assert!(Places::unpack(&damaged).is_err());
        assert!(Places::unpack(&PACKED[..middle]).is_err());
        assert!(Places::unpack(b"").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// The same place that a look at all of them finds.
        #[test]
        fn nearest_is_nearest(lat in -60.0f64..75.0, lon in -180.0f64..180.0) {
            let point = LatLong::new(lat, lon).unwrap();
            let places = PLACES.as_ref().unwrap();
            let all = places.latitudes.iter().zip(&places.longitudes);
            let naive = all.map(|(a, b)| distance(point, f64::from(*a) / STEPS, f64::from(*b) / STEPS)).fold(f64::MAX, f64::min);
            match Location::of(point) {
                Some(found) => prop_assert!((found.kilometres - naive).abs() < 1e-9),
                None => prop_assert!(naive >= FARTHEST_KM),
            }
        }
    }
}
