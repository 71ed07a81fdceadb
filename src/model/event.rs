//! Events: what happened, and whom a request wants to be told. Shapes: `docs/notifications.md`.
//!
//! An [`Event`] is what the outbox keeps and every receiver is told; its `content` is the payload of the IMM API
//! (notifications.md 3), made here for indexing and by whoever announces anything else.

use super::time::Timestamp;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most bytes of `UserData` (API limit).
pub const MAX_USER_DATA: usize = 2048;
/// Most characters of the name of a topic, queue or subscription (limit of MNS).
pub const MAX_NAME: usize = 255;

/// What happened: the `type` of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(&'static str);

/// Every type that the API names for files, bindings and tasks (notifications.md 4), in its order.
const TYPES: [&str; 27] = [
    "imm:FileMeta:Index",
    "imm:FileMeta:BatchIndex",
    "imm:FileMeta:BatchUpdate",
    "imm:FileMeta:Delete",
    "imm:FileMeta:BatchDelete",
    "imm:Binding:Task",
    "imm:Task:FigureClustering",
    "imm:Task:FigureClustersMerging",
    "imm:Task:StoryCreation",
    "imm:Task:VideoLabelClassification",
    "imm:Task:ImageModeration",
    "imm:Task:MediaConvert",
    "imm:Task:OfficeConversion",
    "imm:Task:VideoModeration",
    "imm:Task:ImageSplicing",
    "imm:Task:PointCloudCompression",
    "imm:Task:ImageToPDF",
    "imm:Task:FileCompression",
    "imm:Task:LocationDateClustering",
    "imm:Task:ArchiveFileInspection",
    "imm:Task:FileUncompression",
    "imm:Task:SimilarImageClustering",
    "imm:Task:FacesSearching",
    "imm:Task:LiveTranscoding",
    "imm:Task:DecodeBlindWatermark",
    "imm:Task:AsyncTask",
    "imm:Task:SyncTask",
];

impl EventType {
    /// One IndexFileMeta call is done.
    pub const INDEX: EventType = EventType("imm:FileMeta:Index");
    /// One BatchIndexFileMeta call is done.
    pub const BATCH_INDEX: EventType = EventType("imm:FileMeta:BatchIndex");
    /// Documents were updated.
    pub const BATCH_UPDATE: EventType = EventType("imm:FileMeta:BatchUpdate");
    /// A document was deleted.
    pub const DELETE: EventType = EventType("imm:FileMeta:Delete");
    /// Documents were deleted.
    pub const BATCH_DELETE: EventType = EventType("imm:FileMeta:BatchDelete");
    /// A binding changed its phase or state.
    pub const BINDING: EventType = EventType("imm:Binding:Task");

    /// Every type.
    pub fn all() -> impl Iterator<Item = EventType> {
        TYPES.into_iter().map(EventType)
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Result<EventType> {
        let unknown = || Error::invalid(format!("event type: expected one such as imm:FileMeta:Index, got {name:?}"));
        EventType::all().find(|kind| kind.0 == name).ok_or_else(unknown)
    }

    /// The type that says that a task of this `TaskType` ended; the names differ for two of them (notifications.md 4).
    pub fn of_task(task_type: &str) -> EventType {
        let name = match task_type {
            "FaceClustering" => "FigureClustering",
            "PointCloudCompress" => "PointCloudCompression",
            other => other,
        };
        let found = EventType::all().find(|kind| kind.0.strip_prefix("imm:Task:") == Some(name));
        found.unwrap_or(EventType("imm:Task:AsyncTask"))
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its identity, the same on every delivery; where a call answered an `EventId`, that.
    pub id: String,
    /// What happened.
    pub kind: EventType,
    /// Name of the project.
    pub project: String,
    /// Name of the dataset, or empty.
    pub dataset: String,
    /// Name of the topic that the request asked for ([`Notification`]), or empty.
    pub topic: String,
    /// When.
    pub time: Timestamp,
    /// The payload: one JSON object as text.
    pub content: String,
}

/// The `Notification` parameter of a request. RocketMQ and `ExtendedMessageURI` are accepted and not served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// `MNS.TopicName`, or empty.
    pub topic: String,
}

#[derive(Deserialize)]
struct NotificationWire {
    #[serde(rename = "MNS")]
    mns: Option<TopicWire>,
}

#[derive(Deserialize)]
struct TopicWire {
    #[serde(rename = "TopicName")]
    topic: Option<String>,
}

impl Notification {
    /// Reads the parameter; an empty text asks for nothing.
    pub fn parse(json: &str) -> Result<Notification> {
        if json.is_empty() {
            return Ok(Notification::default());
        }
        let wire: NotificationWire =
            serde_json::from_str(json).map_err(|e| Error::invalid(format!("Notification: {e}")))?;
        let topic = wire.mns.and_then(|mns| mns.topic).unwrap_or_default();
        if !topic.is_empty() {
            check_name("Notification.MNS.TopicName", &topic)?;
        }
        Ok(Notification { topic })
    }
}

/// Names of topics, queues and subscriptions: letters, digits and `-`, not beginning with `-`; `_` and `.` are taken too.
pub fn check_name(what: &str, name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let head = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if head && name.len() <= MAX_NAME && name.chars().all(fine) {
        return Ok(());
    }
    let shown: String = name.chars().take(64).collect();
    let rule = format!("1 to {MAX_NAME} of A-Z, a-z, 0-9, -, _ and ., beginning with a letter or digit");
    Err(Error::invalid(format!("{what}: expected {rule}, got {shown:?}")))
}

/// What came of one file of an index call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexedFile {
    /// `URI` as given.
    #[serde(rename = "URI")]
    pub uri: String,
    /// `CustomId` as given.
    #[serde(rename = "CustomId", skip_serializing_if = "String::is_empty")]
    pub custom_id: String,
    /// `CustomLabels` as given.
    #[serde(rename = "CustomLabels", skip_serializing_if = "serde_json::Map::is_empty")]
    pub custom_labels: serde_json::Map<String, serde_json::Value>,
    /// Empty, or `[Code] text`.
    #[serde(rename = "Error")]
    pub error: String,
}

