//! The write walk: many writers, one batch.
//!
//! A writer queues its job and takes the writer's lock; whoever gets it commits everything that is queued, the others
//! find their outcome ready. IMPORTANT, in this order: the part in memory is built; ONE store batch lands (records, the
//! change row, the counters); the view that holds the part is published. Until the batch lands nobody sees anything, and
//! between batch and publication readers see the view before it, with the store snapshot before it.

use super::document::to_indexed;
use super::failpoint::point;
use super::group::{After, Group, Job, Op, Outcome, Size, Slot};
use super::open::Inner;
use super::outbox::announce;
use super::policy;
use super::space::{Piece, PieceId, Space, Tally, View, Writer};
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::index::{DocId, Part, Segment, merge_in_memory};
use crate::model::{Event, File, now};
use crate::store::{Batch, keys};
use roaring::RoaringBitmap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Longest that a writer waits for the tail to shrink before it goes on.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longest that it waits where the tail is twice as long; after that the write is refused, which bounds memory.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Lands a job together with those that wait beside it.
pub(super) fn submit(inner: &Inner, space: &Arc<Space>, op: Op, events: Vec<Event>) -> Result<Outcome> {
    inner.writable()?;
    wait_for_room(inner, space)?;
    let job = Arc::new(Job::new(op, events));
    lock(&space.queue).push(Arc::clone(&job));
    loop {
        let mut writer = lock(&space.writer);
        if let Some(outcome) = job.take_outcome() {
            return outcome;
        }
        let group = take_group(space);
        if group.is_empty() {
            return Err(Error::new(ErrorKind::Internal, "the writer that took this job along did not finish"));
        }
        commit_group(inner, space, &mut writer, &group);
        fold_tail(space, &mut writer);
        drop(writer);
        if policy::seal_due(&space.view(), inner.tail) {
            inner.background.ask(space);
        }
    }
}

/// Back-pressure: a writer waits while the tail is too long, but not so long that its acknowledgement is late, unless the
/// tail cannot be sealed at all (a full disk).
fn wait_for_room(inner: &Inner, space: &Arc<Space>) -> Result<()> {
    let over = |bytes: u64| space.view().tail().bytes > bytes;
    let (full, bursting) = (inner.tail.wait_bytes, inner.tail.wait_bytes.saturating_mul(2));
    if !over(full) {
        return Ok(());
    }
    let begun = Instant::now();
    Tally::add(&space.tally.stalls, 1);
    let waits = |elapsed: Duration| (over(full) && elapsed < PATIENCE) || (over(bursting) && elapsed < LAST_PATIENCE);
    while waits(begun.elapsed()) {
        inner.store.writable()?;
        inner.background.ask(space);
        space.wait_shrunk(Duration::from_millis(50));
    }
    Tally::add(&space.tally.stalled_millis, begun.elapsed().as_millis() as u64);
    if !over(bursting) {
        return Ok(());
    }
    let why = lock(&space.tally.last_failure).clone();
    let message = format!("the index could not be written out for {LAST_PATIENCE:?}, and no memory is left: {why}");
    Err(Error::new(ErrorKind::BudgetExceeded, message))
}

/// The jobs at the head of the queue that fit one batch, at least one.
fn take_group(space: &Space) -> Vec<Arc<Job>> {
    let mut queue = lock(&space.queue);
    let mut size = Size::default();
    let fitting = queue.iter().take_while(|job| {
        size = size.plus(job.size());
        size.fits()
    });
    let count = fitting.count().max(1).min(queue.len());
    queue.drain(..count).collect()
}

fn commit_group(inner: &Inner, space: &Arc<Space>, writer: &mut Writer, jobs: &[Arc<Job>]) {
    let mut outcomes = Vec::new();
    let committed = try_commit(inner, space, writer, jobs, &mut outcomes);
    if let Err(error) = &committed
        && error.kind() == ErrorKind::Corrupted
    {
        space.tally.failed("commit", error);
    }
    let mut outcomes = outcomes.into_iter();
    for job in jobs {
        let outcome = match &committed {
            Ok(()) => outcomes.next().unwrap_or_else(|| Ok(Outcome::new())),
            Err(error) => Err(Error::new(error.kind(), error.message())),
        };
        job.finish(outcome);
    }
}

