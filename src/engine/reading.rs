//! What the pool does with one file of a folder: open, extract, stamp.

use crate::error::Result;
use crate::extract::pool::Work;
use crate::extract::{self, Extracted, Hint, extract};
use crate::model::Members;
use crate::source::{Entry, Folder};
use crate::store::Stamp;

/// Reads files below one folder.
pub(super) struct Reading {
    pub(super) folder: Folder,
    pub(super) options: extract::Options,
}

/// One file to read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) uri: String,
    pub(super) entry: Entry,
    /// Members of the stored document that stay.
    pub(super) kept: Members,
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
        let file = self.folder.open_file(&job.entry)?;
        let stamp = file.stamp();
        let stamp = Stamp { size: stamp.size, modified: stamp.modified_ns, inode: stamp.inode };
        let extracted = extract(&file, &Hint { name: &job.entry.key }, &self.options)?;
        Ok(Read { extracted, stamp })
    }
}
