//! Extraction against the development corpus and what exiftool says of it. Skipped, with a line that says so, where
//! the corpus is not there.

use medialith::extract::{CREDITS, Extracted, Group, Hint, Limits, Options, PRECEDENCE, extract};
use medialith::model::{Timestamp, field};
use serde_json::Value as Json;
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
fn every_corpus_file_is_read_whole_and_cut() {
    let Some(shared) = shared() else { return };
    let (mut files, mut cuts, mut slowest) = (0, 0, Duration::ZERO);
    let mut read = Vec::new();
    for path in corpus(&shared) {
        let bytes = std::fs::read(&path).unwrap();
        let start = Instant::now();
        let found = run(&bytes, &path);
        let took = start.elapsed();
        check(&found, &bytes, took, &path);
        slowest = slowest.max(took);
        read.push(found.bytes_read);
        files += 1;
        if bytes.len() > 64 << 10 {
            continue;
        }
        // Every 64th byte, thinned to 48 places per file so that the test stays short.
        let step = (bytes.len() / 48).next_multiple_of(64).max(64);
        for end in (0..bytes.len()).step_by(step) {
            let start = Instant::now();
            check(&run(&bytes[..end], &path), &bytes, start.elapsed(), &path);
            cuts += 1;
        }
    }
    read.sort_unstable();
    println!("{files} files, {cuts} cuts, slowest {slowest:?}, median {} bytes read", read[read.len() / 2]);
    assert!(read[read.len() / 2] <= 64 << 10, "median bytes read");
}

/// The formats that must agree; the others are shown.
const WHOLE: [&str; 8] =
    ["image/jpeg", "image/png", "image/tiff", "image/heic", "image/heif", "image/avif", "image/webp", "image/gif"];

#[derive(Default)]
struct Score {
    agree: usize,
    differ: Vec<String>,
    missing: Vec<String>,
}

impl Score {
    fn note(&mut self, path: &str, want: &str, got: Option<String>, same: bool) {
        match got {
            Some(_) if same => self.agree += 1,
            Some(got) => self.differ.push(format!("{path}: {got}, exiftool {want}")),
            None => self.missing.push(format!("{path}: exiftool {want}")),
        }
    }

    fn total(&self) -> usize {
        self.agree + self.differ.len() + self.missing.len()
    }
}

fn oracle(shared: &Path, relative: &str) -> Option<Json> {
    let path = shared.join("corpus/oracle/dev").join(format!("{relative}.exiftool.json"));
    let text = std::fs::read_to_string(path).ok()?;
    let json: Json = serde_json::from_str(&text).ok()?;
    json.get(0).cloned()
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// Takes what was compared, what was expected, what came, and whether that agrees.
type Compare<'a> = dyn FnMut(&'static str, &str, Option<String>, bool) + 'a;

fn compare(score: &mut Compare<'_>, want: &Json, found: &Extracted) {
    let members = &found.members;
    if let Some(size) = want.get("Composite:ImageSize").map(text).filter(|size| !size.starts_with("0 ")) {
        let side = |id| members.get(id).and_then(|v| v.as_int());
        let got = side(field::IMAGE_WIDTH).zip(side(field::IMAGE_HEIGHT)).map(|(w, h)| format!("{w} {h}"));
        let same = got.as_deref() == Some(size.as_str());
        score("size", &size, got, same);
    }
    let orientation = want.get("IFD0:Orientation").filter(|o| o.as_i64().is_some_and(|o| (1..=8).contains(&o)));
    if let Some(want) = orientation.map(text) {
        let got = members.get(field::ORIENTATION).and_then(|v| v.as_int()).map(|o| o.to_string());
        let same = got.as_deref() == Some(want.as_str());
        score("orientation", &want, got, same);
    }
    let original = want.get("ExifIFD:DateTimeOriginal").map(text);
    if let Some(want) = original.filter(|t| t.len() >= 19 && !t.starts_with("0000")) {
        let plain = want[..10].replace(':', "-") + "T" + &want[11..19];
        let got = members.text(field::PRODUCE_TIME).map(str::to_owned);
        let same = got.as_deref().is_some_and(|got| got.starts_with(&plain));
        score("time", &want, got, same);
    }
    let place = want.get("Composite:GPSLatitude").zip(want.get("Composite:GPSLongitude"));
    if let Some((lat, lon)) = place.and_then(|(lat, lon)| lat.as_f64().zip(lon.as_f64())) {
        let got = members.text(field::LAT_LONG).map(str::to_owned);
        let parts: Vec<f64> = got.iter().flat_map(|t| t.split(',')).map(|t| t.parse().unwrap()).collect();
        let same = parts.len() == 2 && (parts[0] - lat).abs() < 2e-6 && (parts[1] - lon).abs() < 2e-6;
        score("place", &format!("{lat},{lon}"), got, same);
    }
}

#[test]
fn images_agree_with_exiftool() {
    let Some(shared) = shared() else { return };
    let root = shared.join("corpus/dev");
    let mut scores: BTreeMap<(String, &'static str), Score> = BTreeMap::new();
    for path in corpus(&shared) {
        let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let Some(want) = oracle(&shared, &relative) else { continue };
        let Some(kind) = want.get("File:MIMEType").and_then(Json::as_str).filter(|m| m.starts_with("image/")) else {
            continue;
        };
        let found = run(&std::fs::read(&path).unwrap(), &path);
        let damaged = if relative.starts_with("broken/") { " damaged" } else { "" };
        let kind = format!("{kind}{damaged}");
        compare(
            &mut |what, want, got, same| {
                scores.entry((kind.clone(), what)).or_default().note(&relative, want, got, same);
            },
            &want,
            &found,
        );
    }
    println!("{:<34} {:<12} {:>6} {:>6} {:>7}", "format", "field", "agree", "differ", "missing");
    for ((kind, what), score) in &scores {
        println!("{kind:<34} {what:<12} {:>6} {:>6} {:>7}", score.agree, score.differ.len(), score.missing.len());
        for line in score.differ.iter().chain(&score.missing) {
            println!("    {line}");
        }
    }
    for what in ["size", "orientation", "time", "place"] {
        let of = |score: &dyn Fn(&Score) -> usize| -> usize {
            let whole = WHOLE.iter().filter_map(|kind| scores.get(&((*kind).to_owned(), what)));
            whole.map(score).sum()
        };
        let (agree, total) = (of(&|score| score.agree), of(&Score::total));
        println!("{what}: {agree} of {total}");
        // One file may be odd in a small set.
        assert!((agree * 100 >= total * 98 || agree + 1 == total) && total > 20, "{what}: {agree} of {total} agree");
    }
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
