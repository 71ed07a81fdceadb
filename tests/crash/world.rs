//! What the child does and what the supervisor knows: a deterministic mix of puts, updates, deletes and passing datasets.

use crate::child::{Running, order, say, start, start_under};
use cpu_time::ProcessTime;
use medialith::engine::{Dataset, Engine, Options};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, field};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Threads that write, each its own files, so that commits are shared.
pub(crate) const WRITERS: u64 = 2;
/// Files of each writer.
const FILES: u64 = 4000;
/// Most files of one call.
const BATCH: u64 = 300;

/// A small generator, so that the supervisor knows what the child writes.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// One call of a writer.
enum Round {
    Put(Vec<File>),
    Update(Vec<File>),
    Delete(Vec<String>),
    /// A dataset comes, holds files, and goes.
    Passing(String),
}

fn uri(writer: u64, file: u64) -> String {
    format!("oss://bucket/writer{writer}/{}/file{file:05}.jpg", file % 50)
}

/// What a writer does in its round `number`: every change says the number, so that old values are told from new ones.
fn round(writer: u64, number: u64) -> Round {
    let mut dice = Dice(writer << 40 ^ number.wrapping_mul(0x9E37_79B9));
    let count = dice.below(BATCH) + 1;
    let file = |dice: &mut Dice| File::new(uri(writer, dice.below(FILES)));
    match number % 8 {
        3 | 7 => Round::Delete((0..count / 2 + 1).map(|_| uri(writer, dice.below(FILES))).collect()),
        5 => {
            let files: Vec<File> = (0..count).map(|_| file(&mut dice)).collect();
            Round::Update(files.into_iter().map(|f| f.with(field::CUSTOM_ID, number.to_string())).collect())
        }
        6 => Round::Passing(format!("passing{writer}")),
        _ => {
            let put = |f: File| f.with(field::SIZE, number as i64).with(field::TITLE, format!("round {number}"));
            Round::Put((0..count).map(|_| put(file(&mut dice))).collect())
        }
    }
}

/// URI to the numbers of the rounds that last put and last updated it.
pub(crate) type State = BTreeMap<String, (i64, i64)>;

fn advance(state: &mut State, writer: u64, number: u64) {
    match round(writer, number) {
        Round::Put(files) => {
            for file in files {
                // A put replaces the document; the caller's own member stays only if the put says so.
                state.insert(file.uri().to_owned(), (number as i64, 0));
            }
        }
        Round::Update(files) => {
            for file in files {
                state.entry(file.uri().to_owned()).and_modify(|numbers| numbers.1 = number as i64);
            }
        }
        Round::Delete(uris) => state.retain(|uri, _| !uris.contains(uri)),
        Round::Passing(_) => {}
    }
}

pub(crate) fn options() -> Options {
    Options { memory_bytes: 64 << 20, ..Options::default() }
}

const DIR: &str = "MEDIALITH_CRASH_DIR";
const FROM: &str = "MEDIALITH_CRASH_FROM";
/// Rounds after which a writer ends; without it, none.
const ROUNDS: &str = "MEDIALITH_CRASH_ROUNDS";
/// How the control misbehaves: `ack-first` or `no-sync`.
const LIES: &str = "MEDIALITH_CRASH_LIES";

/// A lie that a harness must find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Acknowledges before it commits.
    AckFirst,
    /// Commits without a sync.
    NoSync,
}

