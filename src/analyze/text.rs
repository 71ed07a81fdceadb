//! Text in pictures, read by Tesseract where it is installed.
//!
//! The program runs as a child with one thread, a limit on memory and processor time, no file but its pipes, and is killed at
//! the deadline: what it makes of a hostile picture costs that picture. It is asked for its languages once.

use super::label::rounded;
use super::{Budget, Picture, Pixels};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Members, Value, field};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Memory of the child.
const CHILD_BYTES: u64 = 1 << 30;
/// Bytes of its answer that are read.
const MAX_ANSWER: u64 = 4 << 20;
/// Languages that one reading tries at most: each costs time.
const MOST_LANGUAGES: usize = 4;
/// Lines that are surer than this are kept.
const LEAST: f32 = 0.3;
/// Sides of a picture that has text in it (operations.md 7, DetectImageTexts).
const SHORTEST_SIDE: u32 = 20;
/// How often the child is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// An installed Tesseract and the languages that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tesseract {
    program: PathBuf,
    languages: Vec<String>,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    /// The value of `OCRContents`: one element for each line.
    pub contents: Vec<Members>,
    /// The value of `OCRTexts`: all lines, one below the other.
    pub text: String,
}

impl Tesseract {
    /// Asks the program for its languages. [`ErrorKind::NotFound`] where it is not installed or knows none.
    pub fn find(program: impl Into<PathBuf>) -> Result<Tesseract> {
        let program = program.into();
        let absent = |why: String| Error::new(ErrorKind::NotFound, format!("{}: {why}", program.display()));
        let mut command = Command::new(&program);
        command.arg("--list-langs");
        let answer = answer(command, Vec::new(), Instant::now() + Duration::from_secs(5))
            .map_err(|e| absent(e.message().to_owned()))?;
        let mut languages: Vec<String> = String::from_utf8_lossy(&answer)
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.contains([' ', ':']) && !["osd", "equ"].contains(line))
            .map(str::to_owned)
            .collect();
        if languages.is_empty() {
            return Err(absent("it knows no languages".to_owned()));
        }
        // English first: it is the one that most pictures with text have some of.
        languages.sort_by_key(|language| (language != "eng", language.clone()));
        Ok(Tesseract { program, languages })
    }

    /// The languages that it knows, by its own names (`eng`, `chi_sim`).
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// Reads a picture. One without text gives nothing.
    pub fn read(&self, picture: &Picture, budget: &Budget) -> Result<Texts> {
        if picture.width.min(picture.height) < SHORTEST_SIDE {
            let (width, height) = (picture.width, picture.height);
            let message = format!("text: expected sides of at least {SHORTEST_SIDE} pixels, got {width} x {height}");
            return Err(Error::invalid(message));
        }
        let languages: Vec<&str> = self.languages.iter().map(String::as_str).take(MOST_LANGUAGES).collect();
        let mut command = Command::new(&self.program);
        command.args(["stdin", "stdout", "-l", &languages.join("+"), "tsv"]);
        let answer = answer(command, portable(&picture.pixels), budget.deadline)?;
        let language = match languages.as_slice() {
            [one] => tag(one),
            _ => None,
        };
        Ok(lines(&String::from_utf8_lossy(&answer), picture, language))
    }
}

/// Binary PPM, which every version of Tesseract reads from its standard input.
fn portable(pixels: &Pixels) -> Vec<u8> {
    let mut bytes = format!("P6\n{} {}\n255\n", pixels.width(), pixels.height()).into_bytes();
    bytes.extend_from_slice(pixels.rgb());
    bytes
}

/// What a child prints when it is given `input`; it is killed at `deadline`.
fn answer(mut command: Command, input: Vec<u8>, deadline: Instant) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    // A group of its own, so that what the program starts can be killed with it.
    command
        .process_group(0)
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| Error::io(format_args!("start {name}"), e))?;
    let confined = confine(&child, deadline);
    let (mut to, from) = (child.stdin.take(), child.stdout.take());
    // The pipes end when the child does, and so do these threads.
    let writer = std::thread::spawn(move || to.as_mut().map(|to| to.write_all(&input)));
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.map(|from| from.take(MAX_ANSWER).read_to_end(&mut bytes).map(|_| bytes))
    });
    let ended = confined.and_then(|()| wait(&mut child, deadline));
    if ended.is_err() {
        // One that has ended already cannot be killed.
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| rustix::process::kill_process_group(group, Signal::KILL));
        let _ = child.wait();
    }
    let _ = writer.join();
    let bytes = reader.join().ok().flatten();
    match ended? {
        true => {
            bytes.transpose().map_err(|e| Error::io(format_args!("read from {name}"), e)).map(Option::unwrap_or_default)
        }
        false => Err(Error::new(ErrorKind::Io, format!("{name} failed on the picture"))),
    }
}

