//! Queries while a writer ingests at full speed.

use super::{percentile, rows, run, translate};
use medialith::engine::Dataset;
use medialith::model::File;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const BATCH: usize = 10_000;

/// Times of one class: on the clock and of the processor, microseconds.
type Times = (Vec<f64>, Vec<f64>);

/// Every query once in turn, alone for as long as one round takes, then again and again while documents are put.
pub(crate) fn measure(dataset: &Dataset, queries: &str, docs: &str) {
    round(dataset, queries);
    let alone = round(dataset, queries);
    let (done, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut busy: BTreeMap<String, Times> = BTreeMap::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write(dataset, docs, &done, &written);
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(60) {
            for (class, (clock, processor)) in round(dataset, queries) {
                let times = busy.entry(class).or_default();
                times.0.extend(clock);
                times.1.extend(processor);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    let (written, seconds) = (written.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
    println!("{written} documents put in {seconds:.1} s, {:.0} a second", written as f64 / seconds);
    println!("p99 in microseconds: alone and beside the writer, on the clock; alone and beside it, of the processor");
    for (class, (clock, processor)) in &mut busy {
        let Some((clock_alone, processor_alone)) = alone.get(class) else { continue };
        let (mut before, mut cpu) = (clock_alone.clone(), processor_alone.clone());
        let p99 = [&mut before, clock, &mut cpu, processor].map(|times| percentile(times, 0.99));
        println!("{class:24} {:>9.0} {:>9.0} {:>9.0} {:>9.0}", p99[0], p99[1], p99[2], p99[3]);
    }
}

fn round(dataset: &Dataset, queries: &str) -> BTreeMap<String, Times> {
    let mut classes: BTreeMap<String, Times> = BTreeMap::new();
    for row in rows(queries) {
        let Some(request) = translate::request(&row) else { continue };
        let (clock, processor) = (Instant::now(), cpu_time::ThreadTime::now());
        run(dataset, &request);
        let times = classes.entry(row["class"].as_str().unwrap().to_owned()).or_default();
        times.0.push(clock.elapsed().as_secs_f64() * 1e6);
        times.1.push(processor.elapsed().as_secs_f64() * 1e6);
    }
    classes
}

/// Puts the documents under another bucket, so that none is replaced.
fn write(dataset: &Dataset, docs: &str, done: &AtomicBool, written: &AtomicUsize) {
    let mut lines = std::io::BufReader::new(std::fs::File::open(docs).unwrap()).lines();
    while !done.load(Ordering::Relaxed) {
        let line = |line: std::io::Result<String>| {
            File::from_json(&line.unwrap().replacen("oss://bucket", "oss://writer", 1)).unwrap()
        };
        let batch: Vec<File> = lines.by_ref().take(BATCH).map(line).collect();
        if batch.is_empty() {
            return;
        }
        written.fetch_add(batch.len(), Ordering::Relaxed);
        dataset.put(batch).unwrap();
    }
}
