//! Files that a query finds are read again, by the template that governs now.
//!
//! They go through the list of accepted work: what is handed in is done even if the process dies meanwhile.

use super::dataset::Dataset;
use super::indexer::Indexer;
use super::work::{IndexOrder, MAX_INDEX_FILES};
use crate::error::{Error, Result};
use crate::model::{File, Query, Uri};

/// What came of handing in a result set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reprocessed {
    /// Files that are read again.
    pub files: u64,
    /// Files that were found and lie in no bucket of the indexer: their documents stay as they are.
    pub elsewhere: u64,
}

impl Indexer {
    /// Hands in every file of the dataset that `query` finds in the indexer's buckets; members that callers gave (`CustomId`,
    /// `CustomLabels`) are kept. The query's order, page and aggregations must be empty.
    pub fn reprocess(&self, dataset: &Dataset, query: &Query) -> Result<Reprocessed> {
        let handed_in = || -> Result<Reprocessed> {
            if !query.sort.is_empty() || !query.aggregations.is_empty() || !query.page.token.is_empty() {
                return Err(Error::invalid("expected a query without order, page and aggregations"));
            }
            let mut query = Query { without_total: true, ..query.clone() };
            query.page.max_results = MAX_INDEX_FILES;
            let mut all = Reprocessed::default();
            loop {
                // In the order of URIs: documents that change meanwhile neither move nor come twice.
                let page = dataset.search_uris(&query, None)?;
                let found = page.uris.len() as u64;
                let files: Vec<File> = page.uris.into_iter().filter(|uri| self.reaches(uri)).map(File::new).collect();
                all.files += files.len() as u64;
                all.elsewhere += found - files.len() as u64;
                if !files.is_empty() {
                    dataset.index_files(files, &IndexOrder::default())?;
                }
                if page.next_token.is_empty() {
                    return Ok(all);
                }
                query.page.token = page.next_token;
            }
        };
        handed_in().map_err(|e| e.during("reprocess"))
    }

    /// Whether the address lies in one of its buckets.
    fn reaches(&self, uri: &str) -> bool {
        let uri = Uri::parse(uri).ok();
        let bucket = uri.as_ref().and_then(|uri| uri.bucket_and_key()).map(|(bucket, _)| bucket);
        bucket.is_some_and(|bucket| self.buckets().names().any(|name| name == bucket))
    }
}
