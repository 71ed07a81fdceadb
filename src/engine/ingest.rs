//! Indexing a folder: walk, pass over what is unchanged, extract in the pool, store in batches.
//!
//! The calling thread walks, hands out work and stores; the pool's threads read files. A file that cannot be read, or whose
//! parser panics or hangs, gets a record that says so and costs nothing else. A second run reads only files whose size,
//! modification time or inode changed, or those of the XMP file beside them.

use super::dataset::Dataset;
use super::document::{Incoming, SYSTEM};
use super::progress::Progress;
use super::quarantine::{self, Failed, Verdicts};
use super::reading::{Job, Read, Reading, patient, settled, stamp_of};
use super::workflow::Plan;
use crate::error::Result;
use crate::extract;
use crate::extract::pool::{Answer, Pool, PoolOptions};
use crate::isolate::{Fault, Outcome};
use crate::model::{FieldId, File, Members, Timestamp, Uri, field};
use crate::source::{Entry, Folder, Found, Skipped, Why};
use crate::store::rows::QuarantineRow;
use crate::store::{Record, Stamp, Table, keys};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Files whose records are looked up together.
const LOOK_AHEAD: usize = 256;
/// Documents that are stored together, at most.
const STORE_DOCS: usize = 1000;
/// Longest that a document waits to be stored.
const STORE_AFTER: Duration = Duration::from_millis(500);
/// Members that callers give to stored documents: reading the file again does not lose them.
pub(super) const KEPT: [FieldId; 2] = [field::CUSTOM_ID, field::CUSTOM_LABELS];
/// Names that a report lists at most, of failed and of skipped things each.
pub const MOST_LISTED: usize = 10_000;

/// How to index a folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct IngestOptions {
    /// Threads, patience and back-pressure of the pool.
    pub pool: PoolOptions,
    /// Caps and assumptions of extraction.
    pub extract: extract::Options,
    /// Read unchanged files too.
    pub again: bool,
}

/// What came of indexing a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Stored files by `MediaType`.
    pub media_types: BTreeMap<String, u64>,
    /// Files that could not be read, with the reason; the first [`MOST_LISTED`].
    pub failed: Vec<(String, String)>,
    /// Things that were passed over, with the reason; the first [`MOST_LISTED`].
    pub skipped: Vec<(String, String)>,
    /// Files of which something could not be understood; their other members are stored.
    pub with_warnings: u64,
    /// Whether it ended because it was asked to.
    pub cancelled: bool,
}

impl Dataset {
    /// Indexes every regular file below `folder`, or the one file that it is, as `oss://<bucket>/<path below it>`. Members
    /// that a caller gave to a stored document (`CustomId`, `CustomLabels`) are kept. Counts appear in `progress`.
    pub fn index_folder(
        &self,
        bucket: &str,
        folder: impl AsRef<Path>,
        options: &IngestOptions,
        progress: &Progress,
    ) -> Result<IngestReport> {
        let indexed = || -> Result<IngestReport> {
            self.inner().writable()?;
            Uri::in_bucket(bucket, "x")?;
            let folder = Folder::open(folder)?;
            let walk = folder.walk();
            let plan = self.plan()?;
            let extractor = Arc::clone(&self.inner().extractor);
            extractor.prepare()?;
            let patience = patient(options.pool, &extractor, &options.extract);
            let pool =
                Pool::new(Reading { folder, options: options.extract, extractor, plan: plan.clone() }, patience)?;
            let mut run = Run {
                dataset: self,
                bucket,
                options,
                plan,
                progress,
                pool,
                report: IngestReport::default(),
                batch: Vec::with_capacity(STORE_DOCS),
                oldest: None,
                held: quarantine::rows(&self.inner().store.reader(), self.space.id)?,
                verdicts: Verdicts::default(),
            };
            run.all(walk)?;
            Ok(run.report)
        };
        indexed().map_err(|e| e.during("index"))
    }
}

/// One run under way.
struct Run<'a> {
    dataset: &'a Dataset,
    bucket: &'a str,
    options: &'a IngestOptions,
    plan: Plan,
    progress: &'a Progress,
    pool: Pool<Reading>,
    report: IngestReport,
    batch: Vec<Incoming>,
    /// When the first document of the batch came.
    oldest: Option<Instant>,
    /// Files that cost a worker before.
    held: BTreeMap<String, QuarantineRow>,
    verdicts: Verdicts,
}

