//! Extraction in jailed worker processes: a file that kills its parser kills a process that holds nothing else.
//!
//! The pool keeps its shape; only the body of a job moves. An [`Extractor`] hands each file to a worker, the same program
//! started anew with one hidden argument, which gets a read-only descriptor and gives back a flat record. Owns the jail,
//! the protocol (`docs/isolation.md`) and what becomes of a worker that dies. Knows no store, and nothing of what facts mean.

mod body;
mod memory;
mod options;
mod outcome;
mod posture;

pub mod wire;

mod channel;
mod jail;
mod remote;
mod worker;

mod backoff;
mod batch;
mod extractor;
mod nursery;
mod process;
mod tally;

pub use batch::{Batch, Item};
pub use body::{Body, Request};
pub use channel::Channel;
pub use extractor::{Extractor, Handle};
pub use memory::Counted;
pub use options::{Isolation, Sandbox};
pub use outcome::{Fault, Outcome};
pub use posture::{Level, Posture};
pub use tally::{Snapshot, Tally};
pub use worker::{ARGUMENT, serve_if_asked, serve_with_if_asked};
