//! Boxes and scores of a detector to `Figures`.

use super::network::activated;
use crate::analyze::label::rounded;
use crate::analyze::manifest::Output;
use crate::error::{Error, Result};
use crate::model::{Members, Value, field};

/// `FigureClusterId` of a face that no clustering has seen (fields.md 5).
const UNCLUSTERED: &str = "figure-cluster-id-unavailable";

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
/// number for each box, or two of which the second is the face's; `size` is that of the picture.
pub(super) fn figures(scores: &[f32], boxes: &[f32], output: &Output, size: (u32, u32)) -> Result<Vec<Members>> {
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
    Ok(kept.into_iter().map(|(score, face)| figure(score, face, size)).collect())
}

fn figure(score: f32, face: Box4, (width, height): (u32, u32)) -> Members {
    let at = |part: f32, of: u32| (part * of as f32).round() as u32;
    let (left, top) = (at(face.left, width), at(face.top, height));
    let (right, bottom) = (at(face.right, width), at(face.bottom, height));
    let boundary = serde_json::json!({ "Left": left, "Top": top, "Width": right - left, "Height": bottom - top });
    let mut members = Members::new();
    // The same face of the same bytes has the same name: another run changes nothing.
    members.set(field::FIGURE_ID, format!("{left:08x}-{top:08x}-{right:08x}-{bottom:08x}"));
    members.set(field::FIGURE_TYPE, "face");
    members.set(field::FIGURE_CONFIDENCE, rounded(score));
    members.set(field::FIGURE_CLUSTER_ID, UNCLUSTERED);
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
        let found = figures(&[0.8, 0.9, 0.7, 0.2], &boxes, &output(), (200, 100)).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get(field::FIGURE_CONFIDENCE).unwrap().as_float(), Some(0.9));
        let boundary = Value::Json("{\"Height\":25,\"Left\":140,\"Top\":70,\"Width\":40}".into());
        assert_eq!(found[1].get(field::FIGURE_BOUNDARY), Some(&boundary));
    }

    #[test]
    fn outputs_that_do_not_fit_are_refused() {
        assert!(figures(&[0.1; 3], &[0.0; 8], &output(), (1, 1)).unwrap_err().message().contains("2 boxes, got 3"));
        assert!(figures(&[], &[], &output(), (1, 1)).is_err());
        assert_eq!(figures(&[0.1, 0.9], &[0.0, 0.0, 1.0, 1.0], &output(), (1, 1)).unwrap().len(), 1);
    }
}
