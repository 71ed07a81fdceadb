//! Addresses of stores: `s3://BUCKET[/PREFIX][?OPTION=VALUE&...]`, and the same with `oss`. `docs/sources.md` lists the options.
//!
//! An address is shown, stored with bindings and told to whoever may list them, so that keys have no place in it.

use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// What a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// S3 and what speaks like it.
    S3,
    /// Alibaba Cloud OSS.
    Oss,
}

/// Where a store is and what may be asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) dialect: Dialect,
    pub(super) bucket: String,
    /// Folders that all keys are below: empty, or ending with a slash.
    pub(super) prefix: String,
    /// Scheme, host and port.
    pub(super) endpoint: String,
    pub(super) region: String,
    /// The bucket is the first part of the path rather than of the host.
    pub(super) path_style: bool,
    /// Requests are not signed.
    pub(super) anonymous: bool,
    pub(super) credentials: Option<PathBuf>,
    /// Certificates of authorities that are trusted instead of the usual ones, in PEM.
    pub(super) authorities: Option<PathBuf>,
    /// Requests a second; 0 for no limit.
    pub(super) rate: u32,
    /// Requests at the same time.
    pub(super) concurrency: usize,
    /// Time of one try.
    pub(super) timeout: Duration,
    /// Tries of one request.
    pub(super) tries: u32,
}

impl Address {
    /// Reads an address; the error names the option, what was expected and what came.
    pub(super) fn parse(text: &str) -> Result<Address> {
        let (dialect, rest) = match (text.strip_prefix("s3://"), text.strip_prefix("oss://")) {
            (Some(rest), _) => (Dialect::S3, rest),
            (_, Some(rest)) => (Dialect::Oss, rest),
            _ => {
                return Err(Error::invalid(
                    "the address of a store: expected s3://BUCKET or oss://BUCKET, got another",
                ));
            }
        };
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !is_bucket(bucket) {
            let rule = "3 to 63 of a-z, 0-9, A-Z, -, _ and ., beginning and ending with a letter or digit";
            return Err(Error::invalid(format!("the bucket of a store: expected {rule}, got {bucket:?}")));
        }
        let mut address = Address {
            dialect,
            bucket: bucket.to_owned(),
            prefix: folder(&decode("prefix", prefix)?)?,
            endpoint: String::new(),
            region: String::new(),
            path_style: dialect == Dialect::S3,
            anonymous: false,
            credentials: None,
            authorities: None,
            rate: 100,
            concurrency: 8,
            timeout: Duration::from_secs(30),
            tries: 6,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            address.set(name, decode(name, value)?)?;
        }
        address.complete()?;
        Ok(address)
    }

    fn set(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "endpoint" => self.endpoint = endpoint(&value)?,
            "region" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
                self.region = value;
            }
            "style" => self.path_style = choice(name, &value, "path", "virtual")?,
            "anonymous" => self.anonymous = choice(name, &value, "true", "false")?,
            "credentials" if !value.is_empty() => self.credentials = Some(PathBuf::from(value)),
            "ca" if !value.is_empty() => self.authorities = Some(PathBuf::from(value)),
            "rate" => self.rate = number(name, &value, 0, 100_000)?,
            "concurrency" => self.concurrency = number(name, &value, 1, 64)? as usize,
            "timeout" => self.timeout = Duration::from_secs(u64::from(number(name, &value, 1, 600)?)),
            "tries" => self.tries = number(name, &value, 1, 20)?,
            "region" | "credentials" | "ca" => {
                return Err(Error::invalid(format!("{name}: expected a value, got {value:?}")));
            }
            // Whatever else stands here may be a secret: it is not repeated.
            _ if name.to_ascii_lowercase().contains("key") || name.to_ascii_lowercase().contains("token") => {
                let advice = "name a file that holds them with credentials=FILE, or put them into the environment";
                return Err(Error::invalid(format!(
                    "the address of a store: expected no keys in it, got some; {advice}"
                )));
            }
            _ => {
                let known = "endpoint, region, style, anonymous, credentials, ca, rate, concurrency, timeout or tries";
                let shown: String = name.chars().take(40).collect();
                return Err(Error::invalid(format!("the address of a store: expected {known}, got {shown:?}")));
            }
        }
        Ok(())
    }

    /// Fills in what follows from the rest.
    fn complete(&mut self) -> Result<()> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if self.region.is_empty() && self.dialect == Dialect::S3 {
            let known = env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION"));
            // Stores of one's own rarely care, but the signature names one.
            let own = (!self.endpoint.is_empty()).then(|| "us-east-1".to_owned());
            self.region = known.or(own).unwrap_or_default();
        }
        if !self.endpoint.is_empty() {
            return Ok(());
        }
        self.endpoint = match self.dialect {
            _ if self.region.is_empty() => {
                return Err(Error::invalid(
                    "the address of a store: expected endpoint=URL or region=NAME, got neither",
                ));
            }
            Dialect::S3 => format!("https://s3.{}.amazonaws.com", self.region),
            Dialect::Oss => format!("https://oss-{}.aliyuncs.com", self.region),
        };
        Ok(())
    }

    /// The URL that the keys follow, with its final slash.
    pub(super) fn base(&self) -> String {
        let (scheme, host) = self.endpoint.split_once("://").unwrap_or(("https", &self.endpoint));
        let bucket = &self.bucket;
        if self.path_style { format!("{scheme}://{host}/{bucket}/") } else { format!("{scheme}://{bucket}.{host}/") }
    }

    /// What tells the place from others: everything but how it is asked.
    pub(super) fn place(&self) -> String {
        let scheme = match self.dialect {
            Dialect::S3 => "s3",
            Dialect::Oss => "oss",
        };
        format!("{scheme}://{}/{} at {}", self.bucket, self.prefix, self.endpoint)
    }
}

