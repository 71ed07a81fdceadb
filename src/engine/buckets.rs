//! Buckets: folders whose files can be indexed by their addresses. Nothing outside them is ever opened.

use crate::error::{Error, ErrorKind, Result};
use crate::model::Uri;
use crate::model::uri::is_bucket;
use crate::source::{Folder, LocalFile};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::Path;

/// Names of buckets, and the folder that each stands for. Clones share the open folders.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    folders: BTreeMap<String, Folder>,
}

impl Buckets {
    /// No buckets.
    pub fn new() -> Buckets {
        Buckets::default()
    }

    /// Adds a bucket: `oss://NAME/key` is the file `key` below `folder`.
    pub fn add(&mut self, name: &str, folder: impl AsRef<Path>) -> Result<()> {
        if !is_bucket(name) {
            let rule = "1 to 63 of A-Z, a-z, 0-9, -, _ and ., not beginning with a dot";
            return Err(Error::invalid(format!("bucket: expected {rule}, got {name:?}")));
        }
        let folder = Folder::open(folder)?;
        if self.folders.insert(name.to_owned(), folder).is_some() {
            return Err(Error::invalid(format!("bucket {name}: expected one folder, got two")));
        }
        Ok(())
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.folders.keys().map(String::as_str)
    }

    /// The folder of a bucket.
    pub(super) fn folder(&self, name: &str) -> Option<&Path> {
        self.folders.get(name).map(Folder::root)
    }

    /// Opens the file of an address. [`ErrorKind::NotFound`] where there is no such bucket or file, or where the way to it
    /// would leave the bucket's folder.
    pub(super) fn open(&self, uri: &str) -> Result<LocalFile> {
        let uri = Uri::parse(uri)?;
        let absent = || Error::new(ErrorKind::NotFound, "File does not exist.");
        let (bucket, key) = uri.bucket_and_key().ok_or_else(absent)?;
        let folder = self.folders.get(bucket).ok_or_else(absent)?;
        folder.open_key(key).map_err(|e| if is_absent(&e) { absent() } else { e })
    }
}

/// Whether there is no such file, or none that may be reached.
pub(super) fn is_absent(error: &Error) -> bool {
    if error.kind() == ErrorKind::NotFound {
        return true;
    }
    let source = std::error::Error::source(error).and_then(|e| e.downcast_ref::<std::io::Error>());
    let number = source.and_then(std::io::Error::raw_os_error);
    let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::XDEV, Errno::NAMETOOLONG];
    absent.iter().any(|e| Some(e.raw_os_error()) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_bucket_open() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/a b.jpg"), "x").unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        let mut buckets = Buckets::new();
        buckets.add("b", &root).unwrap();
        assert!(buckets.open("oss://b/sub/a b.jpg").is_ok());
        let long = format!("oss://b/{}", "x".repeat(300));
        for uri in [
            "oss://b/nope",
            "oss://c/sub/a b.jpg",
            "oss://b/../secret",
            "oss://b/sub/../../secret",
            "oss://b/link",
            "oss://b/up/secret",
            "oss://b/up/root/sub/a b.jpg",
            "oss://b/sub//a b.jpg",
            "oss://b//etc/passwd",
            "oss://b/sub/a b.jpg/x",
            "pds://domains/a/drives/b/files/c/revisions/d",
            long.as_str(),
        ] {
            assert_eq!(buckets.open(uri).unwrap_err().kind(), ErrorKind::NotFound, "{uri}");
        }
        assert!(buckets.open("oss://b/sub").is_err());
        assert!(buckets.add("b", &root).is_err() && buckets.add(".x", &root).is_err());
    }
}
