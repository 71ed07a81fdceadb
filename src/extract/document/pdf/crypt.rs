//! The standard security handler (ISO 32000-1, 7.6.3; ISO 32000-2, 7.6.4) of files that open without a password: many
//! are encrypted only to forbid printing or changing them.

use super::object::{Dict, Object};
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

/// What stands in for the missing bytes of a password (7.6.3.3, algorithm 2).
const PADDING: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08, 0x2E, 0x2E, 0x00,
    0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];
/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Objects inside objects whose texts are decrypted.
const DEPTH: u32 = 16;
/// Rounds after which algorithm 2.B ends whatever its bytes are: a byte says how many, 32 more at most.
const ROUNDS: u32 = 288;

/// How bytes are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Plain,
    Rc4,
    /// AES with a key of 16 bytes for each object.
    AesV2,
    /// AES with the key of 32 bytes.
    AesV3,
}

/// The key of a file, and what it is for.
pub(super) struct Crypt {
    key: Vec<u8>,
    texts: Method,
    streams: Method,
    /// Whether streams of metadata are encrypted.
    metadata: bool,
}

impl Crypt {
    /// The key that the empty password gives; `None` where another one is wanted, or the handler is not the standard one.
    pub(super) fn open(encrypt: &Dict, id: &[u8]) -> Option<Crypt> {
        if encrypt.get("Filter").as_name() != Some("Standard") {
            return None;
        }
        let (version, revision) = (encrypt.get("V").as_int().unwrap_or(0), encrypt.get("R").as_int()?);
        let metadata = *encrypt.get("EncryptMetadata") != Object::Bool(false);
        let (texts, streams) = match version {
            1 | 2 => (Method::Rc4, Method::Rc4),
            4 | 5 => (method(encrypt, "StrF"), method(encrypt, "StmF")),
            _ => return None,
        };
        let key =
            if version == 5 { modern(encrypt, revision)? } else { classic(encrypt, revision, version, id, metadata)? };
        Some(Crypt { key, texts, streams, metadata })
    }

    /// Decrypts the texts of an object that stands in the file itself: those of object streams are not encrypted again.
    pub(super) fn texts(&self, object: &mut Object, id: (u32, u16)) {
        self.texts_below(object, id, 0);
    }

    fn texts_below(&self, object: &mut Object, id: (u32, u16), depth: u32) {
        if depth > DEPTH {
            return;
        }
        let deeper = depth.saturating_add(1);
        match object {
            Object::Text(bytes) => *bytes = self.decrypt(self.texts, std::mem::take(bytes), id),
            Object::Array(items) => items.iter_mut().for_each(|item| self.texts_below(item, id, deeper)),
            Object::Dict(dict) => dict.0.iter_mut().for_each(|(_, value)| self.texts_below(value, id, deeper)),
            _ => {}
        }
    }

    /// Decrypts the data of a stream. Tables of objects are not encrypted (7.5.8.2), metadata not always.
    pub(super) fn stream(&self, dict: &Dict, bytes: Vec<u8>, id: (u32, u16)) -> Vec<u8> {
        let kind = dict.get("Type").as_name();
        let own = dict.get("Filter").items().iter().any(|filter| filter.as_name() == Some("Crypt"));
        if kind == Some("XRef") || own || (kind == Some("Metadata") && !self.metadata) {
            return bytes;
        }
        self.decrypt(self.streams, bytes, id)
    }

    fn decrypt(&self, method: Method, bytes: Vec<u8>, id: (u32, u16)) -> Vec<u8> {
        match method {
            Method::Plain => bytes,
            Method::Rc4 => rc4(&self.object_key(id, false), bytes),
            Method::AesV2 => chained::<Aes128>(&self.object_key(id, true), bytes),
            Method::AesV3 => chained::<Aes256>(&self.key, bytes),
        }
    }

    /// Algorithm 1: each object has a key of its own.
    fn object_key(&self, (number, generation): (u32, u16), aes: bool) -> Vec<u8> {
        let [a, b, c, _] = number.to_le_bytes();
        let [d, e] = generation.to_le_bytes();
        let salt: &[u8] = if aes { b"sAlT" } else { b"" };
        let hash = digest::<Md5>(&[&self.key, &[a, b, c, d, e], salt]);
        let len = self.key.len().saturating_add(5).min(BLOCK);
        hash.get(..len).unwrap_or(&hash).to_vec()
    }
}

