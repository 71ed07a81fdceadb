//! Indexing (operations.md 4): accepted here, done in the background.

use super::dataset::DATASET;
use super::file::{MOST, keep};
use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::engine::IndexOrder;
use crate::error::Error;
use crate::model::{FieldId, File, field};
use crate::server::access::Role;
use crate::server::fault::Fault;

const NOTIFICATION: Param =
    Param::optional("Notification", Kind::Object, "MNS.TopicName: the topic that is told when the files are done.");
const USER_DATA: Param = Param::optional("UserData", Kind::Bytes { most: 2048 }, "Echoed in the message.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "IndexFileMeta",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required("File", Kind::Object, "URI, and what the caller knows of the file."),
            NOTIFICATION,
            USER_DATA,
        ],
        answer: &["EventId"],
        about: "Accepts a file for indexing; its document appears when it has been read.",
        run: index,
    },
    Action {
        name: "BatchIndexFileMeta",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required("Files", Kind::List { most: MOST }, "As File of IndexFileMeta, up to 100 of them."),
            NOTIFICATION,
            USER_DATA,
        ],
        answer: &["EventId"],
        about: "Accepts up to 100 files for indexing.",
        run: index_many,
    },
];

/// The members of `InputFile`; others are ignored.
const INPUT: [FieldId; 18] = [
    field::URI,
    field::CUSTOM_ID,
    field::CUSTOM_LABELS,
    field::MEDIA_TYPE,
    field::CONTENT_TYPE,
    field::FILE_HASH,
    field::OSS_URI,
    field::TITLE,
    field::ALBUM,
    field::ALBUM_ARTIST,
    field::ARTIST,
    field::COMPOSER,
    field::PERFORMER,
    field::PRODUCE_TIME,
    field::LAT_LONG,
    field::ADDRESSES,
    field::LABELS,
    field::FIGURES,
];

/// Values of `MediaType` (operations.md 4).
const MEDIA_TYPES: [&str; 6] = ["image", "other", "document", "archive", "video", "audio"];

/// The document that a `File` parameter of IndexFileMeta gives; the error is what the caller is told.
pub fn read_input_file(value: serde_json::Value) -> Result<File, String> {
    input(value).map_err(|fault| fault.message)
}

fn input(value: serde_json::Value) -> Result<File, Fault> {
    let serde_json::Value::Object(mut members) = value else {
        return Err(Fault::invalid("File: expected an object, got another value"));
    };
    keep(&mut members, &INPUT);
    let file: File =
        serde_json::from_value(serde_json::Value::Object(members)).map_err(|e| Fault::invalid(format!("File: {e}")))?;
    match file.text(field::MEDIA_TYPE) {
        Some(got) if !MEDIA_TYPES.contains(&got) => {
            let (expected, got) = (MEDIA_TYPES.join(", "), got.chars().take(40).collect::<String>());
            Err(Fault::from(Error::invalid(format!("MediaType: expected one of {expected}, got {got:?}"))))
        }
        _ => Ok(file),
    }
}

fn accept(call: &Call<'_>, files: Vec<serde_json::Value>, batch: bool) -> Result<Reply, Fault> {
    if files.is_empty() {
        return Err(Fault::invalid("Files: expected at least one file, got none"));
    }
    let files = files.into_iter().map(input).collect::<Result<Vec<_>, _>>()?;
    let text = |name: &str| call.params.text(name).to_owned();
    let order = IndexOrder {
        user_data: text("UserData"),
        notification: text("Notification"),
        request_id: call.request_id.to_owned(),
        batch,
    };
    Reply::new().with("EventId", &call.dataset()?.index_files(files, &order)?)
}

fn index(call: &Call<'_>) -> Result<Reply, Fault> {
    let file = call.params.json("File")?.unwrap_or_default();
    accept(call, vec![file], false)
}

fn index_many(call: &Call<'_>) -> Result<Reply, Fault> {
    accept(call, call.params.list("Files")?, true)
}
