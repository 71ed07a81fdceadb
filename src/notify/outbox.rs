//! The outbox: what happened, in one order, written in the batch of the change itself.
//!
//! An event gets the next number and a row; the row lands with the change or not at all, so there is an event for each
//! change that somebody wants to hear of, and none for a change that did not land. Batches that were numbered in one order
//! may land in another: IMPORTANT: readers go no further than the lowest number that is still under way, or a cursor would
//! pass over a row that lands late. [`Announced`] keeps a number under way until its batch has landed or failed.
//!
//! Rows go when every receiver has been told; past [`MAX_EVENTS`] the oldest go whoever has not been told, which is counted.

use crate::error::{Error, Result};
use crate::model::Event;
use crate::store::notice::{self, CursorRow, OutboxRow, OutboxStateRow};
use crate::store::rows::Row;
use crate::store::{Batch, Reader, Store};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most events that are kept: beyond it the oldest go, told or not.
pub const MAX_EVENTS: u64 = 1_000_000;
/// The oldest go in steps of so many.
const STEP: u64 = 1024;

/// The numbers of an outbox, and who waits for it.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
    /// Receivers that want events no request asked for.
    listeners: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Rows up to this number are gone.
    trimmed: u64,
    lost: u64,
    /// First numbers of the batches that have not landed yet.
    under_way: BTreeSet<u64>,
    /// Times that somebody was woken for another reason than an event.
    woken: u64,
    closed: bool,
}

/// What the outbox holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Number of the oldest event that is kept.
    pub first: u64,
    /// Number of the newest event; less than `first` where there is none.
    pub last: u64,
    /// Events that went before every receiver had been told.
    pub lost: u64,
}

impl OutboxState {
    /// Events that are kept.
    pub fn events(&self) -> u64 {
        self.last.saturating_add(1).saturating_sub(self.first)
    }
}

/// Events that were numbered and have not landed yet. Hold it until the commit of their batch has returned.
#[derive(Debug)]
#[must_use = "events are told once this is dropped: hold it until the batch has landed"]
pub struct Announced<'o> {
    outbox: &'o Outbox,
    first: Option<u64>,
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if let Some(first) = self.first {
            self.outbox.lock().under_way.remove(&first);
            self.outbox.changed.notify_all();
        }
    }
}

