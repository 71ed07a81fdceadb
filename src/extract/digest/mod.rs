//! Digests of whole files, computed only where asked for: everything else reads headers, this reads every byte.

mod crc64;

use super::facts::{Facts, Group};
use super::input::length;
use super::warning::Warning;
use crate::codec::ReadAt;
use crate::error::{Error, Result};
use crate::model::{Members, field};
use crc64::Crc64;
use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};
use std::ops::Range;

/// Bytes of one read.
const CHUNK: usize = 256 << 10;
/// Bytes of each of the three pieces that a partial digest takes.
const PIECE: u64 = 64 << 10;

/// What `FileHash` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileHash {
    /// MD5 in hexadecimal, as object stores have it.
    Md5,
    /// BLAKE3 in hexadecimal: for what must not be forged.
    Blake3,
    /// BLAKE3 of the length and of 64 KiB each at the start, in the middle and at the end, as `partial:` and hexadecimal:
    /// tells files apart at the price of three reads, and does not notice a change elsewhere.
    Partial,
}

/// Which digests to compute. None by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digests {
    /// The member `FileHash`.
    pub file_hash: Option<FileHash>,
    /// The member `ContentMd5`: MD5 in base64.
    pub content_md5: bool,
    /// The member `OSSCRC64`: CRC-64 (ECMA-182) as a decimal number.
    pub crc64: bool,
}

impl Digests {
    /// Whether every byte of the file has to be read.
    pub fn read_all(&self) -> bool {
        self.content_md5 || self.crc64 || matches!(self.file_hash, Some(FileHash::Md5 | FileHash::Blake3))
    }
}

/// The digests under way.
struct Running {
    md5: Option<Md5>,
    blake3: Option<blake3::Hasher>,
    crc64: Option<Crc64>,
}

impl Running {
    fn new(wanted: &Digests) -> Running {
        Running {
            md5: (wanted.content_md5 || wanted.file_hash == Some(FileHash::Md5)).then(Md5::new),
            blake3: (wanted.file_hash == Some(FileHash::Blake3)).then(blake3::Hasher::new),
            crc64: wanted.crc64.then(Crc64::new),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.md5.iter_mut().for_each(|md5| md5.update(bytes));
        if let Some(blake3) = &mut self.blake3 {
            blake3.update(bytes);
        }
        self.crc64.iter_mut().for_each(|crc64| crc64.update(bytes));
    }
}

/// Computes what is wanted and sets the members. Returns how many bytes were read for it.
pub(super) fn add(source: &dyn ReadAt, wanted: &Digests, facts: &mut Facts, members: &mut Members) -> Result<u64> {
    let mut read = 0;
    if wanted.read_all() {
        let mut running = Running::new(wanted);
        read = feed(source, 0..source.len(), &mut |bytes| running.update(bytes))?;
        if read < source.len() {
            facts.warn(short(source, read));
            return Ok(read);
        }
        publish(running, wanted, facts, members);
    }
    if wanted.file_hash == Some(FileHash::Partial) {
        let (hash, more) = partial(source)?;
        facts.add("file", Group::Digest, "Partial", 0, hash.as_str());
        members.set(field::FILE_HASH, format!("partial:{hash}"));
        read = read.saturating_add(more);
    }
    Ok(read)
}

fn publish(running: Running, wanted: &Digests, facts: &mut Facts, members: &mut Members) {
    let mut say = |tag: &'static str, text: &str| facts.add("file", Group::Digest, tag, 0, text);
    if let Some(md5) = running.md5.map(Digest::finalize) {
        let hex = HEXLOWER.encode(&md5);
        say("Md5", &hex);
        if wanted.content_md5 {
            members.set(field::CONTENT_MD5, BASE64.encode(&md5));
        }
        if wanted.file_hash == Some(FileHash::Md5) {
            members.set(field::FILE_HASH, hex);
        }
    }
    if let Some(blake3) = running.blake3 {
        let hex = HEXLOWER.encode(blake3.finalize().as_bytes());
        say("Blake3", &hex);
        members.set(field::FILE_HASH, hex);
    }
    if let Some(crc64) = running.crc64 {
        let number = crc64.value().to_string();
        say("Crc64", &number);
        members.set(field::OSS_CRC64, number);
    }
}

fn partial(source: &dyn ReadAt) -> Result<(String, u64)> {
    let len = source.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&len.to_le_bytes());
    let middle = len.saturating_sub(PIECE).checked_div(2).unwrap_or(0);
    let mut read = 0_u64;
    for start in [0, middle, len.saturating_sub(PIECE)] {
        let part = start..start.saturating_add(PIECE).min(len);
        read = read.saturating_add(feed(source, part, &mut |bytes| {
            hasher.update(bytes);
        })?);
    }
    Ok((HEXLOWER.encode(hasher.finalize().as_bytes()), read))
}

