//! Extraction behind walls: a worker that misbehaves in every way costs its file and nothing else, and cannot get out.

use medialith::analyze::{Budget, LONGEST, LONGEST_FOR_TEXT};
use medialith::engine::extraction::{Isolation, Level, Outcome, Sandbox};
use medialith::engine::{Buckets, Dataset, Engine, FollowOptions, IngestOptions, Options, Progress, language};
use medialith::extract::{self, Extracted, Hint};
use medialith::isolate::{Extractor, Fault, Handle, Item, Request};
use medialith::model::{BindingSpec, DatasetSpec, ProjectSpec, Query, field};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../mock/escapes_names.rs"]
mod escapes;

fn sandbox() -> Sandbox {
    Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_mock-worker"))), ..Sandbox::default() }
}

fn extractor(sandbox: Sandbox) -> Extractor {
    Extractor::new(&Isolation::Process(sandbox)).unwrap()
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample").join(name)
}

/// Reads bytes by the descriptor of a file that holds them.
fn read(extractor: &Extractor, bytes: &[u8], name: &str) -> Result<Extracted, Fault> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let request = Request { name, options: extract::Options::default(), evidence: true };
    let bytes = bytes.to_vec();
    extractor.extract(Handle { bytes: &bytes, descriptor: Some(file.as_fd()) }, None, &request)
}

fn same(one: &Extracted, two: &Extracted, what: &str) {
    assert_eq!(one.members, two.members, "{what}");
    assert_eq!(one.facts, two.facts, "{what}");
    assert_eq!(one.warnings, two.warnings, "{what}");
    assert_eq!((one.bytes_read, &one.ranges), (two.bytes_read, &two.ranges), "{what}");
}

/// Every file of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else if path.is_file() {
            found.push(path)
        }
    }
    found.sort();
    found
}

#[test]
fn the_jail_is_whole_here() {
    let extractor = extractor(sandbox());
    extractor.prepare().unwrap();
    let posture = extractor.snapshot().posture.unwrap();
    assert_eq!(posture.level(), Level::Full, "{posture}");
    assert!(posture.unprivileged && posture.counted, "{posture}");
}

#[test]
fn no_way_out() {
    let extractor = extractor(sandbox());
    for (number, name) in escapes::NAMES.iter().enumerate() {
        let fault = read(&extractor, format!("mock:escape {number}").as_bytes(), &format!("{number}.x{number}"));
        assert_eq!(fault.unwrap_err().outcome, Outcome::SandboxViolation, "{name}");
    }
    assert!(escapes::NAMES.len() >= 25);
    // Each was tried twice, and the alarm counts both.
    assert_eq!(extractor.snapshot().violations, 2 * escapes::NAMES.len() as u64);
    assert_eq!(extractor.snapshot().outcomes[6], (Outcome::SandboxViolation, escapes::NAMES.len() as u64));
    // The control: what is allowed works in the same jail.
    assert!(read(&extractor, b"mock:reserve", "r").is_ok());
}

#[test]
fn each_way_to_misbehave_costs_its_file_only() {
    let short = Sandbox { wall: Duration::from_millis(700), ..sandbox() };
    let extractor = extractor(short);
    let good = std::fs::read(sample("photos/2022/Reykjavik/IMG_2041.jpg")).unwrap();
    let expected = extract::extract(&good, &Hint { name: "a.jpg" }, &extract::Options::default()).unwrap();
    for (command, outcome, words) in [
        ("hang", Outcome::Timeout, "700ms"),
        ("panic for the test", Outcome::Crashed, "for the test"),
        ("stack", Outcome::Crashed, "signal"),
        ("memory", Outcome::LimitMemory, "256 MiB"),
        ("exit", Outcome::Crashed, "code 0"),
        ("garbage", Outcome::ProtocolError, "kind of message"),
        ("flood", Outcome::ProtocolError, "4294967295"),
        ("stale", Outcome::ProtocolError, "job"),
        ("close", Outcome::Crashed, ""),
    ] {
        let begun = Instant::now();
        let fault = read(&extractor, format!("mock:{command}").as_bytes(), command).unwrap_err();
        assert_eq!(fault.outcome, outcome, "{command}: {fault}");
        assert!(fault.message.contains(words), "{command}: {fault}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{command}");
        same(&read(&extractor, &good, "a.jpg").unwrap(), &expected, command);
    }
    let snapshot = extractor.snapshot();
    // All but the counted memory are tried twice.
    assert_eq!((snapshot.died, snapshot.retried), (17, 8));
}

