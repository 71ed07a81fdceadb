//! The bytes of a segment: owned, or a memory-mapped file of ours.

use crate::error::{Error, Result};
use std::fs::File;
use std::path::Path;

/// Bytes of a segment.
pub(crate) enum Bytes {
    /// In memory.
    Owned(Vec<u8>),
    /// A mapped file.
    Mapped(memmap2::Mmap),
}

impl Bytes {
    /// Maps a file.
    pub(crate) fn map(path: &Path) -> Result<Bytes> {
        let file = File::open(path).map_err(|e| Error::io(format_args!("open {}", path.display()), e))?;
        #[expect(unsafe_code, reason = "mapping a file cannot be expressed safely; this is the crate's only unsafe")]
        // SAFETY: segment files are written once under a temporary name, synced and renamed into the database's own
        // directory; nothing of ours writes to or truncates them afterwards, and the directory is locked against
        // other processes. The mapping is read-only and private.
        let map = unsafe { memmap2::Mmap::map(&file) };
        map.map(Bytes::Mapped).map_err(|e| Error::io(format_args!("map {}", path.display()), e))
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}
