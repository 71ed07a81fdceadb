//! What came of index calls, and the events that say so: one for each call, when all of its files are done. Updates and
//! deletions have events too.

use super::dataset::Dataset;
use super::open::Inner;
use super::outbox::is_wanted;
use super::work::event_id;
use crate::error::{Error, ErrorKind, Result};
use crate::model::event::{IndexResult, IndexedFile};
use crate::model::{Event, EventType, Notification, Timestamp, now};
use crate::store::rows::WorkRow;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What went wrong in a group of calls.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Why a file was not indexed, by number of the dataset and address.
    files: BTreeMap<(u64, String), String>,
    /// Datasets that were deleted meanwhile.
    gone: BTreeSet<u64>,
}

impl Failures {
    /// A file was not read or not stored.
    pub(super) fn file(&mut self, dataset: u64, uri: &str, error: &Error) {
        self.files.insert((dataset, uri.to_owned()), reason(error));
    }

    /// A dataset is no more.
    pub(super) fn gone(&mut self, dataset: u64) {
        self.gone.insert(dataset);
    }
}

/// `[Code] text`, as the API writes it (limits.md 5.1).
pub(super) fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("[InvalidArgument] {}", error.message()),
        kind => format!("[{}] {}", kind.api_code(), error.message()),
    }
}

/// The events of calls that are done, in their order; those that nobody wants are left out.
pub(super) fn events(inner: &Inner, rows: &[(u64, WorkRow)], failures: &Failures, end: Timestamp) -> Vec<Event> {
    let event = |row: &WorkRow| {
        // Checked at acceptance; rows of older versions may hold anything.
        let topic = Notification::parse(&row.notification).unwrap_or_default().topic;
        is_wanted(inner, &topic).then(|| Event {
            id: row.event.clone(),
            kind: if row.batch { EventType::BATCH_INDEX } else { EventType::INDEX },
            project: row.project.clone(),
            dataset: row.dataset.clone(),
            topic,
            time: end,
            content: result(row, failures, end).content(),
        })
    };
    rows.iter().filter_map(|(_, row)| event(row)).collect()
}

/// Files that one event names at most; a call for more has several.
const MOST_TOLD: usize = 100;

/// The events of a change of documents; none where nobody wants to hear of them.
pub(super) fn told(dataset: &Dataset, uris: &[&str], kind: impl Fn(usize) -> EventType) -> Result<Vec<Event>> {
    if !is_wanted(dataset.inner(), "") {
        return Ok(Vec::new());
    }
    let time = now();
    let file = |uri: &&str| IndexedFile {
        uri: (*uri).to_owned(),
        custom_id: String::new(),
        custom_labels: Map::new(),
        error: String::new(),
    };
    let event = |step: &[&str]| -> Result<Event> {
        let result = IndexResult {
            project_name: dataset.project().to_owned(),
            dataset_name: dataset.name().to_owned(),
            request_id: String::new(),
            start_time: time.to_string(),
            end_time: time.to_string(),
            success: true,
            message: String::new(),
            user_data: String::new(),
            files: step.iter().map(file).collect(),
        };
        Ok(Event {
            id: event_id()?,
            kind: kind(uris.len()),
            project: result.project_name.clone(),
            dataset: result.dataset_name.clone(),
            topic: String::new(),
            time,
            content: result.content(),
        })
    };
    uris.chunks(MOST_TOLD).map(event).collect()
}

fn result(row: &WorkRow, failures: &Failures, end: Timestamp) -> IndexResult {
    let gone = failures.gone.contains(&row.dataset_id);
    IndexResult {
        project_name: row.project.clone(),
        dataset_name: row.dataset.clone(),
        request_id: row.request_id.clone(),
        start_time: Timestamp(row.accepted).to_string(),
        end_time: end.to_string(),
        success: !gone,
        message: if gone { "ResourceNotFound".to_owned() } else { String::new() },
        user_data: row.user_data.clone(),
        files: row.files.iter().map(|text| file(row.dataset_id, text, failures, gone)).collect(),
    }
}

fn file(dataset: u64, text: &str, failures: &Failures, gone: bool) -> IndexedFile {
    let Ok(Value::Object(mut said)) = serde_json::from_str::<Value>(text) else {
        // Damage that the indexer passed over.
        let error = "[InternalError] The document of the file could not be read.".to_owned();
        return IndexedFile { uri: String::new(), custom_id: String::new(), custom_labels: Map::new(), error };
    };
    let mut string = |name: &str| match said.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (uri, custom_id) = (string("URI"), string("CustomId"));
    let custom_labels = match said.remove("CustomLabels") {
        Some(Value::Object(labels)) => labels,
        _ => Map::new(),
    };
    let failed = failures.files.get(&(dataset, uri.clone())).cloned();
    let gone = gone.then(|| "[ResourceNotFound] The dataset was deleted.".to_owned());
    IndexedFile { custom_id, custom_labels, error: gone.or(failed).unwrap_or_default(), uri }
}
