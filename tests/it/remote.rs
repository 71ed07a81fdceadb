//! Object stores as sources: what is asked of them, what their objects say, and how they are followed.

use crate::s3::{Faults, Object, Store};
use medialith::engine::{
    Buckets, Counts, Dataset, Engine, FollowOptions, Follower, IndexOrder, IndexerOptions, IngestOptions, IngestReport,
    Options, Progress,
};
use medialith::model::{BindingPhase, BindingSpec, BindingState, DatasetSpec, File, ProjectSpec, Value, field};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::follow::{PATIENCE, wait};

pub(crate) const URI: &str = "oss://b";

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) engine: Engine,
}

pub(crate) fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap()
}

pub(crate) fn quick() -> FollowOptions {
    FollowOptions {
        list_least: Duration::from_millis(50),
        list_most: Duration::from_millis(200),
        retry_most: Duration::from_millis(200),
        ..FollowOptions::default()
    }
}

pub(crate) fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample").join(name)).unwrap()
}

pub(crate) fn counted(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

impl World {
    pub(crate) fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let engine = open(dir.path());
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        World { dir, store: Store::start(), engine }
    }

    pub(crate) fn url(&self, more: &str) -> String {
        self.store.url(self.dir.path(), more)
    }

    pub(crate) fn dataset(&self) -> Dataset {
        self.engine.dataset("p", "d").unwrap()
    }

    pub(crate) fn index(&self, url: &str) -> (IngestReport, Counts) {
        let progress = Progress::new();
        let report = self.dataset().index_folder("b", url, &IngestOptions::default(), &progress).unwrap();
        (report, progress.counts())
    }

    pub(crate) fn file(&self, key: &str) -> File {
        self.dataset().get(&format!("oss://b/{key}"), &[]).unwrap().unwrap()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let files = self.dataset().scan("", usize::MAX).unwrap();
        files.iter().map(|file| file.uri().strip_prefix("oss://b/").unwrap().to_owned()).collect()
    }

    pub(crate) fn bind(&self, spec: BindingSpec) {
        self.engine.create_binding("p", "d", URI, &BindingSpec { source: self.url("?"), ..spec }).unwrap();
    }

    pub(crate) fn follow(&self) -> Follower {
        self.engine.start_follower(Buckets::new(), quick()).unwrap()
    }

    pub(crate) fn differences(&self) -> Vec<String> {
        let binding = self.engine.binding("p", "d", URI).unwrap();
        let report = self.engine.audit(&binding, &Buckets::new(), false, &Progress::new()).unwrap();
        let mut lines: Vec<String> =
            report.differences.iter().map(|(what, uri)| format!("{} {uri}", what.name())).collect();
        lines.sort_unstable();
        lines
    }

    pub(crate) fn keys_become(&self, want: &[&str]) {
        let want: Vec<String> = want.iter().map(|key| (*key).to_owned()).collect();
        wait(|| self.keys() == want, || format!("{:?}, not {want:?}", self.keys()));
    }

    pub(crate) fn state(&self) -> BindingState {
        self.engine.binding("p", "d", URI).unwrap().state
    }
}

/// A film of four gigabytes whose index lies at its end, as cameras write it.
fn long_film() -> Object {
    let short = sample("videos/ferry.mp4");
    // ftyp, moov, free, mdat: the moov goes to the end, behind a long mdat (ISO 14496-12, 4.2: largesize).
    let (kind, index) = (&short[..32], &short[32..2571]);
    let media: u64 = 4 << 30;
    let mut begin = kind.to_vec();
    begin.extend_from_slice(&[0, 0, 0, 1]);
    begin.extend_from_slice(b"mdat");
    begin.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0]);
    let len = 32 + media + index.len() as u64;
    let parts = vec![(0, begin), (32 + media, index.to_vec())];
    Object { len, parts, etag: "0123456789abcdef-512".to_owned(), ..Object::new("") }
}

