//! The one door to extraction: hands a file to a worker, or to the calling thread where there is no isolation.
//!
//! Workers wait in a stock that any thread takes from and puts back to, without a lock. A file whose worker dies is tried once
//! more, alone: in a new worker, while no other file is being tried again. If that one dies too, the file is at fault.

use super::backoff::Backoff;
use super::batch::Batch;
use super::body::{self, Request};
use super::nursery::Nursery;
use super::options::{Isolation, Sandbox};
use super::outcome::{Fault, Outcome};
use super::process::{TOGETHER, Worker};
use super::tally::{Snapshot, Tally};
use super::wire::{Pixels, Reply};
use crate::analyze::{Budget, Picture};
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::Extracted;
use crossbeam::queue::ArrayQueue;
use rustix::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Idle workers that are kept.
const STOCK: usize = 64;

/// A source of bytes, and the descriptor behind it where there is one: without it a worker asks for each range.
#[derive(Clone, Copy)]
pub struct Handle<'a> {
    /// The bytes.
    pub bytes: &'a dyn ReadAt,
    /// An open file that holds the same bytes, read-only.
    pub descriptor: Option<BorrowedFd<'a>>,
}

impl std::fmt::Debug for Handle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("len", &self.bytes.len()).field("descriptor", &self.descriptor).finish()
    }
}

/// Reads files, each within the walls that were chosen. Share it by reference.
#[derive(Debug)]
pub struct Extractor {
    pub(super) workers: Option<Workers>,
    pub(super) tally: Tally,
}

#[derive(Debug)]
pub(super) struct Workers {
    pub(super) sandbox: Sandbox,
    /// Dropped before the nursery, whose end would kill them.
    pub(super) idle: ArrayQueue<Worker>,
    nursery: Nursery,
    pub(super) backoff: Backoff,
    /// Held by the file that is tried again.
    alone: Mutex<()>,
}

impl Extractor {
    /// An extractor; starts nothing yet. Fails if a setting is out of its range.
    pub fn new(isolation: &Isolation) -> Result<Extractor> {
        let workers = match isolation {
            Isolation::InThread => None,
            Isolation::Process(sandbox) => {
                sandbox.validate()?;
                Some(Workers {
                    sandbox: sandbox.clone(),
                    idle: ArrayQueue::new(STOCK),
                    nursery: Nursery::new(sandbox),
                    backoff: Backoff::default(),
                    alone: Mutex::default(),
                })
            }
        };
        Ok(Extractor { workers, tally: Tally::default() })
    }

    /// Starts a worker, so that what is wrong with the jail is known before the first file. Does nothing without isolation.
    pub fn prepare(&self) -> Result<()> {
        if let Some(workers) = &self.workers
            && workers.idle.is_empty()
        {
            let worker = workers.start(&self.tally)?;
            let _full = workers.idle.push(worker);
        }
        Ok(())
    }

    /// The walls; `None` without isolation.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.workers.as_ref().map(|workers| &workers.sandbox)
    }

    /// Counts so far.
    pub fn snapshot(&self) -> Snapshot {
        self.tally.snapshot()
    }

    /// Counts a file that was passed over because of what it did before.
    pub fn passed_over(&self) {
        self.tally.count(Outcome::Quarantined);
    }

    /// Reads one file, and what describes it from beside.
    pub fn extract(
        &self,
        file: Handle<'_>,
        beside: Option<Handle<'_>>,
        request: &Request<'_>,
    ) -> Result<Extracted, Fault> {
        let read = match &self.workers {
            None => {
                let read = body::read(file.bytes, beside.map(|handle| handle.bytes), request);
                read.map_err(Fault::from)
            }
            Some(workers) => {
                let sources: Vec<Handle<'_>> = std::iter::once(file).chain(beside).collect();
                workers.extract(&sources, request, &self.tally)
            }
        };
        self.counted(read)
    }

    /// The picture in a file, upright, its longer side at most `longest`, decoded where files are read: behind the same walls,
    /// and tried once more, alone, where a worker died of it. Errors are those of [`Picture::decode`]; of a file that cost its
    /// worker [`ErrorKind::Internal`](crate::error::ErrorKind::Internal).
    pub fn picture(&self, file: Handle<'_>, name: &str, longest: u32, budget: &Budget) -> Result<Picture> {
        let Some(workers) = &self.workers else {
            let decoded = catch_unwind(AssertUnwindSafe(|| Picture::decode(file.bytes, longest, budget)));
            let defect = || Error::new(ErrorKind::Internal, "the decoder panicked: a defect in one of our crates");
            return decoded.unwrap_or_else(|_| Err(defect()));
        };
        let see = |worker: &mut Worker| {
            let time = budget.deadline.saturating_duration_since(Instant::now());
            let pixels = Pixels { longest, time, memory_bytes: budget.memory_bytes as u64 };
            worker.see(file, pixels, &workers.sandbox)
        };
        let reply = workers.reply(name, &see, &self.tally)?;
        let none = || Err(Error::new(ErrorKind::Internal, format!("{}: {}", reply.outcome, reply.message)));
        reply.picture.unwrap_or_else(none)
    }

    /// Files that are worth being read together by a [`Batch`].
    pub fn together(&self) -> usize {
        if self.workers.is_some() { TOGETHER } else { 1 }
    }

    /// Begins to read several files together.
    pub fn batch(&self) -> Batch<'_, '_> {
        Batch::new(self)
    }

    pub(super) fn counted(&self, read: Result<Extracted, Fault>) -> Result<Extracted, Fault> {
        self.tally.count(read.as_ref().map_or_else(|fault| fault.outcome, Outcome::of));
        read
    }
}

