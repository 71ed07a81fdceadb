//! Who follows which binding in this process, and how those who change bindings speak to them.

use super::heirs::{Heirs, Lately};
use super::hints::Hints;
use crate::engine::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Coverage;
use crate::source::{Bucket, Hint};
use crate::store::{DatasetId, Key, keys};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The followers at work.
#[derive(Debug)]
pub(in crate::engine) struct Roster {
    state: Mutex<State>,
    changed: Condvar,
    /// Before anything that is followed.
    began: Instant,
}

impl Default for Roster {
    fn default() -> Roster {
        Roster { state: Mutex::default(), changed: Condvar::default(), began: Instant::now() }
    }
}

#[derive(Debug, Default)]
struct State {
    staffed: bool,
    closed: bool,
    /// Counts what the supervisor should look at.
    turn: u64,
    seats: HashMap<Vec<u8>, Arc<Seat>>,
    /// What the bindings of each dataset read lately.
    lately: HashMap<DatasetId, Arc<Mutex<Lately>>>,
}

/// What a binding follows: files do not move from one kind to the other in a way that could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    Store,
}

/// How far a binding is with looking.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    /// `None` until its source was tried for the first time: it may be of any kind.
    kind: Option<Kind>,
    /// All that happened before this moment was read; `None` before the first time.
    at: Option<Instant>,
    /// Another binding waits for it.
    asked: bool,
}

/// What a binding's thread shares with others.
#[derive(Debug, Default)]
pub(super) struct Seat {
    stop: Arc<AtomicBool>,
    /// It knows of no work.
    idle: AtomicBool,
    coverage: Mutex<Coverage>,
    /// The store that is followed, while it can be reached.
    store: Mutex<Option<Bucket>>,
    /// What its messages named.
    hints: Mutex<Hints>,
    /// `None` while the source cannot be reached.
    look: Mutex<Option<Look>>,
}

impl Seat {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The wish to stop, for those who look at it themselves.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::Release);
    }

    /// Says that the source can be reached, or that it cannot any more.
    pub(super) fn looks(&self, kind: Option<Kind>) {
        *lock(&self.look) = kind.map(|kind| Look { kind: Some(kind), ..Look::default() });
    }

    /// Says that all that happened before that moment was read.
    pub(super) fn has_looked(&self, at: Instant) {
        if let Some(look) = &mut *lock(&self.look) {
            look.at = Some(at);
        }
    }

    /// Whether another binding waits for this one; told once.
    pub(super) fn take_asked(&self) -> bool {
        lock(&self.look).as_mut().is_some_and(|look| std::mem::take(&mut look.asked))
    }

    /// Says which store is followed, from now on.
    pub(super) fn follows(&self, store: Option<Bucket>) {
        *lock(&self.store) = store;
    }

    pub(super) fn hints(&self) -> MutexGuard<'_, Hints> {
        lock(&self.hints)
    }

    /// Takes a hint, if it is about the store that is followed.
    fn hint(&self, hint: &Hint, now: Instant) -> bool {
        let key = match &*lock(&self.store) {
            Some(Bucket::Objects(objects)) => objects.key_here(&hint.bucket, &hint.key),
            _ => None,
        };
        let Some(key) = key else { return false };
        self.hints().note(key, hint.touch, now);
        // Whoever waits until there is no work waits for this too.
        self.set_idle(false);
        true
    }

    pub(super) fn cover(&self, change: impl FnOnce(&mut Coverage)) {
        change(&mut lock(&self.coverage));
    }
}

impl Roster {
    /// Takes the seat of the supervisor.
    pub(super) fn staff(&self) -> Result<()> {
        let mut state = lock(&self.state);
        if state.staffed {
            return Err(Error::new(ErrorKind::Locked, "a follower of this database is running already"));
        }
        (state.staffed, state.closed) = (true, false);
        Ok(())
    }

    /// Gives the supervisor's seat back.
    pub(super) fn leave(&self) {
        lock(&self.state).staffed = false;
    }

    /// Asks the supervisor to leave.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Tells the supervisor that rows have changed.
    pub(in crate::engine) fn wake(&self) {
        lock(&self.state).turn += 1;
        self.changed.notify_all();
    }

    /// Waits until there is something to look at that `seen` did not count, at most `patience`.
    pub(super) fn wait(&self, seen: u64, patience: Duration) -> u64 {
        let state = lock(&self.state);
        let still = |s: &mut State| s.turn == seen && !s.closed;
        let waited = self.changed.wait_timeout_while(state, patience, still);
        waited.unwrap_or_else(PoisonError::into_inner).0.turn
    }

    /// A seat for a thread; `None` where one has it.
    pub(super) fn enter(&self, key: &Key) -> Option<Arc<Seat>> {
        let mut state = lock(&self.state);
        if state.seats.contains_key(&key.bytes) {
            return None;
        }
        let seat = Arc::new(Seat { look: Mutex::new(Some(Look::default())), ..Seat::default() });
        state.seats.insert(key.bytes.clone(), Arc::clone(&seat));
        Some(seat)
    }

