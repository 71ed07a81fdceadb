//! Numbers of variable length, as RAR 5 and xz write them: seven bits a byte, the lowest first, the top bit says that
//! more follow (RAR 5.0 technote, "Data types"; xz file format 1.2, 1.2).

use crate::extract::{Input, Parsed};

/// The next number; at most ten bytes.
pub(super) fn read(input: &mut Input<'_>, what: &str) -> Parsed<u64> {
    let mut value = 0_u64;
    for place in 0..10_u32 {
        let byte = input.u8(what)?;
        value |= u64::from(byte & 0x7F).checked_shl(place.saturating_mul(7)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(input.malformed(format!("{what} is longer than ten bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn seven_bits_a_byte() {
        let table: [(&[u8], Option<u64>); 4] =
            [(&[5], Some(5)), (&[0x80, 1], Some(128)), (&[0xFF, 0xFF, 3], Some(65_535)), (&[0x80; 11], None)];
        for (bytes, want) in table {
            let data = bytes.to_vec();
            assert_eq!(read(&mut Input::new(&data, &Limits::default()), "number").ok(), want);
        }
    }
}
