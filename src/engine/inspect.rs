//! What one file says of itself, with the evidence: nothing is stored.

use crate::error::{Error, ErrorKind, Result};
use crate::extract::{self, Extracted, Hint, extract};
use crate::model::{File, field};
use crate::source::{Folder, Found};
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

/// Reads a regular file as indexing would.
pub fn inspect(path: impl AsRef<Path>, options: &extract::Options) -> Result<Inspection> {
    let path = path.as_ref();
    if path.is_dir() {
        return Err(Error::invalid(format!("{}: expected a file, got a folder", path.display())));
    }
    if !path.exists() {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no {}", path.display())));
    }
    let read = || -> Result<Inspection> {
        let folder = Folder::open(path)?;
        let entry = folder.walk().find_map(|found| match found {
            Found::File(entry) => Some(entry),
            Found::Skipped(_) => None,
        });
        let entry = entry.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {}", path.display())))?;
        let source = folder.open_file(&entry)?;
        let size = source.stamp().size;
        let extracted = extract(&source, &Hint { name: &entry.key }, options)?;
        let mut file = File::from_members(extracted.members.clone());
        file.set(field::FILENAME, entry.key.as_str());
        file.set(field::SIZE, i64::try_from(size).unwrap_or(i64::MAX));
        Ok(Inspection { file, extracted, size })
    };
    read().map_err(|e| e.during("inspect"))
}
