//! PDF (ISO 32000-1): what the document says of itself, its pages, and the text on the first of them.
//!
//! The cross-reference table is looked up entry by entry, so that a large file costs as much as what is asked of it.

mod cmap;
mod crypt;
mod file;
mod filter;
mod font;
mod glyphs;
mod info;
mod lexer;
mod object;
mod pages;
mod repair;
mod state;
mod text;
mod xref;

use super::content::Content;
use super::say;
use crate::extract::{Facts, Input, Parsed};
use file::File;

/// Reads the document.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut file = File::open(input, facts)?;
    info::version(input, facts, &mut file)?;
    say(input, facts, 0, "Encrypted", if file.encrypted { "true" } else { "false" });
    let result = info::properties(input, facts, &mut file);
    facts.tolerate(result)?;
    let result = pages::count(input, &mut file);
    if let Some(count) = facts.tolerate(result)?.flatten() {
        say(input, facts, 0, "PageCount", count);
    }
    // Texts of an encrypted document are encrypted too.
    if !file.readable() || facts.content_room() == 0 {
        return Ok(());
    }
    let mut content = Content::new(facts);
    let result = text::collect(input, &mut file, &mut content);
    facts.tolerate(result)?;
    content.finish(input, facts);
    Ok(())
}

#[cfg(test)]
mod tests;
