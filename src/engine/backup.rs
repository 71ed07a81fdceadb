//! Checkpoints: a copy of the database by hard links, made while it is used, opened like any other.

use super::failpoint::point;
use super::home;
use super::open::Engine;
use super::segments;
use super::sync::exclude;
use super::workflow;
use crate::codec::file;
use crate::error::{Error, ErrorKind, Result};
use crate::index::segment_file;
use std::fs;
use std::path::Path;

impl Engine {
    /// Makes a copy in `dir`, which must be absent or empty. On the same file system it takes next to no space.
    pub fn checkpoint(&self, dir: impl AsRef<Path>) -> Result<()> {
        self.copy_to(dir.as_ref()).map_err(|e| e.during("checkpoint"))
    }

    fn copy_to(&self, dir: &Path) -> Result<()> {
        let inner = &self.handle.inner;
        inner.store.writable()?;
        if dir.exists() && !home::is_empty(dir)? {
            let what = format!("{}: expected a directory that is absent or empty, got one with files", dir.display());
            return Err(Error::new(ErrorKind::AlreadyExists, what));
        }
        point("checkpoint-begin")?;
        home::create_all(dir)?;
        // No file is unlinked and no manifest row changes until store and segments are both copied.
        let _still = exclude(&inner.files);
        let (store, folder) = home::folders(dir);
        inner.store.checkpoint(&store)?;
        point("checkpoint-store")?;
        file::create_dir(&folder)?;
        point("checkpoint-folder")?;
        for id in segments::named(&inner.store.reader())? {
            link(&inner.home.segment(id), &folder.join(segment_file(id)))?;
        }
        file::sync_dir(&folder)?;
        point("checkpoint-copied")?;
        workflow::copy(inner.home.root(), dir)?;
        point("checkpoint-linked")?;
        // IMPORTANT: the mark comes last, so that a copy that was cut short is not taken for a database.
        home::mark(dir)?;
        point("checkpoint-format")
    }
}

fn link(from: &Path, to: &Path) -> Result<()> {
    let failed = |e| Error::io(format_args!("link {} to {}", from.display(), to.display()), e);
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        // Another file system: the bytes are copied.
        Err(e) if e.kind() == std::io::ErrorKind::CrossesDevices => {
            fs::copy(from, to).and_then(|_| fs::File::open(to)?.sync_all()).map_err(failed)
        }
        Err(e) => Err(failed(e)),
    }
}
