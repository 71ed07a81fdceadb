//! A folder and its files: opened beneath the folder only, never through a symbolic link, never anything but a
//! regular file.

use super::beside::describers;
use super::name::{key_of, name_of};
use super::walk::{Walk, Walking};
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// File systems whose own number (`f_fsid` of statvfs(3)) comes from their UUID: ext2 to ext4, btrfs, ZFS (statfs(2)).
const NUMBERED: [u64; 3] = [0xEF53, 0x9123_683E, 0x2FC1_2FC1];

/// What tells a directory from another one at the same path: its inode, and its file system.
pub type Identity = (u64, u64);

/// What tells one state of a file from another: compare two stamps to know whether it may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Length in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Number of the file in its file system.
    pub inode: u64,
    /// Number of the file system.
    pub device: u64,
}

/// A regular file found by a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path below the folder as text, `/` between the names.
    pub key: String,
    /// The path below the folder as the system knows it.
    pub path: PathBuf,
    /// Its state when the walk saw it.
    pub stamp: Stamp,
    /// The XMP file in the same folder that describes this one.
    pub beside: Option<Box<Entry>>,
}

/// A folder whose files are read. Clones share one handle.
#[derive(Debug, Clone)]
pub struct Folder {
    root: Arc<Path>,
    /// The directory itself: what is opened stays beneath it even if its path is moved.
    handle: Arc<OwnedFd>,
    /// Set where the path given is one file: the only name that the walk yields.
    only: Option<OsString>,
}

impl Folder {
    /// Opens a directory, or a single file as a folder that holds only it. Symbolic links in `root` itself are
    /// followed; below it they never are.
    pub fn open(root: impl AsRef<Path>) -> Result<Folder> {
        let given = root.as_ref();
        let real = given.canonicalize().map_err(|e| Error::io(format_args!("open {}", given.display()), e))?;
        let kind = real.symlink_metadata().map_err(|e| Error::io(format_args!("look at {}", real.display()), e))?;
        let (root, only) = match (real.parent(), real.file_name()) {
            (Some(parent), Some(name)) if kind.is_file() => (parent.to_owned(), Some(name.to_owned())),
            _ if kind.is_dir() => (real, None),
            _ => {
                let expected = "expected a directory or a regular file, got something else";
                return Err(Error::invalid(format!("{}: {expected}", given.display())));
            }
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(CWD, &root, flags, Mode::empty());
        let handle = handle.map_err(|e| Error::io(format_args!("open {}", root.display()), e.into()))?;
        Ok(Folder { root: root.into(), handle: Arc::new(handle), only })
    }

    /// The directory, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Visits every regular file in the order of their keys.
    pub fn walk(&self) -> Walk {
        Walk::new(self.clone(), Walking::default())
    }

    /// Visits some of them.
    pub fn walk_some(&self, walking: Walking) -> Walk {
        Walk::new(self.clone(), walking)
    }

    /// What tells this directory from another one at the same path: its inode, and its file system. Numbers of devices are
    /// left out, because they change when a disk is mounted again; so of file systems that have no number of their own the
    /// type has to do.
    pub fn identity(&self) -> Result<Identity> {
        identity_of(&self.handle).map_err(|e| Error::io(format_args!("look at {}", self.root.display()), e.into()))
    }

    /// The same of the directory of a key; `None` where it cannot be looked at.
    pub fn identity_at(&self, key: &str) -> Option<Identity> {
        self.open_dir(&self.path_of(key)).and_then(|dir| identity_of(&dir)).ok()
    }

    /// The type of the file system, a magic number of statfs(2).
    pub fn file_system(&self) -> Result<u64> {
        let found = kind_of(&self.handle);
        found.map_err(|e| Error::io(format_args!("look at {}", self.root.display()), e.into()))
    }

    /// Modification time of the directory at `path` below the root, in nanoseconds since 1970.
    pub fn directory_time(&self, path: &Path) -> Result<Option<i64>> {
        match self.open_dir(path).and_then(|dir| rustix::fs::fstat(&dir)) {
            Ok(stat) => Ok(Some(Stamp::of(&stat).modified_ns)),
            Err(e) if is_missing(e) => Ok(None),
            Err(e) => Err(Error::io(format_args!("look at {}", path.display()), e.into())),
        }
    }

    /// What is at `path` below the root now.
    pub fn look(&self, path: &Path) -> Result<Look> {
        let (Some(name), parent) = (path.file_name(), path.parent().unwrap_or(Path::new(""))) else {
            return Ok(Look::Directory);
        };
        let failed = |e: Errno| Error::io(format_args!("look at {}", path.display()), e.into());
        let dir = match self.open_dir(parent) {
            Ok(dir) => dir,
            Err(e) if is_missing(e) => return Ok(Look::Nothing),
            Err(e) => return Err(failed(e)),
        };
        let stat = |name: &OsStr| rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW);
        let found = match stat(name) {
            Ok(stat) => stat,
            Err(e) if is_missing(e) => return Ok(Look::Nothing),
            Err(e) => return Err(failed(e)),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Ok(Look::Directory),
            _ => return Ok(Look::Nothing),
        }
        let parent_key = key_of_path(parent);
        let entry = |name: &OsStr, stamp| Entry {
            key: join(&parent_key, &key_of(name.as_bytes())),
            path: parent.join(name),
            stamp,
            beside: None,
        };
        // Of two names with one key the one that is UTF-8 stands for it.
        let own = key_of(name.as_bytes());
        if name.to_str().is_none() && stat(OsStr::new(&own)).is_ok() {
            return Ok(Look::Nothing);
        }
        let describes = describers(&own).find_map(|name| {
            let stat = stat(OsStr::new(&name)).ok()?;
            let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            regular.then(|| Box::new(entry(OsStr::new(&name), Stamp::of(&stat))))
        });
        Ok(Look::File(Entry { beside: describes, ..entry(name, Stamp::of(&found)) }))
    }

