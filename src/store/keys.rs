//! Keys: which table, and bytes that sort as they are listed. Layouts: `docs/format.md`, "Keys".

use super::rows::ClusterKind;
use super::table::Table;
use crate::codec::order;

/// Number of a project; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId(pub u64);

/// Number of a dataset; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetId(pub u64);

/// A key, or the common beginning of several, in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The table it belongs to.
    pub table: Table,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Catalog rows are told apart by their first byte.
const DATABASE: u8 = b'm';
const PROJECT: u8 = b'p';
const DATASET: u8 = b'd';
const COUNTERS: u8 = b'c';
const WORK: u8 = b'w';
const ATTACHMENT: u8 = b'b';
const QUARANTINE: u8 = b'q';
const BINDING: u8 = b'f';
const CLUSTER: u8 = b'k';

/// Rows about tasks are told apart by their first byte.
const TASK: u8 = b't';
const TASK_RESULT: u8 = b'r';
const TASK_WAITING: u8 = b'w';
const TASK_EXPIRY: u8 = b'x';

fn key(table: Table, parts: &[&[u8]]) -> Key {
    Key { table, bytes: parts.concat() }
}

/// The one row about the database itself.
pub fn database() -> Key {
    key(Table::Catalog, &[&[DATABASE]])
}

/// A project by name, or all whose names begin with `name`.
pub fn project(name: &str) -> Key {
    key(Table::Catalog, &[&[PROJECT], name.as_bytes()])
}

/// A dataset by name within its project, or all whose names begin with `name`.
pub fn dataset(project: ProjectId, name: &str) -> Key {
    key(Table::Catalog, &[&[DATASET], &order::key(project.0), name.as_bytes()])
}

/// The counters of a dataset.
pub fn counters(dataset: DatasetId) -> Key {
    key(Table::Catalog, &[&[COUNTERS], &order::key(dataset.0)])
}

/// Work that was accepted, by its number.
pub fn work(number: u64) -> Key {
    key(Table::Catalog, &[&[WORK], &order::key(number)])
}

/// All work.
pub fn all_work() -> Key {
    key(Table::Catalog, &[&[WORK]])
}

/// The number of a work key.
pub fn work_number(bytes: &[u8]) -> Option<u64> {
    let (number, rest) = order::take_key(bytes.strip_prefix(&[WORK])?)?;
    rest.is_empty().then_some(number)
}

/// A bucket that is attached to a project, or all whose names begin with `bucket`.
pub fn attachment(bucket: &str) -> Key {
    key(Table::Catalog, &[&[ATTACHMENT], bucket.as_bytes()])
}

/// A task of a project, or all whose ids begin with `id`.
pub fn task(project: ProjectId, id: &str) -> Key {
    key(Table::Tasks, &[&[TASK], &order::key(project.0), id.as_bytes()])
}

/// The result of a task.
pub fn task_result(project: ProjectId, id: &str) -> Key {
    key(Table::Tasks, &[&[TASK_RESULT], &order::key(project.0), id.as_bytes()])
}

/// A task that waits until `due` (nanoseconds since 1970), by its number.
pub fn task_waiting(due: u64, number: u64) -> Key {
    key(Table::Tasks, &[&[TASK_WAITING], &order::key(due), &order::key(number)])
}

/// All tasks that wait, the earliest first.
pub fn tasks_waiting() -> Key {
    key(Table::Tasks, &[&[TASK_WAITING]])
}

/// A task that is forgotten at `time` (nanoseconds since 1970), by its number.
pub fn task_expiry(time: u64, number: u64) -> Key {
    key(Table::Tasks, &[&[TASK_EXPIRY], &order::key(time), &order::key(number)])
}

/// All tasks that will be forgotten, the earliest first.
pub fn task_expiries() -> Key {
    key(Table::Tasks, &[&[TASK_EXPIRY]])
}

/// Time and number of the key of a task that waits or will be forgotten.
pub fn task_moment(bytes: &[u8]) -> Option<(u64, u64)> {
    let (time, rest) = order::take_key(bytes.get(1..)?)?;
    let (number, rest) = order::take_key(rest)?;
    rest.is_empty().then_some((time, number))
}

/// What is known of a file that cost a worker, or all of a dataset whose URIs begin with `uri`.
pub fn quarantine(dataset: DatasetId, uri: &str) -> Key {
    key(Table::Catalog, &[&[QUARANTINE], &order::key(dataset.0), uri.as_bytes()])
}

/// A binding of a dataset by its bucket, or all whose buckets begin with `bucket`.
pub fn binding(dataset: DatasetId, bucket: &str) -> Key {
    key(Table::Catalog, &[&[BINDING], &order::key(dataset.0), bucket.as_bytes()])
}

/// A cluster of a dataset by its id, or all of a kind whose ids begin with `id`.
pub fn cluster(dataset: DatasetId, kind: ClusterKind, id: &str) -> Key {
    key(Table::Catalog, &[&[CLUSTER], &order::key(dataset.0), &[kind as u8], id.as_bytes()])
}

/// All clusters of a dataset.
pub fn clusters(dataset: DatasetId) -> Key {
    key(Table::Catalog, &[&[CLUSTER], &order::key(dataset.0)])
}

/// All bindings.
pub fn all_bindings() -> Key {
    key(Table::Catalog, &[&[BINDING]])
}

/// Dataset and bucket of a binding key.
pub fn binding_parts(bytes: &[u8]) -> Option<(DatasetId, &str)> {
    let (dataset, bucket) = order::take_key(bytes.strip_prefix(&[BINDING])?)?;
    Some((DatasetId(dataset), std::str::from_utf8(bucket).ok()?))
}

/// The record of a file, or all whose URIs begin with `uri`.
pub fn file(dataset: DatasetId, uri: &str) -> Key {
    key(Table::Files, &[&order::key(dataset.0), uri.as_bytes()])
}

/// The changes of one commit.
pub fn change(dataset: DatasetId, commit: u64) -> Key {
    key(Table::Changes, &[&order::key(dataset.0), &order::key(commit)])
}

/// All changes of a dataset.
pub fn changes(dataset: DatasetId) -> Key {
    key(Table::Changes, &[&order::key(dataset.0)])
}

/// One row of the segment manifest.
pub fn segment(dataset: DatasetId, segment: u64) -> Key {
    key(Table::Segments, &[&order::key(dataset.0), &order::key(segment)])
}

/// The segment manifest of a dataset.
pub fn segments(dataset: DatasetId) -> Key {
    key(Table::Segments, &[&order::key(dataset.0)])
}

/// The segment manifest of all datasets.
pub fn all_segments() -> Key {
    key(Table::Segments, &[])
}

/// The number behind a dataset id: commit of a change, id of a segment.
pub fn number_after_dataset(bytes: &[u8]) -> Option<(DatasetId, u64)> {
    let (dataset, rest) = order::take_key(bytes)?;
    let (number, rest) = order::take_key(rest)?;
    rest.is_empty().then_some((DatasetId(dataset), number))
}

/// The text behind the fixed part of a project (1 byte), dataset (9) or file (8) key.
pub fn text_after(bytes: &[u8], fixed: usize) -> Option<&str> {
    std::str::from_utf8(bytes.get(fixed..)?).ok()
}
