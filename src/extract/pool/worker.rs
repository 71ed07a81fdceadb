//! A worker thread: takes tasks, runs them behind a panic barrier, sleeps when there are none.

use super::desk::Seat;
use super::hand::{Hand, Held};
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
        while let Some(tasks) = self.next() {
            if !self.perform(tasks) && !self.come_back() {
                return;
            }
        }
    }

    /// The next task, and as many more as may be done together; sleeps until there is one. `None` when the pool ends.
    fn next(&mut self) -> Option<Vec<Arc<Task<W>>>> {
        let seat = self.seat.as_ref()?;
        while !self.shared.is_quitting() {
            if let Some(task) = seat.deque.pop().or_else(|| self.shared.steal(seat)) {
                let tasks = self.joined_by(task, seat);
                // A wake-up reaches one sleeper; it passes the news on while there is more to do.
                if self.shared.has_work() {
                    self.shared.wake_one();
                }
                if !tasks.is_empty() {
                    return Some(tasks);
                }
                continue;
            }
            self.shared.sleep(seat);
        }
        None
    }

    /// A task with those of the own deque that may be done together with it.
    fn joined_by(&self, task: Arc<Task<W>>, seat: &Seat<W>) -> Vec<Arc<Task<W>>> {
        let work = &self.shared.work;
        let most = if work.is_alone(&task.job) { 1 } else { work.at_once() };
        let mut tasks = vec![task];
        while tasks.len() < most
            && let Some(next) = seat.deque.pop()
        {
            if work.is_alone(&next.job) {
                // Whoever is idle may steal it meanwhile.
                seat.deque.push(next);
                break;
            }
            tasks.push(next);
        }
        // One that was put back may have been answered by the thread that was given up.
        tasks.retain(|task| !task.is_answered());
        tasks
    }

    /// Runs and answers tasks. `false` if the watchdog had given them up meanwhile, and this thread with them.
    fn perform(&mut self, tasks: Vec<Arc<Task<W>>>) -> bool {
        let Some(seat) = &self.seat else { return true };
        let held = self.shared.take_up(seat.index, tasks);
        if held.tasks.len() > 1
            && let Err(message) = self.attempt_all(&held)
            && let Some(task) = held.tasks.get(held.at())
        {
            self.shared.answer(task, Err(Failure::Panicked(message)));
        }
        let shared = Arc::clone(&self.shared);
        for (place, task) in held.tasks.iter().enumerate() {
            // One that was given up may be in other hands by now.
            if !task.is_answered() && !held.over.is_taken() {
                Hand { shared: &shared, held: &held }.begin(place);
                let outcome = self.attempt(task);
                shared.answer(task, outcome);
            }
        }
        held.over.take()
    }

    fn attempt(&mut self, task: &Task<W>) -> Result<W::Done, Failure> {
        let shared = Arc::clone(&self.shared);
        self.guarded(|scratch| shared.work.run(scratch, &task.job)).map_err(Failure::Panicked)
    }

    /// Runs tasks together; the error is the message of a panic.
    fn attempt_all(&mut self, held: &Held<W>) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        self.guarded(|scratch| shared.work.run_all(scratch, &Hand { shared: &shared, held }))
    }

    fn guarded<T>(&mut self, run: impl FnOnce(&mut W::Scratch) -> T) -> Result<T, String> {
        let (work, kept) = (&self.shared.work, self.scratch.take());
        let run = || {
            let mut scratch = kept.unwrap_or_else(|| work.scratch());
            let done = run(&mut scratch);
            (done, scratch)
        };
        // A panic drops the scratch inside the barrier, so nothing half-changed is seen again.
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok((done, scratch)) => {
                self.scratch = Some(scratch);
                Ok(done)
            }
            Err(payload) => Err(message_of(payload)),
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
