//! The life of tasks: create, claim, report, end.
//!
//! Every change of a row happens under one lock, so that of a worker that finishes and a caller that cancels one wins. Ends
//! are durable when the call returns; claims and progress need only survive the process.

use super::policy::{self, MAX_ATTEMPTS, RETENTION};
use super::row::{code_of, new_row, state_of, task_of};
use super::runner::Outcome;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Task, TaskOrder, TaskState};
use crate::store::rows::{Row, TaskRef, TaskRow};
use crate::store::{Batch, Durability, ProjectId, Reader, Store, keys};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tasks that may wait at the same time, over all projects: beyond it calls are refused until some have ended.
pub const MAX_WAITING_TASKS: u64 = 100_000;
/// Progress is written when it has grown by so many of a hundred.
const STEP: u8 = 10;
/// Rows that one purge removes at most, so that it holds nobody up.
const PURGE: usize = 1000;

/// What every worker and caller shares.
#[derive(Debug)]
pub struct TaskList {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    waiting: u64,
    /// Tasks that a worker of this process holds.
    held: HashMap<u64, Arc<Control>>,
    /// Counts changes, so that who looked before one does not sleep through it.
    turn: u64,
    closed: bool,
}

/// Between a worker and those who ask about its task.
#[derive(Debug, Default)]
struct Control {
    cancelled: AtomicBool,
    stopped: AtomicBool,
    progress: AtomicU8,
    written: AtomicU8,
}

/// A task in the hands of a worker.
#[derive(Debug, Clone)]
pub struct Held {
    /// The task as it was claimed.
    pub task: Task,
    place: TaskRef,
    number: u64,
    control: Arc<Control>,
}

impl Held {
    /// Whether the worker should give up: the task was cancelled, or the process ends.
    pub fn is_stopped(&self) -> bool {
        self.control.cancelled.load(Ordering::Relaxed) || self.control.stopped.load(Ordering::Relaxed)
    }
}

