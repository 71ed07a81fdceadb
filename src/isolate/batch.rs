//! Files that are read together: handed to one worker a few at a time without waiting for its answers, so that neither side
//! waits for the other to wake up after each file.
//!
//! What one file does to the worker costs no other: the one that the worker was at is tried again alone, those that it had not
//! answered are read one by one.

use super::Request;
use super::extractor::{Extractor, Handle, judge};
use super::outcome::Fault;
use super::process::{Blamed, TOGETHER, Talk, Worker};
use crate::extract::Extracted;
use rustix::fd::BorrowedFd;

/// Files after which the worker gets what there is: it begins while the next ones are opened.
const STEP: usize = 8;

/// What a file gives, or why it gives nothing.
type Read = Result<Extracted, Fault>;

/// One file of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The file.
    pub file: Handle<'a>,
    /// What describes it from beside.
    pub beside: Option<Handle<'a>>,
    /// What is asked about it.
    pub request: Request<'a>,
}

/// Several files that are read together.
pub struct Batch<'e, 'a> {
    extractor: &'e Extractor,
    /// Begins with the first file that may share one.
    worker: Option<Worker>,
    /// Files that the worker was given, with the caller's numbers.
    given: Vec<(usize, Item<'a>)>,
    /// Files that are read alone.
    others: Vec<(usize, Item<'a>)>,
    descriptors: Vec<BorrowedFd<'a>>,
    /// Files among `given` that were not sent yet.
    waiting: usize,
    pushed: Result<(), Talk>,
}

impl std::fmt::Debug for Batch<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("given", &self.given.len()).finish_non_exhaustive()
    }
}

impl<'e, 'a> Batch<'e, 'a> {
    pub(super) fn new(extractor: &'e Extractor) -> Batch<'e, 'a> {
        let (given, others, descriptors) = Default::default();
        Batch { extractor, worker: None, given, others, descriptors, waiting: 0, pushed: Ok(()) }
    }

    /// Adds a file under a number of the caller's.
    pub fn add(&mut self, number: usize, item: Item<'a>) {
        if !self.shares(&item) {
            self.others.push((number, item));
            return;
        }
        let Some((worker, workers)) = self.worker.as_mut().zip(self.extractor.workers.as_ref()) else { return };
        let sources = [Some(item.file), item.beside].into_iter().flatten();
        self.descriptors.extend(sources.clone().filter_map(|handle| handle.descriptor));
        worker.give(&sources.collect::<Vec<_>>(), &item.request, &workers.sandbox);
        self.given.push((number, item));
        self.waiting += 1;
        if self.waiting == STEP {
            self.push();
        }
    }

    /// Reads what is left and tells what came of each file, under its number, in any order.
    pub fn finish(mut self, done: &mut dyn FnMut(usize, Read)) {
        if self.waiting > 0 {
            self.push();
        }
        let mut left = std::mem::take(&mut self.others);
        left.extend(self.take(done));
        for (number, item) in left {
            done(number, self.extractor.extract(item.file, item.beside, &item.request));
        }
    }

    /// Whether a file goes to the worker with others: one that answers in time and without questions, while there is room.
    fn shares(&mut self, item: &Item<'_>) -> bool {
        let Some(workers) = &self.extractor.workers else { return false };
        let open = item.file.descriptor.is_some() && item.beside.is_none_or(|beside| beside.descriptor.is_some());
        let waits = !workers.backoff.wait(item.request.name).is_zero();
        if !open || waits || item.request.options.digests.read_all() || self.given.len() >= TOGETHER {
            return false;
        }
        if self.worker.is_none() {
            // One that cannot be started fails the file that is read alone, with the reason.
            self.worker = workers.idle.pop().or_else(|| workers.start(&self.extractor.tally).ok());
        }
        self.worker.is_some()
    }

    fn push(&mut self) {
        if let Some(worker) = self.worker.as_mut().filter(|_| self.pushed.is_ok()) {
            self.pushed = worker.push(&self.descriptors);
        }
        self.descriptors.clear();
        self.waiting = 0;
    }

    /// Takes what the worker answers; returns the files that it did not answer and is not to blame for.
    fn take(&mut self, done: &mut dyn FnMut(usize, Read)) -> Vec<(usize, Item<'a>)> {
        let (extractor, given) = (self.extractor, std::mem::take(&mut self.given));
        let (Some(mut worker), Some(workers)) = (self.worker.take(), &extractor.workers) else { return given };
        let requests: Vec<&Request<'_>> = given.iter().map(|(_, item)| &item.request).collect();
        let pushed = std::mem::replace(&mut self.pushed, Ok(()));
        let mut answered = vec![false; given.len()];
        let mut faulty = None;
        let taken = worker.take_all(&requests, pushed, &workers.sandbox, &mut |at, reply| {
            answered.iter_mut().skip(at).take(1).for_each(|answered| *answered = true);
            let Some((number, item)) = given.get(at) else { return };
            if reply.is_last() {
                faulty = Some((at, Fault::new(reply.outcome, reply.message)));
            } else {
                workers.backoff.lived(item.request.name);
                done(*number, extractor.counted(judge(reply)));
            }
        });
        match taken {
            Ok(()) if faulty.is_none() => workers.put_back(worker),
            Ok(()) => {}
            // One that said which file ends it could not take the rest either; that file is to blame, and no other.
            Err(Blamed { place, fault }) => drop(faulty.get_or_insert((place, fault))),
        }
        if let Some((at, fault)) = faulty
            && let Some((number, item)) = given.get(at)
        {
            answered.iter_mut().skip(at).take(1).for_each(|answered| *answered = true);
            if fault.outcome.is_poison() {
                workers.died(item.request.name, fault.outcome, &extractor.tally);
            }
            let sources: Vec<Handle<'_>> = std::iter::once(item.file).chain(item.beside).collect();
            let run = |worker: &mut Worker| worker.run(&sources, &item.request, &workers.sandbox);
            let tried = workers.unless_alone(Err(fault), item.request.name, &run, &extractor.tally);
            done(*number, extractor.counted(tried.and_then(judge)));
        }
        given.into_iter().zip(answered).filter(|(_, answered)| !answered).map(|(item, _)| item).collect()
    }
}
