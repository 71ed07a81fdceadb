//! Frequent grams of an arena -> exactly the units that contain them: answers short patterns without reading text.
//!
//! A gram is one to [`LONGEST`] characters, where the edge of a unit counts as one. Grams of many units are those for
//! which block lists narrow nothing; the others are found through those lists. Every ASCII character is kept, however
//! rare, because no block list leads to a single byte. A longer gram is kept only if those it begins and ends with
//! are, and where nearly all units that have both have it too, only the exceptions are written.
//! Layout: `docs/format.md`, "Frequent grams".

mod choice;
mod reader;
mod writer;

pub(crate) use reader::Frequent;
pub(crate) use writer::build;

/// Segments of fewer documents are merged before long, and are scanned quickly enough.
pub(crate) const FEW_DOCS: u64 = 64 << 10;
/// So are arenas with fewer units.
pub(crate) const MIN_UNITS: usize = 4 << 10;
/// Longest gram in characters.
pub(crate) const LONGEST: usize = 6;
/// Units whose lists lie together.
const CHUNK: usize = 1 << 16;

/// What a list of a chunk's units holds: differences of the units with the gram; of those without it; of those that
/// have the grams it begins and ends with, but not itself; or a bit for each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    Units = 0,
    Others = 1,
    Exceptions = 2,
    Bits = 3,
}

/// The characters and edges of a text.
fn chars(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let len = match text.first()? {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        let (first, rest) = text.split_at_checked(len)?;
        text = rest;
        Some(first)
    })
}

/// A gram without its last character, and that character; without its first.
fn ends(gram: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let last = chars(gram).last().map_or(0, <[u8]>::len);
    let (left, last) = gram.split_at_checked(gram.len() - last).unwrap_or_default();
    let right = chars(gram).next().and_then(|first| gram.get(first.len()..)).unwrap_or(&[]);
    (left, last, right)
}