/// What came of an index call: its payload (notifications.md 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IndexResult {
    /// `ProjectName`.
    pub project_name: String,
    /// `DatasetName`.
    pub dataset_name: String,
    /// `RequestId` of the call; empty where it did not come over the wire.
    pub request_id: String,
    /// When the call was accepted.
    pub start_time: String,
    /// When all its files were done.
    pub end_time: String,
    /// False only where the request failed as a whole: a file that could not be read does not make it false.
    pub success: bool,
    /// Why it failed as a whole, or empty.
    pub message: String,
    /// `UserData` as given.
    pub user_data: String,
    /// The files in the order given.
    pub files: Vec<IndexedFile>,
}

impl IndexResult {
    /// The payload as text.
    pub fn content(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names_that_parse() {
        for kind in EventType::all() {
            assert_eq!(EventType::parse(kind.as_str()).unwrap(), kind);
        }
        assert!(EventType::parse("imm:FileMeta").unwrap_err().message().contains("expected"));
        assert_eq!(EventType::of_task("FaceClustering").as_str(), "imm:Task:FigureClustering");
        assert_eq!(EventType::of_task("PointCloudCompress").as_str(), "imm:Task:PointCloudCompression");
        assert_eq!(EventType::of_task("VideoLabelClassification").as_str(), "imm:Task:VideoLabelClassification");
        for own in [EventType::INDEX, EventType::BATCH_INDEX, EventType::BATCH_UPDATE, EventType::DELETE] {
            assert_eq!(EventType::parse(own.as_str()).unwrap(), own);
        }
        assert!([EventType::BATCH_DELETE, EventType::BINDING].iter().all(|k| TYPES.contains(&k.as_str())));
    }

    #[test]
    fn notifications_name_a_topic_or_nothing() {
        let topic = |json: &str| Notification::parse(json).map(|n| n.topic);
        assert_eq!(topic("").unwrap(), "");
        assert_eq!(topic("{}").unwrap(), "");
        assert_eq!(topic(r#"{"MNS":{"TopicName":"t-1"},"ExtendedMessageURI":"oss://b/x"}"#).unwrap(), "t-1");
        assert_eq!(topic(r#"{"RocketMQ":{"InstanceId":"i","TopicName":"r"}}"#).unwrap(), "");
        for bad in ["[]", "{", r#"{"MNS":{"TopicName":"a b"}}"#, r#"{"MNS":7}"#, r#"{"MNS":{"TopicName":"-x"}}"#] {
            assert!(topic(bad).unwrap_err().message().starts_with("Notification"), "{bad}");
        }
        assert!(check_name("queue", &"q".repeat(MAX_NAME)).is_ok());
        assert!(check_name("queue", &"q".repeat(MAX_NAME + 1)).is_err());
        assert!(check_name("queue", "").is_err());
    }

    #[test]
    fn results_are_shaped_as_in_the_api() {
        let file = IndexedFile {
            uri: "oss://b/a.jpg".into(),
            custom_id: String::new(),
            custom_labels: serde_json::Map::new(),
            error: "[InvalidArgument] File does not exist.".into(),
        };
        let result = IndexResult {
            project_name: "p".into(),
            dataset_name: "d".into(),
            request_id: "R".into(),
            start_time: "2024-05-01T08:00:00Z".into(),
            end_time: "2024-05-01T08:00:01Z".into(),
            success: true,
            message: String::new(),
            user_data: "u".into(),
            files: vec![file],
        };
        let expected = concat!(
            r#"{"ProjectName":"p","DatasetName":"d","RequestId":"R","StartTime":"2024-05-01T08:00:00Z","#,
            r#""EndTime":"2024-05-01T08:00:01Z","Success":true,"Message":"","UserData":"u","#,
            r#""Files":[{"URI":"oss://b/a.jpg","Error":"[InvalidArgument] File does not exist."}]}"#,
        );
        assert_eq!(result.content(), expected);
    }
}
