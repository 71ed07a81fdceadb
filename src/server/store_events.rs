//! `POST /store-events`: messages of object stores about their objects, as MinIO's webhooks, Ceph's push endpoints and topics of
//! SNS post them. Whoever has the token may say what is to be looked at, and nothing else.

use super::fault::Fault;
use super::http::Incoming;
use super::sign::acs3::{same, sha256_hex};
use super::state::State;
use crate::engine::{Engine, StoreEvents};
use crate::error::{Error, Result};
use data_encoding::BASE64;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where messages are taken.
pub(super) const PATH: &str = "/store-events";
/// The `action` of such requests in metrics and logs.
pub(super) const ACTION: &str = "StoreEvents";
/// Length of a token, in characters.
const TOKEN: std::ops::RangeInclusive<usize> = 16..=512;

/// What those who send messages must know. It is kept as a digest and is in no text that anything prints.
#[derive(Clone, PartialEq, Eq)]
pub struct EventToken(String);

impl std::fmt::Debug for EventToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventToken")
    }
}

impl EventToken {
    /// A token: 16 to 512 visible ASCII characters.
    pub fn new(text: &str) -> Result<EventToken> {
        if TOKEN.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(EventToken(sha256_hex(text.as_bytes())));
        }
        let (least, most) = (TOKEN.start(), TOKEN.end());
        Err(Error::invalid(format!(
            "event token: expected {least} to {most} visible ASCII characters, got another text"
        )))
    }

    /// Reads it from a file that its owner alone may read; white space around it does not count.
    pub fn read(path: &Path) -> Result<EventToken> {
        let shown = path.display();
        let failed = |e| Error::io(format_args!("read {shown}"), e);
        let file = std::fs::File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            let what = "expected a file that its owner alone may read (chmod 600), got one that others may";
            return Err(Error::invalid(format!("{shown}: {what}")));
        }
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text).map_err(failed)?;
        EventToken::new(text.trim()).map_err(|e| Error::invalid(format!("{shown}: {}", e.message())))
    }

    /// Whether the value of an `Authorization` field holds it: as a bearer token (RFC 6750), as the password of Basic (RFC 7617), which
    /// is what senders make of `http://any:TOKEN@host/`, or alone.
    fn is_in(&self, claim: &str) -> bool {
        let (scheme, rest) = claim.trim().split_once(' ').unwrap_or(("", claim));
        let rest = rest.trim();
        let given = match scheme.to_ascii_lowercase().as_str() {
            "basic" => {
                let decoded = BASE64.decode(rest.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                decoded.and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned()))
            }
            "" | "bearer" => Some(rest.to_owned()),
            _ => None,
        };
        // Digests have one length, so that the time tells nothing of the token's.
        given.is_some_and(|given| same(&self.0, &sha256_hex(given.as_bytes())))
    }
}

/// Whether a request may be answered at all; decided before its message is read.
pub(super) fn admit(state: &State, request: &Incoming) -> Result<(), Fault> {
    let Some(token) = &state.options.event_token else {
        let message = "messages of stores are not taken: start with --store-events FILE";
        return Err(Fault::new(404, "StoreEventsNotTaken", message));
    };
    match request.head.method.as_str() {
        "POST" | "PUT" => {}
        _ => return Err(Fault::new(405, "MethodNotAllowed", "expected POST, got another method")),
    }
    if !request.head.field("authorization").is_some_and(|claim| token.is_in(claim)) {
        let message = "expected Authorization: Bearer TOKEN with the token of the server, got none or another";
        return Err(Fault::new(401, "AccessDenied", message));
    }
    Ok(())
}

/// What a message came to.
pub(super) fn take(engine: &Engine, request: &Incoming) -> Result<StoreEvents, Fault> {
    let body = request.body();
    if body.len() > crate::engine::follow::MOST_MESSAGE {
        let most = crate::engine::follow::MOST_MESSAGE;
        return Err(Fault::new(413, "RequestTooLarge", format!("expected at most {most} bytes, got {}", body.len())));
    }
    engine.store_events(body).map_err(Fault::from)
}

/// The answer: how many objects were named, and how many of them are followed.
pub(super) fn told(taken: StoreEvents, request_id: &str) -> Vec<u8> {
    serde_json::json!({"RequestId": request_id, "Named": taken.named, "Followed": taken.followed})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_private_long_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let read = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            EventToken::read(&path)
        };
        let token = read("  correct-horse-battery\n", 0o600).unwrap();
        assert_eq!(token, EventToken::new("correct-horse-battery").unwrap());
        assert!(!format!("{token:?}").contains("horse"));
        assert!(read("correct-horse-battery", 0o640).unwrap_err().message().contains("chmod 600"));
        for bad in ["", "short", "has a space in the middle", &"x".repeat(513), "ne\u{e9}ds-ascii-characters"] {
            let said = read(bad, 0o600).unwrap_err();
            assert!(said.message().contains("expected 16 to 512 visible"), "{said}");
        }
        assert!(EventToken::read(&dir.path().join("none")).is_err());
    }

    #[test]
    fn claims_of_senders() {
        let token = EventToken::new("correct-horse-battery").unwrap();
        let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair.as_bytes()));
        for good in [
            "Bearer correct-horse-battery".to_owned(),
            "bearer  correct-horse-battery ".to_owned(),
            "correct-horse-battery".to_owned(),
            basic("any:correct-horse-battery"),
        ] {
            assert!(token.is_in(&good), "{good}");
        }
        for bad in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer correct-horse-batter".to_owned(),
            "Digest correct-horse-battery".to_owned(),
            basic("correct-horse-battery"),
            basic("correct-horse-battery:"),
            "Basic !".to_owned(),
        ] {
            assert!(!token.is_in(&bad), "{bad}");
        }
    }
}
