//! How a match is shown: terminal colours, or brackets where there is none.

use super::output::printable;
use std::ops::Range;

/// Characters of a matching text that are shown before and after the match.
const CONTEXT_CHARS: usize = 24;

#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) colour: bool,
}

impl Style {
    /// `text`, printable, with the given ranges marked.
    pub(crate) fn paint(self, text: &str, ranges: &[Range<usize>]) -> String {
        let (open, close) = if self.colour { ("\u{1b}[1;33m", "\u{1b}[0m") } else { ("[", "]") };
        let piece = |range: Range<usize>| printable(text.get(range).unwrap_or(""));
        let mut out = String::with_capacity(text.len() + ranges.len() * (open.len() + close.len()));
        let mut at = 0;
        for range in ranges {
            out.push_str(&piece(at..range.start));
            out.push_str(open);
            out.push_str(&piece(range.clone()));
            out.push_str(close);
            at = range.end;
        }
        out.push_str(&piece(at..text.len()));
        out
    }

    /// The surroundings of the first range, with all ranges marked that lie in them.
    pub(crate) fn excerpt(self, text: &str, ranges: &[Range<usize>]) -> String {
        let Some(first) = ranges.first() else { return String::new() };
        let before = text.get(..first.start).unwrap_or("").char_indices().rev();
        let from = before.take(CONTEXT_CHARS).last().map_or(first.start, |(at, _)| at);
        let after = text.get(first.end..).unwrap_or("").char_indices();
        let to = after.map(|(at, _)| first.end + at).nth(CONTEXT_CHARS).unwrap_or(text.len());
        let inside = ranges.iter().filter(|range| range.start < to);
        let inside: Vec<Range<usize>> = inside.map(|r| r.start - from..r.end.min(to) - from).collect();
        let dots = |cut: bool| if cut { "..." } else { "" };
        let shown = self.paint(text.get(from..to).unwrap_or(""), &inside);
        format!("{}{shown}{}", dots(from > 0), dots(to < text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_what_cannot_be_printed() {
        let style = Style { colour: false };
        assert_eq!(style.paint("a\nbc", std::slice::from_ref(&(1..3))), "a[\u{fffd}b]c");
        assert_eq!(Style { colour: true }.paint("abc", std::slice::from_ref(&(1..2))), "a\u{1b}[1;33mb\u{1b}[0mc");
    }

    #[test]
    fn long_texts_are_cut_around_the_match() {
        let style = Style { colour: false };
        let text = format!("{}needle{}needle", "x".repeat(100), "y".repeat(20));
        let shown = style.excerpt(&text, &[100..106, 126..132]);
        assert_eq!(shown, format!("...{}[needle]{}[need]...", "x".repeat(24), "y".repeat(20)));
        assert_eq!(style.excerpt("a needle", std::slice::from_ref(&(2..8))), "a [needle]");
        assert_eq!(style.excerpt("x", &[]), "");
    }
}
