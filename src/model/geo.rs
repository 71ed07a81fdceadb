//! Places: latitude and longitude in decimal degrees (WGS 84).

use crate::error::{Error, Result};
use std::fmt;

/// A point, written `"lat,lon"` with latitude first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatLong {
    /// Degrees north, -90 to 90.
    pub lat: f64,
    /// Degrees east, -180 to 180.
    pub lon: f64,
}

impl LatLong {
    /// A point; `None` outside the ranges.
    pub fn new(lat: f64, lon: f64) -> Option<LatLong> {
        ((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)).then_some(LatLong { lat, lon })
    }

    /// Parses `"lat,lon"`.
    pub fn parse(text: &str) -> Result<LatLong> {
        let point = text
            .split_once(',')
            .and_then(|(lat, lon)| LatLong::new(lat.trim().parse().ok()?, lon.trim().parse().ok()?));
        point.ok_or_else(|| {
            Error::invalid(format!("expected \"latitude,longitude\" in degrees (-90..90, -180..180), got {text:?}"))
        })
    }
}

/// Mean radius of the earth in metres (IUGG 1980).
const EARTH_METRES: f64 = 6_371_008.8;
/// Most points of a polygon.
pub const MAX_POLYGON: usize = 1000;

/// A part of the earth's surface. Borders belong to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Area {
    /// All places within a distance along the surface, the earth taken as a sphere.
    Circle {
        /// Its middle.
        centre: LatLong,
        /// Its radius in metres.
        metres: f64,
    },
    /// Between two parallels and two meridians. A western edge east of the eastern one crosses the antimeridian.
    Box {
        /// Upper left corner.
        north_west: LatLong,
        /// Lower right corner.
        south_east: LatLong,
    },
    /// Inside a polygon whose sides are straight on a plane of degrees and take the shorter way around the earth.
    /// Sides that go once around it enclose the pole that is nearer to the points.
    Polygon(Vec<LatLong>),
}

impl Area {
    /// Parses `"lat,lon;metres"`.
    pub fn parse_circle(text: &str) -> Result<Area> {
        let wrong = || Error::invalid(format!("expected \"latitude,longitude;metres\", got {text:?}"));
        let (centre, metres) = text.split_once(';').ok_or_else(wrong)?;
        let metres = metres.trim().parse().ok().filter(|m: &f64| m.is_finite() && *m >= 0.0).ok_or_else(wrong)?;
        Ok(Area::Circle { centre: LatLong::parse(centre)?, metres })
    }

    /// Parses `"lat,lon;lat,lon"`: upper left, lower right.
    pub fn parse_box(text: &str) -> Result<Area> {
        let corners = text.split(';').map(LatLong::parse).collect::<Result<Vec<_>>>()?;
        match corners.as_slice() {
            [north_west, south_east] if north_west.lat >= south_east.lat => {
                Ok(Area::Box { north_west: *north_west, south_east: *south_east })
            }
            _ => Err(Error::invalid(format!("expected the upper left and the lower right corner, got {text:?}"))),
        }
    }

    /// Parses `"lat,lon;lat,lon;lat,lon[;..]"`.
    pub fn parse_polygon(text: &str) -> Result<Area> {
        let points = text.trim_end_matches(';').split(';').map(LatLong::parse).collect::<Result<Vec<_>>>()?;
        match points.len() {
            0..3 => Err(Error::invalid(format!("expected at least 3 points, got {text:?}"))),
            3..=MAX_POLYGON => Ok(Area::Polygon(points)),
            many => Err(Error::invalid(format!("expected at most {MAX_POLYGON} points, got {many}"))),
        }
    }

    /// Whether a place is in the area.
    pub fn contains(&self, place: LatLong) -> bool {
        match self {
            Area::Circle { centre, metres } => distance(*centre, place) <= *metres,
            Area::Box { north_west: a, south_east: b } => {
                let between = |lon: f64| match a.lon <= b.lon {
                    true => (a.lon..=b.lon).contains(&lon),
                    false => lon >= a.lon || lon <= b.lon,
                };
                // The antimeridian has two names.
                let lon = place.lon;
                let inside = between(lon) || (lon.abs() == 180.0 && between(-lon));
                inside && (b.lat..=a.lat).contains(&place.lat)
            }
            Area::Polygon(points) => in_polygon(points, place),
        }
    }