/// Of files that are read together each misdeed is put on the file that did it, whatever its place; all others are read.
#[test]
fn in_a_batch_the_guilty_one_is_found() {
    let extractor = extractor(Sandbox { wall: Duration::from_millis(700), cpu: Duration::from_secs(1), ..sandbox() });
    let good = std::fs::read(sample("photos/2022/Reykjavik/IMG_2041.jpg")).unwrap();
    let expected = extract::extract(&good, &Hint { name: "a.jpg" }, &extract::Options::default()).unwrap();
    let deeds = [
        ("hang", Outcome::Timeout, 2),
        ("panic for the test", Outcome::Crashed, 2),
        ("stack", Outcome::Crashed, 2),
        ("memory", Outcome::LimitMemory, 1),
        ("exit", Outcome::Crashed, 2),
        ("garbage", Outcome::ProtocolError, 2),
        ("flood", Outcome::ProtocolError, 2),
        ("stale", Outcome::ProtocolError, 2),
        ("escape 3", Outcome::SandboxViolation, 2),
    ];
    for (number, (command, outcome, deaths)) in deeds.into_iter().enumerate() {
        let place = number * 2;
        let before = extractor.snapshot();
        let files: Vec<(File, Vec<u8>)> = (0..20)
            .map(|n| {
                let bytes = if n == place { format!("mock:{command}").into_bytes() } else { good.clone() };
                let mut file = tempfile::tempfile().unwrap();
                std::io::Write::write_all(&mut file, &bytes).unwrap();
                (file, bytes)
            })
            .collect();
        // Kinds of files are counted by extension: each misdeed has one of its own.
        let name = format!("a.k{number}");
        let mut batch = extractor.batch();
        for (n, (file, bytes)) in files.iter().enumerate() {
            let request = Request {
                name: if n == place { &name } else { "a.jpg" },
                options: extract::Options::default(),
                evidence: true,
            };
            let file = Handle { bytes, descriptor: (n != 7).then(|| file.as_fd()) };
            batch.add(n, Item { file, beside: None, request });
        }
        let mut came = std::collections::BTreeMap::new();
        batch.finish(&mut |n, read| assert!(came.insert(n, read).is_none(), "{n} twice"));
        assert_eq!(came.len(), 20, "{command}");
        for (n, read) in came {
            match read {
                Err(fault) => assert_eq!((n, fault.outcome), (place, outcome), "{command}: {fault}"),
                Ok(read) => same(&read, &expected, command),
            }
        }
        let after = extractor.snapshot();
        assert_eq!((after.died - before.died, after.retried - before.retried), (deaths, deaths - 1), "{command}");
    }
}

/// What the walls cost no file when several are read together: the sample files, by batches and one by one.
#[test]
fn a_batch_reads_what_single_files_give() {
    let product = Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_medialith"))), ..Sandbox::default() };
    let (walls, threads) = (extractor(product), Extractor::new(&Isolation::InThread).unwrap());
    let paths = files(&sample(""));
    let open: Vec<(File, Vec<u8>)> =
        paths.iter().map(|path| (File::open(path).unwrap(), std::fs::read(path).unwrap())).collect();
    for extractor in [&walls, &threads] {
        let mut batch = extractor.batch();
        for (n, (path, (file, bytes))) in paths.iter().zip(&open).cycle().take(100).enumerate() {
            let request =
                Request { name: path.to_str().unwrap(), options: extract::Options::default(), evidence: true };
            let beside = (n % 3 == 0).then_some(Handle { bytes, descriptor: Some(file.as_fd()) });
            batch.add(n, Item { file: Handle { bytes, descriptor: Some(file.as_fd()) }, beside, request });
        }
        let mut count = 0;
        batch.finish(&mut |n, read| {
            let ((path, (_, bytes)), name) = (paths.iter().zip(&open).cycle().nth(n).unwrap(), "sample");
            let beside = (n % 3 == 0).then_some(bytes as &dyn medialith::codec::ReadAt);
            let hint = Hint { name: path.to_str().unwrap() };
            let plain = extract::extract_with(bytes, beside, &hint, &extract::Options::default()).unwrap();
            same(&read.unwrap(), &plain, name);
            count += 1;
        });
        assert_eq!(count, 100);
    }
    assert_eq!(walls.snapshot().died, 0);
}

