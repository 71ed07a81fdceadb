//! Figure clusters (CreateFigureClusteringTask, CreateFigureClustersMergingTask): whose faces the files of a dataset show.
//!
//! What a figure's `FigureClusterId` says is the truth; a cluster's row has what callers said of it, and counts. A task finds groups of
//! figures that belong to no cluster yet, and lands in ONE batch the clusters and the list of what is to be written into documents; then it
//! writes that. IMPORTANT: a process that dies in between leaves the list to the next task of the dataset, which does it first, so that
//! what was found once is what comes of it.

use super::alike::Halt;
use super::linkage::{Effort, Group, Points, groups};
use super::tally::{Tally, add_placed, tally};
use super::{Work, each, new_id};
use crate::analyze::Faces;
use crate::engine::commit;
use crate::engine::document::place_in;
use crate::engine::group::Op;
use crate::error::{Error, ErrorKind, Result};
use crate::model::cluster::{FIGURE_INDEPENDENT, FIGURE_UNCLUSTERED};
use crate::model::{Members, Value, field, now};
use crate::store::rows::{ClusterKind, FigureRow, Placement, PlacementsRow};
use crate::store::{Batch, Durability, Record, keys};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most faces with points of a dataset that is clustered.
pub const MAX_FACES: usize = 500_000;
/// Most numbers of all their points: 128 MiB.
pub const MAX_FACE_NUMBERS: usize = 64 << 20;
/// Most clusters that one task merges into another (API limit).
pub const MAX_MERGED: usize = 100;
/// Most comparisons of two points.
const MAX_COMPARISONS: u64 = 200_000_000_000;
/// Documents that are changed together.
const TOGETHER: usize = 500;
/// How ids begin.
const PREFIX: &str = "Cluster";

/// What a merging task is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Merging {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    froms: Option<Vec<String>>,
    to: String,
}

/// The clusters to merge and the one that they become.
pub(super) fn merging(definition: &str) -> Result<(Vec<String>, String)> {
    let request: Merging = serde_json::from_str(definition)
        .map_err(|e| Error::invalid(format!("From or Froms, and To: expected as in the API, got {e}")))?;
    let from = request.from.filter(|from| !from.is_empty());
    let froms = match (from, request.froms.filter(|froms| !froms.is_empty())) {
        (Some(from), None) => vec![from],
        (None, Some(froms)) => froms,
        (Some(_), Some(_)) => return Err(Error::invalid("From, Froms: expected one of them, got both")),
        (None, None) => return Err(Error::invalid("From, Froms: expected one of them, got none")),
    };
    if froms.len() > MAX_MERGED {
        return Err(Error::invalid(format!("Froms: expected at most {MAX_MERGED} clusters, got {}", froms.len())));
    }
    if request.to.is_empty() || froms.contains(&request.to) {
        return Err(Error::invalid("To: expected a cluster that is none of those that are merged into it"));
    }
    Ok((froms, request.to))
}

/// A figure without a cluster, by its file and its name there.
struct Fresh {
    uri: Box<str>,
    figure: Box<str>,
}

/// What a pass over the records found.
#[derive(Default)]
struct Seen {
    points: Points,
    /// Of each point the number of its cluster, and of those without one the figure.
    before: Vec<Option<u32>>,
    fresh: Vec<Option<Fresh>>,
    /// Numbers of clusters.
    numbers: HashMap<String, u32>,
    ids: Vec<String>,
    /// What is counted of each cluster.
    tallies: BTreeMap<String, Tally>,
}

impl Seen {
    fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.numbers.insert(id.to_owned(), number);
        self.ids.push(id.to_owned());
        number
    }
}

