//! What does the server cost over the library, and how much does it answer under load?
//!
//! `cargo bench --bench server -- TOOL DIR [SECONDS]`: TOOL is a release build of `medialith`, DIR a database made by the
//! bench `ingest` (project `bench`, dataset `docs`). First the library answers the queries in this process, then TOOL serves
//! DIR in a process of its own and this one asks over loopback with 1, 8 and 64 connections. The overhead is the median
//! over one connection less the library's, which writes its answers as JSON too. What two processes and the kernel's loopback
//! take of it is measured with a bare one that answers as many bytes after computing for as long: the rest is the
//! server's own. Prints one JSON line per measurement.
//! Without arguments it says so and ends.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and may fail loudly"
)]

use medialith::engine::{Engine, Options};
use medialith::model::{Page, Query, field, now};
use medialith::server::sign::{acs3, canonical_query};
use medialith::server::{AccessKeys, NewKey, Role};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLACE: [(&str, &str); 2] = [("ProjectName", "bench"), ("DatasetName", "docs")];

const ACTIONS: [&str; 2] = ["FuzzyQuery", "BatchGetFileMeta"];

/// What is asked: words to find, and groups of 100 addresses.
struct Asked {
    words: Vec<String>,
    uris: Vec<String>,
    /// The library's medians and bytes of an answer, in the order of [`ACTIONS`].
    alone: Vec<(u64, usize)>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [echo, micros, bytes] = args.as_slice()
        && echo == "echo"
    {
        return bare(Duration::from_micros(micros.parse().unwrap()), bytes.parse().unwrap());
    }
    let [tool, dir, rest @ ..] = args.as_slice() else {
        println!("skipped: expected TOOL DIR [SECONDS], see the head of benches/server.rs");
        return;
    };
    let time = Duration::from_secs(rest.first().map_or(5, |s| s.parse().unwrap()));
    let asked = library(dir, time);
    let seal = tempfile::tempdir().unwrap();
    let seal = seal.path().join("seal");
    let new = NewKey { role: Role::Read, projects: Vec::new(), lasts: None, note: "bench".into() };
    let key = AccessKeys::open(Path::new(dir), &seal).unwrap().create(&new).unwrap();
    let mut command = Command::new(tool);
    command.args(["--db", dir, "serve", "--listen", "127.0.0.1:0", "--quiet", "--project-rate", "0"]);
    let mut server = command.arg("--seal-key").arg(&seal).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let endpoint = said.trim().strip_prefix("serving http://").unwrap().to_owned();
    for connections in [1, 8, 64] {
        for (action, (alone, bytes)) in ACTIONS.into_iter().zip(&asked.alone) {
            let load = Load { endpoint: &endpoint, id: &key.id, secret: &key.secret, action, asked: &asked };
            let p50 = load.run(connections, time);
            if connections == 1 {
                let overhead = p50.saturating_sub(*alone);
                let loopback = loopback(&load, *alone, *bytes, time).saturating_sub(*alone);
                println!(
                    "{}",
                    serde_json::json!({"measure": "overhead", "action": action, "p50_us": overhead,
                    "of_it_loopback_us": loopback, "own_us": overhead.saturating_sub(loopback)})
                );
            }
        }
    }
    let rss = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let rss = rss.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    println!("{}", serde_json::json!({"measure": "server memory", "peak": rss}));
    let stop = Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(stop.success() && server.wait().unwrap().success());
    AccessKeys::open(Path::new(dir), &seal).unwrap().delete(&key.id).unwrap();
}

fn percentiles(mut micros: Vec<u64>) -> (u64, u64) {
    micros.sort_unstable();
    (micros[micros.len() / 2], micros[micros.len() * 99 / 100])
}

/// The least that a server can do: one connection, answers of so many bytes after so long a computation.
fn bare(work: Duration, bytes: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("serving http://{}", listener.local_addr().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let answer =
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n").into_bytes(), vec![b' '; bytes]].concat();
    let (mut request, mut piece) = (Vec::new(), [0; 64 << 10]);
    loop {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
            _ => return,
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            let begun = Instant::now();
            while begun.elapsed() < work {
                std::hint::spin_loop();
            }
            stream.write_all(&answer).unwrap();
        }
    }
}

/// The median of the same requests at a bare server in a process of its own.
fn loopback(load: &Load<'_>, work: u64, bytes: usize, time: Duration) -> u64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["echo", &work.to_string(), &bytes.to_string()]);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let endpoint = said.trim().strip_prefix("serving http://").unwrap();
    let (p50, _) = percentiles(Load { endpoint, ..*load }.ask(0, Instant::now() + time));
    assert!(server.wait().unwrap().success());
    p50
}

