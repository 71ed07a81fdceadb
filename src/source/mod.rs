//! Where bytes come from: local folders, walked in key order and opened without leaving them, and object stores.
//!
//! A [`Bucket`] is one of both. Each regular file below a [`Folder`] has a key, its path with `/` between the names; the keys of
//! a store are its own. Knows nothing of what is in the files.

mod beside;
mod bucket;
mod filter;
mod folder;
mod hint;
mod mounts;
mod name;
mod network;
#[cfg(feature = "remote")]
mod remote;
mod walk;
mod watch;

pub use beside::{described as described_by, may_describe};
pub use bucket::{Bucket, Object, Objects, Opened, Tour, is_remote, remote as store};
pub use filter::Filter;
pub use folder::{Entry, Folder, Identity, LocalFile, Look, Stamp, key_of_path};
pub use hint::{Hint, MOST_MESSAGE, Touch, hints};
pub use mounts::{Mount, mounts_below};
pub(crate) use name::just_before;
pub use network::is_network;
pub use walk::{Found, Skipped, Walk, Walking, Why};
pub use watch::{Event, How, WatchBudget, Watcher};
