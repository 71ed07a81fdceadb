//! Frames: what every file of ours is wrapped in (`docs/format.md`, "Frame").
//!
//! Magic, format version, body length, body, CRC-32 of everything before it. [`open`] checks all of them before anybody
//! else sees the body.

use super::take::Take;
use crate::error::{Error, ErrorKind, Result};

/// Bytes before the body: magic, version, length.
pub const HEADER_BYTES: usize = 8 + 4 + 8;
/// Bytes after the body: the checksum.
pub const TRAILER_BYTES: usize = 4;

/// The frame of `body`.
pub fn seal(magic: [u8; 8], version: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + body.len() + TRAILER_BYTES);
    out.extend_from_slice(&magic);
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    out.extend_from_slice(body);
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Version and body of a frame. `newest` is the newest version that the caller reads; `what` names the file in errors.
pub fn open<'a>(magic: [u8; 8], newest: u32, bytes: &'a [u8], what: &str) -> Result<(u32, &'a [u8])> {
    let mut take = Take::new(bytes);
    let found = take.bytes(8, what)?;
    if found != magic {
        let (expected, got) = (magic.escape_ascii(), found.escape_ascii());
        return Err(Error::corrupted(format!("{what}: expected the magic \"{expected}\", got \"{got}\"")));
    }
    let version = take.u32(what)?;
    let length = take.u64(what)?;
    let body_and_sum = take.rest();
    let expected = (body_and_sum.len() as u64).checked_sub(TRAILER_BYTES as u64);
    // A newer version may have another layout, but magic, version, length and checksum stay where they are: a flipped
    // version byte is reported as corruption, a file of a newer medialith as such.
    if expected != Some(length) {
        let got = bytes.len();
        return Err(Error::corrupted(format!("{what}: expected a body of {length} bytes, got {got} bytes in all")));
    }
    let (covered, sum) = bytes.split_at_checked(bytes.len() - TRAILER_BYTES).unwrap_or((bytes, &[]));
    let (sum, computed) = (Take::new(sum).u32(what)?, crc32fast::hash(covered));
    if sum != computed {
        return Err(Error::corrupted(format!("{what}: expected checksum {sum:08x}, got {computed:08x}")));
    }
    if version == 0 || version > newest {
        let message = format!("{what}: expected format version 1 to {newest}, got {version}, of a newer medialith");
        return Err(Error::new(ErrorKind::UnsupportedVersion, message));
    }
    let body = covered.get(HEADER_BYTES..).unwrap_or(&[]);
    Ok((version, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"mlTEST\r\n";

    #[test]
    fn round_trip_and_every_flip() {
        let bytes = seal(MAGIC, 2, b"body");
        assert_eq!(bytes.len(), HEADER_BYTES + 4 + TRAILER_BYTES);
        assert_eq!(open(MAGIC, 2, &bytes, "test").unwrap(), (2, &b"body"[..]));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(open(MAGIC, 2, &bad, "test").unwrap_err().kind(), ErrorKind::Corrupted, "{at}.{bit}");
            }
            assert!(open(MAGIC, 2, &bytes[..at], "test").is_err());
        }
    }

    #[test]
    fn newer_version() {
        let bytes = seal(MAGIC, 3, b"");
        let error = open(MAGIC, 2, &bytes, "FORMAT").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
        assert!(error.message().contains("version 1 to 2, got 3"), "{error}");
    }
}
