//! Documents by address (operations.md 4): read, change, delete.

use super::dataset::DATASET;
use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::error::{Error, ErrorKind};
use crate::model::{FieldId, File, Uri, field};
use crate::server::access::Role;
use crate::server::fault::Fault;
use crate::server::params::Params;
use serde::Serialize;

/// Most files or addresses of one call.
pub(super) const MOST: usize = 100;
/// `WithFields`, as several operations have it.
pub(super) const WITH_FIELDS: Param =
    Param::optional("WithFields", Kind::List { most: 200 }, "Top-level members to return; all where none are named.");
const URI: Param =
    Param::required("URI", Kind::Bytes { most: crate::model::uri::MAX_URI_BYTES }, "The file's address.");
const URIS: Param = Param::required("URIs", Kind::List { most: MOST }, "Addresses of files.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "GetFileMeta",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, URI, WITH_FIELDS],
        answer: &["Files"],
        about: "The document of one file, in an array.",
        run: get,
    },
    Action {
        name: "BatchGetFileMeta",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, URIS, WITH_FIELDS],
        answer: &["Files"],
        about: "The documents of up to 100 files in the order of their addresses; unknown ones are left out.",
        run: get_many,
    },
    Action {
        name: "UpdateFileMeta",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required(
                "File",
                Kind::Object,
                "URI, and the new CustomId, CustomLabels and Figures; the rest is ignored.",
            ),
        ],
        answer: &[],
        about: "Changes what callers may change of a document.",
        run: update,
    },
    Action {
        name: "BatchUpdateFileMeta",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required("Files", Kind::List { most: MOST }, "As File of UpdateFileMeta, up to 100 of them."),
        ],
        answer: &["Files"],
        about: "Changes several documents; each has its own outcome.",
        run: update_many,
    },
    Action {
        name: "DeleteFileMeta",
        role: Role::Index,
        global: false,
        params: &[PROJECT, DATASET, URI],
        answer: &[],
        about: "Removes a document, which need not exist; the file itself stays.",
        run: delete,
    },
    Action {
        name: "BatchDeleteFileMeta",
        role: Role::Index,
        global: false,
        params: &[PROJECT, DATASET, URIS],
        answer: &[],
        about: "Removes up to 100 documents, which need not exist.",
        run: delete_many,
    },
];

/// The members that `WithFields` names; a dotted path names its top-level member.
pub(super) fn with_fields(params: &Params) -> Result<Vec<FieldId>, Fault> {
    let names: Vec<String> = params.list("WithFields")?;
    let member = |name: &String| {
        let top = name.split('.').next().unwrap_or(name);
        let shown: String = name.chars().take(100).collect();
        let unknown = || Fault::invalid(format!("WithFields: expected members of File, got {shown:?}"));
        field::member(None, top).map(|f| f.id).ok_or_else(unknown)
    };
    names.iter().map(member).collect()
}

fn uris(params: &Params) -> Result<Vec<String>, Fault> {
    let uris: Vec<String> = params.list("URIs")?;
    if uris.is_empty() {
        return Err(Fault::invalid("URIs: expected at least one address, got none"));
    }
    Ok(uris)
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let (uri, fields) = (call.params.text("URI"), with_fields(call.params)?);
    let file = call.dataset()?.get(uri, &fields)?;
    let file = file.ok_or_else(|| Fault::missing("The specified resource file is not found."))?;
    Reply::new().with("Files", &[file])
}

fn get_many(call: &Call<'_>) -> Result<Reply, Fault> {
    let (uris, fields) = (uris(call.params)?, with_fields(call.params)?);
    Reply::new().with("Files", &call.dataset()?.get_many(&uris, &fields)?)
}

/// The document that a `File` parameter of UpdateFileMeta gives; the error is what the caller is told.
pub fn read_changed_file(value: serde_json::Value) -> Result<File, String> {
    change(value).map_err(|e| e.message().to_owned())
}

