//! Text in URIs and file names: folder texts decide for whole runs of documents, name texts for single ones, and a
//! pattern with slashes may begin in a folder and end in a name.

use super::guard::Context;
use super::scope::PathScope;
use crate::error::Result;
use crate::index::{Origin, Paths, RunCursor, Segment, TextColumn, Typo, UnitSet, Visit};
use crate::model::Anchor;
use roaring::RoaringBitmap;
use std::ops::Range;

/// About the time that finding the run of one document and looking at it takes.
const RUN_NS: u64 = 40;
/// The same for reading the folder of a run.
const FOLDER_NS: u64 = 120;

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

    /// Whether the documents of a run have the searched value.
    fn has_value(&self, run: usize) -> bool {
        self.scope == PathScope::Uri || self.paths.folded_filename_at(run) != Origin::Nowhere
    }

    /// The part of a run's folder text that belongs to the searched value; `None` if its documents have none.
    fn folder(&self, run: usize, folders: &mut Visit<'a>) -> Option<&'a [u8]> {
        match (self.scope, self.paths.folded_filename_at(run)) {
            (PathScope::Uri, _) => Some(folders.unit(run)),
            (PathScope::Filename, Origin::At(at)) => folders.unit(run).get(at..),
            (PathScope::Filename, Origin::Name) => Some(&[]),
            (PathScope::Filename, Origin::Nowhere) => None,
        }
    }

    /// The documents whose value contains `pattern`; where `within` is given, only those of it have to be found, others
    /// may be.
    pub(crate) fn containing(
        &self,
        pattern: &str,
        anchor: Anchor,
        within: Option<&RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        let mut found = self.in_names(pattern, anchor, within)?;
        if self.scope == PathScope::Filename && self.paths.common_filename_at() == Some(Origin::Name) {
            // No folder belongs to any value.
            return Ok(found);
        }
        if !anchor.at_end() {
            // The runs of many documents take longer to find than all runs with the pattern.
            let folders_ns = self.folders.cost_ns(pattern, Anchor::None, u64::MAX)?;
            let few = within.filter(|within| within.len() * RUN_NS < folders_ns);
            let runs = few.map(|within| self.runs_of(within));
            self.in_folders(pattern, anchor, runs.as_ref(), &mut found)?;
        }
        for (at, _) in pattern.match_indices('/').rev() {
            let Some((head, tail)) = pattern.split_at_checked(at + 1) else { continue };
            // Without a tail the folder alone decides, which was asked above.
            if !tail.is_empty() || anchor.at_end() {
                self.context.tick()?;
                self.across(head, tail, anchor, within, &mut found)?;
            }
        }
        Ok(found)
    }

    /// An upper bound of the documents and runs that contain `pattern`.
    pub(crate) fn estimate(&self, pattern: &str, anchor: Anchor) -> Result<usize> {
        Ok(self.names.estimate(pattern, anchor)? + self.folders.estimate(pattern, Anchor::None)?)
    }

    /// The runs of documents.
    fn runs_of(&self, docs: &RoaringBitmap) -> RoaringBitmap {
        let (mut cursor, mut docs) = (self.paths.runs_of(), docs.iter());
        let mut runs = Vec::new();
        while let Some(doc) = docs.next() {
            runs.push(cursor.run_of(doc) as u32);
            docs.advance_to(cursor.docs().end);
        }
        runs.into_iter().collect()
    }

    /// About the time that finding `pattern` takes where at most so many documents matter.
    pub(crate) fn cost_ns(&self, pattern: &str, anchor: Anchor, most: u64) -> Result<u64> {
        Ok(self.names.cost_ns(pattern, anchor, most)? + self.folders.cost_ns(pattern, Anchor::None, most)?)
    }

    /// Those of `candidates` whose value contains `pattern`: each is looked at, which pays for few of them.
    pub(crate) fn among(&self, candidates: &RoaringBitmap, pattern: &str, anchor: Anchor) -> Result<RoaringBitmap> {
        let finder = memchr::memmem::Finder::new(pattern.as_bytes());
        let (mut folders, mut names) = (self.paths.folders.visit(), self.paths.names.visit());
        let mut runs = self.paths.runs_of();
        // The run looked at last, its folder, and whether the pattern is in that.
        let (mut last, mut folder, mut in_folder) = (usize::MAX, None, false);
        let crosses = anchor != Anchor::None || pattern.contains('/');
        let mut value = Vec::new();
        let mut found = Vec::new();
        for (count, doc) in candidates.iter().enumerate() {
            if count.is_multiple_of(1024) {
                self.context.tick()?;
            }
            let run = runs.run_of(doc);
            if run != last {
                folder = self.folder(run, &mut folders);
                in_folder = anchor == Anchor::None && folder.is_some_and(|folder| finder.find(folder).is_some());
                last = run;
            }
            let Some(folder) = folder else { continue };
            let mut in_rest = || {
                let name = names.unit(doc as usize);
                if anchor == Anchor::None && finder.find(name).is_some() {
                    return true;
                }
                value.clear();
                if crosses {
                    value.extend_from_slice(folder);
                    value.extend_from_slice(name);
                }
                crosses && anchor.holds(&value, pattern.as_bytes())
            };
            if in_folder || in_rest() {
                found.push(doc);
            }
        }
        Ok(found.into_iter().collect())
    }

    fn search(
        &self,
        column: &TextColumn<'_>,
        pattern: &str,
        anchor: Anchor,
        range: Range<usize>,
        within: Option<&RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        column.containing(pattern, anchor, range, within, &mut || self.context.tick())
    }

    /// Matches inside the name. A pattern anchored at the start needs a value that begins with the name.
    fn in_names(&self, pattern: &str, anchor: Anchor, within: Option<&RoaringBitmap>) -> Result<RoaringBitmap> {
        let range = self.docs.start as usize..self.docs.end as usize;
        let docs = self.search(&self.names, pattern, anchor, range, within)?;
        if self.scope == PathScope::Uri && !anchor.at_start() {
            return Ok(docs);
        }
        let fits = |origin: Origin| match (self.scope, origin) {
            // Every URI has a folder part.
            (PathScope::Uri, _) | (_, Origin::Nowhere) => false,
            (PathScope::Filename, origin) => !anchor.at_start() || origin == Origin::Name,
        };
        if let Some(origin) = self.paths.common_filename_at() {
            return Ok(if fits(origin) { docs } else { RoaringBitmap::new() });
        }
        let mut runs = self.paths.runs_of();
        Ok(docs.into_iter().filter(|doc| fits(self.paths.folded_filename_at(runs.run_of(*doc)))).collect())
    }

    /// Matches inside the folder.
    fn in_folders(
        &self,
        pattern: &str,
        anchor: Anchor,
        within: Option<&RoaringBitmap>,
        found: &mut RoaringBitmap,
    ) -> Result<()> {
        // The value may begin inside the folder text: an anchor at its start is checked here, not by the search.
        let runs = self.search(&self.folders, pattern, Anchor::None, self.runs.clone(), within)?;
        if self.scope == PathScope::Uri && !anchor.at_start() {
            self.add_runs(&runs, found);
            return Ok(());
        }
        let finder = memchr::memmem::Finder::new(pattern.as_bytes());
        let mut folders = self.paths.folders.visit();
        let mut fits = |run: &u32| {
            self.folder(*run as usize, &mut folders).is_some_and(|folder| match anchor.at_start() {
                true => folder.starts_with(pattern.as_bytes()),
                false => finder.find(folder).is_some(),
            })
        };
        self.add_runs(&runs.iter().filter(|run| fits(run)).collect(), found);
        Ok(())
    }

    /// Adds the documents of runs; neighbours become one range.
    fn add_runs(&self, runs: &RoaringBitmap, found: &mut RoaringBitmap) {
        if runs.is_empty() {
            return;
        }
        let mut docs = UnitSet::new(self.docs.start as usize..self.docs.end as usize);
        let mut neighbours = runs.iter();
        while let Some(runs) = neighbours.next_range() {
            let first = self.paths.docs(*runs.start() as usize).start;
            let end = self.paths.docs(*runs.end() as usize).end;
            docs.insert_range(first as usize..end as usize);
        }
        *found |= docs.into_bitmap();
    }

    /// Matches that begin in a folder, which must end in `head`, and end in a name, which must begin with `tail`.
    fn across(
        &self,
        head: &str,
        tail: &str,
        anchor: Anchor,
        within: Option<&RoaringBitmap>,
        found: &mut RoaringBitmap,
    ) -> Result<()> {
        let mut folders = self.paths.folders.visit();
        let mut last = (usize::MAX, false);
        // Every folder ends in a slash.
        let any_folder = head == "/" && self.scope == PathScope::Uri && !anchor.at_start();
        let mut folder_fits = |run: usize| {
            if any_folder {
                return true;
            }
            if last.0 != run {
                let fits = |folder: &[u8]| {
                    folder.ends_with(head.as_bytes()) && (!anchor.at_start() || folder.len() == head.len())
                };
                last = (run, self.folder(run, &mut folders).is_some_and(fits));
            }
            last.1
        };
        let most = within.map_or(u64::MAX, RoaringBitmap::len);
        let name_anchor = if anchor.at_end() { Anchor::Whole } else { Anchor::Start };
        let names_ns =
            self.names.cost_ns(tail, name_anchor, most)? + self.names.estimate(tail, name_anchor)? as u64 * RUN_NS;
        // Names hold a slash only where folding made one: hardly ever, so they are asked first then.
        // Of each folder that may fit all names are read.
        let docs_each = u64::from(self.docs.end) / self.paths.runs().max(1) as u64 + 1;
        let folders_ns = self.folders.cost_ns(head, Anchor::End, u64::MAX)?
            + self.folders.estimate(head, Anchor::End)? as u64 * docs_each * RUN_NS;
        if tail.contains('/') || any_folder || names_ns < folders_ns {
            let range = self.docs.start as usize..self.docs.end as usize;
            let (names, mut runs) = (self.search(&self.names, tail, name_anchor, range, within)?, self.paths.runs_of());
            let each_ns = if any_folder { 0 } else { names.len() * (RUN_NS + FOLDER_NS) };
            // Of many names the folders are not read one by one.
            if each_ns <= self.folders.cost_ns(head, Anchor::End, u64::MAX)? {
                found.extend(names.iter().filter(|doc| folder_fits(runs.run_of(*doc))));
                return Ok(());
            }
            let is_exact = self.scope == PathScope::Uri && !anchor.at_start();
            let mut ends = |run: u32| is_exact || folder_fits(run as usize);
            let ending = self.search(&self.folders, head, Anchor::End, self.runs.clone(), None)?;
            if ending.len() < names.len() {
                for run in ending.into_iter().filter(|run| ends(*run)) {
                    found.extend(names.range(self.paths.docs(run as usize)));
                }
            } else {
                let mut holds = |run: u32| ending.contains(run) && ends(run);
                found.extend(names.iter().filter(|doc| holds(runs.run_of(*doc) as u32)));
            }
            return Ok(());
        }
        for run in self.search(&self.folders, head, Anchor::End, self.runs.clone(), None)? {
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

    /// The documents whose value holds a word near another.
    pub(crate) fn near(&self, typo: &Typo) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        let common = self.paths.common_filename_at();
        let in_names_only = self.scope == PathScope::Filename && common == Some(Origin::Name);
        let mut folders = self.paths.folders.visit();
        let runs = if in_names_only { RoaringBitmap::new() } else { self.folders.near(typo)? };
        let mut inside = |run: &u32| {
            let holds = |folder: &[u8]| self.scope == PathScope::Uri || TextColumn::holds_near(folder, typo);
            self.folder(*run as usize, &mut folders).is_some_and(holds)
        };
        self.add_runs(&runs.into_iter().filter(|run| inside(run)).collect(), &mut found);
        let mut names = self.names.near(typo)?;
        names.remove_range(..self.docs.start);
        names.remove_range(self.docs.end..);
        if self.scope == PathScope::Uri || in_names_only {
            found |= names;
        } else {
            let mut runs: RunCursor<'_> = self.paths.runs_of();
            found.extend(names.into_iter().filter(|doc| self.has_value(runs.run_of(*doc))));
        }
        Ok(found)
    }
}
