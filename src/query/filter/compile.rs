//! From a query's tree to a plan, the same for all segments, and from the plan to the nodes of one segment.

use super::column::{AnyElement, ColumnLeaf, PlainLeaf};
use super::element::{Each, ElementLeaf};
use super::operand::{fold_case, holds, in_dictionary, in_numbers};
use super::path::{DerivedLeaf, FilenameLeaf, UriLeaf};
use super::place::PlaceLeaf;
use super::scan::Slots;
use super::text::TextLeaf;
use super::{Leaf, Node, NodeKind};
use crate::error::Result;
use crate::index::{ColumnId, ColumnPart, KeyColumn, Packed, Segment, elements_of};
use crate::model::field::{FILENAME, URI};
use crate::model::query::Test;
use crate::model::{Condition, FieldId, Filter, KeyCase, Kind};
use crate::query::guard::Context;
use crate::query::matching::Matcher;

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
        Some(Filter::And(of)) => all.extend(planner.all(of)),
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

    fn node(&mut self, filter: &'q Filter) -> Plan<'q> {
        let id = self.number();
        let step = match filter {
            Filter::And(of) => Step::And(self.all(of)),
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
            Step::Text(matcher) => leaf(TextLeaf { segment: self.segment, matcher }),
        };
        Ok(Node { id: plan.id, kind })
    }

    /// A condition that stands in no plan.
    pub(crate) fn alone(&self, condition: &Condition) -> Result<Node<'a>> {
        Ok(self.unnumbered(self.condition(condition)?))
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

    /// A test of the values of a column.
    fn column(&self, id: ColumnId, test: &Test, case: bool) -> Result<NodeKind<'a>> {
        let docs = self.segment.len();
        let elements = self.elements(id.field)?;
        if let Some((column, wanted, postings)) = self.slots(id, test, case)? {
            if wanted.is_empty() {
                return Ok(nothing());
            }
            let order = if elements.is_none() { self.segment.order(id)? } else { None };
            return Ok(leaf(ColumnLeaf { column, wanted, postings, elements, order, docs }));
        }
        match self.segment.keys(id)? {
            Some(plain @ KeyColumn::Plain(_)) => {
                Ok(leaf(PlainLeaf { column: plain, elements, test: test.clone(), docs }))
            }
            _ => Ok(nothing()),
        }
    }

    /// The slots that pass a test, for columns that have slots.
    fn slots(
        &self,
        column: ColumnId,
        test: &Test,
        case: bool,
    ) -> Result<Option<(Packed<'a>, Slots, Option<crate::index::Postings<'a>>)>> {
        if let Some(numbers) = self.segment.numbers(column)? {
            let whole = matches!(column.field.field().kind, Kind::Int | Kind::Time);
            return Ok(Some((numbers.slots(), in_numbers(&numbers, test, whole), None)));
        }
        let Some(KeyColumn::Dictionary { values, folded, ordinals, postings }) = self.segment.keys(column)? else {
            return Ok(None);
        };
        let wanted = in_dictionary(self.segment, column, values, folded, test, case, self.context)?;
        Ok(Some((ordinals, wanted, Some(postings))))
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
        let any = columns.map(|column| Ok(self.unnumbered(self.column(column, &Test::Exists, true)?)));
        Ok(NodeKind::Or(any.collect::<Result<_>>()?))
    }

    /// A node that the plan does not show.
    fn unnumbered(&self, kind: NodeKind<'a>) -> Node<'a> {
        Node { id: usize::MAX, kind }
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
        let docs = self.segment.len();
        let (Some(ends), false) = (self.segment.elements(field)?, wanted.is_empty()) else { return Ok(nothing()) };
        let has_key = ColumnLeaf {
            column: ordinals,
            wanted: wanted.clone(),
            postings: Some(postings),
            elements: Some(ends),
            order: None,
            docs,
        };
        if matches!(test, Test::Exists) {
            return Ok(leaf(has_key));
        }
        let values = column(ColumnPart::Value);
        let case = case != KeyCase::Insensitive;
        let Some((slots, fitting, _)) = self.slots(values, test, case)?.filter(|(_, fitting, _)| !fitting.is_empty())
        else {
            return Ok(nothing());
        };
        let either = vec![self.unnumbered(leaf(has_key)), self.unnumbered(self.column(values, test, case)?)];
        let candidates = self.rarest(either);
        let each = Each::All(vec![Each::Slot(slots, fitting), Each::Slot(ordinals, wanted)]);
        Ok(leaf(ElementLeaf { ends, each, candidates, docs }))
    }

    fn nested(&self, array: FieldId, of: &[Filter]) -> Result<NodeKind<'a>> {
        let Some(ends) = self.segment.elements(array)? else { return Ok(nothing()) };
        let each = Each::All(self.each_of(of)?);
        let candidates = self.rarest(self.superset_of(array, of)?);
        Ok(leaf(ElementLeaf { ends, each, candidates, docs: self.segment.len() }))
    }

    fn each_of(&self, of: &[Filter]) -> Result<Vec<Each<'a>>> {
        of.iter().map(|filter| self.each(filter)).collect()
    }

    fn each(&self, filter: &Filter) -> Result<Each<'a>> {
        let condition = match filter {
            Filter::And(of) => return Ok(Each::All(self.each_of(of)?)),
            Filter::Or(of) => return Ok(Each::Any(self.each_of(of)?)),
            Filter::Not(of) => return Ok(Each::None(self.each_of(of)?)),
            Filter::Is(condition) => condition,
            // Refused before a query is planned.
            Filter::Nested(..) | Filter::Text(_) => return Ok(Each::Any(Vec::new())),
        };
        let column = ColumnId::of(condition.field().id);
        if let Some((slots, wanted, _)) = self.slots(column, condition.test(), true)? {
            return Ok(Each::Slot(slots, wanted));
        }
        Ok(match self.segment.keys(column)? {
            Some(plain @ KeyColumn::Plain(_)) => {
                let test = condition.test().clone();
                Each::Plain(PlainLeaf { column: plain, elements: None, test, docs: self.segment.len() })
            }
            _ => Each::Any(Vec::new()),
        })
    }

    fn superset_of(&self, array: FieldId, of: &[Filter]) -> Result<Vec<Node<'a>>> {
        of.iter().map(|filter| self.superset(array, filter)).collect()
    }

    /// The node that finds the fewest documents; all of them are looked at anyway.
    fn rarest(&self, of: Vec<Node<'a>>) -> Node<'a> {
        let docs = self.segment.len();
        let cost = |node: &Node<'_>| node.find_ns().saturating_add(node.estimate(docs).saturating_mul(50));
        of.into_iter().min_by_key(cost).unwrap_or_else(|| self.unnumbered(NodeKind::And(Vec::new())))
    }

    /// Every document with an element that fulfils `filter`, and perhaps others.
    fn superset(&self, array: FieldId, filter: &Filter) -> Result<Node<'a>> {
        let kind = match filter {
            Filter::And(of) => return Ok(self.rarest(self.superset_of(array, of)?)),
            Filter::Or(of) => NodeKind::Or(self.superset_of(array, of)?),
            Filter::Is(condition) => self.column(ColumnId::of(condition.field().id), condition.test(), true)?,
            Filter::Not(_) | Filter::Nested(..) | Filter::Text(_) => self.any_element(array)?,
        };
        Ok(self.unnumbered(kind))
    }
}

fn leaf<'a>(leaf: impl Leaf + 'a) -> NodeKind<'a> {
    NodeKind::Leaf(Box::new(leaf))
}

fn nothing<'a>() -> NodeKind<'a> {
    NodeKind::Or(Vec::new())
}
