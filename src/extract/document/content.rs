//! Collects the text of a document: white space joined, cut at the cap.

use super::language;
use crate::extract::{Facts, Group, Input};

/// Text so far.
pub(super) struct Content {
    text: String,
    room: usize,
    /// White space that comes before the next character.
    gap: Option<char>,
}

impl Content {
    pub(super) fn new(facts: &Facts) -> Content {
        Content { text: String::new(), room: facts.content_room(), gap: None }
    }

    /// Whether more text would be thrown away.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= self.room
    }

    /// Adds text; runs of white space become one space, or one line end if there is one among them.
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            if c == '\n' || c == '\r' || c == '\u{2029}' {
                self.gap = Some('\n');
            } else if c.is_whitespace() || c.is_control() {
                self.gap = self.gap.or(Some(' '));
            } else if !matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}') {
                let gap = self.gap.take().filter(|_| !self.text.is_empty());
                self.text.extend(gap);
                self.text.push(c);
            }
        }
    }

    /// A word ends here.
    pub(super) fn space(&mut self) {
        self.gap = self.gap.or(Some(' '));
    }

    /// A paragraph ends here.
    pub(super) fn line(&mut self) {
        self.gap = Some('\n');
    }

    /// Hands the text over, with a guess of its language.
    pub(super) fn finish(self, input: &Input<'_>, facts: &mut Facts) {
        if let Some(code) = language::guess(&self.text) {
            facts.add(input.format(), Group::Document, "LanguageGuess", 0, code);
        }
        facts.set_content(self.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn white_space_is_joined_and_the_cap_holds() {
        let facts = Facts::new(&Limits { content: 12, ..Limits::default() });
        let mut content = Content::new(&facts);
        content.push("  a \t b\r\n\r\n c");
        content.space();
        content.push("so\u{ad}ft");
        content.line();
        content.push("more and more");
        assert_eq!(content.text, "a b\nc soft\nm");
        assert!(content.is_full());
    }
}
