//! The walk over a folder: every regular file once, in ascending byte order of the keys, errors reported in passing.
//!
//! Iterative; memory is bounded by the entries of the directories on the way down. The order is that of the whole
//! keys, which is not that of names per directory: `a.jpg` comes before `a/b.jpg`, because `.` is less than `/`.

use super::beside::pairs;
use super::filter::Filter;
use super::folder::{Entry, Folder, Identity, Stamp, identity_of, is_missing, key_of_path};
use super::name::key_of;
use super::watch::Watcher;
use crate::error::Error;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One step of a walk.
#[derive(Debug)]
pub enum Found {
    /// A regular file.
    File(Entry),
    /// Something that is no regular file or could not be read; the walk goes on.
    Skipped(Skipped),
}

/// What was passed over.
#[derive(Debug)]
pub struct Skipped {
    /// Its key.
    pub key: String,
    /// Why.
    pub why: Why,
}

/// Why something was passed over.
#[derive(Debug)]
#[non_exhaustive]
pub enum Why {
    /// A symbolic link: never followed, so nothing outside is read and nothing twice.
    Symlink,
    /// A FIFO, a socket or a device: never opened.
    Special,
    /// Another name beside it has the same key; this one is not UTF-8.
    SameKey,
    /// Its key is not that of a file: it has an empty name, `.` or `..`, or white space at an end.
    OddKey,
    /// It could not be listed or looked at.
    Failed(Error),
}

/// What a walk visits, and who is told on the way. The default visits everything.
#[derive(Debug, Clone, Default)]
pub struct Walking {
    /// What is taken; folders that it does not enter are not listed.
    pub filter: Filter,
    /// The directory that the walk begins at, below the root; empty for the root.
    pub within: PathBuf,
    /// Keys up to this one are passed over; empty for none.
    pub after: String,
    /// Watches every directory before it is listed, so that no change falls between.
    pub watcher: Option<Arc<Watcher>>,
}

/// Iterator over a folder, made by [`Folder::walk`].
#[derive(Debug)]
pub struct Walk {
    folder: Folder,
    walking: Walking,
    /// Items still to visit: per level of the current path, last first.
    ahead: Vec<Vec<Item>>,
    /// Keys of directories on which another file system is mounted than on their parents, and which one; since last asked.
    mounts: Vec<(String, Identity)>,
}

/// A name in a directory, or what came of looking at it.
#[derive(Debug)]
struct Item {
    key: String,
    path: PathBuf,
    is_utf8: bool,
    kind: ItemKind,
    beside: Option<Box<Entry>>,
}

#[derive(Debug)]
enum ItemKind {
    File(Stamp),
    Directory {
        /// It is of another file system than its parent.
        mounted: bool,
    },
    Skipped(Why),
    Vanished,
}

impl Walk {
    pub(super) fn new(folder: Folder, walking: Walking) -> Walk {
        let top = match folder.only() {
            None => Item {
                key: key_of_path(&walking.within),
                path: walking.within.clone(),
                is_utf8: true,
                kind: ItemKind::Directory { mounted: false },
                beside: None,
            },
            Some(name) => match folder.open_dir(Path::new("")) {
                Ok(dir) => item(&dir, 0, Path::new(""), "", name),
                Err(e) => {
                    let kind = ItemKind::Skipped(failure("", e));
                    Item { key: String::new(), path: PathBuf::new(), is_utf8: true, kind, beside: None }
                }
            },
        };
        let entered = top.key.is_empty() || walking.filter.enters(&top.key);
        Walk { folder, walking, ahead: if entered { vec![vec![top]] } else { Vec::new() }, mounts: Vec::new() }
    }

    /// File systems that were met since the last call, each with the key of the directory that it is mounted on.
    pub fn take_mounts(&mut self) -> Vec<(String, Identity)> {
        std::mem::take(&mut self.mounts)
    }

    /// The items of a directory, in descending order of their keys.
    fn list(&mut self, key: &str, path: &Path, mounted: bool) -> Result<Vec<Item>, Errno> {
        let handle = self.folder.open_dir(path)?;
        if mounted {
            self.mounts.push((key.to_owned(), identity_of(&handle)?));
        }
        let device = Stamp::of(&rustix::fs::fstat(&handle)?).device;
        if let Some(watcher) = &self.walking.watcher {
            watcher.add(path);
        }
        let mut items = Vec::new();
        for name in Dir::read_from(&handle)? {
            let Ok(name) = name else {
                // A directory that fails midway keeps what was seen of it.
                let kind = ItemKind::Skipped(failure(key, Errno::IO));
                items.push(Item { key: key.to_owned(), path: path.to_owned(), is_utf8: true, kind, beside: None });
                break;
            };
            let name = OsStr::from_bytes(name.file_name().to_bytes());
            if name != "." && name != ".." {
                items.push(item(&handle, device, path, key, name));
            }
        }
        // What went since it was listed is not there.
        items.retain(|item: &Item| !matches!(item.kind, ItemKind::Vanished));
        items.sort_unstable_by(Item::before);
        mark_same_keys(&mut items);
        pair(&mut items);
        items.retain(|item| self.visits(item));
        Ok(items)
    }
}

