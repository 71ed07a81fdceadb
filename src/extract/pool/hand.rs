//! What one thread has in its hands: a few tasks that it does together, and how far it is with them.
//!
//! The watchdog looks at the hand that a thread took up last. If nothing moves in it for too long, the thread is given up:
//! the task that it is at fails, those that it has not answered go back into the queue.

use super::shared::{Shared, Task};
use super::signals::Claim;
use super::work::Work;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The tasks of a hand, seen by their thread and by the watchdog.
pub(super) struct Held<W: Work> {
    pub(super) tasks: Vec<Arc<Task<W>>>,
    /// Place of the task that was begun last.
    at: AtomicUsize,
    /// Nanoseconds since the pool was built when something moved last.
    moved: AtomicU64,
    /// Taken by the thread that comes to its end, or by the watchdog that gives it up.
    pub(super) over: Claim,
}

impl<W: Work> Held<W> {
    pub(super) fn new(tasks: Vec<Arc<Task<W>>>, now: u64) -> Held<W> {
        Held { tasks, at: AtomicUsize::new(0), moved: AtomicU64::new(now), over: Claim::new() }
    }

    /// When something moved last, in nanoseconds since the pool was built.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Acquire)
    }

    /// Place of the task that was begun last.
    pub(super) fn at(&self) -> usize {
        self.at.load(Ordering::Acquire)
    }
}

/// Jobs that one thread does together, see [`Work::run_all`].
pub struct Hand<'a, W: Work> {
    pub(super) shared: &'a Shared<W>,
    pub(super) held: &'a Held<W>,
}

impl<W: Work> std::fmt::Debug for Hand<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hand").field("jobs", &self.held.tasks.len()).finish_non_exhaustive()
    }
}

impl<W: Work> Hand<'_, W> {
    /// The jobs, in the order in which they came.
    pub fn jobs(&self) -> impl Iterator<Item = &W::Job> {
        self.held.tasks.iter().map(|task| &task.job)
    }

    /// Says that the job at that place is the one at hand: if nothing moves from here on, it is to blame.
    pub fn begin(&self, place: usize) {
        self.held.at.store(place, Ordering::Release);
        self.held.moved.store(self.shared.now(), Ordering::Release);
    }

    /// Answers the job at that place; of two answers the first counts.
    pub fn done(&self, place: usize, done: W::Done) {
        self.held.moved.store(self.shared.now(), Ordering::Release);
        if let Some(task) = self.held.tasks.get(place) {
            self.shared.answer(task, Ok(done));
        }
    }
}
