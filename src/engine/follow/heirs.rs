//! Files that moved: a document whose file is gone finds the one that its file became. By state first (inode, length,
//! modification time: a rename keeps them), then by length and partial digest (a copy to another file system).

use crate::engine::compare::{Gone, Known};
use crate::engine::dataset::Dataset;
use crate::engine::document::KEPT;
use crate::engine::intake::Done;
use crate::engine::quarantine::{self, Verdicts};
use crate::error::Result;
use crate::model::{Condition, Filter, Page, Query, Timestamp, field, now};
use crate::store::{Record, Stamp, Table, keys};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Files that were read lately and are remembered at most.
const MOST: usize = 50_000;
/// Age at which a file of the same digest still counts as what another became.
const RECENT: Duration = Duration::from_secs(600);
/// Longest that a document is stored after its file was read.
const STORED: Duration = Duration::from_secs(2);
/// Documents of one length and time that are looked at.
const CANDIDATES: usize = 20;

/// Files that were read lately.
#[derive(Debug)]
pub(in crate::engine) struct Heirs {
    by_stamp: HashMap<(u64, i64, u64), Heir>,
    /// What was a copy all along is no heir.
    by_hash: HashMap<(u64, String), Heir>,
    /// Some were forgotten, or read by an earlier process: the index knows them.
    partial: bool,
}

/// A file that may be what another one became.
#[derive(Debug, Clone)]
pub(super) struct Heir {
    uri: String,
    /// When it was read by this process.
    read: Option<(Instant, Timestamp)>,
}

impl Heir {
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
    pub(in crate::engine) fn new() -> Heirs {
        Heirs { by_stamp: HashMap::new(), by_hash: HashMap::new(), partial: true }
    }

    /// Remembers a file that was read.
    pub(in crate::engine) fn add(&mut self, done: &Done) {
        if done.kept {
            return;
        }
        if self.by_stamp.len() >= MOST {
            (self.by_stamp, self.by_hash) = Default::default();
            self.partial = true;
        }
        let heir = Heir { uri: done.uri.clone(), read: Some((Instant::now(), now())) };
        self.by_stamp.insert(state(done.stamp), heir.clone());
        if !done.hash.is_empty() && done.stamp.size > 0 {
            self.by_hash.insert((done.stamp.size, done.hash.clone()), heir);
        }
    }

    /// Everything is compared: what is read from now on is all that can be an heir.
    pub(super) fn begin_anew(&mut self) {
        *self = Heirs { partial: false, ..Heirs::new() };
    }

    /// The same, but what was read lately is remembered: a store may tell of a copy and of the deletion of what was copied in
    /// different listings.
    pub(super) fn keep_recent(&mut self) {
        let is_recent = |heir: &Heir| heir.read.is_some_and(|(read, _)| read.elapsed() < RECENT);
        self.by_stamp.retain(|_, heir| is_recent(heir));
        self.by_hash.retain(|_, heir| is_recent(heir));
        self.partial = false;
    }

    /// What became of a file.
    pub(super) fn find(&self, dataset: &Dataset, gone: &Gone) -> Result<Option<Heir>> {
        let Some(stamp) = gone.known.stamp else { return Ok(None) };
        // It may be remembered itself.
        let same_state = self.by_stamp.get(&state(stamp)).filter(|heir| heir.uri != gone.uri);
        let remembered = same_state.or_else(|| {
            let hash = Some(&gone.known.hash).filter(|hash| !hash.is_empty() && stamp.size > 0)?;
            let heir = self.by_hash.get(&(stamp.size, hash.clone()))?;
            heir.read.is_some_and(|(read, _)| read.elapsed() < RECENT).then_some(heir)
        });
        match remembered {
            Some(heir) if heir.uri != gone.uri => Ok(Some(heir.clone())),
            _ if self.partial => Ok(indexed(dataset, gone, stamp)?.map(|uri| Heir { uri, read: None })),
            _ => Ok(None),
        }
    }
}

/// Lets documents without files pass on to those that their files became, and removes the others; returns how many went.
pub(in crate::engine) fn bury(dataset: &Dataset, heirs: &Heirs, gone: Vec<Gone>) -> Result<u64> {
    let (mut moved, mut removed) = (Vec::new(), Vec::new());
    let (inner, id, mut verdicts) = (dataset.inner(), dataset.space.id, Verdicts::default());
    let held = quarantine::rows(&inner.store.reader(), id)?;
    for gone in gone {
        if held.contains_key(&gone.uri) {
            verdicts.release(&gone.uri);
        }
        match heirs.find(dataset, &gone)? {
            Some(heir) if !heir.is_spoken_for(dataset)? => moved.push((gone.uri, heir.uri)),
            _ => removed.push(gone.uri),
        }
    }
    let outcomes = dataset.move_documents(moved.clone())?;
    let (done, left): (Vec<_>, Vec<_>) = moved.into_iter().zip(outcomes).partition(|(_, done)| *done);
    removed.extend(left.into_iter().map(|((uri, _), _)| uri));
    let removed = dataset.delete(removed)?.into_iter().filter(|existed| *existed).count();
    verdicts.land(inner, id)?;
    Ok((done.len() + removed) as u64)
}

fn state(stamp: Stamp) -> (u64, i64, u64) {
    (stamp.size, stamp.modified, stamp.inode)
}

/// The same from the index: one of the same length and time, and of the same inode or digest.
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
    let uris: Vec<String> = uris.into_iter().filter(|uri| uri.starts_with(&bucket) && *uri != gone.uri).collect();
    let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(dataset.space.id, uri).bytes).collect();
    let mut found = None;
    dataset.inner().store.reader().many(Table::Files, &keys, |at, value| {
        let (Some(uri), Some(bytes)) = (uris.get(at), value) else { return Ok(()) };
        if found.is_none() && is_heir(&Known::read(uri, bytes)?, gone, stamp) {
            found = Some(uri.clone());
        }
        Ok(())
    })?;
    Ok(found)
}

fn is_heir(known: &Known, gone: &Gone, stamp: Stamp) -> bool {
    let same_hash = stamp.size > 0 && !known.hash.is_empty() && known.hash == gone.known.hash;
    known.stamp.is_some_and(|found| found == stamp || (found.size == stamp.size && same_hash))
}
