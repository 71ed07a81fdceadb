//! What to merge when: rules over sizes only.

use super::options::{SEAL_DOCS, TailLimits};
use super::space::{Piece, PieceId, View};
use crate::index::FEW_DOCS;
use std::collections::BTreeSet;

/// Parts of one size that are folded together in memory.
const FOLD_FACTOR: usize = 4;
/// Parts with this many documents are left to the seal.
const FOLD_BELOW: u64 = 4096;
/// Parts in memory above which the tail is sealed whatever its size.
const MOST_TAIL_PIECES: u64 = 24;
/// Sealed segments of one size that are merged together.
const MERGE_FACTOR: usize = 8;
/// A merge at rest makes the largest of its segments longer by at least one in so many of its documents.
const LEAST_GAIN: u64 = 2;
/// Documents of the smallest size of sealed segments.
const SMALLEST_TIER: u64 = 1 << 13;

/// Which of equal-sized parts in memory to fold: `FOLD_FACTOR` of one size that nobody else is merging.
pub(super) fn fold(pieces: &[Piece], busy: &BTreeSet<PieceId>) -> Option<Vec<PieceId>> {
    let small = pieces.iter().filter(|p| p.id.is_tail() && !busy.contains(&p.id));
    let sizes = small.map(|p| (p.part.live(), p.id)).filter(|(live, _)| *live < FOLD_BELOW);
    Some(first_full_tier(sizes, 1, FOLD_FACTOR)?.into_iter().map(|(_, id)| id).collect())
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
    Some(fitting(first_full_tier(sizes, SMALLEST_TIER, MERGE_FACTOR)?, most_docs))
}

/// Which sealed segments to merge when writes rest: those too small to have every index, which queries feel.
pub(super) fn merge_at_rest(pieces: &[Piece], most_docs: u64) -> Option<Vec<PieceId>> {
    let sealed = pieces.iter().filter(|p| !p.id.is_tail()).map(|p| (p.part.live(), p.id));
    let small = fitting(stragglers(sealed.collect()), most_docs);
    (small.len() > 1).then_some(small)
}

/// The small ones, smallest first, without those that dwarf the others: they would be written again for every few documents.
fn stragglers(mut sizes: Vec<(u64, PieceId)>) -> Vec<(u64, PieceId)> {
    sizes.retain(|(live, _)| *live < FEW_DOCS);
    sizes.sort_unstable();
    while let Some(((largest, _), others)) = sizes.split_last() {
        if others.iter().map(|(live, _)| live).sum::<u64>() * LEAST_GAIN >= *largest {
            break;
        }
        sizes.pop();
    }
    sizes
}

/// As many of them as do not pass `most_docs` together.
fn fitting(sizes: Vec<(u64, PieceId)>, most_docs: u64) -> Vec<PieceId> {
    let mut docs = 0;
    let fits = |(live, _): &(u64, PieceId)| {
        docs += live;
        docs <= most_docs
    };
    sizes.into_iter().take_while(fits).map(|(_, id)| id).collect()
}

/// The smallest tier with at least `factor` members; tiers grow by `factor` from `smallest`.
fn first_full_tier(
    sizes: impl Iterator<Item = (u64, PieceId)>,
    smallest: u64,
    factor: usize,
) -> Option<Vec<(u64, PieceId)>> {
    let mut tiers: std::collections::BTreeMap<u32, Vec<(u64, PieceId)>> = Default::default();
    for (live, id) in sizes {
        let tier = (live / smallest).max(1).ilog(factor as u64);
        tiers.entry(tier).or_default().push((live, id));
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
                merge_in(&mut sizes, &chosen);
            }
            assert!(sizes.len() <= 18, "{} parts", sizes.len());
        }
    }

    /// Replaces what was chosen by one of its size, which is returned.
    fn merge_in(sizes: &mut Vec<u64>, chosen: &[(u64, PieceId)]) -> u64 {
        let merged = chosen.iter().map(|(live, _)| live).sum();
        let mut at = 0;
        sizes.retain(|_| {
            at += 1;
            chosen.iter().all(|(_, id)| *id != PieceId::Sealed(SegmentId(at - 1)))
        });
        sizes.push(merged);
        merged
    }

    #[test]
    fn stragglers_are_merged_and_not_again_for_each_document() {
        let of = |sizes: &[u64]| stragglers(ids(sizes)).into_iter().map(|(live, _)| live).collect::<Vec<_>>();
        assert_eq!(of(&[300_000, 50_000, 52_000]), [50_000, 52_000]);
        assert_eq!(of(&[50_000, 10, 20]), [10, 20]);
        assert_eq!(of(&[20, 12, 50_000, 12_000, 400]), [12, 20]);
        let (mut sizes, mut written, each) = (Vec::new(), 0, 100);
        for _ in 0..1000 {
            sizes.push(each);
            while let chosen = stragglers(ids(&sizes))
                && chosen.len() > 1
            {
                written += merge_in(&mut sizes, &chosen);
            }
        }
        assert!(written < 8 * 1000 * each, "{written} documents written");
        assert!(sizes.len() < 30, "{} segments", sizes.len());
    }
}
