//! The one integration-test binary (each binary would link RocksDB again). One module per concern.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as its assertions do, and say what they skip"
)]

#[cfg(feature = "index")]
#[path = "../model/mod.rs"]
mod model;

#[cfg(feature = "cli")]
#[path = "../bombs/mod.rs"]
mod bombs;

#[cfg(feature = "server")]
#[path = "../receiver/mod.rs"]
mod receiver;
#[cfg(feature = "server")]
#[path = "../server/mod.rs"]
mod server;

#[cfg(feature = "remote")]
#[path = "../s3/mod.rs"]
mod s3;

#[cfg(feature = "engine")]
mod adversity;
#[cfg(feature = "engine")]
mod bad_input;
#[cfg(feature = "failpoints")]
mod beyond;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "engine")]
mod clusters;
#[cfg(feature = "cli")]
#[path = "bombs.rs"]
mod defused;
mod docs;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "extract")]
mod extract;
#[cfg(feature = "extract")]
mod extract_media;
#[cfg(feature = "cli")]
mod figures;
#[cfg(feature = "engine")]
mod films;
#[cfg(feature = "index")]
mod filter;
#[cfg(feature = "engine")]
mod follow;
#[cfg(feature = "engine")]
mod format;
#[cfg(feature = "index")]
mod fuzzy;
#[cfg(feature = "engine")]
mod histories;
#[cfg(feature = "engine")]
mod ingest;
mod interleavings;
#[cfg(feature = "failpoints")]
mod isolation;
mod layers;
#[cfg(feature = "engine")]
mod moves;
#[cfg(feature = "cli")]
mod packs;
#[cfg(feature = "engine")]
mod paging;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "remote")]
mod remote_events;
#[cfg(feature = "cli")]
mod remote_storm;
#[cfg(feature = "cli")]
mod semantic;
#[cfg(feature = "cli")]
mod storm;
mod style;
mod tree;

#[cfg(feature = "engine")]
mod tasks;
#[cfg(feature = "engine")]
mod timeline;
#[cfg(feature = "engine")]
mod workflow;
