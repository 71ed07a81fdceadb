//! A storm over a bound store: objects are put, overwritten, moved and deleted at random, while the store refuses, is slow, ends
//! its answers early and resets connections, and the follower is killed and started again. In the end the audit finds no
//! difference. Once over the store for tests, which checks every signature, once over moto.
//!
//! `MEDIALITH_REMOTE_STORM=100000 cargo nextest run --test it remote_storm` makes the recorded runs: so many objects to begin with,
//! and as many changes.

use crate::follow::wait;
use crate::s3::{BUCKET, Faults, Moto, Object, Store, encoded, send};
use medialith::engine::{Buckets, Engine, FollowOptions, Options, Progress};
use medialith::model::{BindingSpec, DatasetSpec, ProjectSpec, field};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

/// The store, and what should be in it.
struct Storm<'s> {
    store: &'s Store,
    /// Where objects are put, if not in the store for tests itself.
    upstream: Option<SocketAddr>,
    objects: BTreeMap<String, String>,
    dice: Dice,
    serial: usize,
}

impl Storm<'_> {
    fn put(&mut self, key: &str, text: String) {
        match self.upstream {
            Some(address) => {
                let target = format!("/{BUCKET}/{}", encoded(key, false));
                assert_eq!(send(address, "PUT", &target, &[("content-type", "text/plain")], text.as_bytes()), 200);
            }
            None => self.store.put(key, Object::new(text.as_str()).header("content-type", "text/plain")),
        }
        self.objects.insert(key.to_owned(), text);
    }

    fn remove(&mut self, key: &str) {
        match self.upstream {
            Some(address) => {
                let target = format!("/{BUCKET}/{}", encoded(key, false));
                assert_eq!(send(address, "DELETE", &target, &[], b""), 204);
            }
            None => drop(self.store.remove(key)),
        }
        self.objects.remove(key);
    }

    fn step(&mut self) {
        self.serial += 1;
        let text = format!("{} {}", self.serial, "text ".repeat(self.dice.below(100)));
        let folder = ["", "a/", "a/b c/", "a/b c/d&e/", "\u{6771}/", "z+/"][self.dice.below(6)];
        let fresh = format!("{folder}f{}.txt", self.serial);
        let any = self.dice.below(self.objects.len());
        let any = self.objects.keys().nth(any).cloned();
        match (self.dice.below(100), any) {
            (0..55, _) | (_, None) => self.put(&fresh, text),
            (55..75, Some(key)) => self.put(&key, text),
            (75..85, Some(key)) => {
                let text = self.objects[&key].clone();
                self.put(&fresh, text);
                self.remove(&key);
            }
            (_, Some(key)) => self.remove(&key),
        }
    }
}

fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap()
}

