//! Which part of a picture to show where a frame of other proportions is to be filled.
//!
//! Of all windows of the wanted proportions that are as large as the picture allows, the one that keeps most of what stands out
//! (`saliency`); of windows that keep as much, the one nearest to the middle.

use super::label::rounded;
use super::saliency::{self, SIDE};
use super::{Budget, Picture, Plane};
use crate::error::{Error, Result};

/// Proportions of a window: width to height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Part of the width, 1 to 20.
    pub width: u32,
    /// Part of the height, 1 to 20.
    pub height: u32,
}

impl Ratio {
    /// Largest part: below 20 (operations.md, "DetectImageCropping").
    pub const MOST: u32 = 19;
    /// What `auto` chooses from.
    pub const COMMON: [Ratio; 5] =
        [Ratio::new(1, 1), Ratio::new(4, 3), Ratio::new(3, 4), Ratio::new(3, 2), Ratio::new(2, 3)];

    const fn new(width: u32, height: u32) -> Ratio {
        Ratio { width, height }
    }

    /// Reads `"2:3"`: whole numbers from 1 to [`Ratio::MOST`], one at most twice the other.
    pub fn parse(text: &str) -> Result<Ratio> {
        let number = |part: &str| part.parse::<u32>().ok().filter(|n| (1..=Ratio::MOST).contains(n));
        let parts = text.split_once(':').and_then(|(w, h)| Some((number(w)?, number(h)?)));
        let ratio = parts.map(|(width, height)| Ratio { width, height });
        let rule = "two whole numbers from 1 to 19 such as 2:3, one at most twice the other";
        ratio
            .filter(|r| r.width <= r.height * 2 && r.height <= r.width * 2)
            .ok_or_else(|| Error::invalid(format!("aspect ratio: expected {rule}, got {text:?}")))
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.width, self.height)
    }
}

/// A window of a picture, in pixels of the upright picture at its full size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cropping {
    /// Its proportions, as closely as whole pixels allow.
    pub ratio: Ratio,
    /// Share of what stands out that lies inside, 0 to 1.
    pub confidence: f32,
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Cropping {
    /// The JSON of the API's `CroppingSuggestion`.
    pub fn to_json(&self) -> serde_json::Value {
        let boundary = serde_json::json!({
            "Left": self.left, "Top": self.top, "Width": self.width, "Height": self.height,
        });
        serde_json::json!({
            "AspectRatio": self.ratio.to_string(), "Confidence": rounded(self.confidence), "Boundary": boundary,
        })
    }
}

/// The best window of each of these proportions; where none are given, of the common ones the one that loses least of what
/// stands out for the area that it gives up.
pub(super) fn suggest(picture: &Picture, ratios: &[Ratio], budget: &Budget) -> Result<Vec<Cropping>> {
    budget.check("cropping")?;
    let sums = Sums::of(&saliency::map(&picture.pixels));
    budget.check("cropping")?;
    if !ratios.is_empty() {
        return Ok(ratios.iter().map(|ratio| window(picture, &sums, *ratio)).collect());
    }
    let area = |c: &Cropping| f64::from(c.width) * f64::from(c.height);
    let density = |c: &Cropping| f64::from(c.confidence) / area(c).sqrt();
    let all = Ratio::COMMON.iter().map(|ratio| window(picture, &sums, *ratio));
    Ok(all.max_by(|a, b| density(a).total_cmp(&density(b))).into_iter().collect())
}

fn window(picture: &Picture, sums: &Sums, ratio: Ratio) -> Cropping {
    let (width, height) = largest(picture.width, picture.height, ratio);
    let (across, down) = (picture.width - width, picture.height - height);
    // One side fits exactly: the window moves along the other, in steps of the map.
    let places = (0..=SIDE as u32).map(|n| {
        let at = |room: u32| (u64::from(room) * u64::from(n) / SIDE as u64) as u32;
        (at(across), at(down), n.abs_diff(SIDE as u32 / 2))
    });
    let kept = |left: u32, top: u32| {
        let scaled = |n: u32, of: u32| f64::from(n) / f64::from(of) * SIDE as f64;
        let (w, h) = (picture.width, picture.height);
        sums.within(scaled(left, w), scaled(top, h), scaled(left + width, w), scaled(top + height, h))
    };
    let found = places.map(|(left, top, off)| (left, top, kept(left, top), off));
    let better = |a: &(u32, u32, f64, u32), b: &(u32, u32, f64, u32)| {
        let (near_a, near_b) = ((a.2 * 1000.0).round(), (b.2 * 1000.0).round());
        near_a.total_cmp(&near_b).then(b.3.cmp(&a.3))
    };
    let (left, top, kept, _) = found.max_by(better).unwrap_or((0, 0, 0.0, 0));
    Cropping { ratio, confidence: kept.clamp(0.0, 1.0) as f32, left, top, width, height }
}

