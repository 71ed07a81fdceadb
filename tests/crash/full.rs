//! A full disk: writes are refused with a reason and taken again once there is room, reading goes on, and the database opens whatever
//! the state of the disk. Nothing acknowledged is lost.
//!
//! `MEDIALITH_FULL=50` fills the disk that often.

use crate::rig::{Disk, inside};
use crate::world::times;
use medialith::engine::{Dataset, Engine, Options};
use medialith::error::{ErrorKind, Result};
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, field};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

const KEEP: u64 = 24 << 20;

fn options(keep: u64) -> Options {
    Options { memory_bytes: 64 << 20, keep_free_bytes: keep, reserve_bytes: 8 << 20, ..Options::default() }
}

fn open(dir: &Path, keep: u64) -> Result<(Engine, Dataset)> {
    let engine = Engine::open(dir, options(keep))?;
    if engine.health().refuses_writes.is_none() {
        let _there = engine.create_project("p", &ProjectSpec::default());
        let _there = engine.create_dataset("p", "d", &DatasetSpec::default());
    }
    let dataset = engine.dataset("p", "d")?;
    Ok((engine, dataset))
}

fn put(dataset: &Dataset, from: u64) -> Result<()> {
    let text = |n: u64| format!("{n:x}").repeat(200);
    let file = |n| File::new(format!("oss://b/{n:06}.jpg")).with(field::TITLE, text(n));
    dataset.put((from..from + 50).map(file).collect())
}

/// Takes all the room that is left, but for the blocks that only root may use.
fn fill(disk: &Disk) -> std::path::PathBuf {
    use std::io::Write;
    let ballast = disk.mount.join("ballast");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
    for size in [1 << 20, 4 << 10] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    ballast
}

/// Everything acknowledged can be read and found.
fn all_there(dataset: &Dataset, calls: &BTreeSet<u64>) {
    let begun = Instant::now();
    assert!(dataset.len().unwrap() >= calls.len() as u64 * 50);
    let query = Query { text: ".jpg".into(), ..Query::default() };
    assert!(dataset.search(&query).unwrap().total.unwrap() >= calls.len() as u64 * 50);
    for call in calls {
        assert!(dataset.get(&format!("oss://b/{:06}.jpg", call * 50), &[]).unwrap().is_some(), "call {call}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    if !inside("full::a_full_disk_refuses_writes_and_nothing_else") {
        return;
    }
    let disk = match Disk::make(192) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: {why}"),
    };
    let (dir, mut acked, mut next) = (disk.mount.join("db"), BTreeSet::new(), 0);
    for moment in 0..times("MEDIALITH_FULL", 3) {
        let (engine, dataset) = open(&dir, KEEP).unwrap();
        for _ in 0..10 + moment % 7 {
            put(&dataset, next * 50).unwrap();
            acked.insert(next);
            next += 1;
        }
        let ballast = fill(&disk);
        let error = put(&dataset, next * 50).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::StorageFull, true), "{error}");
        assert!(engine.health().refuses_writes.unwrap().contains("MiB left"));
        all_there(&dataset, &acked);
        if moment % 2 == 0 {
            // Room comes back: so do writes, without opening anew.
            std::fs::remove_file(&ballast).unwrap();
            put(&dataset, next * 50).unwrap();
            acked.insert(next);
            next += 1;
            drop((engine, dataset));
        } else {
            // It is opened while there is no room at all.
            drop((engine, dataset));
            let (engine, dataset) = open(&dir, KEEP).unwrap();
            assert!(engine.health().refuses_writes.is_some());
            assert_eq!(put(&dataset, next * 50).unwrap_err().kind(), ErrorKind::StorageFull);
            all_there(&dataset, &acked);
            drop((engine, dataset));
            std::fs::remove_file(&ballast).unwrap();
        }
        let (engine, dataset) = open(&dir, KEEP).unwrap();
        assert_eq!(engine.health().refuses_writes, None);
        all_there(&dataset, &acked);
        assert!(engine.check(true).unwrap().is_clean());
    }
    println!("full disk: {} calls acknowledged, 0 lost", acked.len());
}

/// The control: without the mark the store meets the end of the disk in the middle of a write, and refuses all that follow.
#[test]
fn without_the_mark_a_full_disk_ends_writing() {
    if !inside("full::without_the_mark_a_full_disk_ends_writing") {
        return;
    }
    let disk = match Disk::make(96) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: {why}"),
    };
    let (_engine, dataset) = open(&disk.mount.join("db"), 0).unwrap();
    put(&dataset, 0).unwrap();
    let ballast = fill(&disk);
    let failed = (1..2000).find_map(|n| put(&dataset, n * 50).err());
    let error = failed.expect("the disk is full");
    assert!([ErrorKind::StorageFull, ErrorKind::OutcomeUnknown].contains(&error.kind()), "{error}");
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(put(&dataset, 0).unwrap_err().kind(), ErrorKind::OutcomeUnknown, "until it is opened anew");
}

/// A file system that may not be written: the database is read, and says why it takes no writes.
#[test]
fn a_read_only_file_system_is_read() {
    if !inside("full::a_read_only_file_system_is_read") {
        return;
    }
    let disk = match Disk::make(96) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: {why}"),
    };
    let dir = disk.mount.join("db");
    {
        let (_engine, dataset) = open(&dir, 0).unwrap();
        put(&dataset, 0).unwrap();
    }
    crate::rig::system("mount", &["-o", "remount,ro", disk.mount.to_str().unwrap()]).unwrap();
    let (engine, dataset) = open(&dir, 0).unwrap();
    assert!(engine.health().refuses_writes.unwrap().contains("reading only"));
    all_there(&dataset, &BTreeSet::from([0]));
    assert_eq!(put(&dataset, 50).unwrap_err().kind(), ErrorKind::ReadOnly);
}
