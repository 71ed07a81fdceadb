//! Sentences to the numbers of a text network: WordPiece over a vocabulary (Schuster and Nakajima, "Japanese and Korean Voice Search", 2012;
//! Devlin et al., "BERT", 2019, section 3).
//!
//! A text is cleaned, Chinese characters and punctuation stand alone, letters are small and without accents where the pack says so (BERT's
//! `do_lower_case` and `strip_accents`: accents are the marks of category Mn after NFD, no others); each word is then the longest pieces of the
//! vocabulary from its begin on, those within a word written with `##`. A word that cannot be put together is `[UNK]`.

use crate::analyze::manifest::TextInput;
use crate::error::{Error, Result};
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

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
    strip_accents: bool,
}

impl Words {
    /// Reads `vocab.txt`.
    pub(super) fn parse(text: &str, input: &TextInput) -> Result<Words> {
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
        Ok(Words { pieces, special, lowercase: input.lowercase, strip_accents: input.strips_accents() })
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
        let clean = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c));
        let mut folded: String = if self.strip_accents {
            clean.nfd().filter(|c| c.general_category() != GeneralCategory::NonspacingMark).collect()
        } else {
            clean.collect()
        };
        if self.lowercase {
            folded = folded.chars().flat_map(char::to_lowercase).collect();
        }
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

