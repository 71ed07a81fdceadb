//! Places: `30.25,120.1,5km` is a circle, `lat,lon,lat,lon` a box, more points a polygon.

use crate::model::geo::MAX_POLYGON;
use crate::model::{Area, LatLong};

/// Units of a radius in metres, longest names first.
const METRES: [(&str, f64); 4] = [("km", 1000.0), ("mi", 1609.344), ("ft", 0.3048), ("m", 1.0)];

/// Reads `latitude,longitude,radius`; the error says what was expected.
pub(super) fn near(text: &str) -> Result<Area, String> {
    let circle = || {
        let (place, radius) = text.rsplit_once(',')?;
        let radius = radius.trim();
        let unit = METRES.iter().find(|(unit, _)| radius.ends_with(unit));
        let (number, factor) =
            unit.map_or((radius, 1.0), |(unit, factor)| (radius.strip_suffix(unit).unwrap_or(""), *factor));
        let metres = decimal(number)? * factor;
        Some(Area::Circle { centre: point(place)?, metres }).filter(|_| metres >= 0.0)
    };
    circle().ok_or_else(|| "latitude,longitude,radius such as 30.25,120.1,5km (m, km, mi, ft)".to_owned())
}

/// Reads two opposite corners or the corners of a polygon. The first longitude of a box is its western edge.
pub(super) fn within(text: &str) -> Result<Area, String> {
    let expected =
        || format!("latitude,longitude of two opposite corners or of 3 to {MAX_POLYGON} points of a polygon");
    let numbers: Vec<&str> = text.split(',').collect();
    let place = |pair: &[&str]| point(&pair.join(","));
    let points: Vec<LatLong> = numbers.chunks(2).map(place).collect::<Option<_>>().ok_or_else(expected)?;
    match points.as_slice() {
        [a, b] => Ok(Area::Box {
            north_west: LatLong { lat: a.lat.max(b.lat), lon: a.lon },
            south_east: LatLong { lat: a.lat.min(b.lat), lon: b.lon },
        }),
        many if (3..=MAX_POLYGON).contains(&many.len()) => Ok(Area::Polygon(points)),
        _ => Err(expected()),
    }
}

fn point(text: &str) -> Option<LatLong> {
    let (lat, lon) = text.split_once(',')?;
    LatLong::new(decimal(lat)?, decimal(lon)?)
}

/// A finite decimal number: Rust would also read "inf" and "nan".
fn decimal(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_boxes_and_polygons() {
        for (text, api) in
            [("30.25,120.1,5km", "30.25,120.1;5000"), ("30,120,0.5", "30,120;0.5"), ("1, 2, 10 ft", "1,2;3.048")]
        {
            assert_eq!(near(text), Ok(Area::parse_circle(api).unwrap()), "{text}");
        }
        for text in ["31,120,30,121", "30,120,31,121"] {
            assert_eq!(within(text), Ok(Area::parse_box("31,120;30,121").unwrap()));
        }
        assert_eq!(within("0,0,0,1,1,1"), Ok(Area::parse_polygon("0,0;0,1;1,1").unwrap()));
        for bad in ["", "1,2", "91,0,5km", "1,2,-5", "1,2,5ly", "1,2,inf", "1,2,nanm", "1,2,3,4"] {
            assert!(near(bad).unwrap_err().starts_with("latitude,longitude,radius"), "{bad}");
        }
        for bad in ["", "1,2", "1,2,3", "1,2,3,181", "a,b,c,d"] {
            assert!(within(bad).unwrap_err().starts_with("latitude,longitude of"), "{bad}");
        }
    }
}
