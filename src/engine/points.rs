//! Pictures by what they show: the points of a dataset's pictures, and those that are nearest to a sentence.
//!
//! The search is exact: every point is compared. Points are kept in memory between two changes of the dataset where they fit a part of its
//! budget; else they are read from the records for each question.

use super::dataset::Dataset;
use super::sync::lock;
use super::view::{Sight, scan_files};
use crate::analyze::Embedding;
use crate::analyze::embedding::product;
use crate::error::{Error, ErrorKind, Result};
use crate::model::field;
use crate::store::{Reader, Record};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

/// Part of the memory budget that the points of one dataset may take: one of so many.
const SHARE: u64 = 4;
/// Records between two looks at the time.
const LOOK: u64 = 1024;

/// A picture near a sentence: the greatest product first, then by URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) product: i32,
    pub(super) uri: Box<str>,
}

impl Ord for Near {
    /// The first in the order of answers is the least.
    fn cmp(&self, other: &Near) -> std::cmp::Ordering {
        other.product.cmp(&self.product).then_with(|| self.uri.cmp(&other.uri))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Near) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Which pictures are asked for.
#[derive(Debug)]
pub(super) struct Question<'q> {
    pub(super) point: &'q Embedding,
    /// Least product.
    pub(super) least: i32,
    /// The one before the first, or none.
    pub(super) after: Option<&'q Near>,
    /// How many at most.
    pub(super) most: usize,
}

/// The points of a dataset in memory, at one commit.
#[derive(Debug, Default)]
pub(super) struct Kept {
    commit: u64,
    space: String,
    /// Numbers of a point.
    size: usize,
    numbers: Vec<i16>,
    /// All URIs one behind the other, and where each ends.
    uris: String,
    ends: Vec<usize>,
}

impl Kept {
    fn bytes(&self) -> u64 {
        (self.numbers.len() * 2 + self.uris.len() + self.ends.len() * 8) as u64
    }

    fn push(&mut self, uri: &str, numbers: &[i16]) {
        self.numbers.extend_from_slice(numbers);
        self.uris.push_str(uri);
        self.ends.push(self.uris.len());
    }

    fn each(&self) -> impl Iterator<Item = (&str, &[i16])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let uris = starts.zip(&self.ends).map(|(from, to)| self.uris.get(from..*to).unwrap_or(""));
        uris.zip(self.numbers.chunks_exact(self.size.max(1)))
    }
}

/// The first ones of a question.
struct Best<'q> {
    question: &'q Question<'q>,
    found: BinaryHeap<Near>,
}

impl Best<'_> {
    fn offer(&mut self, uri: &str, numbers: &[i16]) {
        let product = product(self.question.point.vector.numbers(), numbers);
        if product < self.question.least {
            return;
        }
        // Most are no better than what is there: these cost no copy.
        let full = self.found.len() >= self.question.most;
        if full
            && self
                .found
                .peek()
                .is_none_or(|worst| (-i64::from(product), uri) >= (-i64::from(worst.product), &worst.uri))
        {
            return;
        }
        let near = Near { product, uri: uri.into() };
        if self.question.after.is_none_or(|after| near > *after) {
            self.found.push(near);
            if self.found.len() > self.question.most {
                self.found.pop();
            }
        }
    }
}

impl Dataset {
    /// The pictures that are nearest, in order. `sight` is what is asked.
    pub(super) fn nearest(&self, sight: &Sight<'_>, question: &Question<'_>) -> Result<Vec<Near>> {
        let mut best = Best { question, found: BinaryHeap::new() };
        let kept = lock(&self.space.points).clone();
        let fits = |kept: &Arc<Kept>| kept.commit == sight.view.commit && kept.space == question.point.space;
        match kept.filter(fits) {
            Some(kept) => kept.each().for_each(|(uri, numbers)| best.offer(uri, numbers)),
            None => self.read_points(sight, &mut best)?,
        }
        Ok(best.found.into_sorted_vec())
    }

    /// Offers the points of all records, and keeps them where they are few enough.
    fn read_points(&self, sight: &Sight<'_>, best: &mut Best<'_>) -> Result<()> {
        let (inner, point) = (self.inner(), best.question.point);
        let most = inner.options.memory_bytes as u64 / SHARE;
        let deadline = inner.options.query_deadline.and_then(|limit| Instant::now().checked_add(limit));
        let size = point.vector.numbers().len();
        let fresh = Kept { commit: sight.view.commit, space: point.space.clone(), size, ..Kept::default() };
        let mut kept = Some(fresh);
        let mut seen = 0_u64;
        let mut rows = scan_files(&sight.reader, self.space.id, None)?;
        while let Some((key, value)) = rows.current()? {
            let uri = super::rebuild::uri_of(key)?;
            if let Some(found) = point_of(uri, value)?.filter(|found| is_comparable(found, point)) {
                best.offer(uri, found.vector.numbers());
                kept.iter_mut().for_each(|kept| kept.push(uri, found.vector.numbers()));
                kept = kept.filter(|kept| kept.bytes() <= most);
            }
            seen += 1;
            if seen.is_multiple_of(LOOK) && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Error::new(
                    ErrorKind::DeadlineExceeded,
                    "the points of the dataset could not be read in time",
                ));
            }
            rows.advance();
        }
        *lock(&self.space.points) = kept.map(Arc::new);
        Ok(())
    }

    /// The product of a file's point with another one; `None` where it has none in that space.
    pub(super) fn product_with(&self, reader: &Reader<'_>, uri: &str, point: &Embedding) -> Result<Option<i32>> {
        let bytes = reader.bytes(&crate::store::keys::file(self.space.id, uri))?;
        let found = bytes.map(|bytes| point_of(uri, &bytes)).transpose()?.flatten();
        let found = found.filter(|found| is_comparable(found, point));
        Ok(found.map(|found| product(found.vector.numbers(), point.vector.numbers())))
    }
}

fn point_of(uri: &str, record: &[u8]) -> Result<Option<Embedding>> {
    let record = Record::decode_fields(uri, record, &[field::IMAGE_EMBEDDING])?;
    Ok(record.members.text(field::IMAGE_EMBEDDING).and_then(Embedding::read))
}

fn is_comparable(a: &Embedding, b: &Embedding) -> bool {
    a.space == b.space && a.vector.numbers().len() == b.vector.numbers().len()
}
