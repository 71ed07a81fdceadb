//! Boxes and scores of a detector to `Figures`.

use super::network::activated;
use crate::analyze::Pixels;
use crate::analyze::label::rounded;
use crate::analyze::manifest::Output;
use crate::error::{Error, Result};
use crate::model::cluster::FIGURE_UNCLUSTERED;
use crate::model::{Members, Value, field};

/// A face that was found.
#[derive(Debug, Clone)]
pub struct Face {
    /// The element of `Figures`.
    pub figure: Members,
    /// Left, top, right, bottom, as parts of the picture's sides.
    pub sides: [f32; 4],
}

/// A box of a picture whose sides are 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Box4 {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Box4 {
    fn area(self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// Intersection over union.
    fn overlap(self, other: Box4) -> f32 {
        let both = Box4 {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        both.area() / (self.area() + other.area() - both.area()).max(f32::MIN_POSITIVE)
    }
}

/// The faces, the surest first; of boxes that overlap too much the surest (greedy non-maximum suppression). `scores` has one
/// number for each box, or two of which the second is the face's; `size` is that of the picture, `seed` tells it from others.
pub(super) fn figures(
    scores: &[f32],
    boxes: &[f32],
    output: &Output,
    size: (u32, u32),
    seed: [u64; 2],
) -> Result<Vec<Face>> {
    let boxes: &[[f32; 4]] = boxes.as_chunks().0;
    let per_box = scores.len() / boxes.len().max(1);
    if boxes.is_empty() || !(1..=2).contains(&per_box) || scores.len() != per_box * boxes.len() {
        let (got, boxes) = (scores.len(), boxes.len());
        return Err(Error::invalid(format!(
            "model.onnx: expected one or two scores for each of {boxes} boxes, got {got}"
        )));
    }
    let sure = scores.chunks_exact(per_box).map(|pair| {
        let all = activated(pair, output.activation);
        all.last().copied().unwrap_or(0.0)
    });
    let within = |[left, top, right, bottom]: [f32; 4]| {
        let [left, top, right, bottom] = [left, top, right, bottom].map(|n| n.clamp(0.0, 1.0));
        Box4 { left, top, right, bottom }
    };
    let mut found: Vec<(f32, Box4)> = sure.zip(boxes.iter().map(|b| within(*b))).collect();
    found.retain(|(score, face)| *score >= output.threshold && face.area() > 0.0);
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<(f32, Box4)> = Vec::new();
    for (score, face) in found {
        if kept.len() < output.most && kept.iter().all(|(_, other)| face.overlap(*other) <= output.overlap) {
            kept.push((score, face));
        }
    }
    let sides = |b: Box4| [b.left, b.top, b.right, b.bottom];
    Ok(kept
        .into_iter()
        .map(|(score, face)| Face { figure: figure(score, face, size, seed), sides: sides(face) })
        .collect())
}

/// The square around a box of a picture, with a margin as a part of its side, as far as the picture goes.
pub(super) fn crop(pixels: &Pixels, [left, top, right, bottom]: [f32; 4], margin: f32) -> Pixels {
    let (w, h) = (pixels.width() as f32, pixels.height() as f32);
    let (wide, tall) = (((right - left) * w).max(1.0), ((bottom - top) * h).max(1.0));
    let half = wide.max(tall) * (0.5 + margin);
    let (x, y) = ((left + right) * 0.5 * w, (top + bottom) * 0.5 * h);
    // Casts saturate: what lies outside ends at the border.
    let (from_x, from_y) = ((x - half).round() as u32, (y - half).round() as u32);
    let (to_x, to_y) = ((x + half).round() as u32, (y + half).round() as u32);
    pixels.part((from_x, from_y), (to_x, to_y))
}

/// What tells a picture from others: two sums of all its pixels by FNV-1a (Fowler, Noll and Vo), eight bytes at a time.
pub(super) fn seed(pixels: &Pixels) -> [u64; 2] {
    const PRIME: u64 = 0x0100_0000_01B3;
    let (words, rest) = pixels.rgb().as_chunks::<8>();
    let all = words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest.iter().map(|byte| u64::from(*byte)));
    // The second sum begins elsewhere and sees each word turned, so that it is another one.
    let start = [0xCBF2_9CE4_8422_2325, u64::from(pixels.width())];
    all.fold(start, |[a, b], word| {
        [(a ^ word).wrapping_mul(PRIME), (b ^ word.rotate_left(29)).wrapping_mul(PRIME).rotate_left(17)]
    })
}

