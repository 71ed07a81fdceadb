//! SemanticQuery by points: pictures that show what a sentence says, where model packs give points of both in one space.
//!
//! First come the pictures that are near enough, the nearest first, then those that have the sentence's labels and are not, the newest first. What
//! it says of time and place holds for all.

use super::{Meaning, nothing};
use crate::analyze::embedding::least_product;
use crate::analyze::{Embedding, TextPoint};
use crate::engine::dataset::Dataset;
use crate::engine::points::{Near, Question};
use crate::engine::scenes;
use crate::engine::search::Answer;
use crate::engine::view::Sight;
use crate::error::{Error, Result};
use crate::model::query::MAX_PAGE;
use crate::model::{Condition, FieldId, FieldPath, Filter, Order, Page, Query, SortKey, Value, field};
use crate::query::Seal;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Instant;

/// Near pictures that are looked for together.
const TOGETHER: usize = 1000;
/// Of those that are compared with time, place and media together: a query has a hundred conditions at most.
const CHECKED: usize = 64;
/// Files of a page where no number is given.
const PAGE: usize = 100;
/// First byte of a token that ends among near pictures.
const NEAR: u8 = 1;
/// First byte of a token that ends among files with labels.
const LABELLED: u8 = 2;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Near(Option<Near>),
    /// With the token of the query for labels.
    Labelled(String),
}

/// A sentence that is being answered.
pub(super) struct Pictured<'d> {
    pub(super) dataset: &'d Dataset,
    pub(super) meaning: Meaning,
    pub(super) media: &'d [String],
    pub(super) point: TextPoint,
}

impl<'d> Pictured<'d> {
    /// A page of files.
    pub(super) fn page(&self, sentence: &str, page: &Page, fields: &[FieldId]) -> Result<Answer> {
        let begun = Instant::now();
        let size = match page.max_results {
            0 => PAGE,
            size if size <= MAX_PAGE => size,
            size => return Err(Error::invalid(format!("MaxResults: expected at most {MAX_PAGE}, got {size}"))),
        };
        let inner = self.dataset.inner();
        let identity = identity(sentence, self.media, &self.point.embedding);
        let seal = Seal { key: &inner.token_key, dataset: self.dataset.space.id.0, query: identity };
        let begin = if page.token.is_empty() { Place::Near(None) } else { decode(&seal, &page.token)? };
        let mut sight = Sight::take(inner, &self.dataset.space)?;
        let mut uris = Vec::new();
        let mut place = Some(begin);
        while let Some(at) = place.take() {
            if uris.len() == size {
                place = Some(at);
                break;
            }
            place = match at {
                Place::Near(after) => self.near(&mut sight, after, size, &mut uris)?,
                Place::Labelled(token) => self.labelled(&sight, token, size, &mut uris)?,
            };
        }
        let files = self.read(&sight, &uris, fields)?;
        let next_token = place.map(|place| encode(&seal, &place)).unwrap_or_default();
        Ok(Answer {
            files,
            total: None,
            next_token,
            fell_back: false,
            aggregates: Vec::new(),
            elapsed: begun.elapsed(),
        })
    }

    /// Adds near pictures; answers where to go on.
    fn near(
        &self,
        sight: &mut Sight<'d>,
        mut after: Option<Near>,
        size: usize,
        uris: &mut Vec<String>,
    ) -> Result<Option<Place>> {
        let least = least_product(self.point.threshold);
        loop {
            let question = Question { point: &self.point.embedding, least, after: after.as_ref(), most: TOGETHER };
            let found = self.dataset.nearest(sight, &question)?;
            let (whole, count) = (found.len() < TOGETHER, found.len());
            let mut seen = 0;
            for chunk in found.chunks(CHECKED) {
                let fit = self.fitting(chunk)?;
                for near in chunk {
                    seen += 1;
                    if fit.as_ref().is_none_or(|fit| fit.contains(&*near.uri)) {
                        uris.push(near.uri.to_string());
                    }
                    if uris.len() == size && !(whole && seen == count) {
                        return Ok(Some(Place::Near(Some(near.clone()))));
                    }
                }
            }
            after = found.last().cloned().or(after);
            if whole {
                return Ok((!self.meaning.labels.is_empty()).then(|| Place::Labelled(String::new())));
            }
        }
    }

    /// Those of some pictures that are of the media, time and place that are asked for; `None` where all are.
    fn fitting(&self, found: &[Near]) -> Result<Option<BTreeSet<String>>> {
        let Filter::And(mut all) = Meaning { labels: Vec::new(), ..self.meaning.clone() }.filter(self.media)? else {
            return Ok(None);
        };
        if all.is_empty() || found.is_empty() {
            return Ok(None);
        }
        let uri = |near: &Near| Condition::parse("URI", "eq", &near.uri).map(Filter::Is);
        all.push(Filter::Or(found.iter().map(uri).collect::<Result<_>>()?));
        let mut query = Query { filter: Some(Filter::And(all)), without_total: true, ..Query::default() };
        let mut fit = BTreeSet::new();
        query.page.max_results = MAX_PAGE;
        loop {
            let hits = self.dataset.search_uris(&query, None)?;
            fit.extend(hits.uris);
            if hits.next_token.is_empty() {
                return Ok(Some(fit));
            }
            query.page.token = hits.next_token;
        }
    }

