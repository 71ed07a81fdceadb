//! Who sends a request of the MNS API, and may they.

use super::fault::MnsFault;
use crate::model::Timestamp;
use crate::server::access::{Known, Role};
use crate::server::http::{Head, Incoming};
use crate::server::sign::{acs3, in_window, mns};
use crate::server::state::State;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use md5::{Digest, Md5};
use std::sync::Arc;

/// The key of the request's signature.
pub(super) fn identify(state: &State, request: &Incoming) -> Result<Arc<Known>, MnsFault> {
    let head = &request.head;
    let Some(value) = head.field("authorization") else {
        return Err(MnsFault::new(400, "MissingAuthorizationHeader", "Authorization header is required."));
    };
    let Some((id, given)) = mns::parse(value) else {
        let message = "expected an Authorization header of the form MNS AccessKeyId:Signature, got another";
        return Err(MnsFault::new(400, "InvalidAuthorizationHeader", message));
    };
    let unknown = || MnsFault::new(403, "InvalidAccessKeyId", "The AccessKey Id you provided does not exist.");
    let text = mns::string_to_sign(&head.method, &head.target, &head.fields);
    let (key, fits) = state.gate.holds(id, |secret| acs3::same(&mns::signature(secret, &text), given));
    let key = key.ok_or_else(unknown)?;
    if !fits {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(MnsFault::new(403, "SignatureDoesNotMatch", message));
    }
    if !key.grant.enabled {
        return Err(MnsFault::new(403, "AccessDenied", "This access key is disabled."));
    }
    state.gate.check_token(&key, head.field("security-token").unwrap_or(""))?;
    check_date(state, head)?;
    check_digest(head, request.body())?;
    Ok(key)
}

/// The signature covers no nonce: a recorded request can be repeated while its date fits.
fn check_date(state: &State, head: &Head) -> Result<(), MnsFault> {
    let text = head.field("date").unwrap_or("");
    let date = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text);
    let date = date.map_err(|_| {
        MnsFault::new(400, "InvalidDateHeader", format!("Date: expected a date of RFC 1123, got {:?}", shown(text)))
    })?;
    let date = Timestamp(i64::try_from(date.as_nanosecond()).unwrap_or(i64::MAX));
    if in_window(date, state.options.clock.now(), state.options.window) {
        return Ok(());
    }
    Err(MnsFault::new(408, "TimeExpired", "The http request you sent is expired."))
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The digest is the Base64 of its hexadecimal digits (Python SDK), or of its bytes (RFC 1864), or the digits themselves.
fn check_digest(head: &Head, body: &[u8]) -> Result<(), MnsFault> {
    let Some(given) = head.field("content-md5").filter(|given| !given.is_empty()) else { return Ok(()) };
    let digest = Md5::digest(body);
    let digits = |text: &[u8]| HEXLOWER_PERMISSIVE.decode(text).is_ok_and(|bytes| bytes == digest.as_slice());
    let coded = BASE64.decode(given.as_bytes()).is_ok_and(|bytes| bytes == digest.as_slice() || digits(&bytes));
    if coded || digits(given.as_bytes()) {
        return Ok(());
    }
    Err(MnsFault::new(400, "InvalidDigest", "The Content-MD5 you specified does not match the body."))
}

/// Whether the holder of a key may do what needs `role`. Queues and topics belong to no project.
pub(super) fn authorize(key: &Known, role: Role) -> Result<(), MnsFault> {
    let grant = &key.grant;
    let reason = if grant.role < role {
        format!("it needs the role {role}, and this access key has {}", grant.role)
    } else if !grant.covers("") {
        "queues and topics belong to no project, and this access key is bound to some".to_owned()
    } else {
        return Ok(());
    };
    Err(MnsFault::new(403, "AccessDenied", format!("The request is forbidden: {reason}.")))
}