/// ASCII that is neither letter nor digit, and all that Unicode calls punctuation.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Controls, characters that only tell how others are shown, and what stands for bytes that were no text.
fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse, Surrogate};
    c == '\u{FFFD}' || matches!(c.general_category(), Control | Format | PrivateUse | Surrogate)
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
        let words = parse(VOCABULARY, true).unwrap();
        let of = |text: &str| words.numbers(text, 9).0;
        assert_eq!(of("Sunset, SETS"), [2, 4, 5, 8, 7, 6, 3, 0, 0]);
        assert_eq!(of("\u{6d77}\u{6d77}x caf\u{e9}"), [2, 9, 9, 1, 10, 3, 0, 0, 0]);
        assert_eq!(words.numbers("sun ".repeat(40).as_str(), 4), (vec![2, 4, 4, 3], 4));
        assert_eq!(words.numbers("", 4), (vec![2, 3, 0, 0], 2));
        assert_eq!(parse(VOCABULARY, false).unwrap().numbers("Sun", 4).0, [2, 1, 3, 0]);
        assert!(parse("[PAD]\n[UNK]\n[CLS]\n", true).unwrap_err().message().contains("[SEP]"));
    }

    fn parse(text: &str, lowercase: bool) -> Result<Words> {
        Words::parse(text, &TextInput { length: 9, lowercase, strip_accents: None })
    }

    /// Words of texts with accents stripped and small letters, neither, small letters alone, accents stripped alone: as BertNormalizer and
    /// BertPreTokenizer of Hugging Face's tokenizers 0.23.3 tell them.
    const BERT: [(&str, [&str; 4]); 13] = [
        (
            "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940} \u{92D}\u{93E}\u{937}\u{93E}\u{964}",
            [
                "\u{939}\u{93F}\u{928}\u{926}\u{940}|\u{92D}\u{93E}\u{937}\u{93E}|\u{964}",
                "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}|\u{92D}\u{93E}\u{937}\u{93E}|\u{964}",
                "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}|\u{92D}\u{93E}\u{937}\u{93E}|\u{964}",
                "\u{939}\u{93F}\u{928}\u{926}\u{940}|\u{92D}\u{93E}\u{937}\u{93E}|\u{964}",
            ],
        ),
        (
            "\u{BA4}\u{BAE}\u{BBF}\u{BB4}\u{BCD}",
            [
                "\u{BA4}\u{BAE}\u{BBF}\u{BB4}",
                "\u{BA4}\u{BAE}\u{BBF}\u{BB4}\u{BCD}",
                "\u{BA4}\u{BAE}\u{BBF}\u{BB4}\u{BCD}",
                "\u{BA4}\u{BAE}\u{BBF}\u{BB4}",
            ],
        ),
        (
            "\u{E2A}\u{E27}\u{E31}\u{E2A}\u{E14}\u{E35}",
            [
                "\u{E2A}\u{E27}\u{E2A}\u{E14}",
                "\u{E2A}\u{E27}\u{E31}\u{E2A}\u{E14}\u{E35}",
                "\u{E2A}\u{E27}\u{E31}\u{E2A}\u{E14}\u{E35}",
                "\u{E2A}\u{E27}\u{E2A}\u{E14}",
            ],
        ),
        (
            "Caf\u{E9} \u{C5}NGSTR\u{D6}M",
            ["cafe|angstrom", "Caf\u{E9}|\u{C5}NGSTR\u{D6}M", "caf\u{E9}|\u{E5}ngstr\u{F6}m", "Cafe|ANGSTROM"],
        ),
        ("Vi\u{1EC7}t Nam", ["viet|nam", "Vi\u{1EC7}t|Nam", "vi\u{1EC7}t|nam", "Viet|Nam"]),
        ("\u{130}stanbul", ["istanbul", "\u{130}stanbul", "i\u{307}stanbul", "Istanbul"]),
        (
            "\u{645}\u{64E}\u{62F}\u{631}\u{633}\u{629}",
            [
                "\u{645}\u{62F}\u{631}\u{633}\u{629}",
                "\u{645}\u{64E}\u{62F}\u{631}\u{633}\u{629}",
                "\u{645}\u{64E}\u{62F}\u{631}\u{633}\u{629}",
                "\u{645}\u{62F}\u{631}\u{633}\u{629}",
            ],
        ),
        ("a\u{20DD}b", ["a\u{20DD}b", "a\u{20DD}b", "a\u{20DD}b", "a\u{20DD}b"]),
        (
            "x\u{A1}y\u{60C}z\u{2E3A}\u{5BE}$+w",
            [
                "x|\u{A1}|y|\u{60C}|z|\u{2E3A}|\u{5BE}|$|+|w",
                "x|\u{A1}|y|\u{60C}|z|\u{2E3A}|\u{5BE}|$|+|w",
                "x|\u{A1}|y|\u{60C}|z|\u{2E3A}|\u{5BE}|$|+|w",
                "x|\u{A1}|y|\u{60C}|z|\u{2E3A}|\u{5BE}|$|+|w",
            ],
        ),
        (
            "\u{D55C}\u{AD6D}",
            [
                "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}",
                "\u{D55C}\u{AD6D}",
                "\u{D55C}\u{AD6D}",
                "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}",
            ],
        ),
        ("a\u{200D}b\u{AD}c\u{E000}d\u{9}E", ["abcd|e", "abcd|E", "abcd|e", "abcd|E"]),
        ("\u{6D77}F", ["\u{6D77}|f", "\u{6D77}|F", "\u{6D77}|f", "\u{6D77}|F"]),
        (
            "\u{1100}\u{301}\u{DF}",
            ["\u{1100}\u{DF}", "\u{1100}\u{301}\u{DF}", "\u{1100}\u{301}\u{DF}", "\u{1100}\u{DF}"],
        ),
    ];

    #[test]
    fn words_are_those_of_bert() {
        let settings = [(true, true), (false, false), (true, false), (false, true)];
        for (text, expected) in BERT {
            for ((lowercase, strip), expected) in settings.into_iter().zip(expected) {
                let input = TextInput { length: 9, lowercase, strip_accents: Some(strip) };
                let words = Words::parse(VOCABULARY, &input).unwrap().split(text);
                assert_eq!(words.join("|"), expected, "{text} {lowercase} {strip}");
            }
        }
        // Where nothing is said, accents go with capitals.
        assert_eq!(parse(VOCABULARY, true).unwrap().split("Caf\u{E9}"), ["cafe"]);
        assert_eq!(parse(VOCABULARY, false).unwrap().split("Caf\u{E9}"), ["Caf\u{E9}"]);
    }

    proptest! {
        #[test]
        fn any_text_has_numbers(text in "\\PC{0,300}", length in 2usize..20) {
            let words = parse(VOCABULARY, true).unwrap();
            let (numbers, used) = words.numbers(&text, length);
            prop_assert!(numbers.len() == length && (2..=length).contains(&used));
            prop_assert!(numbers.iter().all(|n| (0..words.len() as i32).contains(n)));
        }
    }
}