#[test]
fn a_film_of_four_gigabytes_costs_a_few_requests() {
    let world = World::new();
    world.store.put("films/long.mp4", long_film());
    let (report, counts) = world.index(&world.url("?"));
    assert_eq!((report.failed, counts.indexed), (vec![], 1));
    let asked = world.store.asked();
    assert!(asked["LIST"] == 1 && asked["GET"] <= 2 && asked.len() == 2, "{asked:?}");
    assert!(world.store.sent() <= 512 << 10);
    let film = world.file("films/long.mp4");
    assert_eq!(film.text(field::MEDIA_TYPE), Some("video"));
    assert_eq!(film.get(field::SIZE).unwrap().as_int(), Some((4 << 30) + 32 + 2539));
    assert_eq!(
        (film.text(field::OSS_OBJECT_TYPE), film.text(field::CONTENT_TYPE)),
        (Some("Multipart"), Some("video/mp4"))
    );
    assert!(film.get(field::DURATION).is_some());
}

#[test]
fn objects_say_what_files_say_and_what_their_store_says() {
    let world = World::new();
    let names = ["photos/2024/Lisboa/El\u{e9}ctrico 28.jpg", "music/Aurora Trio/Northern Lights/01 Midnight Sun.mp3"];
    for name in names {
        world.store.put(&format!("a&b/{name}"), Object::new(sample(name)));
    }
    let mut told = Object::new(sample(names[0]))
        .header("content-type", "image/x-camera")
        .header("cache-control", "no-cache")
        .header("x-amz-storage-class", "STANDARD_IA")
        .header("x-amz-version-id", "3sL4kqtJlcpXroDTDmJ")
        .header("x-amz-server-side-encryption", "AES256")
        .header("x-amz-meta-Place", "Lisboa");
    told.tags = vec![("stage".to_owned(), "raw & new".to_owned())];
    told.modified = 1_700_000_000;
    let etag = told.etag.clone();
    world.store.put("a&b/told.jpg", told);
    world.store.put("a&b/empty.txt", Object::new(""));
    // A folder's marker, and keys that no file can have.
    world.store.put("a&b/photos/", Object::new(""));
    world.store.put("a&b/x//y.jpg", Object::new("y"));
    world.store.put("elsewhere.jpg", Object::new("no"));
    let (report, counts) = world.index(&world.url("/a%26b?"));
    assert_eq!((report.failed.len(), counts.indexed), (0, 4));
    assert_eq!(report.skipped.len(), 1);
    assert!(report.skipped[0].0 == "x//y.jpg" && report.skipped[0].1.contains("an empty name"), "{:?}", report.skipped);
    let asked = world.store.asked();
    assert_eq!(asked, counted(&[("GET", 3), ("HEAD", 1), ("LIST", 1), ("TAGS", 1)]));

    // The same files in a folder say the same, but for what the store adds.
    let other = World::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample");
    other.dataset().index_folder("b", root, &IngestOptions::default(), &Progress::new()).unwrap();
    for name in names {
        let (object, file) = (world.file(name), other.file(name));
        let own = [field::CREATE_TIME, field::UPDATE_TIME, field::FILE_MODIFIED_TIME];
        for (id, value) in file.members().iter().filter(|(id, _)| !own.contains(id)) {
            assert_eq!(object.get(id), Some(value), "{name}: {id:?}");
        }
        assert_eq!(object.text(field::OSS_STORAGE_CLASS), Some("STANDARD"));
        assert!(object.text(field::ETAG).unwrap().starts_with('"'));
    }
    let told = world.file("told.jpg");
    for (id, value) in [
        (field::CONTENT_TYPE, "image/x-camera"),
        (field::CACHE_CONTROL, "no-cache"),
        (field::OSS_STORAGE_CLASS, "STANDARD_IA"),
        (field::OSS_VERSION_ID, "3sL4kqtJlcpXroDTDmJ"),
        (field::SERVER_SIDE_ENCRYPTION, "AES256"),
        (field::OSS_OBJECT_TYPE, "Normal"),
        (field::ETAG, &format!("\"{etag}\"")),
        (field::FILE_MODIFIED_TIME, "2023-11-14T22:13:20Z"),
    ] {
        assert_eq!(told.text(id), Some(value), "{id:?}");
    }
    let map = |key: &str, value: &str| Value::map([(key.to_owned(), value.to_owned())]);
    assert_eq!(told.get(field::OSS_USER_META), Some(&map("x-oss-meta-place", "Lisboa")));
    assert_eq!(told.get(field::OSS_TAGGING), Some(&map("stage", "raw & new")));
    assert_eq!(told.get(field::OSS_TAGGING_COUNT).unwrap().as_int(), Some(1));
    assert_eq!(world.file("empty.txt").get(field::SIZE).unwrap().as_int(), Some(0));

    // What has not changed costs a listing.
    let (_, counts) = world.index(&world.url("/a%26b/?"));
    assert_eq!((counts.indexed, counts.unchanged), (0, 4));
    assert_eq!(world.store.asked(), counted(&[("LIST", 1)]));
}

