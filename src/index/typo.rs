//! Words that differ from one in a few characters.

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use std::sync::OnceLock;

/// A folded word, and in how many characters (inserted, left out or replaced) others may differ from it: 1 or 2.
pub(crate) struct Typo {
    word: String,
    distance: u8,
    automaton: DFA,
}

/// Builders hold tables of a millisecond's work: one each for the process.
fn builder(distance: u8) -> &'static LevenshteinAutomatonBuilder {
    static ONE: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    static TWO: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    let (cell, distance) = if distance == 1 { (&ONE, 1) } else { (&TWO, 2) };
    cell.get_or_init(|| LevenshteinAutomatonBuilder::new(distance, false))
}

impl Typo {
    pub(crate) fn new(word: &str, distance: u8) -> Typo {
        let distance = distance.clamp(1, 2);
        Typo { word: word.to_owned(), distance, automaton: builder(distance).build_dfa(word) }
    }

    /// Fewest and most characters of a word that is near.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        let (chars, distance) = (self.word.chars().count(), self.distance());
        (chars.saturating_sub(distance), chars + distance)
    }

    /// The distance.
    pub(crate) fn distance(&self) -> usize {
        usize::from(self.distance)
    }

    /// Parts of the word, each with the number of characters before it, of which one at least stands unchanged in any
    /// word that is near, as many places from there as the distance at most: one part more than there can be changes.
    /// Empty for a word too short to have them.
    pub(crate) fn pieces(&self) -> Vec<(usize, &str)> {
        let starts: Vec<usize> = self.word.char_indices().map(|(at, _)| at).chain([self.word.len()]).collect();
        let (chars, pieces) = (starts.len() - 1, self.distance() + 1);
        if chars < pieces {
            return Vec::new();
        }
        let piece = |number: usize| {
            let (from, to) = (chars * number / pieces, chars * (number + 1) / pieces);
            Some((from, self.word.get(*starts.get(from)?..*starts.get(to)?)?))
        };
        (0..pieces).filter_map(piece).collect()
    }

    /// Whether a word is near.
    pub(crate) fn accepts(&self, word: &[u8]) -> bool {
        let mut state = self.automaton.initial_state();
        for &byte in word {
            state = self.automaton.transition(state, byte);
            if state == SINK_STATE {
                return false;
            }
        }
        matches!(self.automaton.distance(state), Distance::Exact(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_piece_stays_whole(word in "[ab\u{e9}]{1,12}", edits in proptest::collection::vec((0usize..12, 0u8..3, "[ab]"), 0..3), distance in 1u8..3) {
            let mut near: Vec<char> = word.chars().collect();
            for (at, kind, c) in edits.iter().take(usize::from(distance)) {
                let at = at % (near.len() + 1);
                match kind {
                    0 => near.insert(at, c.chars().next().unwrap()),
                    1 if at < near.len() => drop(near.remove(at)),
                    _ if at < near.len() => near[at] = c.chars().next().unwrap(),
                    _ => {}
                }
            }
            let near: String = near.into_iter().collect();
            let typo = Typo::new(&word, distance);
            let (least, most) = typo.lengths();
            prop_assert!(typo.accepts(near.as_bytes()));
            prop_assert!((least..=most).contains(&near.chars().count()));
            let pieces = typo.pieces();
            prop_assert_eq!(pieces.is_empty(), word.chars().count() <= usize::from(distance));
            let stays = |(from, piece): &(usize, &str)| near.char_indices().enumerate().any(|(at, (byte, _))| {
                near[byte..].starts_with(piece) && at.abs_diff(*from) <= usize::from(distance)
            });
            prop_assert!(pieces.is_empty() || pieces.iter().any(stays), "{} {}", word, near);
        }
    }
}
