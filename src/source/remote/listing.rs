//! Listings: the objects of a store in the byte order of their keys, a page for each request.
//!
//! Both dialects promise that order ("ListObjectsV2"); it is checked, because a comparison with records would take what comes out
//! of order for missing.

use super::facts;
use super::ready::done;
use super::store::{Store, is_plain};
use super::wire::Line;
use crate::error::{Error, ErrorKind, Result};
use crate::source::name::LONGEST_KEY;
use crate::source::{Entry, Filter, Found, Skipped, Walking, Why, just_before};
use futures::StreamExt;
use opendal::options::ListOptions;
use opendal::{Lister, Metadata};
use std::path::PathBuf;

/// Objects of a folder that is left out which are passed by before the listing jumps to its end: a jump costs a request.
const PATIENCE: u32 = 500;

/// A listing under way.
pub(super) struct Listing {
    store: Store,
    filter: Filter,
    page: usize,
    /// Keys up to this one are passed over.
    after: String,
    lister: Option<(Lister, Line)>,
    ended: bool,
    /// Objects in a row that were left out with their folder.
    passed: u32,
}

impl Listing {
    pub(super) fn new(store: &Store, walking: &Walking, page: usize) -> Listing {
        let (filter, after) = (walking.filter.clone(), walking.after.clone());
        Listing { store: store.clone(), filter, page, after, lister: None, ended: false, passed: 0 }
    }

    /// The next object, folders' markers included.
    fn advance(&mut self) -> Result<Option<(String, Metadata)>> {
        if self.lister.is_none() {
            let (operator, line) = self.store.operator();
            // What the prefix cannot say to the store, the filter does.
            let prefix =
                Some(self.filter.prefix()).filter(|p| is_plain(p.strip_suffix('/').unwrap_or(p))).unwrap_or("");
            let options = ListOptions {
                limit: Some(self.page),
                start_after: Some(self.after.clone()).filter(|after| !after.is_empty()),
                recursive: true,
                ..ListOptions::default()
            };
            let lister = done(operator.lister_options(prefix, options)).map_err(|e| line.error(&self.what(), &e))?;
            self.lister = Some((lister, line));
        }
        let Some((lister, line)) = &mut self.lister else { return Ok(None) };
        match done(lister.next()) {
            None => Ok(None),
            Some(Ok(entry)) => Ok(Some(entry.into_parts())),
            Some(Err(e)) => {
                let line = line.clone();
                // A bucket that is not there is no empty bucket, and no file either.
                Err(Error::new(ErrorKind::Io, line.error(&self.what(), &e).message()))
            }
        }
    }

    fn what(&self) -> String {
        let address = crate::source::bucket::Objects::address(&self.store);
        format!("list {}", address.split('?').next().unwrap_or(address))
    }

    fn step(&mut self) -> Result<Option<Found>> {
        loop {
            let Some((key, about)) = self.advance()? else { return Ok(None) };
            if key == "/" || key.is_empty() {
                continue;
            }
            if !self.after.is_empty() && key <= self.after {
                // Some stores begin with the key that they were to begin behind.
                if key == self.after {
                    continue;
                }
                let (before, what) = (&self.after, self.what());
                let why = format!("could not {what}: expected keys in ascending order, got {key:?} behind {before:?}");
                return Err(Error::new(ErrorKind::Io, why));
            }
            self.after.clone_from(&key);
            if !self.filter.takes(&key) {
                self.pass(&key);
                continue;
            }
            self.passed = 0;
            match found(key, &about) {
                None => continue,
                found => return Ok(found),
            }
        }
    }

    /// Passes by an object that is left out; jumps over the rest of its folder if there are many.
    fn pass(&mut self, key: &str) {
        let Some(folder) = self.filter.folder_left_out(key) else { return };
        self.passed += 1;
        let end = format!("{folder}/{}", char::MAX);
        if self.passed >= PATIENCE && end.len() <= LONGEST_KEY {
            self.after = end;
            (self.lister, self.passed) = (None, 0);
        }
    }
}

/// What an object is for a comparison; nothing of a folder's marker.
fn found(key: String, about: &Metadata) -> Option<Found> {
    if about.is_dir() {
        return None;
    }
    if !is_plain(&key) {
        return Some(Found::Skipped(Skipped { key, why: Why::OddKey }));
    }
    let stamp = about
        .etag()
        .zip(about.last_modified())
        .map(|(etag, modified)| facts::stamp_of(about.content_length(), etag, modified.into_inner()));
    Some(match stamp {
        Some(stamp) => Found::File(Entry { path: PathBuf::from(&key), key, stamp, beside: None }),
        None => {
            let why = format!("could not list {key}: expected ETag and LastModified in the listing, got less");
            Found::Skipped(Skipped { key, why: Why::Failed(Error::new(ErrorKind::Io, why)) })
        }
    })
}

impl Iterator for Listing {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.ended {
            return None;
        }
        match self.step() {
            Ok(Some(found)) => Some(found),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(e) => {
                self.ended = true;
                Some(Found::Skipped(Skipped { key: String::new(), why: Why::Failed(e) }))
            }
        }
    }
}

/// Which of these keys, in ascending order, have no object: from just before the first that is not decided, a page is listed,
/// which decides all that lie before its end.
pub(super) fn absent(store: &Store, keys: &[&str], page: usize) -> Result<Vec<bool>> {
    let (mut gone, mut last) = (Vec::with_capacity(keys.len()), String::new());
    while let Some(first) = keys.get(gone.len()) {
        let walking = Walking { after: just_before(first).max(last.clone()), ..Walking::default() };
        let mut listing = Listing::new(store, &walking, page);
        for _ in 0..page {
            let (key, is_file) = match listing.next() {
                None => {
                    gone.resize(keys.len(), true);
                    return Ok(gone);
                }
                Some(Found::Skipped(Skipped { why: Why::Failed(e), .. })) => return Err(e),
                Some(Found::Skipped(skipped)) => (skipped.key, false),
                Some(Found::File(entry)) => (entry.key, true),
            };
            while let Some(wanted) = keys.get(gone.len()).filter(|wanted| **wanted <= key.as_str()) {
                gone.push(*wanted != key || !is_file);
            }
            last = key;
            if gone.len() == keys.len() {
                return Ok(gone);
            }
        }
    }
    Ok(gone)
}
