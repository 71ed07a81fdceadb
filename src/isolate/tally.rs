//! Counts of extraction since the extractor was made, for stats and metrics.

use super::outcome::Outcome;
use super::posture::Posture;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Running counts.
#[derive(Debug, Default)]
pub struct Tally {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    started: AtomicU64,
    died: AtomicU64,
    retried: AtomicU64,
    violations: AtomicU64,
    posture: Mutex<Option<Posture>>,
}

/// The counts of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Files by what became of them.
    pub outcomes: Vec<(Outcome, u64)>,
    /// Workers started.
    pub started: u64,
    /// Workers that a file cost.
    pub died: u64,
    /// Files tried once more.
    pub retried: u64,
    /// Workers that were ended because they made a system call that their jail forbids.
    pub violations: u64,
    /// What the jail of the last worker reached; `None` before the first one, and where files are read in threads.
    pub posture: Option<Posture>,
}

impl Tally {
    pub(super) fn count(&self, outcome: Outcome) {
        if let Some(count) = self.outcomes.get(usize::from(outcome.code())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn started(&self, posture: Posture) {
        self.started.fetch_add(1, Ordering::Relaxed);
        *self.posture.lock().unwrap_or_else(PoisonError::into_inner) = Some(posture);
    }

    pub(super) fn died(&self, of: Outcome) {
        self.died.fetch_add(1, Ordering::Relaxed);
        if of == Outcome::SandboxViolation {
            self.violations.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// Workers that a file cost so far.
    pub(super) fn deaths(&self) -> u64 {
        self.died.load(Ordering::Relaxed)
    }

    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Snapshot {
            outcomes: Outcome::ALL.into_iter().zip(self.outcomes.iter().map(load)).collect(),
            started: load(&self.started),
            died: load(&self.died),
            retried: load(&self.retried),
            violations: load(&self.violations),
            posture: *self.posture.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
