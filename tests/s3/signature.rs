//! Signatures from the receiver's side: Version 4 of S3 ("Authenticating Requests: Using the Authorization Header" of the S3 API) and
//! Version 1 of OSS ("Include a V1 signature in the Authorization header" of the OSS API).

use super::http::{Request, encoded};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Whether a request is signed with the test's keys.
pub(super) fn is_right(request: &Request) -> bool {
    let of_oss = request.header("authorization").is_some_and(|claim| claim.starts_with("OSS "));
    if of_oss { signed_for_oss(request) } else { signed(request) }.unwrap_or(false)
}

fn signed_for_oss(request: &Request) -> Option<bool> {
    let (key_id, wanted) = request.header("authorization")?.strip_prefix("OSS ")?.split_once(':')?;
    let mut own: Vec<_> = request.headers.iter().filter(|(name, _)| name.starts_with("x-oss-")).collect();
    own.sort_unstable();
    let own: String = own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    // Of the query only what names a part of the resource is signed.
    let mut parts = request.pairs();
    parts.retain(|(name, _)| ["tagging", "continuation-token", "versionId", "uploads", "acl"].contains(&name.as_str()));
    parts.sort_unstable();
    let part =
        |(name, value): &(String, String)| if value.is_empty() { name.clone() } else { format!("{name}={value}") };
    let parts: Vec<String> = parts.iter().map(part).collect();
    // The bucket is a part of the path: what is asked of it alone is signed as it is sent.
    let path = request.path();
    let resource = if parts.is_empty() { path } else { format!("{path}?{}", parts.join("&")) };
    let field = |name: &str| request.header(name).unwrap_or("");
    let (method, date) = (&request.method, request.header("date").or_else(|| request.header("x-oss-date"))?);
    let text = format!("{method}\n{}\n{}\n{date}\n{own}{resource}", field("content-md5"), field("content-type"));
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(super::SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    Some(key_id == super::KEY_ID && data_encoding::BASE64.encode(&mac.finalize().into_bytes()) == wanted)
}

fn signed(request: &Request) -> Option<bool> {
    let claim = request.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let part = |name: &str| claim.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (key_id, scope) = part("Credential")?.split_once('/')?;
    let (names, wanted) = (part("SignedHeaders")?, part("Signature")?);
    let mut pairs = request.pairs();
    pairs.sort_unstable();
    let query: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encoded(k, true), encoded(v, true))).collect();
    let header = |name: &str| request.header(name).map(|value| format!("{name}:{value}\n"));
    let headers: Option<String> = names.split(';').map(header).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{names}\n{}",
        request.method,
        request.raw_path(),
        query.join("&"),
        headers?,
        request.header("x-amz-content-sha256")?
    );
    let time = request.header("x-amz-date")?;
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{}", super::SECRET).into_bytes();
    for word in scope.split('/') {
        key = mac(&key, word);
    }
    // Everything that matters is signed.
    let whole = ["host", "x-amz-content-sha256", "x-amz-date"].iter().all(|name| names.split(';').any(|n| n == *name));
    Some(whole && key_id == super::KEY_ID && time.get(..8)? == scope.get(..8)? && hex(&mac(&key, &text)) == wanted)
}