impl TaskList {
    /// Counts what is there.
    pub fn open(reader: &Reader<'_>) -> Result<TaskList> {
        let mut state = State { next: 1, ..State::default() };
        for (prefix, waits) in [(keys::tasks_waiting(), true), (keys::task_expiries(), false)] {
            let mut rows = reader.scan(&prefix, None)?;
            while let Some((key, _)) = rows.current()? {
                let (_, number) = keys::task_moment(key).ok_or_else(no_number)?;
                state.next = state.next.max(number.saturating_add(1));
                state.waiting += u64::from(waits);
                rows.advance();
            }
        }
        Ok(TaskList { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tasks that have not ended.
    pub fn waiting(&self) -> u64 {
        self.lock().waiting
    }

    /// Makes a task; durable when the call returns, if `durability` says so. `id` and `event` must be new.
    pub fn create(
        &self,
        store: &Store,
        place: &TaskRef,
        order: (&TaskOrder, &str),
        (now, durability): (i64, Durability),
    ) -> Result<()> {
        let number = {
            let mut state = self.lock();
            if state.waiting >= MAX_WAITING_TASKS {
                let message = format!("expected at most {MAX_WAITING_TASKS} tasks to wait; try again");
                return Err(Error::new(ErrorKind::BudgetExceeded, message));
            }
            state.waiting += 1;
            state.next += 1;
            state.next - 1
        };
        let row = new_row(number, order.1, order.0, now);
        let mut batch = store.batch();
        let stored = batch
            .put(&keys::task(ProjectId(place.project), &place.id), &row)
            .and_then(|()| batch.put(&keys::task_waiting(row.due, number), place))
            .and_then(|()| store.commit(batch, durability));
        if stored.is_err() {
            self.lock().waiting -= 1;
        }
        self.wake();
        stored
    }

    fn wake(&self) {
        self.lock().turn += 1;
        self.changed.notify_all();
    }

    /// The next task that is due, for the caller to work on, or the one called `wanted`. One that was begun too often is
    /// ended with `announce` instead.
    pub fn claim<G>(
        &self,
        store: &Store,
        now: i64,
        wanted: Option<&TaskRef>,
        announce: impl Fn(&Task, &mut Batch<'_>) -> Result<G>,
    ) -> Result<Option<Held>> {
        let mut state = self.lock();
        let reader = store.reader();
        let mut rows = reader.scan(&keys::tasks_waiting(), None)?;
        while let Some((key, value)) = rows.current()? {
            let (due, number) = keys::task_moment(key).ok_or_else(no_number)?;
            if due > u64::try_from(now).unwrap_or(0) {
                break;
            }
            let place = TaskRef::decode(value)?;
            if !state.held.contains_key(&number) && wanted.is_none_or(|wanted| *wanted == place) {
                match begin(store, &reader, &place, (due, number))? {
                    None => state.waiting = state.waiting.saturating_sub(1),
                    Some(row) if row.attempts > MAX_ATTEMPTS => {
                        let last = if row.message.is_empty() { "the process ended" } else { &row.message };
                        let message = format!("the task was begun {MAX_ATTEMPTS} times, and each time {last}");
                        let outcome = Outcome::Failed { code: "InternalError".to_owned(), message };
                        end(&mut state, store, (&place, row), (outcome, now), &announce)?;
                    }
                    Some(row) => {
                        let control = Arc::<Control>::default();
                        state.held.insert(number, Arc::clone(&control));
                        return Ok(Some(Held { task: task_of(&place, row)?, place, number, control }));
                    }
                }
            }
            rows.advance();
        }
        Ok(None)
    }

    /// Says how far a task is, 0 to 100. Written now and then: it is for people.
    pub fn report(&self, store: &Store, held: &Held, percent: u8) -> Result<()> {
        let percent = percent.min(100);
        held.control.progress.store(percent, Ordering::Relaxed);
        if percent < held.control.written.load(Ordering::Relaxed).saturating_add(STEP) {
            return Ok(());
        }
        held.control.written.store(percent, Ordering::Relaxed);
        let _state = self.lock();
        let key = keys::task(ProjectId(held.place.project), &held.place.id);
        let Some(mut row) = store.reader().row::<TaskRow>(&key)? else { return Ok(()) };
        if state_of(&row)?.is_final() {
            return Ok(());
        }
        row.progress = percent;
        let mut batch = store.batch();
        batch.put(&key, &row)?;
        store.commit(batch, Durability::Buffered)
    }

    /// Ends the worker's part of a task: for good, until the next attempt, or because the process ends. What `announce` puts
    /// into the batch lands with the end; what it returns is held until the batch has landed.
    pub fn finish<G>(
        &self,
        store: &Store,
        held: &Held,
        (outcome, now): (Outcome, i64),
        announce: impl Fn(&Task, &mut Batch<'_>) -> Result<G>,
    ) -> Result<()> {
        let mut state = self.lock();
        let key = keys::task(ProjectId(held.place.project), &held.place.id);
        let done = match store.reader().row::<TaskRow>(&key)? {
            Some(row) if !state_of(&row)?.is_final() => {
                end(&mut state, store, (&held.place, row), (outcome, now), &announce)
            }
            // Cancelled, or gone with its project.
            _ => Ok(()),
        };
        // A task whose end could not be written stays held: nothing can be written until the database is opened again.
        if done.is_ok() {
            state.held.remove(&held.number);
        }
        drop(state);
        self.wake();
        done
    }

    /// Ends a task that has not ended; its worker is told. Answers the task.
    pub fn cancel<G>(
        &self,
        store: &Store,
        place: &TaskRef,
        now: i64,
        announce: impl Fn(&Task, &mut Batch<'_>) -> Result<G>,
    ) -> Result<Option<Task>> {
        let mut state = self.lock();
        let key = keys::task(ProjectId(place.project), &place.id);
        let Some(row) = store.reader().row::<TaskRow>(&key)? else { return Ok(None) };
        if !state_of(&row)?.is_final() {
            if let Some(control) = state.held.get(&row.number) {
                control.cancelled.store(true, Ordering::Relaxed);
            }
            end(&mut state, store, (place, row), (Outcome::Cancelled, now), &announce)?;
        }
        drop(state);
        self.wake();
        store.reader().row::<TaskRow>(&key)?.map(|row| task_of(place, row)).transpose()
    }

    /// The progress of a task that a worker of this process holds.
    pub(super) fn progress(&self, number: u64) -> Option<u8> {
        self.lock().held.get(&number).map(|control| control.progress.load(Ordering::Relaxed))
    }

    /// Removes tasks whose time is over; answers how many.
    pub fn purge(&self, store: &Store, now: i64) -> Result<usize> {
        let _state = self.lock();
        let reader = store.reader();
        let (mut batch, mut purged) = (store.batch(), 0);
        let mut rows = reader.scan(&keys::task_expiries(), None)?;
        while let Some((key, value)) = rows.current()? {
            let (time, number) = keys::task_moment(key).ok_or_else(no_number)?;
            if time > u64::try_from(now).unwrap_or(0) || purged == PURGE {
                break;
            }
            let place = TaskRef::decode(value)?;
            batch.delete(&keys::task_expiry(time, number))?;
            forget(&mut batch, &place)?;
            purged += 1;
            rows.advance();
        }
        if purged > 0 {
            store.commit(batch, Durability::Buffered)?;
        }
        Ok(purged)
    }

    /// Removes all tasks of a project that is about to go, in the batch that removes it.
    pub fn forget_project(&self, reader: &Reader<'_>, batch: &mut Batch<'_>, project: ProjectId) -> Result<()> {
        let prefix = keys::task(project, "");
        let mut rows = reader.scan(&prefix, None)?;
        while let Some((key, _)) = rows.current()? {
            // Their rows in the lists go when they are met.
            if let Some(id) = keys::text_after(key, prefix.bytes.len()) {
                forget(batch, &TaskRef { project: project.0, project_name: String::new(), id: id.to_owned() })?;
            }
            rows.advance();
        }
        Ok(())
    }

    /// Waits until something may have changed since [`TaskList::turn`] was `seen`, at most `patience`; false once closed.
    pub(super) fn wait(&self, seen: u64, patience: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, patience, |s| s.turn == seen && !s.closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Waits a while, or until the list is closed; false once it is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |s| !s.closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Counts changes.
    pub(super) fn turn(&self) -> u64 {
        self.lock().turn
    }

    /// Opens the list for workers again.
    pub(super) fn reopen(&self) {
        self.lock().closed = false;
    }

    /// Asks all workers to give up what they hold.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.held.values().for_each(|control| control.stopped.store(true, Ordering::Relaxed));
        drop(state);
        self.changed.notify_all();
    }
}

fn no_number() -> Error {
    Error::corrupted("a key of a list of tasks has no time and number")
}

fn forget(batch: &mut Batch<'_>, place: &TaskRef) -> Result<()> {
    batch.delete(&keys::task(ProjectId(place.project), &place.id))?;
    batch.delete(&keys::task_result(ProjectId(place.project), &place.id))
}

/// Marks a task as begun. `None` where there is nothing to do: its row went with its project, or it has ended.
fn begin(store: &Store, reader: &Reader<'_>, place: &TaskRef, (due, number): (u64, u64)) -> Result<Option<TaskRow>> {
    let key = keys::task(ProjectId(place.project), &place.id);
    let mut batch = store.batch();
    let row = match reader.row::<TaskRow>(&key)? {
        Some(mut row) if row.number == number && !state_of(&row)?.is_final() => {
            (row.state, row.progress) = (code_of(TaskState::Running), 0);
            row.attempts = row.attempts.saturating_add(1);
            batch.put(&key, &row)?;
            Some(row)
        }
        _ => {
            batch.delete(&keys::task_waiting(due, number))?;
            None
        }
    };
    store.commit(batch, Durability::Buffered)?;
    Ok(row)
}

/// Writes what an attempt came to.
fn end<G>(
    state: &mut State,
    store: &Store,
    (place, mut row): (&TaskRef, TaskRow),
    (outcome, now): (Outcome, i64),
    announce: &impl Fn(&Task, &mut Batch<'_>) -> Result<G>,
) -> Result<()> {
    let (project, mut batch) = (ProjectId(place.project), store.batch());
    batch.delete(&keys::task_waiting(row.due, row.number))?;
    let ended = match outcome {
        Outcome::Done { result } => {
            batch.put_bytes(&keys::task_result(project, &place.id), result.as_bytes())?;
            (row.code, row.message, row.progress) = (String::new(), String::new(), 100);
            TaskState::Succeeded
        }
        Outcome::Failed { code, message } => {
            (row.code, row.message) = (code, message);
            TaskState::Failed
        }
        Outcome::Cancelled => {
            (row.code, row.message) = ("TaskCancelled".to_owned(), "The task was cancelled.".to_owned());
            TaskState::Cancelled
        }
        Outcome::Again { code, message } => {
            (row.code, row.message) = (code, message);
            if row.attempts >= MAX_ATTEMPTS {
                TaskState::Failed
            } else {
                row.due = policy::after(now, policy::back_off(row.attempts));
                TaskState::Waiting
            }
        }
        Outcome::Stopped => {
            row.attempts = row.attempts.saturating_sub(1);
            TaskState::Waiting
        }
    };
    row.state = code_of(ended);
    let announced = if ended.is_final() {
        row.ended = now;
        batch.put(&keys::task_expiry(policy::after(now, RETENTION), row.number), place)?;
        Some(announce(&task_of(place, row.clone())?, &mut batch)?)
    } else {
        batch.put(&keys::task_waiting(row.due, row.number), place)?;
        None
    };
    batch.put(&keys::task(project, &place.id), &row)?;
    let durability = if ended.is_final() { Durability::Sync } else { Durability::Buffered };
    store.commit(batch, durability)?;
    drop(announced);
    if ended.is_final() {
        state.waiting = state.waiting.saturating_sub(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskKind;
    use crate::store::StoreOptions;

    const DAY: i64 = 86_400_000_000_000;

    fn store(dir: &std::path::Path) -> Store {
        Store::open(dir, &StoreOptions::small()).unwrap()
    }

    fn place(id: &str) -> TaskRef {
        TaskRef { project: 7, project_name: "p".into(), id: id.into() }
    }

    fn create(list: &TaskList, store: &Store, id: &str, now: i64) -> Result<()> {
        let order = TaskOrder::new(TaskKind::VIDEO_LABELS, "{}");
        list.create(store, &place(id), (&order, "event"), (now, Durability::Sync))
    }

    fn none(_: &Task, _: &mut Batch<'_>) -> Result<()> {
        Ok(())
    }

    fn claim(list: &TaskList, store: &Store, now: i64) -> Option<Held> {
        list.claim(store, now, None, none).unwrap()
    }

    fn again() -> Outcome {
        Outcome::Again { code: "C".into(), message: "not yet".into() }
    }

    fn done() -> Outcome {
        Outcome::Done { result: "R".into() }
    }

    #[test]
    fn tasks_are_claimed_in_order_and_end_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let list = TaskList::open(&store.reader()).unwrap();
        ["b", "a"].iter().for_each(|id| create(&list, &store, id, 100).unwrap());
        assert!(claim(&list, &store, 99).is_none());
        let (b, a) = (claim(&list, &store, 100).unwrap(), claim(&list, &store, 100).unwrap());
        assert_eq!((b.task.id.as_str(), a.task.id.as_str(), a.task.state), ("b", "a", TaskState::Running));
        assert!(claim(&list, &store, 100).is_none());
        list.report(&store, &b, 55).unwrap();
        assert_eq!(list.get(&store, &place("b"), None, 100).unwrap().unwrap().progress, 55);
        // Cancelled while it runs: what its worker brings comes too late.
        let cancelled = list.cancel(&store, &place("a"), 150, none).unwrap().unwrap();
        assert!(a.is_stopped() && cancelled.state == TaskState::Cancelled);
        list.finish(&store, &a, (done(), 160), none).unwrap();
        assert_eq!(list.get(&store, &place("a"), None, 170).unwrap().unwrap(), cancelled);
        assert_eq!(list.result(&store, &place("a")).unwrap(), None);
        list.finish(&store, &b, (done(), 200), none).unwrap();
        list.finish(&store, &b, (again(), 300), none).unwrap();
        let ended = list.get(&store, &place("b"), None, 300).unwrap().unwrap();
        assert_eq!((ended.state, ended.end_time, ended.progress), (TaskState::Succeeded, Some(200), 100));
        assert_eq!(list.result(&store, &place("b")).unwrap().as_deref(), Some("R"));
        assert_eq!((list.waiting(), TaskList::open(&store.reader()).unwrap().waiting()), (0, 0));
    }

    #[test]
    fn attempts_wait_longer_and_end() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let list = TaskList::open(&store.reader()).unwrap();
        create(&list, &store, "a", 0).unwrap();
        let mut now = 0;
        for attempt in 1..=MAX_ATTEMPTS {
            let held = claim(&list, &store, now).unwrap();
            assert_eq!(held.task.attempts, attempt);
            list.finish(&store, &held, (again(), now), none).unwrap();
            let wait = i64::try_from(policy::back_off(attempt).as_nanos()).unwrap();
            assert!(claim(&list, &store, now + wait - 1).is_none());
            now += wait;
        }
        let failed = list.get(&store, &place("a"), None, now).unwrap().unwrap();
        assert_eq!((failed.state, failed.code.as_str(), failed.message.as_str()), (TaskState::Failed, "C", "not yet"));
    }

    #[test]
    fn a_task_that_ends_its_process_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        create(&TaskList::open(&store.reader()).unwrap(), &store, "a", 0).unwrap();
        for _ in 0..MAX_ATTEMPTS {
            // Each list is that of a new process.
            let list = TaskList::open(&store.reader()).unwrap();
            assert_eq!(list.waiting(), 1);
            assert!(claim(&list, &store, 1).is_some());
        }
        let list = TaskList::open(&store.reader()).unwrap();
        assert!(claim(&list, &store, 1).is_none());
        let failed = list.get(&store, &place("a"), None, 1).unwrap().unwrap();
        assert_eq!(failed.state, TaskState::Failed);
        assert!(failed.message.contains("the process ended"), "{}", failed.message);
        // One that was stopped in order has lost no attempt.
        create(&list, &store, "b", 0).unwrap();
        for _ in 0..2 * MAX_ATTEMPTS {
            let held = claim(&list, &store, 1).unwrap();
            list.finish(&store, &held, (Outcome::Stopped, 1), none).unwrap();
        }
    }

    #[test]
    fn what_has_ended_is_kept_for_seven_days() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let list = TaskList::open(&store.reader()).unwrap();
        ["a", "b"].iter().for_each(|id| create(&list, &store, id, 1).unwrap());
        let held = claim(&list, &store, DAY).unwrap();
        list.finish(&store, &held, (done(), DAY), none).unwrap();
        let there = |now: i64| list.get(&store, &place("a"), None, now).unwrap().is_some();
        assert!(there(8 * DAY - 1) && !there(8 * DAY));
        assert_eq!((list.purge(&store, 8 * DAY - 1).unwrap(), list.purge(&store, 8 * DAY).unwrap()), (0, 1));
        assert!(!there(DAY) && list.result(&store, &place("a")).unwrap().is_none());
        // One that has not ended is never forgotten.
        assert!(list.get(&store, &place("b"), None, 900 * DAY).unwrap().is_some());
        assert_eq!(list.purge(&store, 900 * DAY).unwrap(), 0);
    }

    #[test]
    fn tasks_go_with_their_project() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let list = TaskList::open(&store.reader()).unwrap();
        create(&list, &store, "a", 1).unwrap();
        let mut batch = store.batch();
        list.forget_project(&store.reader(), &mut batch, ProjectId(7)).unwrap();
        store.commit(batch, Durability::Sync).unwrap();
        assert!(list.get(&store, &place("a"), None, 1).unwrap().is_none());
        assert!(claim(&list, &store, 5).is_none());
        assert_eq!((list.waiting(), TaskList::open(&store.reader()).unwrap().waiting()), (0, 0));
    }

    #[test]
    fn too_many_that_wait_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let list = TaskList::open(&store.reader()).unwrap();
        list.lock().waiting = MAX_WAITING_TASKS;
        assert_eq!(create(&list, &store, "a", 1).unwrap_err().kind(), ErrorKind::BudgetExceeded);
    }
}
