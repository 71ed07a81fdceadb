//! What the engine must agree with: a map of documents, a naive evaluator, and one list of operations that drives both.
//!
//! The model test and the fuzz target `engine_ops` include this folder by path, so that both speak of the same operations.

pub(crate) mod filters;
pub(crate) mod naive;
#[cfg(feature = "engine")]
pub(crate) mod ops;
#[cfg(feature = "engine")]
pub(crate) mod world;
