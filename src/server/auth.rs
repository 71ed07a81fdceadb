//! Who is calling, and may they: signature, clock, nonce, key, role (wire.md 2, limits.md 5.2).

use super::access::Known;
use super::action::Action;
use super::fault::Fault;
use super::http::Head;
use super::params::Params;
use super::sign::{Seen, acs3, in_window, legacy};
use super::state::State;
use crate::model::Timestamp;
use std::sync::Arc;

/// The API version that is served.
const VERSION: &str = "2020-09-30";

/// A request as received.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) head: &'a Head,
    pub(super) body: &'a [u8],
    pub(super) params: &'a Params,
}

/// A caller whose signature fits, and the operation that they signed.
pub(super) struct Caller {
    pub(super) key: Arc<Known>,
    pub(super) action: String,
}

/// What a signature scheme finds in a request.
struct Claim<'a> {
    key_id: &'a str,
    action: &'a str,
    version: &'a str,
    date: &'a str,
    nonce: &'a str,
    token: &'a str,
    /// What is signed, and the signature that came with it.
    text: String,
    given: &'a str,
    sign: fn(&str, &str) -> String,
}

/// Finds out who sent a request. The order of checks tells nobody anything without a valid signature.
pub(super) fn identify(state: &State, request: Request<'_>) -> Result<Caller, Fault> {
    let claim = claim(request)?;
    let key = state
        .keyring
        .find(claim.key_id)
        .ok_or_else(|| Fault::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."))?;
    if !acs3::same(&(claim.sign)(&key.secret, &claim.text), claim.given) {
        let text = shortened(&claim.text);
        let message = "Specified signature does not match our calculation. server StringToSign is ";
        return Err(Fault::new(400, "SignatureDoesNotMatch", format!("{message}[{text}]")));
    }
    if !key.grant.enabled {
        return Err(Fault::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."));
    }
    check_token(state, &key, claim.token)?;
    check_once(state, &claim)?;
    check_version(&claim)?;
    Ok(Caller { key, action: claim.action.to_owned() })
}

fn claim(request: Request<'_>) -> Result<Claim<'_>, Fault> {
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

fn incomplete(what: &str) -> Fault {
    let message = format!("The request signature does not conform to Aliyun standards: {what}.");
    Fault::new(400, "IncompleteSignature", message)
}

fn claim_acs3<'a>(request: Request<'a>, value: &'a str) -> Result<Claim<'a>, Fault> {
    let authorization = acs3::parse(value).ok_or_else(|| incomplete("the Authorization header has another form"))?;
    let head = request.head;
    let field = |name: &str| head.field(name).unwrap_or("");
    check_signed(head, !request.body.is_empty(), &authorization.signed)?;
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
    })
}

/// What decides about a request must be signed: the host, every `x-acs-` field, and the type of a body (wire.md 1.1).
fn check_signed(head: &Head, has_body: bool, signed: &[String]) -> Result<(), Fault> {
    let must = |name: &str| name == "host" || name.starts_with("x-acs-") || (has_body && name == "content-type");
    let unsigned = head.fields.iter().find(|(name, _)| must(name) && !signed.contains(name));
    if let Some((name, _)) = unsigned {
        return Err(incomplete(&format!("the header {name} is not signed")));
    }
    match signed.iter().find(|name| head.field(name).is_none()) {
        Some(name) => Err(incomplete(&format!("the signed header {name} is absent"))),
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
    })
}

/// Temporary keys come with a token, others without.
pub(super) fn check_token(state: &State, key: &Known, token: &str) -> Result<(), Fault> {
    let Some(expires) = key.grant.expires else {
        if token.is_empty() {
            return Ok(());
        }
        let message = "expected no security token with this access key, got one";
        return Err(Fault::new(400, "InvalidSecurityToken.Malformed", message));
    };
    if token.is_empty() {
        return Err(Fault::new(400, "MissingSecurityToken", "SecurityToken is mandatory for this access key."));
    }
    if !key.has_token(token) {
        return Err(Fault::new(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."));
    }
    if expires < state.options.clock.now().0 {
        return Err(Fault::new(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."));
    }
    Ok(())
}

/// The request is of now, and was not answered before.
fn check_once(state: &State, claim: &Claim<'_>) -> Result<(), Fault> {
    let date = Timestamp::parse(claim.date).map_err(|_| {
        Fault::new(400, "InvalidTimeStamp.Format", "expected a time such as 2026-01-02T03:04:05Z, got another text")
    })?;
    let present = state.options.clock.now();
    if !in_window(date, present, state.options.window) {
        let message = "Specified time stamp or date value is expired.";
        return Err(Fault::new(400, "InvalidTimeStamp.Expired", message));
    }
    if claim.nonce.is_empty() {
        return Err(incomplete("the nonce is missing"));
    }
    match state.nonces.note(claim.key_id, claim.nonce, present) {
        Seen::Never => Ok(()),
        Seen::Before => Err(Fault::new(400, "SignatureNonceUsed", "Specified signature nonce was used already.")),
        Seen::Full => Err(Fault::throttled("too many requests in this time window", 60_000)),
    }
}

fn check_version(claim: &Claim<'_>) -> Result<(), Fault> {
    match (claim.action, claim.version) {
        ("", _) => Err(Fault::new(400, "MissingAction", "Action is mandatory for this action.")),
        (_, "") => Err(Fault::new(400, "MissingVersion", "Version is mandatory for this action.")),
        (_, VERSION) => Ok(()),
        _ => Err(Fault::new(400, "InvalidVersion", "Specified parameter Version is not valid.")),
    }
}

/// Whether the caller may do that in that project.
pub(super) fn authorize(caller: &Caller, action: &Action, project: &str) -> Result<(), Fault> {
    let (grant, role) = (&caller.key.grant, action.role);
    let reason = if grant.role < role {
        format!("it needs the role {role}, and this access key has {}", grant.role)
    } else if !action.global && !grant.covers(project) {
        "this access key is bound to other projects".to_owned()
    } else {
        return Ok(());
    };
    let message = format!("You are not authorized to do this action: {reason}.");
    let mut fault = Fault::new(403, "NoPermission", message);
    fault.denied.extend([
        ("AuthAction", format!("imm:{}", action.name)),
        ("AuthPrincipalDisplayName", grant.id.clone()),
        ("AuthPrincipalType", "AccessKey".to_owned()),
        ("NoPermissionType", "ImplicitDeny".to_owned()),
    ]);
    Err(fault)
}

/// Enough of a text to compare with one's own.
fn shortened(text: &str) -> String {
    const MOST: usize = 2000;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
