//! The directory of a database: what lies where, who may use it, and whether it is one. Layout: `docs/format.md`, "Directory".

use super::failpoint::point;
use crate::codec::{file, frame};
use crate::error::{Error, ErrorKind, Result};
use crate::index::{SegmentId, segment_file};
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

const LOCK: &str = "LOCK";
const FORMAT: &str = "FORMAT";
const STORE: &str = "store";
const SEGMENTS: &str = "segments";

const MAGIC: [u8; 8] = *b"mlithDB\n";
/// Newest layout of the directory that this version reads, and the one it writes.
const VERSION: u32 = 1;

/// An open directory; the lock lasts as long as the value.
#[derive(Debug)]
pub(super) struct Home {
    root: PathBuf,
    /// Held, not read.
    _lock: Option<fs::File>,
}

impl Home {
    /// Opens or creates the directory and takes its lock.
    pub(super) fn open(root: &Path, read_only: bool, create: bool) -> Result<Home> {
        let create = create && !read_only;
        if !root.exists() && create {
            create_all(root)?;
        }
        if !root.is_dir() {
            let what = format!("{}: expected the directory of a database, got none", root.display());
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        let fresh = is_empty(root)?;
        if fresh && !create {
            let what = format!("{}: expected a database, got an empty directory", root.display());
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        if !fresh {
            check_format(root)?;
        }
        let lock = take_lock(&root.join(LOCK), read_only)?;
        point("create-locked")?;
        if fresh {
            mark(root)?;
        }
        let home = Home { root: root.to_owned(), _lock: lock };
        if !read_only {
            file::create_dir(&home.segments())?;
        }
        Ok(home)
    }

    /// The directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the store.
    pub(super) fn store(&self) -> PathBuf {
        self.root.join(STORE)
    }

    /// The folder of segment files.
    pub(super) fn segments(&self) -> PathBuf {
        self.root.join(SEGMENTS)
    }

    /// A segment's file.
    pub(super) fn segment(&self, id: SegmentId) -> PathBuf {
        self.segments().join(segment_file(id))
    }
}

/// Makes `root` a database as far as its files go; the store comes next.
pub(super) fn mark(root: &Path) -> Result<()> {
    file::replace(&root.join(FORMAT), &frame::seal(MAGIC, VERSION, b""))?;
    point("create-format")
}

/// The folders of a copy that is being made in `root`: store and segments.
pub(super) fn folders(root: &Path) -> (PathBuf, PathBuf) {
    (root.join(STORE), root.join(SEGMENTS))
}

/// Creates a folder and those above it that are missing, each durably.
pub(super) fn create_all(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.exists() => create_all(parent)?,
        _ => {}
    }
    file::create_dir(path)
}

/// Whether a directory holds nothing, or nothing but what a creation leaves that was cut short before its mark.
pub(super) fn is_empty(root: &Path) -> Result<bool> {
    let entries = fs::read_dir(root).map_err(|e| Error::io(format_args!("list {}", root.display()), e))?;
    for entry in entries {
        let name = entry.map_err(|e| Error::io(format_args!("list {}", root.display()), e))?.file_name();
        let cut_short = name == LOCK || name == format!("{FORMAT}{}", file::TEMP_SUFFIX).as_str();
        if !cut_short {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_format(root: &Path) -> Result<()> {
    let path = root.join(FORMAT);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let what =
                format!("{}: expected a medialith database or an empty directory, got other files", root.display());
            return Err(Error::invalid(what));
        }
        Err(e) => return Err(Error::io(format_args!("read {}", path.display()), e)),
    };
    frame::open(MAGIC, VERSION, &bytes, &path.display().to_string()).map(drop)
}

/// Takes the lock of the directory: alone for writing, beside other readers for reading.
fn take_lock(path: &Path, read_only: bool) -> Result<Option<fs::File>> {
    let opened = if read_only {
        OpenOptions::new().read(true).open(path)
    } else {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    };
    let mut lock = match opened {
        Ok(lock) => lock,
        // A copy on a read-only medium may come without a lock file; nobody can write there.
        Err(e) if read_only && e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(format_args!("open {}", path.display()), e)),
    };
    match if read_only { lock.try_lock_shared() } else { lock.try_lock() } {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(path, &mut lock)),
        Err(TryLockError::Error(e)) => return Err(Error::io(format_args!("lock {}", path.display()), e)),
    }
    if !read_only {
        let pid = std::process::id().to_string();
        let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| lock.write_all(pid.as_bytes()));
        written.map_err(|e| Error::io(format_args!("write {}", path.display()), e))?;
    }
    Ok(Some(lock))
}

fn locked(path: &Path, lock: &mut fs::File) -> Error {
    let mut pid = String::new();
    let known = lock.take(20).read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
    let holder = if known { format!("process {}", pid.trim()) } else { "another process".to_owned() };
    let dir = path.parent().unwrap_or(path).display();
    Error::new(ErrorKind::Locked, format!("{dir} is in use by {holder}; one process opens a database at a time"))
}
