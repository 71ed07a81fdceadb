//! As much of HTTP/1.1 as the store for tests needs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

pub(super) struct Request {
    pub(super) method: String,
    /// Path and query as they were sent.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Request {
    /// The next request of a connection; `None` at its end. Requests have no bodies.
    pub(super) fn read(stream: &mut TcpStream) -> Option<Request> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Some(Request { method, target, headers })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn raw_path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(super) fn path(&self) -> String {
        decoded(self.raw_path())
    }

    /// The pairs of the query, decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decoded(k), decoded(v))).collect()
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.pairs().into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Length that is told, where it is not that of the body.
    pub(super) length: Option<u64>,
    /// An answer that is passed on as it came.
    raw: Option<Vec<u8>>,
}

impl Response {
    pub(super) fn new(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new(), length: None, raw: None }
    }

    pub(super) fn xml(status: u16, text: &str) -> Response {
        let mut response = Response { body: text.as_bytes().to_vec(), ..Response::new(status) };
        response.header("content-type", "application/xml");
        response
    }

    pub(super) fn refusal(status: u16, code: &str) -> Response {
        let who = super::KEY_ID;
        Response::xml(status, &format!("<Error><Code>{code}</Code><AWSAccessKeyId>{who}</AWSAccessKeyId></Error>"))
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn bytes(&self, without_body: bool) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let length = self.length.unwrap_or(self.body.len() as u64);
        let mut text = format!("HTTP/1.1 {} Answer\r\ncontent-length: {length}\r\n", self.status);
        self.headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        let mut bytes = (text + "\r\n").into_bytes();
        if !without_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// What another server answers; a refusal where it does not.
pub(super) fn pass_on(upstream: SocketAddr, request: &Request) -> Response {
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match exchange(upstream, (head + "\r\n").as_bytes()) {
        Ok(raw) if !raw.is_empty() => Response { raw: Some(raw), ..Response::new(200) },
        _ => Response::refusal(502, "BadGateway"),
    }
}

fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Sends what was written; the whole answer.
pub(crate) fn exchanged(address: SocketAddr, request: &[u8]) -> String {
    String::from_utf8_lossy(&exchange(address, request).unwrap_or_default()).into_owned()
}

/// Sends a request with a body; the status of the answer.
pub(crate) fn send(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    // Not checked by the server, but it tells accounts apart by it.
    head.push_str("authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request\r\n");
    head.push_str(&format!("content-length: {}\r\n", body.len()));
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    let mut request = (head + "\r\n").into_bytes();
    request.extend_from_slice(body);
    let answer = exchange(address, &request).unwrap_or_default();
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

pub(crate) fn encoded(text: &str, slashes: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'/' if !slashes => encoded.push('/'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
