//! The one door to extraction: hands a file to a worker, or to the calling thread where there is no isolation.
//!
//! Workers wait in a stock that any thread takes from and puts back to, without a lock. A file whose worker dies is tried once
//! more, alone: in a new worker, while no other file is being tried again. If that one dies too, the file is at fault.

use super::backoff::Backoff;
use super::body::{self, Request};
use super::nursery::Nursery;
use super::options::{Isolation, Sandbox};
use super::outcome::{Fault, Outcome};
use super::process::Worker;
use super::tally::{Snapshot, Tally};
use super::wire::Reply;
use crate::codec::ReadAt;
use crate::error::Result;
use crate::extract::Extracted;
use crossbeam::queue::ArrayQueue;
use rustix::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

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
    workers: Option<Workers>,
    tally: Tally,
}

#[derive(Debug)]
struct Workers {
    sandbox: Sandbox,
    /// Dropped before the nursery, whose end would kill them.
    idle: ArrayQueue<Worker>,
    nursery: Nursery,
    backoff: Backoff,
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
                read.map_err(Fault::from).map(|extracted| {
                    let whole = extracted.warnings.is_empty();
                    (if whole { Outcome::Ok } else { Outcome::Partial }, extracted)
                })
            }
            Some(workers) => {
                let sources: Vec<Handle<'_>> = std::iter::once(file).chain(beside).collect();
                workers.extract(&sources, request, &self.tally)
            }
        };
        self.tally.count(read.as_ref().map_or_else(|fault| fault.outcome, |(outcome, _)| *outcome));
        read.map(|(_, extracted)| extracted)
    }
}

impl Workers {
    fn extract(
        &self,
        sources: &[Handle<'_>],
        request: &Request<'_>,
        tally: &Tally,
    ) -> Result<(Outcome, Extracted), Fault> {
        let wait = self.backoff.wait(request.name);
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let tried = self.attempt(self.idle.pop(), sources, request, tally);
        match tried {
            Err(fault) if fault.outcome.is_worth_a_retry() => {
                let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
                tally.retried();
                self.attempt(None, sources, request, tally)
            }
            other => other,
        }
    }

    /// One try, by that worker or a new one.
    fn attempt(
        &self,
        worker: Option<Worker>,
        sources: &[Handle<'_>],
        request: &Request<'_>,
        tally: &Tally,
    ) -> Result<(Outcome, Extracted), Fault> {
        let mut worker = match worker {
            Some(worker) => worker,
            None => self.start(tally).map_err(Fault::from)?,
        };
        let reply = worker.run(sources, request, &self.sandbox);
        match reply {
            Ok(reply) => {
                let crashed = reply.outcome == Outcome::Crashed;
                if crashed {
                    self.died(request.name, tally);
                } else {
                    self.backoff.lived(request.name);
                    self.put_back(worker);
                }
                judge(reply)
            }
            Err(fault) => {
                if fault.outcome.is_poison() {
                    self.died(request.name, tally);
                }
                Err(fault)
            }
        }
    }

    fn died(&self, name: &str, tally: &Tally) {
        tally.died();
        self.backoff.died(name);
    }

    fn start(&self, tally: &Tally) -> Result<Worker> {
        let worker = Worker::start(&self.nursery, &self.sandbox)?;
        tally.started(worker.posture);
        Ok(worker)
    }

    fn put_back(&self, worker: Worker) {
        if worker.jobs() < u64::from(self.sandbox.files_per_worker) {
            // One too many ends here.
            let _full = self.idle.push(worker);
        }
    }
}

/// A reply with members, or the fault that it tells of.
fn judge(reply: Reply) -> Result<(Outcome, Extracted), Fault> {
    match reply.outcome {
        Outcome::Ok | Outcome::Partial => Ok((reply.outcome, reply.extracted)),
        // Its parser coped with the refusal: what it found is kept.
        Outcome::LimitMemory if !reply.extracted.members.is_empty() => Ok((reply.outcome, reply.extracted)),
        outcome => Err(Fault::new(outcome, reply.message)),
    }
}
