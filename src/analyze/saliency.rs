//! Where a picture draws the eye.
//!
//! Spectral residual (Hou and Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007): what the logarithm of a
//! picture's spectrum has beyond its local mean stands out. At 64 x 64, the paper's scale, on luma and two colour differences.

use super::{Pixels, Plane};
use std::f32::consts::TAU;

/// Side of the map.
pub(super) const SIDE: usize = 64;

/// How much each place of a picture stands out: [`SIDE`] x [`SIDE`] values that are not negative and sum to 1.
pub(super) fn map(pixels: &Pixels) -> Plane {
    let small = pixels.resampled(SIDE as u32, SIDE as u32);
    let channels: [fn([f32; 3]) -> f32; 3] = [
        |[r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b,
        |[r, g, _]| (r - g) / 2.0,
        |[r, g, b]| (b - (r + g) / 2.0) / 2.0,
    ];
    let mut sums = vec![0.0f32; SIDE * SIDE];
    for channel in channels {
        let values: Vec<f32> = small.iter().map(|p| channel(p.map(f32::from))).collect();
        let plane = Plane::new(SIDE, values);
        // A channel without any contrast has a spectrum of rounding errors only.
        if plane.deviation() > 1.0 {
            sums.iter_mut().zip(residual(&plane).values()).for_each(|(sum, v)| *sum += v);
        }
    }
    let smooth = blurred(&blurred(&Plane::new(SIDE, sums)));
    let total: f32 = smooth.values().iter().sum();
    let even = 1.0 / (SIDE * SIDE) as f32;
    let part = |v: &f32| if total > 0.0 { v / total } else { even };
    Plane::new(SIDE, smooth.values().iter().map(part).collect())
}

/// The squared picture of the residual spectrum.
fn residual(plane: &Plane) -> Plane {
    let spectrum = transform(plane.values().iter().map(|v| (*v, 0.0)).collect(), -1.0);
    let logarithm = |(re, im): &(f32, f32)| re.hypot(*im).max(1e-3).ln();
    let logs = Plane::new(SIDE, spectrum.iter().map(logarithm).collect());
    let means = blurred(&logs);
    let rest = logs.values().iter().zip(means.values()).zip(&spectrum);
    let sharp = rest.map(|((log, mean), (re, im))| {
        let (size, turn) = ((log - mean).exp(), re.hypot(*im).max(1e-3));
        (size * re / turn, size * im / turn)
    });
    let back = transform(sharp.collect(), 1.0);
    Plane::new(SIDE, back.iter().map(|(re, im)| re * re + im * im).collect())
}

/// Each value the mean of the 3 x 3 around it.
fn blurred(plane: &Plane) -> Plane {
    let side = |n: usize| (0..n).map(usize::cast_signed);
    let around = |x: isize, y: isize| {
        let sum: f32 =
            (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))).map(|(dx, dy)| plane.at(x + dx, y + dy)).sum();
        sum / 9.0
    };
    let values = side(plane.height()).flat_map(|y| side(plane.width()).map(move |x| (x, y))).map(|(x, y)| around(x, y));
    Plane::new(plane.width(), values.collect())
}

/// Discrete Fourier transform of a square, rows then columns, without scaling; `sign` -1 forward, 1 back.
fn transform(values: Vec<(f32, f32)>, sign: f32) -> Vec<(f32, f32)> {
    let turns: Vec<(f32, f32)> =
        (0..SIDE).map(|n| (sign * TAU * n as f32 / SIDE as f32).sin_cos()).map(|(s, c)| (c, s)).collect();
    lines(&lines(&values, &turns), &turns)
}

/// The transform of each row, written as columns.
fn lines(values: &[(f32, f32)], turns: &[(f32, f32)]) -> Vec<(f32, f32)> {
    let mut columns = vec![(0.0, 0.0); values.len()];
    for (y, row) in values.chunks_exact(SIDE).enumerate() {
        for k in 0..SIDE {
            let mut sum = (0.0f32, 0.0f32);
            for (n, (re, im)) in row.iter().enumerate() {
                let (cos, sin) = turns.get(k * n % SIDE).copied().unwrap_or_default();
                sum = (sum.0 + re * cos - im * sin, sum.1 + re * sin + im * cos);
            }
            if let Some(slot) = columns.get_mut(k * SIDE + y) {
                *slot = sum;
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    #[test]
    fn forth_and_back_is_the_same() {
        let values: Vec<(f32, f32)> = (0..SIDE * SIDE).map(|n| (tried::noise(n as u32, 1, 2), 0.0)).collect();
        let back = transform(transform(values.clone(), -1.0), 1.0);
        let scale = (SIDE * SIDE) as f32;
        let worst = values.iter().zip(&back).map(|(a, b)| (a.0 - b.0 / scale).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn a_spot_stands_out() {
        let spot = |x: u32, y: u32| (150..170).contains(&x) && (30..50).contains(&y);
        let picture = tried::drawn(200, 100, |x, y| {
            if spot(x, y) { [220, 40, 30] } else { [90, 110, 100 + (tried::noise(x, y, 1) * 8.0) as u8] }
        });
        let map = map(&picture);
        let most = map.values().iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        let (x, y) = (most % SIDE * 200 / SIDE, most / SIDE * 100 / SIDE);
        assert!((140..180).contains(&x) && (22..58).contains(&y), "{x} {y}");
        assert!((map.values().iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }

    #[test]
    fn nothing_stands_out_of_one_colour() {
        let map = map(&tried::plain(30, 30, [7; 3]));
        assert!(map.values().iter().all(|v| (v * (SIDE * SIDE) as f32 - 1.0).abs() < 1e-3));
    }
}
