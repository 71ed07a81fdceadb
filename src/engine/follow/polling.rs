//! Directories that no watch covers: their modification times are compared from time to time. The pause grows while
//! nothing changes, and with what a look costs.

use crate::error::Result;
use crate::source::Folder;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A look takes at most this part of the time.
const SHARE: u32 = 50;
/// Looks at directories between two looks at their files: changes within a file leave its directory's time alone.
const FILES_EVERY: u32 = 8;

/// What is polled.
#[derive(Debug)]
pub(super) struct Polling {
    times: BTreeMap<PathBuf, Option<i64>>,
    least: Duration,
    most: Duration,
    pause: Duration,
    /// Shortest pause after what the last look cost.
    floor: Duration,
    next: Instant,
    looks: u32,
}

/// What a look found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// Directories whose entries changed.
    pub(super) changed: Vec<PathBuf>,
    /// Every file is to be compared.
    pub(super) all: bool,
}

impl Polling {
    pub(super) fn new(least: Duration, most: Duration) -> Polling {
        Polling {
            times: BTreeMap::new(),
            least,
            most,
            pause: least,
            floor: least,
            next: Instant::now() + least,
            looks: 0,
        }
    }

    /// Polls one directory from now on; `time`: its modification time before it was last listed.
    pub(super) fn add(&mut self, path: PathBuf, time: Option<i64>) {
        self.times.insert(path, time);
    }

    /// Forgets a directory and all below it.
    pub(super) fn forget(&mut self, path: &Path) {
        self.times.retain(|found, _| !found.starts_with(path));
    }

    pub(super) fn len(&self) -> u64 {
        self.times.len() as u64
    }

    /// What is polled.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.times.keys().cloned().collect()
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Instant> {
        (!self.times.is_empty()).then_some(self.next)
    }

    /// Looks at every directory.
    pub(super) fn look(&mut self, folder: &Folder) -> Result<Looked> {
        let mut looked = Looked::default();
        self.times.retain(|path, time| {
            // One that cannot be looked at counts as changed: the comparison finds out. One that went is polled no more.
            let now = folder.directory_time(path);
            let (there, now) = (!matches!(now, Ok(None)), now.unwrap_or(None));
            if now != *time || now.is_none() {
                looked.changed.push(path.clone());
                *time = now;
            }
            there
        });
        self.looks += 1;
        looked.all = self.looks.is_multiple_of(FILES_EVERY);
        Ok(looked)
    }

    /// Somebody waits for the next look: it comes as soon as its cost allows.
    pub(super) fn hurry(&mut self) {
        self.next = self.next.min(Instant::now() + self.floor);
    }

    /// Sets the pause after a look that took `cost` with all that came of it.
    pub(super) fn rest(&mut self, cost: Duration, changed: bool) {
        let calm = if changed { self.least } else { self.pause * 2 };
        self.floor = (cost * SHARE).clamp(self.least, self.most);
        self.pause = calm.max(self.floor).min(self.most);
        self.next = Instant::now() + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_that_changed_are_named_and_calm_ones_rest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let (least, most) = (Duration::from_millis(10), Duration::from_millis(100));
        let mut polling = Polling::new(least, most);
        assert_eq!(polling.next(), None);
        ["", "a"].iter().for_each(|p| polling.add(p.into(), folder.directory_time(Path::new(p)).unwrap()));
        assert_eq!(polling.look(&folder).unwrap(), Looked::default());
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(dir.path().join("a/x"), "1").unwrap();
        assert_eq!(polling.look(&folder).unwrap().changed, [PathBuf::from("a")]);
        assert_eq!(polling.look(&folder).unwrap(), Looked::default());
        for pause in [20, 40, 80, 100, 100] {
            polling.rest(Duration::ZERO, false);
            assert_eq!(polling.pause, Duration::from_millis(pause));
        }
        polling.rest(Duration::from_millis(1), true);
        assert_eq!(polling.pause, Duration::from_millis(50));
        let all = (0..FILES_EVERY).filter(|_| polling.look(&folder).unwrap().all).count();
        assert_eq!(all, 1);
        polling.forget(Path::new("a"));
        assert_eq!(polling.len(), 1);
    }
}
