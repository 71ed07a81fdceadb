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

impl fmt::Display for LatLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6},{:.6}", self.lat, self.lon)
    }
}