    /// Ranges of longitudes outside of which no place of the area lies; of a rectangle exactly those that it covers.
    pub fn longitudes(&self) -> Vec<(f64, f64)> {
        let all = vec![(-180.0, 180.0)];
        match self {
            Area::Circle { centre, metres } => {
                // The meridian that touches a small circle (spherical law of sines); a little wider, against rounding.
                let reach = (metres / EARTH_METRES).sin() / centre.lat.to_radians().cos();
                let past_pole = centre.lat.abs().to_radians() + metres / EARTH_METRES >= std::f64::consts::FRAC_PI_2;
                if past_pole || !(0.0..1.0).contains(&reach) {
                    return all;
                }
                let reach = reach.asin().to_degrees() * (1.0 + 1e-9) + 1e-9;
                stripes(centre.lon - reach, centre.lon + reach)
            }
            Area::Box { north_west, south_east } => {
                let east = if north_west.lon <= south_east.lon { south_east.lon } else { south_east.lon + 360.0 };
                stripes(north_west.lon, east)
            }
            Area::Polygon(points) => {
                let lons = || points.iter().map(|p| p.lon);
                let crosses = sides(points).any(|(a, b)| (b.lon - a.lon).abs() >= 180.0);
                if crosses { all } else { stripes(lons().fold(180.0, f64::min), lons().fold(-180.0, f64::max)) }
            }
        }
    }

    /// The smallest and largest latitude that the area reaches.
    pub fn latitudes(&self) -> (f64, f64) {
        match self {
            Area::Circle { centre, metres } => {
                // A little more than the radius: rounding must not leave a place out.
                let reach = (metres / EARTH_METRES).to_degrees() * (1.0 + 1e-9) + 1e-9;
                (centre.lat - reach, centre.lat + reach)
            }
            Area::Box { north_west, south_east } => (south_east.lat, north_west.lat),
            Area::Polygon(points) => {
                let lats = || points.iter().map(|p| p.lat);
                let (least, most) = (lats().fold(90.0, f64::min), lats().fold(-90.0, f64::max));
                match winding(points) {
                    Some(true) => (least, 90.0),
                    Some(false) => (-90.0, most),
                    None => (least, most),
                }
            }
        }
    }
}

/// The longitudes from `west` to `east`, which may lie beyond the antimeridian, whose two names both belong to them.
fn stripes(west: f64, east: f64) -> Vec<(f64, f64)> {
    let mut found = vec![(west.max(-180.0), east.min(180.0))];
    if west <= -180.0 {
        found.push((west + 360.0, 180.0));
    }
    if east >= 180.0 {
        found.push((-180.0, east - 360.0));
    }
    found
}

/// Great-circle distance in metres (haversine formula, R. W. Sinnott, Sky and Telescope 68, 1984).
pub(crate) fn distance(a: LatLong, b: LatLong) -> f64 {
    let (lat_a, lat_b) = (a.lat.to_radians(), b.lat.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.lon - a.lon).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    2.0 * EARTH_METRES * h.sqrt().min(1.0).asin()
}

/// The shorter way from one longitude to another, -180 to 180 degrees.
fn turn(from: f64, to: f64) -> f64 {
    let turn = to - from;
    if turn > 180.0 {
        turn - 360.0
    } else if turn < -180.0 {
        turn + 360.0
    } else {
        turn
    }
}

/// The sides of a polygon, the last one back to its first point.
fn sides(points: &[LatLong]) -> impl Iterator<Item = (LatLong, LatLong)> + '_ {
    points.iter().copied().zip(points.iter().copied().cycle().skip(1))
}

/// Whether the sides go around the earth, and then whether they enclose the north pole.
fn winding(points: &[LatLong]) -> Option<bool> {
    let around: f64 = sides(points).map(|(a, b)| turn(a.lon, b.lon)).sum();
    let lats: f64 = points.iter().map(|p| p.lat).sum();
    (around.abs() > 180.0).then_some(lats >= 0.0)
}