#[test]
fn processor_time_is_counted() {
    let extractor = extractor(Sandbox { cpu: Duration::from_secs(1), ..sandbox() });
    let fault = read(&extractor, b"mock:spin", "s").unwrap_err();
    assert_eq!(fault.outcome, Outcome::LimitCpu, "{fault}");
    assert_eq!(extractor.snapshot().retried, 0);
}

#[test]
fn who_copes_with_refused_memory_keeps_what_it_found() {
    let extractor = extractor(sandbox());
    let found = read(&extractor, b"mock:reserve", "r").unwrap();
    assert_eq!(found.members.text(field::TITLE), Some("obeyed"));
    assert!(found.warnings[0].message.contains("256 MiB"), "{:?}", found.warnings);
    assert_eq!(Outcome::of(&found), Outcome::LimitMemory, "what is stored with its document");
    assert_eq!(extractor.snapshot().outcomes[2], (Outcome::LimitMemory, 1));
    assert_eq!(extractor.snapshot().died, 0);
}

#[test]
fn a_program_that_is_no_worker_is_noticed() {
    for helper in ["/bin/true", "/nonexistent/medialith"] {
        let extractor = extractor(Sandbox { helper: Some(helper.into()), ..Sandbox::default() });
        let error = extractor.prepare().unwrap_err();
        assert!(error.message().contains("worker"), "{error}");
    }
}

#[test]
fn ranges_and_descriptors_and_threads_agree() {
    let product = Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_medialith"))), ..Sandbox::default() };
    let walls = extractor(product);
    let threads = Extractor::new(&Isolation::InThread).unwrap();
    let options = extract::Options::default();
    for path in files(&sample("")) {
        let (bytes, file, name) = (std::fs::read(&path).unwrap(), File::open(&path).unwrap(), path.to_str().unwrap());
        let request = Request { name, options, evidence: true };
        let ranges = Handle { bytes: &bytes, descriptor: None };
        let descriptor = Handle { bytes: &bytes, descriptor: Some(file.as_fd()) };
        let plain = threads.extract(ranges, None, &request).unwrap();
        same(&walls.extract(descriptor, None, &request).unwrap(), &plain, name);
        same(&walls.extract(ranges, None, &request).unwrap(), &plain, name);
    }
    assert_eq!(walls.snapshot().died, 0);
}

/// The corpus of the project, real and hostile: no file may cost a worker or need a call that the jail forbids.
#[test]
fn the_corpus_stays_within_the_walls() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/dev");
    if !corpus.is_dir() {
        println!("skipped: no corpus in ../shared");
        return;
    }
    let walls =
        extractor(Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_medialith"))), ..Sandbox::default() });
    let (options, mut count) = (extract::Options::default(), 0);
    for path in files(&corpus) {
        let (file, name) = (File::open(&path).unwrap(), path.to_string_lossy().into_owned());
        let bytes = std::fs::read(&path).unwrap();
        let request = Request { name: &name, options, evidence: false };
        let read = walls.extract(Handle { bytes: &bytes, descriptor: Some(file.as_fd()) }, None, &request);
        let plain = extract::extract(&bytes, &Hint { name: &name }, &options).unwrap();
        assert_eq!(read.unwrap_or_else(|fault| panic!("{name}: {fault}")).members, plain.members, "{name}");
        count += 1;
    }
    assert_eq!(walls.snapshot().died, 0);
    println!("{count} files read alike in workers and in a thread");
}

