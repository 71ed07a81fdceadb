//! Decoded pixels, and the planes that operators compute with.

use crate::error::{Error, Result};

/// An upright picture or one frame of a film: 8-bit sRGB, row by row from the top left, three bytes each, no padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Pixels of that size; fails unless both sides are at least 1 and `rgb` holds `width * height * 3` bytes.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Pixels> {
        let expected = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(3);
        if width == 0 || height == 0 || rgb.len() as u64 != expected {
            let got = rgb.len();
            return Err(Error::invalid(format!("pixels of {width} x {height}: expected {expected} bytes, got {got}")));
        }
        Ok(Pixels { width, height, rgb })
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All bytes.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Each pixel, row by row.
    pub fn iter(&self) -> impl Iterator<Item = [u8; 3]> {
        self.rgb.as_chunks().0.iter().copied()
    }

    /// Each row.
    pub fn rows(&self) -> impl Iterator<Item = &[[u8; 3]]> {
        self.rgb.as_chunks().0.chunks_exact(self.width as usize)
    }

    /// The picture with its longer side at most `longest`, each pixel the mean of those it stands for; itself where it is
    /// small enough. `longest` is at least 1.
    pub fn shrunk(&self, longest: u32) -> Pixels {
        let longer = self.width.max(self.height);
        if longer <= longest.max(1) {
            return self.clone();
        }
        let side = |n: u32| (u64::from(n) * u64::from(longest) / u64::from(longer)).max(1) as u32;
        self.resampled(side(self.width), side(self.height))
    }

    /// The picture at exactly this size, each pixel the mean of the block of pixels that it covers (box filter; at least
    /// one pixel, so that growing repeats pixels). Sides of 0 count as 1.
    pub fn resampled(&self, width: u32, height: u32) -> Pixels {
        let (width, height) = (width.max(1), height.max(1));
        let columns = blocks(self.width, width);
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for (top, bottom) in blocks(self.height, height) {
            let mut sums = vec![[0u64; 3]; width as usize];
            for row in self.rows().skip(top).take(bottom - top) {
                for (sum, (left, right)) in sums.iter_mut().zip(&columns) {
                    for pixel in row.get(*left..*right).unwrap_or(&[]) {
                        sum.iter_mut().zip(pixel).for_each(|(s, p)| *s += u64::from(*p));
                    }
                }
            }
            for (sum, (left, right)) in sums.iter().zip(&columns) {
                let count = ((right - left) * (bottom - top)) as u64;
                rgb.extend(sum.iter().map(|s| ((s + count / 2) / count) as u8));
            }
        }
        Pixels { width, height, rgb }
    }

    /// The middle of the picture with sides of at most these, at least 1.
    pub fn middle(&self, width: u32, height: u32) -> Pixels {
        let (width, height) = (width.clamp(1, self.width), height.clamp(1, self.height));
        let (left, top) = ((self.width - width) as usize / 2, (self.height - height) as usize / 2);
        let rows = self.rows().skip(top).take(height as usize);
        let rgb = rows.flat_map(|row| row.iter().skip(left).take(width as usize).flatten().copied()).collect();
        Pixels { width, height, rgb }
    }

    /// What lies from one corner up to another one, as columns and rows; at least one pixel, and nothing beyond the picture.
    pub fn part(&self, from: (u32, u32), to: (u32, u32)) -> Pixels {
        let (left, top) = (from.0.min(self.width - 1), from.1.min(self.height - 1));
        let (width, height) = (to.0.clamp(left + 1, self.width) - left, to.1.clamp(top + 1, self.height) - top);
        let rows = self.rows().skip(top as usize).take(height as usize);
        let rgb = rows.flat_map(|row| row.iter().skip(left as usize).take(width as usize).flatten().copied()).collect();
        Pixels { width, height, rgb }
    }

    /// Luma of each pixel, 0 to 255 (ITU-R BT.601, the weights that JPEG uses).
    pub fn luma(&self) -> Plane {
        let luma = |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
        Plane { width: self.width as usize, values: self.iter().map(luma).collect() }
    }
}

/// For each of `to` pixels the half-open range of the `from` pixels that it covers, never empty.
fn blocks(from: u32, to: u32) -> Vec<(usize, usize)> {
    let at = |n: u32| u64::from(n) * u64::from(from) / u64::from(to);
    (0..to).map(|n| (at(n) as usize, at(n + 1).max(at(n) + 1) as usize)).collect()
}

/// One value for each pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    width: usize,
    values: Vec<f32>,
}

