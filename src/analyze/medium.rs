//! Photograph, screenshot or document: told apart by how paper, ink, screens and lenses distribute grey values.
//!
//! A screen draws areas of one value, a lens never does; paper is a light, colourless ground with a little dark ink on it.
//! `docs/operators.md` has the rules.

use super::label::{Label, Labeler, ramp, tree};
use super::{Budget, Pixels};
use crate::error::Result;

/// Labels `Medium` with `Photo`, `Screenshot` or `Document`: the most likely one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Medium;

impl Labeler for Medium {
    fn name(&self) -> &str {
        "medium"
    }

    fn labels(&self, pixels: &Pixels, _: &Budget) -> Result<Vec<Label>> {
        let signs = Signs::of(pixels);
        let document = signs.document();
        let screenshot = signs.screenshot() * (1.0 - document);
        let photo = (1.0 - signs.flat * 2.0).clamp(0.0, 1.0) * (1.0 - document);
        let all = [("Document", document), ("Screenshot", screenshot), ("Photo", photo)];
        let surest = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, sure)| *sure >= 0.3);
        let leaves = surest.map(|(name, sure)| Label::new(3, name, "Medium", sure));
        Ok(tree("Medium", leaves.into_iter().collect()))
    }
}

/// What tells them apart, each a share of all pixels.
#[derive(Debug, Clone, Copy, Default)]
struct Signs {
    /// As their right neighbour, to one step of each channel.
    flat: f32,
    /// Without much colour: channels within 40 of each other.
    grey: f32,
    /// Grey, and within 40 of the lightest tenth's luma, which is at least 140.
    paper: f32,
    /// At least 70 darker than the paper.
    ink: f32,
    /// Places where paper and ink meet, from left to right.
    edges: f32,
}

impl Signs {
    fn of(pixels: &Pixels) -> Signs {
        let total = pixels.iter().count() as f32;
        let share = |count: usize| count as f32 / total;
        let luma = |p: [u8; 3]| ((u32::from(p[0]) * 299 + u32::from(p[1]) * 587 + u32::from(p[2]) * 114) / 1000) as u8;
        let mut histogram = [0usize; 256];
        let mut flat = 0;
        for row in pixels.rows() {
            row.iter().for_each(|p| histogram.get_mut(usize::from(luma(*p))).into_iter().for_each(|n| *n += 1));
            flat += row.windows(2).filter(|pair| matches!(pair, [a, b] if same(*a, *b))).count();
        }
        let ground = percentile(&histogram, 0.9);
        let grey = |p: &[u8; 3]| p.iter().max().zip(p.iter().min()).is_some_and(|(most, least)| most - least < 40);
        let is_paper = |p: &[u8; 3]| ground >= 140 && grey(p) && luma(*p).abs_diff(ground) < 40;
        let is_ink = |p: &[u8; 3]| u32::from(luma(*p)) + 70 <= u32::from(ground);
        let meets = |pair: &[[u8; 3]]| matches!(pair, [a, b] if is_ink(a) != is_ink(b));
        Signs {
            flat: share(flat),
            grey: share(pixels.iter().filter(grey).count()),
            paper: share(pixels.iter().filter(is_paper).count()),
            ink: share(pixels.iter().filter(is_ink).count()),
            edges: share(pixels.rows().map(|row| row.windows(2).filter(|pair| meets(pair)).count()).sum()),
        }
    }

    /// Paper nearly everywhere, some ink on it in thin strokes, hardly any colour.
    fn document(&self) -> f32 {
        let ink = ramp(self.ink, 0.005, 0.02) * ramp(self.ink, 0.5, 0.35);
        let strokes = ramp(self.edges / self.ink.max(0.001), 0.05, 0.15);
        ramp(self.paper, 0.45, 0.65) * ink * strokes * ramp(self.grey, 0.75, 0.9)
    }

    fn screenshot(&self) -> f32 {
        ramp(self.flat, 0.4, 0.65)
    }
}

fn same(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(x, y)| x.abs_diff(y) <= 1)
}

/// The value that this share of all pixels does not exceed.
fn percentile(histogram: &[usize; 256], share: f32) -> u8 {
    let wanted = (histogram.iter().sum::<usize>() as f32 * share) as usize;
    let mut seen = 0;
    let at = histogram.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    at.and_then(|n| u8::try_from(n).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    fn medium(pixels: &Pixels) -> String {
        let labels = Medium.labels(pixels, &Budget::default()).unwrap();
        labels.iter().find(|l| l.level == 3).map_or(String::new(), |l| l.name.clone())
    }

    #[test]
    fn three_media() {
        assert_eq!(medium(&tried::scene(240, 180, 3)), "Photo");
        assert_eq!(medium(&tried::page(240, 320)), "Document");
        assert_eq!(medium(&tried::screen(320, 200)), "Screenshot");
    }
}
