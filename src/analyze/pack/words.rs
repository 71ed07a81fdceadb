//! Sentences to the numbers of a text network: WordPiece over a vocabulary (Schuster and Nakajima, "Japanese and Korean Voice Search", 2012;
//! Devlin et al., "BERT", 2019, section 3).
//!
//! A text is cleaned, Chinese characters and punctuation stand alone, letters are small and without accents where the pack says so; each word is
//! then the longest pieces of the vocabulary from its begin on, those within a word written with `##`. A word that cannot be put together is `[UNK]`.

use crate::error::{Error, Result};
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest `vocab.txt`, in bytes.
pub const MAX_VOCABULARY_BYTES: usize = 16 << 20;
/// Most lines of `vocab.txt`.
const MAX_PIECES: usize = 1_000_000;
/// Longest word that is looked up, in characters; longer ones are unknown.
const LONGEST: usize = 100;

/// A vocabulary: a piece on each line of `vocab.txt`, its number the number of lines before it.
#[derive(Debug)]
pub(super) struct Words {
    pieces: HashMap<String, i32>,
    /// Numbers of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`.
    special: [i32; 4],
    lowercase: bool,
}

impl Words {
    /// Reads `vocab.txt`.
    pub(super) fn parse(text: &str, lowercase: bool) -> Result<Words> {
        let mut pieces = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            if number == MAX_PIECES {
                return Err(Error::invalid(format!("vocab.txt: expected at most {MAX_PIECES} lines, got more")));
            }
            // Of a piece that stands twice the last one counts, as in the vocabularies' own programs.
            pieces.insert(line.trim_end_matches('\r').to_owned(), i32::try_from(number).unwrap_or(i32::MAX));
        }
        let number = |name: &str| {
            let found = pieces.get(name).copied();
            found.ok_or_else(|| Error::invalid(format!("vocab.txt: expected a line {name}, got none")))
        };
        let special = [number("[PAD]")?, number("[UNK]")?, number("[CLS]")?, number("[SEP]")?];
        Ok(Words { pieces, special, lowercase })
    }

    /// Pieces of the vocabulary.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The numbers of a sentence between `[CLS]` and `[SEP]`, `length` of them with `[PAD]` behind, and how many are not `[PAD]`.
    pub(super) fn numbers(&self, text: &str, length: usize) -> (Vec<i32>, usize) {
        let [pad, _, begin, end] = self.special;
        let mut numbers = vec![begin];
        for word in self.split(text) {
            self.pieces_of(&word, &mut numbers);
            if numbers.len() >= length {
                break;
            }
        }
        numbers.truncate(length.saturating_sub(1));
        numbers.push(end);
        let used = numbers.len();
        numbers.resize(length.max(used), pad);
        (numbers, used)
    }

    fn split(&self, text: &str) -> Vec<String> {
        let clean = text.chars().filter(|c| c.is_whitespace() || !(c.is_control() || is_invisible(*c)));
        let folded: String = if self.lowercase {
            let small: String = clean.flat_map(char::to_lowercase).collect();
            small.nfd().filter(|c| !is_combining_mark(*c)).collect()
        } else {
            clean.collect()
        };
        let mut words: Vec<String> = Vec::new();
        let mut open = false;
        for c in folded.chars() {
            if c.is_whitespace() {
                open = false;
            } else if is_punctuation(c) || is_chinese(c) {
                words.push(c.to_string());
                open = false;
            } else {
                match words.last_mut().filter(|_| open) {
                    Some(word) => word.push(c),
                    None => words.push(c.to_string()),
                }
                open = true;
            }
        }
        words
    }

    /// Adds the pieces of a word.
    fn pieces_of(&self, word: &str, numbers: &mut Vec<i32>) {
        let before = numbers.len();
        let mut unknown = || {
            numbers.truncate(before);
            numbers.push(self.special[1]);
        };
        if word.chars().count() > LONGEST {
            return unknown();
        }
        let mut rest = word;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let prefix = if found.is_empty() { "" } else { "##" };
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
            let piece = ends.filter_map(|end| rest.split_at_checked(end)).find_map(|(head, tail)| {
                let number = self.pieces.get(&format!("{prefix}{head}"))?;
                Some((*number, tail))
            });
            let Some((number, tail)) = piece else { return unknown() };
            found.push(number);
            rest = tail;
        }
        numbers.extend(found);
    }
}

/// ASCII that is neither letter nor digit, and the blocks of Unicode that hold punctuation alone.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(u32::from(c), 0xA1 | 0xA7 | 0xAB | 0xB6 | 0xB7 | 0xBB | 0xBF | 0x2010..=0x2027 | 0x2030..=0x2043 | 0x2045..=0x2051
            | 0x2053..=0x205E | 0x3001..=0x3003 | 0x3008..=0x3011 | 0x3014..=0x301F | 0xFF01..=0xFF03 | 0xFF05..=0xFF0A
            | 0xFF0C..=0xFF0F | 0xFF1A | 0xFF1B | 0xFF1F | 0xFF20 | 0xFF3B..=0xFF3D | 0xFF5B | 0xFF5D | 0xFF5F..=0xFF65)
}

/// Characters that only tell how others are shown, and what stands for bytes that were no text.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0xFEFF | 0xFFFD)
}

/// Characters of the blocks of Chinese ideographs, of which each is a word.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2A6DF | 0x2A700..=0x2CEAF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nsun\n##set\n##s\nset\n,\n\u{6d77}\ncafe\n";

    #[test]
    fn words_are_pieces() {
        let words = Words::parse(VOCABULARY, true).unwrap();
        let of = |text: &str| words.numbers(text, 9).0;
        assert_eq!(of("Sunset, SETS"), [2, 4, 5, 8, 7, 6, 3, 0, 0]);
        assert_eq!(of("\u{6d77}\u{6d77}x caf\u{e9}"), [2, 9, 9, 1, 10, 3, 0, 0, 0]);
        assert_eq!(words.numbers("sun ".repeat(40).as_str(), 4), (vec![2, 4, 4, 3], 4));
        assert_eq!(words.numbers("", 4), (vec![2, 3, 0, 0], 2));
        assert_eq!(Words::parse(VOCABULARY, false).unwrap().numbers("Sun", 4).0, [2, 1, 3, 0]);
        assert!(Words::parse("[PAD]\n[UNK]\n[CLS]\n", true).unwrap_err().message().contains("[SEP]"));
    }

    proptest! {
        #[test]
        fn any_text_has_numbers(text in "\\PC{0,300}", length in 2usize..20) {
            let words = Words::parse(VOCABULARY, true).unwrap();
            let (numbers, used) = words.numbers(&text, length);
            prop_assert!(numbers.len() == length && (2..=length).contains(&used));
            prop_assert!(numbers.iter().all(|n| (0..words.len() as i32).contains(n)));
        }
    }
}
