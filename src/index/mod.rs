//! Immutable segments over documents. Knows bytes and [`DocId`]s, not RocksDB and not who owns a document.
//!
//! A segment holds the documents of a batch in URI order: `paths` (folders and names as searchable text), `keys` and
//! `numbers` (columns), all over `packed`, `arena` and `postings`. `documents` builds one from files, `merge` one
//! from others. Every byte is described in `docs/format.md`.

mod arena;
mod column;
mod digits;
mod documents;
mod frequent;
mod grams;
mod keys;
mod merge;
mod names;
mod numbers;
mod order;
mod packed;
mod pairs;
mod paths;
mod places;
mod postings;
mod scan;
mod segment;
mod snapshot;
mod spellings;
pub mod text;
mod text_column;
mod typo;
mod unit_set;
mod uris;
mod varint;
mod words;

#[cfg(feature = "engine")]
pub(crate) use frequent::FEW_DOCS;

pub use column::{ColumnId, Part as ColumnPart};
pub use merge::{Merged, merge, merge_in_memory};
pub use names::{SegmentId, parse_segment_file, segment_file};
pub use segment::Segment;
pub use snapshot::{DocId, Part, Snapshot};

pub(crate) use arena::{Arena, Visit};
pub(crate) use column::elements_of;
pub(crate) use keys::KeyColumn;
pub(crate) use numbers::{NumberColumn, from_order_bits, order_bits};
pub(crate) use order::Order;
pub(crate) use packed::{BLOCK as PACKED_BLOCK, Packed};
pub(crate) use pairs::Pairs;
pub(crate) use paths::{Origin, Paths, RunCursor, folder_len};
pub(crate) use places::Places;
pub(crate) use postings::Postings;
pub(crate) use text_column::TextColumn;
pub(crate) use typo::Typo;
pub(crate) use unit_set::UnitSet;
pub(crate) use uris::{UriCursor, Uris};
