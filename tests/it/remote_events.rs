//! Messages of stores: what they name is looked at again, and whatever else they say does no harm. Tags that change alone.

use crate::follow::{PATIENCE, wait};
use crate::remote::{URI, World, counted, sample};
use crate::s3::{BUCKET, Faults, Object, encoded};
use medialith::engine::{AuditOptions, Buckets, FollowOptions, Follower, Progress, StoreEvents, TagBudget};
use medialith::model::{BindingSpec, File, Value, field};
use std::collections::BTreeMap;
use std::time::Duration;

/// A message as S3 sends it.
pub(crate) fn message(event: &str, bucket: &str, key: &str) -> String {
    let key = encoded(key, true).replace("%20", "+");
    let object = serde_json::json!({"key": key, "size": 1, "eTag": "not to be believed", "sequencer": "00"});
    let s3 = serde_json::json!({"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": object});
    serde_json::json!({"Records": [{"eventVersion": "2.1", "eventName": event, "s3": s3}]}).to_string()
}

/// A follower that lists once and then waits for messages.
fn listening() -> FollowOptions {
    let hour = Duration::from_secs(3600);
    FollowOptions {
        list_least: hour,
        list_most: hour,
        retry_most: Duration::from_millis(200),
        ..FollowOptions::default()
    }
}

impl World {
    fn listen(&self, options: FollowOptions) -> Follower {
        let follower = self.engine.start_follower(Buckets::new(), options).unwrap();
        assert!(follower.wait_idle(PATIENCE).unwrap(), "{:?}", self.engine.binding("p", "d", URI));
        self.store.asked();
        follower
    }

    fn tell(&self, event: &str, key: &str) -> StoreEvents {
        self.engine.store_events(message(event, BUCKET, key).as_bytes()).unwrap()
    }

    fn label(&self, key: &str) {
        let mut file = File::new(format!("oss://b/{key}"));
        file.set(field::CUSTOM_LABELS, Value::map([("note".to_owned(), "kept".to_owned())]));
        assert_eq!(self.dataset().update(vec![file]).unwrap(), [true]);
    }

    fn is_labelled(&self, key: &str) -> bool {
        self.file(key).get(field::CUSTOM_LABELS).is_some()
    }

    fn tags(&self, key: &str) -> Option<Value> {
        self.file(key).get(field::OSS_TAGGING).cloned()
    }
}

fn tagged(object: Object, tags: &[(&str, &str)]) -> Object {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Object { tags, ..object }
}

