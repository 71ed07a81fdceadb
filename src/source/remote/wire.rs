//! The wire: one HTTP request at a time, within the budget, tried again where the way or the store failed.
//!
//! Bodies are read whole and counted before anybody sees them, so that a connection that ends early is a failure of the way and
//! never a shorter object. Redirects are not followed and no proxy of the environment is used: a store is where its address says.

use super::address::Address;
use super::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use http::{HeaderMap, Method, Request, StatusCode, header};
use opendal::{Buffer, HttpBody, HttpTransport};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Longest body that is read: larger than any range that is asked for and any page of a listing.
const MOST_BODY: u64 = 16 << 20;
/// Longest time for all tries of one request, pauses included.
const PATIENCE: Duration = Duration::from_secs(45);
/// First pause after a failure; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often the wish to stop is looked at in a pause.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Time to connect.
const CONNECT: Duration = Duration::from_secs(10);

/// Sends requests.
#[derive(Debug)]
pub(super) struct Wire {
    agent: Agent,
    budget: Budget,
    tries: u32,
}

/// What a store answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why a try gave no answer that counts.
struct Failure {
    what: String,
    /// The store asks for this pause.
    pause: Option<Duration>,
    /// Another try may end otherwise.
    again: bool,
}

impl Wire {
    pub(super) fn new(address: &Address) -> Result<Wire> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        if let Some(path) = &address.authorities {
            let pem = std::fs::read(path).map_err(|e| Error::io(format_args!("read {}", path.display()), e))?;
            let certificate = |item| if let Ok(PemItem::Certificate(found)) = item { Some(found) } else { None };
            let found: Vec<_> = parse_pem(&pem).filter_map(certificate).collect();
            if found.is_empty() {
                return Err(Error::invalid(format!("{}: expected certificates in PEM, got none", path.display())));
            }
            tls = tls.root_certs(RootCerts::Specific(Arc::new(found)));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("medialith/", env!("CARGO_PKG_VERSION")))
            .accept_encoding(AutoHeaderValue::None)
            .max_response_header_size(64 << 10)
            .max_idle_connections(address.concurrency)
            .max_idle_connections_per_host(address.concurrency)
            .max_idle_age(Duration::from_secs(5))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(address.timeout))
            .tls_config(tls.build())
            .build();
        let budget = Budget::new(address.rate, address.concurrency);
        Ok(Wire { agent: Agent::new_with_config(config), budget, tries: address.tries })
    }

    /// Sends a request until it is answered, or the tries or the patience end. The error is a sentence for a person.
    fn send(&self, request: &Request<()>, stop: Option<&AtomicBool>) -> Result<Answer, String> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        for tried in 1.. {
            let failure = match self.attempt(request) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = failure.pause.unwrap_or_else(|| jittered(pause)).min(LONGEST_PAUSE);
            let last = !failure.again || tried >= self.tries || begun.elapsed() + wait >= PATIENCE;
            if last || !dozed(wait, stop) {
                let times = if tried == 1 { String::new() } else { format!(" (tried {tried} times)") };
                return Err(failure.what + &times);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err("the request was not tried".to_owned())
    }

    fn attempt(&self, request: &Request<()>) -> Result<Answer, Failure> {
        let _permit = self.budget.enter();
        let broken = |what: String| Failure { what, pause: None, again: true };
        let mut response = match self.agent.run(request.clone()) {
            Ok(response) => response,
            Err(e @ (ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_))) => {
                return Err(Failure { what: e.to_string(), pause: None, again: false });
            }
            Err(e) => return Err(broken(e.to_string())),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let has_body = request.method() != Method::HEAD && status != StatusCode::NO_CONTENT;
        let mut body = Vec::new();
        if has_body {
            if let Some(length) = length.filter(|length| *length > MOST_BODY) {
                let what = format!("expected an answer of at most {MOST_BODY} bytes, got one of {length}");
                return Err(Failure { what, pause: None, again: false });
            }
            let mut reader = response.body_mut().as_reader().take(MOST_BODY + 1);
            reader.read_to_end(&mut body).map_err(|e| broken(format!("the answer ended early: {e}")))?;
            if length.is_some_and(|length| length != body.len() as u64) || body.len() as u64 > MOST_BODY {
                return Err(broken(format!("the answer ended early, after {} bytes", body.len())));
            }
        }
        let answer = Answer { status, headers, body };
        match answer.is_passing() {
            true => Err(Failure { what: answer.refusal(), pause: answer.asked_pause(), again: true }),
            false => Ok(answer),
        }
    }
}

