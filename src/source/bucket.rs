//! The seam to what a bucket is: a folder of this machine, or an object store. Those who read files of buckets see no
//! difference, but for what a store says of its objects.

use super::folder::{Entry, Folder, Identity, LocalFile, Look, Stamp};
use super::walk::{Found, Walk, Walking};
use crate::codec::ReadAt;
use crate::error::{Error, Result};
use crate::model::Members;
use rustix::fd::{AsFd, BorrowedFd};
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An object store, or a part of one below a prefix. Keys are below that prefix.
pub trait Objects: Debug + Send + Sync {
    /// Where it is, without credentials.
    fn address(&self) -> &str;

    /// What tells it from another store, bucket or prefix.
    fn identity(&self) -> Identity;

    /// The same store for somebody who may be told to stop: then its requests are not tried again.
    fn until(&self, stop: Arc<AtomicBool>) -> Arc<dyn Objects>;

    /// Requests that may be under way at the same time: more threads than that are idle.
    fn concurrency(&self) -> usize;

    /// Its objects in the byte order of their keys. A listing that fails ends with what went wrong, as the root's.
    fn list(&self, walking: &Walking) -> Box<dyn Tour>;

    /// Which of these keys, in ascending order, have no object now. Neighbours are looked for together.
    fn absent(&self, keys: &[&str]) -> Result<Vec<bool>>;

    /// The key here of an object that the store's own messages name; `None` of another bucket's, or of one outside the prefix.
    fn key_here(&self, bucket: &str, key: &str) -> Option<String>;

    /// `OSSTagging` and `OSSTaggingCount` of an object as they are now, for one request.
    fn tags(&self, key: &str) -> Result<Members>;

    /// Opens an object. Reads fail once it is no longer in `state`, where that is given, or in the state that it is found in.
    fn open(&self, key: &str, state: Option<Stamp>) -> Result<Box<dyn Object>>;
}

/// An open object, read by ranges.
pub trait Object: ReadAt + Debug {
    /// Its state.
    fn stamp(&self) -> Stamp;

    /// What the store says of it: `ETag`, `OSSStorageClass`, `OSSUserMeta` and the like. May cost a request.
    fn members(&self) -> Result<Members>;

    /// Why a read failed, if one did: what was made of the bytes before is not to be trusted. [`ErrorKind::NotFound`] where the
    /// object is gone, [`ErrorKind::InvalidArgument`] where another read of the same state would fail as well.
    ///
    /// [`ErrorKind::NotFound`]: crate::error::ErrorKind::NotFound
    /// [`ErrorKind::InvalidArgument`]: crate::error::ErrorKind::InvalidArgument
    fn trouble(&self) -> Option<Error>;
}

/// A walk over a folder or a listing of a store: files in the byte order of their keys.
pub trait Tour: Iterator<Item = Found> + Send {
    /// File systems that were met since the last call, each with the key of the directory that it is mounted on.
    fn take_mounts(&mut self) -> Vec<(String, Identity)> {
        Vec::new()
    }
}

impl Tour for Walk {
    fn take_mounts(&mut self) -> Vec<(String, Identity)> {
        Walk::take_mounts(self)
    }
}

/// What a bucket stands for. Clones share what is open.
#[derive(Debug, Clone)]
pub enum Bucket {
    /// A folder.
    Folder(Folder),
    /// A store.
    Objects(Arc<dyn Objects>),
}

