//! A server of its own for each test, and a client that signs as the SDKs do.

use medialith::engine::{Buckets, Engine, Options as EngineOptions};
use medialith::model::now;
use medialith::server::sign::{acs3, canonical_query, legacy};
use medialith::server::{AccessKeys, Issued, Log, NewKey, Options, Role, Server};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A server on a port of its own.
pub(super) struct Running {
    pub(super) engine: Engine,
    pub(super) address: SocketAddr,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) admin: Issued,
    server: Option<Server>,
    pub(super) dir: TempDir,
}

/// Options for tests: any free port, no log.
pub(super) fn quiet() -> Options {
    Options { listen: "127.0.0.1:0".parse().unwrap(), log: Log::Off, ..Options::default() }
}

pub(super) fn keys(dir: &Path) -> AccessKeys {
    AccessKeys::open(&dir.join("db"), &dir.join("db.key")).unwrap()
}

pub(super) fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), EngineOptions { memory_bytes: 64 << 20, ..EngineOptions::default() }).unwrap()
}

impl Running {
    /// Starts a server in an empty folder whose `files` are the bucket `b`.
    pub(super) fn start(options: Options) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let engine = open(dir.path());
        std::fs::create_dir(dir.path().join("files")).unwrap();
        let new = NewKey { role: Role::Admin, projects: Vec::new(), lasts: None, note: String::new() };
        let admin = keys(dir.path()).create(&new).unwrap();
        Running::serve(dir, engine, admin, options)
    }

    pub(super) fn serve(dir: TempDir, engine: Engine, admin: Issued, options: Options) -> Running {
        let mut buckets = Buckets::new();
        buckets.add("b", dir.path().join("files")).unwrap();
        let server = Server::start(&engine, keys(dir.path()), buckets, options).unwrap();
        let (address, metrics) = (server.address(), server.metrics_address());
        Running { engine, address, metrics, admin, server: Some(server), dir }
    }

    /// Ends the server; what is left of it.
    pub(super) fn stop(mut self) -> (TempDir, Issued) {
        assert!(self.server.take().unwrap().stop(Duration::from_secs(10)), "every request ended");
        (self.dir, self.admin)
    }

    pub(super) fn client(&self) -> Client {
        Client { address: self.address, key: self.admin.clone() }
    }

    /// A client with a new key of that role.
    pub(super) fn client_as(&self, role: Role, projects: &[&str]) -> Client {
        let projects = projects.iter().map(|p| (*p).to_owned()).collect();
        let key = keys(self.dir.path()).create(&NewKey { role, projects, lasts: None, note: String::new() }).unwrap();
        // The server looks at the file twice a second.
        std::thread::sleep(Duration::from_millis(600));
        Client { address: self.address, key }
    }

    /// A project and a dataset of it: `p` and `d`.
    pub(super) fn with_dataset(self) -> Running {
        let client = self.client();
        client.ok("CreateProject", &[("ProjectName", "p")]);
        client.ok("CreateDataset", &[("ProjectName", "p"), ("DatasetName", "d")]);
        self
    }

    pub(super) fn indexed(&self) {
        let begun = std::time::Instant::now();
        while self.engine.pending_files() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "indexing takes too long");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON: {e}: {}{}", self.head, String::from_utf8_lossy(&self.body)))
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A client with one key.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) key: Issued,
}

/// A request before it is signed; tests bend it.
#[derive(Clone)]
pub(super) struct Bent {
    pub(super) date: String,
    pub(super) nonce: String,
    pub(super) version: String,
    pub(super) secret: String,
    pub(super) key_id: String,
    pub(super) more_fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}-{}", now().0, NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn date(at: i64) -> String {
    let seconds = at.div_euclid(1_000_000_000) * 1_000_000_000;
    medialith::model::Timestamp(seconds).to_string()
}