/// The method of a crypt filter (7.6.5).
fn method(encrypt: &Dict, key: &str) -> Method {
    let name = encrypt.get(key).as_name().unwrap_or("Identity");
    let filter = encrypt.get("CF").as_dict().and_then(|filters| filters.get(name).as_dict());
    match filter.and_then(|filter| filter.get("CFM").as_name()) {
        Some("V2") => Method::Rc4,
        Some("AESV2") => Method::AesV2,
        Some("AESV3") => Method::AesV3,
        _ => Method::Plain,
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().to_vec()
}

/// Algorithm 2 with the empty password, checked by algorithm 4 or 5.
fn classic(encrypt: &Dict, revision: i64, version: i64, id: &[u8], metadata: bool) -> Option<Vec<u8>> {
    let (owner, user) = (encrypt.get("O").as_text()?.get(..32)?, encrypt.get("U").as_text()?);
    let bits = if version == 1 { 40 } else { encrypt.get("Length").as_int().filter(|bits| *bits >= 40).unwrap_or(40) };
    let bits = if version == 4 { 128 } else { bits };
    let len = usize::try_from(bits.checked_div(8)?).ok()?.min(BLOCK);
    let [a, b, c, d, ..] = encrypt.get("P").as_int()?.to_le_bytes();
    let open: &[u8] = if revision >= 4 && !metadata { &[0xFF; 4] } else { &[] };
    let mut key = digest::<Md5>(&[&PADDING, owner, &[a, b, c, d], id, open]);
    key.truncate(len);
    for _ in 0..if revision >= 3 { 50 } else { 0 } {
        key = digest::<Md5>(&[&key]);
        key.truncate(len);
    }
    let expected = if revision >= 3 {
        let mut bytes = digest::<Md5>(&[&PADDING, id]);
        for round in 0..20_u8 {
            let turned: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
            bytes = rc4(&turned, bytes);
        }
        bytes
    } else {
        rc4(&key, PADDING.to_vec())
    };
    (user.get(..expected.len())? == expected.as_slice()).then_some(key)
}

/// Algorithm 2.A of ISO 32000-2 with the empty password.
fn modern(encrypt: &Dict, revision: i64) -> Option<Vec<u8>> {
    let user = encrypt.get("U").as_text()?;
    let packed = encrypt.get("UE").as_text()?.get(..32)?.to_vec();
    let (hash, check, salt) = (user.get(..32)?, user.get(32..40)?, user.get(40..48)?);
    let hashed = |salt: &[u8]| if revision >= 6 { hardened(salt) } else { digest::<Sha256>(&[salt]) };
    if hashed(check).get(..32)? != hash {
        return None;
    }
    Some(blocks::<Aes256>(hashed(salt).get(..32)?, [0; BLOCK], &packed))
}

/// Algorithm 2.B of ISO 32000-2 with the empty password.
fn hardened(salt: &[u8]) -> Vec<u8> {
    let mut key = digest::<Sha256>(&[salt]);
    let (mut round, mut last) = (0_u32, 0_u32);
    while (round < 64 || last > round.saturating_sub(32)) && round < ROUNDS {
        let sealed = sealed(&key).unwrap_or_default();
        let sum: u32 = sealed.iter().take(BLOCK).map(|byte| u32::from(*byte)).sum();
        key = match sum.checked_rem(3) {
            Some(0) => digest::<Sha256>(&[&sealed]),
            Some(1) => digest::<Sha384>(&[&sealed]),
            _ => digest::<Sha512>(&[&sealed]),
        };
        last = sealed.last().copied().unwrap_or(0).into();
        round = round.saturating_add(1);
    }
    key.truncate(32);
    key
}

/// The key 64 times over, encrypted with its first half by AES in chained blocks that begin with its second.
fn sealed(key: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes128::new_from_slice(key.get(..BLOCK)?).ok()?;
    let mut before: [u8; BLOCK] = key.get(BLOCK..32)?.try_into().ok()?;
    let mut out = Vec::new();
    for block in key.repeat(64).as_chunks::<BLOCK>().0 {
        let mut block: Block<Aes128> = mixed(block, &before).into();
        cipher.encrypt_block(&mut block);
        before = block.into();
        out.extend_from_slice(&before);
    }
    Some(out)
}

fn mixed(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(byte, other)| *byte ^= other);
    out
}

