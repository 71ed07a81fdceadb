//! What does it cost to follow a folder: a walk by names and states, the first scan, a comparison with nothing to do, the
//! time from a change to the answer of a query, and the idle process?
//!
//! `cargo bench --bench follow -- FILES DIR [walls]` makes FILES small files in folders of 100 below DIR (kept for the next run)
//! and prints one JSON line for each question; with `walls` files are read in jailed worker processes, as the command does. Without arguments it says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

use medialith::engine::{Buckets, Engine, FollowOptions, Options, Progress};
use medialith::isolate::{Isolation, Sandbox};
use medialith::model::{BindingSpec, DatasetSpec, ProjectSpec};
use medialith::source::{Folder, Found};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Changes whose time to the answer is measured, at 100 per second.
const CHANGES: usize = 1000;
/// How long the idle process is watched.
const IDLE: Duration = Duration::from_secs(20);
const WAIT: Duration = Duration::from_secs(3600);

fn main() {
    medialith::isolate::serve_if_asked();
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let ([files, dir] | [files, dir, _]) = args.as_slice() else {
        println!("skipped: expected FILES DIR, see the head of benches/follow.rs");
        return;
    };
    let (files, root) = (files.parse().unwrap(), Path::new(dir).join("tree"));
    make(&root, files);
    walk(&root);
    walk(&root);
    let db = Path::new(dir).join("db");
    let _ = std::fs::remove_dir_all(&db);
    let walls = args.get(2).is_some_and(|how| how == "walls");
    let isolation = if walls { Isolation::Process(Sandbox::default()) } else { Isolation::InThread };
    let engine = Engine::open(&db, Options { isolation, ..Options::default() }).unwrap();
    engine.create_project("bench", &ProjectSpec::default()).unwrap();
    engine.create_dataset("bench", "tree", &DatasetSpec::default()).unwrap();
    let source = root.to_str().unwrap().to_owned();
    engine.create_binding("bench", "tree", "oss://tree", &BindingSpec { source, ..BindingSpec::default() }).unwrap();
    follow(&engine, &root, files);
}

fn cpu() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

/// A line of `/proc/self/status`, in MiB.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn make(root: &Path, files: usize) {
    for number in 0..files {
        let folder = root.join(format!("{:03}/{:03}", number / 100_000, number / 100 % 1000));
        if number % 100 == 0 {
            if folder.exists() {
                continue;
            }
            std::fs::create_dir_all(&folder).unwrap();
        }
        let path = folder.join(format!("note {number:07}.txt"));
        if !path.exists() {
            std::fs::write(path, format!("note number {number}\n")).unwrap();
        }
    }
}

fn walk(root: &Path) {
    let (begun, before) = (Instant::now(), cpu());
    let found = Folder::open(root).unwrap().walk().filter(|found| matches!(found, Found::File(_))).count();
    tell("walk, names and states", found, begun.elapsed(), cpu() - before);
}

fn tell(what: &str, files: usize, took: Duration, cpu: f64) {
    let rate = files as f64 / took.as_secs_f64();
    println!(
        "{{\"what\":\"{what}\",\"files\":{files},\"seconds\":{:.2},\"cpu_seconds\":{cpu:.2},\"files_per_second\":{rate:.0},\"rss_mib\":{:.0},\"peak_mib\":{:.0}}}",
        took.as_secs_f64(),
        status("VmRSS:"),
        status("VmHWM:")
    );
}

fn follow(engine: &Engine, root: &Path, files: usize) {
    let dataset = engine.dataset("bench", "tree").unwrap();
    for what in ["first scan", "comparison at a restart"] {
        let (begun, before) = (Instant::now(), cpu());
        let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
        assert!(follower.wait_idle(WAIT).unwrap());
        tell(what, dataset.len().unwrap() as usize, begun.elapsed(), cpu() - before);
        follower.stop();
    }
    let (begun, before) = (Instant::now(), cpu());
    let binding = engine.binding("bench", "tree", "oss://tree").unwrap();
    let report = engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap();
    assert_eq!(report.count(), 0);
    tell("audit", report.files as usize, begun.elapsed(), cpu() - before);
    let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
    assert!(follower.wait_idle(WAIT).unwrap());
    idle(files);
    changes(engine, root);
    follower.stop();
}

fn idle(files: usize) {
    let before = cpu();
    std::thread::sleep(IDLE);
    let share = (cpu() - before) / IDLE.as_secs_f64() * 100.0;
    println!("{{\"what\":\"idle\",\"files\":{files},\"percent_of_a_core\":{share:.3}}}");
}

/// From the close of a file to the moment at which a query finds it.
fn changes(engine: &Engine, root: &Path) {
    let dataset = engine.dataset("bench", "tree").unwrap();
    let folder = root.join("changes");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let (begun, before) = (Instant::now(), cpu());
    let mut waiting: Vec<(String, Instant)> = Vec::new();
    let mut taken: Vec<Duration> = Vec::new();
    let mut next = 0;
    while taken.len() < CHANGES {
        if next < CHANGES && begun.elapsed() >= Duration::from_millis(10 * next as u64) {
            let path: PathBuf = folder.join(format!("change {next:04}.txt"));
            std::fs::write(&path, format!("change {next}")).unwrap();
            waiting.push((format!("oss://tree/changes/change {next:04}.txt"), Instant::now()));
            next += 1;
        }
        let uris: Vec<String> = waiting.iter().map(|(uri, _)| uri.clone()).collect();
        let found = dataset.get_many(&uris, &[medialith::model::field::URI]).unwrap();
        for file in found {
            if let Some(at) = waiting.iter().position(|(uri, _)| uri == file.uri()) {
                taken.push(waiting.swap_remove(at).1.elapsed());
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() as f64 * share) as usize).min(taken.len() - 1)].as_millis();
    println!(
        "{{\"what\":\"changes, 100 per second\",\"changes\":{CHANGES},\"p50_ms\":{},\"p99_ms\":{},\"worst_ms\":{},\"cpu_seconds\":{:.2}}}",
        at(0.5),
        at(0.99),
        at(1.0),
        cpu() - before
    );
}
