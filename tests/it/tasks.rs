//! Tasks through the library: made, listed, done, cancelled, forgotten with their project, gone on with after a restart.

use medialith::engine::{Buckets, Engine, Options, TaskOptions};
use medialith::error::ErrorKind;
use medialith::model::{Order, ProjectSpec, Task, TaskKind, TaskOrder, TaskQuery, TaskSort, TaskState, TimeRange};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

fn open(dir: &Path) -> Engine {
    Engine::open(dir, Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap()
}

fn order(uri: &str) -> TaskOrder {
    TaskOrder::new(TaskKind::VIDEO_LABELS, format!(r#"{{"SourceURI":"{uri}"}}"#))
}

fn buckets() -> Buckets {
    let mut buckets = Buckets::new();
    buckets.add("b", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos")).unwrap();
    buckets
}

fn ended(engine: &Engine, id: &str) -> Task {
    let begun = Instant::now();
    loop {
        let task = engine.task("p", None, id).unwrap();
        if task.state.is_final() {
            return task;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{task:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn tasks_are_done_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let mut wanted = order("oss://b/ferry.mp4");
    wanted.user_data = "mine".into();
    wanted.tags.insert("k".into(), "v".into());
    let made = engine.create_task("p", &wanted).unwrap();
    assert_eq!((made.state, made.user_data.as_str(), made.tags.len()), (TaskState::Waiting, "mine", 1));
    assert!(made.id.starts_with("VideoLabelClassification-") && !made.event_id.is_empty());
    let lost = engine.create_task("p", &order("oss://b/nope.mp4")).unwrap();
    let text = engine.create_task("p", &order("oss://b/README")).unwrap();
    assert_eq!(engine.waiting_tasks(), 3);
    let runner = engine.start_tasks(buckets(), TaskOptions::default()).unwrap();
    let done = ended(&engine, &made.id);
    assert_eq!((done.state, done.progress, done.attempts), (TaskState::Succeeded, 100, 1));
    assert!(done.end_time.unwrap() >= done.start_time);
    let result: serde_json::Value = serde_json::from_str(&engine.task_result("p", &made.id).unwrap().unwrap()).unwrap();
    assert_eq!(result["Shots"], serde_json::json!([{ "Start": 0, "End": 3000 }]));
    assert!(
        result["Labels"].as_array().unwrap().iter().all(|l| l["Clips"][0]["TimeRange"] == serde_json::json!([0, 3000]))
    );
    for id in [&lost.id, &text.id] {
        let failed = ended(&engine, id);
        assert_eq!((failed.state, failed.code.as_str()), (TaskState::Failed, "ResourceNotFound"), "{failed:?}");
        assert!(engine.task_result("p", id).unwrap().is_none());
    }
    assert_eq!(engine.waiting_tasks(), 0);
    drop((runner, engine));
    let again = open(dir.path());
    assert_eq!(again.task("p", Some(TaskKind::VIDEO_LABELS), &made.id).unwrap(), done);
    assert_eq!(
        again.task("p", Some(TaskKind::parse("Highlight").unwrap()), &made.id).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    again.delete_project("p").unwrap();
    again.create_project("p", &ProjectSpec::default()).unwrap();
    assert_eq!(again.task("p", None, &made.id).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn bad_orders_are_refused_and_cancelled_tasks_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    for bad in ["http://b/x.mp4", "oss://b", "", "pds://domains/a/drives/b/files/c/revisions/d"] {
        assert_eq!(engine.create_task("p", &order(bad)).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
    }
    let other = TaskOrder::new(TaskKind::parse("ImageToPDF").unwrap(), "{}");
    assert_eq!(engine.create_task("p", &other).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(engine.create_task("q", &order("oss://b/x.mp4")).unwrap_err().kind(), ErrorKind::NotFound);
    let made = engine.create_task("p", &order("oss://b/ferry.mp4")).unwrap();
    let cancelled = engine.cancel_task("p", &made.id).unwrap();
    assert_eq!((cancelled.state, cancelled.code.as_str()), (TaskState::Cancelled, "TaskCancelled"));
    assert_eq!((cancelled.state.status(), engine.waiting_tasks()), ("Failed", 0));
    assert_eq!(engine.cancel_task("p", &made.id).unwrap(), cancelled);
    assert_eq!(engine.cancel_task("p", "nope").unwrap_err().kind(), ErrorKind::NotFound);
    let runner = engine.start_tasks(buckets(), TaskOptions::default()).unwrap();
    let next = engine.create_task("p", &order("oss://b/ferry.mp4")).unwrap();
    assert_eq!(ended(&engine, &next.id).state, TaskState::Succeeded);
    assert_eq!(engine.task("p", None, &made.id).unwrap(), cancelled);
    runner.stop();
    assert!(engine.start_tasks(buckets(), TaskOptions { threads: 0, ..TaskOptions::default() }).is_err());
}

#[test]
fn pages_hold_every_task_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let mut ids = Vec::new();
    for number in 0..37 {
        let mut wanted = order("oss://b/nope.mp4");
        wanted.tags.insert("odd".into(), (number % 2).to_string());
        ids.push(engine.create_task("p", &wanted).unwrap());
    }
    for task in &ids[..10] {
        engine.cancel_task("p", &task.id).unwrap();
    }
    for sort in [TaskSort::Id, TaskSort::Start, TaskSort::End] {
        for order in [Order::Asc, Order::Desc] {
            let mut query = TaskQuery { sort, order, max_results: 7, ..TaskQuery::default() };
            let mut found: Vec<Task> = Vec::new();
            loop {
                let page = engine.tasks("p", &query).unwrap();
                assert!(page.items.len() <= 7);
                found.extend(page.items);
                query.token = page.next_token;
                if query.token.is_empty() {
                    break;
                }
            }
            let key = |task: &Task| match sort {
                TaskSort::Id => (false, 0, task.id.clone()),
                TaskSort::Start => (false, task.start_time, task.id.clone()),
                TaskSort::End => (task.end_time.is_none(), task.end_time.unwrap_or(0), task.id.clone()),
            };
            let mut expected: Vec<Task> = ids.iter().map(|t| engine.task("p", None, &t.id).unwrap()).collect();
            expected.sort_by(|a, b| {
                let (a, b) = (key(a), key(b));
                let turned = (a.1, &a.2).cmp(&(b.1, &b.2));
                a.0.cmp(&b.0).then(if order == Order::Desc { turned.reverse() } else { turned })
            });
            assert_eq!(found, expected, "{sort:?} {order:?}");
        }
    }
    let count = |query: TaskQuery| engine.tasks("p", &query).unwrap().items.len();
    assert_eq!(count(TaskQuery { status: "Failed".into(), ..TaskQuery::default() }), 10);
    assert_eq!(count(TaskQuery { tags: TaskQuery::parse_tags("odd=1").unwrap(), ..TaskQuery::default() }), 18);
    let kinds = vec![TaskKind::parse("Highlight").unwrap()];
    assert_eq!(count(TaskQuery { kinds, ..TaskQuery::default() }), 0);
    let start = TimeRange { start: Some(ids[30].start_time), end: None };
    assert_eq!(count(TaskQuery { start, ..TaskQuery::default() }), 7);
    let end = TimeRange { start: Some(0), end: None };
    assert_eq!(count(TaskQuery { end, ..TaskQuery::default() }), 10);
    let bad = TaskQuery { token: "nonsense".into(), ..TaskQuery::default() };
    assert_eq!(engine.tasks("p", &bad).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let names: BTreeSet<&str> = ids.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(names.len(), 37);
}
