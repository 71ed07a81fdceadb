//! Tags of objects, which OpenDAL does not read: `GetObjectTagging`, the same with S3 and OSS but for the signature.

use super::address::{Address, Dialect};
use super::credentials::Credentials;
use super::ready::done;
use super::wire::Line;
use crate::error::{Error, ErrorKind, Result};
use http::Request;
use quick_xml::Reader;
use quick_xml::events::Event;
use reqsign_core::{Context, Signer};

/// Most tags of one object that are kept: both dialects allow ten.
const MOST: usize = 50;

/// Reads tags.
pub(super) struct Tagging {
    base: String,
    prefix: String,
    signer: Signature,
}

enum Signature {
    None,
    S3(Box<Signer<reqsign_aws_v4::Credential>>),
    Oss(Box<Signer<reqsign_aliyun_oss::Credential>>),
}

impl std::fmt::Debug for Tagging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagging").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Tagging {
    pub(super) fn new(address: &Address, credentials: Option<&Credentials>) -> Tagging {
        let signer = match (credentials, address.dialect) {
            (None, _) => Signature::None,
            (Some(keys), Dialect::S3) => {
                let mut provider =
                    reqsign_aws_v4::StaticCredentialProvider::new(&keys.access_key_id, &keys.access_key_secret);
                if !keys.session_token.is_empty() {
                    provider = provider.with_session_token(&keys.session_token);
                }
                let request = reqsign_aws_v4::RequestSigner::new("s3", &address.region);
                Signature::S3(Box::new(Signer::new(Context::new(), provider, request)))
            }
            (Some(keys), Dialect::Oss) => {
                let mut provider =
                    reqsign_aliyun_oss::StaticCredentialProvider::new(&keys.access_key_id, &keys.access_key_secret);
                if !keys.session_token.is_empty() {
                    provider = provider.with_security_token(&keys.session_token);
                }
                let request = reqsign_aliyun_oss::RequestSigner::new(&address.bucket);
                Signature::Oss(Box::new(Signer::new(Context::new(), provider, request)))
            }
        };
        Tagging { base: address.base(), prefix: address.prefix.clone(), signer }
    }

    /// The tags of an object, in the order of their keys.
    pub(super) fn read(&self, line: &Line, key: &str) -> Result<Vec<(String, String)>> {
        let failed = |why: String| Error::new(ErrorKind::Io, format!("could not read the tags of {key}: {why}"));
        let url = format!("{}{}?tagging", self.base, encode(&format!("{}{key}", self.prefix)));
        let request = Request::get(url).body(()).map_err(|e| failed(e.to_string()))?;
        let (mut parts, ()) = request.into_parts();
        let signed = match &self.signer {
            Signature::None => Ok(()),
            Signature::S3(signer) => done(signer.sign(&mut parts, None)),
            Signature::Oss(signer) => done(signer.sign(&mut parts, None)),
        };
        signed.map_err(|_| failed("the request could not be signed".to_owned()))?;
        let answer = line.send(&Request::from_parts(parts, ())).map_err(failed)?;
        if !answer.status.is_success() {
            // Some say so of an object without tags.
            if answer.code() == "NoSuchTagSet" {
                return Ok(Vec::new());
            }
            let gone = answer.code() == "NoSuchKey";
            let failed = failed(answer.refusal());
            return Err(if gone { Error::new(ErrorKind::NotFound, failed.message()) } else { failed });
        }
        parse(&answer.body).map_err(failed)
    }
}

/// Everything but unreserved characters and slashes, percent-encoded (RFC 3986, 2.3).
fn encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `Tagging` of either API: pairs of `Key` and `Value` in `Tag`.
fn parse(document: &[u8]) -> Result<Vec<(String, String)>, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("expected a document of tags, got another ({e})");
    let mut reader = Reader::from_str(std::str::from_utf8(document).map_err(|e| wrong(&e))?);
    let (mut tags, mut key, mut text): (Vec<(String, String)>, String, String) = Default::default();
    loop {
        match reader.read_event().map_err(|e| wrong(&e))? {
            Event::Eof => break,
            Event::Start(_) => text.clear(),
            Event::Empty(empty) if empty.local_name().as_ref() == "Value" => {
                tags.push((std::mem::take(&mut key), String::new()));
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().ok().flatten();
                let known = quick_xml::escape::resolve_predefined_entity(&name.xml10_content());
                text.extend(character);
                text.push_str(known.unwrap_or(""));
            }
            Event::End(end) => match end.local_name().as_ref() {
                "Key" => key = std::mem::take(&mut text),
                "Value" => tags.push((std::mem::take(&mut key), std::mem::take(&mut text))),
                _ => {}
            },
            _ => {}
        }
        if tags.len() > MOST {
            return Err(format!("expected at most {MOST} tags, got more"));
        }
    }
    tags.sort_unstable();
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_either_document() {
        let document = b"<?xml version=\"1.0\"?><Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>\
            <Tag><Key>stage</Key><Value>raw &amp; new</Value></Tag><Tag><Key>owner</Key><Value/></Tag><Tag><Key>a</Key>\
            <Value>\xE6\xB8\xAF</Value></Tag></TagSet></Tagging>";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let found = parse(document).unwrap();
        assert!(found.contains(&pair("stage", "raw & new")) && found.contains(&pair("a", "\u{6e2f}")), "{found:?}");
        assert_eq!(parse(b"<Tagging><TagSet/></Tagging>").unwrap(), []);
        assert!(parse(b"<Tagging><Tag>").is_err() || parse(b"<Tagging><Tag>").unwrap().is_empty());
        assert!(parse(b"<a></b>").unwrap_err().contains("expected a document of tags"));
        let many = "<Tag><Key>k</Key><Value>v</Value></Tag>".repeat(100);
        assert!(parse(many.as_bytes()).unwrap_err().contains("expected at most 50"));
        assert_eq!(encode("a b/\u{e9}+.jpg"), "a%20b/%C3%A9%2B.jpg");
    }
}
