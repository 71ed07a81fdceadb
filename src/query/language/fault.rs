//! What is wrong with a query text, and where.

use crate::error::Error;
use crate::index::text::is_cjk;

/// Characters shown before and after the one that an error points at.
const CONTEXT_CHARS: usize = 30;

/// A sentence about the byte offset `at` of the text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

/// The result of reading a piece of the language.
pub(super) type Parsed<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }

    /// The sentence with the number of the character (from 1), a line of the text, and a caret below the character.
    pub(super) fn into_error(self, text: &str) -> Error {
        let (before, after) = text.split_at_checked(self.at).unwrap_or((text, ""));
        let number = before.chars().count() + 1;
        let skipped = number.saturating_sub(CONTEXT_CHARS + 1);
        let head: String = before.chars().skip(skipped).map(plain).collect();
        let tail: String = after.chars().take(CONTEXT_CHARS).map(plain).collect();
        let indent = " ".repeat(head.chars().map(columns).sum());
        Error::invalid(format!("at character {number}: {}\n  {head}{tail}\n  {indent}^", self.message))
    }
}

/// One character of a line that is shown as it is.
fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Columns that a terminal gives the character: two for wide scripts and full-width forms.
fn columns(c: char) -> usize {
    if is_cjk(c) || ('\u{ff01}'..='\u{ff60}').contains(&c) { 2 } else { 1 }
}

/// A text in a sentence: quoted, not too long.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_character() {
        let error = Fault::new(4, "no").into_error("abc def");
        assert_eq!(error.message(), "at character 5: no\n  abc def\n      ^");
        let wide = Fault::new(7, "no").into_error("\u{6771}\u{4eac} x");
        assert_eq!(wide.message(), "at character 4: no\n  \u{6771}\u{4eac} x\n       ^");
        let long = format!("{}x{}", "a".repeat(100), "b".repeat(100));
        let shown = format!("  {}x{}\n  {}^", "a".repeat(30), "b".repeat(29), " ".repeat(30));
        assert_eq!(Fault::new(100, "no").into_error(&long).message(), format!("at character 101: no\n{shown}"));
        assert_eq!(Fault::new(0, "no").into_error("\n").message(), "at character 1: no\n   \n  ^");
    }
}
