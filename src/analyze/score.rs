//! How good a picture is technically: sharp, well exposed, free of noise.
//!
//! `score = sharpness^0.5 * exposure^0.25 * cleanness^0.25`, each 0 to 1, measured on luma with the longer side at most 512:
//!
//! * sharpness: the variance `v` of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a
//!   comparative study", ICPR 2000), less what noise adds to it (`20 s^2` for this kernel), as `v / (v + 100)`;
//! * exposure: the mean over all pixels of `exp(-(i - 0.5)^2 / (2 * 0.2^2))`, the well-exposedness of Mertens, Kautz and
//!   Van Reeth ("Exposure Fusion", PG 2007), divided by what evenly spread tones reach, 0.495, at most 1;
//! * cleanness: `1 / (1 + (s / 10)^2)` with `s` the noise's deviation by the median of the finest diagonal details (Donoho and
//!   Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994), measured before shrinking.
//!
//! Weights and the constants 100 and 10 are medialith's own. Beauty is not measured.

use super::{Picture, Plane};

/// Longer side at which sharpness is compared: what a person sees of a picture on a screen.
const LONGEST: u32 = 512;

/// The parts of a score, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// 0 without any edge, 0.5 where a picture begins to look blurred.
    pub sharpness: f32,
    /// 1 with even or middle tones, near 0 for black or white.
    pub exposure: f32,
    /// 1 without noise, 0.5 at a deviation of 10 of 255.
    pub cleanness: f32,
}

impl Score {
    /// Measures a picture.
    pub fn of(picture: &Picture) -> Score {
        let noise = noise(&picture.pixels.luma());
        let luma = picture.pixels.shrunk(LONGEST).luma();
        // Shrinking by n averages n^2 pixels, which divides their noise by n.
        let factor = picture.pixels.width().max(picture.pixels.height()) as f32 / LONGEST as f32;
        let left = noise / factor.max(1.0);
        let detail = (laplacian_variance(&luma) - 20.0 * left * left).max(0.0);
        Score {
            sharpness: detail / (detail + 100.0),
            exposure: exposure(&luma),
            cleanness: 1.0 / (1.0 + (noise / 10.0).powi(2)),
        }
    }

    /// `OverallQualityScore`.
    pub fn overall(self) -> f32 {
        self.sharpness.sqrt() * self.exposure.powf(0.25) * self.cleanness.powf(0.25)
    }
}

fn laplacian_variance(luma: &Plane) -> f32 {
    let kernel = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]];
    Plane::new(1, luma.convolved(kernel).collect()).deviation().powi(2)
}

fn exposure(luma: &Plane) -> f32 {
    let weight = |value: &f32| (-(value / 255.0 - 0.5).powi(2) / (2.0 * 0.2 * 0.2)).exp();
    (super::pixels::mean(luma.values().iter().map(weight)) / 0.495).min(1.0)
}

/// Deviation of the noise in steps of 8 bits. Areas of one value, as clipping and drawing make them, tell nothing and are left
/// out; a picture of nothing else has none.
fn noise(luma: &Plane) -> f32 {
    let rows: Vec<&[f32]> = luma.values().chunks_exact(luma.width()).collect();
    let mut details = Vec::with_capacity(luma.values().len() / 4);
    for pair in rows.as_chunks::<2>().0 {
        let [upper, lower] = pair;
        for (a, b) in upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0) {
            let detail = ((a[0] - a[1] - b[0] + b[1]) / 2.0).abs();
            if detail > 0.0 || a[0] != a[1] {
                details.push(detail);
            }
        }
    }
    let middle = details.len() / 2;
    if details.is_empty() {
        return 0.0;
    }
    let (_, median, _) = details.select_nth_unstable_by(middle, f32::total_cmp);
    *median / 0.6745
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Pixels, tried};

    fn score(pixels: &Pixels) -> Score {
        Score::of(&Picture::of(pixels))
    }

    fn changed(pixels: &Pixels, change: impl Fn(u32, u32, u8) -> f32) -> Pixels {
        let width = pixels.width();
        let place = |n: usize| ((n as u32 / 3) % width, n as u32 / 3 / width);
        let byte = |(n, value): (usize, &u8)| change(place(n).0, place(n).1, *value).clamp(0.0, 255.0) as u8;
        Pixels::new(width, pixels.height(), pixels.rgb().iter().enumerate().map(byte).collect()).unwrap()
    }

    #[test]
    fn each_fault_lowers_its_part_and_the_whole() {
        let good = tried::scene(400, 300, 4);
        let best = score(&good);
        let blurred = good.resampled(100, 75).resampled(400, 300);
        let soft = score(&blurred.resampled(50, 38).resampled(400, 300));
        assert!(soft.sharpness < best.sharpness && soft.overall() < best.overall(), "{soft:?} {best:?}");
        let noisy = score(&changed(&good, |x, y, v| {
            let gauss = (0..12).map(|n| tried::noise(x, y, 900 + n)).sum::<f32>() - 6.0;
            f32::from(v) + 20.0 * gauss
        }));
        assert!(noisy.cleanness < 0.5 && noisy.cleanness < best.cleanness, "{noisy:?}");
        for factor in [0.1, 3.5] {
            let badly_lit = score(&changed(&good, |_, _, v| f32::from(v) * factor));
            assert!(
                badly_lit.exposure < best.exposure * 0.7 && badly_lit.overall() < best.overall(),
                "{factor} {badly_lit:?}"
            );
        }
        assert_eq!(score(&tried::plain(64, 64, [128; 3])).overall(), 0.0);
    }

    #[test]
    fn noise_is_estimated_as_it_was_added() {
        for sigma in [2.0, 5.0, 15.0] {
            let flat = tried::plain(256, 256, [128; 3]);
            let noisy = changed(&flat, |x, y, v| {
                let gauss = (0..12).map(|n| tried::noise(x, y, 40 + n)).sum::<f32>() - 6.0;
                f32::from(v) + 0.5 + sigma * gauss
            });
            let found = noise(&noisy.luma());
            assert!((found - sigma).abs() < 0.15 * sigma + 0.3, "{found} for {sigma}");
        }
    }

    #[test]
    fn scores_of_tiny_pictures_are_numbers() {
        for (width, height) in [(1, 1), (2, 1), (3, 3), (1, 9)] {
            let overall = score(&tried::plain(width, height, [3, 200, 7])).overall();
            assert!((0.0..=1.0).contains(&overall));
        }
    }
}