fn follower(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_medialith"))
        .arg("--db")
        .arg(dir.join("db"))
        .args(["--project", "p", "--dataset", "d", "--memory", "64MiB", "follow", "--list-every", "1", "-q"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Over `begin` objects, with `steps` changes.
fn storm(store: &Store, upstream: Option<SocketAddr>, begin: usize, steps: usize) {
    let dir = tempfile::tempdir().unwrap();
    let url = store.url(dir.path(), "?rate=0&tries=20&timeout=10&");
    {
        let engine = open(dir.path());
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        engine.create_binding("p", "d", "oss://b", &BindingSpec { source: url, ..BindingSpec::default() }).unwrap();
    }
    let mut storm = Storm { store, upstream, objects: BTreeMap::new(), dice: Dice(11), serial: 0 };
    for number in 0..begin {
        storm.put(&format!("begin/{}/f{number}.txt", number % 100), format!("text {number}"));
    }
    store.fail(Faults { one_in: 8, slow_ms: 300 });
    for life in 0..4 {
        let mut child = follower(dir.path());
        for _ in 0..steps / 4 {
            storm.step();
            std::thread::sleep(Duration::from_millis(storm.dice.below(12) as u64));
        }
        // In the middle of whatever it does; the last one is interrupted in its first scan, if it is quick.
        std::thread::sleep(Duration::from_millis(300 * life));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let engine = open(dir.path());
    let options = FollowOptions {
        list_least: Duration::from_millis(100),
        list_most: Duration::from_secs(1),
        retry_most: Duration::from_millis(500),
        ..FollowOptions::default()
    };
    let follower = engine.start_follower(Buckets::new(), options).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    let found = || -> BTreeMap<String, i64> {
        let files = dataset.scan("", usize::MAX).unwrap();
        let line = |file: &medialith::model::File| {
            let size = file.get(field::SIZE).and_then(|size| size.as_int()).unwrap_or(-1);
            (file.uri().strip_prefix("oss://b/").unwrap().to_owned(), size)
        };
        files.iter().map(line).collect()
    };
    let want: BTreeMap<String, i64> =
        storm.objects.iter().map(|(key, text)| (key.clone(), text.len() as i64)).collect();
    // A store that is slow and refuses one request in eight is read again from where the last life was in its scan.
    let patience = Duration::from_secs(60 + (begin + steps) as u64 / 50);
    assert!(follower.wait_idle(patience).unwrap());
    wait(|| found() == want, || format!("{} documents, {} objects", found().len(), want.len()));
    follower.stop();
    let binding = engine.binding("p", "d", "oss://b").unwrap();
    let report = engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap();
    assert_eq!((report.differences, report.unreachable, report.files), (vec![], vec![], want.len() as u64));
    assert!(store.injected() > 10, "{} faults", store.injected());
    let (changes, objects, faults) = (storm.serial, want.len(), store.injected());
    println!("{begin} objects to begin with, {changes} changes, {objects} objects, {faults} faults: 0 differences");
}

/// How a command ended: its code, and what it printed.
fn run(db: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_medialith")).arg("--db").arg(db).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn verbs_index_bind_follow_and_audit_stores() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Store::start());
    let db = dir.path().join("db");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample");
    for (key, name) in
        [("p/aurora.flac", "music/Aurora Trio/Northern Lights/02 Polar Night.flac"), ("ferry.mp4", "videos/ferry.mp4")]
    {
        store.put(key, Object::new(std::fs::read(sample.join(name)).unwrap()));
    }
    let url = store.url(dir.path(), "?");
    let expect = |args: &[&str], code: i32, says: &str| {
        let (got, text) = run(&db, args);
        assert!(got == code && text.contains(says), "{args:?}: {got}: {text}");
        assert!(!text.contains("never/shown"), "{text}");
    };
    expect(&["index", &url], 0, "2 files indexed");
    expect(&["index", &url], 0, "2 unchanged");
    expect(&["search", "polar"], 0, "oss://media/p/aurora.flac");
    expect(&["get", "oss://media/ferry.mp4", "--fields", "OSSStorageClass"], 0, "{\"OSSStorageClass\":\"STANDARD\"}");
    expect(&["index", "s3://media?rate=x"], 2, "rate: expected 0 to 100000");
    expect(&["bind", "s3://media?secret=key&endpoint=http://x"], 2, "expected endpoint, region");
    expect(&["bind", &url, "--prefix", "p/", "--bucket", "shop"], 0, "bound as oss://shop");
    expect(&["follow", "--once", "--list-every", "1"], 0, "Running IncrementalScanning");
    expect(&["audit"], 0, "oss://shop: 1 file, 0 differences");
    store.put("p/new.txt", Object::new("harbour"));
    store.remove("p/aurora.flac");
    expect(&["audit"], 6, "missing  oss://shop/p/new.txt");
    expect(&["audit", "--repair"], 0, "2 differences, 1 missing, 1 orphans, 2 repaired");
    let mut tagged = store.remove("p/new.txt").unwrap();
    tagged.tags = vec![("stage".to_owned(), "raw".to_owned())];
    store.put("p/new.txt", tagged);
    expect(&["audit", "--quiet"], 0, "oss://shop: 1 file, 0 differences");
    expect(&["audit", "--tags", "0"], 6, "stale    oss://shop/p/new.txt");
    expect(&["audit", "--tags", "0", "--repair"], 0, "1 repaired, tags of 1 object compared");
    expect(&["audit", "--tags", "1"], 0, "0 differences, tags of 1 object compared");
    expect(&["audit", "--tags-after", "x"], 2, "--tags");
    expect(&["search", "harbour"], 0, "oss://shop/p/new.txt");
    store.vanish(true);
    expect(&["audit"], 3, "404 NoSuchBucket");
    expect(&["follow", "--once"], 3, "Retrying");
    expect(&["search", "harbour"], 0, "oss://shop/p/new.txt");
    expect(&["unbind", "shop", "--cleanup"], 0, "1 file forgotten");
}

/// Objects to begin with and changes: those of the environment, or these few.
fn size(changes: usize) -> (usize, usize) {
    let wanted = std::env::var("MEDIALITH_REMOTE_STORM").map(|text| text.parse().unwrap());
    wanted.map_or((changes / 4, changes), |wanted| (wanted, wanted))
}

#[test]
fn after_a_storm_over_a_store_the_audit_finds_nothing() {
    let (begin, steps) = size(1200);
    storm(&Store::start(), None, begin, steps);
}

#[test]
fn after_a_storm_over_moto_the_audit_finds_nothing() {
    let Some(moto) = Moto::start() else { return };
    let (begin, steps) = size(600);
    storm(&Store::before(Some(moto.address)), Some(moto.address), begin, steps);
}
