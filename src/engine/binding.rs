//! Bindings as rows: creating, listing, stopping, deleting. Who follows what they name: [`super::follow`].

use super::catalog::{dataset_ids, find_dataset, find_project};
use super::dataset::Dataset;
use super::listing::{Ask, MAX_LISTING};
use super::open::{Engine, Inner};
use super::outbox::{announce, is_wanted};
use super::sync::lock;
use super::view::scan_files;
use super::work::event_id;
use crate::error::{Error, ErrorKind, Result};
use crate::model::binding::bucket_of;
use crate::model::{
    Binding, BindingPhase, BindingSpec, BindingState, Coverage, Event, EventType, Listing, Timestamp, now,
};
use crate::source::{Bucket, Filter, is_remote};
use crate::store::rows::{BindingRow, Row};
use crate::store::{Batch, DatasetId, Durability, Key, Reader, Record, keys};
use std::time::Duration;

/// Longest `Reason` that is kept, in bytes.
const MAX_REASON: usize = 1000;
/// Documents that a deletion looks at together.
const CLEANUP_DOCS: usize = 2000;
/// Longest that a deletion waits for the follower to let go.
const LET_GO: Duration = Duration::from_secs(60);

impl Engine {
    /// Binds a dataset to a bucket (`oss://bucket`): what is in it is indexed, then every change, while a
    /// [`Follower`](super::Follower) runs.
    pub fn create_binding(&self, project: &str, dataset: &str, uri: &str, spec: &BindingSpec) -> Result<Binding> {
        let created = || -> Result<Binding> {
            let bucket = bucket_of(uri)?;
            spec.validate()?;
            Filter::new(&spec.prefix, &spec.exclude)?;
            // What is wrong with the address of a store is told now; it is not spoken to.
            if is_remote(&spec.source) {
                Bucket::open(&spec.source)?;
            }
            let inner = &self.handle.inner;
            // One whose deletion was cut short is not in the way.
            if let Ok((key, row)) = self.any_binding(project, dataset, bucket)
                && row.state == BindingState::Deleted
                && !inner.roster.is_active(&key)
            {
                self.finish_deletion(bucket, &key, &row)?;
            }
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let owner = find_dataset(&reader, find_project(&reader, project)?.id(), dataset)?;
            let key = keys::binding(owner.id(), bucket);
            if reader.bytes(&key)?.is_some() {
                let what = format!("the binding of {dataset:?} to oss://{bucket} exists already");
                return Err(Error::new(ErrorKind::AlreadyExists, what));
            }
            let most = owner.limits.bind_count;
            if i64::try_from(count(&reader, owner.id())?).is_ok_and(|n| n >= most) {
                let what = format!("DatasetMaxBindCount: expected at most {most}, got one more");
                return Err(Error::new(ErrorKind::LimitExceeded, what));
            }
            let row = new_row(project, dataset, spec);
            inner.put_binding(&key, bucket, None, &row, Durability::Sync)?;
            inner.roster.wake();
            Ok(binding_of(bucket, row, None))
        };
        created().map_err(|e| e.during("CreateBinding"))
    }

    /// One binding.
    pub fn binding(&self, project: &str, dataset: &str, uri: &str) -> Result<Binding> {
        let found = || -> Result<Binding> {
            let bucket = bucket_of(uri)?;
            let (key, row) = self.find_binding(project, dataset, bucket)?;
            Ok(binding_of(bucket, row, self.handle.inner.roster.coverage(&key)))
        };
        found().map_err(|e| e.during("GetBinding"))
    }

