//! Pictures that look alike: perceptual hashes that differ in a few bits.
//!
//! The hash of 64 bits is indexed in four parts of 16. Of two hashes that differ in at most seven bits, one part differs in at
//! most one (pigeonhole): the parts' 17 neighbours each find all candidates, whose hashes are then compared (multi-index
//! hashing: Norouzi, Punjani and Fleet, "Fast Search in Hamming Space", CVPR 2012).

use super::dataset::Dataset;
use crate::analyze::ImageHash;
use crate::error::{Error, ErrorKind, Result};
use crate::model::query::MAX_PAGE;
use crate::model::{Condition, File, Filter, Members, Query, Value, field};

/// Parts of a hash.
pub(super) const PARTS: u32 = 4;
/// Bits of one part.
pub(super) const PART_BITS: u32 = 16;
/// Most bits in which hashes that are found may differ: beyond it candidates would be missed.
pub const MAX_DISTANCE: u32 = 7;

/// A picture that looks like another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Its address.
    pub uri: String,
    /// Bits in which the hashes differ, 0 for the same.
    pub distance: u32,
}

impl Dataset {
    /// Files whose `ImageHash` differs from `hash` in at most `distance` bits (0 to [`MAX_DISTANCE`]), the nearest first, then
    /// by URI. Exact: every such file is found.
    pub fn similar(&self, hash: ImageHash, distance: u32) -> Result<Vec<Alike>> {
        let found = || -> Result<Vec<Alike>> {
            if distance > MAX_DISTANCE {
                return Err(Error::invalid(format!("distance: expected 0 to {MAX_DISTANCE} bits, got {distance}")));
            }
            let mut query = Query {
                filter: Some(Filter::Or(candidates(hash, distance)?)),
                with_fields: vec![field::URI, field::IMAGE_HASH],
                without_total: true,
                ..Query::default()
            };
            query.page.max_results = MAX_PAGE;
            let mut alike = Vec::new();
            loop {
                let answer = self.search(&query)?;
                alike.extend(answer.files.iter().filter_map(|file| near(file, hash, distance)));
                if answer.next_token.is_empty() {
                    break;
                }
                query.page.token = answer.next_token;
            }
            alike.sort_by(|a, b| a.distance.cmp(&b.distance).then_with(|| a.uri.cmp(&b.uri)));
            Ok(alike)
        };
        found().map_err(|e| e.during("similar"))
    }

    /// The `ImageHash` of a stored file; [`ErrorKind::NotFound`] where there is no such file or it has none.
    pub fn image_hash(&self, uri: &str) -> Result<ImageHash> {
        let file = self.get(uri, &[field::IMAGE_HASH])?;
        let absent = |what: &str| Error::new(ErrorKind::NotFound, format!("{uri}: {what}"));
        let file = file.ok_or_else(|| absent("there is no such file"))?;
        let advice = "it has no ImageHash: index it with a template that has that operator";
        ImageHash::parse(file.text(field::IMAGE_HASH).ok_or_else(|| absent(advice))?)
    }
}

fn near(file: &File, hash: ImageHash, most: u32) -> Option<Alike> {
    let other = ImageHash::parse(file.text(field::IMAGE_HASH)?).ok()?;
    let distance = hash.distance(other);
    (distance <= most).then(|| Alike { uri: file.uri().to_owned(), distance })
}

/// The parts that a hash within `distance` must have one of.
fn candidates(hash: ImageHash, distance: u32) -> Result<Vec<Filter>> {
    let mut filters = Vec::new();
    let name = field::IMAGE_HASH_PARTS.field().path;
    for part in 0..PARTS {
        for value in near_parts(part_of(hash.0, part), distance) {
            filters.push(Filter::Is(Condition::parse(&format!("{name}.{part}"), "eq", &written(value))?));
        }
    }
    Ok(filters)
}

/// A part of a hash.
pub(super) fn part_of(hash: u64, part: u32) -> u64 {
    hash >> (part * PART_BITS) & 0xFFFF
}

/// What one of the parts must be of a hash within `distance`.
pub(super) fn near_parts(part: u64, distance: u32) -> impl Iterator<Item = u64> {
    // Four parts share the differences: below four of them one part has none.
    let bits = if distance < PARTS { 0 } else { PART_BITS };
    std::iter::once(part).chain((0..bits).map(move |bit| part ^ (1 << bit)))
}

fn written(part: u64) -> String {
    format!("{part:04x}")
}

/// What the index holds beside a hash: its parts by number. Documents never show them.
pub(super) fn add_parts(members: &mut Members) {
    let hash = members.text(field::IMAGE_HASH).and_then(|text| ImageHash::parse(text).ok());
    if let Some(hash) = hash {
        let parts = (0..PARTS).map(|part| (part.to_string(), written(part_of(hash.0, part))));
        members.set(field::IMAGE_HASH_PARTS, Value::map(parts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_within_the_distance_shares_a_part() {
        let hash = ImageHash(0x0123_4567_89AB_CDEF);
        let mut state = 7u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for distance in 0..=MAX_DISTANCE {
            for _ in 0..200 {
                let mut other = hash;
                while hash.distance(other) < distance {
                    other = ImageHash(other.0 ^ (1 << (random() % 64)));
                }
                let differs = |part| (part_of(hash.0, part) ^ part_of(other.0, part)).count_ones();
                let allowed = u32::from(distance >= PARTS);
                assert!((0..PARTS).any(|part| differs(part) <= allowed), "{distance}");
            }
        }
    }
}
