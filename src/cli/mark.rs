//! Where a query's parts occur in a text, for people's eyes.
//!
//! The query itself decides what matches; this only finds the place again, folding character by character
//! (compatibility form, case, diacritics) and remembering where each folded character came from.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The parts of a query text: split at white space, "quotes" keep a phrase, `~` and `~2` ask for typos.
pub(crate) struct Parts(Vec<Vec<char>>);

impl Parts {
    pub(crate) fn of(query: &str) -> Parts {
        let mut parts = Vec::new();
        for (at, piece) in query.split('"').enumerate() {
            if at % 2 == 1 {
                parts.push(piece);
            } else {
                parts.extend(piece.split_whitespace().map(without_distance));
            }
        }
        let folded = |part: &str| fold(part).into_iter().map(|(c, _)| c).collect::<Vec<char>>();
        Parts(parts.into_iter().map(folded).filter(|p| !p.is_empty()).collect())
    }

    /// Byte ranges of `text` that match a part: in order, joined where they touch.
    pub(crate) fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let folded = fold(text);
        let mut found: Vec<Range<usize>> = self.0.iter().flat_map(|part| occurrences(&folded, part)).collect();
        found.sort_by_key(|r| (r.start, r.end));
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in found {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }
}

fn without_distance(part: &str) -> &str {
    let bare = part.strip_suffix(['1', '2']).unwrap_or(part);
    bare.strip_suffix('~').or_else(|| part.strip_suffix('~')).unwrap_or(part)
}

/// The folded characters of a text, each with the byte range of the character it came from: the index's folding
/// (compatibility form, diacritics removed, case folded, composed), one character at a time.
fn fold(text: &str) -> Vec<(char, Range<usize>)> {
    let mut folded = Vec::with_capacity(text.len());
    let mut buffer = [0u8; 4];
    for (at, c) in text.char_indices() {
        let range = at..at + c.len_utf8();
        if c.is_ascii() {
            folded.push((c.to_ascii_lowercase(), range));
            continue;
        }
        let bare: String = c.encode_utf8(&mut buffer).nfkd().filter(|c| !is_diacritic(*c)).collect();
        let lower = caseless::default_case_fold_str(&bare);
        folded.extend(lower.nfkd().filter(|c| !is_diacritic(*c)).nfkc().map(|c| (c, range.clone())));
    }
    folded
}

/// Combining marks that are not part of a letter in the scripts that use them.
fn is_diacritic(c: char) -> bool {
    is_combining_mark(c)
        && matches!(u32::from(c), 0x300..=0x36F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

fn occurrences(text: &[(char, Range<usize>)], part: &[char]) -> Vec<Range<usize>> {
    let same = |window: &[(char, Range<usize>)]| window.iter().map(|(c, _)| c).eq(part);
    let spans = text.windows(part.len()).filter(|w| same(w));
    spans.filter_map(|w| Some(w.first()?.1.start..w.last()?.1.end)).collect()
}

/// How a match is shown: terminal colours, or brackets where there is none.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) colour: bool,
}

impl Style {
    /// `text` with the given ranges marked.
    pub(crate) fn paint(self, text: &str, ranges: &[Range<usize>]) -> String {
        let (open, close) = if self.colour { ("\u{1b}[1;33m", "\u{1b}[0m") } else { ("[", "]") };
        let mut out = String::with_capacity(text.len() + ranges.len() * (open.len() + close.len()));
        let mut at = 0;
        for range in ranges {
            out.push_str(text.get(at..range.start).unwrap_or(""));
            out.push_str(open);
            out.push_str(text.get(range.clone()).unwrap_or(""));
            out.push_str(close);
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or(""));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, text: &str) -> String {
        Style { colour: false }.paint(text, &Parts::of(query).ranges(text))
    }

    #[test]
    fn folds_like_the_query() {
        assert_eq!(shown("harbour", "Old HARBOUR at midnight"), "Old [HARBOUR] at midnight");
        assert_eq!(shown("electrico", "El\u{e9}ctrico 28"), "[El\u{e9}ctrico] 28");
        assert_eq!(shown("strasse", "Gro\u{df}e Stra\u{df}e"), "Gro\u{df}e [Stra\u{df}e]");
        assert_eq!(
            shown("\u{65e5}\u{843d}", "\u{897f}\u{6e56}\u{65e5}\u{843d}.jpg"),
            "\u{897f}\u{6e56}[\u{65e5}\u{843d}].jpg"
        );
        assert_eq!(shown("\u{304b}", "\u{304b}\u{304c}"), "[\u{304b}]\u{304c}");
        assert_eq!(shown("abc", "\u{ff21}\u{ff22}\u{ff23}"), "[\u{ff21}\u{ff22}\u{ff23}]");
    }

    #[test]
    fn parts_phrases_and_typo_signs() {
        assert_eq!(shown("ld at", "Old harbour at"), "O[ld] harbour [at]");
        assert_eq!(shown("\"ld h\" our~2", "Old harbour"), "O[ld h]arb[our]");
        assert_eq!(shown("our~", "harbour"), "harb[our]");
        assert_eq!(shown("ab bc", "abcabc"), "[abcabc]");
        assert_eq!(shown("", "text"), "text");
        assert_eq!(shown("longer than the text", "te"), "te");
    }
}
