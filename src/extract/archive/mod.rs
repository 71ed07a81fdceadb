//! Archives: what they list, read from their headers and directories. Nothing is unpacked but a directory that is itself
//! packed, and that under a cap: an archive that promises more than any disk holds costs what any other costs.

mod packed;
mod rar;
mod seven;
mod tar;
mod vint;
mod zip;

pub use packed::{bzip2, gzip, lz4, xz, zstd};
pub use rar::parse as rar;
pub use seven::parse as seven;
pub use tar::parse as tar;
pub use zip::{package, parse as zip};

use crate::extract::{Facts, Group, Input};

/// What an archive lists, counted while walking.
#[derive(Debug, Default)]
struct Listing {
    /// Files and folders.
    entries: u64,
    folders: u64,
    /// Bytes of all files when unpacked, as claimed.
    unpacked: u64,
    encrypted: bool,
    names: String,
}

impl Listing {
    /// Counts a file or folder and keeps its name as text that can be searched.
    fn add(&mut self, name: &str, folder: bool, unpacked: u64, most: usize) {
        self.entries = self.entries.saturating_add(1);
        self.folders = self.folders.saturating_add(u64::from(folder));
        self.unpacked = self.unpacked.saturating_add(unpacked);
        if self.names.len() < most && !name.is_empty() {
            self.names.push_str(name);
            self.names.push('\n');
        }
    }

    /// Says what was counted.
    fn publish(self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        for (tag, count) in
            [("EntryCount", self.entries), ("FolderCount", self.folders), ("UnpackedSize", self.unpacked)]
        {
            facts.add(format, Group::Archive, tag, 0, i64::try_from(count).unwrap_or(i64::MAX));
        }
        facts.add(format, Group::Archive, "Encrypted", 0, if self.encrypted { "true" } else { "false" });
        facts.set_content(self.names);
    }
}

/// ISO 8859-1, in which any bytes are text.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits, Parse, Stop};

    /// Entries, folders, unpacked bytes and encryption as published.
    pub(super) fn listed(parse: Parse, data: &[u8]) -> (i64, i64, i64, String) {
        let facts = facts(parse, data);
        let number = |tag| match facts.find(Group::Archive, tag) {
            Some(Datum::Int(number)) => *number,
            other => panic!("{tag}: {other:?}, {:?}", facts.warnings),
        };
        let Some(Datum::Text(encrypted)) = facts.find(Group::Archive, "Encrypted") else { panic!("no Encrypted") };
        (number("EntryCount"), number("FolderCount"), number("UnpackedSize"), encrypted.to_string())
    }

    pub(super) fn facts(parse: Parse, data: &[u8]) -> Facts {
        let data = data.to_vec();
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        let mut input = Input::new(&data, &limits);
        if let Err(Stop::Malformed(warning) | Stop::Exhausted(warning)) = parse(&mut input, &mut facts) {
            facts.warn(warning);
        }
        facts
    }

    /// Cuts and flips: nothing panics.
    pub(super) fn survives(parse: Parse, data: &[u8]) {
        for at in 0..data.len() {
            facts(parse, &data[..at]);
            let mut flipped = data.to_vec();
            flipped[at] ^= 0xFF;
            facts(parse, &flipped);
        }
    }
}