fn try_commit(
    inner: &Inner,
    space: &Arc<Space>,
    writer: &mut Writer,
    jobs: &[Arc<Job>],
    outcomes: &mut Vec<Result<Outcome>>,
) -> Result<()> {
    if writer.gone {
        return Err(Error::new(ErrorKind::NotFound, "the dataset was deleted"));
    }
    let ops: Vec<Op> = jobs.iter().filter_map(|job| job.take_op()).collect();
    let reader = inner.store.reader();
    let mut group = Group::load(&reader, space.id, &ops, writer.counters, writer.limits.clone(), now())?;
    drop(reader);
    outcomes.extend(ops.into_iter().map(|op| group.apply(op)));
    let Group { slots, mut counters, .. } = group;
    let touched: Vec<Slot> = slots.into_iter().filter(is_change).collect();
    if touched.is_empty() {
        return Ok(());
    }
    counters.commit += 1;
    let replaced: Vec<String> = touched.iter().filter(|s| s.before.is_some()).map(|s| s.uri.clone()).collect();
    let mut batch = inner.store.batch();
    let files = fill(&mut batch, space, counters.commit, touched)?;
    batch.put(&keys::counters(space.id), &counters)?;
    // IMPORTANT: everything that can fail comes before the batch, everything after it cannot.
    let part = if files.is_empty() { None } else { Some(Segment::build(files)?) };
    let view = space.view();
    let mut pieces = bury(space, writer, &view.pieces, &replaced)?;
    let events: Vec<Event> = jobs.iter().zip(&*outcomes).flat_map(|(job, o)| job.events(o)).cloned().collect();
    let announced = announce(inner, &mut batch, &events)?;
    point("commit-before-batch")?;
    inner.store.commit(batch, inner.options.durability)?;
    drop(announced);
    let _killed_here = point("commit-before-publish");
    if let Some(segment) = part {
        let id = PieceId::Tail { last: counters.commit, serial: writer.next_serial };
        writer.next_serial += 1;
        pieces.push(Piece::new(id, segment, RoaringBitmap::new()));
    }
    writer.counters = counters;
    space.publish(View::new(counters.commit, pieces));
    Tally::add(&space.tally.commits, 1);
    let _killed_here = point("commit-after-publish");
    Ok(())
}

fn is_change(slot: &Slot) -> bool {
    match slot.after {
        After::Same => false,
        After::Gone => slot.before.is_some(),
        After::Put(_) => true,
    }
}

/// Puts records and the change row into the batch; returns what the index shall see.
fn fill(batch: &mut Batch<'_>, space: &Space, commit: u64, touched: Vec<Slot>) -> Result<Vec<File>> {
    let listed: Vec<(&str, bool)> = touched.iter().map(|s| (s.uri.as_str(), matches!(s.after, After::Gone))).collect();
    batch.put_change(space.id, commit, listed.into_iter())?;
    let mut files = Vec::with_capacity(touched.len());
    let mut bytes = Vec::new();
    for slot in touched {
        let key = keys::file(space.id, &slot.uri);
        match slot.after {
            After::Put(record) => {
                bytes.clear();
                record.encode(&slot.uri, &mut bytes);
                batch.put_bytes(&key, &bytes)?;
                files.push(to_indexed(&slot.uri, *record));
            }
            After::Gone | After::Same => batch.delete(&key)?,
        }
    }
    Ok(files)
}

/// The pieces with the present copies of `uris` marked dead.
fn bury(space: &Space, writer: &mut Writer, pieces: &[Piece], uris: &[String]) -> Result<Vec<Piece>> {
    let mut pieces = pieces.to_vec();
    for piece in &mut pieces {
        let mut dead = RoaringBitmap::new();
        for uri in uris {
            match find_live(&piece.part, uri) {
                Ok(doc) => drop(doc.map(|doc| dead.insert(doc.0))),
                // A damaged segment is rebuilt from the records, which will no longer hold the old copies.
                Err(e) if e.kind() == ErrorKind::Corrupted && !piece.id.is_tail() => {
                    space.damaged.store(true, Ordering::Relaxed);
                    space.tally.failed("segment", &e);
                    break;
                }
                Err(e) => return Err(e),
            }
        }
        if !dead.is_empty() {
            piece.part.deleted = Arc::new(&dead | piece.part.deleted.as_ref());
            if let PieceId::Sealed(id) = piece.id {
                writer.dirty.insert(id);
            }
        }
    }
    Ok(pieces)
}

/// The live document of a URI in a part.
pub(super) fn find_live(part: &Part, uri: &str) -> Result<Option<DocId>> {
    Ok(part.segment.find(uri)?.filter(|doc| !part.deleted.contains(doc.0)))
}

/// Merges small parts in memory, so that a query meets few of them however small the commits are.
fn fold_tail(space: &Arc<Space>, writer: &mut Writer) {
    loop {
        let view = space.view();
        let Some(chosen) = policy::fold(&view.pieces, &writer.busy) else { return };
        let (folded, kept): (Vec<Piece>, Vec<Piece>) =
            view.pieces.iter().cloned().partition(|p| chosen.contains(&p.id));
        let parts: Vec<Part> = folded.iter().map(|p| p.part.clone()).collect();
        let last = folded.iter().map(|p| if let PieceId::Tail { last, .. } = p.id { last } else { 0 }).max();
        let id = PieceId::Tail { last: last.unwrap_or(0), serial: writer.next_serial };
        let mut pieces = kept;
        match merge_in_memory(&parts) {
            Ok(segment) if segment.is_empty() => {}
            Ok(segment) => pieces.push(Piece::new(id, segment, RoaringBitmap::new())),
            Err(e) => return space.tally.failed("merge in memory", &e),
        }
        writer.next_serial += 1;
        space.publish(View::new(view.commit, pieces));
    }
}
