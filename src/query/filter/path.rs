//! Conditions on `URI` and `Filename`, and on members that follow from the URI.

use super::operand::{holds, successor, tokens};
use super::{Leaf, keep_each};
use crate::error::Result;
use crate::index::text::fold;
use crate::index::{ColumnId, DocId, Origin, Paths, Segment, folder_len};
use crate::model::Anchor;
use crate::model::FieldId;
use crate::model::field::FILENAME;
use crate::model::query::{Comparison, Test};
use crate::query::guard::{Context, Derived};
use crate::query::path::PathSearch;
use crate::query::scope::PathScope;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Documents are ordered by URI: a condition on it is a range of them.
pub(crate) struct UriLeaf {
    docs: Range<u32>,
}

impl UriLeaf {
    pub(crate) fn new(segment: &Segment, test: &Test) -> Result<UriLeaf> {
        let all = segment.len();
        let docs = match test {
            Test::Text(comparison, uri) => {
                let (at, equal) = match segment.uris()?.find(uri.as_bytes())? {
                    Ok(at) => (at as u32, 1),
                    Err(at) => (at as u32, 0),
                };
                match comparison {
                    Comparison::Eq => at..at + equal,
                    Comparison::Gt => at + equal..all,
                    Comparison::Gte => at..all,
                    Comparison::Lt => 0..at,
                    Comparison::Lte => 0..at + equal,
                }
            }
            Test::Prefix(prefix) => {
                let find =
                    |text: &[u8]| -> Result<u32> { Ok(segment.uris()?.find(text)?.unwrap_or_else(|at| at) as u32) };
                let end = successor(prefix.as_bytes()).map_or(Ok(all), |next| find(&next))?;
                find(prefix.as_bytes())?..end
            }
            Test::Exists => 0..all,
            Test::Phrase(_) | Test::Number(..) | Test::Time(..) | Test::Within(_) => 0..0,
        };
        Ok(UriLeaf { docs })
    }
}

impl Leaf for UriLeaf {
    fn estimate(&self) -> u64 {
        self.docs.len() as u64
    }

    fn find_ns(&self) -> u64 {
        1000
    }

    fn look_ns(&self) -> u64 {
        2
    }

    fn find(&self, docs: &Range<u32>, _: &Context<'_>) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        found.insert_range(self.docs.start.max(docs.start)..self.docs.end.min(docs.end));
        Ok(found)
    }

    fn keep(&self, among: &RoaringBitmap, _: &Context<'_>) -> Result<RoaringBitmap> {
        let mut kept = among.clone();
        kept.remove_range(..self.docs.start);
        kept.remove_range(self.docs.end..);
        Ok(kept)
    }
}

/// `Filename`: the end of the URI where it is that, else the column.
pub(crate) fn filename(segment: &Segment, paths: &Paths<'_>, doc: u32) -> Result<Option<Vec<u8>>> {
    let uri = || segment.uris()?.get(doc as usize);
    Ok(match paths.filename_at(paths.run_of(doc as usize)) {
        Origin::At(at) => uri()?.get(at..).map(<[u8]>::to_vec),
        Origin::Name => uri().map(|uri| uri.get(folder_len(&uri)..).map(<[u8]>::to_vec))?,
        Origin::Nowhere => segment.keys(ColumnId::of(FILENAME))?.and_then(|k| k.get(doc as usize).map(|v| v.to_vec())),
    })
}

/// A condition on `Filename`: folded text narrows, the name itself decides.
pub(crate) struct FilenameLeaf<'a> {
    segment: &'a Segment,
    paths: Paths<'a>,
    test: Test,
    /// Folded text that every name with the value contains, and where.
    narrow: Option<(String, Anchor)>,
}

