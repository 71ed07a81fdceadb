//! The signature of MNS requests: HMAC-SHA1 over method, digest, type, date, `x-mns-` fields and target
//! (notifications.md 6, "Request signature").

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Scheme of the Authorization header.
pub const SCHEME: &str = "MNS ";

/// The text that is signed. `fields`: names in lower case, values as sent; `target`: path and query as sent.
pub fn string_to_sign(method: &str, target: &str, fields: &[(String, String)]) -> String {
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let mut own: Vec<&(String, String)> = fields.iter().filter(|(name, _)| name.starts_with("x-mns-")).collect();
    own.sort_unstable();
    let own: String = own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let (digest, kind, date) = (field("content-md5"), field("content-type"), field("date"));
    format!("{method}\n{digest}\n{kind}\n{date}\n{own}{target}")
}

/// The signature in Base64.
pub fn signature(secret: &str, string_to_sign: &str) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    data_encoding::BASE64.encode(&mac.finalize().into_bytes())
}

/// Access key and signature of an Authorization header.
pub fn parse(value: &str) -> Option<(&str, &str)> {
    value.strip_prefix(SCHEME)?.trim().split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` over the text that the official SDK (1.3.0) builds.
    #[test]
    fn vector() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = [
            field("x-mns-version", "2015-06-06"),
            field("date", "Wed, 29 Mar 2023 08:41:27 GMT"),
            field("content-type", "text/xml;charset=UTF-8"),
            field("content-md5", "YQ=="),
            field("x-mns-prefix", "q"),
            field("host", "ignored"),
        ];
        let text = string_to_sign("PUT", "/queues/q?metaoverride=true", &fields);
        let expected = "PUT\nYQ==\ntext/xml;charset=UTF-8\nWed, 29 Mar 2023 08:41:27 GMT\nx-mns-prefix:q\nx-mns-version:2015-06-06\n/queues/q?metaoverride=true";
        assert_eq!(text, expected);
        assert_eq!(signature("testSK", &text), "RQ/gtldR9uHKJ8yTSpKFS1Rhle8=");
        assert_eq!(parse("MNS id:sig="), Some(("id", "sig=")));
        assert_eq!(parse("Basic id:sig="), None);
    }
}
