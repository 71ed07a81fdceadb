//! The extraction pool: worker threads that survive what the files do to them.
//!
//! Jobs go in through [`Pool::submit`], answers come out of [`Pool::recv`]; every accepted job is answered exactly
//! once. A job that panics and a job that never returns cost that one job: the first is caught, the second is given
//! up after its time by a watchdog that puts a fresh thread in its place. The path of a job is an injector queue, the
//! workers' own deques with work stealing, and a bounded channel of answers: no lock on the way. Jobs under way
//! (submitted, not yet received) are bounded, which is the back-pressure. Where the work says so, a thread takes several
//! jobs at once; each is still answered for itself.
//!
//! Knows nothing of files or formats: what a job is, the [`Work`] says.

mod atomics;
mod desk;
mod hand;
mod options;
mod shared;
mod signals;
mod watchdog;
mod work;
mod worker;

#[cfg(test)]
mod tests;

pub use hand::Hand;
pub use options::PoolOptions;
pub use work::{Answer, Asked, Failure, Refused, Work};

use crate::error::{Error, ErrorKind, Result};
use crossbeam::channel::{Receiver, Sender, TrySendError};
use shared::{Message, Shared};
use std::sync::Arc;
use std::thread::JoinHandle;

/// A running pool. Share it by reference: every method takes `&self`. Dropping it discards what was not received,
/// lets running jobs end (at most one second each) and then stops.
pub struct Pool<W: Work> {
    shared: Arc<Shared<W>>,
    answers: Receiver<Message<W>>,
    /// One token per job under way: sending takes a place, receiving frees it.
    places: (Sender<()>, Receiver<()>),
    watchdog: Option<JoinHandle<()>>,
}

impl<W: Work> Pool<W> {
    /// Starts the threads. Fails only if the options break a maximum or not one thread could be started.
    pub fn new(work: W, options: PoolOptions) -> Result<Pool<W>> {
        options.validate()?;
        let (shared, answers) = Shared::new(work, options);
        for _ in 0..options.threads {
            worker::spawn(&shared);
        }
        let watchdog = watchdog::spawn(&shared);
        let started = shared.on_duty() > 0 && watchdog.is_some();
        let pool = Pool { shared, answers, places: crossbeam::channel::bounded(options.in_flight), watchdog };
        if started {
            return Ok(pool);
        }
        Err(Error::new(ErrorKind::Io, "could not start a worker thread: the system refused every one"))
    }

    /// Hands in a job; waits while as many as allowed are under way. Someone must call [`Pool::recv`] meanwhile:
    /// one thread alone drives the pool with [`Pool::try_submit`].
    pub fn submit(&self, job: W::Job) -> Result<(), Refused<W::Job>> {
        // The pool holds both ends of the channel: it is never disconnected.
        let _ = self.places.0.send(());
        self.enter(job)
    }

    /// Hands in a job if there is a place free; otherwise gives it back at once.
    pub fn try_submit(&self, job: W::Job) -> Result<(), Refused<W::Job>> {
        match self.places.0.try_send(()) {
            Ok(()) => self.enter(job),
            Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => Err(Refused::Full(job)),
        }
    }

    /// The next answer, in order of completion. Waits for one; `None` once [`Pool::finish`] was called and every
    /// job is answered and received.
    pub fn recv(&self) -> Option<Answer<W>> {
        self.take(self.answers.recv().ok()?)
    }

    /// An answer if one is ready.
    pub fn try_recv(&self) -> Option<Answer<W>> {
        self.take(self.answers.try_recv().ok()?)
    }

    /// Says that no more jobs will come, which lets [`Pool::recv`] end.
    pub fn finish(&self) {
        self.shared.close();
    }

    /// Jobs under way: submitted and not yet received.
    pub fn pending(&self) -> usize {
        self.shared.pending()
    }

    /// Threads that hold on to a job given up as stuck.
    pub fn stuck(&self) -> usize {
        self.shared.stuck()
    }

    fn enter(&self, job: W::Job) -> Result<(), Refused<W::Job>> {
        let refused = self.shared.post(job);
        if refused.is_err() {
            let _ = self.places.1.try_recv();
        }
        refused.map_err(Refused::Finished)
    }

    fn take(&self, message: Message<W>) -> Option<Answer<W>> {
        let Message::Answer(answer) = message else {
            // Other receivers wait for the end as well.
            self.shared.announce_end();
            return None;
        };
        let _ = self.places.1.try_recv();
        self.shared.received();
        Some(answer)
    }
}

impl<W: Work> Drop for Pool<W> {
    fn drop(&mut self) {
        self.shared.quit();
        if let Some(watchdog) = self.watchdog.take() {
            // Ends when the last worker has left or was given up; its own panic could not be reported to anyone.
            let _ = watchdog.join();
        }
    }
}
