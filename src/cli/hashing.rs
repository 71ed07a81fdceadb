//! Options of extraction that `index` and `inspect` share: digests, room for text.

use crate::engine::extraction::{Digests, FileHash};
use clap::ValueEnum;

/// Digests to compute. Each reads the whole file, but for `partial`.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Hashing {
    /// Fill FileHash; partial reads three pieces of 64 KiB, the others the whole file
    #[arg(long, value_name = "KIND")]
    hash: Option<Kind>,
    /// Fill ContentMd5 (reads the whole file)
    #[arg(long)]
    content_md5: bool,
    /// Fill OSSCRC64 (reads the whole file)
    #[arg(long)]
    crc64: bool,
}

#[derive(ValueEnum, Clone, Copy)]
enum Kind {
    Md5,
    Blake3,
    Partial,
}

impl Hashing {
    pub(crate) fn digests(self) -> Digests {
        let file_hash = self.hash.map(|kind| match kind {
            Kind::Md5 => FileHash::Md5,
            Kind::Blake3 => FileHash::Blake3,
            Kind::Partial => FileHash::Partial,
        });
        Digests { file_hash, content_md5: self.content_md5, crc64: self.crc64 }
    }
}

/// KiB as bytes.
pub(crate) fn bytes(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(0) << 10
}
