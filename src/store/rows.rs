//! Control rows: the values of `catalog` and `segments`. Encoded by [`crate::codec::bin`], each with its version.

use super::keys::{DatasetId, ProjectId};
use crate::codec::bin;
use crate::error::Result;
use crate::model::cluster::PlaceNames;
use crate::model::{BindingPhase, BindingState, Limits, Tag};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A control row: positional fields, so a change of the struct is a new version.
pub trait Row: Serialize + DeserializeOwned {
    /// Version of the layout, the first byte of every row.
    const VERSION: u8;
    /// What it is called in errors.
    const WHAT: &'static str;

    /// The row as stored.
    fn encode(&self) -> Result<Vec<u8>> {
        bin::to_vec(Self::VERSION, self)
    }

    /// Reads a stored row.
    fn decode(bytes: &[u8]) -> Result<Self> {
        bin::from_slice(Self::VERSION, bytes, Self::WHAT)
    }
}

/// The database itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRow {
    /// Secret that authenticates page tokens; random, made at creation.
    pub token_key: [u8; 32],
    /// Number of the next project.
    pub next_project: u64,
    /// Number of the next dataset.
    pub next_dataset: u64,
    /// Projects that exist.
    pub project_count: u64,
}

impl Row for DatabaseRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "database row";
}

/// A project, under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectRow {
    /// Its number.
    pub id: u64,
    /// `Description`.
    pub description: String,
    /// `ServiceRole`.
    pub service_role: String,
    /// `TemplateId`.
    pub template_id: String,
    /// `Tags`.
    pub tags: Vec<Tag>,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
    /// `ProjectMaxDatasetCount`.
    pub max_dataset_count: i64,
    /// Default quotas of datasets.
    pub dataset_limits: Limits,
    /// Datasets that exist.
    pub dataset_count: i64,
}

impl ProjectRow {
    /// Its number.
    pub fn id(&self) -> ProjectId {
        ProjectId(self.id)
    }
}

impl Row for ProjectRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "project row";
}

/// A dataset, under its project's number and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRow {
    /// Its number.
    pub id: u64,
    /// `Description`.
    pub description: String,
    /// `TemplateId`.
    pub template_id: String,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
    /// Quotas.
    pub limits: Limits,
}

impl DatasetRow {
    /// Its number.
    pub fn id(&self) -> DatasetId {
        DatasetId(self.id)
    }
}

impl Row for DatasetRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "dataset row";
}

/// Exact counts of a dataset, written by every commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountersRow {
    /// Files.
    pub files: u64,
    /// Sum of their `Size` members; negative sizes count as 0.
    pub bytes: u64,
    /// Number of the last commit; names what an index snapshot must belong to.
    pub commit: u64,
}

impl Row for CountersRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "counters row";
}

/// A segment file of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// Documents in the file, dead ones included.
    pub docs: u32,
    /// Length of the file.
    pub bytes: u64,
    /// Dead documents: a serialized roaring bitmap of their numbers.
    pub tombstones: Vec<u8>,
}

impl Row for SegmentRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "segment row";
}

/// One call's files, accepted for indexing and not yet indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRow {
    /// `EventId` of the call.
    pub event: String,
    /// Name of the project.
    pub project: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Number of the dataset: another one of the same name is not meant.
    pub dataset_id: u64,
    /// When the call was accepted, in nanoseconds since 1970.
    pub accepted: i64,
    /// `UserData`.
    pub user_data: String,
    /// `Notification` as JSON, or empty.
    pub notification: String,
    /// The files as JSON documents of what the caller said of them.
    pub files: Vec<String>,
    /// `RequestId` of the call, or empty.
    pub request_id: String,
    /// Whether it was a call for many files, of which it may have named one.
    pub batch: bool,
}

/// A work row of version 1: all but the last two fields.
type WorkRow1 = (String, String, String, u64, i64, String, String, Vec<String>);

impl Row for WorkRow {
    const VERSION: u8 = 2;
    const WHAT: &'static str = "work row";