/// The child's life: opens, then writes until it dies.
pub(crate) fn live() {
    let Some(dir) = order(DIR) else { return };
    let lie = order(LIES);
    let mut options = options();
    if lie.as_deref() == Some("no-sync") {
        options.durability = medialith::engine::Durability::Buffered;
    }
    let (engine, dataset) = open(Path::new(&dir), options).expect("the database opens");
    let from: Vec<u64> = order(FROM).unwrap().split(',').map(|n| n.parse().unwrap()).collect();
    let ack_first = lie.as_deref() == Some("ack-first");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (engine, dataset, from) = (&engine, &dataset, from[writer as usize]);
            scope.spawn(move || {
                for number in from.. {
                    if ack_first {
                        say(&format!("{writer} {number}"));
                        std::thread::sleep(Duration::from_millis(30));
                    }
                    write(engine, dataset, writer, number).expect("it is written");
                    if !ack_first {
                        say(&format!("{writer} {number}"));
                    }
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

fn open(dir: &Path, options: Options) -> medialith::Result<(Engine, Dataset)> {
    let engine = Engine::open(dir, options)?;
    unless_there(engine.create_project("p", &ProjectSpec::default()).map(drop))?;
    unless_there(engine.create_dataset("p", "d", &DatasetSpec::default()).map(drop))?;
    let dataset = engine.dataset("p", "d")?;
    Ok((engine, dataset))
}

fn unless_there(outcome: medialith::Result<()>) -> medialith::Result<()> {
    outcome.or_else(|e| if e.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(e) })
}

/// The other child's life: one writer, a fixed number of rounds, and errors that it answers as a caller should: it opens anew and
/// repeats the call. It gives up when opening fails for good.
pub(crate) fn persist() {
    let Some(dir) = order(DIR) else { return };
    let rounds: u64 = order(ROUNDS).unwrap().parse().unwrap();
    let mut held = None;
    for number in 0..rounds {
        for attempt in 0.. {
            match step(&mut held, Path::new(&dir), number) {
                Ok(()) => break,
                Err(e) => say(&format!("error {number} {:?} {}", e.kind(), e.message())),
            }
            held = None;
            if attempt == 3 {
                say(&format!("gave up {number}"));
                return;
            }
        }
        say(&format!("0 {number}"));
    }
    say("end");
}

fn step(held: &mut Option<(Engine, Dataset)>, dir: &Path, number: u64) -> medialith::Result<()> {
    if held.is_none() {
        *held = Some(open(dir, options())?);
    }
    let Some((engine, dataset)) = held else { return Ok(()) };
    write(engine, dataset, 0, number)?;
    match number % 6 {
        3 => dataset.settle(),
        5 => dataset.rebuild(),
        _ => Ok(()),
    }
}

fn write(engine: &Engine, dataset: &Dataset, writer: u64, number: u64) -> medialith::Result<()> {
    match round(writer, number) {
        Round::Put(files) => dataset.put(files),
        Round::Update(files) => dataset.update(files).map(drop),
        Round::Delete(uris) => dataset.delete(uris).map(drop),
        Round::Passing(name) => {
            unless_there(engine.create_dataset("p", &name, &DatasetSpec::default()).map(drop))?;
            let passing = engine.dataset("p", &name)?;
            passing.put(vec![File::new(uri(writer, 1))])?;
            passing.delete(vec![uri(writer, 1)])?;
            engine.delete_dataset("p", &name)
        }
    }
}

/// What the supervisor knows of the database.
pub(crate) struct Supervisor {
    pub(crate) dir: PathBuf,
    /// Of each writer: the next round, and its files before it.
    pub(crate) writers: Vec<(u64, State)>,
    pub(crate) dice: Dice,
    pub(crate) acknowledged: u64,
    /// How long opening took each time, and its processor time, which does not depend on what else runs here.
    pub(crate) reopened: Vec<(Duration, Duration)>,
}

impl Supervisor {
    pub(crate) fn new(dir: PathBuf, seed: u64) -> Supervisor {
        let writers = (0..WRITERS).map(|_| (0, State::new())).collect();
        Supervisor { dir, writers, dice: Dice(seed), acknowledged: 0, reopened: Vec::new() }
    }

    /// A child that writes until it is killed.
    pub(crate) fn start(&self, lie: Option<Lie>) -> Running {
        let from: Vec<String> = self.writers.iter().map(|(next, _)| next.to_string()).collect();
        let mut orders = vec![(DIR, self.dir.to_str().unwrap().to_owned()), (FROM, from.join(","))];
        if let Some(lie) = lie {
            orders.push((LIES, if lie == Lie::AckFirst { "ack-first" } else { "no-sync" }.to_owned()));
        }
        start("victim", &orders)
    }

    /// A child that does `rounds` rounds whatever happens, under a command such as a tracer.
    pub(crate) fn start_persistent(&self, rounds: u64, under: &[String]) -> Running {
        let orders = [(DIR, self.dir.to_str().unwrap().to_owned()), (ROUNDS, rounds.to_string())];
        start_under(under, "persistent", &orders)
    }

    /// Takes acknowledgements into the model.
    pub(crate) fn note(&mut self, said: &[String]) {
        for line in said {
            let Some((writer, number)) = line.split_once(' ') else { continue };
            let (Ok(writer), Ok(number)) = (writer.parse::<u64>(), number.parse::<u64>()) else { continue };
            let (next, state) = &mut self.writers[writer as usize];
            assert_eq!(number, *next, "acknowledgements come in order");
            advance(state, writer, number);
            *next += 1;
            self.acknowledged += 1;
        }
    }

    /// The database holds what was acknowledged, and of up to `late` calls after that all or nothing, in order. The error says
    /// what was lost.
    pub(crate) fn verify(&mut self, late: u64) -> Result<(), String> {
        let (begun, worked) = (Instant::now(), ProcessTime::now());
        let engine = Engine::open(&self.dir, options()).map_err(|e| e.to_string())?;
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
            for _ in 0..late {
                if found == *state {
                    break;
                }
                advance(state, writer as u64, *next);
                *next += 1;
            }
            if found != *state {
                return Err(format!("writer {writer}: neither {} nor {next} rounds are there", *next - late));
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

    /// One line of figures.
    pub(crate) fn report(&self, what: &str) {
        let files: usize = self.writers.iter().map(|(_, state)| state.len()).sum();
        let (times, work): (Vec<Duration>, Vec<Duration>) = self.reopened.iter().copied().unzip();
        let ((median, slowest), (usual, most)) = (middle_and_end(times), middle_and_end(work));
        println!("{what}, calls acknowledged {}, lost 0, files {files}", self.acknowledged);
        println!("reopen: median {median:?}, slowest {slowest:?}; processor time: median {usual:?}, most {most:?}");
    }
}

fn owned((uri, numbers): (&String, &(i64, i64))) -> (String, (i64, i64)) {
    (uri.clone(), *numbers)
}

pub(crate) fn contents(dataset: &Dataset) -> State {
    let (mut found, mut after) = (State::new(), String::new());
    loop {
        let files = dataset.scan(&after, 1000).unwrap();
        let Some(last) = files.last() else { return found };
        after = last.uri().to_owned();
        let updated = |f: &File| f.text(field::CUSTOM_ID).map_or(0, |text| text.parse().unwrap());
        found.extend(files.iter().map(|f| (f.uri().to_owned(), (f.int(field::SIZE).unwrap(), updated(f)))));
    }
}

fn middle_and_end(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times.get(times.len() / 2).copied().unwrap_or_default(), times.last().copied().unwrap_or_default())
}

/// How often to do something: a variable of the environment, for the night, or the number for a change.
pub(crate) fn times(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}
