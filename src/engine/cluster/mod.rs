//! Clustering (operations.md 7): tasks that group the files of a dataset, and the groups that they leave.
//!
//! A task reads all records of one snapshot, groups them by a documented rule (`docs/clusters.md`), and compares the groups with the
//! clusters that are there: one that goes on keeps its id and what callers said of it. All changes land in ONE batch, so that a
//! process that dies leaves the clusters of before; the task is then done again, with the same result.
//!
//! IMPORTANT: clusters are written under the lock of the catalog, by tasks and callers alike; so one's work is not lost by the
//! other's, and none are written for a dataset that is gone.

mod alike;
mod days;
mod figure_list;
mod figures;
mod linkage;
mod location_date;
mod page;
mod similar_images;
mod tally;

pub use figures::{MAX_FACE_NUMBERS, MAX_FACES, MAX_MERGED};
pub use location_date::MAX_PLACE_DAYS;
pub use similar_images::{MAX_HASHED_IMAGES, MAX_SIMILAR_FILES, SIMILAR_DISTANCE};

use super::catalog::{find_dataset, find_project};
use super::dataset::Dataset;
use super::open::{Engine, Inner};
use super::sync::lock;
use super::tasks::Doing;
use crate::analyze::Vector;
use crate::error::{Error, ErrorKind, Result};
use crate::index::text::fold;
use crate::model::cluster::{MAX_CLUSTER_PAGE, MAX_CLUSTER_TEXT};
use crate::model::file::MAX_CUSTOM_LABELS;
use crate::model::{Tag, TaskKind, TaskOrder, TimeRange};
use crate::store::rows::{ClusterKind, Row};
use crate::store::{Batch, DatasetId, Durability, Key, Reader, keys};
use crate::task::{Held, Outcome};
use linkage::{Effort, Points, groups};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most clusters of one kind in a dataset: a task that would make more fails.
pub const MAX_CLUSTERS: usize = 100_000;
/// Records between two looks at whether to go on.
const LOOK: u64 = 4096;

/// What every request for clustering names.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    dataset_name: String,
}

/// The dataset of a clustering task; empty for tasks of other types.
pub(super) fn dataset_name(kind: TaskKind, definition: &str) -> String {
    let clusters = TaskKind::CLUSTERING.contains(&kind);
    let request = clusters.then(|| serde_json::from_str::<Request>(definition).ok()).flatten();
    request.map(|request| request.dataset_name).unwrap_or_default()
}

/// Checks an order when it is accepted.
pub(super) fn check(engine: &Engine, project: &str, order: &TaskOrder) -> Result<()> {
    let request: Request = serde_json::from_str(&order.definition)
        .map_err(|e| Error::invalid(format!("DatasetName: expected in the request, got {e}")))?;
    if order.kind == TaskKind::LOCATION_DATES {
        location_date::options(&order.definition)?;
    }
    if order.kind == TaskKind::FIGURES_MERGING {
        figures::merging(&order.definition)?;
    }
    let reader = engine.handle.inner.store.reader();
    find_dataset(&reader, find_project(&reader, project)?.id(), &request.dataset_name).map(drop)
}

/// Does a clustering task.
pub(super) fn run(doing: &Doing, held: &Held) -> Outcome {
    let done = || -> Result<Option<usize>> {
        let dataset = doing.engine.dataset(&held.task.project, &dataset_name(held.task.kind, &held.task.definition))?;
        let work = Work { doing, held, dataset: &dataset };
        match held.task.kind {
            TaskKind::LOCATION_DATES => location_date::run(&work, &location_date::options(&held.task.definition)?),
            TaskKind::FIGURES | TaskKind::FIGURES_MERGING => {
                // One at a time: what one has listed for documents is not for another to list again.
                let _alone = lock(&doing.engine.handle.inner.figures);
                match held.task.kind {
                    TaskKind::FIGURES => figures::cluster(&work),
                    _ => figures::merging(&held.task.definition)
                        .and_then(|(froms, to)| figures::merge(&work, &froms, &to)),
                }
            }
            _ => similar_images::run(&work),
        }
    };
    match done() {
        Ok(Some(clusters)) => Outcome::Done { result: serde_json::json!({ "Clusters": clusters }).to_string() },
        Ok(None) => Outcome::Stopped,
        Err(e) => {
            let (code, message) = (e.kind().api_code().to_owned(), e.message().to_owned());
            let lasting = [ErrorKind::NotFound, ErrorKind::InvalidArgument, ErrorKind::LimitExceeded];
            if lasting.contains(&e.kind()) {
                Outcome::Failed { code, message }
            } else {
                Outcome::Again { code, message }
            }
        }
    }
}

