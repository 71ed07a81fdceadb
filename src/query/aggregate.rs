//! What is computed over all hits: sums, counts, groups, histograms. Everything is exact.
//!
//! Values are tallied by slot in each segment; as slots are ordered like values, the tallies of several segments are
//! merged in order, without a table of all values.

use super::filter::{Compiler, Evaluation};
use super::guard::Context;
use super::sort::PartHits;
use super::values::{Shared, Slotted, Values};
use crate::error::{Error, Result};
use crate::index::{KeyColumn, NumberColumn, Snapshot, Visit};
use crate::model::query::{Calendar, Operation, Test};
use crate::model::{Aggregation, Condition, FieldPath, Kind, Timestamp};
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};

/// The result of one aggregation; as JSON with the API's member names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Aggregate {
    /// The field.
    #[serde(serialize_with = "as_text")]
    pub field: FieldPath,
    /// What was computed.
    #[serde(serialize_with = "as_text")]
    pub operation: Operation,
    /// The number; `None` for groups, and for `min`, `max` and `average` of no values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The groups, for operations that make some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

fn as_text<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Files that have a value in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
    /// The value as text; of a histogram the beginning of the interval; of a range `from..to`, either end may be open.
    pub value: String,
    /// Number of files.
    pub count: u64,
}

/// Computes every aggregation over the hits of all segments of a snapshot.
pub(crate) fn all(
    snapshot: &Snapshot,
    parts: &[PartHits<'_>],
    aggregations: &[Aggregation],
    most_groups: usize,
    context: &Context<'_>,
) -> Result<Vec<Aggregate>> {
    let one = |aggregation: &Aggregation| {
        context.tick()?;
        let task = Task { snapshot, parts, path: aggregation.field(), most_groups, context };
        let (value, groups) = match aggregation.operation() {
            Operation::Count => (Some(task.count()? as f64), Vec::new()),
            Operation::Min | Operation::Max | Operation::Average | Operation::Sum => {
                (task.numbers()?.answer(aggregation.operation()), Vec::new())
            }
            Operation::Distinct => (Some(task.distinct()? as f64), Vec::new()),
            Operation::Group => (None, task.groups()?),
            Operation::Histogram(calendar) => (None, task.histogram(*calendar)?),
            Operation::Ranges(bounds) => (None, task.ranges(bounds)?),
        };
        let (field, operation) = (aggregation.field().clone(), aggregation.operation().clone());
        Ok(Aggregate { field, operation, value, groups })
    };
    aggregations.iter().map(one).collect()
}

struct Task<'t> {
    snapshot: &'t Snapshot,
    parts: &'t [PartHits<'t>],
    path: &'t FieldPath,
    most_groups: usize,
    context: &'t Context<'t>,
}

/// Number of files by value, values ascending.
#[expect(
    clippy::large_enum_variant,
    reason = "a few for each query and segment: boxing them would cost more than the room"
)]
enum Tally<'a> {
    /// By slot of a column.
    Slots(Slotted<'a>, Vec<(u64, u64)>),
    Texts(Vec<(Vec<u8>, u64)>),
}

impl Tally<'_> {
    fn len(&self) -> usize {
        match self {
            Tally::Slots(_, rows) => rows.len(),
            Tally::Texts(rows) => rows.len(),
        }
    }

    fn count(&self, row: usize) -> u64 {
        match self {
            Tally::Slots(_, rows) => rows.get(row).map_or(0, |(_, count)| *count),
            Tally::Texts(rows) => rows.get(row).map_or(0, |(_, count)| *count),
        }
    }

    fn value(&self, row: usize) -> Shared<'_> {
        match self {
            Tally::Slots(column, rows) => column.value(rows.get(row).map_or(0, |(slot, _)| *slot)),
            Tally::Texts(rows) => Shared::Text(rows.get(row).map_or(&[], |(text, _)| text)),
        }
    }
}

