//! What to merge when: rules over sizes only.

use super::options::{SEAL_DOCS, TailLimits};
use super::space::{Piece, PieceId, View};
use std::collections::BTreeSet;

/// Parts of one size that are folded together in memory.
const FOLD_FACTOR: usize = 4;
/// Parts with this many documents are left to the seal.
const FOLD_BELOW: u64 = 4096;
/// Parts in memory above which the tail is sealed whatever its size.
const MOST_TAIL_PIECES: u64 = 24;
/// Sealed segments of one size that are merged together.
const MERGE_FACTOR: usize = 8;
/// Documents of the smallest size of sealed segments.
const SMALLEST_TIER: u64 = 1 << 13;

/// Which of equal-sized parts in memory to fold: `FOLD_FACTOR` of one size that nobody else is merging.
pub(super) fn fold(pieces: &[Piece], busy: &BTreeSet<PieceId>) -> Option<Vec<PieceId>> {
    let small = pieces.iter().filter(|p| p.id.is_tail() && !busy.contains(&p.id));
    let sizes = small.map(|p| (p.part.live(), p.id)).filter(|(live, _)| *live < FOLD_BELOW);
    first_full_tier(sizes, 1, FOLD_FACTOR)
}

/// Which sealed segments to merge: `MERGE_FACTOR` of one size, or one that is mostly dead. A merge that would pass
/// `most_docs` takes as many of them as do not; segments of more than half of that are left alone.
pub(super) fn merge(pieces: &[Piece], most_docs: u64) -> Option<Vec<PieceId>> {
    let sealed = || pieces.iter().filter(|p| !p.id.is_tail());
    let mostly_dead = sealed().find(|p| p.part.live() * 2 < u64::from(p.part.segment.len()));
    if let Some(piece) = mostly_dead {
        return Some(vec![piece.id]);
    }
    let sizes = sealed().map(|p| (p.part.live(), p.id)).filter(|(live, _)| *live * 2 <= most_docs);
    let tier = first_full_tier(sizes, SMALLEST_TIER, MERGE_FACTOR)?;
    let mut docs = 0;
    let live = |id: &PieceId| sealed().find(|p| p.id == *id).map_or(0, |p| p.part.live());
    let fits = |id: &PieceId| {
        docs += live(id);
        docs <= most_docs
    };
    Some(tier.into_iter().take_while(fits).collect())
}

/// The smallest tier with at least `factor` members; tiers grow by `factor` from `smallest`.
fn first_full_tier(sizes: impl Iterator<Item = (u64, PieceId)>, smallest: u64, factor: usize) -> Option<Vec<PieceId>> {
    let mut tiers: std::collections::BTreeMap<u32, Vec<PieceId>> = Default::default();
    for (live, id) in sizes {
        let tier = (live / smallest).max(1).ilog(factor as u64);
        tiers.entry(tier).or_default().push(id);
    }
    tiers.into_values().find(|ids| ids.len() >= factor)
}

/// Whether the tail should be written out.
pub(super) fn seal_due(view: &View, limits: TailLimits) -> bool {
    let tail = view.tail();
    tail.bytes > limits.seal_bytes || tail.docs > SEAL_DOCS || tail.pieces > MOST_TAIL_PIECES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::SegmentId;

    fn ids(sizes: &[u64]) -> Vec<(u64, PieceId)> {
        sizes.iter().zip(0..).map(|(size, n)| (*size, PieceId::Sealed(SegmentId(n)))).collect()
    }

    #[test]
    fn smallest_full_tier_first() {
        let chosen = |sizes: &[u64]| first_full_tier(ids(sizes).into_iter(), 1, 4).map(|c| c.len());
        assert_eq!(chosen(&[1, 1, 1]), None);
        assert_eq!(chosen(&[1, 2, 3, 1]), Some(4));
        assert_eq!(chosen(&[1, 4, 16, 64, 5, 6, 7]), Some(4));
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[0, 0, 0, 0, 0]), Some(5));
    }

    #[test]
    fn repeated_commits_leave_few_parts() {
        let mut sizes: Vec<u64> = Vec::new();
        for _ in 0..4095 {
            sizes.push(1);
            while let Some(chosen) = first_full_tier(ids(&sizes).into_iter(), 1, 4) {
                let picked: Vec<u64> = chosen
                    .iter()
                    .map(|id| if let PieceId::Sealed(id) = id { sizes[id.0 as usize] } else { 0 })
                    .collect();
                let mut at = 0;
                sizes.retain(|_| {
                    at += 1;
                    !chosen.contains(&PieceId::Sealed(SegmentId(at - 1)))
                });
                sizes.push(picked.iter().sum());
            }
            assert!(sizes.len() <= 18, "{} parts", sizes.len());
        }
    }
}
