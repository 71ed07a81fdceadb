//! Folded text that remembers where it came from, so that a place in it can be shown in the original.
//!
//! Folding composes, decomposes and drops characters. A text is cut where no rule of it reaches across (in front of a
//! starter that composes with nothing before it: Unicode Standard Annex 15, NFC_Quick_Check), and piece by piece folded;
//! the pieces together are the folded whole, which a test holds against it.

use super::filter::{fold_case, tokens};
use crate::index::text::{fold, words};
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A folded text and the pieces that it was folded from.
pub(super) struct Traced<'a> {
    pub(super) folded: Cow<'a, str>,
    /// Where each piece begins in the folded and in the original text; empty if both are the same everywhere.
    pieces: Vec<(usize, usize)>,
    original_len: usize,
}

impl<'a> Traced<'a> {
    /// The text as all searches compare it.
    pub(super) fn folded(text: &'a str) -> Traced<'a> {
        if text.is_ascii() {
            return Traced { folded: fold(text), pieces: Vec::new(), original_len: text.len() };
        }
        let mut starts = text.char_indices().filter(|(at, c)| *at == 0 || is_apart(*c)).map(|(at, _)| at).peekable();
        let mut pieces = Vec::new();
        let mut folded = String::with_capacity(text.len());
        while let Some(start) = starts.next() {
            let end = starts.peek().copied().unwrap_or(text.len());
            pieces.push((folded.len(), start));
            folded.push_str(&fold(text.get(start..end).unwrap_or("")));
        }
        Traced { folded: Cow::Owned(folded), pieces, original_len: text.len() }
    }

    /// The text without case: full case folding looks at one character at a time.
    pub(super) fn caseless(text: &'a str) -> Traced<'a> {
        let mut pieces = Vec::new();
        let mut folded = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            pieces.push((folded.len(), at));
            folded.push_str(&fold_case(c.encode_utf8(&mut [0; 4])));
        }
        Traced { folded: Cow::Owned(folded), pieces, original_len: text.len() }
    }

    /// The text as it is.
    pub(super) fn verbatim(text: &'a str) -> Traced<'a> {
        Traced { folded: Cow::Borrowed(text), pieces: Vec::new(), original_len: text.len() }
    }

    /// The pieces of the original that a range of the folded text came from.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        if self.pieces.is_empty() {
            return range.clone();
        }
        let start = self.pieces.partition_point(|(folded, _)| *folded <= range.start).checked_sub(1);
        let start = start.and_then(|at| self.pieces.get(at)).map_or(0, |(_, original)| *original);
        let end = self.pieces.get(self.pieces.partition_point(|(folded, _)| *folded < range.end));
        start..end.map_or(self.original_len, |(_, original)| *original)
    }

    /// Where `pattern` occurs, overlapping itself or not (Knuth, Morris and Pratt, SIAM Journal on Computing 6, 1977).
    pub(super) fn occurrences(&self, pattern: &str) -> Vec<Range<usize>> {
        let (text, pattern) = (self.folded.as_bytes(), pattern.as_bytes());
        if pattern.is_empty() || pattern.len() > text.len() {
            return Vec::new();
        }
        let borders = borders(pattern);
        let mut found = Vec::new();
        let mut matched = 0;
        for (at, byte) in text.iter().enumerate() {
            matched = extended(pattern, &borders, matched, *byte);
            if matched == pattern.len() {
                found.push(at + 1 - matched..at + 1);
            }
        }
        found
    }

    /// The words of the folded text with their places.
    pub(super) fn words(&self) -> Vec<(Range<usize>, &str)> {
        self.placed(words(&self.folded))
    }

    /// The tokens of phrases with their places.
    pub(super) fn tokens(&self) -> Vec<(Range<usize>, &str)> {
        self.placed(tokens(&self.folded).into_iter())
    }

    /// Only separators stand between two of `pieces`, so that each is what is found next.
    fn placed<'t>(&'t self, pieces: impl Iterator<Item = &'t str>) -> Vec<(Range<usize>, &'t str)> {
        let mut from = 0;
        let place = |piece: &'t str| {
            let start = self.folded.get(from..).and_then(|rest| rest.find(piece)).map_or(from, |at| from + at);
            from = start + piece.len();
            (start..from, piece)
        };
        pieces.map(place).collect()
    }
}

