//! Indexing a folder or an object store: walk or list, pass over what is unchanged, extract in the pool, store in batches.
//!
//! The calling thread walks, hands out work and stores; the pool's threads read files. A file that cannot be read, or whose
//! parser panics or hangs, gets a record that says so and costs nothing else. A second run reads only files whose size,
//! modification time or inode changed, or those of the XMP file beside them.

use super::dataset::Dataset;
use super::document::{KEPT, SYSTEM};
use super::intake::{self, Candidate, Intake};
use super::progress::Progress;
use crate::error::Result;
use crate::extract;
use crate::extract::pool::PoolOptions;
use crate::model::{FieldId, File, Members, Timestamp, Uri, field};
use crate::source::{Bucket, Entry, Folder, Found, Skipped, Walking, Why, is_remote};
use crate::store::{Record, Stamp, Table, keys};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Files whose records are looked up together.
const LOOK_AHEAD: usize = 256;
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
    /// Indexes every regular file below `folder`, or the one file that it is, as `oss://<bucket>/<path below it>`; or every object
    /// of the store whose address it is (`s3://...`, `oss://...`: `docs/sources.md`). Members
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
            let place = match folder.as_ref().to_str().filter(|text| is_remote(text)) {
                Some(address) => Bucket::open(address)?,
                None => Bucket::Folder(Folder::open(folder)?),
            };
            let walk = place.tour(Walking::default());
            let pool = intake::pool(self.inner(), &place, options.extract, options.pool)?;
            let intake = Intake::new(self, &pool, progress, false)?;
            let report = IngestReport::default();
            let mut run = Run { dataset: self, place, bucket, options, progress, intake, report };
            run.all(walk)?;
            Ok(run.report)
        };
        indexed().map_err(|e| e.during("index"))
    }
}

/// One run under way.
struct Run<'a> {
    dataset: &'a Dataset,
    place: Bucket,
    bucket: &'a str,
    options: &'a IngestOptions,
    progress: &'a Progress,
    intake: Intake<'a>,
    report: IngestReport,
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
        self.intake.drain()?;
        self.count();
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
            let (stamp, kept) = known.map_or((None, None), |record| (record.stamp, Some(record.members)));
            let found = Candidate { uri, entry, stamp, kept, tags: None };
            if self.intake.is_due(&found, self.options.again) {
                self.intake.submit(&self.place, found)?;
            } else {
                Progress::add(&self.progress.unchanged, 1);
            }
        }
        self.count();
        Ok(())
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

    /// Counts what came back.
    fn count(&mut self) {
        for done in self.intake.take_done() {
            *self.report.media_types.entry(done.media).or_default() += 1;
            self.report.with_warnings += u64::from(done.warned);
            if let Some(reason) = done.failure.filter(|_| self.report.failed.len() < MOST_LISTED) {
                self.report.failed.push((done.uri, reason));
            }
        }
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
    // Of a time that the caller gave extraction knows nothing.
    let timed = file.get(field::PRODUCE_TIME).is_some();
    let foreign = |id: &FieldId| SYSTEM.contains(id) || (timed && *id == field::PRODUCE_TIME_ZONE);
    for (id, value) in members.iter().filter(|(id, _)| !foreign(id)) {
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
        Why::OddKey => "its key has an empty name, . or .., or white space at an end".to_owned(),
        Why::Failed(e) => e.message().to_owned(),
    }
}