    /// Bindings of a project by dataset and bucket, from `token` on; of one dataset or bucket alone where they are not
    /// empty. `max_results`: up to 200, 0 for 100.
    pub fn bindings(
        &self,
        project: &str,
        dataset: &str,
        bucket: &str,
        token: &str,
        max_results: usize,
    ) -> Result<Listing<Binding>> {
        let listed = || -> Result<Listing<Binding>> {
            let size = Ask { max_results, ..Ask::default() }.size()?.min(MAX_LISTING);
            let inner = &self.handle.inner;
            let reader = inner.store.reader();
            let owner = find_project(&reader, project)?.id();
            let sets = if dataset.is_empty() {
                dataset_ids(&reader, owner)?
            } else {
                vec![(dataset.to_owned(), find_dataset(&reader, owner, dataset)?.id())]
            };
            let from = token.split_once('/').unwrap_or((token, ""));
            let mut items = Vec::new();
            for (name, id) in sets.iter().filter(|(name, _)| name.as_str() >= from.0) {
                for (found, row) in rows(&reader, id)? {
                    let wanted = bucket.is_empty() || bucket == found;
                    if !wanted || row.state == BindingState::Deleted || (name == from.0 && found.as_str() < from.1) {
                        continue;
                    }
                    if items.len() == size {
                        return Ok(Listing { items, next_token: format!("{name}/{found}") });
                    }
                    let coverage = inner.roster.coverage(&keys::binding(*id, &found));
                    items.push(binding_of(&found, row, coverage));
                }
            }
            Ok(Listing { items, next_token: String::new() })
        };
        listed().map_err(|e| e.during("ListBindings"))
    }

    /// Pauses a binding; what changes meanwhile is found when it is resumed.
    pub fn stop_binding(&self, project: &str, dataset: &str, uri: &str, reason: &str) -> Result<Binding> {
        let stopped = |row: &mut BindingRow| {
            row.state = BindingState::Stopped;
            row.reason = clip(reason);
            row.update_time = now().0;
        };
        self.set_binding(project, dataset, uri, stopped).map_err(|e| e.during("StopBinding"))
    }

    /// Goes on with a binding that was stopped or has failed. What its source is now counts as the source that is meant.
    pub fn resume_binding(&self, project: &str, dataset: &str, uri: &str) -> Result<Binding> {
        let resumed = |row: &mut BindingRow| {
            row.state = BindingState::Running;
            row.reason = String::new();
            row.root = None;
            row.mounts = Vec::new();
            row.update_time = now().0;
        };
        self.set_binding(project, dataset, uri, resumed).map_err(|e| e.during("ResumeBinding"))
    }

    /// Ends a binding. Documents stay, unless `cleanup`: then those go that it made and nobody put by hand; returns how many.
    pub fn delete_binding(&self, project: &str, dataset: &str, uri: &str, cleanup: bool) -> Result<u64> {
        let deleted = || -> Result<u64> {
            let bucket = bucket_of(uri)?;
            let inner = &self.handle.inner;
            let (key, row) = {
                let _catalog = lock(&inner.catalog);
                // One that is marked as deleted already, by a call that was cut short, is deleted to the end.
                let (key, before) = self.any_binding(project, dataset, bucket)?;
                let cleanup = cleanup || (before.state == BindingState::Deleted && before.cleanup);
                let row = BindingRow { state: BindingState::Deleted, cleanup, ..before.clone() };
                inner.put_binding(&key, bucket, Some(&before), &row, Durability::Sync)?;
                (key, row)
            };
            if !inner.roster.let_go(&key, LET_GO) {
                let what = "the binding is marked as deleted; the follower is busy and will finish it";
                return Err(Error::new(ErrorKind::BudgetExceeded, what));
            }
            self.finish_deletion(bucket, &key, &row)
        };
        deleted().map_err(|e| e.during("DeleteBinding"))
    }

    /// Does what is left of a deletion: the documents, then the row.
    pub(super) fn finish_deletion(&self, bucket: &str, key: &Key, row: &BindingRow) -> Result<u64> {
        let removed = match self.dataset(&row.project, &row.dataset) {
            Ok(dataset) if row.cleanup => remove_bound(&dataset, bucket)?,
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => 0,
        };
        let inner = &self.handle.inner;
        let _catalog = lock(&inner.catalog);
        let present: Option<BindingRow> = inner.store.reader().row(key)?;
        if present.is_some_and(|now| now.state == BindingState::Deleted && now.create_time == row.create_time) {
            let mut batch = inner.store.batch();
            batch.delete(key)?;
            inner.store.commit(batch, Durability::Sync)?;
        }
        Ok(removed)
    }

    fn find_binding(&self, project: &str, dataset: &str, bucket: &str) -> Result<(Key, BindingRow)> {
        match self.any_binding(project, dataset, bucket)? {
            (_, row) if row.state == BindingState::Deleted => Err(missing(dataset, bucket)),
            found => Ok(found),
        }
    }

