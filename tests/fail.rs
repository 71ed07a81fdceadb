//! Every failpoint of commit, seal, merge, rebuild, recovery, checkpoint and deletion, each with an abort, with an error and
//! with a pause, and each death followed by another one during recovery. A child walks through all of the engine's steps with one failpoint armed; after an abort the supervisor opens
//! what is left, after an error the child retries and goes on to the end. Nothing acknowledged may be missing.
//!
//! A binary of its own, because failpoints belong to the process.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as its assertions do"
)]

mod child;

use child::{order, say, start};
use medialith::Result;
use medialith::engine::{Dataset, Engine, FAILPOINTS, Options};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, field};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// One step of the walk. Each may be done twice with the same outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Puts the files of the range, `Size` is the number of the step.
    Put(u32, u32),
    Delete(u32, u32),
    Update(u32, u32),
    Settle,
    Rebuild,
    Checkpoint,
    Reopen,
    /// A second dataset comes, holds a file, and goes.
    PassingDataset,
}

use Step::{Checkpoint, Delete, PassingDataset, Put, Rebuild, Reopen, Settle, Update};

/// The walk: seals, a merge of files that are mostly dead, a tail to recover, a rebuild with tombstones, copies.
const WALK: [Step; 24] = [
    Put(0, 60),
    Settle,
    Put(40, 80),
    Reopen,
    Settle,
    Delete(0, 35),
    Settle,
    Put(100, 140),
    Update(100, 120),
    Checkpoint,
    PassingDataset,
    Settle,
    Delete(60, 75),
    Put(30, 50),
    Rebuild,
    Put(70, 90),
    Reopen,
    Checkpoint,
    Delete(100, 130),
    Settle,
    Rebuild,
    PassingDataset,
    Put(0, 20),
    Reopen,
];

/// What is stored of a file: its size, and whether it was updated.
type State = BTreeMap<String, (i64, bool)>;

fn uri(number: u32) -> String {
    format!("oss://bucket/{}/f{number:04}.jpg", number % 5)
}

fn advance(state: &mut State, at: usize) {
    match WALK.get(at) {
        Some(Put(from, to)) => state.extend((*from..*to).map(|n| (uri(n), (at as i64, false)))),
        Some(Delete(from, to)) => (*from..*to).for_each(|n| {
            state.remove(&uri(n));
        }),
        Some(Update(from, to)) => (*from..*to).for_each(|n| {
            state.entry(uri(n)).and_modify(|file| file.1 = true);
        }),
        _ => {}
    }
}

fn options() -> Options {
    Options { memory_bytes: 64 << 20, ..Options::default() }
}

/// The child's hold on the database.
struct Walker {
    root: PathBuf,
    open: Option<(Engine, Dataset)>,
    copies: u32,
    errors: u32,
}

