//! Tasks (operations.md 6): made by calls, done in the background, asked for by their ids.
//!
//! What each type of task does is told in a file of its own; `Doing` only chooses.

use super::buckets::Buckets;
use super::catalog::find_project;
use super::cluster;
use super::open::{Engine, Inner};
use super::outbox;
use super::video_labels;
use super::work::event_id;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Event, EventType, Listing, Notification, Task, TaskKind, TaskOrder, TaskQuery, Timestamp, now};
use crate::notify::Announced;
use crate::store::Batch;
use crate::store::rows::TaskRef;
use crate::task::{self, Held, Outcome, Runner, TaskList, Work};
use crate::video;
use serde_json::json;

pub use crate::task::{MAX_ATTEMPTS, MAX_WAITING_TASKS, RETENTION};

/// How tasks are done.
#[derive(Debug, Clone)]
pub struct TaskOptions {
    /// Tasks at the same time, 1 to 64. Each may keep one core busy, at a lower priority than queries.
    pub threads: usize,
    /// What the analysis of one film may cost.
    pub video: video::Options,
}

impl Default for TaskOptions {
    fn default() -> TaskOptions {
        TaskOptions { threads: 1, video: video::Options::default() }
    }
}

/// Running tasks; they end when this is stopped or dropped, and go on with the next one.
#[derive(Debug)]
pub struct TaskRunner(Runner);

impl TaskRunner {
    /// Ends: tasks in hand are given up, and begun again by the next runner.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Engine {
    /// Makes a task, durable when this returns; a [`TaskRunner`] does it.
    pub fn create_task(&self, project: &str, order: &TaskOrder) -> Result<Task> {
        let created = || -> Result<Task> {
            order.validate()?;
            Notification::parse(&order.notification)?;
            match order.kind {
                TaskKind::VIDEO_LABELS => video_labels::check(order)?,
                kind if TaskKind::CLUSTERING.contains(&kind) => cluster::check(self, project, order)?,
                other => {
                    let message = format!("TaskType: expected one that can be done here, got {:?}", other.name());
                    return Err(Error::invalid(message));
                }
            }
            let inner = &self.handle.inner;
            inner.store.writable()?;
            let row = find_project(&inner.store.reader(), project)?;
            let id = format!("{}-{}", order.kind.name(), uuid()?);
            let place = TaskRef { project: row.id, project_name: project.to_owned(), id };
            let (time, durability) = (now().0, inner.options.durability);
            inner.tasks.create(&inner.store, &place, (order, &event_id()?), (time, durability))?;
            inner.tasks.get(&inner.store, &place, None, time)?.ok_or_else(|| missing(&place.id))
        };
        created().map_err(|e| e.during("CreateTask"))
    }

    /// A task by its id, of the type if one is given; seven days after its end it is forgotten.
    pub fn task(&self, project: &str, kind: Option<TaskKind>, id: &str) -> Result<Task> {
        let found = || -> Result<Task> {
            let (inner, place) = (&self.handle.inner, self.task_place(project, id)?);
            inner.tasks.get(&inner.store, &place, kind, now().0)?.ok_or_else(|| missing(id))
        };
        found().map_err(|e| e.during("GetTask"))
    }

    /// The result of a task as JSON, once it has succeeded. Of CreateVideoLabelClassificationTask: `Labels`, `Shots` and
    /// what the analysis cost (`docs/tasks.md`).
    pub fn task_result(&self, project: &str, id: &str) -> Result<Option<String>> {
        let found = || self.handle.inner.tasks.result(&self.handle.inner.store, &self.task_place(project, id)?);
        found().map_err(|e| e.during("GetTaskResult"))
    }

    /// One page of the tasks of a project.
    pub fn tasks(&self, project: &str, query: &TaskQuery) -> Result<Listing<Task>> {
        let listed = || -> Result<Listing<Task>> {
            let inner = &self.handle.inner;
            let row = find_project(&inner.store.reader(), project)?;
            inner.tasks.find(&inner.store, (row.id(), project), query, now().0)
        };
        listed().map_err(|e| e.during("ListTasks"))
    }

    /// Ends a task; one that has ended stays as it is. Its work is given up soon after.
    pub fn cancel_task(&self, project: &str, id: &str) -> Result<Task> {
        let cancelled = || -> Result<Task> {
            let (inner, place) = (&self.handle.inner, self.task_place(project, id)?);
            inner.store.writable()?;
            let announce = |task: &Task, batch: &mut Batch<'_>| announce(inner, task, batch);
            inner.tasks.cancel(&inner.store, &place, now().0, announce)?.ok_or_else(|| missing(id))
        };
        cancelled().map_err(|e| e.during("CancelTask"))
    }

    /// Tasks that have not ended, of all projects.
    pub fn waiting_tasks(&self) -> u64 {
        self.handle.inner.tasks.waiting()
    }

    /// Starts to do tasks, those of earlier processes first. Files are read from `buckets`.
    pub fn start_tasks(&self, buckets: Buckets, options: TaskOptions) -> Result<TaskRunner> {
        let started = || -> Result<TaskRunner> {
            self.handle.inner.store.writable()?;
            let threads = options.threads;
            if !(1..=64).contains(&threads) {
                return Err(Error::invalid(format!("threads for tasks: expected 1 to 64, got {threads}")));
            }
            Ok(TaskRunner(Runner::start(Doing { engine: self.clone(), buckets, options }, threads)?))
        };
        started().map_err(|e| e.during("start tasks"))
    }

