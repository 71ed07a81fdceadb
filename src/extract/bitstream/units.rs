//! NAL units of H.264 and HEVC: how they are told apart, and their payload without escapes.

/// Payload of a unit, without the bytes that keep start codes out of it (ITU-T H.264, 7.4.1): 3 behind two zeros.
pub(super) fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0_u32;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros.saturating_add(1) } else { 0 };
        plain.push(byte);
    }
    plain
}

/// Units between start codes (ITU-T H.264, annex B), without the codes.
pub(super) fn by_start_code(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_code(bytes);
    std::iter::from_fn(move || {
        let unit = rest?;
        let next = code_at(unit);
        let (unit, after) = match next {
            Some(at) => (unit.get(..at).unwrap_or(&[]), unit.get(at..).and_then(after_code)),
            None => (unit, None),
        };
        rest = after;
        Some(unit)
    })
}

fn code_at(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, &[0, 0, 1])
}

fn after_code(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(code_at(bytes)?.checked_add(3)?..)
}

/// Units with their length in front, in `width` bytes (ISO/IEC 14496-15, 4.3.2).
pub(super) fn by_length(bytes: &[u8], width: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (head, body) = rest.split_at_checked(width.clamp(1, 4))?;
        let len = head.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        let len = len.min(body.len());
        let (unit, after) = body.split_at_checked(len)?;
        rest = after;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_both_ways_and_lose_their_escapes() {
        let stream = [9, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2];
        assert_eq!(by_start_code(&stream).collect::<Vec<_>>(), [&[0x67, 1][..], &[0x68, 2]]);
        assert_eq!(by_start_code(&[0, 0, 1]).collect::<Vec<_>>(), [&[0_u8; 0][..]]);
        assert_eq!(by_length(&[0, 2, 7, 8, 0, 9, 1], 2).collect::<Vec<_>>(), [&[7, 8][..], &[1]]);
        assert_eq!(unescape(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3]), [1, 0, 0, 1, 0, 0, 0, 0]);
    }
}
