//! The engine as a library user meets it: catalog rules, documents, recovery, damage, copies.

use medialith::engine::{Dataset, Engine, Options};
use medialith::error::ErrorKind;
use medialith::model::{
    Aggregation, Condition, DatasetSpec, File, Filter, Limits, ProjectSpec, Query, Tag, TextMatch, Value, field,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

fn options() -> Options {
    Options { memory_bytes: 64 << 20, ..Options::default() }
}

fn open(dir: &Path) -> Engine {
    Engine::open(dir, options()).unwrap()
}

/// A new database in `dir` with the dataset `p/d`.
fn fresh(dir: &Path) -> (Engine, Dataset) {
    let engine = open(dir);
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn uri(number: u32) -> String {
    format!("oss://bucket/{}/f{number:05}.jpg", number % 7)
}

fn file(number: u32, size: i64) -> File {
    File::new(uri(number)).with(field::SIZE, size).with(field::TITLE, format!("title {size}"))
}

fn assert_clean(engine: &Engine) {
    let report = engine.check(true).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn catalog_rules() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let kind = |result: medialith::Result<_>| result.map(drop::<medialith::model::Project>).unwrap_err().kind();
    let tags = vec![Tag { key: "k".into(), value: "v".into() }];
    let spec = ProjectSpec { max_dataset_count: Some(2), tags: Some(tags.clone()), ..ProjectSpec::default() };
    let made = engine.create_project("alpha", &spec).unwrap();
    assert_eq!((made.service_role.as_str(), made.file_count, made.dataset_count), ("AliyunIMMDefaultRole", 0, 0));
    assert_eq!(made.create_time, made.update_time);
    assert_eq!(kind(engine.create_project("alpha", &spec)), ErrorKind::AlreadyExists);
    assert_eq!(kind(engine.create_project("1alpha", &spec)), ErrorKind::InvalidArgument);
    assert_eq!(kind(engine.create_project(&"a".repeat(129), &spec)), ErrorKind::InvalidArgument);
    assert_eq!(kind(engine.project("beta")), ErrorKind::NotFound);
    let bad = ProjectSpec { max_dataset_count: Some(0), ..ProjectSpec::default() };
    assert_eq!(kind(engine.create_project("beta", &bad)), ErrorKind::InvalidArgument);

    let changed = ProjectSpec { description: Some("new".into()), ..ProjectSpec::default() };
    let updated = engine.update_project("alpha", &changed).unwrap();
    assert_eq!((updated.description.as_str(), updated.max_dataset_count, &updated.tags), ("new", 2, &tags));
    assert!(updated.update_time > updated.create_time);

    for name in ["one", "two"] {
        engine.create_dataset("alpha", name, &DatasetSpec::default()).unwrap();
    }
    let third = engine.create_dataset("alpha", "three", &DatasetSpec::default()).unwrap_err();
    assert_eq!(third.kind(), ErrorKind::LimitExceeded);
    let twice = engine.create_dataset("alpha", "one", &DatasetSpec::default()).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    assert_eq!(twice.operation(), "CreateDataset");
    assert_eq!(engine.project("alpha").unwrap().dataset_count, 2);
    assert_eq!(engine.delete_project("alpha").unwrap_err().kind(), ErrorKind::NotEmpty);

    engine.dataset("alpha", "one").unwrap().put(vec![file(1, 5)]).unwrap();
    assert_eq!(engine.delete_dataset("alpha", "one").unwrap_err().kind(), ErrorKind::NotEmpty);
    let handle = engine.dataset("alpha", "one").unwrap();
    handle.delete(vec![uri(1)]).unwrap();
    engine.delete_dataset("alpha", "one").unwrap();
    assert_eq!(handle.put(vec![file(1, 5)]).unwrap_err().kind(), ErrorKind::NotFound);
    engine.delete_dataset("alpha", "two").unwrap();
    engine.delete_project("alpha").unwrap();
    assert_eq!(engine.delete_project("alpha").unwrap_err().kind(), ErrorKind::NotFound);
    assert_clean(&engine);
}

#[test]
fn listings_page_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for number in 0..25 {
        let tags = (number % 5 == 0).then(|| vec![Tag { key: "five".into(), value: number.to_string() }]);
        engine.create_project(&format!("p{number:02}"), &ProjectSpec { tags, ..ProjectSpec::default() }).unwrap();
    }
    engine.create_project("other", &ProjectSpec::default()).unwrap();
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = engine.projects("p", &[], &token, 10).unwrap();
        names.extend(page.items.into_iter().map(|p| p.name));
        token = page.next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, (0..25).map(|n| format!("p{n:02}")).collect::<Vec<_>>());
    let any = [Tag { key: "five".into(), value: String::new() }];
    let tagged = engine.projects("", &any, "", 5).unwrap();
    assert_eq!((tagged.items.len(), tagged.next_token.as_str()), (5, ""));
    let one = [Tag { key: "five".into(), value: "10".into() }];
    assert_eq!(engine.projects("", &one, "", 0).unwrap().items[0].name, "p10");
    assert_eq!(engine.projects("", &[], "", 0).unwrap().items.len(), 26);
    assert_eq!(engine.projects("", &[], "", 201).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(engine.projects("", &[], "no name", 1).unwrap_err().kind(), ErrorKind::InvalidArgument);
    engine.create_dataset("p00", "d1", &DatasetSpec::default()).unwrap();
    engine.create_dataset("p00", "d2", &DatasetSpec::default()).unwrap();
    engine.create_dataset("p01", "d3", &DatasetSpec::default()).unwrap();
    let page = engine.datasets("p00", "", "", 1).unwrap();
    assert_eq!((page.items[0].name.as_str(), page.next_token.as_str()), ("d1", "d2"));
    assert_eq!(engine.datasets("p00", "", "d2", 0).unwrap().items.len(), 1);
}

#[test]
fn documents_and_their_system_members() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let given = file(1, 10).with(field::OBJECT_ID, "mine").with(field::CREATE_TIME, "1999-01-01T00:00:00Z");
    dataset.put(vec![given, file(2, 20)]).unwrap();
    let first = dataset.get(&uri(1), &[]).unwrap().unwrap();
    assert_eq!(first.text(field::PROJECT_NAME), Some("p"));
    assert_eq!(first.text(field::DATASET_NAME), Some("d"));
    assert_eq!(first.text(field::OBJECT_TYPE), Some("file"));
    assert_eq!(first.text(field::OBJECT_STATUS), Some("Indexed"));
    assert_eq!(first.text(field::OBJECT_ID).unwrap().len(), 64);
    assert_eq!(first.get(field::OWNER_ID), None);
    assert_eq!(first.get(field::CREATE_TIME), first.get(field::UPDATE_TIME));
    assert_ne!(first.text(field::CREATE_TIME), Some("1999-01-01T00:00:00Z"));
    first.validate().unwrap();

    dataset.put(vec![file(1, 11)]).unwrap();
    let second = dataset.get(&uri(1), &[]).unwrap().unwrap();
    assert_eq!(second.get(field::CREATE_TIME), first.get(field::CREATE_TIME));
    assert!(second.text(field::UPDATE_TIME) > first.text(field::UPDATE_TIME));
    assert_eq!(second.get(field::OBJECT_ID), first.get(field::OBJECT_ID));

    let some = dataset.get(&uri(2), &[field::SIZE, field::PROJECT_NAME]).unwrap().unwrap();
    assert_eq!(some.to_json(), r#"{"ProjectName":"p","Size":20}"#);
    let many = dataset.get_many(&[uri(2), uri(9), uri(1)], &[field::URI]).unwrap();
    assert_eq!(many.iter().map(File::uri).collect::<Vec<_>>(), [uri(2), uri(1)]);
    assert_eq!(engine.dataset_info("p", "d").unwrap().total_file_size, 31);
    assert_eq!(engine.project("p").unwrap().file_count, 2);

    assert_eq!(dataset.put(vec![File::new("http://x/y")]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(
        dataset.get(&format!("oss://b/{}", "x".repeat(1 << 20)), &[]).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    assert_eq!(dataset.delete(vec![uri(1), uri(77)]).unwrap(), [true, false]);
    assert_eq!(dataset.get(&uri(1), &[]).unwrap(), None);
    assert_eq!(dataset.len().unwrap(), 1);
    assert_clean(&engine);
}

#[test]
fn updates_change_what_they_may() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let figure = |id: &str, cluster: &str| {
        [
            (field::FIGURE_ID, Value::from(id)),
            (field::FIGURE_CLUSTER_ID, Value::from(cluster)),
            (field::FIGURE_AGE, Value::Int(3)),
        ]
        .into_iter()
        .collect()
    };
    let labels = |pairs: &[(&str, &str)]| Value::map(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let stored = file(1, 10)
        .with(field::FIGURES, Value::Rows(vec![figure("a", "c1"), figure("b", "c2")]))
        .with(field::CUSTOM_LABELS, labels(&[("old", "1")]));
    dataset.put(vec![stored]).unwrap();
    let change = File::new(uri(1))
        .with(field::TITLE, "ignored")
        .with(field::CUSTOM_ID, "id")
        .with(field::CUSTOM_LABELS, labels(&[("new", "2")]))
        .with(field::FIGURES, Value::Rows(vec![figure("b", "c9"), figure("z", "c0")]));
    assert_eq!(dataset.update(vec![change, File::new(uri(2)).with(field::CUSTOM_ID, "x")]).unwrap(), [true, false]);
    let now = dataset.get(&uri(1), &[]).unwrap().unwrap();
    assert_eq!(now.text(field::TITLE), Some("title 10"));
    assert_eq!(now.text(field::CUSTOM_ID), Some("id"));
    assert_eq!(now.get(field::CUSTOM_LABELS), Some(&labels(&[("new", "2")])));
    let figures = Value::Rows(vec![figure("a", "c1"), figure("b", "c9")]);
    assert_eq!(now.get(field::FIGURES), Some(&figures));
    assert_eq!(dataset.len().unwrap(), 1);
    assert_clean(&engine);
}

#[test]
fn quotas_hold_whole_calls_back() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let limits = Limits { file_count: 3, total_file_size: 100, ..Limits::default() };
    engine.update_dataset("p", "d", &DatasetSpec { limits: Some(limits), ..DatasetSpec::default() }).unwrap();
    dataset.put(vec![file(1, 10), file(2, 10)]).unwrap();
    let error = dataset.put(vec![file(3, 10), file(4, 10)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("at most 3, got 4"), "{error}");
    assert_eq!(dataset.len().unwrap(), 2);
    assert_eq!(dataset.put(vec![file(1, 91)]).unwrap_err().kind(), ErrorKind::LimitExceeded);
    dataset.put(vec![file(1, 90)]).unwrap();
    dataset.put(vec![file(3, 0), file(3, 0)]).unwrap();
    assert_eq!(engine.dataset_info("p", "d").unwrap().total_file_size, 100);
    assert_clean(&engine);
}

#[test]
fn one_process_and_one_kind_of_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(&dir.path().join("deep/db"));
    let error = Engine::open(dir.path().join("deep/db"), options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.message().contains(&std::process::id().to_string()), "{error}");
    drop(engine);
    let still_open = Engine::open(dir.path().join("deep/db"), options()).unwrap_err();
    assert_eq!(still_open.kind(), ErrorKind::Locked, "a dataset keeps the database open");
    drop(dataset);
    drop(open(&dir.path().join("deep/db")));

    std::fs::create_dir(dir.path().join("other")).unwrap();
    std::fs::write(dir.path().join("other/file"), "x").unwrap();
    let error = Engine::open(dir.path().join("other"), options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let missing = Options { create_if_missing: false, ..options() };
    assert_eq!(Engine::open(dir.path().join("nope"), missing).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!dir.path().join("nope").exists());
}

#[test]
fn a_newer_format_is_said_to_be_newer() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let path = dir.path().join("FORMAT");
    let bytes = std::fs::read(&path).unwrap();
    let magic: [u8; 8] = bytes[..8].try_into().unwrap();
    std::fs::write(&path, medialith::codec::frame::seal(magic, 2, b"")).unwrap();
    let error = Engine::open(dir.path(), options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(error.message().contains("version 1 to 1, got 2"), "{error}");
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, bad).unwrap();
        assert_eq!(Engine::open(dir.path(), options()).unwrap_err().kind(), ErrorKind::Corrupted, "byte {at}");
    }
}

#[test]
fn read_only_reads_and_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put((0..50).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.put((40..60).map(|n| file(n, 2)).collect()).unwrap();
    drop((engine, dataset));
    let reader = Options { read_only: true, ..options() };
    let first = Engine::open(dir.path(), reader.clone()).unwrap();
    let second = Engine::open(dir.path(), reader).unwrap();
    assert_eq!(Engine::open(dir.path(), options()).unwrap_err().kind(), ErrorKind::Locked);
    for engine in [&first, &second] {
        let dataset = engine.dataset("p", "d").unwrap();
        assert_eq!(dataset.len().unwrap(), 60);
        assert_eq!(dataset.get(&uri(45), &[field::SIZE]).unwrap().unwrap().int(field::SIZE), Some(2));
        assert_eq!(dataset.put(vec![file(1, 1)]).unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_eq!(dataset.settle().unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_clean(engine);
    }
}

/// Damages the segment files with `damage` between two openings; everything must be there afterwards.
fn survives(damage: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put((0..300).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.put((200..400).map(|n| file(n, 2)).collect()).unwrap();
    drop((engine, dataset));
    segment_files(dir.path()).iter().for_each(|path| damage(path));
    for read_only in [true, false] {
        let engine = Engine::open(dir.path(), Options { read_only, ..options() }).unwrap();
        let dataset = engine.dataset("p", "d").unwrap();
        assert_eq!(dataset.len().unwrap(), 400);
        let stats = dataset.stats().unwrap();
        assert!(!stats.last_failure.is_empty(), "{stats:?}");
        assert_eq!(stats.rebuilds, u64::from(!read_only));
        let report = engine.check(true).unwrap();
        assert_eq!(report.is_clean(), !read_only, "{report:?}");
        assert!(report.problems.iter().all(|p| p.what.contains("segment")), "{report:?}");
    }
    assert_clean(&open(dir.path()));
}

#[test]
fn lost_and_cut_segments_are_rebuilt() {
    survives(|path| std::fs::remove_file(path).unwrap());
    survives(|path| {
        let length = std::fs::metadata(path).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length / 2).unwrap();
    });
    survives(|path| std::fs::write(path, "not a segment").unwrap());
}

#[test]
fn rebuild_on_request_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put((0..500).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.delete((0..100).map(uri).collect()).unwrap();
    dataset.rebuild().unwrap();
    assert_eq!(dataset.stats().unwrap().tombstones, 0);
    assert_clean(&engine);
    assert_eq!(segment_files(dir.path()).len(), 1);
}

#[test]
fn checkpoints_are_databases() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(&dir.path().join("a"));
    dataset.put((0..300).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.put((250..350).map(|n| file(n, 2)).collect()).unwrap();
    engine.checkpoint(dir.path().join("b")).unwrap();
    assert_eq!(engine.checkpoint(dir.path().join("b")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    dataset.delete((0..350).map(uri).collect()).unwrap();
    let copy = open(&dir.path().join("b"));
    assert_eq!(copy.dataset("p", "d").unwrap().len().unwrap(), 350);
    assert_clean(&copy);
    assert_clean(&engine);
    assert_eq!(dataset.len().unwrap(), 0);
}

#[test]
fn rubbish_files_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put((0..10).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    drop((engine, dataset));
    let kept = segment_files(dir.path());
    std::fs::write(dir.path().join("segments/00000000000000ff.seg"), "x").unwrap();
    std::fs::write(dir.path().join("segments/0000000000000001.seg.tmp"), "x").unwrap();
    let engine = open(dir.path());
    assert_eq!(segment_files(dir.path()), kept);
    assert_clean(&engine);
}

#[test]
fn writers_share_batches_and_readers_see_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4u32)
            .map(|writer| {
                let dataset = dataset.clone();
                scope.spawn(move || {
                    for round in 0..60 {
                        // Pairs are put and deleted together: a reader never sees half of one.
                        let pair = [writer * 1000 + round * 2, writer * 1000 + round * 2 + 1];
                        dataset.put(pair.iter().map(|n| file(*n, 1)).collect()).unwrap();
                        if round % 3 == 0 {
                            dataset.delete(pair.map(uri).to_vec()).unwrap();
                        }
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(dataset.len().unwrap() % 2, 0);
                assert_clean(&engine);
                looks += 1;
            }
            looks
        });
        let settler = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                dataset.settle().unwrap();
            }
        });
        writers.into_iter().for_each(|w| w.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
        settler.join().unwrap();
    });
    assert_eq!(dataset.len().unwrap(), 4 * 40 * 2);
    assert_clean(&engine);
}

/// A small generator, so that a failing seed can be named.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(most)) as u32
    }
}

