//! Bound folders that are hostile: names that are no text, links that lead in circles, pipes that never answer, disks that
//! come and go below the root, deletions that were cut short.
#![expect(clippy::disallowed_methods, reason = "files move as their users move them")]

use crate::follow::{PATIENCE, wait};
use medialith::engine::{Buckets, Engine, FollowOptions, Follower, Options, Progress};
use medialith::model::{BindingSpec, BindingState, DatasetSpec, File, Limits, ProjectSpec, Value, field};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const URI: &str = "oss://b";

fn quick() -> FollowOptions {
    FollowOptions {
        quiet: Duration::from_millis(20),
        open_quiet: Duration::from_millis(60),
        retry_most: Duration::from_millis(300),
        ..FollowOptions::default()
    }
}

struct World {
    dir: tempfile::TempDir,
    engine: Engine,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        let options = Options { memory_bytes: 64 << 20, ..Options::default() };
        let engine = Engine::open(dir.path().join("db"), options).unwrap();
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        World { dir, engine }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.dir.path().join("src").join(OsStr::from_bytes(name))
    }

    fn write(&self, name: &[u8], text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn bind(&self) {
        let source = self.path(b"").to_str().unwrap().to_owned();
        self.engine.create_binding("p", "d", URI, &BindingSpec { source, ..BindingSpec::default() }).unwrap();
    }

    fn follow(&self) -> Follower {
        let follower = self.engine.start_follower(Buckets::new(), quick()).unwrap();
        assert!(follower.wait_idle(PATIENCE).unwrap(), "{:?}", self.engine.binding("p", "d", URI));
        follower
    }

    fn keys(&self) -> Vec<String> {
        let files = self.engine.dataset("p", "d").unwrap().scan("", usize::MAX).unwrap();
        files.iter().map(|file| file.uri().strip_prefix("oss://b/").unwrap().to_owned()).collect()
    }

    fn keys_become(&self, want: &[&str]) {
        wait(|| self.keys() == want, || format!("{:?}, not {want:?}", self.keys()));
    }

    /// Differences, and what could not be read.
    fn audit(&self, repair: bool) -> (u64, Vec<String>) {
        let binding = self.engine.binding("p", "d", URI).unwrap();
        let report = self.engine.audit(&binding, &Buckets::new(), repair, &Progress::new()).unwrap();
        (report.count(), report.unreachable)
    }

    fn unreachable(&self) -> u64 {
        self.engine.binding("p", "d", URI).unwrap().coverage.unreachable
    }
}

