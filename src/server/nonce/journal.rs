//! What a restart reads: one file for each minute, named by its number, with the hashes of that minute's nonces one after
//! another (`docs/format.md`, "Nonces").
//!
//! Appended without syncing: it outlives the process, not a loss of power. That is why the number of the machine's boot is
//! kept beside it.

use crate::codec::file;
use crate::error::{Error, Result};
use hashbrown::HashSet;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const FOLDER: &str = "nonces";
const BOOT: &str = "boot";
/// Where Linux tells one boot from another (proc(5)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Bytes of one hash.
const WIDTH: usize = 8;

/// The files.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    /// Those that were appended to.
    open: BTreeMap<i64, File>,
}

impl Journal {
    /// The journal of a database, and whether it is whole: nothing of it can be missing, as the machine did not start anew.
    pub(super) fn open(database: &Path) -> Result<(Journal, bool)> {
        let folder = database.join(FOLDER);
        let fresh = !folder.exists();
        file::create_dir(&folder)?;
        let (path, boot) = (folder.join(BOOT), fs::read(BOOT_ID).unwrap_or_default());
        let whole = !boot.is_empty() && fs::read(&path).is_ok_and(|last| last == boot);
        if !whole {
            file::replace(&path, &boot)?;
        }
        Ok((Journal { folder, open: BTreeMap::new() }, whole || fresh))
    }

    /// All hashes by minute; what exceeds `most` by more than a minute stays unread, as the memory is full then.
    pub(super) fn read(&self, most: usize) -> Result<BTreeMap<i64, HashSet<u64>>> {
        let failed = |e| Error::io(format_args!("read {}", self.folder.display()), e);
        let (mut minutes, mut count) = (BTreeMap::new(), 0);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(minute) = name.to_str().and_then(|n| n.parse::<i64>().ok()) else { continue };
            if count <= most {
                let hashes = read(&self.path(minute), most).map_err(failed)?;
                count += hashes.len();
                minutes.insert(minute, hashes);
            }
        }
        Ok(minutes)
    }

    /// Adds a hash.
    pub(super) fn append(&mut self, minute: i64, hash: u64) -> io::Result<()> {
        let bytes = hash.to_le_bytes();
        let mut file = match self.open.remove(&minute) {
            Some(file) => file,
            None => self.begin(minute)?,
        };
        file.write_all(&bytes)?;
        self.open.insert(minute, file);
        Ok(())
    }

    /// Opens a file for appending; half a hash at its end, of a write that failed, goes.
    fn begin(&self, minute: i64) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(self.path(minute))?;
        let length = file.metadata()?.len();
        if length % WIDTH as u64 != 0 {
            file.set_len(length - length % WIDTH as u64)?;
        }
        Ok(file)
    }

    /// Removes a minute. What stays behind is forgotten again at the next start.
    pub(super) fn remove(&mut self, minute: i64) {
        self.open.remove(&minute);
        drop(fs::remove_file(self.path(minute)));
    }

    fn path(&self, minute: i64) -> PathBuf {
        self.folder.join(minute.to_string())
    }
}

/// The hashes of a file, without half a one at its end.
fn read(path: &Path, most: usize) -> io::Result<HashSet<u64>> {
    let mut bytes = Vec::new();
    let bound = most.saturating_add(1).saturating_mul(WIDTH) as u64;
    File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes.as_chunks::<WIDTH>().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect())
}