/// A name like a UUID, the same for the same box in the same picture: another run changes nothing.
fn name(seed: [u64; 2], sides: [u32; 4]) -> String {
    let spread = |sum: u64, n: u32| (sum ^ u64::from(n)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    let [a, b] = seed.map(|sum| sides.into_iter().fold(sum, spread));
    let text = format!("{a:016x}{:016x}", b ^ a.rotate_left(32));
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn figure(score: f32, face: Box4, (width, height): (u32, u32), seed: [u64; 2]) -> Members {
    let at = |part: f32, of: u32| (part * of as f32).round() as u32;
    let (left, top) = (at(face.left, width), at(face.top, height));
    let (right, bottom) = (at(face.right, width), at(face.bottom, height));
    let boundary = serde_json::json!({ "Left": left, "Top": top, "Width": right - left, "Height": bottom - top });
    let mut members = Members::new();
    members.set(field::FIGURE_ID, name(seed, [left, top, right, bottom]));
    members.set(field::FIGURE_TYPE, "face");
    members.set(field::FIGURE_CONFIDENCE, rounded(score));
    members.set(field::FIGURE_CLUSTER_ID, FIGURE_UNCLUSTERED);
    members.set(field::FIGURE_BOUNDARY, Value::Json(boundary.to_string().into()));
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::manifest::Manifest;

    fn output() -> Output {
        let text = "name = \"f\"\nversion = \"1\"\nlicense = \"CC0-1.0\"\nkind = \"face-detection\"\n[input]\nwidth = 8\nheight = 8\n[output]\nboxes = \"b\"\nthreshold = 0.6\noverlap = 0.4\n";
        Manifest::parse(text).unwrap().output
    }

    #[test]
    fn overlapping_boxes_are_one_face() {
        let boxes = [0.1, 0.1, 0.5, 0.5, 0.12, 0.1, 0.52, 0.5, 0.7, 0.7, 0.9, 0.95, 0.0, 0.0, 1.0, 1.0];
        let found = figures(&[0.8, 0.9, 0.7, 0.2], &boxes, &output(), (200, 100), [1, 2]).unwrap();
        assert_eq!(found.len(), 2);
        let name = |face: &Face| face.figure.text(field::FIGURE_ID).unwrap().to_owned();
        assert!(name(&found[0]) != name(&found[1]) && name(&found[0]).len() == 36);
        let elsewhere = figures(&[0.8, 0.9, 0.7, 0.2], &boxes, &output(), (200, 100), [1, 3]).unwrap();
        assert_ne!(name(&found[0]), name(&elsewhere[0]), "another picture");
        assert_eq!(found[0].figure.get(field::FIGURE_CONFIDENCE).unwrap().as_float(), Some(0.9));
        let boundary = Value::Json("{\"Height\":25,\"Left\":140,\"Top\":70,\"Width\":40}".into());
        assert_eq!(found[1].figure.get(field::FIGURE_BOUNDARY), Some(&boundary));
    }

    #[test]
    fn seeds_differ_in_one_bit() {
        let pixels = |at: usize| {
            let mut rgb = vec![7; 300];
            rgb[at] ^= 1;
            Pixels::new(10, 10, rgb).unwrap()
        };
        let seeds: std::collections::BTreeSet<[u64; 2]> = (0..300).map(|at| seed(&pixels(at))).collect();
        assert_eq!(seeds.len(), 300);
    }

    #[test]
    fn crops_are_squares_within_the_picture() {
        let pixels =
            Pixels::new(40, 20, (0..800u32).flat_map(|n| [(n % 40) as u8, (n / 40) as u8, 0]).collect()).unwrap();
        let seen = |face, margin| {
            let part = crop(&pixels, face, margin);
            let first = part.iter().next().unwrap();
            (part.width(), part.height(), first[0], first[1])
        };
        assert_eq!(seen([0.25, 0.25, 0.5, 0.75], 0.0), (10, 10, 10, 5));
        assert_eq!(seen([0.25, 0.25, 0.5, 0.75], 0.2), (14, 14, 8, 3));
        assert_eq!(seen([0.0, 0.0, 0.1, 0.1], 2.0), (12, 11, 0, 0));
        assert_eq!(seen([1.0, 1.0, 1.0, 1.0], 0.0), (1, 1, 39, 19));
        assert_eq!(seen([0.0, 0.0, 1.0, 1.0], 2.0), (40, 20, 0, 0));
    }

    #[test]
    fn outputs_that_do_not_fit_are_refused() {
        assert!(
            figures(&[0.1; 3], &[0.0; 8], &output(), (1, 1), [1, 2]).unwrap_err().message().contains("2 boxes, got 3")
        );
        assert!(figures(&[], &[], &output(), (1, 1), [1, 2]).is_err());
        assert_eq!(figures(&[0.1, 0.9], &[0.0, 0.0, 1.0, 1.0], &output(), (1, 1), [1, 2]).unwrap().len(), 1);
    }
}
