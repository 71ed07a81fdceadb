//! Which colours a picture consists of.
//!
//! Pixels are taken to CIELAB (CIE 15:2004, white D65, sRGB primaries of IEC 61966-2-1) and named by the eleven basic colour
//! terms (Berlin and Kay, "Basic Color Terms", 1969) with thresholds on lightness, chroma and hue. `docs/operators.md` has
//! the table.

use super::label::{Label, Labeler, tree};
use super::{Budget, Pixels};
use crate::error::Result;

/// Longer side of the picture that is counted.
const LONGEST: u32 = 96;
/// Colours that are reported at most.
const MOST: usize = 4;

/// Labels `Colour` and, beneath it, the colours that cover at least a tenth of the picture: the confidence is the share, the
/// centric score the part of it that lies in the middle quarter, compared with the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colours;

impl Labeler for Colours {
    fn name(&self) -> &str {
        "colours"
    }

    fn labels(&self, pixels: &Pixels, _: &Budget) -> Result<Vec<Label>> {
        let small = pixels.shrunk(LONGEST);
        let mut counts: Vec<Count> = Vec::new();
        for (middle, pixel) in middles(&small).zip(small.iter()) {
            let name = name(Lab::of(pixel));
            match counts.iter_mut().find(|count| count.name == name) {
                Some(count) => count.add(middle),
                None => {
                    let mut count = Count { name, inside: 0.0, all: 0.0 };
                    count.add(middle);
                    counts.push(count);
                }
            }
        }
        counts.sort_by(|a, b| b.all.total_cmp(&a.all).then(a.name.cmp(b.name)));
        counts.truncate(MOST);
        let total = f32::from(u16::try_from(small.iter().count()).unwrap_or(u16::MAX));
        let inner = middles(&small).filter(|middle| *middle).count() as f32;
        let leaf = |count: Count| {
            let (inside, outside) =
                (count.inside / inner.max(1.0), (count.all - count.inside) / (total - inner).max(1.0));
            let centric = inside / (inside + outside).max(f32::MIN_POSITIVE);
            Label::new(3, count.name, "Colour", count.all / total).centred(centric)
        };
        Ok(tree("Colour", counts.into_iter().map(leaf).collect()))
    }
}

/// Pixels of one colour.
struct Count {
    name: &'static str,
    inside: f32,
    all: f32,
}

impl Count {
    fn add(&mut self, middle: bool) {
        self.all += 1.0;
        self.inside += if middle { 1.0 } else { 0.0 };
    }
}

/// For each pixel whether it lies in the middle half of both sides.
pub(super) fn middles(pixels: &Pixels) -> impl Iterator<Item = bool> {
    let (width, height) = (pixels.width(), pixels.height());
    let middle = |n: u32, of: u32| n >= of / 4 && n < of - of / 4;
    (0..height).flat_map(move |y| (0..width).map(move |x| middle(x, width) && middle(y, height)))
}

/// A colour in CIELAB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lab {
    /// Lightness, 0 to 100.
    pub(super) l: f32,
    /// Green to red.
    pub(super) a: f32,
    /// Blue to yellow.
    pub(super) b: f32,
}