fn open(folder: &Path) -> (Engine, Dataset) {
    let isolation = Isolation::Process(Sandbox { wall: Duration::from_millis(500), ..sandbox() });
    let engine = Engine::open(folder, Options { isolation, ..Options::default() }).unwrap();
    let _there = engine.create_project("p", &ProjectSpec::default());
    let _there = engine.create_dataset("p", "d", &DatasetSpec::default());
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn index(dataset: &Dataset, folder: &Path, again: bool) -> (u64, u64, u64) {
    let (options, progress) = (IngestOptions { again, ..IngestOptions::default() }, Progress::new());
    dataset.index_folder("b", folder, &options, &progress).unwrap();
    let counts = progress.counts();
    (counts.indexed, counts.unchanged, counts.failed)
}

#[test]
fn poison_is_tried_twice_then_kept_apart_until_it_changes() {
    let home = tempfile::tempdir().unwrap();
    let (media, db) = (home.path().join("media"), home.path().join("db"));
    std::fs::create_dir(&media).unwrap();
    let good = std::fs::read(sample("photos/2022/Reykjavik/IMG_2041.jpg")).unwrap();
    for n in 0..200 {
        std::fs::write(media.join(format!("{n:03}.jpg")), &good).unwrap();
    }
    std::fs::write(media.join("050.jpg"), "mock:stack").unwrap();
    std::fs::write(media.join("150.jpg"), "mock:garbage").unwrap();
    {
        let (engine, dataset) = open(&db);
        assert_eq!(index(&dataset, &media, false), (200, 0, 2));
        let snapshot = engine.extraction();
        assert_eq!((snapshot.died, snapshot.retried), (4, 2));
        let held = dataset.quarantined().unwrap();
        let told: Vec<_> = held.iter().map(|q| (q.uri.as_str(), q.outcome)).collect();
        assert_eq!(told, [("oss://b/050.jpg", Outcome::Crashed), ("oss://b/150.jpg", Outcome::ProtocolError)]);
        let file = dataset.get("oss://b/050.jpg", &[]).unwrap().unwrap();
        assert_eq!(file.text(field::OBJECT_STATUS), Some("Failed"));
        assert!(file.text(field::REASON).unwrap().contains("crashed: "), "{:?}", file.text(field::REASON));
        let well = dataset.get("oss://b/051.jpg", &[]).unwrap().unwrap();
        assert_eq!((well.text(field::MEDIA_TYPE), well.text(field::EXTRACT_OUTCOME)), (Some("image"), None));
        assert_eq!(found(&dataset, "outcome:crashed"), ["oss://b/050.jpg"]);
        assert_eq!(found(&dataset, "outcome:protocol_error"), ["oss://b/150.jpg"]);
        assert!(found(&dataset, "outcome:partial").is_empty());
    }
    // Another process: what it did is known, even where everything is read again.
    let (engine, dataset) = open(&db);
    assert_eq!(index(&dataset, &media, true), (198, 2, 0));
    assert_eq!(engine.extraction().died, 0);
    // Its record was removed: it is stored once more, and not read.
    dataset.delete(vec!["oss://b/050.jpg".to_owned()]).unwrap();
    assert_eq!(index(&dataset, &media, false), (1, 199, 1));
    assert_eq!(engine.extraction().died, 0);
    assert_eq!(found(&dataset, "outcome:quarantined"), ["oss://b/050.jpg"]);
    // Released, it costs two workers more; changed, it is well.
    assert_eq!(dataset.release_quarantined().unwrap(), 2);
    assert_eq!(index(&dataset, &media, true), (200, 0, 2));
    assert_eq!(engine.extraction().died, 4);
    std::fs::write(media.join("050.jpg"), &good).unwrap();
    assert_eq!(index(&dataset, &media, false), (1, 199, 0));
    assert_eq!(dataset.quarantined().unwrap().len(), 1);
    assert_eq!(
        found(&dataset, "outcome:crashed or outcome:quarantined or outcome:protocol_error"),
        ["oss://b/150.jpg"]
    );
}

/// URIs of the files that a text finds, as the command takes it.
fn found(dataset: &Dataset, text: &str) -> Vec<String> {
    let filter = language::parse(text).unwrap().into_filter();
    let answer = dataset.search(&Query { filter, ..Query::default() }).unwrap();
    let mut uris: Vec<String> = answer.files.iter().map(|file| file.uri().to_owned()).collect();
    uris.sort();
    uris
}

/// Pictures are decoded in the worker, and are what a thread makes of them; refusals are of the same kind.
#[test]
fn pictures_are_decoded_behind_the_walls() {
    let product = Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_medialith"))), ..Sandbox::default() };
    let (walls, threads) = (extractor(product), Extractor::new(&Isolation::InThread).unwrap());
    let mut files: Vec<(String, Vec<u8>)> =
        files(&sample("")).iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect();
    files.extend(crate::bombs::all().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
    let (mut seen, mut refused) = (0, 0);
    for (number, (name, bytes)) in files.iter().enumerate() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let handle = Handle { bytes, descriptor: (number % 3 > 0).then(|| file.as_fd()) };
        let longest = [64, LONGEST, LONGEST_FOR_TEXT][number % 3];
        let (one, two) = (
            walls.picture(handle, name, longest, &Budget::default()),
            threads.picture(handle, name, longest, &Budget::default()),
        );
        match (one, two) {
            (Ok(one), Ok(two)) => {
                assert_eq!((one.width, one.height), (two.width, two.height), "{name}");
                assert!(one.pixels == two.pixels, "{name}");
                seen += 1;
            }
            (Err(one), Err(two)) => {
                assert_eq!((one.kind(), one.message()), (two.kind(), two.message()), "{name}");
                refused += 1;
            }
            (one, two) => panic!("{name}: a worker says {:?}, a thread {:?}", one.err(), two.err()),
        }
    }
    assert!(seen >= 8 && refused >= 60, "{seen} pictures, {refused} refused");
    assert_eq!(walls.snapshot().died, 0);
}

/// What a binding picks up is read within the walls as well, and poison costs two workers, not two at each start.
#[test]
fn bound_folders_are_read_within_the_walls() {
    let home = tempfile::tempdir().unwrap();
    let (media, db) = (home.path().join("media"), home.path().join("db"));
    std::fs::create_dir(&media).unwrap();
    let good = std::fs::read(sample("photos/2022/Reykjavik/IMG_2041.jpg")).unwrap();
    std::fs::write(media.join("a.jpg"), &good).unwrap();
    std::fs::write(media.join("b.jpg"), "mock:stack").unwrap();
    let run = |engine: &Engine| {
        let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
        assert!(follower.wait_idle(Duration::from_secs(60)).unwrap());
        follower
    };
    let status = |dataset: &Dataset| {
        let file = dataset.get("oss://b/b.jpg", &[]).unwrap().unwrap();
        file.text(field::OBJECT_STATUS).unwrap_or("").to_owned()
    };
    {
        let (engine, dataset) = open(&db);
        let spec = BindingSpec { source: media.to_str().unwrap().to_owned(), ..BindingSpec::default() };
        engine.create_binding("p", "d", "oss://b", &spec).unwrap();
        run(&engine).stop();
        assert_eq!((engine.extraction().died, dataset.quarantined().unwrap().len()), (2, 1));
        assert_eq!((status(&dataset).as_str(), dataset.len().unwrap()), ("Failed", 2));
    }
    let (engine, dataset) = open(&db);
    let follower = run(&engine);
    assert_eq!(engine.extraction().died, 0);
    std::fs::write(media.join("c.jpg"), "mock:stack").unwrap();
    let begun = Instant::now();
    while dataset.quarantined().unwrap().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(engine.extraction().died, 2);
    std::fs::write(media.join("b.jpg"), &good).unwrap();
    while status(&dataset) == "Failed" {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((dataset.quarantined().unwrap().len(), engine.extraction().died), (1, 2));
    // One that is gone is held no longer.
    std::fs::remove_file(media.join("c.jpg")).unwrap();
    while !dataset.quarantined().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    follower.stop();
}
