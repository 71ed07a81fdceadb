//! Buckets: folders and object stores whose files can be indexed by their addresses. Nothing outside them is ever opened.

use crate::error::{Error, ErrorKind, Result};
use crate::model::Uri;
use crate::model::uri::is_bucket;
use crate::source::{Bucket, Folder, Opened, is_remote};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::Path;

/// Names of buckets, and the folder or store that each stands for. Clones share what is open.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    places: BTreeMap<String, Bucket>,
}

impl Buckets {
    /// No buckets.
    pub fn new() -> Buckets {
        Buckets::default()
    }

    /// Adds a bucket: `oss://NAME/key` is the file `key` below the folder `place`. A place that begins with `s3://` or `oss://`
    /// is the address of an object store (`docs/sources.md`), which is not spoken to before it is needed.
    pub fn add(&mut self, name: &str, place: impl AsRef<Path>) -> Result<()> {
        if !is_bucket(name) {
            let rule = "1 to 63 of A-Z, a-z, 0-9, -, _ and ., not beginning with a dot";
            return Err(Error::invalid(format!("bucket: expected {rule}, got {name:?}")));
        }
        let bucket = match place.as_ref().to_str().filter(|text| is_remote(text)) {
            Some(address) => Bucket::open(address)?,
            None => Bucket::Folder(Folder::open(place)?),
        };
        if self.places.insert(name.to_owned(), bucket).is_some() {
            return Err(Error::invalid(format!("bucket {name}: expected one place, got two")));
        }
        Ok(())
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// What a bucket stands for.
    pub(super) fn place(&self, name: &str) -> Option<&Bucket> {
        self.places.get(name)
    }

    /// How many files of stores can be read at the same time; 0 without stores.
    pub(super) fn concurrency(&self) -> usize {
        let of = |bucket: &Bucket| match bucket {
            Bucket::Folder(_) => 0,
            Bucket::Objects(objects) => objects.concurrency(),
        };
        self.places.values().map(of).max().unwrap_or(0)
    }

    /// Whether an address is that of an object of a store.
    pub(super) fn is_store(&self, uri: &str) -> bool {
        let bucket = uri.strip_prefix("oss://").and_then(|rest| rest.split('/').next()).unwrap_or("");
        matches!(self.places.get(bucket), Some(Bucket::Objects(_)))
    }

    /// Opens the file of an address. [`ErrorKind::NotFound`] where there is no such bucket or file, or where the way to it
    /// would leave the bucket's place.
    pub(super) fn open(&self, uri: &str) -> Result<Opened> {
        let uri = Uri::parse(uri)?;
        let absent = || Error::new(ErrorKind::NotFound, "File does not exist.");
        let (bucket, key) = uri.bucket_and_key().ok_or_else(absent)?;
        let place = self.places.get(bucket).ok_or_else(absent)?;
        place.open_key(key).map_err(|e| if is_absent(&e) { absent() } else { e })
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
