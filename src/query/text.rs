//! The text of a fuzzy query: parts at white space, phrases in double quotes, tolerance by a trailing tilde.
//!
//! Grammar: `docs/queries.md`, "Fuzzy text".

use crate::error::{Error, Result};
use crate::index::text::{MAX_TYPO_CHARS, fold, words};
use crate::model::query::MAX_QUERY_BYTES;

/// How far words of a part may be from words of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tolerance {
    /// By word length, where the query tolerates typos at all.
    ByLength,
    /// Asked for: `part~` or `part~2`.
    Distance(u8),
    /// Never: a quoted phrase.
    None,
}

/// One part of a query, folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// What must occur.
    pub text: String,
    /// With which typos.
    pub tolerance: Tolerance,
}

impl Part {
    /// The words of the part with the distance each tolerates; empty if the part must occur as written.
    pub fn tolerant_words(&self, typos: bool) -> Vec<(&str, u8)> {
        let distance = |word: &str| {
            let chars = word.chars().count();
            match self.tolerance {
                Tolerance::None => 0,
                _ if chars > MAX_TYPO_CHARS => 0,
                Tolerance::Distance(distance) => distance,
                Tolerance::ByLength if !typos || chars < 4 => 0,
                Tolerance::ByLength if chars < 8 => 1,
                Tolerance::ByLength => 2,
            }
        };
        let found: Vec<(&str, u8)> = words(&self.text).map(|word| (word, distance(word))).collect();
        if found.iter().all(|(_, distance)| *distance == 0) { Vec::new() } else { found }
    }
}

/// Splits and folds a query. An error names what was empty.
pub fn parse(text: &str) -> Result<Vec<Part>> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(Error::invalid(format!("Query: expected at most {MAX_QUERY_BYTES} bytes, got {}", text.len())));
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut rest = text.trim_start();
    // A quote that nothing closes leaves none to close the later ones.
    let mut phrases = true;
    while !rest.is_empty() {
        let phrase = if phrases { phrase(rest) } else { None };
        phrases &= phrase.is_some() || !rest.starts_with('"');
        let (part, after) = phrase.unwrap_or_else(|| word(rest))?;
        if seen.insert(part.clone()) {
            parts.push(part);
        }
        rest = after.trim_start();
    }
    if parts.is_empty() {
        return Err(Error::invalid("Query: expected some text to search for, got none"));
    }
    Ok(parts)
}

/// The part before the next white space, and what follows it.
fn word(text: &str) -> Result<(Part, &str)> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (raw, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let split = raw.rfind('~').and_then(|at| raw.split_at_checked(at));
    match split.and_then(|(head, tail)| Some((head, tilde(tail)?))) {
        Some((head, distance)) if !head.is_empty() => Ok((folded(head, Tolerance::Distance(distance))?, rest)),
        _ => Ok((folded(raw, Tolerance::ByLength)?, rest)),
    }
}

/// The phrase that the text begins with, and what follows it; `None` if there is none with characters to search for.
fn phrase(text: &str) -> Option<Result<(Part, &str)>> {
    let (close, end) = phrase_end(text, char::is_whitespace)?;
    let tolerance = tilde(text.get(close + 1..end)?).map_or(Tolerance::None, Tolerance::Distance);
    Some(folded(text.get(1..close)?, tolerance).map(|part| (part, text.get(end..).unwrap_or(""))))
}

/// Where the phrase that the text begins with has its closing quote, and where it ends: a quote, text, a quote that
/// ends the part (a tilde may follow). Any other quote is an ordinary character. `breaks`: what stands after a part.
pub(super) fn phrase_end(text: &str, breaks: fn(char) -> bool) -> Option<(usize, usize)> {
    let ends = |at: usize| text.get(at..).is_some_and(|rest| rest.chars().next().is_none_or(breaks));
    if !text.starts_with('"') {
        return None;
    }
    let mut blank = true;
    let mut from = 1;
    for (close, _) in text.match_indices('"').skip(1) {
        blank &= text.get(from..close)?.trim().is_empty();
        let tail = text.get(close + 1..)?;
        let tildes = ["~2", "~1", "~", ""].into_iter().filter(|tilde| tail.starts_with(tilde));
        if let (false, Some(end)) = (blank, tildes.map(|tilde| close + 1 + tilde.len()).find(|end| ends(*end))) {
            return Some((close, end));
        }
        // This quote belongs to the phrase now.
        blank = false;
        from = close + 1;
    }
    None
}

fn tilde(tail: &str) -> Option<u8> {
    match tail {
        "~" | "~1" => Some(1),
        "~2" => Some(2),
        _ => None,
    }
}

fn folded(raw: &str, tolerance: Tolerance) -> Result<Part> {
    let text = fold(raw).into_owned();
    if text.is_empty() {
        return Err(Error::invalid(format!("Query: {raw:?} has no characters to search for")));
    }
    Ok(Part { text, tolerance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |p: Part| match p.tolerance {
            Tolerance::ByLength => p.text,
            Tolerance::None => format!("[{}]", p.text),
            Tolerance::Distance(d) => format!("{}~{d}", p.text),
        };
        parse(text).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn grammar() {
        assert_eq!(shown("  IMG  2024 img "), ["img", "2024"]);
        assert_eq!(shown("\"North Sea\" x"), ["[north sea]", "x"]);
        assert_eq!(shown("\"north sea\"~2 y~ z~2 a~3 ~ ~2"), ["north sea~2", "y~1", "z~2", "a~3", "~", "~2"]);
        // A phrase ends at the first quote that ends a part: quotes before it belong to it.
        assert_eq!(shown("\"open a\"b \"\" c\""), ["[open a\"b \"]", "c\""]);
        assert_eq!(shown("\"open a\"b \"\"c"), ["\"open", "a\"b", "\"\"c"]);
        assert_eq!(shown("say \"a \" b\""), ["say", "[a ]", "b\""]);
        for empty in ["", "  ", "\u{301}"] {
            assert!(parse(empty).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn tolerance_by_length() {
        let part = &parse("abc-abcd-12345678").unwrap()[0];
        assert_eq!(part.tolerant_words(true), [("abc", 0), ("abcd", 1), ("12345678", 2)]);
        assert!(part.tolerant_words(false).is_empty());
        assert!(parse("abc").unwrap()[0].tolerant_words(true).is_empty());
        assert_eq!(parse("abc~2").unwrap()[0].tolerant_words(false), [("abc", 2)]);
    }

    #[test]
    fn the_longest_texts_are_split_at_once() {
        for piece in ["\"", "\"a ", "\"a\"b ", "\" ", "~", "a~ "] {
            let began = cpu_time::ThreadTime::now();
            let parts = parse(&piece.repeat(MAX_QUERY_BYTES / 4 / piece.len())).unwrap();
            assert!(!parts.is_empty() && began.elapsed().as_secs() < 20, "{piece}: {:?}", began.elapsed());
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_says_why(text in "[ab\"~12 \u{301}]{0,12}") {
            match parse(&text) {
                Ok(parts) => prop_assert!(parts.iter().all(|p| !p.text.is_empty())),
                Err(error) => prop_assert!(error.message().starts_with("Query")),
            }
        }
    }
}
