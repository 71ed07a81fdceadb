//! The nonces that may still be repeated, by the minute of their requests' dates.
//!
//! The date is signed with the nonce, so a repeated request has the date of the first. A minute is forgotten when none of its
//! requests would be answered any more; from then on all of them are refused, wherever the clock is set. A full memory
//! refuses requests rather than forgetting nonces.

use super::journal::Journal;
use crate::error::Result;
use crate::model::Timestamp;
use hashbrown::HashSet;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most nonces in memory: at most 64 MiB of hash tables, also when each has just doubled.
pub(super) const MAX_NONCES: usize = 3_000_000;
/// Forgotten minutes that are known, a week of them: farther back no clock is set by accident.
const MAX_FORGOTTEN: usize = 7 * 24 * 60;
const MINUTE: i64 = 60_000_000_000;

/// What is known of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Seen {
    /// It is new, and remembered from now on.
    Never,
    /// It was used before.
    Before,
    /// Nobody knows any more: its request is too old, whatever the clock says.
    Forgotten,
    /// There is no room to remember it.
    Full,
}

/// The nonces of all keys.
#[derive(Debug)]
pub(in crate::server) struct Nonces {
    window: Duration,
    most: usize,
    known: Mutex<Known>,
    unwritten: AtomicU64,
}

#[derive(Debug)]
struct Known {
    /// Hashes by minute since 1970.
    minutes: BTreeMap<i64, HashSet<u64>>,
    count: usize,
    forgotten: BTreeSet<i64>,
    journal: Journal,
    /// Since a start after which the tail of the journal may be missing: when it was, by both clocks.
    torn: Option<(i64, Instant)>,
}

impl Nonces {
    /// Nonces as the journal in `folder` has them. Requests may be dated `window` before and after the present.
    pub(in crate::server) fn open(folder: &Path, window: Duration, present: Timestamp) -> Result<Nonces> {
        Nonces::bounded(folder, window, present, MAX_NONCES)
    }

    fn bounded(folder: &Path, window: Duration, present: Timestamp, most: usize) -> Result<Nonces> {
        let (journal, whole) = Journal::open(folder)?;
        let minutes = journal.read(most)?;
        let count = minutes.values().map(HashSet::len).sum();
        let torn = (!whole).then(|| (present.0, Instant::now()));
        let known = Known { minutes, count, forgotten: BTreeSet::new(), journal, torn };
        Ok(Nonces { window, most, known: Mutex::new(known), unwritten: AtomicU64::new(0) })
    }

    /// Looks a nonce of a key up and remembers it. `date` is that of the request, which lies within the window.
    pub(in crate::server) fn note(&self, key_id: &str, nonce: &str, date: Timestamp, present: Timestamp) -> Seen {
        let (hash, minute) = (hash(key_id, nonce), date.0.div_euclid(MINUTE));
        let mut guard = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *guard;
        known.forget(present, self.window);
        if known.forgotten.contains(&minute) || known.may_be_lost(date, self.window) {
            return Seen::Forgotten;
        }
        if known.minutes.values().any(|hashes| hashes.contains(&hash)) {
            return Seen::Before;
        }
        if known.count >= self.most {
            return Seen::Full;
        }
        known.minutes.entry(minute).or_default().insert(hash);
        known.count += 1;
        if known.journal.append(minute, hash).is_err() {
            // A full disk must not end the reading of what is there.
            self.unwritten.fetch_add(1, Ordering::Relaxed);
        }
        Seen::Never
    }

    /// How many are remembered.
    pub(in crate::server) fn count(&self) -> u64 {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).count as u64
    }

    /// How many could not be written, and would not be known after a restart.
    pub(in crate::server) fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }
}

impl Known {
    /// Forgets minutes of which no request would be answered at `present`. Those far ahead are of a clock that was wrong.
    fn forget(&mut self, present: Timestamp, window: Duration) {
        let window = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
        let first = present.0.saturating_sub(window).div_euclid(MINUTE);
        let last = present.0.saturating_add(window).div_euclid(MINUTE);
        while let Some(minute) = self.outside(first, last) {
            self.count -= self.minutes.remove(&minute).map_or(0, |hashes| hashes.len());
            self.forgotten.insert(minute);
            self.journal.remove(minute);
        }
        while self.forgotten.len() > MAX_FORGOTTEN {
            self.forgotten.pop_first();
        }
    }

    fn outside(&self, first: i64, last: i64) -> Option<i64> {
        let ends = [self.minutes.first_key_value(), self.minutes.last_key_value()];
        ends.into_iter().flatten().map(|(minute, _)| *minute).find(|minute| !(first..=last).contains(minute))
    }

