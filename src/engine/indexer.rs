//! The indexer: does accepted work in the background, some calls at a time.
//!
//! Files are read by the extraction pool; documents of one dataset are stored in one batch. IMPORTANT, in this order:
//! documents are durable, then their work rows go, in one batch with the events that say so.

use super::buckets::Buckets;
use super::compare::key_of;
use super::dataset::Dataset;
use super::document::{Incoming, KEPT};
use super::ingest::{adopt, document};
use super::open::Engine;
use super::outbox::announce;
use super::outcome::{Failures, events, reason};
use super::playlist;
use super::quarantine::{self, Failed, Verdicts};
use super::reading::{Read, Steps, alone, at_once, failed, handle, patient, reaching, settled, tell, together};
use super::workflow::{Plan, is_gone};
use super::zone;
use crate::analyze::Budget;
use crate::analyze::place::Location;
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::pool::{Hand, Pool, PoolOptions, Work};
use crate::extract::{self, Extracted};
use crate::isolate::{Extractor, Fault, Handle, Outcome, Request};
use crate::model::{File, LatLong, Members, Value, field, now};
use crate::source::Opened;
use crate::store::rows::{QuarantineRow, Row, WorkRow};
use crate::store::{Durability, Stamp, keys};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Files that are read before their documents are stored together: calls are taken until there are so many.
const GROUP_FILES: usize = 256;
/// Wait after the store refused documents, a full disk most likely.
const RETRY: Duration = Duration::from_secs(1);

/// How to index.
#[derive(Debug, Clone, Copy)]
pub struct IndexerOptions {
    /// Threads and patience of the pool.
    pub pool: PoolOptions,
    /// Caps and assumptions of extraction.
    pub extract: extract::Options,
}

impl Default for IndexerOptions {
    fn default() -> IndexerOptions {
        // A group is handed in whole before its first answer is taken.
        let pool = PoolOptions { in_flight: GROUP_FILES * 2, ..PoolOptions::default() };
        IndexerOptions { pool, extract: extract::Options::default() }
    }
}

/// A running indexer; it ends when it is stopped or dropped.
pub struct Indexer {
    engine: Engine,
    buckets: Buckets,
    options: IndexerOptions,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Starts to do accepted work. One indexer runs per database.
    pub fn start_indexer(&self, buckets: Buckets, options: IndexerOptions) -> Result<Indexer> {
        let started = || -> Result<Indexer> {
            let extractor = Arc::clone(&self.handle.inner.extractor);
            extractor.prepare()?;
            let pool = PoolOptions { in_flight: options.pool.in_flight.max(GROUP_FILES * 2), ..options.pool };
            let pool = reaching(patient(pool, &extractor, &options.extract), buckets.concurrency());
            let at_once = at_once(&extractor, pool.threads);
            let fetching = Fetching { buckets: buckets.clone(), options: options.extract, extractor, at_once };
            let pool = Pool::new(fetching, pool)?;
            self.handle.inner.desk.staff()?;
            let mut run = Run { engine: self.clone(), pool, from: 0 };
            let thread = std::thread::Builder::new().name("medialith-index".into()).spawn(move || run.all());
            let thread = thread.map_err(|e| {
                self.handle.inner.desk.leave();
                Error::io("start the indexing thread", e)
            })?;
            Ok(Indexer { engine: self.clone(), buckets, options, thread: Mutex::new(Some(thread)) })
        };
        started().map_err(|e| e.during("index"))
    }

    /// An indexer that leaves accepted work where it is: for a start after several that died of it.
    pub fn rest_indexer(&self, buckets: Buckets, options: IndexerOptions) -> Indexer {
        Indexer { engine: self.clone(), buckets, options, thread: Mutex::new(None) }
    }

    /// Files that were accepted and are not indexed yet.
    pub fn pending_files(&self) -> u64 {
        self.handle.inner.desk.files()
    }
}

impl Indexer {
    /// Files that were accepted and are not indexed yet.
    pub fn pending(&self) -> u64 {
        self.engine.pending_files()
    }

    /// The database that it works for.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where files are.
    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Waits until nothing is left to do, at most `patience`.
    pub fn wait_idle(&self, patience: Duration) -> bool {
        self.engine.handle.inner.desk.wait_idle(patience)
    }

    /// Whether accepted work waits for another start.
    pub fn is_resting(&self) -> bool {
        super::sync::lock(&self.thread).is_none()
    }

    /// Whether it reads files of that bucket.
    pub fn has_bucket(&self, name: &str) -> bool {
        self.buckets.place(name).is_some()
    }

