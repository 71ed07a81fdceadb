//! A storm over a bound folder: random creations, writes, renames, moves and deletions, while the follower is killed and
//! started again, loses events, and runs out of watches. In the end the audit finds no difference.
//!
//! `MEDIALITH_STORM=100000 cargo nextest run --test it storm` makes the recorded run over that many files.
#![expect(clippy::disallowed_methods, reason = "files move as their users move them")]

use medialith::engine::{Buckets, Engine, FollowOptions, Options, Progress};
use medialith::model::{BindingSpec, DatasetSpec, ProjectSpec};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const URI: &str = "oss://b";

/// A small generator, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

struct Storm {
    root: PathBuf,
    dice: Dice,
    /// Paths that were made once; some are gone again.
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    serial: usize,
}

impl Storm {
    fn folder(&mut self) -> PathBuf {
        let at = self.dice.below(self.folders.len());
        self.folders[at].clone()
    }

    fn file(&mut self) -> PathBuf {
        let at = self.dice.below(self.files.len());
        self.files[at].clone()
    }

    /// One change. What fails because its folder went meanwhile is no matter.
    fn step(&mut self) {
        self.serial += 1;
        let name = format!("f{}.txt", self.serial);
        match self.dice.below(100) {
            0..40 => {
                let path = self.folder().join(name);
                let text = "text ".repeat(self.dice.below(200));
                if fs::write(&path, text).is_ok() {
                    self.files.push(path);
                }
            }
            40..60 => drop(fs::write(self.file(), format!("written {}", self.serial))),
            60..65 => {
                let path = self.file();
                let opened = fs::OpenOptions::new().append(true).open(path);
                drop(opened.and_then(|mut file| file.write_all(b"more")));
            }
            65..80 => {
                let (from, to) = (self.file(), self.folder().join(name));
                if fs::rename(from, &to).is_ok() {
                    self.files.push(to);
                }
            }
            80..92 => drop(fs::remove_file(self.file())),
            92..95 => {
                let path = self.folder().join(format!("d{}", self.serial));
                if fs::create_dir(&path).is_ok() {
                    self.folders.push(path);
                }
            }
            95..98 => self.move_folder(),
            98 => {
                let path = self.folder();
                if path != self.root && path.components().count() > self.root.components().count() + 1 {
                    drop(fs::remove_dir_all(path));
                }
            }
            _ => drop(fs::rename(self.file(), self.file())),
        }
    }

    fn move_folder(&mut self) {
        let (from, to) = (self.folder(), self.folder().join(format!("m{}", self.serial)));
        if from == self.root || to.starts_with(&from) || fs::rename(&from, &to).is_err() {
            return;
        }
        for path in self.files.iter_mut().chain(&mut self.folders) {
            if let Ok(below) = path.strip_prefix(&from) {
                *path = if below.as_os_str().is_empty() { to.clone() } else { to.join(below) };
            }
        }
    }
}

fn follow(db: &Path, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medialith"));
    command.args(["--memory", "64MiB", "--project", "p", "--dataset", "d", "--db"]).arg(db).args(["follow", "--quiet"]);
    command.args(more).stdout(Stdio::null()).spawn().unwrap()
}

fn signal(child: &Child, which: Signal) {
    kill_process(Pid::from_child(child), which).unwrap();
}