/// Chained blocks with the first one in front and padding behind (7.6.2).
fn chained<C: KeyInit + BlockCipherDecrypt>(key: &[u8], bytes: Vec<u8>) -> Vec<u8>
where
    Block<C>: From<[u8; BLOCK]> + Into<[u8; BLOCK]>,
{
    let Some((start, rest)) = bytes.split_first_chunk::<BLOCK>() else { return Vec::new() };
    let mut out = blocks::<C>(key, *start, rest);
    let padding = out.last().map_or(0, |byte| usize::from(*byte));
    if (1..=BLOCK).contains(&padding) {
        out.truncate(out.len().saturating_sub(padding));
    }
    out
}

fn blocks<C: KeyInit + BlockCipherDecrypt>(key: &[u8], start: [u8; BLOCK], bytes: &[u8]) -> Vec<u8>
where
    Block<C>: From<[u8; BLOCK]> + Into<[u8; BLOCK]>,
{
    let Ok(cipher) = C::new_from_slice(key) else { return Vec::new() };
    let (mut before, mut out) = (start, Vec::with_capacity(bytes.len()));
    for block in bytes.as_chunks::<BLOCK>().0 {
        let mut plain: Block<C> = (*block).into();
        cipher.decrypt_block(&mut plain);
        out.extend_from_slice(&mixed(&plain.into(), &before));
        before = *block;
    }
    out
}

/// RC4: the same both ways. Keys are never empty here; an empty one changes nothing.
fn rc4(key: &[u8], mut bytes: Vec<u8>) -> Vec<u8> {
    if key.is_empty() {
        return bytes;
    }
    let mut state: [u8; 256] = std::array::from_fn(|at| u8::try_from(at).unwrap_or(0));
    let at = |state: &[u8; 256], place: u8| state.get(usize::from(place)).copied().unwrap_or(0);
    let mut j = 0_u8;
    for (i, key) in (0..=255_u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(at(&state, i)).wrapping_add(*key);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    for byte in &mut bytes {
        i = i.wrapping_add(1);
        j = j.wrapping_add(at(&state, i));
        state.swap(usize::from(i), usize::from(j));
        *byte ^= at(&state, at(&state, i).wrapping_add(at(&state, j)));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn ciphers_give_what_their_specifications_say() {
        // RFC 6229, 2: 40 bits of key.
        assert_eq!(rc4(&[1, 2, 3, 4, 5], vec![0; 8]), hex("b2396305f03dc027"));
        // NIST SP 800-38A, F.2.2 and F.2.6.
        let start: [u8; 16] = std::array::from_fn(|at| at as u8);
        let plain = hex("6bc1bee22e409f96e93d7e117393172a");
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        assert_eq!(blocks::<Aes128>(&key, start, &hex("7649abac8119b246cee98e9b12e9197d")), plain);
        let key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        assert_eq!(blocks::<Aes256>(&key, start, &hex("f58c4c04d6e5f1ba779eabfb5f7bfbd6")), plain);
    }

    #[test]
    fn another_password_gives_no_key() {
        let entry = |key: &str, value| (key.to_owned(), value);
        let dict = |version, user: Vec<u8>| {
            Dict(vec![
                entry("Filter", Object::Name("Standard".into())),
                entry("V", Object::Int(version)),
                entry("R", Object::Int(version + 1)),
                entry("P", Object::Int(-4)),
                entry("O", Object::Text(vec![7; 48])),
                entry("U", Object::Text(user)),
                entry("UE", Object::Text(vec![9; 32])),
            ])
        };
        for version in [1, 2, 4, 5, 6] {
            for len in [0, 16, 32, 48] {
                assert!(Crypt::open(&dict(version, vec![1; len]), b"id").is_none());
            }
        }
        // The empty password of revision 2: the padding encrypted with the key.
        let [a, b, c, d, ..] = (-4_i64).to_le_bytes();
        let key = digest::<Md5>(&[&PADDING, &[7; 32], &[a, b, c, d], b"id"])[..5].to_vec();
        let opened = Crypt::open(&dict(1, rc4(&key, PADDING.to_vec())), b"id").unwrap();
        let mut text = Object::Array(vec![Object::Text(rc4(&opened.object_key((12, 0), false), b"Title".to_vec()))]);
        opened.texts(&mut text, (12, 0));
        assert_eq!(text, Object::Array(vec![Object::Text(b"Title".to_vec())]));
    }
}
