//! A film that ends every process which looks at it: begun five times, then given up, and nothing else suffers.

use crate::child::{order, start};
use crate::world::options;
use medialith::engine::{Buckets, Engine, IngestOptions, Progress, TaskOptions};
use medialith::model::{DatasetSpec, ProjectSpec, TaskKind, TaskOrder, TaskQuery, TaskState, Value, field};
use medialith::video;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DIR: &str = "MEDIALITH_FILMS_DIR";
/// Whether the child does tasks, else films of documents.
const DOES_TASKS: &str = "MEDIALITH_FILMS_TASKS";
/// Attempts that a film or a task has (docs/tasks.md).
const MAX_ATTEMPTS: u32 = 5;
/// A film of a codec that no decoder in the process knows.
const DEADLY: &str = "night-train.avi";
/// One that needs no other process.
const HARMLESS: &str = "ferry.mp4";

/// What stands for FFmpeg: a program that kills whoever starts it.
fn assassin(dir: &Path) -> PathBuf {
    dir.join("ffmpeg")
}

fn buckets(dir: &Path) -> Buckets {
    let mut buckets = Buckets::new();
    buckets.add("b", dir.join("videos")).unwrap();
    buckets
}

fn prepare(dir: &Path) {
    std::fs::write(assassin(dir), "#!/bin/sh\nkill -9 $PPID\n").unwrap();
    std::fs::set_permissions(assassin(dir), std::fs::Permissions::from_mode(0o755)).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos");
    std::fs::create_dir(dir.join("videos")).unwrap();
    for name in [DEADLY, HARMLESS] {
        std::fs::copy(from.join(name), dir.join("videos").join(name)).unwrap();
    }
}

/// The child: lives until it meets the film, or until nothing is left.
#[test]
#[ignore = "started by the supervisor"]
fn worker() {
    let Some(dir) = order(DIR).map(PathBuf::from) else { return };
    let engine = Engine::open(dir.join("db"), options()).unwrap();
    let film = video::Options { ffmpeg: Some(assassin(&dir)), ..video::Options::default() };
    if order(DOES_TASKS).as_deref() == Some("1") {
        let tasks = TaskOptions { threads: 1, video: film };
        let runner = engine.start_tasks(buckets(&dir), tasks).unwrap();
        while engine.waiting_tasks() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        runner.stop();
    } else {
        let films = engine.start_film_labels(buckets(&dir), film).unwrap();
        while !films.wait_idle(Duration::from_millis(10)) {}
        films.stop();
    }
}

/// One life of a child; answers whether it was killed.
fn live(dir: &Path, does_tasks: bool) -> bool {
    let orders = [(DIR, dir.to_str().unwrap().to_owned()), (DOES_TASKS, u8::from(does_tasks).to_string())];
    let (status, _) = start("films::worker", &orders).ended();
    assert!(status.success() || status.signal() == Some(9), "{status}");
    !status.success()
}

fn said(dir: &Path, name: &str, key: &str) -> String {
    let engine = Engine::open(dir.join("db"), options()).unwrap();
    let file = engine.dataset("p", "d").unwrap().get(&format!("oss://b/{name}"), &[]).unwrap().unwrap();
    let Some(Value::Map(pairs)) = file.get(field::OPS) else { return String::new() };
    let key = format!("LabelClassification.{key}");
    pairs.iter().find(|(k, _)| **k == *key).map_or(String::new(), |(_, v)| v.to_string())
}

#[test]
fn a_film_that_kills_its_worker_five_times_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    prepare(dir);
    let engine = Engine::open(dir.join("db"), options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let visual = DatasetSpec { template_id: Some("medialith:Visual".into()), ..DatasetSpec::default() };
    engine.create_dataset("p", "d", &visual).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    dataset.index_folder("b", dir.join("videos"), &IngestOptions::default(), &Progress::new()).unwrap();
    assert_eq!(dataset.waiting_films().unwrap(), 2);
    drop((dataset, engine));
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(live(dir, false), "the film kills whoever begins it");
        assert_eq!(
            (said(dir, DEADLY, "state"), said(dir, DEADLY, "attempts")),
            ("running".into(), attempt.to_string())
        );
        // In the order of addresses the other film was done by the first process, and is not done again.
        assert_eq!((said(dir, HARMLESS, "state"), said(dir, HARMLESS, "attempts")), ("done".into(), String::new()));
    }
    for _ in 0..2 {
        assert!(!live(dir, false), "nobody begins it any more");
        assert_eq!(said(dir, DEADLY, "state"), "failed");
        let reason = said(dir, DEADLY, "reason");
        assert!(reason.starts_with("[InternalError] The process ended 5 times with this film"), "{reason}");
        let engine = Engine::open(dir.join("db"), options()).unwrap();
        let dataset = engine.dataset("p", "d").unwrap();
        let file = dataset.get(&format!("oss://b/{DEADLY}"), &[]).unwrap().unwrap();
        assert!(file.text(field::REASON).unwrap().starts_with("[InternalError] LabelClassification: "), "{file:?}");
        assert!(file.get(field::VIDEO_WIDTH).is_some(), "its metadata is complete all the same");
        assert_eq!(dataset.waiting_films().unwrap(), 0);
    }
}

#[test]
fn a_task_whose_film_kills_its_worker_five_times_fails() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    prepare(dir);
    let engine = Engine::open(dir.join("db"), options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    for film in [DEADLY, HARMLESS] {
        let wanted = TaskOrder::new(TaskKind::VIDEO_LABELS, format!(r#"{{"SourceURI":"oss://b/{film}"}}"#));
        engine.create_task("p", &wanted).unwrap();
    }
    drop(engine);
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(live(dir, true), "the film kills whoever begins it: {attempt}");
    }
    assert!(!live(dir, true), "nobody begins it any more");
    let engine = Engine::open(dir.join("db"), options()).unwrap();
    let mut ends = engine.tasks("p", &TaskQuery::default()).unwrap().items;
    ends.sort_by_key(|task| task.state == TaskState::Succeeded);
    let states: Vec<_> = ends.iter().map(|task| (task.state, task.code.as_str())).collect();
    assert_eq!(states, [(TaskState::Failed, "InternalError"), (TaskState::Succeeded, "")]);
    assert_eq!(ends[0].message, "the task was begun 5 times, and each time the process ended");
    assert_eq!(engine.task_result("p", &ends[0].id).unwrap(), None);
}
