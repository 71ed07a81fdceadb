//! Variable-length u64: seven bits a byte, lowest first (LEB128, DWARF 5 section 7.6).

use crate::error::{Error, Result};

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a value off the front of `bytes`.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte < 0x80 {
            *bytes = bytes.get(at + 1..).unwrap_or(&[]);
            return Ok(value);
        }
    }
    Err(Error::corrupted("variable-length number: expected an end within ten bytes"))
}

/// Calls `each` with the numbers that gaps stand for: each gap is the distance to the number that could be next.
#[inline]
pub(crate) fn each_gap(gaps: &[u8], mut each: impl FnMut(usize)) {
    let (mut next, mut gap, mut shift) = (0usize, 0usize, 0u32);
    for &byte in gaps {
        gap |= usize::from(byte & 0x7F) << (shift % usize::BITS);
        if byte >= 0x80 {
            shift += 7;
            continue;
        }
        let number = next.wrapping_add(gap);
        each(number);
        (next, gap, shift) = (number.wrapping_add(1), 0, 0);
    }
}

/// Takes `len` bytes off the front of `bytes`.
#[inline]
pub(crate) fn take_bytes<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes
        .split_at_checked(len)
        .ok_or_else(|| Error::corrupted(format!("expected {len} more bytes, got {}", bytes.len())))?;
    *bytes = rest;
    Ok(taken)
}