/// Bounds memory, processor time and core dumps of a child that has just begun.
fn confine(child: &Child, deadline: Instant) -> Result<()> {
    let seconds = deadline.saturating_duration_since(Instant::now()).as_secs() + 1;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // IMPORTANT: without a number the limits would be our own.
    let pid = pid.ok_or_else(|| Error::new(ErrorKind::Internal, "the child has no process number"))?;
    for (resource, most) in [(Resource::As, CHILD_BYTES), (Resource::Cpu, seconds), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::prlimit(Some(pid), resource, limit).map_err(|e| Error::io("confine the child", e.into()))?;
    }
    Ok(())
}

/// Whether it ended well.
fn wait(child: &mut Child, deadline: Instant) -> Result<bool> {
    loop {
        if let Some(status) = child.try_wait().map_err(|e| Error::io("wait for the child", e))? {
            return Ok(status.success());
        }
        if Instant::now() >= deadline {
            return Err(Error::new(ErrorKind::DeadlineExceeded, "reading text: the time for this file is over"));
        }
        std::thread::sleep(LOOK);
    }
}

/// One line under way.
#[derive(Default)]
struct Line {
    words: Vec<String>,
    confidence: f32,
    /// Left, top, right, bottom.
    bounds: Option<[i64; 4]>,
}

/// Lines from Tesseract's TSV: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
fn lines(tsv: &str, picture: &Picture, language: Option<&str>) -> Texts {
    let mut lines: BTreeMap<[u32; 4], Line> = BTreeMap::new();
    for row in tsv.lines() {
        let cells: Vec<&str> = row.split('\t').collect();
        let [level, page, block, paragraph, line, _, left, top, width, height, confidence, text] = cells.as_slice()
        else {
            continue;
        };
        let (Ok(confidence), text) = (confidence.parse::<f32>(), text.trim()) else { continue };
        if *level != "5" || text.is_empty() || confidence < 0.0 {
            continue;
        }
        let place = [page, block, paragraph, line].map(|n| n.parse().unwrap_or(0));
        let [left, top, width, height] = [left, top, width, height].map(|n| n.parse::<i32>().map_or(0, i64::from));
        let line = lines.entry(place).or_default();
        line.words.push(text.to_owned());
        line.confidence += confidence / 100.0;
        let [l, t, r, b] = line.bounds.unwrap_or([left, top, left, top]);
        line.bounds = Some([l.min(left), t.min(top), r.max(left + width), b.max(top + height)]);
    }
    let mut texts = Texts::default();
    for line in lines.into_values() {
        let confidence = line.confidence / line.words.len().max(1) as f32;
        if confidence < LEAST {
            continue;
        }
        let words = line.words.join(" ");
        if !texts.text.is_empty() {
            texts.text.push('\n');
        }
        texts.text.push_str(&words);
        texts.contents.push(members(&words, confidence, line.bounds.unwrap_or_default(), picture, language));
    }
    texts
}

fn members(words: &str, confidence: f32, bounds: [i64; 4], picture: &Picture, language: Option<&str>) -> Members {
    let scale = f64::from(picture.width) / f64::from(picture.pixels.width());
    let [left, top, right, bottom] = bounds.map(|n| (n as f64 * scale).round() as i64);
    let boundary = serde_json::json!({ "Left": left, "Top": top, "Width": right - left, "Height": bottom - top });
    let mut members = Members::new();
    if let Some(language) = language {
        members.set(field::OCR_LANGUAGE, language);
    }
    members.set(field::OCR_CONTENT, words);
    members.set(field::OCR_CONFIDENCE, rounded(confidence.clamp(0.0, 1.0)));
    members.set(field::OCR_BOUNDARY, Value::Json(boundary.to_string().into()));
    members
}

