//! Desk and seat: the two halves of a worker's place, one seen by all, one owned by the thread that sits there.

use super::hand::Held;
use super::shared::Task;
use super::signals::Nap;
use super::work::Work;
use crossbeam::deque::{Stealer, Worker as Deque};
use crossbeam::queue::ArrayQueue;
use crossbeam::sync::{Parker, Unparker};
use std::sync::Arc;

/// The half that the other threads see.
pub(super) struct Desk<W: Work> {
    /// Takes tasks from the seat's own deque.
    pub(super) stealer: Stealer<Arc<Task<W>>>,
    /// The hand taken up last, for the watchdog to pick up; one place, newer replaces older.
    pub(super) begun: ArrayQueue<Arc<Held<W>>>,
    /// Set while the worker sleeps; whoever clears it owes it a wake-up.
    pub(super) nap: Nap,
    unparker: Unparker,
}

impl<W: Work> Desk<W> {
    /// Wakes the worker if it sleeps and nobody else is waking it.
    pub(super) fn wake(&self) -> bool {
        let woken = self.nap.wake();
        if woken {
            self.unparker.unpark();
        }
        woken
    }

    /// Wakes the worker whatever it does.
    pub(super) fn shake(&self) {
        self.unparker.unpark();
    }
}

/// The half that belongs to one thread at a time.
pub(super) struct Seat<W: Work> {
    pub(super) index: usize,
    pub(super) deque: Deque<Arc<Task<W>>>,
    pub(super) parker: Parker,
}

/// Builds the two halves of place `index`.
pub(super) fn place<W: Work>(index: usize) -> (Desk<W>, Seat<W>) {
    let (deque, parker) = (Deque::new_fifo(), Parker::new());
    let desk = Desk {
        stealer: deque.stealer(),
        begun: ArrayQueue::new(1),
        nap: Nap::new(),
        unparker: parker.unparker().clone(),
    };
    (desk, Seat { index, deque, parker })
}
