//! What the pool does with one file of a bucket: open, extract, run operators, stamp.

use super::playlist;
use super::quarantine::Failed;
use super::workflow::Plan;
use super::zone;
use crate::analyze::Budget;
use crate::error::{Error, ErrorKind};
use crate::extract::pool::{Failure, Hand, PoolOptions, Work};
use crate::extract::{self, Extracted};
use crate::isolate::{Extractor, Fault, Handle, Item, Outcome, Request};
use crate::model::{Members, field};
use crate::source::{self, Bucket, Entry, Opened};
use crate::store::Stamp;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

/// Reads files of buckets.
pub(super) struct Reading {
    pub(super) options: extract::Options,
    pub(super) extractor: Arc<Extractor>,
    /// Files that a thread reads together.
    pub(super) at_once: usize,
}

/// One file to read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) place: Bucket,
    /// What runs on it.
    pub(super) plan: Plan,
    pub(super) uri: String,
    pub(super) entry: Entry,
    /// Members of the stored document that stay.
    pub(super) kept: Members,
    /// Whether there is a stored document.
    pub(super) existed: bool,
}

/// One file as read.
pub(super) struct Read {
    pub(super) extracted: Extracted,
    /// Its state when it was opened: if it changed since, the next run reads it again.
    pub(super) stamp: Stamp,
    /// `FileHash`, where it was asked for, whether or not the template keeps it.
    pub(super) hash: String,
    /// Whether all of it was understood.
    pub(super) outcome: Outcome,
}

/// A file and what describes it from beside, open, and the state in which it was opened.
pub(super) struct Pair {
    file: Opened,
    beside: Option<Opened>,
    stamp: Stamp,
}

impl Steps for Reading {
    type Source = Pair;

    fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    fn open(&self, job: &Job) -> Result<Pair, Failed> {
        let file = job.place.open_file(&job.entry)?;
        // One that went away since the walk, or cannot be opened, costs no more than what it would have said.
        let beside = job.entry.beside.as_deref().and_then(|entry| job.place.open_file(entry).ok());
        let stamp = stamp_of(file.stamp(), beside.as_ref().map(Opened::stamp));
        Ok(Pair { file, beside, stamp })
    }

    fn files(opened: &Pair) -> (Handle<'_>, Option<Handle<'_>>) {
        (handle(&opened.file), opened.beside.as_ref().map(handle))
    }

    fn request<'a>(&self, job: &'a Job) -> Request<'a> {
        Request { name: &job.entry.key, options: self.options, evidence: false }
    }

    /// What comes after extraction.
    fn finish(&self, job: &Job, opened: &Pair, read: Result<Extracted, Fault>) -> Result<Read, Failed> {
        let (file, stamp) = (&opened.file, opened.stamp);
        let mut extracted = read.map_err(|fault| failed(fault, file, stamp))?;
        let outcome = Outcome::of(&extracted);
        let hash = extracted.members.text(field::FILE_HASH).unwrap_or("").to_owned();
        let open = |path: &str| job.place.open_key(&playlist::beside(&job.entry.key, path));
        playlist::complete(&mut extracted, handle(file), &self.extractor, &self.request(job), &open);
        zone::settle(&mut extracted, None);
        let decode =
            |longest: u32, budget: &Budget| self.extractor.picture(handle(file), &job.entry.key, longest, budget);
        extracted.members = job.plan.apply(&decode, None, extracted.members);
        if let Some(trouble) = opened.beside.as_ref().and_then(Opened::trouble) {
            return Err(troubled(trouble, stamp));
        }
        let hash = tell(&mut extracted.members, file)?.unwrap_or(hash);
        Ok(Read { extracted, stamp, hash, outcome })
    }
}

impl Work for Reading {
    type Job = Job;
    type Done = Result<Read, Failed>;
    type Scratch = ();

    fn scratch(&self) {}

    fn run(&self, (): &mut (), job: &Job) -> Result<Read, Failed> {
        alone(self, job)
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn run_all(&self, (): &mut (), hand: &Hand<'_, Reading>) {
        together(self, hand);
    }
}

/// What comes before and after extraction.
pub(super) trait Steps: Work<Scratch = (), Done = Result<Read, Failed>> {
    /// What a job reads, open.
    type Source;

    fn extractor(&self) -> &Extractor;
    fn open(&self, job: &Self::Job) -> Result<Self::Source, Failed>;
    /// The file, and what describes it from beside.
    fn files(source: &Self::Source) -> (Handle<'_>, Option<Handle<'_>>);
    fn request<'j>(&self, job: &'j Self::Job) -> Request<'j>;
    fn finish(&self, job: &Self::Job, source: &Self::Source, read: Result<Extracted, Fault>) -> Result<Read, Failed>;
}

/// Reads one file.
pub(super) fn alone<W: Steps>(work: &W, job: &W::Job) -> Result<Read, Failed> {
    let source = work.open(job)?;
    let (file, beside) = W::files(&source);
    work.finish(job, &source, work.extractor().extract(file, beside, &work.request(job)))
}

