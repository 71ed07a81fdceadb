//! Text in URIs and file names: folder texts decide for whole runs of documents, name texts for single ones, and a
//! pattern with slashes may begin in a folder and end in a name.

use super::guard::Context;
use super::scope::PathScope;
use crate::error::Result;
use crate::index::{Paths, Segment, TextColumn};
use crate::model::Anchor;
use levenshtein_automata::DFA;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Searches the paths of one segment.
pub(crate) struct PathSearch<'a> {
    paths: Paths<'a>,
    folders: TextColumn<'a>,
    names: TextColumn<'a>,
    scope: PathScope,
    context: &'a Context<'a>,
    docs: Range<u32>,
    runs: Range<usize>,
}

impl<'a> PathSearch<'a> {
    /// Over the documents `docs` of a segment.
    pub(crate) fn new(
        segment: &'a Segment,
        scope: PathScope,
        docs: Range<u32>,
        context: &'a Context<'a>,
    ) -> Result<PathSearch<'a>> {
        let paths = segment.paths()?;
        let runs = match (docs.is_empty(), docs.end as usize) {
            (true, _) => 0..0,
            (false, end) => paths.run_of(docs.start as usize)..paths.run_of(end - 1) + 1,
        };
        Ok(PathSearch { paths, folders: segment.folders()?, names: segment.names()?, scope, context, docs, runs })
    }

    /// Where the searched value begins in a run's folder text; `None` if its documents have none.
    fn origin(&self, run: usize) -> Option<usize> {
        match self.scope {
            PathScope::Uri => Some(0),
            PathScope::Filename => self.paths.folded_filename_at(run),
        }
    }

    /// The part of a run's folder text that belongs to the searched value.
    fn folder(&self, run: usize) -> Option<&'a [u8]> {
        self.paths.folders.unit(run).get(self.origin(run)?..)
    }

    fn add_run(&self, run: usize, found: &mut RoaringBitmap) {
        let docs = self.paths.docs(run);
        found.insert_range(docs.start.max(self.docs.start)..docs.end.min(self.docs.end));
    }

    /// The documents whose value contains `pattern`.
    pub(crate) fn containing(&self, pattern: &str, anchor: Anchor) -> Result<RoaringBitmap> {
        let mut found = self.in_names(pattern, anchor)?;
        if !anchor.at_end() {
            self.in_folders(pattern, anchor, &mut found)?;
        }
        for (at, _) in pattern.match_indices('/').rev() {
            let Some((head, tail)) = pattern.split_at_checked(at + 1) else { continue };
            // Without a tail the folder alone decides, which was asked above.
            if !tail.is_empty() || anchor.at_end() {
                self.context.tick()?;
                self.across(head, tail, anchor, &mut found)?;
            }
        }
        Ok(found)
    }

    fn search(&self, column: &TextColumn<'_>, pattern: &str, anchor: Anchor, range: Range<usize>) -> Result<Vec<u32>> {
        column.containing(pattern, anchor, range, &mut || self.context.tick())
    }

    /// Matches inside the name. A pattern anchored at the start needs a value that begins with the name.
    fn in_names(&self, pattern: &str, anchor: Anchor) -> Result<RoaringBitmap> {
        let docs = self.search(&self.names, pattern, anchor, self.docs.start as usize..self.docs.end as usize)?;
        let whole = self.scope == PathScope::Uri && !anchor.at_start();
        let mut run = self.runs.start;
        let fits = |doc: &u32| {
            if whole {
                return true;
            }
            while run + 1 < self.runs.end && self.paths.docs(run).end <= *doc {
                run += 1;
            }
            self.folder(run).is_some_and(|folder| !anchor.at_start() || folder.is_empty())
        };
        let docs: Vec<u32> = docs.into_iter().filter(fits).collect();
        Ok(docs.into_iter().collect())
    }

    /// Matches inside the folder.
    fn in_folders(&self, pattern: &str, anchor: Anchor, found: &mut RoaringBitmap) -> Result<()> {
        // The value may begin inside the folder text: an anchor at its start is checked here, not by the search.
        let finder = memchr::memmem::Finder::new(pattern.as_bytes());
        for run in self.search(&self.folders, pattern, Anchor::None, self.runs.clone())? {
            let run = run as usize;
            let fits = |folder: &[u8]| match (anchor.at_start(), self.scope) {
                (true, _) => folder.starts_with(pattern.as_bytes()),
                (false, PathScope::Uri) => true,
                (false, _) => finder.find(folder).is_some(),
            };
            if self.folder(run).is_some_and(fits) {
                self.add_run(run, found);
            }
        }
        Ok(())
    }

    /// Matches that begin in a folder, which must end in `head`, and end in a name, which must begin with `tail`.
    fn across(&self, head: &str, tail: &str, anchor: Anchor, found: &mut RoaringBitmap) -> Result<()> {
        let folder_fits = |run: usize| {
            self.folder(run).is_some_and(|folder| {
                folder.ends_with(head.as_bytes()) && (!anchor.at_start() || folder.len() == head.len())
            })
        };
        let name_anchor = if anchor.at_end() { Anchor::Whole } else { Anchor::Start };
        if tail.contains('/') {
            // Names hold a slash only where folding made one: hardly ever, so they are asked first.
            for doc in self.search(&self.names, tail, name_anchor, self.docs.start as usize..self.docs.end as usize)? {
                if folder_fits(self.paths.run_of(doc as usize)) {
                    found.insert(doc);
                }
            }
            return Ok(());
        }
        for run in self.search(&self.folders, head, Anchor::End, self.runs.clone())? {
            if !folder_fits(run as usize) {
                continue;
            }
            self.context.tick()?;
            let docs = self.paths.docs(run as usize);
            let (start, end) = (docs.start.max(self.docs.start), docs.end.min(self.docs.end));
            for (doc, name) in (start..end).zip(self.paths.names.units(start as usize..end as usize)) {
                let fits = if anchor.at_end() { name == tail.as_bytes() } else { name.starts_with(tail.as_bytes()) };
                if fits {
                    found.insert(doc);
                }
            }
        }
        Ok(())
    }

    /// The documents whose value holds a word that the automaton accepts.
    pub(crate) fn near(&self, automaton: &DFA) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for run in self.folders.near(automaton)? {
            let run = run as usize;
            let inside = |folder: &[u8]| self.scope == PathScope::Uri || TextColumn::holds_near(folder, automaton);
            if self.folder(run).is_some_and(inside) {
                self.add_run(run, &mut found);
            }
        }
        let names = self.names.near(automaton)?;
        if self.scope == PathScope::Uri {
            found |= names;
        } else {
            found.extend(names.into_iter().filter(|doc| self.origin(self.paths.run_of(*doc as usize)).is_some()));
        }
        Ok(found)
    }
}
