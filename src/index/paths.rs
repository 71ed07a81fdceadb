//! Where files live: folders as runs of neighbouring documents, and the folded names inside them.
//!
//! Documents are sorted by URI, so those of one folder are neighbours. A run is a maximal sequence of documents with
//! the same folder (the URI up to its last slash) and the same place where `Filename` begins in it. The folded URI
//! of a document is its run's folder text followed by its name text. Layout: `docs/format.md`, "Paths".

use super::arena::{Arena, ArenaWriter};
use super::packed::{self, Packed};
use super::spellings::SpellingsWriter;
use crate::error::{Error, Result};

/// Every so many URIs one stands whole, to be found by.
pub(crate) const FENCED: usize = 64;

/// Where `Filename` begins in a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is not the end of the URI (it has a column of its own, or is absent).
    Nowhere,
    /// Where the name begins: it is what follows the last slash.
    Name,
    /// At this byte of the folder part.
    At(usize),
}

impl Origin {
    fn encode(self) -> u64 {
        match self {
            Origin::Nowhere => 0,
            Origin::Name => 1,
            Origin::At(at) => at as u64 + 2,
        }
    }

    fn decode(number: u64) -> Origin {
        match number {
            0 => Origin::Nowhere,
            1 => Origin::Name,
            at => Origin::At(at as usize - 2),
        }
    }
}

/// What one document contributes.
pub(crate) struct PathEntry<'a> {
    /// The URI as written.
    pub(crate) uri: &'a [u8],
    /// Where `Filename` begins in the URI.
    pub(crate) filename_at: Origin,
    /// The folder, folded, with its final slash.
    pub(crate) folder: &'a [u8],
    /// Where `Filename` begins in the folded URI.
    pub(crate) folded_filename_at: Origin,
    /// The rest, folded.
    pub(crate) name: &'a [u8],
}

/// Length of the folder part of a URI, its final slash included.
pub(crate) fn folder_len(uri: &[u8]) -> usize {
    memchr::memrchr(b'/', uri).map_or(0, |at| at + 1)
}

/// The sections of all paths of a segment.
pub(crate) struct PathSections {
    pub(crate) run_starts: Vec<u8>,
    pub(crate) run_filenames: Vec<u8>,
    pub(crate) folded_filenames: Vec<u8>,
    pub(crate) folders: Vec<u8>,
    pub(crate) folder_shared: Vec<u8>,
    pub(crate) names: Vec<u8>,
    pub(crate) folder_spellings: Vec<u8>,
    pub(crate) name_spellings: Vec<u8>,
    pub(crate) fences: Vec<u8>,
    pub(crate) fence_runs: Vec<u8>,
}

/// Collects entries in URI order.
pub(crate) struct PathsWriter {
    docs: u64,
    run_starts: Vec<u64>,
    filenames: Vec<u64>,
    folded_filenames: Vec<u64>,
    folders: ArenaWriter,
    /// Bytes that each folder text has in common with the one before.
    shared: Vec<u64>,
    names: ArenaWriter,
    folder_spellings: SpellingsWriter,
    name_spellings: SpellingsWriter,
    /// URIs that are found by.
    fences: ArenaWriter,
    fence_runs: Vec<u64>,
    last: Vec<u8>,
    last_folder: Vec<u8>,
}

impl PathsWriter {
    pub(crate) fn new() -> PathsWriter {
        PathsWriter {
            docs: 0,
            run_starts: Vec::new(),
            filenames: Vec::new(),
            folded_filenames: Vec::new(),
            folders: ArenaWriter::new(),
            shared: Vec::new(),
            names: ArenaWriter::new(),
            folder_spellings: SpellingsWriter::default(),
            name_spellings: SpellingsWriter::default(),
            fences: ArenaWriter::new(),
            fence_runs: Vec::new(),
            last: Vec::new(),
            last_folder: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, entry: &PathEntry<'_>) {
        let (folder, name) = entry.uri.split_at_checked(folder_len(entry.uri)).unwrap_or((entry.uri, &[]));
        if self.docs == 0 || self.last != folder || self.filenames.last() != Some(&entry.filename_at.encode()) {
            self.run_starts.push(self.docs);
            self.filenames.push(entry.filename_at.encode());
            self.folded_filenames.push(entry.folded_filename_at.encode());
            let common = self.last_folder.iter().zip(entry.folder).take_while(|(a, b)| a == b).count();
            self.shared.push(common as u64);
            self.folders.push(entry.folder);
            self.folder_spellings.push(folder, entry.folder);
            self.last_folder.clear();
            self.last_folder.extend_from_slice(entry.folder);
            self.last.clear();
            self.last.extend_from_slice(folder);
        }
        self.names.push(entry.name);
        self.name_spellings.push(name, entry.name);
        if self.docs.is_multiple_of(FENCED as u64) {
            self.fences.push(entry.uri);
            self.fence_runs.push(self.run_starts.len() as u64 - 1);
        }
        self.docs += 1;
    }

    pub(crate) fn finish(mut self) -> PathSections {
        self.fence_runs.push(self.run_starts.len().saturating_sub(1) as u64);
        self.run_starts.push(self.docs);
        let pack = |values: &[u64]| {
            let mut out = Vec::new();
            packed::write(values, &mut out);
            out
        };
        PathSections {
            run_starts: pack(&self.run_starts),
            run_filenames: pack(&self.filenames),
            folded_filenames: pack(&self.folded_filenames),
            folders: self.folders.finish(),
            folder_shared: pack(&self.shared),
            names: self.names.finish(),
            folder_spellings: self.folder_spellings.finish(),
            name_spellings: self.name_spellings.finish(),
            fences: self.fences.finish(),
            fence_runs: pack(&self.fence_runs),
        }
    }
}

/// Reads the path sections in place.
#[derive(Clone, Copy)]
pub(crate) struct Paths<'a> {
    run_starts: Packed<'a>,
    filenames: Packed<'a>,
    folded_filenames: Packed<'a>,
    /// Folder text of each run.
    pub(crate) folders: Arena<'a>,
    /// Name text of each document.
    pub(crate) names: Arena<'a>,
    /// The run of every [`FENCED`]th document, and the last run; empty in formats before version 4.
    fence_runs: Packed<'a>,
}

