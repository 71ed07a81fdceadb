//! One dataset in memory: the parts of its index, who may change them, and what readers see.

use super::group::Job;
use super::points::Shelf;
use super::sync::lock;
use crate::index::{Part, Segment, SegmentId, Snapshot};
use crate::model::Limits;
use crate::store::DatasetId;
use crate::store::rows::CountersRow;
use arc_swap::ArcSwap;
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::time::Duration;

/// Where the bytes of a part live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum PieceId {
    /// In a file that the manifest names.
    Sealed(SegmentId),
    /// In memory, covered by change rows; the number is the last commit in it.
    Tail { last: u64, serial: u64 },
}

impl PieceId {
    pub(super) fn is_tail(self) -> bool {
        matches!(self, PieceId::Tail { .. })
    }
}

/// One part of a dataset's index.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) id: PieceId,
    pub(super) part: Part,
}

impl Piece {
    pub(super) fn new(id: PieceId, segment: Segment, deleted: RoaringBitmap) -> Piece {
        Piece { id, part: Part { segment: Arc::new(segment), deleted: Arc::new(deleted) } }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.part.segment.size_bytes()
    }
}

/// What a reader sees: the index as of one commit.
#[derive(Debug)]
pub(super) struct View {
    /// Number of the commit; the counters row of a store snapshot that belongs to it says the same.
    pub(super) commit: u64,
    pub(super) pieces: Vec<Piece>,
    /// The parts of `pieces`, as queries take them.
    pub(super) index: Snapshot,
}

impl View {
    pub(super) fn new(commit: u64, pieces: Vec<Piece>) -> View {
        let index = Snapshot::new(pieces.iter().map(|p| p.part.clone()).collect());
        View { commit, pieces, index }
    }

    /// Bytes, documents and number of the parts in memory.
    pub(super) fn tail(&self) -> Tail {
        let mut tail = Tail::default();
        for piece in self.pieces.iter().filter(|p| p.id.is_tail()) {
            tail.bytes += piece.bytes();
            tail.docs += u64::from(piece.part.segment.len());
            tail.pieces += 1;
        }
        tail
    }
}

/// How large the unsealed part of an index is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) bytes: u64,
    pub(super) docs: u64,
    pub(super) pieces: u64,
}

/// What only the writer of the moment touches.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) counters: CountersRow,
    pub(super) limits: Limits,
    /// Parts that a merge is reading; nobody else may replace them.
    pub(super) busy: BTreeSet<PieceId>,
    /// Sealed parts whose tombstones are newer than their manifest rows.
    pub(super) dirty: BTreeSet<SegmentId>,
    /// Number for the next part in memory.
    pub(super) next_serial: u64,
    /// The dataset was deleted; handles to it fail.
    pub(super) gone: bool,
}

/// One open dataset.
pub(super) struct Space {
    pub(super) id: DatasetId,
    /// Writers that wait for their group.
    pub(super) queue: Mutex<Vec<Arc<Job>>>,
    pub(super) writer: Mutex<Writer>,
    /// Read by whoever seals or merges, written by whoever replaces or removes the whole index.
    pub(super) structure: RwLock<()>,
    /// Held by the one who seals: a seal need not wait for a long merge of files.
    pub(super) sealing: Mutex<()>,
    /// Held by the one who merges files.
    pub(super) merging: Mutex<()>,
    /// Points of pictures, as far as they are in memory.
    pub(super) points: Shelf,
    view: ArcSwap<View>,
    /// Signalled when the tail shrinks.
    shrunk: (Mutex<()>, Condvar),
    /// A segment was found damaged; it is rebuilt at the next chance.
    pub(super) damaged: AtomicBool,
    pub(super) tally: Tally,
}

/// Counts for `stats`.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) commits: AtomicU64,
    pub(super) stalls: AtomicU64,
    pub(super) stalled_millis: AtomicU64,
    pub(super) seals: AtomicU64,
    pub(super) merges: AtomicU64,
    pub(super) rebuilds: AtomicU64,
    pub(super) last_failure: Mutex<String>,
}

impl Tally {
    pub(super) fn add(counter: &AtomicU64, number: u64) {
        counter.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, what: &str, error: &crate::error::Error) {
        *lock(&self.last_failure) = format!("{what}: {}", error.message());
    }
}

impl Space {
    pub(super) fn new(id: DatasetId, counters: CountersRow, limits: Limits, pieces: Vec<Piece>) -> Space {
        let serials = pieces.iter().map(|p| if let PieceId::Tail { serial, .. } = p.id { serial + 1 } else { 0 });
        let writer = Writer {
            counters,
            limits,
            busy: BTreeSet::new(),
            dirty: BTreeSet::new(),
            next_serial: serials.max().unwrap_or(0),
            gone: false,
        };
        Space {
            id,
            queue: Mutex::default(),
            writer: Mutex::new(writer),
            structure: RwLock::default(),
            sealing: Mutex::default(),
            merging: Mutex::default(),
            points: Shelf::default(),
            view: ArcSwap::from_pointee(View::new(counters.commit, pieces)),
            shrunk: Default::default(),
            damaged: AtomicBool::new(false),
            tally: Tally::default(),
        }
    }

    /// What readers see now.
    pub(super) fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Lets readers see `view`. The caller holds `writer`.
    pub(super) fn publish(&self, view: View) {
        self.view.store(Arc::new(view));
    }

    /// Tells waiting writers that the tail is shorter.
    pub(super) fn tell_shrunk(&self) {
        drop(lock(&self.shrunk.0));
        self.shrunk.1.notify_all();
    }

    /// Waits until the tail shrinks, at most `patience`.
    pub(super) fn wait_shrunk(&self, patience: Duration) {
        let guard = lock(&self.shrunk.0);
        drop(self.shrunk.1.wait_timeout(guard, patience));
    }
}
