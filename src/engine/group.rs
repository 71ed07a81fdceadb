//! Jobs of writers, and the state of every file that a group of them touches.

use super::amendment::Amendment;
use super::document::{self, Incoming};
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, File, Limits, Timestamp, field};
use crate::store::rows::{CountersRow, Placement};
use crate::store::{DatasetId, Reader, Record, Table, keys};
use std::sync::Mutex;

/// What a writer asks for. Each is applied whole or not at all.
#[derive(Debug)]
pub(super) enum Op {
    Put(Vec<Incoming>),
    /// Each answer says whether the file exists and was updated.
    Update(Vec<File>),
    Delete(Vec<String>),
    /// Files that moved, old address first: the document at the new one inherits, the old one goes. Answers for each whether
    /// both were there; if not, nothing happens.
    Move(Vec<(String, String)>),
    /// Answers whether the document was there and as it was expected; if not, nothing happens.
    Amend(Box<Amendment>),
    /// Gives figures of documents their clusters. Answers for each document whether one of its figures changed.
    Place(Vec<Placement>),
}

impl Op {
    fn uris(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Op::Put(files) => Box::new(files.iter().map(|f| f.file.uri())),
            Op::Update(files) => Box::new(files.iter().map(File::uri)),
            Op::Delete(uris) => Box::new(uris.iter().map(String::as_str)),
            Op::Move(pairs) => Box::new(pairs.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()])),
            Op::Amend(amendment) => Box::new(std::iter::once(amendment.uri.as_str())),
            Op::Place(placements) => Box::new(placements.iter().map(|p| p.uri.as_str())),
        }
    }

    fn len(&self) -> usize {
        match self {
            Op::Put(files) => files.len(),
            Op::Update(files) => files.len(),
            Op::Delete(uris) => uris.len(),
            Op::Move(pairs) => pairs.len() * 2,
            Op::Amend(_) => 1,
            Op::Place(placements) => placements.len(),
        }
    }

    fn size(&self) -> Size {
        match self {
            Op::Put(files) => files.iter().map(|f| Size::of(&f.file)).sum(),
            Op::Update(files) => files.iter().map(Size::of).sum(),
            Op::Delete(uris) => uris.iter().map(|uri| Size { docs: 1, bytes: uri.len() }).sum(),
            Op::Move(pairs) => pairs.iter().map(|(from, to)| Size { docs: 2, bytes: from.len() + to.len() }).sum(),
            Op::Amend(amendment) => Size { docs: 1, bytes: document::weight(&amendment.gained) },
            // Documents whole, of which this knows no length: some kilobytes with points.
            Op::Place(placements) => placements.iter().map(|p| Size { docs: 1, bytes: 4096 + p.uri.len() }).sum(),
        }
    }
}

/// How much a job asks for; what batches are bounded by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) docs: usize,
    pub(super) bytes: usize,
}

impl Size {
    /// Documents and bytes of text that one batch holds at most, but for a single document that is larger.
    const MOST: Size = Size { docs: GROUP_DOCS, bytes: 32 << 20 };

    pub(super) fn of(file: &File) -> Size {
        Size { docs: 1, bytes: document::weight(file.members()) }
    }

    pub(super) fn plus(self, other: Size) -> Size {
        Size { docs: self.docs.saturating_add(other.docs), bytes: self.bytes.saturating_add(other.bytes) }
    }

    pub(super) fn fits(self) -> bool {
        self.docs <= Size::MOST.docs && self.bytes <= Size::MOST.bytes
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Size>>(sizes: I) -> Size {
        sizes.fold(Size::default(), Size::plus)
    }
}

/// Documents that one batch holds at most; larger calls are several batches.
pub(super) const GROUP_DOCS: usize = 10_000;

/// Whether each file of the job existed before it.
pub(super) type Outcome = Vec<bool>;

/// A waiting writer's job.
#[derive(Debug)]
pub(super) struct Job {
    op: Mutex<Option<Op>>,
    /// What others are told where it changes something.
    events: Vec<Event>,
    size: Size,
    outcome: Mutex<Option<Result<Outcome>>>,
}

impl Job {
    pub(super) fn new(op: Op, events: Vec<Event>) -> Job {
        let size = op.size();
        Job { op: Mutex::new(Some(op)), events, size, outcome: Mutex::new(None) }
    }

