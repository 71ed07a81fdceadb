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
        let family = self.store.family(key.table)?;
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

    /// Rows whose keys begin with `prefix`, in key order, starting at `from` where it is given.
    pub fn scan(&self, prefix: &Key, from: Option<&Key>) -> Result<Scan<'_>> {
        let family = self.store.family(prefix.table)?;
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        if let Some(end) = order::after_prefix(&prefix.bytes) {
            options.set_iterate_upper_bound(end);
        }
        let mut rows = self.snapshot.raw_iterator_cf_opt(family, options);
        rows.seek(&from.unwrap_or(prefix).bytes);
        Ok(Scan { rows })
    }
}

/// Rows in key order. Not an `Iterator`, because each row is lent only until the next one.
pub struct Scan<'r> {
    rows: DBRawIteratorWithThreadMode<'r, DB>,
}

impl Scan<'_> {
    /// The row at hand; `None` at the end.
    pub fn current(&self) -> Result<Option<(&[u8], &[u8])>> {
        if let Some(row) = self.rows.item() {
            return Ok(Some(row));
        }
        self.rows.status().map(|()| None).map_err(|e| fault::convert("scan rows", e))
    }

    /// Moves to the next row.
    pub fn advance(&mut self) {
        if self.rows.valid() {
            self.rows.next();
        }
    }
}
