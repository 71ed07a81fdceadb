//! The operations: one table of names, parameters and handlers, from which dispatch, the OpenAPI document and the check
//! of `docs/imm.md` follow.

mod binding;
mod bucket;
mod cluster;
mod dataset;
mod detect;
mod figure;
mod file;
mod index;
mod picture;
mod project;
mod query;
mod region;
mod table;
mod task;
mod video;
mod webhook;

pub use file::read_changed_file;
pub use index::read_input_file;
pub use table::{ACTIONS, Action, Kind, Need, Param, UNSERVED};
pub(super) use table::{Call, find};
