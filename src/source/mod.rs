//! Where bytes come from: local folders, walked in key order and opened without leaving them.
//!
//! A [`Folder`] stands for a bucket: each regular file below it has a key, its path with `/` between the names. Knows
//! nothing of what is in the files.

mod beside;
mod folder;
mod name;
mod walk;

pub use folder::{Entry, Folder, LocalFile, Stamp};
pub use walk::{Found, Skipped, Walk, Why};
