//! Bound folders: what is there is indexed, every change follows, and what cannot be reached loses nothing.
#![expect(clippy::disallowed_methods, reason = "files move as their users move them")]

use medialith::engine::{Buckets, Engine, FollowOptions, Follower, Options, Progress};
use medialith::model::{BindingPhase, BindingSpec, BindingState, DatasetSpec, File, ProjectSpec, Value, field};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const URI: &str = "oss://b";

struct World {
    dir: tempfile::TempDir,
    engine: Engine,
}

pub(crate) fn quick() -> FollowOptions {
    FollowOptions {
        quiet: Duration::from_millis(20),
        open_quiet: Duration::from_millis(60),
        poll_least: Duration::from_millis(50),
        poll_most: Duration::from_millis(100),
        retry_most: Duration::from_millis(200),
        ..FollowOptions::default()
    }
}

fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap()
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        let engine = open(dir.path());
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        World { dir, engine }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.path().join("src").join(key)
    }

    fn write(&self, key: &str, text: &str) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn bind(&self, spec: BindingSpec) {
        let source = self.dir.path().join("src").to_str().unwrap().to_owned();
        self.engine.create_binding("p", "d", URI, &BindingSpec { source, ..spec }).unwrap();
    }

    fn follow(&self, options: FollowOptions) -> Follower {
        let follower = self.engine.start_follower(Buckets::new(), options).unwrap();
        assert!(follower.wait_idle(PATIENCE).unwrap(), "{:?}", self.engine.binding("p", "d", URI));
        follower
    }

    fn keys(&self) -> BTreeSet<String> {
        let files = self.engine.dataset("p", "d").unwrap().scan("", usize::MAX).unwrap();
        files.iter().map(|file| file.uri().strip_prefix("oss://b/").unwrap().to_owned()).collect()
    }

    fn state(&self) -> BindingState {
        self.engine.binding("p", "d", URI).unwrap().state
    }

    fn label(&self, key: &str, value: &str) {
        let mut file = File::new(format!("oss://b/{key}"));
        file.set(field::CUSTOM_LABELS, Value::Map(vec![("note".into(), value.into())]));
        assert_eq!(self.engine.dataset("p", "d").unwrap().update(vec![file]).unwrap(), [true]);
    }

    fn labelled(&self, key: &str) -> Option<String> {
        let file = self.engine.dataset("p", "d").unwrap().get(&format!("oss://b/{key}"), &[]).unwrap()?;
        match file.get(field::CUSTOM_LABELS) {
            Some(Value::Map(pairs)) => pairs.first().map(|(_, value)| value.to_string()),
            _ => None,
        }
    }

    fn differences(&self) -> Vec<String> {
        let binding = self.engine.binding("p", "d", URI).unwrap();
        let report = self.engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap();
        report.differences.iter().map(|(what, uri)| format!("{} {uri}", what.name())).collect()
    }

    /// Waits until the audit finds no difference.
    fn agree(&self) {
        wait(|| self.differences().is_empty(), || format!("{:?}", self.differences()));
    }

    fn keys_become(&self, want: &[&str]) {
        let want: BTreeSet<String> = want.iter().map(|key| (*key).to_owned()).collect();
        wait(|| self.keys() == want, || format!("{:?}, not {want:?}", self.keys()));
    }
}

