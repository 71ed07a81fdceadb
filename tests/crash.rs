//! Deaths by kill -9 at random moments of an import. A child writes and acknowledges on a pipe; the supervisor kills it,
//! opens the database, and compares it with what was acknowledged. Each child goes on where the last one died.
//!
//! `MEDIALITH_CRASHES=200 cargo test --test crash -- --nocapture` makes the recorded run (benches/record).
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as its assertions do"
)]

mod child;
#[expect(dead_code, reason = "no binary needs all of it")]
mod receiver;
mod told;

use child::{order, say, start};
use cpu_time::ProcessTime;
use medialith::engine::{Buckets, Dataset, Engine, Options, TaskOptions};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, Task, TaskKind, TaskOrder, TaskQuery, TaskState, field};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Threads that write, each its own files, so that commits are shared.
const WRITERS: u64 = 2;
/// Files of each writer.
const FILES: u64 = 4000;
/// Most files of one call.
const BATCH: u64 = 300;
/// Longest life of a child in milliseconds; opening is part of it.
const LIFE: u64 = 500;

/// A small generator, so that the supervisor knows what the child writes.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// One call of a writer.
enum Round {
    Put(Vec<File>),
    Delete(Vec<String>),
}

fn uri(writer: u64, file: u64) -> String {
    format!("oss://bucket/writer{writer}/{}/file{file:05}.jpg", file % 50)
}

/// What a writer does in its round `number`: every put says the number, so that old values are told from new ones.
fn round(writer: u64, number: u64) -> Round {
    let mut dice = Dice(writer << 40 ^ number.wrapping_mul(0x9E37_79B9));
    let count = dice.below(BATCH) + 1;
    if number % 4 == 3 {
        return Round::Delete((0..count / 2 + 1).map(|_| uri(writer, dice.below(FILES))).collect());
    }
    let file = |dice: &mut Dice| File::new(uri(writer, dice.below(FILES)));
    let put = |file: File| file.with(field::SIZE, number as i64).with(field::TITLE, format!("round {number}"));
    Round::Put((0..count).map(|_| put(file(&mut dice))).collect())
}

/// URI to the number of the round that last put it.
type State = BTreeMap<String, i64>;

fn advance(state: &mut State, writer: u64, number: u64) {
    match round(writer, number) {
        Round::Put(files) => state.extend(files.iter().map(|f| (f.uri().to_owned(), number as i64))),
        Round::Delete(uris) => state.retain(|uri, _| !uris.contains(uri)),
    }
}

fn options() -> Options {
    Options { memory_bytes: 64 << 20, ..Options::default() }
}

const DIR: &str = "MEDIALITH_CRASH_DIR";
const FROM: &str = "MEDIALITH_CRASH_FROM";
const LIES: &str = "MEDIALITH_CRASH_LIES";

/// The child: opens, then writes until it dies.
#[test]
#[ignore = "started by the supervisor"]
fn victim() {
    let Some(dir) = order(DIR) else { return };
    let engine = Engine::open(&dir, options()).unwrap();
    let made = |outcome: Result<(), medialith::Error>| {
        assert!(outcome.is_ok() || outcome.is_err_and(|e| e.kind() == ErrorKind::AlreadyExists));
    };
    made(engine.create_project("p", &ProjectSpec::default()).map(drop));
    made(engine.create_dataset("p", "d", &DatasetSpec::default()).map(drop));
    let dataset = engine.dataset("p", "d").unwrap();
    let from: Vec<u64> = order(FROM).unwrap().split(',').map(|n| n.parse().unwrap()).collect();
    let lies = order(LIES).is_some();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (dataset, from) = (&dataset, from[writer as usize]);
            scope.spawn(move || {
                for number in from.. {
                    write(dataset, writer, number, lies);
                }
            });
        }
        // Seals, merges and rebuilds go on beside the writers.
        for turn in 1u64.. {
            std::thread::sleep(Duration::from_millis(turn * 17 % 40));
            if turn.is_multiple_of(9) { dataset.rebuild().unwrap() } else { dataset.settle().unwrap() }
        }
    });
}

fn write(dataset: &Dataset, writer: u64, number: u64, lies: bool) {
    if lies {
        say(&format!("{writer} {number}"));
        std::thread::sleep(Duration::from_millis(30));
    }
    match round(writer, number) {
        Round::Put(files) => dataset.put(files).unwrap(),
        Round::Delete(uris) => drop(dataset.delete(uris).unwrap()),
    }
    if !lies {
        say(&format!("{writer} {number}"));
    }
}

/// What the supervisor knows of the database.
struct Supervisor {
    dir: tempfile::TempDir,
    /// Of each writer: the next round, and its files before it.
    writers: Vec<(u64, State)>,
    dice: Dice,
    acknowledged: u64,
    /// How long opening took each time, and its processor time, which does not depend on what else runs here.
    reopened: Vec<(Duration, Duration)>,
}

impl Supervisor {
    fn new(seed: u64) -> Supervisor {
        let writers = (0..WRITERS).map(|_| (0, State::new())).collect();
        let dir = tempfile::tempdir().unwrap();
        Supervisor { dir, writers, dice: Dice(seed), acknowledged: 0, reopened: Vec::new() }
    }

