//! How far a long operation is: counters that another thread polls, and the wish to end it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between the operation and who watches it; share it behind an `Arc` or a scope.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) found: AtomicU64,
    pub(super) found_bytes: AtomicU64,
    pub(super) unchanged: AtomicU64,
    pub(super) indexed: AtomicU64,
    pub(super) indexed_bytes: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) read_bytes: AtomicU64,
    /// The walk is over: `found` grows no more.
    pub(super) walked: AtomicBool,
    cancelled: AtomicBool,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Regular files seen.
    pub found: u64,
    /// Their length.
    pub found_bytes: u64,
    /// Files passed over because their records are of the same state.
    pub unchanged: u64,
    /// Files read and durably stored, failed ones included.
    pub indexed: u64,
    /// Their length.
    pub indexed_bytes: u64,
    /// Files that could not be read; they are stored with `ObjectStatus` `Failed`.
    pub failed: u64,
    /// Things that are no regular files, or have no possible address.
    pub skipped: u64,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Whether `found` is final.
    pub walked: bool,
}

impl Progress {
    /// All counters at zero.
    pub fn new() -> Progress {
        Progress::default()
    }

    /// The counters now.
    pub fn counts(&self) -> Counts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            found: get(&self.found),
            found_bytes: get(&self.found_bytes),
            unchanged: get(&self.unchanged),
            indexed: get(&self.indexed),
            indexed_bytes: get(&self.indexed_bytes),
            failed: get(&self.failed),
            skipped: get(&self.skipped),
            read_bytes: get(&self.read_bytes),
            walked: self.walked.load(Ordering::Relaxed),
        }
    }

    /// Asks the operation to end after the files at hand. What was stored stays.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64, number: u64) {
        counter.fetch_add(number, Ordering::Relaxed);
    }
}
