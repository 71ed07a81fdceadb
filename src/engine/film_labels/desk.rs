//! Which datasets may have films that wait, and who looks at them: at most one thread of a process.

use crate::engine::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Project and dataset.
pub(super) type Place = (String, String);

/// How many films were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilmCounts {
    /// Films whose labels are in their documents.
    pub done: u64,
    /// Films that could not be analysed; their documents say why.
    pub failed: u64,
}

/// Shared by those who store documents and the one who looks at films.
#[derive(Debug, Default)]
pub(in crate::engine) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    wanted: BTreeSet<Place>,
    /// Datasets to look at again, and when.
    later: BTreeMap<Place, Instant>,
    busy: bool,
    staffed: bool,
    closed: bool,
    counts: FilmCounts,
}

impl Desk {
    /// A film of that dataset waits.
    pub(in crate::engine) fn note(&self, project: &str, dataset: &str) {
        lock(&self.state).wanted.insert((project.to_owned(), dataset.to_owned()));
        self.changed.notify_all();
    }

    /// Takes the seat of the one who looks at films.
    pub(super) fn staff(&self) -> Result<()> {
        let mut state = lock(&self.state);
        if state.staffed {
            return Err(Error::new(ErrorKind::Locked, "films of this database are being looked at already"));
        }
        (state.staffed, state.closed, state.counts) = (true, false, FilmCounts::default());
        Ok(())
    }

    pub(super) fn leave(&self) {
        let mut state = lock(&self.state);
        (state.staffed, state.busy) = (false, false);
    }

    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut FilmCounts)) {
        count(&mut lock(&self.state).counts);
    }

    pub(super) fn counts(&self) -> FilmCounts {
        lock(&self.state).counts
    }

    /// Looks at a dataset again after a while.
    pub(super) fn again(&self, place: Place, after: Duration) {
        let now = Instant::now();
        lock(&self.state).later.insert(place, now.checked_add(after).unwrap_or(now));
    }

    /// Waits for the next dataset; `None` once the desk is closed. Who asks has done the one before.
    pub(super) fn next(&self) -> Option<Place> {
        let mut state = lock(&self.state);
        state.busy = false;
        self.changed.notify_all();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            let due: Vec<Place> =
                state.later.iter().filter(|(_, at)| **at <= now).map(|(place, _)| place.clone()).collect();
            for place in due {
                state.later.remove(&place);
                state.wanted.insert(place);
            }
            if let Some(place) = state.wanted.pop_first() {
                state.busy = true;
                return Some(place);
            }
            let next = state.later.values().min().map(|at| at.saturating_duration_since(now));
            let patience = next.unwrap_or(Duration::from_secs(3600)).max(Duration::from_millis(1));
            state = self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until no dataset is wanted and none is being looked at, or nobody looks any more, at most `patience`. What is to
    /// be tried again later does not count.
    pub(super) fn wait_idle(&self, patience: Duration) -> bool {
        let state = lock(&self.state);
        let busy = |state: &mut State| state.staffed && !state.closed && (state.busy || !state.wanted.is_empty());
        let waited = self.changed.wait_timeout_while(state, patience, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_hands_out_each_dataset_once() {
        let desk = Desk::default();
        desk.note("p", "d");
        desk.note("p", "d");
        assert!(desk.wait_idle(Duration::ZERO), "nobody works");
        desk.staff().unwrap();
        assert_eq!(desk.staff().unwrap_err().kind(), ErrorKind::Locked);
        assert!(!desk.wait_idle(Duration::ZERO));
        let place = desk.next().unwrap();
        assert_eq!(place, ("p".to_owned(), "d".to_owned()));
        assert!(!desk.wait_idle(Duration::ZERO), "it is being looked at");
        desk.again(place.clone(), Duration::ZERO);
        assert_eq!(desk.next(), Some(place.clone()));
        desk.again(place, Duration::from_secs(60));
        desk.close();
        assert_eq!(desk.next(), None);
        assert!(desk.wait_idle(Duration::ZERO), "what is for later does not count");
        desk.leave();
        desk.staff().unwrap();
    }
}
