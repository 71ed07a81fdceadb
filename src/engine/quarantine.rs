//! Files that cost a worker: kept apart, so that the same bytes do not cost another with each run.
//!
//! A row says what a file did, in which state it was, and which extractor met it. While all that is the same the file is not
//! read again; new content or a new extractor gives it another chance. Rows are written with the buffer of the system, not
//! synced: one that is lost costs one worker.

use super::dataset::Dataset;
use super::open::{Engine, Inner};
use crate::error::{Error, ErrorKind, Result};
use crate::extract;
use crate::isolate::{Fault, Outcome, Snapshot};
use crate::model::{File, Timestamp, field, now};
use crate::store::rows::{QuarantineRow, Row};
use crate::store::{DatasetId, Durability, Reader, Stamp, keys};
use std::collections::BTreeMap;

/// A file that is not read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its address.
    pub uri: String,
    /// What it did.
    pub outcome: Outcome,
    /// The same in words.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why a file gave nothing: for the caller, and for the quarantine where the file is to blame.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// The outcome and the state of the file, if its parser was reached.
    pub(super) blame: Option<(Outcome, Stamp)>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, blame: None }
    }
}

impl Failed {
    /// Whether the next run may fare better with the same file: its source failed, not its bytes.
    pub(super) fn may_pass(&self) -> bool {
        self.blame.is_none_or(|(outcome, _)| outcome == Outcome::SourceError)
    }

    /// What became of reading the file: of one that could not be opened as well.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let unread =
            || matches!(self.error.kind(), ErrorKind::NotFound | ErrorKind::Io).then_some(Outcome::SourceError);
        // What its source says of a file is no outcome of its parser.
        let blamed = |(outcome, _): (Outcome, Stamp)| match outcome {
            Outcome::Ok | Outcome::Partial => Outcome::SourceError,
            other => other,
        };
        self.blame.map(blamed).or_else(unread)
    }

    /// The fault of a file in that state.
    pub(super) fn of(fault: Fault, stamp: Stamp) -> Failed {
        Failed { blame: Some((fault.outcome, stamp)), error: fault.into() }
    }
}

/// Says in a document what became of reading its file; nothing where it was read whole, which is most often so.
pub(super) fn tell(file: &mut File, outcome: Option<Outcome>) {
    let name = outcome.filter(|outcome| *outcome != Outcome::Ok).map_or("", Outcome::name);
    file.set(field::EXTRACT_OUTCOME, name);
}

/// The version that rows carry.
fn version() -> String {
    format!("{}.{}", env!("CARGO_PKG_VERSION"), extract::VERSION)
}

/// Whether a file in that state is not to be read.
pub(super) fn holds(row: &QuarantineRow, stamp: Stamp) -> bool {
    row.version == version() && (row.size, row.modified, row.inode) == (stamp.size, stamp.modified, stamp.inode)
}

/// What the file did that the row is about.
pub(super) fn outcome(row: &QuarantineRow) -> Outcome {
    Outcome::from_code(row.outcome).unwrap_or(Outcome::Crashed)
}

/// All rows of a dataset.
pub(super) fn rows(reader: &Reader<'_>, dataset: DatasetId) -> Result<BTreeMap<String, QuarantineRow>> {
    let prefix = keys::quarantine(dataset, "");
    let (mut found, fixed) = (BTreeMap::new(), prefix.bytes.len());
    let mut scan = reader.scan(&prefix, None)?;
    while let Some((key, value)) = scan.current()? {
        let uri = keys::text_after(key, fixed).ok_or_else(|| Error::corrupted("a quarantine key has no URI"))?;
        found.insert(uri.to_owned(), QuarantineRow::decode(value)?);
        scan.advance();
    }
    Ok(found)
}

/// The row of one file.
pub(super) fn row(reader: &Reader<'_>, dataset: DatasetId, uri: &str) -> Result<Option<QuarantineRow>> {
    reader.row(&keys::quarantine(dataset, uri))
}

/// Files to keep apart and files to let go, landed together.
#[derive(Debug, Default)]
pub(super) struct Verdicts(BTreeMap<String, Option<QuarantineRow>>);

impl Verdicts {
    /// Keeps a file apart if it is to blame.
    pub(super) fn blame(&mut self, uri: &str, failed: &Failed) {
        let Some((outcome, stamp)) = failed.blame.filter(|(outcome, _)| outcome.is_poison()) else { return };
        let row = QuarantineRow {
            outcome: outcome.code(),
            message: failed.error.message().to_owned(),
            size: stamp.size,
            modified: stamp.modified,
            inode: stamp.inode,
            version: version(),
            since: now().0,
        };
        self.0.insert(uri.to_owned(), Some(row));
    }

    /// Lets a file go.
    pub(super) fn release(&mut self, uri: &str) {
        self.0.insert(uri.to_owned(), None);
    }

    /// Lands what was found.
    pub(super) fn land(&mut self, inner: &Inner, dataset: DatasetId) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut batch = inner.store.batch();
        for (uri, row) in std::mem::take(&mut self.0) {
            let key = keys::quarantine(dataset, &uri);
            match row {
                Some(row) => batch.put(&key, &row)?,
                None => batch.delete(&key)?,
            }
        }
        inner.store.commit(batch, Durability::Buffered)
    }
}

impl Dataset {
    /// Files that are not read again because they cost a worker, in the order of their URIs.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>> {
        let rows = rows(&self.inner().store.reader(), self.space.id).map_err(|e| e.during("quarantined"))?;
        let shown = |(uri, row): (String, QuarantineRow)| Quarantined {
            uri,
            outcome: outcome(&row),
            message: row.message,
            since: Timestamp(row.since),
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Lets all quarantined files be read by the next run; returns how many there were.
    pub fn release_quarantined(&self) -> Result<u64> {
        let released = || -> Result<u64> {
            let inner = self.inner();
            let count = rows(&inner.store.reader(), self.space.id)?.len() as u64;
            let mut batch = inner.store.batch();
            batch.drop_quarantine(self.space.id)?;
            inner.store.commit(batch, Durability::Sync)?;
            Ok(count)
        };
        released().map_err(|e| e.during("release quarantined"))
    }
}

impl Engine {
    /// Counts of extraction since the database was opened, and what the workers' jail reached.
    pub fn extraction(&self) -> Snapshot {
        self.handle.inner.extractor.snapshot()
    }
}
