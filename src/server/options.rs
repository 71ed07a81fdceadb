//! How to serve, with defaults and ranges; `docs/limits.md` lists them.

use super::log::Log;
use super::sign::Clock;
use super::store_events::EventToken;
use crate::engine::queues::{Allowed, Style};
use crate::engine::{FollowOptions, TaskOptions};
use crate::error::{Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Certificate and key for TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificates: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the API listens; by default port 7070 of the loopback interface.
    pub listen: SocketAddr,
    /// Where metrics are served in plain HTTP; nowhere by default.
    pub metrics: Option<SocketAddr>,
    /// TLS for the API; plain HTTP without it.
    pub tls: Option<TlsFiles>,
    /// Whether the third start within five minutes that follows two without an orderly end leaves accepted work alone.
    pub safe_mode: bool,
    /// `RegionId` that `ListRegions` names.
    pub region: String,
    /// How messages are written; their region is that of `region`.
    pub style: Style,
    /// Hosts that may be pushed to though their addresses are not the open internet's.
    pub push_allowed: Allowed,
    /// Where clients find this server, `http://host:port`; by default where it listens.
    pub public_url: String,
    /// How far the date of a request may be from the clock.
    pub window: Duration,
    /// The clock.
    pub clock: Clock,
    /// Connections at the same time; beyond it the longest idle one goes, or one whose request comes slowly.
    pub connections: usize,
    /// Bytes of a request head, its target included.
    pub head_bytes: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Bytes that all requests under way may hold in buffers together.
    pub buffer_bytes: usize,
    /// Time between the requests of a connection.
    pub idle: Duration,
    /// Time for a request to arrive.
    pub receive: Duration,
    /// Time for a response to be taken.
    pub send: Duration,
    /// Calls that run at the same time.
    pub calls: usize,
    /// Time that a call waits for its turn.
    pub patience: Duration,
    /// Requests per second and project; 0 for no limit.
    pub project_rate: u32,
    /// Calls at the same time per project; 0 for no limit.
    pub project_concurrency: u32,
    /// How tasks are done beside requests.
    pub tasks: TaskOptions,
    /// How bound buckets are followed.
    pub follow: FollowOptions,
    /// What those must know who send messages of object stores; none are taken without.
    pub event_token: Option<EventToken>,
    /// Where a line for each request goes.
    pub log: Log,
}

impl Default for Options {
    fn default() -> Options {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)),
            metrics: None,
            tls: None,
            safe_mode: true,
            region: "local".to_owned(),
            style: Style::default(),
            push_allowed: Allowed::default(),
            public_url: String::new(),
            window: Duration::from_secs(900),
            clock: Clock::Wall,
            connections: 12_000,
            head_bytes: 16 << 20,
            body_bytes: 16 << 20,
            buffer_bytes: 128 << 20,
            idle: Duration::from_secs(75),
            receive: Duration::from_secs(30),
            send: Duration::from_secs(30),
            calls: processors.saturating_mul(4).clamp(8, 64),
            patience: Duration::from_secs(3),
            project_rate: 1000,
            project_concurrency: 100,
            tasks: TaskOptions::default(),
            follow: FollowOptions::default(),
            event_token: None,
            log: Log::Stderr,
        }
    }
}

impl Options {
    /// Checks every range; the error names the option.
    pub fn validate(&self) -> Result<()> {
        let within = |what: &str, got: usize, least: usize, most: usize| {
            if (least..=most).contains(&got) {
                return Ok(());
            }
            Err(Error::invalid(format!("{what}: expected {least} to {most}, got {got}")))
        };
        within("connections", self.connections, 1, 1_000_000)?;
        within("head_bytes", self.head_bytes, 16 << 10, 256 << 20)?;
        within("body_bytes", self.body_bytes, 1 << 10, 256 << 20)?;
        within("buffer_bytes", self.buffer_bytes, 1 << 20, 1 << 40)?;
        within("calls", self.calls, 1, 1024)?;
        let times = [("window", self.window), ("idle", self.idle), ("receive", self.receive), ("send", self.send)];
        match times.iter().find(|(_, time)| time.is_zero() || *time > Duration::from_secs(86_400)) {
            Some((what, got)) => {
                Err(Error::invalid(format!("{what}: expected more than 0 and at most a day, got {got:?}")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        Options::default().validate().unwrap();
        for bad in [
            Options { connections: 0, ..Options::default() },
            Options { head_bytes: 1, ..Options::default() },
            Options { calls: 0, ..Options::default() },
            Options { idle: Duration::ZERO, ..Options::default() },
        ] {
            assert!(bad.validate().unwrap_err().message().contains("expected"));
        }
    }
}
