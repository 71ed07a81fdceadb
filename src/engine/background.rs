//! The threads that seal and merge behind the writers' backs.

use super::open::Inner;
use super::policy;
use super::seal::{self, Care};
use super::space::Space;
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A dataset rests if nothing was committed to it for so long.
const REST: Duration = Duration::from_secs(5);

/// Datasets that want attention.
#[derive(Default)]
pub(super) struct Background {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Space>>,
    resting: Vec<Resting>,
    stopped: bool,
}

/// A dataset with something to do once it rests.
struct Resting {
    space: Arc<Space>,
    /// Its last commit when it was looked at, and when to look again.
    commit: u64,
    until: Instant,
}

impl Resting {
    fn new(space: Arc<Space>) -> Resting {
        Resting { commit: space.view().commit, space, until: Instant::now() + REST }
    }
}

impl State {
    /// Takes out a dataset that has rested; those that have not are given more time.
    fn rested(&mut self) -> Option<Arc<Space>> {
        let now = Instant::now();
        for resting in self.resting.iter_mut().filter(|resting| resting.until <= now) {
            if resting.space.view().commit != resting.commit {
                *resting = Resting::new(Arc::clone(&resting.space));
            }
        }
        let at = self.resting.iter().position(|resting| resting.until <= now)?;
        Some(self.resting.swap_remove(at).space)
    }
}

impl Background {
    /// Puts a dataset on the list, once.
    pub(super) fn ask(&self, space: &Arc<Space>) {
        let mut state = lock(&self.state);
        if !state.stopped && state.waiting.iter().all(|waiting| waiting.id != space.id) {
            state.waiting.push_back(Arc::clone(space));
            self.woken.notify_one();
        }
    }

    /// Lets the threads end after the work at hand.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopped = true;
        state.waiting.clear();
        state.resting.clear();
        self.woken.notify_all();
    }

    /// Has a dataset looked after when it rests, once.
    fn rest(&self, space: Arc<Space>) {
        let mut state = lock(&self.state);
        if !state.stopped && state.resting.iter().all(|resting| resting.space.id != space.id) {
            state.resting.push(Resting::new(space));
        }
    }

    fn next(&self) -> Option<(Arc<Space>, Care)> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return None;
            }
            if let Some(space) = state.waiting.pop_front() {
                return Some((space, Care::Due));
            }
            if let Some(space) = state.rested() {
                return Some((space, Care::AtRest));
            }
            let until = state.resting.iter().map(|resting| resting.until).min();
            let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match wait {
                Some(wait) => self.woken.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Starts the threads.
pub(super) fn start(inner: &Arc<Inner>) -> Result<Vec<JoinHandle<()>>> {
    (0..inner.options.background_threads)
        .map(|number| {
            let inner = Arc::clone(inner);
            let builder = std::thread::Builder::new().name(format!("medialith-merge-{number}"));
            builder.spawn(move || run(&inner)).map_err(|e| Error::io("start a background thread", e))
        })
        .collect()
}

fn run(inner: &Inner) {
    while let Some((space, care)) = inner.background.next() {
        let done = catch_unwind(AssertUnwindSafe(|| seal::maintain(inner, &space, care)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a merge panicked")));
        match done {
            Err(error) => space.tally.failed("background", &error),
            Ok(()) if wants_rest(inner, &space) => inner.background.rest(space),
            Ok(()) => {}
        }
    }
}

/// Whether a dataset has something to do once it rests.
fn wants_rest(inner: &Inner, space: &Space) -> bool {
    policy::merge_at_rest(&space.view().pieces, inner.tail.most_merged_docs).is_some() && !lock(&space.writer).gone
}
