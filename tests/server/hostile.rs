//! Hostile files through the running server (reliability goals 22 and 23): each ends in a typed state, all others are as they
//! would be without them, and the process that serves neither ends nor grows.
//!
//! `MEDIALITH_HOSTILE` says how many (`./dev soak` takes 10,000), `MEDIALITH_SEED` which.

use super::client::Client;
use super::process::{PLACE, Process, started_with};
use crate::bombs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One file in so many is whole.
const WHOLE: u64 = 10;
/// Files of one call.
const CALL: usize = 100;
/// Memory that the server may gain, in bytes (goal 23). It is opened with the least budget, so that what it keeps of the new
/// documents is little beside what reading them costs.
const GROWTH: u64 = 50 << 20;

/// Pseudo-random numbers (xorshift64*, Vigna 2016): the same files from the same seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// One to eight changes: bytes, numbers that are as large as can be, cuts, stretches doubled, moved or of another file.
fn mutated(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + dice.below(8) {
        // Most structure stands at the beginning.
        let reach = if dice.below(3) > 0 { bytes.len().min(4096) } else { bytes.len() };
        let at = dice.below(reach);
        match dice.below(7) {
            0 | 1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            2 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xFF),
            3 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0),
            4 => bytes.truncate(at.max(1)),
            5 => {
                let end = (at + 1 + dice.below(64 << 10)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
            _ => {
                let from = dice.below(other.len());
                let end = (from + 1 + dice.below(4096)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
        }
    }
    bytes
}

fn samples(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(samples(&path));
        } else {
            let extension = path.extension().map_or(String::new(), |e| e.to_string_lossy().into_owned());
            found.push((extension, std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Writes the files; the keys of those that are whole, and of those that are not.
fn write(folder: &Path, count: u64, seed: u64) -> (Vec<String>, Vec<String>) {
    let samples = samples(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample"));
    let (bombs, mut dice) = (bombs::all(), Dice(seed));
    let whole = std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/photos/2022/Reykjavik/IMG_2041.jpg"),
    );
    let (whole, mut good, mut bad) = (whole.unwrap(), Vec::new(), Vec::new());
    for n in 0..count {
        let (extension, bytes) = &samples[dice.below(samples.len())];
        let other = &samples[dice.below(samples.len())].1;
        let (key, bytes) = match bombs.get(n as usize) {
            _ if n % WHOLE == 0 => (format!("{n:05}.whole.jpg"), whole.clone()),
            Some((name, bytes)) => {
                let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                (format!("{n:05}.{name}.jpg"), bytes.clone())
            }
            None => (format!("{n:05}.{extension}"), mutated(bytes, other, &mut dice)),
        };
        std::fs::write(folder.join(&key), bytes).unwrap();
        if n % WHOLE == 0 { good.push(key) } else { bad.push(key) }
    }
    (good, bad)
}

/// The documents of files, by their keys.
fn documents(client: &Client, keys: &[String]) -> Vec<Value> {
    let ask = |keys: &[String]| {
        let uris = json!(keys.iter().map(|key| format!("oss://b/{key}")).collect::<Vec<_>>()).to_string();
        let answer = client.ok("BatchGetFileMeta", &[PLACE[0], PLACE[1], ("URIs", &uris)]);
        answer["Files"].as_array().unwrap().clone()
    };
    keys.chunks(CALL).flat_map(ask).collect()
}

/// Bytes of memory that a process has, from proc(5).
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Hands files in and waits until all have a document; the longest time for a hundred of them, and the most memory.
fn index(client: &Client, process: &Process, keys: &[String]) -> (Duration, u64) {
    for call in keys.chunks(CALL) {
        let files = json!(call.iter().map(|key| json!({"URI": format!("oss://b/{key}")})).collect::<Vec<_>>());
        client.ok("BatchIndexFileMeta", &[PLACE[0], PLACE[1], ("Files", &files.to_string())]);
    }
    let (mut longest, mut most) = (Duration::ZERO, 0);
    // They are done in the order in which they were handed in.
    for call in keys.chunks(CALL) {
        let begun = Instant::now();
        while documents(client, call).len() < call.len() {
            most = most.max(resident(process.child.id()));
            assert!(begun.elapsed() < Duration::from_secs(300), "stuck at {}", call[0]);
            std::thread::sleep(Duration::from_millis(20));
        }
        longest = longest.max(begun.elapsed());
    }
    (longest, most)
}

#[test]
fn hostile_files_cost_themselves_and_nothing_else() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (count, seed) = (number("MEDIALITH_HOSTILE", 300), number("MEDIALITH_SEED", 0x5EED));
    let dir = tempfile::tempdir().unwrap();
    let (mut process, client) = started_with(dir.path(), &["--memory", "64MiB"]);
    let (good, bad) = write(&dir.path().join("files"), count, seed);
    // Caches and workers are warm before memory is looked at.
    index(&client, &process, &good);
    let before = resident(process.child.id());
    let (waited, most) = index(&client, &process, &[good.as_slice(), &bad].concat());
    assert!(process.child.try_wait().unwrap().is_none(), "the server ended");
    let (whole, found) = (documents(&client, &good), documents(&client, &bad));
    assert_eq!((whole.len(), found.len()), (good.len(), bad.len()), "seed {seed}");
    for document in &whole {
        let told = (&document["ObjectStatus"], &document["ContentType"], &document["ImageWidth"]);
        assert_eq!(told, (&json!("Indexed"), &json!("image/jpeg"), &whole[0]["ImageWidth"]), "{}", document["URI"]);
    }
    assert!(whole[0]["ImageWidth"].as_u64().is_some_and(|width| width > 0));
    let mut failed = 0;
    for document in &found {
        match (document["ObjectStatus"].as_str(), document["Reason"].as_str()) {
            (Some("Indexed"), _) => {}
            (Some("Failed"), Some(reason)) if reason.starts_with('[') => failed += 1,
            other => panic!("{}: expected a typed state, got {other:?}, seed {seed}", document["URI"]),
        }
    }
    let grown = most.saturating_sub(before);
    println!(
        "{count} files, seed {seed}: {} hostile, {failed} of them failed with a reason, the others indexed; {} whole, all read; \
         longest time for a hundred {waited:?}; memory of the server {} MiB, at most {} MiB more",
        bad.len(),
        good.len(),
        before >> 20,
        grown >> 20
    );
    assert!(grown <= GROWTH, "the server grew by {grown} bytes, seed {seed}");
    // The control: a file that was not handed in is missed.
    assert!(documents(&client, &["absent.jpg".to_owned()]).is_empty());
    process.end();
}
