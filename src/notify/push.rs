//! Pushing: one HTTP request for one message.
//!
//! The host is resolved once for each request and every address is checked (`address`); the connection goes to what was
//! checked. Redirects are not followed, no proxy of the environment is used, of an answer at most [`MAX_ANSWER`] bytes are
//! read, and the whole exchange ends at its deadline, however slowly the receiver speaks.

use super::address::{Allowed, is_global};
use super::body::Style;
use super::delivery::{Carrier, Outcome};
use super::receiver::Target;
use super::signing::{Signer, standard_webhook};
use super::topic::{Format, Subscription};
use super::webhook::Webhook;
use crate::store::notice::OutboxRow;
use data_encoding::BASE64;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{Request, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// Bytes of an answer that are read.
pub const MAX_ANSWER: usize = 64 << 10;
/// Time for a webhook to answer.
pub const WEBHOOK_DEADLINE: Duration = Duration::from_secs(10);
/// Time for an HTTP subscription to answer (MNS, HttpEndpoint).
pub const PUSH_DEADLINE: Duration = Duration::from_secs(5);

/// Looks names up and lets only checked addresses through.
#[derive(Debug)]
struct Checked<R> {
    allowed: Allowed,
    names: R,
}

impl<R: Resolver> Resolver for Checked<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let addresses = self.names.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or("");
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        if self.allowed.has(host.trim_matches(['[', ']']), port) {
            return Ok(addresses);
        }
        // One that may not be reached spoils them all: whoever answers for the name chose it.
        match addresses.iter().find(|address| !is_global(address.ip())) {
            None => Ok(addresses),
            Some(address) => Err(refused(host, *address)),
        }
    }
}

fn refused(host: &str, address: SocketAddr) -> Error {
    let why = format!("{host} has the address {}, which is not pushed to unless the host is allowed", address.ip());
    Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why))
}

/// Pushes messages.
pub(super) struct Pusher {
    agent: Agent,
    style: Style,
    signer: Arc<Signer>,
    /// Where the certificate of the signatures is found.
    certificate_url: String,
}

/// A request, ready but for its target.
struct Posting {
    url: String,
    fields: Vec<(&'static str, String)>,
    body: String,
    deadline: Duration,
}

impl Pusher {
    pub(super) fn new(allowed: Allowed, style: Style, signer: Arc<Signer>, certificate_url: String) -> Pusher {
        Pusher { agent: agent(allowed, DefaultResolver::default()), style, signer, certificate_url }
    }

    fn post(&self, posting: Posting) -> Outcome {
        let mut request = Request::post(posting.url.as_str());
        for (name, value) in &posting.fields {
            request = request.header(*name, value.as_str());
        }
        let request = match request.body(posting.body) {
            Ok(request) => request,
            Err(e) => return Outcome::Failed(format!("the URL or a header is not of HTTP: {e}")),
        };
        let request = self.agent.configure_request(request).timeout_global(Some(posting.deadline)).build();
        match self.agent.run(request) {
            Ok(mut response) => {
                let status = response.status().as_u16();
                // What it says decides nothing; read, the connection ends in order.
                drop(response.body_mut().with_config().limit(MAX_ANSWER as u64).read_to_vec());
                match status {
                    200..=299 => Outcome::Taken,
                    410 => Outcome::Gone,
                    300..=399 => Outcome::Failed(format!("status {status}: redirects are not followed")),
                    _ => Outcome::Failed(format!("status {status}")),
                }
            }
            Err(Error::Timeout(_)) => Outcome::Failed(format!("no answer within {} s", posting.deadline.as_secs())),
            Err(e) => Outcome::Failed(e.to_string()),
        }
    }

