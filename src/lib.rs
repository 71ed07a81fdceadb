//! medialith: an embeddable media-metadata database.

pub mod codec;
pub mod error;
pub mod model;

#[cfg(feature = "analyze")]
pub mod analyze;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "extract")]
pub mod extract;
#[cfg(feature = "index")]
pub mod index;
#[cfg(feature = "isolate")]
pub mod isolate;
#[cfg(feature = "engine")]
pub mod notify;
#[cfg(feature = "index")]
pub mod query;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "engine")]
pub mod source;
#[cfg(feature = "engine")]
pub mod store;
#[cfg(feature = "engine")]
pub mod task;
#[cfg(feature = "engine")]
pub mod video;

pub use error::{Error, ErrorKind, Result};

/// The README's examples, compiled and run with the other documentation tests.
#[cfg(all(doctest, feature = "engine"))]
#[doc = include_str!("../README.md")]
struct Readme;
