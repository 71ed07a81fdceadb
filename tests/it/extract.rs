//! Extraction of the development corpus, whole and damaged: caps hold, nothing panics. What it says is compared with other
//! tools in tests/oracle. Skipped, with a line that says so, where the corpus is not there.

use medialith::extract::{CREDITS, Extracted, Group, Hint, Limits, Options, PRECEDENCE, extract};
use medialith::model::{Timestamp, field};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder that is shared by all who work on this, beside the repository.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("MEDIALITH_SHARED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let found = folder.join("corpus/dev").is_dir();
    if !found {
        println!("skipped: there is no corpus at {}", folder.display());
    }
    found.then_some(folder)
}

fn corpus(shared: &Path) -> Vec<PathBuf> {
    let mut folders = vec![shared.join("corpus/dev")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    assert!(found.len() > 1000, "the walk found the corpus");
    found
}

fn run(bytes: &[u8], path: &Path) -> Extracted {
    let name = path.file_name().unwrap().to_string_lossy();
    let data = bytes.to_vec();
    let found = extract(&data, &Hint { name: &name }, &Options::default());
    found.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What must hold of any input whatsoever.
fn check(found: &Extracted, bytes: &[u8], took: Duration, path: &Path) {
    let limits = Limits::default();
    assert!(took < Duration::from_secs(1), "{}: took {took:?}", path.display());
    assert!(found.bytes_read <= limits.bytes, "{}: {} bytes", path.display(), found.bytes_read);
    assert!(found.ranges.iter().all(|r| r.end <= bytes.len() as u64), "{}", path.display());
    assert!(found.members.text(field::CONTENT_TYPE).is_some(), "{}", path.display());
    let panicked = found.warnings.iter().find(|w| w.message.contains("a defect in medialith"));
    assert!(panicked.is_none(), "{}: {panicked:?}", path.display());
    if let Some(exif) = found.members.text(field::EXIF) {
        let json: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(exif).unwrap();
        assert!(json.values().all(|tag| tag.len() == 1 && tag.contains_key("value")), "{}", path.display());
    }
    if let Some(time) = found.members.text(field::PRODUCE_TIME) {
        Timestamp::parse(time).unwrap();
    }
}

#[test]
fn every_corpus_file_is_read_whole_cut_and_flipped() {
    let Some(shared) = shared() else { return };
    let (mut files, mut damaged, mut slowest) = (0, 0, Duration::ZERO);
    let mut read = Vec::new();
    let mut timed = |bytes: &[u8], path: &Path| {
        let start = Instant::now();
        let found = run(bytes, path);
        let took = start.elapsed();
        check(&found, bytes, took, path);
        slowest = slowest.max(took);
        found.bytes_read
    };
    for path in corpus(&shared) {
        let mut bytes = std::fs::read(&path).unwrap();
        read.push(timed(&bytes, &path));
        files += 1;
        if bytes.len() > 64 << 10 {
            continue;
        }
        // Every 64th byte, thinned to 48 places per file so that the test stays short.
        for end in (0..bytes.len()).step_by((bytes.len() / 48).next_multiple_of(64).max(64)) {
            timed(&bytes[..end], &path);
            damaged += 1;
        }
        // Every 97th byte, thinned likewise; flips add up, so that later places are met in a file that is ever worse.
        for at in (0..bytes.len()).step_by((bytes.len() / 24).next_multiple_of(97).max(97)) {
            bytes[at] ^= 0xFF;
            timed(&bytes, &path);
            damaged += 1;
        }
    }
    read.sort_unstable();
    println!("{files} files, {damaged} damaged, slowest {slowest:?}, median {} bytes read", read[read.len() / 2]);
    assert!(read[read.len() / 2] <= 64 << 10, "median bytes read");
}

/// Rows of the table that begins with `head` in `docs/extraction.md`.
fn documented(head: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/extraction.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    rows.take_while(|line| line.starts_with('|')).map(|line| line.replace('`', "")).collect()
}

fn row(name: impl std::fmt::Display, ways: &[(Group, &str)]) -> String {
    let ways: Vec<String> = ways.iter().map(|(group, tag)| format!("{group:?} {tag}")).collect();
    format!("| {name} | {} |", ways.join(", "))
}

/// `docs/extraction.md` shows the tables of `src/extract`: neither changes without the other.
#[test]
fn documented_precedence_is_the_table() {
    let members: Vec<String> = PRECEDENCE.iter().map(|(member, ways)| row(member, ways)).collect();
    assert_eq!(documented("| member |"), members);
    let facts: Vec<String> = CREDITS.iter().map(|(name, ways)| row(name, ways)).collect();
    assert_eq!(documented("| fact |"), facts);
}
