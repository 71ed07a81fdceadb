//! The facade, and the only place that combines store, index, query and extraction.
//!
//! Lock order, outer to inner: `catalog`; of one dataset `sealing` or `merging`, then `structure`; `files`; that dataset's
//! `writer`; the table of open datasets.
//! Readers take none of them. How a commit, a seal and a recovery go is told at the head of `commit`, `seal` and `recover`.

mod abreast;
mod amendment;
pub mod attachment;
pub mod audit;
mod background;
mod backup;
mod binding;
mod buckets;
mod catalog;
mod check;
pub mod cluster;
mod commit;
mod compare;
mod dataset;
#[cfg(feature = "push")]
mod delivery;
pub mod detect;
mod document;
mod failpoint;
pub mod film_labels;
pub mod follow;
mod group;
mod home;
mod indexer;
pub mod ingest;
mod inspect;
mod intake;
mod listing;
#[cfg(feature = "models")]
pub mod models;
mod open;
pub mod options;
pub mod outbox;
mod outcome;
mod playlist;
mod points;
mod policy;
mod progress;
mod quarantine;
mod reading;
mod rebuild;
mod recover;
mod reprocess;
mod room;
pub mod scenes;
mod seal;
mod search;
mod segments;
pub mod semantic;
pub mod similar;
mod space;
mod starts;
mod stats;
mod sync;
mod tags;
pub mod tasks;
mod video_labels;
mod view;
pub mod work;
mod workflow;
mod zone;

pub use attachment::Attachment;
pub use audit::{AuditOptions, AuditReport, Difference, TagBudget};
pub use buckets::Buckets;
pub use check::{CheckReport, Problem};
pub use dataset::Dataset;
#[cfg(feature = "push")]
pub use delivery::{Delivery, DeliveryOptions};
pub use failpoint::FAILPOINTS;
pub use film_labels::{FilmCounts, FilmLabels};
pub use follow::{FollowOptions, Follower, StoreEvents};
pub use indexer::{Indexer, IndexerOptions};
pub use ingest::{IngestOptions, IngestReport};
pub use inspect::{Inspection, Inspector};
pub use open::Engine;
pub use options::Options;
pub use progress::{Counts, Progress};
pub use quarantine::Quarantined;
pub use reprocess::Reprocessed;
pub use room::Health;
pub use search::Answer;
pub use similar::Alike;
pub use stats::DatasetStats;
pub use tasks::{TaskOptions, TaskRunner};
pub use work::IndexOrder;

/// What callers of [`Inspector`] and of indexing say and see of extraction.
pub mod extraction {
    pub use crate::extract::pool::PoolOptions;
    pub use crate::extract::{Datum, Digests, Extracted, Fact, FileHash, Group, Limits, Options, Warning};
    pub use crate::isolate::{Isolation, Level, Outcome, Posture, Sandbox, Snapshot};
}

/// Topics, queues, webhooks and their messages: what [`Engine::queues`] takes and gives.
pub mod queues {
    pub use crate::notify::*;
}

pub use crate::query::{Aggregate, Explanation, Group, Highlight, Highlighter, Hits, PlanStep, highlight, language};
pub use crate::source::is_remote;
pub use crate::store::Durability;
pub use crate::video::Options as VideoOptions;
