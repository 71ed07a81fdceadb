//! Nothing outside a bucket's folder is ever opened: hostile addresses, and links that are swapped while files are opened.

use super::client::{Running, quiet, refused};
use medialith::codec::ReadAt;
use medialith::source::Folder;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Ways out of a folder, as systems, clients and decoders know them.
const WAYS: [&str; 38] = [
    "..",
    "../..",
    "../../../../../../../../..",
    "./..",
    "sub/..",
    "sub/../..",
    "sub/./../..",
    "sub//../..",
    "/..",
    "//..",
    "",
    "/",
    "up",
    "up/..",
    "up/files",
    "up/files/sub",
    "root",
    "root/tmp",
    "self/up",
    "self/self/self/..",
    "loop",
    "%2e%2e",
    "%2E%2E",
    "..%2f..",
    "%2e%2e%2f",
    "..%00",
    "..\0",
    "..\\..",
    ".. ",
    "..;",
    "...",
    "..%c0%af..",
    "..\u{2215}..",
    "\u{ff0e}\u{ff0e}",
    "\u{202e}..",
    "~root",
    "C:",
    "proc/self/root",
];
const GOALS: [&str; 8] =
    ["secret", "etc/passwd", "db.key", "proc/self/environ", "link", "sub/ok.txt/../../secret", "dev/zero", "sub"];

/// A bucket's folder `files` beside a secret, with links that lead out of it.
fn traps(dir: &Path) {
    let files = dir.join("files");
    std::fs::create_dir_all(files.join("sub")).unwrap();
    std::fs::write(files.join("sub/ok.txt"), "inside").unwrap();
    std::fs::write(dir.join("secret"), "secret").unwrap();
    for (to, name) in [("../secret", "link"), ("..", "up"), ("/", "root"), (".", "self"), ("loop", "loop")] {
        symlink(to, files.join(name)).unwrap();
    }
}

#[test]
fn three_hundred_hostile_keys() {
    let running = Running::start(quiet()).with_dataset();
    traps(running.dir.path());
    let files = running.dir.path().join("files");
    let inside = std::fs::metadata(files.join("sub/ok.txt")).unwrap().ino();
    let folder = Folder::open(&files).unwrap();
    let keys: BTreeSet<String> = WAYS
        .iter()
        .flat_map(|way| GOALS.map(|goal| format!("{way}/{goal}")))
        .chain(["x/".repeat(3000), "x".repeat(300)])
        .collect();
    assert!(keys.len() >= 300, "{}", keys.len());
    let client = running.client();
    for key in &keys {
        if let Ok(file) = folder.open_key(key) {
            assert_eq!(file.stamp().inode, inside, "{key:?}");
        }
        let answer = client.call("DetectMediaMeta", &[("ProjectName", "p"), ("SourceURI", &format!("oss://b/{key}"))]);
        assert_eq!(refused(&answer).1, "InvalidArgument", "{key:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(running.dir.path().to_str().unwrap()), "{key:?}");
    }
    assert_eq!(
        client.call("DetectMediaMeta", &[("ProjectName", "p"), ("SourceURI", "oss://b/sub/ok.txt")]).status,
        200
    );
    running.stop();
}

/// Swaps two names for each other, over and over.
fn swap(one: &Path, two: &Path, over: &AtomicBool, swaps: &AtomicU64) {
    while !over.load(Ordering::Relaxed) {
        renameat_with(CWD, one, CWD, two, RenameFlags::EXCHANGE).unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
    }
}

/// Opens a key until it was both opened and refused many times; what opened is what lies inside.
fn open_while_swapped(folder: &Folder, key: &str) -> (u64, u64) {
    let (begun, mut opened, mut refused) = (Instant::now(), 0, 0);
    while (opened < 2000 || refused < 200) && begun.elapsed() < Duration::from_secs(20) {
        match folder.open_key(key) {
            Ok(file) => {
                let mut bytes = [0; 16];
                let count = file.read_at(0, &mut bytes).unwrap();
                assert_eq!(&bytes[..count], b"inside", "{key}");
                opened += 1;
            }
            Err(_) => refused += 1,
        }
    }
    (opened, refused)
}

#[test]
fn links_that_are_swapped_while_files_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    traps(dir.path());
    let files = dir.path().join("files");
    std::fs::create_dir(dir.path().join("outside")).unwrap();
    std::fs::write(dir.path().join("outside/ok.txt"), "outside").unwrap();
    std::fs::write(files.join("plain"), "inside").unwrap();
    // A folder against a link to another, a file against a link to the secret.
    symlink("../outside", files.join("away")).unwrap();
    let folder = Folder::open(&files).unwrap();
    for (one, two, key) in [("sub", "away", "sub/ok.txt"), ("plain", "link", "plain")] {
        let (over, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
        let (opened, refused) = std::thread::scope(|scope| {
            scope.spawn(|| swap(&files.join(one), &files.join(two), &over, &swaps));
            let outcome = std::panic::catch_unwind(|| open_while_swapped(&folder, key));
            over.store(true, Ordering::Relaxed);
            outcome.unwrap()
        });
        let swaps = swaps.into_inner();
        assert!(
            opened >= 2000 && refused >= 200 && swaps >= 1000,
            "{key}: {opened} opened, {refused} refused, {swaps} swaps"
        );
    }
}
