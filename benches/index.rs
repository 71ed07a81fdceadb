//! What do building, merging and searching segments cost by themselves, without the store?
//!
//! `cargo bench --no-default-features --features index --bench index -- DOCS.jsonl QUERIES.jsonl [SEAL [KEEP.seg]]`
//! with the documents and queries of the project's yardstick (`peers gen`, `peers queries`). Prints CPU seconds per
//! step, bytes per document by section kind, and percentiles of CPU microseconds by query class. `KEEP.seg` receives
//! the segment; given in place of the documents, it is searched as it is, or merged anew if it is to be kept again.
//! Without arguments the bench says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

use medialith::index::{Part, Segment, Snapshot, merge};
use medialith::model::{Anchor, FieldPath, File, Order, Query, SortKey, Typos, field};
use medialith::query::{Context, search};
use std::collections::BTreeMap;
use std::io::BufRead;

/// CPU seconds of this thread: other work on the machine hardly moves it.
fn cpu() -> f64 {
    cpu_time::ThreadTime::now().as_duration().as_secs_f64()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [docs, queries, rest @ ..] = args.as_slice() else {
        println!("skipped: expected DOCS.jsonl QUERIES.jsonl, see the head of benches/index.rs");
        return;
    };
    let seal: usize = rest.first().map_or(128 << 10, |n| n.parse().unwrap());
    let sealed = match docs.ends_with(".seg") {
        true => vec![Part::whole(Segment::open(docs.as_ref()).unwrap())],
        false => build(docs, seal),
    };
    let snapshot = match (sealed.len(), rest.get(1)) {
        (1, None) => Snapshot::new(sealed),
        (_, keep) => merged(&sealed, keep),
    };
    ask(&snapshot, queries);
}

/// Segments of at least `seal` documents.
fn build(docs: &str, seal: usize) -> Vec<Part> {
    let (mut parse, mut build, mut sealing) = (0.0, 0.0, 0.0);
    let mut lines =
        std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(docs).unwrap()).lines().map(Result::unwrap);
    let (mut tail, mut sealed) = (Vec::new(), Vec::new());
    loop {
        let start = cpu();
        let files: Vec<File> = lines.by_ref().take(10_000).map(|line| File::from_json(&line).unwrap()).collect();
        parse += cpu() - start;
        let start = cpu();
        let last = files.is_empty();
        if !last {
            tail.push(Part::whole(Segment::build(&files).unwrap()));
        }
        build += cpu() - start;
        let start = cpu();
        if last || tail.iter().map(|p| p.segment.len() as usize).sum::<usize>() >= seal {
            sealed.push(Part::whole(medialith::index::merge_in_memory(&tail).unwrap()));
            tail.clear();
        }
        sealing += cpu() - start;
        if last {
            break;
        }
    }
    println!("parse {parse:.2} s, build {build:.2} s, seal {sealing:.2} s");
    sealed
}

/// All parts as one segment.
fn merged(sealed: &[Part], keep: Option<&String>) -> Snapshot {
    let start = cpu();
    let mut bytes = Vec::new();
    let merged = merge(sealed, &mut bytes).unwrap();
    println!("merge {:.2} s", cpu() - start);
    if let Some(keep) = keep {
        std::fs::write(keep, &bytes).unwrap();
    }
    let per_doc = |bytes: u64| bytes as f64 / f64::from(merged.docs);
    println!("{} documents, {:.1} bytes each", merged.docs, per_doc(merged.bytes));
    let segment = Segment::from_bytes(bytes).unwrap();
    for (name, bytes) in segment.section_sizes() {
        if per_doc(bytes) >= 0.5 {
            println!("  {name:40} {:6.1}", per_doc(bytes));
        }
    }
    Snapshot::new(vec![Part::whole(segment)])
}

/// The yardstick's operations that a fuzzy query answers.
fn translate(row: &serde_json::Value) -> Option<Query> {
    let any = vec![field::URI, field::ARTIST, field::ALBUM, field::TITLE, field::OCR_TEXTS];
    let quoted = |text: &serde_json::Value| format!("\"{}\"", text.as_str().unwrap());
    let mut query = Query { typos: Typos::Off, search_in: vec![field::FILENAME], ..Query::default() };
    match row["op"].as_str()? {
        "contains" => {
            query.text = quoted(&row["text"]);
            query.search_in = match row["scope"].as_str()? {
                "name" => vec![field::FILENAME],
                "path" => vec![field::URI],
                _ => any,
            };
        }
        "all_of" => {
            query.text = row["texts"].as_array()?.iter().map(quoted).collect::<Vec<_>>().join(" ");
            query.search_in = any;
        }
        "prefix" => (query.text, query.anchor) = (quoted(&row["text"]), Anchor::Start),
        "suffix" => (query.text, query.anchor) = (quoted(&row["text"]), Anchor::End),
        "typo" => query.text = format!("{}~{}", row["word"].as_str()?, row["dist"]),
        _ => return None,
    }
    query.without_total = !row["total"].as_bool()?;
    if row["sort"] == "size_desc" {
        query.sort = vec![SortKey { field: FieldPath::from(field::SIZE), order: Order::Desc }];
    }
    query.page.max_results = 100;
    Some(query)
}

fn ask(snapshot: &Snapshot, queries: &str) {
    let mut classes: BTreeMap<String, Vec<(f64, u64, String)>> = BTreeMap::new();
    for line in std::io::BufReader::new(std::fs::File::open(queries).unwrap()).lines() {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(mut query) = translate(&row) else { continue };
        let mut add = |order: &str, query: &Query| {
            let class = format!("{}/{order}", row["class"].as_str().unwrap());
            let (time, hits) = time(snapshot, query);
            classes.entry(class).or_default().push((time, hits, query.text.clone()));
        };
        add(if query.sort.is_empty() { "uri" } else { "size" }, &query);
        if !query.without_total {
            // What finding costs, and what sorting adds to it.
            query.sort.clear();
            add("total", &query);
        }
    }
    for (class, mut times) in classes {
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)].0;
        let worst: Vec<String> =
            times.iter().rev().take(3).map(|(time, _, text)| format!("{time:.0} {text}")).collect();
        let (count, p50, p99) = (times.len(), at(0.5), at(0.99));
        // The same for any index of these documents.
        let hits: u64 = times.iter().map(|(_, hits, _)| hits).sum();
        let worst = worst.join(", ");
        println!("{class:16} {count:4} queries  p50 {p50:8.0}  p99 {p99:8.0} us  {hits:9} hits  slowest: {worst}");
    }
}

/// CPU microseconds of a query, the middle one of three runs after a first; and its hits, all or those of the page.
fn time(snapshot: &Snapshot, query: &Query) -> (f64, u64) {
    let context = Context { budget_bytes: 256 << 20, ..Context::new(&[0; 32], 0) };
    let mut runs: Vec<f64> = Vec::new();
    let mut found = 0;
    for _ in 0..4 {
        let start = cpu();
        let hits = search(snapshot, query, &context);
        runs.push((cpu() - start) * 1e6);
        let hits = std::hint::black_box(hits).unwrap();
        found = hits.total.unwrap_or(hits.uris.len() as u64);
    }
    runs.remove(0);
    runs.sort_by(f64::total_cmp);
    (runs[1], found)
}
