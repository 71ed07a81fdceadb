//! What the walls around parsers cost: files a second with and without them, the round trip, and a new worker.
//!
//! `cargo bench --no-default-features --features isolate --bench isolation -- FOLDER [SECONDS]`
//! over the photos below FOLDER (the shared corpus: `../shared/corpus/dev`), page cache warm, in the extraction pool with one
//! thread per processor, in threads and in workers by turns. Prints one JSON line for each measure. Without arguments it says
//! so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench prints and may fail loudly"
)]

use medialith::codec::ReadAt;
use medialith::extract::pool::{Hand, Pool, PoolOptions, Work};
use medialith::extract::{Hint, MediaType, Options, sniff};
use medialith::isolate::{Counted, Extractor, Handle, Isolation, Item, Request, Sandbox, serve_if_asked};
use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Counted<std::alloc::System> = Counted(std::alloc::System);

/// An open file, read at positions.
struct Open {
    file: File,
    len: u64,
}

impl ReadAt for Open {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

fn open(path: &Path) -> Open {
    let file = File::open(path).unwrap();
    let len = file.metadata().unwrap().len();
    Open { file, len }
}

fn read(extractor: &Extractor, path: &Path) -> usize {
    let file = open(path);
    let handle = Handle { bytes: &file, descriptor: Some(file.file.as_fd()) };
    let name = path.to_str().unwrap();
    let request = Request { name, options: Options::default(), evidence: false };
    extractor.extract(handle, None, &request).unwrap_or_else(|fault| panic!("{name}: {fault}")).members.len()
}

struct Reading(Extractor);

impl Work for Reading {
    type Job = PathBuf;
    type Done = usize;
    type Scratch = ();

    fn scratch(&self) {}

    fn run(&self, (): &mut (), path: &PathBuf) -> usize {
        read(&self.0, path)
    }

    fn at_once(&self) -> usize {
        self.0.together()
    }

    fn run_all(&self, (): &mut (), hand: &Hand<'_, Reading>) {
        let files: Vec<(OnceCell<Open>, &PathBuf)> = hand.jobs().map(|path| (OnceCell::new(), path)).collect();
        let mut batch = self.0.batch();
        for (place, (cell, path)) in files.iter().enumerate() {
            let file = cell.get_or_init(|| open(path));
            let file = Handle { bytes: file, descriptor: Some(file.file.as_fd()) };
            let request = Request { name: path.to_str().unwrap(), options: Options::default(), evidence: false };
            batch.add(place, Item { file, beside: None, request });
        }
        batch.finish(&mut |place, read| hand.done(place, read.unwrap().members.len()));
    }
}

/// Photos that are read whole, not those that were damaged on purpose.
fn photos(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().to_ascii_lowercase());
        if name == "broken" || name.contains("fuzz") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            photos(&path, found);
        } else if is_photo(&path) {
            found.push(path);
        }
    }
    found.sort();
}

fn is_photo(path: &Path) -> bool {
    let file = open(path);
    let mut input = medialith::extract::Input::new(&file, &Default::default());
    sniff::sniff(&mut input, Hint { name: path.to_str().unwrap() }.name).is_ok_and(|f| f.media() == MediaType::Image)
}

/// Files a second over `time`.
fn throughput(pool: &Pool<Reading>, photos: &[PathBuf], time: Duration) -> f64 {
    let (begun, mut done) = (Instant::now(), 0);
    for path in photos.iter().cycle() {
        let mut job = path.clone();
        while let Err(refused) = pool.try_submit(job) {
            job = refused.into_job();
            assert!(pool.recv().unwrap().outcome.is_ok());
            done += 1;
        }
        if begun.elapsed() > time {
            break;
        }
    }
    while pool.pending() > 0 {
        pool.recv().unwrap();
        done += 1;
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

fn percentile(sorted: &[Duration], share: usize) -> f64 {
    sorted[(sorted.len() * share / 100).min(sorted.len() - 1)].as_secs_f64() * 1e6
}

fn print(measure: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (p50, p95, p99) = (percentile(&times, 50), percentile(&times, 95), percentile(&times, 99));
    println!(
        "{}",
        serde_json::json!({"measure": measure, "times": times.len(), "us_p50": p50, "us_p95": p95, "us_p99": p99})
    );
}

fn main() {
    serve_if_asked();
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [folder, rest @ ..] = args.as_slice() else {
        println!("skipped: expected FOLDER, see the head of benches/isolation.rs");
        return;
    };
    let seconds = rest.first().map_or(4, |n| n.parse().unwrap());
    let mut found = Vec::new();
    photos(Path::new(folder), &mut found);
    let walls = || Extractor::new(&Isolation::Process(Sandbox::default())).unwrap();
    let pool = |extractor| Pool::new(Reading(extractor), PoolOptions::default()).unwrap();
    let (threads, workers) = (pool(Extractor::new(&Isolation::InThread).unwrap()), pool(walls()));
    let (mut plain, mut walled) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let (one, two) = (&threads, &workers);
        let time = Duration::from_secs(seconds);
        let (a, b) = (throughput(one, &found, time), throughput(two, &found, time));
        // The first round warms caches and starts workers.
        if round > 0 {
            plain.push(a);
            walled.push(b);
        }
    }
    plain.sort_by(f64::total_cmp);
    walled.sort_by(f64::total_cmp);
    let (a, b) = (plain[plain.len() / 2], walled[walled.len() / 2]);
    println!(
        "{}",
        serde_json::json!({"measure": "photos", "files": found.len(), "in_threads_per_second": a.round(),
        "in_workers_per_second": b.round(), "cost_percent": ((1.0 - b / a) * 1000.0).round() / 10.0})
    );
    let extractor = walls();
    let note = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(note.path(), "a").unwrap();
    let timed = |extractor: &Extractor| {
        let begun = Instant::now();
        read(extractor, note.path());
        begun.elapsed()
    };
    timed(&extractor);
    print("round trip with one byte to read, open included", (0..20_000).map(|_| timed(&extractor)).collect());
    let in_thread = Extractor::new(&Isolation::InThread).unwrap();
    print("the same in a thread", (0..20_000).map(|_| timed(&in_thread)).collect());
    let born = |_| {
        let (begun, walls) = (Instant::now(), walls());
        walls.prepare().unwrap();
        begun.elapsed()
    };
    print("a new worker in its jail", (0..200).map(born).collect());
}
