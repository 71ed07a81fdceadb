//! How large a pool is and how patient, with defaults and documented maxima.

use crate::error::{Error, Result};
use std::time::Duration;

/// Settings of a [`Pool`](super::Pool).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Worker threads, 1 to [`PoolOptions::MAX_THREADS`]. Default: one per processor.
    pub threads: usize,
    /// Jobs under way at most, 1 to [`PoolOptions::MAX_IN_FLIGHT`]. Default: 64 per thread, enough to keep every
    /// worker busy with as many as it takes at once while one slow file holds up another.
    pub in_flight: usize,
    /// Time after which a running job is given up as stuck. Default: 10 s, ten times what extraction allows itself,
    /// so that only a read that never returns or a parser that loops gets there.
    pub timeout: Duration,
    /// Stuck threads that are replaced at most, up to [`PoolOptions::MAX_STUCK`]; when that many hang and every
    /// worker is one of them, further jobs fail at once. Default: 64.
    pub max_stuck: usize,
}

impl PoolOptions {
    /// Most worker threads.
    pub const MAX_THREADS: usize = 256;
    /// Most jobs under way.
    pub const MAX_IN_FLIGHT: usize = 65_536;
    /// Most stuck threads that are replaced.
    pub const MAX_STUCK: usize = 1024;
    /// Longest time for one job.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

    /// The defaults for that many threads.
    pub fn threads(threads: usize) -> PoolOptions {
        PoolOptions { threads, in_flight: threads.saturating_mul(64), timeout: Duration::from_secs(10), max_stuck: 64 }
    }

    /// Checks every setting against its maximum.
    pub fn validate(&self) -> Result<()> {
        within("threads", self.threads, 1, PoolOptions::MAX_THREADS)?;
        within("in_flight", self.in_flight, 1, PoolOptions::MAX_IN_FLIGHT)?;
        within("max_stuck", self.max_stuck, 0, PoolOptions::MAX_STUCK)?;
        if self.timeout.is_zero() || self.timeout > PoolOptions::MAX_TIMEOUT {
            let (most, got) = (PoolOptions::MAX_TIMEOUT, self.timeout);
            return Err(Error::invalid(format!(
                "pool timeout: expected more than 0 and at most {most:?}, got {got:?}"
            )));
        }
        Ok(())
    }
}

impl Default for PoolOptions {
    fn default() -> PoolOptions {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        PoolOptions::threads(processors.min(PoolOptions::MAX_THREADS))
    }
}

fn within(what: &str, got: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    Err(Error::invalid(format!("pool {what}: expected {least} to {most}, got {got}")))
}