fn open(db: &Path) -> Engine {
    let begun = Instant::now();
    loop {
        // The lock of a process that was killed goes with it.
        match Engine::open(db, Options { memory_bytes: 64 << 20, ..Options::default() }) {
            Ok(engine) => return engine,
            Err(e) => assert!(begun.elapsed() < Duration::from_secs(20), "{e}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_storm_leaves_no_difference() {
    let wanted: usize = std::env::var("MEDIALITH_STORM").map_or(1500, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (root, db) = (dir.path().join("src"), dir.path().join("db"));
    fs::create_dir(&root).unwrap();
    let engine = open(&db);
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let source = root.to_str().unwrap().to_owned();
    engine.create_binding("p", "d", URI, &BindingSpec { source, ..BindingSpec::default() }).unwrap();
    drop(engine);
    let mut storm = Storm { folders: vec![root.clone()], root, dice: Dice(7), files: Vec::new(), serial: 0 };
    for number in 0..wanted / 50 + 5 {
        let path = storm.folder().join(format!("d{number}"));
        fs::create_dir(&path).unwrap();
        storm.folders.push(path);
    }
    for number in 0..wanted {
        let path = storm.folder().join(format!("begin{number}.txt"));
        fs::write(&path, format!("text {number}")).unwrap();
        storm.files.push(path);
    }
    let lives: [&[&str]; 5] = [&[], &[], &["--watches", "7"], &["--poll"], &[]];
    for (life, more) in lives.iter().enumerate() {
        let mut child = follow(&db, more);
        for step in 0..wanted / 4 {
            storm.step();
            if step % 50 == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        if life == 1 {
            overflow(&mut storm, &child);
            // What is told comes at the end of what the queue holds.
            rest(&child);
        }
        std::thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    last_life(&db, &mut storm, wanted);
}

/// Makes more changes than the queue of events holds while nobody reads it.
fn overflow(storm: &mut Storm, child: &Child) {
    std::thread::sleep(Duration::from_millis(500));
    signal(child, Signal::STOP);
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    let paths: Vec<PathBuf> = (0..most.min(20_000) / 2).map(|n| storm.root.join(format!("flood{n}.txt"))).collect();
    paths.iter().for_each(|path| fs::write(path, "1").unwrap());
    paths.iter().step_by(2).for_each(|path| fs::remove_file(path).unwrap());
    paths.iter().step_by(2).for_each(|path| fs::write(path, "2").unwrap());
    signal(child, Signal::CONT);
    storm.files.extend(paths);
}

/// Waits until a process has nothing to do: it computes for less than 2 % of the time.
fn rest(child: &Child) {
    let ticks = || -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        // proc_pid_stat(5): utime and stime are the 14th and 15th, the name in brackets may hold spaces.
        let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let begun = Instant::now();
    loop {
        let before = ticks();
        std::thread::sleep(Duration::from_millis(1500));
        if ticks() - before <= 3 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "the follower does not come to rest");
    }
}

/// Regular files below a folder.
fn count(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|e| if e.file_type().unwrap().is_dir() { count(&e.path()) } else { 1 }).sum()
}

/// The follower that stays alive has to notice everything by itself.
fn last_life(db: &Path, storm: &mut Storm, wanted: usize) {
    let engine = open(db);
    let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
    let patience = Duration::from_secs(60 + wanted as u64 / 100);
    assert!(follower.wait_idle(patience).unwrap());
    for step in 0..wanted / 2 {
        storm.step();
        if step % 100 == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let binding = engine.binding("p", "d", URI).unwrap();
    let begun = Instant::now();
    loop {
        let report = engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap();
        if report.count() == 0 && report.unreachable.is_empty() {
            println!("{} files, 0 differences after {:?}", report.files, begun.elapsed());
            break;
        }
        assert!(begun.elapsed() < patience, "{} differences: {:?}", report.count(), report.differences.first());
        std::thread::sleep(Duration::from_millis(100));
    }
    // The loss that was forced is counted, and was made good.
    let coverage = engine.binding("p", "d", URI).unwrap().coverage;
    assert!(coverage.lost > 0 && coverage.reconciled == coverage.lost, "{coverage:?}");
    let documents = engine.dataset("p", "d").unwrap().len().unwrap();
    assert_eq!(documents, count(&storm.root));
    follower.stop();
    assert!(engine.check(true).unwrap().is_clean());
}

/// How a command ended: its code, and what it printed.
fn run(db: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medialith"));
    let output = command.arg("--db").arg(db).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn verbs_bind_follow_audit_and_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let (db, root) = (dir.path().join("db"), dir.path().join("My Files"));
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("sub/a.txt"), "harbour").unwrap();
    fs::write(root.join("b.tmp"), "left out").unwrap();
    let path = root.to_str().unwrap();
    let expect = |args: &[&str], code: i32, says: &str| {
        let (got, text) = run(&db, args);
        assert!(got == code && text.contains(says), "{args:?}: {got}: {text}");
    };
    expect(&["bind", "/nonexistent/x"], 4, "there is no");
    expect(&["bind", root.join("b.tmp").to_str().unwrap()], 2, "expected a folder");
    expect(&["bind", path, "--exclude", "*.tmp"], 0, "bound as oss://My-Files");
    expect(&["bind", path], 1, "exists already");
    expect(&["bind", path, "--bucket", "no good"], 2, "expected oss://bucket");
    expect(&["bindings"], 0, "Ready");
    expect(&["follow", "--once"], 0, "Running IncrementalScanning");
    expect(&["search", "harbour"], 0, "oss://My-Files/sub/a.txt");
    expect(&["bindings", "--json"], 0, "\"State\":\"Running\"");
    expect(&["audit"], 0, "oss://My-Files: 1 file, 0 differences");
    fs::write(root.join("sub/a.txt"), "harbours").unwrap();
    fs::write(root.join("c.txt"), "new").unwrap();
    expect(&["audit"], 6, "missing  oss://My-Files/c.txt");
    expect(&["audit", "--repair", "My-Files"], 0, "2 differences, 1 missing, 1 stale, 2 repaired");
    expect(&["audit", "oss://nope"], 4, "no binding");
    expect(&["bindings", "--stop", "My-Files"], 0, "");
    fs::remove_file(root.join("c.txt")).unwrap();
    expect(&["follow", "--once"], 0, "Stopped");
    expect(&["audit", "--quiet"], 6, "1 orphan");
    expect(&["bindings", "--resume", "My-Files"], 0, "");
    expect(&["follow", "--once"], 0, "Running");
    expect(&["audit"], 0, "0 differences");
    fs::rename(&root, dir.path().join("away")).unwrap();
    expect(&["follow", "--once"], 3, "Retrying");
    expect(&["audit"], 3, "could not open");
    expect(&["unbind", "My-Files", "--cleanup"], 0, "1 file forgotten");
    expect(&["unbind", "My-Files"], 4, "does not exist");
    expect(&["search", "harbour"], 0, "0 files");
}

/// As a user who is not root, for whom modes mean something; the test needs root to become one.
#[test]
fn what_may_not_be_read_keeps_its_documents() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let nobody = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let (db, root) = (dir.path().join("db"), dir.path().join("src"));
    let shut = root.join("shut");
    fs::create_dir_all(&shut).unwrap();
    fs::create_dir(&db).unwrap();
    fs::write(shut.join("a.txt"), "inside").unwrap();
    fs::write(root.join("b.txt"), "beside").unwrap();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(dir.path(), 0o755);
    if chown(&db, Some(nobody), Some(nobody)).is_err() || Command::new("setpriv").arg("--version").output().is_err() {
        println!("skipped: needs root and setpriv to run as a user that is not root");
        return;
    }
    let run = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_medialith")]);
        let output = command.arg("--db").arg(&db).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let expect = |args: &[&str], code: i32, says: &str| {
        let (got, text) = run(args);
        if text.contains("ermission denied") && args[0] == "bind" {
            println!("skipped: the command cannot be run by another user here: {text}");
            return false;
        }
        assert!(got == Some(code) && text.contains(says), "{args:?}: {got:?}: {text}");
        true
    };
    if !expect(&["bind", root.to_str().unwrap(), "--bucket", "b"], 0, "bound") {
        return;
    }
    expect(&["follow", "--once"], 0, "Incremental");
    mode(&shut, 0o000);
    mode(&root.join("b.txt"), 0o000);
    fs::write(root.join("b.txt"), "beside, changed").unwrap();
    expect(&["follow", "--once"], 0, "unreachable");
    expect(&["search", "inside"], 0, "1 file");
    expect(&["search", "beside"], 0, "1 file");
    expect(&["audit", "--repair"], 3, "unread   oss://b/shut");
    fs::remove_file(shut.join("a.txt")).unwrap();
    mode(&shut, 0o755);
    mode(&root.join("b.txt"), 0o644);
    expect(&["follow", "--once"], 0, "Incremental");
    expect(&["search", "changed"], 0, "1 file");
    expect(&["search", "inside"], 0, "0 files");
    expect(&["audit"], 0, "0 differences");
}