#[test]
fn what_messages_name_is_found_before_the_next_listing() {
    let world = World::new();
    world.store.put("a&b/one.txt", Object::new("one"));
    world.store.put("a&b/d/two.txt", Object::new("two"));
    let spec = BindingSpec { source: world.url("/a%26b?"), exclude: vec!["tmp/".to_owned()], ..BindingSpec::default() };
    world.engine.create_binding("p", "d", URI, &spec).unwrap();
    let follower = world.listen(listening());
    world.keys_become(&["d/two.txt", "one.txt"]);

    // New, with a name that messages encode: a listing of what is around it, and one read.
    let name = "a&b/d/red flower+\u{6771}.txt";
    world.store.put(name, Object::new("new"));
    assert_eq!(world.tell("ObjectCreated:Put", name), StoreEvents { named: 1, followed: 1 });
    world.keys_become(&["d/red flower+\u{6771}.txt", "d/two.txt", "one.txt"]);
    assert!(follower.wait_idle(PATIENCE).unwrap());
    assert_eq!(world.store.asked(), counted(&[("GET", 1), ("LIST", 1)]));
    // Told again, nothing is read again.
    world.tell("ObjectCreated:Put", name);
    assert!(follower.wait_idle(PATIENCE).unwrap());
    assert_eq!(world.store.asked(), counted(&[("LIST", 1)]));

    // Changed, and gone.
    world.store.put("a&b/one.txt", Object::new("changed!"));
    world.store.remove("a&b/d/two.txt");
    world.tell("s3:ObjectCreated:CompleteMultipartUpload", "a&b/one.txt");
    world.tell("ObjectRemoved:DeleteMarkerCreated", "a&b/d/two.txt");
    world.keys_become(&["d/red flower+\u{6771}.txt", "one.txt"]);
    wait(|| world.file("one.txt").get(field::SIZE).unwrap().as_int() == Some(8), || "not changed".to_owned());

    // A move, of which the deletion is told first: what callers said stays.
    world.label("one.txt");
    let object = world.store.remove("a&b/one.txt").unwrap();
    world.store.put("a&b/moved.txt", Object { modified: object.modified + 5, ..object });
    world.tell("ObjectRemoved:Delete", "a&b/one.txt");
    world.tell("ObjectCreated:Copy", "a&b/moved.txt");
    world.keys_become(&["d/red flower+\u{6771}.txt", "moved.txt"]);
    assert!(world.is_labelled("moved.txt"));
    follower.stop();
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn messages_that_lie_do_no_harm() {
    let world = World::new();
    for key in ["a.txt", "tmp/b.txt", "c.txt"] {
        world.store.put(key, Object::new(key));
    }
    world.bind(BindingSpec { exclude: vec!["tmp/".to_owned()], ..BindingSpec::default() });
    let follower = world.listen(listening());
    let before = world.dataset().scan("", usize::MAX).unwrap();
    // Removals that did not happen, objects that are not there or not to be taken, other buckets, odd keys.
    for key in
        ["a.txt", "c.txt", "nowhere.txt", "tmp/b.txt", "a", "a.xmp", "a.txt.xmp", "x/", ".", "..", "//", " ", "\u{1}"]
    {
        for event in ["ObjectRemoved:Delete", "ObjectCreated:Put", "ObjectRestore:Completed", "Anything"] {
            world.tell(event, key);
            let foreign = world.engine.store_events(message(event, "another-bucket", key).as_bytes()).unwrap();
            assert_eq!((foreign.named, foreign.followed), (1, 0));
        }
    }
    for bad in ["", "{", "[]", "{\"Records\":[{\"s3\":{\"bucket\":{},\"object\":{}}}]}"] {
        assert!(world.engine.store_events(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(follower.wait_idle(PATIENCE).unwrap());
    let after = world.dataset().scan("", usize::MAX).unwrap();
    let uris = |files: &[File]| files.iter().map(|file| file.uri().to_owned()).collect::<Vec<_>>();
    assert_eq!(uris(&after), uris(&before));
    assert_eq!(world.differences(), Vec::<String>::new());
    // What nobody told is found by the next listing: here that of the next follower.
    world.store.put("untold.txt", Object::new("untold"));
    world.store.remove("a.txt");
    follower.stop();
    assert_eq!(world.tell("ObjectCreated:Put", "untold.txt"), StoreEvents { named: 1, followed: 0 });
    let follower = world.listen(listening());
    world.keys_become(&["c.txt", "untold.txt"]);
    follower.stop();
}

#[test]
fn messages_of_xmp_files_change_what_they_describe() {
    let world = World::new();
    let photo = sample("photos/2024/Lisboa/El\u{e9}ctrico 28.jpg");
    for n in 0..600 {
        world.store.put(&format!("d/{n:03}.jpg"), Object::new(photo.clone()));
    }
    world.store.put("d/300", Object::new("no extension"));
    world.bind(BindingSpec::default());
    let follower = world.listen(listening());
    let title = |key: &str| world.file(key).text(field::TITLE).map(str::to_owned);
    let plain = title("d/300.jpg");
    let xmp = |title: &str| {
        Object::new(format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><rdf:Alt><rdf:li xml:lang='x-default'>\
             {title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
        ))
    };
    for (name, said) in [("d/300.xmp", "of the stem"), ("d/300.jpg.XMP", "of the whole name")] {
        world.store.put(name, xmp(said));
        world.tell("ObjectCreated:Put", name);
        wait(|| title("d/300.jpg").as_deref() == Some(said), || format!("{:?}", title("d/300.jpg")));
    }
    // The photo itself, told alone, is read with what describes it.
    world.store.put("d/300.jpg", Object { modified: 1_700_000_000, ..Object::new(photo.clone()) });
    world.tell("ObjectCreated:Put", "d/300.jpg");
    assert!(follower.wait_idle(PATIENCE).unwrap());
    assert_eq!(title("d/300.jpg").as_deref(), Some("of the whole name"));
    for name in ["d/300.xmp", "d/300.jpg.XMP"] {
        world.store.remove(name);
        world.tell("ObjectRemoved:Delete", name);
    }
    wait(|| title("d/300.jpg") == plain, || format!("{:?}", title("d/300.jpg")));
    assert!(follower.wait_idle(PATIENCE).unwrap());
    let asked = world.store.asked();
    assert!(asked["LIST"] < 20 && asked["GET"] < 20, "{asked:?}");
    follower.stop();
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn tags_that_change_alone_are_seen() {
    let world = World::new();
    let put = |key: &str, tags: &[(&str, &str)]| {
        let object = Object { modified: 1_700_000_000, ..Object::new(key) };
        world.store.put(key, tagged(object, tags));
    };
    let keys: Vec<String> = (0..100).map(|n| format!("{n:03}.txt")).collect();
    keys.iter().for_each(|key| put(key, &[("stage", "raw")]));
    world.bind(BindingSpec::default());
    let follower = world.listen(listening());
    let map = |value: &str| Some(Value::map([("stage".to_owned(), value.to_owned())]));
    assert_eq!(world.tags("007.txt"), map("raw"));

    // By a message.
    put("007.txt", &[("stage", "done")]);
    world.tell("ObjectTagging:Put", "007.txt");
    wait(|| world.tags("007.txt") == map("done"), || format!("{:?}", world.tags("007.txt")));
    assert!(follower.wait_idle(PATIENCE).unwrap());
    follower.stop();

    // By an audit within its budget, which says where it ended.
    put("010.txt", &[]);
    put("090.txt", &[("stage", "done"), ("more", "yes")]);
    assert_eq!(world.differences(), Vec::<String>::new());
    let binding = world.engine.binding("p", "d", URI).unwrap();
    world.store.asked();
    let audit = |repair: bool, most: u64, after: &str| {
        let tags = Some(TagBudget { most, after: after.to_owned() });
        let options = AuditOptions { repair, tags };
        world.engine.audit_with(&binding, &Buckets::new(), &options, &Progress::new()).unwrap()
    };
    let first = audit(false, 50, "");
    assert_eq!((first.stale, first.tags, first.tags_upto.as_deref()), (1, 50, Some("049.txt")));
    assert_eq!(first.differences[0].1, "oss://b/010.txt");
    let asked = world.store.asked();
    assert_eq!((asked["TAGS"], asked.get("GET")), (50, None));
    let second = audit(false, 0, "049.txt");
    assert_eq!((second.stale, second.tags, second.tags_upto), (1, 50, None));
    let repaired = audit(true, 0, "");
    assert_eq!((repaired.stale, repaired.repaired), (2, 2));
    assert_eq!(world.tags("010.txt"), None);
    assert_eq!(world.file("010.txt").get(field::OSS_TAGGING_COUNT), None);
    assert_eq!(world.file("090.txt").get(field::OSS_TAGGING_COUNT).unwrap().as_int(), Some(2));
    assert_eq!(audit(false, 0, "").count(), 0);

    // By a follower that asks for some with each listing.
    keys.iter().for_each(|key| put(key, &[("stage", "archived")]));
    let follower = world.listen(FollowOptions {
        list_least: Duration::from_millis(50),
        list_most: Duration::from_millis(50),
        tags: 30,
        ..listening()
    });
    wait(|| keys.iter().all(|key| world.tags(key) == map("archived")), || "tags of old".to_owned());
    follower.stop();
    // Refused, it says that it could not look.
    world.store.vanish(true);
    let said = world.engine.audit_with(&binding, &Buckets::new(), &AuditOptions::default(), &Progress::new());
    assert!(said.is_err());
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

#[test]
fn a_storm_told_by_messages_that_get_lost_ends_right() {
    let world = World::new();
    world.bind(BindingSpec { source: world.url("?rate=0&tries=20&timeout=10&"), ..BindingSpec::default() });
    let every = Duration::from_secs(3);
    let follower = world.listen(FollowOptions { list_least: every, list_most: every, ..listening() });
    world.store.fail(Faults { one_in: 8, slow_ms: 100 });
    let (mut dice, mut want, mut unsent) = (Dice(5), BTreeMap::new(), Vec::new());
    for n in 0..800 {
        let key = format!("{}f{}.txt", ["", "a/", "a/b c+/"][dice.below(3)], dice.below(150));
        let event = if dice.below(3) == 0 {
            world.store.remove(&key);
            want.remove(&key);
            "ObjectRemoved:Delete"
        } else {
            let text = format!("{n} {}", "x".repeat(dice.below(50)));
            world.store.put(&key, Object::new(text.as_str()));
            want.insert(key.clone(), text.len() as i64);
            "ObjectCreated:Put"
        };
        // One in five is lost, one in five comes twice, the others late and in any order.
        let copies = [0, 2, 1, 1, 1][dice.below(5)];
        (0..copies).for_each(|_| unsent.push((event, key.clone())));
        while unsent.len() > dice.below(20) {
            let (event, key) = unsent.swap_remove(dice.below(unsent.len()));
            assert_eq!(world.tell(event, &key).named, 1);
        }
        std::thread::sleep(Duration::from_millis(dice.below(8) as u64));
    }
    let found = || -> BTreeMap<String, i64> {
        let files = world.dataset().scan("", usize::MAX).unwrap();
        let size = |file: &File| file.get(field::SIZE).and_then(|size| size.as_int()).unwrap_or(-1);
        files.iter().map(|file| (file.uri().strip_prefix("oss://b/").unwrap().to_owned(), size(file))).collect()
    };
    wait(|| found() == want, || format!("{} documents, {} objects", found().len(), want.len()));
    assert!(world.store.injected() > 10);
    world.store.fail(Faults { one_in: 0, slow_ms: 0 });
    follower.stop();
    assert_eq!(world.differences(), Vec::<String>::new());
}
