//! Keys of a store: from a file that the address names, or the environment. They are never shown.

use super::address::{Address, Dialect};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Longest file of keys that is read.
const MOST: u64 = 64 << 10;

/// An access key. Its secret is in no text that anything prints.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: String,
    /// Of temporary keys.
    #[serde(default)]
    pub(super) session_token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// The keys for an address; `None` where requests are not signed.
    pub(super) fn find(address: &Address) -> Result<Option<Credentials>> {
        if address.anonymous {
            return Ok(None);
        }
        if let Some(path) = &address.credentials {
            return Credentials::read(path).map(Some);
        }
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (id, secret, token) = match address.dialect {
            Dialect::S3 => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            Dialect::Oss => {
                ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
            }
        };
        match (env(id), env(secret)) {
            (Some(access_key_id), Some(access_key_secret)) => {
                let session_token = env(token).unwrap_or_default();
                Ok(Some(Credentials { access_key_id, access_key_secret, session_token }))
            }
            _ => Err(Error::invalid(format!(
                "{}: expected credentials=FILE, anonymous=true, or {id} and {secret} in the environment, got none",
                address.place()
            ))),
        }
    }

    fn read(path: &Path) -> Result<Credentials> {
        let shown = path.display();
        let failed = |e| Error::io(format_args!("read {shown}"), e);
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.permissions().mode() & 0o077 != 0 {
            let what = "expected a file of keys that its owner alone may read (chmod 600), got one that others may";
            return Err(Error::invalid(format!("{shown}: {what}")));
        }
        if about.len() > MOST {
            return Err(Error::invalid(format!("{shown}: expected at most {MOST} bytes, got {}", about.len())));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        // What the parser says of a line may repeat it.
        let found: Option<Credentials> = toml::from_str(&text).ok();
        let found = found.filter(|keys| !keys.access_key_id.is_empty() && !keys.access_key_secret.is_empty());
        found.ok_or_else(|| {
            let what = "expected TOML with access_key_id, access_key_secret and perhaps session_token, got another";
            Error::invalid(format!("{shown}: {what}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, mode: u32) -> Result<Credentials> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Credentials::read(&path)
    }

    #[test]
    fn keys_come_from_a_private_file() {
        let good = "access_key_id = \"id\"\naccess_key_secret = \"hunter2\"\n";
        let keys = of(good, 0o600).unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.session_token.as_str()), ("id", ""));
        assert!(!format!("{keys:?}").contains("hunter2"));
        assert!(of(good, 0o644).unwrap_err().message().contains("chmod 600"));
        for bad in ["", "access_key_id = \"id\"", "access_key_secret = hunter2", &format!("{good}more = \"hunter2\"")] {
            let error = of(bad, 0o600).unwrap_err();
            assert!(error.message().contains("expected TOML") && !error.message().contains("hunter2"), "{error}");
        }
    }
}
