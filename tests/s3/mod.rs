//! A store for tests: speaks as much of the S3 API as reading takes, checks every signature, counts what is asked, and fails on
//! demand. It keeps objects itself, or passes requests on to another server, so that its faults come between.

mod http;
mod moto;
mod signature;

use http::{Request, Response};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) use http::{encoded, exchanged, send};
pub(crate) use moto::Moto;

/// Keys that requests are to be signed with.
pub(crate) const KEY_ID: &str = "AKMEDIALITHTEST";
pub(crate) const SECRET: &str = "a/secret+that=is/never/shown";
pub(crate) const BUCKET: &str = "media";

/// An object. Its bytes are those of its parts, and zeros between.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) len: u64,
    pub(crate) parts: Vec<(u64, Vec<u8>)>,
    pub(crate) etag: String,
    pub(crate) modified: i64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) tags: Vec<(String, String)>,
}

impl Object {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Object {
        use md5::Digest;
        let bytes = bytes.into();
        let etag = data_encoding::HEXLOWER.encode(&md5::Md5::digest(&bytes));
        let (len, modified) = (bytes.len() as u64, jiff::Timestamp::now().as_second());
        Object { len, parts: vec![(0, bytes)], etag, modified, headers: Vec::new(), tags: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Object {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn is_archived(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "x-amz-storage-class" && value == "GLACIER")
    }

    fn read(&self, from: u64, to: u64) -> Vec<u8> {
        let mut bytes = vec![0; (to - from) as usize];
        for (start, part) in &self.parts {
            let (first, last) = (from.max(*start), to.min(start + part.len() as u64));
            if first < last {
                let source = &part[(first - start) as usize..(last - start) as usize];
                bytes[(first - from) as usize..(last - from) as usize].copy_from_slice(source);
            }
        }
        bytes
    }
}

/// What goes wrong: one request in `one_in`, at random; nothing where it is 0.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) one_in: u64,
    /// Longest of the slow answers, in milliseconds.
    pub(crate) slow_ms: u64,
}

struct Shared {
    objects: Mutex<BTreeMap<String, Object>>,
    upstream: Option<SocketAddr>,
    faults: Mutex<Faults>,
    dice: AtomicU64,
    asked: Mutex<BTreeMap<String, u64>>,
    injected: AtomicU64,
    sent: AtomicU64,
    /// The bucket does not exist.
    gone: AtomicBool,
    closed: AtomicBool,
}

/// A store at work; it ends when it is dropped.
pub(crate) struct Store {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Store {
    pub(crate) fn start() -> Store {
        Store::before(None)
    }

    /// One that passes requests on to another server.
    pub(crate) fn before(upstream: Option<SocketAddr>) -> Store {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            objects: Mutex::default(),
            upstream,
            faults: Mutex::new(Faults { one_in: 0, slow_ms: 0 }),
            dice: AtomicU64::new(7),
            asked: Mutex::default(),
            injected: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.closed.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Store { address, shared }
    }

    /// The address of the bucket, with the keys in a file in `dir`.
    pub(crate) fn url(&self, dir: &Path, more: &str) -> String {
        format!("s3://{BUCKET}{more}endpoint=http://{}&credentials={}", self.address, keys(dir))
    }

    /// The same for those who speak the other dialect.
    pub(crate) fn oss_url(&self, dir: &Path) -> String {
        format!("oss://{BUCKET}?style=path&endpoint=http://{}&credentials={}", self.address, keys(dir))
    }

    pub(crate) fn put(&self, key: &str, object: Object) {
        self.shared.objects.lock().unwrap().insert(key.to_owned(), object);
    }

    pub(crate) fn remove(&self, key: &str) -> Option<Object> {
        self.shared.objects.lock().unwrap().remove(key)
    }

    pub(crate) fn fail(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap() = faults;
    }

    /// Whether the bucket exists.
    pub(crate) fn vanish(&self, gone: bool) {
        self.shared.gone.store(gone, Ordering::SeqCst);
    }

