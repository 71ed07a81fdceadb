//! The canonical form of parameters that both signatures share.

/// Appends `text` percent-encoded as RFC 3986 asks, section 2.3: unreserved characters stay, all else is `%XX`.
pub fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.extend(HEX.get(usize::from(nibble)).map(|digit| char::from(*digit)));
            }
        }
    }
}

/// `key=value` pairs by key, values encoded, joined with `&`. Of equal keys the earlier comes first.
pub fn canonical_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, encode_keys: bool) -> String {
    let mut sorted: Vec<(&str, &str)> = pairs.collect();
    sorted.sort_by_key(|(key, _)| *key);
    let mut out = String::with_capacity(sorted.iter().map(|(k, v)| k.len() + v.len() + 2).sum());
    for (at, (key, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        if encode_keys {
            encode(key, &mut out);
        } else {
            out.push_str(key);
        }
        out.push('=');
        encode(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding() {
        let mut out = String::new();
        encode("aZ9-_.~ *+/&=%\u{963f}", &mut out);
        assert_eq!(out, "aZ9-_.~%20%2A%2B%2F%26%3D%25%E9%98%BF");
        let pairs = [("b", "2"), ("a", ""), ("b", "1"), ("B", "x y")];
        assert_eq!(canonical_query(pairs.into_iter(), false), "B=x%20y&a=&b=2&b=1");
    }
}
