//! Asking for tasks: one, its result, or a page of those that fit a query.

use super::list::TaskList;
use super::policy::{RETENTION, after};
use super::row::task_of;
use crate::error::{Error, Result};
use crate::model::task::MAX_TASK_PAGE;
use crate::model::{Listing, Order, Task, TaskKind, TaskQuery, TaskSort, TaskState};
use crate::store::rows::{Row, TaskRef, TaskRow};
use crate::store::{ProjectId, Store, keys};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Where a task stands in the order of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// `None`: no such time, sorted last.
    time: Option<i64>,
    id: String,
}

impl Place {
    fn of(task: &Task, sort: TaskSort) -> Place {
        let time = match sort {
            TaskSort::Id => None,
            TaskSort::Start => Some(task.start_time),
            TaskSort::End => task.end_time,
        };
        Place { time, id: task.id.clone() }
    }

    fn compare(&self, other: &Place, order: Order) -> Ordering {
        let turned = |ordering: Ordering| if order == Order::Desc { ordering.reverse() } else { ordering };
        let times = match (self.time, other.time) {
            (Some(a), Some(b)) => turned(a.cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        times.then_with(|| turned(self.id.cmp(&other.id)))
    }

    fn token(&self) -> String {
        self.time.map_or_else(|| format!("-.{}", self.id), |time| format!("{time}.{}", self.id))
    }

    fn parse(token: &str) -> Result<Place> {
        let wrong = || Error::invalid("NextToken: expected one that ListTasks gave, got another text");
        let (time, id) = token.split_once('.').ok_or_else(wrong)?;
        let time = if time == "-" { None } else { Some(time.parse().map_err(|_| wrong())?) };
        if id.is_empty() { Err(wrong()) } else { Ok(Place { time, id: id.to_owned() }) }
    }
}

/// A place that sorts as a listing does.
struct Ranked(Place, Order);

impl PartialEq for Ranked {
    fn eq(&self, other: &Ranked) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> Ordering {
        self.0.compare(&other.0, self.1)
    }
}

impl TaskList {
    /// A task of the type, unless its time is over.
    pub fn get(&self, store: &Store, place: &TaskRef, kind: Option<TaskKind>, now: i64) -> Result<Option<Task>> {
        let found: Option<TaskRow> = store.reader().row(&keys::task(ProjectId(place.project), &place.id))?;
        let task = found.map(|row| self.seen(place, row)).transpose()?;
        Ok(task.filter(|task| !is_over(task, now) && kind.is_none_or(|kind| kind == task.kind)))
    }

    /// The result of a task that succeeded.
    pub fn result(&self, store: &Store, place: &TaskRef) -> Result<Option<String>> {
        let bytes = store.reader().bytes(&keys::task_result(ProjectId(place.project), &place.id))?;
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|_| Error::corrupted("result of a task: expected text in UTF-8, got other bytes"))
    }

    /// One page of the tasks of a project.
    pub fn find(
        &self,
        store: &Store,
        project: (ProjectId, &str),
        query: &TaskQuery,
        now: i64,
    ) -> Result<Listing<Task>> {
        let size = match query.max_results {
            0 => MAX_TASK_PAGE,
            n if n <= MAX_TASK_PAGE => n,
            n => return Err(Error::invalid(format!("MaxResults: expected 1 to {MAX_TASK_PAGE}, got {n}"))),
        };
        let from = if query.token.is_empty() { None } else { Some(Place::parse(&query.token)?) };
        let prefix = keys::task(project.0, "");
        let ascending = query.sort == TaskSort::Id && query.order == Order::Asc;
        let start = from.as_ref().filter(|_| ascending).map(|place| keys::task(project.0, &place.id));
        let reader = store.reader();
        let mut rows = reader.scan(&prefix, start.as_ref())?;
        // The first of the next page is found too: it is where that page begins.
        let mut page: BTreeMap<Ranked, Task> = BTreeMap::new();
        while let Some((key, value)) = rows.current()? {
            let id = keys::text_after(key, prefix.bytes.len()).ok_or_else(|| Error::corrupted("a task has no id"))?;
            let place = TaskRef { project: project.0.0, project_name: project.1.to_owned(), id: id.to_owned() };
            let task = self.seen(&place, TaskRow::decode(value)?)?;
            let rank = Place::of(&task, query.sort);
            let later = from.as_ref().is_none_or(|from| rank.compare(from, query.order) != Ordering::Less);
            if later && query.holds(&task) && !is_over(&task, now) {
                page.insert(Ranked(rank, query.order), task);
                if page.len() > size.saturating_add(1) {
                    page.pop_last();
                }
            }
            if ascending && page.len() > size {
                break;
            }
            rows.advance();
        }
        let next = if page.len() > size { page.pop_last() } else { None };
        let next_token = next.map(|(rank, _)| rank.0.token()).unwrap_or_default();
        Ok(Listing { items: page.into_values().collect(), next_token })
    }

    /// The task of a row, with what its worker last reported.
    fn seen(&self, place: &TaskRef, row: TaskRow) -> Result<Task> {
        let number = row.number;
        let mut task = task_of(place, row)?;
        if task.state == TaskState::Running
            && let Some(progress) = self.progress(number)
        {
            task.progress = progress;
        }
        Ok(task)
    }
}

fn is_over(task: &Task, now: i64) -> bool {
    task.end_time.is_some_and(|end| after(end, RETENTION) <= u64::try_from(now).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_places() {
        for place in [Place { time: None, id: "a.b".into() }, Place { time: Some(-5), id: "x".into() }] {
            assert_eq!(Place::parse(&place.token()).unwrap(), place);
        }
        for bad in ["", "x", "1.", "y.z", "-"] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn missing_times_come_last_both_ways() {
        let place = |time, id: &str| Place { time, id: id.into() };
        let mut all = [place(None, "a"), place(Some(1), "c"), place(Some(2), "b"), place(Some(2), "a")];
        for (order, expected) in [(Order::Asc, "cab a"), (Order::Desc, "bac a")] {
            all.sort_by(|a, b| a.compare(b, order));
            let shown: String = all.iter().map(|p| p.id.as_str()).collect();
            assert_eq!(shown, expected.replace(' ', ""), "{order:?}");
        }
    }
}