    /// Requests of each kind since the last call: `GET`, `HEAD`, `LIST`, `TAGS`.
    pub(crate) fn asked(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    pub(crate) fn injected(&self) -> u64 {
        self.shared.injected.load(Ordering::Relaxed)
    }

    /// Bytes of objects that were sent since the last call.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

/// A file of keys, which its owner alone may read.
pub(crate) fn keys(dir: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("keys.toml");
    std::fs::write(&path, format!("access_key_id = \"{KEY_ID}\"\naccess_key_secret = \"{SECRET}\"\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

impl Shared {
    fn below(&self, most: u64) -> u64 {
        let step = |n: u64| n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let now = self.dice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(step(n))).unwrap();
        (step(now) >> 33) % most.max(1)
    }

    fn serve(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        while let Some(request) = Request::read(&mut stream) {
            if self.closed.load(Ordering::Relaxed) {
                return;
            }
            let kind = match (request.method.as_str(), request.query("list-type"), request.query("tagging")) {
                ("GET", Some(_), _) => "LIST",
                ("GET", _, Some(_)) => "TAGS",
                (method, ..) => method,
            };
            *self.asked.lock().unwrap().entry(kind.to_owned()).or_default() += 1;
            let faults = *self.faults.lock().unwrap();
            let fault = if faults.one_in > 0 && self.below(faults.one_in) == 0 { 1 + self.below(6) } else { 0 };
            self.injected.fetch_add(u64::from(fault > 0), Ordering::Relaxed);
            let answer = match fault {
                1 => Response::refusal(500, "InternalError"),
                2 => Response::refusal(503, "SlowDown"),
                // The connection is reset before anything is said.
                3 => return,
                _ => self.answer(&request),
            };
            let bytes = answer.bytes(request.method == "HEAD");
            let sent = match fault {
                // The body ends early, and the connection with it.
                4 | 5 => return drop(stream.write_all(&bytes[..bytes.len() * 2 / 3])),
                6 => {
                    std::thread::sleep(Duration::from_millis(self.below(faults.slow_ms)));
                    stream.write_all(&bytes)
                }
                _ => stream.write_all(&bytes),
            };
            if sent.is_err() || self.upstream.is_some() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Response {
        if let Some(upstream) = self.upstream {
            return http::pass_on(upstream, request);
        }
        if !signature::is_right(request) {
            return Response::refusal(403, "SignatureDoesNotMatch");
        }
        let Some(rest) = request.path().strip_prefix(&format!("/{BUCKET}")).map(str::to_owned) else {
            return Response::refusal(404, "NoSuchBucket");
        };
        if self.gone.load(Ordering::SeqCst) {
            return Response::refusal(404, "NoSuchBucket");
        }
        let key = rest.strip_prefix('/').unwrap_or("");
        let objects = self.objects.lock().unwrap();
        if request.query("list-type").is_some() {
            return list(request, &objects);
        }
        match objects.get(key) {
            Some(object) if request.method == "GET" && object.is_archived() && request.query("tagging").is_none() => {
                Response::refusal(403, "InvalidObjectState")
            }
            None => Response::refusal(404, "NoSuchKey"),
            Some(object) if request.query("tagging").is_some() => tags(object),
            Some(object) => {
                let answer = read(request, object);
                self.sent.fetch_add(answer.body.len() as u64, Ordering::Relaxed);
                answer
            }
        }
    }
}

fn read(request: &Request, object: &Object) -> Response {
    let etag = format!("\"{}\"", object.etag);
    if request.header("if-match").is_some_and(|wanted| wanted != etag) {
        return Response::refusal(412, "PreconditionFailed");
    }
    let time = jiff::Timestamp::from_second(object.modified).unwrap();
    let mut answer = Response::new(200);
    answer.header("etag", &etag);
    answer.header("last-modified", &time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    object.headers.iter().for_each(|(name, value)| answer.header(name, value));
    if !object.tags.is_empty() {
        let of_oss = request.header("authorization").is_some_and(|claim| claim.starts_with("OSS "));
        let name = if of_oss { "x-oss-tagging-count" } else { "x-amz-tagging-count" };
        answer.header(name, &object.tags.len().to_string());
    }
    if request.method == "HEAD" {
        answer.length = Some(object.len);
        return answer;
    }
    let range = request.header("range").and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let (from, to) = match range {
        None => (0, object.len),
        Some((from, to)) => {
            let from: u64 = from.parse().unwrap();
            let to = to.parse::<u64>().map_or(object.len, |last| (last + 1).min(object.len));
            if from >= to {
                return Response::refusal(416, "InvalidRange");
            }
            answer.status = 206;
            answer.header("content-range", &format!("bytes {from}-{}/{}", to - 1, object.len));
            (from, to)
        }
    };
    answer.body = object.read(from, to);
    answer
}

fn list(request: &Request, objects: &BTreeMap<String, Object>) -> Response {
    let prefix = request.query("prefix").unwrap_or_default();
    let most: usize = request.query("max-keys").and_then(|text| text.parse().ok()).unwrap_or(1000);
    let token = request
        .query("continuation-token")
        .map(|token| String::from_utf8(data_encoding::HEXLOWER.decode(token.as_bytes()).unwrap()).unwrap());
    let after = token.or_else(|| request.query("start-after")).unwrap_or_default();
    // A prefix comes no earlier than itself.
    let from = if prefix > after { Bound::Included(prefix.as_str()) } else { Bound::Excluded(after.as_str()) };
    let behind = objects.range::<str, _>((from, Bound::Unbounded));
    let mut found = behind.take_while(|(key, _)| key.starts_with(&prefix));
    let page: Vec<_> = found.by_ref().take(most).collect();
    let more = found.next().is_some();
    let mut xml = format!("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{more}</IsTruncated>");
    if let Some((last, _)) = page.last().filter(|_| more) {
        let token = data_encoding::HEXLOWER.encode(last.as_bytes());
        xml.push_str(&format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    }
    for (key, object) in page {
        let (key, time) = (http::escaped(key), jiff::Timestamp::from_second(object.modified).unwrap());
        let (etag, len) = (&object.etag, object.len);
        xml.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>{time:.3}</LastModified><ETag>&quot;{etag}&quot;</ETag>\
             <Size>{len}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        ));
    }
    xml.push_str("</ListBucketResult>");
    Response::xml(200, &xml)
}

fn tags(object: &Object) -> Response {
    let tag = |(key, value): &(String, String)| {
        format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", http::escaped(key), http::escaped(value))
    };
    let tags: String = object.tags.iter().map(tag).collect();
    Response::xml(200, &format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"))
}
