//! Cuts a query text into tokens. Knows which names are fields only where that decides what a character means.

use super::fault::{Fault, Parsed};
use super::names;
use crate::model::FieldId;
use crate::query::text::phrase_end;
use std::borrow::Cow;
use std::ops::Range;

/// What stands between a name and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:` as a person means it.
    Colon,
    /// `=` as it is written.
    Equal,
    /// `!=`
    Unequal,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
}

/// What stands after a part.
fn ends_part(c: char) -> bool {
    c.is_whitespace() || c == ')'
}

/// Longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::Unequal),
    (">=", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    (":", Operator::Colon),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// Whether two words in a row read as one condition.
pub(super) fn compares(before: &str, word: &str) -> bool {
    let begins = OPERATORS.iter().any(|(sign, _)| word.starts_with(sign));
    begins && !matches!(Lexer::new(&format!("{before} {word}")).named(), Ok(None))
}

/// One `name operator value`.
#[derive(Debug)]
pub(super) struct Term<'a> {
    /// Where the name begins.
    pub(super) at: usize,
    /// The name up to its first point.
    pub(super) head: &'a str,
    /// What follows that point.
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) operator: Operator,
    /// Where the value begins.
    pub(super) value_at: usize,
    /// The value without its quotes.
    pub(super) value: Cow<'a, str>,
    /// It was quoted, so that its characters mean themselves.
    pub(super) quoted: bool,
    /// A star follows the quoted value.
    pub(super) star: bool,
}

/// A piece of the text.
#[derive(Debug)]
pub(super) enum Token<'a> {
    End,
    Open,
    Close,
    And,
    Or,
    /// The word, or a minus before something.
    Not,
    /// `label(`: conditions on one element of this array follow.
    Group(FieldId),
    Term(Term<'a>),
    /// A word or a phrase with its quotes, as fuzzy text spells them.
    Text(Range<usize>),
}

