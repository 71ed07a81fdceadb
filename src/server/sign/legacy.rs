//! The legacy signature: HMAC-SHA1 over all parameters (wire.md 2.2).

use super::canonical::{canonical_query, encode};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The text that is signed: every parameter of query and form but `Signature`.
pub fn string_to_sign<'a>(method: &str, params: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let canonical = canonical_query(params.filter(|(key, _)| *key != "Signature"), true);
    let mut text = format!("{method}&%2F&");
    encode(&canonical, &mut text);
    text
}

/// The signature in Base64. The key is the secret with `&` behind it.
pub fn signature(secret: &str, string_to_sign: &str) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    data_encoding::BASE64.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wire.md 2.3, legacy vector.
    #[test]
    fn vector() {
        let params = [
            ("Action", "GetProject"),
            ("Format", "json"),
            ("Version", "2020-09-30"),
            ("Timestamp", "2026-01-02T03:04:05Z"),
            ("SignatureNonce", "0123456789abcdef0123456789abcdef"),
            ("ProjectName", "p q*~"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("Signature", "ignored"),
            ("SignatureVersion", "1.0"),
            ("AccessKeyId", "testAK"),
        ];
        let text = string_to_sign("POST", params.into_iter());
        assert!(text.starts_with("POST&%2F&AccessKeyId%3DtestAK%26Action%3DGetProject"), "{text}");
        assert_eq!(signature("testSK", &text), "Fj2xrG0YdN5UisJGsbksNpS2MOs=");
    }
}