impl Walk {
    /// Whether an item is taken and lies behind where the walk begins.
    fn visits(&self, item: &Item) -> bool {
        let (key, after) = (item.key.as_str(), self.walking.after.as_str());
        let folder = matches!(item.kind, ItemKind::Directory { .. });
        let below = |text: &str| text.strip_prefix(key).and_then(|rest| rest.bytes().next());
        let behind = match below(after) {
            _ if after.is_empty() => true,
            Some(b'/') if folder => true,
            _ if folder && key == after => true,
            // The keys below it begin with a slash where that one goes on otherwise.
            Some(next) if folder => next < b'/',
            _ => key > after,
        };
        behind && self.walking.filter.takes_here(key, folder)
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let Some(item) = self.ahead.last_mut()?.pop() else {
                self.ahead.pop();
                continue;
            };
            let why = match item.kind {
                ItemKind::File(stamp) => {
                    let Item { key, path, beside, .. } = item;
                    return Some(Found::File(Entry { key, path, stamp, beside }));
                }
                ItemKind::Skipped(why) => why,
                ItemKind::Vanished => continue,
                ItemKind::Directory { mounted } => match self.list(&item.key, &item.path, mounted) {
                    Ok(items) => {
                        self.ahead.push(items);
                        continue;
                    }
                    // It went since its parent was listed.
                    Err(e) if is_missing(e) && e != Errno::NAMETOOLONG => continue,
                    Err(e) => failure(&item.key, e),
                },
            };
            return Some(Found::Skipped(Skipped { key: item.key, why }));
        }
    }
}

impl Item {
    /// Descending key order, a directory sorting as what is in it.
    fn before(&self, other: &Item) -> Ordering {
        let slash = |item: &Item| matches!(item.kind, ItemKind::Directory { .. }).then_some(b'/');
        other.key.bytes().chain(slash(other)).cmp(self.key.bytes().chain(slash(self)))
    }
}

/// Looks at one name of an open directory, which lies on the file system of that number.
fn item(dir: &OwnedFd, device: u64, parent: &Path, parent_key: &str, name: &OsStr) -> Item {
    let own = key_of(name.as_bytes());
    let key = if parent_key.is_empty() { own } else { format!("{parent_key}/{own}") };
    let kind = match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => ItemKind::Vanished,
        Err(e) => ItemKind::Skipped(failure(&key, e)),
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => ItemKind::File(Stamp::of(&stat)),
            FileType::Directory => ItemKind::Directory { mounted: Stamp::of(&stat).device != device },
            FileType::Symlink => ItemKind::Skipped(Why::Symlink),
            _ => ItemKind::Skipped(Why::Special),
        },
    };
    Item { is_utf8: name.to_str().is_some(), path: parent.join(name), key, kind, beside: None }
}

/// Of neighbours with one key, leaves the one whose name is the key.
fn mark_same_keys(items: &mut [Item]) {
    for at in 1..items.len() {
        if let Some([a, b]) = items.get_mut(at - 1..=at)
            && a.before(b).is_eq()
        {
            let other = if a.is_utf8 { b } else { a };
            other.kind = ItemKind::Skipped(Why::SameKey);
        }
    }
}

/// Gives each file the one that describes it.
fn pair(items: &mut [Item]) {
    let name = |item: &Item| match item.kind {
        ItemKind::File(_) => item.key.rsplit('/').next().unwrap_or("").to_owned(),
        _ => String::new(),
    };
    let names: Vec<String> = items.iter().map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (at, of) in pairs(&names).into_iter().enumerate() {
        let Some(&Item { ref key, ref path, kind: ItemKind::File(stamp), .. }) = of.and_then(|of| items.get(of)) else {
            continue;
        };
        let beside = Entry { key: key.clone(), path: path.clone(), stamp, beside: None };
        if let Some(item) = items.get_mut(at).filter(|item| matches!(item.kind, ItemKind::File(_))) {
            item.beside = Some(Box::new(beside));
        }
    }
}