/// Even-odd rule along the meridian from the place towards the pole that is outside (or north).
fn in_polygon(points: &[LatLong], place: LatLong) -> bool {
    let north = winding(points) != Some(true);
    let mut inside = false;
    for (a, b) in sides(points) {
        // Longitudes relative to the place; the side runs the shorter way.
        let from = turn(place.lon, a.lon);
        let to = from + turn(a.lon, b.lon);
        for shift in [-360.0, 0.0, 360.0] {
            let (from, to) = (from + shift, to + shift);
            if from == 0.0 && to == 0.0 {
                let (low, high) = (a.lat.min(b.lat), a.lat.max(b.lat));
                if (low..=high).contains(&place.lat) {
                    return true;
                }
                continue;
            }
            if from.min(to) > 0.0 || from.max(to) < 0.0 {
                continue;
            }
            let lat = a.lat + (b.lat - a.lat) * (from / (from - to));
            if lat == place.lat {
                return true;
            }
            // Of two sides that meet on the meridian, one counts.
            let crosses = (from <= 0.0) != (to <= 0.0);
            if crosses && (lat > place.lat) == north {
                inside = !inside;
            }
        }
    }
    inside
}

impl fmt::Display for LatLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6},{:.6}", self.lat, self.lon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> LatLong {
        LatLong::new(lat, lon).unwrap()
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        // A degree of latitude is R * pi / 180.
        let degree = EARTH_METRES * std::f64::consts::PI / 180.0;
        assert!((distance(at(0.0, 0.0), at(1.0, 0.0)) - degree).abs() < 1e-6);
        assert!((distance(at(90.0, 0.0), at(89.0, 77.0)) - degree).abs() < 1e-3);
        assert!((distance(at(0.0, 179.5), at(0.0, -179.5)) - degree).abs() < 1e-3);
        assert!((distance(at(0.0, 0.0), at(0.0, 180.0)) - 180.0 * degree).abs() < 1e-3);
    }

    #[test]
    fn boxes_and_circles() {
        let pacific = Area::parse_box("10,170;-10,-170").unwrap();
        assert!(
            pacific.contains(at(0.0, 175.0)) && pacific.contains(at(0.0, -175.0)) && pacific.contains(at(10.0, 180.0))
        );
        assert!(!pacific.contains(at(0.0, 0.0)) && !pacific.contains(at(11.0, 175.0)));
        let polar = Area::parse_circle("89.9,0;50000").unwrap();
        assert!(polar.contains(at(89.9, 180.0)) && !polar.contains(at(89.0, 0.0)));
        for bad in ["", "1,2", "1,2;-1", "1,2;x", "91,0;5", "1,2;inf"] {
            assert!(Area::parse_circle(bad).is_err(), "{bad}");
        }
        for bad in ["", "1,2", "1,2;3,4", "1,2;0,4;5,6"] {
            assert!(Area::parse_box(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn polygons_on_the_plane_over_the_antimeridian_and_around_a_pole() {
        let square = Area::parse_polygon("0,0;0,10;10,10;10,0").unwrap();
        for (lat, lon, inside) in [
            (5.0, 5.0, true),
            (0.0, 0.0, true),
            (0.0, 5.0, true),
            (10.0, 10.0, true),
            (5.0, 10.0, true),
            (5.0, 10.1, false),
            (-0.1, 5.0, false),
            (5.0, -170.0, false),
        ] {
            assert_eq!(square.contains(at(lat, lon)), inside, "{lat} {lon}");
        }
        let across = Area::parse_polygon("0,170;0,-170;10,-170;10,170;").unwrap();
        assert!(across.contains(at(5.0, 180.0)) && across.contains(at(5.0, -175.0)) && across.contains(at(5.0, 175.0)));
        assert!(!across.contains(at(5.0, 0.0)) && !across.contains(at(5.0, 165.0)));
        let arctic = Area::parse_polygon("60,0;60,90;60,180;60,-90").unwrap();
        assert!(
            arctic.contains(at(90.0, 0.0)) && arctic.contains(at(75.0, -135.0)) && !arctic.contains(at(50.0, 20.0))
        );
        let antarctic = Area::parse_polygon("-60,0;-60,-90;-60,180;-60,90").unwrap();
        assert!(
            antarctic.contains(at(-90.0, 12.0))
                && !antarctic.contains(at(-50.0, 20.0))
                && !antarctic.contains(at(90.0, 0.0))
        );
        assert_eq!(arctic.latitudes(), (60.0, 90.0));
        assert!(Area::parse_polygon("0,0;1,1").is_err());
    }
}
