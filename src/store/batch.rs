//! Batches: typed writes over the tables that land together.

use super::change::Change;
use super::door::Store;
use super::keys::{self, DatasetId, Key};
use super::notice;
use super::rows::Row;
use crate::codec::order;
use crate::error::{Error, ErrorKind, Result};
use rocksdb::WriteBatch;

/// Writes that become durable and visible as one. Built by [`Store::batch`], landed by [`Store::commit`].
pub struct Batch<'s> {
    store: &'s Store,
    pub(super) writes: WriteBatch,
}

impl<'s> Batch<'s> {
    pub(super) fn new(store: &'s Store) -> Batch<'s> {
        Batch { store, writes: WriteBatch::default() }
    }

    /// Puts bytes under a key.
    pub fn put_bytes(&mut self, key: &Key, value: &[u8]) -> Result<()> {
        self.writes.put_cf(self.store.family(key.table)?, &key.bytes, value);
        Ok(())
    }

    /// Puts a control row under a key.
    pub fn put<R: Row>(&mut self, key: &Key, row: &R) -> Result<()> {
        self.put_bytes(key, &row.encode()?)
    }

    /// Removes a key; an absent one is fine.
    pub fn delete(&mut self, key: &Key) -> Result<()> {
        self.writes.delete_cf(self.store.family(key.table)?, &key.bytes);
        Ok(())
    }

    /// Puts the row that lists the files of a commit, sorted by URI.
    pub fn put_change<'a>(
        &mut self,
        dataset: DatasetId,
        commit: u64,
        files: impl ExactSizeIterator<Item = (&'a str, bool)>,
    ) -> Result<()> {
        self.put_bytes(&keys::change(dataset, commit), &Change::encode(files))
    }

    /// Drops the change rows of all commits up to and including `last`.
    pub fn drop_changes(&mut self, dataset: DatasetId, last: u64) -> Result<()> {
        let (from, to) = (keys::change(dataset, 0), keys::change(dataset, last.saturating_add(1)));
        self.writes.delete_range_cf(self.store.family(from.table)?, from.bytes, to.bytes);
        Ok(())
    }

    /// Drops the events up to and including number `last`.
    pub fn drop_events(&mut self, last: u64) -> Result<()> {
        let (from, to) = (notice::event(0), notice::event(last.saturating_add(1)));
        self.writes.delete_range_cf(self.store.family(from.table)?, from.bytes, to.bytes);
        Ok(())
    }

    /// Removes every key that begins with `prefix`.
    pub fn delete_all(&mut self, prefix: &Key) -> Result<()> {
        let end = order::after_prefix(&prefix.bytes)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "expected a prefix that has an end, got none"))?;
        self.writes.delete_range_cf(self.store.family(prefix.table)?, prefix.bytes.clone(), end);
        Ok(())
    }

    /// Whether nothing was put into it.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Drops the quarantine rows of a dataset.
    pub fn drop_quarantine(&mut self, dataset: DatasetId) -> Result<()> {
        let (from, to) = (keys::quarantine(dataset, ""), keys::quarantine(DatasetId(dataset.0.saturating_add(1)), ""));
        self.writes.delete_range_cf(self.store.family(from.table)?, from.bytes, to.bytes);
        Ok(())
    }

    /// Bytes of the batch so far.
    pub fn size_bytes(&self) -> usize {
        self.writes.size_in_bytes()
    }
}
