//! The API's `EXIF` member: JSON text in which every tag is an object with one member, `value`, a string.

use super::facts::{Datum, Facts, Group};
use super::sniff::Format;
use std::collections::BTreeMap;

/// Renders the TIFF, EXIF and GPS tags and the four members that describe the file. `""` where nothing is known.
pub(super) fn render(facts: &Facts, format: Format, size: u64) -> String {
    let mut tags: BTreeMap<&str, String> = BTreeMap::new();
    for fact in facts.facts.iter().filter(|f| matches!(f.group, Group::Exif | Group::Gps)) {
        tags.entry(fact.tag.as_ref()).or_insert_with(|| plain(&fact.value));
    }
    // The header's size wins over what an editor left in the tags.
    for name in ["ImageWidth", "ImageHeight"] {
        if let Some(value) = facts.find(Group::Header, name) {
            tags.insert(name, plain(value));
        }
    }
    if tags.is_empty() {
        return String::new();
    }
    tags.insert("FileSize", size.to_string());
    tags.insert("Format", format.name().to_owned());
    let mut text = String::from("{");
    for (name, value) in &tags {
        if text.len() > 1 {
            text.push(',');
        }
        quote(&mut text, name);
        text.push_str(":{\"value\":");
        quote(&mut text, value);
        text.push('}');
    }
    text.push('}');
    text
}

fn plain(value: &Datum) -> String {
    match value {
        Datum::Text(text) => text.to_string(),
        Datum::Int(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Time(moment) => moment.clock.to_string(),
        Datum::Place(place) => place.to_string(),
    }
}

/// A JSON string (RFC 8259, section 7).
fn quote(to: &mut String, text: &str) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            c if c < ' ' => to.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => to.push(c),
        }
    }
    to.push('"');
}