    fn webhook(&self, webhook: &Webhook, row: &OutboxRow) -> Posting {
        let body = self.style.cloud_event(row);
        let seconds = jiff::Timestamp::now().as_second();
        let fields = vec![
            ("content-type", "application/cloudevents+json; charset=utf-8".to_owned()),
            ("webhook-id", row.id.clone()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", standard_webhook(&webhook.key(), &row.id, seconds, &body)),
        ];
        Posting { url: webhook.url.clone(), fields, body, deadline: WEBHOOK_DEADLINE }
    }

    /// A signed push (notifications.md 7).
    fn push(&self, subscription: &Subscription, row: &OutboxRow) -> Result<Posting, String> {
        let (url, path) = endpoint(&subscription.endpoint);
        let body = self.style.document(row, subscription);
        let kind = match subscription.format {
            Format::Xml => "text/xml;charset=utf-8",
            Format::Json => "application/json",
            Format::Simplified => "text/plain;charset=utf-8",
        };
        let certificate = BASE64.encode(self.certificate_url.as_bytes());
        let mut own = vec![
            ("x-mns-request-id", row.id.clone()),
            ("x-mns-version", "2015-06-06".to_owned()),
            ("x-mns-signing-cert-url", certificate),
        ];
        if subscription.format == Format::Simplified {
            own.extend([
                ("x-mns-message-id", row.id.clone()),
                ("x-mns-publish-time", (row.time / 1_000_000).to_string()),
                ("x-mns-subscriber", self.style.account.clone()),
                ("x-mns-subscription-name", subscription.name.clone()),
                ("x-mns-topic-name", subscription.topic.clone()),
                ("x-mns-topic-owner", self.style.account.clone()),
            ]);
            if !row.tag.is_empty() {
                own.push(("x-mns-message-tag", row.tag.clone()));
            }
        }
        own.sort_unstable();
        let digest = super::body::md5_hex(&body);
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let signed: String = own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let text = format!("POST\n{digest}\n{kind}\n{date}\n{signed}{path}");
        let signature = self.signer.sign(&text).map_err(|e| e.to_string())?;
        let mut fields = own;
        fields.extend([
            ("content-type", kind.to_owned()),
            ("content-md5", digest),
            ("date", date),
            ("authorization", signature),
        ]);
        Ok(Posting { url, fields, body, deadline: PUSH_DEADLINE })
    }
}

/// The URL to post to and its target; the path of an endpoint without one is `/notifications`.
fn endpoint(url: &str) -> (String, String) {
    let rest = url.find("://").map_or(url, |at| url.get(at + 3..).unwrap_or(""));
    match rest.find('/') {
        Some(at) if rest.len() > at + 1 => (url.to_owned(), rest.get(at..).unwrap_or("/").to_owned()),
        _ => {
            let target = "/notifications".to_owned();
            (format!("{}{target}", url.trim_end_matches('/')), target)
        }
    }
}

impl Carrier for Pusher {
    fn carry(&self, target: &Target, row: &OutboxRow) -> Outcome {
        match target {
            Target::Webhook(webhook) => self.post(self.webhook(webhook, row)),
            Target::Push(subscription) => match self.push(subscription, row) {
                Ok(posting) => self.post(posting),
                Err(e) => Outcome::Failed(format!("the message could not be signed: {e}")),
            },
        }
    }
}

fn agent(allowed: Allowed, names: impl Resolver) -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("medialith/", env!("CARGO_PKG_VERSION")))
        .accept_encoding(AutoHeaderValue::None)
        .max_response_header_size(16 << 10)
        // Within a burst the connection to the address that was checked is used again; it is not kept beyond, as a receiver
        // may close it just when it would be.
        .max_idle_connections(32)
        .max_idle_connections_per_host(1)
        .max_idle_age(Duration::from_secs(2))
        .tls_config(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).build())
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Checked { allowed, names })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers every name with these addresses, and counts how often it is asked.
    #[derive(Debug, Clone)]
    struct Liar {
        answers: Vec<Vec<SocketAddr>>,
        asked: Arc<AtomicUsize>,
    }

    impl Resolver for Liar {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            let at = self.asked.fetch_add(1, Ordering::Relaxed);
            let mut found = self.empty();
            self.answers[at % self.answers.len()].iter().for_each(|address| found.push(*address));
            Ok(found)
        }
    }

    /// Posts and says how it went: the status, or why there is none.
    fn post(agent: &Agent, url: &str) -> String {
        match agent.post(url).send("x") {
            Ok(response) => response.status().to_string(),
            Err(e) => e.to_string(),
        }
    }

    fn nobody_came(listener: &TcpListener) {
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody connected");
    }

    #[test]
    fn no_spelling_of_this_host_is_connected_to() {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = v4.local_addr().unwrap().port();
        let agent = agent(Allowed::default(), DefaultResolver::default());
        let hosts = [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "127.000.000.001",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "127.255.255.254",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[::127.0.0.1]",
            "[2002:7f00:1::1]",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00::1]",
            "10.0.0.1",
            "192.168.0.1",
        ];
        for host in hosts {
            let said = post(&agent, &format!("http://{host}:{port}/"));
            assert!(said.parse::<u16>().is_err(), "{host}: {said}");
            nobody_came(&v4);
        }
        for url in
            ["file:///etc/passwd", "unix:/run/x", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "http://", "//127.0.0.1/"]
        {
            assert!(post(&agent, url).parse::<u16>().is_err(), "{url}");
        }
        nobody_came(&v4);
    }

    #[test]
    fn names_are_looked_up_once_and_one_bad_address_spoils_all() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let public: SocketAddr = "93.184.216.34:80".parse().unwrap();
        for answers in [vec![vec![own]], vec![vec![public, own]], vec![vec![own, public]]] {
            let liar = Liar { answers, asked: Arc::default() };
            let said = post(&agent(Allowed::default(), liar.clone()), "http://rebinding.example/");
            assert!(said.contains("not pushed to"), "{said}");
            assert_eq!(liar.asked.load(Ordering::Relaxed), 1);
            nobody_came(&listener);
        }
    }

    #[test]
    fn endpoints_without_a_path_get_one() {
        let of = |url: &str| endpoint(url).1;
        assert_eq!(endpoint("http://h:1"), ("http://h:1/notifications".to_owned(), "/notifications".to_owned()));
        assert_eq!(
            (of("http://h/"), of("http://h/a?b=c"), of("https://h/x")),
            ("/notifications".into(), "/a?b=c".into(), "/x".into())
        );
    }
}
