//! One JSON line per request. Never a parameter, a header or a secret: only names, numbers and the codes of answers.

use serde::Serialize;
use std::io::Write;
use std::net::SocketAddr;

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Log {
    /// Nowhere.
    #[default]
    Off,
    /// To standard error.
    Stderr,
}

/// What is told of a request.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) time: String,
    pub(super) request_id: &'a str,
    pub(super) peer: SocketAddr,
    pub(super) action: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) access_key_id: &'a str,
    pub(super) status: u16,
    pub(super) code: &'a str,
    /// The engine's own words where the client is told less.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) reason: &'a str,
    pub(super) micros: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Log {
    /// Writes a line. Nobody can be told when that fails.
    pub(super) fn line(self, line: &impl Serialize) {
        if self == Log::Off {
            return;
        }
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let _ = std::io::stderr().lock().write_all(&text);
    }
}
