//! Where bytes come from: local folders, walked in key order and opened without leaving them.
//!
//! A [`Folder`] stands for a bucket: each regular file below it has a key, its path with `/` between the names. Knows
//! nothing of what is in the files.

mod beside;
mod filter;
mod folder;
mod mounts;
mod name;
mod network;
mod walk;
mod watch;

pub use beside::{described as described_by, may_describe};
pub use filter::Filter;
pub use folder::{Entry, Folder, Identity, LocalFile, Look, Stamp, key_of_path};
pub use mounts::{Mount, mounts_below};
pub use network::is_network;
pub use walk::{Found, Skipped, Walk, Walking, Why};
pub use watch::{Event, How, WatchBudget, Watcher};
