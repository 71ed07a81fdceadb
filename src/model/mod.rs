//! The nouns of the interface, spelled as in the IMM API: plain data, no I/O, no locks.
//!
//! Owns what a [`File`] document is, which fields exist ([`Field`]), and what may be asked of them. Must not know
//! how any of it is stored, indexed or sent.

pub mod binding;
pub mod cluster;
pub mod event;
pub mod field;
pub mod file;
pub mod geo;
mod json;
pub mod query;
pub mod space;
pub mod task;
mod time;
pub mod uri;
mod value;

pub use binding::{Binding, BindingPhase, BindingSpec, BindingState, Coverage};
pub use event::{Event, EventType, Notification};
pub use field::{Field, FieldId, FieldPath, KeyCase, Kind};
pub use file::File;
pub use geo::{Area, LatLong};
pub use query::{Aggregation, Anchor, Condition, Filter, Order, Page, Query, SortKey, TextMatch, Typos};
pub use space::{Dataset, DatasetSpec, Limits, Listing, Name, Project, ProjectSpec, Tag};
pub use task::{Task, TaskKind, TaskOrder, TaskQuery, TaskSort, TaskState, TimeRange};
pub use time::{Timestamp, now};
pub use uri::Uri;
pub use value::{Members, Text, Value};
