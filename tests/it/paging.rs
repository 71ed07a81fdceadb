//! A full export by pages while others put, delete and seal: every file that was there throughout comes exactly once.

use medialith::engine::{Dataset, Durability, Engine, Options};
use medialith::model::{DatasetSpec, File, Order, ProjectSpec, Query, SortKey, field};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Files that stay; the writer works between them and around them.
const STAY: u32 = 3000;

fn staying(number: u32) -> File {
    let size = i64::from(number * 7919 % 500);
    File::new(format!("oss://bucket/{:02}/stay{number:05}.jpg", number % 40)).with(field::SIZE, size)
}

fn passing(number: u32) -> File {
    let size = i64::from(number % 500);
    File::new(format!("oss://bucket/{:02}/pass{number:05}.jpg", number % 40)).with(field::SIZE, size)
}

/// Puts and deletes files that pass by, and puts those that stay again as they are.
fn disturb(dataset: &Dataset, done: &AtomicBool, rounds: &AtomicU64) {
    let mut round = 0u32;
    while !done.load(Ordering::Relaxed) {
        let from = round * 37 % 5000;
        dataset.put((from..from + 60).map(passing).collect()).unwrap();
        let again = (0..20).map(|n| staying((round * 131 + n * 17) % STAY));
        dataset.put(again.collect()).unwrap();
        let gone = (from + 2500..from + 2560).map(|n| passing(n % 5000).uri().to_owned());
        dataset.delete(gone.collect()).unwrap();
        round += 1;
        rounds.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends the other threads when the test ends, by a failure too.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every page of `*.jpg` in the given order.
fn export(dataset: &Dataset, sort: &str) -> Vec<File> {
    let sort = SortKey::parse_list(sort, if sort.is_empty() { "" } else { "asc" }, Order::Asc).unwrap();
    let with_fields = vec![field::URI, field::SIZE];
    let mut query = Query { text: ".jpg".into(), sort, with_fields, ..Query::default() };
    query.page.max_results = 23;
    let mut found = Vec::new();
    loop {
        let answer = dataset.search(&query).unwrap();
        found.extend(answer.files);
        if answer.next_token.is_empty() {
            return found;
        }
        query.page.token = answer.next_token;
    }
}

fn assert_whole(found: &[File], key: impl Fn(&File) -> (i64, String)) {
    let keys: Vec<_> = found.iter().map(key).collect();
    assert!(keys.is_sorted(), "the rows are in order");
    let mut count: BTreeMap<&str, u32> = BTreeMap::new();
    found.iter().for_each(|file| *count.entry(file.uri()).or_default() += 1);
    assert!(count.values().all(|n| *n == 1), "no row comes twice");
    let missing: Vec<String> =
        (0..STAY).map(|n| staying(n).uri().to_owned()).filter(|uri| !count.contains_key(uri.as_str())).collect();
    assert!(missing.is_empty(), "{} files that stayed are missing, the first {:?}", missing.len(), missing.first());
}

#[test]
fn exports_by_pages_are_whole_under_a_writer() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { memory_bytes: 64 << 20, durability: Durability::Buffered, ..Options::default() };
    let engine = Engine::open(dir.path(), options).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    dataset.put((0..STAY).map(staying).collect()).unwrap();
    let (done, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let end = Done(&done);
        scope.spawn(|| disturb(&dataset, &done, &rounds));
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                dataset.settle().unwrap();
            }
        });
        let worked = |sort: &str| {
            let before = rounds.load(Ordering::Relaxed);
            let found = export(&dataset, sort);
            (found, rounds.load(Ordering::Relaxed) - before)
        };
        let (by_uri, by_size) = (worked(""), worked("Size"));
        drop(end);
        assert_whole(&by_uri.0, |file| (0, file.uri().to_owned()));
        assert_whole(&by_size.0, |file| (file.int(field::SIZE).unwrap(), file.uri().to_owned()));
        assert!(by_uri.1 > 0 && by_size.1 > 0, "the writer worked meanwhile");
    });
    let stats = dataset.stats().unwrap();
    assert!(stats.seals > 1, "{stats:?}");
    let report = engine.check(true).unwrap();
    assert!(report.is_clean(), "{report:?}");
}
