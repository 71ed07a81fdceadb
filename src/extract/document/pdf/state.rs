//! Where the pen stands (ISO 32000-1, 9.3 and 9.4), so that gaps become spaces and new rows new lines.

use super::font::Glyph;
use crate::extract::document::content::Content;

/// A gap of that share of the font's size parts two words: half of a usual space.
const GAP: f64 = 0.16;
/// A step of that share of the font's size up or down is a new line.
const STEP: f64 = 0.4;

/// A matrix `a b c d e f` (8.3.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const ONE: Matrix = Matrix([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// `self`, then `other`.
    pub(super) fn then(self, other: Matrix) -> Matrix {
        let [a, b, c, d, e, f] = self.0;
        let [p, q, r, s, t, u] = other.0;
        Matrix([a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u])
    }

    pub(super) fn moved(x: f64, y: f64) -> Matrix {
        Matrix([1.0, 0.0, 0.0, 1.0, x, y])
    }
}

/// The text state.
#[derive(Debug, Clone)]
pub(super) struct State {
    text: Matrix,
    line: Matrix,
    /// What `cm` made of the page's space.
    pub(super) page: Matrix,
    pub(super) size: f64,
    pub(super) leading: f64,
    pub(super) character_gap: f64,
    pub(super) word_gap: f64,
    pub(super) stretch: f64,
    /// Where the last glyph ended, and how large it was.
    last: Option<(f64, f64, f64)>,
    /// Letters of a word that is read from right to left, with their places along the line.
    word: Vec<(f64, String)>,
}

/// What stands between two glyphs.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    Nothing,
    Word,
    Line,
}

impl State {
    pub(super) fn new() -> State {
        State {
            text: Matrix::ONE,
            line: Matrix::ONE,
            page: Matrix::ONE,
            size: 0.0,
            leading: 0.0,
            character_gap: 0.0,
            word_gap: 0.0,
            stretch: 1.0,
            last: None,
            word: Vec::new(),
        }
    }

    /// `BT`.
    pub(super) fn begin(&mut self) {
        self.set(Matrix::ONE);
    }

    /// `Tm`.
    pub(super) fn set(&mut self, matrix: Matrix) {
        (self.text, self.line) = (matrix, matrix);
    }

    /// `Td`.
    pub(super) fn next_line(&mut self, x: f64, y: f64) {
        self.set(Matrix::moved(x, y).then(self.line));
    }

    /// A number in the array of `TJ`: thousandths of the font's size to the left.
    pub(super) fn kern(&mut self, amount: f64) {
        self.advance(-amount / 1000.0 * self.size * self.stretch);
    }

    fn advance(&mut self, by: f64) {
        self.text = Matrix::moved(by, 0.0).then(self.text);
    }

    /// Shows glyphs: the gap before each decides whether a word or a line ended.
    pub(super) fn show(&mut self, glyphs: &[Glyph], content: &mut Content) {
        for glyph in glyphs {
            let [a, b, _, _, x, y] = self.text.then(self.page).0;
            let scale = a.hypot(b).max(1e-6) * self.size.abs().max(1e-6);
            let backwards = glyph.text.chars().next().is_some_and(is_right_to_left);
            let gap = self.gap((x, y), (a, b), scale, backwards);
            if gap != Gap::Nothing || !backwards {
                self.flush(content);
            }
            match gap {
                Gap::Nothing => {}
                Gap::Word => content.space(),
                Gap::Line => content.line(),
            }
            if backwards {
                self.word.push((turned(x, y, a, b).0, glyph.text.clone()));
            } else {
                content.push(&glyph.text);
            }
            let extra = self.character_gap + if glyph.space { self.word_gap } else { 0.0 };
            self.advance((glyph.width / 1000.0 * self.size + extra) * self.stretch);
            let [_, _, _, _, x, y] = self.text.then(self.page).0;
            self.last = Some((x, y, scale));
        }
    }

    /// What the step from the last glyph to this one means. Letters that are read from right to left may be shown in
    /// either order, so that a step back is none.
    fn gap(&self, at: (f64, f64), direction: (f64, f64), scale: f64, backwards: bool) -> Gap {
        let Some((last_x, last_y, last_scale)) = self.last else { return Gap::Nothing };
        let size = scale.min(last_scale).max(1e-6);
        let (along, across) = turned(at.0 - last_x, at.1 - last_y, direction.0, direction.1);
        let back = if backwards && !self.word.is_empty() { 2.5 * size } else { size };
        match () {
            () if across.abs() > STEP * size => Gap::Line,
            () if along > GAP * size || along < -back => Gap::Word,
            () => Gap::Nothing,
        }
    }

    /// Hands over a word that is read from right to left: shown from left to right its letters come in reverse.
    fn flush(&mut self, content: &mut Content) {
        let mut word = std::mem::take(&mut self.word);
        if let ([(first, _), .., (last, _)], true) = (word.as_slice(), word.len() > 1)
            && last > first
        {
            word.reverse();
        }
        word.iter().for_each(|(_, text)| content.push(text));
    }

    /// A page or a form ended: what follows is elsewhere.
    pub(super) fn end(&mut self, content: &mut Content) {
        self.flush(content);
        self.last = None;
        content.line();
    }
}

/// Letters of scripts that are written from right to left: Hebrew, Arabic and their relatives (Unicode, blocks 0590 to
/// 08FF), and their presentation forms.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

/// A step in the axes of the writing, whose direction is `(a, b)`.
fn turned(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    let length = a.hypot(b).max(1e-9);
    ((x * a + y * b) / length, (y * a - x * b) / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Facts, Limits};

    fn shown(pieces: &[(&str, f64)]) -> String {
        let mut content = Content::new(&Facts::new(&Limits::default()));
        let mut state = State::new();
        state.size = 10.0;
        for (text, x) in pieces {
            state.set(Matrix::moved(*x, 0.0));
            let glyphs = text.chars().map(|c| Glyph { text: c.to_string(), width: 500.0, space: c == ' ' });
            state.show(&glyphs.collect::<Vec<_>>(), &mut content);
        }
        state.end(&mut content);
        let mut facts = Facts::new(&Limits::default());
        let data = Vec::new();
        content.finish(&crate::extract::Input::new(&data, &Limits::default()), &mut facts);
        facts.content
    }

    #[test]
    fn gaps_part_words() {
        assert_eq!(shown(&[("ab", 0.0), ("cd", 10.5), ("ef", 25.0)]), "abcd ef");
    }

    #[test]
    fn words_from_right_to_left_come_in_reading_order() {
        // Shalom, shown from left to right, and letter by letter from right to left.
        let (logical, visual) = ("\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{5dd}\u{5d5}\u{5dc}\u{5e9}");
        assert_eq!(shown(&[("a ", 0.0), (visual, 10.0), (" b", 30.0)]), format!("a {logical} b"));
        let letters: Vec<String> = logical.chars().map(String::from).collect();
        let placed: Vec<(&str, f64)> =
            letters.iter().zip([30.0, 25.0, 20.0, 15.0]).map(|(c, x)| (c.as_str(), x)).collect();
        assert_eq!(shown(&placed), logical);
    }
}