impl<'a> FilenameLeaf<'a> {
    pub(crate) fn new(segment: &'a Segment, test: &Test) -> Result<FilenameLeaf<'a>> {
        let narrow = match test {
            Test::Text(Comparison::Eq, name) => Some((fold(name).into_owned(), Anchor::Whole)),
            Test::Prefix(prefix) => Some((fold(closed(prefix)).into_owned(), Anchor::Start)),
            Test::Phrase(phrase) => {
                let folded = fold(phrase);
                tokens(&folded).into_iter().max_by_key(|t| t.len()).map(|t| (t.to_owned(), Anchor::None))
            }
            _ => None,
        };
        let narrow = narrow.filter(|(text, _)| !text.is_empty());
        Ok(FilenameLeaf { segment, paths: segment.paths()?, test: test.clone(), narrow })
    }

    fn fits(&self, doc: u32) -> Result<bool> {
        if matches!(self.test, Test::Exists) {
            // The column is asked only where the name is no part of the URI.
            if self.paths.filename_at(self.paths.run_of(doc as usize)) != Origin::Nowhere {
                return Ok(true);
            }
        }
        Ok(filename(self.segment, &self.paths, doc)?.is_some_and(|name| holds(&self.test, &name, true)))
    }

    fn all(&self, docs: &Range<u32>) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(docs.clone());
        all
    }

    fn candidates(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let Some((text, anchor)) = &self.narrow else { return Ok(self.all(docs)) };
        let search = PathSearch::new(self.segment, PathScope::Filename, docs.clone(), context)?;
        let mut found = search.containing(text, *anchor, None)?;
        // Names that are no part of their URI are few, if any: they are looked at.
        if let Some(ordinals) = self.segment.keys(ColumnId::of(FILENAME))?.and_then(|keys| keys.ordinals()) {
            for doc in docs.clone().filter(|doc| ordinals.get(*doc as usize) != 0) {
                found.insert(doc);
            }
        }
        Ok(found)
    }
}

/// The longest beginning of a prefix whose folded form is a beginning of the folded value, whatever follows: text
/// before an ASCII letter or digit, with which nothing before it composes.
fn closed(prefix: &str) -> &str {
    let end = prefix.bytes().rposition(|b| b.is_ascii_alphanumeric()).unwrap_or(0);
    prefix.get(..end).unwrap_or("")
}

impl Leaf for FilenameLeaf<'_> {
    fn estimate(&self) -> u64 {
        let Some((text, anchor)) = &self.narrow else { return u64::from(self.segment.len()) };
        let estimate = self.segment.names().and_then(|names| names.estimate(text, *anchor));
        estimate.map_or(u64::from(self.segment.len()), |n| n as u64)
    }

    fn find_ns(&self) -> u64 {
        20_000 + self.estimate() * self.look_ns() / 8
    }

    fn look_ns(&self) -> u64 {
        200
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        self.keep(&self.candidates(docs, context)?, context)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| self.fits(doc))
    }
}

/// A condition on a member that follows from the URI (`ObjectId`): every document is looked at.
pub(crate) struct DerivedLeaf<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) derived: &'a dyn Derived,
    pub(crate) field: FieldId,
    pub(crate) test: Test,
}

impl Leaf for DerivedLeaf<'_> {
    fn estimate(&self) -> u64 {
        if matches!(self.test, Test::Text(Comparison::Eq, _)) { 1 } else { u64::from(self.segment.len()) }
    }

    fn find_ns(&self) -> u64 {
        u64::from(self.segment.len()) * self.look_ns()
    }

    fn look_ns(&self) -> u64 {
        500
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let mut all = RoaringBitmap::new();
        all.insert_range(docs.clone());
        self.keep(&all, context)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| {
            let value = self.derived.of(self.field, &self.segment.uri(DocId(doc))?);
            Ok(value.is_some_and(|value| holds(&self.test, value.as_bytes(), true)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::closed;

    #[test]
    fn prefixes_are_cut_where_nothing_composes() {
        assert_eq!(closed("IMG_20"), "IMG_2");
        assert_eq!(closed("a"), "");
        assert_eq!(closed("\u{1112}\u{1161}"), "");
        assert_eq!(closed("\u{1112}\u{1161}x\u{1112}"), "\u{1112}\u{1161}");
    }
}