/// BCP 47 tags of Tesseract's names, which are ISO 639-2/T with a script here and there.
fn tag(language: &str) -> Option<&'static str> {
    const TAGS: [(&str, &str); 16] = [
        ("ara", "ar"),
        ("chi_sim", "zh-Hans"),
        ("chi_tra", "zh-Hant"),
        ("deu", "de"),
        ("eng", "en"),
        ("fra", "fr"),
        ("hin", "hi"),
        ("ita", "it"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("nld", "nl"),
        ("pol", "pl"),
        ("por", "pt"),
        ("rus", "ru"),
        ("spa", "es"),
        ("swe", "sv"),
    ];
    TAGS.iter().find(|(name, _)| *name == language).map(|(_, tag)| *tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;
    use std::os::unix::fs::PermissionsExt;

    /// A program that answers as Tesseract does.
    fn program(folder: &std::path::Path, body: &str) -> PathBuf {
        let path = folder.join("tesseract");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --list-langs ]; then printf 'List of available languages (2):\\nosd\\neng\\n'; exit; fi\n{body}\n"
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn read(body: &str, time: Duration) -> Result<Texts> {
        let folder = tempfile::tempdir().unwrap();
        let found = Tesseract::find(program(folder.path(), body)).unwrap();
        assert_eq!(found.languages(), ["eng"]);
        found.read(&Picture::of(&tried::page(60, 60)), &Budget::new(time, 1 << 24))
    }

    #[test]
    fn lines_are_made_of_words() {
        let tsv = "cat >/dev/null; printf '1\\t1\\t0\\t0\\t0\\t0\\t0\\t0\\t60\\t60\\t-1\\t\\n5\\t1\\t1\\t1\\t1\\t1\\t4\\t5\\t10\\t8\\t90\\tOld\\n5\\t1\\t1\\t1\\t1\\t2\\t16\\t6\\t20\\t9\\t80\\tharbour\\n5\\t1\\t1\\t1\\t2\\t1\\t4\\t20\\t5\\t5\\t10\\tnoise\\n5\\t1\\t2\\t1\\t1\\t1\\t4\\t30\\t5\\t5\\t99\\t1911\\n'";
        let texts = read(tsv, Duration::from_secs(20)).unwrap();
        assert_eq!(texts.text, "Old harbour\n1911");
        let line = &texts.contents[0];
        assert_eq!((line.text(field::OCR_CONTENT), line.text(field::OCR_LANGUAGE)), (Some("Old harbour"), Some("en")));
        assert_eq!(
            line.get(field::OCR_BOUNDARY),
            Some(&Value::Json("{\"Height\":10,\"Left\":4,\"Top\":5,\"Width\":32}".into()))
        );
        assert_eq!(line.get(field::OCR_CONFIDENCE).unwrap().as_float(), Some(0.85));
    }

    #[test]
    fn a_child_that_hangs_fails_or_floods_costs_the_picture() {
        let begun = Instant::now();
        assert_eq!(read("sleep 600", Duration::from_millis(300)).unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        assert!(read("exit 3", Duration::from_secs(20)).unwrap_err().message().contains("failed"));
        assert!(read("yes", Duration::from_millis(500)).is_err());
        assert!(begun.elapsed() < Duration::from_secs(60), "killed");
        assert_eq!(Tesseract::find("/nowhere/tesseract").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn the_installed_one_reads_print() {
        let Ok(found) = Tesseract::find("tesseract") else {
            println!("skipped: no tesseract is installed");
            return;
        };
        // "HI" in strokes: large and plain enough for any version.
        let stroke = |x: u32, y: u32| {
            let upright = (40..52).contains(&x) || (84..96).contains(&x) || (124..136).contains(&x);
            (40..130).contains(&y) && (upright || ((52..84).contains(&x) && (79..90).contains(&y)))
        };
        let picture = Picture::of(&tried::drawn(180, 170, |x, y| if stroke(x, y) { [0; 3] } else { [255; 3] }));
        let texts = found.read(&picture, &Budget::new(Duration::from_secs(30), 1 << 28)).unwrap();
        assert!(texts.contents.len() <= 2, "{texts:?}");
    }
}