    fn decode(bytes: &[u8]) -> Result<WorkRow> {
        if bytes.first() != Some(&1) {
            return bin::from_slice(WorkRow::VERSION, bytes, WorkRow::WHAT);
        }
        let (event, project, dataset, dataset_id, accepted, user_data, notification, files): WorkRow1 =
            bin::from_slice(1, bytes, WorkRow::WHAT)?;
        let (request_id, batch) = (String::new(), files.len() > 1);
        Ok(WorkRow { event, project, dataset, dataset_id, accepted, user_data, notification, files, request_id, batch })
    }
}

/// A bucket attached to a project, under the bucket's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRow {
    /// Name of the project.
    pub project: String,
    /// `Description`.
    pub description: String,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
}

impl Row for AttachmentRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "attachment row";
}

/// A task, under its project's number and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// Its number: tasks that are due at the same time are done in the order of their numbers.
    pub number: u64,
    /// `TaskType`.
    pub kind: String,
    /// Its state: its place in [`TaskState::ALL`](crate::model::TaskState::ALL).
    pub state: u8,
    /// `Code` of a failure, or of the last attempt.
    pub code: String,
    /// `Message` of a failure, or of the last attempt.
    pub message: String,
    /// `Progress`, 0 to 100.
    pub progress: u8,
    /// When it was accepted, in nanoseconds since 1970.
    pub accepted: i64,
    /// When it may be begun, in nanoseconds since 1970.
    pub due: u64,
    /// When it ended, in nanoseconds since 1970; 0 before.
    pub ended: i64,
    /// Times that it was begun.
    pub attempts: u32,
    /// `EventId`.
    pub event: String,
    /// `RequestId` of the call.
    pub request: String,
    /// `UserData`.
    pub user_data: String,
    /// `Notification` as JSON, or empty.
    pub notification: String,
    /// `Tags`.
    pub tags: Vec<Tag>,
    /// The request as JSON.
    pub definition: String,
}

impl Row for TaskRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "task row";
}

/// Which task a row of the lists of tasks means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRef {
    /// Number of the project.
    pub project: u64,
    /// Name of the project.
    pub project_name: String,
    /// Its id.
    pub id: String,
}

impl Row for TaskRef {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "row of a list of tasks";
}

/// A file that cost a worker, under its dataset's number and its URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Code of the outcome.
    pub outcome: u8,
    /// What happened, in words.
    pub message: String,
    /// Length of the file.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970.
    pub modified: i64,
    /// Its inode.
    pub inode: u64,
    /// Version of the extractor that met it.
    pub version: String,
    /// When, in nanoseconds since 1970.
    pub since: i64,
}

impl Row for QuarantineRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "quarantine row";
}

/// A dataset that follows a bucket, under the dataset's number and the bucket's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingRow {
    /// Name of the project.
    pub project: String,
    /// Name of the dataset.
    pub dataset: String,
    /// `State`.
    pub state: BindingState,
    /// `Phase`.
    pub phase: BindingPhase,
    /// `Reason`, or empty.
    pub reason: String,
    /// `CreateTime` in nanoseconds since 1970; tells a binding from a later one of the same bucket.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970: the last stop or resumption.
    pub update_time: i64,
    /// Folder or store that the bucket stands for; empty where the process says so.
    pub source: String,
    /// How keys begin that are followed.
    pub prefix: String,
    /// Patterns of keys that are not followed.
    pub exclude: Vec<String>,
    /// Files per second that a scan looks at, at most; 0 for no limit.
    pub rate: u32,
    /// What the source's root was when it was bound: two numbers that another root hardly has.
    pub root: Option<(u64, u64)>,
    /// File systems that were met below the root: key of the directory, and two numbers as above.
    pub mounts: Vec<(String, (u64, u64))>,
    /// Key up to which the first full scan is done.
    pub cursor: String,
    /// The first full scan is done.
    pub scanned: bool,
    /// When the last whole comparison began that found everything reachable, in nanoseconds since 1970, or 0.
    pub verified: i64,
    /// Times that the system dropped events.
    pub lost: u64,
    /// Times that a comparison made good for them.
    pub reconciled: u64,
    /// A deleted binding whose documents are to go as well.
    pub cleanup: bool,
}