pub(crate) fn wait(met: impl Fn() -> bool, otherwise: impl Fn() -> String) {
    let begun = Instant::now();
    while !met() {
        assert!(begun.elapsed() < PATIENCE, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn changes_follow_with_watches_and_without() {
    for options in [quick(), FollowOptions { poll: true, ..quick() }, FollowOptions { watches: Some(2), ..quick() }] {
        let world = World::new();
        world.write("a.txt", "one");
        world.write("d/b.txt", "two");
        world.write("d/e/c.txt", "three");
        world.bind(BindingSpec::default());
        let _follower = world.follow(options);
        world.keys_become(&["a.txt", "d/b.txt", "d/e/c.txt"]);
        let binding = world.engine.binding("p", "d", URI).unwrap();
        assert_eq!((binding.state, binding.phase), (BindingState::Running, BindingPhase::IncrementalScanning));
        assert!(binding.coverage.verified.is_some() && binding.coverage.live + binding.coverage.polled == 3);
        world.write("new/x/y.txt", "four");
        world.write("d/b.txt", "two and more");
        fs::remove_file(world.path("a.txt")).unwrap();
        world.keys_become(&["d/b.txt", "d/e/c.txt", "new/x/y.txt"]);
        world.agree();
        fs::rename(world.path("d"), world.path("new/d2")).unwrap();
        world.keys_become(&["new/d2/b.txt", "new/d2/e/c.txt", "new/x/y.txt"]);
        world.write("new/d2/e/late.txt", "five");
        world.keys_become(&["new/d2/b.txt", "new/d2/e/c.txt", "new/d2/e/late.txt", "new/x/y.txt"]);
        fs::remove_dir_all(world.path("new")).unwrap();
        world.keys_become(&[]);
        world.agree();
    }
}

#[test]
fn a_scan_goes_on_where_it_was_stopped() {
    let world = World::new();
    for number in 0..1200 {
        world.write(&format!("f{number:04}.txt"), "text");
    }
    world.bind(BindingSpec { rate: 200, ..BindingSpec::default() });
    let follower = world.engine.start_follower(Buckets::new(), quick()).unwrap();
    wait(|| world.keys().len() > 200, || format!("{} files", world.keys().len()));
    let binding = world.engine.binding("p", "d", URI).unwrap();
    assert_eq!((binding.state, binding.phase), (BindingState::Running, BindingPhase::FullScanning));
    follower.stop();
    let part = world.keys().len();
    assert!(part < 1200, "{part}");
    // What was scanned before the stop may change meanwhile.
    world.write("f0000.txt", "changed");
    fs::remove_file(world.path("f0001.txt")).unwrap();
    let _follower = world.follow(quick());
    assert_eq!(world.keys().len(), 1199);
    world.agree();
}

#[test]
fn what_moves_keeps_its_labels_and_its_age() {
    let world = World::new();
    for key in ["a.txt", "t/b.txt", "t/u/c.txt", "copy.txt"] {
        world.write(key, &format!("the text of {key}"));
    }
    world.write("t/b.xmp", "<x/>");
    world.bind(BindingSpec::default());
    let follower = world.follow(quick());
    let created = |key: &str| {
        let file = world.engine.dataset("p", "d").unwrap().get(&format!("oss://b/{key}"), &[]).unwrap().unwrap();
        file.text(field::CREATE_TIME).unwrap().to_owned()
    };
    let age = created("t/b.txt");
    for key in ["a.txt", "t/b.txt", "t/u/c.txt", "copy.txt"] {
        world.label(key, key);
    }
    fs::rename(world.path("a.txt"), world.path("z.txt")).unwrap();
    fs::rename(world.path("t"), world.path("moved")).unwrap();
    // As a move between file systems does it.
    fs::copy(world.path("copy.txt"), world.path("far.txt")).unwrap();
    fs::remove_file(world.path("copy.txt")).unwrap();
    world.keys_become(&["far.txt", "moved/b.txt", "moved/b.xmp", "moved/u/c.txt", "z.txt"]);
    for (key, was) in
        [("z.txt", "a.txt"), ("moved/b.txt", "t/b.txt"), ("moved/u/c.txt", "t/u/c.txt"), ("far.txt", "copy.txt")]
    {
        assert_eq!(world.labelled(key).as_deref(), Some(was), "{key}");
    }
    assert_eq!(created("moved/b.txt"), age);
    follower.stop();
    // Nobody looks.
    fs::rename(world.path("z.txt"), world.path("moved/a.txt")).unwrap();
    let _follower = world.follow(quick());
    world.keys_become(&["far.txt", "moved/a.txt", "moved/b.txt", "moved/b.xmp", "moved/u/c.txt"]);
    assert_eq!(world.labelled("moved/a.txt").as_deref(), Some("a.txt"));
}

#[test]
fn a_root_that_vanishes_loses_nothing() {
    let world = World::new();
    world.write("a.txt", "one");
    world.write("d/b.txt", "two");
    world.bind(BindingSpec::default());
    let _follower = world.follow(quick());
    let away = world.dir.path().join("away");
    fs::rename(world.path(""), &away).unwrap();
    wait(|| world.state() == BindingState::Retrying, || format!("{:?}", world.state()));
    // As an empty mount point would look.
    fs::create_dir(world.path("")).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!((world.state(), world.keys().len()), (BindingState::Retrying, 2));
    assert!(world.engine.binding("p", "d", URI).unwrap().reason.contains("not the one that was bound"));
    fs::remove_dir(world.path("")).unwrap();
    fs::remove_file(away.join("a.txt")).unwrap();
    fs::rename(&away, world.path("")).unwrap();
    wait(|| world.state() == BindingState::Running, || format!("{:?}", world.state()));
    world.keys_become(&["d/b.txt"]);
    fs::rename(world.path(""), &away).unwrap();
    world.write("c.txt", "three");
    wait(|| world.state() == BindingState::Retrying, || format!("{:?}", world.state()));
    world.engine.resume_binding("p", "d", URI).unwrap();
    world.keys_become(&["c.txt"]);
}

#[test]
fn excluded_folders_and_the_database_are_left_alone() {
    let world = World::new();
    for key in ["keep/a.txt", ".git/config", "keep/x.tmp", "keep/cache/c.txt", "other/o.txt"] {
        world.write(key, "text");
    }
    let exclude = vec![".git/".to_owned(), "*.tmp".to_owned(), "keep/cache".to_owned()];
    world.bind(BindingSpec { prefix: "keep/".into(), exclude, ..BindingSpec::default() });
    let _follower = world.follow(quick());
    world.keys_become(&["keep/a.txt"]);
    assert_eq!(world.engine.binding("p", "d", URI).unwrap().coverage.live, 2);
    world.write("keep/cache/later.txt", "text");
    world.write("other/later.txt", "text");
    world.write("keep/later.txt", "text");
    world.keys_become(&["keep/a.txt", "keep/later.txt"]);
    // The folder that holds the database itself.
    let source = world.dir.path().to_str().unwrap().to_owned();
    world.engine.create_binding("p", "d", "oss://all", &BindingSpec { source, ..BindingSpec::default() }).unwrap();
    let dataset = world.engine.dataset("p", "d").unwrap();
    wait(|| dataset.get("oss://all/src/other/o.txt", &[]).unwrap().is_some(), || "not there".into());
    let files = dataset.scan("", usize::MAX).unwrap();
    assert!(files.iter().all(|file| !file.uri().starts_with("oss://all/db/")));
}

#[test]
fn deleting_a_binding_leaves_what_was_put_by_hand() {
    let world = World::new();
    for key in ["a.txt", "b.txt", "c.txt"] {
        world.write(key, "text");
    }
    world.bind(BindingSpec::default());
    let _follower = world.follow(quick());
    world.keys_become(&["a.txt", "b.txt", "c.txt"]);
    let dataset = world.engine.dataset("p", "d").unwrap();
    dataset.put(vec![File::new("oss://b/b.txt"), File::new("oss://b/told.txt"), File::new("oss://c/x")]).unwrap();
    // Its file changes: it stays one that was put by hand.
    world.write("b.txt", "longer text");
    world.agree();
    assert_eq!(world.engine.delete_binding("p", "d", URI, true).unwrap(), 2);
    assert!(world.engine.binding("p", "d", URI).is_err());
    let uris: Vec<String> = dataset.scan("", 99).unwrap().iter().map(|f| f.uri().to_owned()).collect();
    assert_eq!(uris, ["oss://b/b.txt", "oss://b/told.txt", "oss://c/x"]);
    world.write("later.txt", "text");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(dataset.len().unwrap(), 3);
}

#[test]
fn files_that_are_still_written_and_links() {
    use std::io::Write;
    let world = World::new();
    world.bind(BindingSpec::default());
    let _follower = world.follow(FollowOptions { open_quiet: Duration::from_millis(500), ..quick() });
    let mut file = fs::File::create(world.path("slow.txt")).unwrap();
    for _ in 0..10 {
        file.write_all(b"more ").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(world.keys().len(), 0);
    }
    drop(file);
    fs::hard_link(world.path("slow.txt"), world.path("link.txt")).unwrap();
    std::os::unix::fs::symlink("slow.txt", world.path("soft.txt")).unwrap();
    world.keys_become(&["link.txt", "slow.txt"]);
    let dataset = world.engine.dataset("p", "d").unwrap();
    wait(|| dataset.get("oss://b/slow.txt", &[]).unwrap().unwrap().int(field::SIZE) == Some(50), || "short".into());
    fs::remove_file(world.path("link.txt")).unwrap();
    std::os::unix::fs::symlink("slow.txt", world.path("link.txt")).unwrap();
    world.keys_become(&["slow.txt"]);
}

#[test]
fn hard_links_keep_their_own_labels() {
    let world = World::new();
    world.write("one.txt", "the same bytes");
    fs::hard_link(world.path("one.txt"), world.path("two.txt")).unwrap();
    fs::hard_link(world.path("one.txt"), world.path("three.txt")).unwrap();
    world.bind(BindingSpec::default());
    let follower = world.follow(quick());
    // Said long enough after they were read.
    std::thread::sleep(Duration::from_millis(2100));
    world.label("one.txt", "first");
    world.label("two.txt", "second");
    world.label("three.txt", "third");
    fs::remove_file(world.path("one.txt")).unwrap();
    world.keys_become(&["three.txt", "two.txt"]);
    assert_eq!(world.labelled("two.txt").as_deref(), Some("second"));
    assert_eq!(world.labelled("three.txt").as_deref(), Some("third"));
    // The same after a restart, when nobody remembers what was read.
    follower.stop();
    fs::remove_file(world.path("two.txt")).unwrap();
    let _follower = world.follow(quick());
    world.keys_become(&["three.txt"]);
    assert_eq!(world.labelled("three.txt").as_deref(), Some("third"));
    fs::rename(world.path("three.txt"), world.path("four.txt")).unwrap();
    world.keys_become(&["four.txt"]);
    assert_eq!(world.labelled("four.txt").as_deref(), Some("third"));
}

#[test]
fn limits_states_and_listings() {
    let world = World::new();
    let engine = &world.engine;
    let spec = |source: &Path| BindingSpec { source: source.to_str().unwrap().to_owned(), ..BindingSpec::default() };
    let source = spec(&world.path(""));
    assert!(engine.create_binding("p", "d", "oss://b/x", &source).is_err());
    assert!(engine.create_binding("p", "none", URI, &source).is_err());
    for number in 0..10 {
        engine.create_binding("p", "d", &format!("oss://b{number}"), &source).unwrap();
    }
    let over = engine.create_binding("p", "d", "oss://more", &source).unwrap_err();
    assert_eq!(over.kind(), medialith::ErrorKind::LimitExceeded);
    let twice = engine.create_binding("p", "d", "oss://b1", &source).unwrap_err();
    assert_eq!(twice.kind(), medialith::ErrorKind::AlreadyExists);
    assert_eq!(engine.dataset_info("p", "d").unwrap().bind_count, 10);
    let first = engine.bindings("p", "", "", "", 7).unwrap();
    let rest = engine.bindings("p", "d", "", &first.next_token, 7).unwrap();
    let buckets: Vec<&str> = first.items.iter().chain(&rest.items).map(|b| b.bucket.as_str()).collect();
    assert_eq!(buckets, (0..10).map(|n| format!("b{n}")).collect::<Vec<_>>());
    assert_eq!(engine.bindings("p", "", "b3", "", 0).unwrap().items.len(), 1);
    assert_eq!(first.items[0].state, BindingState::Ready);
    let stopped = engine.stop_binding("p", "d", "oss://b3", "holiday").unwrap();
    assert_eq!((stopped.state, stopped.reason.as_str()), (BindingState::Stopped, "holiday"));
    world.write("a.txt", "text");
    let follower = world.follow(quick());
    let dataset = engine.dataset("p", "d").unwrap();
    assert_eq!(dataset.len().unwrap(), 9);
    engine.resume_binding("p", "d", "oss://b3").unwrap();
    wait(|| dataset.len().unwrap() == 10, || "not resumed".into());
    assert!(engine.start_follower(Buckets::new(), quick()).is_err());
    follower.stop();
    engine.create_dataset("p", "quota", &DatasetSpec::default()).unwrap();
    for number in 0..10 {
        engine.delete_binding("p", "d", &format!("oss://b{number}"), number % 2 == 0).unwrap();
    }
    assert_eq!((engine.dataset_info("p", "d").unwrap().bind_count, dataset.len().unwrap()), (0, 5));
}

#[test]
fn audits_find_and_repair() {
    let world = World::new();
    for key in ["same.txt", "stale.txt", "gone.txt", "old.txt"] {
        world.write(key, &format!("text of {key}"));
    }
    world.bind(BindingSpec::default());
    world.follow(quick()).stop();
    world.label("old.txt", "kept");
    world.write("stale.txt", "other text");
    world.write("missing.txt", "new text");
    fs::remove_file(world.path("gone.txt")).unwrap();
    fs::rename(world.path("old.txt"), world.path("renamed.txt")).unwrap();
    let want = [
        "orphan oss://b/gone.txt",
        "missing oss://b/missing.txt",
        "orphan oss://b/old.txt",
        "missing oss://b/renamed.txt",
        "stale oss://b/stale.txt",
    ];
    let sorted = |mut all: Vec<String>| {
        all.sort_unstable_by(|a, b| a.split(' ').nth(1).cmp(&b.split(' ').nth(1)));
        all
    };
    assert_eq!(sorted(world.differences()), want);
    let binding = world.engine.binding("p", "d", URI).unwrap();
    let report = world.engine.audit(&binding, &Buckets::new(), true, &Progress::new()).unwrap();
    assert_eq!((report.files, report.count(), report.repaired), (4, 5, 5));
    assert_eq!(world.differences(), Vec::<String>::new());
    assert_eq!(world.labelled("renamed.txt").as_deref(), Some("kept"));
    // Without its root nothing can be said.
    fs::rename(world.path(""), world.dir.path().join("away")).unwrap();
    assert!(world.engine.audit(&binding, &Buckets::new(), true, &Progress::new()).is_err());
    fs::create_dir(world.path("")).unwrap();
    assert!(world.engine.audit(&binding, &Buckets::new(), true, &Progress::new()).is_err());
    assert_eq!(world.keys().len(), 4);
}