    /// Whether the directory at `path` below the root can be listed.
    pub fn can_list(&self, path: &Path) -> bool {
        self.open_dir(path).is_ok()
    }

    /// What is at a key now.
    pub fn look_key(&self, key: &str) -> Result<Look> {
        match self.look(Path::new(key))? {
            Look::Nothing => self.look(&self.path_of(key)),
            found => Ok(found),
        }
    }

    /// The path below the root that a key stands for now: of a name that is there as the key spells it, that; of others the
    /// bytes that it may be escaped for.
    pub fn path_of(&self, key: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for name in key.split('/') {
            let spelled = path.join(name);
            let there = !matches!(self.look(&spelled), Ok(Look::Nothing));
            path = match name_of(name) {
                Some(bytes) if !there => path.join(bytes),
                _ => spelled,
            };
        }
        path
    }

    /// Opens a file found by a walk or a look.
    pub fn open_file(&self, entry: &Entry) -> Result<LocalFile> {
        self.open_path(&entry.path, &entry.key)
    }

    /// Opens the file of a key: names with `/` between them, none empty, `.` or `..`, so that each file has one key.
    pub fn open_key(&self, key: &str) -> Result<LocalFile> {
        let missing = || Error::new(ErrorKind::NotFound, format!("the file {key:?} does not exist"));
        if key.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err(missing());
        }
        match self.only() {
            Some(only) if only.as_os_str() != key => Err(missing()),
            _ => self.open_path(Path::new(key), key),
        }
    }

    fn open_path(&self, path: &Path, key: &str) -> Result<LocalFile> {
        // O_NONBLOCK: should the file have become a FIFO meanwhile, opening it must not wait for a writer.
        let handle = self.open_beneath(path, OFlags::NONBLOCK | OFlags::NOCTTY);
        let file = handle.map_err(|e| Error::io(format_args!("open {key}"), e.into()))?;
        let stat = rustix::fs::fstat(&file).map_err(|e| Error::io(format_args!("look at {key}"), e.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let message = format!("{key}: expected a regular file, got another kind");
            return Err(Error::new(ErrorKind::Io, message));
        }
        Ok(LocalFile { file: file.into(), stamp: Stamp::of(&stat) })
    }

    pub(super) fn only(&self) -> Option<&OsString> {
        self.only.as_ref()
    }

    pub(super) fn open_dir(&self, path: &Path) -> Result<OwnedFd, Errno> {
        if path.as_os_str().is_empty() {
            return rustix::fs::openat(
                &self.handle,
                ".",
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            );
        }
        self.open_beneath(path, OFlags::DIRECTORY)
    }

    /// Opens `path` for reading with no symbolic link and no `..` on the way (openat2(2), Linux 5.6).
    fn open_beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.handle, path, flags, Mode::empty(), resolve) {
            // An old kernel, or a system-call filter that knows no openat2.
            Err(Errno::NOSYS | Errno::PERM) => step_beneath(&self.handle, path, flags),
            other => other,
        }
    }
}

/// What is at a path.
#[derive(Debug)]
pub enum Look {
    /// A regular file.
    File(Entry),
    /// A directory.
    Directory,
    /// Nothing, or something that is never read.
    Nothing,
}

/// What tells a directory from others.
pub(super) fn identity_of(dir: &OwnedFd) -> Result<Identity, Errno> {
    let (stat, kind) = (rustix::fs::fstat(dir)?, kind_of(dir)?);
    let own = if NUMBERED.contains(&kind) { rustix::fs::fstatvfs(dir)?.f_fsid } else { 0 };
    Ok((Stamp::of(&stat).inode, if own == 0 { kind } else { own }))
}