impl Task<'_> {
    /// Files that have a value.
    fn count(&self) -> Result<u64> {
        let condition = Condition::new(self.path.clone(), Test::Exists)?;
        let mut count = 0;
        for part in self.parts {
            let compiler = Compiler { segment: part.segment, context: self.context };
            let node = compiler.alone(&condition)?;
            let evaluation = Evaluation::untold(self.context, part.segment.len());
            count += evaluation.keep(&node, part.docs.clone())?.len();
        }
        Ok(count)
    }

    fn values<'p>(&self, part: &'p PartHits<'_>) -> Result<Values<'p>>
    where
        Self: 'p,
    {
        Values::of(part.segment, self.path)
    }

    fn numbers(&self) -> Result<Numbers> {
        let mut sum = Numbers::default();
        for part in self.parts {
            if let Values::Column(Slotted::Numbers(column), elements) = self.values(part)? {
                let mut slots = SlotSum::new(column);
                elements.all(&part.docs, column.slots(), self.context, |values| slots.add(values))?;
                sum.merge(&slots);
            }
        }
        Ok(sum)
    }

    /// `counted`: whether it matters how many files have each value.
    fn tally<'p>(&self, part: &'p PartHits<'_>, counted: bool) -> Result<Tally<'p>>
    where
        Self: 'p,
    {
        let values = self.values(part)?;
        let Values::Column(column, elements) = values else { return self.tally_texts(part, &values) };
        if part.is_everything()
            && let Slotted::Dictionary(_, postings) = &column
        {
            // Every value of a dictionary is that of some document.
            let count = |ordinal| if counted { postings.count(ordinal) } else { 1 };
            let rows = (0..postings.len()).map(|ordinal| (ordinal as u64 + 1, count(ordinal))).collect();
            return Ok(Tally::Slots(column, rows));
        }
        let mut rows: Vec<(u64, u64)> = Vec::new();
        let distinct = column.distinct();
        if distinct.is_some_and(|distinct| distinct <= part.docs.len() as usize * 4) {
            let mut counts = vec![0u64; distinct.unwrap_or(0) + 1];
            elements.each_distinct(&part.docs, column.slots(), self.context, |slot| {
                if let Some(count) = counts.get_mut(slot as usize) {
                    *count += 1;
                }
            })?;
            rows.extend((0..).zip(counts).filter(|(slot, count)| *slot > 0 && *count > 0));
        } else {
            let mut slots = Vec::new();
            elements.each_distinct(&part.docs, column.slots(), self.context, |slot| slots.push(slot))?;
            self.context.afford(slots.len() * size_of::<u64>())?;
            slots.sort_unstable();
            rows.extend(slots.chunk_by(|a, b| a == b).filter_map(|run| Some((*run.first()?, run.len() as u64))));
        }
        self.context.afford(rows.len() * size_of::<(u64, u64)>())?;
        Ok(Tally::Slots(column, rows))
    }

    fn tally_texts<'p>(&self, part: &PartHits<'_>, values: &Values<'_>) -> Result<Tally<'p>> {
        let mut rows: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut bytes = 0;
        for (seen, doc) in part.docs.iter().enumerate() {
            if seen.is_multiple_of(1024) {
                self.context.tick()?;
                self.context.afford(bytes)?;
            }
            values.each_text(part.segment, doc, self.context, |value| {
                let room = value.len() + size_of::<(Vec<u8>, u64)>();
                *rows.entry(value).or_insert_with(|| {
                    bytes += room;
                    0
                }) += 1;
            })?;
        }
        Ok(Tally::Texts(rows.into_iter().collect()))
    }

    fn tallies(&self, counted: bool) -> Result<Vec<Tally<'_>>> {
        self.parts.iter().map(|part| self.tally(part, counted)).collect()
    }

    fn distinct(&self) -> Result<u64> {
        let everything = self.parts.iter().map(|part| part.docs.len()).sum::<u64>() == self.snapshot.live();
        if let Some(known) = self.snapshot.distinct(self.path).filter(|_| everything) {
            return Ok(known);
        }
        let tallies = self.tallies(false)?;
        let mut distinct = 0;
        match tallies.as_slice() {
            [only] => distinct = only.len() as u64,
            several => merged(several, self.context, |_, _| distinct += 1)?,
        }
        if everything {
            self.snapshot.remember_distinct(self.path, distinct);
        }
        Ok(distinct)
    }

    fn groups(&self) -> Result<Vec<Group>> {
        let tallies = self.tallies(true)?;
        let mut top = TopGroups { most: self.most_groups, heap: BinaryHeap::new() };
        let kind = self.path.id.field().kind;
        if let [only] = tallies.as_slice() {
            for row in 0..only.len() {
                top.offer(only.count(row), || shown(&only.value(row), kind));
            }
        } else {
            merged(&tallies, self.context, |value, count| top.offer(count, || shown(value, kind)))?;
        }
        Ok(top.finish())
    }

    fn histogram(&self, calendar: Calendar) -> Result<Vec<Group>> {
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for part in self.parts {
            if let Values::Column(Slotted::Numbers(column), elements) = self.values(part)? {
                let mut interval = Interval::default();
                elements.each(&part.docs, column.slots(), self.context, |_, slot| {
                    if let Some(time) = column.order_of(slot) {
                        interval.move_to(time, calendar);
                        *counts.entry(interval.from).or_insert(0) += 1;
                    }
                })?;
            }
        }
        if counts.len() > self.most_groups {
            let (got, most) = (counts.len(), self.most_groups);
            let message = format!("{}: the histogram has {got} intervals, expected at most {most}", self.path);
            return Err(Error::invalid(format!("{message}: choose longer ones, or more groups")));
        }
        let group = |(from, count)| Group { value: Timestamp(from).to_string(), count };
        Ok(counts.into_iter().map(group).collect())
    }

    fn ranges(&self, bounds: &[f64]) -> Result<Vec<Group>> {
        let mut counts = vec![0u64; bounds.len() + 1];
        for part in self.parts {
            if let Values::Column(Slotted::Numbers(column), elements) = self.values(part)? {
                let range = |slot: u64| {
                    let value = column.float_of(slot);
                    bounds.partition_point(|bound| *bound <= value)
                };
                let mut last = (u32::MAX, usize::MAX);
                elements.each(&part.docs, column.slots(), self.context, |doc, slot| {
                    let at = range(slot);
                    // A file with several values in one range counts once where they follow each other.
                    if last != (doc, at)
                        && let Some(count) = counts.get_mut(at)
                    {
                        *count += 1;
                    }
                    last = (doc, at);
                })?;
            }
        }
        let bound = |at: Option<usize>| at.and_then(|at| bounds.get(at)).map(f64::to_string).unwrap_or_default();
        let named = |(at, count): (usize, u64)| Group {
            value: format!("{}..{}", bound(at.checked_sub(1)), bound(Some(at))),
            count,
        };
        Ok(counts.into_iter().enumerate().map(named).collect())
    }
}