    /// What others are told of an outcome.
    pub(super) fn events(&self, outcome: &Result<Outcome>) -> &[Event] {
        let changed = outcome.as_ref().is_ok_and(|existed| existed.iter().any(|existed| *existed));
        if changed { &self.events } else { &[] }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn take_op(&self) -> Option<Op> {
        lock(&self.op).take()
    }

    pub(super) fn finish(&self, outcome: Result<Outcome>) {
        *lock(&self.outcome) = Some(outcome);
    }

    pub(super) fn take_outcome(&self) -> Option<Result<Outcome>> {
        lock(&self.outcome).take()
    }
}

/// What the group will have done to a file.
#[derive(Debug)]
pub(super) enum After {
    /// Nothing yet.
    Same,
    Gone,
    Put(Box<Record>),
}

/// A file that the group touches.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) uri: String,
    pub(super) before: Option<Before>,
    pub(super) after: After,
}

/// A file as the store has it.
#[derive(Debug)]
pub(super) struct Before {
    created: Timestamp,
    size: u64,
    bound: bool,
    /// The whole record, where the group updates it.
    bytes: Option<Vec<u8>>,
}

impl Slot {
    fn exists(&self) -> bool {
        match &self.after {
            After::Same => self.before.is_some(),
            After::Gone => false,
            After::Put(_) => true,
        }
    }

    fn size(&self) -> u64 {
        match &self.after {
            After::Same => self.before.as_ref().map_or(0, |b| b.size),
            After::Gone => 0,
            After::Put(record) => document::counted_size(&record.members),
        }
    }

    /// The present record, for an update.
    fn record(&self) -> Result<Option<Record>> {
        match &self.after {
            After::Gone => Ok(None),
            After::Put(record) => Ok(Some(record.as_ref().clone())),
            After::Same => {
                let bytes = self.before.as_ref().and_then(|b| b.bytes.as_deref());
                bytes.map(|bytes| Record::decode(&self.uri, bytes)).transpose()
            }
        }
    }

    /// Whether somebody put it by hand.
    fn by_hand(&self) -> bool {
        match &self.after {
            After::Same => self.before.as_ref().is_some_and(|b| !b.bound),
            After::Gone => false,
            After::Put(record) => !record.bound,
        }
    }

    /// The earliest creation time of the file; `now` for a new one. A deleted file that comes back is new.
    fn created(&self, now: Timestamp) -> Timestamp {
        match &self.after {
            After::Same => self.before.as_ref().map_or(now, |b| b.created),
            After::Gone => now,
            After::Put(record) => record.created,
        }
    }
}

/// All files that a group touches, by URI, and what the counters will be.
pub(super) struct Group {
    pub(super) slots: Vec<Slot>,
    /// The slot of each file of each job, in the order of the jobs.
    places: std::vec::IntoIter<usize>,
    pub(super) counters: CountersRow,
    limits: Limits,
    now: Timestamp,
}

impl Group {
    /// Reads what the store has of the files that `ops` touch.
    pub(super) fn load(
        reader: &Reader<'_>,
        dataset: DatasetId,
        ops: &[Op],
        counters: CountersRow,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Group> {
        let mut asked: Vec<(&str, usize)> = ops.iter().flat_map(Op::uris).zip(0..).collect();
        asked.sort_unstable();
        let (mut uris, mut places): (Vec<&str>, Vec<usize>) = (Vec::with_capacity(asked.len()), vec![0; asked.len()]);
        for (uri, number) in asked {
            if uris.last() != Some(&uri) {
                uris.push(uri);
            }
            if let Some(place) = places.get_mut(number) {
                *place = uris.len() - 1;
            }
        }
        let updates = ops.iter().any(|op| match op {
            Op::Update(_) | Op::Move(_) | Op::Amend(_) | Op::Place(_) => true,
            // Faces that are found again stay in their clusters.
            Op::Put(files) => files.iter().any(|incoming| incoming.file.get(field::FIGURES).is_some()),
            Op::Delete(_) => false,
        });
        let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(dataset, uri).bytes).collect();
        let mut slots: Vec<Slot> = Vec::with_capacity(uris.len());
        reader.many(Table::Files, &keys, |at, value| {
            let uri = uris.get(at).copied().unwrap_or("");
            let before = value.map(|bytes| read_before(uri, bytes, updates)).transpose()?;
            slots.push(Slot { uri: uri.to_owned(), before, after: After::Same });
            Ok(())
        })?;
        Ok(Group { slots, places: places.into_iter(), counters, limits, now })
    }

    /// Applies the next of the jobs that were loaded; where it would pass a limit, nothing of it is applied.
    pub(super) fn apply(&mut self, op: Op) -> Result<Outcome> {
        let places: Vec<usize> = self.places.by_ref().take(op.len()).collect();
        let (counters, mut undo) = (self.counters, Vec::with_capacity(places.len()));
        let outcome =
            self.apply_each(op, places, &mut undo).and_then(|outcome| self.check_limits(counters).map(|()| outcome));
        if outcome.is_err() {
            for (at, after) in undo.into_iter().rev() {
                if let Some(slot) = self.slots.get_mut(at) {
                    slot.after = after;
                }
            }
            self.counters = counters;
        }
        outcome
    }

