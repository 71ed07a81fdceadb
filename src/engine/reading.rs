//! What the pool does with one file of a folder: open, extract, stamp.

use crate::codec::ReadAt;
use crate::error::Result;
use crate::extract::pool::Work;
use crate::extract::{self, Extracted, Hint, extract_with};
use crate::model::Members;
use crate::source::{self, Entry, Folder, LocalFile};
use crate::store::Stamp;

/// Reads files of folders.
pub(super) struct Reading {
    pub(super) options: extract::Options,
}

/// One file to read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) folder: Folder,
    pub(super) uri: String,
    pub(super) entry: Entry,
    /// Members of the stored document that stay.
    pub(super) kept: Members,
    /// Whether there is a stored document.
    pub(super) existed: bool,
}

/// One file as read.
pub(super) struct Read {
    pub(super) extracted: Extracted,
    /// Its state when it was opened: if it changed since, the next run reads it again.
    pub(super) stamp: Stamp,
}

impl Work for Reading {
    type Job = Job;
    type Done = Result<Read>;
    type Scratch = ();

    fn scratch(&self) {}

    fn run(&self, (): &mut (), job: &Job) -> Result<Read> {
        let file = job.folder.open_file(&job.entry)?;
        // One that went away since the walk, or cannot be opened, costs no more than what it would have said.
        let beside = job.entry.beside.as_deref().and_then(|entry| job.folder.open_file(entry).ok());
        let stamp = stamp_of(file.stamp(), beside.as_ref().map(LocalFile::stamp));
        let hint = Hint { name: &job.entry.key };
        let sidecar = beside.as_ref().map(|file| -> &dyn ReadAt { file });
        let extracted = extract_with(&file, sidecar, &hint, &self.options)?;
        Ok(Read { extracted, stamp })
    }
}

/// The state of a file as records keep it. What describes it from beside counts as a part of the file: its state goes into
/// the number that nothing but this comparison reads.
pub(super) fn stamp_of(file: source::Stamp, beside: Option<source::Stamp>) -> Stamp {
    let mix = |sum: u64, part: u64| (sum ^ part).wrapping_mul(PRIME).rotate_left(29);
    let state = |stamp: source::Stamp| {
        [stamp.inode, stamp.size, stamp.modified_ns.cast_unsigned()].into_iter().fold(PRIME, mix)
    };
    Stamp { size: file.size, modified: file.modified_ns, inode: file.inode ^ beside.map_or(0, state) }
}

/// The prime of FNV-1a: any odd number with bits in many places would do.
const PRIME: u64 = 0x0000_0100_0000_01B3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_changed_when_what_describes_it_comes_changes_or_goes() {
        let file = source::Stamp { size: 5, modified_ns: 7, inode: 11, device: 1 };
        let beside = |modified_ns| source::Stamp { size: 3, modified_ns, inode: 12, device: 1 };
        let states = [None, Some(beside(1)), Some(beside(2))].map(|beside| stamp_of(file, beside));
        assert_eq!(states[0], Stamp { size: 5, modified: 7, inode: 11 });
        assert!(states[0] != states[1] && states[1] != states[2] && states[0] != states[2]);
    }
}