/// Walks the values of several tallies in order, adding up the counts of equal ones.
fn merged(tallies: &[Tally<'_>], context: &Context<'_>, mut each: impl FnMut(&Shared<'_>, u64)) -> Result<()> {
    let mut walks: Vec<TallyWalk<'_>> = tallies.iter().map(TallyWalk::new).collect();
    let mut heap = BinaryHeap::new();
    for (at, walk) in walks.iter_mut().enumerate() {
        heap.extend(walk.next().map(|(value, count)| Reverse((value, at, count))));
    }
    let mut current: Option<(Shared<'_>, u64)> = None;
    let mut seen = 0u64;
    while let Some(mut top) = heap.peek_mut() {
        seen += 1;
        if seen.is_multiple_of(4096) {
            context.tick()?;
        }
        let Reverse((value, at, count)) = *top;
        // The next value of a tally mostly stays near the top: it takes the place of the last.
        match walks.get_mut(at).and_then(TallyWalk::next) {
            Some((value, count)) => *top = Reverse((value, at, count)),
            None => drop(PeekMut::pop(top)),
        }
        match &mut current {
            Some((last, sum)) if *last == value => *sum += count,
            _ => {
                if let Some((last, sum)) = current.replace((value, count)) {
                    each(&last, sum);
                }
            }
        }
    }
    if let Some((last, sum)) = current {
        each(&last, sum);
    }
    Ok(())
}

/// The values of a tally in order: those of a dictionary are read one after another, where finding each would pass its
/// neighbours again.
struct TallyWalk<'t> {
    tally: &'t Tally<'t>,
    dictionary: Option<Visit<'t>>,
    row: usize,
}

impl<'t> TallyWalk<'t> {
    fn new(tally: &'t Tally<'t>) -> TallyWalk<'t> {
        let dictionary = match tally {
            Tally::Slots(Slotted::Dictionary(KeyColumn::Dictionary { values, .. }, _), _) => Some(values.visit()),
            _ => None,
        };
        TallyWalk { tally, dictionary, row: 0 }
    }

    /// The next value and its count.
    fn next(&mut self) -> Option<(Shared<'t>, u64)> {
        let row = self.row;
        if row >= self.tally.len() {
            return None;
        }
        self.row += 1;
        let value = match (&mut self.dictionary, self.tally) {
            (Some(visit), Tally::Slots(_, rows)) => {
                let slot = rows.get(row).map_or(0, |(slot, _)| *slot);
                Shared::Text(visit.unit((slot as usize).saturating_sub(1)))
            }
            _ => self.tally.value(row),
        };
        Some((value, self.tally.count(row)))
    }
}

/// The most frequent groups, then by value.
struct TopGroups {
    most: usize,
    /// The worst of those kept is on top.
    heap: BinaryHeap<(Reverse<u64>, String)>,
}

impl TopGroups {
    fn offer(&mut self, count: u64, value: impl FnOnce() -> String) {
        let full = self.heap.len() >= self.most;
        if full && self.heap.peek().is_some_and(|(Reverse(worst), _)| count < *worst) {
            return;
        }
        self.heap.push((Reverse(count), value()));
        if full {
            self.heap.pop();
        }
    }

    fn finish(self) -> Vec<Group> {
        self.heap.into_sorted_vec().into_iter().map(|(Reverse(count), value)| Group { value, count }).collect()
    }
}

/// A value as text.
fn shown(value: &Shared<'_>, kind: Kind) -> String {
    match value {
        Shared::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Shared::Int(time) if kind == Kind::Time => Timestamp(*time).to_string(),
        Shared::Int(bits) if kind == Kind::Float => crate::index::from_order_bits(*bits).to_string(),
        Shared::Int(int) => int.to_string(),
    }
}

/// Sum and extremes of the slots of a column.
struct SlotSum<'a> {
    column: NumberColumn<'a>,
    count: u64,
    sum: u128,
    /// The smallest slot less one.
    least: u64,
    most: u64,
    /// The sum of values that are not linear in their slots, with what rounding lost (A. Neumaier, 1974).
    floats: Compensated,
}