impl Bucket {
    /// Opens a folder, or a store by its address (`s3://...`, `oss://...`). A store is not spoken to yet.
    pub fn open(place: &str) -> Result<Bucket> {
        if is_remote(place) { Ok(Bucket::Objects(remote(place)?)) } else { Ok(Bucket::Folder(Folder::open(place)?)) }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Folder> {
        match self {
            Bucket::Folder(folder) => Some(folder),
            Bucket::Objects(_) => None,
        }
    }

    /// The same for somebody who may be told to stop.
    pub fn until(self, stop: Arc<AtomicBool>) -> Bucket {
        match self {
            Bucket::Objects(objects) => Bucket::Objects(objects.until(stop)),
            folder => folder,
        }
    }

    /// Where it is.
    pub fn address(&self) -> String {
        match self {
            Bucket::Folder(folder) => folder.root().display().to_string(),
            Bucket::Objects(objects) => objects.address().to_owned(),
        }
    }

    /// What tells it from another one of the same name.
    pub fn identity(&self) -> Result<Identity> {
        match self {
            Bucket::Folder(folder) => folder.identity(),
            Bucket::Objects(objects) => Ok(objects.identity()),
        }
    }

    /// Visits files in the byte order of their keys.
    pub fn tour(&self, walking: Walking) -> Box<dyn Tour> {
        match self {
            Bucket::Folder(folder) => Box::new(folder.walk_some(walking)),
            Bucket::Objects(objects) => objects.list(&walking),
        }
    }

    /// Opens a file found by a tour.
    pub fn open_file(&self, entry: &Entry) -> Result<Opened> {
        match self {
            Bucket::Folder(folder) => folder.open_file(entry).map(Opened::Local),
            Bucket::Objects(objects) => objects.open(&entry.key, Some(entry.stamp)).map(Opened::Object),
        }
    }

    /// Opens the file of a key.
    pub fn open_key(&self, key: &str) -> Result<Opened> {
        match self {
            Bucket::Folder(folder) => folder.open_key(key).map(Opened::Local),
            Bucket::Objects(objects) => objects.open(key, None).map(Opened::Object),
        }
    }

    /// Questions that may be asked at the same time.
    pub fn concurrency(&self) -> usize {
        match self {
            Bucket::Folder(_) => 1,
            Bucket::Objects(objects) => objects.concurrency(),
        }
    }

    /// Which of these keys, in ascending order, have no file now. What cannot be looked at counts as there.
    pub fn absent(&self, keys: &[&str]) -> Result<Vec<bool>> {
        match self {
            Bucket::Folder(folder) => {
                let gone = |key: &&str| folder.look_key(key).is_ok_and(|found| !matches!(found, Look::File(_)));
                Ok(keys.iter().map(gone).collect())
            }
            Bucket::Objects(objects) => objects.absent(keys),
        }
    }
}

/// Whether a text is the address of a store rather than a path.
pub fn is_remote(place: &str) -> bool {
    place.starts_with("s3://") || place.starts_with("oss://")
}

/// A store by its address. It is not spoken to yet.
#[cfg(feature = "remote")]
pub fn remote(address: &str) -> Result<Arc<dyn Objects>> {
    Ok(Arc::new(super::remote::Store::open(address)?))
}

/// The same of a build that has no object stores: it refuses.
#[cfg(not(feature = "remote"))]
pub fn remote(address: &str) -> Result<Arc<dyn Objects>> {
    let shown: String = address.chars().take_while(|c| *c != '?').take(200).collect();
    Err(Error::invalid(format!("{shown}: object stores are not part of this build (feature remote)")))
}

/// An open file of a bucket.
#[derive(Debug)]
pub enum Opened {
    /// Of a folder.
    Local(LocalFile),
    /// Of a store.
    Object(Box<dyn Object>),
}

impl Opened {
    /// Its state.
    pub fn stamp(&self) -> Stamp {
        match self {
            Opened::Local(file) => file.stamp(),
            Opened::Object(object) => object.stamp(),
        }
    }

    /// The descriptor, if it has one.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Opened::Local(file) => Some(file.as_fd()),
            Opened::Object(_) => None,
        }
    }

    /// Why a read failed, if one did that its reader may have passed over. Reads of folders tell their readers alone.
    pub fn trouble(&self) -> Option<Error> {
        match self {
            Opened::Local(_) => None,
            Opened::Object(object) => object.trouble(),
        }
    }

    /// What a store says of it; nothing of a file of a folder.
    pub fn members(&self) -> Result<Members> {
        match self {
            Opened::Local(_) => Ok(Members::new()),
            Opened::Object(object) => object.members(),
        }
    }
}

impl ReadAt for Opened {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Opened::Local(file) => file.read_at(offset, buf),
            Opened::Object(object) => object.read_at(offset, buf),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Opened::Local(file) => file.len(),
            Opened::Object(object) => object.len(),
        }
    }
}
