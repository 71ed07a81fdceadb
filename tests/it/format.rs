//! Bytes on disk that were changed, and bytes that earlier versions wrote.

use crate::tree::{files, root};
use medialith::engine::{Buckets, Dataset, Durability, Engine, FollowOptions, Options};
use medialith::error::ErrorKind;
use medialith::index::{Part, Segment, Snapshot, merge};
use medialith::model::{BindingSpec, DatasetSpec, File, Order, ProjectSpec, Query, SortKey, Value, field};
use medialith::query::{Context, search};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn document(number: i64) -> File {
    let label = ("k".to_owned(), format!("label {}", number % 3));
    File::new(format!("oss://bucket/photos/{}/harbour {number:02}.jpg", number % 4))
        .with(field::TITLE, format!("Old harbour {} \u{6771}\u{4eac}", number * 7919 % 97))
        .with(field::SIZE, number * 1000)
        .with(field::PRODUCE_TIME, "2022-06-21T23:58:03Z")
        .with(field::CUSTOM_LABELS, Value::map([label]))
}

/// What is asked of a segment; `None` where any answer is refused. A refusal says that the bytes are at fault.
fn answers(segment: Segment) -> Option<Vec<Vec<String>>> {
    let context = Context::new(&[7; 32], 1);
    let snapshot = Snapshot::new(vec![Part::whole(segment)]);
    let ask = |(text, sort): &(&str, &str)| {
        let sort = SortKey::parse_list(sort, "", Order::Asc).unwrap();
        let query = Query { text: (*text).into(), sort, ..Query::default() };
        match search(&snapshot, &query, &context) {
            Ok(hits) => Some(hits.uris),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Corrupted, "{e}");
                None
            }
        }
    };
    let questions =
        [("arbou", ""), ("\u{4eac}", "Size"), ("7", "ProduceTime"), ("label", "CustomLabels.k"), ("harbor", "Title")];
    questions.iter().map(ask).collect()
}

fn segment_bytes() -> Vec<u8> {
    let files: Vec<File> = (0..9).map(document).collect();
    let mut bytes = Vec::new();
    merge(&[Part::whole(Segment::build(&files).unwrap())], &mut bytes).unwrap();
    bytes
}

/// A segment of bytes that are not those written: refused, or found out by `verify`, or the same in every answer.
fn judge(bytes: Vec<u8>, truth: &[Vec<String>], what: &str) -> bool {
    let segment = match Segment::from_bytes(bytes) {
        Ok(segment) => segment,
        Err(e) => {
            assert!([ErrorKind::Corrupted, ErrorKind::UnsupportedVersion].contains(&e.kind()), "{what}: {e}");
            return true;
        }
    };
    let sound = segment.verify().is_ok();
    match answers(segment) {
        Some(found) => assert_eq!(found, truth, "{what}"),
        None => assert!(!sound, "{what}: a segment that verifies answers"),
    }
    !sound
}

#[test]
fn every_flipped_byte_of_a_segment_is_found_out() {
    let whole = segment_bytes();
    let truth = answers(Segment::from_bytes(whole.clone()).unwrap()).unwrap();
    assert!(truth.iter().all(|uris| !uris.is_empty()), "each question has an answer: {truth:?}");
    for at in 0..whole.len() {
        for mask in [0x01, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            assert!(judge(bytes, &truth, &format!("byte {at} ^ {mask:#x}")), "byte {at} is covered by no checksum");
        }
    }
}

#[test]
fn every_cut_of_a_segment_is_found_out() {
    let whole = segment_bytes();
    let truth = answers(Segment::from_bytes(whole.clone()).unwrap()).unwrap();
    for length in 0..whole.len() {
        let refused = Segment::from_bytes(whole[..length].to_vec());
        assert!(refused.is_err(), "a segment of {length} of {} bytes", whole.len());
        let mut moved = whole.clone();
        moved.remove(length);
        assert!(judge(moved, &truth, &format!("without byte {length}")));
    }
}

fn options() -> Options {
    Options { memory_bytes: 64 << 20, durability: Durability::Buffered, ..Options::default() }
}

