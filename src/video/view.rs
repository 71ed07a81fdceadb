//! A window over a byte source: small reads at neighbouring places cost one read of the source.

use super::failure::{Failure, Step};
use crate::codec::ReadAt;

/// Longest stretch that is read at once: a picture of a film in 8K stays below.
pub(super) const LONGEST: usize = 32 << 20;

/// A source and the part of it that was read last.
pub(super) struct View<'a> {
    source: &'a dyn ReadAt,
    window: usize,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> View<'a> {
    /// A view that reads `window` bytes at a time.
    pub(super) fn new(source: &'a dyn ReadAt, window: usize) -> View<'a> {
        View { source, window, start: 0, buffer: Vec::new() }
    }

    /// Length of the source.
    pub(super) fn len(&self) -> u64 {
        self.source.len()
    }

    /// Up to `len` bytes; fewer at the end.
    pub(super) fn some(&mut self, at: u64, len: usize) -> Step<&[u8]> {
        let len = len.min(LONGEST);
        let inside =
            at >= self.start && at.saturating_add(len as u64) <= self.start.saturating_add(self.buffer.len() as u64);
        if !inside {
            let want = len.max(self.window);
            self.buffer.resize(want, 0);
            let got = read_full(self.source, at, &mut self.buffer)?;
            self.buffer.truncate(got);
            self.start = at;
        }
        let from = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        let rest = self.buffer.get(from..).unwrap_or(&[]);
        Ok(rest.get(..len).unwrap_or(rest))
    }

    /// Exactly `len` bytes.
    pub(super) fn get(&mut self, at: u64, len: usize) -> Step<&[u8]> {
        let got = self.some(at, len)?;
        if got.len() == len {
            return Ok(got);
        }
        Err(Failure::damaged(format!("The file ends within a structure: expected {len} bytes at {at}.")))
    }

    /// Exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Step<[u8; N]> {
        let bytes = self.get(at, N)?;
        Ok(bytes.first_chunk::<N>().copied().unwrap_or([0; N]))
    }

    /// A big-endian number of `width` bytes, at most 8.
    pub(super) fn number(&mut self, at: u64, width: usize) -> Step<u64> {
        Ok(big(self.get(at, width.min(8))?))
    }
}

/// Bytes as a big-endian number; of more than eight the last ones count.
pub(super) fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// Fills `to` as far as the source reaches.
pub(super) fn read_full(source: &dyn ReadAt, at: u64, to: &mut [u8]) -> Step<usize> {
    let mut done = 0;
    while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read_at(at.saturating_add(done as u64), rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(e) => return Err(Failure::system("read the file", e)),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_move_and_end() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut view = View::new(&bytes, 16);
        assert_eq!(view.get(10, 4).unwrap(), [10, 11, 12, 13]);
        assert_eq!(view.number(12, 2).unwrap(), 0x0C0D);
        assert_eq!(view.get(100, 40).unwrap().len(), 40);
        assert_eq!(view.some(250, 10).unwrap(), [250, 251, 252, 253, 254, 255]);
        assert!(view.some(u64::MAX, 4).unwrap().is_empty());
        assert_eq!(view.get(254, 4).unwrap_err().code, "InvalidVideo");
        assert_eq!(view.array::<2>(0).unwrap(), [0, 1]);
    }
}
