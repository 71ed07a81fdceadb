//! Indexing folders: every regular file gets a record, unchanged ones are not read again, nothing stops the run.

use medialith::engine::{Dataset, Engine, IngestOptions, IngestReport, Options, Progress};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec, Value, field};
use std::path::Path;

fn fresh(dir: &Path) -> (Engine, Dataset) {
    let engine = Engine::open(dir.join("db"), Options::default()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn index(dataset: &Dataset, folder: &Path) -> (IngestReport, medialith::engine::Counts) {
    let progress = Progress::new();
    let report = dataset.index_folder("b", folder, &IngestOptions::default(), &progress).unwrap();
    (report, progress.counts())
}

/// A folder with files of several kinds and ages.
fn folder(dir: &Path) -> std::path::PathBuf {
    let root = dir.join("media");
    std::fs::create_dir_all(root.join("sub/\u{6771}\u{4eac}")).unwrap();
    std::fs::write(root.join("a.txt"), "plain text\n").unwrap();
    std::fs::write(
        root.join("sub/\u{6771}\u{4eac}/b.gif"),
        b"GIF89a\x02\x00\x03\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;",
    )
    .unwrap();
    std::fs::write(root.join("empty"), "").unwrap();
    std::os::unix::fs::symlink("a.txt", root.join("link")).unwrap();
    root
}

#[test]
fn every_regular_file_has_a_record_and_a_second_run_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let root = folder(dir.path());
    let (report, counts) = index(&dataset, &root);
    assert_eq!((counts.found, counts.indexed, counts.unchanged, counts.failed, counts.skipped), (3, 3, 0, 0, 1));
    assert!(counts.walked && !report.cancelled);
    assert_eq!(report.skipped[0].0, "link");
    assert_eq!(report.media_types.values().sum::<u64>(), 3);
    let image = dataset.get("oss://b/sub/\u{6771}\u{4eac}/b.gif", &[]).unwrap().unwrap();
    assert_eq!(image.text(field::FILENAME), Some("sub/\u{6771}\u{4eac}/b.gif"));
    assert_eq!(image.text(field::CONTENT_TYPE), Some("image/gif"));
    assert_eq!(image.int(field::SIZE), Some(20));
    assert_eq!(image.text(field::OBJECT_STATUS), Some("Indexed"));
    assert!(image.text(field::FILE_MODIFIED_TIME).is_some());

    let commit = dataset.stats().unwrap().commit;
    let (_, counts) = index(&dataset, &root);
    assert_eq!((counts.found, counts.unchanged, counts.indexed, counts.read_bytes), (3, 3, 0, 0));
    assert_eq!(dataset.stats().unwrap().commit, commit);
    assert!(engine.check(true).unwrap().is_clean());
}

#[test]
fn what_changed_is_read_again_and_keeps_what_callers_gave() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    let root = folder(dir.path());
    index(&dataset, &root);
    let labels = Value::map([("k".to_owned(), "v".to_owned())]);
    let change = File::new("oss://b/a.txt").with(field::CUSTOM_ID, "mine").with(field::CUSTOM_LABELS, labels.clone());
    dataset.update(vec![change]).unwrap();
    let (_, counts) = index(&dataset, &root);
    assert_eq!(counts.unchanged, 3, "an update does not make a file look changed");
    let before = dataset.get("oss://b/a.txt", &[]).unwrap().unwrap();
    std::fs::write(root.join("a.txt"), "longer plain text\n").unwrap();
    let (_, counts) = index(&dataset, &root);
    assert_eq!((counts.unchanged, counts.indexed), (2, 1));
    let after = dataset.get("oss://b/a.txt", &[]).unwrap().unwrap();
    assert_eq!((after.int(field::SIZE), after.text(field::CUSTOM_ID)), (Some(18), Some("mine")));
    assert_eq!(after.get(field::CUSTOM_LABELS), Some(&labels));
    assert_eq!(after.get(field::CREATE_TIME), before.get(field::CREATE_TIME));
    let progress = Progress::new();
    let again = IngestOptions { again: true, ..IngestOptions::default() };
    dataset.index_folder("b", &root, &again, &progress).unwrap();
    assert_eq!((progress.counts().unchanged, progress.counts().indexed), (0, 3));
}

