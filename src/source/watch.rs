//! inotify(7) over a tree of directories, within a budget of watches. Which directories are watched is decided by the
//! walks; what is told here are paths below the root, never what to do about them.

use super::folder::Stamp;
use crate::error::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of one read of events.
const BUFFER_BYTES: usize = 64 << 10;
/// Reads of one call at most, so that a flood of events does not keep the caller.
const MOST_READS: usize = 64;
/// The system's own limit, per user.
const MAX_WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";
/// What is taken where the system does not say.
const FALLBACK_WATCHES: u64 = 8192;

/// How many directories may be watched; clones share what is left.
#[derive(Debug, Clone)]
pub struct WatchBudget(Arc<AtomicU64>);

impl WatchBudget {
    /// So many.
    pub fn new(watches: u64) -> WatchBudget {
        WatchBudget(Arc::new(AtomicU64::new(watches)))
    }

    /// Half of what the system allows a user: other programs of the same user need some too.
    pub fn half_of_system() -> WatchBudget {
        let text = std::fs::read_to_string(MAX_WATCHES).unwrap_or_default();
        WatchBudget::new(text.trim().parse().unwrap_or(FALLBACK_WATCHES) / 2)
    }

    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn give_back(&self, watches: u64) {
        self.0.fetch_add(watches, Ordering::Relaxed);
    }
}

/// What happened to a name in a watched directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It appeared; it may still be written.
    Created,
    /// Somebody who could write it has closed it.
    Written,
    /// It was moved here, whole.
    Arrived,
    /// It was removed, or moved elsewhere.
    Gone,
    /// Its owner, mode or times changed.
    Changed,
}

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A name in a watched directory.
    Name {
        /// Its path below the root.
        path: PathBuf,
        /// Whether it is a directory.
        directory: bool,
        /// What happened.
        how: How,
    },
    /// Events were dropped: anything may have happened.
    Overflow,
    /// The root was removed, moved away or unmounted.
    RootGone,
}

/// Watches over directories below one root.
#[derive(Debug)]
pub struct Watcher {
    /// None where nothing is watched.
    queue: Option<OwnedFd>,
    root: PathBuf,
    budget: WatchBudget,
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    paths: HashMap<i32, PathBuf>,
    /// In order of the paths, so that all below one are neighbours.
    numbers: BTreeMap<PathBuf, i32>,
    /// Directories that found no watch.
    unwatched: Vec<(PathBuf, Option<i64>)>,
}

impl Watcher {
    /// Watches nothing yet. Fails where the system has no more queues for this user.
    pub fn new(root: &Path, budget: WatchBudget) -> Result<Watcher> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let queue = queue.map_err(|e| Error::io("open a queue of file system events", e.into()))?;
        Ok(Watcher { queue: Some(queue), root: root.to_owned(), budget, watched: Mutex::default() })
    }

    /// Watches nothing ever: every directory is one that could not be watched.
    pub fn blind(root: &Path) -> Watcher {
        Watcher { queue: None, root: root.to_owned(), budget: WatchBudget::new(0), watched: Mutex::default() }
    }

    /// Watches the directory at `path` below the root. Where that is not possible it is remembered for
    /// [`Watcher::take_unwatched`].
    pub(super) fn add(&self, path: &Path) {
        let mut watched = self.lock();
        if watched.numbers.contains_key(path) {
            return;
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW
            | WatchFlags::EXCL_UNLINK;
        let full = self.root.join(path);
        let added = match self.queue.as_ref().filter(|_| self.budget.take()) {
            Some(queue) => inotify::add_watch(queue, &full, flags).inspect_err(|_| self.budget.give_back(1)),
            None => Err(Errno::NOSPC),
        };
        match added {
            Ok(number) => {
                if let Some(old) = watched.paths.insert(number, path.to_owned()) {
                    // One directory under two paths: the newer one counts.
                    watched.numbers.remove(&old);
                    self.budget.give_back(1);
                }
                watched.numbers.insert(path.to_owned(), number);
            }
            // It went away: whoever holds its parent is told.
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(_) => {
                let time = rustix::fs::lstat(&full).ok().map(|stat| Stamp::of(&stat).modified_ns);
                watched.unwatched.push((path.to_owned(), time));
            }
        }
    }

    /// Forgets the directory at `path` and all below it.
    pub fn forget(&self, path: &Path) {
        let mut watched = self.lock();
        let below = watched.numbers.range(path.to_owned()..).take_while(|(found, _)| found.starts_with(path));
        let gone: Vec<(PathBuf, i32)> = below.map(|(path, number)| (path.clone(), *number)).collect();
        for (path, number) in gone {
            watched.numbers.remove(&path);
            watched.paths.remove(&number);
            // Gone already where the directory is.
            let _ = self.queue.as_ref().map(|queue| inotify::remove_watch(queue, number));
            self.budget.give_back(1);
        }
    }

    /// Number of directories that are watched.
    pub fn len(&self) -> u64 {
        self.lock().paths.len() as u64
    }

    /// Whether none is watched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Directories that could not be watched since the last call, with their modification times before they were listed.
    pub fn take_unwatched(&self) -> Vec<(PathBuf, Option<i64>)> {
        std::mem::take(&mut self.lock().unwatched)
    }

    /// Waits for events, at most `patience`, and returns what there is.
    pub fn read(&self, patience: Duration) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let Some(queue) = &self.queue else {
            std::thread::sleep(patience);
            return Ok(events);
        };
        let seconds = i64::try_from(patience.as_secs()).unwrap_or(i64::MAX);
        let timeout = Timespec { tv_sec: seconds, tv_nsec: i64::from(patience.subsec_nanos()) };
        let mut waiting = [PollFd::new(queue, PollFlags::IN)];
        let failed = |e: Errno| Error::io("read file system events", e.into());
        match poll(&mut waiting, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(events),
            Ok(_) => {}
            Err(e) => return Err(failed(e)),
        }
        let mut watched = self.lock();
        for _ in 0..MOST_READS {
            let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
            let mut reader = Reader::new(queue, &mut buffer);
            loop {
                match reader.next() {
                    Ok(event) => {
                        events.extend(watched.tell(&self.budget, event.wd(), event.events(), event.file_name()));
                    }
                    Err(Errno::AGAIN) => return Ok(events),
                    Err(Errno::INTR) => {}
                    Err(e) => return Err(failed(e)),
                }
                if reader.is_buffer_empty() {
                    break;
                }
            }
        }
        Ok(events)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.budget.give_back(self.len());
    }
}