#[test]
fn random_histories_agree_with_a_map() {
    for seed in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let (mut engine, mut dataset) = fresh(dir.path());
        let (mut dice, mut model) = (Dice(seed), BTreeMap::<String, i64>::new());
        for step in 0..120 {
            match dice.below(12) {
                0..=5 => {
                    let count = dice.below(60) + 1;
                    let files: Vec<File> =
                        (0..count).map(|_| file(dice.below(400), i64::from(dice.below(1000)))).collect();
                    model.extend(files.iter().map(|f| (f.uri().to_owned(), f.int(field::SIZE).unwrap())));
                    dataset.put(files).unwrap();
                }
                6..=7 => {
                    let uris: Vec<String> = (0..dice.below(80)).map(|_| uri(dice.below(400))).collect();
                    model.retain(|u, _| !uris.contains(u));
                    dataset.delete(uris).unwrap();
                }
                8 => dataset.settle().unwrap(),
                9 => dataset.rebuild().unwrap(),
                _ => {
                    drop((engine, dataset));
                    engine = open(dir.path());
                    dataset = engine.dataset("p", "d").unwrap();
                }
            }
            if step % 10 == 9 {
                assert_clean(&engine);
            }
        }
        let mut seen = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = dataset.scan(&after, 37).unwrap();
            let Some(last) = page.last() else { break };
            after = last.uri().to_owned();
            seen.extend(page.iter().map(|f| (f.uri().to_owned(), f.int(field::SIZE).unwrap())));
        }
        assert_eq!(seen, model, "seed {seed}");
        assert_clean(&engine);
    }
}

