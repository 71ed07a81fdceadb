//! What one file says of itself, with the evidence: nothing is stored.

use super::playlist;
use super::reading::handle;
use super::zone;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{self, Extracted};
use crate::isolate::{Extractor, Isolation, Request};
use crate::model::{File, field};
use crate::source::{Bucket, Folder, Found};
use std::path::Path;

/// One file, read but not stored.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The document that indexing would store, without an address.
    pub file: File,
    /// Facts with their provenance, warnings, and what was read.
    pub extracted: Extracted,
    /// Length of the file.
    pub size: u64,
}

/// Reads single files as indexing would, each within the walls that were chosen.
#[derive(Debug)]
pub struct Inspector {
    extractor: Extractor,
}

impl Inspector {
    /// An inspector. Fails if the isolation breaks a limit of its own, or is weaker here than it must be.
    pub fn new(isolation: &Isolation) -> Result<Inspector> {
        let made = || -> Result<Inspector> {
            let extractor = Extractor::new(isolation)?;
            extractor.prepare()?;
            Ok(Inspector { extractor })
        };
        made().map_err(|e| e.during("inspect"))
    }

    /// Reads a regular file.
    pub fn inspect(&self, path: impl AsRef<Path>, options: &extract::Options) -> Result<Inspection> {
        read(path.as_ref(), options, &self.extractor).map_err(|e| e.during("inspect"))
    }
}

fn read(path: &Path, options: &extract::Options, extractor: &Extractor) -> Result<Inspection> {
    if path.is_dir() {
        return Err(Error::invalid(format!("{}: expected a file, got a folder", path.display())));
    }
    if !path.exists() {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no {}", path.display())));
    }
    let folder = Folder::open(path)?;
    let entry = folder.walk().find_map(|found| match found {
        Found::File(entry) => Some(entry),
        Found::Skipped(_) => None,
    });
    let entry = entry.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {}", path.display())))?;
    let source = Bucket::Folder(folder.clone()).open_file(&entry)?;
    let size = source.stamp().size;
    let request = Request { name: &entry.key, options: *options, evidence: true };
    let mut extracted = extractor.extract(handle(&source), None, &request)?;
    let open = |name: &str| Bucket::Folder(Folder::open(folder.root())?).open_key(name);
    playlist::complete(&mut extracted, handle(&source), extractor, &request, &open);
    zone::settle(&mut extracted, None);
    let mut file = File::from_members(extracted.members.clone());
    file.set(field::FILENAME, entry.key.as_str());
    file.set(field::SIZE, i64::try_from(size).unwrap_or(i64::MAX));
    Ok(Inspection { file, extracted, size })
}