    /// The same, one that is being deleted included.
    fn any_binding(&self, project: &str, dataset: &str, bucket: &str) -> Result<(Key, BindingRow)> {
        let reader = self.handle.inner.store.reader();
        let owner = find_dataset(&reader, find_project(&reader, project)?.id(), dataset)?;
        let key = keys::binding(owner.id(), bucket);
        let row: Option<BindingRow> = reader.row(&key)?;
        Ok((key, row.ok_or_else(|| missing(dataset, bucket))?))
    }

    fn set_binding(
        &self,
        project: &str,
        dataset: &str,
        uri: &str,
        change: impl FnOnce(&mut BindingRow),
    ) -> Result<Binding> {
        let bucket = bucket_of(uri)?;
        let inner = &self.handle.inner;
        let catalog = lock(&inner.catalog);
        let (key, before) = self.find_binding(project, dataset, bucket)?;
        let mut row = before.clone();
        change(&mut row);
        inner.put_binding(&key, bucket, Some(&before), &row, Durability::Sync)?;
        drop(catalog);
        inner.roster.restart(&key);
        Ok(binding_of(bucket, row, inner.roster.coverage(&key)))
    }
}

impl Inner {
    /// Changes the row of a binding that is still followed, and returns it; `None` where it was stopped, deleted or made
    /// anew meanwhile.
    pub(super) fn change_binding(
        &self,
        key: &Key,
        create_time: i64,
        durability: Durability,
        change: impl FnOnce(&mut BindingRow),
    ) -> Result<Option<BindingRow>> {
        let _catalog = lock(&self.catalog);
        let row: Option<BindingRow> = self.store.reader().row(key)?;
        let Some(mut row) = row.filter(|row| row.create_time == create_time && is_followed(row.state)) else {
            return Ok(None);
        };
        let before = row.clone();
        change(&mut row);
        if row != before {
            let bucket = keys::binding_parts(&key.bytes).map_or("", |(_, bucket)| bucket);
            self.put_binding(key, bucket, Some(&before), &row, durability)?;
        }
        Ok(Some(row))
    }

    /// Stores a row; a change of state or phase is announced in the same batch. The caller holds `catalog`.
    fn put_binding(
        &self,
        key: &Key,
        bucket: &str,
        before: Option<&BindingRow>,
        row: &BindingRow,
        durability: Durability,
    ) -> Result<()> {
        let mut batch = self.store.batch();
        batch.put(key, row)?;
        let told = |row: &BindingRow| (row.state, row.phase, row.reason.clone());
        let events = match before {
            Some(before) if told(before) == told(row) => Vec::new(),
            _ if !is_wanted(self, "") => Vec::new(),
            _ => vec![event_of(bucket, row)?],
        };
        let announced = announce(self, &mut batch, &events)?;
        self.store.commit(batch, durability)?;
        drop(announced);
        Ok(())
    }
}

fn missing(dataset: &str, bucket: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("the binding of {dataset:?} to oss://{bucket} does not exist"))
}

/// The event that tells of a binding's present state.
fn event_of(bucket: &str, row: &BindingRow) -> Result<Event> {
    let content = serde_json::json!({
        "ProjectName": row.project,
        "DatasetName": row.dataset,
        "URI": format!("oss://{bucket}"),
        "State": row.state.name(),
        "Phase": row.phase.name(),
        "Reason": row.reason,
        "CreateTime": Timestamp(row.create_time).to_string(),
        "UpdateTime": Timestamp(row.update_time).to_string(),
    });
    Ok(Event {
        id: event_id()?,
        kind: EventType::BINDING,
        project: row.project.clone(),
        dataset: row.dataset.clone(),
        topic: String::new(),
        time: now(),
        content: content.to_string(),
    })
}

/// Whether somebody should follow a binding in that state.
pub(super) fn is_followed(state: BindingState) -> bool {
    matches!(state, BindingState::Ready | BindingState::Running | BindingState::Retrying)
}

/// Whether a root is the one that was bound.
pub(super) fn check_identity(row: &BindingRow, found: (u64, u64)) -> Result<()> {
    if row.root == Some(found) {
        return Ok(());
    }
    let message = "the folder or store is not the one that was bound, but another place, file system or one that was made anew; \
                   nothing is removed; mount it, or resume the binding if this one is meant";
    Err(Error::new(ErrorKind::Io, message))
}

