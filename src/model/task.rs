//! Tasks (operations.md 6): work that is asked for by a call and told of by later ones.

use crate::error::{Error, Result};
use crate::model::Order;
use std::collections::BTreeMap;

/// Most tags of a task.
pub const MAX_TASK_TAGS: usize = 100;
/// Most bytes of a tag's key and of its value.
pub const MAX_TASK_TAG_BYTES: usize = 1024;
/// Most bytes of `UserData` (API limit).
pub const MAX_TASK_USER_DATA: usize = 2048;
/// Most tasks of a page of ListTasks (API limit), and their number where none is asked for.
pub const MAX_TASK_PAGE: usize = 100;

/// The type of a task, one of the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKind(&'static str);

impl TaskKind {
    /// CreateVideoLabelClassificationTask.
    pub const VIDEO_LABELS: TaskKind = TaskKind("VideoLabelClassification");

    /// CreateLocationDateClusteringTask.
    pub const LOCATION_DATES: TaskKind = TaskKind("LocationDateClustering");
    /// CreateSimilarImageClusteringTask.
    pub const SIMILAR_IMAGES: TaskKind = TaskKind("SimilarImageClustering");

    /// CreateFigureClusteringTask.
    pub const FIGURES: TaskKind = TaskKind("FaceClustering");
    /// CreateFigureClustersMergingTask.
    pub const FIGURES_MERGING: TaskKind = TaskKind("FigureClustersMerging");
    /// Types that group the files of a dataset.
    pub const CLUSTERING: [TaskKind; 4] =
        [TaskKind::LOCATION_DATES, TaskKind::SIMILAR_IMAGES, TaskKind::FIGURES, TaskKind::FIGURES_MERGING];

    /// Every `TaskType` of the API, whether or not this server runs it.
    pub const ALL: [&'static str; 19] = [
        "VideoLabelClassification",
        "FaceClustering",
        "OfficeConversion",
        "ImageModeration",
        "VideoModeration",
        "MediaConvert",
        "FileCompression",
        "ArchiveFileInspection",
        "FileUncompression",
        "PointCloudCompress",
        "ImageToPDF",
        "StoryCreation",
        "LocationDateClustering",
        "ImageSplicing",
        "FacesSearching",
        "SimilarImageClustering",
        "FigureClustersMerging",
        "DecodeBlindWatermark",
        "Highlight",
    ];

    /// The type of that name.
    pub fn parse(text: &str) -> Result<TaskKind> {
        let known = TaskKind::ALL.into_iter().find(|name| *name == text);
        known.map(TaskKind).ok_or_else(|| {
            let shown: String = text.chars().take(60).collect();
            Error::invalid(format!("TaskType: expected a type of tasks such as {}, got {shown:?}", TaskKind::ALL[0]))
        })
    }

    /// `TaskType`.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Accepted, or to be tried again.
    Waiting,
    /// Somebody works on it, or did when the process ended.
    Running,
    /// Ended with a result.
    Succeeded,
    /// Ended without one; code and message say why.
    Failed,
    /// Ended because a caller asked for it; the API shows it as failed.
    Cancelled,
}

impl TaskState {
    /// Every state with its name; its place is its number on disk.
    pub const ALL: [(TaskState, &'static str); 5] = [
        (TaskState::Waiting, "Waiting"),
        (TaskState::Running, "Running"),
        (TaskState::Succeeded, "Succeeded"),
        (TaskState::Failed, "Failed"),
        (TaskState::Cancelled, "Cancelled"),
    ];

    /// `Status`, of which the API knows three.
    pub fn status(self) -> &'static str {
        match self {
            TaskState::Waiting | TaskState::Running => "Running",
            TaskState::Succeeded => "Succeeded",
            TaskState::Failed | TaskState::Cancelled => "Failed",
        }
    }

    /// The name, finer than `Status`.
    pub fn name(self) -> &'static str {
        TaskState::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether nothing more will happen to the task.
    pub fn is_final(self) -> bool {
        !matches!(self, TaskState::Waiting | TaskState::Running)
    }
}

/// A task as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// `ProjectName`.
    pub project: String,
    /// `TaskId`.
    pub id: String,
    /// `TaskType`.
    pub kind: TaskKind,
    /// How far it is.
    pub state: TaskState,
    /// Why it failed: `Code`, or empty.
    pub code: String,
    /// Why it failed: `Message`, or empty.
    pub message: String,
    /// `Progress`, 0 to 100.
    pub progress: u8,
    /// `StartTime`: when it was accepted, nanoseconds since 1970.
    pub start_time: i64,
    /// `EndTime`, nanoseconds since 1970.
    pub end_time: Option<i64>,
    /// `EventId`.
    pub event_id: String,
    /// `RequestId` of the call that made it.
    pub request_id: String,
    /// `UserData`.
    pub user_data: String,
    /// `Notification` as JSON, or empty.
    pub notification: String,
    /// `Tags`.
    pub tags: BTreeMap<String, String>,
    /// `TaskRequestDefinition`: the original request as JSON.
    pub definition: String,
    /// Times that it was begun.
    pub attempts: u32,
}

/// What to do, and what belongs to the call beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOrder {
    /// `TaskType`.
    pub kind: TaskKind,
    /// The request as JSON: what a worker needs, and what GetTask shows.
    pub definition: String,
    /// `RequestId` of the call.
    pub request_id: String,
    /// `UserData`, at most [`MAX_TASK_USER_DATA`] bytes.
    pub user_data: String,
    /// `Notification` as JSON, or empty.
    pub notification: String,
    /// `Tags`.
    pub tags: BTreeMap<String, String>,
}