    /// What the file of an address says of itself; nothing is stored.
    pub fn detect(&self, uri: &str) -> Result<File> {
        let file = self.buckets.open(uri)?;
        let key = key_of(uri);
        let request = Request { name: key, options: self.options.extract, evidence: false };
        let extractor = &self.engine.handle.inner.extractor;
        let read = extractor.extract(handle(&file), None, &request);
        let mut extracted = read.map_err(|fault| file.trouble().unwrap_or_else(|| fault.into()))?;
        let open = |path: &str| self.buckets.open(&playlist::beside(uri, path));
        playlist::complete(&mut extracted, handle(&file), extractor, &request, &open);
        zone::settle(&mut extracted, None);
        tell(&mut extracted.members, &file).map_err(|failed| failed.error)?;
        let mut found = document(uri, key, Members::new(), stamp_of(&file));
        adopt(&mut found, &extracted.members);
        let place = found.text(field::LAT_LONG).and_then(|text| LatLong::parse(text).ok()).and_then(Location::of);
        if let Some(location) = place.filter(|_| found.get(field::ADDRESSES).is_none()) {
            found.set(field::ADDRESSES, Value::Rows(location.addresses()));
        }
        Ok(found)
    }

    /// Ends after the group at hand; what is left is done by the next indexer.
    pub fn stop(&self) {
        self.engine.handle.inner.desk.close();
        let thread = super::sync::lock(&self.thread).take();
        if let Some(thread) = thread {
            // A thread that panicked has left its work in the store.
            drop(thread.join());
            self.engine.handle.inner.desk.leave();
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads files of buckets.
struct Fetching {
    buckets: Buckets,
    options: extract::Options,
    extractor: Arc<Extractor>,
    /// Files that a thread reads together.
    at_once: usize,
}

/// One file of the group at hand.
#[derive(Debug)]
struct Job {
    place: usize,
    uri: String,
    /// What is known of it if it cost a worker before.
    held: Option<QuarantineRow>,
    plan: Plan,
    /// `LatLong` as the caller gave it.
    said: Option<Value>,
}

impl Steps for Fetching {
    type Source = Opened;

    fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// Opens a file, unless it is one that is kept apart.
    fn open(&self, job: &Job) -> Result<Opened, Failed> {
        let file = self.buckets.open(&job.uri)?;
        let stamp = stamp_of(&file);
        if let Some(row) = job.held.as_ref().filter(|row| quarantine::holds(row, stamp)) {
            self.extractor.passed_over();
            return Err(Failed::of(Fault::quarantined(quarantine::outcome(row)), stamp));
        }
        Ok(file)
    }

    fn files(file: &Opened) -> (Handle<'_>, Option<Handle<'_>>) {
        (handle(file), None)
    }

    fn request<'a>(&self, job: &'a Job) -> Request<'a> {
        Request { name: key_of(&job.uri), options: self.options, evidence: false }
    }

    /// What comes after extraction.
    fn finish(&self, job: &Job, file: &Opened, read: Result<Extracted, Fault>) -> Result<Read, Failed> {
        let stamp = stamp_of(file);
        let mut extracted = read.map_err(|fault| failed(fault, file, stamp))?;
        let outcome = Outcome::of(&extracted);
        let open = |path: &str| self.buckets.open(&playlist::beside(&job.uri, path));
        playlist::complete(&mut extracted, handle(file), &self.extractor, &self.request(job), &open);
        zone::settle(&mut extracted, job.said.as_ref());
        let decode =
            |longest: u32, budget: &Budget| self.extractor.picture(handle(file), key_of(&job.uri), longest, budget);
        extracted.members = job.plan.apply(&decode, job.said.as_ref(), extracted.members);
        tell(&mut extracted.members, file)?;
        Ok(Read { extracted, stamp, hash: String::new(), outcome })
    }
}

impl Work for Fetching {
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

    /// Objects of stores come by ranges, and their thread waits for each: those of others are read meanwhile.
    fn is_alone(&self, job: &Job) -> bool {
        self.buckets.is_store(&job.uri)
    }

    fn run_all(&self, (): &mut (), hand: &Hand<'_, Fetching>) {
        together(self, hand);
    }
}

fn stamp_of(file: &Opened) -> Stamp {
    let stamp = file.stamp();
    debug_assert_eq!(stamp.size, file.len());
    Stamp { size: stamp.size, modified: stamp.modified_ns, inode: stamp.inode }
}

/// A file to index, and what callers said of it.
struct Wanted {
    dataset: Dataset,
    uri: String,
    said: Members,
    /// What runs on it, or why nothing can: its template is gone.
    plan: Result<Plan, String>,
}

/// The indexing thread.
struct Run {
    engine: Engine,
    pool: Pool<Fetching>,
    /// Rows before this number were done, but for some that landed late.
    from: u64,
}

impl Run {
    fn all(&mut self) {
        let engine = self.engine.clone();
        let desk = &engine.handle.inner.desk;
        while desk.wait() {
            match self.group() {
                Ok(true) => {}
                // A row that was counted has not landed yet.
                Ok(false) if desk.pause(Duration::from_millis(2)) => {}
                Err(e) if e.kind() != ErrorKind::OutcomeUnknown && desk.pause(RETRY) => {}
                _ => return,
            }
        }
    }