    /// One life and death of a child, and what is found afterwards. The error says what was lost.
    fn crash(&mut self, lies: bool) -> Result<(), String> {
        let from: Vec<String> = self.writers.iter().map(|(next, _)| next.to_string()).collect();
        let mut orders = vec![(DIR, self.dir.path().to_str().unwrap().to_owned()), (FROM, from.join(","))];
        if lies {
            orders.push((LIES, String::new()));
        }
        let mut victim = start("victim", &orders);
        std::thread::sleep(Duration::from_millis(self.dice.below(LIFE)));
        // One that has already ended cannot be killed.
        drop(victim.child.kill());
        for line in victim.ended().1 {
            let (writer, number) = line.split_once(' ').unwrap();
            let (writer, number): (u64, u64) = (writer.parse().unwrap(), number.parse().unwrap());
            let (next, state) = &mut self.writers[writer as usize];
            assert_eq!(number, *next, "acknowledgements come in order");
            advance(state, writer, number);
            *next += 1;
            self.acknowledged += 1;
        }
        self.verify()
    }

    /// The database holds what was acknowledged, and of the call that was under way all or nothing.
    fn verify(&mut self) -> Result<(), String> {
        let (begun, worked) = (Instant::now(), ProcessTime::now());
        let engine = Engine::open(self.dir.path(), options()).map_err(|e| e.to_string())?;
        let dataset = match engine.dataset("p", "d") {
            Err(e) if e.kind() == ErrorKind::NotFound && self.writers.iter().all(|(next, _)| *next == 0) => {
                return Ok(());
            }
            dataset => dataset.map_err(|e| e.to_string())?,
        };
        self.reopened.push((begun.elapsed(), worked.elapsed()));
        let found = contents(&dataset);
        for (writer, (next, state)) in self.writers.iter_mut().enumerate() {
            let folder = format!("oss://bucket/writer{writer}/");
            let found: State =
                found.range(folder.clone()..).take_while(|(uri, _)| uri.starts_with(&folder)).map(owned).collect();
            if found != *state {
                advance(state, writer as u64, *next);
                *next += 1;
            }
            if found != *state {
                return Err(format!("writer {writer}: neither {} nor {} rounds are there", *next - 1, next));
            }
        }
        let report = engine.check(true).map_err(|e| e.to_string())?;
        if !report.is_clean() {
            return Err(format!("{report:?}"));
        }
        let query = Query { text: ".jpg".into(), ..Query::default() };
        let total = dataset.search(&query).map_err(|e| e.to_string())?.total;
        if total != Some(found.len() as u64) {
            return Err(format!("expected {} files in the index, got {total:?}", found.len()));
        }
        Ok(())
    }
}

fn owned((uri, number): (&String, &i64)) -> (String, i64) {
    (uri.clone(), *number)
}

fn contents(dataset: &Dataset) -> State {
    let (mut found, mut after) = (State::new(), String::new());
    loop {
        let files = dataset.scan(&after, 1000).unwrap();
        let Some(last) = files.last() else { return found };
        after = last.uri().to_owned();
        found.extend(files.iter().map(|f| (f.uri().to_owned(), f.int(field::SIZE).unwrap())));
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let crashes: u32 = std::env::var("MEDIALITH_CRASHES").map_or(15, |text| text.parse().unwrap());
    let mut supervisor = Supervisor::new(u64::from(std::process::id()));
    for crash in 1..=crashes {
        supervisor.crash(false).unwrap_or_else(|lost| panic!("crash {crash}: {lost}"));
    }
    let Supervisor { acknowledged, reopened, writers, dir, .. } = supervisor;
    assert!(acknowledged > u64::from(crashes), "the children lived long enough to write: {acknowledged} calls");
    let files: usize = writers.iter().map(|(_, state)| state.len()).sum();
    let (times, work): (Vec<Duration>, Vec<Duration>) = reopened.into_iter().unzip();
    let ((median, slowest), (usual, most)) = (middle_and_end(times), middle_and_end(work));
    println!(
        "crashes {crashes}, calls acknowledged {acknowledged}, lost 0, files {files}, {} MB",
        size(dir.path()) >> 20
    );
    println!("reopen: median {median:?}, slowest {slowest:?}; processor time: median {usual:?}, most {most:?}");
    assert!(slowest < Duration::from_secs(10), "a restart replays little: {slowest:?}");
}

fn middle_and_end(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() - 1])
}

fn size(dir: &Path) -> u64 {
    let sizes = std::fs::read_dir(dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }
    });
    sizes.sum()
}

/// The control: a child that acknowledges before it commits is found out.
#[test]
fn a_lying_child_is_found_out() {
    let mut supervisor = Supervisor::new(7);
    let found_out = (0..40).any(|_| supervisor.crash(true).is_err_and(|lost| lost.contains("rounds are there")));
    assert!(found_out, "acknowledgements before the commit pass for durable");
}

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
        let mut victim = start("worker", &[(DIR, dir.path().to_str().unwrap().to_owned())]);
        std::thread::sleep(Duration::from_millis(150 + dice.below(LIFE)));
        drop(victim.child.kill());
        victim.ended();
        kills += 1;
        assert!(kills < 400, "{} of {TASKS} tasks have ended", ended.len());
        let engine = Engine::open(dir.path(), options()).unwrap();
        let now = tasks_of(&engine);
        assert_eq!(now.len(), TASKS);
        for task in now.into_iter().filter(|task| task.state.is_final()) {
            assert_eq!((task.state, task.code.as_str()), (TaskState::Succeeded, ""), "{task:?}");
            let result = engine.task_result("p", &task.id).unwrap().expect("an end comes with its result");
            results.entry(sources[&task.id]).or_default().insert(result);
            let before = ended.entry(task.id.clone()).or_insert_with(|| task.clone());
            assert_eq!(*before, task, "an end changed");
        }
        assert_eq!(engine.waiting_tasks(), (TASKS - ended.len()) as u64);
    }
    assert!(results.values().all(|results| results.len() == 1), "{results:?}");
    println!("tasks {TASKS}, kills {kills}, each ended once");
}