#[test]
fn files_are_indexed_by_their_addresses() {
    let world = World::new();
    world.store.put("old harbour.jpg", Object::new(sample("photos/2024/Lisboa/El\u{e9}ctrico 28.jpg")));
    world.store.put("empty", Object::new(""));
    let mut buckets = Buckets::new();
    buckets.add("b", world.url("?")).unwrap();
    // Files of a folder beside it, in the same call.
    let folder = world.dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    (0..60).for_each(|n| fs::write(folder.join(format!("{n}.txt")), format!("text {n}")).unwrap());
    buckets.add("c", &folder).unwrap();
    let local = (0..60).map(|n| File::new(format!("oss://c/{n}.txt")));
    let indexer = world.engine.start_indexer(buckets, IndexerOptions::default()).unwrap();
    let files = ["old harbour.jpg", "empty", "nowhere.jpg"].map(|key| File::new(format!("oss://b/{key}")));
    let all: Vec<File> = local.chain(files).collect();
    all.chunks(50).for_each(|some| drop(world.dataset().index_files(some.to_vec(), &IndexOrder::default()).unwrap()));
    assert!(indexer.wait_idle(PATIENCE));
    assert_eq!(world.file("old harbour.jpg").text(field::MEDIA_TYPE), Some("image"));
    assert_eq!(world.file("empty").text(field::OSS_STORAGE_CLASS), Some("STANDARD"));
    let found = world.dataset().scan("oss://c/", usize::MAX).unwrap();
    assert_eq!(found.iter().filter(|file| file.text(field::MEDIA_TYPE) == Some("document")).count(), 60);
    let lost = world.file("nowhere.jpg");
    assert_eq!(lost.text(field::OBJECT_STATUS), Some("Failed"));
    assert!(lost.text(field::REASON).unwrap().contains("does not exist"), "{:?}", lost.text(field::REASON));
    let seen = indexer.detect("oss://b/old harbour.jpg").unwrap();
    assert_eq!(seen.text(field::OSS_STORAGE_CLASS), Some("STANDARD"));
}

#[test]
fn what_a_store_refuses_is_told_without_its_keys() {
    let world = World::new();
    let index = |url: &str| {
        let options = IngestOptions::default();
        let report = world.dataset().index_folder("b", url, &options, &Progress::new()).unwrap();
        report.skipped[0].1.clone()
    };
    let url = world.url("?");
    world.store.vanish(true);
    assert!(index(&url).contains("the store answered 404 NoSuchBucket"), "{}", index(&url));
    world.store.vanish(false);
    let text = fs::read_to_string(world.dir.path().join("keys.toml")).unwrap().replace("secret+", "other+");
    fs::write(world.dir.path().join("keys.toml"), text).unwrap();
    let said = index(&url);
    assert!(said.contains("the store answered 403 SignatureDoesNotMatch"), "{said}");
    assert!(!said.contains("AKMEDIALITH") && !said.contains("other+") && !said.contains("credentials"), "{said}");
    let (host, closed) = (world.store.address.to_string(), "127.0.0.1:9");
    let said = index(&format!("{}&tries=2", url.replace(&host, closed)));
    assert!(said.starts_with("could not list s3://media:") && said.contains("(tried 2 times)"), "{said}");
    assert!(world.dataset().index_folder("b", "s3://x", &IngestOptions::default(), &Progress::new()).is_err());
}

