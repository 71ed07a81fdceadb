//! Audio and video properties against the recorded answers of ffprobe, over the shared corpus.

use medialith::extract::{self, Hint, Options};
use medialith::model::{Members, Value, field};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Containers that are read, by ffprobe's name, and the agreement asked of each question.
const FORMATS: &[(&str, f64)] = &[
    // ffprobe counts the tags behind the sound as sound: much, in files of some frames.
    ("mp3", 0.9),
    ("flac", 0.95),
    ("ogg", 0.95),
    ("wav", 0.95),
    ("mov,mp4,m4a,3gp,3g2,mj2", 0.95),
    ("matroska,webm", 0.95),
    ("aiff", 0.9),
    ("aac", 0.9),
    ("caf", 0.9),
    ("ape", 0.9),
    ("wv", 0.9),
    ("mpc", 0.9),
    ("mpc8", 0.9),
    ("dsf", 0.9),
    ("tta", 0.9),
    ("au", 0.9),
    ("ac3", 0.9),
    ("asf", 0.9),
    ("avi", 0.9),
    ("flv", 0.9),
    ("mpegts", 0.9),
    ("mpeg", 0.9),
    ("dv", 0.9),
];

/// Longest processor time for one file, in an unoptimised build.
const SLOWEST: Duration = Duration::from_millis(250);

fn shared() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("MEDIALITH_SHARED").map_or(default, PathBuf::from).join("corpus");
    root.join("dev").is_dir().then_some(root)
}

/// Every audio and video file of the corpus that ffprobe could read, with its answer.
fn probed(root: &Path) -> Vec<(PathBuf, Json)> {
    let oracle = root.join("oracle/dev");
    let manifest = std::fs::read_to_string(root.join("dev/manifest.jsonl")).unwrap();
    let lines = manifest.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let wanted: HashSet<PathBuf> = lines
        .filter(|line| line["kind"] == "audio" || line["kind"] == "video")
        .map(|line| root.join("dev").join(line["path"].as_str().unwrap()))
        .collect();
    let mut found = Vec::new();
    let mut ahead = vec![oracle.clone()];
    while let Some(dir) = ahead.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                ahead.push(path);
            } else if let Some(name) = path.to_str().and_then(|p| p.strip_suffix(".ffprobe.json")) {
                let media = root.join("dev").join(Path::new(name).strip_prefix(&oracle).unwrap());
                let answer = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
                if let Some(answer) = answer.filter(|_| wanted.contains(&media)) {
                    found.push((media, answer));
                }
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Seconds by MediaInfo, where it was asked: ffprobe counts tags behind the sound as sound, and does not believe the
/// header of a cut file.
fn second_opinion(root: &Path, media: &Path) -> Option<f64> {
    let name = media.strip_prefix(root.join("dev")).ok()?.to_str()?;
    let text = std::fs::read(root.join("oracle/dev").join(format!("{name}.mediainfo.json"))).ok()?;
    let answer: Json = serde_json::from_slice(&text).ok()?;
    let general = answer["track"].as_array()?.iter().find(|track| track["@type"] == "General")?;
    number(&general["Duration"])
}

/// Agreements and questions, by format and question.
#[derive(Default)]
struct Score {
    table: BTreeMap<(String, &'static str), (usize, usize)>,
    misses: Vec<String>,
}

impl Score {
    fn note(&mut self, format: &str, question: &'static str, file: &Path, expected: &str, got: &str, agrees: bool) {
        let cell = self.table.entry((format.to_owned(), question)).or_default();
        cell.1 += 1;
        if agrees {
            cell.0 += 1;
        } else {
            self.misses.push(format!("{question}: expected {expected}, got {got}: {}", file.display()));
        }
    }
}

fn number(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.parse().ok())
}

/// Streams of a kind in ffprobe's answer, covers left out.
fn streams<'j>(answer: &'j Json, kind: &str) -> Vec<&'j Json> {
    let all = answer["streams"].as_array().map_or(&[][..], Vec::as_slice);
    let cover = |s: &Json| s["disposition"]["attached_pic"] == 1;
    all.iter().filter(|s| s["codec_type"] == kind && !cover(s)).collect()
}

