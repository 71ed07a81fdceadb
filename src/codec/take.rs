//! The bounded cursor over bytes we wrote ourselves, and the writers it reads back.
//!
//! Integers are little-endian or LEB128 variable-length (DWARF 5, section 7.6); signed ones are zigzag-folded first.
//! Every read names what it expected, checks the end before it looks, and lends slices instead of allocating by a claimed length.

use crate::error::{Error, Result};

/// A cursor over a slice. A read past the end is an error that names what was expected.
#[derive(Debug, Clone, Copy)]
pub struct Take<'a> {
    rest: &'a [u8],
}

impl<'a> Take<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Take<'a> {
        Take { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize, what: &str) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or_else(|| short(what, len, self.rest.len()))?;
        self.rest = rest;
        Ok(head)
    }

    fn chunk<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| short(what, N, self.rest.len()))?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(u8::from_le_bytes(self.chunk(what)?))
    }

    /// Two bytes.
    pub fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::from_le_bytes(self.chunk(what)?))
    }

    /// Four bytes.
    pub fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.chunk(what)?))
    }

    /// Eight bytes.
    pub fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.chunk(what)?))
    }

    /// A variable-length integer of at most ten bytes.
    pub fn varint(&mut self, what: &str) -> Result<u64> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte holds the top bit alone.
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Error::corrupted(format!("{what}: expected a variable-length integer below 2^64, got more bits")))
    }

    /// A variable-length integer that counts bytes or entries still to come, each of at least `least` bytes.
    pub fn count(&mut self, least: usize, what: &str) -> Result<usize> {
        let claimed = self.varint(what)?;
        let most = self.rest.len() / least.max(1);
        match usize::try_from(claimed) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(Error::corrupted(format!(
                "{what}: expected at most {most} entries in the bytes left, got {claimed}"
            ))),
        }
    }

    /// A signed variable-length integer.
    pub fn signed(&mut self, what: &str) -> Result<i64> {
        Ok(unfold(self.varint(what)?))
    }

    /// Bytes after their variable-length count.
    pub fn counted(&mut self, what: &str) -> Result<&'a [u8]> {
        let len = self.count(1, what)?;
        self.bytes(len, what)
    }

    /// UTF-8 text after its variable-length byte count.
    pub fn text(&mut self, what: &str) -> Result<&'a str> {
        let bytes = self.counted(what)?;
        std::str::from_utf8(bytes).map_err(|e| Error::corrupted(format!("{what}: expected UTF-8, got {e}")))
    }
}

#[cold]
fn short(what: &str, wanted: usize, left: usize) -> Error {
    Error::corrupted(format!("{what}: expected {wanted} bytes, got the end after {left}"))
}

/// Appends a variable-length integer.
pub fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed variable-length integer.
pub fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_varint(out, fold(number));
}

/// Appends bytes after their count.
pub fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Zigzag: numbers near zero become small, whatever their sign.
fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(a: u64, b: i64, text: String) {
            let mut out = Vec::new();
            put_varint(&mut out, a);
            put_signed(&mut out, b);
            put_counted(&mut out, text.as_bytes());
            let mut take = Take::new(&out);
            prop_assert_eq!(take.varint("a").unwrap(), a);
            prop_assert_eq!(take.signed("b").unwrap(), b);
            prop_assert_eq!(take.text("text").unwrap(), text);
            prop_assert!(take.is_empty());
        }

        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            let mut take = Take::new(&bytes);
            while take.varint("n").is_ok() {}
            let mut take = Take::new(&bytes);
            while take.text("t").is_ok() {}
        }
    }

    #[test]
    fn refuses() {
        assert!(Take::new(&[0xFF; 10]).varint("n").unwrap_err().message().contains("2^64"));
        assert!(Take::new(&[1, 2]).u32("size").unwrap_err().message().contains("size: expected 4 bytes"));
        assert!(Take::new(&[200, 1, 0]).text("name").is_err());
        assert!(Take::new(&[1, 0xFF]).text("name").unwrap_err().message().contains("UTF-8"));
        assert_eq!(Take::new(&[1; 8]).u64("n").unwrap(), 0x0101_0101_0101_0101);
    }
}