/// Reads the files of a hand together.
pub(super) fn together<W: Steps>(work: &W, hand: &Hand<'_, W>) {
    let sources: Vec<(&W::Job, OnceCell<W::Source>)> = hand.jobs().map(|job| (job, OnceCell::new())).collect();
    let mut batch = work.extractor().batch();
    for (place, (job, cell)) in sources.iter().enumerate() {
        hand.begin(place);
        match work.open(job) {
            Ok(source) => {
                let (file, beside) = W::files(cell.get_or_init(|| source));
                batch.add(place, Item { file, beside, request: work.request(job) });
            }
            Err(failed) => hand.done(place, Err(failed)),
        }
    }
    batch.finish(&mut |place, read| {
        if let Some((job, cell)) = sources.get(place)
            && let Some(source) = cell.get()
        {
            hand.begin(place);
            hand.done(place, work.finish(job, source, read));
        }
    });
}

/// Files that each thread of a pool takes at once: as many as are worth it, while a few threads do not hold more files open
/// than a process may.
pub(super) fn at_once(extractor: &Extractor, threads: usize) -> usize {
    extractor.together().min(OPEN / threads.max(1)).max(1)
}

/// Files that all threads of a pool hold open for workers.
const OPEN: usize = 256;

/// An open file as the extractor takes it.
pub(super) fn handle(file: &Opened) -> Handle<'_> {
    Handle { bytes: file, descriptor: file.descriptor() }
}

/// Adds what a store says of its object to what the object says of itself; the store's word goes first. Answers `FileHash`, if
/// it says one. Fails if a read failed, even if whoever read got over it: the next try may give more.
pub(super) fn tell(members: &mut Members, file: &Opened) -> Result<Option<String>, Failed> {
    if let Some(trouble) = file.trouble() {
        return Err(troubled(trouble, stamp_of(file.stamp(), None)));
    }
    let said = file.members()?;
    said.iter().for_each(|(id, value)| members.set(id, value.clone()));
    Ok(said.text(field::FILE_HASH).map(str::to_owned))
}

/// The pool's patience where workers have one of their own: theirs comes first, twice, and the wait for a worker with it, so
/// that the pool gives up only what is stuck before a worker has it.
pub(super) fn patient(options: PoolOptions, extractor: &Extractor, extract: &extract::Options) -> PoolOptions {
    let Some(sandbox) = extractor.sandbox() else { return options };
    let wall = if extract.digests.read_all() { PoolOptions::MAX_TIMEOUT } else { sandbox.wall };
    let timeout = wall.saturating_mul(2).saturating_add(Duration::from_secs(10)).min(PoolOptions::MAX_TIMEOUT);
    PoolOptions { timeout: timeout.max(options.timeout), ..options }
}

/// Why a file gave nothing: what its store said goes before what its reader made of it.
pub(super) fn failed(fault: Fault, file: &Opened, stamp: Stamp) -> Failed {
    match file.trouble() {
        Some(trouble) => troubled(trouble, stamp),
        None => Failed::of(fault, stamp),
    }
}

/// What its store said of a file. What would be said again of the same state is no reason to try again.
fn troubled(error: Error, stamp: Stamp) -> Failed {
    let lasting = error.kind() == ErrorKind::InvalidArgument;
    Failed { error, blame: lasting.then_some((Outcome::Partial, stamp)) }
}

/// The same where so many files of stores are read at the same time: a thread waits for answers most of its time, and how long
/// that may be is the store's budget.
pub(super) fn reaching(options: PoolOptions, concurrency: usize) -> PoolOptions {
    if concurrency == 0 {
        return options;
    }
    let threads = options.threads.max(concurrency);
    let in_flight = options.in_flight.max(threads * 4);
    PoolOptions { threads, in_flight, timeout: PoolOptions::MAX_TIMEOUT, ..options }
}

/// What a job of either kind came to. A failure of the pool itself is the file's: its parser panicked or never returned.
pub(super) fn settled(outcome: Result<Result<Read, Failed>, Failure>, stamp: Option<Stamp>) -> Result<Read, Failed> {
    outcome.unwrap_or_else(|failure| {
        let outcome = match failure {
            Failure::Panicked(_) => Outcome::Crashed,
            Failure::TimedOut(_) => Outcome::Timeout,
            _ => Outcome::SourceError,
        };
        let fault = Fault { outcome, message: failure.to_string() };
        Err(match stamp {
            Some(stamp) => Failed::of(fault, stamp),
            None => Failed { error: fault.into(), blame: None },
        })
    })
}

/// The state of a file as records keep it. What describes it from beside counts as a part of the file: its state goes into
/// the number that nothing but this comparison reads.
pub(super) fn stamp_of(file: source::Stamp, beside: Option<source::Stamp>) -> Stamp {
    let mix = |sum: u64, part: u64| (sum ^ part).wrapping_mul(PRIME).rotate_left(29);
    let state = |stamp: source::Stamp| {
        [stamp.inode, stamp.size, stamp.modified_ns.cast_unsigned()].into_iter().fold(PRIME, mix)
    };
    Stamp { size: file.size, modified: file.modified_ns, inode: file.inode ^ beside.map_or(0, state) }
}

/// The prime of FNV-1a: any odd number with bits in many places would do.
const PRIME: u64 = 0x0000_0100_0000_01B3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_changed_when_what_describes_it_comes_changes_or_goes() {
        let file = source::Stamp { size: 5, modified_ns: 7, inode: 11, device: 1 };
        let beside = |modified_ns| source::Stamp { size: 3, modified_ns, inode: 12, device: 1 };
        let states = [None, Some(beside(1)), Some(beside(2))].map(|beside| stamp_of(file, beside));
        assert_eq!(states[0], Stamp { size: 5, modified: 7, inode: 11 });
        assert!(states[0] != states[1] && states[1] != states[2] && states[0] != states[2]);
    }
}
