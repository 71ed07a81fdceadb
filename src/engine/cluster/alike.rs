//! Hashes that hang together: the components of "differ in at most so many bits" (single linkage: Sneath, "The application of
//! computers to taxonomy", 1957). Pairs are found by the parts of hashes, as in [`crate::engine::similar`]: of two hashes within
//! seven bits one of four parts differs in at most one.

use crate::engine::similar::{PART_BITS, PARTS, near_parts, part_of};

/// Comparisons between two looks at whether to go on.
const LOOK: u64 = 1 << 22;

/// Why components were not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    Stopped,
    /// More comparisons would be needed than are allowed.
    TooMany,
}

/// For each of the hashes, which must differ, the place of the first one that it hangs together with. `distance`: at most
/// seven; `most`: comparisons that are allowed.
pub(super) fn components(
    hashes: &[u64],
    distance: u32,
    most: u64,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<usize>, Halt> {
    let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); (PARTS as usize) << PART_BITS];
    let bucket = |part: u32, value: u64| ((part as usize) << PART_BITS) | value as usize;
    for (at, hash) in hashes.iter().enumerate() {
        for part in 0..PARTS {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            buckets.get_mut(bucket(part, part_of(*hash, part))).into_iter().for_each(|list| list.push(at));
        }
    }
    let mut forest: Vec<usize> = (0..hashes.len()).collect();
    let (mut compared, mut look) = (0_u64, LOOK);
    for (at, hash) in hashes.iter().enumerate() {
        for part in 0..PARTS {
            for value in near_parts(part_of(*hash, part), distance) {
                let list = buckets.get(bucket(part, value)).map_or(&[][..], Vec::as_slice);
                // Pairs are seen from both sides: those behind are enough. Lists ascend.
                let from = list.partition_point(|other| (*other as usize) <= at);
                let later = list.get(from..).unwrap_or(&[]);
                compared += later.len() as u64 + 1;
                for other in later {
                    let other = *other as usize;
                    if hashes.get(other).is_some_and(|b| (hash ^ b).count_ones() <= distance) {
                        join(&mut forest, at, other);
                    }
                }
            }
        }
        if compared >= look {
            look = compared + LOOK;
            if compared > most {
                return Err(Halt::TooMany);
            }
            if stopped() {
                return Err(Halt::Stopped);
            }
        }
    }
    Ok((0..hashes.len()).map(|at| root(&mut forest, at)).collect())
}

/// The first of those that hang together (union by least, with path halving: Tarjan and van Leeuwen, 1984).
pub(super) fn root(forest: &mut [usize], mut at: usize) -> usize {
    while let Some(&parent) = forest.get(at).filter(|parent| **parent != at) {
        let grand = forest.get(parent).copied().unwrap_or(parent);
        forest.get_mut(at).into_iter().for_each(|slot| *slot = grand);
        at = grand;
    }
    at
}

/// Makes two hang together.
pub(super) fn join(forest: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(forest, a), root(forest, b));
    forest.get_mut(a.max(b)).into_iter().for_each(|slot| *slot = a.min(b));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(hashes: &[u64], distance: u32) -> Vec<usize> {
        let mut group: Vec<usize> = (0..hashes.len()).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for a in 0..hashes.len() {
                for b in 0..hashes.len() {
                    if (hashes[a] ^ hashes[b]).count_ones() <= distance && group[a] != group[b] {
                        let least = group[a].min(group[b]);
                        (group[a], group[b], changed) = (least, least, true);
                    }
                }
            }
        }
        group
    }

    proptest! {
        #[test]
        fn components_are_those_of_all_pairs(
            seeds in proptest::collection::vec((any::<u64>(), proptest::collection::vec(0u32..64, 0..6), 0usize..6), 0..40),
            distance in 0u32..=7,
        ) {
            let mut hashes: Vec<u64> = Vec::new();
            for (fresh, flips, near) in seeds {
                let base = hashes.len().checked_sub(near + 1).and_then(|at| hashes.get(at)).copied().unwrap_or(fresh);
                hashes.push(flips.iter().fold(base, |hash, bit| hash ^ (1 << bit)));
            }
            hashes.sort_unstable();
            hashes.dedup();
            prop_assert_eq!(components(&hashes, distance, u64::MAX, &|| false).unwrap(), naive(&hashes, distance));
        }
    }

    #[test]
    fn work_is_bounded() {
        // All share three parts: every pair is compared.
        let hashes: Vec<u64> = (0..20_000_u64).collect();
        assert_eq!(components(&hashes, 0, 1000, &|| false), Err(Halt::TooMany));
        assert_eq!(components(&hashes, 0, u64::MAX, &|| true), Err(Halt::Stopped));
        assert_eq!(components(&[], 7, 0, &|| true), Ok(vec![]));
    }
}