impl TaskOrder {
    /// An order without tags and the like.
    pub fn new(kind: TaskKind, definition: impl Into<String>) -> TaskOrder {
        TaskOrder {
            kind,
            definition: definition.into(),
            request_id: String::new(),
            user_data: String::new(),
            notification: String::new(),
            tags: BTreeMap::new(),
        }
    }

    /// Checks every limit; the error names the parameter.
    pub fn validate(&self) -> Result<()> {
        if self.user_data.len() > MAX_TASK_USER_DATA {
            let got = self.user_data.len();
            return Err(Error::invalid(format!("UserData: expected at most {MAX_TASK_USER_DATA} bytes, got {got}")));
        }
        if self.tags.len() > MAX_TASK_TAGS {
            let got = self.tags.len();
            return Err(Error::invalid(format!("Tags: expected at most {MAX_TASK_TAGS}, got {got}")));
        }
        let long = |text: &&String| text.len() > MAX_TASK_TAG_BYTES;
        match self.tags.iter().flat_map(|(key, value)| [key, value]).find(long) {
            Some(text) => {
                let got = text.len();
                Err(Error::invalid(format!("Tags: expected at most {MAX_TASK_TAG_BYTES} bytes each, got {got}")))
            }
            None => Ok(()),
        }
    }
}

/// An inclusive range of times in nanoseconds since 1970; either side may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The earliest.
    pub start: Option<i64>,
    /// The latest.
    pub end: Option<i64>,
}

impl TimeRange {
    /// Whether a time is in the range; a missing one only in the open range.
    pub fn holds(&self, time: Option<i64>) -> bool {
        match time {
            Some(time) => self.start.is_none_or(|from| from <= time) && self.end.is_none_or(|to| time <= to),
            None => self.start.is_none() && self.end.is_none(),
        }
    }
}

/// What ListTasks sorts by; ties end in the id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TaskSort {
    /// `TaskId`.
    #[default]
    Id,
    /// `StartTime`.
    Start,
    /// `EndTime`; tasks that have not ended come last in both directions.
    End,
}

/// Which tasks to list, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskQuery {
    /// Types to list; none: all.
    pub kinds: Vec<TaskKind>,
    /// `Status` to list, or empty.
    pub status: String,
    /// Tags that each task must carry.
    pub tags: BTreeMap<String, String>,
    /// When it was accepted.
    pub start: TimeRange,
    /// When it ended.
    pub end: TimeRange,
    /// What to sort by.
    pub sort: TaskSort,
    /// The direction.
    pub order: Order,
    /// Tasks of a page, 1 to [`MAX_TASK_PAGE`]; 0 for that many.
    pub max_results: usize,
    /// Where the page begins, or empty.
    pub token: String,
}

impl Default for TaskQuery {
    fn default() -> TaskQuery {
        TaskQuery {
            kinds: Vec::new(),
            status: String::new(),
            tags: BTreeMap::new(),
            start: TimeRange::default(),
            end: TimeRange::default(),
            sort: TaskSort::Id,
            order: Order::Asc,
            max_results: 0,
            token: String::new(),
        }
    }
}

impl TaskQuery {
    /// Reads `TagSelector`: `key=value`, several joined with `,`.
    pub fn parse_tags(selector: &str) -> Result<BTreeMap<String, String>> {
        let pair = |part: &str| match part.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => {
                let shown: String = part.chars().take(60).collect();
                Err(Error::invalid(format!("TagSelector: expected key=value joined with commas, got {shown:?}")))
            }
        };
        if selector.is_empty() { Ok(BTreeMap::new()) } else { selector.split(',').map(pair).collect() }
    }

    /// Whether a task is meant.
    pub fn holds(&self, task: &Task) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&task.kind))
            && (self.status.is_empty() || self.status == task.state.status())
            && self.tags.iter().all(|(key, value)| task.tags.get(key) == Some(value))
            && self.start.holds(Some(task.start_time))
            && self.end.holds(task.end_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_states() {
        let all = TaskKind::ALL.map(|name| TaskKind::parse(name).unwrap().name());
        assert_eq!(all, TaskKind::ALL);
        assert!(TaskKind::parse("Nope").unwrap_err().message().contains("\"Nope\""));
        assert_eq!((TaskState::Waiting.status(), TaskState::Cancelled.status()), ("Running", "Failed"));
    }

    #[test]
    fn selectors() {
        let tags = TaskQuery::parse_tags("a=1,b=x=y,c=").unwrap();
        let expected = [("a", "1"), ("b", "x=y"), ("c", "")];
        assert_eq!(tags, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert!(TaskQuery::parse_tags("").unwrap().is_empty());
        for bad in ["a", "=x", "a=1,,b=2"] {
            assert!(TaskQuery::parse_tags(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_include_their_ends() {
        let range = TimeRange { start: Some(2), end: Some(4) };
        assert_eq!([1, 2, 4, 5].map(|t| range.holds(Some(t))), [false, true, true, false]);
        assert!(!range.holds(None) && TimeRange::default().holds(None));
    }

    #[test]
    fn orders_have_limits() {
        let mut order = TaskOrder::new(TaskKind::VIDEO_LABELS, "{}");
        order.validate().unwrap();
        order.user_data = "x".repeat(MAX_TASK_USER_DATA + 1);
        assert!(order.validate().unwrap_err().message().starts_with("UserData"));
        order.user_data.clear();
        order.tags.insert("k".into(), "v".repeat(MAX_TASK_TAG_BYTES + 1));
        assert!(order.validate().unwrap_err().message().starts_with("Tags"));
    }
}
