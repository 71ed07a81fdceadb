//! One `name:value` to its part of the tree: what the operators mean to each type of field.

use super::fault::{Fault, Parsed, quoted};
use super::lexer::{Operator, Term};
use super::names::{self, Name};
use super::node::{Kind as NodeKind, Node};
use super::period::{self, Period};
use super::{number, place};
use crate::index::text::{fold, words};
use crate::model::query::{Comparison, Number, Test};
use crate::model::{Anchor, Area, Condition, FieldId, FieldPath, Kind, TextMatch, field};
use crate::query::text::parse as fuzzy;
use std::cmp::Ordering;

/// The part of the tree that a term stands for. `array`: the array of the group in which it stands.
pub(super) fn node(term: &Term<'_>, array: Option<FieldId>) -> Parsed<Node> {
    let reading = Reading { term, array };
    let node = match reading.name(term.at, term.head, term.key.as_deref())? {
        Name::Fields(paths) => reading.any_of(&paths, |path| reading.on_field(path)),
        Name::Type => {
            let field = if term.value.contains('/') { field::CONTENT_TYPE } else { field::MEDIA_TYPE };
            reading.on_field(&field.into())
        }
        Name::Extension => reading.extension(),
        Name::Near => reading.area(place::near),
        Name::Within => reading.area(place::within),
        Name::Has => reading.has(),
    }?;
    Ok(if term.operator == Operator::Unequal { node.negated(term.at) } else { node })
}

/// A value between stars.
struct Pattern<'a> {
    before: bool,
    text: &'a str,
    after: bool,
}

/// The two ends of `from..to`, either of which may be open.
type Ends<'a> = (Option<&'a str>, Option<&'a str>);

struct Reading<'a> {
    term: &'a Term<'a>,
    array: Option<FieldId>,
}

