//! The clock of queues and retries: the wall's, which tests stop.

use crate::model::now;
use std::sync::atomic::{AtomicU64, Ordering};

/// Milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What it shows instead of the wall's time; 0 for that.
    stopped: AtomicU64,
}

impl Clock {
    pub(super) fn millis(&self) -> u64 {
        match self.stopped.load(Ordering::Relaxed) {
            0 => u64::try_from(now().0 / 1_000_000).unwrap_or(0),
            stopped => stopped,
        }
    }

    /// Stops it at that time.
    #[cfg(test)]
    pub(super) fn stop(&self, millis: u64) {
        self.stopped.store(millis, Ordering::Relaxed);
    }
}
