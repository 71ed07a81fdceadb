//! What a request says of its sender, by either signature scheme (wire.md 2).

use crate::server::fault::Fault;
use crate::server::http::Head;
use crate::server::params::Params;
use crate::server::sign::{acs3, legacy};
use std::collections::BTreeSet;

/// A request as received.
#[derive(Clone, Copy)]
pub(in crate::server) struct Request<'a> {
    pub(in crate::server) head: &'a Head,
    pub(in crate::server) body: &'a [u8],
    pub(in crate::server) params: &'a Params,
}

/// What a signature scheme finds in a request; nothing of it is proven.
pub(super) struct Claim<'a> {
    pub(super) key_id: &'a str,
    pub(super) action: &'a str,
    pub(super) version: &'a str,
    pub(super) date: &'a str,
    pub(super) nonce: &'a str,
    pub(super) token: &'a str,
    /// What is signed, and the signature that came with it.
    pub(super) text: String,
    pub(super) given: &'a str,
    pub(super) sign: fn(&str, &str) -> String,
    /// What the signed text was made of, where that is a hash.
    pub(super) canonical: String,
}

impl<'a> Claim<'a> {
    /// What the request claims; the fault says what is missing.
    pub(super) fn of(request: Request<'a>) -> Result<Claim<'a>, Fault> {
        match request.head.field("authorization") {
            Some(value) if value.starts_with(acs3::SCHEME) => claim_acs3(request, value),
            Some(_) => {
                let message = "expected the signature algorithm ACS3-HMAC-SHA256, got another";
                Err(Fault::new(400, "IncompleteSignature", message))
            }
            None if request.params.get("Signature").is_some() => claim_legacy(request),
            None => {
                let message = "expected an Authorization header or the parameter Signature, got neither";
                Err(Fault::new(400, "IncompleteSignature", message))
            }
        }
    }
}

pub(super) fn incomplete(what: &str) -> Fault {
    let message = format!("The request signature does not conform to Aliyun standards: {what}.");
    Fault::new(400, "IncompleteSignature", message)
}

fn claim_acs3<'a>(request: Request<'a>, value: &'a str) -> Result<Claim<'a>, Fault> {
    let authorization = acs3::parse(value).ok_or_else(|| incomplete("the Authorization header has another form"))?;
    let head = request.head;
    let field = |name: &str| head.field(name).unwrap_or("");
    check_signed(head, !request.body.is_empty(), &authorization.signed)?;
    check_names(request.params.query())?;
    let hash = field("x-acs-content-sha256");
    if !hash.eq_ignore_ascii_case(&acs3::sha256_hex(request.body)) {
        return Err(incomplete("x-acs-content-sha256 is not the hash of the body"));
    }
    let signed = acs3::Request {
        method: &head.method,
        path: head.path(),
        query: request.params.query(),
        fields: &head.fields,
        payload_hash: hash,
    };
    let canonical = acs3::canonical_request(&signed, &authorization.signed);
    Ok(Claim {
        key_id: authorization.key_id,
        action: field("x-acs-action"),
        version: field("x-acs-version"),
        date: field("x-acs-date"),
        nonce: field("x-acs-signature-nonce"),
        token: field("x-acs-security-token"),
        text: acs3::string_to_sign(&canonical),
        given: authorization.signature,
        sign: acs3::signature,
        canonical,
    })
}

/// What decides about a request must be signed, and there once: the host, every `x-acs-` field, and the type of a body
/// (wire.md 1.1).
fn check_signed(head: &Head, has_body: bool, signed: &[String]) -> Result<(), Fault> {
    let must = |name: &str| name == "host" || name.starts_with("x-acs-") || (has_body && name == "content-type");
    let mut deciding = BTreeSet::new();
    for (name, _) in head.fields.iter().filter(|(name, _)| must(name)) {
        if !signed.contains(name) {
            return Err(incomplete(&format!("the header {name} is not signed")));
        }
        // Of several values one would decide, and in which order they came is not signed.
        if !deciding.insert(name) {
            return Err(incomplete(&format!("the header {name} is given twice")));
        }
    }
    match signed.iter().find(|name| head.field(name).is_none()) {
        Some(name) => Err(incomplete(&format!("the signed header {name} is absent"))),
        None => Ok(()),
    }
}

/// The canonical form has names as they are: `=`, `&` or a line feed in one would let two requests share a signature.
fn check_names(query: &[(String, String)]) -> Result<(), Fault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    match query.iter().find(|(name, _)| !name.bytes().all(plain)) {
        Some(_) => {
            Err(incomplete("expected names of parameters of A-Z, a-z, 0-9, -, _, . and ~, got other characters"))
        }
        None => Ok(()),
    }
}

fn claim_legacy(request: Request<'_>) -> Result<Claim<'_>, Fault> {
    let text = |name: &str| request.params.get(name).unwrap_or("");
    if text("SignatureMethod") != "HMAC-SHA1" || text("SignatureVersion") != "1.0" {
        return Err(incomplete("expected SignatureMethod HMAC-SHA1 and SignatureVersion 1.0"));
    }
    Ok(Claim {
        key_id: text("AccessKeyId"),
        // Headers are not signed in this scheme: they decide nothing.
        action: text("Action"),
        version: text("Version"),
        date: text("Timestamp"),
        nonce: text("SignatureNonce"),
        token: text("SecurityToken"),
        text: legacy::string_to_sign(&request.head.method, request.params.all()),
        given: text("Signature"),
        sign: legacy::signature,
        canonical: String::new(),
    })
}
