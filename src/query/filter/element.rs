//! Conditions that must hold on one and the same element of an array, or entry of a map.

use super::column::{ColumnLeaf, PlainLeaf};
use super::evaluate::Evaluation;
use super::{Leaf, Node, keep_each};
use crate::error::Result;
use crate::index::{Packed, Pairs, UnitSet};
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::ops::{Range, RangeInclusive};

/// Time to prepare sets of documents, and for each document of a list.
const SETS_NS: u64 = 10_000;
const LISTED_NS: u64 = 2;

/// A condition on one element.
pub(crate) enum Each<'a> {
    All(Vec<Each<'a>>),
    Any(Vec<Each<'a>>),
    None(Vec<Each<'a>>),
    Slot(ColumnLeaf<'a>),
    Plain(PlainLeaf<'a>),
}

impl Each<'_> {
    fn holds(&self, element: usize) -> bool {
        match self {
            Each::All(of) => of.iter().all(|each| each.holds(element)),
            Each::Any(of) => of.iter().any(|each| each.holds(element)),
            Each::None(of) => !of.iter().any(|each| each.holds(element)),
            Each::Slot(column) => column.fits(element),
            Each::Plain(leaf) => leaf.fits(element),
        }
    }
}

/// Keywords and a range of the number beside them, whose documents an index lists.
pub(crate) struct PairSearch<'a> {
    pub(crate) pairs: Pairs<'a>,
    /// The keywords that have lists.
    pub(crate) rows: Vec<usize>,
    pub(crate) numbers: RangeInclusive<u64>,
    /// The others.
    pub(crate) rare: Option<ColumnLeaf<'a>>,
    /// Nothing else is asked of the element.
    pub(crate) whole: bool,
}

impl PairSearch<'_> {
    /// About how many documents the lists have.
    fn listed(&self) -> u64 {
        self.rows.iter().map(|row| self.pairs.bytes(*row, &self.numbers) as u64).sum()
    }

    /// Documents that have such an element, and others that may.
    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<(RoaringBitmap, RoaringBitmap)> {
        let units = docs.start as usize..docs.end as usize;
        let (mut certain, mut possible) = (UnitSet::new(units.clone()), UnitSet::new(units));
        for row in &self.rows {
            context.tick()?;
            self.pairs.add(*row, &self.numbers, &mut certain, &mut possible)?;
        }
        let (mut certain, mut possible) = (certain.into_bitmap(), possible.into_bitmap());
        if let Some(rare) = &self.rare {
            possible |= rare.find(docs, context)?;
        }
        if !self.whole {
            possible |= std::mem::take(&mut certain);
        }
        possible -= &certain;
        Ok((certain, possible))
    }
}

/// Whether some element of a document fulfils a condition.
pub(crate) struct ElementLeaf<'a> {
    /// Where each document's elements begin.
    pub(crate) ends: Packed<'a>,
    pub(crate) each: Each<'a>,
    /// Finds every document that can fulfil it, and others.
    pub(crate) candidates: Node<'a>,
    pub(crate) pairs: Option<PairSearch<'a>>,
    pub(crate) docs: u32,
}

impl ElementLeaf<'_> {
    fn has(&self, doc: u32) -> bool {
        let doc = doc as usize;
        (self.ends.get(doc) as usize..self.ends.get(doc + 1) as usize).any(|element| self.each.holds(element))
    }
}

impl Leaf for ElementLeaf<'_> {
    fn estimate(&self) -> u64 {
        let candidates = self.candidates.estimate(self.docs);
        let Some(pairs) = &self.pairs else { return candidates };
        pairs.listed().saturating_add(pairs.rare.as_ref().map_or(0, Leaf::estimate)).min(candidates)
    }

    fn find_ns(&self) -> u64 {
        if let Some(pairs) = &self.pairs {
            let look = if pairs.whole { 0 } else { self.look_ns() };
            let rare = pairs.rare.as_ref().map_or(0, |rare| rare.find_ns() + rare.estimate() * self.look_ns());
            return SETS_NS + rare + pairs.listed() * (LISTED_NS + look);
        }
        self.candidates.find_ns().saturating_add(self.estimate().saturating_mul(self.look_ns()))
    }

    fn look_ns(&self) -> u64 {
        50
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        if let Some(pairs) = &self.pairs {
            let (certain, possible) = pairs.find(docs, context)?;
            return Ok(certain | self.keep(&possible, context)?);
        }
        let candidates = Evaluation::untold(context, self.docs).find(&self.candidates, docs)?;
        self.keep(&candidates, context)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| Ok(self.has(doc)))
    }
}
