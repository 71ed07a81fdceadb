//! Tasks (operations.md 6): asking for one and listing them.

use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use crate::model::{Order, Task, TaskKind, TaskOrder, TaskQuery, TaskSort, TimeRange, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const DEFINITION: Param = Param::optional("RequestDefinition", Kind::Bool, "Whether to show the original request.");
pub(super) const TASK_ID: Param = Param::required("TaskId", Kind::Text { chars: 128 }, "The task.");
pub(super) const TASK_TYPE: Param = Param::required("TaskType", Kind::Choice(&TaskKind::ALL), "The type of the task.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "GetTask",
        role: Role::Read,
        global: false,
        params: &[PROJECT, TASK_TYPE, TASK_ID, DEFINITION],
        answer: &[
            "ProjectName",
            "TaskId",
            "TaskType",
            "Status",
            "Code",
            "Message",
            "Progress",
            "StartTime",
            "EndTime",
            "EventId",
            "UserData",
            "Tags",
            "TaskRequestDefinition",
        ],
        about: "A task; seven days after its end it is forgotten.",
        run: get,
    },
    Action {
        name: "ListTasks",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::optional("TaskTypes", Kind::List { most: 100 }, "Types to list."),
            Param::optional("Status", Kind::Choice(&["Running", "Succeeded", "Failed"]), "States to list."),
            Param::optional(
                "TagSelector",
                Kind::Text { chars: 4096 },
                "Tags to list, as key=value joined with commas.",
            ),
            Param::optional("StartTimeRange", Kind::Object, "Start and End in RFC 3339, both included."),
            Param::optional("EndTimeRange", Kind::Object, "Start and End in RFC 3339, both included."),
            Param::optional("Sort", Kind::Choice(&["TaskId", "StartTime", "EndTime"]), "What to sort by."),
            Param::optional("Order", Kind::Choice(&["asc", "desc"]), "The direction."),
            Param::optional("MaxResults", Kind::Int { least: 1, most: 100 }, "Entries of a page."),
            Param::optional("NextToken", Kind::Bytes { most: 4096 }, "Where the page begins."),
            DEFINITION,
        ],
        answer: &["ProjectName", "Tasks", "NextToken", "MaxResults"],
        about: "Tasks of a project, page by page.",
        run: list,
    },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    start: Option<String>,
    end: Option<String>,
}

/// A task as the API writes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaskInfo<'t> {
    project_name: &'t str,
    task_id: &'t str,
    task_type: &'t str,
    status: &'t str,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'t str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'t str,
    progress: u8,
    start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_data: &'t str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'t BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_request_definition: Option<&'t str>,
}

fn info(task: &Task, definition: bool) -> TaskInfo<'_> {
    TaskInfo {
        project_name: &task.project,
        task_id: &task.id,
        task_type: task.kind.name(),
        status: task.state.status(),
        code: &task.code,
        message: &task.message,
        progress: task.progress,
        start_time: Timestamp(task.start_time).to_string(),
        end_time: task.end_time.map(|time| Timestamp(time).to_string()),
        user_data: &task.user_data,
        tags: &task.tags,
        task_request_definition: definition.then_some(task.definition.as_str()),
    }
}

/// The members that answers about one task begin with.
pub(super) fn common(task: &Task) -> Result<Reply, Fault> {
    let shown = info(task, false);
    let reply = Reply::new()
        .with("ProjectName", shown.project_name)?
        .with("TaskId", shown.task_id)?
        .with("TaskType", shown.task_type)?
        .with("EventId", &task.event_id)?
        .with("Status", shown.status)?
        .with_text("Code", shown.code)?
        .with_text("Message", shown.message)?
        .with("StartTime", &shown.start_time)?;
    let reply = match &shown.end_time {
        Some(time) => reply.with("EndTime", time)?,
        None => reply,
    };
    reply.with_text("UserData", shown.user_data)
}

/// Makes a task of the parameters of a call: those of `request`, with whether they are JSON, are its `TaskRequestDefinition`.
pub(super) fn order(call: &Call<'_>, kind: TaskKind, request: &[(&str, bool)]) -> Result<Reply, Fault> {
    let tags: Option<BTreeMap<String, String>> = call.params.json("Tags")?;
    let mut definition = Map::new();
    for (name, json) in request {
        let value = if *json { call.params.json(name)? } else { call.params.given(name).map(Value::String) };
        definition.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    let order = TaskOrder {
        request_id: call.request_id.to_owned(),
        user_data: call.params.text("UserData").to_owned(),
        notification: call.params.text("Notification").to_owned(),
        tags: tags.unwrap_or_default(),
        ..TaskOrder::new(kind, Value::Object(definition).to_string())
    };
    let task = call.state.engine.create_task(call.project(), &order)?;
    Reply::new().with("EventId", &task.event_id)?.with("TaskId", &task.id)
}

/// The task that the parameters name.
pub(super) fn find(call: &Call<'_>) -> Result<Task, Fault> {
    let kind = TaskKind::parse(call.params.text("TaskType"))?;
    Ok(call.state.engine.task(call.project(), Some(kind), call.params.text("TaskId"))?)
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let task = find(call)?;
    let mut reply = common(&task)?.with("Progress", &task.progress)?;
    if !task.tags.is_empty() {
        reply = reply.with("Tags", &task.tags)?;
    }
    if call.params.flag("RequestDefinition") {
        reply = reply.with("TaskRequestDefinition", &task.definition)?;
    }
    Ok(reply)
}

pub(super) fn range(call: &Call<'_>, name: &str) -> Result<TimeRange, Fault> {
    let Some(range) = call.params.json::<Range>(name)? else { return Ok(TimeRange::default()) };
    let time = |text: Option<String>| -> Result<Option<i64>, Fault> {
        let parsed = text.filter(|text| !text.is_empty()).map(|text| Timestamp::parse(&text)).transpose();
        Ok(parsed.map_err(|e| Fault::invalid(format!("{name}: {}", e.message())))?.map(|time| time.0))
    };
    Ok(TimeRange { start: time(range.start)?, end: time(range.end)? })
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let project = call.state.engine.project(call.project())?;
    let kinds: Vec<String> = call.params.list("TaskTypes")?;
    let kinds = kinds.iter().map(|kind| TaskKind::parse(kind)).collect::<Result<Vec<_>, _>>();
    let query = TaskQuery {
        kinds: kinds.map_err(|e| Fault::invalid(e.message().replacen("TaskType", "TaskTypes", 1)))?,
        status: call.params.text("Status").to_owned(),
        tags: TaskQuery::parse_tags(call.params.text("TagSelector"))?,
        start: range(call, "StartTimeRange")?,
        end: range(call, "EndTimeRange")?,
        sort: match call.params.text("Sort") {
            "StartTime" => TaskSort::Start,
            "EndTime" => TaskSort::End,
            _ => TaskSort::Id,
        },
        order: if call.params.text("Order") == "desc" { Order::Desc } else { Order::Asc },
        max_results: call.params.count("MaxResults"),
        token: call.params.text("NextToken").to_owned(),
    };
    let page = call.state.engine.tasks(&project.name, &query)?;
    let definition = call.params.flag("RequestDefinition");
    let tasks: Vec<TaskInfo<'_>> = page.items.iter().map(|task| info(task, definition)).collect();
    Reply::new()
        .with("ProjectName", &project.name)?
        .with("Tasks", &tasks)?
        .with_text("NextToken", &page.next_token)?
        .with("MaxResults", &tasks.len().to_string())
}
