//! Files that move from one binding of a dataset to another keep what callers said of them; what is deleted goes nevertheless.
#![expect(clippy::disallowed_methods, reason = "files move as their users move them")]

use crate::follow::{PATIENCE, wait};
use medialith::engine::{Buckets, Engine, FollowOptions, Follower, Options, Progress};
use medialith::model::{BindingSpec, BindingState, DatasetSpec, File, ProjectSpec, Timestamp, Value, field};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const BUCKETS: [&str; 2] = ["a", "b"];

/// Two bound folders, `a` and `b`.
struct World {
    dir: tempfile::TempDir,
    engine: Engine,
}

/// Polling so seldom that files may move on before they are seen.
fn quick() -> FollowOptions {
    FollowOptions { poll_most: Duration::from_secs(1), ..crate::follow::quick() }
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { memory_bytes: 64 << 20, ..Options::default() };
        let engine = Engine::open(dir.path().join("db"), options).unwrap();
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        for bucket in BUCKETS {
            fs::create_dir(dir.path().join(bucket)).unwrap();
            let source = dir.path().join(bucket).to_str().unwrap().to_owned();
            let spec = BindingSpec { source, ..BindingSpec::default() };
            engine.create_binding("p", "d", &format!("oss://{bucket}"), &spec).unwrap();
        }
        World { dir, engine }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.path().join(key)
    }

    fn write(&self, key: &str) {
        fs::create_dir_all(self.path(key).parent().unwrap()).unwrap();
        fs::write(self.path(key), format!("the text of {key}")).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// As a move to another file system is done.
    fn carry(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
        fs::remove_file(self.path(from)).unwrap();
    }

    fn follow(&self, options: FollowOptions) -> Follower {
        let follower = self.engine.start_follower(Buckets::new(), options).unwrap();
        assert!(follower.wait_idle(PATIENCE).unwrap());
        follower
    }

    /// Labels each document by its present key, and answers since when each is known.
    fn label(&self) -> BTreeMap<String, Timestamp> {
        let dataset = self.engine.dataset("p", "d").unwrap();
        let mut known = BTreeMap::new();
        for file in dataset.scan("", usize::MAX).unwrap() {
            let mut labelled = File::new(file.uri());
            labelled.set(field::CUSTOM_LABELS, Value::map([("was".to_owned(), key(&file))]));
            assert_eq!(dataset.update(vec![labelled]).unwrap(), [true]);
            known.insert(key(&file), created(&file));
        }
        known
    }

    /// Each document's key, with what it was when it was labelled.
    fn documents(&self) -> Vec<(String, String)> {
        let files = self.engine.dataset("p", "d").unwrap().scan("", usize::MAX).unwrap();
        let was = |file: &File| match file.get(field::CUSTOM_LABELS) {
            Some(Value::Map(pairs)) => pairs.first().map(|(_, was)| was.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        files.iter().map(|file| (key(file), was(file))).collect()
    }

    fn documents_become(&self, want: &[(&str, &str)]) {
        let want: Vec<(String, String)> = want.iter().map(|(key, was)| ((*key).into(), (*was).into())).collect();
        wait(|| self.documents() == want, || format!("{:?}, not {want:?}", self.documents()));
    }

    fn differences(&self) -> u64 {
        let of = |bucket: &str| {
            let binding = self.engine.binding("p", "d", &format!("oss://{bucket}")).unwrap();
            self.engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap().count()
        };
        BUCKETS.map(of).iter().sum()
    }
}

fn key(file: &File) -> String {
    file.uri().strip_prefix("oss://").unwrap().to_owned()
}

fn created(file: &File) -> Timestamp {
    Timestamp::parse(file.text(field::CREATE_TIME).unwrap()).unwrap()
}

#[test]
fn what_moves_to_another_binding_keeps_its_labels_and_its_age() {
    for options in [quick(), FollowOptions { poll: true, ..quick() }, FollowOptions { watches: Some(1), ..quick() }] {
        let world = World::new();
        for key in ["a/one.txt", "a/two.txt", "a/tree/x/three.txt", "a/tree/four.txt", "b/five.txt"] {
            world.write(key);
        }
        let follower = world.follow(options);
        let known = world.label();
        // One each way, at the same time; one to another file system; a tree.
        world.rename("a/one.txt", "b/sub/eins.txt");
        world.rename("b/five.txt", "a/five.txt");
        world.carry("a/two.txt", "b/two.txt");
        world.rename("a/tree", "b/tree");
        world.documents_become(&[
            ("a/five.txt", "b/five.txt"),
            ("b/sub/eins.txt", "a/one.txt"),
            ("b/tree/four.txt", "a/tree/four.txt"),
            ("b/tree/x/three.txt", "a/tree/x/three.txt"),
            ("b/two.txt", "a/two.txt"),
        ]);
        let moved = world.engine.dataset("p", "d").unwrap().get("oss://b/sub/eins.txt", &[]).unwrap().unwrap();
        assert_eq!(created(&moved), known["a/one.txt"]);
        follower.stop();
        assert_eq!(world.differences(), 0);

        // While nobody follows.
        world.rename("b/sub/eins.txt", "a/uno.txt");
        world.rename("a/five.txt", "b/cinque.txt");
        let follower = world.follow(options);
        world.documents_become(&[
            ("a/uno.txt", "a/one.txt"),
            ("b/cinque.txt", "b/five.txt"),
            ("b/tree/four.txt", "a/tree/four.txt"),
            ("b/tree/x/three.txt", "a/tree/x/three.txt"),
            ("b/two.txt", "a/two.txt"),
        ]);
        assert!(follower.wait_idle(PATIENCE).unwrap());

        // While the binding that it leaves is stopped, and by another process than the one that read it.
        world.engine.stop_binding("p", "d", "oss://a", "").unwrap();
        world.rename("a/uno.txt", "b/last.txt");
        wait(|| world.documents().iter().any(|(key, _)| key == "b/last.txt"), || format!("{:?}", world.documents()));
        follower.stop();
        world.engine.resume_binding("p", "d", "oss://a").unwrap();
        let follower = world.follow(options);
        world.documents_become(&[
            ("b/cinque.txt", "b/five.txt"),
            ("b/last.txt", "a/one.txt"),
            ("b/tree/four.txt", "a/tree/four.txt"),
            ("b/tree/x/three.txt", "a/tree/x/three.txt"),
            ("b/two.txt", "a/two.txt"),
        ]);
        assert!(follower.wait_idle(PATIENCE).unwrap());
        follower.stop();
        assert_eq!(world.differences(), 0);
    }
}

/// Files go to and fro between two bindings and within them, quicker than they are read: in the end each has its own label.
#[test]
fn each_file_keeps_its_label_however_it_moves() {
    let world = World::new();
    let mut places: Vec<String> = (0..40).map(|n| format!("{}/f{n}.txt", BUCKETS[n % 2])).collect();
    places.iter().for_each(|key| world.write(key));
    let follower = world.follow(quick());
    world.label();
    let began = places.clone();
    let mut dice = 7_u64;
    let mut below = |most: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % most
    };
    for step in 0..300 {
        let file = below(places.len());
        let to = format!("{}/{}{step}.txt", BUCKETS[below(2)], ["", "x/", "y/z/"][below(3)]);
        world.rename(&places[file], &to);
        places[file] = to;
        std::thread::sleep(Duration::from_millis(below(20) as u64));
    }
    let mut want: Vec<(&str, &str)> = places.iter().map(String::as_str).zip(began.iter().map(String::as_str)).collect();
    want.sort_unstable();
    world.documents_become(&want);
    assert!(follower.wait_idle(PATIENCE).unwrap());
    follower.stop();
    assert_eq!(world.differences(), 0);
}

#[test]
fn what_is_deleted_goes_whatever_the_other_binding_does() {
    let world = World::new();
    for key in ["a/one.txt", "a/two.txt", "a/three.txt", "b/four.txt"] {
        world.write(key);
    }
    let follower = world.follow(quick());
    world.label();
    fs::remove_file(world.path("a/one.txt")).unwrap();
    world.documents_become(&[("a/three.txt", "a/three.txt"), ("a/two.txt", "a/two.txt"), ("b/four.txt", "b/four.txt")]);
    // Busy all the time.
    let (begun, mut n) = (Instant::now(), 0);
    fs::remove_file(world.path("a/two.txt")).unwrap();
    while world.documents().iter().any(|(key, _)| key == "a/two.txt") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", world.documents());
        fs::write(world.path("b/four.txt"), format!("{n}")).unwrap();
        n += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    // Not to be reached: what is there cannot be waited for, and loses nothing.
    fs::rename(world.path("b"), world.path("away")).unwrap();
    let state = || world.engine.binding("p", "d", "oss://b").unwrap().state;
    wait(|| state() == BindingState::Retrying, || format!("{:?}", state()));
    fs::remove_file(world.path("a/three.txt")).unwrap();
    world.documents_become(&[("b/four.txt", "b/four.txt")]);
    fs::rename(world.path("away"), world.path("b")).unwrap();
    wait(|| state() == BindingState::Running, || format!("{:?}", state()));
    assert!(follower.wait_idle(PATIENCE).unwrap());
    follower.stop();
    assert_eq!(world.differences(), 0);
}

#[test]
fn another_dataset_is_another_place() {
    let world = World::new();
    world.engine.create_dataset("p", "other", &DatasetSpec::default()).unwrap();
    let source = world.path("away");
    fs::create_dir(&source).unwrap();
    let spec = BindingSpec { source: source.to_str().unwrap().to_owned(), ..BindingSpec::default() };
    world.engine.create_binding("p", "other", "oss://away", &spec).unwrap();
    world.write("a/one.txt");
    let follower = world.follow(quick());
    world.label();
    world.rename("a/one.txt", "away/one.txt");
    world.documents_become(&[]);
    let there = || world.engine.dataset("p", "other").unwrap().get("oss://away/one.txt", &[]).unwrap();
    wait(|| there().is_some(), || "not there".to_owned());
    assert_eq!(there().unwrap().get(field::CUSTOM_LABELS), None);
    follower.stop();
}

#[cfg(feature = "remote")]
#[test]
fn objects_that_move_to_another_bound_store_keep_their_labels() {
    use crate::remote_events::message;
    use crate::s3::{BUCKET, Object, Store};
    let (dir, one, two) = (tempfile::tempdir().unwrap(), Store::start(), Store::start());
    let engine = Engine::open(dir.path().join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    for (bucket, store) in [("oss://one", &one), ("oss://two", &two)] {
        let spec = BindingSpec { source: store.url(dir.path(), "?"), ..BindingSpec::default() };
        engine.create_binding("p", "d", bucket, &spec).unwrap();
    }
    for key in ["listed.txt", "told.txt"] {
        one.put(key, Object::new(format!("the text of {key}")));
    }
    let dataset = engine.dataset("p", "d").unwrap();
    let labelled =
        |uri: &str| dataset.get(uri, &[]).unwrap().is_some_and(|file| file.get(field::CUSTOM_LABELS).is_some());
    let start = |least: Duration, most: Duration| {
        let options = FollowOptions { list_least: least, list_most: most, ..quick() };
        let follower = engine.start_follower(Buckets::new(), options).unwrap();
        assert!(follower.wait_idle(PATIENCE).unwrap());
        follower
    };
    let follower = start(Duration::from_millis(300), Duration::from_millis(300));
    for key in ["listed.txt", "told.txt"] {
        let mut file = File::new(format!("oss://one/{key}"));
        file.set(field::CUSTOM_LABELS, Value::map([("note".to_owned(), "kept".to_owned())]));
        assert_eq!(dataset.update(vec![file]).unwrap(), [true]);
    }
    // A server-side copy has the same ETag and a time of its own.
    let carry = |from: &str, to: &str| {
        let object = one.remove(from).unwrap();
        two.put(to, Object { modified: object.modified + 7, ..object });
    };
    carry("listed.txt", "d/listed.txt");
    wait(|| labelled("oss://two/d/listed.txt"), || "the labels are lost".to_owned());
    wait(|| dataset.get("oss://one/listed.txt", &[]).unwrap().is_none(), || "still there".to_owned());
    follower.stop();
    // Told by messages of stores that are listed once an hour; both buckets have one name, which does no harm.
    let hour = Duration::from_secs(3600);
    let follower = start(hour, hour);
    carry("told.txt", "told2.txt");
    for (event, key) in [("ObjectRemoved:Delete", "told.txt"), ("ObjectCreated:Copy", "told2.txt")] {
        engine.store_events(message(event, BUCKET, key).as_bytes()).unwrap();
    }
    wait(|| labelled("oss://two/told2.txt"), || "the labels are lost".to_owned());
    wait(|| dataset.get("oss://one/told.txt", &[]).unwrap().is_none(), || "still there".to_owned());
    follower.stop();
}
