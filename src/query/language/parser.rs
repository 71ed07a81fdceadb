//! The structure of a query text: or binds least, then and (written or not), then not.

use super::fault::{Fault, Parsed};
use super::lexer::{Lexer, Token};
use super::node::{Kind, Node};
use super::term;
use crate::model::FieldId;
use crate::query::text::parse as fuzzy;
use std::ops::Range;

/// Most brackets that may be open at once: brackets that group nothing are allowed, the stack is not for them.
const MAX_OPEN: usize = 32;

/// The tree of a text; `None` if there is nothing in it.
pub(super) fn parse(text: &str) -> Parsed<Option<Node>> {
    let mut parser = Parser { text, lexer: Lexer::new(text), at: 0, token: Token::End, open: 0, array: None };
    parser.advance()?;
    if matches!(parser.token, Token::End) {
        return Ok(None);
    }
    let node = parser.any()?;
    match parser.token {
        Token::End => Ok(Some(node)),
        _ => Err(Fault::new(parser.at, "expected no closing bracket, as none is open")),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// Where `token` begins.
    at: usize,
    token: Token<'a>,
    open: usize,
    /// The array of the group that is being read.
    array: Option<FieldId>,
}

impl<'a> Parser<'a> {
    /// Goes to the next token and returns the one before it.
    fn advance(&mut self) -> Parsed<Token<'a>> {
        let (at, token) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn any(&mut self) -> Parsed<Node> {
        let at = self.at;
        let mut of = vec![self.all()?];
        while matches!(self.token, Token::Or) {
            self.advance()?;
            of.push(self.all()?);
        }
        Ok(Node::any(at, of))
    }

    fn all(&mut self) -> Parsed<Node> {
        let at = self.at;
        let mut of = vec![self.one()?];
        loop {
            match self.token {
                Token::End | Token::Close | Token::Or => return Ok(Node::all(at, of)),
                Token::And => drop(self.advance()?),
                _ => {}
            }
            of.push(self.one()?);
        }
    }

    fn one(&mut self) -> Parsed<Node> {
        let at = self.at;
        let mut negated = false;
        while matches!(self.token, Token::Not) {
            negated = !negated;
            self.advance()?;
        }
        let node = self.bare()?;
        Ok(if negated { node.negated(at) } else { node })
    }

    fn bare(&mut self) -> Parsed<Node> {
        let at = self.at;
        let missing = |got: &str| {
            let hint = if got == "the end" || got == "a bracket" { "" } else { "; in quotes it is a text" };
            Err(Fault::new(at, format!("expected a text or a condition, got {got}{hint}")))
        };
        match self.token {
            Token::End => return missing("the end"),
            Token::Close => return missing("a bracket"),
            Token::And => return missing("\"and\""),
            Token::Or => return missing("\"or\""),
            _ => {}
        }
        match self.advance()? {
            Token::Open => self.inside(at, self.array),
            Token::Group(array) => match self.array {
                Some(outer) => Err(Fault::new(at, format!("expected no group inside the group of {outer}"))),
                None => Ok(Node::same(at, array, vec![self.inside(at, Some(array))?])),
            },
            Token::Term(term) => term::node(&term, self.array),
            Token::Text(range) => self.text(at, range),
            // One token is left that is no operand, and `one` has taken it.
            _ => missing("\"not\""),
        }
    }

    /// What stands in the brackets that have just been opened at `at`.
    fn inside(&mut self, at: usize, array: Option<FieldId>) -> Parsed<Node> {
        if self.open == MAX_OPEN {
            return Err(Fault::new(at, format!("expected at most {MAX_OPEN} brackets inside each other, got more")));
        }
        let outer = std::mem::replace(&mut self.array, array);
        self.open += 1;
        let node = self.any()?;
        self.open -= 1;
        self.array = outer;
        match self.token {
            Token::Close => self.advance().map(|_| node),
            _ => Err(Fault::new(at, "expected a closing bracket for this one, got the end")),
        }
    }

    fn text(&self, at: usize, range: Range<usize>) -> Parsed<Node> {
        if let Some(array) = self.array {
            let message = format!("expected conditions like name:value in the group of {array}, got a text");
            return Err(Fault::new(at, message));
        }
        match fuzzy(self.text.get(range.clone()).unwrap_or("")) {
            Ok(_) => Ok(Node { at, kind: Kind::Word(range) }),
            Err(_) => Err(Fault::new(at, "expected a text with characters to search for")),
        }
    }
}
