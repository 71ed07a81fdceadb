//! Readers: the store as it was at one moment.

use super::door::Store;
use super::fault;
use super::keys::Key;
use super::rows::Row;
use super::table::Table;
use crate::codec::order;
use crate::error::Result;
use rocksdb::{DB, DBRawIteratorWithThreadMode, ReadOptions, SnapshotWithThreadMode};

/// An unchanging view of the store; holding it keeps superseded rows on disk, so it is kept short.
pub struct Reader<'s> {
    store: &'s Store,
    snapshot: SnapshotWithThreadMode<'s, DB>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(store: &'s Store) -> Reader<'s> {
        Reader { store, snapshot: store.db().snapshot() }
    }

    /// Sequence number of the moment.
    pub fn sequence(&self) -> u64 {
        self.snapshot.sequence_number()
    }

    /// The bytes under a key.
    pub fn bytes(&self, key: &Key) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.store.find(key.table) else { return Ok(None) };
        self.snapshot.get_cf(family, &key.bytes).map_err(|e| fault::convert("read a row", e))
    }

    /// The control row under a key.
    pub fn row<R: Row>(&self, key: &Key) -> Result<Option<R>> {
        self.bytes(key)?.map(|bytes| R::decode(&bytes)).transpose()
    }

    /// The values under many keys of one table, each handed to `each` with its position; absent ones as `None`.
    pub fn many(
        &self,
        table: Table,
        keys: &[Vec<u8>],
        mut each: impl FnMut(usize, Option<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let family = self.store.family(table)?;
        // A batch of one costs more than one read.
        if let [key] = keys {
            let value = self.snapshot.get_pinned_cf(family, key).map_err(|e| fault::convert("read a row", e))?;
            return each(0, value.as_deref());
        }
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        let sorted = keys.is_sorted();
        let values = self.store.db().batched_multi_get_cf_opt(family, keys, sorted, &options);
        for (at, value) in values.into_iter().enumerate() {
            let value = value.map_err(|e| fault::convert("read rows", e))?;
            each(at, value.as_deref())?;
        }
        Ok(())
    }

    /// The last key that begins with `prefix`.
    pub fn last(&self, prefix: &Key) -> Result<Option<Vec<u8>>> {
        let Some(family) = self.store.find(prefix.table) else { return Ok(None) };
        let mut rows = self.snapshot.raw_iterator_cf(family);
        match order::after_prefix(&prefix.bytes) {
            Some(end) => {
                rows.seek_for_prev(&end);
                if rows.key() == Some(end.as_slice()) {
                    rows.prev();
                }
            }
            None => rows.seek_to_last(),
        }
        if let Some(key) = rows.key() {
            return Ok(key.starts_with(&prefix.bytes).then(|| key.to_vec()));
        }
        rows.status().map(|()| None).map_err(|e| fault::convert("find the last row", e))
    }

    /// Rows whose keys begin with `prefix`, in key order, starting at `from` where it is given.
    pub fn scan(&self, prefix: &Key, from: Option<&Key>) -> Result<Scan<'_>> {
        let Some(family) = self.store.find(prefix.table) else { return Ok(Scan { rows: None }) };
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        if let Some(end) = order::after_prefix(&prefix.bytes) {
            options.set_iterate_upper_bound(end);
        }
        let mut rows = self.snapshot.raw_iterator_cf_opt(family, options);
        rows.seek(&from.unwrap_or(prefix).bytes);
        Ok(Scan { rows: Some(rows) })
    }
}

/// Rows in key order. Not an `Iterator`, because each row is lent only until the next one.
pub struct Scan<'r> {
    /// `None`: the table is younger than the database, which is open for reading.
    rows: Option<DBRawIteratorWithThreadMode<'r, DB>>,
}

impl Scan<'_> {
    /// The row at hand; `None` at the end.
    pub fn current(&self) -> Result<Option<(&[u8], &[u8])>> {
        let Some(rows) = &self.rows else { return Ok(None) };
        if let Some(row) = rows.item() {
            return Ok(Some(row));
        }
        rows.status().map(|()| None).map_err(|e| fault::convert("scan rows", e))
    }

    /// Moves to the next row.
    pub fn advance(&mut self) {
        if let Some(rows) = self.rows.as_mut().filter(|rows| rows.valid()) {
            rows.next();
        }
    }
}
