//! Addresses of files: `oss://bucket/key` and `pds://domains/../drives/../files/../revisions/..`, parsed once.

use crate::error::{Error, Result};

/// Longest address in bytes: a bucket name and a path of Linux's `PATH_MAX`, percent-encoded at worst.
pub const MAX_URI_BYTES: usize = 12_288;

/// A checked address of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(String);

impl Uri {
    /// Checks scheme, bucket name and key. `http(s)` addresses are refused (IMM: operations, common value rules).
    pub fn parse(text: &str) -> Result<Uri> {
        if text.len() > MAX_URI_BYTES {
            return Err(Error::invalid(format!("URI: expected at most {MAX_URI_BYTES} bytes, got {}", text.len())));
        }
        let valid = if let Some(rest) = text.strip_prefix("oss://") {
            rest.split_once('/').is_some_and(|(bucket, key)| is_bucket(bucket) && !key.is_empty())
        } else {
            text.strip_prefix("pds://").is_some_and(is_pds)
        };
        if valid && !text.contains('\0') {
            return Ok(Uri(text.to_owned()));
        }
        let expected = "oss://bucket/key or pds://domains/D/drives/D/files/F/revisions/R";
        let shown: String = text.chars().take(200).collect();
        Err(Error::invalid(format!("URI: expected {expected}, got {shown:?}")))
    }

    /// The address of `key` in `bucket`.
    pub fn in_bucket(bucket: &str, key: &str) -> Result<Uri> {
        Uri::parse(&format!("oss://{bucket}/{key}"))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bucket and key of an `oss://` address.
    pub fn bucket_and_key(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix("oss://")?.split_once('/')
    }
}

/// Whether `name` can be a bucket: 1 to 63 of letters, digits, `-`, `_` and `.`, not beginning with a dot.
pub fn is_bucket(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=63).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

fn is_pds(rest: &str) -> bool {
    let parts: Vec<&str> = rest.split('/').collect();
    let [d, domain, dr, drive, f, file, r, revision] = parts.as_slice() else { return false };
    [*d, *dr, *f, *r] == ["domains", "drives", "files", "revisions"]
        && [domain, drive, file, revision].iter().all(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        for good in ["oss://b/k", "oss://b-1/a/b c/\u{6771}.jpg", "pds://domains/a/drives/b/files/c/revisions/d"] {
            assert_eq!(Uri::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "b/k", "oss://b", "oss://b/", "oss:///k", "http://b/k", "oss://.x/k", "pds://domains/a", "oss://b/\0"]
        {
            assert!(Uri::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Uri::parse(&format!("oss://b/{}", "x".repeat(1 << 20))).unwrap_err().message().contains("1048584"));
    }
}