fn rows(members: &Members, id: medialith::model::FieldId) -> &[Members] {
    match members.get(id) {
        Some(Value::Rows(rows)) => rows,
        _ => &[],
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".into(),
        Some(Value::Text(text)) => text.to_string(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Float(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
    }
}

fn compare(score: &mut Score, format: &str, file: &Path, (answer, second): (&Json, Option<f64>), members: &Members) {
    // ffprobe's zero means that it found none.
    if let Some(expected) = number(&answer["format"]["duration"]).filter(|expected| *expected > 0.0) {
        let got = members.get(field::DURATION).and_then(Value::as_float);
        let near = |expected: f64| got.is_some_and(|got| (got - expected).abs() <= (expected * 0.01).max(0.05));
        let agrees = near(expected) || second.is_some_and(near);
        score.note(format, "duration", file, &expected.to_string(), &format!("{got:?}"), agrees);
    }
    let kinds = [("audio", field::AUDIO_STREAMS), ("video", field::VIDEO_STREAMS)];
    for (kind, id) in kinds {
        let (expected, got) = (streams(answer, kind), rows(members, id));
        for (at, stream) in expected.iter().enumerate() {
            let row = got.get(at);
            let mut ask = |question: &'static str, key: &str, id| {
                let wanted = &stream[key];
                let wanted = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
                if wanted != "null" && wanted != "0" && wanted != "unknown" && wanted != "0/0" {
                    let found = shown(row.and_then(|row| row.get(id)));
                    score.note(format, question, file, &wanted, &found, wanted == found);
                }
            };
            if kind == "audio" {
                ask("audio codec", "codec_name", field::AUDIO_CODEC_NAME);
                ask("sample rate", "sample_rate", field::AUDIO_SAMPLE_RATE);
                ask("channels", "channels", field::AUDIO_CHANNELS);
            } else {
                ask("video codec", "codec_name", field::VIDEO_CODEC_NAME);
                ask("width", "width", field::VIDEO_STREAM_WIDTH);
                ask("height", "height", field::VIDEO_STREAM_HEIGHT);
                ask("coding", "profile", field::VIDEO_PROFILE);
                ask("coding", "pix_fmt", field::VIDEO_PIXEL_FORMAT);
                ask("frame rate", "avg_frame_rate", field::VIDEO_AVERAGE_FRAME_RATE);
            }
        }
    }
    let tags = [
        ("title", field::TITLE),
        ("artist", field::ARTIST),
        ("album", field::ALBUM),
        ("album_artist", field::ALBUM_ARTIST),
        ("composer", field::COMPOSER),
    ];
    for (name, id) in tags {
        let held = [&answer["format"]["tags"], &answer["streams"][0]["tags"]];
        let held = held.into_iter().filter_map(Json::as_object).flatten();
        let wanted = held.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_str());
        if let Some(wanted) = wanted.map(str::trim).filter(|w| !w.is_empty()) {
            let found = shown(members.get(id));
            let plain = |text: &str| text.replace(['\u{fffd}', '/', ';', ' ', '\r', '\n'], "");
            score.note(format, "tags", file, wanted, &found, plain(wanted) == plain(&found));
        }
    }
}

/// Time and place, where ffprobe shows the same source that we prefer.
fn compare_moment(score: &mut Score, format: &str, file: &Path, answer: &Json, members: &Members) {
    let tags = &answer["format"]["tags"];
    if let Some(wanted) = tags["creation_time"].as_str().filter(|w| *w > "1970-01-02") {
        let found = members.text(field::PRODUCE_TIME).unwrap_or("nothing");
        let own = tags.as_object().into_iter().flatten().any(|(key, _)| key.contains("creationdate") || key == "date");
        if !own {
            let agrees = found.get(..19) == wanted.get(..19) && found.ends_with('Z');
            score.note(format, "time", file, wanted, found, agrees);
        }
    }
    if let Some(wanted) = tags["location"].as_str().filter(|text| text.starts_with(['+', '-'])) {
        let found = members.text(field::LAT_LONG).unwrap_or("nothing");
        let near = found.split_once(',').is_some_and(|(lat, lon)| {
            let lat: f64 = lat.parse().unwrap();
            let lon: f64 = lon.parse().unwrap();
            wanted.starts_with(&format!("{lat:+08.4}{lon:+09.4}"))
        });
        score.note(format, "place", file, wanted, found, near);
    }
}

#[test]
fn properties_agree_with_ffprobe() {
    let Some(root) = shared() else {
        println!("skipped: no corpus; set MEDIALITH_SHARED to the folder that holds corpus/");
        return;
    };
    let mut score = Score::default();
    for (file, answer) in probed(&root) {
        let mut format = answer["format"]["format_name"].as_str().unwrap_or_default().to_owned();
        if !FORMATS.iter().any(|(name, _)| *name == format) || answer["streams"] == serde_json::json!([]) {
            continue;
        }
        let data = std::fs::read(&file).unwrap();
        if data.is_empty() {
            // ffprobe goes by the extension here; there is nothing to read.
            continue;
        }
        if file.starts_with(root.join("dev/broken")) {
            // Of damaged files each tool believes something else.
            format.insert_str(0, "damaged ");
        }
        let name = file.file_name().unwrap().to_string_lossy();
        let start = cpu_time::ThreadTime::now();
        let got = extract::extract(&data, &Hint { name: &name }, &Options::default()).unwrap();
        let spent = start.elapsed();
        assert!(spent < SLOWEST, "{}: {spent:?}", file.display());
        let shown = file.strip_prefix(root.join("dev")).unwrap();
        let second = second_opinion(&root, &file);
        compare(&mut score, &format, shown, (&answer, second), &got.members);
        compare_moment(&mut score, &format, shown, &answer, &got.members);
    }
    for miss in &score.misses {
        println!("{miss}");
    }
    let mut low = Vec::new();
    for ((format, question), (agreed, asked)) in &score.table {
        let share = *agreed as f64 / *asked as f64;
        println!("{format:24} {question:12} {agreed:4} of {asked:4} {:5.1} %", share * 100.0);
        let wanted = FORMATS.iter().find(|(name, _)| name == format).map_or(0.0, |(_, wanted)| *wanted);
        // Of tags and rates there is more than one right answer, and ffprobe guesses the length of ADTS.
        let open = matches!(*question, "tags" | "frame rate" | "coding" | "time")
            || (format == "aac" && *question == "duration");
        if share < wanted && !open {
            low.push(format!("{format} {question}: {agreed} of {asked}"));
        }
    }
    assert!(low.is_empty(), "agreement too low: {low:?}");
}