impl Client {
    pub(super) fn bent(&self) -> Bent {
        Bent {
            date: date(now().0),
            nonce: nonce(),
            version: "2020-09-30".to_owned(),
            secret: self.key.secret.clone(),
            key_id: self.key.id.clone(),
            more_fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The bytes of a request with a V3 signature: parameters in the query of a POST, as the SDKs send them.
    pub(super) fn bytes(&self, action: &str, params: &[(&str, &str)], bent: &Bent) -> Vec<u8> {
        let hash = acs3::sha256_hex(&bent.body);
        let fixed = [
            ("host", self.address.to_string()),
            ("x-acs-action", action.to_owned()),
            ("x-acs-content-sha256", hash.clone()),
            ("x-acs-date", bent.date.clone()),
            ("x-acs-signature-nonce", bent.nonce.clone()),
            ("x-acs-version", bent.version.clone()),
        ];
        let mut fields: Vec<(String, String)> = fixed.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        fields.extend(bent.more_fields.iter().cloned());
        let query: Vec<(String, String)> = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let signed: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
        let request = acs3::Request { method: "POST", path: "/", query: &query, fields: &fields, payload_hash: &hash };
        let canonical = acs3::canonical_request(&request, &signed);
        let signature = acs3::signature(&bent.secret, &acs3::string_to_sign(&canonical));
        let (id, names) = (&bent.key_id, signed.join(";"));
        let target = canonical_query(params.iter().copied(), false).replace("%20", "+");
        let mut text = format!("POST /?{target} HTTP/1.1\r\n");
        fields.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        let scheme = acs3::SCHEME;
        text.push_str(&format!(
            "Authorization: {scheme} Credential={id},SignedHeaders={names},Signature={signature}\r\nContent-Length: {}\r\n\r\n",
            bent.body.len()
        ));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&bent.body);
        bytes
    }

    pub(super) fn send(&self, action: &str, params: &[(&str, &str)], bent: &Bent) -> Answer {
        raw(self.address, &self.bytes(action, params, bent))
    }

    pub(super) fn call(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        self.send(action, params, &self.bent())
    }

    /// The answer of a call, or nothing where the server does not answer any more.
    pub(super) fn try_call(&self, action: &str, params: &[(&str, &str)]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.write_all(&self.bytes(action, params, &self.bent())).ok()?;
        let mut bytes = Vec::new();
        // One request for each connection: the end of the answer is where its length says.
        let mut piece = [0; 4096];
        loop {
            let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: "))?.parse().ok()?;
                if body.len() >= length {
                    return Some(read_answer(&mut bytes.as_slice()));
                }
            }
        }
    }

    /// The answer of a call that must succeed.
    pub(super) fn ok(&self, action: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.call(action, params);
        let json = answer.json();
        assert_eq!(answer.status, 200, "{action} {params:?}: {json}");
        assert_eq!(answer.field("x-acs-request-id"), json["RequestId"].as_str());
        json
    }

    /// Status, code and message of a call that must fail.
    pub(super) fn fails(&self, action: &str, params: &[(&str, &str)]) -> (u16, String, String) {
        refused(&self.call(action, params))
    }

    /// The parameters with a legacy signature.
    pub(super) fn legacy(&self, method: &str, action: &str, params: &[(&str, &str)]) -> Vec<(String, String)> {
        self.legacy_bent(method, action, params, &self.bent())
    }

    /// The same, bent: date, nonce, version and key count.
    pub(super) fn legacy_bent(
        &self,
        method: &str,
        action: &str,
        params: &[(&str, &str)],
        bent: &Bent,
    ) -> Vec<(String, String)> {
        let fixed = [
            ("Action", action),
            ("Version", &bent.version),
            ("Format", "json"),
            ("Timestamp", &bent.date),
            ("SignatureNonce", &bent.nonce),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("AccessKeyId", &bent.key_id),
        ];
        let all: Vec<(&str, &str)> = fixed.into_iter().chain(params.iter().copied()).collect();
        let signature = legacy::signature(&bent.secret, &legacy::string_to_sign(method, all.iter().copied()));
        let mut all: Vec<(String, String)> = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all.push(("Signature".to_owned(), signature));
        all
    }
}

/// Status, code and message of an error document, which must be whole.
pub(super) fn refused(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{name}: {json}")).to_owned();
    assert!(!text("RequestId").is_empty() && !text("Message").is_empty(), "{json}");
    assert!(answer.status >= 400, "{json}");
    (answer.status, text("Code"), text("Message"))
}

/// Such parameters as the bytes of a GET.
pub(super) fn get(params: &[(String, String)]) -> Vec<u8> {
    let query = canonical_query(params.iter().map(|(k, v)| (k.as_str(), v.as_str())), true);
    format!("GET /?{query} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes()
}

/// Sends bytes on a connection of their own and reads one answer.
pub(super) fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // A server that refuses early may close before everything was sent.
    let _ = stream.write_all(bytes);
    read_answer(&mut stream)
}

/// Reads one answer.
pub(super) fn read_answer(stream: &mut impl Read) -> Answer {
    let (mut bytes, mut one) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut one).unwrap(), 1, "the head ends early: {:?}", String::from_utf8_lossy(&bytes));
        bytes.push(one[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: Vec::new() };
    let length: usize = answer.field("content-length").unwrap().parse().unwrap();
    answer.body = vec![0; length];
    stream.read_exact(&mut answer.body).unwrap();
    answer
}