fn fuzzy(dataset: &Dataset, text: &str) -> Vec<String> {
    let query = Query { text: text.into(), with_fields: vec![field::URI], ..Query::default() };
    dataset.search(&query).unwrap().files.iter().map(|f| f.uri().to_owned()).collect()
}

#[test]
fn what_is_put_is_found_and_what_is_deleted_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put(vec![file(1, 10), file(2, 20)]).unwrap();
    assert_eq!(fuzzy(&dataset, "title"), [uri(1), uri(2)]);
    assert_eq!(fuzzy(&dataset, "\"title 20\""), [uri(2)]);
    dataset.settle().unwrap();
    dataset.put(vec![file(2, 30)]).unwrap();
    assert_eq!(fuzzy(&dataset, "\"title 20\""), Vec::<String>::new());
    assert_eq!(fuzzy(&dataset, "\"title 30\""), [uri(2)]);
    dataset.delete(vec![uri(1)]).unwrap();
    assert_eq!(fuzzy(&dataset, "title"), [uri(2)]);
    let answer = dataset.search(&Query { text: "f0".into(), ..Query::default() }).unwrap();
    assert_eq!((answer.total, answer.next_token.as_str(), answer.files[0].int(field::SIZE)), (Some(1), "", Some(30)));
    let stopped = AtomicBool::new(true);
    let error = dataset.search_cancellable(&Query { text: "f".into(), ..Query::default() }, Some(&stopped));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
    drop((engine, dataset));
    let engine = open(dir.path());
    assert_eq!(fuzzy(&engine.dataset("p", "d").unwrap(), "title"), [uri(2)]);
}

