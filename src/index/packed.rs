//! Bit-packed arrays of u64 with O(1) access: the one number encoding under every column.
//!
//! Blocks of [`BLOCK`] values, each stored as the difference to the block's minimum in as few bits as its largest
//! difference needs. Minimum and maximum of a block are readable without touching its values.
//! Layout: `docs/format.md`, "Packed array".

use crate::error::{Error, Result};

/// Values per block.
pub(crate) const BLOCK: usize = 1024;
/// Bytes of one block-table row: minimum, maximum, bit offset and width.
const ROW: usize = 25;
/// Bytes after the last value, so that eight bytes can be read at any of them.
const PAD: usize = 8;

/// Appends the packed form of `values` to `out`.
pub(crate) fn write(values: &[u64], out: &mut Vec<u8>) {
    out.extend_from_slice(&(values.len() as u64).to_le_bytes());
    let mut table = Vec::with_capacity(values.len().div_ceil(BLOCK) * ROW);
    let mut body = BitWriter::default();
    for block in values.chunks(BLOCK) {
        let min = block.iter().copied().min().unwrap_or(0);
        let max = block.iter().copied().max().unwrap_or(0);
        let width = 64 - (max - min).leading_zeros();
        // Widths past 56 would straddle nine bytes at odd offsets: they take whole words.
        let width = if width > 56 { 64 } else { width };
        body.align(width);
        table.extend_from_slice(&min.to_le_bytes());
        table.extend_from_slice(&max.to_le_bytes());
        table.extend_from_slice(&body.bits().to_le_bytes());
        table.push(width as u8);
        block.iter().for_each(|v| body.push(v - min, width));
    }
    out.extend_from_slice(&table);
    out.extend_from_slice(&body.finish());
    out.extend_from_slice(&[0; PAD]);
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    pending: u128,
    pending_bits: u32,
}

impl BitWriter {
    fn bits(&self) -> u64 {
        self.bytes.len() as u64 * 8 + u64::from(self.pending_bits)
    }

    fn align(&mut self, width: u32) {
        if width == 64 && self.pending_bits > 0 {
            self.push(0, 8 - self.pending_bits);
        }
    }

    fn push(&mut self, value: u64, width: u32) {
        self.pending |= u128::from(value) << self.pending_bits;
        self.pending_bits += width;
        while self.pending_bits >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Reads a packed array in place.
#[derive(Clone, Copy, Default)]
pub(crate) struct Packed<'a> {
    len: usize,
    table: &'a [u8],
    body: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Checks the lengths; values are read on access.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Packed<'a>> {
        let wrong = || Error::corrupted(format!("packed array: {} bytes do not hold what they claim", bytes.len()));
        let (head, rest) = bytes.split_at_checked(8).ok_or_else(wrong)?;
        let len = usize::try_from(word(head, 0)).map_err(|_| wrong())?;
        let table_len = len.div_ceil(BLOCK).checked_mul(ROW).ok_or_else(wrong)?;
        let (table, body) = rest.split_at_checked(table_len).ok_or_else(wrong)?;
        Ok(Packed { len, table, body })
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at `at`; 0 past the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        if at >= self.len {
            return 0;
        }
        let row = at / BLOCK * ROW;
        let min = word(self.table, row);
        let offset = word(self.table, row + 16) as usize;
        let width = self.table.get(row + 24).copied().map_or(0, usize::from);
        if width == 0 {
            return min;
        }
        let bit = offset + (at % BLOCK) * width;
        let mask = u64::MAX >> (64 - width.min(64));
        min.wrapping_add((word(self.body, bit / 8) >> (bit % 8)) & mask)
    }

    /// Minimum and maximum of the block that holds `at`.
    pub(crate) fn block_bounds(&self, at: usize) -> (u64, u64) {
        let row = at / BLOCK * ROW;
        (word(self.table, row), word(self.table, row + 8))
    }
}

/// The little-endian u64 at `at`; missing bytes read as 0.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(|b| <[u8; 8]>::try_from(b).ok()) {
        Some(word) => u64::from_le_bytes(word),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_was_written(
            values in proptest::collection::vec(prop_oneof![0u64..9, any::<u64>(), Just(u64::MAX), Just(7)], 0..3000),
            shift in 0u32..64,
        ) {
            let values: Vec<u64> = values.iter().map(|v| v >> shift).collect();
            let mut bytes = Vec::new();
            write(&values, &mut bytes);
            let packed = Packed::new(&bytes).unwrap();
            prop_assert_eq!(packed.len(), values.len());
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(packed.get(at), *value);
                let (min, max) = packed.block_bounds(at);
                prop_assert!((min..=max).contains(value));
            }
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..5000) {
            if let Ok(packed) = Packed::new(&bytes) {
                packed.get(at);
            }
        }
    }
}
