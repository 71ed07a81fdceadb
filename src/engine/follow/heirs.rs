//! Files that moved: a document whose file is gone finds the one that its file became. By state first (inode, length,
//! modification time: a rename keeps them), then by length and partial digest (a copy to another file system).

use crate::engine::compare::{Gone, Known};
use crate::engine::dataset::Dataset;
use crate::engine::intake::Done;
use crate::engine::quarantine::{self, Verdicts};
use crate::error::Result;
use crate::model::{Condition, Filter, Page, Query, Timestamp, field};
use crate::store::{Stamp, Table, keys};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Files that were read lately and are remembered at most.
const MOST: usize = 50_000;
/// Age at which a file of the same digest still counts as what another became.
const RECENT: Duration = Duration::from_secs(600);
/// Documents of one length and time that are looked at.
const CANDIDATES: usize = 20;

/// Files that were read lately.
#[derive(Debug)]
pub(in crate::engine) struct Heirs {
    by_stamp: HashMap<(u64, i64, u64), String>,
    /// With when they were read: what was a copy all along is no heir.
    by_hash: HashMap<(u64, String), (String, Instant)>,
    /// Some were forgotten, or read by an earlier process: the index knows them.
    partial: bool,
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
        self.by_stamp.insert(state(done.stamp), done.uri.clone());
        if !done.hash.is_empty() && done.stamp.size > 0 {
            self.by_hash.insert((done.stamp.size, done.hash.clone()), (done.uri.clone(), Instant::now()));
        }
    }

    /// Everything is compared: what is read from now on is all that can be an heir.
    pub(super) fn begin_anew(&mut self) {
        *self = Heirs { partial: false, ..Heirs::new() };
    }

    /// The URI of what became of a file.
    pub(super) fn find(&self, dataset: &Dataset, gone: &Gone) -> Result<Option<String>> {
        let Some(stamp) = gone.known.stamp else { return Ok(None) };
        let remembered = self.by_stamp.get(&state(stamp)).or_else(|| {
            let hash = Some(&gone.known.hash).filter(|hash| !hash.is_empty() && stamp.size > 0)?;
            let (uri, read) = self.by_hash.get(&(stamp.size, hash.clone()))?;
            (read.elapsed() < RECENT).then_some(uri)
        });
        match remembered {
            Some(uri) if *uri != gone.uri => Ok(Some(uri.clone())),
            _ if self.partial => indexed(dataset, gone, stamp),
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
            Some(heir) => moved.push((gone.uri, heir)),
            None => removed.push(gone.uri),
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
