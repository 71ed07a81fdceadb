//! Parts become files, and files become fewer.
//!
//! A seal merges all parts in memory into a file; a merge, several files into one. IMPORTANT, in this order: the file is
//! written and durable; ONE batch names it, unnames what it replaces, writes the tombstones that changed, and (a seal)
//! drops the change rows that it covers; the view is swapped; replaced files are unlinked. Commits go on meanwhile:
//! what they delete from the parts being merged is deleted from the output before it is named.

use super::failpoint::point;
use super::open::Inner;
use super::rebuild;
use super::segments;
use super::space::{Piece, PieceId, Space, Tally, View, Writer};
use super::sync::{enter, lock, share};
use super::{commit, policy};
use crate::error::{Error, ErrorKind, Result};
use crate::index::{DocId, Part, Segment, SegmentId};
use crate::store::{Batch, Durability, keys};
use roaring::RoaringBitmap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The named steps of one kind of merge.
struct Steps {
    begin: &'static str,
    merged: &'static str,
    written: &'static str,
    named: &'static str,
    published: &'static str,
}

const SEAL: Steps = Steps {
    begin: "seal-begin",
    merged: "seal-merged",
    written: "seal-written",
    named: "seal-named",
    published: "seal-published",
};

const MERGE: Steps = Steps {
    begin: "merge-begin",
    merged: "merge-merged",
    written: "merge-written",
    named: "merge-named",
    published: "merge-published",
};

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Care {
    /// What is due.
    Due,
    /// Also what is better done while nobody writes.
    AtRest,
    /// Also a short tail, waiting for what others are doing.
    All,
}

impl Care {
    fn merge(self, pieces: &[Piece], most_docs: u64) -> Option<Vec<PieceId>> {
        let at_rest = || (self >= Care::AtRest).then(|| policy::merge_at_rest(pieces, most_docs)).flatten();
        policy::merge(pieces, most_docs).or_else(at_rest)
    }
}

/// Does what is to be done and what nobody else is doing: rebuilds a damaged index, seals a long tail, merges files.
pub(super) fn maintain(inner: &Inner, space: &Arc<Space>, care: Care) -> Result<()> {
    let all = care == Care::All;
    if space.damaged.load(Ordering::Relaxed) {
        rebuild::rebuild(inner, space)?;
    }
    loop {
        let view = space.view();
        let tail_due = policy::seal_due(&view, inner.tail) || (all && view.tail().pieces > 0);
        if tail_due && let Some(_sealing) = enter(&space.sealing, all) {
            seal(inner, space)?;
        } else if !inner.room.is_short()
            && care.merge(&view.pieces, inner.tail.most_merged_docs).is_some()
            && let Some(_merging) = enter(&space.merging, all)
        {
            merge_files(inner, space, care)?;
        } else {
            return Ok(());
        }
    }
}

/// Writes the tail of now to a file. The caller holds `sealing`.
fn seal(inner: &Inner, space: &Arc<Space>) -> Result<()> {
    let _structure = share(&space.structure);
    let (inputs, watermark) =
        claim(space, |pieces| Some(pieces.iter().filter(|p| p.id.is_tail()).map(|p| p.id).collect()));
    if inputs.is_empty() {
        return Ok(());
    }
    let sealed = replace(inner, space, &inputs, Some(watermark), &SEAL);
    release(space, &inputs);
    space.tell_shrunk();
    Tally::add(&space.tally.seals, 1);
    sealed
}

/// Merges the files that the policy picks. The caller holds `merging`.
fn merge_files(inner: &Inner, space: &Arc<Space>, care: Care) -> Result<()> {
    let _structure = share(&space.structure);
    let (inputs, _) = claim(space, |pieces| care.merge(pieces, inner.tail.most_merged_docs));
    if inputs.is_empty() {
        return Ok(());
    }
    let merged = replace(inner, space, &inputs, None, &MERGE);
    release(space, &inputs);
    Tally::add(&space.tally.merges, 1);
    merged
}

/// Marks the chosen pieces busy; also says which commit they are complete to. The caller shares `structure`.
fn claim(space: &Space, choose: impl Fn(&[Piece]) -> Option<Vec<PieceId>>) -> (Vec<Piece>, u64) {
    let mut writer = lock(&space.writer);
    let view = space.view();
    let chosen = choose(&view.pieces).unwrap_or_default();
    writer.busy.extend(chosen.iter().copied());
    (view.pieces.iter().filter(|p| chosen.contains(&p.id)).cloned().collect(), view.commit)
}

