//! A filter tree made ready for one segment, and its evaluation to documents.
//!
//! `compile` turns a tree into nodes over the segment's columns; `evaluate` decides their order by cost. Each other file
//! is one kind of leaf: it can find its documents, or look at given ones, and says what either costs.

mod column;
mod compile;
mod element;
mod evaluate;
mod operand;
mod path;
mod place;
mod scan;
mod text;

pub(crate) use compile::{Compiler, Plan, Step, plan};
pub(crate) use evaluate::{Evaluation, Told};
pub(crate) use operand::{fold_case, holds, set_holds, tokens};
pub(crate) use path::filename;

use super::guard::Context;
use crate::error::Result;
use crate::index::UnitSet;
use roaring::RoaringBitmap;
use std::ops::Range;

/// A condition over the documents of one segment.
pub(crate) trait Leaf: Sync {
    /// About how many documents fulfil it.
    fn estimate(&self) -> u64;
    /// About how many nanoseconds finding all of them takes.
    fn find_ns(&self) -> u64;
    /// About how many nanoseconds looking at one document takes.
    fn look_ns(&self) -> u64;
    /// The documents of `docs` that fulfil it.
    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap>;
    /// Those of `among` that fulfil it.
    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap>;
}

/// A node with its number in the plan, under which its costs are told.
pub(crate) struct Node<'a> {
    id: usize,
    kind: NodeKind<'a>,
}

enum NodeKind<'a> {
    /// All; every document where there are none.
    And(Vec<Node<'a>>),
    /// At least one; no document where there are none.
    Or(Vec<Node<'a>>),
    /// None of them.
    Not(Vec<Node<'a>>),
    Leaf(Box<dyn Leaf + 'a>),
}

/// Those of `among` for which `test` holds; the deadline is looked at now and then.
fn keep_each(
    among: &RoaringBitmap,
    context: &Context<'_>,
    mut test: impl FnMut(u32) -> Result<bool>,
) -> Result<RoaringBitmap> {
    let (Some(first), Some(last)) = (among.min(), among.max()) else { return Ok(RoaringBitmap::new()) };
    // A set has room for every document between the first and the last.
    let dense = among.len().saturating_mul(64) > u64::from(last - first);
    let mut kept = UnitSet::new(if dense { first as usize..last as usize + 1 } else { 0..0 });
    let mut few = scan::Gather::default();
    for (count, doc) in among.iter().enumerate() {
        if count.is_multiple_of(1024) {
            context.tick()?;
        }
        if test(doc)? {
            if dense { kept.insert(doc as usize) } else { few.push(doc) }
        }
    }
    if dense { Ok(kept.into_bitmap()) } else { few.finish() }
}
