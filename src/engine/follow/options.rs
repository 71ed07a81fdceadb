//! How to follow, with defaults and ranges; `docs/limits.md` lists them.

use crate::error::{Error, Result};
use crate::extract;
use crate::extract::pool::PoolOptions;
use crate::extract::{Digests, FileHash};
use std::time::Duration;

/// Objects whose tags are asked for after a listing, at most.
const MOST_TAGS: usize = 100_000;

/// How to follow bindings.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions {
    /// Threads and patience of each binding's pool.
    pub pool: PoolOptions,
    /// Caps and assumptions of extraction. By default `FileHash` is the partial digest: it finds files again that were
    /// moved between file systems.
    pub extract: extract::Options,
    /// Directories to watch at most, over all bindings; `None` for half of what the system allows.
    pub watches: Option<u64>,
    /// Watch nothing and look from time to time instead.
    pub poll: bool,
    /// Quiet time after which a file that was closed, moved or changed is read.
    pub quiet: Duration,
    /// Quiet time after which a file that appeared and was not closed is read.
    pub open_quiet: Duration,
    /// Shortest time between two looks at what is polled.
    pub poll_least: Duration,
    /// Longest time between two looks at what is polled.
    pub poll_most: Duration,
    /// Shortest time between two listings of a store.
    pub list_least: Duration,
    /// Longest time between two listings of a store.
    pub list_most: Duration,
    /// Objects of a store whose tags are asked for after each listing, a request for each: the next ones each time. None by default.
    pub tags: usize,
    /// Longest time between two tries to reach a source.
    pub retry_most: Duration,
    /// Time between two whole comparisons of what is watched.
    pub verify: Duration,
}

impl Default for FollowOptions {
    fn default() -> FollowOptions {
        let digests = Digests { file_hash: Some(FileHash::Partial), ..Digests::default() };
        FollowOptions {
            pool: PoolOptions::default(),
            extract: extract::Options { digests, ..extract::Options::default() },
            watches: None,
            poll: false,
            quiet: Duration::from_millis(100),
            open_quiet: Duration::from_millis(500),
            poll_least: Duration::from_secs(2),
            poll_most: Duration::from_secs(300),
            list_least: Duration::from_secs(30),
            list_most: Duration::from_secs(600),
            tags: 0,
            retry_most: Duration::from_secs(60),
            verify: Duration::from_secs(24 * 3600),
        }
    }
}

impl FollowOptions {
    /// Checks every range; the error names the option.
    pub fn validate(&self) -> Result<()> {
        self.pool.validate()?;
        let times = [
            ("quiet", self.quiet),
            ("open_quiet", self.open_quiet),
            ("poll_least", self.poll_least),
            ("poll_most", self.poll_most),
            ("list_least", self.list_least),
            ("list_most", self.list_most),
            ("retry_most", self.retry_most),
            ("verify", self.verify),
        ];
        let most = Duration::from_secs(30 * 24 * 3600);
        match times.iter().find(|(_, time)| time.is_zero() || *time > most) {
            Some((what, got)) => {
                Err(Error::invalid(format!("{what}: expected more than 0 and at most 30 days, got {got:?}")))
            }
            None if self.tags > MOST_TAGS => {
                Err(Error::invalid(format!("tags: expected at most {MOST_TAGS}, got {}", self.tags)))
            }
            None if self.poll_least > self.poll_most => Err(Error::invalid("poll_least: expected at most poll_most")),
            None if self.list_least > self.list_most => Err(Error::invalid("list_least: expected at most list_most")),
            None => Ok(()),
        }
    }
}