/// Does the clustering; answers how many clusters there are then, `None` where it was stopped.
pub(super) fn cluster(work: &Work<'_>) -> Result<Option<usize>> {
    let Some((space, threshold)) = work.doing.engine.analyzer().face_space()? else {
        return Err(Error::new(ErrorKind::NotFound, "no model pack for face embedding is installed"));
    };
    place(work)?;
    // What is found lands only where no other task has changed the clusters meanwhile, so that counts are right: see `settle`.
    let reader = work.inner().store.reader();
    let mut seen = Seen::default();
    if !work.records(&reader, |uri, value| look(&mut seen, &space, uri, value))? {
        return Ok(None);
    }
    drop(reader);
    let effort = Effort {
        most: MAX_COMPARISONS,
        stopped: &|| work.held.is_stopped(),
        // The faces' comparison is the longest part of a first task.
        progress: &|done, of| work.doing.report(work.held, 20 + (done * 60).checked_div(of).map_or(0, |n| n as u8)),
    };
    let found = match groups(&seen.points, &seen.before, threshold, &effort) {
        Ok(found) => found,
        Err(Halt::Stopped) => return Ok(None),
        Err(Halt::TooMany) => {
            let message = format!("comparisons of faces: expected at most {MAX_COMPARISONS}, got more");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
    };
    let count = work.land(ClusterKind::Figures, |rows, batch| settle(work, seen, found, rows, batch))?;
    place(work).map(|whole| whole.then_some(count))
}

/// Merges clusters; answers how many there are then.
pub(super) fn merge(work: &Work<'_>, froms: &[String], to: &str) -> Result<Option<usize>> {
    place(work)?;
    let reader = work.inner().store.reader();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut moved: Vec<Placement> = Vec::new();
    let whole = work.records(&reader, |uri, value| {
        let record = Record::decode_fields(uri, value, &[field::FIGURES, field::MEDIA_TYPE])?;
        let mut figures = Vec::new();
        for figure in figures_of(&record.members) {
            let Some(id) = clustered(figure) else { continue };
            if froms.iter().any(|from| from == id) {
                let name = figure.text(field::FIGURE_ID).unwrap_or("").to_owned();
                let sure = figure.get(field::FIGURE_CLUSTER_CONFIDENCE).and_then(Value::as_float);
                let sure = sure.map_or(0, |sure| (sure.clamp(0.0, 1.0) * 1e4).round() as u16);
                figures.push((name, id.to_owned(), to.to_owned(), sure));
            }
        }
        if !figures.is_empty() {
            moved.push(Placement { uri: uri.to_owned(), figures });
        }
        let home = |id: &str| if froms.iter().any(|from| from == id) { to.to_owned() } else { id.to_owned() };
        tally(&mut tallies, uri, &record.members, home);
        Ok(())
    })?;
    if !whole {
        return Ok(None);
    }
    drop(reader);
    let count = work.land(ClusterKind::Figures, |mut rows: BTreeMap<String, FigureRow>, batch| {
        // A task that is done again after it died has merged them already.
        froms
            .iter()
            .filter(|from| rows.remove(*from).is_some())
            .try_for_each(|from| batch.delete(&keys::cluster(work.id(), ClusterKind::Figures, from)))?;
        if !rows.contains_key(to) {
            return Err(Error::new(ErrorKind::NotFound, format!("the figure cluster {to:?} does not exist")));
        }
        put_placements(work, moved, batch)?;
        let tallied = tallies.remove(to).unwrap_or_default();
        if let Some(row) = rows.get_mut(to)
            && tallied.update(row, now().0)
        {
            batch.put(&keys::cluster(work.id(), ClusterKind::Figures, to), row)?;
        }
        Ok(rows.len())
    })?;
    place(work).map(|whole| whole.then_some(count))
}

/// `Figures` of a document.
pub(super) fn figures_of(members: &Members) -> &[Members] {
    match members.get(field::FIGURES) {
        Some(Value::Rows(figures)) => figures,
        _ => &[],
    }
}

/// The cluster of a figure.
pub(super) fn clustered(figure: &Members) -> Option<&str> {
    let id = figure.text(field::FIGURE_CLUSTER_ID)?;
    (![FIGURE_UNCLUSTERED, FIGURE_INDEPENDENT].contains(&id)).then_some(id)
}

/// Takes from a record what clustering needs.
fn look(seen: &mut Seen, space: &str, uri: &str, value: &[u8]) -> Result<()> {
    let wanted = [field::MEDIA_TYPE, field::FIGURES, field::FACE_EMBEDDINGS];
    let record = Record::decode_fields(uri, value, &wanted)?;
    tally(&mut seen.tallies, uri, &record.members, str::to_owned);
    let Some(faces) = record.members.text(field::FACE_EMBEDDINGS).and_then(Faces::read) else { return Ok(()) };
    if faces.space != space {
        return Ok(());
    }
    for figure in figures_of(&record.members) {
        let Some(name) = figure.text(field::FIGURE_ID) else { continue };
        let Some((_, point)) = faces.points.iter().find(|(id, _)| id == name) else { continue };
        if figure.text(field::FIGURE_CLUSTER_ID) == Some(FIGURE_INDEPENDENT) || !seen.points.push(point.numbers()) {
            continue;
        }
        let before = clustered(figure).map(|id| seen.number(id));
        seen.fresh.push(before.is_none().then(|| Fresh { uri: uri.into(), figure: name.into() }));
        seen.before.push(before);
    }
    if seen.points.len() > MAX_FACES || seen.points.numbers() > MAX_FACE_NUMBERS {
        let message = format!("faces: expected at most {MAX_FACES} with {MAX_FACE_NUMBERS} numbers, got more");
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    Ok(())
}

/// Puts clusters and the list of what goes into documents into the batch.
fn settle(
    work: &Work<'_>,
    mut seen: Seen,
    found: Vec<Group>,
    mut rows: BTreeMap<String, FigureRow>,
    batch: &mut Batch<'_>,
) -> Result<usize> {
    let time = now().0;
    let mut placed: BTreeMap<Box<str>, Placement> = BTreeMap::new();
    let mut made: BTreeSet<String> = BTreeSet::new();
    for group in found {
        let first = group.fresh.first().and_then(|at| seen.fresh.get(*at)).and_then(Option::as_ref);
        let seed = first.map_or(String::new(), |fresh| format!("{}\u{0}{}", fresh.uri, fresh.figure));
        let id = group.before.and_then(|number| seen.ids.get(number as usize)).cloned().unwrap_or_else(|| {
            let taken = |id: &str| rows.contains_key(id) || made.contains(id) || seen.tallies.contains_key(id);
            new_id(PREFIX, work.id(), &seed, taken)
        });
        made.insert(id.clone());
        for (at, confidence) in group.fresh.iter().zip(group.confidence) {
            let Some(Fresh { uri, figure }) = seen.fresh.get_mut(*at).and_then(Option::take) else { continue };
            let placement =
                placed.entry(uri.clone()).or_insert_with(|| Placement { uri: uri.into(), figures: Vec::new() });
            placement.figures.push((figure.into(), FIGURE_UNCLUSTERED.to_owned(), id.clone(), confidence));
        }
    }
    recount(work, &placed, &mut seen.tallies)?;
    let count = seen.tallies.len();
    for (id, tally) in seen.tallies {
        let known = rows.remove(&id);
        let is_new = known.is_none();
        let mut row = known.unwrap_or_else(|| FigureRow { create_time: time, ..FigureRow::default() });
        if tally.update(&mut row, time) || is_new {
            batch.put(&keys::cluster(work.id(), ClusterKind::Figures, &id), &row)?;
        }
    }
    // Clusters without any figure are gone.
    rows.keys().try_for_each(|id| batch.delete(&keys::cluster(work.id(), ClusterKind::Figures, id)))?;
    put_placements(work, placed.into_values().collect(), batch)?;
    Ok(count)
}

/// Counts the figures that are about to be placed: their documents are read once more.
fn recount(
    work: &Work<'_>,
    placed: &BTreeMap<Box<str>, Placement>,
    tallies: &mut BTreeMap<String, Tally>,
) -> Result<()> {
    let reader = work.inner().store.reader();
    for (uri, placement) in placed {
        let Some(bytes) = reader.bytes(&keys::file(work.id(), uri))? else { continue };
        let mut record = Record::decode_fields(uri, &bytes, &[field::MEDIA_TYPE, field::FIGURES])?;
        let before: BTreeSet<String> =
            figures_of(&record.members).iter().filter_map(clustered).map(str::to_owned).collect();
        place_in(&mut record.members, placement);
        add_placed(tallies, placement, &record.members, before);
    }
    Ok(())
}

fn put_placements(work: &Work<'_>, placed: Vec<Placement>, batch: &mut Batch<'_>) -> Result<()> {
    for (number, together) in placed.chunks(TOGETHER).enumerate() {
        let key = keys::cluster(work.id(), ClusterKind::Placements, &format!("{number:08}"));
        batch.put(&key, &PlacementsRow { placements: together.to_vec() })?;
    }
    Ok(())
}

/// Writes into documents what an earlier batch has listed; answers whether it was not stopped before the end.
fn place(work: &Work<'_>) -> Result<bool> {
    let (dataset, store) = (work.dataset, &work.inner().store);
    let listed: RefCell<Vec<String>> = RefCell::default();
    each(&store.reader(), work.id(), ClusterKind::Placements, |id, _: PlacementsRow| {
        listed.borrow_mut().push(id.to_owned());
        Ok(())
    })?;
    for id in listed.take() {
        let key = keys::cluster(work.id(), ClusterKind::Placements, &id);
        let row: Option<PlacementsRow> = store.reader().row(&key)?;
        if let Some(row) = row {
            commit::submit(work.inner(), &dataset.space, Op::Place(row.placements), Vec::new())?;
        }
        let mut batch = store.batch();
        batch.delete(&key)?;
        store.commit(batch, Durability::Sync)?;
        if work.held.is_stopped() {
            return Ok(false);
        }
    }
    Ok(true)
}
