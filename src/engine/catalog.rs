//! Projects and datasets: names, quotas, counts.

use super::attachment;
use super::binding;
use super::cluster;
use super::dataset::Dataset;
use super::document::Place;
use super::failpoint::point;
use super::listing::{self, Ask};
use super::open::{Engine, Inner};
use super::rebuild;
use super::segments;
use super::sync::{exclude, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::model::space::MAX_PROJECTS;
use crate::model::{self, DatasetSpec, Limits, Listing, Name, Project, ProjectSpec, Tag, now};
use crate::store::rows::{CountersRow, DatabaseRow, DatasetRow, ProjectRow};
use crate::store::{Batch, DatasetId, Durability, ProjectId, Reader, keys};

/// `ServiceRole` of a project that names none (operations.md 1).
const DEFAULT_ROLE: &str = "AliyunIMMDefaultRole";
/// `ProjectMaxDatasetCount` of a project that names none, and its maximum (operations.md 1).
const MAX_DATASETS: i64 = 1_000_000_000;

impl Engine {
    /// Creates a project.
    pub fn create_project(&self, name: &str, spec: &ProjectSpec) -> Result<Project> {
        let created = || -> Result<Project> {
            let name = Name::parse("ProjectName", name)?;
            spec.validate()?;
            let inner = &self.handle.inner;
            inner.workflow.check(spec.template_id.as_deref())?;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            if reader.bytes(&keys::project(name.as_str()))?.is_some() {
                return Err(exists("project", name.as_str()));
            }
            let mut database = database(&reader)?;
            if database.project_count >= MAX_PROJECTS as u64 {
                let what = format!("expected at most {MAX_PROJECTS} projects, got one more");
                return Err(Error::new(ErrorKind::LimitExceeded, what));
            }
            let row = new_project(database.next_project, spec);
            database.next_project += 1;
            database.project_count += 1;
            let mut batch = inner.store.batch();
            batch.put(&keys::database(), &database)?;
            batch.put(&keys::project(name.as_str()), &row)?;
            point("create-project-before")?;
            inner.store.commit(batch, Durability::Sync)?;
            let _killed_here = point("create-project-named");
            Ok(project_of(name.as_str(), &row, Totals::default()))
        };
        created().map_err(|e| e.during("CreateProject"))
    }

    /// A project with its exact counts.
    pub fn project(&self, name: &str) -> Result<Project> {
        let found = || -> Result<Project> {
            let reader = self.handle.inner.store.reader();
            let row = find_project(&reader, name)?;
            Ok(project_of(name, &row, totals(&reader, row.id())?))
        };
        found().map_err(|e| e.during("GetProject"))
    }

    /// Projects by name, from `token` on, whose names begin with `prefix` and that carry all of `tags` (an empty value
    /// asks for the key alone). `max_results`: up to 200, 0 for 100.
    pub fn projects(&self, prefix: &str, tags: &[Tag], token: &str, max_results: usize) -> Result<Listing<Project>> {
        let listed = || -> Result<Listing<Project>> {
            listing::check_name_token(token)?;
            let reader = self.handle.inner.store.reader();
            let has = |row: &ProjectRow, tag: &Tag| {
                row.tags.iter().any(|t| t.key == tag.key && (tag.value.is_empty() || t.value == tag.value))
            };
            let keep = |row: &ProjectRow| tags.iter().all(|tag| has(row, tag));
            let (rows, next_token) = listing::page(&reader, keys::project, &Ask { prefix, token, max_results }, keep)?;
            let complete = |(name, row): (String, ProjectRow)| {
                let totals = totals(&reader, row.id())?;
                Ok(project_of(&name, &row, totals))
            };
            Ok(Listing { items: rows.into_iter().map(complete).collect::<Result<_>>()?, next_token })
        };
        listed().map_err(|e| e.during("ListProjects"))
    }

    /// Changes what `spec` names of a project.
    pub fn update_project(&self, name: &str, spec: &ProjectSpec) -> Result<Project> {
        let updated = || -> Result<Project> {
            spec.validate()?;
            let inner = &self.handle.inner;
            inner.workflow.check(spec.template_id.as_deref())?;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let mut row = find_project(&reader, name)?;
            apply_project(&mut row, spec);
            row.update_time = now().0;
            let mut batch = inner.store.batch();
            batch.put(&keys::project(name), &row)?;
            inner.store.commit(batch, Durability::Sync)?;
            Ok(project_of(name, &row, totals(&reader, row.id())?))
        };
        updated().map_err(|e| e.during("UpdateProject"))
    }

    /// Deletes a project that has no datasets; its buckets are detached and its tasks forgotten.
    pub fn delete_project(&self, name: &str) -> Result<()> {
        let deleted = || -> Result<()> {
            let inner = &self.handle.inner;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let row = find_project(&reader, name)?;
            if row.dataset_count > 0 {
                let what = format!("the project {name:?} still holds {} datasets", row.dataset_count);
                return Err(Error::new(ErrorKind::NotEmpty, what));
            }
            let mut database = database(&reader)?;
            database.project_count = database.project_count.saturating_sub(1);
            let mut batch = inner.store.batch();
            batch.put(&keys::database(), &database)?;
            batch.delete(&keys::project(name))?;
            attachment::forget(&reader, &mut batch, name)?;
            inner.tasks.forget_project(&reader, &mut batch, row.id())?;
            inner.store.commit(batch, Durability::Sync)
        };
        deleted().map_err(|e| e.during("DeleteProject"))
    }

    /// Creates a dataset; quotas that `spec` leaves out are the project's.
    pub fn create_dataset(&self, project: &str, name: &str, spec: &DatasetSpec) -> Result<model::Dataset> {
        let created = || -> Result<model::Dataset> {
            let name = Name::parse("DatasetName", name)?;
            spec.validate()?;
            let inner = &self.handle.inner;
            inner.workflow.check(spec.template_id.as_deref())?;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let mut owner = find_project(&reader, project)?;
            let key = keys::dataset(owner.id(), name.as_str());
            if reader.bytes(&key)?.is_some() {
                return Err(exists("dataset", name.as_str()));
            }
            if owner.dataset_count >= owner.max_dataset_count {
                let what =
                    format!("ProjectMaxDatasetCount: expected at most {}, got one more", owner.max_dataset_count);
                return Err(Error::new(ErrorKind::LimitExceeded, what));
            }
            let mut database = database(&reader)?;
            let row = new_dataset(database.next_dataset, &owner, spec);
            database.next_dataset += 1;
            owner.dataset_count += 1;
            let mut batch = inner.store.batch();
            batch.put(&keys::database(), &database)?;
            batch.put(&keys::project(project), &owner)?;
            batch.put(&key, &row)?;
            point("create-dataset-before")?;
            inner.store.commit(batch, Durability::Sync)?;
            let _killed_here = point("create-dataset-named");
            Ok(dataset_of(project, name.as_str(), &row, CountersRow::default(), 0))
        };
        created().map_err(|e| e.during("CreateDataset"))
    }

    /// Datasets of a project by name, from `token` on, whose names begin with `prefix`.
    pub fn datasets(
        &self,
        project: &str,
        prefix: &str,
        token: &str,
        max_results: usize,
    ) -> Result<Listing<model::Dataset>> {
        let listed = || -> Result<Listing<model::Dataset>> {
            listing::check_name_token(token)?;
            let reader = self.handle.inner.store.reader();
            let owner = find_project(&reader, project)?.id();
            let ask = Ask { prefix, token, max_results };
            let (rows, next_token) =
                listing::page(&reader, |name| keys::dataset(owner, name), &ask, |_: &DatasetRow| true)?;
            let complete = |(name, row): (String, DatasetRow)| {
                let counters = reader.row(&keys::counters(row.id()))?.unwrap_or_default();
                let bound = binding::count(&reader, row.id())?;
                Ok(dataset_of(project, &name, &row, counters, bound))
            };
            Ok(Listing { items: rows.into_iter().map(complete).collect::<Result<_>>()?, next_token })
        };
        listed().map_err(|e| e.during("ListDatasets"))
    }

    /// Changes what `spec` names of a dataset.
    pub fn update_dataset(&self, project: &str, name: &str, spec: &DatasetSpec) -> Result<model::Dataset> {
        let updated = || -> Result<model::Dataset> {
            spec.validate()?;
            let inner = &self.handle.inner;
            inner.workflow.check(spec.template_id.as_deref())?;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let owner = find_project(&reader, project)?.id();
            let mut row = find_dataset(&reader, owner, name)?;
            apply_dataset(&mut row, spec);
            row.update_time = now().0;
            let space = inner.space(row.id(), &row.limits)?;
            let mut batch = inner.store.batch();
            batch.put(&keys::dataset(owner, name), &row)?;
            inner.store.commit(batch, Durability::Sync)?;
            lock(&space.writer).limits = row.limits.clone();
            let counters = reader.row(&keys::counters(row.id()))?.unwrap_or_default();
            Ok(dataset_of(project, name, &row, counters, binding::count(&reader, row.id())?))
        };
        updated().map_err(|e| e.during("UpdateDataset"))
    }

    /// Deletes a dataset that holds no files, and its bindings.
    pub fn delete_dataset(&self, project: &str, name: &str) -> Result<()> {
        let deleted = || -> Result<()> {
            let inner = &self.handle.inner;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            let mut owner = find_project(&reader, project)?;
            let row = find_dataset(&reader, owner.id(), name)?;
            owner.dataset_count = owner.dataset_count.saturating_sub(1);
            let mut batch = inner.store.batch();
            batch.put(&keys::project(project), &owner)?;
            batch.delete(&keys::dataset(owner.id(), name))?;
            binding::forget(&reader, &mut batch, row.id())?;
            cluster::forget(&reader, &mut batch, row.id())?;
            remove_space(inner, batch, &row, name)
        };
        deleted().map_err(|e| e.during("DeleteDataset"))
    }

    /// A dataset to read and write; the first call for each recovers its index.
    pub fn dataset(&self, project: &str, name: &str) -> Result<Dataset> {
        let inner = &self.handle.inner;
        let reader = inner.store.reader();
        let owner = find_project(&reader, project)?.id();
        let row = find_dataset(&reader, owner, name)?;
        drop(reader);
        let space = inner.space(row.id(), &row.limits)?;
        // Deleted meanwhile: what was just opened must not be written to.
        if let Err(e) = find_dataset(&inner.store.reader(), owner, name) {
            inner.forget(row.id());
            return Err(e);
        }
        let place =
            Place { project: project.to_owned(), dataset: name.to_owned(), owner: inner.options.owner_id.clone() };
        Ok(Dataset::new(self.clone(), space, place))
    }

    /// A dataset's description with its exact counts.
    pub fn dataset_info(&self, project: &str, name: &str) -> Result<model::Dataset> {
        let found = || -> Result<model::Dataset> {
            let reader = self.handle.inner.store.reader();
            let row = find_dataset(&reader, find_project(&reader, project)?.id(), name)?;
            let counters = reader.row(&keys::counters(row.id()))?.unwrap_or_default();
            Ok(dataset_of(project, name, &row, counters, binding::count(&reader, row.id())?))
        };
        found().map_err(|e| e.during("GetDataset"))
    }
}

/// Lands the deletion of a dataset together with all that its index left behind.
fn remove_space(inner: &Inner, mut batch: Batch<'_>, row: &DatasetRow, name: &str) -> Result<()> {
    let space = inner.space(row.id(), &row.limits)?;
    let _structure = exclude(&space.structure);
    let mut writer = lock(&space.writer);
    if writer.counters.files > 0 {
        let what = format!("the dataset {name:?} still holds {} files", writer.counters.files);
        return Err(Error::new(ErrorKind::NotEmpty, what));
    }
    batch.delete(&keys::counters(row.id()))?;
    batch.drop_changes(row.id(), u64::MAX - 1)?;
    batch.drop_quarantine(row.id())?;
    let unnamed = rebuild::unname_all(&inner.store.reader(), &mut batch, row.id())?;
    point("drop-dataset-before")?;
    inner.store.commit(batch, Durability::Sync)?;
    writer.gone = true;
    let _killed_here = point("drop-dataset-named");
    segments::unlink(inner, unnamed);
    let _killed_here = point("drop-dataset-unlinked");
    inner.forget(row.id());
    Ok(())
}

fn database(reader: &Reader<'_>) -> Result<DatabaseRow> {
    reader.row(&keys::database())?.ok_or_else(|| Error::corrupted("the store has no database row"))
}

pub(super) fn find_project(reader: &Reader<'_>, name: &str) -> Result<ProjectRow> {
    let name = Name::parse("ProjectName", name)?;
    reader.row(&keys::project(name.as_str()))?.ok_or_else(|| missing("project", name.as_str()))
}

pub(super) fn find_dataset(reader: &Reader<'_>, project: ProjectId, name: &str) -> Result<DatasetRow> {
    let name = Name::parse("DatasetName", name)?;
    reader.row(&keys::dataset(project, name.as_str()))?.ok_or_else(|| missing("dataset", name.as_str()))
}

fn missing(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("the {what} {name:?} does not exist"))
}

