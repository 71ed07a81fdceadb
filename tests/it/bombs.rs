//! Files made to exhaust their reader: each ends in a record or a typed refusal, in its time and its memory, and the workers go on.

use crate::bombs;
use medialith::engine::extraction::{Isolation, Outcome, Sandbox};
use medialith::engine::{Engine, IngestOptions, Options, Progress};
use medialith::extract;
use medialith::isolate::{Extractor, Handle, Request};
use medialith::model::{DatasetSpec, ProjectSpec, field};
use rustix::fs::{CWD, FileType, Mode};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Most of one file, including what a loaded machine adds.
const PATIENCE: Duration = Duration::from_secs(12);

fn sandbox() -> Sandbox {
    Sandbox { helper: Some(PathBuf::from(env!("CARGO_BIN_EXE_medialith"))), ..Sandbox::default() }
}

#[test]
fn each_bomb_costs_little() {
    let all = bombs::all();
    assert!(all.len() >= 60, "{} bombs", all.len());
    let extractor = Extractor::new(&Isolation::Process(sandbox())).unwrap();
    for (name, bytes) in &all {
        assert!(bytes.len() <= 1 << 20, "{name}: {} bytes", bytes.len());
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let begun = Instant::now();
        let request = Request { name: "bomb", options: extract::Options::default(), evidence: false };
        let handle = Handle { bytes, descriptor: Some(file.as_fd()) };
        let found = extractor.extract(handle, None, &request);
        let took = begun.elapsed();
        assert!(took < PATIENCE, "{name}: {took:?}");
        match found {
            Ok(found) => assert!(found.bytes_read <= 8 << 20, "{name}: {} bytes read", found.bytes_read),
            Err(fault) => assert_eq!(fault.outcome, Outcome::LimitMemory, "{name}: {fault}"),
        }
    }
    let snapshot = extractor.snapshot();
    assert_eq!(snapshot.died, 0, "{:?}", snapshot.outcomes);
    println!("{} bombs: {:?}", all.len(), snapshot.outcomes);
}

#[test]
fn a_folder_of_bombs_and_of_things_that_are_no_files() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("media");
    std::fs::create_dir(&folder).unwrap();
    let all = bombs::all();
    for (number, (_, bytes)) in all.iter().enumerate() {
        std::fs::write(folder.join(format!("{number:02}.jpg")), bytes).unwrap();
    }
    let sparse = std::fs::OpenOptions::new().create_new(true).write(true).open(folder.join("sparse.jpg")).unwrap();
    // Where a file system has no files of that size the largest one does.
    let _largest = sparse.set_len(1 << 40).or_else(|_| sparse.set_len(1 << 31));
    rustix::fs::mknodat(CWD, folder.join("fifo.jpg"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("zero.jpg")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xFF\xFE.jpg");
    std::fs::write(folder.join(odd), b"\xFF\xD8\xFF").unwrap();
    let isolation = Isolation::Process(sandbox());
    let engine = Engine::open(home.path().join("db"), Options { isolation, ..Options::default() }).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    let progress = Progress::new();
    let report = dataset.index_folder("b", &folder, &IngestOptions::default(), &progress).unwrap();
    assert_eq!(progress.counts().indexed as usize, all.len() + 2, "{report:?}");
    assert_eq!(report.skipped.len(), 2, "{:?}", report.skipped);
    for file in dataset.scan("", 1000).unwrap() {
        assert!(file.text(field::URI).is_some() && file.int(field::SIZE).is_some());
    }
    assert_eq!(engine.extraction().died, 0, "{:?}", engine.extraction().outcomes);
}
