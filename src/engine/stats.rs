//! Figures for a person or a monitor.

use super::dataset::Dataset;
use super::open::Engine;
use super::sync::lock;
use super::view::Sight;
use crate::error::Result;
use crate::store::Usage;
use std::sync::atomic::Ordering;

/// Figures of one dataset. Counts of events are since the database was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetStats {
    /// Documents.
    pub files: u64,
    /// Sum of their `Size` members.
    pub total_file_size: u64,
    /// Number of the last commit.
    pub commit: u64,
    /// Segment files.
    pub segments: u64,
    /// Their bytes.
    pub segment_bytes: u64,
    /// Dead documents in all parts of the index.
    pub tombstones: u64,
    /// Parts of the index in memory.
    pub tail_parts: u64,
    /// Documents in them.
    pub tail_docs: u64,
    /// Their bytes.
    pub tail_bytes: u64,
    /// Batches landed.
    pub commits: u64,
    /// Writers that had to wait for a seal.
    pub stalls: u64,
    /// How long they waited together.
    pub stalled_millis: u64,
    /// Times that the tail became a file.
    pub seals: u64,
    /// Times that files were merged.
    pub merges: u64,
    /// Times that the index was built anew.
    pub rebuilds: u64,
    /// The last failure behind the scenes, or `""`.
    pub last_failure: String,
}

impl Dataset {
    /// Figures of this dataset.
    pub fn stats(&self) -> Result<DatasetStats> {
        let sight = Sight::take(self.inner(), &self.space)?;
        let (tail, tally) = (sight.view.tail(), &self.space.tally);
        let sealed = || sight.view.pieces.iter().filter(|p| !p.id.is_tail());
        Ok(DatasetStats {
            files: sight.counters.files,
            total_file_size: sight.counters.bytes,
            commit: sight.counters.commit,
            segments: sealed().count() as u64,
            segment_bytes: sealed().map(|p| p.bytes()).sum(),
            tombstones: sight.view.pieces.iter().map(|p| p.part.deleted.len()).sum(),
            tail_parts: tail.pieces,
            tail_docs: tail.docs,
            tail_bytes: tail.bytes,
            commits: tally.commits.load(Ordering::Relaxed),
            stalls: tally.stalls.load(Ordering::Relaxed),
            stalled_millis: tally.stalled_millis.load(Ordering::Relaxed),
            seals: tally.seals.load(Ordering::Relaxed),
            merges: tally.merges.load(Ordering::Relaxed),
            rebuilds: tally.rebuilds.load(Ordering::Relaxed),
            last_failure: lock(&tally.last_failure).clone(),
        })
    }
}

impl Engine {
    /// What the store of records occupies.
    pub fn store_usage(&self) -> Result<Usage> {
        self.handle.inner.store.usage()
    }
}