    /// Whether the nonce of a request of that date may have been lost with the power.
    fn may_be_lost(&mut self, date: Timestamp, window: Duration) -> bool {
        match self.torn {
            Some((_, at)) if at.elapsed() > window => {
                self.torn = None;
                false
            }
            Some((started, _)) => date.0 < started,
            None => false,
        }
    }
}

/// 64 bits of SHA-256: that a new nonce seems used has a chance of one in six trillion with a full memory.
fn hash(key_id: &str, nonce: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update((key_id.len() as u64).to_le_bytes());
    hash.update(key_id.as_bytes());
    hash.update(nonce.as_bytes());
    hash.finalize().first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const WINDOW: Duration = Duration::from_secs(900);

    fn at(minute: i64) -> Timestamp {
        Timestamp((30_000_000 + minute) * MINUTE)
    }

    fn nonces(dir: &Path) -> Nonces {
        Nonces::open(dir, WINDOW, at(-100)).unwrap()
    }

    #[test]
    fn once_per_key_whatever_the_clock() {
        let dir = tempfile::tempdir().unwrap();
        let nonces = nonces(dir.path());
        assert_eq!(nonces.note("a", "n", at(0), at(0)), Seen::Never);
        assert_eq!(nonces.note("a", "n", at(0), at(0)), Seen::Before);
        assert_eq!(nonces.note("b", "n", at(0), at(1)), Seen::Never);
        // Signed anew with another date it is no repetition, but a nonce is for one request.
        assert_eq!(nonces.note("a", "n", at(15), at(1)), Seen::Before);
        assert_eq!(nonces.note("a", "n", at(0), at(15)), Seen::Before);
        // The clock goes on until nobody remembers, then back.
        assert_eq!(nonces.note("a", "m", at(16), at(16)), Seen::Never);
        assert_eq!(nonces.count(), 1);
        assert_eq!(nonces.note("a", "n", at(0), at(15)), Seen::Forgotten);
        assert_eq!(nonces.note("a", "m", at(16), at(-4)), Seen::Forgotten);
        // A clock that was years ahead for a while locks nobody out.
        assert_eq!(nonces.note("a", "x", at(2_000_000), at(2_000_000)), Seen::Never);
        assert_eq!(nonces.note("a", "y", at(20), at(20)), Seen::Never);
        assert_eq!(nonces.count(), 1);
    }

    #[test]
    fn a_restart_forgets_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let before = nonces(dir.path());
        for n in 0..1000 {
            assert_eq!(before.note("a", &n.to_string(), at(n % 15), at(10)), Seen::Never);
        }
        drop(before);
        let after = Nonces::open(dir.path(), WINDOW, at(11)).unwrap();
        assert_eq!(after.count(), 1000);
        for n in 0..1000 {
            assert_eq!(after.note("a", &n.to_string(), at(n % 15), at(11)), Seen::Before);
        }
        assert_eq!(after.note("a", "1000", at(11), at(11)), Seen::Never);
        assert_eq!(after.note("a", "1001", at(60), at(60)), Seen::Never);
        assert_eq!(std::fs::read_dir(dir.path().join("nonces")).unwrap().count(), 2, "one minute and the boot");
        assert_eq!(after.unwritten(), 0);
    }

    #[test]
    fn after_a_reboot_older_requests_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        drop(nonces(dir.path()));
        std::fs::write(dir.path().join("nonces/boot"), "another boot").unwrap();
        let after = Nonces::open(dir.path(), WINDOW, at(5)).unwrap();
        assert_eq!(after.note("a", "n", at(4), at(5)), Seen::Forgotten);
        assert_eq!(after.note("a", "n", at(5), at(5)), Seen::Never);
    }

    #[test]
    fn a_full_memory_refuses() {
        let dir = tempfile::tempdir().unwrap();
        drop(nonces(dir.path()));
        let nonces = Nonces::bounded(dir.path(), WINDOW, at(0), 2).unwrap();
        let note = |n| nonces.note("k", n, at(0), at(0));
        assert_eq!(["a", "b", "c", "a"].map(note), [Seen::Never, Seen::Never, Seen::Full, Seen::Before]);
        drop(nonces);
        let nonces = Nonces::bounded(dir.path(), WINDOW, at(0), 1).unwrap();
        assert_eq!((nonces.count(), nonces.note("k", "c", at(0), at(0))), (2, Seen::Full));
    }

    #[test]
    fn of_many_at_once_one_is_answered() {
        let dir = tempfile::tempdir().unwrap();
        let nonces = Arc::new(nonces(dir.path()));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let nonces = Arc::clone(&nonces);
                let new = move |n: &i64| nonces.note("k", &n.to_string(), at(0), at(0)) == Seen::Never;
                std::thread::spawn(move || (0..10_000).filter(new).count())
            })
            .collect();
        assert_eq!(threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>(), 10_000);
    }
}
