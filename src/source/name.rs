//! Keys from file names: names are bytes, keys are text.
//!
//! A name that is UTF-8 is its own key. In any other name each invalid byte becomes `%XX` (upper-case hexadecimal)
//! and each `%` becomes `%25`, so that two such names never share a key. A UTF-8 name that happens to spell the same
//! key wins over the other; the walk reports the one that it left out.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The key of one file or directory name.
pub(super) fn key_of(name: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(name) {
        return text.to_owned();
    }
    let mut key = String::new();
    for chunk in name.utf8_chunks() {
        key.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            key.push_str(&format!("%{byte:02X}"));
        }
    }
    key
}

/// Longest key of either dialect of object stores, in bytes.
pub(super) const LONGEST_KEY: usize = 1024;

/// A text less than a key, with hardly a key between.
pub(crate) fn just_before(key: &str) -> String {
    let mut text = key.to_owned();
    let last = text.pop();
    let room = text.len() + 8 <= LONGEST_KEY;
    let less = last.and_then(|last| ('\u{1}'..last).next_back()).filter(|_| room);
    text.extend(less.into_iter().flat_map(|less| [less, char::MAX]));
    text
}

/// The path of bytes that a key with escapes may stand for; `None` where it has none.
pub(super) fn name_of(key: &str) -> Option<OsString> {
    let (mut bytes, mut rest, mut escaped) = (Vec::with_capacity(key.len()), key.as_bytes(), false);
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                escaped = true;
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    escaped.then(|| OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_a_key() {
        for key in ["a", "photos/2024/a.jpg", "\u{e000}", "x\u{1}", "\u{2}", "x/"] {
            assert!(just_before(key).as_str() < key, "{key:?} {:?}", just_before(key));
        }
        assert_eq!(just_before("ab"), format!("aa{}", char::MAX));
        assert_eq!(just_before(&"x".repeat(1024)).len(), 1023);
    }

    #[test]
    fn utf8_stays_and_the_rest_is_escaped() {
        for (name, key) in [
            (&b"plain.jpg"[..], "plain.jpg"),
            (b"100%.jpg", "100%.jpg"),
            ("\u{6771}\u{4eac} \n.jpg".as_bytes(), "\u{6771}\u{4eac} \n.jpg"),
            (b"caf\xe9.jpg", "caf%E9.jpg"),
            (b"100%\xff\xfe", "100%25%FF%FE"),
            (b"\xe6\x9d", "%E6%9D"),
        ] {
            assert_eq!(key_of(name), key);
        }
    }

    proptest::proptest! {
        #[test]
        fn names_of_one_sort_never_share_a_key(a: Vec<u8>, b: Vec<u8>) {
            if a != b && str::from_utf8(&a).is_ok() == str::from_utf8(&b).is_ok() {
                proptest::prop_assert_ne!(key_of(&a), key_of(&b));
            }
        }
    }
}
