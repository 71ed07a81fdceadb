//! Bytes of a text to characters: by its mark, by what it says of itself, by being UTF-8, else by a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes in which a text says what encoding it is in (HTML, 13.2.3.2; XML, appendix F).
const PROLOGUE: usize = 1024;

/// A decoded text.
pub(super) struct Text {
    pub(super) text: String,
    /// Name of the encoding in lower case: `us-ascii`, `utf-8`, `windows-1252`.
    pub(super) encoding: String,
}

/// Decodes a text of which `bytes` are the start, `whole` if they are all of it.
pub(super) fn decode(bytes: &[u8], whole: bool) -> Text {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes.get(mark..).unwrap_or(&[]));
    }
    if let Some(encoding) = without_mark(bytes) {
        return with(encoding, bytes);
    }
    if bytes.is_ascii() && !bytes.contains(&0x1B) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Text { text, encoding: "us-ascii".into() };
    }
    let cut = match std::str::from_utf8(bytes) {
        Ok(_) => Some(bytes.len()),
        // A character that our reading cut in two.
        Err(error) if !whole && error.error_len().is_none() => Some(error.valid_up_to()),
        Err(_) => None,
    };
    if let Some(end) = cut.filter(|_| !bytes.contains(&0x1B)) {
        return with(UTF_8, bytes.get(..end).unwrap_or(bytes));
    }
    let stated = stated(bytes).filter(|encoding| *encoding != UTF_8);
    with(stated.unwrap_or_else(|| guessed(bytes, whole)), bytes)
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Text {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Text { text: text.into_owned(), encoding: encoding.name().to_ascii_lowercase() }
}

/// UTF-16 that starts without a mark: every second byte of its first characters is zero.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let pairs = bytes.get(..32).unwrap_or(bytes).as_chunks::<2>().0;
    let zeros = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let most = |count: usize| pairs.len() >= 4 && count.saturating_mul(4) >= pairs.len().saturating_mul(3);
    match (zeros(0), zeros(1)) {
        (0, low) if most(low) => Some(UTF_16LE),
        (high, 0) if most(high) => Some(UTF_16BE),
        _ => None,
    }
}

/// `charset=` of HTML's meta elements, `encoding=` of an XML declaration, `@charset` of a style sheet.
fn stated(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(PROLOGUE))?).to_ascii_lowercase();
    let marked = head.contains("<meta") || head.starts_with("<?xml");
    let after = ["charset=", "encoding="].iter().find_map(|name| head.split_once(name)).filter(|_| marked)?.1;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    Encoding::for_label(label.split(['"', '\'', ' ', '>', ';', '/', '?']).next()?.as_bytes())
}

fn guessed(bytes: &[u8], whole: bool) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, whole);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: &[u8]) -> (String, String) {
        let found = decode(bytes, true);
        (found.encoding, found.text)
    }

    #[test]
    fn marks_statements_and_guesses() {
        let table: &[(&[u8], &str, &str)] = &[
            (b"plain", "us-ascii", "plain"),
            (b"caf\xC3\xA9", "utf-8", "caf\u{e9}"),
            (b"\xEF\xBB\xBFx", "utf-8", "x"),
            (b"\xFF\xFEh\0i\0", "utf-16le", "hi"),
            (b"\xFE\xFF\0h\0i", "utf-16be", "hi"),
            (b"h\0e\0l\0l\0o\0", "utf-16le", "hello"),
            (
                b"<?xml version='1.0' encoding='ISO-8859-5'?>\xD0",
                "iso-8859-5",
                "<?xml version='1.0' encoding='ISO-8859-5'?>\u{430}",
            ),
        ];
        for (bytes, encoding, text) in table {
            assert_eq!(named(bytes), ((*encoding).into(), (*text).into()));
        }
        // Shift JIS without any statement: "nihongo no bunshou desu".
        let japanese = b"\x93\xFA\x96\x7B\x8C\xEA\x82\xCC\x95\xB6\x8F\xCD\x82\xC5\x82\xB7\x81\x42";
        assert_eq!(named(&japanese.repeat(4)).0, "shift_jis");
    }

    #[test]
    fn a_character_that_reading_cut_is_left_out() {
        assert_eq!(decode(b"caf\xC3", false).text, "caf");
        assert_ne!(decode(b"caf\xC3", true).encoding, "utf-8");
    }
}