#[test]
fn oss_is_signed_and_read_in_its_own_way() {
    let world = World::new();
    let mut photo = Object::new(sample("photos/2024/Lisboa/El\u{e9}ctrico 28.jpg"))
        .header("x-oss-object-type", "Appendable")
        .header("x-oss-storage-class", "IA")
        .header("x-oss-hash-crc64ecma", "13771153500012345678")
        .header("x-oss-version-id", "CAEQNhiBgM0BYiIDc4MGZjZGI2OTBjOTRmNTE5NmU5NmFhZjhjYmY0")
        .header("x-oss-meta-place", "Lisboa");
    photo.tags = vec![("stage".to_owned(), "raw".to_owned())];
    world.store.put("a b/El\u{e9}ctrico+28.jpg", photo);
    // More than a page: the second is asked for by a token, which is signed too.
    (0..1100).for_each(|n| world.store.put(&format!("more/{n:04}"), Object::new("")));
    let (report, counts) = world.index(&(world.store.oss_url(world.dir.path()) + "&rate=0"));
    assert_eq!((report.failed, report.skipped, counts.indexed), (vec![], vec![], 1101));
    let asked = world.store.asked();
    assert_eq!((asked["LIST"], asked["GET"], asked["TAGS"]), (2, 1, 1));
    let told = world.file("a b/El\u{e9}ctrico+28.jpg");
    for (id, value) in [
        (field::MEDIA_TYPE, "image"),
        (field::OSS_OBJECT_TYPE, "Appendable"),
        (field::OSS_STORAGE_CLASS, "IA"),
        (field::OSS_CRC64, "13771153500012345678"),
        (field::OSS_VERSION_ID, "CAEQNhiBgM0BYiIDc4MGZjZGI2OTBjOTRmNTE5NmU5NmFhZjhjYmY0"),
    ] {
        assert_eq!(told.text(id), Some(value), "{id:?}");
    }
    assert_eq!(
        told.get(field::OSS_USER_META),
        Some(&Value::map([("x-oss-meta-place".to_owned(), "Lisboa".to_owned())]))
    );
    assert_eq!(told.get(field::OSS_TAGGING), Some(&Value::map([("stage".to_owned(), "raw".to_owned())])));
}

#[test]
fn what_stands_beside_an_object_describes_it_and_its_changes_count() {
    let world = World::new();
    let photo = sample("photos/2024/Lisboa/El\u{e9}ctrico 28.jpg");
    ["d/b.jpg", "d/bb.jpg"].iter().for_each(|key| world.store.put(key, Object::new(photo.clone())));
    let title = |text: &str| {
        let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
        let dc = "http://purl.org/dc/elements/1.1/";
        let packet = format!("<r:RDF xmlns:r='{rdf}'><r:Description xmlns:d='{dc}' d:title='{text}'/></r:RDF>");
        world.store.put("d/b.xmp", Object::new(packet));
    };
    let found = || world.file("d/b.jpg").text(field::TITLE).map(str::to_owned);
    let url = world.url("?");
    world.index(&url);
    let plain = found();
    title("first");
    assert_eq!((world.index(&url).1.indexed, found().as_deref()), (2, Some("first")));
    title("the second");
    let (_, counts) = world.index(&url);
    assert_eq!((counts.indexed, counts.unchanged, found().as_deref()), (2, 1, Some("the second")));
    assert_eq!(world.index(&url).1.unchanged, 3);
    world.store.remove("d/b.xmp");
    assert_eq!((world.index(&url).1.indexed, found()), (1, plain));
}

