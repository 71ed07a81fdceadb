//! Following bound buckets: what is there is indexed, then every change, until the follower is stopped.
//!
//! The supervisor compares the rows of bindings with the threads that follow them and starts and ends threads. Each thread
//! owns one binding: of a folder watches first, then a comparison of source and records, then events; of a store comparisons, and
//! looks at what its messages name. IMPORTANT: nothing is removed
//! unless the source's root is the one that was bound, at the moment of removal.

mod heirs;
mod hints;
mod named;
mod options;
mod pass;
mod polling;
mod pursuit;
mod roster;
mod rounds;
mod settle;
mod turn;
mod waiting;

pub use crate::source::MOST_MESSAGE;
pub(super) use heirs::{Heirs, bury};
pub use hints::StoreEvents;
pub use options::FollowOptions;
pub(super) use roster::Roster;

use super::binding::{is_followed, scan};
use super::buckets::Buckets;
use super::open::Engine;
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::BindingState;
use crate::source::WatchBudget;
use crate::store::Key;
use crate::store::keys;
use crate::store::rows::BindingRow;
use pursuit::{Pursuit, Source};
use roster::Seat;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the rows are looked at when nobody says that they changed.
const LOOK_UP: Duration = Duration::from_secs(2);
/// Shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A running follower; it ends when it is stopped or dropped.
pub struct Follower {
    engine: Engine,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Starts to follow all bindings of the database, those that are made later included. One follower runs per database.
    pub fn start_follower(&self, buckets: Buckets, options: FollowOptions) -> Result<Follower> {
        let started = || -> Result<Follower> {
            options.validate()?;
            self.handle.inner.store.writable()?;
            self.handle.inner.roster.staff()?;
            let budget = options.watches.map_or_else(WatchBudget::half_of_system, WatchBudget::new);
            let supervisor = Supervisor { engine: self.clone(), buckets, options, budget, threads: Vec::new() };
            let thread = std::thread::Builder::new().name("medialith-follow".into()).spawn(move || supervisor.run());
            let thread = thread.map_err(|e| {
                self.handle.inner.roster.leave();
                Error::io("start the following thread", e)
            })?;
            Ok(Follower { engine: self.clone(), thread: Mutex::new(Some(thread)) })
        };
        started().map_err(|e| e.during("follow"))
    }
}

impl Follower {
    /// Waits until every binding that can be followed has no work left that it knows of, at most `patience`; whether that
    /// came to pass. A binding whose source cannot be reached is not waited for.
    pub fn wait_idle(&self, patience: Duration) -> Result<bool> {
        let begun = Instant::now();
        loop {
            let rows = scan(&self.engine.handle.inner.store.reader(), &keys::all_bindings())?;
            let roster = &self.engine.handle.inner.roster;
            let idle = |(key, _, row): &(Key, String, BindingRow)| match row.state {
                BindingState::Ready | BindingState::Deleted => false,
                BindingState::Running => row.scanned && roster.is_idle(key),
                BindingState::Retrying => roster.is_idle(key),
                _ => true,
            };
            if rows.iter().all(idle) {
                return Ok(true);
            }
            if begun.elapsed() >= patience {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends after the files at hand; what is left is done by the next follower.
    pub fn stop(&self) {
        self.engine.handle.inner.roster.close();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // What a thread that panicked had in hand is compared anew by the next follower.
            drop(thread.join());
            self.engine.handle.inner.roster.leave();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts and ends the threads.
struct Supervisor {
    engine: Engine,
    buckets: Buckets,
    options: FollowOptions,
    budget: WatchBudget,
    threads: Vec<JoinHandle<()>>,
}

impl Supervisor {
    fn run(mut self) {
        let engine = self.engine.clone();
        let roster = &engine.handle.inner.roster;
        let mut turn = 0;
        while !roster.is_closed() {
            // A store that cannot be read now is tried again after the wait.
            let outcome = self.look();
            if outcome.is_err_and(|e| e.kind() == ErrorKind::OutcomeUnknown) {
                break;
            }
            turn = roster.wait(turn, LOOK_UP);
            // A thread that ends at once must not be started without a pause.
            std::thread::sleep(PAUSE);
        }
        roster.stop_all();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }

    /// Compares rows and threads.
    fn look(&mut self) -> Result<()> {
        self.threads.retain(|thread| !thread.is_finished());
        self.engine.handle.inner.store.writable()?;
        let engine = self.engine.clone();
        let roster = &engine.handle.inner.roster;
        let rows = scan(&engine.handle.inner.store.reader(), &keys::all_bindings())?;
        roster.stop_others(|key| rows.iter().any(|(found, _, row)| found == key && is_followed(row.state)));
        // All have their seats before the first looks around: it must know for whom to wait with what it misses.
        let followed = |row: &BindingRow, key: &Key| is_followed(row.state).then(|| roster.enter(key)).flatten();
        let seats: Vec<Option<Arc<Seat>>> = rows.iter().map(|(key, _, row)| followed(row, key)).collect();
        let mut outcome = Ok(());
        for ((key, bucket, row), seat) in rows.into_iter().zip(seats) {
            let done = if let Some(seat) = seat {
                self.start(key, bucket, row, seat)
            } else if row.state == BindingState::Deleted && !roster.is_active(&key) {
                self.engine.finish_deletion(&bucket, &key, &row).map(drop)
            } else {
                Ok(())
            };
            // What fails of one binding is tried again with the next look and does not hold up the others.
            outcome = outcome.and(done);
        }
        outcome
    }

    fn start(&mut self, key: Key, bucket: String, row: BindingRow, seat: Arc<Seat>) -> Result<()> {
        let source = match row.source.as_str() {
            "" => self.buckets.place(&bucket).map(Source::of),
            named => Some(Source::named(named)),
        };
        let what = (key.clone(), bucket, row);
        let pursuit = Pursuit::new(&self.engine, what, source, &self.options, self.budget.clone(), seat);
        let run = move || pursuit.run();
        let thread = std::thread::Builder::new().name("medialith-bound".into()).spawn(run);
        self.threads.push(thread.map_err(|e| {
            self.engine.handle.inner.roster.exit(&key);
            Error::io("start a thread for a binding", e)
        })?);
        Ok(())
    }
}
