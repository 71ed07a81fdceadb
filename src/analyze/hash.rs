//! Perceptual hash: 64 bits that change little when a picture is scaled, recompressed or corrected.
//!
//! pHash as in Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), 3.2: luma at 32 x 32, its
//! discrete cosine transform, of the 8 x 8 lowest frequencies one bit each: above the median of them or not. The constant term
//! counts with neither.

use super::Pixels;
use crate::error::{Error, Result};
use std::f32::consts::PI;

/// A perceptual hash. Written as 16 hexadecimal digits, the lowest frequency first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageHash(pub u64);

/// Side of the transformed picture.
const SIDE: u32 = 32;
/// Side of the block of frequencies that count.
const LOW: usize = 8;

impl ImageHash {
    /// Bits in which copies of one picture differ at most, by default: scaled, recompressed or slightly corrected ones.
    pub const NEAR: u32 = 6;

    /// The hash of a picture.
    pub fn of(pixels: &Pixels) -> ImageHash {
        let luma = pixels.resampled(SIDE, SIDE).luma();
        let waves: Vec<Vec<f32>> = (0..LOW)
            .map(|k| (0..SIDE).map(|n| (PI / SIDE as f32 * (n as f32 + 0.5) * k as f32).cos()).collect())
            .collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        // Rows to 8 numbers each, then the columns of these.
        let rows: Vec<Vec<f32>> =
            luma.values().chunks_exact(SIDE as usize).map(|row| waves.iter().map(|w| dot(row, w)).collect()).collect();
        let column = |u: usize| -> Vec<f32> { rows.iter().filter_map(|row| row.get(u).copied()).collect() };
        let columns: Vec<Vec<f32>> = (0..LOW).map(column).collect();
        let frequencies: Vec<f32> = waves.iter().flat_map(|w| columns.iter().map(|c| dot(c, w))).collect();
        let mut sorted: Vec<f32> = frequencies.iter().skip(1).copied().collect();
        sorted.sort_by(f32::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let bits = frequencies.iter().skip(1).fold(0u64, |bits, f| (bits << 1) | u64::from(*f > median));
        ImageHash(bits)
    }

    /// Bits in which two hashes differ, 0 to 63.
    pub fn distance(self, other: ImageHash) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// Reads 16 hexadecimal digits.
    pub fn parse(text: &str) -> Result<ImageHash> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = if digits { u64::from_str_radix(text, 16).ok() } else { None };
        value
            .map(ImageHash)
            .ok_or_else(|| Error::invalid(format!("ImageHash: expected 16 hexadecimal digits, got {text:?}")))
    }
}

impl std::fmt::Display for ImageHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    #[test]
    fn copies_are_near_and_others_far() {
        let scenes: Vec<Pixels> = (0..24).map(|seed| tried::scene(320, 240, seed)).collect();
        let hashes: Vec<ImageHash> = scenes.iter().map(ImageHash::of).collect();
        for (scene, hash) in scenes.iter().zip(&hashes) {
            let lighter = scene.rgb().iter().map(|v| (f32::from(*v) * 0.9 + 20.0) as u8).collect();
            for copy in [scene.shrunk(120), scene.resampled(500, 375), Pixels::new(320, 240, lighter).unwrap()] {
                let distance = hash.distance(ImageHash::of(&copy));
                assert!(distance <= ImageHash::NEAR, "{distance}");
            }
        }
        let pairs = hashes.iter().enumerate().flat_map(|(n, a)| hashes[n + 1..].iter().map(|b| a.distance(*b)));
        let near = pairs.filter(|distance| *distance <= ImageHash::NEAR).count();
        assert_eq!(near, 0, "different scenes are not taken for copies");
    }

    #[test]
    fn the_transform_is_the_textbook_one() {
        // A single wave along x has one coefficient above all others: that of its own frequency.
        let wave = tried::drawn(32, 32, |x, _| [(127.5 + 100.0 * (PI / 32.0 * (x as f32 + 0.5) * 3.0).cos()) as u8; 3]);
        let hash = ImageHash::of(&wave);
        assert_eq!(hash.0 >> 60 & 1, 1, "{hash}");
    }

    #[test]
    fn text_round_trips() {
        let hash = ImageHash(0x00AB_CDEF_0123_4567);
        assert_eq!(ImageHash::parse(&hash.to_string()).unwrap(), hash);
        for bad in ["", "xyz", "00abcdef012345670", "+0abcdef01234567"] {
            assert!(ImageHash::parse(bad).is_err(), "{bad}");
        }
    }
}