/// The library's own times, and what will be asked of the server.
fn library(dir: &str, time: Duration) -> Asked {
    let engine = Engine::open(dir, Options { read_only: true, ..Options::default() }).unwrap();
    let dataset = engine.dataset("bench", "docs").unwrap();
    let files = dataset.scan("", 20_000).unwrap();
    let uris: Vec<String> = files.iter().map(|f| f.uri().to_owned()).collect();
    let texts = files.iter().step_by(97).filter_map(|f| f.text(field::TITLE).or(f.text(field::FILENAME)));
    let words: Vec<String> = texts
        .flat_map(|t| {
            t.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() > 3).map(str::to_owned).take(1)
        })
        .take(200)
        .collect();
    let mut asked = Asked { words, uris, alone: Vec::new() };
    for action in ACTIONS {
        let (mut micros, begun, mut at, mut bytes) = (Vec::new(), Instant::now(), 0, 0);
        while begun.elapsed() < time {
            let started = Instant::now();
            if action == "FuzzyQuery" {
                let text = asked.words[at % asked.words.len()].clone();
                let page = Page { max_results: 20, token: String::new() };
                let found = dataset.search(&Query { text, page, ..Query::default() }).unwrap();
                bytes += std::hint::black_box(serde_json::to_vec(&found.files).unwrap()).len();
            } else {
                let found = dataset.get_many(&asked.uris[at % 100 * 100..][..100], &[]).unwrap();
                bytes += std::hint::black_box(serde_json::to_vec(&found).unwrap()).len();
            }
            micros.push(started.elapsed().as_micros() as u64);
            at += 1;
        }
        let (count, (p50, p99)) = (micros.len(), percentiles(micros));
        println!(
            "{}",
            serde_json::json!({"measure": "library", "action": action, "calls": count, "p50_us": p50, "p99_us": p99})
        );
        asked.alone.push((p50, bytes / count));
    }
    asked
}

/// One kind of call at full speed.
struct Load<'a> {
    endpoint: &'a str,
    id: &'a str,
    secret: &'a str,
    action: &'a str,
    asked: &'a Asked,
}

impl Load<'_> {
    /// Asks over so many connections; the median in microseconds.
    fn run(&self, connections: usize, time: Duration) -> u64 {
        let begun = Instant::now();
        let micros: Vec<u64> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..connections).map(|n| scope.spawn(move || self.ask(n, begun + time))).collect();
            asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let rate = micros.len() as f64 / begun.elapsed().as_secs_f64();
        let (p50, p99) = percentiles(micros);
        println!(
            "{}",
            serde_json::json!({"measure": "server", "action": self.action, "connections": connections,
            "calls_per_s": rate as u64, "p50_us": p50, "p99_us": p99})
        );
        p50
    }

    fn ask(&self, first: usize, end: Instant) -> Vec<u64> {
        let mut stream = TcpStream::connect(self.endpoint).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut micros, mut at, mut answer) = (Vec::new(), first * 7, Vec::new());
        while Instant::now() < end {
            let request = self.request(at);
            let started = Instant::now();
            stream.write_all(&request).unwrap();
            read_answer(&mut stream, &mut answer);
            micros.push(started.elapsed().as_micros() as u64);
            assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
            at += 1;
        }
        micros
    }

    fn request(&self, at: usize) -> Vec<u8> {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let uris = serde_json::to_string(&self.asked.uris[at % 100 * 100..][..100]).unwrap();
        let what = match self.action {
            "FuzzyQuery" => [("Query", self.asked.words[at % self.asked.words.len()].as_str()), ("MaxResults", "20")],
            _ => [("URIs", uris.as_str()), ("WithFields", "[]")],
        };
        let params: Vec<(&str, &str)> = PLACE.into_iter().chain(what).collect();
        let hash = acs3::sha256_hex(b"");
        let nonce = format!("{}-{}", now().0, NONCE.fetch_add(1, Ordering::Relaxed));
        let fields = [
            ("host", self.endpoint),
            ("x-acs-action", self.action),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", &now().to_string()),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", "2020-09-30"),
        ];
        let (query, fields) = (owned(&params), owned(&fields));
        let signed: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
        let request = acs3::Request { method: "POST", path: "/", query: &query, fields: &fields, payload_hash: &hash };
        let text = acs3::string_to_sign(&acs3::canonical_request(&request, &signed));
        let signature = acs3::signature(self.secret, &text);
        let mut text = format!("POST /?{} HTTP/1.1\r\n", canonical_query(params.into_iter(), false));
        fields.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        let (scheme, id, names) = (acs3::SCHEME, self.id, signed.join(";"));
        text.push_str(&format!(
            "Authorization: {scheme} Credential={id},SignedHeaders={names},Signature={signature}\r\n\r\n"
        ));
        text.into_bytes()
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// Reads one answer with its body.
fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    let mut piece = [0; 64 << 10];
    loop {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "the server closed the connection");
        answer.extend_from_slice(&piece[..count]);
        let Some(head) = answer.windows(4).take(2000).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]);
        let length = text.lines().find_map(|l| l.strip_prefix("Content-Length: ")).unwrap();
        if answer.len() >= head + 4 + length.parse::<usize>().unwrap() {
            return;
        }
    }
}
