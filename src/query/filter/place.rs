//! Places in an area: the column of latitudes narrows, each place decides.

use super::scan::{self, Gather, Slots};
use super::{Leaf, keep_each};
use crate::error::Result;
use crate::index::{NumberColumn, Places, order_bits};
use crate::model::{Area, LatLong};
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::ops::{Range, RangeInclusive};

/// Whether a document's place is in an area.
pub(crate) struct PlaceLeaf<'a> {
    lat: NumberColumn<'a>,
    lon: NumberColumn<'a>,
    /// The documents by where they are, where that is stored.
    places: Option<Places<'a>>,
    area: Area,
    /// Latitudes that the area reaches.
    band: Slots,
    /// Slots of longitudes: all places of the area have one of these.
    stripes: Vec<RangeInclusive<u64>>,
    docs: u32,
}

impl<'a> PlaceLeaf<'a> {
    pub(crate) fn new(
        lat: NumberColumn<'a>,
        lon: NumberColumn<'a>,
        places: Option<Places<'a>>,
        area: Area,
        docs: u32,
    ) -> PlaceLeaf<'a> {
        let (south, north) = area.latitudes();
        let band = Slots::Range(*slots(&lat, south, north).start(), *slots(&lat, south, north).end());
        let stripes = area.longitudes().into_iter().map(|(west, east)| slots(&lon, west, east)).collect();
        PlaceLeaf { lat, lon, places, area, band, stripes, docs }
    }

    /// The documents of an area, from the blocks of places that touch it.
    fn by_place(&self, places: &Places<'_>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let Slots::Range(south, north) = self.band else { return Ok(RoaringBitmap::new()) };
        let found = places.candidates(south..=north, &self.stripes);
        let (certain, possible) = (found.certain.into_bitmap(), found.possible.into_bitmap());
        // Only of a rectangle the bounds tell everything.
        if matches!(self.area, Area::Box { .. }) {
            return Ok(certain | self.keep(&possible, context)?);
        }
        self.keep(&(certain | possible), context)
    }

    fn contains(&self, unit: usize) -> bool {
        let place = self.lat.float(unit).zip(self.lon.float(unit));
        place.and_then(|(lat, lon)| LatLong::new(lat, lon)).is_some_and(|place| self.area.contains(place))
    }
}

/// The slots of the values from `from` to `to`, both included.
fn slots(column: &NumberColumn<'_>, from: f64, to: f64) -> RangeInclusive<u64> {
    let (below, equal) = column.slot_at_most(order_bits(from));
    let first = if equal { below } else { below + 1 };
    first.max(1)..=column.slot_at_most(order_bits(to)).0
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
        match &self.places {
            Some(places) => places.len() as u64 / 8 + self.estimate() * (self.look_ns() + 10),
            None => u64::from(self.docs) * 2 + scan::estimate(self.lat.slots(), &self.band) * self.look_ns(),
        }
    }

    fn look_ns(&self) -> u64 {
        match &self.area {
            Area::Box { .. } => 15,
            Area::Circle { .. } => 80,
            Area::Polygon(points) => 20 + 10 * points.len() as u64,
        }
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        // A part of the documents is sooner read than the places of all are sorted out.
        if let Some(places) = self.places.filter(|_| docs.len() as u32 == self.docs) {
            return self.by_place(&places, context);
        }
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