/// The largest size of these proportions inside a picture, at least 1 x 1.
fn largest(width: u32, height: u32, ratio: Ratio) -> (u32, u32) {
    let (w, h) = (u64::from(width), u64::from(height));
    let (rw, rh) = (u64::from(ratio.width), u64::from(ratio.height));
    if w * rh <= h * rw {
        (width, ((w * rh / rw).max(1) as u32).min(height))
    } else {
        (((h * rw / rh).max(1) as u32).min(width), height)
    }
}

/// Sums of a map above and left of each corner, so that those of any window are four look-ups.
struct Sums {
    values: Vec<f64>,
}

impl Sums {
    fn of(map: &Plane) -> Sums {
        let mut values = vec![0.0; SIDE + 1];
        let mut above = vec![0.0f64; SIDE + 1];
        for row in map.values().chunks_exact(SIDE) {
            let mut left = 0.0;
            let sums = std::iter::once(0.0).chain(row.iter().map(|v| {
                left += f64::from(*v);
                left
            }));
            above = above.iter().zip(sums).map(|(a, s)| a + s).collect();
            values.extend(&above);
        }
        Sums { values }
    }

    /// The sum above and left of a place, straight between corners.
    fn until(&self, x: f64, y: f64) -> f64 {
        let corner =
            |x: usize, y: usize| self.values.get(y.min(SIDE) * (SIDE + 1) + x.min(SIDE)).copied().unwrap_or(0.0);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy, col, row) = (x - left, y - top, left as usize, top as usize);
        let upper = corner(col, row) * (1.0 - fx) + corner(col + 1, row) * fx;
        let lower = corner(col, row + 1) * (1.0 - fx) + corner(col + 1, row + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    fn within(&self, left: f64, top: f64, right: f64, bottom: f64) -> f64 {
        self.until(right, bottom) - self.until(left, bottom) - self.until(right, top) + self.until(left, top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Pixels, tried};
    use proptest::prelude::*;

    /// A red spot in a large picture.
    fn spot(width: u32, height: u32, at: (u32, u32), side: u32) -> Pixels {
        let inside = |n: u32, from: u32| (from..from + side).contains(&n);
        tried::drawn(width, height, |x, y| match inside(x, at.0) && inside(y, at.1) {
            true => [230, 40, 20],
            false => [100, 120, 110 + (tried::noise(x, y, 3) * 10.0) as u8],
        })
    }

    #[test]
    fn what_stands_out_is_kept() {
        for (at, ratio) in [((320, 60), "1:1"), ((10, 60), "1:1"), ((200, 120), "2:3")] {
            let picture = Picture::of(&spot(400, 200, at, 30));
            let crop = suggest(&picture, &[Ratio::parse(ratio).unwrap()], &Budget::default()).unwrap()[0];
            let holds = crop.left <= at.0 && crop.left + crop.width >= at.0 + 30;
            assert!(holds && crop.height == 200, "{crop:?} for {at:?}");
        }
    }

    #[test]
    fn an_even_picture_is_cut_in_the_middle_and_auto_gives_one() {
        let picture = Picture::of(&tried::plain(300, 100, [90; 3]));
        let crop = suggest(&picture, &[Ratio::new(1, 1)], &Budget::default()).unwrap()[0];
        assert_eq!((crop.left, crop.top, crop.width, crop.height), (100, 0, 100, 100));
        assert!((crop.confidence - 1.0 / 3.0).abs() < 0.02);
        assert_eq!(suggest(&picture, &[], &Budget::default()).unwrap().len(), 1);
        assert_eq!(crop.to_json()["AspectRatio"], "1:1");
    }

    #[test]
    fn ratios_have_rules() {
        assert_eq!(Ratio::parse("16:9").unwrap().to_string(), "16:9");
        for bad in ["", "auto", "1", "0:1", "1:3", "20:19", "1.5:1", "-1:1", "1:1:1"] {
            assert!(Ratio::parse(bad).unwrap_err().message().contains("expected"), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Windows lie inside and touch both ends of one side, whatever the picture.
        #[test]
        fn windows_fit(width in 1u32..90, height in 1u32..90, a in 1u32..=19, b in 1u32..=19) {
            prop_assume!(a <= 2 * b && b <= 2 * a);
            let picture = Picture::of(&tried::scene(width, height, 1));
            let crop = suggest(&picture, &[Ratio::new(a, b)], &Budget::default()).unwrap()[0];
            prop_assert!(crop.left + crop.width <= width && crop.top + crop.height <= height);
            prop_assert!(crop.width == width || crop.height == height);
            prop_assert!((0.0..=1.0).contains(&crop.confidence) && crop.width > 0 && crop.height > 0);
        }
    }
}
