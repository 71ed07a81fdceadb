//! The API's `EXIF` member: JSON text in which every tag is an object with one member, `value`, a string.

use super::facts::{Datum, Facts, Group};
use super::sniff::Format;
use std::borrow::Cow;
use std::fmt::Write;

/// Renders the TIFF, EXIF and GPS tags and the four members that describe the file. `""` where nothing is known.
pub(super) fn render(facts: &Facts, format: Format, size: u64) -> String {
    let mut tags: Vec<(&str, Cow<'_, str>)> = Vec::new();
    // The header's size goes first and so wins over what an editor left in the tags.
    for name in ["ImageWidth", "ImageHeight"] {
        tags.extend(facts.find(Group::Header, name).map(|value| (name, plain(value))));
    }
    let of_tags = facts.facts.iter().filter(|fact| matches!(fact.group, Group::Exif | Group::Gps));
    tags.extend(of_tags.map(|fact| (fact.tag.as_ref(), plain(&fact.value))));
    if tags.is_empty() {
        return String::new();
    }
    // The API says "jpg" where the rest of the world says "jpeg".
    let name = if format == Format::Jpeg { "jpg" } else { format.name() };
    tags.extend([("FileSize", Cow::Owned(size.to_string())), ("Format", Cow::Borrowed(name))]);
    // A stable sort: of equal names the first stays.
    tags.sort_by_key(|(name, _)| *name);
    tags.dedup_by_key(|(name, _)| *name);
    let mut text = String::with_capacity(tags.len().saturating_mul(48));
    for (name, value) in &tags {
        text.push(if text.is_empty() { '{' } else { ',' });
        quote(&mut text, name);
        text.push_str(":{\"value\":");
        quote(&mut text, value);
        text.push('}');
    }
    text.push('}');
    text
}

fn plain(value: &Datum) -> Cow<'_, str> {
    match value {
        Datum::Text(text) => Cow::Borrowed(text),
        Datum::Int(number) => Cow::Owned(number.to_string()),
        Datum::Float(number) => Cow::Owned(number.to_string()),
        Datum::Time(moment) => Cow::Owned(moment.clock.to_string()),
        Datum::Place(place) => Cow::Owned(place.to_string()),
    }
}

/// A JSON string (RFC 8259, section 7).
fn quote(to: &mut String, text: &str) {
    to.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        to.push_str(before);
        let mut after = after.chars();
        match after.next() {
            Some('"') => to.push_str("\\\""),
            Some('\\') => to.push_str("\\\\"),
            Some('\n') => to.push_str("\\n"),
            Some('\r') => to.push_str("\\r"),
            Some('\t') => to.push_str("\\t"),
            // Writing to a String cannot fail.
            Some(other) => drop(write!(to, "\\u{:04x}", u32::from(other))),
            None => {}
        }
        rest = after.as_str();
    }
    to.push_str(rest);
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn any_text_comes_back_from_json() {
        for text in ["", "plain", "a\"b\\c", "\n\r\t\u{1}\u{1f}end", "caf\u{e9} \u{4e2d}", "\\\\\"\""] {
            let mut json = String::new();
            quote(&mut json, text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn header_sizes_win_and_the_first_of_equal_tags_stays() {
        let mut facts = Facts::new(&Limits::default());
        facts.add("exif", Group::Exif, "ImageWidth", 0, "1");
        facts.add("exif", Group::Exif, "Make", 0, "one");
        facts.add("exif", Group::Exif, "Make", 0, "two");
        facts.add("jpeg", Group::Header, "ImageWidth", 0, 320_i64);
        let text = render(&facts, Format::Jpeg, 99);
        let want = r#"{"FileSize":{"value":"99"},"Format":{"value":"jpg"},"ImageWidth":{"value":"320"},"Make":{"value":"one"}}"#;
        assert_eq!(text, want);
        assert_eq!(render(&Facts::new(&Limits::default()), Format::Jpeg, 99), "");
    }
}
