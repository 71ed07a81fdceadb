//! What does it cost to find the shots of a film, and do tasks that wait slow queries down?
//!
//! `cargo bench --bench tasks -- DIR`: composes films in DIR with ffmpeg (1920 x 1080, H.264, a key frame every ten seconds
//! and at cuts; two minutes, and the same sixty times over), analyses them in this process, and prints one JSON line each:
//! seconds of film for each second of processor time, and the peak of resident memory. Then it queries 50,000 documents
//! without tasks, with 10,000 that wait, and while they are done. Without arguments it says so and ends.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and may fail loudly")]

use cpu_time::ProcessTime;
use medialith::codec::ReadAt;
use medialith::engine::{Buckets, Dataset, Engine, Options, TaskOptions};
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, TaskKind, TaskOrder, field};
use medialith::video::{Film, Frame, FrameLabel, Labeller, Observer, analyze};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Tasks that wait.
const TASKS: usize = 10_000;
/// Documents that are queried.
const DOCUMENTS: usize = 50_000;
/// Queries of one measurement.
const QUERIES: usize = 2000;

struct Nothing;

impl Labeller for Nothing {
    fn labels(&self, _: &Frame) -> medialith::Result<Vec<FrameLabel>> {
        Ok(Vec::new())
    }
}

impl Observer for Nothing {
    fn is_stopped(&self) -> bool {
        false
    }

    fn progress(&self, _: u8) {}
}

/// A file that is read at positions, as the engine reads those of buckets.
struct Opened(std::fs::File, u64);

impl ReadAt for Opened {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buf, offset)
    }

    fn len(&self) -> u64 {
        self.1
    }
}

fn main() {
    let Some(dir) = std::env::args().skip(1).find(|a| !a.starts_with("--")).map(PathBuf::from) else {
        println!("skipped: expected DIR, see the head of benches/tasks.rs");
        return;
    };
    std::fs::create_dir_all(&dir).unwrap();
    let minutes = dir.join("two-minutes.mp4");
    let hours = dir.join("two-hours.mp4");
    compose(&minutes, &hours);
    for film in [&minutes, &hours] {
        measure(film, true);
    }
    measure(&minutes, false);
    queries(&dir, &minutes);
}

fn ffmpeg(args: &[&str]) {
    assert!(Command::new("ffmpeg").args(["-v", "error", "-y"]).args(args).status().unwrap().success());
}

/// Twenty scenes of six seconds that move, in two minutes; the same sixty times over.
fn compose(minutes: &Path, hours: &Path) {
    let to = minutes.to_str().unwrap();
    if !minutes.exists() {
        let scene = "testsrc2=s=1920x1080:r=25:d=120,hue=h='60*floor(t/6)',noise=alls=12:allf=t";
        let codec = ["-c:v", "libx264", "-preset", "veryfast", "-g", "250", "-pix_fmt", "yuv420p"];
        ffmpeg(&[&["-f", "lavfi", "-i", scene][..], &codec, &[to]].concat());
    }
    if !hours.exists() {
        ffmpeg(&["-stream_loop", "59", "-i", to, "-c", "copy", hours.to_str().unwrap()]);
    }
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The key-frame path alone, or with the closer look.
fn measure(path: &Path, keys_only: bool) {
    // The peak begins anew (proc(5), clear_refs).
    drop(std::fs::write("/proc/self/clear_refs", "5"));
    let file = std::fs::File::open(path).unwrap();
    let len = file.metadata().unwrap().len();
    let source = Opened(file, len);
    let open = |_: &str| -> medialith::Result<Box<dyn ReadAt>> { Err(medialith::Error::invalid("no other file")) };
    let mut options = medialith::engine::VideoOptions::default();
    if keys_only {
        (options.closer_pictures, options.closer_share) = (0, 0.0);
    }
    let film = Film { source: &source, key: "a.mp4", open: &open };
    let (begun, worked) = (Instant::now(), ProcessTime::now());
    let found = analyze(&film, &Nothing, &options, &Nothing).unwrap();
    let (seconds, work) = (begun.elapsed().as_secs_f64(), worked.elapsed().as_secs_f64());
    let length = found.duration as f64 / 1000.0;
    let name = path.file_stem().unwrap().to_str().unwrap();
    println!(
        "{}",
        json!({
            "measure": if keys_only { "key frames" } else { "with closer look" }, "film": name, "seconds of film": length,
            "megabytes": len >> 20, "pictures": found.pictures, "decoded": found.decoded, "shots": found.scenes.len(),
            "wall": seconds, "processor": work, "times real time per core": length / work, "peak MiB": peak_mib(),
        })
    );
}

fn queries(dir: &Path, film: &Path) {
    let db = dir.join("db");
    drop(std::fs::remove_dir_all(&db));
    let engine = Engine::open(&db, Options::default()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    for from in (0..DOCUMENTS).step_by(1000) {
        let file = |n: usize| File::new(format!("oss://b/{}/{n:06}.jpg", n % 97)).with(field::SIZE, n as i64);
        dataset.put((from..from + 1000).map(file).collect()).unwrap();
    }
    dataset.settle().unwrap();
    let quiet = ask(&dataset, "without tasks");
    let name = film.file_name().unwrap().to_str().unwrap();
    let order = TaskOrder::new(TaskKind::VIDEO_LABELS, format!(r#"{{"SourceURI":"oss://b/{name}"}}"#));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..TASKS / 8).for_each(|_| drop(engine.create_task("p", &order).unwrap())));
        }
    });
    println!("{}", json!({ "measure": "tasks made", "tasks": TASKS, "seconds": begun.elapsed().as_secs_f64() }));
    let waiting = ask(&dataset, "with tasks that wait");
    let mut buckets = Buckets::new();
    buckets.add("b", film.parent().unwrap()).unwrap();
    let runner = engine.start_tasks(buckets, TaskOptions::default()).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let busy = ask(&dataset, "while tasks are done");
    runner.stop();
    println!("{}", json!({ "measure": "slower", "waiting": waiting / quiet - 1.0, "done": busy / quiet - 1.0 }));
}

/// Median time of a query in microseconds.
fn ask(dataset: &Dataset, what: &str) -> f64 {
    let mut times: Vec<f64> = Vec::new();
    for number in 0..QUERIES {
        let text = format!("{:04}", number * 37 % 10_000);
        let begun = Instant::now();
        dataset.search(&Query { text, ..Query::default() }).unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    println!("{}", json!({ "measure": "query", "when": what, "p50 us": at(0.5), "p99 us": at(0.99) }));
    at(0.5)
}
