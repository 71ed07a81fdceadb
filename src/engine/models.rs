//! Model packs as callers see them: load one, and ask it about pictures.

pub use crate::analyze::manifest::{Manifest, PackKind};
pub use crate::analyze::pack::{Face, Pack};
pub use crate::analyze::{Budget, Embedding, Label, Labeler, Picture};

use crate::analyze::LONGEST;
use crate::error::{Error, ErrorKind, Result};
use crate::source::{Folder, Found};
use std::path::Path;

/// Decodes a picture file within a budget.
pub fn picture(path: impl AsRef<Path>, budget: &Budget) -> Result<Picture> {
    let path = path.as_ref();
    let absent = || Error::new(ErrorKind::NotFound, format!("there is no {}", path.display()));
    if !path.is_file() {
        return Err(absent());
    }
    let folder = Folder::open(path)?;
    let entry = folder.walk().find_map(|found| match found {
        Found::File(entry) => Some(entry),
        Found::Skipped(_) => None,
    });
    let file = folder.open_file(&entry.ok_or_else(absent)?)?;
    Picture::decode(&file, LONGEST, budget)
        .map_err(|e| Error::new(e.kind(), format!("{}: {}", path.display(), e.message())))
}
