//! Deaths by kill -9 while tasks are done: each ends once, with the result of its film.

use crate::LIFE;
use crate::child::{order, start};
use crate::world::{Dice, options};
use medialith::engine::{Buckets, Engine, TaskOptions};
use medialith::model::{ProjectSpec, Task, TaskKind, TaskOrder, TaskQuery, TaskState};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const DIR: &str = "MEDIALITH_TASKS_DIR";
/// Tasks of the run that kills their workers.
const TASKS: usize = 100;

fn tasks_of(engine: &Engine) -> Vec<Task> {
    let (mut tasks, mut query) = (Vec::new(), TaskQuery::default());
    loop {
        let page = engine.tasks("p", &query).unwrap();
        tasks.extend(page.items);
        query.token = page.next_token;
        if query.token.is_empty() {
            return tasks;
        }
    }
}

/// The child: does tasks until it dies, or until none is left.
#[test]
#[ignore = "started by the supervisor"]
fn worker() {
    let Some(dir) = order(DIR) else { return };
    let engine = Engine::open(&dir, options()).unwrap();
    let mut buckets = Buckets::new();
    buckets.add("b", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos")).unwrap();
    let runner = engine.start_tasks(buckets, TaskOptions { threads: 2, ..TaskOptions::default() }).unwrap();
    while engine.waiting_tasks() > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    runner.stop();
}

/// Whatever the moment of death, each task ends once: an end that was seen never changes, and equal films give equal results.
#[test]
fn killed_tasks_end_once() {
    let dir = tempfile::tempdir().unwrap();
    let films = ["ferry.mp4", "portrait.mov", "harbour diary.mkv"];
    let engine = Engine::open(dir.path(), options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let mut sources = BTreeMap::new();
    for number in 0..TASKS {
        let film = films[number % films.len()];
        let wanted = TaskOrder::new(TaskKind::VIDEO_LABELS, format!(r#"{{"SourceURI":"oss://b/{film}"}}"#));
        sources.insert(engine.create_task("p", &wanted).unwrap().id, film);
    }
    drop(engine);
    let mut dice = Dice(u64::from(std::process::id()));
    let (mut ended, mut kills): (BTreeMap<String, Task>, u32) = (BTreeMap::new(), 0);
    let mut results: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    while ended.len() < TASKS {
        let mut victim = start("tasks::worker", &[(DIR, dir.path().to_str().unwrap().to_owned())]);
        std::thread::sleep(Duration::from_millis(150 + dice.below(LIFE)));
        drop(victim.child.kill());
        victim.ended();
        kills += 1;
        assert!(kills < 400, "{} of {TASKS} tasks have ended", ended.len());
        let engine = Engine::open(dir.path(), options()).unwrap();
        let now = tasks_of(&engine);
        assert_eq!(now.len(), TASKS);
        for task in now.into_iter().filter(|task| task.state.is_final()) {
            let result = engine.task_result("p", &task.id).unwrap();
            match task.state {
                // One that took five processes with it is given up.
                TaskState::Failed => assert_eq!(task.code, "InternalError", "{task:?}"),
                _ => assert_eq!((task.state, task.code.as_str()), (TaskState::Succeeded, ""), "{task:?}"),
            }
            assert_eq!(result.is_some(), task.state == TaskState::Succeeded, "a success comes with its result");
            results.entry(sources[&task.id]).or_default().extend(result);
            let before = ended.entry(task.id.clone()).or_insert_with(|| task.clone());
            assert_eq!(*before, task, "an end changed");
        }
        assert_eq!(engine.waiting_tasks(), (TASKS - ended.len()) as u64);
    }
    assert_eq!(results.len(), films.len(), "each film was done once at least");
    assert!(results.values().all(|results| results.len() == 1), "{results:?}");
    println!("tasks {TASKS}, kills {kills}, each ended once");
}
