//! Places in an area: the column of latitudes narrows, each place decides.

use super::scan::{self, Gather, Slots};
use super::{Leaf, keep_each};
use crate::error::Result;
use crate::index::{NumberColumn, order_bits};
use crate::model::{Area, LatLong};
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Whether a document's place is in an area.
pub(crate) struct PlaceLeaf<'a> {
    lat: NumberColumn<'a>,
    lon: NumberColumn<'a>,
    area: Area,
    /// Latitudes that the area reaches.
    band: Slots,
    docs: u32,
}

impl<'a> PlaceLeaf<'a> {
    pub(crate) fn new(lat: NumberColumn<'a>, lon: NumberColumn<'a>, area: Area, docs: u32) -> PlaceLeaf<'a> {
        let (south, north) = area.latitudes();
        let (below, equal) = lat.slot_at_most(order_bits(south));
        let from = if equal { below } else { below + 1 };
        let band = Slots::Range(from.max(1), lat.slot_at_most(order_bits(north)).0);
        PlaceLeaf { lat, lon, area, band, docs }
    }

    fn contains(&self, unit: usize) -> bool {
        let place = self.lat.float(unit).zip(self.lon.float(unit));
        place.and_then(|(lat, lon)| LatLong::new(lat, lon)).is_some_and(|place| self.area.contains(place))
    }
}

impl Leaf for PlaceLeaf<'_> {
    fn estimate(&self) -> u64 {
        let band = scan::estimate(self.lat.slots(), &self.band);
        match &self.area {
            Area::Box { north_west, south_east } => {
                let width = (south_east.lon - north_west.lon).rem_euclid(360.0);
                (band as f64 * width / 360.0).ceil() as u64
            }
            // As wide as high.
            _ => {
                let (south, north) = self.area.latitudes();
                (band as f64 * ((north - south) / 360.0).min(1.0)).ceil() as u64
            }
        }
    }

    fn find_ns(&self) -> u64 {
        u64::from(self.docs) * 2 + scan::estimate(self.lat.slots(), &self.band) * self.look_ns()
    }

    fn look_ns(&self) -> u64 {
        match &self.area {
            Area::Box { .. } => 15,
            Area::Circle { .. } => 80,
            Area::Polygon(points) => 20 + 10 * points.len() as u64,
        }
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let mut found = Gather::default();
        scan::units(self.lat.slots(), &self.band, docs.start as usize..docs.end as usize, context, |units| {
            for unit in units.filter(|unit| self.contains(*unit)) {
                found.push(unit as u32);
            }
            Ok(())
        })?;
        found.finish()
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| Ok(self.contains(doc as usize)))
    }
}
