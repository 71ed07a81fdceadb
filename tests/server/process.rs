//! `medialith serve` as a process of its own: ended under load, started anew, and what it writes of secrets.

use super::client::{Bent, Client, nonce, raw, refused};
use medialith::server::Issued;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) const PLACE: [(&str, &str); 2] = [("ProjectName", "p"), ("DatasetName", "d")];

/// A running `medialith serve`.
pub(super) struct Process {
    pub(super) child: Child,
    address: std::net::SocketAddr,
    /// What it said before it served.
    said: String,
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medialith"));
    command.env_clear().env("MEDIALITH_DB", dir.join("db")).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

impl Process {
    fn start(dir: &Path) -> Process {
        Process::start_with(dir, &[])
    }

    fn start_with(dir: &Path, more: &[&str]) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
        let bucket = format!("b={}", dir.join("files").display());
        let mut command = command(dir);
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--project-rate", "0", "--bucket", &bucket])
            .args(more)
            .stderr(log)
            .spawn()
            .unwrap();
        let (mut lines, mut said) = (BufReader::new(child.stdout.take().unwrap()).lines(), String::new());
        let address = loop {
            let line = lines.next().expect("the server says where it serves").unwrap();
            if let Some(address) = line.strip_prefix("serving http://") {
                break address.parse().unwrap();
            }
            said.push_str(&line);
            said.push('\n');
        };
        // It may still have something to say.
        std::thread::spawn(move || lines.count());
        Process { child, address, said }
    }

    pub(super) fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
    }
}

/// The key that a command printed.
fn key(said: &str) -> Issued {
    let of = |what: &str| said.lines().find_map(|l| l.strip_prefix(what)).map(|rest| rest.trim().to_owned());
    Issued { id: of("access key id").unwrap(), secret: of("access key secret").unwrap(), token: of("security token") }
}

/// Files to index and datasets to create, one after another until the server refuses; what it acknowledged.
fn work_until_refused(client: &Client, writer: usize) -> (Vec<String>, Vec<String>) {
    let (mut uris, mut datasets) = (Vec::new(), Vec::new());
    for n in 0.. {
        let (uri, dataset) = (format!("oss://b/{writer}/{n}"), format!("d{writer}-{n}"));
        let file = json!({"URI": uri, "CustomId": n.to_string()}).to_string();
        match client.try_call("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", &file)]) {
            Some(answer) if answer.status == 200 => uris.push(uri),
            _ => break,
        }
        if n % 5 == 0 {
            match client.try_call("CreateDataset", &[PLACE[0], ("DatasetName", &dataset)]) {
                Some(answer) if answer.status == 200 => datasets.push(dataset),
                _ => break,
            }
        }
    }
    (uris, datasets)
}

fn started(dir: &Path) -> (Process, Client) {
    started_with(dir, &[])
}

/// A server with a dataset, and a client that has its key.
pub(super) fn started_with(dir: &Path, more: &[&str]) -> (Process, Client) {
    std::fs::create_dir(dir.join("files")).unwrap();
    let process = Process::start_with(dir, more);
    let client = Client { address: process.address, key: key(&process.said) };
    client.ok("CreateProject", &[PLACE[0]]);
    client.ok("CreateDataset", &PLACE);
    (process, client)
}

#[test]
fn sigterm_under_load_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (process, client) = started(dir.path());
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let client = client.clone();
            std::thread::spawn(move || work_until_refused(&client, writer))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(700));
    let recorded = client.bytes("GetDataset", &PLACE, &client.bent());
    assert_eq!(raw(client.address, &recorded).status, 200);
    process.end();
    let acknowledged: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
    let (uris, datasets): (Vec<_>, Vec<_>) = acknowledged.into_iter().unzip();
    let (uris, datasets) = (uris.concat(), datasets.concat());
    assert!(uris.len() > 20 && datasets.len() > 4, "{} files, {} datasets", uris.len(), datasets.len());

    let process = Process::start(dir.path());
    assert!(!process.said.contains("secret"), "a secret is shown once");
    let client = Client { address: process.address, key: client.key };
    // A request that was recorded on its way is not answered by the next process either.
    assert_eq!(refused(&raw(client.address, &recorded)).1, "SignatureNonceUsed");
    for dataset in &datasets {
        client.ok("GetDataset", &[PLACE[0], ("DatasetName", dataset)]);
    }
    let begun = Instant::now();
    for some in uris.chunks(100) {
        let some = json!(some).to_string();
        let ask = [PLACE[0], PLACE[1], ("URIs", some.as_str()), ("WithFields", r#"["URI"]"#)];
        let wanted: Vec<String> = serde_json::from_str(&some).unwrap();
        while client.ok("BatchGetFileMeta", &ask)["Files"].as_array().unwrap().len() < wanted.len() {
            assert!(begun.elapsed() < Duration::from_secs(60), "files that were accepted are missing");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    process.end();
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn secrets_are_shown_once_and_written_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let (process, client) = started(dir.path());
    let made = command(dir.path()).args(["keys", "create", "--role", "read", "--minutes", "5"]).output().unwrap();
    let temporary = Client { address: client.address, key: key(std::str::from_utf8(&made.stdout).unwrap()) };
    std::thread::sleep(Duration::from_millis(700));
    let mut bent = temporary.bent();
    bent.more_fields.push(("x-acs-security-token".to_owned(), temporary.key.token.clone().unwrap()));
    assert_eq!(temporary.send("ListProjects", &[], &bent).status, 200);
    // Whatever goes wrong with a request, nobody else is told what it held.
    let canary = "canary-5f1d9c";
    for (name, params) in [
        ("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", canary)][..]),
        ("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", canary), ("NextToken", canary)]),
        ("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", canary)]),
        ("GetFileMeta", &[PLACE[0], PLACE[1], ("URI", canary)]),
    ] {
        client.call(name, params);
    }
    let bends: [fn(&mut Bent); 3] = [|b| b.secret.push('x'), |b| b.nonce = nonce(), |b| b.date.clear()];
    for bend in bends {
        let mut again = bent.clone();
        bend(&mut again);
        let answer = temporary.send("ListProjects", &[("Prefix", canary)], &again);
        assert!(!String::from_utf8_lossy(&answer.body).contains(&temporary.key.secret));
    }
    process.end();
    let listed = command(dir.path()).args(["keys", "list"]).output().unwrap();
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    let said = log.lines().filter(|l| !l.starts_with("medialith: "));
    let lines: Vec<Value> = said.map(|l| serde_json::from_str(l).expect("each line of the log is JSON")).collect();
    assert!(lines.len() >= 10 && lines.iter().all(|l| l["request_id"].as_str().is_some_and(|id| id.len() == 36)));
    assert!(!log.contains(canary), "{log}");
    let mut written = vec![("log".to_owned(), log.into_bytes()), ("keys list".to_owned(), listed.stdout)];
    for path in files(&dir.path().join("db")) {
        written.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    for (what, secret) in [
        ("secret", &client.key.secret),
        ("secret of a temporary key", &temporary.key.secret),
        ("security token", temporary.key.token.as_ref().unwrap()),
    ] {
        for (place, bytes) in &written {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "the {what} is in {place}");
        }
    }
}
