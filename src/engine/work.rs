//! Work that was accepted and not yet done: durable rows, one for each call, done in the order of acceptance.
//!
//! A row is there from acceptance until its documents are durable; a process that dies between the two does the row again,
//! which gives the same documents.

use super::dataset::Dataset;
use super::open::Inner;
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::MAX_USER_DATA;
use crate::model::{File, Notification, now};
use crate::store::rows::{Row, WorkRow};
use crate::store::{Reader, Table, keys};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most files of one call (API limit of BatchIndexFileMeta).
pub const MAX_INDEX_FILES: usize = 100;
/// Files that may wait: beyond it calls are refused until some are done.
pub const MAX_PENDING_FILES: u64 = 1_000_000;

/// What belongs to a call beside its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexOrder {
    /// `UserData`, up to [`MAX_USER_DATA`] bytes.
    pub user_data: String,
    /// `Notification` as JSON, or empty.
    pub notification: String,
    /// `RequestId` that the caller gets, or empty.
    pub request_id: String,
    /// Whether many files could be named, though it may be one.
    pub batch: bool,
}

/// How much work there is; signalled when it changes.
#[derive(Debug, Default)]
pub(super) struct Desk {
    state: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Counts {
    next: u64,
    files: u64,
    /// Somebody does the work.
    staffed: bool,
    closed: bool,
}

impl Desk {
    /// Counts what is there.
    pub(super) fn open(reader: &Reader<'_>) -> Result<Desk> {
        let mut counts = Counts { next: 1, ..Counts::default() };
        let mut rows = reader.scan(&keys::all_work(), None)?;
        while let Some((key, value)) = rows.current()? {
            let number = keys::work_number(key).ok_or_else(|| Error::corrupted("a work key has no number"))?;
            counts.next = counts.next.max(number.saturating_add(1));
            counts.files += WorkRow::decode(value)?.files.len() as u64;
            rows.advance();
        }
        Ok(Desk { state: Mutex::new(counts), changed: Condvar::new() })
    }

    /// Files that wait or are being read.
    pub(super) fn files(&self) -> u64 {
        lock(&self.state).files
    }

    /// A number for a row of that many files, if there is room.
    fn reserve(&self, files: u64) -> Result<u64> {
        let mut state = lock(&self.state);
        if state.files.saturating_add(files) > MAX_PENDING_FILES {
            let message = format!("expected at most {MAX_PENDING_FILES} files to wait for indexing; try again");
            return Err(Error::new(ErrorKind::BudgetExceeded, message));
        }
        state.files += files;
        state.next += 1;
        Ok(state.next - 1)
    }

    /// Counts files that are done.
    pub(super) fn done(&self, files: u64) {
        let mut state = lock(&self.state);
        state.files = state.files.saturating_sub(files);
        self.changed.notify_all();
    }

    fn wake(&self) {
        drop(lock(&self.state));
        self.changed.notify_all();
    }

    /// Waits until there may be work; false once the desk is closed.
    pub(super) fn wait(&self) -> bool {
        let mut state = lock(&self.state);
        while state.files == 0 && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.closed
    }