impl Plane {
    /// A plane of rows of `width` values each; an incomplete last row is dropped. A width of 0 counts as 1.
    pub fn new(width: usize, mut values: Vec<f32>) -> Plane {
        let width = width.max(1);
        values.truncate(values.len() / width * width);
        Plane { width, values }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.values.len() / self.width
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The value at a place; at the nearest place of the plane where it lies outside.
    pub fn at(&self, x: isize, y: isize) -> f32 {
        let within = |n: isize, most: usize| n.clamp(0, most.saturating_sub(1).cast_signed()).cast_unsigned();
        let (x, y) = (within(x, self.width), within(y, self.height()));
        self.values.get(y * self.width + x).copied().unwrap_or(0.0)
    }

    /// What a 3 x 3 kernel makes of each inner pixel, in the order of rows; nothing where a side is below 3.
    pub fn convolved(&self, kernel: [[f32; 3]; 3]) -> impl Iterator<Item = f32> {
        let rows: Vec<&[f32]> = self.values.chunks_exact(self.width).collect();
        let triples = rows.windows(3).map(<[&[f32]]>::to_vec).collect::<Vec<_>>();
        triples.into_iter().flat_map(move |rows| {
            let mut sums = vec![0.0; rows.first().map_or(0, |row| row.len().saturating_sub(2))];
            for (row, weights) in rows.iter().zip(&kernel) {
                for (sum, part) in sums.iter_mut().zip(row.windows(3)) {
                    *sum += part.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>();
                }
            }
            sums
        })
    }

    /// Mean of all values; 0 of none.
    pub fn mean(&self) -> f32 {
        mean(self.values.iter().copied())
    }

    /// Standard deviation of all values; 0 of none.
    pub fn deviation(&self) -> f32 {
        let mean = f64::from(self.mean());
        let squares = self.values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>();
        (squares / self.values.len().max(1) as f64).sqrt() as f32
    }
}

/// Mean of values; 0 of none.
pub(super) fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0f64, 0u64), |(sum, count), v| (sum + f64::from(v), count + 1));
    (sum / count.max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_checked() {
        assert!(Pixels::new(2, 2, vec![0; 12]).is_ok());
        for (width, height, bytes) in [(0, 1, 0), (1, 0, 0), (2, 2, 11), (u32::MAX, u32::MAX, 0)] {
            assert!(Pixels::new(width, height, vec![0; bytes]).unwrap_err().message().contains("expected"));
        }
    }

    #[test]
    fn shrinking_takes_means() {
        let picture =
            Pixels::new(4, 2, [10, 20, 30, 40, 30, 40, 50, 60].iter().flat_map(|v| [*v; 3]).collect()).unwrap();
        let small = picture.shrunk(2);
        assert_eq!((small.width(), small.height(), small.rgb()), (2, 1, &[25, 25, 25, 45, 45, 45][..]));
        assert_eq!(picture.shrunk(9), picture);
        assert_eq!(picture.resampled(8, 2).iter().take(3).map(|p| p[0]).collect::<Vec<_>>(), [10, 10, 20]);
    }

    #[test]
    fn kernels_see_inner_pixels() {
        let plane = Plane::new(3, (0..9).map(|n| n as f32).collect());
        let identity = [[0.0; 3], [0.0, 1.0, 0.0], [0.0; 3]];
        assert_eq!(plane.convolved(identity).collect::<Vec<_>>(), [4.0]);
        assert_eq!((plane.at(-5, 9), plane.mean(), plane.height()), (6.0, 4.0, 3));
        assert_eq!(Plane::new(2, vec![1.0; 4]).convolved(identity).count(), 0);
    }

    proptest! {
        /// Means of blocks that do not overlap keep the mean of the whole where sides divide.
        #[test]
        fn means_survive(bytes in proptest::collection::vec(any::<u8>(), 8 * 8 * 3)) {
            let picture = Pixels::new(8, 8, bytes).unwrap();
            let small = picture.shrunk(4);
            prop_assert!((picture.luma().mean() - small.luma().mean()).abs() <= 0.6);
        }

        #[test]
        fn any_size_resamples(width in 1u32..40, height in 1u32..40, to in 1u32..50, tall in 1u32..50) {
            let picture = Pixels::new(width, height, vec![7; (width * height * 3) as usize]).unwrap();
            let other = picture.resampled(to, tall);
            prop_assert_eq!(other.rgb().len() as u32, to * tall * 3);
            prop_assert!(other.rgb().iter().all(|b| *b == 7));
        }
    }
}