#[test]
fn archived_objects_are_tried_once() {
    let world = World::new();
    world.store.put("deep.jpg", Object::new("frozen").header("x-amz-storage-class", "GLACIER"));
    let (report, _) = world.index(&world.url("?"));
    assert_eq!(report.failed.len(), 1);
    let reason = world.file("deep.jpg").text(field::REASON).unwrap().to_owned();
    assert!(reason.contains("the store answered 403 InvalidObjectState"), "{reason}");
    let (_, counts) = world.index(&world.url("?"));
    assert_eq!((counts.unchanged, counts.failed), (1, 0));
    world.store.put("deep.jpg", Object { modified: 1_700_000_000, ..Object::new("frozen") });
    let (report, counts) = world.index(&world.url("?"));
    assert_eq!((report.failed, counts.indexed), (vec![], 1));
}

#[test]
fn faults_on_the_way_cost_time_and_nothing_else() {
    let world = World::new();
    let photo = sample("photos/2024/Lisboa/El\u{e9}ctrico 28.jpg");
    for n in 0..300 {
        let mut bytes = photo.clone();
        bytes.extend_from_slice(format!("{n}").as_bytes());
        world.store.put(&format!("{n:03}.jpg"), Object::new(bytes));
    }
    world.store.fail(Faults { one_in: 4, slow_ms: 50 });
    let (report, counts) = world.index(&world.url("?tries=20&rate=0&"));
    assert_eq!((report.failed, report.skipped, counts.indexed), (vec![], vec![], 300));
    assert!(world.store.injected() > 40, "{}", world.store.injected());
    for n in [0, 150, 299] {
        assert_eq!(world.file(&format!("{n:03}.jpg")).text(field::MEDIA_TYPE), Some("image"));
    }
}

#[test]
fn changes_of_a_store_are_followed() {
    let world = World::new();
    for key in ["a.txt", "d/b.txt", "d/tmp/c.txt", "e/f.txt"] {
        world.store.put(key, Object::new(format!("text of {key}")));
    }
    world.bind(BindingSpec { exclude: vec!["tmp/".to_owned()], ..BindingSpec::default() });
    let follower = world.follow();
    assert!(follower.wait_idle(PATIENCE).unwrap(), "{:?}", world.engine.binding("p", "d", URI));
    world.keys_become(&["a.txt", "d/b.txt", "e/f.txt"]);
    let binding = world.engine.binding("p", "d", URI).unwrap();
    assert_eq!((binding.state, binding.phase), (BindingState::Running, BindingPhase::IncrementalScanning));
    assert_eq!((binding.coverage.polled, binding.coverage.live, binding.coverage.unreachable), (1, 0, 0));
    assert!(binding.coverage.verified.is_some());

    // New, changed, gone.
    world.store.put("g.txt", Object::new("new"));
    world.store.put("a.txt", Object::new("changed!"));
    world.store.remove("e/f.txt");
    world.keys_become(&["a.txt", "d/b.txt", "g.txt"]);
    wait(|| world.file("a.txt").get(field::SIZE).unwrap().as_int() == Some(8), || "not changed".to_owned());

    // A copy and a deletion are a move: what callers said stays.
    let mut labelled = File::new("oss://b/d/b.txt");
    labelled.set(field::CUSTOM_LABELS, Value::map([("note".to_owned(), "kept".to_owned())]));
    world.dataset().update(vec![labelled]).unwrap();
    let object = world.store.remove("d/b.txt").unwrap();
    world.store.put("moved.txt", Object { modified: object.modified + 5, ..object });
    world.keys_become(&["a.txt", "g.txt", "moved.txt"]);
    let kept = Value::map([("note".to_owned(), "kept".to_owned())]);
    assert_eq!(world.file("moved.txt").get(field::CUSTOM_LABELS), Some(&kept));

    // A bucket that is away removes nothing, and is followed again when it is back.
    world.store.vanish(true);
    wait(|| world.state() == BindingState::Retrying, || format!("{:?}", world.state()));
    let reason = world.engine.binding("p", "d", URI).unwrap().reason;
    assert!(reason.contains("404 NoSuchBucket"), "{reason}");
    assert_eq!(world.keys().len(), 3);
    let binding = world.engine.binding("p", "d", URI).unwrap();
    assert!(world.engine.audit(&binding, &Buckets::new(), true, &Progress::new()).is_err());
    assert_eq!(world.keys().len(), 3);
    world.store.put("h.txt", Object::new("while away"));
    world.store.vanish(false);
    world.keys_become(&["a.txt", "g.txt", "h.txt", "moved.txt"]);
    follower.stop();

    // What happened meanwhile is found by the audit, and by the next follower.
    world.store.remove("g.txt");
    world.store.put("h.txt", Object::new("other"));
    world.store.put("i.txt", Object::new("more"));
    let want = ["missing oss://b/i.txt", "orphan oss://b/g.txt", "stale oss://b/h.txt"];
    assert_eq!(world.differences(), want);
    let binding = world.engine.binding("p", "d", URI).unwrap();
    let report = world.engine.audit(&binding, &Buckets::new(), true, &Progress::new()).unwrap();
    assert_eq!((report.count(), report.repaired), (3, 3));
    assert_eq!(world.differences(), Vec::<String>::new());
    assert_eq!(world.keys(), ["a.txt", "h.txt", "i.txt", "moved.txt"]);
}