#[test]
fn pages_follow_each_other_under_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    dataset.put((0..100).map(|n| file(n, 1)).collect()).unwrap();
    let mut query = Query { text: "jpg".into(), ..Query::default() };
    query.page.max_results = 9;
    let (mut seen, mut round) = (Vec::new(), 100);
    loop {
        let answer = dataset.search(&query).unwrap();
        seen.extend(answer.files.iter().map(|f| f.uri().to_owned()));
        if answer.next_token.is_empty() {
            break;
        }
        query.page.token = answer.next_token;
        round += 1;
        dataset.put(vec![file(round, 1), file(round - 60, 2)]).unwrap();
        dataset.settle().unwrap();
    }
    for number in 0..100 {
        assert_eq!(seen.iter().filter(|u| **u == uri(number)).count(), 1, "{}", uri(number));
    }
}

#[test]
fn damage_inside_a_segment_is_repaired_behind_a_failed_query() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put((0..300).map(|n| file(n, 1)).collect()).unwrap();
    dataset.settle().unwrap();
    drop((engine, dataset));
    for path in segment_files(dir.path()) {
        let mut bytes = std::fs::read(&path).unwrap();
        // The frame's ends stay whole, so that opening does not notice.
        let (from, to) = (bytes.len() / 4, bytes.len() * 3 / 4);
        bytes[from..to].iter_mut().for_each(|b| *b ^= 0xFF);
        std::fs::write(&path, bytes).unwrap();
    }
    let engine = open(dir.path());
    let dataset = engine.dataset("p", "d").unwrap();
    let query = Query { text: "title".into(), ..Query::default() };
    let mut tries = 0;
    while dataset.search(&query).is_err() {
        tries += 1;
        assert!(tries < 500, "{:?}", dataset.stats());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(dataset.search(&query).unwrap().total, Some(300));
    assert_eq!(dataset.stats().unwrap().rebuilds, 1);
    assert_clean(&engine);
}

