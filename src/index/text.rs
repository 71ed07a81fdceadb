//! What text is compared as: folding, words, and the classes of characters that bound them.
//!
//! Both sides of every comparison go through [`fold`], so matching is containment of folded text and nothing else.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest word, in characters, that tolerates typos; longer runs must occur as written.
pub const MAX_TYPO_CHARS: usize = 64;

/// Folds text for comparison: compatibility decomposition, diacritics removed, full case folding, composition
/// (Unicode Standard Annex 15 and section 3.13). ASCII text is only lower-cased.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let bare: String = text.nfkd().filter(|&c| !is_diacritic(c)).collect();
    let cased = caseless::default_case_fold_str(&bare);
    // Case folding can expose further decompositions (capital sharp s, ligatures): once more, then compose.
    Cow::Owned(cased.nfkd().filter(|&c| !is_diacritic(c)).nfkc().collect())
}

/// Combining marks of the Latin, Greek and Cyrillic tradition. Marks that carry meaning in their scripts
/// (Japanese voicing, Indic and Thai vowels) are kept.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}')
}

/// Characters of scripts written without spaces between words: Han, Kana, Bopomofo, Hangul.
pub fn is_cjk(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3040}'..='\u{318F}'
        | '\u{31A0}'..='\u{31BF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Cjk,
    Separator,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Word } else { Class::Separator };
    }
    if is_cjk(c) {
        Class::Cjk
    } else if c.is_alphanumeric() || is_combining_mark(c) {
        Class::Word
    } else {
        Class::Separator
    }
}

/// The words of folded text: maximal runs of letters and digits, and maximal runs of CJK characters.
pub fn words(text: &str) -> Words<'_> {
    Words { rest: text }
}

/// Iterator over [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.rest.find(|c| class(c) != Class::Separator)?;
        let text = self.rest.get(start..)?;
        let first = class(text.chars().next()?);
        let end = text.find(|c| class(c) != first).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_as_promised() {
        for (from, to) in [
            ("IMG_2024", "img_2024"),
            ("Caf\u{e9}", "cafe"),
            ("CAFE\u{301}", "cafe"),
            ("stra\u{df}e", "strasse"),
            ("STRA\u{1e9e}E", "strasse"),
            ("\u{ff21}\u{ff22}\u{ff0f}", "ab/"),
            ("\u{ff76}\u{ff9e}", "\u{30ac}"),
            ("\u{304c}", "\u{304c}"),
            ("\u{fb01}n", "fin"),
            ("\u{130}stanbul", "istanbul"),
            ("\u{c11c}\u{c6b8}", "\u{c11c}\u{c6b8}"),
        ] {
            assert_eq!(fold(from), to);
        }
    }

    #[test]
    fn words_by_class() {
        let found: Vec<&str> = words("lib-2.0_\u{6771}\u{4eac}tower \u{e01}\u{e47}x!").collect();
        assert_eq!(found, ["lib", "2", "0", "\u{6771}\u{4eac}", "tower", "\u{e01}\u{e47}x"]);
    }

    proptest! {
        #[test]
        fn folding_is_stable(text in "\\PC{0,20}") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once), once.as_str());
        }

        #[test]
        fn folding_respects_slashes(a in "\\PC{0,8}", b in "\\PC{0,8}") {
            let whole = format!("{a}/{b}");
            prop_assert_eq!(fold(&whole), format!("{}/{}", fold(&a), fold(&b)));
        }
    }
}
