//! The truth on disk: records, catalog, changes and the segment manifest, in RocksDB behind one door.
//!
//! Nothing of `rocksdb::` leaves this folder. Owns the column families ([`Table`]), their keys, the encodings of rows and
//! records, and the write path: one [`Batch`] lands whole or not at all. Must not know segments or queries. Layouts:
//! `docs/format.md`, "Store".

mod batch;
mod change;
mod door;
mod fault;
pub mod keys;
pub mod notice;
mod options;
mod reader;
pub mod record;
pub mod rows;
mod table;

pub use batch::Batch;
pub use change::{Change, Touched};
pub use door::{Durability, Store, Usage};
pub use keys::{DatasetId, Key, ProjectId};
pub use options::StoreOptions;
pub use reader::{Reader, Scan};
pub use record::{Record, Stamp};
pub use table::Table;
