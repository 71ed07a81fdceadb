//! Films whose shots and colours are known, in every container and many codecs: composed by ffmpeg from pictures made here.

use medialith::codec::ReadAt;
use medialith::error::{Error, Result};
use medialith::video::{Failure, Film, Frame, FrameLabel, Labeller, Observer, Options, Summary, analyze};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WIDTH: usize = 320;
const HEIGHT: usize = 176;
const RATE: usize = 25;
/// Milliseconds of one picture: what labels and shots may be off by.
const PICTURE: i64 = 40;

/// Pictures of each shot, and its colour: neighbours differ.
const SHOTS: [(usize, &str, [u8; 3]); 12] = [
    (50, "red", [200, 40, 40]),
    (30, "blue", [40, 60, 210]),
    (75, "green", [30, 160, 50]),
    (12, "red", [200, 40, 40]),
    (61, "blue", [40, 60, 210]),
    (25, "green", [30, 160, 50]),
    (110, "blue", [40, 60, 210]),
    (18, "green", [30, 160, 50]),
    (40, "red", [200, 40, 40]),
    (9, "green", [30, 160, 50]),
    (33, "red", [200, 40, 40]),
    (60, "blue", [40, 60, 210]),
];

/// Names the colour that most of a picture has.
struct Colours;

impl Labeller for Colours {
    fn labels(&self, picture: &Frame) -> Result<Vec<FrameLabel>> {
        let sums = picture.rgb.chunks_exact(3).fold([0u64; 3], |sums, p| [0, 1, 2].map(|c| sums[c] + u64::from(p[c])));
        let most = (0..3).max_by_key(|c| sums[*c]).unwrap();
        let name = ["red", "green", "blue"][most].to_owned();
        let (parent, alias, language) = ("colour".to_owned(), String::new(), "en".to_owned());
        Ok(vec![FrameLabel { name, parent, level: 2, alias, language, confidence: 0.5, centric: Some(0.5) }])
    }
}

struct Quiet;

impl Observer for Quiet {
    fn is_stopped(&self) -> bool {
        false
    }

    fn progress(&self, percent: u8) {
        assert!(percent <= 100);
    }
}

fn options() -> Options {
    Options { deadline: Duration::from_secs(120), ..Options::default() }
}

fn run(path: &Path, options: &Options) -> Result<Summary, Failure> {
    run_bytes(std::fs::read(path).unwrap(), path, options)
}

fn run_bytes(bytes: Vec<u8>, path: &Path, options: &Options) -> Result<Summary, Failure> {
    let folder = path.parent().unwrap().to_owned();
    let open = move |key: &str| -> Result<Box<dyn ReadAt>> {
        Ok(Box::new(std::fs::read(folder.join(key)).map_err(|e| Error::io("open", e))?))
    };
    let key = path.file_name().unwrap().to_str().unwrap();
    analyze(&Film { source: &bytes, key, open: &open }, &Colours, options, &Quiet)
}

/// A picture of a shot: its colour under blocks of light and shade that move a little from picture to picture.
fn picture(shot: usize, at: usize, [r, g, b]: [u8; 3]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let block = ((x + at / 2) / 40) * 7 + (y / 44) * 13 + shot * 29;
            let light = (block * 2_654_435_761 % 61) as i32 - 30;
            rgb.extend([r, g, b].map(|value| (i32::from(value) + light).clamp(0, 255) as u8));
        }
    }
    rgb
}

fn has_ffmpeg() -> bool {
    let found = options().ffmpeg.is_some();
    if !found {
        println!("skipped: ffmpeg is not installed, so no film can be composed");
    }
    found
}

/// Encodes the film.
fn compose(to: &Path, codec: &[&str]) -> bool {
    let size = format!("{WIDTH}x{HEIGHT}");
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", &RATE.to_string()])
        .args(["-i", "pipe:0", "-pix_fmt", "yuv420p"])
        .args(codec)
        .arg(to)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for (shot, (pictures, _, colour)) in SHOTS.iter().enumerate() {
        for at in 0..*pictures {
            // A codec that this ffmpeg lacks ends it early.
            if input.write_all(&picture(shot, at, *colour)).is_err() {
                break;
            }
        }
    }
    drop(input);
    child.wait().unwrap().success()
}

