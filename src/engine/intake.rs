//! Files through the pool into documents, stored in batches. Who decides which files: folders ([`super::ingest`]),
//! bindings ([`super::follow`]) and audits.

use super::buckets::is_absent;
use super::dataset::Dataset;
use super::document::Incoming;
use super::ingest::{adopt, document};
use super::open::Inner;
use super::progress::Progress;
use super::quarantine::{self, Failed, Verdicts};
use super::reading::{Job, Read, Reading, at_once, patient, reaching, settled, stamp_of};
use super::workflow::Plan;
use crate::error::Result;
use crate::extract;
use crate::extract::FileHash;
use crate::extract::pool::{Answer, Pool, PoolOptions};
use crate::isolate::Fault;
use crate::model::{File, Members, Value, field};
use crate::source::{Bucket, Entry};
use crate::store::Stamp;
use crate::store::rows::QuarantineRow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Documents that are stored together, at most.
const STORE_DOCS: usize = 1000;
/// Longest that a document waits to be stored.
const STORE_AFTER: Duration = Duration::from_millis(500);

/// A pool for files of a bucket, within the walls that the database was opened with.
pub(super) fn pool(
    inner: &Inner,
    place: &Bucket,
    mut options: extract::Options,
    pool: PoolOptions,
) -> Result<Pool<Reading>> {
    let extractor = Arc::clone(&inner.extractor);
    extractor.prepare()?;
    let mut patience = patient(pool, &extractor, &options);
    let mut at_once = at_once(&extractor, pool.threads);
    if let Bucket::Objects(objects) = place {
        patience = reaching(patience, objects.concurrency());
        // They come by ranges, one file after the other: each thread takes one.
        at_once = 1;
        // The store tells a hash of its own; a partial one would cost requests.
        options.digests.file_hash = options.digests.file_hash.filter(|hash| *hash != FileHash::Partial);
    }
    Pool::new(Reading { options, extractor, at_once }, patience)
}

/// Reads what it is given and stores what that says.
pub(super) struct Intake<'a> {
    dataset: &'a Dataset,
    pool: &'a Pool<Reading>,
    progress: &'a Progress,
    /// A binding puts the documents.
    bound: bool,
    /// What runs on the files.
    plan: Plan,
    /// Files that cost a worker before.
    held: BTreeMap<String, QuarantineRow>,
    verdicts: Verdicts,
    batch: Vec<Incoming>,
    /// When the first document of the batch came.
    oldest: Option<Instant>,
    under_way: u64,
    done: Vec<Done>,
}

/// A file that may have to be read.
pub(super) struct Candidate {
    pub(super) uri: String,
    pub(super) entry: Entry,
    /// The state of the file that is stored.
    pub(super) stamp: Option<Stamp>,
    /// Members of the stored document that stay; `None` without one.
    pub(super) kept: Option<Members>,
    /// `OSSTagging` of the stored document.
    pub(super) tags: Option<Value>,
}

impl Candidate {
    /// Whether the stored document is of the present state of the file.
    pub(super) fn is_same(&self) -> bool {
        self.stamp == Some(entry_stamp(&self.entry))
    }
}

