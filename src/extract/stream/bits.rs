//! Bits of codec headers, from the most significant one.

/// A cursor over bits; `None` at the end.
#[derive(Clone)]
pub struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Bits<'b> {
    /// At the first bit of `bytes`.
    pub fn new(bytes: &'b [u8]) -> Bits<'b> {
        Bits { bytes, at: 0 }
    }

    /// The next `count` bits as a number; of more than 32 the last 32.
    pub fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = self.bytes.get(self.at >> 3)?;
            let shift = 7_usize.saturating_sub(self.at & 7);
            value = (value << 1) | u32::from((byte >> shift) & 1);
            self.at = self.at.saturating_add(1);
        }
        Some(value)
    }

    /// The next bit as a flag.
    pub fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// Passes over `count` bits; that they are there shows at the next read.
    pub fn skip(&mut self, count: u32) {
        self.at = self.at.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// Up to eight bits as a byte.
    pub fn byte(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.take(count.min(8))?).ok()
    }

    /// An unsigned Exp-Golomb number (ITU-T H.264, 9.1): as many zeros as bits follow the next one.
    pub fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0_u32;
        while self.take(1)? == 0 {
            zeros = zeros.saturating_add(1);
            if zeros > 31 {
                return None;
            }
        }
        let base = 1_u32.checked_shl(zeros)?.checked_sub(1)?;
        base.checked_add(self.take(zeros)?)
    }

    /// A signed Exp-Golomb number (ITU-T H.264, 9.1.1): odd codes are positive.
    pub fn signed_golomb(&mut self) -> Option<i32> {
        let code = self.golomb()?;
        let half = i32::try_from(code.div_ceil(2)).ok()?;
        Some(if code & 1 == 1 { half } else { half.saturating_neg() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_kinds_end_with_the_bytes() {
        // 1 | 010 | 011 | 00100 | 0001 (cut)
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0001]);
        assert_eq!([bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()], [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(bits.golomb(), None);
        assert_eq!(Bits::new(&[0; 9]).golomb(), None);
        assert_eq!(Bits::new(&[0xAB, 0xCD]).take(12), Some(0xABC));
        let mut signed = Bits::new(&[0b1010_0110, 0b0100_0000]);
        let all = [signed.signed_golomb(), signed.signed_golomb(), signed.signed_golomb(), signed.signed_golomb()];
        assert_eq!(all, [Some(0), Some(1), Some(-1), Some(2)]);
    }

    #[test]
    fn what_is_passed_over_is_missed_at_the_next_read() {
        let mut bits = Bits::new(&[0x0F, 0xF0]);
        bits.skip(4);
        assert_eq!((bits.byte(8), bits.flag()), (Some(0xFF), Some(false)));
        bits.skip(u32::MAX);
        assert_eq!(bits.take(1), None);
    }
}
