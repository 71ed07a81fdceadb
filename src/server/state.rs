//! What all connections share.

use super::auth::Gate;
use super::limiter::Limiter;
use super::metrics::Metrics;
use super::mns::Ringer;
use super::options::Options;
use crate::engine::{Delivery, Engine, FilmLabels, Follower, Indexer, TaskRunner};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The server's parts; the handlers see them.
pub(super) struct State {
    pub(super) engine: Engine,
    pub(super) indexer: Indexer,
    /// Held, not asked: it ends with the server.
    pub(super) _delivery: Delivery,
    pub(super) ringer: Ringer,
    pub(super) tasks: TaskRunner,
    /// None where nothing may be begun.
    pub(super) films: Option<FilmLabels>,
    /// None where nothing may be begun.
    pub(super) follower: Option<Follower>,
    pub(super) gate: Gate,
    pub(super) limiter: Arc<Limiter>,
    pub(super) metrics: Metrics,
    pub(super) options: Options,
    /// Set while requests are taken.
    pub(super) ready: AtomicBool,
}