    /// Adds files with the labels that are not near; answers where to go on.
    fn labelled(
        &self,
        sight: &Sight<'_>,
        mut token: String,
        size: usize,
        uris: &mut Vec<String>,
    ) -> Result<Option<Place>> {
        let least = least_product(self.point.threshold);
        let filter = if self.meaning.is_empty() { nothing()? } else { self.meaning.filter(self.media)? };
        let sort = vec![SortKey { field: FieldPath::from(field::PRODUCE_TIME), order: Order::Desc }];
        let mut query = Query { filter: Some(filter), sort, without_total: true, ..Query::default() };
        while uris.len() < size {
            query.page = Page { max_results: size - uris.len(), token };
            let hits = self.dataset.search_uris(&query, None)?;
            for uri in hits.uris {
                let product = self.dataset.product_with(&sight.reader, &uri, &self.point.embedding)?;
                if product.is_none_or(|product| product < least) {
                    uris.push(uri);
                }
            }
            token = hits.next_token;
            if token.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(Place::Labelled(token)))
    }

    fn read(&self, sight: &Sight<'_>, uris: &[String], fields: &[FieldId]) -> Result<Vec<crate::model::File>> {
        let least = least_product(self.point.threshold);
        let tells = fields.is_empty() || fields.contains(&field::SEMANTIC_TYPES);
        let mut files = Vec::with_capacity(uris.len());
        self.dataset.read(&sight.reader, uris, fields, |at, file| {
            // One that was deleted meanwhile is not there.
            let Some((mut file, uri)) = file.zip(uris.get(at)) else { return Ok(()) };
            let product = self.dataset.product_with(&sight.reader, uri, &self.point.embedding)?;
            if tells && product.is_some_and(|product| product >= least) {
                file.set(field::SEMANTIC_TYPES, Value::Json("[\"content\"]".into()));
            }
            files.push(file);
            Ok(())
        })?;
        scenes::keep_labels(&self.meaning.labels, &mut files);
        Ok(files)
    }
}

/// What decides which files there are and in which order.
fn identity(sentence: &str, media: &[String], point: &Embedding) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in
        [&["SemanticQuery", sentence, &point.space][..], &media.iter().map(String::as_str).collect::<Vec<_>>()].concat()
    {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn encode(seal: &Seal<'_>, place: &Place) -> String {
    let mut body = Vec::new();
    match place {
        Place::Near(near) => {
            body.push(NEAR);
            let (product, uri) = near.as_ref().map_or((i32::MAX, ""), |near| (near.product, &*near.uri));
            body.extend_from_slice(&product.to_le_bytes());
            body.extend_from_slice(uri.as_bytes());
        }
        Place::Labelled(token) => {
            body.push(LABELLED);
            body.extend_from_slice(token.as_bytes());
        }
    }
    seal.token(body)
}

fn decode(seal: &Seal<'_>, token: &str) -> Result<Place> {
    seal.open(token, |body| {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match body.split_first()? {
            (&NEAR, rest) => {
                let (product, uri) = rest.split_first_chunk::<4>()?;
                Some(Place::Near(Some(Near { product: i32::from_le_bytes(*product), uri: text(uri)?.into() })))
            }
            (&LABELLED, rest) => Some(Place::Labelled(text(rest)?)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Vector;

    #[test]
    fn tokens_belong_to_their_sentence() {
        let point = |space: &str| Embedding { space: space.to_owned(), vector: Vector::of(&[1.0, 0.0]).unwrap() };
        let of = |sentence: &str, media: &[&str], space: &str| {
            let media: Vec<String> = media.iter().map(|m| (*m).to_owned()).collect();
            identity(sentence, &media, &point(space))
        };
        let seal = |query| Seal { key: &[7; 32], dataset: 3, query };
        let whole = of("sea", &["image"], "s");
        let near = Near { product: -5, uri: "oss://b/k".into() };
        for place in [Place::Near(Some(near)), Place::Labelled("inner".into()), Place::Labelled(String::new())] {
            let token = encode(&seal(whole), &place);
            assert_eq!(decode(&seal(whole), &token).unwrap(), place);
            for other in [of("se", &["aimage"], "s"), of("sea", &["image", ""], "s"), of("sea", &["image"], "t")] {
                assert!(decode(&seal(other), &token).is_err());
            }
            assert!(decode(&seal(whole), &token[1..]).unwrap_err().message().starts_with("NextToken"));
        }
    }
}
