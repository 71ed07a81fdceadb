//! One page of what a query finds.

use super::guard::Context;
use super::matching::{MatchPart, Matcher};
use super::page::{self, Token};
use super::scope::Scope;
use super::sort::{self, Cursor, PartHits};
use super::text;
use crate::error::Result;
use crate::index::{Part, Snapshot};
use crate::model::query::{MAX_PAGE, check_sort};
use crate::model::{Query, Typos};
use roaring::RoaringBitmap;

/// Documents of the first window of a search that stops early.
const FIRST_WINDOW: u32 = 16 << 10;

/// One page of results.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// The files, in order.
    pub uris: Vec<String>,
    /// Exact number of matching files on all pages; `None` where the query asked to leave it out.
    pub total: Option<u64>,
    /// Asks for the next page; empty when this is the last.
    pub next_token: String,
    /// Nothing matched as written: these are matches with typos.
    pub fell_back: bool,
}

/// Runs a fuzzy query over a snapshot.
pub fn search(snapshot: &Snapshot, query: &Query, context: &Context<'_>) -> Result<Hits> {
    query.check()?;
    let parts = text::parse(&query.text)?;
    let scope = Scope::of(&query.search_in, query.anchor)?;
    check_sort(&query.sort)?;
    let size = query.page.size(MAX_PAGE)?;
    let hash = page::query_hash(query);
    let token = match query.page.token.as_str() {
        "" => None,
        token => Some(page::decode(token, context, &hash)?),
    };
    let mut fell_back = token.as_ref().is_some_and(|t| t.fell_back);
    let after = token.as_ref().map(|t| &t.cursor);
    let run = |typos: bool| {
        let parts = parts.iter().map(|part| MatchPart::new(part, typos)).collect();
        let matcher = Matcher { scope: &scope, anchor: query.anchor, parts, context };
        // One row more than the page tells whether another page follows.
        Search { snapshot, query, matcher, after, count: size + 1, context }.run()
    };
    let mut found = run(fell_back || query.typos == Typos::Always)?;
    if found.rows.is_empty() && found.total == 0 && token.is_none() && query.typos == Typos::Fallback {
        found = run(true)?;
        fell_back = !found.rows.is_empty();
    }
    let more = found.rows.len() > size;
    found.rows.truncate(size);
    let next_token = match found.rows.last() {
        Some(last) if more => page::encode(&Token { fell_back, cursor: last.clone() }, context, &hash),
        _ => String::new(),
    };
    let uris = found.rows.into_iter().map(|row| String::from_utf8_lossy(&row.uri).into_owned()).collect();
    Ok(Hits { uris, total: (!query.without_total).then_some(found.total), next_token, fell_back })
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    query: &'a Query,
    matcher: Matcher<'a>,
    after: Option<&'a Cursor>,
    count: usize,
    context: &'a Context<'a>,
}

struct Found {
    rows: Vec<Cursor>,
    /// Matching documents seen; all of them unless the search could stop early.
    total: u64,
}

impl Search<'_> {
    fn run(&self) -> Result<Found> {
        // Words near a word are looked up for the whole segment at once: windows would repeat that.
        let early = self.query.without_total && self.query.sort.is_empty() && !self.matcher.is_tolerant();
        let mut parts = Vec::with_capacity(self.snapshot.parts.len());
        let mut total = 0;
        for part in &self.snapshot.parts {
            let docs = if early { self.first_hits(part)? } else { self.hits(part, 0, part.segment.len())? };
            total += docs.len();
            self.context.afford(docs.serialized_size())?;
            parts.push(PartHits { segment: &part.segment, docs });
        }
        let rows = sort::page(&parts, &self.query.sort, self.after, self.count, self.context)?;
        Ok(Found { rows, total })
    }

    /// The live matching documents in `from..to`.
    fn hits(&self, part: &Part, from: u32, to: u32) -> Result<RoaringBitmap> {
        let mut docs = self.matcher.documents(&part.segment, from..to)?;
        if !part.deleted.is_empty() {
            docs -= part.deleted.as_ref();
        }
        Ok(docs)
    }

    /// At least the first page of a part in URI order, looking at growing windows until it is full.
    fn first_hits(&self, part: &Part) -> Result<RoaringBitmap> {
        let len = part.segment.len();
        let mut from = match self.after {
            None => 0,
            Some(after) => part.segment.uris()?.find(&after.uri)?.map_or_else(|at| at, |at| at + 1) as u32,
        };
        let mut docs = RoaringBitmap::new();
        let mut window = FIRST_WINDOW;
        while from < len && docs.len() < self.count as u64 {
            let to = from.saturating_add(window).min(len);
            docs |= self.hits(part, from, to)?;
            from = to;
            window = window.saturating_mul(4);
        }
        Ok(docs)
    }
}
