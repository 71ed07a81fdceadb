//! Extraction compared with what exiftool, ffprobe, MediaInfo, mutagen, pdfinfo and 7z say of the development corpus.
//!
//! `cargo test --no-default-features --features extract --test oracle -- [--details FORMAT.FIELD] [--file PART]`
//!
//! Prints a table per format and field: agree, differ, missing, extra. Several oracles may answer one question; we agree
//! if we agree with one of them. Differences that a person has looked at are listed in `tests/data/oracle-reviewed.txt`
//! and counted as reviewed. `--details jpeg.size` prints each difference, `*` stands for every format or field, and
//! `--file PART` reads only paths that contain PART and prints every question. Fails where agreement on whole files
//! falls below a floor. Afterwards every file is damaged in many places (`damage`). Skipped, with a line that says so, where the corpus is not there.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and prints its findings"
)]

mod ask;
mod content_types;
mod damage;
mod exiftool;
mod listings;
mod media;
mod memory;
mod ours;
mod reviewed;
mod tables;
mod tags;

use medialith::extract::{Hint, Options, extract};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tables::Tables;

/// One line of the corpus manifest.
struct Item {
    path: String,
    format: String,
    manifest: Json,
}

/// What the command line asks to see.
struct Show {
    details: Option<(String, String)>,
    file: Option<String>,
}

fn show() -> Show {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| args.iter().position(|a| a == flag).and_then(|at| args.get(at + 1)).cloned();
    let split = |text: String| {
        let (format, field) = text.split_once('.').unwrap_or((&text, "*"));
        (format.to_owned(), field.to_owned())
    };
    Show { details: after("--details").map(split), file: after("--file") }
}

fn corpus() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("MEDIALITH_SHARED").map_or(default, PathBuf::from).join("corpus");
    let found = root.join("dev/manifest.jsonl").is_file();
    if !found {
        println!("skipped: there is no corpus at {} (MEDIALITH_SHARED names the folder that holds it)", root.display());
    }
    found.then_some(root)
}

fn items(root: &Path, part: Option<&str>) -> Vec<Item> {
    let manifest = std::fs::read_to_string(root.join("dev/manifest.jsonl")).unwrap();
    let mut found = Vec::new();
    for line in manifest.lines() {
        let manifest: Json = serde_json::from_str(line).unwrap();
        let path = manifest["path"].as_str().unwrap().to_owned();
        if part.is_none_or(|part| path.contains(part)) {
            found.push(Item { format: format_of(&manifest), path, manifest });
        }
    }
    found
}

/// `jpeg`, `mp3`, ...; `damaged/jpeg` for files that were broken on purpose.
fn format_of(manifest: &Json) -> String {
    let kind = manifest["exiftool_type"].as_str().filter(|kind| !kind.contains(' ')).or(manifest["ext"].as_str());
    let name = kind.filter(|name| !name.is_empty()).unwrap_or("none").to_ascii_lowercase();
    let damaged = matches!(manifest["origin"].as_str(), Some("derived" | "hostile-handmade"));
    if damaged { format!("damaged/{name}") } else { name }
}

/// What an oracle printed of a file, if it was asked.
fn answer(root: &Path, path: &str, oracle: &str) -> Option<Json> {
    let text = std::fs::read(root.join("oracle/dev").join(format!("{path}.{oracle}.json"))).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Turns an oracle's answer and the manifest's line into questions.
type Ask = fn(&Json, &Json, &mut ask::Wants);

fn questions(root: &Path, item: &Item) -> ask::Wants {
    let mut wants = ask::Wants::default();
    content_types::ask(&item.manifest, &mut wants);
    let oracles: [(&str, Ask); 6] = [
        ("exiftool", exiftool::ask),
        ("ffprobe", media::ffprobe),
        ("mediainfo", media::mediainfo),
        ("mutagen", tags::mutagen),
        ("pdfinfo", listings::pdfinfo),
        ("archive", listings::archive),
    ];
    for (name, ask) in oracles {
        if let Some(answer) = answer(root, &item.path, name) {
            wants.oracle = name;
            ask(&answer, &item.manifest, &mut wants);
        }
    }
    wants
}

/// What nextest asks of a test binary before it runs it.
fn listed() -> bool {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    if has("--list") && !has("--ignored") {
        println!("corpus: test");
    }
    has("--list")
}

fn main() {
    if listed() {
        return;
    }
    let (show, Some(root)) = (show(), corpus()) else { return };
    let mut tables = Tables::new();
    for item in items(&root, show.file.as_deref()) {
        let data = std::fs::read(root.join("dev").join(&item.path)).unwrap();
        let name = item.path.rsplit('/').next().unwrap_or_default();
        let found = extract(&data, &Hint { name }, &Options::default()).unwrap();
        let wants = questions(&root, &item);
        tables.note(&item.path, &item.format, &wants, &ours::answers(&found));
        if show.file.is_some() {
            println!("{} ({})", item.path, item.format);
            found.warnings.iter().for_each(|warning| println!("    warning: {warning}"));
        }
    }
    match (&show.details, &show.file) {
        (_, Some(_)) => tables.details("*", "*", true),
        (Some((format, field)), None) => tables.details(format, field, false),
        (None, None) => {
            tables.print();
            tables.check();
            damage::run(&root, &items(&root, None).iter().map(|item| item.path.as_str()).collect::<Vec<_>>());
        }
    }
}
