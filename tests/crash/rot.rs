//! Rotten bits and cut files: over every kind of file of a database, one bit flips or the end is missing. Opening and reading then
//! says what is damaged, or answers as before; it never panics and never answers differently.
//!
//! `MEDIALITH_FLIPS` and `MEDIALITH_CUTS` set the numbers for each kind of file; the sizes of a night are 10,000 and 1,000.

use crate::world::{Dice, State, Supervisor, contents, options, times};
use medialith::engine::{Engine, Options};
use medialith::error::ErrorKind;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A closed database with segments, a log and table files, and what is in it.
fn database(home: &Path) -> (PathBuf, State) {
    let mut supervisor = Supervisor::new(home.join("db"), 3);
    let said = supervisor.start_persistent(12, &[]).ended().1;
    assert_eq!(said.last().map(String::as_str), Some("end"), "{said:?}");
    supervisor.note(&said);
    supervisor.verify(0).unwrap();
    (supervisor.dir.clone(), supervisor.writers[0].1.clone())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
    found.sort();
}

/// `segment`, `table`, `log`, `manifest`, `CURRENT`, `FORMAT`: kinds of files that hold something.
fn kind(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    match name.rsplit_once('.') {
        Some((_, "seg")) => Some("segment"),
        Some((_, "sst")) => Some("table"),
        Some((_, "log")) => Some("log"),
        _ if name.starts_with("MANIFEST") => Some("manifest"),
        _ => ["CURRENT", "FORMAT"].into_iter().find(|known| *known == name),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// What came of a damaged database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// Refused or reported, in words.
    Told,
    /// All of it is there: the damage was outside what counts, or was repaired.
    Whole,
    /// The last commits are missing, as after a crash: a log says nothing of how long it was.
    Shorter,
}

/// Opens and reads everything. Panics if an answer is wrong.
fn examine(dir: &Path, expected: &State, what: &str) -> Found {
    let read = || -> Result<State, medialith::Error> {
        // For reading only: nothing is repaired behind the harness's back, and the copy can be used again.
        let engine = Engine::open(dir, Options { read_only: true, ..options() })?;
        let dataset = engine.dataset("p", "d")?;
        let report = engine.check(true)?;
        if !report.is_clean() {
            return Err(medialith::Error::corrupted(format!("{:?}", report.problems.first())));
        }
        Ok(contents(&dataset))
    };
    let outcome = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| panic!("{what}: it panicked"));
    match outcome {
        Ok(found) if found == *expected => Found::Whole,
        Ok(found) => {
            let older = found.iter().all(|(uri, numbers)| expected.get(uri).is_none_or(|now| numbers.0 <= now.0));
            assert!(what.contains(" log ") && older, "{what}: a wrong answer");
            Found::Shorter
        }
        Err(e) => {
            let kinds = [
                ErrorKind::Corrupted,
                ErrorKind::Io,
                ErrorKind::UnsupportedVersion,
                ErrorKind::NotFound,
                ErrorKind::InvalidArgument,
                ErrorKind::Internal,
            ];
            assert!(kinds.contains(&e.kind()) && e.message().len() > 10, "{what}: {e}");
            Found::Told
        }
    }
}

/// Damages one file of each kind in turn. Returns counts by kind and outcome.
fn spoil(number: u64, how: &str, spoil: impl Fn(&mut Vec<u8>, &mut Dice)) -> BTreeMap<(&'static str, Found), u64> {
    let home = tempfile::tempdir().unwrap();
    let (dir, expected) = database(home.path());
    let (spoilt, mut all) = (home.path().join("spoilt"), Vec::new());
    copy(&dir, &spoilt);
    files(&spoilt, &mut all);
    let (mut dice, mut counts) = (Dice(11), BTreeMap::new());
    for name in ["segment", "table", "log", "manifest", "CURRENT", "FORMAT"] {
        let of_kind: Vec<&PathBuf> =
            all.iter().filter(|p| kind(p) == Some(name) && std::fs::metadata(p).unwrap().len() > 0).collect();
        for _ in 0..if of_kind.is_empty() { 0 } else { number } {
            let path = of_kind[dice.below(of_kind.len() as u64) as usize];
            let whole = std::fs::read(path).unwrap();
            let mut bytes = whole.clone();
            spoil(&mut bytes, &mut dice);
            std::fs::write(path, &bytes).unwrap();
            let found = examine(&spoilt, &expected, &format!("{how} {name} {}", path.display()));
            *counts.entry((name, found)).or_default() += 1;
            std::fs::write(path, &whole).unwrap();
        }
    }
    counts
}

#[test]
fn flipped_bits_are_told() {
    let counts = spoil(times("MEDIALITH_FLIPS", 10), "flip", |bytes, dice| {
        let at = dice.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << dice.below(8);
    });
    println!("flipped bits: {counts:?}");
    // Our own files are covered by checksums to the last bit.
    for name in ["segment", "FORMAT"] {
        assert_eq!(counts.get(&(name, Found::Whole)), None, "{name}: {counts:?}");
        assert!(counts.contains_key(&(name, Found::Told)), "{name}: {counts:?}");
    }
}

#[test]
fn cut_files_are_told() {
    let counts = spoil(times("MEDIALITH_CUTS", 5), "cut", |bytes, dice| {
        bytes.truncate(dice.below(bytes.len() as u64) as usize);
    });
    println!("cut files: {counts:?}");
    assert_eq!(counts.get(&("segment", Found::Whole)), None, "{counts:?}");
}