impl Run<'_> {
    fn all(&mut self, walk: impl Iterator<Item = Found>) -> Result<()> {
        let mut ahead: Vec<(String, Entry)> = Vec::with_capacity(LOOK_AHEAD);
        for found in walk {
            if self.progress.is_cancelled() {
                break;
            }
            match found {
                Found::File(entry) => ahead.extend(self.address(entry)),
                Found::Skipped(skipped) => self.skip(skipped.key.clone(), why(&skipped)),
            }
            if ahead.len() == LOOK_AHEAD {
                self.hand_out(&mut ahead)?;
            }
        }
        if !self.progress.is_cancelled() {
            self.hand_out(&mut ahead)?;
            self.progress.walked.store(true, Ordering::Relaxed);
        }
        self.pool.finish();
        while let Some(answer) = self.pool.recv() {
            self.take(answer)?;
        }
        self.store()?;
        self.report.cancelled = self.progress.is_cancelled();
        Ok(())
    }

    /// The URI of a file.
    fn address(&mut self, entry: Entry) -> Option<(String, Entry)> {
        Progress::add(&self.progress.found, 1);
        Progress::add(&self.progress.found_bytes, entry.stamp.size);
        match Uri::in_bucket(self.bucket, &entry.key) {
            Ok(uri) => Some((uri.as_str().to_owned(), entry)),
            Err(e) => {
                self.skip(entry.key, e.message().to_owned());
                None
            }
        }
    }

    fn skip(&mut self, key: String, why: String) {
        Progress::add(&self.progress.skipped, 1);
        if self.report.skipped.len() < MOST_LISTED {
            self.report.skipped.push((key, why));
        }
    }

    /// Passes over unchanged files and hands the others to the pool.
    fn hand_out(&mut self, ahead: &mut Vec<(String, Entry)>) -> Result<()> {
        let known = self.known(ahead)?;
        for ((uri, entry), known) in ahead.drain(..).zip(known) {
            let stamp = entry_stamp(&entry);
            let held = self.held.get(&uri).map(|row| quarantine::holds(row, stamp));
            let same = known.as_ref().is_some_and(|record| record.stamp == Some(stamp));
            // What an older extractor could not read is tried again; what cost a worker of this one is not, even if asked.
            if same && held != Some(false) && (!self.options.again || held == Some(true)) {
                Progress::add(&self.progress.unchanged, 1);
                continue;
            }
            let job = Job { uri, entry, kept: known.map_or_else(Members::new, |record| record.members) };
            if held == Some(true) {
                self.refuse(&job)?;
            } else {
                self.submit(job)?;
            }
        }
        Ok(())
    }

    /// Stores a file without reading it, because of what it did before.
    fn refuse(&mut self, job: &Job) -> Result<()> {
        self.dataset.inner().extractor.passed_over();
        let before = self.held.get(&job.uri).map(quarantine::outcome);
        let fault = before.map_or_else(|| Fault::quarantined(Outcome::Crashed), Fault::quarantined);
        self.keep(job, Err(Failed::of(fault, entry_stamp(&job.entry))))
    }

    /// What the store knows of each file: its state, and the members that callers gave it.
    fn known(&self, ahead: &[(String, Entry)]) -> Result<Vec<Option<Record>>> {
        let keys: Vec<Vec<u8>> = ahead.iter().map(|(uri, _)| keys::file(self.dataset.space.id, uri).bytes).collect();
        let mut known = Vec::with_capacity(keys.len());
        self.dataset.inner().store.reader().many(Table::Files, &keys, |at, value| {
            let uri = ahead.get(at).map_or("", |(uri, _)| uri);
            known.push(value.map(|bytes| Record::decode_fields(uri, bytes, &KEPT)).transpose()?);
            Ok(())
        })?;
        Ok(known)
    }

    /// Hands in a job; stores what comes back while the pool is full.
    fn submit(&mut self, mut job: Job) -> Result<()> {
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
        Ok(())
    }

    /// Makes a document of an answer and stores the batch when it is due.
    fn take(&mut self, answer: Answer<Reading>) -> Result<()> {
        let (asked, outcome) = answer.split();
        let job = asked.job();
        self.keep(job, settled(outcome, Some(entry_stamp(&job.entry))))
    }

    /// Keeps a document for the next batch.
    fn keep(&mut self, job: &Job, read: Result<Read, Failed>) -> Result<()> {
        // A state that is not remembered is not the same next time.
        let passing = read.as_ref().is_err_and(Failed::may_pass);
        let (mut file, stamp, failure) = match read {
            Ok(read) => {
                Progress::add(&self.progress.read_bytes, read.extracted.bytes_read);
                self.report.with_warnings += u64::from(!read.extracted.warnings.is_empty());
                if self.held.contains_key(&job.uri) {
                    self.verdicts.release(&job.uri);
                }
                let mut file = job.document(read.stamp);
                adopt(&mut file, &read.extracted.members);
                (file, read.stamp, None)
            }
            Err(failed) => {
                self.verdicts.blame(&job.uri, &failed);
                let stamp = entry_stamp(&job.entry);
                let reason = format!("[{:?}] {}", failed.error.kind(), failed.error.message());
                (job.document(stamp), stamp, Some(reason))
            }
        };
        self.count(&file, stamp, failure.as_deref());
        self.plan.trim(&mut file);
        if let Some(reason) = failure {
            file.set(field::OBJECT_STATUS, "Failed");
            file.set(field::REASON, reason);
        }
        self.batch.push(Incoming { file, stamp: (!passing).then_some(stamp) });
        let oldest = *self.oldest.get_or_insert_with(Instant::now);
        if self.batch.len() >= STORE_DOCS || oldest.elapsed() >= STORE_AFTER { self.store() } else { Ok(()) }
    }

    fn count(&mut self, file: &File, stamp: Stamp, failure: Option<&str>) {
        let media = file.text(field::MEDIA_TYPE).unwrap_or("other").to_owned();
        *self.report.media_types.entry(media).or_default() += 1;
        Progress::add(&self.progress.indexed_bytes, stamp.size);
        if let Some(reason) = failure {
            Progress::add(&self.progress.failed, 1);
            if self.report.failed.len() < MOST_LISTED {
                self.report.failed.push((file.uri().to_owned(), reason.to_owned()));
            }
        }
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

fn entry_stamp(entry: &Entry) -> Stamp {
    stamp_of(entry.stamp, entry.beside.as_ref().map(|beside| beside.stamp))
}

impl Job {
    fn document(&self, stamp: Stamp) -> File {
        document(&self.uri, &self.entry.key, self.kept.clone(), stamp)
    }
}

/// What is known of a file before it is read: its address, its state, and `members` that stay whatever it says.
pub(super) fn document(uri: &str, key: &str, mut members: Members, stamp: Stamp) -> File {
    members.set(field::URI, uri);
    members.set(field::FILENAME, key);
    members.set(field::SIZE, i64::try_from(stamp.size).unwrap_or(i64::MAX));
    let modified = Timestamp(stamp.modified).to_string();
    // Clocks of file systems reach further than times of the API: such a time is left out.
    if Timestamp::parse(&modified).is_ok() {
        members.set(field::FILE_MODIFIED_TIME, modified);
    }
    File::from_members(members)
}

/// Takes over what the file says of itself, but for members that are known already. A value that breaks a rule of
/// documents is left out rather than losing the file.
pub(super) fn adopt(file: &mut File, members: &Members) {
    for (id, value) in members.iter().filter(|(id, _)| !SYSTEM.contains(id)) {
        let fits = File::new(file.uri()).with(id, value.clone()).validate().is_ok();
        if fits && file.get(id).is_none() {
            file.set(id, value.clone());
        }
    }
}

fn why(skipped: &Skipped) -> String {
    match &skipped.why {
        Why::Symlink => "a symbolic link, which is not followed".to_owned(),
        Why::Special => "a FIFO, socket or device, which is not opened".to_owned(),
        Why::SameKey => "its name is not UTF-8, and another file beside it has the same key".to_owned(),
        Why::Failed(e) => e.message().to_owned(),
    }
}