impl Row for BindingRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "binding row";
}

/// What a cluster row is about; the byte stands in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ClusterKind {
    /// [`LocationDateRow`].
    LocationDate = b'l',
    /// [`SimilarImagesRow`].
    SimilarImages = b's',
    /// [`FigureRow`].
    Figures = b'f',
    /// [`PlacementsRow`].
    Placements = b'p',
}

/// A location-date cluster, under its dataset's number and its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationDateRow {
    /// `Title`, or empty.
    pub title: String,
    /// `CustomId`, or empty.
    pub custom_id: String,
    /// `CustomLabels`.
    pub custom_labels: Vec<Tag>,
    /// The level: its place in [`Level::ALL`](crate::model::cluster::Level::ALL).
    pub level: u8,
    /// The place: names from the country down to the level.
    pub place: Vec<String>,
    /// The place in the languages that its files have.
    pub names: Vec<PlaceNames>,
    /// Days on which there are or were files, ascending: days since 1970-01-01 at the place, and its offset from UTC in seconds.
    pub days: Vec<(i64, i32)>,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
}

impl Row for LocationDateRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "location-date row";
}

/// A cluster of similar pictures, under its dataset's number and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimilarImagesRow {
    /// URIs, the best score first, each with its score in ten-thousandths.
    pub files: Vec<(String, Option<u32>)>,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
}

impl Row for SimilarImagesRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "similar-images row";
}

/// A figure cluster, under its dataset's number and its id. Which figures it has is in their documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRow {
    /// `Name`, or empty.
    pub name: String,
    /// `CustomId`, or empty.
    pub custom_id: String,
    /// `CustomLabels`.
    pub custom_labels: Vec<Tag>,
    /// URI and `FigureId` of the figure that a caller has chosen to show it.
    pub chosen: Option<(String, String)>,
    /// URI and `FigureId` of the best figure.
    pub cover: Option<(String, String)>,
    /// `ImageCount`.
    pub images: u64,
    /// `VideoCount`.
    pub videos: u64,
    /// `FaceCount`.
    pub faces: u64,
    /// The least age, the greatest one, their sum and their number.
    pub ages: Option<(i64, i64, i64, u64)>,
    /// `Gender`, or empty.
    pub gender: String,
    /// `MetaLockVersion`.
    pub lock_version: u64,
    /// `CreateTime` in nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime` in nanoseconds since 1970.
    pub update_time: i64,
}

impl Row for FigureRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "figure-cluster row";
}

/// Clusters that figures of one document are to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The document.
    pub uri: String,
    /// `FigureId`, the `FigureClusterId` that it must have, the one that it gets, and its confidence in ten-thousandths.
    pub figures: Vec<(String, String, String, u16)>,
}

/// What a clustering task has found and is yet to be written into documents, under its dataset's number and a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementsRow {
    /// For each document.
    pub placements: Vec<Placement>,
}

impl Row for PlacementsRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "placements row";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_rows_of_version_1_are_read() {
        let text = |t: &str| t.to_owned();
        let old: WorkRow1 = (text("e"), text("p"), text("d"), 7, 9, text("u"), text("{}"), vec![text("a"), text("b")]);
        let row = WorkRow::decode(&bin::to_vec(1, &old).unwrap()).unwrap();
        assert_eq!((row.event.as_str(), row.dataset_id, row.files.len(), row.batch), ("e", 7, 2, true));
        assert_eq!(WorkRow::decode(&row.encode().unwrap()).unwrap(), row);
        let newer = [&[3], &row.encode().unwrap()[1..]].concat();
        assert!(WorkRow::decode(&newer).is_err());
    }
}
