//! Nonces that were used: each request is answered once.
//!
//! Two generations of hashes: the older one is dropped when the younger is as old as a nonce must be remembered, so that
//! memory is bounded without a timer. A full generation refuses requests rather than forgetting nonces.

use crate::model::Timestamp;
use hashbrown::HashSet;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Nonces of one generation: 32 MiB of hashes at most for both.
const MAX_NONCES: usize = 1 << 20;

/// What is known of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Seen {
    /// It is new, and remembered from now on.
    Never,
    /// It was used before.
    Before,
    /// There is no room to remember it.
    Full,
}

/// The nonces of all keys.
#[derive(Debug)]
pub(in crate::server) struct Nonces {
    /// How long a nonce is remembered at least, in nanoseconds.
    keep: u64,
    most: usize,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    begun: i64,
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl Nonces {
    /// A date may lie as far in the future as in the past, so a nonce is remembered for two windows.
    pub(in crate::server) fn new(window: Duration) -> Nonces {
        let keep = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX).saturating_mul(2);
        Nonces { keep, most: MAX_NONCES, generations: Mutex::default() }
    }

    /// Looks a nonce of a key up and remembers it.
    pub(in crate::server) fn note(&self, key_id: &str, nonce: &str, present: Timestamp) -> Seen {
        let hash = hash(key_id, nonce);
        let mut guard = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &mut *guard;
        if present.0.abs_diff(all.begun) > self.keep {
            all.begun = present.0;
            all.old = std::mem::take(&mut all.young);
        }
        if all.young.contains(&hash) || all.old.contains(&hash) {
            return Seen::Before;
        }
        if all.young.len() >= self.most {
            return Seen::Full;
        }
        all.young.insert(hash);
        Seen::Never
    }
}

fn hash(key_id: &str, nonce: &str) -> u128 {
    let mut hash = Sha256::new();
    hash.update((key_id.len() as u64).to_le_bytes());
    hash.update(key_id.as_bytes());
    hash.update(nonce.as_bytes());
    let digest = hash.finalize();
    digest.first_chunk::<16>().map_or(0, |head| u128::from_le_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_per_key_and_time() {
        let nonces = Nonces::new(Duration::from_secs(900));
        let at = |minute: i64| Timestamp(minute * 60_000_000_000);
        assert_eq!(nonces.note("a", "n", at(1000)), Seen::Never);
        assert_eq!(nonces.note("a", "n", at(1000)), Seen::Before);
        assert_eq!(nonces.note("b", "n", at(1001)), Seen::Never);
        assert_eq!(nonces.note("a", "n", at(1030)), Seen::Before);
        // A generation later it is still known, two later it is not, and its date has long passed.
        assert_eq!(nonces.note("a", "n", at(1031)), Seen::Before);
        assert_eq!(nonces.note("a", "m", at(1062)), Seen::Never);
        assert_eq!(nonces.note("a", "n", at(1093)), Seen::Never);
    }

    #[test]
    fn a_full_memory_refuses() {
        let nonces = Nonces { most: 2, ..Nonces::new(Duration::from_secs(1)) };
        assert_eq!(
            ["a", "b", "c", "a"].map(|n| nonces.note("k", n, Timestamp(0))),
            [Seen::Never, Seen::Never, Seen::Full, Seen::Before]
        );
    }
}
