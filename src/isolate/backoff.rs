//! How long a kind of file waits for its next worker after it killed several: a flood of them must not become a flood of
//! starts. Kinds are told apart by extension, because nobody has looked inside yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Deaths that cost no wait.
const FREE: u32 = 3;
/// Successes that make one death forgotten.
const REDEEM: u32 = 20;
/// First wait; doubled by each further death.
const FIRST: Duration = Duration::from_millis(100);
/// Longest wait: a thread of the pool waits, and other files want it.
const LONGEST: Duration = Duration::from_secs(2);
/// Kinds remembered; beyond them all others share one.
const KINDS: usize = 256;

#[derive(Debug, Default)]
struct Record {
    deaths: u32,
    successes: u32,
}

/// Deaths by kind.
#[derive(Debug, Default)]
pub(super) struct Backoff(Mutex<BTreeMap<String, Record>>);

impl Backoff {
    /// How long the next file of this name's kind waits.
    pub(super) fn wait(&self, name: &str) -> Duration {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let deaths = kinds.get(&kind(name)).map_or(0, |record| record.deaths);
        match deaths.checked_sub(FREE) {
            None | Some(0) => Duration::ZERO,
            Some(more) => FIRST.saturating_mul(1 << (more - 1).min(10)).min(LONGEST),
        }
    }

    /// A worker died of such a file.
    pub(super) fn died(&self, name: &str) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = if kinds.len() < KINDS { kind(name) } else { String::new() };
        let record = kinds.entry(kind).or_default();
        *record = Record { deaths: record.deaths.saturating_add(1), successes: 0 };
    }

    /// A worker survived such a file.
    pub(super) fn lived(&self, name: &str) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.is_empty() {
            return;
        }
        let kind = kind(name);
        if let Some(record) = kinds.get_mut(&kind) {
            record.successes += 1;
            if record.successes.is_multiple_of(REDEEM) {
                record.deaths -= 1;
            }
            if record.deaths == 0 {
                kinds.remove(&kind);
            }
        }
    }
}

fn kind(name: &str) -> String {
    let extension =
        name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension);
    extension.chars().take(16).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_end_and_are_forgotten() {
        let backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            waits.push(backoff.wait("a/b.JPG").as_millis());
            backoff.died("c.jpg");
        }
        assert_eq!(waits, [0, 0, 0, 0, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
        assert_eq!(backoff.wait("a.png"), Duration::ZERO);
        for _ in 0..12 * REDEEM {
            backoff.lived("x.jpg");
        }
        assert!(backoff.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_in_a_hundred_never_waits() {
        let backoff = Backoff::default();
        for n in 0..10_000 {
            assert_eq!(backoff.wait("x.jpg"), Duration::ZERO, "{n}");
            if n % 100 == 0 { backoff.died("x.jpg") } else { backoff.lived("x.jpg") }
        }
    }
}
