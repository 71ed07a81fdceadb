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

macro_rules! unpackers {
    ($($width:literal)*) => { [$(unpack::<$width>),*] };
}

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

    /// The values of a block, decoded into `room`: by far the cheapest way to see all of them.
    pub(crate) fn block<'r>(&self, block: usize, room: &'r mut [u64; BLOCK]) -> &'r [u64] {
        let first = block.saturating_mul(BLOCK);
        let values = room.get_mut(..self.len.saturating_sub(first).min(BLOCK)).unwrap_or_default();
        let row = block.saturating_mul(ROW);
        let (min, offset) = (word(self.table, row), word(self.table, row + 16) as usize);
        let width = self.table.get(row + 24).copied().map_or(0, usize::from);
        let body = self.body.get(offset / 8..).unwrap_or(&[]);
        let unpack =
            UNPACK.get(width).filter(|_| offset.is_multiple_of(8) && body.len() >= values.len() * width / 8 + PAD);
        match (width, unpack) {
            (0, _) => values.fill(min),
            (_, Some(unpack)) => unpack(body, min, values),
            (_, None) => values.iter_mut().zip(first..).for_each(|(value, at)| *value = self.get(at)),
        }
        values
    }

    /// To read single values of a block: what they have in common is looked up once.
    #[inline]
    pub(crate) fn reader(&self, block: usize) -> BlockReader<'a> {
        let row = block.saturating_mul(ROW);
        let width = self.table.get(row + 24).copied().map_or(0, usize::from).min(64);
        BlockReader {
            min: word(self.table, row),
            mask: if width == 0 { 0 } else { u64::MAX >> (64 - width) },
            width,
            bit: word(self.table, row + 16) as usize,
            body: self.body,
        }
    }

    /// Calls `each` with every place and value, in order.
    pub(crate) fn each(&self, mut each: impl FnMut(usize, u64)) {
        let mut room = [0; BLOCK];
        for block in 0..self.len.div_ceil(BLOCK) {
            self.block(block, &mut room).iter().zip(block * BLOCK..).for_each(|(value, at)| each(at, *value));
        }
    }

    /// Minimum and maximum of the block that holds `at`.
    pub(crate) fn block_bounds(&self, at: usize) -> (u64, u64) {
        let row = at / BLOCK * ROW;
        (word(self.table, row), word(self.table, row + 8))
    }
}

/// Reads single values of one block.
#[derive(Clone, Copy)]
pub(crate) struct BlockReader<'a> {
    min: u64,
    mask: u64,
    width: usize,
    bit: usize,
    body: &'a [u8],
}

impl BlockReader<'_> {
    /// The value at a place of the block, which must be one of the array's.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> u64 {
        let bit = self.bit.wrapping_add(place.wrapping_mul(self.width));
        self.min.wrapping_add((word(self.body, bit / 8) >> (bit % 8)) & self.mask)
    }
}

/// Decodes the values of a block that begins at a whole byte.
type Unpack = fn(&[u8], u64, &mut [u64]);

/// The decoder of each width.
const UNPACK: [Unpack; 65] = unpackers!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41
    42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
);

/// A width known to the compiler makes every shift and offset of eight values a constant.
fn unpack<const WIDTH: usize>(bytes: &[u8], min: u64, values: &mut [u64]) {
    let mask = if WIDTH == 0 { 0 } else { u64::MAX >> (64 - WIDTH) };
    let one = |bytes: &[u8], at: usize| min.wrapping_add((word(bytes, at * WIDTH / 8) >> (at * WIDTH % 8)) & mask);
    let (eights, rest) = values.as_chunks_mut::<8>();
    let mut left = bytes;
    for values in eights {
        // Eight values take as many bytes as one has bits.
        let bytes = left.get(..WIDTH + PAD).unwrap_or(left);
        values.iter_mut().enumerate().for_each(|(at, value)| *value = one(bytes, at));
        left = left.get(WIDTH..).unwrap_or(&[]);
    }
    rest.iter_mut().enumerate().for_each(|(at, value)| *value = one(left, at));
}

/// The little-endian u64 at `at`; missing bytes read as 0.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at.wrapping_add(8)).and_then(|b| <[u8; 8]>::try_from(b).ok()) {
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
                prop_assert_eq!(packed.reader(at / BLOCK).get(at % BLOCK), *value);
            }
            let mut each = Vec::new();
            packed.each(|at, value| {
                assert_eq!(at, each.len());
                each.push(value);
            });
            prop_assert_eq!(each, values);
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..5000) {
            if let Ok(packed) = Packed::new(&bytes) {
                packed.get(at);
                packed.block(at / BLOCK, &mut [0; BLOCK]);
                packed.reader(at / BLOCK).get(at % BLOCK);
            }
        }
    }
}
