//! A worker thread: takes tasks, runs them behind a panic barrier, sleeps when there are none.

use super::desk::Seat;
use super::shared::{Shared, Task};
use super::work::{Failure, Work};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Starts a worker if fewer than wanted serve and a seat is free; tells whether it did.
pub(super) fn spawn<W: Work>(shared: &Arc<Shared<W>>) -> bool {
    if shared.seats.is_empty() || !shared.join_duty() {
        return false;
    }
    let own = Arc::clone(shared);
    let started = std::thread::Builder::new().name("medialith-extract".into()).spawn(move || {
        match own.seats.pop() {
            Some(seat) => Worker { shared: own, seat: Some(seat), scratch: None, serving: true }.serve(),
            None => own.leave_duty(),
        };
    });
    if started.is_err() {
        shared.leave_duty();
    }
    started.is_ok()
}

struct Worker<W: Work> {
    shared: Arc<Shared<W>>,
    /// Given back to the pool at the end.
    seat: Option<Seat<W>>,
    scratch: Option<W::Scratch>,
    /// Whether this thread counts among those on duty.
    serving: bool,
}

impl<W: Work> Worker<W> {
    fn serve(mut self) {
        while let Some(task) = self.next() {
            if !self.perform(&task) && !self.come_back() {
                return;
            }
        }
    }

    /// The next task; sleeps until there is one. `None` when the pool ends.
    fn next(&mut self) -> Option<Arc<Task<W>>> {
        let seat = self.seat.as_ref()?;
        while !self.shared.is_quitting() {
            if let Some(task) = seat.deque.pop().or_else(|| self.shared.steal(seat)) {
                // A wake-up reaches one sleeper; it passes the news on while there is more to do.
                if self.shared.has_work() {
                    self.shared.wake_one();
                }
                return Some(task);
            }
            self.shared.sleep(seat);
        }
        None
    }

    /// Runs and answers a task. `false` if the watchdog had given it up meanwhile, and this thread with it.
    fn perform(&mut self, task: &Arc<Task<W>>) -> bool {
        if let Some(seat) = &self.seat {
            self.shared.begin(seat.index, task);
        }
        let outcome = self.attempt(task);
        self.shared.answer(task, outcome)
    }

    fn attempt(&mut self, task: &Task<W>) -> Result<W::Done, Failure> {
        let (work, kept) = (&self.shared.work, self.scratch.take());
        let run = || {
            let mut scratch = kept.unwrap_or_else(|| work.scratch());
            let done = work.run(&mut scratch, &task.job);
            (done, scratch)
        };
        // A panic drops the scratch inside the barrier, so nothing half-changed is seen again.
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok((done, scratch)) => {
                self.scratch = Some(scratch);
                Ok(done)
            }
            Err(payload) => Err(Failure::Panicked(message_of(payload))),
        }
    }

    /// After having been given up: serve again if a worker is missing, else leave.
    fn come_back(&mut self) -> bool {
        self.serving = self.shared.come_back();
        self.serving
    }
}

impl<W: Work> Drop for Worker<W> {
    fn drop(&mut self) {
        // IMPORTANT: the seat goes back before the duty ends, so that a replacement finds it.
        if let Some(seat) = self.seat.take() {
            let _ = self.shared.seats.push(seat);
        }
        if self.serving {
            self.shared.leave_duty();
        }
    }
}

/// The text of a panic.
fn message_of(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    // A payload of another type may itself panic when dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    text.unwrap_or_else(|| "no message".to_owned())
}
