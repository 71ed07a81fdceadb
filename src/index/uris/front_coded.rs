//! URIs as format versions before 4 hold them: front-coded in blocks. Read, no longer written.
//!
//! Layout: `docs/format.md`, "URIs".

use crate::error::{Error, Result};
use crate::index::packed::Packed;
use crate::index::varint;

/// URIs per block; the first is whole.
const BLOCK: usize = 16;

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct FrontCoded<'a> {
    count: usize,
    starts: Packed<'a>,
    body: &'a [u8],
}

impl<'a> FrontCoded<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<FrontCoded<'a>> {
        let count = varint::take(&mut bytes)? as usize;
        let len = varint::take(&mut bytes)? as usize;
        let starts = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        if starts.len() != count.div_ceil(BLOCK) {
            return Err(Error::corrupted(format!("URIs: {count} in {} blocks", starts.len())));
        }
        Ok(FrontCoded { count, starts, body: bytes })
    }

    /// Number of URIs.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// URIs from position `at` on, and the one before.
    pub(super) fn from(&self, at: usize) -> Result<(Walk<'a>, Vec<u8>)> {
        let block = at / BLOCK;
        let start = if at < self.count { self.starts.get(block) as usize } else { self.body.len() };
        let next = if at < self.count { block * BLOCK } else { self.count };
        let mut walk = Walk { next, count: self.count, rest: self.body.get(start..).unwrap_or(&[]) };
        let mut uri = Vec::new();
        while walk.next < at && walk.advance(&mut uri)? {}
        Ok((walk, uri))
    }

    /// The URI at position `at`.
    pub(super) fn get(&self, at: usize) -> Result<Option<Vec<u8>>> {
        let (mut walk, mut uri) = self.from(at)?;
        Ok(walk.advance(&mut uri)?.then_some(uri))
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
        let (mut walk, mut found) = self.from(first)?;
        for at in first..(first + BLOCK).min(self.count) {
            walk.advance(&mut found)?;
            match found.as_slice().cmp(uri) {
                std::cmp::Ordering::Equal => return Ok(Ok(at)),
                std::cmp::Ordering::Greater => return Ok(Err(at)),
                std::cmp::Ordering::Less => {}
            }
        }
        Ok(Err((first + BLOCK).min(self.count)))
    }
}

/// Walks URIs in order.
pub(super) struct Walk<'a> {
    next: usize,
    count: usize,
    rest: &'a [u8],
}

impl Walk<'_> {
    /// Makes `uri`, which holds the one before, the next URI; `false` at the end.
    pub(super) fn advance(&mut self, uri: &mut Vec<u8>) -> Result<bool> {
        if self.next >= self.count {
            return Ok(false);
        }
        let shared = varint::take(&mut self.rest)? as usize;
        let len = varint::take(&mut self.rest)? as usize;
        if shared > uri.len() {
            return Err(Error::corrupted(format!("URIs: {} shares {shared} bytes of {}", self.next, uri.len())));
        }
        uri.truncate(shared);
        uri.extend_from_slice(varint::take_bytes(&mut self.rest, len)?);
        self.next += 1;
        Ok(true)
    }
}
