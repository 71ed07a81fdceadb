//! XMP packets (ISO 16684-1): RDF in XML, of which every leaf becomes a fact named by its path.
//!
//! The path is made of names with their usual prefixes, whatever prefixes the packet binds: `dc:title`,
//! `xmpMM:History/stEvt:when`. Each item of an array is a fact of its own. Of texts in several languages the default one
//! has the plain name and the others theirs: `dc:title[fr-FR]`.

mod meaning;
mod names;
mod walk;

use super::utf16;
use crate::extract::{Facts, Input, Parsed};
use std::borrow::Cow;
use walk::Walk;

const FORMAT: &str = "xmp";
/// The format of facts that stand in a file of their own beside the one that they describe.
pub(in crate::extract) const SIDECAR: &str = "sidecar";
/// The `uuid` box that holds XMP in ISO media files and JPEG 2000 (ISO 16684-3, 6.8).
pub(in crate::extract) const UUID: [u8; 16] =
    [0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC];
/// Bytes of a packet that are read: longer ones are lists of what a picture was made from.
const MOST: u64 = 1 << 20;

/// Reads the packet up to the end of the innermost part.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    super::block(input, facts, FORMAT, |input, facts| {
        let at = input.position();
        let bytes = input.take_up_to(MOST)?;
        packet(input, facts, at, &bytes)
    })
}

/// Reads a packet that lies in memory and was found at `at`.
pub(in crate::extract) fn packet(input: &mut Input<'_>, facts: &mut Facts, at: u64, bytes: &[u8]) -> Parsed<()> {
    Walk::new(input, facts, at).run(&text(bytes))
}

/// UTF-8, or UTF-16 in either order (ISO 16684-1, 7.1): told by the byte order mark, or by where the first `<` has its zero.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, false)),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, true)),
        [0, b'<', ..] => Cow::Owned(utf16(bytes, false)),
        [b'<', 0, ..] => Cow::Owned(utf16(bytes, true)),
        _ => String::from_utf8_lossy(bytes),
    }
}
