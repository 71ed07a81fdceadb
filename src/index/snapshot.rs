//! The set of live segments as a value: what one query sees.

use super::segment::Segment;
use roaring::RoaringBitmap;
use std::sync::Arc;

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
}

impl Snapshot {
    /// Number of live documents.
    pub fn live(&self) -> u64 {
        self.parts.iter().map(Part::live).sum()
    }
}