/// A task under way.
struct Work<'w> {
    doing: &'w Doing,
    held: &'w Held,
    dataset: &'w Dataset,
}

impl Work<'_> {
    fn inner(&self) -> &Inner {
        self.dataset.inner()
    }

    fn id(&self) -> DatasetId {
        self.dataset.space.id
    }

    /// Hands the records of a snapshot to `each`; answers whether it was not stopped before the end.
    fn records(&self, reader: &Reader<'_>, mut each: impl FnMut(&str, &[u8]) -> Result<()>) -> Result<bool> {
        let all = self.dataset.len()?.max(1);
        let mut rows = super::view::scan_files(reader, self.id(), None)?;
        let mut seen = 0_u64;
        while let Some((key, value)) = rows.current()? {
            each(super::rebuild::uri_of(key)?, value)?;
            seen += 1;
            if seen.is_multiple_of(LOOK) {
                if self.held.is_stopped() {
                    return Ok(false);
                }
                let percent = seen.saturating_mul(90).checked_div(all).unwrap_or(0).min(90);
                self.doing.report(self.held, u8::try_from(percent).unwrap_or(90));
            }
            rows.advance();
        }
        Ok(true)
    }

    /// Lets `change` compare what was found with the clusters that are there, and lands what it puts into the batch. The dataset
    /// must be the one that was read.
    fn land<R: Row>(
        &self,
        kind: ClusterKind,
        change: impl FnOnce(BTreeMap<String, R>, &mut Batch<'_>) -> Result<usize>,
    ) -> Result<usize> {
        let inner = self.inner();
        let _catalog = lock(&inner.catalog);
        let reader = inner.store.reader();
        let owner = find_project(&reader, self.dataset.project())?;
        if find_dataset(&reader, owner.id(), self.dataset.name())?.id() != self.id() {
            return Err(Error::new(ErrorKind::NotFound, "the dataset was deleted"));
        }
        let rows = all(&reader, self.id(), kind)?;
        let mut batch = inner.store.batch();
        let count = change(rows, &mut batch)?;
        if count > MAX_CLUSTERS {
            let message = format!("clusters: expected at most {MAX_CLUSTERS} in a dataset, got {count}");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        inner.store.commit(batch, Durability::Sync)?;
        Ok(count)
    }
}

/// The clusters of a kind by their ids.
fn all<R: Row>(reader: &Reader<'_>, dataset: DatasetId, kind: ClusterKind) -> Result<BTreeMap<String, R>> {
    let mut found = BTreeMap::new();
    each(reader, dataset, kind, |id, row| {
        found.insert(id.to_owned(), row);
        Ok(())
    })?;
    Ok(found)
}

/// Hands each cluster of a kind to `take`, in the order of ids.
fn each<R: Row>(
    reader: &Reader<'_>,
    dataset: DatasetId,
    kind: ClusterKind,
    mut take: impl FnMut(&str, R) -> Result<()>,
) -> Result<()> {
    let prefix = keys::cluster(dataset, kind, "");
    let mut rows = reader.scan(&prefix, None)?;
    while let Some((key, value)) = rows.current()? {
        let id = keys::text_after(key, prefix.bytes.len()).ok_or_else(|| Error::corrupted("a cluster has no id"))?;
        take(id, R::decode(value)?)?;
        rows.advance();
    }
    Ok(())
}

/// Faces of one file by whose they are: places in the list, those of one person together.
pub(super) fn people(points: &[&Vector], threshold: f32) -> Vec<Vec<usize>> {
    let mut all = Points::default();
    let fits = points.iter().all(|point| all.push(point.numbers()));
    let effort = Effort { most: u64::MAX, stopped: &|| false, progress: &|_, _| () };
    let found = if fits { groups(&all, &vec![None; points.len()], threshold, &effort) } else { Ok(Vec::new()) };
    let mut people: Vec<Vec<usize>> = found.unwrap_or_default().into_iter().map(|group| group.fresh).collect();
    let known: BTreeSet<usize> = people.iter().flatten().copied().collect();
    people.extend((0..points.len()).filter(|at| !known.contains(at)).map(|at| vec![at]));
    people
}

/// Deletes the clusters of a dataset that is about to go.
pub(super) fn forget(reader: &Reader<'_>, batch: &mut Batch<'_>, dataset: DatasetId) -> Result<()> {
    let prefix = keys::clusters(dataset);
    let mut rows = reader.scan(&prefix, None)?;
    while let Some((key, _)) = rows.current()? {
        batch.delete(&Key { table: prefix.table, bytes: key.to_vec() })?;
        rows.advance();
    }
    Ok(())
}

/// A new id that no cluster has: the same for the same beginnings in the same dataset.
fn new_id(prefix: &str, dataset: DatasetId, seed: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 0_u32;
    loop {
        let mut hash = Sha256::new();
        hash.update(dataset.0.to_le_bytes());
        hash.update(number.to_le_bytes());
        hash.update(seed.as_bytes());
        let mut text: String = data_encoding::HEXLOWER.encode(&hash.finalize()).chars().take(32).collect();
        [20, 16, 12, 8].into_iter().for_each(|at| text.insert(at, '-'));
        let id = format!("{prefix}-{text}");
        if !taken(&id) {
            return id;
        }
        number += 1;
    }
}

/// Whether a time lies in a range.
fn within(range: &TimeRange, time: i64) -> bool {
    range.start.is_none_or(|start| start <= time) && range.end.is_none_or(|end| time <= end)
}

/// Whether a cluster has all labels that are asked for, whatever their case.
fn labelled(wanted: &BTreeMap<String, String>, labels: &[Tag]) -> bool {
    let has = |(key, value): (&String, &String)| {
        labels.iter().any(|tag| fold(&tag.key) == fold(key) && fold(&tag.value) == fold(value))
    };
    wanted.iter().all(has)
}

/// Checks texts that callers give.
fn check_texts(texts: &[(&str, &Option<String>)]) -> Result<()> {
    for (name, text) in texts {
        let length = text.as_ref().map_or(0, String::len);
        if length > MAX_CLUSTER_TEXT {
            return Err(Error::invalid(format!("{name}: expected at most {MAX_CLUSTER_TEXT} bytes, got {length}")));
        }
    }
    Ok(())
}

/// Checks labels that callers give.
fn check_labels(labels: Option<&BTreeMap<String, String>>) -> Result<()> {
    let labels = labels.into_iter().flatten();
    let long = labels.clone().find(|(key, value)| key.is_empty() || key.len() + value.len() > MAX_CLUSTER_TEXT);
    match (labels.count(), long) {
        (count, _) if count > MAX_CUSTOM_LABELS => {
            Err(Error::invalid(format!("CustomLabels: expected at most {MAX_CUSTOM_LABELS}, got {count}")))
        }
        (_, Some((key, _))) => {
            let rule = format!("keys that are not empty and at most {MAX_CLUSTER_TEXT} bytes with their values");
            let shown: String = key.chars().take(60).collect();
            Err(Error::invalid(format!("CustomLabels: expected {rule}, got {shown:?}")))
        }
        _ => Ok(()),
    }
}

/// The number of clusters of a page.
fn page_size(asked: usize, default: usize) -> Result<usize> {
    match asked {
        0 => Ok(default),
        n if n <= MAX_CLUSTER_PAGE => Ok(n),
        n => Err(Error::invalid(format!("MaxResults: expected at most {MAX_CLUSTER_PAGE}, got {n}"))),
    }
}
