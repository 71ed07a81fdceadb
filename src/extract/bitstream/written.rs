//! For tests: bits written from numbers and their widths, and Exp-Golomb codes.

/// Bits in the order of writing.
#[derive(Default)]
pub(super) struct Writer(Vec<bool>);

impl Writer {
    pub(super) fn bits(mut self, value: u32, count: u32) -> Writer {
        self.0.extend((0..count).rev().map(|at| at < 32 && value >> at & 1 == 1));
        self
    }

    pub(super) fn golomb(self, value: u32) -> Writer {
        let width = 32 - (value + 1).leading_zeros();
        self.bits(0, width - 1).bits(value + 1, width)
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at));
        self.0.chunks(8).map(byte).collect()
    }
}

/// A unit with the bytes that keep start codes out of it.
pub(super) fn escaped(unit: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for &byte in unit {
        if out.ends_with(&[0, 0]) && byte <= 3 {
            out.push(3);
        }
        out.push(byte);
    }
    out
}
