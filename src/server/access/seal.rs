//! Sealing secrets: AES-256-GCM under a key that lies outside the database (NIST SP 800-38D).
//!
//! HMAC signatures are verified with the secret itself, so it cannot be kept as a hash. It is kept encrypted instead, and
//! what a key allows is authenticated with it: who can write the database but not read the sealing key can neither learn a
//! secret nor widen what it allows.

use crate::error::{Error, ErrorKind, Result};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Bytes of a sealing key.
const KEY_BYTES: usize = 32;

/// The key that secrets are sealed with.
pub struct SealKey(LessSafeKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Sealed {
    nonce: [u8; NONCE_LEN],
    bytes: Vec<u8>,
}

impl SealKey {
    /// Reads the key file, making it where it is absent. Only its owner may read it.
    pub fn open(path: &Path) -> Result<SealKey> {
        match OpenOptions::new().read(true).open(path) {
            Ok(file) => SealKey::read(path, file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => SealKey::make(path),
            Err(e) => Err(Error::io(format_args!("open {}", path.display()), e)),
        }
    }

    fn read(path: &Path, mut file: std::fs::File) -> Result<SealKey> {
        let failed = |e| Error::io(format_args!("read {}", path.display()), e);
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            let expected = "expected a key file that only its owner may use (mode 600)";
            return Err(Error::invalid(format!("{}: {expected}, got mode {mode:o}", path.display())));
        }
        let mut text = String::new();
        Read::take(&mut file, 1000).read_to_string(&mut text).map_err(failed)?;
        let bytes = data_encoding::HEXLOWER.decode(text.trim().as_bytes()).unwrap_or_default();
        SealKey::of(&bytes).map_err(|_| {
            let digits = KEY_BYTES * 2;
            Error::corrupted(format!("{}: expected {digits} hexadecimal digits, got something else", path.display()))
        })
    }

    fn make(path: &Path) -> Result<SealKey> {
        let failed = |e| Error::io(format_args!("create {}", path.display()), e);
        let mut bytes = [0; KEY_BYTES];
        random(&mut bytes)?;
        let text = format!("{}\n", data_encoding::HEXLOWER.encode(&bytes));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        SealKey::of(&bytes)
    }

    fn of(bytes: &[u8]) -> Result<SealKey> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| Error::corrupted("not a sealing key"))?;
        Ok(SealKey(LessSafeKey::new(key)))
    }

    /// Seals a secret together with what it belongs to.
    pub(super) fn seal(&self, secret: &str, belongs_to: &[u8]) -> Result<Sealed> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut bytes = secret.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        let sealed = self.0.seal_in_place_append_tag(unique, Aad::from(belongs_to), &mut bytes);
        sealed.map_err(|_| Error::new(ErrorKind::Internal, "a secret could not be sealed"))?;
        Ok(Sealed { nonce, bytes })
    }

    /// The secret, if it belongs to exactly that.
    pub(super) fn unseal(&self, sealed: &Sealed, belongs_to: &[u8]) -> Result<String> {
        let mut bytes = sealed.bytes.clone();
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(belongs_to), &mut bytes).ok();
        let secret = opened.and_then(|plain| std::str::from_utf8(plain).ok());
        secret.map(str::to_owned).ok_or_else(|| {
            let got = "got another sealing key or a changed file";
            Error::corrupted(format!(
                "an access key cannot be unsealed: expected the key that it was sealed with, {got}"
            ))
        })
    }
}

/// Fills `bytes` from the system's source of random bytes.
pub(super) fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| Error::new(ErrorKind::Io, format!("could not get random bytes: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_owner_unseal() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        let key = SealKey::open(&one).unwrap();
        let sealed = key.seal("secret", b"grant").unwrap();
        assert_ne!(sealed, key.seal("secret", b"grant").unwrap());
        assert_eq!(SealKey::open(&one).unwrap().unseal(&sealed, b"grant").unwrap(), "secret");
        assert!(key.unseal(&sealed, b"other").is_err());
        assert!(SealKey::open(&two).unwrap().unseal(&sealed, b"grant").is_err());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        SealKey::open(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(SealKey::open(&path).unwrap_err().message().contains("got mode 640"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(SealKey::open(&path).unwrap_err().kind(), ErrorKind::Corrupted);
    }
}