    /// Does one task that waits, on this thread, and answers what became of it.
    pub fn run_task(&self, project: &str, id: &str, buckets: Buckets, options: TaskOptions) -> Result<Task> {
        let ran = || -> Result<Task> {
            let (inner, place) = (&self.handle.inner, self.task_place(project, id)?);
            let doing = Doing { engine: self.clone(), buckets, options };
            // One that is to be tried again is tried at its time.
            while inner.tasks.get(&inner.store, &place, None, now().0)?.is_some_and(|task| !task.state.is_final()) {
                match doing.next(Some(&place))? {
                    Some(held) => task::finish(&doing, &held)?,
                    None => std::thread::sleep(std::time::Duration::from_millis(20)),
                }
            }
            self.task(project, None, id)
        };
        ran().map_err(|e| e.during("run a task"))
    }

    fn task_place(&self, project: &str, id: &str) -> Result<TaskRef> {
        let row = find_project(&self.handle.inner.store.reader(), project)?;
        Ok(TaskRef { project: row.id, project_name: project.to_owned(), id: id.to_owned() })
    }
}

fn missing(id: &str) -> Error {
    let shown: String = id.chars().take(140).collect();
    Error::new(ErrorKind::NotFound, format!("the task {shown:?} does not exist"))
}

/// A random UUID (RFC 9562, version 4) in small letters.
fn uuid() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Io, format!("could not get random bytes for a task: {e}")))?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0F | 0x40;
    *variant = *variant & 0x3F | 0x80;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [20, 16, 12, 8].into_iter().for_each(|at| text.insert(at, '-'));
    Ok(text)
}

/// Puts the event that tells of a task's end into the batch of the end.
fn announce<'i>(inner: &'i Inner, task: &Task, batch: &mut Batch<'_>) -> Result<Announced<'i>> {
    // Checked at acceptance.
    let topic = Notification::parse(&task.notification).unwrap_or_default().topic;
    let dataset = cluster::dataset_name(task.kind, &task.definition);
    let event = || Event {
        id: task.event_id.clone(),
        kind: EventType::of_task(task.kind.name()),
        project: task.project.clone(),
        dataset: dataset.clone(),
        topic: topic.clone(),
        time: now(),
        content: payload(task, &dataset),
    };
    let events: Vec<Event> = outbox::is_wanted(inner, &topic).then(event).into_iter().collect();
    outbox::announce(inner, batch, &events)
}

/// What is told of a task that has ended (notifications.md 3.2).
fn payload(task: &Task, dataset: &str) -> String {
    let mut members = json!({
        "ProjectName": task.project,
        "DatasetName": dataset,
        "RequestId": task.request_id,
        "StartTime": Timestamp(task.start_time).to_string(),
        "EndTime": task.end_time.map(|time| Timestamp(time).to_string()),
        "UserData": task.user_data,
        "TaskType": task.kind.name(),
        "TaskId": task.id,
        "Status": task.state.status(),
        "Code": task.code,
        "Message": task.message,
        "EventSourceId": "",
        "Tags": task.tags,
    });
    if let (Some(members), TaskKind::VIDEO_LABELS) = (members.as_object_mut(), task.kind) {
        members.insert("SourceURI".to_owned(), video_labels::source_uri(&task.definition).into());
    }
    members.to_string()
}

/// What the workers need.
#[derive(Debug)]
pub(super) struct Doing {
    pub(super) engine: Engine,
    pub(super) buckets: Buckets,
    pub(super) options: TaskOptions,
}

impl Doing {
    fn inner(&self) -> &Inner {
        &self.engine.handle.inner
    }

    fn next(&self, wanted: Option<&TaskRef>) -> Result<Option<Held>> {
        let inner = self.inner();
        inner.tasks.claim(&inner.store, now().0, wanted, |task, batch| announce(inner, task, batch))
    }

    /// Says how far a task is.
    pub(super) fn report(&self, held: &Held, percent: u8) {
        // It is for people: a disk that refuses it will refuse the result too, and be named then.
        let _refused = self.inner().tasks.report(&self.inner().store, held, percent);
    }
}

impl Work for Doing {
    fn list(&self) -> &TaskList {
        &self.inner().tasks
    }

    fn claim(&self) -> Result<Option<Held>> {
        self.next(None)
    }

    fn run(&self, held: &Held) -> Outcome {
        match held.task.kind {
            TaskKind::VIDEO_LABELS => video_labels::run(self, held),
            kind if TaskKind::CLUSTERING.contains(&kind) => cluster::run(self, held),
            other => Outcome::Failed {
                code: "NotImplemented".to_owned(),
                message: format!("Tasks of the type {} are not done here.", other.name()),
            },
        }
    }

    fn finish(&self, held: &Held, outcome: Outcome) -> Result<()> {
        let inner = self.inner();
        let announce = |task: &Task, batch: &mut Batch<'_>| announce(inner, task, batch);
        inner.tasks.finish(&inner.store, held, (outcome, now().0), announce)
    }

    fn tidy(&self) -> Result<()> {
        self.inner().tasks.purge(&self.inner().store, now().0).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        let id = uuid().unwrap();
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        assert_ne!(id, uuid().unwrap());
    }
}
