//! Documents by where they are: neighbours on earth are neighbours here, in blocks with bounds, so that an area takes
//! most blocks whole or not at all.
//!
//! Layout: `docs/format.md`, "Places".

use super::numbers::NumberColumn;
use super::packed::{self, Packed};
use super::unit_set::UnitSet;
use super::varint;
use crate::error::{Error, Result};
use std::ops::RangeInclusive;

/// Fewer places are looked at one by one.
const MIN_PLACES: usize = 4096;
/// Places of a block.
const BLOCK: usize = 64;
/// Arrays of bounds: southern, northern, western, eastern.
const BOUNDS: usize = 4;

/// The section's bytes; `None` for few places.
pub(crate) fn build(lat: &NumberColumn<'_>, lon: &NumberColumn<'_>) -> Option<Vec<u8>> {
    let mut places: Vec<(u32, u32)> = Vec::new();
    lat.slots().each(|unit, slot| {
        if slot != 0 && lon.slot(unit) != 0 {
            let place = (lat.float(unit).unwrap_or(0.0), lon.float(unit).unwrap_or(0.0));
            places.push((z_order(place), unit as u32));
        }
    });
    if places.len() < MIN_PLACES {
        return None;
    }
    places.sort_unstable();
    let mut bounds: [Vec<u64>; BOUNDS] = Default::default();
    for block in places.chunks(BLOCK) {
        let slots = |column: &NumberColumn<'_>| {
            let slots = block.iter().map(|(_, unit)| column.slot(*unit as usize));
            (slots.clone().min().unwrap_or(0), slots.max().unwrap_or(0))
        };
        let ((south, north), (west, east)) = (slots(lat), slots(lon));
        bounds.iter_mut().zip([south, north, west, east]).for_each(|(array, bound)| array.push(bound));
    }
    let docs: Vec<u64> = places.into_iter().map(|(_, unit)| u64::from(unit)).collect();
    let mut out = Vec::new();
    for array in std::iter::once(&docs).chain(&bounds) {
        let mut packed = Vec::new();
        packed::write(array, &mut packed);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
    }
    Some(out)
}

/// The place's number in Z order (Morton 1966): 16 bits of latitude and of longitude, in turns.
fn z_order((lat, lon): (f64, f64)) -> u32 {
    let scale = |share: f64| (share.clamp(0.0, 1.0) * 65_535.0) as u32;
    let spread = |bits: u32| (0..16).fold(0, |out, at| out | (bits >> at & 1) << (2 * at));
    spread(scale((lat + 90.0) / 180.0)) << 1 | spread(scale((lon + 180.0) / 360.0))
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    docs: Packed<'a>,
    bounds: [Packed<'a>; BOUNDS],
    /// Number of documents of the segment.
    units: usize,
}

/// What the bounds of blocks say of an area.
pub(crate) struct InArea {
    /// Inside.
    pub(crate) certain: UnitSet,
    /// Perhaps inside: to be looked at.
    pub(crate) possible: UnitSet,
}

impl<'a> Places<'a> {
    /// Of a segment of `units` documents.
    pub(crate) fn new(mut bytes: &'a [u8], units: usize) -> Result<Places<'a>> {
        let mut array = || {
            let len = varint::take(&mut bytes)? as usize;
            Packed::new(varint::take_bytes(&mut bytes, len)?)
        };
        let docs = array()?;
        let bounds = [array()?, array()?, array()?, array()?];
        if docs.len() > units || bounds.iter().any(|bound| bound.len() != docs.len().div_ceil(BLOCK)) {
            let places = docs.len();
            return Err(Error::corrupted(format!("places: the bounds do not fit {places} of {units} documents")));
        }
        Ok(Places { docs, bounds, units })
    }

    /// Number of documents with a place.
    pub(crate) fn len(&self) -> usize {
        self.docs.len()
    }

    /// The documents in a rectangle: slots of latitudes, and of longitudes, which are two ranges where it crosses the
    /// 180th meridian.
    pub(crate) fn candidates(&self, lat: RangeInclusive<u64>, lons: &[RangeInclusive<u64>]) -> InArea {
        let mut area = InArea { certain: UnitSet::new(0..self.units), possible: UnitSet::new(0..self.units) };
        let [souths, norths, wests, easts] = self.bounds;
        for block in 0..souths.len() {
            let lats = souths.get(block)..=norths.get(block);
            let Some(inside_lat) = relation(&lats, &lat) else { continue };
            let block_lons = wests.get(block)..=easts.get(block);
            let found: Vec<bool> = lons.iter().filter_map(|lons| relation(&block_lons, lons)).collect();
            if found.is_empty() {
                continue;
            }
            let certain = inside_lat && found.contains(&true);
            let set = if certain { &mut area.certain } else { &mut area.possible };
            let docs = block * BLOCK..self.docs.len().min((block + 1) * BLOCK);
            docs.for_each(|at| set.insert(self.docs.get(at) as usize));
        }
        area
    }
}

/// Whether `inner` is inside `outer`; `None` if they do not touch.
fn relation(inner: &RangeInclusive<u64>, outer: &RangeInclusive<u64>) -> Option<bool> {
    let touch = inner.start() <= outer.end() && outer.start() <= inner.end();
    touch.then(|| outer.start() <= inner.start() && inner.end() <= outer.end())
}

#[cfg(test)]
mod tests {
    use super::super::numbers::{Numbers, write};
    use super::*;

    #[test]
    fn blocks_are_taken_whole_or_looked_at() {
        let units = 9000;
        let place = |n: usize| {
            let place =
                (((n * 7919 % 17_900) as f64 - 8950.0) / 100.0, ((n * 104_729 % 35_900) as f64 - 17_950.0) / 100.0);
            if n.is_multiple_of(3) { (f64::NAN, f64::NAN) } else { place }
        };
        let column =
            |value: fn((f64, f64)) -> f64| write(&Numbers::Float((0..units).map(|n| value(place(n))).collect()));
        let (lat, lon) = (column(|place| place.0), column(|place| place.1));
        let (lat, lon) = (NumberColumn::new(&lat).unwrap(), NumberColumn::new(&lon).unwrap());
        let section = build(&lat, &lon).unwrap();
        let places = Places::new(&section, units).unwrap();
        assert_eq!(places.len(), (0..units).filter(|n| !n.is_multiple_of(3)).count());
        let (mut whole, mut looked) = (0, 0);
        for (lats, lons) in
            [(2000..=9000, vec![10_000..=20_000]), (1..=17_000, vec![1..=900, 35_000..=40_000]), (5..=5, vec![7..=9])]
        {
            let area = places.candidates(lats.clone(), &lons);
            let (certain, possible) = (area.certain.into_bitmap(), area.possible.into_bitmap());
            for unit in 0..units {
                let inside = lats.contains(&lat.slot(unit)) && lons.iter().any(|lons| lons.contains(&lon.slot(unit)));
                assert!(inside || !certain.contains(unit as u32), "{unit} is not inside");
                assert!(!inside || certain.contains(unit as u32) || possible.contains(unit as u32), "{unit} is inside");
            }
            whole += certain.len();
            looked += possible.len();
        }
        assert!(whole > 0 && looked < units as u64, "{whole} taken whole, {looked} to be looked at");
    }

    #[test]
    fn neighbours_are_near() {
        assert!(
            z_order((0.1, 0.1)).abs_diff(z_order((0.11, 0.11))) < z_order((0.1, 0.1)).abs_diff(z_order((-40.0, 90.0)))
        );
        assert_eq!((z_order((-90.0, -180.0)), z_order((90.0, 180.0))), (0, u32::MAX));
    }
}
