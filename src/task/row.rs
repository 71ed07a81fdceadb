//! Between rows and nouns.

use crate::error::{Error, Result};
use crate::model::{Tag, Task, TaskKind, TaskOrder, TaskState};
use crate::store::rows::{TaskRef, TaskRow};

/// The number of a state in a row.
pub(super) fn code_of(state: TaskState) -> u8 {
    let place = TaskState::ALL.iter().position(|(one, _)| *one == state);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0)
}

/// The state of a row.
pub(super) fn state_of(row: &TaskRow) -> Result<TaskState> {
    let known = TaskState::ALL.get(usize::from(row.state)).map(|(state, _)| *state);
    known.ok_or_else(|| Error::corrupted(format!("task row: expected a state below 5, got {}", row.state)))
}

/// A row for a new task.
pub(super) fn new_row(number: u64, event: &str, order: &TaskOrder, now: i64) -> TaskRow {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    TaskRow {
        number,
        kind: order.kind.name().to_owned(),
        state: code_of(TaskState::Waiting),
        code: String::new(),
        message: String::new(),
        progress: 0,
        accepted: now,
        due: u64::try_from(now).unwrap_or(0),
        ended: 0,
        attempts: 0,
        event: event.to_owned(),
        request: order.request_id.clone(),
        user_data: order.user_data.clone(),
        notification: order.notification.clone(),
        tags: order.tags.iter().map(tag).collect(),
        definition: order.definition.clone(),
    }
}

/// The task of a row.
pub(super) fn task_of(place: &TaskRef, row: TaskRow) -> Result<Task> {
    let state = state_of(&row)?;
    Ok(Task {
        project: place.project_name.clone(),
        id: place.id.clone(),
        kind: TaskKind::parse(&row.kind).map_err(|e| Error::corrupted(format!("task row: {}", e.message())))?,
        state,
        // What an attempt that will be repeated met is no end.
        code: if state.is_final() { row.code } else { String::new() },
        message: if state.is_final() { row.message } else { String::new() },
        progress: row.progress,
        start_time: row.accepted,
        end_time: state.is_final().then_some(row.ended),
        event_id: row.event,
        request_id: row.request,
        user_data: row.user_data,
        notification: row.notification,
        tags: row.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        definition: row.definition,
        attempts: row.attempts,
    })
}