fn unless_there<T>(outcome: Result<T>) -> Result<()> {
    match outcome {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

impl Walker {
    fn enter(&mut self) -> Result<()> {
        self.open = None;
        let engine = Engine::open(self.root.join("db"), options())?;
        unless_there(engine.create_project("p", &ProjectSpec::default()))?;
        unless_there(engine.create_dataset("p", "d", &DatasetSpec::default()))?;
        let dataset = engine.dataset("p", "d")?;
        self.open = Some((engine, dataset));
        Ok(())
    }

    fn step(&mut self, at: usize) -> Result<()> {
        let Some((engine, dataset)) = &self.open else { return self.enter().and_then(|()| self.step(at)) };
        let change = |n: u32| File::new(uri(n)).with(field::CUSTOM_ID, "updated");
        match WALK.get(at).copied().expect("a step") {
            Put(from, to) => dataset.put((from..to).map(|n| File::new(uri(n)).with(field::SIZE, at as i64)).collect()),
            Delete(from, to) => dataset.delete((from..to).map(uri).collect()).map(drop),
            Update(from, to) => dataset.update((from..to).map(change).collect()).map(drop),
            Settle => dataset.settle(),
            Rebuild => dataset.rebuild(),
            Checkpoint => {
                self.copies += 1;
                engine.checkpoint(self.root.join(format!("copy{}", self.copies)))
            }
            Reopen => self.enter(),
            PassingDataset => passing_dataset(engine),
        }
    }

    /// Does a step however often it fails: first again, then after reopening.
    fn insist(&mut self, at: usize) {
        for attempt in 0..4 {
            match self.step(at) {
                Ok(()) => return,
                Err(error) => say(&format!("error {at} {:?} {}", error.kind(), error.message())),
            }
            self.errors += 1;
            if attempt > 0 {
                self.open = None;
            }
        }
        say(&format!("stuck {at}"));
    }
}

fn passing_dataset(engine: &Engine) -> Result<()> {
    unless_there(engine.create_dataset("p", "passing", &DatasetSpec::default()))?;
    let passing = engine.dataset("p", "passing")?;
    passing.put(vec![File::new(uri(1))])?;
    passing.settle()?;
    passing.delete(vec![uri(1)])?;
    engine.delete_dataset("p", "passing")
}

const DIR: &str = "MEDIALITH_FAIL_DIR";
const POINT: &str = "MEDIALITH_FAIL_POINT";
const HIT: &str = "MEDIALITH_FAIL_HIT";
const FATE: &str = "MEDIALITH_FAIL_FATE";

/// What happens at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Abort,
    Error,
    Pause,
}

fn arm(point: &str, hit: u32, fate: &str) {
    let from = format!("{}*off", hit - 1);
    match fate {
        "Error" => return fail::cfg(point, &format!("{from}->1*return->off")).unwrap(),
        "Pause" => return fail::cfg(point, &format!("{from}->3*sleep(100)->off")).unwrap(),
        _ => {}
    }
    let passed = AtomicU32::new(0);
    let die = move || {
        if passed.fetch_add(1, Ordering::Relaxed) + 1 == hit {
            std::process::abort();
        }
    };
    fail::cfg_callback(point, die).unwrap();
}

/// The child: walks, and says which steps are done.
#[test]
#[ignore = "started by the supervisor"]
fn victim() {
    let Some(root) = order(DIR) else { return };
    let scenario = fail::FailScenario::setup();
    arm(&order(POINT).unwrap(), order(HIT).unwrap().parse().unwrap(), &order(FATE).unwrap());
    let root = PathBuf::from(root);
    // A child before this one may have made copies too.
    let copies = (1..99).filter(|number| root.join(format!("copy{number}")).exists()).max().unwrap_or(0);
    let mut walker = Walker { root, open: None, copies, errors: 0 };
    for at in 0..WALK.len() {
        walker.insist(at);
        say(&format!("done {at}"));
    }
    say("end");
    drop(walker);
    scenario.teardown();
}

/// What the supervisor heard of a child.
struct Heard {
    /// Steps acknowledged.
    done: usize,
    errors: usize,
    ended: bool,
    said: Vec<String>,
}

fn walk(root: &Path, point: &str, hit: u32, fate: Fate) -> Heard {
    let text = |text: &str| text.to_owned();
    let (root, fate) = (text(root.to_str().unwrap()), format!("{fate:?}"));
    let orders = [(DIR, root), (POINT, text(point)), (HIT, hit.to_string()), (FATE, fate)];
    let (status, said) = start("victim", &orders).ended();
    let count = |word: &str| said.iter().filter(|line| line.starts_with(word)).count();
    let (done, errors, ended) = (count("done"), count("error"), count("end") == 1);
    assert_eq!(status.success(), ended, "{point}: {said:?}");
    assert_eq!(count("stuck"), 0, "{point}: {said:?}");
    Heard { done, errors, ended, said }
}

/// Opens a database and returns what is in it, having checked everything against everything.
fn contents(dir: &Path, what: &str) -> Option<State> {
    let engine = Engine::open(dir, options()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let report = engine.check(true).unwrap();
    assert!(report.is_clean(), "{what}: {report:?}");
    let dataset = match engine.dataset("p", "d") {
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        dataset => dataset.unwrap(),
    };
    let files = dataset.scan("", 1000).unwrap();
    let query = Query { text: ".jpg".into(), ..Query::default() };
    assert_eq!(dataset.search(&query).unwrap().total, Some(files.len() as u64), "{what}");
    dataset.put(vec![File::new(uri(9999))]).unwrap_or_else(|e| panic!("{what}: writes go on: {e}"));
    let state = |f: &File| (f.uri().to_owned(), (f.int(field::SIZE).unwrap(), f.get(field::CUSTOM_ID).is_some()));
    Some(files.iter().map(state).collect())
}

/// The state after `done` steps.
fn after(done: usize) -> State {
    let mut state = State::new();
    (0..done).for_each(|at| advance(&mut state, at));
    state
}

/// A copy whose making was acknowledged is a database; one that was cut short is one or is refused, never half of one.
fn verify_copies(root: &Path, what: &str, acknowledged: usize) {
    let mut sound = 0;
    for number in 1..9 {
        let dir = root.join(format!("copy{number}"));
        let read_only = Options { read_only: true, ..options() };
        match Engine::open(&dir, read_only) {
            Ok(engine) => {
                let report = engine.check(true).unwrap();
                assert!(report.is_clean(), "{what}: {}: {report:?}", dir.display());
                assert!(engine.dataset("p", "d").unwrap().len().unwrap() > 0, "{what}");
                sound += 1;
            }
            Err(e) => {
                let refused = [ErrorKind::NotFound, ErrorKind::InvalidArgument].contains(&e.kind());
                assert!(refused, "{what}: {}: {e}", dir.display());
            }
        }
    }
    assert!(sound >= acknowledged, "{what}: {acknowledged} copies were acknowledged, {sound} are there");
}

fn copies_before(done: usize) -> usize {
    WALK.iter().take(done).filter(|step| **step == Checkpoint).count()
}

#[test]
fn an_abort_at_any_step_loses_nothing() {
    for point in FAILPOINTS {
        for hit in [1, 2] {
            let what = format!("abort at {point}, pass {hit}");
            let root = tempfile::tempdir().unwrap();
            let heard = walk(root.path(), point, hit, Fate::Abort);
            assert!(hit > 1 || !heard.ended, "{what}: the walk never passes it");
            match contents(&root.path().join("db"), &what) {
                None => assert_eq!(heard.done, 0, "{what}: the dataset is gone"),
                Some(found) => {
                    let expected = [after(heard.done), after(heard.done + 1)];
                    assert!(expected.contains(&found), "{what}: neither {} steps nor one more", heard.done);
                }
            }
            verify_copies(root.path(), &what, copies_before(heard.done));
        }
    }
}

/// Steps behind the batch: their errors are dropped, because what they would undo is done.
const PAST_THE_BATCH: [&str; 14] = [
    "commit-before-publish",
    "commit-after-publish",
    "seal-named",
    "seal-published",
    "merge-named",
    "merge-published",
    "merge-unlinked",
    "rebuild-named",
    "rebuild-published",
    "rebuild-unlinked",
    "create-project-named",
    "create-dataset-named",
    "drop-dataset-named",
    "drop-dataset-unlinked",
];

#[test]
fn an_error_at_any_step_is_told_and_survived() {
    for point in FAILPOINTS {
        for hit in [1, 2] {
            let what = format!("error at {point}, pass {hit}");
            let root = tempfile::tempdir().unwrap();
            let heard = walk(root.path(), point, hit, Fate::Error);
            assert!(heard.ended, "{what}: {:?}", heard.said);
            if hit == 1 {
                assert_eq!(heard.errors > 0, !PAST_THE_BATCH.contains(point), "{what}: {:?}", heard.said);
            }
            let found = contents(&root.path().join("db"), &what).expect("the dataset");
            assert_eq!(found, after(WALK.len()), "{what}");
            verify_copies(root.path(), &what, copies_before(WALK.len()));
        }
    }
}

#[test]
fn a_pause_at_any_step_changes_nothing() {
    for point in FAILPOINTS {
        let what = format!("pause at {point}");
        let root = tempfile::tempdir().unwrap();
        let heard = walk(root.path(), point, 1, Fate::Pause);
        assert!(heard.ended && heard.errors == 0, "{what}: {:?}", heard.said);
        let found = contents(&root.path().join("db"), &what).expect("the dataset");
        assert_eq!(found, after(WALK.len()), "{what}");
    }
}

/// The steps of opening what a death has left.
const RECOVERY: [&str; 5] =
    ["recover-begin", "recover-orphans", "recover-replayed", "rebuild-segment", "rebuild-named"];

#[test]
fn a_second_death_during_recovery_loses_nothing() {
    for (turn, point) in FAILPOINTS.iter().enumerate() {
        let second = RECOVERY[turn % RECOVERY.len()];
        let what = format!("abort at {point}, then at {second}");
        let root = tempfile::tempdir().unwrap();
        let heard = walk(root.path(), point, 1, Fate::Abort);
        // The second child begins the walk anew; it dies while it opens, or goes on if there is nothing to recover.
        let again = walk(root.path(), second, 1, Fate::Abort);
        let Some(found) = contents(&root.path().join("db"), &what) else {
            assert_eq!((heard.done, again.done), (0, 0), "{what}: the dataset is gone");
            continue;
        };
        let mut expected: Vec<State> = vec![after(heard.done), after(heard.done + 1)];
        // What the second child did on top, step by step.
        for done in again.done..=again.done + 1 {
            for first in [heard.done, heard.done + 1] {
                let mut state = after(first);
                (0..done).for_each(|at| advance(&mut state, at));
                expected.push(state);
            }
        }
        assert!(expected.contains(&found), "{what}: {} and {} steps", heard.done, again.done);
    }
}