/// Whether folding what stands before a character and folding the character do not touch each other.
fn is_apart(c: char) -> bool {
    let first = std::iter::once(c).nfkd().next().unwrap_or(c);
    c.is_ascii() || (canonical_combining_class(first) == 0 && is_nfc_quick(std::iter::once(first)) == IsNormalized::Yes)
}

/// For each prefix of a pattern, the length of the longest other prefix that it ends with.
fn borders(pattern: &[u8]) -> Vec<usize> {
    let mut borders = Vec::with_capacity(pattern.len());
    borders.push(0);
    let mut matched = 0;
    for byte in pattern.iter().skip(1) {
        matched = extended(pattern, &borders, matched, *byte);
        borders.push(matched);
    }
    borders
}

/// Length of the longest prefix that ends with `byte`, when the one that ended before it was `matched` long.
fn extended(pattern: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    loop {
        if pattern.get(matched) == Some(&byte) {
            return matched + 1;
        }
        if matched == 0 {
            return 0;
        }
        matched = borders.get(matched - 1).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Characters that folding composes, decomposes, reorders, widens or drops.
    fn awkward() -> impl Strategy<Value = String> {
        let c = prop::sample::select(vec![
            'a',
            'E',
            ' ',
            '\u{e9}',
            '\u{301}',
            '\u{327}',
            '\u{df}',
            '\u{1e9e}',
            '\u{130}',
            '\u{fb01}',
            '\u{ff21}',
            '\u{ff76}',
            '\u{ff9e}',
            '\u{304b}',
            '\u{3099}',
            '\u{304c}',
            '\u{1100}',
            '\u{1161}',
            '\u{11a8}',
            '\u{ac00}',
            '\u{9c7}',
            '\u{9be}',
            '\u{e01}',
            '\u{e33}',
            '\u{149}',
            '\u{1f82}',
            '\u{345}',
            '\u{65e5}',
            '\u{f900}',
            '\u{1d15e}',
            '\u{fdfa}',
            '\u{200d}',
        ]);
        prop::collection::vec(c, 0..12).prop_map(|chars| chars.into_iter().collect())
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        let traced = Traced::folded(text);
        let whole = fold(text);
        prop_assert_eq!(&traced.folded, &whole, "{:?}", text);
        let caseless = Traced::caseless(text);
        prop_assert_eq!(caseless.folded, caseless::default_case_fold_str(text));
        for (at, c) in traced.folded.char_indices() {
            let original = traced.original(&(at..at + c.len_utf8()));
            let piece = text.get(original.clone());
            prop_assert!(piece.is_some_and(|piece| fold(piece).contains(c)), "{text:?} {at} {original:?}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn pieces_fold_to_the_whole(text in awkward(), other in "\\PC{0,12}") {
            check(&text)?;
            check(&other)?;
        }

        #[test]
        fn every_occurrence_is_found(text in "[ab]{0,30}", pattern in "[ab]{1,4}") {
            let naive = (0..text.len()).filter(|at| text[*at..].starts_with(&pattern)).map(|at| at..at + pattern.len());
            let naive: Vec<Range<usize>> = naive.collect();
            prop_assert_eq!(Traced::verbatim(&text).occurrences(&pattern), naive);
        }

        #[test]
        fn words_are_where_they_stand(text in "[ab1 .\u{65e5}\u{304b}]{0,30}") {
            let traced = Traced::folded(&text);
            for (range, word) in traced.words().into_iter().chain(traced.tokens()) {
                prop_assert_eq!(&traced.folded[range], word);
            }
        }
    }

    #[test]
    fn places_lead_back() {
        let traced = Traced::folded("Gro\u{df}e \u{ff76}\u{ff9e}s");
        assert_eq!(traced.folded, "grosse \u{30ac}s");
        assert_eq!(traced.original(&(4..5)), 3..5);
        assert_eq!(traced.original(&(3..6)), 3..6);
        assert_eq!(traced.original(&(7..10)), 7..13);
        assert_eq!(traced.original(&(10..11)), 13..14);
    }
}
