//! The index from the records alone: after damage, or when asked. Reads go on with the old parts, commits with new ones.

use super::document::to_indexed;
use super::failpoint::point;
use super::group::Size;
use super::open::Inner;
use super::options::SEAL_DOCS;
use super::segments;
use super::space::{Piece, PieceId, Space, Tally, View, Writer};
use super::sync::{exclude, lock, share};
use super::view::{Sight, scan_files};
use crate::error::{Error, ErrorKind, Result};
use crate::index::{Part, Segment, SegmentId};
use crate::model::File;
use crate::store::{Batch, Change, DatasetId, Durability, Reader, Record, Scan, keys};
use roaring::RoaringBitmap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Builds the whole index anew and swaps it in.
pub(super) fn rebuild(inner: &Inner, space: &Arc<Space>) -> Result<()> {
    inner.store.writable()?;
    let _structure = exclude(&space.structure);
    let _no_checkpoint = share(&inner.files);
    let (sight, old) = claim(inner, space)?;
    let rebuilt = from_records(inner, space, &sight.reader).and_then(|pieces| {
        let commit = sight.view.commit;
        drop(sight);
        swap(inner, space, commit, pieces)
    });
    lock(&space.writer).busy.retain(|id| !old.contains(id));
    space.tell_shrunk();
    if rebuilt.is_ok() {
        space.damaged.store(false, Ordering::Relaxed);
        Tally::add(&space.tally.rebuilds, 1);
    }
    rebuilt
}

/// What there is now, with all its parts marked busy. IMPORTANT: both under one lock, so that no part ever holds documents
/// from before and from after this moment.
fn claim<'e>(inner: &'e Inner, space: &Space) -> Result<(Sight<'e>, Vec<PieceId>)> {
    let mut writer = lock(&space.writer);
    let sight = Sight::still(inner, space)?;
    let old: Vec<PieceId> = sight.view.pieces.iter().map(|p| p.id).collect();
    writer.busy.extend(old.iter().copied());
    Ok((sight, old))
}

/// New files of all records that `reader` sees.
fn from_records(inner: &Inner, space: &Space, reader: &Reader<'_>) -> Result<Vec<Piece>> {
    point("rebuild-begin")?;
    let mut rows = scan_files(reader, space.id, None)?;
    let (mut pieces, mut parts, mut docs) = (Vec::new(), Vec::new(), 0);
    loop {
        let part = next_part(&mut rows)?;
        let ended = part.is_none();
        if let Some(part) = part {
            docs += part.live();
            parts.push(part);
        }
        if docs >= SEAL_DOCS || ended {
            let written = segments::write(inner, &parts, "rebuild-segment", "rebuild-segment")?;
            pieces.extend(written.map(|(id, s)| Piece::new(PieceId::Sealed(id), s, RoaringBitmap::new())));
            (parts, docs) = (Vec::new(), 0);
        }
        if ended {
            return Ok(pieces);
        }
    }
}

/// A part of the next records of the scan; `None` at its end.
fn next_part(rows: &mut Scan<'_>) -> Result<Option<Part>> {
    let (mut files, mut size): (Vec<File>, Size) = Default::default();
    while size.fits()
        && let Some((key, value)) = rows.current()?
    {
        let uri = uri_of(key)?;
        files.push(to_indexed(uri, Record::decode(uri, value)?));
        size = size.plus(Size { docs: 1, bytes: value.len() });
        rows.advance();
    }
    if files.is_empty() { Ok(None) } else { Segment::build(files).map(Part::whole).map(Some) }
}

/// The URI in a `files` key.
pub(super) fn uri_of(key: &[u8]) -> Result<&str> {
    keys::text_after(key, 8).ok_or_else(|| Error::corrupted("a key of the files table has no URI"))
}

/// All parts of a dataset in memory, where nothing may be written.
pub(super) fn in_memory(reader: &Reader<'_>, dataset: DatasetId) -> Result<Vec<Piece>> {
    let mut rows = scan_files(reader, dataset, None)?;
    let mut pieces = Vec::new();
    while let Some(part) = next_part(&mut rows)? {
        pieces.push(Piece { id: PieceId::Tail { last: 0, serial: pieces.len() as u64 }, part });
    }
    Ok(pieces)
}

/// Puts the rebuilt pieces, which show `commit`, in the place of all that are not newer.
fn swap(inner: &Inner, space: &Arc<Space>, commit: u64, mut pieces: Vec<Piece>) -> Result<()> {
    let mut writer = lock(&space.writer);
    if writer.gone {
        return Err(Error::new(ErrorKind::NotFound, "the dataset was deleted"));
    }
    let reader = inner.store.reader();
    bury_since(&reader, space, commit, &mut pieces)?;
    let view = space.view();
    let mut batch = inner.store.batch();
    let unnamed = unname_all(&reader, &mut batch, space.id)?;
    for piece in &pieces {
        if let PieceId::Sealed(id) = piece.id {
            batch.put(&keys::segment(space.id, id.0), &segments::row(piece)?)?;
        }
    }
    batch.drop_changes(space.id, commit)?;
    point("rebuild-written")?;
    inner.store.commit(batch, Durability::Sync)?;
    let _killed_here = point("rebuild-named");
    keep_newer(&view, commit, &mut pieces, &mut writer);
    space.publish(View::new(view.commit, pieces));
    let _killed_here = point("rebuild-published");
    drop(writer);
    segments::unlink(inner, unnamed);
    let _killed_here = point("rebuild-unlinked");
    Ok(())
}

/// Takes over the parts of commits after `commit`; no tombstone of a file is newer than its row now.
fn keep_newer(view: &View, commit: u64, pieces: &mut Vec<Piece>, writer: &mut Writer) {
    let newer = |p: &&Piece| matches!(p.id, PieceId::Tail { last, .. } if last > commit);
    pieces.extend(view.pieces.iter().filter(newer).cloned());
    writer.dirty.clear();
}

/// Unnames every file of the dataset, known to a view or not, and says which they were.
pub(super) fn unname_all(reader: &Reader<'_>, batch: &mut Batch<'_>, dataset: DatasetId) -> Result<Vec<SegmentId>> {
    let mut unnamed = Vec::new();
    let mut rows = reader.scan(&keys::segments(dataset), None)?;
    while let Some((key, _)) = rows.current()? {
        if let Some((_, id)) = keys::number_after_dataset(key) {
            batch.delete(&keys::segment(dataset, id))?;
            unnamed.push(SegmentId(id));
        }
        rows.advance();
    }
    Ok(unnamed)
}

/// Marks dead in `pieces` what commits after `commit` have touched.
fn bury_since(reader: &Reader<'_>, space: &Space, commit: u64, pieces: &mut [Piece]) -> Result<()> {
    let from = keys::change(space.id, commit.saturating_add(1));
    let mut rows = reader.scan(&keys::changes(space.id), Some(&from))?;
    let mut dead: Vec<RoaringBitmap> = vec![RoaringBitmap::new(); pieces.len()];
    while let Some((_, value)) = rows.current()? {
        for touched in Change::decode(value)?.files {
            for (piece, dead) in pieces.iter().zip(&mut dead) {
                if let Some(doc) = piece.part.segment.find(&touched.uri)? {
                    dead.insert(doc.0);
                }
            }
        }
        rows.advance();
    }
    for (piece, dead) in pieces.iter_mut().zip(dead) {
        piece.part.deleted = Arc::new(dead);
    }
    Ok(())
}
