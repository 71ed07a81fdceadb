//! How many documents a second of one processor gives, and how many bytes of each file are read for it.
//!
//! `cargo bench --no-default-features --features extract --bench extract -- FOLDER [REPEATS]`
//! over every file below FOLDER (the shared corpus: `../shared/corpus/dev`), by MediaType, page cache warm. Files that were
//! damaged on purpose are left out, as they are for the project's yardstick (`tools/peers/lists.sh`). Prints one JSON line
//! for each kind, then the slowest files. Without arguments it says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

use medialith::codec::ReadAt;
use medialith::extract::{Hint, Options, extract};
use medialith::model::field;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An open file, read at positions.
struct Open {
    file: File,
    len: u64,
}

impl ReadAt for Open {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

/// CPU seconds of this thread: other work on the machine hardly moves it.
fn cpu() -> f64 {
    cpu_time::ThreadTime::now().as_duration().as_secs_f64()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        if name == "broken" || name.contains("fuzz") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            files(&path, found);
        } else if entry.metadata().unwrap().len() > 0 {
            found.push(path);
        }
    }
    found.sort();
}

/// Opens and reads one file, as indexing does. Returns its kind and the bytes read.
fn read(path: &Path) -> (String, u64) {
    let file = File::open(path).unwrap();
    let len = file.metadata().unwrap().len();
    let name = path.file_name().unwrap().to_string_lossy();
    let found = extract(&Open { file, len }, &Hint { name: &name }, &Options::default()).unwrap();
    (found.members.text(field::MEDIA_TYPE).unwrap().to_owned(), found.bytes_read)
}

/// What was measured of the files of one kind.
#[derive(Default)]
struct Kind {
    seconds: Vec<f64>,
    bytes: Vec<u64>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [folder, rest @ ..] = args.as_slice() else {
        println!("skipped: expected FOLDER, see the head of benches/extract.rs");
        return;
    };
    let repeats: usize = rest.first().map_or(5, |n| n.parse().unwrap());
    let mut found = Vec::new();
    files(Path::new(folder), &mut found);
    found.iter().for_each(|path| drop(read(path)));
    let (mut kinds, mut slow): (BTreeMap<String, Kind>, Vec<(f64, &Path)>) = (BTreeMap::new(), Vec::new());
    for path in &found {
        let start = cpu();
        let mut last = read(path);
        for _ in 1..repeats {
            last = read(path);
        }
        let seconds = (cpu() - start) / repeats as f64;
        let kind = kinds.entry(last.0).or_default();
        kind.seconds.push(seconds);
        kind.bytes.push(last.1);
        slow.push((seconds, path));
    }
    for (name, kind) in &mut kinds {
        print(name, kind);
    }
    slow.sort_by(|a, b| b.0.total_cmp(&a.0));
    slow.iter().take(10).for_each(|(seconds, path)| println!("{:.1} ms {}", seconds * 1e3, path.display()));
}

fn print(name: &str, kind: &mut Kind) {
    let total: f64 = kind.seconds.iter().sum();
    kind.seconds.sort_by(f64::total_cmp);
    kind.bytes.sort_unstable();
    let count = kind.bytes.len();
    let at = |share: usize| (count * share / 100).min(count - 1);
    println!(
        "{}",
        serde_json::json!({"measure": "extract", "kind": name, "files": count,
        "documents_per_cpu_second": (count as f64 / total).round(),
        "us_median": (kind.seconds[at(50)] * 1e7).round() / 10.0, "us_p99": (kind.seconds[at(99)] * 1e7).round() / 10.0,
        "bytes_read_median": kind.bytes[at(50)], "bytes_read_p99": kind.bytes[at(99)], "bytes_read_most": kind.bytes[count - 1]})
    );
}