fn release(space: &Space, inputs: &[Piece]) {
    let mut writer = lock(&space.writer);
    writer.busy.retain(|id| inputs.iter().all(|p| p.id != *id));
}

/// Replaces `inputs` by one file of their live documents. `watermark`: the commit up to which change rows are covered.
fn replace(inner: &Inner, space: &Arc<Space>, inputs: &[Piece], watermark: Option<u64>, steps: &Steps) -> Result<()> {
    let _no_checkpoint = share(&inner.files);
    point(steps.begin)?;
    let parts: Vec<Part> = inputs.iter().map(|p| p.part.clone()).collect();
    let output = segments::write(inner, &parts, steps.merged, steps.written).inspect_err(|e| damaged(space, e))?;
    let mut writer = lock(&space.writer);
    if writer.gone {
        segments::unlink(inner, output.map(|(id, _)| id));
        return Ok(());
    }
    let view = space.view();
    let piece = output.map(|(id, segment)| bury_late(&view, inputs, id, segment)).transpose()?;
    let mut pieces: Vec<Piece> =
        view.pieces.iter().filter(|p| inputs.iter().all(|input| input.id != p.id)).cloned().collect();
    pieces.extend(piece.clone());
    let mut batch = inner.store.batch();
    let unnamed: Vec<SegmentId> =
        inputs.iter().filter_map(|p| if let PieceId::Sealed(id) = p.id { Some(id) } else { None }).collect();
    name(&mut batch, space, &mut writer, piece.as_ref(), &unnamed)?;
    if let Some(commit) = watermark {
        put_dirty(&mut batch, space, &writer, &pieces)?;
        batch.drop_changes(space.id, commit)?;
    }
    inner.store.commit(batch, Durability::Sync)?;
    if watermark.is_some() {
        writer.dirty.clear();
    }
    let _killed_here = point(steps.named);
    space.publish(View::new(view.commit, pieces));
    drop(writer);
    let _killed_here = point(steps.published);
    segments::unlink(inner, unnamed);
    let _killed_here = point("merge-unlinked");
    if inner.options.is_scarce() {
        // Writers look into every segment whether it has their files: without this most of the index would stay in memory.
        space.view().pieces.iter().for_each(|piece| piece.part.segment.release_pages());
    }
    Ok(())
}

/// A damaged input is found out while it is read: the index is rebuilt at the next chance.
pub(super) fn damaged(space: &Space, error: &Error) {
    if error.kind() == ErrorKind::Corrupted {
        space.damaged.store(true, Ordering::Relaxed);
        space.tally.failed("segment", error);
    }
}

/// The new file as a piece, with what commits deleted from its inputs while it was written.
fn bury_late(view: &View, inputs: &[Piece], id: SegmentId, segment: Segment) -> Result<Piece> {
    let whole = Part::whole(segment);
    let mut dead = RoaringBitmap::new();
    for before in inputs {
        let Some(after) = view.pieces.iter().find(|p| p.id == before.id) else { continue };
        for doc in after.part.deleted.as_ref() - before.part.deleted.as_ref() {
            let uri = before.part.segment.uri(DocId(doc))?;
            if let Some(doc) = commit::find_live(&whole, &uri)? {
                dead.insert(doc.0);
            }
        }
    }
    Ok(Piece { id: PieceId::Sealed(id), part: Part { segment: whole.segment, deleted: Arc::new(dead) } })
}

/// Names the new file and unnames those that it replaces.
fn name(
    batch: &mut Batch<'_>,
    space: &Space,
    writer: &mut Writer,
    piece: Option<&Piece>,
    unnamed: &[SegmentId],
) -> Result<()> {
    for id in unnamed {
        batch.delete(&keys::segment(space.id, id.0))?;
        writer.dirty.remove(id);
    }
    match piece {
        Some(Piece { id: PieceId::Sealed(id), .. }) => {
            let row = piece.map(segments::row).transpose()?;
            row.map_or(Ok(()), |row| batch.put(&keys::segment(space.id, id.0), &row))
        }
        _ => Ok(()),
    }
}

/// Writes the tombstones of sealed pieces that commits have changed since they were last written.
fn put_dirty(batch: &mut Batch<'_>, space: &Space, writer: &Writer, pieces: &[Piece]) -> Result<()> {
    for piece in pieces {
        if let PieceId::Sealed(id) = piece.id
            && writer.dirty.contains(&id)
        {
            batch.put(&keys::segment(space.id, id.0), &segments::row(piece)?)?;
        }
    }
    Ok(())
}