/// The same packets in another container.
fn wrap(from: &Path, to: &Path, more: &[&str]) {
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(from)
        .args(["-c", "copy"])
        .args(more)
        .arg(to)
        .status();
    assert!(done.unwrap().success(), "{}", to.display());
}

/// A colour, and when it is seen.
type Seen = (String, Vec<(i64, i64)>);

/// Where the cuts are, and of each colour when it is seen.
fn truth() -> (Vec<i64>, Vec<Seen>) {
    let (mut cuts, mut at) = (Vec::new(), 0);
    let mut seen: Vec<Seen> = Vec::new();
    for (pictures, colour, _) in SHOTS {
        let end = at + pictures as i64 * PICTURE;
        cuts.push(at);
        match seen.iter_mut().find(|(name, _)| name == colour) {
            Some((_, clips)) => clips.push((at, end)),
            None => seen.push((colour.to_owned(), vec![(at, end)])),
        }
        at = end;
    }
    cuts.remove(0);
    (cuts, seen)
}

/// Precision and recall of cuts, each within one picture.
fn score(found: &Summary) -> (f64, f64) {
    let (cuts, _) = truth();
    let starts: Vec<i64> = found.scenes.iter().skip(1).map(|scene| scene.shot.start).collect();
    let near = |cut: &i64, among: &[i64]| among.iter().any(|other| (other - cut).abs() <= PICTURE);
    let right = starts.iter().filter(|start| near(start, &cuts)).count();
    let hit = cuts.iter().filter(|cut| near(cut, &starts)).count();
    (right as f64 / starts.len().max(1) as f64, hit as f64 / cuts.len() as f64)
}

fn judge(found: &Summary, what: &str) {
    let (precision, recall) = score(found);
    println!("{what}: precision {precision:.3}, recall {recall:.3}, {} of {} decoded", found.decoded, found.pictures);
    assert!(precision >= 0.95 && recall >= 0.95, "{what}: {:?}", found.scenes);
    let mut labels: Vec<(&str, &[(i64, i64)])> =
        found.labels.iter().map(|l| (l.label.name.as_str(), l.clips.as_slice())).collect();
    labels.sort_unstable();
    let (_, mut expected) = truth();
    expected.sort();
    assert_eq!(labels.len(), expected.len(), "{what}: {labels:?}");
    for ((name, clips), (expected_name, expected)) in labels.iter().zip(&expected) {
        assert_eq!((name, clips.len()), (&expected_name.as_str(), expected.len()), "{what}: {clips:?} {expected:?}");
        for (clip, expected) in clips.iter().zip(expected) {
            let off = (clip.0 - expected.0).abs().max((clip.1 - expected.1).abs());
            assert!(off <= PICTURE, "{what}: {name} {clip:?}, expected {expected:?}");
        }
    }
}

fn names(found: &Summary) -> Vec<String> {
    let mut names: Vec<String> = found.labels.iter().map(|l| l.label.name.clone()).collect();
    names.sort();
    names
}

const H264: [&str; 8] = ["-c:v", "libx264", "-g", "100", "-sc_threshold", "0", "-bf", "2"];

#[test]
fn the_same_film_in_every_container() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let film = |name: &str| -> PathBuf { dir.path().join(name) };
    assert!(compose(&film("a.mp4"), &H264));
    for name in ["a.mov", "a.mkv", "a.ts", "a.avi", "a.flv"] {
        wrap(&film("a.mp4"), &film(name), &[]);
    }
    wrap(&film("a.mp4"), &film("fragments.mp4"), &["-movflags", "frag_keyframe+empty_moov"]);
    let segments = film("seg%d.ts");
    let list =
        ["-f", "hls", "-hls_time", "4", "-hls_list_size", "0", "-hls_segment_filename", segments.to_str().unwrap()];
    wrap(&film("a.mp4"), &film("a.m3u8"), &list);
    let mut all = Vec::new();
    for name in ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.avi", "a.flv", "a.m3u8", "fragments.mp4"] {
        let found = run(&film(name), &options()).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        judge(&found, name);
        all.push(names(&found));
    }
    assert!(all.iter().all(|labels| *labels == all[0]), "{all:?}");
}

