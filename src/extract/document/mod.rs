//! Documents: what they say of themselves, how many pages they have, and the text that they can be found by.
//!
//! Each parser adds facts of the vocabulary `Document` and fills `content::Content` as far as there is room. Nothing is laid out:
//! text comes in the order in which the file holds it.

mod charset;
mod content;
mod date;
mod language;
mod xml;

mod epub;
mod html;
mod odf;
mod office;
mod ooxml;
mod pdf;
mod plain;
mod rtf;
mod table;

pub use epub::parse as epub;
pub use html::parse as html;
pub use odf::{flat as flat_odf, parse as odf};
pub use office::parse as office;
pub use ooxml::{docx, pptx, xlsx};
pub use pdf::parse as pdf;
pub use plain::{json, markdown, text};
pub use rtf::parse as rtf;
pub use table::{csv, tsv};

use crate::extract::{Datum, Facts, Group, Input};

/// Adds a property of the document.
fn say(input: &Input<'_>, facts: &mut Facts, at: u64, tag: &'static str, value: impl Into<Datum>) {
    facts.add(input.format(), Group::Document, tag, at, value);
}

/// Adds each keyword of a list: programs part them by commas or semicolons.
fn say_keywords(input: &Input<'_>, facts: &mut Facts, at: u64, text: &str) {
    text.split([',', ';']).for_each(|word| say(input, facts, at, "Keywords", word.trim()));
}

/// Adds a count; zero is what programs write that did not count.
fn say_count(input: &Input<'_>, facts: &mut Facts, at: u64, tag: &'static str, text: &str) {
    if let Ok(count @ 1..) = text.trim().parse::<i64>() {
        say(input, facts, at, tag, count);
    }
}

/// Adds a time as XML documents write it.
fn say_time(input: &Input<'_>, facts: &mut Facts, at: u64, tag: &'static str, text: &str) {
    match date::w3c(text) {
        Some((moment, true)) => facts.add(input.format(), Group::Time, tag, at, moment),
        Some((day, false)) => facts.add(input.format(), Group::Time, "Day", at, day),
        None => {}
    }
}