/// What a worker is to do.
type Run<'a> = &'a dyn Fn(&mut Worker) -> Result<Reply, Fault>;

impl Workers {
    fn extract(&self, sources: &[Handle<'_>], request: &Request<'_>, tally: &Tally) -> Result<Extracted, Fault> {
        let run = |worker: &mut Worker| worker.run(sources, request, &self.sandbox);
        self.reply(request.name, &run, tally).and_then(judge)
    }

    /// What a worker says of a file, tried once more, alone, where that may end otherwise.
    fn reply(&self, name: &str, run: Run<'_>, tally: &Tally) -> Result<Reply, Fault> {
        let wait = self.backoff.wait(name);
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let tried = self.attempt(self.idle.pop(), name, run, tally);
        self.unless_alone(tried, name, run, tally)
    }

    /// What was tried, or another try, alone, where that may end otherwise.
    pub(super) fn unless_alone(
        &self,
        tried: Result<Reply, Fault>,
        name: &str,
        run: Run<'_>,
        tally: &Tally,
    ) -> Result<Reply, Fault> {
        match tried {
            Err(fault) if fault.outcome.is_worth_a_retry() => {
                let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
                tally.retried();
                self.attempt(None, name, run, tally)
            }
            other => other,
        }
    }

    /// One try, by that worker or a new one. A worker that tells of a panic is as dead as one that says nothing.
    fn attempt(&self, worker: Option<Worker>, name: &str, run: Run<'_>, tally: &Tally) -> Result<Reply, Fault> {
        let mut worker = match worker {
            Some(worker) => worker,
            None => self.start(tally).map_err(Fault::from)?,
        };
        let reply = run(&mut worker)
            .and_then(|reply| if reply.is_last() { Err(Fault::new(reply.outcome, reply.message)) } else { Ok(reply) });
        match &reply {
            Ok(_) => {
                self.backoff.lived(name);
                self.put_back(worker);
            }
            Err(fault) if fault.outcome.is_poison() => self.died(name, fault.outcome, tally),
            Err(_) => {}
        }
        reply
    }

    pub(super) fn died(&self, name: &str, of: Outcome, tally: &Tally) {
        tally.died(of);
        self.backoff.died(name);
    }

    pub(super) fn start(&self, tally: &Tally) -> Result<Worker> {
        // Files have cost workers: the next one is kept ready.
        let born = self.nursery.bear(tally.deaths() > 0)?;
        let worker = Worker::greet(born, &self.sandbox)?;
        tally.started(worker.posture);
        Ok(worker)
    }

    pub(super) fn put_back(&self, worker: Worker) {
        if worker.jobs() < u64::from(self.sandbox.files_per_worker) {
            // One too many ends here.
            let _full = self.idle.push(worker);
        }
    }
}

/// A reply with members, or the fault that it tells of.
pub(super) fn judge(reply: Reply) -> Result<Extracted, Fault> {
    match reply.outcome {
        Outcome::Ok | Outcome::Partial => Ok(reply.extracted),
        // Its parser coped with the refusal: what it found is kept.
        Outcome::LimitMemory if !reply.extracted.members.is_empty() => {
            Ok(Extracted { memory_refused: true, ..reply.extracted })
        }
        outcome => Err(Fault::new(outcome, reply.message)),
    }
}
