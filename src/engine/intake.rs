//! Files through the pool into documents, stored in batches. Who decides which files: folders ([`super::ingest`]) and
//! bindings ([`super::follow`]).

use super::buckets::is_absent;
use super::dataset::Dataset;
use super::document::Incoming;
use super::ingest::{adopt, document};
use super::progress::Progress;
use super::reading::{Job, Reading, stamp_of};
use crate::error::Result;
use crate::extract::pool::{Answer, Pool};
use crate::model::{File, field};
use crate::source::Entry;
use crate::store::Stamp;
use std::time::{Duration, Instant};

/// Documents that are stored together, at most.
const STORE_DOCS: usize = 1000;
/// Longest that a document waits to be stored.
const STORE_AFTER: Duration = Duration::from_millis(500);

/// Reads what it is given and stores what that says.
pub(super) struct Intake<'a> {
    dataset: &'a Dataset,
    pool: &'a Pool<Reading>,
    progress: &'a Progress,
    /// A binding puts the documents.
    bound: bool,
    batch: Vec<Incoming>,
    /// When the first document of the batch came.
    oldest: Option<Instant>,
    under_way: u64,
    done: Vec<Done>,
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
    /// It could not be opened or read.
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
    ) -> Intake<'a> {
        let batch = Vec::with_capacity(STORE_DOCS);
        Intake { dataset, pool, progress, bound, batch, oldest: None, under_way: 0, done: Vec::new() }
    }

    /// Hands in a job; stores what comes back while the pool is full.
    pub(super) fn submit(&mut self, mut job: Job) -> Result<()> {
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
        let job = answer.job();
        let stamp = entry_stamp(&job.entry);
        let mut unreadable = false;
        let mut warned = false;
        let (mut file, mut stamp, failure) = match &answer.outcome {
            Ok(Ok(read)) => {
                Progress::add(&self.progress.read_bytes, read.extracted.bytes_read);
                warned = !read.extracted.warnings.is_empty();
                let mut file = job.document(read.stamp);
                adopt(&mut file, &read.extracted.members);
                (file, Some(read.stamp), None)
            }
            Ok(Err(error)) => {
                if self.bound && is_absent(error) {
                    return Ok(());
                }
                unreadable = true;
                let reason = format!("[{:?}] {}", error.kind(), error.message());
                (job.document(stamp), Some(stamp), Some(reason))
            }
            Err(failure) => (job.document(stamp), Some(stamp), Some(format!("[Internal] {failure}"))),
        };
        if let Some(reason) = &failure {
            Progress::add(&self.progress.failed, 1);
            file.set(field::OBJECT_STATUS, "Failed");
            file.set(field::REASON, reason.as_str());
        }
        let kept = self.bound && unreadable && job.existed;
        let done = Done {
            uri: job.uri.clone(),
            media: file.text(field::MEDIA_TYPE).unwrap_or("other").to_owned(),
            stamp: stamp.unwrap_or(entry_stamp(&job.entry)),
            hash: file.text(field::FILE_HASH).unwrap_or("").to_owned(),
            warned,
            failure,
            unread: unreadable,
            kept,
        };
        Progress::add(&self.progress.indexed_bytes, done.stamp.size);
        self.done.push(done);
        if kept {
            return Ok(());
        }
        if self.bound && unreadable {
            // Without a state it is tried again by the next comparison.
            stamp = None;
        }
        self.put(file, stamp)
    }

    fn put(&mut self, file: File, stamp: Option<Stamp>) -> Result<()> {
        self.batch.push(Incoming { file, stamp, bound: self.bound });
        let oldest = *self.oldest.get_or_insert_with(Instant::now);
        if self.batch.len() >= STORE_DOCS || oldest.elapsed() >= STORE_AFTER { self.store() } else { Ok(()) }
    }

    fn store(&mut self) -> Result<()> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(STORE_DOCS));
        self.oldest = None;
        let count = batch.len() as u64;
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