impl<'a> Paths<'a> {
    /// `fence_runs`: nothing but time depends on them.
    pub(crate) fn new(sections: [&'a [u8]; 5], fence_runs: Option<&'a [u8]>) -> Result<Paths<'a>> {
        let [run_starts, filenames, folded, folders, names] = sections;
        let paths = Paths {
            run_starts: Packed::new(run_starts)?,
            filenames: Packed::new(filenames)?,
            folded_filenames: Packed::new(folded)?,
            folders: Arena::new(folders)?,
            names: Arena::new(names)?,
            fence_runs: fence_runs.map(Packed::new).transpose()?.unwrap_or_default(),
        };
        let runs = paths.folders.len();
        if paths.run_starts.len() != runs + 1 || paths.filenames.len() != runs || paths.folded_filenames.len() != runs {
            return Err(Error::corrupted(format!("paths: {runs} folders, {} run starts", paths.run_starts.len())));
        }
        let (docs, names) = (paths.run_starts.get(runs), paths.names.len());
        if docs != names as u64 {
            return Err(Error::corrupted(format!("paths: {names} names in folders of {docs} documents")));
        }
        Ok(paths)
    }

    /// Number of runs.
    pub(crate) fn runs(&self) -> usize {
        self.folders.len()
    }

    /// The documents of a run.
    pub(crate) fn docs(&self, run: usize) -> std::ops::Range<u32> {
        self.run_starts.get(run) as u32..self.run_starts.get(run + 1) as u32
    }

    /// The run of a document.
    pub(crate) fn run_of(&self, doc: usize) -> usize {
        let (mut low, mut high) = (0, self.runs());
        if doc / FENCED + 1 < self.fence_runs.len() {
            low = self.fence_runs.get(doc / FENCED) as usize;
            high = (self.fence_runs.get(doc / FENCED + 1) as usize + 1).min(high);
        }
        while low + 1 < high {
            let middle = (low + high) / 2;
            if self.run_starts.get(middle) as usize <= doc { low = middle } else { high = middle }
        }
        low
    }

    /// To find the runs of ascending documents.
    pub(crate) fn runs_of(&self) -> RunCursor<'a> {
        RunCursor { paths: *self, run: 0, docs: 0..0 }
    }

    /// The origin of `Filename` that all runs share, if they do.
    pub(crate) fn common_filename_at(&self) -> Option<Origin> {
        let first = self.folded_filenames.get(0);
        let same = |at: usize| self.folded_filenames.block_bounds(at) == (first, first);
        (0..self.runs()).step_by(packed::BLOCK).all(same).then(|| Origin::decode(first))
    }

    /// Where `Filename` begins in the URIs of a run.
    pub(crate) fn filename_at(&self, run: usize) -> Origin {
        Origin::decode(self.filenames.get(run))
    }

    /// Where `Filename` begins in the folded URIs of a run.
    pub(crate) fn folded_filename_at(&self, run: usize) -> Origin {
        Origin::decode(self.folded_filenames.get(run))
    }
}

/// Finds the runs of documents, of which the next is mostly near the last.
pub(crate) struct RunCursor<'a> {
    paths: Paths<'a>,
    run: usize,
    docs: std::ops::Range<u32>,
}

impl RunCursor<'_> {
    /// The run of a document.
    #[inline]
    pub(crate) fn run_of(&mut self, doc: u32) -> usize {
        if !self.docs.contains(&doc) {
            self.run = if doc >= self.docs.end { self.after(doc) } else { self.paths.run_of(doc as usize) };
            self.docs = self.paths.docs(self.run);
        }
        self.run
    }

    /// The documents of the run found last.
    pub(crate) fn docs(&self) -> std::ops::Range<u32> {
        self.docs.clone()
    }

    /// The run of a document after the last one: steps that double, then halves.
    fn after(&self, doc: u32) -> usize {
        let starts = |run: usize| run < self.paths.runs() && self.paths.run_starts.get(run) as u32 <= doc;
        let (mut low, mut step) = (self.run, 1);
        while starts(low + step) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(self.paths.runs());
        while low + 1 < high {
            let middle = (low + high) / 2;
            if starts(middle) { low = middle } else { high = middle }
        }
        low
    }
}
