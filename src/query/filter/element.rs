//! Conditions that must hold on one and the same element of an array, or entry of a map.

use super::column::{ColumnLeaf, PlainLeaf};
use super::evaluate::Evaluation;
use super::{Leaf, Node, keep_each};
use crate::error::Result;
use crate::index::Packed;
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::ops::Range;

/// A condition on one element.
#[expect(
    clippy::large_enum_variant,
    reason = "a few for each query and segment: boxing them would cost more than the room"
)]
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

/// Whether some element of a document fulfils a condition.
pub(crate) struct ElementLeaf<'a> {
    /// Where each document's elements begin.
    pub(crate) ends: Packed<'a>,
    pub(crate) each: Each<'a>,
    /// Finds every document that can fulfil it, and others.
    pub(crate) candidates: Node<'a>,
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
        self.candidates.estimate(self.docs)
    }

    fn find_ns(&self) -> u64 {
        self.candidates.find_ns().saturating_add(self.estimate().saturating_mul(self.look_ns()))
    }

    fn look_ns(&self) -> u64 {
        50
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let candidates = Evaluation::untold(context, self.docs).find(&self.candidates, docs)?;
        self.keep(&candidates, context)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| Ok(self.has(doc)))
    }
}
