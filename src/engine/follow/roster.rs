//! Who follows which binding in this process, and how those who change bindings speak to them.

use super::hints::Hints;
use crate::engine::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Coverage;
use crate::source::{Bucket, Hint};
use crate::store::Key;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The followers at work.
#[derive(Debug, Default)]
pub(in crate::engine) struct Roster {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    staffed: bool,
    closed: bool,
    /// Counts what the supervisor should look at.
    turn: u64,
    seats: HashMap<Vec<u8>, Arc<Seat>>,
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
        let seat = Arc::new(Seat::default());
        state.seats.insert(key.bytes.clone(), Arc::clone(&seat));
        Some(seat)
    }

    /// A thread is at its end.
    pub(super) fn exit(&self, key: &Key) {
        let mut state = lock(&self.state);
        state.seats.remove(&key.bytes);
        state.turn += 1;
        self.changed.notify_all();
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
