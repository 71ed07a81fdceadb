//! The tree of a query text while it is read: flat from the start, with positions, so that limits can point at them.

use super::fault::{Fault, Parsed};
use super::{Search, lexer};
use crate::model::query::{MAX_CONDITIONS, MAX_DEPTH};
use crate::model::{Condition, FieldId, Filter, TextMatch};
use std::ops::Range;

/// A part of the query and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A word or phrase for all searched fields, as it stands in the text.
    Word(Range<usize>),
    Text(TextMatch),
    Is(Box<Condition>),
    All(Vec<Node>),
    Any(Vec<Node>),
    /// Not a single one of them.
    None(Vec<Node>),
    /// All of them on one element of the array.
    Same(FieldId, Vec<Node>),
}

impl Node {
    /// All of these; "all" within it disappears.
    pub(super) fn all(at: usize, of: Vec<Node>) -> Node {
        let inner = |kind| if let Kind::All(inner) = kind { Ok(inner) } else { Err(kind) };
        Node::joined(at, of, inner, Kind::All)
    }

    /// At least one of these; "any" within it disappears.
    pub(super) fn any(at: usize, of: Vec<Node>) -> Node {
        let inner = |kind| if let Kind::Any(inner) = kind { Ok(inner) } else { Err(kind) };
        Node::joined(at, of, inner, Kind::Any)
    }

    fn joined(
        at: usize,
        of: Vec<Node>,
        inner: fn(Kind) -> Result<Vec<Node>, Kind>,
        wrap: fn(Vec<Node>) -> Kind,
    ) -> Node {
        let mut flat = Vec::with_capacity(of.len());
        for node in of {
            match inner(node.kind) {
                Ok(mut nodes) => flat.append(&mut nodes),
                Err(kind) => flat.push(Node { at: node.at, kind }),
            }
        }
        match (flat.pop(), flat.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                flat.extend(last);
                Node { at, kind: wrap(flat) }
            }
        }
    }

    /// Not this.
    pub(super) fn negated(self, at: usize) -> Node {
        match self.kind {
            Kind::None(of) => Node::any(at, of),
            Kind::Any(of) => Node { at, kind: Kind::None(of) },
            _ => Node { at, kind: Kind::None(vec![self]) },
        }
    }

    /// All of `of` on one element of an array.
    pub(super) fn same(at: usize, array: FieldId, of: Vec<Node>) -> Node {
        let of = match Node::all(at, of) {
            Node { kind: Kind::All(of), .. } => of,
            only => vec![only],
        };
        Node { at, kind: Kind::Same(array, of) }
    }

    /// The finished query: words that everything depends on become its text, the rest its filter.
    pub(super) fn settle(self, text: &str) -> Parsed<Search> {
        let at = self.at;
        let of = match self.kind {
            Kind::All(of) => of,
            _ => vec![self],
        };
        let (words, rest): (Vec<Node>, Vec<Node>) = of.into_iter().partition(Node::is_word);
        let rest = if rest.is_empty() { None } else { Some(Node::all(at, rest)) };
        let mut settling = Settling { text, conditions: 0 };
        let filter = rest.map(|node| settling.filter(node, 1)).transpose()?;
        Ok(Search { text: settling.joined(&words), filter })
    }

    fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Word(_))
    }
}

struct Settling<'a> {
    text: &'a str,
    conditions: usize,
}

impl Settling<'_> {
    fn filter(&mut self, node: Node, level: usize) -> Parsed<Filter> {
        if level > MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} levels of and, or, not and groups, got more");
            return Err(Fault::new(node.at, message));
        }
        let leaf = matches!(node.kind, Kind::Word(_) | Kind::Text(_) | Kind::Is(_));
        self.conditions += usize::from(leaf);
        if self.conditions > MAX_CONDITIONS {
            return Err(Fault::new(node.at, format!("expected at most {MAX_CONDITIONS} conditions, got more")));
        }
        Ok(match node.kind {
            Kind::Word(range) => Filter::Text(everywhere(self.slice(&range).to_owned())),
            Kind::Text(text) => Filter::Text(text),
            Kind::Is(condition) => Filter::Is(*condition),
            Kind::All(of) => return self.all(node.at, of, level),
            Kind::Any(of) => Filter::Or(self.filters(of, level)?),
            Kind::None(of) => Filter::Not(self.filters(of, level)?),
            Kind::Same(array, of) => Filter::Nested(array, self.filters(of, level)?),
        })
    }

    fn filters(&mut self, of: Vec<Node>, level: usize) -> Parsed<Vec<Filter>> {
        of.into_iter().map(|node| self.filter(node, level + 1)).collect()
    }

    /// The words of one "all" are one text.
    fn all(&mut self, at: usize, of: Vec<Node>, level: usize) -> Parsed<Filter> {
        let (words, mut rest): (Vec<Node>, Vec<Node>) = of.into_iter().partition(Node::is_word);
        if !words.is_empty() {
            rest.push(Node { at, kind: Kind::Text(everywhere(self.joined(&words))) });
        }
        match rest.pop() {
            Some(only) if rest.is_empty() => self.filter(only, level),
            last => {
                rest.extend(last);
                Ok(Filter::And(self.filters(rest, level)?))
            }
        }
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or("")
    }

    /// The texts of words, one after the other. One that would read as a comparison with the name before it, from which
    /// something else kept it apart, goes to the front: the order of words means nothing.
    fn joined(&self, words: &[Node]) -> String {
        let (mut front, mut rest): (Vec<&str>, Vec<&str>) = Default::default();
        for node in words {
            let Kind::Word(range) = &node.kind else { continue };
            let word = self.slice(range);
            if rest.last().is_some_and(|before| lexer::compares(before, word)) {
                front.push(word)
            } else {
                rest.push(word)
            }
        }
        front.append(&mut rest);
        front.join(" ")
    }
}

/// A text for all searched fields.
fn everywhere(text: String) -> TextMatch {
    TextMatch { text, ..TextMatch::default() }
}
