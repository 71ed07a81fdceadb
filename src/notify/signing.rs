//! Signatures of what is pushed (RSA ones are blinded): HMAC-SHA256 in the layout of Standard Webhooks, RSA-SHA1 as MNS signs (notifications.md 7).

use super::queue::Queues;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Durability;
use crate::store::notice::{self, SigningKeyRow};
use data_encoding::{BASE64, BASE64_MIME};
use getrandom::SysRng;
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use rsa::{PrivateKey, PublicKey};
use sha1::Sha1;
use sha2::Sha256;
use std::sync::{Arc, Mutex, PoisonError};

/// Bits of the RSA key.
const KEY_BITS: usize = 2048;

/// `webhook-signature` of a request: version 1 of Standard Webhooks over `id.timestamp.body`.
pub(super) fn standard_webhook(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// Signs with the database's RSA key, which is made when it is first needed.
pub struct Signer {
    queues: Arc<Queues>,
    held: Mutex<Option<Arc<Held>>>,
}

struct Held {
    key: SigningKey<Sha1>,
    certificate: Vec<u8>,
}

impl Signer {
    /// The signer of a database.
    pub fn new(queues: Arc<Queues>) -> Signer {
        Signer { queues, held: Mutex::default() }
    }

    fn held(&self) -> Result<Arc<Held>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref() {
            return Ok(Arc::clone(held));
        }
        let store = &self.queues.store;
        let row = match store.reader().row::<SigningKeyRow>(&notice::signing_key())? {
            Some(row) => row,
            None => {
                let row = make()?;
                let mut batch = store.batch();
                batch.put(&notice::signing_key(), &row)?;
                store.commit(batch, Durability::Sync)?;
                row
            }
        };
        let key = PrivateKey::from_pkcs8_der(&row.key)
            .map_err(|e| Error::corrupted(format!("the signing key is not PKCS #8: {e}")))?;
        let made = Arc::new(Held { key: SigningKey::new(key), certificate: row.certificate });
        *held = Some(Arc::clone(&made));
        Ok(made)
    }

    /// The signature of a text in Base64: RSA PKCS #1 version 1.5 with SHA-1 (RFC 8017, section 8.2).
    pub(super) fn sign(&self, text: &str) -> Result<String> {
        let signature = self.held()?.key.try_sign_with_rng(&mut SysRng, text.as_bytes()).map_err(|e| failed(&e))?;
        Ok(BASE64.encode(&signature.to_bytes()))
    }

    /// The certificate that the signatures are verified with, in PEM (RFC 7468).
    pub fn certificate(&self) -> Result<String> {
        let body = BASE64_MIME.encode(&self.held()?.certificate).replace('\r', "");
        Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body.trim_end()))
    }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("the RSA key could not be used: {error}"))
}

fn make() -> Result<SigningKeyRow> {
    let key = PrivateKey::new(&mut SysRng, KEY_BITS).map_err(|e| failed(&e))?;
    let certificate = certificate(&key)?;
    let der = key.to_pkcs8_der().map_err(|e| failed(&e))?;
    Ok(SigningKeyRow { key: der.as_bytes().to_vec(), certificate })
}

/// One element of DER (X.690, section 8.1): tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=127), _) => out.push(short),
        (Ok(byte), _) => out.extend([0x81, byte]),
        (_, Ok(two)) => {
            let [low, high] = two.to_le_bytes();
            out.extend([0x82, high, low]);
        }
        // A certificate of ours has some 800 bytes.
        _ => {}
    }
    out.extend_from_slice(content);
    out
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

/// A self-signed X.509 certificate (RFC 5280, section 4.1) of the name CN=medialith, from 2020 to 2049, signed with SHA-256.
fn certificate(key: &PrivateKey) -> Result<Vec<u8>> {
    // 1.2.840.113549.1.1.11, sha256WithRSAEncryption (RFC 4055, section 5), with its NULL.
    const ALGORITHM: [u8; 13] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00];
    // 2.5.4.3, commonName (RFC 5280, appendix A.1).
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let algorithm = der(0x30, &ALGORITHM);
    let attribute = sequence(&[&COMMON_NAME, &der(0x0C, b"medialith")]);
    let name = der(0x30, &der(0x31, &attribute));
    let validity = sequence(&[&der(0x17, b"200101000000Z"), &der(0x17, b"491231235959Z")]);
    let mut serial = [0; 8];
    getrandom::fill(&mut serial).map_err(|e| failed(&e))?;
    // Positive and without leading zeros.
    serial[0] = (serial[0] & 0x3F) | 0x40;
    let public = PublicKey::from(key).to_public_key_der().map_err(|e| failed(&e))?;
    // Version 1 has no extensions, and needs no version.
    let body = sequence(&[&der(0x02, &serial), &algorithm, &name, &validity, &name, public.as_bytes()]);
    let signature = SigningKey::<Sha256>::new(key.clone())
        .try_sign_with_rng(&mut SysRng, &body)
        .map_err(|e| failed(&e))?
        .to_bytes();
    let bits = der(0x03, &[&[0u8][..], signature.as_ref()].concat());
    Ok(sequence(&[&body, &algorithm, &bits]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification, computed again with Python's `hmac`.
    #[test]
    fn webhook_vector() {
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let got = standard_webhook(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn lengths_of_der() {
        assert_eq!(der(4, &[7; 3]), [4, 3, 7, 7, 7]);
        assert_eq!(der(4, &[7; 200]).get(..3).unwrap(), [4, 0x81, 200]);
        assert_eq!(der(4, &[7; 300]).get(..4).unwrap(), [4, 0x82, 1, 44]);
    }
}
