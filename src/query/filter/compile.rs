//! From a query's tree to a plan, the same for all segments, and from the plan to the nodes of one segment.

use super::column::{AnyElement, ColumnLeaf, PlainLeaf};
use super::element::{Each, ElementLeaf, PairSearch};
use super::operand::{fold_case, holds, in_dictionary, in_numbers};
use super::path::{DerivedLeaf, FilenameLeaf, UriLeaf};
use super::place::PlaceLeaf;
use super::scan::Slots;
use super::text::TextLeaf;
use super::{Leaf, Node, NodeKind};
use crate::error::Result;
use crate::index::{ColumnId, ColumnPart, KeyColumn, NumberColumn, Packed, Pairs, Segment, elements_of};
use crate::model::field::{FILENAME, URI};
use crate::model::query::Test;
use crate::model::{Condition, FieldId, Filter, KeyCase, Kind};
use crate::query::guard::Context;
use crate::query::matching::Matcher;
use std::ops::RangeInclusive;

/// Most keywords that are looked up one by one.
const MOST_KEYWORDS: u64 = 16;

/// A node of the plan. Nodes are numbered in the order in which they stand.
pub(crate) struct Plan<'q> {
    pub(crate) id: usize,
    pub(crate) step: Step<'q>,
}

/// What a node of the plan asks.
pub(crate) enum Step<'q> {
    And(Vec<Plan<'q>>),
    Or(Vec<Plan<'q>>),
    Not(Vec<Plan<'q>>),
    Nested(FieldId, &'q [Filter]),
    Is(&'q Condition),
    /// Comparisons of one number or time of a file: together they are a range of its values.
    Range(Vec<&'q Condition>),
    Text(&'q Matcher<'q>),
}

/// Plans a query: its text, and its filter, whose texts have their matchers in the order in which they stand.
pub(crate) fn plan<'q>(
    text: Option<&'q Matcher<'q>>,
    filter: Option<&'q Filter>,
    texts: &'q [Matcher<'q>],
) -> Plan<'q> {
    let mut planner = Planner { next: 0, texts: texts.iter() };
    let id = planner.number();
    let mut all = Vec::new();
    all.extend(text.map(|matcher| Plan { id: planner.number(), step: Step::Text(matcher) }));
    match filter {
        Some(Filter::And(of)) => all.extend(planner.conjuncts(of)),
        Some(filter) => all.push(planner.node(filter)),
        None => {}
    }
    Plan { id, step: Step::And(all) }
}

struct Planner<'q> {
    next: usize,
    texts: std::slice::Iter<'q, Matcher<'q>>,
}

impl<'q> Planner<'q> {
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn all(&mut self, of: &'q [Filter]) -> Vec<Plan<'q>> {
        of.iter().map(|filter| self.node(filter)).collect()
    }

    /// What must all hold: comparisons of one value become one range of it, where the first of them stands.
    fn conjuncts(&mut self, of: &'q [Filter]) -> Vec<Plan<'q>> {
        let mut plans: Vec<Plan<'q>> = Vec::with_capacity(of.len());
        for filter in of {
            let Some(condition) = compared(filter) else {
                plans.push(self.node(filter));
                continue;
            };
            let field = condition.field();
            let known = plans.iter_mut().find_map(|plan| match &mut plan.step {
                Step::Range(range) if range.iter().any(|other| other.field() == field) => Some(range),
                _ => None,
            });
            match known {
                Some(range) => range.push(condition),
                None => plans.push(Plan { id: self.number(), step: Step::Range(vec![condition]) }),
            }
        }
        plans
    }

    fn node(&mut self, filter: &'q Filter) -> Plan<'q> {
        let id = self.number();
        let step = match filter {
            Filter::And(of) => Step::And(self.conjuncts(of)),
            Filter::Or(of) => Step::Or(self.all(of)),
            Filter::Not(of) => Step::Not(self.all(of)),
            Filter::Nested(array, of) => Step::Nested(*array, of),
            Filter::Is(condition) => Step::Is(condition),
            // Every text has its matcher; without one it would find nothing.
            Filter::Text(_) => self.texts.next().map_or(Step::Or(Vec::new()), Step::Text),
        };
        Plan { id, step }
    }
}

/// Collects the conditions that must all hold; whether there is nothing else.
fn flatten<'f>(of: &'f [Filter], found: &mut Vec<&'f Condition>) -> bool {
    let mut only = true;
    for filter in of {
        match filter {
            Filter::Is(condition) => found.push(condition),
            Filter::And(of) => only &= flatten(of, found),
            _ => only = false,
        }
    }
    only
}

/// The condition of a filter that compares a number or a time of which a file has one.
fn compared(filter: &Filter) -> Option<&Condition> {
    let Filter::Is(condition) = filter else { return None };
    let one = elements_of(condition.field().id).is_none();
    Some(condition).filter(|c| one && matches!(c.test(), Test::Number(..) | Test::Time(..)))
}

/// Makes plans ready for one segment.
pub(crate) struct Compiler<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) context: &'a Context<'a>,
}

impl<'a> Compiler<'a> {
    /// The nodes of a plan.
    pub(crate) fn node(&self, plan: &'a Plan<'_>) -> Result<Node<'a>> {
        let all = |of: &'a [Plan<'_>]| of.iter().map(|plan| self.node(plan)).collect::<Result<Vec<_>>>();
        let kind = match &plan.step {
            Step::And(of) => NodeKind::And(all(of)?),
            Step::Or(of) => NodeKind::Or(all(of)?),
            Step::Not(of) => NodeKind::Not(all(of)?),
            Step::Nested(array, of) => self.nested(*array, of)?,
            Step::Is(condition) => self.condition(condition)?,
            Step::Range(of) => self.range(of)?,
            Step::Text(matcher) => leaf(TextLeaf { segment: self.segment, matcher }),
        };
        Ok(Node { id: plan.id, kind })
    }

    /// A condition that stands in no plan.
    pub(crate) fn alone(&self, condition: &Condition) -> Result<Node<'a>> {
        Ok(unnumbered(self.condition(condition)?))
    }

    fn condition(&self, condition: &Condition) -> Result<NodeKind<'a>> {
        let (path, test) = (condition.field(), condition.test());
        match (path.id, path.id.field().kind, &path.key) {
            (URI, ..) => return Ok(leaf(UriLeaf::new(self.segment, test)?)),
            (FILENAME, ..) => return Ok(leaf(FilenameLeaf::new(self.segment, test)?)),
            (id, Kind::Map(case), Some(key)) => return self.entry(id, key, case, test),
            (id, Kind::Map(_) | Kind::Rows, None) => return self.any_element(id),
            (id, Kind::Object, _) => return self.any_member(id),
            (id, Kind::Geo, _) => return self.place(id, test),
            _ => {}
        }
        if let Some(derived) = self.context.derived {
            if let Some(value) = derived.constant(path.id) {
                let holds = holds(test, value.as_bytes(), true);
                return Ok(if holds { NodeKind::And(Vec::new()) } else { nothing() });
            }
            if derived.is_derived(path.id) {
                let (segment, field) = (self.segment, path.id);
                return Ok(leaf(DerivedLeaf { segment, derived, field, test: test.clone() }));
            }
        }
        self.column(ColumnId::of(path.id), test, true)
    }

    /// Several tests of one value of each document.
    fn range(&self, of: &[&Condition]) -> Result<NodeKind<'a>> {
        let mut all: Option<ColumnLeaf<'a>> = None;
        for condition in of {
            let Each::Slot(column) = self.value(ColumnId::of(condition.field().id), condition.test(), true)? else {
                return Ok(nothing());
            };
            match &mut all {
                None => all = Some(column),
                Some(all) => all.wanted.intersect(&column.wanted),
            }
        }
        Ok(all.filter(|column| !column.wanted.is_empty()).map_or_else(nothing, leaf))
    }

    /// A test of the values of a column.
    fn column(&self, id: ColumnId, test: &Test, case: bool) -> Result<NodeKind<'a>> {
        Ok(match self.value(id, test, case)? {
            Each::Slot(column) if !column.wanted.is_empty() => leaf(column),
            Each::Plain(plain) => leaf(plain),
            _ => nothing(),
        })
    }

    /// The same of one element; where units are documents, a document is its only element.
    fn value(&self, id: ColumnId, test: &Test, case: bool) -> Result<Each<'a>> {
        let (docs, elements) = (self.segment.len(), self.elements(id.field)?);
        if let Some(numbers) = self.segment.numbers(id)? {
            let whole = matches!(id.field.field().kind, Kind::Int | Kind::Time);
            let wanted = in_numbers(&numbers, test, whole);
            let order = if elements.is_none() { self.segment.order(id)? } else { None };
            return Ok(Each::Slot(ColumnLeaf {
                column: numbers.slots(),
                wanted,
                postings: None,
                elements,
                order,
                docs,
            }));
        }
        match self.segment.keys(id)? {
            Some(KeyColumn::Dictionary { values, folded, ordinals, postings }) => {
                let wanted = in_dictionary(self.segment, id, values, folded, test, case, self.context)?;
                let postings = Some(postings);
                Ok(Each::Slot(ColumnLeaf { column: ordinals, wanted, postings, elements, order: None, docs }))
            }
            Some(column @ KeyColumn::Plain(_)) => {
                Ok(Each::Plain(PlainLeaf { column, elements, test: test.clone(), docs }))
            }
            None => Ok(Each::Any(Vec::new())),
        }
    }

    fn elements(&self, field: FieldId) -> Result<Option<Packed<'a>>> {
        elements_of(field).map_or(Ok(None), |array| self.segment.elements(array))
    }

    fn any_element(&self, array: FieldId) -> Result<NodeKind<'a>> {
        let ends = self.segment.elements(array)?;
        Ok(ends.map_or_else(nothing, |ends| leaf(AnyElement { ends, docs: self.segment.len() })))
    }

    fn any_member(&self, object: FieldId) -> Result<NodeKind<'a>> {
        let columns = self.segment.columns().into_iter().filter(|c| c.field.field().parent == Some(object));
        let any = columns.map(|column| Ok(unnumbered(self.column(column, &Test::Exists, true)?)));
        Ok(NodeKind::Or(any.collect::<Result<_>>()?))
    }

    fn place(&self, field: FieldId, test: &Test) -> Result<NodeKind<'a>> {
        let part = |part| self.segment.numbers(ColumnId { field, part });
        let (Some(lat), Some(lon)) = (part(ColumnPart::Latitude)?, part(ColumnPart::Longitude)?) else {
            return Ok(nothing());
        };
        match test {
            Test::Within(area) => {
                let places = self.segment.places(field)?;
                Ok(leaf(PlaceLeaf::new(lat, lon, places, area.clone(), self.segment.len())))
            }
            _ => self.column(ColumnId { field, part: ColumnPart::Latitude }, test, true),
        }
    }

    /// One entry of a map: its key and its value stand in one element.
    fn entry(&self, field: FieldId, key: &str, case: KeyCase, test: &Test) -> Result<NodeKind<'a>> {
        let column = |part| ColumnId { field, part };
        let Some(keys) = self.segment.keys(column(ColumnPart::Key))? else { return Ok(nothing()) };
        let KeyColumn::Dictionary { values, ordinals, postings, .. } = keys else { return Ok(nothing()) };
        let name = fold_case(key);
        let same = |known: &[u8]| match case {
            KeyCase::Sensitive => known == key.as_bytes(),
            _ => fold_case(&String::from_utf8_lossy(known)) == name,
        };
        let known = values.units(0..values.len()).enumerate().filter(|(_, known)| same(known));
        let wanted = Slots::List(known.map(|(ordinal, _)| ordinal as u64 + 1).collect());
        let (Some(ends), false) = (self.segment.elements(field)?, wanted.is_empty()) else { return Ok(nothing()) };
        let (postings, elements) = (Some(postings), Some(ends));
        let has_key =
            ColumnLeaf { column: ordinals, wanted, postings, elements, order: None, docs: self.segment.len() };
        if matches!(test, Test::Exists) {
            return Ok(leaf(has_key));
        }
        let value = self.value(column(ColumnPart::Value), test, case != KeyCase::Insensitive)?;
        Ok(self.same_element(ends, Each::All(vec![value, Each::Slot(has_key)]), None))
    }

    fn nested(&self, array: FieldId, of: &[Filter]) -> Result<NodeKind<'a>> {
        let Some(ends) = self.segment.elements(array)? else { return Ok(nothing()) };
        Ok(self.same_element(ends, Each::All(self.each_of(of)?), self.pair_search(of)?))
    }

    fn same_element(&self, ends: Packed<'a>, each: Each<'a>, pairs: Option<PairSearch<'a>>) -> NodeKind<'a> {
        let candidates = self.superset(ends, &each);
        leaf(ElementLeaf { ends, each, candidates, pairs, docs: self.segment.len() })
    }

    /// What an index knows of two of the conditions on one element, a keyword and a number.
    fn pair_search(&self, of: &[Filter]) -> Result<Option<PairSearch<'a>>> {
        let mut conditions = Vec::new();
        let only = flatten(of, &mut conditions);
        for condition in &conditions {
            let column = ColumnId::of(condition.field().id);
            let (Some(number), Some(pairs)) = (Pairs::number_of(column), self.segment.pairs(column)?) else { continue };
            let compared = conditions.iter().filter(|other| other.field().id == number);
            let Some(numbers) = self.segment.numbers(ColumnId::of(number))? else { continue };
            let (range, count) = self.numbers_of(&numbers, compared.copied())?;
            let (Some(range), Each::Slot(mut keywords)) = (range, self.value(column, condition.test(), true)?) else {
                continue;
            };
            if count == 0 || keywords.wanted.count() > MOST_KEYWORDS {
                continue;
            }
            let (listed, others): (Vec<u64>, Vec<u64>) =
                keywords.wanted.iter().partition(|slot| pairs.row(*slot).is_some());
            let rows = listed.into_iter().filter_map(|slot| pairs.row(slot)).collect();
            keywords.wanted = Slots::List(others);
            let rare = Some(keywords).filter(|rare| !rare.wanted.is_empty());
            let whole = only && conditions.len() == count + 1;
            return Ok(Some(PairSearch { pairs, rows, numbers: range, rare, whole }));
        }
        Ok(None)
    }

    /// The slots of a number that several conditions leave, and how many conditions there are; `None` where they are no
    /// range.
    fn numbers_of<'c>(
        &self,
        numbers: &NumberColumn<'_>,
        conditions: impl Iterator<Item = &'c Condition>,
    ) -> Result<(Option<RangeInclusive<u64>>, usize)> {
        let (mut left, mut count) = (Slots::Range(1, u64::MAX), 0);
        for condition in conditions {
            if let Each::Slot(column) = self.value(ColumnId::of(condition.field().id), condition.test(), true)? {
                left.intersect(&column.wanted);
            }
            count += 1;
        }
        let Slots::Range(from, to) = left else { return Ok((None, count)) };
        // Up to the largest is as far as there is.
        let to = if to >= numbers.max_slot() { u64::MAX } else { to };
        Ok((Some(if from > numbers.max_slot() { RangeInclusive::new(1, 0) } else { from..=to }), count))
    }

    fn each_of(&self, of: &[Filter]) -> Result<Vec<Each<'a>>> {
        of.iter().map(|filter| self.each(filter)).collect()
    }

    fn each(&self, filter: &Filter) -> Result<Each<'a>> {
        match filter {
            Filter::And(of) => Ok(Each::All(self.each_of(of)?)),
            Filter::Or(of) => Ok(Each::Any(self.each_of(of)?)),
            Filter::Not(of) => Ok(Each::None(self.each_of(of)?)),
            Filter::Is(condition) => self.value(ColumnId::of(condition.field().id), condition.test(), true),
            // Refused before a query is planned.
            Filter::Nested(..) | Filter::Text(_) => Ok(Each::Any(Vec::new())),
        }
    }

    /// Every document with an element that fulfils `each`, and perhaps others.
    fn superset(&self, ends: Packed<'a>, each: &Each<'a>) -> Node<'a> {
        let docs = self.segment.len();
        let of_all = |of: &[Each<'a>]| of.iter().map(|each| self.superset(ends, each)).collect::<Vec<_>>();
        unnumbered(match each {
            Each::All(of) => {
                // The one that finds the fewest: all of its documents are looked at anyway.
                let cost = |node: &Node<'_>| node.find_ns().saturating_add(node.estimate(docs).saturating_mul(50));
                return of_all(of).into_iter().min_by_key(cost).unwrap_or(unnumbered(NodeKind::And(Vec::new())));
            }
            Each::Any(of) => NodeKind::Or(of_all(of)),
            Each::None(_) => leaf(AnyElement { ends, docs }),
            Each::Slot(column) => leaf(column.clone()),
            Each::Plain(plain) => leaf(plain.clone()),
        })
    }
}

fn leaf<'a>(leaf: impl Leaf + 'a) -> NodeKind<'a> {
    NodeKind::Leaf(Box::new(leaf))
}

/// A node that the plan does not show.
fn unnumbered(kind: NodeKind<'_>) -> Node<'_> {
    Node { id: usize::MAX, kind }
}

fn nothing<'a>() -> NodeKind<'a> {
    NodeKind::Or(Vec::new())
}