fn exists(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("the {what} {name:?} exists already"))
}

fn new_project(id: u64, spec: &ProjectSpec) -> ProjectRow {
    let time = now().0;
    let mut row = ProjectRow {
        id,
        description: String::new(),
        service_role: DEFAULT_ROLE.to_owned(),
        template_id: String::new(),
        tags: Vec::new(),
        create_time: time,
        update_time: time,
        max_dataset_count: MAX_DATASETS,
        dataset_limits: Limits::default(),
        dataset_count: 0,
    };
    apply_project(&mut row, spec);
    row
}

fn apply_project(row: &mut ProjectRow, spec: &ProjectSpec) {
    let set = |to: &mut String, from: &Option<String>| from.iter().for_each(|text| to.clone_from(text));
    set(&mut row.description, &spec.description);
    set(&mut row.service_role, &spec.service_role);
    set(&mut row.template_id, &spec.template_id);
    spec.tags.iter().for_each(|tags| row.tags.clone_from(tags));
    spec.max_dataset_count.iter().for_each(|count| row.max_dataset_count = *count);
    spec.dataset_limits.iter().for_each(|limits| row.dataset_limits.clone_from(limits));
}

fn new_dataset(id: u64, owner: &ProjectRow, spec: &DatasetSpec) -> DatasetRow {
    let time = now().0;
    let mut row = DatasetRow {
        id,
        description: String::new(),
        // Empty: the project's governs, whatever it is by then.
        template_id: String::new(),
        create_time: time,
        update_time: time,
        limits: owner.dataset_limits.clone(),
    };
    apply_dataset(&mut row, spec);
    row
}

