//! The query language for people: `mediatype:image size>10MB label:beach "north sea"` to a text and a filter tree.
//!
//! Grammar, names and units: `docs/queries.md`, "The query language". Owns nothing but the translation: whatever can be
//! said here can be said as a tree. `lexer` cuts the text, `parser` finds its structure, `term` turns one `field:value`
//! into a condition with the help of `names`, `number`, `period` and `place`, and `node` makes the tree small and checks
//! its limits.

mod fault;
mod lexer;
mod names;
mod node;
mod number;
mod parser;
mod period;
mod place;
mod term;

use crate::error::{Error, Result};
use crate::model::Filter;
use crate::model::query::MAX_QUERY_BYTES;

/// What a text of the query language asks for: the two members of [`crate::model::Query`] of the same names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// The words and phrases that stand alone; empty if there are none.
    pub text: String,
    /// Everything else.
    pub filter: Option<Filter>,
}

/// Reads the query language. Errors say at which character, with a line that points at it.
pub fn parse(text: &str) -> Result<Search> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(Error::invalid(format!("Query: expected at most {MAX_QUERY_BYTES} bytes, got {}", text.len())));
    }
    let search = parser::parse(text).and_then(|found| found.map_or(Ok(Search::default()), |node| node.settle(text)));
    search.map_err(|fault| fault.into_error(text))
}

#[cfg(test)]
mod tests;