    /// A thread is at its end.
    pub(super) fn exit(&self, key: &Key) {
        let mut state = lock(&self.state);
        state.seats.remove(&key.bytes);
        let State { seats, lately, .. } = &mut *state;
        let dataset = |bytes: &[u8]| keys::binding_parts(bytes).map(|(dataset, _)| dataset);
        lately.retain(|id, _| seats.keys().any(|bytes| dataset(bytes) == Some(*id)));
        state.turn += 1;
        self.changed.notify_all();
    }

    /// What a binding reads lately, shared with the others of its dataset.
    pub(super) fn heirs(&self, key: &Key) -> Heirs {
        let Some((dataset, bucket)) = keys::binding_parts(&key.bytes) else { return Heirs::new("") };
        let lately = Arc::clone(lock(&self.state).lately.entry(dataset).or_default());
        Heirs::among(bucket, lately)
    }

    /// Looks of the other bindings of the same dataset whose sources can be reached and are of that kind.
    fn others<T>(&self, own: &Key, kind: Kind, mut each: impl FnMut(&mut Look) -> T) -> Vec<T> {
        let dataset = |bytes: &[u8]| keys::binding_parts(bytes).map(|(dataset, _)| dataset);
        let state = lock(&self.state);
        let others =
            state.seats.iter().filter(|(bytes, _)| **bytes != own.bytes && dataset(bytes) == dataset(&own.bytes));
        let of_kind = others.filter_map(|(_, seat)| {
            lock(&seat.look).as_mut().filter(|look| look.kind.is_none_or(|known| known == kind)).map(&mut each)
        });
        of_kind.collect()
    }

    /// Whether there are others from which files may move or to which they may.
    pub(super) fn has_others(&self, own: &Key, kind: Kind) -> bool {
        !self.others(own, kind, |_| ()).is_empty()
    }

    /// Asks the others to look soon.
    pub(super) fn ask_others(&self, own: &Key, kind: Kind) {
        self.others(own, kind, |look| look.asked = true);
    }

    /// The moment before which all others have read everything; `None` where there are no others.
    pub(super) fn others_have_looked(&self, own: &Key, kind: Kind) -> Option<Instant> {
        let looked = self.others(own, kind, |look| look.at);
        // One that has not looked yet holds up what came at any time, for as long as it is waited for.
        let first = self.began;
        looked.into_iter().map(|at| at.unwrap_or(first)).min()
    }

    /// Passes a hint on to those who follow the object's store; whether there are any.
    pub(super) fn hint(&self, hint: &Hint, now: Instant) -> bool {
        let seats: Vec<Arc<Seat>> = lock(&self.state).seats.values().cloned().collect();
        seats.iter().filter(|seat| seat.hint(hint, now)).count() > 0
    }

    pub(in crate::engine) fn is_active(&self, key: &Key) -> bool {
        lock(&self.state).seats.contains_key(&key.bytes)
    }

    pub(super) fn is_idle(&self, key: &Key) -> bool {
        lock(&self.state).seats.get(&key.bytes).is_some_and(|seat| seat.idle.load(Ordering::Acquire))
    }

    /// Ends the threads of bindings that are not `wanted`.
    pub(super) fn stop_others(&self, wanted: impl Fn(&Key) -> bool) {
        let table = crate::store::Table::Catalog;
        let state = lock(&self.state);
        let unwanted = state.seats.iter().filter(|(bytes, _)| !wanted(&Key { table, bytes: bytes.to_vec() }));
        unwanted.for_each(|(_, seat)| seat.stop.store(true, Ordering::Relaxed));
    }

    pub(super) fn stop_all(&self) {
        self.stop_others(|_| false);
    }

    /// Ends the thread of a binding; the supervisor starts another if the row says so.
    pub(in crate::engine) fn restart(&self, key: &Key) {
        if let Some(seat) = lock(&self.state).seats.get(&key.bytes) {
            seat.stop.store(true, Ordering::Relaxed);
        }
        self.wake();
    }

    /// Ends the thread of a binding and waits for it; whether it has ended.
    pub(in crate::engine) fn let_go(&self, key: &Key, patience: Duration) -> bool {
        self.restart(key);
        let begun = Instant::now();
        let mut state = lock(&self.state);
        while state.seats.contains_key(&key.bytes) {
            let Some(left) = patience.checked_sub(begun.elapsed()) else { return false };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// How well a binding is followed in this process.
    pub(in crate::engine) fn coverage(&self, key: &Key) -> Option<Coverage> {
        let seat = lock(&self.state).seats.get(&key.bytes).cloned()?;
        let coverage = lock(&seat.coverage).clone();
        Some(coverage)
    }
}
