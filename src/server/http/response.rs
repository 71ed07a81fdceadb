//! Responses: a status, a body of known length, and the fields that the API gives them (wire.md 4 and 5).

use std::fmt::Write;
use tokio::sync::OwnedSemaphorePermit;

/// One response.
#[derive(Debug)]
pub(in crate::server) struct Response {
    pub(in crate::server) status: u16,
    pub(in crate::server) content_type: &'static str,
    pub(in crate::server) body: Vec<u8>,
    /// Header fields beside those that every response has.
    pub(in crate::server) fields: Vec<(&'static str, String)>,
    /// `x-acs-request-id`; left out where empty.
    pub(in crate::server) request_id: String,
    /// `x-acs-retry-after`, milliseconds.
    pub(in crate::server) retry_after_ms: Option<u64>,
    /// Whether the connection ends with it.
    pub(in crate::server) close: bool,
    /// Pays for the body until it is sent.
    pub(in crate::server) paid: Option<OwnedSemaphorePermit>,
}

/// `Content-Type` of the API's answers.
const JSON: &str = "application/json;charset=utf-8";

impl Response {
    /// A JSON document.
    pub(in crate::server) fn json(status: u16, body: Vec<u8>, request_id: String) -> Response {
        let (fields, close, paid) = (Vec::new(), false, None);
        Response { status, content_type: JSON, body, fields, request_id, retry_after_ms: None, close, paid }
    }

    /// Plain text, for endpoints that are not the API's.
    pub(in crate::server) fn text(status: u16, content_type: &'static str, body: String) -> Response {
        Response { content_type, ..Response::json(status, body.into_bytes(), String::new()) }
    }

    /// The head to send at that moment.
    pub(super) fn head(&self, date: &str) -> Vec<u8> {
        let (status, reason, length) = (self.status, reason(self.status), self.body.len());
        let mut head = String::with_capacity(256);
        // Writing to a String cannot fail.
        let _ok = write!(head, "HTTP/1.1 {status} {reason}\r\nServer: medialith\r\nDate: {date}\r\n");
        // No content is not content of no length (RFC 9110, section 8.6).
        if status != 204 {
            let _ok = write!(head, "Content-Type: {}\r\nContent-Length: {length}\r\n", self.content_type);
        }
        for (name, value) in &self.fields {
            let _ok = write!(head, "{name}: {value}\r\n");
        }
        if !self.request_id.is_empty() {
            let _ok = write!(head, "x-acs-request-id: {}\r\n", self.request_id);
        }
        if let Some(ms) = self.retry_after_ms {
            let _ok = write!(head, "x-acs-retry-after: {ms}\r\n");
        }
        head.push_str(if self.close { "Connection: close\r\n\r\n" } else { "\r\n" });
        head.into_bytes()
    }
}

/// The present as RFC 9110 writes it, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date() -> String {
    jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reason phrases of the statuses that are sent (RFC 9110, section 15).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_fixed_length() {
        let date = http_date();
        assert!(date.len() == 29 && date.ends_with(" GMT") && date.get(3..5) == Some(", "), "{date}");
    }

    #[test]
    fn bytes_of_a_response() {
        let mut response = Response::json(429, b"{}".to_vec(), "ID".into());
        response.retry_after_ms = Some(20);
        response.close = true;
        let text = String::from_utf8(response.head(&http_date())).unwrap();
        assert!(text.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{text}");
        for line in [
            "Content-Length: 2",
            "Server: medialith",
            "x-acs-request-id: ID",
            "x-acs-retry-after: 20",
            "Connection: close",
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
        }
        assert!(text.ends_with("\r\n\r\n"));
    }
}