impl Watched {
    fn tell(
        &mut self,
        budget: &WatchBudget,
        number: i32,
        flags: ReadFlags,
        name: Option<&std::ffi::CStr>,
    ) -> Option<Event> {
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return Some(Event::Overflow);
        }
        let dir = self.paths.get(&number)?.clone();
        let root = dir.as_os_str().is_empty();
        if flags.contains(ReadFlags::IGNORED) {
            self.paths.remove(&number);
            self.numbers.remove(&dir);
            budget.give_back(1);
        }
        let ended = ReadFlags::DELETE_SELF | ReadFlags::UNMOUNT | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
        if flags.intersects(ended) {
            return root.then_some(Event::RootGone).or_else(|| {
                // A file system below the root went: its parent is not told, and another directory is there now.
                let unmounted = flags.contains(ReadFlags::UNMOUNT);
                unmounted.then_some(Event::Name { path: dir, directory: true, how: How::Arrived })
            });
        }
        let path = match name {
            Some(name) => dir.join(OsStr::from_bytes(name.to_bytes())),
            None => dir,
        };
        let directory = flags.contains(ReadFlags::ISDIR) || name.is_none();
        Some(Event::Name { path, directory, how: how(flags)? })
    }
}

fn how(flags: ReadFlags) -> Option<How> {
    let known = [
        (ReadFlags::CREATE, How::Created),
        (ReadFlags::CLOSE_WRITE, How::Written),
        (ReadFlags::MOVED_TO, How::Arrived),
        (ReadFlags::MOVED_FROM, How::Gone),
        (ReadFlags::DELETE, How::Gone),
        (ReadFlags::ATTRIB, How::Changed),
    ];
    known.into_iter().find(|(flag, _)| flags.contains(*flag)).map(|(_, how)| how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Folder, Walking};
    use std::fs;

    fn watched(root: &Path, budget: u64) -> Arc<Watcher> {
        let watcher = Arc::new(Watcher::new(root, WatchBudget::new(budget)).unwrap());
        let walking = Walking { watcher: Some(Arc::clone(&watcher)), ..Walking::default() };
        Folder::open(root).unwrap().walk_some(walking).for_each(drop);
        watcher
    }

    fn all(watcher: &Watcher) -> Vec<(String, bool, How)> {
        let events = watcher.read(Duration::from_millis(200)).unwrap();
        let shown = |event| match event {
            Event::Name { path, directory, how } => (path.to_str().unwrap().to_owned(), directory, how),
            other => (format!("{other:?}"), false, How::Gone),
        };
        events.into_iter().map(shown).collect()
    }

    #[test]
    fn events_carry_paths() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        let watcher = watched(&root, 100);
        assert_eq!(watcher.len(), 3);
        fs::write(root.join("a/b/x"), "1").unwrap();
        rustix::fs::rename(root.join("a/b/x"), root.join("y")).unwrap();
        fs::create_dir(root.join("c")).unwrap();
        let told = all(&watcher);
        let want = [
            ("a/b/x", false, How::Created),
            ("a/b/x", false, How::Written),
            ("a/b/x", false, How::Gone),
            ("y", false, How::Arrived),
            ("c", true, How::Created),
        ];
        assert_eq!(told, want.map(|(path, directory, how)| (path.to_owned(), directory, how)));
        watcher.forget(Path::new("a"));
        assert_eq!(watcher.len(), 1);
        fs::write(root.join("a/b/z"), "1").unwrap();
        assert_eq!(all(&watcher), []);
        fs::remove_dir_all(&root).unwrap();
        assert!(all(&watcher).iter().any(|(what, ..)| what == "RootGone"));
    }

    #[test]
    fn what_the_budget_leaves_out_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        ["a", "b", "c"].iter().for_each(|name| fs::create_dir(root.join(name)).unwrap());
        let watcher = watched(&root, 2);
        assert_eq!(watcher.len(), 2);
        let left: Vec<PathBuf> = watcher.take_unwatched().into_iter().map(|(path, _)| path).collect();
        assert_eq!(left, [PathBuf::from("b"), PathBuf::from("c")]);
        watcher.forget(Path::new("a"));
        assert!(watcher.budget.take() && !watcher.budget.take());
    }
}
