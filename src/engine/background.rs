//! The threads that seal and merge behind the writers' backs.

use super::open::Inner;
use super::seal;
use super::space::Space;
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Datasets that want attention.
#[derive(Default)]
pub(super) struct Background {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Space>>,
    stopped: bool,
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
        self.woken.notify_all();
    }

    fn next(&self) -> Option<Arc<Space>> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return None;
            }
            if let Some(space) = state.waiting.pop_front() {
                return Some(space);
            }
            state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
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
    while let Some(space) = inner.background.next() {
        let done = catch_unwind(AssertUnwindSafe(|| seal::maintain(inner, &space, false)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a merge panicked")));
        if let Err(error) = done {
            space.tally.failed("background", &error);
        }
    }
}
