//! What does it cost to import documents, durable and searchable, background merges included; and to open the result?
//!
//! `cargo bench --bench ingest -- DOCS.jsonl DIR [MEMORY_MIB]` with the documents of the project's yardstick
//! (`peers gen`). Batches of 10,000 are acknowledged durable one by one; JSON is parsed on a thread of its own. Prints
//! one JSON line for the import and one for a cold open. Without arguments it says so and ends.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and may fail loudly")]

use medialith::engine::{Engine, Options};
use medialith::model::{DatasetSpec, File, ProjectSpec};
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 10_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [docs, dir, rest @ ..] = args.as_slice() else {
        println!("skipped: expected DOCS.jsonl DIR [MEMORY_MIB], see the head of benches/ingest.rs");
        return;
    };
    let mut options = Options::default();
    if let Some(mib) = rest.first() {
        options.memory_bytes = mib.parse::<usize>().unwrap() << 20;
    }
    if !Path::new(dir).exists() {
        import(docs, dir, options.clone());
    }
    open(dir, options);
}

/// A line of `/proc/self/status`, in MiB.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn cpu() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

fn disk(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|e| if e.file_type().unwrap().is_dir() { disk(&e.path()) } else { e.metadata().unwrap().len() }).sum()
}

fn import(docs: &str, dir: &str, options: Options) {
    let (cpu_before, begun) = (cpu(), Instant::now());
    let engine = Engine::open(dir, options).unwrap();
    engine.create_project("bench", &ProjectSpec::default()).unwrap();
    engine.create_dataset("bench", "docs", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("bench", "docs").unwrap();
    let (sender, batches) = std::sync::mpsc::sync_channel::<Vec<File>>(2);
    let path = docs.to_owned();
    let parser = std::thread::spawn(move || {
        let reader = std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(path).unwrap());
        let mut batch = Vec::with_capacity(BATCH);
        for line in reader.lines() {
            batch.push(File::from_json(&line.unwrap()).unwrap());
            if batch.len() == BATCH {
                sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).unwrap();
            }
        }
        sender.send(batch).unwrap();
        cpu_time::ThreadTime::now().as_duration().as_secs_f64()
    });
    let (mut count, mut slowest) = (0, 0.0f64);
    for batch in batches {
        count += batch.len();
        let start = Instant::now();
        dataset.put(batch).unwrap();
        slowest = slowest.max(start.elapsed().as_secs_f64());
    }
    let durable = begun.elapsed().as_secs_f64();
    let parse = parser.join().unwrap();
    dataset.settle().unwrap();
    let settled = begun.elapsed().as_secs_f64();
    println!("{:?}", dataset.stats().unwrap());
    drop(dataset);
    drop(engine);
    let bytes = disk(Path::new(dir));
    println!(
        "{}",
        serde_json::json!({"measure": "ingest", "documents": count, "durable_s": durable, "settled_s": settled,
        "cpu_s": cpu() - cpu_before, "parse_cpu_s": parse, "slowest_acknowledgement_s": slowest,
        "peak_rss_mib": status("VmHWM"), "disk_bytes_per_document": bytes as f64 / count as f64})
    );
}

fn open(dir: &str, options: Options) {
    let before = status("VmRSS");
    let begun = Instant::now();
    let engine = Engine::open(dir, options).unwrap();
    let opened = begun.elapsed().as_secs_f64() * 1e3;
    let dataset = engine.dataset("bench", "docs").unwrap();
    let count = dataset.len().unwrap();
    println!(
        "{}",
        serde_json::json!({"measure": "open", "documents": count, "open_ms": opened, "rss_before_mib": before,
        "rss_after_mib": status("VmRSS")})
    );
}