    /// Does some rows; answers whether there were any.
    fn group(&mut self) -> Result<bool> {
        let rows = match self.rows(self.from)? {
            rows if rows.is_empty() && self.from > 0 => self.rows(0)?,
            rows => rows,
        };
        let Some(last) = rows.last().map(|(number, _)| *number) else { return Ok(false) };
        let mut failures = Failures::default();
        let wanted = self.wanted(&rows, &mut failures)?;
        let outcomes = self.read(&wanted)?;
        self.judge(&wanted, &outcomes)?;
        let mut by_dataset: BTreeMap<(String, String), (Dataset, Vec<Incoming>)> = BTreeMap::new();
        for (wanted, outcome) in wanted.into_iter().zip(outcomes) {
            let name = (wanted.dataset.project().to_owned(), wanted.dataset.name().to_owned());
            let dataset = wanted.dataset.clone();
            if let Err(e) = &outcome {
                failures.file(dataset.space.id.0, &wanted.uri, &e.error);
            }
            let incoming = incoming(wanted, outcome)?;
            by_dataset.entry(name).or_insert_with(|| (dataset, Vec::new())).1.push(incoming);
        }
        by_dataset.into_values().try_for_each(|(dataset, files)| store(&dataset, files, &mut failures))?;
        self.forget(&rows, &failures)?;
        self.from = last.saturating_add(1);
        Ok(true)
    }

    fn rows(&self, from: u64) -> Result<Vec<(u64, WorkRow)>> {
        let reader = self.engine.handle.inner.store.reader();
        let mut rows = reader.scan(&keys::all_work(), Some(&keys::work(from)))?;
        let (mut found, mut files) = (Vec::new(), 0);
        while let Some((key, value)) = rows.current()? {
            let number = keys::work_number(key).ok_or_else(|| Error::corrupted("a work key has no number"))?;
            let row = WorkRow::decode(value)?;
            files += row.files.len();
            found.push((number, row));
            if files >= GROUP_FILES {
                break;
            }
            rows.advance();
        }
        Ok(found)
    }

    /// The files of the rows, each once: of two calls the later one's words win. Rows of deleted datasets give none.
    fn wanted(&self, rows: &[(u64, WorkRow)], failures: &mut Failures) -> Result<Vec<Wanted>> {
        let (mut wanted, mut places): (Vec<Wanted>, BTreeMap<(u64, String), usize>) = Default::default();
        for (_, row) in rows {
            let found =
                self.engine.dataset(&row.project, &row.dataset).and_then(|dataset| Ok((plan(&dataset)?, dataset)));
            let (plan, dataset) = match found {
                Ok((plan, dataset)) if dataset.space.id.0 == row.dataset_id => (plan, dataset),
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                _ => {
                    failures.gone(row.dataset_id);
                    continue;
                }
            };
            for text in &row.files {
                // Checked at acceptance: what cannot be read now is damage, and must not hold up all that waits behind it.
                let Ok(file) = File::from_json(text) else { continue };
                let uri = file.uri().to_owned();
                let place = *places.entry((row.dataset_id, uri.clone())).or_insert(wanted.len());
                match wanted.get_mut(place) {
                    Some(before) => file.members().iter().for_each(|(id, value)| before.said.set(id, value.clone())),
                    None => {
                        let (dataset, plan) = (dataset.clone(), plan.clone());
                        wanted.push(Wanted { dataset, uri, said: file.into_members(), plan });
                    }
                }
            }
        }
        Ok(wanted)
    }

    /// Reads the files, in their order.
    fn read(&self, wanted: &[Wanted]) -> Result<Vec<Result<Read, Failed>>> {
        let lost = || Err(Error::new(ErrorKind::Internal, "the extraction pool gave no answer").into());
        let mut outcomes: Vec<Result<Read, Failed>> = wanted.iter().map(|_| lost()).collect();
        let reader = self.engine.handle.inner.store.reader();
        let mut handed_in = 0;
        for (place, (file, outcome)) in wanted.iter().zip(&mut outcomes).enumerate() {
            match &file.plan {
                Ok(plan) => {
                    let held = quarantine::row(&reader, file.dataset.space.id, &file.uri)?;
                    let said = file.said.get(field::LAT_LONG).cloned();
                    let job = Job { place, uri: file.uri.clone(), plan: plan.clone(), said, held };
                    handed_in += usize::from(self.pool.submit(job).is_ok());
                }
                Err(why) => *outcome = Err(Error::invalid(why.as_str()).into()),
            }
        }
        for _ in 0..handed_in {
            let Some(answer) = self.pool.recv() else { break };
            let (asked, outcome) = answer.split();
            if let Some(slot) = outcomes.get_mut(asked.job().place) {
                *slot = settled(outcome, None);
            }
        }
        Ok(outcomes)
    }