#[test]
fn derived_members_are_filtered_grouped_and_explained() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    dataset.put((0..50).map(|n| file(n, i64::from(n))).collect()).unwrap();
    let find = |field: &str, operator: &str, value: &str| {
        let filter = Some(Filter::Is(Condition::parse(field, operator, value).unwrap()));
        dataset.search(&Query { filter, ..Query::default() }).unwrap()
    };
    let stored = dataset.get(&uri(7), &[]).unwrap().unwrap();
    let id = stored.text(field::OBJECT_ID).unwrap();
    let found = find("ObjectId", "eq", id);
    assert_eq!((found.total, found.files[0].uri()), (Some(1), uri(7).as_str()));
    for (field, value, expected) in [
        ("ProjectName", "p", 50),
        ("ProjectName", "q", 0),
        ("DatasetName", "d", 50),
        ("ObjectType", "file", 50),
        ("ObjectStatus", "Indexed", 50),
    ] {
        assert_eq!(find(field, "eq", value).total, Some(expected), "{field} {value}");
    }
    assert_eq!((find("OwnerId", "exist", "").total, find("ObjectType", "exist", "").total), (Some(0), Some(50)));
    let aggregations = vec![Aggregation::parse("DatasetName", "group").unwrap()];
    let grouped = dataset.search(&Query { aggregations, ..Query::default() }).unwrap();
    assert_eq!((grouped.files.len(), grouped.total), (0, Some(50)));
    assert_eq!((grouped.aggregates[0].groups[0].value.as_str(), grouped.aggregates[0].groups[0].count), ("d", 50));

    let filter = Some(Filter::Is(Condition::parse("Size", "lt", "10").unwrap()));
    let query = Query { text: "title".into(), filter, ..Query::default() };
    let (hits, explanation) = dataset.explain(&query).unwrap();
    assert_eq!(hits.total, Some(10));
    let steps: Vec<(usize, &str, u64)> =
        explanation.steps.iter().map(|s| (s.depth, s.what.as_str(), s.actual)).collect();
    assert_eq!((steps.len(), steps[0], steps[2]), (3, (0, "and", 10), (1, "Size lt 10", 10)), "{explanation}");
    assert!(explanation.to_string().contains("text \"title\""), "{explanation}");
}