#[test]
fn another_bucket_of_the_same_name_is_not_the_one_that_was_bound() {
    let world = World::new();
    world.store.put("a.txt", Object::new("a"));
    world.engine.create_binding("p", "d", URI, &BindingSpec::default()).unwrap();
    let buckets = |more: &str| {
        let mut buckets = Buckets::new();
        buckets.add("b", world.url(more)).unwrap();
        buckets
    };
    let follower = world.engine.start_follower(buckets("?"), quick()).unwrap();
    world.keys_become(&["a.txt"]);
    follower.stop();
    let follower = world.engine.start_follower(buckets("/elsewhere?"), quick()).unwrap();
    wait(|| world.state() == BindingState::Retrying, || format!("{:?}", world.state()));
    assert!(world.engine.binding("p", "d", URI).unwrap().reason.contains("not the one that was bound"));
    assert_eq!(world.keys(), ["a.txt"]);
    // How it is asked is no other place.
    follower.stop();
    let follower = world.engine.start_follower(buckets("?rate=50&tries=3&"), quick()).unwrap();
    wait(|| world.state() == BindingState::Running, || format!("{:?}", world.state()));
    follower.stop();
}

#[test]
fn a_binding_is_deleted_promptly_while_its_store_is_away() {
    let world = World::new();
    world.store.put("a.txt", Object::new("a"));
    world.bind(BindingSpec::default());
    let follower = world.follow();
    world.keys_become(&["a.txt"]);
    // Every request fails, and is tried again with ever longer pauses.
    world.store.fail(Faults { one_in: 1, slow_ms: 10 });
    std::thread::sleep(Duration::from_secs(3));
    let begun = Instant::now();
    assert_eq!(world.engine.delete_binding("p", "d", URI, true).unwrap(), 1);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    follower.stop();
}

#[test]
fn a_first_scan_goes_on_where_it_was() {
    let world = World::new();
    let all: BTreeSet<String> = (0..2500).map(|n| format!("{n:05}.txt")).collect();
    all.iter().for_each(|key| world.store.put(key, Object::new(key.as_str())));
    // Five hundred objects a second: the scan takes seconds.
    world
        .engine
        .create_binding("p", "d", URI, &BindingSpec { source: world.url("?rate=500&"), ..BindingSpec::default() })
        .unwrap();
    let follower = world.follow();
    wait(|| world.keys().len() > 1200, || format!("{} files", world.keys().len()));
    follower.stop();
    let before = world.keys().len();
    assert!(before < 2500 && world.engine.binding("p", "d", URI).unwrap().phase == BindingPhase::FullScanning);
    world.store.asked();
    drop(follower);
    let World { dir, store, engine } = world;
    drop(engine);
    let world = World { engine: open(dir.path()), dir, store };
    world.store.remove("00001.txt");
    let follower = world.follow();
    assert!(follower.wait_idle(PATIENCE).unwrap());
    follower.stop();
    let asked = world.store.asked();
    assert!(asked["GET"] <= 2500 - before as u64 + 8, "{asked:?} after {before}");
    assert_eq!((world.keys().len(), world.differences()), (2499, vec![]));
}