    /// Keeps apart the files that cost a worker, and lets go those that no longer do.
    fn judge(&self, wanted: &[Wanted], outcomes: &[Result<Read, Failed>]) -> Result<()> {
        let inner = &self.engine.handle.inner;
        for (wanted, outcome) in wanted.iter().zip(outcomes) {
            let (mut verdicts, dataset) = (Verdicts::default(), wanted.dataset.space.id);
            match outcome {
                Err(failed) => verdicts.blame(&wanted.uri, failed),
                Ok(_) if quarantine::row(&inner.store.reader(), dataset, &wanted.uri)?.is_some() => {
                    verdicts.release(&wanted.uri);
                }
                Ok(_) => {}
            }
            verdicts.land(inner, dataset)?;
        }
        Ok(())
    }

    /// Removes rows whose documents are durable, and announces what came of them.
    fn forget(&self, rows: &[(u64, WorkRow)], failures: &Failures) -> Result<()> {
        let inner = &self.engine.handle.inner;
        let mut batch = inner.store.batch();
        rows.iter().try_for_each(|(number, _)| batch.delete(&keys::work(*number)))?;
        let announced = announce(inner, &mut batch, &events(inner, rows, failures, now()))?;
        // Should this be lost with the power, the work is done once more, and told once more under the same name.
        inner.store.commit(batch, Durability::Buffered)?;
        drop(announced);
        inner.desk.done(rows.iter().map(|(_, row)| row.files.len() as u64).sum());
        Ok(())
    }
}

/// What runs on a dataset's files; a template that is gone fails its files, not the thread.
fn plan(dataset: &Dataset) -> Result<Result<Plan, String>> {
    match dataset.plan() {
        Ok(plan) => Ok(Ok(plan)),
        Err(e) if is_gone(&e) => Ok(Err(e.message().to_owned())),
        Err(e) => Err(e),
    }
}

/// The document of a file: what callers said, then what it says of itself; or why it could not be read.
fn incoming(wanted: Wanted, outcome: Result<Read, Failed>) -> Result<Incoming> {
    let Wanted { dataset, uri, mut said, plan } = wanted;
    if let Some(known) = dataset.get(&uri, &KEPT)? {
        for (id, value) in known.members().iter().filter(|(id, _)| KEPT.contains(id)) {
            if said.get(id).is_none() {
                said.set(id, value.clone());
            }
        }
    }
    let key = key_of(&uri).to_owned();
    match outcome {
        Ok(read) => {
            let mut file = document(&uri, &key, said, read.stamp);
            adopt(&mut file, &read.extracted.members);
            quarantine::tell(&mut file, Some(read.outcome));
            plan.into_iter().for_each(|plan| plan.trim(&mut file));
            Ok(Incoming { file, stamp: Some(read.stamp), bound: false })
        }
        Err(failed) => {
            said.set(field::URI, uri.as_str());
            said.set(field::FILENAME, key);
            said.set(field::OBJECT_STATUS, "Failed");
            said.set(field::REASON, reason(&failed.error));
            let mut file = File::from_members(said);
            quarantine::tell(&mut file, failed.outcome());
            Ok(Incoming { file, stamp: None, bound: false })
        }
    }
}

/// Stores documents together; where a quota or a rule is in the way, those that fit it: what does not must not hold up the
/// work behind it.
fn store(dataset: &Dataset, files: Vec<Incoming>, failures: &mut Failures) -> Result<()> {
    let unfit = |e: &Error| matches!(e.kind(), ErrorKind::LimitExceeded | ErrorKind::InvalidArgument);
    match dataset.put_incoming(files.clone()) {
        Err(e) if unfit(&e) => {}
        // Deleted meanwhile.
        Err(e) if e.kind() == ErrorKind::NotFound => {
            failures.gone(dataset.space.id.0);
            return Ok(());
        }
        other => return other,
    }
    for file in files {
        let uri = file.file.uri().to_owned();
        match dataset.put_incoming(vec![file]) {
            Err(e) if unfit(&e) => failures.file(dataset.space.id.0, &uri, &e),
            other => other?,
        }
    }
    Ok(())
}