/// Keeps the named members of a document, and of theirs what the registry knows: newer SDKs may send more.
pub(super) fn keep(members: &mut serde_json::Map<String, serde_json::Value>, named: &[FieldId]) {
    members.retain(|name, _| named.iter().any(|id| id.field().path == name));
    for id in named {
        if let Some(value) = members.get_mut(id.field().path) {
            keep_known(value, id.field());
        }
    }
}

fn keep_known(value: &mut serde_json::Value, of: &field::Field) {
    match (value, of.kind) {
        (serde_json::Value::Array(rows), field::Kind::Rows) => rows.iter_mut().for_each(|row| keep_in(row, of.id)),
        (object, field::Kind::Object) => keep_in(object, of.id),
        _ => {}
    }
}

fn keep_in(value: &mut serde_json::Value, parent: FieldId) {
    let Some(members) = value.as_object_mut() else { return };
    members.retain(|name, _| field::member(Some(parent), name).is_some());
    for (name, value) in members {
        if let Some(known) = field::member(Some(parent), name) {
            keep_known(value, known);
        }
    }
}

/// What an update may change; an empty list means "not given" (wire.md 3).
fn change(value: serde_json::Value) -> Result<File, Error> {
    const CHANGEABLE: [FieldId; 4] = [field::URI, field::CUSTOM_ID, field::CUSTOM_LABELS, field::FIGURES];
    let serde_json::Value::Object(mut members) = value else {
        return Err(Error::invalid("File: expected an object, got another value"));
    };
    keep(&mut members, &CHANGEABLE);
    let file: File =
        serde_json::from_value(serde_json::Value::Object(members)).map_err(|e| Error::invalid(format!("File: {e}")))?;
    file.validate()?;
    Ok(file)
}

fn update(call: &Call<'_>) -> Result<Reply, Fault> {
    let file = change(call.params.json("File")?.unwrap_or_default())?;
    match call.dataset()?.update(vec![file])?.first() {
        Some(true) => Ok(Reply::new()),
        _ => Err(Fault::missing("The specified resource file is not found.")),
    }
}

/// One file's outcome.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    #[serde(rename = "URI")]
    uri: String,
    success: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

impl Outcome {
    fn failed(uri: String, error: &Error) -> Outcome {
        let message = format!("*error.OpError : {} | {}", error.kind().api_code(), error.message());
        Outcome { uri, success: false, message }
    }
}

fn update_many(call: &Call<'_>) -> Result<Reply, Fault> {
    let given: Vec<serde_json::Value> = call.params.list("Files")?;
    if given.is_empty() {
        return Err(Fault::invalid("Files: expected at least one file, got none"));
    }
    let dataset = call.dataset()?;
    let (mut outcomes, mut changes, mut places) = (Vec::with_capacity(given.len()), Vec::new(), Vec::new());
    for value in given {
        let uri = value.get("URI").and_then(|uri| uri.as_str()).unwrap_or("").to_owned();
        match change(value) {
            Ok(file) => {
                places.push(outcomes.len());
                changes.push(file);
                outcomes.push(Outcome { uri, success: true, message: String::new() });
            }
            Err(e) => outcomes.push(Outcome::failed(uri, &e)),
        }
    }
    let present = if changes.is_empty() { Vec::new() } else { dataset.update(changes)? };
    for (place, _) in places.iter().zip(present).filter(|(_, present)| !present) {
        if let Some(outcome) = outcomes.get_mut(*place) {
            let absent = Error::new(ErrorKind::NotFound, "The specified resource file is not found.");
            *outcome = Outcome::failed(std::mem::take(&mut outcome.uri), &absent);
        }
    }
    Reply::new().with("Files", &outcomes)
}

fn delete(call: &Call<'_>) -> Result<Reply, Fault> {
    let uri = Uri::parse(call.params.text("URI"))?;
    call.dataset()?.delete(vec![uri.as_str().to_owned()])?;
    Ok(Reply::new())
}

fn delete_many(call: &Call<'_>) -> Result<Reply, Fault> {
    let uris = uris(call.params)?;
    call.dataset()?.delete(uris)?;
    Ok(Reply::new())
}
