//! Opening a dataset: its files from the manifest, its tail from the change rows.
//!
//! A change row lists URIs, not documents: the record of a URI is the truth now, so each touched URI is marked dead in
//! every file and built into the tail from its record, however often it changed. A file that is missing or damaged makes
//! the whole index be rebuilt from the records before anybody sees it.

use super::document::to_indexed;
use super::failpoint::point;
use super::group::Size;
use super::open::Inner;
use super::space::{Piece, PieceId, Space};
use super::{rebuild, segments};
use crate::error::{Error, ErrorKind, Result};
use crate::index::{Segment, SegmentId};
use crate::model::{File, Limits};
use crate::store::rows::{CountersRow, Row, SegmentRow};
use crate::store::{Change, DatasetId, Reader, Record, Table, keys};
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Opens one dataset.
pub(super) fn load(inner: &Inner, id: DatasetId, limits: Limits) -> Result<Arc<Space>> {
    point("recover-begin")?;
    let reader = inner.store.reader();
    let counters: CountersRow = reader.row(&keys::counters(id))?.unwrap_or_default();
    match pieces(inner, &reader, id, counters.commit) {
        Ok((pieces, dirty)) => {
            point("recover-replayed")?;
            let space = Space::new(id, counters, limits, pieces);
            super::sync::lock(&space.writer).dirty = dirty;
            Ok(Arc::new(space))
        }
        Err(e) if is_damage(&e) => {
            let pieces = if inner.options.read_only { rebuild::in_memory(&reader, id)? } else { Vec::new() };
            let space = Arc::new(Space::new(id, counters, limits, pieces));
            space.tally.failed("segment", &e);
            if inner.options.read_only {
                space.damaged.store(true, Ordering::Relaxed);
            } else {
                drop(reader);
                rebuild::rebuild(inner, &space)?;
            }
            Ok(space)
        }
        Err(e) => Err(e),
    }
}

/// Whether an index file is at fault, so that the records can help.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupted | ErrorKind::Io | ErrorKind::UnsupportedVersion)
}

/// The pieces of a dataset, and which files have tombstones that the manifest does not.
fn pieces(inner: &Inner, reader: &Reader<'_>, id: DatasetId, commit: u64) -> Result<(Vec<Piece>, BTreeSet<SegmentId>)> {
    let mut pieces = Vec::new();
    let mut rows = reader.scan(&keys::segments(id), None)?;
    while let Some((key, value)) = rows.current()? {
        let (_, segment) =
            keys::number_after_dataset(key).ok_or_else(|| Error::corrupted("a manifest key has no segment"))?;
        pieces.push(segments::open(inner, SegmentId(segment), &SegmentRow::decode(value)?)?);
        rows.advance();
    }
    let touched = touched(reader, id)?;
    let dirty = bury(&mut pieces, &touched)?;
    pieces.extend(replay(reader, id, &touched, commit)?);
    Ok((pieces, dirty))
}

/// Every URI of the change rows, once, in order.
fn touched(reader: &Reader<'_>, id: DatasetId) -> Result<Vec<String>> {
    let mut uris = Vec::new();
    let mut rows = reader.scan(&keys::changes(id), None)?;
    while let Some((_, value)) = rows.current()? {
        uris.extend(Change::decode(value)?.files.into_iter().map(|f| f.uri));
        rows.advance();
    }
    uris.sort_unstable();
    uris.dedup();
    Ok(uris)
}

/// Marks the touched files dead in the sealed pieces.
fn bury(pieces: &mut [Piece], touched: &[String]) -> Result<BTreeSet<SegmentId>> {
    let mut dirty = BTreeSet::new();
    for piece in pieces {
        let mut dead = RoaringBitmap::new();
        for uri in touched {
            if let Some(doc) = piece.part.segment.find(uri)? {
                dead.insert(doc.0);
            }
        }
        if let PieceId::Sealed(id) = piece.id
            && !dead.is_subset(&piece.part.deleted)
        {
            piece.part.deleted = Arc::new(&dead | piece.part.deleted.as_ref());
            dirty.insert(id);
        }
    }
    Ok(dirty)
}

/// Records that are looked up together.
const LOOK_UP: usize = 1000;

/// The tail: the present records of the touched files.
fn replay(reader: &Reader<'_>, id: DatasetId, touched: &[String], commit: u64) -> Result<Vec<Piece>> {
    let (mut pieces, mut files, mut size): (Vec<Piece>, Vec<File>, Size) = Default::default();
    for chunk in touched.chunks(LOOK_UP) {
        let keys: Vec<Vec<u8>> = chunk.iter().map(|uri| keys::file(id, uri).bytes).collect();
        reader.many(Table::Files, &keys, |at, value| {
            if let (Some(uri), Some(bytes)) = (chunk.get(at), value) {
                files.push(to_indexed(uri, Record::decode(uri, bytes)?));
                size = size.plus(Size { docs: 1, bytes: bytes.len() });
            }
            Ok(())
        })?;
        if !size.plus(Size { docs: LOOK_UP, bytes: 0 }).fits() {
            push_part(&mut pieces, &mut files, commit)?;
            size = Size::default();
        }
    }
    push_part(&mut pieces, &mut files, commit)?;
    Ok(pieces)
}

fn push_part(pieces: &mut Vec<Piece>, files: &mut Vec<File>, commit: u64) -> Result<()> {
    if !files.is_empty() {
        let tail = PieceId::Tail { last: commit, serial: pieces.len() as u64 };
        pieces.push(Piece::new(tail, Segment::build(files.drain(..))?, RoaringBitmap::new()));
    }
    Ok(())
}