#[test]
fn what_stands_beside_a_file_describes_it_and_its_changes_count() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    let root = folder(dir.path());
    let sidecar = root.join("sub/\u{6771}\u{4eac}/b.xmp");
    let title = |text: &str| {
        let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
        let dc = "http://purl.org/dc/elements/1.1/";
        let packet = format!("<r:RDF xmlns:r='{rdf}'><r:Description xmlns:d='{dc}' d:title='{text}'/></r:RDF>");
        std::fs::write(&sidecar, packet).unwrap();
    };
    let found = || {
        let file = dataset.get("oss://b/sub/\u{6771}\u{4eac}/b.gif", &[]).unwrap().unwrap();
        file.text(field::TITLE).map(str::to_owned)
    };
    index(&dataset, &root);
    assert_eq!(found(), None);
    title("first");
    let (_, counts) = index(&dataset, &root);
    assert_eq!((counts.indexed, counts.unchanged, found().as_deref()), (2, 2, Some("first")));
    title("the second");
    let (_, counts) = index(&dataset, &root);
    assert_eq!((counts.indexed, counts.unchanged, found().as_deref()), (2, 2, Some("the second")));
    assert_eq!(index(&dataset, &root).1.unchanged, 4);
    std::fs::remove_file(&sidecar).unwrap();
    let (_, counts) = index(&dataset, &root);
    assert_eq!((counts.indexed, counts.unchanged, found()), (1, 2, None));
}

/// Indexes a folder one of whose files is removed between the walk, which has listed it, and its reading.
fn index_while_one_vanishes() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    let root = dir.path().join("media");
    std::fs::create_dir(&root).unwrap();
    for number in 0..3000 {
        std::fs::write(root.join(format!("f{number:04}")), "x").unwrap();
    }
    let progress = Progress::new();
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| dataset.index_folder("b", &root, &IngestOptions::default(), &progress).unwrap());
        while progress.counts().found == 0 && !run.is_finished() {
            std::thread::yield_now();
        }
        std::fs::remove_file(root.join("f2999")).unwrap();
        run.join().unwrap()
    });
    let counts = progress.counts();
    assert_eq!((counts.indexed, counts.failed as usize), (3000, report.failed.len()));
    assert_eq!(dataset.len().unwrap(), 3000);
    let stored = dataset.get("oss://b/f2999", &[]).unwrap().unwrap();
    if counts.failed == 1 {
        assert_eq!(report.failed[0].0, "oss://b/f2999");
        assert_eq!(stored.text(field::OBJECT_STATUS), Some("Failed"));
        assert!(stored.text(field::REASON).unwrap().starts_with("[Io] could not open f2999"), "{stored:?}");
    }
    counts.failed == 1
}

#[test]
fn unreadable_files_are_recorded_as_failed() {
    // The super-user may read everything, so a file vanishes instead; it may be read before it does.
    assert!((0..10).any(|_| index_while_one_vanishes()));
}

#[test]
fn a_cancelled_run_keeps_what_it_stored_and_the_next_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    let root = dir.path().join("media");
    std::fs::create_dir(&root).unwrap();
    for number in 0..2000 {
        std::fs::write(root.join(format!("f{number:04}.txt")), format!("text {number}")).unwrap();
    }
    let progress = Progress::new();
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| dataset.index_folder("b", &root, &IngestOptions::default(), &progress).unwrap());
        while progress.counts().found < 300 && !run.is_finished() {
            std::thread::yield_now();
        }
        progress.cancel();
        run.join().unwrap()
    });
    let counts = progress.counts();
    assert!(report.cancelled && !counts.walked && counts.indexed < 2000, "{counts:?}");
    assert_eq!(dataset.len().unwrap(), counts.indexed);
    let (_, rest) = index(&dataset, &root);
    assert_eq!((rest.unchanged, rest.unchanged + rest.indexed), (counts.indexed, 2000));
    assert!(engine.check(true).unwrap().is_clean());
}

#[test]
fn bad_folders_and_buckets_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    let (options, progress) = (IngestOptions::default(), Progress::new());
    let kind = |bucket: &str, path: &Path| dataset.index_folder(bucket, path, &options, &progress).unwrap_err().kind();
    assert_eq!(kind("no bucket", dir.path()), ErrorKind::InvalidArgument);
    assert_eq!(kind("b", &dir.path().join("nope")), ErrorKind::Io);
    assert_eq!(dataset.len().unwrap(), 0);
}
