//! Order-preserving keys: the byte order of an encoded key is the order of what it encodes.
//!
//! The only place with big-endian integers; values are little-endian (see [`super::take`]).

/// Big-endian bytes of `number`: they compare as the numbers do.
#[expect(clippy::big_endian_bytes, reason = "keys sort by their bytes, so they are big-endian, and only here")]
pub fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Splits a number written by [`key`] off the front; `None` when `bytes` is too short.
#[expect(clippy::big_endian_bytes, reason = "the inverse of `key`")]
pub fn take_key(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*head), rest))
}

/// The smallest key greater than every key that begins with `prefix`; `None` where there is none (all 0xFF).
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix.get(..=keep)?.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_order_as_bytes(a: u64, b: u64) {
            prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
            let bytes = key(a);
            prop_assert_eq!(take_key(&bytes), Some((a, &[][..])));
        }

        #[test]
        fn end_of_a_prefix(prefix: Vec<u8>, rest: Vec<u8>) {
            if let Some(end) = after_prefix(&prefix) {
                prop_assert!(end > [prefix.as_slice(), rest.as_slice()].concat());
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(take_key(&[0; 7]), None);
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