fn apply_dataset(row: &mut DatasetRow, spec: &DatasetSpec) {
    spec.description.iter().for_each(|text| row.description.clone_from(text));
    spec.template_id.iter().for_each(|text| row.template_id.clone_from(text));
    spec.limits.iter().for_each(|limits| row.limits.clone_from(limits));
}

/// Sums over the datasets of a project.
#[derive(Default)]
struct Totals {
    files: u64,
    bytes: u64,
}

fn totals(reader: &Reader<'_>, project: ProjectId) -> Result<Totals> {
    let mut totals = Totals::default();
    for (_, id) in dataset_ids(reader, project)? {
        let counters: CountersRow = reader.row(&keys::counters(id))?.unwrap_or_default();
        totals.files = totals.files.saturating_add(counters.files);
        totals.bytes = totals.bytes.saturating_add(counters.bytes);
    }
    Ok(totals)
}

/// Names and numbers of the datasets of a project.
pub(super) fn dataset_ids(reader: &Reader<'_>, project: ProjectId) -> Result<Vec<(String, DatasetId)>> {
    use crate::store::rows::Row;
    let prefix = keys::dataset(project, "");
    let mut rows = reader.scan(&prefix, None)?;
    let mut ids = Vec::new();
    while let Some((key, value)) = rows.current()? {
        let name = keys::text_after(key, prefix.bytes.len()).unwrap_or("");
        ids.push((name.to_owned(), DatasetRow::decode(value)?.id()));
        rows.advance();
    }
    Ok(ids)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn project_of(name: &str, row: &ProjectRow, totals: Totals) -> Project {
    Project {
        name: name.to_owned(),
        description: row.description.clone(),
        service_role: row.service_role.clone(),
        template_id: row.template_id.clone(),
        tags: row.tags.clone(),
        create_time: row.create_time,
        update_time: row.update_time,
        max_dataset_count: row.max_dataset_count,
        dataset_limits: row.dataset_limits.clone(),
        dataset_count: row.dataset_count,
        file_count: signed(totals.files),
        total_file_size: signed(totals.bytes),
    }
}

fn dataset_of(project: &str, name: &str, row: &DatasetRow, counters: CountersRow, bound: u64) -> model::Dataset {
    model::Dataset {
        project: project.to_owned(),
        name: name.to_owned(),
        description: row.description.clone(),
        template_id: row.template_id.clone(),
        create_time: row.create_time,
        update_time: row.update_time,
        limits: row.limits.clone(),
        bind_count: signed(bound),
        file_count: signed(counters.files),
        total_file_size: signed(counters.bytes),
    }
}
