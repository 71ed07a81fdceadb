//! The read walk: a query over one view, and the documents of its page.

use super::dataset::Dataset;
use super::view::Sight;
use super::{scenes, seal};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{File, Query};
use crate::query::{self, Aggregate, Context, Explanation, Hits};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// One page of results.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Documents in order, with the members that the query asked for.
    pub files: Vec<File>,
    /// Exact number of matching documents on all pages; `None` where the query left it out.
    pub total: Option<u64>,
    /// Asks for the next page; empty when this is the last.
    pub next_token: String,
    /// Nothing matched as written: these are matches with typos.
    pub fell_back: bool,
    /// What was to be computed, in the order of the query.
    pub aggregates: Vec<Aggregate>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Dataset {
    /// A page of the files that a query finds, or what it computes over all of them.
    pub fn search(&self, query: &Query) -> Result<Answer> {
        self.search_cancellable(query, None)
    }

    /// As [`Dataset::search`]; ends with [`ErrorKind::Cancelled`] soon after `cancel` is set.
    pub fn search_cancellable(&self, query: &Query, cancel: Option<&AtomicBool>) -> Result<Answer> {
        let mut answer = self.found(query, cancel)?;
        scenes::narrow(query, &mut answer.files);
        Ok(answer)
    }

    /// A page of files with all their scenes.
    pub(super) fn search_whole(&self, query: &Query) -> Result<Answer> {
        self.found(query, None)
    }

    fn found(&self, query: &Query, cancel: Option<&AtomicBool>) -> Result<Answer> {
        let begun = Instant::now();
        let answered = || -> Result<Answer> {
            let sight = Sight::take(self.inner(), &self.space)?;
            let hits = self.hits(&sight, query, cancel)?;
            let mut files = Vec::with_capacity(hits.uris.len());
            self.read(&sight.reader, &hits.uris, &query.with_fields, |at, file| {
                let uri = hits.uris.get(at).map_or("", String::as_str);
                files.push(file.ok_or_else(|| without_record(uri))?);
                Ok(())
            })?;
            let Hits { total, next_token, fell_back, aggregates, .. } = hits;
            Ok(Answer { files, total, next_token, fell_back, aggregates, elapsed: begun.elapsed() })
        };
        answered().map_err(|e| e.during("search"))
    }

    /// The URIs of the files alone, without reading records.
    pub fn search_uris(&self, query: &Query, cancel: Option<&AtomicBool>) -> Result<Hits> {
        let found = || -> Result<Hits> {
            let sight = Sight::take(self.inner(), &self.space)?;
            self.hits(&sight, query, cancel)
        };
        found().map_err(|e| e.during("search"))
    }

    /// Runs a query and tells how: the plan with estimated and actual numbers of files, and times.
    pub fn explain(&self, query: &Query) -> Result<(Hits, Explanation)> {
        let explained = || -> Result<(Hits, Explanation)> {
            let sight = Sight::take(self.inner(), &self.space)?;
            self.asked(None, |context| query::explain(&sight.view.index, query, context))
        };
        explained().map_err(|e| e.during("explain"))
    }

    fn hits(&self, sight: &Sight<'_>, query: &Query, cancel: Option<&AtomicBool>) -> Result<Hits> {
        self.asked(cancel, |context| query::search(&sight.view.index, query, context))
    }

    /// Asks the index something under the limits of this database; a damaged segment is rebuilt in the background.
    fn asked<T>(&self, cancel: Option<&AtomicBool>, ask: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        let inner = self.inner();
        let context = Context {
            deadline: inner.options.query_deadline.and_then(|limit| Instant::now().checked_add(limit)),
            budget_bytes: inner.options.query_budget_bytes,
            cancel,
            derived: Some(self.place.as_ref()),
            threads: usize::from(inner.options.query_threads),
            ..Context::new(&inner.token_key, self.space.id.0)
        };
        ask(&context).inspect_err(|e| {
            seal::damaged(&self.space, e);
            if e.kind() == ErrorKind::Corrupted {
                inner.background.ask(&self.space);
            }
        })
    }
}

fn without_record(uri: &str) -> Error {
    Error::corrupted(format!("the index names {uri}, which has no record; a rebuild of the index puts this right"))
}