impl Answer {
    /// Whether the store may answer otherwise soon: it is busy, or failed itself.
    fn is_passing(&self) -> bool {
        let busy = matches!(self.code().as_str(), "SlowDown" | "RequestTimeout" | "Throttling" | "InternalError");
        self.status.is_server_error()
            || matches!(self.status.as_u16(), 408 | 429)
            || (!self.status.is_success() && busy)
    }

    /// `Retry-After` in seconds.
    fn asked_pause(&self) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }

    /// What is said of a refusal: its status and code. The rest of the document may name keys.
    pub(super) fn refusal(&self) -> String {
        let code = self.code();
        let status = self.status.as_u16();
        if code.is_empty() {
            format!("the store answered {status}")
        } else {
            format!("the store answered {status} {code}")
        }
    }

    /// `Code` of an error document (S3 API, "Error Responses"), letters and digits alone; empty without.
    pub(super) fn code(&self) -> String {
        if self.status.is_success() {
            return String::new();
        }
        let text = String::from_utf8_lossy(self.body.get(..self.body.len().min(4096)).unwrap_or_default());
        let code =
            text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
        code.chars().filter(char::is_ascii_alphanumeric).take(60).collect()
    }
}

/// Waits; false where it was told to stop before the end.
fn dozed(time: Duration, stop: Option<&AtomicBool>) -> bool {
    let begun = Instant::now();
    loop {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return false;
        }
        match time.checked_sub(begun.elapsed()) {
            None => return true,
            Some(left) => std::thread::sleep(left.min(LOOK_UP)),
        }
    }
}

/// Anything between half a pause and the whole, so that those who failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let mut bytes = [0; 2];
    // Without random bytes the pause is what it is.
    let share = getrandom::fill(&mut bytes).map_or(u16::MAX, |()| u16::from_le_bytes(bytes));
    pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u16::MAX))
}

/// The wire as OpenDAL speaks to it, for one operation: what came of the last request is kept.
#[derive(Clone)]
pub(super) struct Line {
    wire: Arc<Wire>,
    stop: Option<Arc<AtomicBool>>,
    heard: Arc<Mutex<Heard>>,
}

/// What came of the last request of an operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// Its answer, without the body.
    pub(super) answer: Option<(StatusCode, HeaderMap)>,
    /// Why there is none, or what the store said in refusing.
    pub(super) trouble: String,
}

impl Line {
    pub(super) fn new(wire: &Arc<Wire>, stop: Option<Arc<AtomicBool>>) -> Line {
        Line { wire: Arc::clone(wire), stop, heard: Arc::default() }
    }

    /// Sends a request until it is answered, the tries or the patience end, or nobody waits any more.
    pub(super) fn send(&self, request: &Request<()>) -> Result<Answer, String> {
        self.wire.send(request, self.stop.as_deref())
    }

    /// What came of the last request.
    pub(super) fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The error of an operation that failed: what the store or the wire said goes before what OpenDAL makes of it.
    pub(super) fn error(&self, what: &str, error: &opendal::Error) -> Error {
        let heard = self.heard();
        let why = if heard.trouble.is_empty() { error.message().to_owned() } else { heard.trouble };
        let kind = if error.kind() == opendal::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        Error::new(kind, format!("could not {what}: {why}"))
    }
}

impl HttpTransport for Line {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<http::Response<HttpBody>> {
        let (parts, _) = request.into_parts();
        let head = parts.method == Method::HEAD;
        let sent = self.send(&Request::from_parts(parts, ()));
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match sent {
            Ok(answer) => answer,
            Err(why) => {
                heard.trouble.clone_from(&why);
                return Err(opendal::Error::new(opendal::ErrorKind::Unexpected, why));
            }
        };
        heard.trouble = if answer.status.is_success() { String::new() } else { answer.refusal() };
        heard.answer = Some((answer.status, answer.headers.clone()));
        drop(heard);
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        let size = (!head).then_some(answer.body.len() as u64);
        let chunk = (!answer.body.is_empty()).then(|| Ok(Buffer::from(answer.body)));
        Ok(response.map(|()| HttpBody::new(futures::stream::iter(chunk), size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_scattered_and_refusals_name_no_keys() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_millis(100));
            assert!((Duration::from_millis(50)..=Duration::from_millis(100)).contains(&pause), "{pause:?}");
        }
        let body =
            b"<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>".to_vec();
        let answer = Answer { status: StatusCode::FORBIDDEN, headers: HeaderMap::new(), body };
        assert_eq!(answer.refusal(), "the store answered 403 InvalidAccessKeyId");
        assert!(!answer.is_passing());
        let busy = Answer { status: StatusCode::SERVICE_UNAVAILABLE, headers: HeaderMap::new(), body: Vec::new() };
        assert!(busy.is_passing() && busy.refusal() == "the store answered 503");
    }
}