impl Reading<'_> {
    /// What a name at `at` stands for: inside a group, first of all a member of its array.
    fn name(&self, at: usize, head: &str, key: Option<&str>) -> Parsed<Name> {
        let written = || key.map_or(head.to_owned(), |key| format!("{head}.{key}"));
        let unknown = || {
            let hint = "a text that looks like a condition stands in quotes";
            Fault::new(at, format!("unknown field {}; {hint}", quoted(&written())))
        };
        let named = || names::resolve(head, key).ok_or_else(unknown);
        let Some(array) = self.array else { return named() };
        if let (Some(member), None) = (names::inside(array, head), key) {
            return Ok(Name::Fields(vec![member.into()]));
        }
        let member = |path: &FieldPath| path.id.field().parent == Some(array);
        match named()? {
            Name::Fields(paths) if paths.iter().all(member) => Ok(Name::Fields(paths)),
            Name::Has => Ok(Name::Has),
            _ => Err(Fault::new(at, format!("{} is not a member of {array}, the array of its group", written()))),
        }
    }

    fn at_name(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.term.at, message)
    }

    fn at_value(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.term.value_at, message)
    }

    fn is(&self, path: &FieldPath, test: Test) -> Parsed<Node> {
        let condition = Condition::new(path.clone(), test).map_err(|e| self.at_name(e.message()))?;
        Ok(Node { at: self.term.at, kind: NodeKind::Is(Box::new(condition)) })
    }

    fn any_of(&self, paths: &[FieldPath], one: impl Fn(&FieldPath) -> Parsed<Node>) -> Parsed<Node> {
        Ok(Node::any(self.term.at, paths.iter().map(one).collect::<Parsed<Vec<_>>>()?))
    }

    fn on_field(&self, path: &FieldPath) -> Parsed<Node> {
        let kind = path.id.field().kind;
        if self.comparison() == Comparison::Eq && !self.term.quoted && self.term.value == "*" {
            return self.exists(path);
        }
        match kind {
            Kind::Int | Kind::Float => self.number(path),
            Kind::Time => self.time(path),
            Kind::Keyword | Kind::Set | Kind::Text => self.text(path),
            Kind::Map(_) if path.key.is_some() => self.text(path),
            Kind::Map(_) if self.term.operator == Operator::Colon && self.searches(path) => self.text(path),
            Kind::Map(_) => Err(self.at_name(format!("{path} has entries: expected the key of one, as in {path}.key"))),
            Kind::Geo => {
                let expected = "expected near:latitude,longitude,radius or within:latitude,longitude,...";
                Err(self.at_name(format!("{path} is a place: {expected}")))
            }
            Kind::Stored | Kind::Json => Err(self.only_stored(path)),
            Kind::Rows | Kind::Object => {
                Err(self.at_name(format!("{path} has members: expected the name of one, as in {path}.Member")))
            }
        }
    }

    fn only_stored(&self, path: &FieldPath) -> Fault {
        self.at_name(format!("{path} is only stored: expected a field that can be searched"))
    }

    fn exists(&self, path: &FieldPath) -> Parsed<Node> {
        match path.id.field().kind {
            Kind::Stored | Kind::Json => Err(self.only_stored(path)),
            _ => self.is(path, Test::Exists),
        }
    }

    /// The operator as a comparison of values.
    fn comparison(&self) -> Comparison {
        match self.term.operator {
            Operator::Colon | Operator::Equal | Operator::Unequal => Comparison::Eq,
            Operator::Greater => Comparison::Gt,
            Operator::GreaterEqual => Comparison::Gte,
            Operator::Less => Comparison::Lt,
            Operator::LessEqual => Comparison::Lte,
        }
    }

    /// The ends of a range, if the value is one.
    fn range(&self) -> Parsed<Option<Ends<'_>>> {
        let Some((from, to)) = self.term.value.split_once("..") else { return Ok(None) };
        match (self.comparison(), non_empty(from), non_empty(to)) {
            (Comparison::Eq, None, None) => Err(self.at_value("expected a range with at least one end, got none")),
            (Comparison::Eq, from, to) => Ok(Some((from, to))),
            _ => Err(self.at_value("expected one value after this operator, got a range")),
        }
    }

    /// Conditions that one value of the field must fulfil together.
    fn together(&self, path: &FieldPath, tests: [Option<Test>; 2]) -> Parsed<Node> {
        let nodes = tests.into_iter().flatten().map(|test| self.is(path, test)).collect::<Parsed<Vec<_>>>()?;
        let array = path.id.field().parent.filter(|parent| parent.field().kind == Kind::Rows);
        Ok(match array {
            Some(array) if self.array.is_none() && nodes.len() > 1 => Node::same(self.term.at, array, nodes),
            _ => Node::all(self.term.at, nodes),
        })
    }

    fn backwards(&self) -> Fault {
        self.at_value("expected a range whose first end is not after its second")
    }

    fn number(&self, path: &FieldPath) -> Parsed<Node> {
        let read = |text: &str| {
            let number = number::parse(path.id, text);
            number.map_err(|expected| self.at_value(format!("{path}: expected {expected}, got {}", quoted(text))))
        };
        let Some((from, to)) = self.range()? else {
            return self.is(path, Test::Number(self.comparison(), read(&self.term.value)?));
        };
        let (from, to) = (from.map(read).transpose()?, to.map(read).transpose()?);
        if from.zip(to).is_some_and(|(from, to)| order(from, to) == Some(Ordering::Greater)) {
            return Err(self.backwards());
        }
        let test = |comparison| move |number| Test::Number(comparison, number);
        self.together(path, [from.map(test(Comparison::Gte)), to.map(test(Comparison::Lte))])
    }

    fn time(&self, path: &FieldPath) -> Parsed<Node> {
        let read = |text: &str| {
            let wrong = || self.at_value(format!("{path}: expected {}, got {}", period::EXPECTED, quoted(text)));
            period::parse(text).ok_or_else(wrong)
        };
        let first = |period: Period| Test::Time(Comparison::Gte, period.start);
        let last = |period: Period| match period.end {
            Some(end) => Test::Time(Comparison::Lt, end),
            None => Test::Time(Comparison::Lte, period.start),
        };
        if let Some((from, to)) = self.range()? {
            let (from, to) = (from.map(read).transpose()?, to.map(read).transpose()?);
            let after = |(from, to): (Period, Period)| to.end.map_or(from.start > to.start, |end| from.start >= end);
            if from.zip(to).is_some_and(after) {
                return Err(self.backwards());
            }
            return self.together(path, [from.map(first), to.map(last)]);
        }
        let period = read(&self.term.value)?;
        let after = period.end.map_or(Test::Time(Comparison::Gt, period.start), |end| Test::Time(Comparison::Gte, end));
        match (self.comparison(), period.end) {
            (Comparison::Eq, Some(_)) => self.together(path, [Some(first(period)), Some(last(period))]),
            (Comparison::Eq, None) => self.is(path, Test::Time(Comparison::Eq, period.start)),
            (Comparison::Gt, _) => self.is(path, after),
            (Comparison::Gte, _) => self.is(path, first(period)),
            (Comparison::Lt, _) => self.is(path, Test::Time(Comparison::Lt, period.start)),
            (Comparison::Lte, _) => self.is(path, last(period)),
        }
    }

    /// Whether the field can be searched like fuzzy text here: not on one element of an array.
    fn searches(&self, path: &FieldPath) -> bool {
        self.array.is_none() && path.key.is_none() && path.id.field().searched
    }

    fn text(&self, path: &FieldPath) -> Parsed<Node> {
        if self.comparison() != Comparison::Eq {
            return self.is(path, Test::Text(self.comparison(), self.term.value.clone().into_owned()));
        }
        let pattern = self.pattern()?;
        let colon = self.term.operator == Operator::Colon;
        let kind = path.id.field().kind;
        let forgiving = matches!(kind, Kind::Text | Kind::Map(_)) || path.id == field::URI;
        let phrase = kind == Kind::Text && (self.term.quoted || !self.searches(path));
        let text = pattern.text.to_owned();
        match pattern {
            Pattern { before: false, after: false, .. } if colon && phrase => self.phrase(path, text),
            _ if colon && self.searches(path) && (forgiving || pattern.before) => self.contains(path, &pattern),
            Pattern { before: true, .. } => {
                let expected = "expected no star at the start: here only the end may be left open";
                Err(self.at_value(format!("{path}: {expected}")))
            }
            Pattern { after: true, .. } => self.is(path, Test::Prefix(text)),
            _ => self.is(path, Test::Text(Comparison::Eq, text)),
        }
    }

    fn pattern(&self) -> Parsed<Pattern<'_>> {
        let value: &str = &self.term.value;
        if self.term.quoted {
            return Ok(Pattern { before: false, text: value, after: self.term.star });
        }
        let inner = value.strip_prefix('*').unwrap_or(value);
        let text = inner.strip_suffix('*').unwrap_or(inner);
        match text.find('*') {
            Some(_) => Err(self.at_value("expected stars only at the ends of a value; in quotes a star is a star")),
            None => Ok(Pattern { before: inner.len() < value.len(), text, after: text.len() < inner.len() }),
        }
    }

    fn phrase(&self, path: &FieldPath, text: String) -> Parsed<Node> {
        if words(&fold(&text)).next().is_none() {
            return Err(self.at_value(format!("{path}: expected words, got {}", quoted(&text))));
        }
        self.is(path, Test::Phrase(text))
    }

    fn contains(&self, path: &FieldPath, pattern: &Pattern<'_>) -> Parsed<Node> {
        let anchor = match (pattern.before, pattern.after) {
            (false, true) => Anchor::Start,
            (true, false) => Anchor::End,
            _ => Anchor::None,
        };
        self.occurs(path.id, pattern.text, self.term.quoted, anchor)
    }

    /// `text` somewhere in a field, as a part of fuzzy text; quoted if it is to be taken as it is.
    fn occurs(&self, field: FieldId, text: &str, literal: bool, anchor: Anchor) -> Parsed<Node> {
        let part = if literal { format!("\"{text}\"") } else { text.to_owned() };
        let wanted = |text: &str| fuzzy(text).is_ok_and(|parts| parts.len() == 1);
        if !wanted(&part) {
            return Err(self.at_value(format!("{field}: expected a text to search for, got {}", quoted(text))));
        }
        let text = TextMatch { text: part, search_in: vec![field], anchor };
        Ok(Node { at: self.term.at, kind: NodeKind::Text(text) })
    }

    fn extension(&self) -> Parsed<Node> {
        let value = self.term.value.trim_start_matches('.');
        let plain = !value.is_empty() && !value.contains(['*', '"', '/']);
        if self.comparison() != Comparison::Eq || !plain {
            return Err(self.at_value("expected ext:jpg or the like"));
        }
        self.occurs(field::URI, &format!(".{value}"), true, Anchor::End)
    }

    fn area(&self, read: fn(&str) -> Result<Area, String>) -> Parsed<Node> {
        let head = self.term.head;
        if self.comparison() != Comparison::Eq {
            return Err(self.at_name(format!("expected {head}:..., got another operator")));
        }
        let value = &self.term.value;
        let area = read(value).map_err(|e| self.at_value(format!("{head}: expected {e}, got {}", quoted(value))))?;
        self.is(&field::LAT_LONG.into(), Test::Within(area))
    }

    fn has(&self) -> Parsed<Node> {
        if self.term.operator != Operator::Colon {
            return Err(self.at_name("expected has:FIELD, got another operator"));
        }
        let value: &str = &self.term.value;
        let (head, key) = value.split_once('.').map_or((value, None), |(head, key)| (head, Some(key)));
        match self.name(self.term.value_at, head, key)? {
            Name::Fields(paths) => self.any_of(&paths, |path| self.exists(path)),
            Name::Type => self.exists(&field::MEDIA_TYPE.into()),
            _ => Err(self.at_value(format!("expected the name of a field, got {}", quoted(value)))),
        }
    }
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn order(a: Number, b: Number) -> Option<Ordering> {
    let float = |number| match number {
        Number::Int(int) => int as f64,
        Number::Float(float) => float,
    };
    float(a).partial_cmp(&float(b))
}
