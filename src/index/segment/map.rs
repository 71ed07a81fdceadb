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
        #[expect(unsafe_code, reason = "mapping a file cannot be expressed safely")]
        // SAFETY: segment files are written once under a temporary name, synced and renamed into the database's own
        // directory; nothing of ours writes to or truncates them afterwards, and the directory is locked against
        // other processes. The mapping is read-only.
        let map = unsafe { memmap2::Mmap::map(&file) };
        map.map(Bytes::Mapped).map_err(|e| Error::io(format_args!("map {}", path.display()), e))
    }

    /// Lets go of the pages of a mapped file. The system reads them again where they are next used.
    pub(crate) fn release_pages(&self) {
        if let Bytes::Mapped(map) = self {
            #[expect(
                unsafe_code,
                reason = "memmap2 calls this advice unsafe because it loses changes of private mappings"
            )]
            // SAFETY: the mapping is shared, read-only and of a file that nobody changes (see `map`): a page that is
            // read after this has the same bytes as before (madvise(2), MADV_DONTNEED).
            let advised = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            // Without it the process only keeps more pages in memory.
            let _kept = advised.is_err();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_pages_are_read_again() {
        let path = std::env::temp_dir().join(format!("medialith-map-{}", std::process::id()));
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &bytes).unwrap();
        let map = Bytes::map(&path).unwrap();
        assert_eq!(*map, *bytes);
        map.release_pages();
        assert_eq!(*map, *bytes);
        std::fs::remove_file(path).unwrap();
    }
}
