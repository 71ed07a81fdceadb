//! One part of a text query to the documents of one segment.

use super::guard::Context;
use super::path::PathSearch;
use super::scope::Scope;
use super::text::Part;
use crate::error::Result;
use crate::index::{ColumnId, KeyColumn, Segment, TextColumn, Typo, elements_of};
use crate::model::Anchor;
use roaring::RoaringBitmap;
use std::ops::Range;

/// About the time that looking at the path of one document takes, and at one of its other values.
const LOOK_NS: u64 = 150;
const LOOK_AT_VALUE_NS: u64 = 250;

/// A text query, ready to run over segments.
pub(crate) struct Matcher<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) anchor: Anchor,
    pub(crate) parts: Vec<MatchPart<'a>>,
    pub(crate) context: &'a Context<'a>,
}

/// A part with what its tolerance needs.
pub(crate) struct MatchPart<'a> {
    text: &'a str,
    /// Words, and where typos are tolerated what is near them; else they must occur as written. Empty: the text as a
    /// whole must.
    words: Vec<(&'a str, Option<Typo>)>,
}

impl<'a> MatchPart<'a> {
    /// `typos`: whether parts that do not say otherwise tolerate typos.
    pub(crate) fn new(part: &'a Part, typos: bool) -> MatchPart<'a> {
        let tolerant = |(word, distance): (&'a str, u8)| (word, (distance > 0).then(|| Typo::new(word, distance)));
        MatchPart { text: &part.text, words: part.tolerant_words(typos).into_iter().map(tolerant).collect() }
    }
}

impl std::fmt::Display for Matcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.parts.iter().map(|part| format!("{:?}", part.text)).collect::<Vec<_>>().join(" ");
        let typos = if self.is_tolerant() { " with typos" } else { "" };
        write!(f, "text {text}{typos} in {} columns", self.scope.paths.len() + self.scope.columns.len())
    }
}

