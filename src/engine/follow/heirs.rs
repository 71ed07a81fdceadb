//! Files that moved: a document whose file is gone finds the one that its file became. By state first (inode, length,
//! modification time: a rename keeps them), then by length and partial digest (a copy to another file system) or ETag.
//!
//! Bindings of one dataset share what they read lately, so that a file is found that moved from one to another.

use crate::engine::compare::{Gone, Known};
use crate::engine::dataset::Dataset;
use crate::engine::document::KEPT;
use crate::engine::intake::Done;
use crate::engine::quarantine::{self, Verdicts};
use crate::engine::sync::lock;
use crate::error::Result;
use crate::model::{Condition, Filter, Page, Query, Timestamp, field, now};
use crate::store::{Record, Stamp, Table, keys};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Files that were read lately and are remembered at most.
const MOST: usize = 50_000;
/// Age at which a file of the same digest still counts as what another became.
const RECENT: Duration = Duration::from_secs(600);
/// Longest that a document is stored after its file was read.
const STORED: Duration = Duration::from_secs(2);
/// How often a document looks for what its file became, where that goes on itself meanwhile.
const TRIES: usize = 3;
/// Documents of one length and time that are looked at.
const CANDIDATES: usize = 20;

/// Files that were read lately, as one binding sees them.
#[derive(Debug)]
pub(in crate::engine) struct Heirs {
    lately: Arc<Mutex<Lately>>,
    /// How the addresses of the binding's own files begin.
    bucket: String,
}

/// Files of all bindings of a dataset that were read lately, by how the addresses of each binding begin.
#[derive(Debug, Default)]
pub(super) struct Lately {
    buckets: HashMap<String, Read>,
}

/// Files of one binding that were read lately.
#[derive(Debug, Default)]
struct Read {
    by_stamp: HashMap<(u64, i64, u64), Heir>,
    /// What was a copy all along is no heir.
    by_hash: HashMap<(u64, String), Heir>,
    /// None were forgotten, or read by an earlier process: otherwise the index knows them.
    whole: bool,
}

/// A file that may be what another one became.
#[derive(Debug, Clone)]
pub(super) struct Heir {
    uri: String,
    /// When it was read by this process.
    read: Option<(Instant, Timestamp)>,
}

impl Read {
    /// What became of a file, among what is remembered.
    fn find(&self, gone: &Gone, stamp: Stamp) -> Option<&Heir> {
        // It may be remembered itself.
        let is_other = |heir: &&Heir| heir.uri != gone.uri;
        let same_bytes = || {
            let hash = Some(&gone.known.hash).filter(|hash| !hash.is_empty() && stamp.size > 0)?;
            self.by_hash.get(&(stamp.size, hash.clone())).filter(is_other).filter(|heir| heir.is_recent())
        };
        self.by_stamp.get(&state(stamp)).filter(is_other).or_else(same_bytes)
    }
}

impl Lately {
    /// What became of a file of a bucket: one of its own, or else one that another binding read lately.
    fn find(&self, gone: &Gone, stamp: Stamp, own: &str) -> Option<Heir> {
        let found = self.buckets.get(own).and_then(|read| read.find(gone, stamp));
        let mut others = self.buckets.iter().filter(|(bucket, _)| *bucket != own);
        let other = || others.find_map(|(_, read)| read.find(gone, stamp).filter(|heir| heir.is_recent()));
        found.or_else(other).cloned()
    }
}

impl Heir {
    fn is_recent(&self) -> bool {
        self.read.is_some_and(|(read, _)| read.elapsed() < RECENT)
    }

