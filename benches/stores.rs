//! What does it cost to follow an object store: a listing, the first scan, a comparison with nothing to do, a comparison of tags,
//! and the time from a message of the store to the answer of a query?
//!
//! `cargo bench --bench stores -- OBJECTS [walls]` puts OBJECTS small texts into the tests' own S3 server, which runs in this
//! process, and prints one JSON line for each question: the processor time is that of both sides. `walls` reads them in
//! jailed worker processes. Without arguments it says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

#[expect(dead_code, unused_imports, reason = "what is not measured is not called")]
#[path = "../tests/s3/mod.rs"]
mod s3;

use medialith::engine::{AuditOptions, Buckets, Engine, FollowOptions, Options, Progress, TagBudget};
use medialith::isolate::{Isolation, Sandbox};
use medialith::model::{BindingSpec, DatasetSpec, ProjectSpec, field};
use medialith::source::{Bucket, Walking};
use s3::{BUCKET, Object, Store};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages whose time to the answer is measured, at 100 per second.
const MESSAGES: usize = 1000;
const WAIT: Duration = Duration::from_secs(3600);

fn main() {
    medialith::isolate::serve_if_asked();
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let Some(objects) = args.first().and_then(|text| text.parse().ok()) else {
        println!("skipped: expected OBJECTS, see the head of benches/stores.rs");
        return;
    };
    let (dir, store) = (tempfile::tempdir().unwrap(), Store::start());
    for number in 0..objects {
        let key = format!("{:03}/{:03}/note {number:07}.txt", number / 100_000, number / 100 % 1000);
        store.put(&key, Object::new(format!("note number {number}\n")));
    }
    let url = store.url(dir.path(), "?rate=0&");
    let before = Cost::now(&store);
    let listed = Bucket::open(&url).unwrap().tour(Walking::default()).count();
    before.tell("listing", listed, &store);
    let walls = args.get(1).is_some_and(|how| how == "walls");
    let isolation = if walls { Isolation::Process(Sandbox::default()) } else { Isolation::InThread };
    let engine = Engine::open(dir.path().join("db"), Options { isolation, ..Options::default() }).unwrap();
    engine.create_project("bench", &ProjectSpec::default()).unwrap();
    engine.create_dataset("bench", "store", &DatasetSpec::default()).unwrap();
    let spec = BindingSpec { source: url, ..BindingSpec::default() };
    engine.create_binding("bench", "store", "oss://store", &spec).unwrap();
    follow(&engine, &store, if walls { "first scan in the jail" } else { "first scan" });
}

struct Cost {
    begun: Instant,
    cpu: f64,
}

fn cpu() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

impl Cost {
    fn now(store: &Store) -> Cost {
        store.asked();
        Cost { begun: Instant::now(), cpu: cpu() }
    }

    fn tell(self, what: &str, objects: usize, store: &Store) {
        let (seconds, cpu) = (self.begun.elapsed().as_secs_f64(), cpu() - self.cpu);
        let asked: u64 = store.asked().values().sum();
        println!(
            "{{\"what\":\"{what}\",\"objects\":{objects},\"seconds\":{seconds:.2},\"cpu_seconds\":{cpu:.2},\"objects_per_second\":{:.0},\"requests\":{asked}}}",
            objects as f64 / seconds
        );
    }
}

fn follow(engine: &Engine, store: &Store, first: &str) {
    let dataset = engine.dataset("bench", "store").unwrap();
    // One listing, then messages alone.
    let hour = Duration::from_secs(3600);
    let options = FollowOptions { list_least: hour, list_most: hour, ..FollowOptions::default() };
    for what in [first, "comparison at a restart"] {
        let before = Cost::now(store);
        let follower = engine.start_follower(Buckets::new(), options).unwrap();
        assert!(follower.wait_idle(WAIT).unwrap());
        before.tell(what, dataset.len().unwrap() as usize, store);
        follower.stop();
    }
    let binding = engine.binding("bench", "store", "oss://store").unwrap();
    let tags = Some(TagBudget { most: 10_000, after: String::new() });
    let before = Cost::now(store);
    let asked = AuditOptions { tags, ..AuditOptions::default() };
    let report = engine.audit_with(&binding, &Buckets::new(), &asked, &Progress::new()).unwrap();
    assert_eq!(report.count(), 0);
    before.tell("audit with tags of 10,000 at most", report.tags as usize, store);
    let follower = engine.start_follower(Buckets::new(), options).unwrap();
    assert!(follower.wait_idle(WAIT).unwrap());
    messages(engine, store);
    follower.stop();
}

/// From the message to the moment at which a read finds the document.
fn messages(engine: &Engine, store: &Store) {
    let dataset = engine.dataset("bench", "store").unwrap();
    let (begun, before) = (Instant::now(), cpu());
    let (mut waiting, mut taken, mut next): (Vec<(String, Instant)>, Vec<Duration>, usize) = Default::default();
    while taken.len() < MESSAGES {
        if next < MESSAGES && begun.elapsed() >= Duration::from_millis(10 * next as u64) {
            let key = format!("changes/change {next:04}.txt");
            store.put(&key, Object::new(format!("change {next}")));
            let s3 = serde_json::json!({"bucket": {"name": BUCKET}, "object": {"key": s3::encoded(&key, true)}});
            let message = serde_json::json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}).to_string();
            engine.store_events(message.as_bytes()).unwrap();
            waiting.push((format!("oss://store/{key}"), Instant::now()));
            next += 1;
        }
        let uris: Vec<String> = waiting.iter().map(|(uri, _)| uri.clone()).collect();
        for file in dataset.get_many(&uris, &[field::URI]).unwrap() {
            if let Some(at) = waiting.iter().position(|(uri, _)| uri == file.uri()) {
                taken.push(waiting.swap_remove(at).1.elapsed());
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() as f64 * share) as usize).min(taken.len() - 1)].as_millis();
    println!(
        "{{\"what\":\"messages, 100 per second\",\"messages\":{MESSAGES},\"p50_ms\":{},\"p99_ms\":{},\"worst_ms\":{},\"cpu_seconds\":{:.2}}}",
        at(0.5),
        at(0.99),
        at(1.0),
        cpu() - before
    );
}