#[test]
fn the_same_film_in_many_codecs() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let films: [(&str, &[&str]); 7] = [
        ("h264-usual.mp4", &["-c:v", "libx264"]),
        ("mpeg4.avi", &["-c:v", "mpeg4", "-g", "100", "-sc_threshold", "1000000000"]),
        ("vp9.mkv", &["-c:v", "libvpx-vp9", "-g", "80", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8"]),
        ("vp8.webm", &["-c:v", "libvpx", "-g", "80", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8"]),
        ("mjpeg.avi", &["-c:v", "mjpeg", "-q:v", "5"]),
        ("flash.flv", &["-c:v", "flv", "-g", "100", "-b:v", "2M"]),
        ("mjpeg.mov", &["-c:v", "mjpeg", "-q:v", "5"]),
    ];
    for (name, codec) in films {
        let path = dir.path().join(name);
        if !compose(&path, codec) {
            println!("skipped {name}: this ffmpeg does not encode it");
            continue;
        }
        let found = run(&path, &options()).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        judge(&found, name);
    }
}

/// Pictures that are shown in another order than they are coded in, in closed groups and in open ones, whose key frames are
/// followed by pictures that are shown before them.
#[test]
fn the_same_film_with_reordered_pictures() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let fixed = "keyint=60:scenecut=0:bframes=3:log-level=none";
    let h264 = |more: &str| ["-c:v", "libx264", "-x264-params", &format!("{fixed}:{more}")].map(str::to_owned);
    let hevc = |more: &str| ["-c:v", "libx265", "-x265-params", &format!("{fixed}:{more}")].map(str::to_owned);
    let mpeg = |codec: &str, group: &str| {
        ["-c:v", codec, "-g", group, "-bf", "2", "-sc_threshold", "1000000000", "-b:v", "2M"]
            .map(str::to_owned)
            .to_vec()
    };
    let films: [(&str, Vec<String>); 13] = [
        ("mpeg2.ts", mpeg("mpeg2video", "15")),
        ("mpeg2-long.mkv", mpeg("mpeg2video", "60")),
        ("mpeg2-long.mp4", mpeg("mpeg2video", "60")),
        ("mpeg2-closed.ts", [mpeg("mpeg2video", "60"), vec!["-flags".to_owned(), "+cgop".to_owned()]].concat()),
        ("mpeg1.mkv", mpeg("mpeg1video", "60")),
        ("mpeg4.mp4", mpeg("mpeg4", "100")),
        ("mpeg4.avi", mpeg("mpeg4", "100")),
        ("hevc-closed.mp4", hevc("open-gop=0").to_vec()),
        ("hevc-open.ts", hevc("open-gop=1").to_vec()),
        ("hevc-open.mkv", hevc("open-gop=1:b-pyramid=1").to_vec()),
        ("h264-closed.mp4", h264("open-gop=0:b-pyramid=normal").to_vec()),
        ("h264-open.mp4", h264("open-gop=1").to_vec()),
        ("h264-open.ts", h264("open-gop=1").to_vec()),
    ];
    for (name, codec) in films {
        let path = dir.path().join(name);
        let codec: Vec<&str> = codec.iter().map(String::as_str).collect();
        if !compose(&path, &codec) {
            println!("skipped {name}: this ffmpeg does not encode it");
            continue;
        }
        let found = run(&path, &options()).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        judge(&found, name);
    }
}

/// Times between pictures that no rate has.
#[test]
fn a_film_whose_pictures_last_unequally() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mkv");
    // Of each five pictures the fourth is left out.
    let uneven = ["-vf", "select=not(eq(mod(n\\,5)\\,3))", "-vsync", "vfr", "-enc_time_base", "1:1000"];
    let codec = ["-c:v", "mpeg4", "-g", "100", "-bf", "2", "-sc_threshold", "1000000000"];
    assert!(compose(&path, &[&uneven[..], &codec].concat()));
    let found = run(&path, &options()).unwrap();
    let (precision, recall) = score(&found);
    assert!(precision >= 0.95 && recall >= 0.95, "{:?}", found.scenes);
}

#[test]
fn a_codec_without_decoder_is_named() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.avi");
    assert!(compose(&path, &["-c:v", "mpeg4"]));
    let failure = run(&path, &Options { ffmpeg: None, ..options() }).unwrap_err();
    assert_eq!(failure.code, "UnsupportedCodec.mpeg4", "{failure:?}");
    assert!(failure.message.contains("ffmpeg") && !failure.passing);
    // What is no ffmpeg decodes nothing either, and is not waited for.
    let other = Options { ffmpeg: Some("/bin/cat".into()), ..options() };
    let failure = run(&path, &other).unwrap_err();
    assert!(failure.code.starts_with("UnsupportedCodec") || failure.code == "InvalidVideo", "{failure:?}");
}

