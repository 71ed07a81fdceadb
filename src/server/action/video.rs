//! Labels of films over time (operations.md 6): a task that finds them, and its result.

use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use super::task::{TASK_ID, common, find, order};
use crate::model::{TaskKind, TaskState};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde_json::Value;

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateVideoLabelClassificationTask",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            Param::required("SourceURI", Kind::Bytes { most: crate::model::uri::MAX_URI_BYTES }, "The film's address."),
            Param::optional("UserData", Kind::Bytes { most: 2048 }, "Told again with the task."),
            Param::optional("Tags", Kind::Object, "Tags by which tasks can be listed."),
            Param::optional("Notification", Kind::Object, "The topic that hears of the end."),
            Param::ignored("CredentialConfig", Kind::Object, "There are no other credentials than the access key's."),
        ],
        answer: &["EventId", "TaskId"],
        about: "Finds the shots of a film and what they show when, in the background.",
        run: create,
    },
    Action {
        name: "GetVideoLabelClassificationResult",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::required("TaskType", Kind::Choice(&["VideoLabelClassification"]), "The type of the task."),
            TASK_ID,
        ],
        answer: &[
            "ProjectName",
            "TaskId",
            "TaskType",
            "EventId",
            "Status",
            "Code",
            "Message",
            "StartTime",
            "EndTime",
            "UserData",
            "Labels",
        ],
        about: "The task, and its labels once it has succeeded.",
        run: result,
    },
];

/// The parameters that make up `TaskRequestDefinition`, and whether they are JSON.
const REQUEST: [(&str, bool); 6] = [
    ("ProjectName", false),
    ("SourceURI", false),
    ("UserData", false),
    ("Tags", true),
    ("Notification", true),
    ("CredentialConfig", true),
];

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    order(call, TaskKind::VIDEO_LABELS, &REQUEST)
}

fn result(call: &Call<'_>) -> Result<Reply, Fault> {
    let task = find(call)?;
    let reply = common(&task)?;
    if task.state != TaskState::Succeeded {
        return Ok(reply);
    }
    let kept = call.state.engine.task_result(call.project(), &task.id)?.unwrap_or_default();
    let document: Value = serde_json::from_str(&kept).map_err(|e| {
        let reason = format!("the result of the task {} is not JSON: {e}", task.id);
        Fault {
            reason,
            ..Fault::new(500, "InternalError", "The request processing has failed due to some unknown error.")
        }
    })?;
    reply.with("Labels", document.get("Labels").unwrap_or(&Value::Array(Vec::new())))
}