fn failure(key: &str, error: Errno) -> Why {
    let what = if key.is_empty() { "list the folder".to_owned() } else { format!("look at {key}") };
    Why::Failed(Error::io(what, error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn files_come_with_what_describes_them() {
        let (_dir, folder) = tree(&[b"d/a.jpg", b"d/a.xmp", b"a.jpg", b"b.xmp/c"]);
        let line = |found| match found {
            Found::File(Entry { key, beside, .. }) => (key, beside.map(|entry| entry.key)),
            Found::Skipped(skipped) => panic!("{skipped:?}"),
        };
        let found: Vec<_> = folder.walk().map(line).collect();
        let want = [("a.jpg", None), ("b.xmp/c", None), ("d/a.jpg", Some("d/a.xmp")), ("d/a.xmp", None)];
        assert_eq!(found, want.map(|(key, beside)| (key.to_owned(), beside.map(str::to_owned))));
    }

    fn shown(folder: &Folder) -> Vec<String> {
        let line = |found| match found {
            Found::File(entry) => entry.key,
            Found::Skipped(Skipped { key, why: Why::Failed(_) }) => format!("! {key}"),
            Found::Skipped(Skipped { key, why }) => format!("- {key} {why:?}"),
        };
        folder.walk().map(line).collect()
    }

    fn tree(files: &[&[u8]]) -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        for name in files {
            let path = dir.path().join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    #[test]
    fn keys_come_in_byte_order_of_the_whole_key() {
        let files: &[&[u8]] =
            &[b"a/b.jpg", b"a.jpg", b"a-/z", b"b/c/d/e", b"b/c.d", b"A", "\u{e9}/x".as_bytes(), b"a/.h"];
        let (_dir, folder) = tree(files);
        let keys = shown(&folder);
        let mut sorted: Vec<String> = files.iter().map(|name| key_of(name)).collect();
        sorted.sort();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn entries_carry_the_state_of_the_file() {
        let (dir, folder) = tree(&[b"d/f"]);
        let Some(Found::File(entry)) = folder.walk().next() else { panic!("no file") };
        assert_eq!((entry.stamp.size, entry.path.as_path()), (3, Path::new("d/f")));
        let file = folder.open_file(&entry).unwrap();
        assert_eq!(file.stamp(), entry.stamp);
        let modified = fs::metadata(dir.path().join("d/f")).unwrap().modified().unwrap();
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        assert_eq!(u128::try_from(entry.stamp.modified_ns).unwrap(), since);
    }

    #[test]
    fn odd_names_keep_their_files_apart() {
        let (dir, folder) = tree(&[b"caf\xe9", b"caf%E9", b"100%\xff", b" ", b"\n", b"d\xff/x", b"d%FF/y", b"a\\b"]);
        let expected = ["\n", " ", "100%25%FF", "a\\b", "caf%E9", "- caf%E9 SameKey", "d%FF/y", "- d%FF SameKey"];
        assert_eq!(shown(&folder), expected);
        for found in folder.walk() {
            if let Found::File(entry) = found {
                let path = dir.path().join(&entry.path);
                assert_eq!(fs::metadata(path).unwrap().len(), folder.open_file(&entry).unwrap().stamp().size);
            }
        }
    }

    #[test]
    fn links_fifos_and_sockets_are_reported_and_not_opened() {
        let (dir, folder) = tree(&[b"real/file"]);
        symlink(".", dir.path().join("real/loop")).unwrap();
        symlink("real/file", dir.path().join("link")).unwrap();
        symlink("nowhere", dir.path().join("broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, fifo, FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let expected = [
            "- broken Symlink",
            "- fifo Special",
            "- link Symlink",
            "real/file",
            "- real/loop Symlink",
            "- socket Special",
        ];
        assert_eq!(shown(&folder), expected);
    }

    #[test]
    fn a_directory_that_cannot_be_listed_does_not_end_the_walk() {
        let (dir, folder) = tree(&[b"a", b"gone/x", b"locked/x", b"swapped/x", b"z"]);
        fs::set_permissions(dir.path().join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
        let mut walk = folder.walk();
        assert!(matches!(walk.next(), Some(Found::File(entry)) if entry.key == "a"));
        // The top directory is listed by now; what is below it changes.
        fs::remove_dir_all(dir.path().join("gone")).unwrap();
        fs::remove_dir_all(dir.path().join("swapped")).unwrap();
        symlink("/", dir.path().join("swapped")).unwrap();
        let rest: Vec<Found> = walk.collect();
        let files: Vec<&str> =
            rest.iter().filter_map(|f| if let Found::File(e) = f { Some(e.key.as_str()) } else { None }).collect();
        let as_root = fs::read_dir(dir.path().join("locked")).is_ok();
        assert_eq!(files, if as_root { vec!["locked/x", "z"] } else { vec!["z"] });
        assert_eq!(rest.len() - files.len(), usize::from(!as_root));
        fs::set_permissions(dir.path().join("locked"), fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn empty_folders_single_files_and_deep_trees() {
        let (dir, folder) = tree(&[b"one/file.txt"]);
        fs::create_dir_all(dir.path().join("two/three")).unwrap();
        assert_eq!(shown(&folder), ["one/file.txt"]);
        assert_eq!(shown(&Folder::open(dir.path().join("two")).unwrap()), [""; 0]);
        let single = Folder::open(dir.path().join("one/file.txt")).unwrap();
        assert_eq!(shown(&single), ["file.txt"]);
        let Some(Found::File(entry)) = single.walk().next() else { panic!("no file") };
        assert_eq!(single.open_file(&entry).unwrap().stamp().size, 12);
        // 1200 levels: deeper than a recursion or one open directory per level would carry.
        let deep = "d/".repeat(1200) + "f";
        let (_dir, folder) = tree(&[deep.as_bytes()]);
        assert_eq!(shown(&folder), [deep]);
    }
}