    /// Whether callers have said something of it since it was read: then it is a file of its own, such as another link to the
    /// same bytes, and what was said of it stays. What they said before may be of a file that was there before.
    fn is_spoken_for(&self, dataset: &Dataset) -> Result<bool> {
        let key = keys::file(dataset.space.id, &self.uri);
        let bytes = dataset.inner().store.reader().bytes(&key)?;
        let Some(bytes) = bytes else { return Ok(false) };
        let record = Record::decode_fields(&self.uri, &bytes, &KEPT)?;
        let stored = |(_, at): (Instant, Timestamp)| at.0.saturating_add(STORED.as_nanos() as i64);
        let since = self.read.map_or(i64::MIN, stored);
        Ok(record.updated.0 > since && record.members.iter().any(|(id, _)| KEPT.contains(&id)))
    }
}

impl Heirs {
    /// Those of one who shares them with nobody.
    pub(in crate::engine) fn new(bucket: &str) -> Heirs {
        Heirs::among(bucket, Arc::default())
    }

    /// Those of one binding among the others of its dataset.
    pub(super) fn among(bucket: &str, lately: Arc<Mutex<Lately>>) -> Heirs {
        let bucket = format!("oss://{bucket}/");
        lock(&lately).buckets.remove(&bucket);
        Heirs { lately, bucket }
    }

    /// Remembers a file that was read.
    pub(in crate::engine) fn add(&self, done: &Done) {
        if done.kept {
            return;
        }
        let mut lately = lock(&self.lately);
        let read = lately.buckets.entry(self.bucket.clone()).or_default();
        if read.by_stamp.len() >= MOST {
            *read = Read::default();
        }
        let heir = Heir { uri: done.uri.clone(), read: Some((Instant::now(), now())) };
        read.by_stamp.insert(state(done.stamp), heir.clone());
        if !done.hash.is_empty() && done.stamp.size > 0 {
            read.by_hash.insert((done.stamp.size, done.hash.clone()), heir);
        }
    }

    /// Forgets a file of its own that is gone: no other one becomes what is not there.
    pub(super) fn forget(&self, gone: &Gone) {
        let Some(stamp) = gone.known.stamp else { return };
        let mut lately = lock(&self.lately);
        if let Some(read) = lately.buckets.get_mut(&self.bucket) {
            let is_it = |heir: &Heir| heir.uri == gone.uri;
            let hash = (stamp.size, gone.known.hash.clone());
            if read.by_stamp.get(&state(stamp)).is_some_and(is_it) {
                read.by_stamp.remove(&state(stamp));
            }
            if read.by_hash.get(&hash).is_some_and(is_it) {
                read.by_hash.remove(&hash);
            }
        }
    }

    /// Everything is compared: what was read lately and what is read from now on is all that can be an heir. The former is
    /// remembered for other bindings, and because a store may tell of a copy and of the deletion of what was copied in different
    /// listings.
    pub(super) fn keep_recent(&self) {
        let mut lately = lock(&self.lately);
        let read = lately.buckets.entry(self.bucket.clone()).or_default();
        read.by_stamp.retain(|_, heir| heir.is_recent());
        read.by_hash.retain(|_, heir| heir.is_recent());
        read.whole = true;
    }

    /// Whether something is remembered that a file may have become.
    pub(super) fn know(&self, gone: &Gone) -> bool {
        gone.known.stamp.is_some_and(|stamp| lock(&self.lately).find(gone, stamp, &self.bucket).is_some())
    }

    /// What became of a file.
    pub(super) fn find(&self, dataset: &Dataset, gone: &Gone) -> Result<Option<Heir>> {
        let Some(stamp) = gone.known.stamp else { return Ok(None) };
        let (remembered, whole) = {
            let lately = lock(&self.lately);
            (lately.find(gone, stamp, &self.bucket), lately.buckets.get(&self.bucket).is_some_and(|read| read.whole))
        };
        match remembered {
            None if !whole => Ok(indexed(dataset, gone, stamp)?.map(|uri| Heir { uri, read: None })),
            found => Ok(found),
        }
    }
}

