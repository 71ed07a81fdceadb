//! Evaluates nodes: the cheapest and rarest condition first, then whatever costs less, finding all documents of the
//! next one or looking at those that are left.

use super::{Node, NodeKind};
use crate::error::Result;
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::cell::RefCell;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What a node of the plan did, summed up over segments.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    /// Documents that statistics promised.
    pub(crate) estimated: u64,
    /// Documents that passed, among those that were left.
    pub(crate) actual: u64,
    /// Documents that were looked at one by one; 0 where all were found at once.
    pub(crate) looked_at: u64,
    /// Time, that of the nodes below included.
    pub(crate) elapsed: Duration,
    /// Segments in which it was asked.
    pub(crate) segments: u32,
}

/// Evaluates the nodes of one segment.
pub(crate) struct Evaluation<'e> {
    context: &'e Context<'e>,
    docs: u32,
    /// What each node did, by number; nothing is told without it.
    told: Option<&'e RefCell<Vec<Told>>>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(context: &'e Context<'e>, docs: u32, told: Option<&'e RefCell<Vec<Told>>>) -> Evaluation<'e> {
        Evaluation { context, docs, told }
    }

    /// An evaluation that keeps its costs to itself.
    pub(crate) fn untold(context: &'e Context<'e>, docs: u32) -> Evaluation<'e> {
        Evaluation::new(context, docs, None)
    }

    /// The documents of `docs` that fulfil a node.
    pub(crate) fn find(&self, node: &Node<'_>, docs: &Range<u32>) -> Result<RoaringBitmap> {
        self.telling(node, 0, || match &node.kind {
            NodeKind::And(of) => self.find_all(of, docs),
            NodeKind::Or(of) => {
                let mut found = RoaringBitmap::new();
                for node in of {
                    found |= self.find(node, docs)?;
                    self.context.afford(found.serialized_size())?;
                }
                Ok(found)
            }
            NodeKind::Not(of) => self.without(of, whole(docs)),
            NodeKind::Leaf(leaf) => leaf.find(docs, self.context),
        })
    }

    fn find_all(&self, of: &[Node<'_>], docs: &Range<u32>) -> Result<RoaringBitmap> {
        let mut rest: Vec<&Node<'_>> = of.iter().collect();
        // What is found first is found whole; each of its documents is then looked at some more.
        rest.sort_by_cached_key(|node| node.find_ns().saturating_add(node.estimate(self.docs).saturating_mul(12)));
        let Some((first, rest)) = rest.split_first_mut() else { return Ok(whole(docs)) };
        let found = self.find(first, docs)?;
        self.context.afford(found.serialized_size())?;
        if rest.len() > 1 {
            rest.sort_by_cached_key(|node| self.worth(node, found.len()));
        }
        self.keep_all(rest.iter().copied(), found)
    }

    /// Nanoseconds for each document that a node takes away from so many: the least first.
    fn worth(&self, node: &Node<'_>, left: u64) -> u64 {
        let ns = match &node.kind {
            NodeKind::Leaf(leaf) => left.saturating_mul(leaf.look_ns()).min(leaf.find_ns()),
            _ => node.find_ns(),
        };
        let docs = u64::from(self.docs).max(1);
        let away = u128::from(left) * u128::from(docs - node.estimate(self.docs).min(docs)) / u128::from(docs);
        // In thousandths: most are less than a nanosecond.
        u64::try_from(u128::from(ns) * 1000 / away.max(1)).unwrap_or(u64::MAX)
    }

    fn keep_all<'n, 'a: 'n>(
        &self,
        nodes: impl Iterator<Item = &'n Node<'a>>,
        mut left: RoaringBitmap,
    ) -> Result<RoaringBitmap> {
        for node in nodes {
            if left.is_empty() {
                break;
            }
            self.context.tick()?;
            left = self.keep(node, left)?;
        }
        Ok(left)
    }

    /// Those of `among` that fulfil a node.
    pub(crate) fn keep(&self, node: &Node<'_>, among: RoaringBitmap) -> Result<RoaringBitmap> {
        match &node.kind {
            NodeKind::Leaf(leaf) => {
                let looking = among.len().saturating_mul(leaf.look_ns());
                if looking <= leaf.find_ns() {
                    return self.telling(node, among.len(), || leaf.keep(&among, self.context));
                }
                let (Some(first), Some(last)) = (among.min(), among.max()) else { return Ok(among) };
                self.telling(node, 0, || Ok(leaf.find(&(first..last + 1), self.context)? & &among))
            }
            NodeKind::And(of) => self.telling(node, 0, || {
                let mut order: Vec<&Node<'_>> = of.iter().collect();
                order.sort_by_cached_key(|node| node.estimate(self.docs));
                self.keep_all(order.into_iter(), among)
            }),
            NodeKind::Or(of) => self.telling(node, 0, || self.keep_any(of, among)),
            NodeKind::Not(of) => self.telling(node, 0, || self.without(of, among)),
        }
    }

    fn keep_any(&self, of: &[Node<'_>], mut left: RoaringBitmap) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for node in of {
            if left.is_empty() {
                break;
            }
            let kept = self.keep(node, left.clone())?;
            left -= &kept;
            found |= kept;
        }
        Ok(found)
    }

    fn without(&self, of: &[Node<'_>], mut left: RoaringBitmap) -> Result<RoaringBitmap> {
        for node in of {
            if left.is_empty() {
                break;
            }
            left -= self.keep(node, left.clone())?;
        }
        Ok(left)
    }

    fn telling(
        &self,
        node: &Node<'_>,
        looked_at: u64,
        run: impl FnOnce() -> Result<RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        let Some(told) = self.told.filter(|_| node.id != usize::MAX) else { return run() };
        let begun = Instant::now();
        let found = run()?;
        let mut told = told.borrow_mut();
        if told.len() <= node.id {
            told.resize(node.id + 1, Told::default());
        }
        if let Some(row) = told.get_mut(node.id) {
            row.estimated += node.estimate(self.docs);
            row.actual += found.len();
            row.looked_at += looked_at;
            row.elapsed += begun.elapsed();
            row.segments += 1;
        }
        Ok(found)
    }
}

fn whole(docs: &Range<u32>) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    all.insert_range(docs.clone());
    all
}

impl Node<'_> {
    /// About how many of a segment's `docs` fulfil it.
    pub(crate) fn estimate(&self, docs: u32) -> u64 {
        let all = u64::from(docs);
        let estimates = |of: &[Node<'_>]| of.iter().map(|node| node.estimate(docs)).collect::<Vec<_>>();
        match &self.kind {
            NodeKind::And(of) => estimates(of).into_iter().min().unwrap_or(all).min(all),
            NodeKind::Or(of) => estimates(of).into_iter().fold(0, u64::saturating_add).min(all),
            NodeKind::Not(of) => all - estimates(of).into_iter().max().unwrap_or(0).min(all),
            NodeKind::Leaf(leaf) => leaf.estimate(),
        }
    }

    /// About how many nanoseconds finding all of them takes.
    pub(crate) fn find_ns(&self) -> u64 {
        match &self.kind {
            NodeKind::And(of) => of.iter().map(Node::find_ns).min().unwrap_or(0),
            NodeKind::Or(of) | NodeKind::Not(of) => of.iter().map(Node::find_ns).fold(0, u64::saturating_add),
            NodeKind::Leaf(leaf) => leaf.find_ns(),
        }
    }
}