/// A small database with a sealed part, tombstones and a tail.
fn make(dir: &Path) {
    let engine = Engine::open(dir, options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    dataset.put((0..30).map(document).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.delete((0..5).map(|n| document(n).uri().to_owned()).collect()).unwrap();
    dataset.put((25..40).map(|n| document(n).with(field::SIZE, 1)).collect()).unwrap();
    // A binding, and a document that it made.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("harbour.txt"), "bound").unwrap();
    let source = folder.path().to_str().unwrap().to_owned();
    let spec = BindingSpec { source, exclude: vec!["*.tmp".into()], ..BindingSpec::default() };
    engine.create_binding("p", "d", "oss://bound", &spec).unwrap();
    let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
    assert!(follower.wait_idle(Duration::from_secs(60)).unwrap());
    follower.stop();
}

/// Every document as a line of JSON, and how many of them a query finds.
fn contents(dir: &Path) -> medialith::Result<(Vec<String>, Option<u64>)> {
    let engine = Engine::open(dir, options())?;
    let dataset = engine.dataset("p", "d")?;
    let lines = dataset.scan("", 1000)?.iter().map(File::to_json).collect();
    Ok((lines, total(&dataset)?))
}

fn total(dataset: &Dataset) -> medialith::Result<Option<u64>> {
    Ok(dataset.search(&Query { text: "harbour".into(), ..Query::default() })?.total)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Files of the store whose bytes matter; its own log for people does not.
fn store_files(dir: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(dir.join("store")).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut paths: Vec<PathBuf> =
        paths.filter(|p| p.is_file() && !name(p).starts_with("LOG") && !name(p).starts_with("OPTIONS")).collect();
    paths.sort();
    paths
}

#[test]
fn flipped_bytes_of_the_store_are_told_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let original = dir.path().join("original");
    make(&original);
    let truth = contents(&original).unwrap();
    let (mut refused, mut same, mut shorter) = (0, 0, 0);
    for file in store_files(&original) {
        let bytes = std::fs::read(&file).unwrap();
        for step in 0..bytes.len().min(9) {
            let at = step * bytes.len() / 9;
            let damaged = dir.path().join("damaged");
            copy(&original, &damaged);
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x41;
            std::fs::write(damaged.join("store").join(file.file_name().unwrap()), bytes).unwrap();
            match contents(&damaged) {
                Err(e) => {
                    assert!(e.kind() != ErrorKind::Internal && !e.message().is_empty(), "{}: {e:?}", file.display());
                    refused += 1;
                }
                Ok(found) if found == truth => same += 1,
                // The end of the log cannot be told from a write that power cut short: whole commits may be missing.
                Ok(found) => {
                    assert!(file.extension().is_some_and(|e| e == "log"), "{} at {at}", file.display());
                    assert_eq!(found.0.len() as u64, found.1.unwrap(), "index and records agree");
                    shorter += 1;
                }
            }
            std::fs::remove_dir_all(&damaged).unwrap();
        }
    }
    assert!(refused > 0 && refused + same + shorter > 20, "{refused} refused, {same} the same, {shorter} shorter");
}

/// Every version constant of the sources, as `file number`.
fn versions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in files(&["src"], "rs") {
        for (_, line) in source.code().filter(|(_, line)| line.contains("const VERSION: u") && line.contains('=')) {
            let number = line.rsplit('=').next().unwrap().trim().trim_end_matches(';');
            found.insert(format!("{} {number}", source.path));
        }
    }
    found
}

fn fixture(version: u32) -> PathBuf {
    root().join(format!("tests/fixtures/v{version}"))
}

/// Newest version that has a fixture.
const NEWEST: u32 = 8;

#[test]
fn a_new_format_version_comes_with_a_fixture() {
    let known: BTreeSet<String> = (1..=NEWEST)
        .flat_map(|version| {
            let text = std::fs::read_to_string(fixture(version).join("versions.txt")).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let unknown: Vec<String> = versions().difference(&known).cloned().collect();
    let advice = "raise NEWEST and run: cargo test --test it make_the_newest_fixture -- --ignored";
    assert!(unknown.is_empty(), "versions without a fixture: {unknown:?}; {advice}");
    assert!(versions().len() >= 5, "the walk found the constants");
}

#[test]
fn databases_of_every_version_open() {
    for version in 1..=NEWEST {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("db");
        copy(&fixture(version).join("db"), &home);
        let golden = std::fs::read_to_string(fixture(version).join("export.jsonl")).unwrap();
        let reading = Engine::open(&home, Options { read_only: true, ..options() }).unwrap();
        let queues = reading.queues();
        assert_eq!(
            (reading.outbox().events(), queues.webhooks().unwrap().len(), queues.receivers().unwrap().len()),
            (0, 0, 1)
        );
        drop(reading);
        let (lines, found) = contents(&home).unwrap();
        assert_eq!(lines, golden.lines().collect::<Vec<_>>(), "version {version}");
        assert_eq!(found, Some(lines.len() as u64));
        let engine = Engine::open(&home, options()).unwrap();
        let dataset = engine.dataset("p", "d").unwrap();
        assert_eq!(dataset.stats().unwrap().last_failure, "", "version {version}: its segments are read, not rebuilt");
        dataset.put(vec![document(99)]).unwrap();
        dataset.settle().unwrap();
        assert_eq!(total(&dataset).unwrap(), Some(lines.len() as u64 + 1));
        let bound = engine.bindings("p", "d", "", "", 0).unwrap().items;
        assert_eq!(bound.len(), usize::from(version >= 6), "version {version}: bindings");
        for binding in bound {
            assert_eq!((binding.spec.exclude.len(), binding.coverage.verified.is_some()), (1, true));
            assert_eq!(engine.delete_binding("p", "d", &binding.uri(), true).unwrap(), 1, "the document it made");
        }
        let report = engine.check(true).unwrap();
        assert!(report.is_clean(), "version {version}: {report:?}");
    }
}

#[test]
#[ignore = "writes into the sources; run once for a new format version"]
fn make_the_newest_fixture() {
    let folder = fixture(NEWEST);
    assert!(!folder.exists(), "{} is there; fixtures are never changed", folder.display());
    let home = folder.join("db");
    std::fs::create_dir_all(&folder).unwrap();
    make(&home);
    let scratch = tempfile::tempdir().unwrap();
    copy(&home, &scratch.path().join("db"));
    let (lines, _) = contents(&scratch.path().join("db")).unwrap();
    std::fs::write(folder.join("export.jsonl"), lines.join("\n") + "\n").unwrap();
    let versions: Vec<String> = versions().into_iter().collect();
    std::fs::write(folder.join("versions.txt"), versions.join("\n") + "\n").unwrap();
    for entry in std::fs::read_dir(home.join("store")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("LO") || name.starts_with("OPTIONS") {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_file(home.join("LOCK")).unwrap();
    // Nothing but room.
    std::fs::remove_file(home.join("RESERVE")).unwrap();
}
