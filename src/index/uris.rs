//! The URIs of a segment, sorted, front-coded in blocks: position = DocId.
//!
//! Layout: `docs/format.md`, "URIs".

use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};

/// URIs per block; the first is whole.
pub(crate) const BLOCK: usize = 16;

/// Writes ascending URIs.
#[derive(Default)]
pub(crate) struct UrisWriter {
    starts: Vec<u64>,
    body: Vec<u8>,
    last: Vec<u8>,
    count: usize,
}

impl UrisWriter {
    /// Appends a URI greater than the one before.
    pub(crate) fn push(&mut self, uri: &[u8]) {
        let shared = if self.count.is_multiple_of(BLOCK) {
            self.starts.push(self.body.len() as u64);
            0
        } else {
            self.last.iter().zip(uri).take_while(|(a, b)| a == b).count()
        };
        let rest = uri.get(shared..).unwrap_or(&[]);
        varint::put(&mut self.body, shared as u64);
        varint::put(&mut self.body, rest.len() as u64);
        self.body.extend_from_slice(rest);
        self.last.clear();
        self.last.extend_from_slice(uri);
        self.count += 1;
    }

    /// The section's bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut packed = Vec::new();
        packed::write(&self.starts, &mut packed);
        let mut out = Vec::with_capacity(packed.len() + self.body.len() + 20);
        varint::put(&mut out, self.count as u64);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
        out.extend_from_slice(&self.body);
        out
    }
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Uris<'a> {
    count: usize,
    starts: Packed<'a>,
    body: &'a [u8],
}

impl<'a> Uris<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Uris<'a>> {
        let count = varint::take(&mut bytes)? as usize;
        let len = varint::take(&mut bytes)? as usize;
        let starts = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        if starts.len() != count.div_ceil(BLOCK) {
            return Err(Error::corrupted(format!("URIs: {count} in {} blocks", starts.len())));
        }
        Ok(Uris { count, starts, body: bytes })
    }

    /// Number of URIs.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// URIs from position `at` on.
    pub(crate) fn from(&self, at: usize) -> Result<UriCursor<'a>> {
        let block = at / BLOCK;
        let start = if at < self.count { self.starts.get(block) as usize } else { self.body.len() };
        let mut cursor = UriCursor {
            next: block * BLOCK,
            count: self.count,
            rest: self.body.get(start..).unwrap_or(&[]),
            uri: Vec::new(),
        };
        while cursor.next < at.min(self.count) {
            cursor.advance()?;
        }
        Ok(cursor)
    }

    /// The URI at position `at`.
    pub(crate) fn get(&self, at: usize) -> Result<Vec<u8>> {
        let mut cursor = self.from(at)?;
        if !cursor.advance()? {
            return Err(Error::corrupted(format!("URIs: position {at} of {}", self.count)));
        }
        Ok(cursor.uri)
    }

    /// Where `uri` is, or would be.
    pub(crate) fn find(&self, uri: &[u8]) -> Result<std::result::Result<usize, usize>> {
        let (mut low, mut high) = (0, self.starts.len());
        while low < high {
            let middle = (low + high) / 2;
            let mut head = self.body.get(self.starts.get(middle) as usize..).unwrap_or(&[]);
            varint::take(&mut head)?;
            let len = varint::take(&mut head)? as usize;
            if varint::take_bytes(&mut head, len)? <= uri { low = middle + 1 } else { high = middle }
        }
        let first = low.saturating_sub(1) * BLOCK;
        let mut cursor = self.from(first)?;
        for at in first..(first + BLOCK).min(self.count) {
            cursor.advance()?;
            match cursor.uri.as_slice().cmp(uri) {
                std::cmp::Ordering::Equal => return Ok(Ok(at)),
                std::cmp::Ordering::Greater => return Ok(Err(at)),
                std::cmp::Ordering::Less => {}
            }
        }
        Ok(Err((first + BLOCK).min(self.count)))
    }
}

/// Walks URIs in order.
pub(crate) struct UriCursor<'a> {
    next: usize,
    count: usize,
    rest: &'a [u8],
    /// The URI that the last [`UriCursor::advance`] reached.
    pub(crate) uri: Vec<u8>,
}

impl UriCursor<'_> {
    /// Moves to the next URI; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        if self.next >= self.count {
            return Ok(false);
        }
        let shared = varint::take(&mut self.rest)? as usize;
        let len = varint::take(&mut self.rest)? as usize;
        if shared > self.uri.len() {
            return Err(Error::corrupted(format!("URIs: {} shares {shared} bytes of {}", self.next, self.uri.len())));
        }
        self.uri.truncate(shared);
        self.uri.extend_from_slice(varint::take_bytes(&mut self.rest, len)?);
        self.next += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_places() {
        let all: Vec<String> = (0..100).map(|i| format!("oss://b/{:02}/x", i)).collect();
        let mut writer = UrisWriter::default();
        all.iter().for_each(|u| writer.push(u.as_bytes()));
        let bytes = writer.finish();
        let uris = Uris::new(&bytes).unwrap();
        for (at, uri) in all.iter().enumerate() {
            assert_eq!(uris.get(at).unwrap(), uri.as_bytes());
            assert_eq!(uris.find(uri.as_bytes()).unwrap(), Ok(at));
        }
        assert_eq!(uris.find(b"a").unwrap(), Err(0));
        assert_eq!(uris.find(b"oss://b/50").unwrap(), Err(50));
        assert_eq!(uris.find(b"zzz").unwrap(), Err(100));
        assert!(uris.get(100).is_err());
    }
}