#[test]
fn hostile_filters_end_in_time_and_within_their_memory() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    dataset.put((0..2000).map(|n| file(n, i64::from(n))).collect()).unwrap();
    let is = |field: &str, operator: &str, value: &str| Filter::Is(Condition::parse(field, operator, value).unwrap());
    // Everything that a filter may hold, each part of it as dear as can be.
    let one = Filter::Not(vec![is("Filename", "gt", "a"), is("ObjectId", "lt", "f"), is("Title", "match-phrase", "t")]);
    let filter = Filter::Or(vec![Filter::And(vec![one; 33])]);
    let answer = dataset.search(&Query { filter: Some(filter), ..Query::default() }).unwrap();
    assert!(answer.total.is_some());
    let texts = vec![Filter::Text(TextMatch { text: "t".into(), ..TextMatch::default() }); 100];
    assert_eq!(
        dataset.search(&Query { filter: Some(Filter::And(texts)), ..Query::default() }).unwrap().total,
        Some(2000)
    );
    let long = is("Title", "prefix", &"x".repeat(1 << 20));
    assert_eq!(dataset.search(&Query { filter: Some(long), ..Query::default() }).unwrap().total, Some(0));
    let cancelled = AtomicBool::new(true);
    let query = Query { filter: Some(is("Size", "gt", "5")), ..Query::default() };
    let error = dataset.search_cancellable(&query, Some(&cancelled)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
