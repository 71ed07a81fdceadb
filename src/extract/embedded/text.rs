//! Bytes that should be text, in whatever encoding their writer had at hand.

/// UTF-8, or else Latin-1 with Windows' letters in the place of its second control characters, in which any bytes are text.
pub(in crate::extract) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// UTF-16 up to the first zero; what is no text becomes U+FFFD.
pub(in crate::extract) fn utf16(bytes: &[u8], little: bool) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|&[a, b]| u16::from_le_bytes(if little { [a, b] } else { [b, a] }));
    let units = units.take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_any_encoding_stay_text() {
        assert_eq!(decode("caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(decode(b"caf\xE9 \x93\x9F\x81"), "caf\u{e9} \u{201c}\u{178}\u{81}");
        assert_eq!(utf16(b"\x2D\x4Eh\0\0\0x\0", true), "\u{4e2d}h");
        assert_eq!(utf16(b"\0h\xD8\0\0i\0", false), "h\u{FFFD}i");
    }
}
