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
            let device = self.text.then(self.page).0;
            let [a, b, _, _, x, y] = device;
            let scale = a.hypot(b).max(1e-6) * self.size.abs().max(1e-6);
            if let Some((last_x, last_y, last_scale)) = self.last {
                let size = scale.min(last_scale).max(1e-6);
                // Along and across the direction of writing.
                let (along, across) = turned(x - last_x, y - last_y, a, b);
                if across.abs() > STEP * size {
                    content.line();
                } else if along > GAP * size || along < -size {
                    content.space();
                }
            }
            content.push(&glyph.text);
            let gap = self.character_gap + if glyph.space { self.word_gap } else { 0.0 };
            self.advance((glyph.width / 1000.0 * self.size + gap) * self.stretch);
            let [_, _, _, _, x, y] = self.text.then(self.page).0;
            self.last = Some((x, y, scale));
        }
    }

    /// A page or a form ended: what follows is elsewhere.
    pub(super) fn end(&mut self, content: &mut Content) {
        self.last = None;
        content.line();
    }
}

/// A step in the axes of the writing, whose direction is `(a, b)`.
fn turned(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    let length = a.hypot(b).max(1e-9);
    ((x * a + y * b) / length, (y * a - x * b) / length)
}