impl Outbox {
    /// Reads where the numbers stand.
    pub fn open(reader: &Reader<'_>) -> Result<Outbox> {
        let state: OutboxStateRow = reader.row(&notice::outbox_state())?.unwrap_or_default();
        let last = match reader.last(&notice::events())? {
            Some(key) => notice::event_number(&key).ok_or_else(|| Error::corrupted("an event key has no number"))?,
            None => 0,
        };
        let mut listeners = 0;
        let mut rows = reader.scan(&notice::webhook(""), None)?;
        while rows.current()?.is_some() {
            listeners += 1;
            rows.advance();
        }
        let state = State {
            next: last.max(state.trimmed).saturating_add(1),
            trimmed: state.trimmed,
            lost: state.lost,
            ..State::default()
        };
        Ok(Outbox { state: Mutex::new(state), changed: Condvar::new(), listeners: AtomicU64::new(listeners) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody wants to hear of an event: a request that names a topic, or a webhook.
    pub fn is_wanted(&self, topic: &str) -> bool {
        !topic.is_empty() || self.listeners.load(Ordering::Relaxed) > 0
    }

    /// Puts events into the batch of the change that they tell of, in their order; those that nobody wants are left out.
    pub fn announce(&self, batch: &mut Batch<'_>, events: &[Event]) -> Result<Announced<'_>> {
        let wanted: Vec<OutboxRow> = events.iter().filter(|e| self.is_wanted(&e.topic)).map(row_of).collect();
        self.put(batch, &wanted)
    }

    /// Puts rows into the batch, in their order.
    pub(super) fn put(&self, batch: &mut Batch<'_>, rows: &[OutboxRow]) -> Result<Announced<'_>> {
        if rows.is_empty() {
            return Ok(Announced { outbox: self, first: None });
        }
        let first = {
            let mut state = self.lock();
            let first = state.next;
            state.next = first.saturating_add(rows.len() as u64);
            state.under_way.insert(first);
            first
        };
        // Made before anything can fail: what was numbered is given back in any case.
        let announced = Announced { outbox: self, first: Some(first) };
        for (number, row) in (first..).zip(rows) {
            batch.put(&notice::event(number), row)?;
        }
        self.bound(batch)?;
        Ok(announced)
    }

    /// Removes the oldest rows where there are too many.
    fn bound(&self, batch: &mut Batch<'_>) -> Result<()> {
        let mut state = self.lock();
        let kept = state.next.saturating_sub(1).saturating_sub(state.trimmed);
        if kept <= MAX_EVENTS.saturating_add(STEP) {
            return Ok(());
        }
        let through = state.trimmed.saturating_add(kept - MAX_EVENTS);
        state.lost = state.lost.saturating_add(through - state.trimmed);
        state.trimmed = through;
        let row = OutboxStateRow { trimmed: through, lost: state.lost };
        drop(state);
        batch.put(&notice::outbox_state(), &row)?;
        batch.drop_events(through)
    }

    /// The highest number that may be read: everything up to it has landed or never will.
    pub fn settled(&self) -> u64 {
        self.lock().settled()
    }

    /// What it holds.
    pub fn state(&self) -> OutboxState {
        let state = self.lock();
        OutboxState { first: state.trimmed.saturating_add(1), last: state.settled(), lost: state.lost }
    }

    /// Waits until more than `seen` is settled or somebody wakes it, at most `patience`; answers what is settled, or `None`
    /// once it is closed.
    pub fn wait(&self, seen: u64, patience: Duration) -> Option<u64> {
        let woken = self.woken();
        self.wait_for(seen, woken, patience)
    }

    /// As [`Outbox::wait`], or until somebody was woken more often than `woken`.
    pub(super) fn wait_for(&self, seen: u64, woken: u64, patience: Duration) -> Option<u64> {
        let mut waiting = |state: &mut State| state.settled() <= seen && !state.closed && state.woken == woken;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, &mut waiting);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        (!state.closed).then(|| state.settled())
    }

    /// Removes rows up to `last` in the batch, of which `lost` were not told to everybody; false where there are none.
    pub(super) fn forget(&self, batch: &mut Batch<'_>, last: u64, lost: u64) -> Result<bool> {
        let mut state = self.lock();
        if last <= state.trimmed {
            return Ok(false);
        }
        (state.trimmed, state.lost) = (last, state.lost.saturating_add(lost));
        let row = OutboxStateRow { trimmed: last, lost: state.lost };
        drop(state);
        batch.put(&notice::outbox_state(), &row)?;
        batch.drop_events(last)?;
        Ok(true)
    }

    /// How often somebody was woken for another reason than an event.
    pub(super) fn woken(&self) -> u64 {
        self.lock().woken
    }

    /// Whoever waits looks again.
    pub(super) fn wake(&self) {
        self.lock().woken += 1;
        self.changed.notify_all();
    }

    /// Whoever waits stops waiting.
    pub fn close(&self, closed: bool) {
        self.lock().closed = closed;
        self.changed.notify_all();
    }

    /// Up to `limit` rows from number `from` on, each with its number.
    pub fn read(&self, store: &Store, from: u64, limit: usize) -> Result<Vec<(u64, OutboxRow)>> {
        // IMPORTANT: before the snapshot, which then holds all that is settled.
        let settled = self.settled();
        let first = from.max(self.lock().trimmed.saturating_add(1));
        let reader = store.reader();
        let mut rows = reader.scan(&notice::events(), Some(&notice::event(first)))?;
        let mut found = Vec::new();
        while found.len() < limit
            && let Some((key, value)) = rows.current()?
        {
            let number = notice::event_number(key).ok_or_else(|| Error::corrupted("an event key has no number"))?;
            if number > settled {
                break;
            }
            found.push((number, OutboxRow::decode(value)?));
            rows.advance();
        }
        Ok(found)
    }

    /// Counts one more receiver, or one less, that wants events no request asked for.
    pub fn count_listener(&self, more: bool) {
        let change = |n: u64| Some(if more { n.saturating_add(1) } else { n.saturating_sub(1) });
        // Always given back: the closure never declines.
        let _ = self.listeners.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }
}

impl State {
    fn settled(&self) -> u64 {
        self.under_way.first().copied().unwrap_or(self.next).saturating_sub(1)
    }
}

/// The cursor of a receiver that is told what comes after `number`.
pub(super) fn begin_at(number: u64) -> CursorRow {
    CursorRow { done: number, ..CursorRow::default() }
}

fn row_of(event: &Event) -> OutboxRow {
    OutboxRow {
        id: event.id.clone(),
        kind: event.kind.as_str().to_owned(),
        project: event.project.clone(),
        dataset: event.dataset.clone(),
        topic: event.topic.clone(),
        tag: String::new(),
        receiver: String::new(),
        time: event.time.0,
        content: event.content.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventType, Timestamp};
    use crate::store::{Durability, StoreOptions};

    fn store(dir: &std::path::Path) -> Store {
        Store::open(dir, &StoreOptions::small()).unwrap()
    }

    fn event(id: u64, topic: &str) -> Event {
        Event {
            id: id.to_string(),
            kind: EventType::INDEX,
            project: "p".into(),
            dataset: "d".into(),
            topic: topic.into(),
            time: Timestamp(7),
            content: "{}".into(),
        }
    }

    fn ids(outbox: &Outbox, store: &Store) -> Vec<String> {
        outbox.read(store, 0, 100).unwrap().into_iter().map(|(_, row)| row.id).collect()
    }

    #[test]
    fn late_batches_hold_readers_back_and_failed_ones_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let outbox = Outbox::open(&store.reader()).unwrap();
        let (mut early, mut late) = (store.batch(), store.batch());
        let first = outbox.announce(&mut early, &[event(1, "t"), event(2, "t")]).unwrap();
        let second = outbox.announce(&mut late, &[event(3, "t")]).unwrap();
        store.commit(late, Durability::Buffered).unwrap();
        drop(second);
        assert_eq!((ids(&outbox, &store), outbox.settled()), (vec![], 0));
        store.commit(early, Durability::Buffered).unwrap();
        drop(first);
        assert_eq!(ids(&outbox, &store), ["1", "2", "3"]);
        drop(outbox.announce(&mut store.batch(), &[event(4, "t")]).unwrap());
        assert_eq!((ids(&outbox, &store).len(), outbox.settled()), (3, 4));
        assert_eq!(outbox.wait(3, Duration::ZERO), Some(4));
        drop(outbox);
        let outbox = Outbox::open(&store.reader()).unwrap();
        assert_eq!((outbox.settled(), outbox.state().events()), (3, 3));
    }

    #[test]
    fn what_nobody_wants_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let outbox = Outbox::open(&store.reader()).unwrap();
        let mut batch = store.batch();
        drop(outbox.announce(&mut batch, &[event(1, "")]).unwrap());
        assert_eq!(batch.size_bytes(), store.batch().size_bytes());
        outbox.count_listener(true);
        let held = outbox.announce(&mut batch, &[event(2, "")]).unwrap();
        store.commit(batch, Durability::Buffered).unwrap();
        drop(held);
        assert_eq!(ids(&outbox, &store), ["2"]);
        outbox.count_listener(false);
        assert!(!outbox.is_wanted("") && outbox.is_wanted("t"));
        outbox.close(true);
        assert_eq!(outbox.wait(9, Duration::from_secs(9)), None);
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let outbox = Outbox::open(&store.reader()).unwrap();
        let mut batch = store.batch();
        let held = outbox.announce(&mut batch, &[event(1, "t")]).unwrap();
        store.commit(batch, Durability::Buffered).unwrap();
        drop(held);
        outbox.lock().next = MAX_EVENTS + 2 * STEP;
        let mut batch = store.batch();
        let held = outbox.announce(&mut batch, &[event(2, "t")]).unwrap();
        store.commit(batch, Durability::Buffered).unwrap();
        drop(held);
        assert_eq!(ids(&outbox, &store), ["2"]);
        assert_eq!((outbox.state().events(), outbox.state().lost), (MAX_EVENTS, 2 * STEP));
        drop(outbox);
        assert_eq!(Outbox::open(&store.reader()).unwrap().state().lost, 2 * STEP);
    }
}