    fn apply_each(&mut self, op: Op, places: Vec<usize>, undo: &mut Vec<(usize, After)>) -> Result<Outcome> {
        let now = self.now;
        match op {
            Op::Put(files) => files
                .into_iter()
                .zip(places)
                .map(|(mut incoming, at)| {
                    if incoming.file.get(field::FIGURES).is_some()
                        && let Some(before) = self.slots.get(at).map(Slot::record).transpose()?.flatten()
                    {
                        document::keep_clusters(incoming.file.members_mut(), &before.members);
                    }
                    let created = self.slots.get(at).map_or(now, |slot| slot.created(now));
                    let bound = incoming.bound && !self.slots.get(at).is_some_and(Slot::by_hand);
                    let record = document::to_record(incoming, created, now, bound);
                    Ok(self.change(at, After::Put(Box::new(record)), undo))
                })
                .collect(),
            Op::Delete(_) => Ok(places.into_iter().map(|at| self.change(at, After::Gone, undo)).collect()),
            Op::Move(_) => places.chunks_exact(2).map(|pair| self.move_file(pair, undo)).collect(),
            Op::Update(files) => files.iter().zip(places).map(|(file, at)| self.update(at, file, undo)).collect(),
            Op::Amend(amendment) => {
                let at = places.first().copied().unwrap_or(usize::MAX);
                self.amend(at, *amendment, undo).map(|amended| vec![amended])
            }
            Op::Place(placements) => {
                placements.iter().zip(places).map(|(placement, at)| self.place(at, placement, undo)).collect()
            }
        }
    }

    fn update(&mut self, at: usize, change: &File, undo: &mut Vec<(usize, After)>) -> Result<bool> {
        let Some(mut record) = self.slots.get(at).map(Slot::record).transpose()?.flatten() else { return Ok(false) };
        document::update(&mut record.members, change);
        record.updated = self.now;
        Ok(self.change(at, After::Put(Box::new(record)), undo))
    }

    fn amend(&mut self, at: usize, amendment: Amendment, undo: &mut Vec<(usize, After)>) -> Result<bool> {
        let Some(mut record) = self.slots.get(at).map(Slot::record).transpose()?.flatten() else { return Ok(false) };
        if !amendment.apply(&mut record) {
            return Ok(false);
        }
        record.updated = self.now;
        Ok(self.change(at, After::Put(Box::new(record)), undo))
    }

    fn place(&mut self, at: usize, placement: &Placement, undo: &mut Vec<(usize, After)>) -> Result<bool> {
        let Some(mut record) = self.slots.get(at).map(Slot::record).transpose()?.flatten() else { return Ok(false) };
        if !document::place_in(&mut record.members, placement) {
            return Ok(false);
        }
        record.updated = self.now;
        Ok(self.change(at, After::Put(Box::new(record)), undo))
    }

    fn move_file(&mut self, pair: &[usize], undo: &mut Vec<(usize, After)>) -> Result<bool> {
        let &[from, to] = pair else { return Ok(false) };
        let record = |at: usize| self.slots.get(at).map(Slot::record).transpose().map(Option::flatten);
        let (Some(old), Some(mut heir)) = (record(from)?, record(to)?) else { return Ok(false) };
        if from == to {
            return Ok(false);
        }
        document::inherit(&mut heir, old);
        heir.updated = self.now;
        self.change(to, After::Put(Box::new(heir)), undo);
        Ok(self.change(from, After::Gone, undo))
    }

    /// Sets what becomes of a file, counts it, and says whether the file existed.
    fn change(&mut self, at: usize, after: After, undo: &mut Vec<(usize, After)>) -> bool {
        let Some(slot) = self.slots.get_mut(at) else { return false };
        let (existed, size) = (slot.exists(), slot.size());
        undo.push((at, std::mem::replace(&mut slot.after, after)));
        let files = &mut self.counters.files;
        *files = files.saturating_sub(u64::from(existed)).saturating_add(u64::from(slot.exists()));
        self.counters.bytes = self.counters.bytes.saturating_sub(size).saturating_add(slot.size());
        existed
    }

    /// Growing past a quota is an error; shrinking while above one is not.
    fn check_limits(&self, before: CountersRow) -> Result<()> {
        let over = |what: &str, now: u64, then: u64, most: i64| {
            if now <= then || i64::try_from(now).is_ok_and(|n| n <= most) {
                return Ok(());
            }
            Err(Error::new(ErrorKind::LimitExceeded, format!("{what}: expected at most {most}, got {now}")))
        };
        over("DatasetMaxFileCount", self.counters.files, before.files, self.limits.file_count)?;
        over("DatasetMaxTotalFileSize", self.counters.bytes, before.bytes, self.limits.total_file_size)
    }
}

fn read_before(uri: &str, bytes: &[u8], whole: bool) -> Result<Before> {
    let record = Record::decode_fields(uri, bytes, &[field::SIZE])?;
    let size = document::counted_size(&record.members);
    Ok(Before { created: record.created, size, bound: record.bound, bytes: whole.then(|| bytes.to_vec()) })
}
