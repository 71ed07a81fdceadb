//! One page of what a query finds, or what is to be computed over all of it.

use super::aggregate::{self, Aggregate};
use super::explain::{self, Explanation};
use super::filter::{Compiler, Evaluation, Node, Plan, Told, plan};
use super::guard::Context;
use super::matching::{MatchPart, Matcher};
use super::page::{self, Token};
use super::scope::Scope;
use super::sort::{self, Cursor, PartHits};
use super::text;
use crate::error::{Error, ErrorKind, Result};
use crate::index::{Part, Snapshot};
use crate::model::query::{MAX_GROUPS, MAX_PAGE};
use crate::model::{Anchor, FieldId, Filter, Query, Typos};
use roaring::RoaringBitmap;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Documents of the first window of a search that stops early.
const FIRST_WINDOW: u32 = 16 << 10;
/// Each further window is so many times as long as the one before.
const GROWTH: u32 = 16;
/// A window should have so many times the hits of a page: estimates are mostly too high.
const WANTED: u64 = 4;
/// Segments are evaluated by several threads where one would take longer than this; a thread costs some 30 us.
const WORTH_THREADS_NS: u64 = 3_000_000;

/// One page of results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hits {
    /// The files, in order.
    pub uris: Vec<String>,
    /// Exact number of matching files on all pages; `None` where the query asked to leave it out.
    pub total: Option<u64>,
    /// Asks for the next page; empty when this is the last.
    pub next_token: String,
    /// Nothing matched as written: these are matches with typos.
    pub fell_back: bool,
    /// What was to be computed, in the order of the query.
    pub aggregates: Vec<Aggregate>,
}

/// Runs a query over a snapshot.
pub fn search(snapshot: &Snapshot, query: &Query, context: &Context<'_>) -> Result<Hits> {
    Ok(run(snapshot, query, context, false)?.0)
}

/// Runs a query and tells how: the plan with estimated and actual numbers of files, and times.
pub fn explain(snapshot: &Snapshot, query: &Query, context: &Context<'_>) -> Result<(Hits, Explanation)> {
    run(snapshot, query, context, true)
}

/// A text, parsed, with where it is looked for.
struct Text {
    parts: Vec<text::Part>,
    scope: Scope,
    anchor: Anchor,
}

impl Text {
    fn new(text: &str, search_in: &[FieldId], anchor: Anchor) -> Result<Text> {
        Ok(Text { parts: text::parse(text)?, scope: Scope::of(search_in, anchor)?, anchor })
    }

    fn matcher<'a>(&'a self, typos: bool, context: &'a Context<'a>) -> Matcher<'a> {
        let parts = self.parts.iter().map(|part| MatchPart::new(part, typos)).collect();
        Matcher { scope: &self.scope, anchor: self.anchor, parts, context }
    }
}

/// The texts of a filter in the order in which they stand.
fn texts(filter: &Filter, found: &mut Vec<Text>) -> Result<()> {
    match filter {
        Filter::And(of) | Filter::Or(of) | Filter::Not(of) | Filter::Nested(_, of) => {
            of.iter().try_for_each(|filter| texts(filter, found))
        }
        Filter::Text(text) => {
            found.push(Text::new(&text.text, &text.search_in, text.anchor)?);
            Ok(())
        }
        Filter::Is(_) => Ok(()),
    }
}

fn run(snapshot: &Snapshot, query: &Query, context: &Context<'_>, tell: bool) -> Result<(Hits, Explanation)> {
    query.check()?;
    let text = (!query.text.is_empty()).then(|| Text::new(&query.text, &query.search_in, query.anchor)).transpose()?;
    let mut filter_texts = Vec::new();
    query.filter.as_ref().map_or(Ok(()), |filter| texts(filter, &mut filter_texts))?;
    let filter_matchers: Vec<Matcher<'_>> = filter_texts.iter().map(|text| text.matcher(false, context)).collect();
    let hash = page::query_hash(query);
    let token = match query.page.token.as_str() {
        "" => None,
        token => Some(page::decode(token, context, &hash)?),
    };
    let mut fell_back = token.as_ref().is_some_and(|t| t.fell_back);
    let after = token.as_ref().map(|t| &t.cursor);
    let size = query.page.size(if query.aggregations.is_empty() { MAX_PAGE } else { MAX_GROUPS })?;
    let found = |typos: bool| {
        let matcher = text.as_ref().map(|text| text.matcher(typos, context));
        let tolerant = matcher.iter().chain(&filter_matchers).any(Matcher::is_tolerant);
        let plan = plan(matcher.as_ref(), query.filter.as_ref(), &filter_matchers);
        Search { snapshot, query, plan: &plan, tolerant, after, size, context, tell }.run()
    };
    let mut result = found(fell_back || query.typos == Typos::Always)?;
    let may_fall_back = text.is_some() && token.is_none() && query.typos == Typos::Fallback;
    if result.total == 0 && may_fall_back {
        result = found(true)?;
        fell_back = result.total > 0;
    }
    let more = result.rows.len() > size;
    result.rows.truncate(size);
    let next_token = match result.rows.last() {
        Some(last) if more => page::encode(&Token { fell_back, cursor: last.clone() }, context, &hash),
        _ => String::new(),
    };
    let uris = result.rows.into_iter().map(|row| String::from_utf8_lossy(&row.uri).into_owned()).collect();
    let total = (!query.without_total).then_some(result.total);
    Ok((Hits { uris, total, next_token, fell_back, aggregates: result.aggregates }, result.explanation))
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    query: &'a Query,
    plan: &'a Plan<'a>,
    tolerant: bool,
    after: Option<&'a Cursor>,
    size: usize,
    context: &'a Context<'a>,
    tell: bool,
}