/// Gives the bytes of a range to `take`, chunk by chunk, as far as the file reaches.
fn feed(source: &dyn ReadAt, range: Range<u64>, take: &mut dyn FnMut(&[u8])) -> Result<u64> {
    let size = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(CHUNK).min(CHUNK);
    let mut buffer = vec![0; size];
    let mut at = range.start;
    while at < range.end {
        let most = usize::try_from(range.end.saturating_sub(at)).unwrap_or(size).min(size);
        let slot = buffer.get_mut(..most).unwrap_or_default();
        let count = match source.read_at(at, slot) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(|error| Error::io("read the file", error))?,
        };
        if count == 0 {
            break;
        }
        take(slot.get(..count).unwrap_or(&[]));
        at = at.saturating_add(length(count));
    }
    Ok(at.saturating_sub(range.start))
}

fn short(source: &dyn ReadAt, read: u64) -> Warning {
    let message = format!("expected {} bytes to digest, but the file ended early: no digest", source.len());
    Warning { format: "file", offset: read, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn digests(bytes: &[u8], wanted: Digests) -> (Members, u64) {
        let (mut facts, mut members) = (Facts::new(&Limits::default()), Members::new());
        let read = add(&bytes.to_vec(), &wanted, &mut facts, &mut members).unwrap();
        (members, read)
    }

    #[test]
    fn known_answers() {
        let all = Digests { file_hash: Some(FileHash::Md5), content_md5: true, crc64: true };
        let (members, read) = digests(b"123456789", all);
        // RFC 1321, A.5 has MD5 of "1234567890..."; this one is md5sum's. The CRC is the catalogue's check value.
        assert_eq!(members.text(field::FILE_HASH), Some("25f9e794323b453885f5181f1b624d0b"));
        assert_eq!(members.text(field::CONTENT_MD5), Some("JfnnlDI7RTiF9RgfG2JNCw=="));
        assert_eq!(members.text(field::OSS_CRC64), Some("11051210869376104954"));
        assert_eq!(read, 9);
        let blake3 = Digests { file_hash: Some(FileHash::Blake3), ..Digests::default() };
        // The first vector of the BLAKE3 paper's test_vectors.json: no input.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(digests(b"", blake3).0.text(field::FILE_HASH), Some(empty));
        assert_eq!(digests(b"abc", Digests::default()), (Members::new(), 0));
    }

    #[test]
    fn partial_digests_read_three_pieces() {
        let wanted = Digests { file_hash: Some(FileHash::Partial), ..Digests::default() };
        let mut bytes = vec![7_u8; 1 << 20];
        let (before, read) = digests(&bytes, wanted);
        assert_eq!(read, 3 * PIECE);
        bytes[100_000] ^= 1;
        assert_eq!(digests(&bytes, wanted).0, before, "outside the pieces");
        bytes[1_048_575] ^= 1;
        assert_ne!(digests(&bytes, wanted).0, before);
        assert_ne!(digests(&bytes[..1_000_000], wanted).0, before);
        assert!(digests(b"tiny", wanted).0.text(field::FILE_HASH).unwrap().starts_with("partial:"));
    }

    #[test]
    fn a_file_that_shrank_has_no_digest() {
        struct Shrunk;
        impl ReadAt for Shrunk {
            fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
                Ok(0)
            }
            fn len(&self) -> u64 {
                1000
            }
        }
        let (mut facts, mut members) = (Facts::new(&Limits::default()), Members::new());
        let wanted = Digests { crc64: true, ..Digests::default() };
        add(&Shrunk, &wanted, &mut facts, &mut members).unwrap();
        assert_eq!((members, facts.warnings.len()), (Members::new(), 1));
    }
}
