//! The door: opening, committing, checkpointing, and refusing writes after one has failed.

use super::batch::Batch;
use super::reader::Reader;
use super::table::Table;
use super::{StoreOptions, fault, options};
use crate::error::{Error, ErrorKind, Result};
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamily, DB, FlushOptions, WriteOptions};
use std::path::Path;
use std::sync::OnceLock;

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When it survives a loss of power.
    #[default]
    Sync,
    /// When it survives the death of the process; a loss of power may take the last seconds, never the middle.
    Buffered,
}

/// The store of one database.
pub struct Store {
    db: DB,
    read_only: bool,
    /// Why writes are refused, once one has failed.
    poison: OnceLock<String>,
}

/// What the store occupies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Table files on disk.
    pub disk_bytes: u64,
    /// Memtables.
    pub memory_bytes: u64,
    /// Compactions waiting, in bytes.
    pub pending_bytes: u64,
}

impl Store {
    /// Opens the store in `dir`.
    pub fn open(dir: &Path, tuning: &StoreOptions) -> Result<Store> {
        let (database, mut families) = (options::database(tuning), options::families(tuning));
        let opened = if tuning.read_only {
            // Tables that are younger than the database cannot be made, and count as empty.
            if let Ok(there) = DB::list_cf(&database, dir) {
                families.retain(|family| there.iter().any(|name| name == family.name()));
            }
            DB::open_cf_descriptors_read_only(&database, dir, families, false)
        } else {
            DB::open_cf_descriptors(&database, dir, families)
        };
        let what = format!("open the store {}", dir.display());
        let db = opened.map_err(|e| fault::convert(&what, e))?;
        Ok(Store { db, read_only: tuning.read_only, poison: OnceLock::new() })
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// The store as it is now.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// Lands a batch. After a failure every later commit fails until the store is reopened: whether the failed one is
    /// there is unknown, and what a later one would build on with it.
    pub fn commit(&self, batch: Batch<'_>, durability: Durability) -> Result<()> {
        self.writable()?;
        let mut write = WriteOptions::default();
        write.set_sync(durability == Durability::Sync);
        fail::fail_point!("store-commit-before", |_| Err(self.poisoned_by("failpoint store-commit-before")));
        self.db.write_opt(batch.writes, &write).map_err(|e| {
            let error = fault::convert_write(e);
            let _first = self.poison.set(error.message().to_owned());
            error
        })?;
        fail::fail_point!("store-commit-after", |_| Err(self.poisoned_by("failpoint store-commit-after")));
        Ok(())
    }

    #[cfg_attr(not(feature = "failpoints"), expect(dead_code, reason = "called by failpoints only"))]
    fn poisoned_by(&self, why: &str) -> Error {
        let _first = self.poison.set(why.to_owned());
        Error::new(ErrorKind::OutcomeUnknown, format!("a write failed and may or may not be there: {why}"))
    }

    /// Whether commits are accepted, and if not, why.
    pub fn writable(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly, "the database is open read-only"));
        }
        match self.poison.get() {
            None => Ok(()),
            Some(why) => {
                let message = format!("writes are refused until the database is reopened, because {why}");
                Err(Error::new(ErrorKind::OutcomeUnknown, message))
            }
        }
    }

    /// Writes all memtables to table files, so that the next open has no log to replay.
    pub fn flush(&self) -> Result<()> {
        self.writable()?;
        let families = Table::ALL.into_iter().map(|t| self.family(t)).collect::<Result<Vec<_>>>()?;
        let mut flush = FlushOptions::default();
        flush.set_wait(true);
        self.db.flush_cfs_opt(&families, &flush).map_err(|e| fault::convert("flush the store", e))
    }

    /// Merges the table files of `table` into the bottom level.
    pub fn compact(&self, table: Table) -> Result<()> {
        self.writable()?;
        self.db.compact_range_cf(self.family(table)?, None::<&[u8]>, None::<&[u8]>);
        Ok(())
    }

    /// Makes a copy in `dir`, which must not exist, by hard links.
    pub fn checkpoint(&self, dir: &Path) -> Result<()> {
        let what = format!("checkpoint the store to {}", dir.display());
        let made = Checkpoint::new(&self.db).and_then(|c| c.create_checkpoint(dir));
        made.map_err(|e| fault::convert(&what, e))
    }

    /// What the store occupies.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        for table in Table::ALL {
            let Some(family) = self.find(table) else { continue };
            let number = |name: &str| -> Result<u64> {
                let read = self.db.property_int_value_cf(family, name);
                Ok(read.map_err(|e| fault::convert("read statistics", e))?.unwrap_or(0))
            };
            usage.disk_bytes += number("rocksdb.total-sst-files-size")?;
            usage.memory_bytes += number("rocksdb.cur-size-all-mem-tables")?;
            usage.pending_bytes += number("rocksdb.estimate-pending-compaction-bytes")?;
        }
        Ok(usage)
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    /// The table; `None` where it is younger than a database that is open for reading.
    pub(super) fn find(&self, table: Table) -> Option<&ColumnFamily> {
        self.db.cf_handle(table.name())
    }

    pub(super) fn family(&self, table: Table) -> Result<&ColumnFamily> {
        self.find(table)
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("the column family {:?} is not open", table.name())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys::{self, DatasetId};
    use crate::store::rows::CountersRow;
    use crate::store::{Change, Touched};

    fn tuning(read_only: bool) -> StoreOptions {
        StoreOptions { write_buffer_bytes: 4 << 20, cache_bytes: 1 << 20, background_jobs: 1, read_only, create: true }
    }

    const SET: DatasetId = DatasetId(7);

    fn commit(store: &Store, files: u64) -> Result<()> {
        let mut batch = store.batch();
        batch.put(&keys::counters(SET), &CountersRow { files, bytes: 0, commit: files })?;
        batch.put_bytes(&keys::file(SET, &format!("oss://b/{files}")), b"record")?;
        batch.put_change(SET, files, [("oss://b/x", false)].into_iter())?;
        store.commit(batch, Durability::Sync)
    }

    #[test]
    fn rows_survive_and_readers_do_not_move() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &tuning(false)).unwrap();
        commit(&store, 1).unwrap();
        let before = store.reader();
        commit(&store, 2).unwrap();
        assert_eq!(before.row::<CountersRow>(&keys::counters(SET)).unwrap().unwrap().files, 1);
        drop(before);
        drop(store);
        let store = Store::open(dir.path(), &tuning(true)).unwrap();
        let reader = store.reader();
        assert_eq!(reader.row::<CountersRow>(&keys::counters(SET)).unwrap().unwrap().files, 2);
        let wanted = ["oss://b/2", "oss://b/0", "oss://b/1"].map(|uri| keys::file(SET, uri).bytes);
        let mut found = Vec::new();
        reader
            .many(Table::Files, &wanted, |at, value| {
                found.push((at, value.is_some()));
                Ok(())
            })
            .unwrap();
        assert_eq!(found, [(0, true), (1, false), (2, true)]);
        assert_eq!(commit(&store, 3).unwrap_err().kind(), ErrorKind::ReadOnly);
    }

    #[test]
    fn scans_stay_in_their_prefix_and_ranges_drop() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &tuning(false)).unwrap();
        (1..=3).for_each(|n| commit(&store, n).unwrap());
        let mut batch = store.batch();
        batch.put_change(DatasetId(8), 1, [("oss://b/y", true)].into_iter()).unwrap();
        batch.drop_changes(SET, 2).unwrap();
        store.commit(batch, Durability::Buffered).unwrap();
        let reader = store.reader();
        let mut scan = reader.scan(&keys::changes(SET), None).unwrap();
        let (key, value) = scan.current().unwrap().unwrap();
        assert_eq!(keys::number_after_dataset(key), Some((SET, 3)));
        let touched = Touched { uri: "oss://b/x".into(), deleted: false };
        assert_eq!(Change::decode(value).unwrap().files, [touched]);
        scan.advance();
        assert!(scan.current().unwrap().is_none());
    }

    #[test]
    fn checkpoints_open_as_stores() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("a"), &tuning(false)).unwrap();
        commit(&store, 1).unwrap();
        store.checkpoint(&dir.path().join("b")).unwrap();
        store.flush().unwrap();
        assert!(store.usage().unwrap().disk_bytes > 0);
        let copy = Store::open(&dir.path().join("b"), &tuning(false)).unwrap();
        assert!(copy.reader().bytes(&keys::file(SET, "oss://b/1")).unwrap().is_some());
    }

    #[test]
    fn writes_stop_after_one_failed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &tuning(false)).unwrap();
        store.poison.set("the disk said no".into()).unwrap();
        let error = commit(&store, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        assert!(error.message().contains("the disk said no"), "{error}");
    }
}
