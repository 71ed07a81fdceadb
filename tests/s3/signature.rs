//! Signature Version 4 from the receiver's side ("Authenticating Requests: Using the Authorization Header" of the S3 API).

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
    signed(request).unwrap_or(false)
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
