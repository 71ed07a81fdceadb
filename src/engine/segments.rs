//! Segment files and their manifest rows.

use super::failpoint::point;
use super::open::Inner;
use super::space::{Piece, PieceId};
use crate::codec::file::{Durable, TEMP_SUFFIX};
use crate::error::{Error, Result};
use crate::index::{Part, Segment, SegmentId, merge, parse_segment_file};
use crate::store::rows::SegmentRow;
use crate::store::{Reader, keys};
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

/// Merges `parts` into a new durable file; `None` where no document is live. No manifest row names it yet.
pub(super) fn write(
    inner: &Inner,
    parts: &[Part],
    merged: &str,
    written: &str,
) -> Result<Option<(SegmentId, Segment)>> {
    if parts.iter().all(|part| part.live() == 0) {
        return Ok(None);
    }
    let id = SegmentId(inner.next_segment.fetch_add(1, Ordering::Relaxed));
    let path = inner.home.segment(id);
    let mut file = Durable::create(&path)?;
    merge(parts, &mut file)?;
    point(merged)?;
    file.finish()?;
    point(written)?;
    Ok(Some((id, Segment::open(&path)?)))
}

/// The manifest row of a sealed piece.
pub(super) fn row(piece: &Piece) -> Result<SegmentRow> {
    let mut tombstones = Vec::new();
    let deleted = piece.part.deleted.as_ref();
    deleted.serialize_into(&mut tombstones).map_err(|e| Error::io("encode tombstones", e))?;
    Ok(SegmentRow { docs: piece.part.segment.len(), bytes: piece.bytes(), tombstones })
}

/// Opens the file of a manifest row and checks that it is the one that the row describes.
pub(super) fn open(inner: &Inner, id: SegmentId, row: &SegmentRow) -> Result<Piece> {
    let path = inner.home.segment(id);
    let segment = Segment::open(&path)?;
    let (docs, bytes) = (segment.len(), segment.size_bytes());
    if (docs, bytes) != (row.docs, row.bytes) {
        let expected = format!("{} documents in {} bytes", row.docs, row.bytes);
        let message = format!("{}: expected {expected}, got {docs} in {bytes}", path.display());
        return Err(Error::corrupted(message));
    }
    let deleted = RoaringBitmap::deserialize_from(row.tombstones.as_slice())
        .map_err(|e| Error::corrupted(format!("tombstones of {}: {e}", path.display())))?;
    Ok(Piece::new(PieceId::Sealed(id), segment, deleted))
}

/// Removes files that no manifest row names any more. Readers that still map them keep them.
pub(super) fn unlink(inner: &Inner, ids: impl IntoIterator<Item = SegmentId>) {
    for id in ids {
        // What stays behind is removed at the next open.
        drop(fs::remove_file(inner.home.segment(id)));
    }
}

/// Every segment that the manifest names.
pub(super) fn named(reader: &Reader<'_>) -> Result<BTreeSet<SegmentId>> {
    let mut ids = BTreeSet::new();
    let mut rows = reader.scan(&keys::all_segments(), None)?;
    while let Some((key, _)) = rows.current()? {
        let (_, id) =
            keys::number_after_dataset(key).ok_or_else(|| Error::corrupted("a manifest key has no segment"))?;
        ids.insert(SegmentId(id));
        rows.advance();
    }
    Ok(ids)
}

/// Files in the folder of segments: segments by id, and unfinished ones by name.
pub(super) fn listed(inner_folder: &std::path::Path) -> Result<(BTreeSet<SegmentId>, Vec<std::path::PathBuf>)> {
    let failed = |e| Error::io(format_args!("list {}", inner_folder.display()), e);
    let (mut ids, mut unfinished) = (BTreeSet::new(), Vec::new());
    let entries = match fs::read_dir(inner_folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((ids, unfinished)),
        Err(e) => return Err(failed(e)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        match parse_segment_file(&name) {
            Some(id) => drop(ids.insert(id)),
            None if name.ends_with(TEMP_SUFFIX) => unfinished.push(entry.path()),
            None => {}
        }
    }
    Ok((ids, unfinished))
}