impl Matcher<'_> {
    /// Whether any part tolerates typos.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.parts.iter().any(|part| !part.words.is_empty())
    }

    /// The documents of `docs`, and of `within` where it is given, in which every part occurs; deleted ones are not left
    /// out.
    pub(crate) fn documents(
        &self,
        segment: &Segment,
        docs: Range<u32>,
        within: Option<&RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        let mut hits: Option<RoaringBitmap> = within.cloned();
        for part in self.rarest_first(segment)? {
            self.context.tick()?;
            let found = self.part(segment, part, docs.clone(), hits.as_ref())?;
            self.context.afford(found.serialized_size())?;
            let both = match hits {
                None => found,
                Some(hits) => hits & found,
            };
            if both.is_empty() {
                return Ok(both);
            }
            hits = Some(both);
        }
        Ok(hits.unwrap_or_default())
    }

    /// An upper bound of the documents that match, as far as paths tell; values of other columns are few.
    pub(crate) fn estimate(&self, segment: &Segment) -> Result<u64> {
        let mut least = u64::from(segment.len());
        for part in self.parts.iter().filter(|part| part.words.is_empty()) {
            least = least.min(self.candidates(segment, part)? as u64);
        }
        Ok(least)
    }

    fn candidates(&self, segment: &Segment, part: &MatchPart<'_>) -> Result<usize> {
        let mut candidates = 0;
        for &path in &self.scope.paths {
            let search = PathSearch::new(segment, path, 0..segment.len(), self.context)?;
            candidates += search.estimate(part.text, self.anchor)?;
        }
        Ok(candidates)
    }

    /// The parts in the order that leaves least to do: those with the fewest candidates first, tolerant ones last.
    fn rarest_first(&self, segment: &Segment) -> Result<Vec<&MatchPart<'_>>> {
        if self.parts.len() < 2 {
            return Ok(self.parts.iter().collect());
        }
        let mut order = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let tolerant = if part.words.is_empty() { 0 } else { usize::MAX / 2 };
            order.push((tolerant + self.candidates(segment, part)?, part));
        }
        order.sort_by_key(|(candidates, _)| *candidates);
        Ok(order.into_iter().map(|(_, part)| part).collect())
    }

    /// The documents of one part. `within`: only these matter.
    fn part(
        &self,
        segment: &Segment,
        part: &MatchPart<'_>,
        docs: Range<u32>,
        within: Option<&RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        if part.words.is_empty() {
            return self.containing(segment, part.text, self.anchor, docs, within);
        }
        let mut hits: Option<RoaringBitmap> = None;
        for (word, typo) in &part.words {
            let mut found = self.containing(segment, word, Anchor::None, docs.clone(), within)?;
            if let Some(typo) = typo {
                found |= self.near(segment, typo, docs.clone())?;
            }
            hits = Some(hits.map_or(found.clone(), |hits| hits & found));
        }
        Ok(hits.unwrap_or_default())
    }

    fn containing(
        &self,
        segment: &Segment,
        text: &str,
        anchor: Anchor,
        docs: Range<u32>,
        within: Option<&RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for &path in &self.scope.paths {
            let search = PathSearch::new(segment, path, docs.clone(), self.context)?;
            found |= match within {
                Some(within) if within.len() * LOOK_NS < search.cost_ns(text, anchor, within.len())? => {
                    search.among(within, text, anchor)?
                }
                _ => search.containing(text, anchor, within)?,
            };
        }
        for &column in &self.scope.columns {
            let left = self.left(&docs, within, &found);
            if left.as_ref().is_some_and(RoaringBitmap::is_empty) {
                break;
            }
            if self.among_values(segment, column, text, anchor, left.as_ref().or(within), &mut found)? {
                continue;
            }
            self.in_column(segment, column, &docs, &mut found, |values| {
                let all = 0..values.arena.len();
                values.containing(text, anchor, all, None, &mut || self.context.tick())
            })?;
        }
        Ok(found)
    }

    /// The documents that still matter, where most are found already.
    fn left(&self, docs: &Range<u32>, within: Option<&RoaringBitmap>, found: &RoaringBitmap) -> Option<RoaringBitmap> {
        let all = within.map_or(docs.len() as u64, RoaringBitmap::len);
        if found.len() * 2 < all {
            return None;
        }
        let mut left = within.cloned().unwrap_or_default();
        if within.is_none() {
            left.insert_range(docs.clone());
        }
        left -= found;
        Some(left)
    }

    /// Adds those of `within` that have a value with the text in a column, by looking at each; whether that was done,
    /// which pays for few of them.
    fn among_values(
        &self,
        segment: &Segment,
        column: ColumnId,
        text: &str,
        anchor: Anchor,
        within: Option<&RoaringBitmap>,
        found: &mut RoaringBitmap,
    ) -> Result<bool> {
        let Some(within) = within else { return Ok(false) };
        let Some(KeyColumn::Dictionary { folded, ordinals, .. }) = segment.keys(column)? else { return Ok(true) };
        let cost = segment.values(column, folded)?.cost_ns(text, anchor, u64::MAX)?;
        if within.len() * LOOK_AT_VALUE_NS >= cost {
            return Ok(false);
        }
        let ends = elements_of(column.field).map_or(Ok(None), |array| segment.elements(array))?;
        let finder = memchr::memmem::Finder::new(text.as_bytes());
        let holds = |value: &[u8]| match anchor {
            Anchor::None => finder.find(value).is_some(),
            anchor => anchor.holds(value, text.as_bytes()),
        };
        let fits = |unit: usize| {
            let ordinal = (ordinals.get(unit) as usize).checked_sub(1);
            ordinal.is_some_and(|ordinal| holds(folded.unit(ordinal)))
        };
        self.context.tick()?;
        found.extend(within.iter().filter(|doc| {
            let doc = *doc as usize;
            match ends {
                None => fits(doc),
                Some(ends) => (ends.get(doc) as usize..ends.get(doc + 1) as usize).any(fits),
            }
        }));
        Ok(true)
    }

    fn near(&self, segment: &Segment, typo: &Typo, docs: Range<u32>) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for &path in &self.scope.paths {
            found |= PathSearch::new(segment, path, docs.clone(), self.context)?.near(typo)?;
        }
        for &column in &self.scope.columns {
            self.context.tick()?;
            self.in_column(segment, column, &docs, &mut found, |values| values.near(typo))?;
        }
        Ok(found)
    }

    /// Adds the documents of the distinct values that `search` finds in a column.
    fn in_column(
        &self,
        segment: &Segment,
        column: ColumnId,
        docs: &Range<u32>,
        found: &mut RoaringBitmap,
        search: impl FnOnce(&TextColumn<'_>) -> Result<RoaringBitmap>,
    ) -> Result<()> {
        let Some(KeyColumn::Dictionary { folded, postings, .. }) = segment.keys(column)? else { return Ok(()) };
        let ordinals = search(&segment.values(column, folded)?)?;
        if ordinals.is_empty() {
            return Ok(());
        }
        let mut union = postings.union(ordinals.into_iter().map(|ordinal| ordinal as usize))?;
        if docs.start > 0 || docs.end < segment.len() {
            union.remove_range(..docs.start);
            union.remove_range(docs.end..);
        }
        *found |= union;
        Ok(())
    }
}