impl Lab {
    /// The colour of an sRGB pixel.
    pub(super) fn of(pixel: [u8; 3]) -> Lab {
        let [r, g, b] = pixel.map(|v| {
            let v = f32::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        });
        let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505;
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089;
        let f = |t: f32| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let (x, y, z) = (f(x), f(y), f(z));
        Lab { l: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }

    /// Chroma: distance from grey.
    pub(super) fn chroma(self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Hue in degrees, 0 to 360.
    fn hue(self) -> f32 {
        self.b.atan2(self.a).to_degrees().rem_euclid(360.0)
    }
}

/// Chroma below which a colour is black, grey or white.
const NEUTRAL: f32 = 14.0;

/// The basic colour term.
fn name(colour: Lab) -> &'static str {
    let (l, chroma, hue) = (colour.l, colour.chroma(), colour.hue());
    if l < 12.0 || (chroma < NEUTRAL && l < 22.0) {
        return "Black";
    }
    if chroma < NEUTRAL {
        return if l > 88.0 { "White" } else { "Grey" };
    }
    match hue {
        h if !(20.0..350.0).contains(&h) => {
            if l >= 60.0 {
                "Pink"
            } else {
                "Red"
            }
        }
        h if h < 45.0 => {
            if l >= 62.0 {
                "Pink"
            } else if chroma >= 40.0 {
                "Red"
            } else {
                "Brown"
            }
        }
        h if h < 80.0 => {
            if l < 58.0 && !(h < 55.0 && chroma >= 70.0) {
                "Brown"
            } else {
                "Orange"
            }
        }
        h if h < 95.0 => {
            if l < 50.0 {
                "Brown"
            } else {
                "Yellow"
            }
        }
        h if h < 112.0 => {
            if l < 60.0 {
                "Green"
            } else {
                "Yellow"
            }
        }
        h if h < 190.0 => "Green",
        h if h < 310.0 => "Blue",
        _ => {
            if l < 65.0 {
                "Purple"
            } else {
                "Pink"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    #[test]
    fn lab_of_known_colours() {
        // Values of the conversion for sRGB primaries, as colour calculators print them (one digit).
        for (rgb, expected) in [
            ([255, 0, 0], (53.2, 80.1, 67.2)),
            ([0, 255, 0], (87.7, -86.2, 83.2)),
            ([0, 0, 255], (32.3, 79.2, -107.9)),
            ([255, 255, 255], (100.0, 0.0, 0.0)),
            ([128, 128, 128], (53.6, 0.0, 0.0)),
        ] {
            let lab = Lab::of(rgb);
            let near = |a: f32, b: f32| (a - b).abs() < 0.3;
            assert!(near(lab.l, expected.0) && near(lab.a, expected.1) && near(lab.b, expected.2), "{rgb:?}: {lab:?}");
        }
    }

    #[test]
    fn names_of_web_colours() {
        // CSS Color Module Level 4: named colours whose basic term nobody doubts.
        for (rgb, expected) in [
            ([0, 0, 0], "Black"),
            ([255, 255, 255], "White"),
            ([128, 128, 128], "Grey"),
            ([255, 0, 0], "Red"),
            ([220, 20, 60], "Red"),
            ([139, 0, 0], "Red"),
            ([255, 165, 0], "Orange"),
            ([255, 140, 0], "Orange"),
            ([139, 69, 19], "Brown"),
            ([160, 82, 45], "Brown"),
            ([255, 255, 0], "Yellow"),
            ([255, 215, 0], "Yellow"),
            ([0, 128, 0], "Green"),
            ([34, 139, 34], "Green"),
            ([0, 255, 0], "Green"),
            ([0, 0, 255], "Blue"),
            ([65, 105, 225], "Blue"),
            ([135, 206, 235], "Blue"),
            ([0, 0, 128], "Blue"),
            ([128, 0, 128], "Purple"),
            ([153, 50, 204], "Purple"),
            ([255, 192, 203], "Pink"),
            ([255, 105, 180], "Pink"),
        ] {
            assert_eq!(name(Lab::of(rgb)), expected, "{rgb:?} {:?} {}", Lab::of(rgb), Lab::of(rgb).hue());
        }
    }

    #[test]
    fn shares_and_the_middle() {
        let picture = tried::framed(80, 80, [0, 128, 0], [220, 20, 60]);
        let labels = Colours.labels(&picture, &Budget::default()).unwrap();
        let of = |name: &str| labels.iter().find(|l| l.name == name).unwrap();
        assert!((of("Red").confidence - 0.25).abs() < 0.02 && (of("Green").confidence - 0.75).abs() < 0.02);
        assert!(of("Red").centric.unwrap() > 0.95 && of("Green").centric.unwrap() < 0.05);
        assert_eq!((of("Colour").level, of("Colour").parent.as_str()), (2, "Appearance"));
    }
}
