//! URIs put together from the folded paths and how they are spelled.

use crate::error::{Error, Result};
use crate::index::arena::{Arena, Units, Visit};
use crate::index::paths::{FENCED, Paths};
use crate::index::spellings::{SpellingCursor, Spellings};
use std::cmp::Ordering;

/// The URIs of a segment that stores their spelling.
#[derive(Clone, Copy)]
pub(crate) struct Spelled<'a> {
    paths: Paths<'a>,
    folders: Spellings<'a>,
    names: Spellings<'a>,
    fences: Arena<'a>,
}

impl<'a> Spelled<'a> {
    pub(crate) fn new(paths: Paths<'a>, [folders, names, fences]: [&'a [u8]; 3]) -> Result<Spelled<'a>> {
        let (folders, names, fences) = (Spellings::new(folders)?, Spellings::new(names)?, Arena::new(fences)?);
        let docs = paths.names.len();
        if (folders.len(), names.len(), fences.len()) != (paths.runs(), docs, docs.div_ceil(FENCED)) {
            let (runs, docs, fences) = (folders.len(), names.len(), fences.len());
            let wrong = format!("spellings: {runs} folders, {docs} names and {fences} fences do not fit the paths");
            return Err(Error::corrupted(wrong));
        }
        Ok(Spelled { paths, folders, names, fences })
    }

    /// Number of URIs.
    pub(super) fn len(&self) -> usize {
        self.paths.names.len()
    }

    /// URIs from position `at` on.
    pub(super) fn from(&self, at: usize) -> Result<Walk<'a>> {
        let at = at.min(self.len());
        let run = self.paths.run_of(at);
        Ok(Walk {
            paths: self.paths,
            next: at,
            run,
            run_end: at,
            folder_len: 0,
            folders: self.paths.folders.visit(),
            folder_spellings: self.folders.from(run)?,
            names: self.paths.names.units(at..self.len()),
            name_spellings: self.names.from(at)?,
        })
    }

    /// The URI at position `at`.
    pub(super) fn get(&self, at: usize) -> Result<Option<Vec<u8>>> {
        if at >= self.len() {
            return Ok(None);
        }
        let run = self.paths.run_of(at);
        let (folder, name) = (self.paths.folders.unit(run), self.paths.names.unit(at));
        let mut uri = Vec::with_capacity(folder.len() + name.len());
        self.folders.from(run)?.restore(folder, &mut uri)?;
        self.names.from(at)?.restore(name, &mut uri)?;
        Ok(Some(uri))
    }

    /// Where `uri` is, or would be.
    pub(super) fn find(&self, uri: &[u8]) -> Result<std::result::Result<usize, usize>> {
        let fence = match self.fences.search_sorted(uri) {
            Ok(fence) => return Ok(Ok(fence * FENCED)),
            Err(0) => return Ok(Err(0)),
            Err(next) => next - 1,
        };
        let first = fence * FENCED;
        let (mut walk, mut found) = (self.from(first)?, Vec::new());
        for at in first..(first + FENCED).min(self.len()) {
            walk.advance(&mut found)?;
            match found.as_slice().cmp(uri) {
                Ordering::Equal => return Ok(Ok(at)),
                Ordering::Greater => return Ok(Err(at)),
                Ordering::Less => {}
            }
        }
        Ok(Err((first + FENCED).min(self.len())))
    }
}

/// Walks URIs in order.
pub(crate) struct Walk<'a> {
    paths: Paths<'a>,
    next: usize,
    /// The run after the one whose folder the text begins with.
    run: usize,
    /// Where that one ends; `next` before there is one.
    run_end: usize,
    folder_len: usize,
    folders: Visit<'a>,
    folder_spellings: SpellingCursor<'a>,
    names: Units<'a>,
    name_spellings: SpellingCursor<'a>,
}

impl Walk<'_> {
    /// Makes `uri` the next URI, which may only be what the last call left there; `false` at the end.
    pub(super) fn advance(&mut self, uri: &mut Vec<u8>) -> Result<bool> {
        let Some(name) = self.names.next() else { return Ok(false) };
        if self.next >= self.run_end {
            self.run_end = self.paths.docs(self.run).end as usize;
            uri.clear();
            self.folder_spellings.restore(self.folders.unit(self.run), uri)?;
            self.folder_len = uri.len();
            self.run += 1;
        }
        uri.truncate(self.folder_len);
        self.name_spellings.restore(name, uri)?;
        self.next += 1;
        Ok(true)
    }
}