/// What came of one file; stored unless `kept`.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) uri: String,
    pub(super) media: String,
    pub(super) stamp: Stamp,
    /// `FileHash`, where it was asked for.
    pub(super) hash: String,
    pub(super) warned: bool,
    /// Why it could not be read.
    pub(super) failure: Option<String>,
    /// It could not be opened or read, which may pass.
    pub(super) unread: bool,
    /// It could not, and what is stored of it stays as it is.
    pub(super) kept: bool,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        dataset: &'a Dataset,
        pool: &'a Pool<Reading>,
        progress: &'a Progress,
        bound: bool,
    ) -> Result<Intake<'a>> {
        Ok(Intake {
            dataset,
            pool,
            progress,
            bound,
            plan: dataset.plan()?,
            held: quarantine::rows(&dataset.inner().store.reader(), dataset.space.id)?,
            verdicts: Verdicts::default(),
            batch: Vec::new(),
            oldest: None,
            under_way: 0,
            done: Vec::new(),
        })
    }

    /// Whether a file is to be read: one that changed, or all where `again` says so. What an older extractor could not read
    /// is tried again; what cost a worker of this one is not, even if asked.
    pub(super) fn is_due(&self, found: &Candidate, again: bool) -> bool {
        let stamp = entry_stamp(&found.entry);
        let held = self.held.get(&found.uri).map(|row| quarantine::holds(row, stamp));
        !found.is_same() || held == Some(false) || (again && held.is_none())
    }

    /// Hands in a file; stores what comes back while the pool is full.
    pub(super) fn submit(&mut self, place: &Bucket, found: Candidate) -> Result<()> {
        let Candidate { uri, entry, kept, .. } = found;
        let existed = kept.is_some();
        let (place, plan) = (place.clone(), self.plan.clone());
        let mut job = Job { place, plan, uri, entry, kept: kept.unwrap_or_default(), existed };
        let stamp = entry_stamp(&job.entry);
        if let Some(row) = self.held.get(&job.uri).filter(|row| quarantine::holds(row, stamp)) {
            let fault = Fault::quarantined(quarantine::outcome(row));
            self.dataset.inner().extractor.passed_over();
            return self.keep(&job, Err(Failed::of(fault, stamp)));
        }
        while let Some(answer) = self.pool.try_recv() {
            self.take(answer)?;
        }
        while let Err(refused) = self.pool.try_submit(job) {
            job = refused.into_job();
            match self.pool.recv() {
                Some(answer) => self.take(answer)?,
                None => return Ok(()),
            }
        }
        self.under_way += 1;
        Ok(())
    }

    /// Waits for all that was handed in, and stores it.
    pub(super) fn drain(&mut self) -> Result<()> {
        while self.under_way > 0 {
            let Some(answer) = self.pool.recv() else { break };
            self.take(answer)?;
        }
        self.store()
    }

    /// What was done since the last call.
    pub(super) fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.done)
    }

    /// Makes a document of an answer and stores the batch when it is due.
    fn take(&mut self, answer: Answer<Reading>) -> Result<()> {
        self.under_way = self.under_way.saturating_sub(1);
        let (asked, outcome) = answer.split();
        let job = asked.job();
        self.keep(job, settled(outcome, Some(entry_stamp(&job.entry))))
    }

    /// Keeps a document for the next batch.
    fn keep(&mut self, job: &Job, read: Result<Read, Failed>) -> Result<()> {
        if read.as_ref().is_err_and(|failed| self.bound && is_absent(&failed.error)) {
            // Gone since it was seen: the next look tells.
            return Ok(());
        }
        let unread = read.as_ref().is_err_and(Failed::may_pass);
        let (file, done) = self.settle(job, read, unread);
        Progress::add(&self.progress.indexed_bytes, done.stamp.size);
        // A state that is not remembered is not the same next time.
        let stamp = (!unread).then_some(done.stamp);
        let kept = done.kept;
        self.done.push(done);
        if kept { Ok(()) } else { self.put(file, stamp) }
    }

    /// The document of an answer, and what is told of it.
    fn settle(&mut self, job: &Job, read: Result<Read, Failed>, unread: bool) -> (File, Done) {
        let (mut file, stamp, hash, warned, failure) = match read {
            Ok(read) => {
                Progress::add(&self.progress.read_bytes, read.extracted.bytes_read);
                if self.held.contains_key(&job.uri) {
                    self.verdicts.release(&job.uri);
                }
                let mut file = job.document(read.stamp);
                adopt(&mut file, &read.extracted.members);
                quarantine::tell(&mut file, Some(read.outcome));
                (file, read.stamp, read.hash, !read.extracted.warnings.is_empty(), None)
            }
            Err(failed) => {
                self.verdicts.blame(&job.uri, &failed);
                let stamp = entry_stamp(&job.entry);
                let reason = format!("[{:?}] {}", failed.error.kind(), failed.error.message());
                let mut file = job.document(stamp);
                quarantine::tell(&mut file, failed.outcome());
                (file, stamp, String::new(), false, Some(reason))
            }
        };
        let media = file.text(field::MEDIA_TYPE).unwrap_or("other").to_owned();
        self.plan.trim(&mut file);
        if let Some(reason) = &failure {
            Progress::add(&self.progress.failed, 1);
            file.set(field::OBJECT_STATUS, "Failed");
            file.set(field::REASON, reason.as_str());
        }
        let kept = self.bound && unread && job.existed;
        (file, Done { uri: job.uri.clone(), media, stamp, hash, warned, failure, unread, kept })
    }

    fn put(&mut self, file: File, stamp: Option<Stamp>) -> Result<()> {
        self.batch.push(Incoming { file, stamp, bound: self.bound });
        let oldest = *self.oldest.get_or_insert_with(Instant::now);
        if self.batch.len() >= STORE_DOCS || oldest.elapsed() >= STORE_AFTER { self.store() } else { Ok(()) }
    }

    fn store(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.oldest = None;
        let count = batch.len() as u64;
        self.verdicts.land(self.dataset.inner(), self.dataset.space.id)?;
        self.dataset.put_incoming(batch)?;
        Progress::add(&self.progress.indexed, count);
        Ok(())
    }
}

/// The state that an entry's record should have.
pub(super) fn entry_stamp(entry: &Entry) -> Stamp {
    stamp_of(entry.stamp, entry.beside.as_ref().map(|beside| beside.stamp))
}

impl Job {
    fn document(&self, stamp: Stamp) -> File {
        document(&self.uri, &self.entry.key, self.kept.clone(), stamp)
    }
}
