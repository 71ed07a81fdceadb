//! The repository as text: what the tests of layering, style and documents read.

use std::path::{Path, PathBuf};

/// One text file, with its path relative to the repository.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The repository's folder.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All files below the folders whose names end in `.extension`, in path order.
pub(crate) fn files(folders: &[&str], extension: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut paths);
    }
    paths.sort();
    let wanted = |p: &&PathBuf| p.extension().is_some_and(|e| e == extension);
    let source = |p: &PathBuf| {
        let path = p.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        Source { text: read(&path), path }
    };
    paths.iter().filter(wanted).map(source).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            // Build results and test data are not ours to judge.
            if !["target", "data", "golden", "fixtures", "corpus", "artifacts"].contains(&name.as_str()) {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

impl Source {
    /// The top-level module under `src/`: `"engine"` for `src/engine/open.rs`, `"error"` for `src/error.rs`.
    pub(crate) fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split(['/', '.']).next().unwrap_or("")
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test_file(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The text without its test module, which by our custom ends the file.
    pub(crate) fn shipped(&self) -> &str {
        if self.is_test_file() {
            return "";
        }
        let end = self.text.find("\n#[cfg(test)]\nmod ").map_or(self.text.len(), |at| at + 1);
        &self.text[..end]
    }

    /// The lines of [`Source::shipped`] that are not comments, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.shipped()
            .lines()
            .enumerate()
            .map(|(n, line)| (n + 1, line))
            .filter(|(_, l)| !l.trim_start().starts_with("//"))
    }
}

#[test]
fn shipped_text_ends_at_the_test_module() {
    let source =
        Source { path: "src/a/b.rs".into(), text: "//! Doc.\nfn f() {}\n\n#[cfg(test)]\nmod tests {}\n".into() };
    assert_eq!(source.shipped(), "//! Doc.\nfn f() {}\n\n");
    assert_eq!(source.module(), "a");
    assert_eq!(source.code().map(|(n, _)| n).collect::<Vec<_>>(), [2, 3]);
    let whole = Source { path: "src/error.rs".into(), text: "fn f() {}\n".into() };
    assert_eq!((whole.module(), whole.shipped()), ("error", "fn f() {}\n"));
}