#[test]
fn names_that_are_no_text_and_what_is_no_file() {
    let world = World::new();
    for name in [&b"caf\xe9/100%25.txt"[..], b"caf\xe9/\xff.txt", b"line\nbreak", b"d/plain.txt"] {
        world.write(name, &format!("the text of {name:?}"));
    }
    symlink("..", world.path(b"d/up")).unwrap();
    symlink(".", world.path(b"loop")).unwrap();
    symlink("nowhere", world.path(b"broken")).unwrap();
    symlink("/etc", world.path(b"out")).unwrap();
    let fifo = |name: &[u8]| {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, world.path(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    fifo(b"pipe");
    world.bind();
    let follower = world.follow();
    world.keys_become(&["caf%E9/%FF.txt", "caf%E9/100%25.txt", "d/plain.txt", "line\nbreak"]);
    let mut file = File::new("oss://b/caf%E9/%FF.txt");
    file.set(field::CUSTOM_LABELS, Value::Map(vec![("note".into(), "kept".into())]));
    let dataset = world.engine.dataset("p", "d").unwrap();
    assert_eq!(dataset.update(vec![file]).unwrap(), [true]);
    // While it is followed: a folder that is no text moves, a file becomes a pipe, a folder becomes a link to itself.
    fs::rename(world.path(b"caf\xe9"), world.path(b"th\xe9")).unwrap();
    fs::remove_file(world.path(b"line\nbreak")).unwrap();
    fifo(b"line\nbreak");
    fs::remove_dir_all(world.path(b"d")).unwrap();
    symlink("d", world.path(b"d")).unwrap();
    world.write(b"\xfe", "late");
    world.keys_become(&["%FE", "th%E9/%FF.txt", "th%E9/100%25.txt"]);
    let labels = dataset.get("oss://b/th%E9/%FF.txt", &[]).unwrap().unwrap().get(field::CUSTOM_LABELS).cloned();
    assert_eq!(labels, Some(Value::Map(vec![("note".into(), "kept".into())])));
    assert_eq!(world.audit(false), (0, Vec::new()));
    follower.stop();
    // While nobody looks.
    fs::rename(world.path(b"th\xe9/\xff.txt"), world.path(b"th\xe9/\xfd.txt")).unwrap();
    fifo(b"th\xe9/\xff.txt");
    let _follower = world.follow();
    world.keys_become(&["%FE", "th%E9/%FD.txt", "th%E9/100%25.txt"]);
    assert!(dataset.get("oss://b/th%E9/%FD.txt", &[]).unwrap().unwrap().get(field::CUSTOM_LABELS).is_some());
    assert_eq!(world.audit(false), (0, Vec::new()));
}

/// Two folders that change places while events are lost would be told under each other's names.
#[test]
fn folders_that_change_places() {
    let world = World::new();
    for number in 0..40 {
        world.write(format!("one/{number}.txt").as_bytes(), "of the first");
        world.write(format!("two/{number}.txt").as_bytes(), "of the second");
    }
    world.bind();
    let _follower = world.follow();
    for _ in 0..3 {
        fs::rename(world.path(b"one"), world.path(b"three")).unwrap();
        fs::rename(world.path(b"two"), world.path(b"one")).unwrap();
        fs::rename(world.path(b"three"), world.path(b"two")).unwrap();
    }
    wait(|| world.audit(false).0 == 0, || format!("{:?}", world.audit(false)));
    world.write(b"one/late.txt", "text");
    world.write(b"two/0.txt", "changed");
    let size = |key: &str| world.engine.dataset("p", "d").unwrap().get(key, &[]).unwrap()?.int(field::SIZE);
    wait(|| size("oss://b/one/late.txt") == Some(4), || "the new file is not there".into());
    wait(|| size("oss://b/two/0.txt") == Some(7), || "the change is not there".into());
    assert_eq!((world.audit(false).0, world.keys().len()), (0, 81));
}

/// On file systems that count time in steps of two seconds, a second change may leave no other sign than its event.
#[test]
fn changes_within_one_step_of_the_clock() {
    let world = World::new();
    world.bind();
    let _follower = world.follow();
    // Ahead, so that a slow machine makes no difference.
    let modified = std::time::SystemTime::now() + Duration::from_secs(3600);
    let write = |text: &[u8]| {
        let options = fs::OpenOptions::new().create(true).truncate(false).write(true).clone();
        let file = options.open(world.path(b"a.txt")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, text, 0).unwrap();
        file.set_modified(modified).unwrap();
    };
    write(b"first");
    let dataset = world.engine.dataset("p", "d").unwrap();
    let hash = || dataset.get("oss://b/a.txt", &[]).unwrap()?.text(field::FILE_HASH).map(str::to_owned);
    wait(|| hash().is_some(), || "not there".into());
    let before = hash();
    write(b"other");
    wait(|| hash() != before, || format!("{before:?}"));
}

/// A file system that goes away with the value.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: PathBuf) -> Option<Mounted> {
        let done = Command::new("mount").args(["-t", "tmpfs", "medialith-test"]).arg(&at).output();
        done.is_ok_and(|output| output.status.success()).then_some(Mounted(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a look at it may be under way.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_disk_below_the_root_that_goes_loses_nothing() {
    let world = World::new();
    world.write(b"a.txt", "on the disk of the root");
    world.write(b"disk/hidden.txt", "below the mount point");
    let Some(mounted) = Mounted::new(world.path(b"disk")) else {
        println!("skipped: needs leave to mount");
        return;
    };
    world.write(b"disk/b.txt", "on another disk");
    world.write(b"disk/d/c.txt", "on another disk too");
    world.bind();
    let follower = world.follow();
    let whole = ["a.txt", "disk/b.txt", "disk/d/c.txt"];
    world.keys_become(&whole);
    // It goes while it is followed: what was below the mount point is new, what was on the disk stays.
    drop(mounted);
    world.keys_become(&["a.txt", "disk/b.txt", "disk/d/c.txt", "disk/hidden.txt"]);
    wait(|| world.unreachable() == 1, || format!("{} unreachable", world.unreachable()));
    assert_eq!(world.audit(true), (0, vec!["disk".to_owned()]));
    follower.stop();
    // Nor is it missed by one that starts without it.
    let follower = world.follow();
    assert_eq!((world.keys().len(), world.unreachable()), (4, 1));
    // Another disk in its place is not the one that was there.
    let source = world.path(b"disk");
    let folder = medialith::source::Folder::open(world.path(b"")).unwrap();
    let before = folder.identity_at("disk");
    let mounted = Mounted::new(source).unwrap();
    assert!(folder.identity_at("disk") != before);
    world.write(b"disk/b.txt", "on another disk, changed");
    let size = || world.engine.dataset("p", "d").unwrap().get("oss://b/disk/b.txt", &[]).unwrap()?.int(field::SIZE);
    wait(|| size() == Some(24), || format!("{:?}", size()));
    // One without a number of its own counts as the same: what is not on it is gone.
    world.keys_become(&["a.txt", "disk/b.txt"]);
    drop(mounted);
    world.keys_become(&["a.txt", "disk/b.txt", "disk/hidden.txt"]);
    // Resumed: what is there now is what is meant.
    world.engine.resume_binding("p", "d", URI).unwrap();
    world.keys_become(&["a.txt", "disk/hidden.txt"]);
    follower.stop();
}

#[test]
fn a_folder_without_a_quota_left_fails_and_goes_on_when_resumed() {
    let world = World::new();
    for number in 0..20 {
        world.write(format!("{number:02}.txt").as_bytes(), "text");
    }
    let limit = |files| {
        let limits = Some(Limits { file_count: files, ..Limits::default() });
        let spec = DatasetSpec { limits, ..DatasetSpec::default() };
        world.engine.update_dataset("p", "d", &spec).map(drop)
    };
    limit(5).unwrap();
    world.bind();
    let follower = world.engine.start_follower(Buckets::new(), quick()).unwrap();
    let state = || world.engine.binding("p", "d", URI).unwrap();
    wait(|| state().state == BindingState::Failed, || format!("{:?}", state()));
    assert!(state().reason.contains("expected at most 5"), "{:?}", state().reason);
    assert!(follower.wait_idle(PATIENCE).unwrap());
    limit(100).unwrap();
    world.engine.resume_binding("p", "d", URI).unwrap();
    wait(|| world.keys().len() == 20, || format!("{}", world.keys().len()));
    wait(|| state().state == BindingState::Running, || format!("{:?}", state()));
    follower.stop();
}

/// `Path` of a folder that a follower must not keep busy.
fn handles_below(folder: &Path) -> Vec<PathBuf> {
    let links = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|path| path.starts_with(folder)).collect()
}

#[test]
fn a_folder_at_rest_is_not_held_open() {
    let world = World::new();
    world.write(b"d/a.txt", "text");
    world.bind();
    let _follower = world.follow();
    wait(|| handles_below(&world.path(b"")).is_empty(), || format!("{:?}", handles_below(&world.path(b""))));
}
