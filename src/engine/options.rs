//! What an opener may choose, with defaults and maxima.

use crate::error::{Error, Result};
use crate::isolate::Isolation;
use crate::query;
use crate::store::{Durability, StoreOptions};
use std::time::Duration;

/// Least memory that a database can be opened with.
pub const MIN_MEMORY_BYTES: usize = 64 << 20;
/// Most memory that can be asked for.
pub const MAX_MEMORY_BYTES: usize = 1 << 40;
/// Most threads that merge segments.
pub const MAX_BACKGROUND_THREADS: u8 = 16;
/// Most threads of one query.
pub const MAX_QUERY_THREADS: u8 = 64;

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the engine may keep in memory beyond the program itself: [`MIN_MEMORY_BYTES`] to [`MAX_MEMORY_BYTES`],
    /// by default 256 MiB. It sizes memtables, block cache and the unsealed tail; mapped segments are not counted.
    pub memory_bytes: usize,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// Refuse writes and change nothing in the directory.
    pub read_only: bool,
    /// Make a database where the directory is absent or empty.
    pub create_if_missing: bool,
    /// Time that one query may take; `None` for no end. By default 10 s.
    pub query_deadline: Option<Duration>,
    /// Memory that one query may take, by default 64 MiB.
    pub query_budget_bytes: usize,
    /// Threads that one query may use where it is worth it, 1 to [`MAX_QUERY_THREADS`], by default 2.
    pub query_threads: u8,
    /// Threads that seal and merge segments, 1 to [`MAX_BACKGROUND_THREADS`], by default 2: a seal need not wait for a
    /// merge.
    pub background_threads: u8,
    /// Bytes of the disk that stay free, by default 64 MiB: below them writes are refused with
    /// [`ErrorKind::StorageFull`](crate::ErrorKind::StorageFull) and taken again once there is room; below twice as many,
    /// merges wait.
    pub keep_free_bytes: u64,
    /// Bytes of a file that is given up when the database is opened on a full disk, by default 16 MiB; 0 for none.
    pub reserve_bytes: u64,
    /// Where parsers run. By default in threads of this process, because a library cannot know which program can serve as a
    /// worker; the `medialith` command and its server use processes.
    pub isolation: Isolation,
    /// `OwnerId` of every document; left out where empty.
    pub owner_id: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            memory_bytes: 256 << 20,
            durability: Durability::Sync,
            read_only: false,
            create_if_missing: true,
            query_deadline: Some(Duration::from_secs(10)),
            query_budget_bytes: query::DEFAULT_BUDGET_BYTES,
            query_threads: 2,
            background_threads: 2,
            keep_free_bytes: 64 << 20,
            reserve_bytes: 16 << 20,
            isolation: Isolation::InThread,
            owner_id: String::new(),
        }
    }
}

/// How far the unsealed tail of one dataset may grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct TailLimits {
    /// Sealed from here on.
    pub(super) seal_bytes: u64,
    /// Writers wait from here on.
    pub(super) wait_bytes: u64,
    /// Documents that one merge of segments may write: a merge holds some hundred bytes for each of them.
    pub(super) most_merged_docs: u64,
}

/// Memory budget for each document of a merge: a merge needs about half of it, its mapped inputs the rest.
const MERGE_DOC_BYTES: usize = 800;
/// The same where little memory is allowed, and the rest of the engine takes a larger share of it.
const SCARCE_MERGE_DOC_BYTES: usize = 1600;
/// Memory below which it is scarce.
const SCARCE_MEMORY: usize = 192 << 20;

/// Documents beyond which the tail is sealed whatever its size: bounds the work of the next start, and the memory of the
/// merges that follow. Five full batches are beyond it.
pub(super) const SEAL_DOCS: u64 = 49_999;

impl Options {
    /// Checks every range; the error names the option.
    pub fn validate(&self) -> Result<()> {
        if !(MIN_MEMORY_BYTES..=MAX_MEMORY_BYTES).contains(&self.memory_bytes) {
            let got = self.memory_bytes;
            return Err(Error::invalid(format!(
                "memory_bytes: expected {MIN_MEMORY_BYTES} to {MAX_MEMORY_BYTES}, got {got}"
            )));
        }
        if !(1..=MAX_BACKGROUND_THREADS).contains(&self.background_threads) {
            let got = self.background_threads;
            return Err(Error::invalid(format!(
                "background_threads: expected 1 to {MAX_BACKGROUND_THREADS}, got {got}"
            )));
        }
        if !(1..=MAX_QUERY_THREADS).contains(&self.query_threads) {
            let got = self.query_threads;
            return Err(Error::invalid(format!("query_threads: expected 1 to {MAX_QUERY_THREADS}, got {got}")));
        }
        if self.query_budget_bytes == 0 {
            return Err(Error::invalid("query_budget_bytes: expected at least 1, got 0"));
        }
        Ok(())
    }

    /// Whether less memory is allowed than is comfortable.
    pub(super) fn is_scarce(&self) -> bool {
        self.memory_bytes < SCARCE_MEMORY
    }

    /// What memtables, cache and tail share by fixed parts: less where memory is scarce, as what a seal and a compaction
    /// need beside them does not shrink with it.
    fn shared(&self) -> usize {
        if self.is_scarce() { self.memory_bytes / 2 } else { self.memory_bytes }
    }

    pub(super) fn store(&self) -> StoreOptions {
        StoreOptions {
            write_buffer_bytes: (self.shared() / 6).min(256 << 20),
            cache_bytes: self.shared() / 8,
            background_jobs: 2,
            read_only: self.read_only,
            create: !self.read_only,
        }
    }

    pub(super) fn tail(&self) -> TailLimits {
        let seal_bytes = (self.shared() / 8) as u64;
        let doc_bytes = if self.is_scarce() { SCARCE_MERGE_DOC_BYTES } else { MERGE_DOC_BYTES };
        TailLimits { seal_bytes, wait_bytes: seal_bytes * 2, most_merged_docs: (self.memory_bytes / doc_bytes) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        Options::default().validate().unwrap();
        for bad in [
            Options { memory_bytes: 1, ..Options::default() },
            Options { memory_bytes: usize::MAX, ..Options::default() },
            Options { background_threads: 0, ..Options::default() },
            Options { background_threads: 17, ..Options::default() },
            Options { query_threads: 0, ..Options::default() },
            Options { query_budget_bytes: 0, ..Options::default() },
        ] {
            assert!(bad.validate().unwrap_err().message().contains("expected"));
        }
    }
}
