//! Answers the queries of the project's yardstick (`peers query`), over a database that `benches/ingest.rs` made.
//!
//! `yardstick DIR` speaks the yardstick's protocol: a query a line in, an answer a line out, `null` for what has no
//! counterpart; `peers query --system cmd --command 'yardstick DIR'` measures it and compares totals with the scan.
//! `yardstick DIR QUERIES.jsonl [MIN_MICROS]` measures without the pipe: CPU microseconds by class, one thread, each
//! query once to warm up and then the median of three runs; with MIN_MICROS the slow queries are listed.
//! `yardstick DIR QUERIES.jsonl threads` compares the rate of two threads with that of one.
//! `yardstick DIR QUERIES.jsonl writer DOCS.jsonl` compares latencies with those beside a writer that puts these
//! documents into DIR: give it a copy.
//! `yardstick short QUERIES.jsonl` prints queries of one and two characters, the beginnings of those given.
//! Without arguments it says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

#[path = "busy.rs"]
mod busy;
#[path = "translate.rs"]
mod translate;

use medialith::engine::{Dataset, Engine, Options};
use medialith::model::File;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};
use translate::Request;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [dir, rest @ ..] = args.as_slice() else {
        println!("skipped: expected DIR [QUERIES.jsonl], see the head of benches/yardstick/main.rs");
        return;
    };
    if let ("short", [queries]) = (dir.as_str(), rest) {
        return short(queries);
    }
    let writes = rest.get(1).is_some_and(|how| how == "writer");
    let options = Options { read_only: !writes, query_threads: 1, ..Options::default() };
    let engine = Engine::open(dir, options).unwrap();
    let dataset = engine.dataset("bench", "docs").unwrap();
    match rest {
        [] => serve(&dataset),
        [queries, how] if how == "threads" => threads(&dataset, queries),
        [queries, how, docs] if how == "writer" => busy::measure(&dataset, queries, docs),
        [queries, least @ ..] => measure(&dataset, queries, least.first().map(|n| n.parse().unwrap())),
    }
}

/// What the yardstick compares: total, and URIs or rows.
fn answer(dataset: &Dataset, request: &Request) -> serde_json::Value {
    match request {
        Request::Get(uri) => {
            let file = dataset.get(uri, &[]).unwrap();
            serde_json::json!({ "uris": file.iter().map(|f| serde_json::to_string(f).unwrap()).collect::<Vec<_>>() })
        }
        Request::Search(query) if query.aggregations.is_empty() => {
            let hits = dataset.search_uris(query, None).unwrap();
            serde_json::json!({ "total": hits.total, "uris": hits.uris })
        }
        Request::Search(query) => {
            let hits = dataset.search_uris(query, None).unwrap();
            let result = &hits.aggregates[0];
            let mut rows: Vec<String> = result.groups.iter().map(|g| format!("{}={}", g.value, g.count)).collect();
            rows.extend(result.value.map(|value| format!("{value:.0}")));
            rows.sort();
            serde_json::json!({ "uris": rows })
        }
    }
}

fn serve(dataset: &Dataset) {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let row = serde_json::from_str(&line.unwrap()).unwrap();
        match translate::request(&row) {
            Some(request) => serde_json::to_writer(&mut out, &answer(dataset, &request)).unwrap(),
            None => out.write_all(b"null").unwrap(),
        }
        out.write_all(b"\n").unwrap();
        out.flush().unwrap();
    }
}

/// Does what a caller of the library does: URIs for pages, the record for a point read.
fn run(dataset: &Dataset, request: &Request) {
    match request {
        Request::Get(uri) => drop(std::hint::black_box::<Option<File>>(dataset.get(uri, &[]).unwrap())),
        Request::Search(query) => drop(std::hint::black_box(dataset.search_uris(query, None).unwrap())),
    }
}

fn rows(queries: &str) -> Vec<serde_json::Value> {
    let lines = std::io::BufReader::new(std::fs::File::open(queries).unwrap()).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// The first one and two characters of every text that is looked for anywhere, each once.
fn short(queries: &str) {
    let mut seen = std::collections::BTreeSet::new();
    for row in rows(queries).iter().filter(|row| row["class"] == "any_sub" && row["sort"] == "size_desc") {
        for chars in [1, 2] {
            let text: String = row["text"].as_str().unwrap().chars().take(chars).collect();
            if seen.insert(text.clone()) {
                let (mut row, class) = (row.clone(), format!("chars_{chars}"));
                row["id"] = format!("{class}-{:03}/size", seen.len()).into();
                (row["text"], row["class"]) = (text.into(), class.into());
                println!("{row}");
            }
        }
    }
}

/// The value below which a share of the times lies.
fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() as f64 * share) as usize).min(times.len() - 1)]
}

/// Memory of this process that is no file, in MiB: what queries hold and what the allocator keeps for the next.
fn anonymous_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn measure(dataset: &Dataset, queries: &str, least: Option<f64>) {
    let opened = anonymous_mib();
    let mut most = opened;
    let mut classes: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows(queries) {
        let Some(request) = translate::request(&row) else { continue };
        run(dataset, &request);
        most = most.max(anonymous_mib());
        let mut times: Vec<f64> = (0..3).map(|_| micros(|| run(dataset, &request))).collect();
        times.sort_by(f64::total_cmp);
        if least.is_some_and(|least| times[1] >= least) {
            println!("{:8.0} us  {row}", times[1]);
        }
        let order = match row["sort"].as_str() {
            Some("uri_asc") => "/uri",
            Some(_) => "/total",
            None => "",
        };
        classes.entry(format!("{}{order}", row["class"].as_str().unwrap())).or_default().push(times[1]);
    }
    println!("{:24} {:>7} {:>9} {:>9} {:>9}", "class", "queries", "p50", "p99", "max");
    for (class, mut times) in classes {
        let [middle, high, highest] = [0.5, 0.99, 1.0].map(|share| percentile(&mut times, share));
        println!("{class:24} {:>7} {middle:>9.0} {high:>9.0} {highest:>9.0}", times.len());
    }
    println!("memory that is no file: {opened:.1} MiB when opened, at most {most:.1} MiB after a query");
}

fn micros(run: impl FnOnce()) -> f64 {
    let before = cpu_time::ThreadTime::now().as_duration();
    run();
    (cpu_time::ThreadTime::now().as_duration() - before).as_secs_f64() * 1e6
}

/// Queries per second of one thread and of two, every query in turn.
fn threads(dataset: &Dataset, queries: &str) {
    let requests: Vec<Request> = rows(queries).iter().filter_map(translate::request).collect();
    let rate = |threads: usize| -> f64 {
        let begun = Instant::now();
        let work = |first: usize| {
            let mut done = 0u64;
            for request in requests.iter().cycle().skip(first * requests.len() / 2) {
                run(dataset, request);
                done += 1;
                if begun.elapsed() > Duration::from_secs(10) {
                    break;
                }
            }
            done
        };
        let done: u64 = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|n| scope.spawn(move || work(n))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        done as f64 / begun.elapsed().as_secs_f64()
    };
    rate(1);
    let (one, two) = (rate(1), rate(2));
    println!("one thread {one:.0} queries/s, two threads {two:.0}: {:.2} times as many", two / one);
}