    /// Waits a while, or until the desk is closed; false once it is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let state = lock(&self.state);
        let until_closed = self.changed.wait_timeout_while(state, time, |s| !s.closed);
        !until_closed.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Waits until no file is left, at most `patience`.
    pub(super) fn wait_idle(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        let mut state = lock(&self.state);
        while state.files > 0 {
            let Some(left) = patience.checked_sub(begun.elapsed()) else { return false };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes the seat of the one who does the work.
    pub(super) fn staff(&self) -> Result<()> {
        let mut state = lock(&self.state);
        if state.staffed {
            return Err(Error::new(ErrorKind::Locked, "an indexer of this database is running already"));
        }
        (state.staffed, state.closed) = (true, false);
        Ok(())
    }

    /// Asks the one who does the work to leave.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// Gives the seat back.
    pub(super) fn leave(&self) {
        lock(&self.state).staffed = false;
    }
}

impl Dataset {
    /// Accepts files for indexing and returns the `EventId`: what the caller says of each is in its document, the rest is
    /// read from the file behind its address. On return the work is durable; an [`Indexer`](super::Indexer) does it.
    pub fn index_files(&self, files: Vec<File>, order: &IndexOrder) -> Result<String> {
        let accepted = || -> Result<String> {
            check(&files, order)?;
            let inner = self.inner();
            inner.writable()?;
            self.check_room(inner, &files)?;
            let event = event_id()?;
            let row = WorkRow {
                event: event.clone(),
                project: self.place.project.clone(),
                dataset: self.place.dataset.clone(),
                dataset_id: self.space.id.0,
                accepted: now().0,
                user_data: order.user_data.clone(),
                notification: order.notification.clone(),
                files: files.iter().map(File::to_json).collect(),
                request_id: order.request_id.clone(),
                batch: order.batch || files.len() > 1,
            };
            let count = files.len() as u64;
            let number = inner.desk.reserve(count)?;
            let mut batch = inner.store.batch();
            let stored =
                batch.put(&keys::work(number), &row).and_then(|()| inner.store.commit(batch, inner.options.durability));
            match stored {
                Ok(()) => inner.desk.wake(),
                Err(_) => inner.desk.done(count),
            }
            stored.map(|()| event)
        };
        accepted().map_err(|e| e.during("IndexFileMeta"))
    }

    /// Whether the dataset can hold the files that it does not hold yet. What was accepted before and is not indexed yet is
    /// not counted here: its quota is checked when it is stored.
    fn check_room(&self, inner: &Inner, files: &[File]) -> Result<()> {
        let counted = lock(&self.space.writer);
        let (present, most) = (counted.counters.files, counted.limits.file_count);
        let (bytes, most_bytes) = (counted.counters.bytes, counted.limits.total_file_size);
        drop(counted);
        let over = |what: &str, most: i64, got: u64| {
            Err(Error::new(ErrorKind::LimitExceeded, format!("{what}: expected at most {most}, got {got}")))
        };
        if i64::try_from(bytes).is_ok_and(|n| n >= most_bytes) {
            return over("DatasetMaxTotalFileSize", most_bytes, bytes);
        }
        if i64::try_from(present.saturating_add(files.len() as u64)).is_ok_and(|n| n <= most) {
            return Ok(());
        }
        let uris: BTreeSet<&str> = files.iter().map(File::uri).collect();
        let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(self.space.id, uri).bytes).collect();
        let mut wanted = present;
        inner.store.reader().many(Table::Files, &keys, |_, value| {
            wanted = wanted.saturating_add(u64::from(value.is_none()));
            Ok(())
        })?;
        if i64::try_from(wanted).is_ok_and(|n| n <= most) { Ok(()) } else { over("DatasetMaxFileCount", most, wanted) }
    }
}

fn check(files: &[File], order: &IndexOrder) -> Result<()> {
    if !(1..=MAX_INDEX_FILES).contains(&files.len()) {
        return Err(Error::invalid(format!("Files: expected 1 to {MAX_INDEX_FILES}, got {}", files.len())));
    }
    if order.user_data.len() > MAX_USER_DATA {
        let got = order.user_data.len();
        return Err(Error::invalid(format!("UserData: expected at most {MAX_USER_DATA} bytes, got {got}")));
    }
    Notification::parse(&order.notification)?;
    files.iter().try_for_each(File::validate)
}

/// `<3 hexadecimal digits>-1<21 letters and digits>` (wire.md 7).
pub(super) fn event_id() -> Result<String> {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bytes = [0u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Io, format!("could not get random bytes for an event: {e}")))?;
    let letter = |from: usize, byte: u8| LETTERS.get(usize::from(byte) % from).map_or('0', |b| char::from(*b));
    let (head, tail) = bytes.split_at(3);
    let mut id: String = head.iter().map(|b| letter(16, *b)).collect();
    id.push_str("-1");
    id.extend(tail.iter().map(|b| letter(LETTERS.len(), *b)));
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_shaped_as_in_the_api() {
        let id = event_id().unwrap();
        let (head, tail) = id.split_once("-1").unwrap();
        assert!(head.len() == 3 && head.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)), "{id}");
        assert!(tail.len() == 21 && tail.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
    }

    #[test]
    fn a_desk_counts_and_bounds() {
        let desk = Desk { state: Mutex::new(Counts { next: 5, ..Counts::default() }), changed: Condvar::new() };
        assert_eq!((desk.reserve(10).unwrap(), desk.reserve(1).unwrap(), desk.files()), (5, 6, 11));
        assert_eq!(desk.reserve(MAX_PENDING_FILES).unwrap_err().kind(), ErrorKind::BudgetExceeded);
        desk.done(11);
        assert!(desk.wait_idle(Duration::ZERO));
        desk.staff().unwrap();
        assert_eq!(desk.staff().unwrap_err().kind(), ErrorKind::Locked);
        desk.close();
        assert!(!desk.wait());
    }
}
