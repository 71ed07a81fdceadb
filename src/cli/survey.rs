//! Counts the files below a folder beside the run that indexes them, so that its bar knows how much is left.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A count under way; dropping it ends it.
pub(crate) struct Survey {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: AtomicU64,
    complete: AtomicBool,
    unwanted: AtomicBool,
}

impl Survey {
    /// Begins to count; `None` where no thread can be had, and the bar has no end then.
    pub(crate) fn start(path: &Path) -> Option<Survey> {
        let shared = Arc::new(Shared::default());
        let (path, theirs) = (path.to_owned(), Arc::clone(&shared));
        std::thread::Builder::new().name("survey".into()).spawn(move || count(path, &theirs)).ok()?;
        Some(Survey { shared })
    }

    /// The number of files, once all are counted.
    pub(crate) fn files(&self) -> Option<u64> {
        self.shared.complete.load(Ordering::Acquire).then(|| self.shared.files.load(Ordering::Relaxed))
    }
}

impl Drop for Survey {
    fn drop(&mut self) {
        self.shared.unwanted.store(true, Ordering::Relaxed);
    }
}

/// Regular files only, links not followed: what the run itself will see. What cannot be listed counts as empty.
fn count(path: PathBuf, shared: &Shared) {
    let mut folders = vec![path];
    while let Some(folder) = folders.pop() {
        if shared.unwanted.load(Ordering::Relaxed) {
            return;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => drop(shared.files.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            }
        }
    }
    shared.complete.store(true, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_regular_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        for name in ["one", "a/two", "a/b/three"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        let shared = Shared::default();
        count(folder.path().to_owned(), &shared);
        assert_eq!(Survey { shared: Arc::new(shared) }.files(), Some(3));
    }
}