fn is_bucket(name: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && edge(name.bytes().next())
        && edge(name.bytes().last())
}

/// A prefix as the folder that it names.
fn folder(prefix: &str) -> Result<String> {
    let bare = prefix.strip_suffix('/').unwrap_or(prefix);
    if bare.is_empty() {
        return Ok(String::new());
    }
    if super::store::is_plain(bare) {
        return Ok(format!("{bare}/"));
    }
    Err(Error::invalid(format!("prefix: expected folders with / between them, none empty, got {prefix:?}")))
}

fn endpoint(url: &str) -> Result<String> {
    let bare = url.strip_suffix('/').unwrap_or(url);
    let host = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or("");
    let good = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    if good && host.parse::<http::uri::Authority>().is_ok() {
        return Ok(bare.to_owned());
    }
    // A name and password before the host would be a secret.
    Err(Error::invalid("endpoint: expected http://HOST[:PORT] or https://HOST[:PORT], got another"))
}

fn choice(name: &str, value: &str, yes: &str, no: &str) -> Result<bool> {
    match value {
        _ if value == yes => Ok(true),
        _ if value == no => Ok(false),
        _ => Err(Error::invalid(format!("{name}: expected {yes} or {no}, got {value:?}"))),
    }
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32> {
    let got = value.parse().ok().filter(|number| (least..=most).contains(number));
    got.ok_or_else(|| Error::invalid(format!("{name}: expected {least} to {most}, got {value:?}")))
}

/// Undoes percent-encoding (RFC 3986, 2.1).
fn decode(name: &str, text: &str) -> Result<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    let wrong = || Error::invalid(format!("{name}: expected percent-encoded UTF-8, got another"));
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        bytes.push(code.and_then(|code| u8::from_str_radix(code, 16).ok()).ok_or_else(wrong)?);
        rest = after.get(2..).unwrap_or(&[]);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_where_and_how() {
        let own = Address::parse("s3://media/photos/20%3F?endpoint=http://127.0.0.1:9000/&rate=5&tries=2").unwrap();
        assert_eq!((own.bucket.as_str(), own.prefix.as_str(), own.rate, own.tries), ("media", "photos/20?/", 5, 2));
        assert_eq!(own.base(), "http://127.0.0.1:9000/media/");
        let amazon = Address::parse("s3://media?region=eu-west-1&style=virtual").unwrap();
        assert_eq!(amazon.base(), "https://media.s3.eu-west-1.amazonaws.com/");
        let oss = Address::parse("oss://media/?region=cn-hangzhou").unwrap();
        assert_eq!((oss.base().as_str(), oss.prefix.as_str()), ("https://media.oss-cn-hangzhou.aliyuncs.com/", ""));
        let known = "s3://media/a/?endpoint=https://store.lan:9000";
        assert_eq!(Address::parse(known).unwrap().place(), "s3://media/a/ at https://store.lan:9000");
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_not() {
        for (text, part) in [
            ("http://x", "expected s3://BUCKET"),
            ("s3://", "the bucket of a store"),
            ("s3://-a-?region=x", "the bucket of a store"),
            ("s3://abc//x?region=r", "prefix: expected folders"),
            ("s3://abc?endpoint=ftp://x", "endpoint: expected http"),
            ("s3://abc?endpoint=http://me:hunter2@x", "endpoint: expected http"),
            ("s3://abc?region=", "region: expected a value"),
            ("s3://abc?region=x&style=own", "style: expected path or virtual"),
            ("s3://abc?region=x&rate=many", "rate: expected 0 to 100000"),
            ("s3://abc?region=x&concurrency=0", "concurrency: expected 1 to 64"),
            ("s3://abc?region=x&timeout=0", "timeout: expected 1 to 600"),
            ("s3://abc?region=x&shape=round", "expected endpoint, region"),
            ("s3://abc?region=x&secret_access_key=hunter2", "expected no keys in it"),
            ("s3://abc?region=%zz", "region: expected percent-encoded"),
            ("oss://abc", "expected endpoint=URL or region=NAME"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
            assert!(!error.message().contains("hunter2"), "{error}");
        }
    }
}
