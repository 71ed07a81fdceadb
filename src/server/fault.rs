//! Faults: what a request is answered when it is not answered. One document for all of them (wire.md 5, limits.md 5).

use crate::error::{Error, ErrorKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// An error as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// What the log is told beside it; not for the client.
    pub(super) reason: String,
    /// When to try again, for `x-acs-retry-after`.
    pub(super) retry_after_ms: Option<u64>,
    /// `AccessDeniedDetail`.
    pub(super) denied: BTreeMap<&'static str, String>,
}

/// `Recommend`: where the codes are told, as the cloud's link to its troubleshooting page.
const RECOMMEND: &str = "docs/server.md and docs/limits.md of medialith list the error codes";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    request_id: &'a str,
    host_id: &'a str,
    code: &'a str,
    message: &'a str,
    recommend: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    access_denied_detail: &'a BTreeMap<&'static str, String>,
}

impl Fault {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Fault {
        let (code, message) = (code.into(), message.into());
        Fault { status, code, message, reason: String::new(), retry_after_ms: None, denied: BTreeMap::new() }
    }

    /// A parameter breaks its rule.
    pub(super) fn invalid(message: impl Into<String>) -> Fault {
        Fault::new(400, "InvalidArgument", message)
    }

    /// A quota is asked for that is larger than any.
    pub(super) fn quota(message: impl Into<String>) -> Fault {
        Fault::new(400, "LimitExceededError", message)
    }

    /// A parameter that should be JSON is not. The whole text is the code (limits.md 5.1).
    pub(super) fn not_json(name: &str, error: &serde_json::Error) -> Fault {
        Fault::new(400, format!("InvalidJSON Array parsing error,{name}"), format!("{name}: {error}"))
    }

    /// The resource does not exist.
    pub(super) fn missing(message: impl Into<String>) -> Fault {
        Fault::new(404, "ResourceNotFound", message)
    }

    /// Too much at once; worth another try after `ms`.
    pub(super) fn throttled(message: impl Into<String>, ms: u64) -> Fault {
        Fault { retry_after_ms: Some(ms), ..Fault::new(429, "Throttling", message) }
    }

    /// The error document.
    pub(super) fn document(&self, request_id: &str, host: &str) -> Vec<u8> {
        let (code, message) = (self.code.as_str(), self.message.as_str());
        let (recommend, access_denied_detail) = (RECOMMEND, &self.denied);
        let document = Document { request_id, host_id: host, code, message, recommend, access_denied_detail };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

/// The HTTP status of each kind of error (`docs/limits.md`).
pub fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::InvalidArgument | ErrorKind::AlreadyExists | ErrorKind::LimitExceeded | ErrorKind::NotEmpty => 400,
        ErrorKind::NotFound => 404,
        ErrorKind::Locked | ErrorKind::ReadOnly | ErrorKind::StorageFull | ErrorKind::Cancelled => 503,
        ErrorKind::DeadlineExceeded | ErrorKind::BudgetExceeded => 503,
        _ => 500,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let status = status_of(error.kind());
        // What the disk says is for the log, not for a client.
        let (message, reason) = match status {
            500 => ("The request processing has failed due to some unknown error.", error.to_string()),
            _ => (error.message(), String::new()),
        };
        let mut fault = Fault { reason, ..Fault::new(status, error.kind().api_code(), message) };
        fault.retry_after_ms = error.is_retryable().then_some(1000);
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let mut fault = Fault::from(Error::new(ErrorKind::NotFound, "the project \"x\" does not exist"));
        fault.denied.insert("AuthAction", "imm:GetProject".into());
        let json: serde_json::Value = serde_json::from_slice(&fault.document("ID", "h")).unwrap();
        assert_eq!((fault.status, json["Code"].as_str()), (404, Some("ResourceNotFound")));
        assert_eq!(json["AccessDeniedDetail"]["AuthAction"], "imm:GetProject");
        assert_eq!((json["RequestId"].as_str(), json["HostId"].as_str()), (Some("ID"), Some("h")));
        assert!(json["Recommend"].as_str().is_some_and(|text| text.contains("docs/")));
        let secret = Fault::from(Error::new(ErrorKind::Io, "could not read /secret"));
        assert!(!secret.message.contains("secret") && secret.reason.contains("secret") && secret.status == 500);
    }
}
