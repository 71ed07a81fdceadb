//! Room on the disk: a mark below which writes are refused while everything else goes on, and a reserve for recovery.
//!
//! A full disk fails a store in the middle of a write, and then keeps it from being opened, because recovery writes. So
//! writes end while there is still room for what the store does behind them, and a file is kept that can be given up to
//! open it again. Nothing of the user's is ever deleted to make room.

use super::open::Engine;
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// Name of the reserve in the directory of the database.
const RESERVE: &str = "RESERVE";

/// The room of one database.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
    keep_bytes: u64,
}

impl Room {
    pub(super) fn new(folder: &Path, keep_bytes: u64) -> Room {
        Room { folder: folder.to_owned(), keep_bytes }
    }

    /// Bytes that may still be written; `None` where the system does not say.
    pub(super) fn free(&self) -> Option<u64> {
        let volume = statvfs(&self.folder).ok()?;
        Some(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    /// Fails below the mark. What passes here may be written without the store meeting the end of the disk.
    pub(super) fn check(&self) -> Result<()> {
        match self.free() {
            Some(free) if free < self.keep_bytes => {
                let (left, kept) = (free >> 20, self.keep_bytes >> 20);
                let what = format!("the disk has {left} MiB left, of which {kept} MiB are kept free");
                Err(Error::new(ErrorKind::StorageFull, format!("{what}: writes are taken again once there is room")))
            }
            _ => Ok(()),
        }
    }

    /// Whether work that can wait should: below twice the mark.
    pub(super) fn is_short(&self) -> bool {
        self.free().is_some_and(|free| free < self.keep_bytes.saturating_mul(2))
    }

    /// Makes the reserve if it is not there and there is ample room for it. A file system that cannot reserve has none.
    pub(super) fn ensure_reserve(&self, bytes: u64) {
        let path = self.folder.join(RESERVE);
        let there = path.metadata().is_ok_and(|file| file.len() >= bytes);
        let ample = self.free().is_some_and(|free| free >= self.keep_bytes.saturating_add(bytes.saturating_mul(2)));
        if bytes == 0 || there || !ample {
            return;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let made = file.map(|file| fallocate(&file, FallocateFlags::empty(), 0, bytes));
        if !matches!(made, Ok(Ok(()))) {
            give_up_reserve(&self.folder);
        }
    }
}

/// Gives the reserve up, so that the store has room to recover in.
pub(super) fn give_up_reserve(folder: &Path) {
    let _there_was_none = std::fs::remove_file(folder.join(RESERVE));
}

/// Whether a failure to open may be one of room: then the reserve helps, or reading only.
pub(super) fn is_of_room(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::ReadOnly)
}

/// How a database fares, for a person or a monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why writes are refused; `None` while they are taken.
    pub refuses_writes: Option<String>,
    /// Bytes free on its disk; `None` where the system does not say.
    pub free_bytes: Option<u64>,
}

impl Engine {
    /// Whether writes are taken, and how much room there is.
    pub fn health(&self) -> Health {
        let inner = &self.handle.inner;
        let refuses_writes = inner.writable().err().map(|e| e.message().to_owned());
        Health { refuses_writes, free_bytes: inner.room.free() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_and_the_reserve() {
        let dir = tempfile::tempdir().unwrap();
        let room = |keep| Room::new(dir.path(), keep);
        assert!(room(0).check().is_ok() && !room(0).is_short());
        let error = room(1 << 50).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(room(1 << 50).is_short());
        let reserve = dir.path().join(RESERVE);
        room(1 << 50).ensure_reserve(1 << 20);
        assert!(!reserve.exists(), "no room for it");
        room(0).ensure_reserve(1 << 20);
        assert!(!reserve.exists() || reserve.metadata().unwrap().len() == 1 << 20);
        give_up_reserve(dir.path());
        assert!(!reserve.exists());
        assert_eq!(Room::new(Path::new("/nonexistent"), 1).free(), None);
    }
}
