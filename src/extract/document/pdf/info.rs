//! The information dictionary (ISO 32000-1, 14.3.3), the catalogue's metadata stream (14.3.2), the version (7.5.2).

use super::file::File;
use super::object::Object;
use crate::extract::document::{date, say, say_keywords};
use crate::extract::embedded::xmp;
use crate::extract::{Facts, Group, Input, Parsed};

/// Keys of the dictionary, and what they are to us.
static KEYS: &[(&str, &str)] = &[
    ("Title", "Title"),
    ("Author", "Author"),
    ("Subject", "Subject"),
    ("Keywords", "Keywords"),
    ("Creator", "Application"),
    ("Producer", "Producer"),
];

/// The version of the header, or a later one that the catalogue names.
pub(super) fn version(input: &mut Input<'_>, facts: &mut Facts, file: &mut File) -> Parsed<()> {
    input.rewind();
    let head = input.peek_up_to(1024)?.to_vec();
    let at = head.windows(5).position(|window| window == b"%PDF-").unwrap_or(0);
    let digits = head.get(at.saturating_add(5)..at.saturating_add(8)).unwrap_or(&[]);
    let mut stated = String::from_utf8_lossy(digits).trim().to_owned();
    if stated.ends_with('.') {
        stated.push('0');
    }
    let result = file.root(input);
    let root = facts.tolerate(result)?.unwrap_or_default();
    let later = root.get("Version").as_name().filter(|later| *later > stated.as_str()).map(str::to_owned);
    say(input, facts, 5, "Version", later.unwrap_or(stated));
    Ok(())
}

/// What the document says of itself. Texts of one that wants a password cannot be read.
pub(super) fn properties(input: &mut Input<'_>, facts: &mut Facts, file: &mut File) -> Parsed<()> {
    if !file.readable() {
        return Ok(());
    }
    let info = file.trailer.get("Info").clone();
    let info = file.resolve(input, &info)?;
    let at = input.position();
    if let Some(info) = info.as_dict() {
        for (key, tag) in KEYS {
            let value = file.value(input, info, key)?;
            let Some(text) = value.as_text().map(text) else { continue };
            if *tag == "Keywords" { say_keywords(input, facts, at, &text) } else { say(input, facts, at, tag, text) }
        }
        for (key, tag) in [("CreationDate", "Created"), ("ModDate", "Modified")] {
            let moment = file.value(input, info, key)?.as_text().map(text).and_then(|text| date::pdf(&text));
            moment.into_iter().for_each(|moment| facts.add(input.format(), Group::Time, tag, at, moment));
        }
    }
    let root = file.root(input)?;
    let language = file.value(input, &root, "Lang")?;
    language.as_text().into_iter().for_each(|language| say(input, facts, at, "Language", text(language)));
    if let Some((dict, bytes, at)) = file.stream(input, root.get("Metadata"))?
        && dict.get("Subtype").as_name() == Some("XML")
    {
        xmp::packet(input, facts, at, &bytes)?;
    }
    Ok(())
}

/// A text string: UTF-16 or UTF-8 with a mark, else PDFDocEncoding (7.9.2.2 and annex D.3).
pub(super) fn text(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(b"\xFE\xFF") {
        return encoding_rs::UTF_16BE.decode_without_bom_handling(wide).0.into_owned();
    }
    if let Some(wide) = bytes.strip_prefix(b"\xFF\xFE") {
        return encoding_rs::UTF_16LE.decode_without_bom_handling(wide).0.into_owned();
    }
    if let Some(utf8) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return String::from_utf8_lossy(utf8).into_owned();
    }
    bytes.iter().map(|byte| character(*byte)).collect()
}

/// PDFDocEncoding (annex D.2): Latin-1 but for two rows.
fn character(byte: u8) -> char {
    const LOW: [char; 8] = ['\u{2d8}', '\u{2c7}', '\u{2c6}', '\u{2d9}', '\u{2dd}', '\u{2db}', '\u{2da}', '\u{2dc}'];
    const HIGH: [char; 33] = [
        '\u{2022}', '\u{2020}', '\u{2021}', '\u{2026}', '\u{2014}', '\u{2013}', '\u{192}', '\u{2044}', '\u{2039}',
        '\u{203a}', '\u{2212}', '\u{2030}', '\u{201e}', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{201a}',
        '\u{2122}', '\u{fb01}', '\u{fb02}', '\u{141}', '\u{152}', '\u{160}', '\u{178}', '\u{17d}', '\u{131}',
        '\u{142}', '\u{153}', '\u{161}', '\u{17e}', '\u{fffd}', '\u{20ac}',
    ];
    let place = |from: u8| usize::from(byte.saturating_sub(from));
    match byte {
        0x18..=0x1F => LOW.get(place(0x18)).copied().unwrap_or(' '),
        0x80..=0xA0 => HIGH.get(place(0x80)).copied().unwrap_or(' '),
        other => char::from(other),
    }
}

/// The value as a text, for names of fonts and the like.
pub(super) fn name_of(object: &Object) -> &str {
    object.as_name().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings() {
        assert_eq!(text(b"\xFE\xFF\0h\x4E\x2D"), "h\u{4e2d}");
        assert_eq!(text(b"\xEF\xBB\xBFcaf\xC3\xA9"), "caf\u{e9}");
        assert_eq!(text(b"\x84 caf\xE9 \x18\xA0"), "\u{2014} caf\u{e9} \u{2d8}\u{20ac}");
    }
}