/// The type of a directory's file system.
fn kind_of(dir: &OwnedFd) -> Result<u64, Errno> {
    Ok(rustix::fs::fstatfs(dir)?.f_type.cast_unsigned() & 0xFFFF_FFFF)
}

/// Whether there is no such path, or none that may be followed.
pub(super) fn is_missing(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG)
}

/// The key of a path below the root.
pub fn key_of_path(path: &Path) -> String {
    let mut key = String::new();
    for name in path.iter() {
        key = join(&key, &key_of(name.as_bytes()));
    }
    key
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// The same one name at a time, for kernels without openat2.
fn step_beneath(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let on_the_way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut names = path.components().peekable();
    let mut at: Option<OwnedFd> = None;
    while let Some(component) = names.next() {
        let Component::Normal(name) = component else { return Err(Errno::XDEV) };
        let flags = if names.peek().is_some() { on_the_way } else { flags };
        let from = at.as_ref().map_or(root.as_fd(), AsFd::as_fd);
        at = Some(rustix::fs::openat(from, name, flags, Mode::empty())?);
    }
    at.ok_or(Errno::NOENT)
}

impl Stamp {
    #[expect(clippy::unnecessary_cast, reason = "the types of the stat fields differ between architectures")]
    pub(super) fn of(stat: &Stat) -> Stamp {
        let seconds = (stat.st_mtime as i64).saturating_mul(1_000_000_000);
        Stamp {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: seconds.saturating_add(stat.st_mtime_nsec as i64),
            inode: stat.st_ino as u64,
            device: stat.st_dev as u64,
        }
    }
}

/// An open regular file, read at positions. It may shrink or grow meanwhile: reads end early, never fail for it.
#[derive(Debug)]
pub struct LocalFile {
    file: std::fs::File,
    stamp: Stamp,
}

impl LocalFile {
    /// The state of the file when it was opened: what the bytes read belong to.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }
}

impl AsFd for LocalFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl ReadAt for LocalFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        // pread(2) takes signed offsets: beyond them there is nothing to read.
        if i64::try_from(offset).is_err() {
            return Ok(0);
        }
        loop {
            match self.file.read_at(buf, offset) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn len(&self) -> u64 {
        self.stamp.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        let stamp = Stamp { size: 0, modified_ns: 0, inode: 0, device: 0 };
        Entry { key: path.into(), path: path.into(), stamp, beside: None }
    }

    #[test]
    fn nothing_outside_the_folder_opens() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(root.join("sub/open"), "o").unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        std::os::unix::fs::symlink("sub/open", root.join("link")).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert!(folder.open_file(&entry("sub/open")).is_ok());
        let secret = dir.path().join("secret");
        for path in ["../secret", "up/secret", "link", "up/root/sub/open", "sub", "", secret.to_str().unwrap()] {
            assert!(folder.open_file(&entry(path)).is_err(), "{path}");
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let stepped = step_beneath(&folder.handle, Path::new(path), flags);
            assert!(path == "sub" || stepped.is_err(), "{path}");
        }
        assert!(step_beneath(&folder.handle, Path::new("sub/open"), OFlags::NOFOLLOW).is_ok());
        assert!(folder.open_key("sub/open").is_ok());
        for key in ["sub//open", "./sub/open", "/sub/open", "sub/../sub/open", "link", "up/secret", "sub", "", "a\0b"] {
            assert!(folder.open_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_fifo_in_place_of_a_file_does_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("f");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let error = Folder::open(dir.path()).unwrap().open_file(&entry("f")).unwrap_err();
        assert!(error.message().contains("expected a regular file"), "{error}");
    }

    #[test]
    fn a_file_that_shrinks_ends_early() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), [7u8; 1000]).unwrap();
        let file = Folder::open(dir.path()).unwrap().open_file(&entry("f")).unwrap();
        let handle = std::fs::OpenOptions::new().write(true).open(dir.path().join("f")).unwrap();
        handle.set_len(10).unwrap();
        let mut buf = [0u8; 100];
        assert_eq!(file.len(), 1000);
        assert_eq!(file.read_at(5, &mut buf).unwrap(), 5);
        assert_eq!(file.read_at(500, &mut buf).unwrap(), 0);
        assert_eq!(file.read_at(u64::MAX, &mut buf).unwrap(), 0);
    }

    #[test]
    fn neither_missing_paths_nor_devices_are_folders() {
        assert_eq!(Folder::open("/nonexistent/x").unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(Folder::open("/dev/null").unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