#[test]
fn time_ends_the_child() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.avi");
    assert!(compose(&path, &["-c:v", "mpeg4"]));
    let sleeper = dir.path().join("sleeper");
    std::fs::write(&sleeper, "#!/bin/sh\nexec /bin/sleep 100\n").unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&sleeper, mode).unwrap();
    let begun = Instant::now();
    let short = Options { ffmpeg: Some(sleeper), deadline: Duration::from_secs(1), ..options() };
    assert_eq!(run(&path, &short).unwrap_err().code, "TaskTimeout");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// Every cut and many flips of films: an end within the deadline, and no panic.
#[test]
fn damaged_films_end() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos");
    let own = Options { ffmpeg: None, deadline: Duration::from_secs(20), ..options() };
    let mut dice = 88_172_645_463_325_252_u64;
    let mut next = move |below: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 16) as usize % below
    };
    for name in ["ferry.mp4", "portrait.mov", "harbour diary.mkv", "night-train.avi"] {
        let path = sample.join(name);
        let whole = std::fs::read(&path).unwrap();
        for _ in 0..60 {
            let mut bytes = whole.clone();
            match next(3) {
                0 => bytes.truncate(next(whole.len())),
                flips => {
                    for _ in 0..flips * 4 {
                        // Headers and tables lie at both ends.
                        let at = if next(2) == 0 {
                            next(whole.len().min(2048))
                        } else {
                            whole.len() - 1 - next(whole.len().min(4096))
                        };
                        bytes[at] ^= 1 << next(8);
                    }
                }
            }
            let begun = Instant::now();
            if let Err(failure) = run_bytes(bytes, &path, &own) {
                assert!(!failure.code.is_empty() && !failure.message.is_empty());
            }
            assert!(begun.elapsed() < own.deadline + Duration::from_secs(20), "{name}");
        }
    }
    for bytes in [&b"no film at all"[..], b""] {
        let failure = run_bytes(bytes.to_vec(), &sample.join("x.mp4"), &own).unwrap_err();
        assert!(["UnsupportedFormat", "InvalidVideo"].contains(&failure.code.as_str()), "{failure:?}");
    }
}

/// A picture that claims 65,500 x 65,500 pixels is refused, not decoded.
#[test]
fn bombs_are_refused() {
    if !has_ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.avi");
    assert!(compose(&path, &["-c:v", "mjpeg", "-q:v", "5"]));
    let mut bytes = std::fs::read(&path).unwrap();
    let heads: Vec<usize> =
        bytes.windows(2).enumerate().filter(|(_, two)| *two == [0xFF, 0xC0]).map(|(at, _)| at).collect();
    for at in heads {
        // SOF0: length (2), precision, height (2), width (2).
        bytes[at + 5..at + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    }
    let failure = run_bytes(bytes, &path, &Options { ffmpeg: None, ..options() }).unwrap_err();
    assert!(["InvalidVideo", "LimitExceededError"].contains(&failure.code.as_str()), "{failure:?}");
}
