//! What do clusters and sentences cost as a dataset grows?
//!
//! `cargo bench --bench clusters -- DIR [FACES [PICTURES]]`: documents in databases below DIR. FACES (100,000) with a point of 128 numbers each,
//! of people who show in twenty files: a first figure task, and one after a thousand more. As many pictures with a point of 24 numbers: the first
//! sentence of a process, 300 more (p50, p99), those after one document each, and those of an engine whose memory does not hold the points. PICTURES (1,000,000) with a perceptual hash, a tenth of them copies that differ in up to four bits:
//! a similar-image task. Prints processor and wall seconds, what was found, and the peak of resident memory so far.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

use cpu_time::ProcessTime;
use medialith::analyze::{Embedding, Faces, Vector};
use medialith::engine::{Buckets, Dataset, Engine, Options, TaskOptions};
use medialith::model::{DatasetSpec, File, Page, ProjectSpec, TaskKind, TaskOrder, TaskState, field};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Files that show one person.
const OF_ONE: usize = 20;
/// Documents of one commit.
const TOGETHER: usize = 5000;

struct Dice(u64);

impl Dice {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn signed(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let Some(dir) = args.next().map(PathBuf::from) else {
        println!("skipped: expected DIR, see the head of benches/clusters.rs");
        return;
    };
    let mut count = |default: usize| args.next().map_or(default, |n| n.parse().unwrap());
    let (faces, pictures) = (count(100_000), count(1_000_000));
    people(&dir, faces);
    sentences(&dir, faces);
    copies(&dir, pictures);
}

fn open(dir: &Path, name: &str) -> (Engine, Dataset) {
    let dir = dir.join(name);
    drop(std::fs::remove_dir_all(&dir));
    let engine = Engine::open(&dir, Options::default()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    drop(engine);
    for pack in ["face-points", "scene-words"] {
        let (from, to) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/packs").join(pack), dir.join("packs").join(pack));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    again(&dir, Options::default())
}

fn again(dir: &Path, options: Options) -> (Engine, Dataset) {
    let engine = Engine::open(dir, options).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let (wall, processor) = (Instant::now(), ProcessTime::now());
    let answer = run();
    let (wall, processor) = (wall.elapsed().as_secs_f64(), processor.elapsed().as_secs_f64());
    println!("{what:<58} wall {wall:>8.3} s  processor {processor:>8.3} s  peak {:>5} MiB", peak());
    answer
}

fn task(engine: &Engine, kind: TaskKind) {
    let order = TaskOrder::new(kind, json!({ "DatasetName": "d" }).to_string());
    let task = engine.create_task("p", &order).unwrap();
    let task = engine.run_task("p", &task.id, Buckets::new(), TaskOptions::default()).unwrap();
    assert_eq!((task.state, task.message.as_str()), (TaskState::Succeeded, ""));
    println!("  {}", engine.task_result("p", &task.id).unwrap().unwrap());
}

fn put(dataset: &Dataset, files: impl Iterator<Item = File>) {
    let mut together = Vec::new();
    for file in files {
        together.push(file);
        if together.len() == TOGETHER {
            dataset.put(std::mem::take(&mut together)).unwrap();
        }
    }
    dataset.put(together).unwrap();
}

fn people(dir: &Path, faces: usize) {
    let (engine, dataset) = open(dir, "people");
    let (people, mut dice) = ((faces / OF_ONE).max(1), Dice(1));
    let middles: Vec<Vec<f32>> = (0..people).map(|_| (0..128).map(|_| dice.signed()).collect()).collect();
    let mut face = |n: usize| {
        let numbers: Vec<f32> = middles[n % people].iter().map(|x| x + 0.35 * dice.signed()).collect();
        let figures = json!([{ "FigureId": format!("f{n}"), "FigureType": "face", "FigureClusterId": "figure-cluster-id-unavailable" }]);
        let json = json!({ "URI": format!("oss://faces/{:03}/IMG_{n:06}.jpg", n % 997), "MediaType": "image", "Figures": figures });
        let mut file = File::from_json(&json.to_string()).unwrap();
        let points = vec![(format!("f{n}"), Vector::of(&numbers).unwrap())];
        file.set(field::FACE_EMBEDDINGS, Faces { space: "face-points@1".into(), points }.write());
        file
    };
    put(&dataset, (0..faces).map(&mut face));
    timed(&format!("{faces} faces of {people} people, first task"), || task(&engine, TaskKind::FIGURES));
    put(&dataset, (faces..faces + 1000).map(&mut face));
    timed("a thousand more", || task(&engine, TaskKind::FIGURES));
}

const SENTENCES: [&str; 10] = [
    "the blue sea",
    "snow",
    "night sky",
    "a dark forest",
    "the sun goes down",
    "green grass",
    "waves",
    "winter",
    "trees",
    "stars",
];

/// Asks so many sentences, `before` each of them; prints how long they took, and answers how many files were found.
fn ask(dataset: &Dataset, what: &str, times: usize, mut before: impl FnMut(usize)) -> usize {
    let (mut took, mut found) = (Vec::new(), 0);
    for n in 0..times {
        before(n);
        let page = Page { max_results: 100, token: String::new() };
        let (wall, processor) = (Instant::now(), ProcessTime::now());
        let answer = dataset.semantic(SENTENCES[n % SENTENCES.len()], &["image".to_owned()], page, &[field::URI]);
        found += answer.unwrap().files.len();
        took.push((processor.elapsed().as_secs_f64() * 1e3, wall.elapsed().as_secs_f64() * 1e3));
    }
    let mut of = |by: fn(&(f64, f64)) -> f64| {
        took.sort_by(|a, b| by(a).total_cmp(&by(b)));
        (by(&took[took.len() / 2]), by(&took[took.len() * 99 / 100]))
    };
    let ((cpu50, cpu99), (wall50, wall99)) = (of(|t| t.0), of(|t| t.1));
    println!(
        "{what:<58} {times} times  processor p50 {cpu50:.2} p99 {cpu99:.2} ms  wall p50 {wall50:.2} p99 {wall99:.2} ms"
    );
    found
}

fn sentences(dir: &Path, pictures: usize) {
    let (engine, dataset) = open(dir, "sentences");
    let mut dice = Dice(2);
    let mut picture = |n: usize| {
        let numbers: Vec<f32> = (0..24).map(|_| dice.signed()).collect();
        let vector = Vector::of(&numbers).unwrap();
        let file = File::new(format!("oss://pictures/{:03}/IMG_{n:06}.jpg", n % 997)).with(field::MEDIA_TYPE, "image");
        file.with(field::IMAGE_EMBEDDING, Embedding { space: "scenes-1".into(), vector }.write())
    };
    put(&dataset, (0..pictures).map(&mut picture));
    drop((dataset, engine));
    let (engine, dataset) = again(&dir.join("sentences"), Options::default());
    let found =
        timed(&format!("{pictures} pictures, first sentence of a process"), || ask(&dataset, "  of it", 1, |_| ()));
    println!("  {found} files");
    let found = ask(&dataset, "next sentences", 300, |_| ());
    println!("  {found} files");
    ask(&dataset, "sentences after one document each", 100, |n| dataset.put(vec![picture(pictures + n)]).unwrap());
    drop((dataset, engine));
    let (engine, dataset) = again(&dir.join("sentences"), Options { memory_bytes: 64 << 20, ..Options::default() });
    ask(&dataset, "sentences with 64 MiB, where points do not stay", 20, |_| ());
    drop((dataset, engine));
    products(&mut dice);
}

/// What one comparison costs with as many numbers as large networks give.
fn products(dice: &mut Dice) {
    let vectors: Vec<Vector> =
        (0..2000).map(|_| Vector::of(&(0..512).map(|_| dice.signed()).collect::<Vec<f32>>()).unwrap()).collect();
    let all = timed("four million products of 512 numbers", || {
        let sum = |a: &Vector| {
            vectors
                .iter()
                .map(|b| i64::from(medialith::analyze::embedding::product(a.numbers(), b.numbers())))
                .sum::<i64>()
        };
        vectors.iter().map(sum).fold(0, i64::wrapping_add)
    });
    println!("  sum {all}");
}

fn copies(dir: &Path, pictures: usize) {
    let (engine, dataset) = open(dir, "copies");
    let mut dice = Dice(3);
    let mut last = 0;
    let picture = |n: usize| {
        let hash =
            if n % 10 == 9 { (0..4).fold(last, |hash, _| hash ^ (1 << (dice.word() % 64))) } else { dice.word() };
        last = hash;
        let file = File::new(format!("oss://pictures/{:03}/IMG_{n:06}.jpg", n % 997)).with(field::MEDIA_TYPE, "image");
        file.with(field::IMAGE_HASH, format!("{hash:016x}"))
    };
    timed(&format!("{pictures} documents with a hash put"), || put(&dataset, (0..pictures).map(picture)));
    timed("similar-image task", || task(&engine, TaskKind::SIMILAR_IMAGES));
    timed("the same again", || task(&engine, TaskKind::SIMILAR_IMAGES));
}