/// A name with where it ends, and the value of [`Term::key`].
struct Name<'a> {
    head: &'a str,
    key: Option<Cow<'a, str>>,
    end: usize,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Parsed<(usize, Token<'a>)> {
        self.skip_space();
        let at = self.at;
        let rest = self.rest(at);
        let mut chars = rest.chars();
        let token = match (chars.next(), chars.next()) {
            (None, _) => Token::End,
            (Some('('), _) => self.step(Token::Open),
            (Some(')'), _) => self.step(Token::Close),
            (Some('"'), _) => Token::Text(self.phrase()?),
            (Some('-'), Some(c)) if !c.is_whitespace() && c != '-' && c != ')' => self.step(Token::Not),
            _ => self.word()?,
        };
        Ok((at, token))
    }

    fn rest(&self, from: usize) -> &'a str {
        self.text.get(from..).unwrap_or("")
    }

    fn step(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        token
    }

    fn skip_space(&mut self) {
        let rest = self.rest(self.at);
        self.at += rest.len() - rest.trim_start().len();
    }

    /// As in fuzzy text; a bracket ends a part too.
    fn phrase(&mut self) -> Parsed<Range<usize>> {
        let start = self.at;
        let Some((_, end)) = phrase_end(self.rest(start), ends_part) else {
            return Err(Fault::new(start, "expected a text and a second quote before a space, a bracket or the end"));
        };
        self.at = start + end;
        Ok(start..self.at)
    }

    /// Whether a part can end here.
    fn ends_at(&self, at: usize) -> bool {
        self.rest(at).chars().next().is_none_or(ends_part)
    }

    /// A word of the text, a keyword, a term or a group.
    fn word(&mut self) -> Parsed<Token<'a>> {
        if let Some(token) = self.named()? {
            return Ok(token);
        }
        let range = self.at..self.word_end(self.at);
        self.at = range.end;
        Ok(match self.text.get(range.clone()) {
            Some("and" | "AND") => Token::And,
            Some("or" | "OR") => Token::Or,
            Some("not" | "NOT") => Token::Not,
            _ => Token::Text(range),
        })
    }

    /// Where the word that begins at `from` ends: at white space, or at a bracket that it did not open itself.
    fn word_end(&self, from: usize) -> usize {
        let mut open = 0usize;
        let ends = |c: char| match c {
            ')' if open == 0 => true,
            '(' | ')' => {
                open = if c == '(' { open + 1 } else { open - 1 };
                false
            }
            _ => c.is_whitespace(),
        };
        self.rest(from).find(ends).map_or(self.text.len(), |found| from + found)
    }

    /// A term or the opening of a group, if the text goes on with one.
    fn named(&mut self) -> Parsed<Option<Token<'a>>> {
        let Some(name) = self.name()? else { return Ok(None) };
        let after = self.rest(name.end);
        if let (None, true, Some(array)) = (&name.key, after.starts_with('('), names::array(name.head)) {
            self.at = name.end + 1;
            return Ok(Some(Token::Group(array)));
        }
        let spaces = after.len() - after.trim_start().len();
        let Some((sign, operator)) = OPERATORS.into_iter().find(|(sign, _)| after.trim_start().starts_with(sign))
        else {
            return Ok(None);
        };
        // `size > 5` compares, but "a > b" and "size : small" are texts.
        let apart = spaces > 0;
        if apart && (operator == Operator::Colon || names::resolve(name.head, name.key.as_deref()).is_none()) {
            return Ok(None);
        }
        let value_at = name.end + spaces + sign.len();
        if operator == Operator::Colon && self.rest(value_at).starts_with("//") {
            return Ok(None);
        }
        self.term(name, operator, value_at, apart).map(Some)
    }

    fn name(&self) -> Parsed<Option<Name<'a>>> {
        let rest = self.rest(self.at);
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (head, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if !head.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let end = self.at + length;
        let Some(key) = after.strip_prefix('.') else { return Ok(Some(Name { head, key: None, end })) };
        if key.starts_with('"') && names::is_map(head) {
            let (key, end) = self.string(end + 1)?;
            return Ok(Some(Name { head, key: Some(key), end }));
        }
        let ends =
            |at: usize, c: char| c.is_whitespace() || ":=<>()\"".contains(c) || key.get(at..at + 2) == Some("!=");
        let length = key.char_indices().find(|(at, c)| ends(*at, *c)).map_or(key.len(), |(at, _)| at);
        let key = key.get(..length).filter(|key| !key.is_empty());
        Ok(key.map(|key| Name { head, key: Some(Cow::Borrowed(key)), end: end + 1 + length }))
    }

    fn term(&mut self, name: Name<'a>, operator: Operator, value_at: usize, apart: bool) -> Parsed<Token<'a>> {
        let at = self.at;
        self.at = value_at;
        if apart {
            self.skip_space();
        }
        let value_at = self.at;
        let (value, quoted, star) = self.value()?;
        let Name { head, key, .. } = name;
        Ok(Token::Term(Term { at, head, key, operator, value_at, value, quoted, star }))
    }

    /// A value with whether it was quoted, and whether a star follows the quotes.
    fn value(&mut self) -> Parsed<(Cow<'a, str>, bool, bool)> {
        let start = self.at;
        if self.rest(start).starts_with('"') {
            let (value, end) = self.string(start)?;
            let star = self.rest(end).starts_with('*');
            self.at = end + usize::from(star);
            if !self.ends_at(self.at) {
                return Err(Fault::new(self.at, "expected a space after the quoted value"));
            }
            return Ok((value, true, star));
        }
        if self.rest(start).starts_with('(') {
            let expected = "expected a value, got a bracket; alternatives are written (label:a or label:b)";
            return Err(Fault::new(start, expected));
        }
        self.at = self.word_end(start);
        match self.text.get(start..self.at) {
            None | Some("") => Err(Fault::new(start, "expected a value, got none; an empty one is written \"\"")),
            Some(value) => Ok((Cow::Borrowed(value), false, false)),
        }
    }

    /// The text between quotes, two quotes standing for one, and where it ends.
    fn string(&self, start: usize) -> Parsed<(Cow<'a, str>, usize)> {
        let mut from = start + 1;
        while let Some(quote) = self.rest(from).find('"').map(|found| from + found) {
            if self.rest(quote + 1).starts_with('"') {
                from = quote + 2;
                continue;
            }
            let inner = self.text.get(start + 1..quote).unwrap_or("");
            let value =
                if inner.contains('"') { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
            return Ok((value, quote + 1));
        }
        Err(Fault::new(start, "expected a second quote to end the text, got none"))
    }
}
