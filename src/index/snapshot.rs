//! The set of live segments as a value: what one query sees.

use super::segment::Segment;
use crate::model::FieldPath;
use roaring::RoaringBitmap;
use std::sync::{Arc, Mutex, PoisonError};

/// Fields whose number of distinct values is remembered.
const MOST_REMEMBERED: usize = 256;

/// Position of a document in its segment, in URI order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId(pub u32);

/// A segment and the documents of it that were deleted or replaced since it was written.
#[derive(Debug, Clone)]
pub struct Part {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Its dead documents.
    pub deleted: Arc<RoaringBitmap>,
}

impl Part {
    /// A segment of which every document is live.
    pub fn whole(segment: Segment) -> Part {
        Part { segment: Arc::new(segment), deleted: Arc::new(RoaringBitmap::new()) }
    }

    /// Number of live documents.
    pub fn live(&self) -> u64 {
        u64::from(self.segment.len()).saturating_sub(self.deleted.len())
    }
}

/// Segments of one dataset. Every live document is in exactly one part.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The parts, oldest first.
    pub parts: Vec<Part>,
    /// How many distinct values fields have in all live documents, as far as somebody asked: counting them means
    /// merging the dictionaries of all parts, and a snapshot never changes.
    distinct: Arc<Mutex<Vec<(FieldPath, u64)>>>,
}

impl Snapshot {
    /// A snapshot of parts, oldest first.
    pub fn new(parts: Vec<Part>) -> Snapshot {
        Snapshot { parts, distinct: Arc::default() }
    }

    /// The number of distinct values of a field in all live documents, if it was counted before.
    pub(crate) fn distinct(&self, field: &FieldPath) -> Option<u64> {
        let known = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(known, _)| known == field).map(|(_, count)| *count)
    }

    /// Remembers the number of distinct values of a field.
    pub(crate) fn remember_distinct(&self, field: &FieldPath, count: u64) {
        let mut known = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_REMEMBERED && known.iter().all(|(known, _)| known != field) {
            known.push((field.clone(), count));
        }
    }

    /// Number of live documents.
    pub fn live(&self) -> u64 {
        self.parts.iter().map(Part::live).sum()
    }
}