/// Lets documents without files pass on to those that their files became, and removes the others; returns how many went.
pub(in crate::engine) fn bury(dataset: &Dataset, heirs: &Heirs, mut gone: Vec<Gone>) -> Result<u64> {
    let (inner, id, mut verdicts) = (dataset.inner(), dataset.space.id, Verdicts::default());
    let held = quarantine::rows(&inner.store.reader(), id)?;
    for gone in &gone {
        heirs.forget(gone);
        if held.contains_key(&gone.uri) {
            verdicts.release(&gone.uri);
        }
    }
    let (mut passed, mut removed) = (0, Vec::new());
    for _ in 0..TRIES {
        if gone.is_empty() {
            break;
        }
        let mut moved = Vec::new();
        for gone in gone {
            match heirs.find(dataset, &gone)? {
                Some(heir) if !heir.is_spoken_for(dataset)? => moved.push((gone, heir.uri)),
                _ => removed.push(gone.uri),
            }
        }
        let pairs = moved.iter().map(|(gone, heir)| (gone.uri.clone(), heir.clone())).collect();
        let outcomes = dataset.move_documents(pairs)?;
        passed += outcomes.iter().filter(|done| **done).count();
        // The others' heirs have gone on themselves meanwhile, by the hand of another binding.
        gone = moved.into_iter().zip(outcomes).filter(|(_, done)| !done).map(|((gone, _), _)| gone).collect();
    }
    removed.extend(gone.into_iter().map(|gone| gone.uri));
    let removed = dataset.delete(removed)?.into_iter().filter(|existed| *existed).count();
    verdicts.land(inner, id)?;
    Ok((passed + removed) as u64)
}

fn state(stamp: Stamp) -> (u64, i64, u64) {
    (stamp.size, stamp.modified, stamp.inode)
}

/// The same from the index: one of the same length and time, and of the same inode or digest; of another binding only the very
/// file.
fn indexed(dataset: &Dataset, gone: &Gone, stamp: Stamp) -> Result<Option<String>> {
    let time = Timestamp(stamp.modified).to_string();
    if Timestamp::parse(&time).is_err() {
        return Ok(None);
    }
    let is = |field: &str, value: &str| Condition::parse(field, "eq", value).map(Filter::Is);
    let filter = Filter::And(vec![is("Size", &stamp.size.to_string())?, is("FileModifiedTime", &time)?]);
    let page = Page { max_results: CANDIDATES, ..Page::default() };
    let query =
        Query { filter: Some(filter), page, with_fields: vec![field::URI], without_total: true, ..Query::default() };
    let bucket = gone.uri.split('/').take(3).collect::<Vec<_>>().join("/") + "/";
    let uris = dataset.search_uris(&query, None)?.uris;
    let uris: Vec<String> = uris.into_iter().filter(|uri| *uri != gone.uri).collect();
    let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(dataset.space.id, uri).bytes).collect();
    let (mut found, mut elsewhere) = (None, None);
    dataset.inner().store.reader().many(Table::Files, &keys, |at, value| {
        let (Some(uri), Some(bytes)) = (uris.get(at), value) else { return Ok(()) };
        let known = Known::read(uri, bytes)?;
        if uri.starts_with(&bucket) {
            found = found.take().or_else(|| is_heir(&known, gone, stamp).then(|| uri.clone()));
        } else if known.stamp == Some(stamp) && is_fine(stamp) {
            // Another binding has the very file: it was read before this process began.
            elsewhere = elsewhere.take().or_else(|| Some(uri.clone()));
        }
        Ok(())
    })?;
    Ok(found.or(elsewhere))
}

/// Whether a state tells a file from its copies: times of stores and of some file systems are whole seconds.
fn is_fine(stamp: Stamp) -> bool {
    stamp.modified % 1_000_000_000 != 0
}

fn is_heir(known: &Known, gone: &Gone, stamp: Stamp) -> bool {
    let same_hash = stamp.size > 0 && !known.hash.is_empty() && known.hash == gone.known.hash;
    known.stamp.is_some_and(|found| found == stamp || (found.size == stamp.size && same_hash))
}
