//! Views: a store snapshot and an index snapshot that belong together, taken without waiting for anybody.

use super::open::Inner;
use super::space::{Space, View};
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::store::rows::CountersRow;
use crate::store::{DatasetId, Reader, Scan, keys};
use std::sync::Arc;

/// Tries before a reader asks the writer to hold still. Between a batch and its publication lie microseconds.
const TRIES: usize = 100;

/// Index and store as of one commit.
pub(super) struct Sight<'e> {
    pub(super) view: Arc<View>,
    pub(super) reader: Reader<'e>,
    pub(super) counters: CountersRow,
}

impl<'e> Sight<'e> {
    /// What is there now.
    pub(super) fn take(inner: &'e Inner, space: &Space) -> Result<Sight<'e>> {
        for _ in 0..TRIES {
            if let Some(sight) = Sight::attempt(inner, space)? {
                return Ok(sight);
            }
            std::thread::yield_now();
        }
        let _still = lock(&space.writer);
        Sight::still(inner, space)
    }

    /// What is there while the caller holds `writer`.
    pub(super) fn still(inner: &'e Inner, space: &Space) -> Result<Sight<'e>> {
        Sight::attempt(inner, space)?.ok_or_else(|| {
            let message = "the outcome of the last write is unknown: reopen the database to read what it left";
            Error::new(ErrorKind::OutcomeUnknown, message)
        })
    }

    /// Index first, store second: they belong together where the store names the commit that the index shows.
    fn attempt(inner: &'e Inner, space: &Space) -> Result<Option<Sight<'e>>> {
        let view = space.view();
        let reader = inner.store.reader();
        let counters: CountersRow = reader.row(&keys::counters(space.id))?.unwrap_or_default();
        Ok((counters.commit == view.commit).then_some(Sight { view, reader, counters }))
    }
}

/// The records of a dataset in URI order, from after a URI where one is given.
pub(super) fn scan_files<'r>(reader: &'r Reader<'_>, dataset: DatasetId, after: Option<&str>) -> Result<Scan<'r>> {
    let from = after.map(|uri| {
        let mut key = keys::file(dataset, uri);
        // The smallest key behind that of the URI itself.
        key.bytes.push(0);
        key
    });
    reader.scan(&keys::file(dataset, ""), from.as_ref())
}
