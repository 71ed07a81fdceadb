//! CRC-64 as the API's `OSSCRC64`: the polynomial of ECMA-182, bits reflected, preset and inverted with ones (the variant
//! that xz uses, file format 1.2, 5.3.4).

/// The polynomial 0x42F0E1EBA9EA3693 (ECMA-182, annex B), its bits in reverse order.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

/// Tables for eight bytes at a time: entry `n` of table `k` is what byte `n` becomes `k` bytes further on.
static TABLES: [[u64; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "evaluated at compile time: an overflow would not compile"
)]
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// A running checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crc64(u64);

impl Crc64 {
    pub(super) fn new() -> Crc64 {
        Crc64(u64::MAX)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            let mixed = (self.0 ^ u64::from_le_bytes(*word)).to_le_bytes();
            let of = |(byte, table): (&u8, &[u64; 256])| table.get(usize::from(*byte)).copied().unwrap_or(0);
            self.0 = mixed.iter().zip(TABLES.iter().rev()).map(of).fold(0, |sum, part| sum ^ part);
        }
        for byte in rest {
            let [low, ..] = self.0.to_le_bytes();
            let [first, ..] = &TABLES;
            self.0 = (self.0 >> 8) ^ first.get(usize::from(low ^ byte)).copied().unwrap_or(0);
        }
    }

    pub(super) fn value(self) -> u64 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.value()
    }

    #[test]
    fn the_check_value_of_the_catalogue() {
        // CRC RevEng catalogue, CRC-64/XZ: check = 995dc9bbdf1939fa.
        assert_eq!(of(b"123456789"), 0x995D_C9BB_DF19_39FA);
        assert_eq!(of(b""), 0);
    }

    #[test]
    fn any_split_gives_the_same() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        for at in 0..bytes.len() {
            let mut crc = Crc64::new();
            crc.update(&bytes[..at]);
            crc.update(&bytes[at..]);
            assert_eq!(crc.value(), of(&bytes), "{at}");
        }
    }
}
