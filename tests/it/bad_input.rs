//! What people do wrong and what disks do to them: each ends in a clear error, with nothing lost.

use medialith::engine::{Dataset, Engine, Options};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, field};
use std::path::{Path, PathBuf};
use std::process::Command;

fn options() -> Options {
    Options { memory_bytes: 64 << 20, keep_free_bytes: 1 << 20, ..Options::default() }
}

fn fresh(dir: &Path) -> (Engine, Dataset) {
    let engine = Engine::open(dir, options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn file(number: u32) -> File {
    File::new(format!("oss://bucket/{}/f{number:06}.jpg", number % 7)).with(field::SIZE, i64::from(number))
}

#[test]
fn one_bad_document_holds_the_whole_call_back() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path());
    dataset.put(vec![file(1)]).unwrap();
    let long = "x".repeat(1 << 20);
    let bad = [
        File::new(""),
        File::new("http://host/file"),
        File::new("oss://bucket"),
        File::new("oss://.bucket/key"),
        File::new("oss://bucket/zero\0byte"),
        File::new(format!("oss://bucket/{long}")),
        file(2).with(field::TITLE, "x".repeat((1 << 20) + 1)),
        file(2).with(field::SIZE, "a text"),
        file(2).with(field::FIGURE_ID, "a member of an object"),
    ];
    for document in bad {
        let error = dataset.put(vec![file(3), document.clone(), file(4)]).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidArgument, "put"), "{error}");
        assert!(error.to_string().len() < 1000, "an error does not repeat a megabyte");
        assert_eq!(dataset.len().unwrap(), 1, "nothing of the call is stored");
        if document.get(field::TITLE).is_none() && document.uri() != file(2).uri() {
            let uri = document.uri().to_owned();
            assert_eq!(dataset.get(&uri, &[]).unwrap_err().kind(), ErrorKind::InvalidArgument);
            assert_eq!(dataset.delete(vec![uri]).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
    assert_eq!(dataset.get(file(1).uri(), &[]).unwrap().unwrap().int(field::SIZE), Some(1));
    assert!(engine.check(true).unwrap().is_clean());
}

#[test]
fn queries_that_ask_nothing_or_too_much_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path());
    dataset.put((0..300).map(file).collect()).unwrap();
    let ask = |text: &str, size: usize, token: &str| {
        let mut query = Query { text: text.into(), ..Query::default() };
        query.page.max_results = size;
        query.page.token = token.into();
        dataset.search(&query)
    };
    for (text, size, token) in [
        (" \t\n ", 0, ""),
        ("\u{301}", 0, ""),
        (&*"x".repeat((1 << 20) + 1), 0, ""),
        ("jpg", 201, ""),
        ("jpg", 10, "no token"),
        ("jpg", 10, "AAAA"),
        ("jpg", 10, &"A".repeat(1 << 16)),
    ] {
        let error = ask(text, size, token).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidArgument, "search"), "{error}");
        assert!(error.to_string().len() < 1000, "an error does not repeat a megabyte");
    }
    assert_eq!(ask("", 0, "").unwrap().total, Some(300), "no text asks nothing of a file");
    let token = ask("jpg", 10, "").unwrap().next_token;
    assert_eq!(ask("f0", 10, &token).unwrap_err().kind(), ErrorKind::InvalidArgument, "a token of another query");
    assert_eq!(ask(&"x".repeat(1 << 20), 0, "").unwrap().total, Some(0), "the longest text is only long");
}

/// A file system in memory, gone with the value. `None` where we may not mount.
struct Mount(PathBuf);

impl Mount {
    fn new(dir: &Path, size: &str) -> Option<Mount> {
        std::fs::create_dir_all(dir).unwrap();
        let options = format!("size={size}");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &options, "medialith-test", dir.to_str()?]);
        if !mounted {
            println!("skipped: no file system can be mounted here");
        }
        mounted.then(|| Mount(dir.to_owned()))
    }

    fn remount(&self, options: &str) {
        assert!(run("mount", &["-o", &format!("remount,{options}"), self.0.to_str().unwrap()]));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        assert!(run("umount", &["-l", self.0.to_str().unwrap_or("")]) || std::thread::panicking());
    }
}

fn run(command: &str, arguments: &[&str]) -> bool {
    Command::new(command).args(arguments).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_refuses_writes_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(&dir.path().join("small"), "24m") else { return };
    let (engine, dataset) = fresh(&mount.0.join("db"));
    let text = |number: u32, at: u32| {
        let noise =
            (0..600u32).map(|n| char::from(b'a' + (n.wrapping_mul(number * 2 + 1).wrapping_add(at * 7) % 26) as u8));
        noise.collect::<String>()
    };
    let mut stored = 0;
    let error = loop {
        let batch = (stored..stored + 200).map(|n| file(n).with(field::TITLE, text(n, n / 3)));
        match dataset.put(batch.collect()) {
            Ok(()) => stored += 200,
            Err(error) => break error,
        }
        assert!(stored < 1_000_000, "a disk of 24 MB is full some time");
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    assert!(stored > 0);
    drop((engine, dataset));
    mount.remount("size=256m");
    let engine = Engine::open(mount.0.join("db"), options()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    let uris: Vec<String> = (0..stored).map(|n| file(n).uri().to_owned()).collect();
    assert_eq!(dataset.get_many(&uris, &[field::URI]).unwrap().len(), uris.len(), "all that was acknowledged");
    dataset.put(vec![file(stored + 1000)]).unwrap();
    dataset.settle().unwrap();
    let report = engine.check(true).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_read_only_disk_is_read_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(&dir.path().join("disk"), "64m") else { return };
    let home = mount.0.join("db");
    let (engine, dataset) = fresh(&home);
    dataset.put((0..100).map(file).collect()).unwrap();
    dataset.settle().unwrap();
    dataset.put((50..150).map(file).collect()).unwrap();
    drop((engine, dataset));
    mount.remount("ro");
    // It opens all the same, and says at the first write why it takes none.
    let engine = Engine::open(&home, options()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    assert_eq!(dataset.get_many(&[file(1).uri().to_owned()], &[field::URI]).unwrap().len(), 1);
    assert_eq!(dataset.put(vec![file(1)]).unwrap_err().kind(), ErrorKind::ReadOnly);
    drop((engine, dataset));
    let error = Engine::open(mount.0.join("new"), options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    let engine = Engine::open(&home, Options { read_only: true, ..options() }).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    let query = Query { text: "jpg".into(), ..Query::default() };
    assert_eq!(dataset.search(&query).unwrap().total, Some(150));
    assert_eq!(dataset.put(vec![file(1)]).unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(engine.check(true).unwrap().is_clean());
}