impl<'a> SlotSum<'a> {
    fn new(column: NumberColumn<'a>) -> SlotSum<'a> {
        SlotSum { column, count: 0, sum: 0, least: u64::MAX, most: 0, floats: Compensated::default() }
    }

    /// Adds slots; 0, no value, adds nothing.
    fn add(&mut self, slots: &[u64]) {
        let (mut none, mut sum, mut least, mut most) = (0u64, 0u128, self.least, self.most);
        for slot in slots {
            none += u64::from(*slot == 0);
            sum += u128::from(*slot);
            // What is none becomes the largest number there is.
            (least, most) = (least.min(slot.wrapping_sub(1)), most.max(*slot));
        }
        self.count += slots.len() as u64 - none;
        self.sum += sum;
        (self.least, self.most) = (least, most);
        if !self.column.is_linear() {
            slots.iter().filter(|slot| **slot != 0).for_each(|slot| self.floats.add(self.column.float_of(*slot)));
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// Sum and extremes of the values of several columns.
#[derive(Default)]
struct Numbers {
    count: u64,
    whole: i128,
    floats: Compensated,
    least: Option<f64>,
    most: Option<f64>,
}

impl Numbers {
    fn merge(&mut self, slots: &SlotSum<'_>) {
        if slots.count == 0 {
            return;
        }
        self.count += slots.count;
        match slots.column.sum_of(slots.count, slots.sum) {
            Some((sum, 0)) => self.whole = self.whole.saturating_add(sum),
            Some((sum, places)) => self.floats.add(sum as f64 / 10f64.powi(i32::from(places))),
            None => self.floats.add(slots.floats.total()),
        }
        let (least, most) = (slots.column.float_of(slots.least + 1), slots.column.float_of(slots.most));
        self.least = Some(self.least.map_or(least, |known| known.min(least)));
        self.most = Some(self.most.map_or(most, |known| known.max(most)));
    }

    fn sum(&self) -> f64 {
        let mut floats = self.floats;
        floats.add(self.whole as f64);
        floats.total()
    }

    fn answer(&self, operation: &Operation) -> Option<f64> {
        match operation {
            Operation::Sum => Some(self.sum()),
            Operation::Min => self.least,
            Operation::Max => self.most,
            _ => (self.count > 0).then(|| self.sum() / self.count as f64),
        }
    }
}

/// A calendar interval that holds the time looked at last: neighbours mostly share it.
#[derive(Default)]
struct Interval {
    from: i64,
    to: i64,
}

impl Interval {
    fn move_to(&mut self, time: i64, calendar: Calendar) {
        if (self.from..self.to).contains(&time) {
            return;
        }
        (self.from, self.to) = Timestamp(time).interval(calendar);
    }
}
