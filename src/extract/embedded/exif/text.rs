//! How a tag's value is written in the API's `EXIF` member: text as it is, numbers joined by spaces, fractions as
//! `n/d`, places of the GPS directory in degrees, minutes and seconds.

use super::Kind;
use crate::extract::container::tiff::{Entry, Values};
use crate::extract::embedded::{decode, utf16};

/// Numbers of one value that are worth writing.
const NUMBERS: usize = 64;
/// Bytes of an UNDEFINED value that are worth writing.
const BYTES: usize = 16;

/// The value as text; `None` where it is a binary table.
pub(super) fn render(kind: Kind, entry: &Entry, value: &Values, little: bool) -> Option<String> {
    if kind == Kind::Gps
        && let Some(text) = gps(entry.tag, value)
    {
        return Some(text);
    }
    match value {
        Values::Text(bytes) => Some(decode(until_nul(bytes))),
        Values::Bytes(bytes) => undefined(kind, entry, bytes, little),
        Values::Whole(numbers) => join(numbers, |number| number.to_string()),
        Values::Ratio(numbers) => join(numbers, |(over, under)| format!("{over}/{under}")),
        Values::Real(numbers) => join(numbers, |number| number.to_string()),
    }
}

fn join<T>(numbers: &[T], write: impl Fn(&T) -> String) -> Option<String> {
    (numbers.len() <= NUMBERS).then(|| numbers.iter().map(write).collect::<Vec<_>>().join(" "))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
}

fn undefined(kind: Kind, entry: &Entry, bytes: &[u8], little: bool) -> Option<String> {
    match (kind, entry.tag) {
        // Windows writes its tags as UTF-16, little-endian in either byte order.
        (Kind::Main | Kind::Exif, 0x9C9B..=0x9C9F) => Some(utf16(bytes, true)),
        // Versions are four digits (EXIF 2.32, 4.6.5 A).
        (Kind::Main | Kind::Exif, 0x9000 | 0xA000) => Some(decode(until_nul(bytes))),
        (Kind::Exif, 0x9286) | (Kind::Gps, 0x1B | 0x1C) => comment(bytes, little),
        // GPSDateStamp and the like under the wrong type.
        _ if bytes.len() <= BYTES => join(bytes, u8::to_string),
        _ => None,
    }
}

/// Text behind an eight-byte character code (EXIF 2.32, table 9).
fn comment(bytes: &[u8], little: bool) -> Option<String> {
    let (code, text) = bytes.split_at_checked(8)?;
    match code {
        b"UNICODE\0" => {
            let (text, little) = match text {
                [0xFF, 0xFE, rest @ ..] => (rest, true),
                [0xFE, 0xFF, rest @ ..] => (rest, false),
                // Some writers keep their machine's order: ASCII text tells by where its zeros are.
                [a, 0, ..] if *a != 0 => (text, true),
                [0, a, ..] if *a != 0 => (text, false),
                _ => (text, little),
            };
            Some(utf16(text, little))
        }
        b"JIS\0\0\0\0\0" => Some(jis(until_nul(text))),
        _ => Some(decode(until_nul(text))),
    }
}

/// JIS X 0208 in pairs of seven-bit bytes; EUC-JP is the same with the high bits set. With escapes it is ISO-2022-JP.
fn jis(bytes: &[u8]) -> String {
    if bytes.contains(&0x1B) {
        return encoding_rs::ISO_2022_JP.decode_without_bom_handling(bytes).0.into_owned();
    }
    let raised: Vec<u8> = bytes.iter().map(|byte| if *byte > b' ' { byte | 0x80 } else { *byte }).collect();
    encoding_rs::EUC_JP.decode_without_bom_handling(&raised).0.into_owned()
}

fn gps(tag: u16, value: &Values) -> Option<String> {
    match (tag, value) {
        (0x01 | 0x03 | 0x13 | 0x15, Values::Text(bytes)) => match bytes.first()? {
            b'N' => Some("North".into()),
            b'S' => Some("South".into()),
            b'E' => Some("East".into()),
            b'W' => Some("West".into()),
            _ => None,
        },
        (0x02 | 0x04 | 0x14 | 0x16, Values::Ratio(parts)) => sexagesimal(parts),
        _ => None,
    }
}

/// Degrees, minutes and seconds; `None` where a part is not a number.
fn sexagesimal(parts: &[(i64, i64)]) -> Option<String> {
    let &[degrees, minutes, seconds] = parts else { return None };
    let whole = |part: (i64, i64)| super::place::number(part).map(|number| number.to_string());
    let seconds = super::place::number(seconds)?;
    Some(format!("{}deg {}' {seconds:.3}\"", whole(degrees)?, whole(minutes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_decoded_by_their_code() {
        assert_eq!(comment(b"ASCII\0\0\0hello\0", true).as_deref(), Some("hello"));
        assert_eq!(comment(b"UNICODE\0h\0i\0", false).as_deref(), Some("hi"));
        assert_eq!(comment(b"UNICODE\0\0h\0i", true).as_deref(), Some("hi"));
        assert_eq!(comment(b"UNICODE\0\xFF\xFE\x2D\x4E", false).as_deref(), Some("\u{4e2d}"));
        assert_eq!(comment(b"JIS\0\0\0\0\0\x46\x7C\x4B\x5C\0", true).as_deref(), Some("\u{65e5}\u{672c}"));
        assert_eq!(comment(b"JIS\0\0\0\0\0\x1B$B\x46\x7C\x1B(B", true).as_deref(), Some("\u{65e5}"));
        assert_eq!(comment(b"short", true), None);
    }

    #[test]
    fn long_tables_are_left_out() {
        assert_eq!(join(&[1_i64; 65], i64::to_string), None);
        assert_eq!(join(&[1_i64, 2], i64::to_string).as_deref(), Some("1 2"));
    }
}
