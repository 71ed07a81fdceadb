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
use crate::model::field::MEDIA_TYPE;
use crate::model::query::{MAX_QUERY_BYTES, Number};
use crate::model::{FieldPath, Filter, TextMatch};
use names::Name;

/// What a text of the query language asks for: the two members of [`crate::model::Query`] of the same names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// The words and phrases that stand alone; empty if there are none.
    pub text: String,
    /// Everything else.
    pub filter: Option<Filter>,
}

impl Search {
    /// All of it as a filter: the text must occur as written.
    pub fn into_filter(self) -> Option<Filter> {
        let text = TextMatch { text: self.text, ..TextMatch::default() };
        let text = if text.text.is_empty() { None } else { Some(Filter::Text(text)) };
        both(text, self.filter)
    }
}

/// Both of two filters, without a level more than needed.
pub fn both(a: Option<Filter>, b: Option<Filter>) -> Option<Filter> {
    let (Some(a), Some(b)) = (&a, &b) else { return a.or(b) };
    let parts = |filter: &Filter| if let Filter::And(of) = filter { of.clone() } else { vec![filter.clone()] };
    Some(Filter::And([parts(a), parts(b)].concat()))
}

/// The one field that a name of the language stands for.
pub fn field(name: &str) -> Result<FieldPath> {
    let (head, key) = name.split_once('.').map_or((name, None), |(head, key)| (head, Some(key)));
    match names::resolve(head, key) {
        Some(Name::Fields(paths)) => match paths.as_slice() {
            [path] => Ok(path.clone()),
            several => {
                let several: Vec<String> = several.iter().map(FieldPath::to_string).collect();
                Err(Error::invalid(format!("{name} is several fields: expected one of {}", several.join(", "))))
            }
        },
        Some(Name::Type) => Ok(MEDIA_TYPE.into()),
        _ => Err(Error::invalid(format!("unknown field {name:?}"))),
    }
}

/// A number with a unit of the field, such as `10MB` for `Size`.
pub fn number(field: &FieldPath, text: &str) -> Result<f64> {
    match number::parse(field.id, text) {
        Ok(Number::Int(int)) => Ok(int as f64),
        Ok(Number::Float(float)) => Ok(float),
        Err(expected) => Err(Error::invalid(format!("{field}: expected {expected}, got {text:?}"))),
    }
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