struct Found {
    rows: Vec<Cursor>,
    /// Matching documents seen; all of them unless the search could stop early.
    total: u64,
    aggregates: Vec<Aggregate>,
    explanation: Explanation,
}

/// The hits of one segment, and what each node of the plan did.
type SegmentHits = (RoaringBitmap, Vec<Told>);

impl Search<'_> {
    fn run(&self) -> Result<Found> {
        let mut clock = explain::Clock::new(self.tell);
        let (mut parts, mut told) = (Vec::with_capacity(self.snapshot.parts.len()), Vec::new());
        let mut total = 0;
        for (part, found) in self.snapshot.parts.iter().zip(self.segments()?) {
            let (docs, steps) = found;
            total += docs.len();
            explain::add_up(&mut told, steps);
            let (whole, past) = (part.deleted.is_empty(), self.stops_early());
            parts.push(PartHits { segment: &part.segment, docs, whole, past });
        }
        clock.lap("find");
        let aggregates = aggregate::all(self.snapshot, &parts, &self.query.aggregations, self.size, self.context)?;
        // One row more than the page tells whether another page follows.
        let rows = match self.query.aggregations.is_empty() {
            true => sort::page(&parts, &self.query.sort, self.after, self.size + 1, self.context)?,
            false => Vec::new(),
        };
        clock.lap(if aggregates.is_empty() { "order" } else { "aggregate" });
        let explanation = if self.tell { clock.explanation(self.plan, &told) } else { Explanation::default() };
        Ok(Found { rows, total, aggregates, explanation })
    }

    /// Whether a page in URI order can be told from the first matches alone. Words near a word are looked up for a
    /// whole segment at once: windows would repeat that.
    fn stops_early(&self) -> bool {
        let ordered = self.query.sort.is_empty() && self.query.aggregations.is_empty();
        self.query.without_total && ordered && !self.tolerant
    }

    /// The hits of each segment, found by several threads where that pays.
    fn segments(&self) -> Result<Vec<SegmentHits>> {
        let parts = &self.snapshot.parts;
        let mut ready = Vec::with_capacity(parts.len());
        for part in parts {
            let compiler = Compiler { segment: &part.segment, context: self.context };
            ready.push((part, compiler.node(self.plan)?));
        }
        let work = ready.iter().fold(0u64, |work, (_, node)| work.saturating_add(node.find_ns()));
        let threads = self.context.threads.min(parts.len());
        let found = if threads < 2 || self.stops_early() || work <= WORTH_THREADS_NS {
            ready.iter().map(|(part, node)| self.segment(part, node)).collect::<Result<Vec<_>>>()?
        } else {
            self.by_threads(&ready, threads)?
        };
        self.context.afford(found.iter().map(|(docs, _)| docs.serialized_size()).sum())?;
        Ok(found)
    }

    /// Each thread takes the next segment that none has taken.
    fn by_threads(&self, ready: &[(&Part, Node<'_>)], threads: usize) -> Result<Vec<SegmentHits>> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, SegmentHits)>> {
            let mut found = Vec::new();
            while let at = next.fetch_add(1, Ordering::Relaxed)
                && let Some((part, node)) = ready.get(at)
            {
                found.push((at, self.segment(part, node)?));
            }
            Ok(found)
        };
        let mut found = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut found = work()?;
            for other in others {
                let died = |_| Error::new(ErrorKind::Internal, "a thread of the query panicked");
                found.extend(other.join().map_err(died)??);
            }
            Ok::<_, Error>(found)
        })?;
        found.sort_unstable_by_key(|(at, _)| *at);
        Ok(found.into_iter().map(|(_, hits)| hits).collect())
    }

    fn segment(&self, part: &Part, node: &Node<'_>) -> Result<SegmentHits> {
        let told = RefCell::new(Vec::new());
        let evaluation = Evaluation::new(self.context, part.segment.len(), self.tell.then_some(&told));
        let live = |docs: Range<u32>| -> Result<RoaringBitmap> {
            let mut found = evaluation.find(node, &docs)?;
            if !part.deleted.is_empty() {
                found -= part.deleted.as_ref();
            }
            Ok(found)
        };
        let docs = if self.stops_early() { self.first_hits(part, node, live)? } else { live(0..part.segment.len())? };
        Ok((docs, told.take()))
    }

    /// At least the first page of a part in URI order, looking at growing windows until it is full.
    fn first_hits(
        &self,
        part: &Part,
        node: &Node<'_>,
        live: impl Fn(Range<u32>) -> Result<RoaringBitmap>,
    ) -> Result<RoaringBitmap> {
        let len = part.segment.len();
        let mut from = match self.after {
            None => 0,
            Some(after) => part.segment.uris()?.find(&after.uri)?.map_or_else(|at| at, |at| at + 1) as u32,
        };
        let mut docs = RoaringBitmap::new();
        // What is rare fills no page before the end: then one window is less work than several.
        let enough = u64::from(len).saturating_mul(WANTED * self.size as u64) / node.estimate(len).max(1);
        let mut window = FIRST_WINDOW.max(u32::try_from(enough).unwrap_or(u32::MAX));
        while from < len && docs.len() <= self.size as u64 {
            let mut to = from.saturating_add(window).min(len);
            window = window.saturating_mul(GROWTH);
            // A short rest is not worth another look.
            if len - to < window / GROWTH {
                to = len;
            }
            docs |= live(from..to)?;
            from = to;
        }
        Ok(docs)
    }
}
