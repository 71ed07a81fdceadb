//! The V3 signature: `Authorization: ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..` (wire.md 2.1).

use super::canonical::canonical_query;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// The scheme, as in the header and at the head of the string to sign.
pub const SCHEME: &str = "ACS3-HMAC-SHA256";

/// A parsed `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// `Credential`: the id of the access key.
    pub key_id: &'a str,
    /// `SignedHeaders`, in lower case and in the order given.
    pub signed: Vec<String>,
    /// `Signature`, hexadecimal.
    pub signature: &'a str,
}

/// Parses the header's value; `None` where it is of another form.
pub fn parse(value: &str) -> Option<Authorization<'_>> {
    let rest = value.trim().strip_prefix(SCHEME)?;
    let (mut key_id, mut signed, mut signature) = (None, None, None);
    for part in rest.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let place = match name {
            "Credential" => &mut key_id,
            "SignedHeaders" => &mut signed,
            "Signature" => &mut signature,
            _ => return None,
        };
        if value.is_empty() || place.replace(value).is_some() {
            return None;
        }
    }
    let signed = signed?.split(';').map(|name| name.trim().to_ascii_lowercase()).collect();
    Some(Authorization { key_id: key_id?, signed, signature: signature? })
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path of the target.
    pub path: &'a str,
    /// The decoded parameters of the query.
    pub query: &'a [(String, String)],
    /// Header fields, names in lower case.
    pub fields: &'a [(String, String)],
    /// The value of `x-acs-content-sha256`.
    pub payload_hash: &'a str,
}

/// The canonical request; its hash is signed.
pub fn canonical_request(request: &Request<'_>, signed: &[String]) -> String {
    let mut names: Vec<&str> = signed.iter().map(String::as_str).collect();
    names.sort_unstable();
    let pairs = request.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let query = canonical_query(pairs, false);
    let path = if request.path.is_empty() { "/" } else { request.path };
    let mut text = format!("{}\n{path}\n{query}\n", request.method);
    for name in &names {
        let mut values: Vec<&str> = request.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.trim()).collect();
        values.sort_unstable();
        // Writing to a String cannot fail.
        let _ok = writeln!(text, "{name}:{}", values.join(","));
    }
    let _ok = write!(text, "\n{}\n{}", names.join(";"), request.payload_hash);
    text
}

/// The text that is signed.
pub fn string_to_sign(canonical: &str) -> String {
    format!("{SCHEME}\n{}", sha256_hex(canonical.as_bytes()))
}

/// The signature: HMAC-SHA256 in lower-case hexadecimal.
pub fn signature(secret: &str, string_to_sign: &str) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Whether two signatures are the same, in a time that does not tell where they differ.
pub fn same(expected: &str, given: &str) -> bool {
    !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn signed(fields: &[(String, String)]) -> Vec<String> {
        fields.iter().map(|(name, _)| name.clone()).collect()
    }

    /// wire.md 2.3, vector A.
    #[test]
    fn vector_a() {
        let query = owned(&[
            ("ProjectName", "test-project"),
            ("DatasetName", "test-dataset"),
            ("Query", "\u{963f}\u{91cc}\u{4e91} *~+/"),
        ]);
        let fields = owned(&[
            ("host", "imm.example.test"),
            ("x-acs-action", "FuzzyQuery"),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-date", "2026-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
            ("x-acs-version", "2020-09-30"),
        ]);
        let request = Request { method: "POST", path: "/", query: &query, fields: &fields, payload_hash: EMPTY };
        let canonical = canonical_request(&request, &signed(&fields));
        assert!(canonical.contains("&Query=%E9%98%BF%E9%87%8C%E4%BA%91%20%2A~%2B%2F\nhost:imm.example.test\n"));
        assert_eq!(
            sha256_hex(canonical.as_bytes()),
            "f8f635e13b8acbe0ef4de4a2fe335947d025a7982d6f19f269dd0a3627953a9e"
        );
        let made = signature("testSK", &string_to_sign(&canonical));
        assert_eq!(made, "bd7f65e9bb248499907ee60ab075d6211f28c4566555ffea45884d2ba03a8851");
        assert!(same(&made, &made.clone()) && !same(&made, &made[1..]) && !same("", ""));
    }

    /// wire.md 2.3, vector B: a form body.
    #[test]
    fn vector_b() {
        let body = b"DatasetName=d&Files=%5B%7B%22URI%22%3A%22oss%3A%2F%2Fb%2Fx+y%22%7D%5D&ObjectId=o&ProjectName=p";
        let hash = sha256_hex(body);
        assert_eq!(hash, "e5ce08e514a149435b619dceedc43ec8c1d585952cd8ec00820e60f52f5b58ac");
        let fields = owned(&[
            ("x-acs-version", "2020-09-30"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "imm.example.test"),
            ("x-acs-action", "AddStoryFiles"),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", "2026-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
        ]);
        let request = Request { method: "POST", path: "", query: &[], fields: &fields, payload_hash: &hash };
        let canonical = canonical_request(&request, &signed(&fields));
        assert_eq!(
            sha256_hex(canonical.as_bytes()),
            "d662a11423f56e00bf833cbd6acd15954783c38bed3e1e1df914a74d337541a0"
        );
        let made = signature("testSK", &string_to_sign(&canonical));
        assert_eq!(made, "90fa9d7d15d960c732a56f0ae3724cfc1449b2af4788bfad7c0febec83f951e0");
    }

    /// The public `RunInstances` vector of wire.md 2.3.
    #[test]
    fn public_vector() {
        let query =
            owned(&[("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"), ("RegionId", "cn-shanghai")]);
        let fields = owned(&[
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ]);
        let request = Request { method: "POST", path: "/", query: &query, fields: &fields, payload_hash: EMPTY };
        let canonical = canonical_request(&request, &signed(&fields));
        assert_eq!(
            signature("YourAccessKeySecret", &string_to_sign(&canonical)),
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn headers_of_the_scheme() {
        let parsed = parse("ACS3-HMAC-SHA256 Credential=AK, SignedHeaders=Host;x-acs-date, Signature=00").unwrap();
        assert_eq!((parsed.key_id, parsed.signature), ("AK", "00"));
        assert_eq!(parsed.signed, ["host", "x-acs-date"]);
        for bad in [
            "",
            "Basic x",
            "ACS3-HMAC-SHA256",
            "ACS3-HMAC-SHA256 Credential=AK,Signature=00",
            "ACS3-HMAC-SHA256 Credential=AK,Credential=B,SignedHeaders=host,Signature=00",
            "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=00",
            "ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=host,Signature=00,More=1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
