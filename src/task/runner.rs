//! The threads that do tasks, and the only loop that runs them.

use super::list::{Held, TaskList};
use crate::error::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest sleep between two looks at the list: tasks to be tried again and tasks to be forgotten are due by the clock.
const LOOK: Duration = Duration::from_secs(1);
/// Wait after the store refused something, a full disk most likely.
const RETRY: Duration = Duration::from_secs(1);
/// How much lower than that of queries the priority of workers is (setpriority(2)).
const NICE: i32 = 10;

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done {
        /// The result, as the worker chose to write it.
        result: String,
    },
    /// It cannot be done.
    Failed {
        /// `Code`.
        code: String,
        /// `Message`.
        message: String,
    },
    /// It could not be done now.
    Again {
        /// `Code`, should this have been the last attempt.
        code: String,
        /// `Message`, likewise.
        message: String,
    },
    /// A caller gave it up.
    Cancelled,
    /// The process ends: the next one does it.
    Stopped,
}

/// How tasks are claimed, done and ended. Methods are called from several threads.
pub trait Work: Send + Sync + 'static {
    /// The list.
    fn list(&self) -> &TaskList;
    /// The next task, if one is due.
    fn claim(&self) -> Result<Option<Held>>;
    /// Does a task. A panic costs one attempt.
    fn run(&self, held: &Held) -> Outcome;
    /// Writes what came of it.
    fn finish(&self, held: &Held, outcome: Outcome) -> Result<()>;
    /// Removes what is out of date.
    fn tidy(&self) -> Result<()>;
}

/// Running workers; they end when this is stopped or dropped.
#[derive(Debug)]
pub struct Runner {
    list: Arc<dyn Close>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

trait Close: Send + Sync + std::fmt::Debug {
    fn close(&self);
}

#[derive(Debug)]
struct Closing<W>(Arc<W>);

impl<W: Work + std::fmt::Debug> Close for Closing<W> {
    fn close(&self) {
        self.0.list().close();
    }
}

impl Runner {
    /// Starts that many threads.
    pub fn start<W: Work + std::fmt::Debug>(work: W, threads: usize) -> Result<Runner> {
        let work = Arc::new(work);
        work.list().reopen();
        let start = |number: usize| {
            let work = Arc::clone(&work);
            let builder = std::thread::Builder::new().name(format!("medialith-task-{number}"));
            builder.spawn(move || serve(work.as_ref())).map_err(|e| Error::io("start a thread for tasks", e))
        };
        let mut started = Vec::new();
        for number in 0..threads {
            match start(number) {
                Ok(thread) => started.push(thread),
                Err(e) => {
                    work.list().close();
                    return Err(e);
                }
            }
        }
        Ok(Runner { list: Arc::new(Closing(work)), threads: Mutex::new(started) })
    }

    /// Ends: tasks in hand are given up, and done by the next runner.
    pub fn stop(&self) {
        self.list.close();
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A thread that panicked has left its task in the store.
            drop(thread.join());
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(work: &impl Work) {
    yield_to_queries();
    loop {
        let seen = work.list().turn();
        let done = work.tidy().and_then(|()| once(work));
        let go_on = match done {
            Ok(true) => work.list().pause(Duration::ZERO),
            Ok(false) => work.list().wait(seen, LOOK),
            // Nothing can be written until the database is opened again.
            Err(e) if e.kind() == ErrorKind::OutcomeUnknown => return,
            Err(_) => work.list().pause(RETRY),
        };
        if !go_on {
            return;
        }
    }
}

/// Does one task; answers whether there was one.
fn once(work: &impl Work) -> Result<bool> {
    let Some(held) = work.claim()? else { return Ok(false) };
    finish(work, &held)?;
    Ok(true)
}

/// Does a task that was claimed and writes what came of it.
pub(crate) fn finish(work: &impl Work, held: &Held) -> Result<()> {
    let outcome = catch_unwind(AssertUnwindSafe(|| work.run(held))).unwrap_or_else(|_| Outcome::Again {
        code: ErrorKind::Internal.api_code().to_owned(),
        message: "the worker panicked".to_owned(),
    });
    loop {
        match work.finish(held, outcome.clone()) {
            Err(e) if e.kind() != ErrorKind::OutcomeUnknown && work.list().pause(RETRY) => {}
            other => return other,
        }
    }
}

/// Lowers the priority of this thread, and with it that of child processes that it starts. A system that refuses it runs
/// the tasks all the same.
pub(crate) fn yield_to_queries() {
    let thread = rustix::thread::gettid();
    // On Linux a process number names a thread here (setpriority(2), "C library/kernel differences").
    let _refused = rustix::process::setpriority_process(Some(thread), NICE);
}
