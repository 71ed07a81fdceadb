//! Blocks of metadata that files of many formats carry: EXIF, XMP, IPTC, Photoshop's resources, colour profiles.
//!
//! A block knows its own rules, not the file around it: each parser reads from the cursor to the end of the innermost part.

pub mod exif;
pub mod icc;
pub mod iptc;
pub mod photoshop;
pub mod xmp;

pub(super) mod clock;
mod text;

pub(super) use text::{decode, utf16};

use crate::extract::{Facts, Input, Parsed};

/// Runs a block's parser under the block's own name. A malformed block is a warning: what follows it is still read.
fn block(
    input: &mut Input<'_>,
    facts: &mut Facts,
    name: &'static str,
    parse: impl FnOnce(&mut Input<'_>, &mut Facts) -> Parsed<()>,
) -> Parsed<()> {
    let outer = input.format();
    // Facts of a sidecar keep that name whatever block they stand in: it tells them from those of the file.
    if outer != xmp::SIDECAR {
        input.set_format(name);
    }
    let result = parse(input, facts);
    let result = facts.tolerate(result).map(drop);
    input.set_format(outer);
    result
}