/// A `Reason` of bounded length.
pub(super) fn clip(reason: &str) -> String {
    let end = (0..=MAX_REASON.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
    reason.get(..end).unwrap_or("").to_owned()
}

fn new_row(project: &str, dataset: &str, spec: &BindingSpec) -> BindingRow {
    let time = now().0;
    BindingRow {
        project: project.to_owned(),
        dataset: dataset.to_owned(),
        state: BindingState::Ready,
        phase: BindingPhase::None,
        reason: String::new(),
        create_time: time,
        update_time: time,
        source: spec.source.clone(),
        prefix: spec.prefix.clone(),
        exclude: spec.exclude.clone(),
        rate: spec.rate,
        root: None,
        mounts: Vec::new(),
        cursor: String::new(),
        scanned: false,
        verified: 0,
        lost: 0,
        reconciled: 0,
        cleanup: false,
    }
}

fn binding_of(bucket: &str, row: BindingRow, live: Option<Coverage>) -> Binding {
    let coverage = Coverage {
        lost: row.lost,
        reconciled: row.reconciled,
        verified: (row.verified > 0).then_some(Timestamp(row.verified)),
        ..live.unwrap_or_default()
    };
    Binding {
        project: row.project,
        dataset: row.dataset,
        bucket: bucket.to_owned(),
        state: row.state,
        phase: row.phase,
        reason: row.reason,
        create_time: row.create_time,
        update_time: row.update_time,
        spec: BindingSpec { source: row.source, prefix: row.prefix, exclude: row.exclude, rate: row.rate },
        coverage,
    }
}

/// The bindings of a dataset by bucket, those being deleted included.
fn rows(reader: &Reader<'_>, dataset: &DatasetId) -> Result<Vec<(String, BindingRow)>> {
    scan(reader, &keys::binding(*dataset, "")).map(|found| found.into_iter().map(|(_, b, row)| (b, row)).collect())
}

/// Key, bucket and row of all bindings below `prefix`.
pub(super) fn scan(reader: &Reader<'_>, prefix: &Key) -> Result<Vec<(Key, String, BindingRow)>> {
    let mut found = Vec::new();
    let mut rows = reader.scan(prefix, None)?;
    while let Some((bytes, value)) = rows.current()? {
        let (dataset, bucket) =
            keys::binding_parts(bytes).ok_or_else(|| Error::corrupted("a binding key has no bucket"))?;
        found.push((keys::binding(dataset, bucket), bucket.to_owned(), BindingRow::decode(value)?));
        rows.advance();
    }
    Ok(found)
}

/// Number of bindings of a dataset.
pub(super) fn count(reader: &Reader<'_>, dataset: DatasetId) -> Result<u64> {
    Ok(rows(reader, &dataset)?.iter().filter(|(_, row)| row.state != BindingState::Deleted).count() as u64)
}

/// Deletes the bindings of a dataset that is about to go.
pub(super) fn forget(reader: &Reader<'_>, batch: &mut Batch<'_>, dataset: DatasetId) -> Result<()> {
    scan(reader, &keys::binding(dataset, ""))?.iter().try_for_each(|(key, ..)| batch.delete(key))
}

/// Removes the documents that a binding made and nobody put by hand.
fn remove_bound(dataset: &Dataset, bucket: &str) -> Result<u64> {
    let prefix = format!("oss://{bucket}/");
    let (mut removed, mut after) = (0, prefix.clone());
    loop {
        let (uris, last) = bound_after(dataset, &prefix, &after)?;
        removed += dataset.delete(uris)?.into_iter().filter(|existed| *existed).count() as u64;
        let Some(last) = last else { return Ok(removed) };
        after = last;
    }
}

/// Bound documents among the next records, and where to go on.
fn bound_after(dataset: &Dataset, prefix: &str, after: &str) -> Result<(Vec<String>, Option<String>)> {
    let reader = dataset.inner().store.reader();
    let mut rows = scan_files(&reader, dataset.space.id, Some(after))?;
    let mut uris = Vec::new();
    for seen in 1.. {
        let Some((key, value)) = rows.current()? else { break };
        let uri = super::rebuild::uri_of(key)?;
        if !uri.starts_with(prefix) {
            break;
        }
        if Record::decode_fields(uri, value, &[])?.bound {
            uris.push(uri.to_owned());
        }
        if seen == CLEANUP_DOCS {
            return Ok((uris, Some(uri.to_owned())));
        }
        rows.advance();
    }
    Ok((uris, None))
}
