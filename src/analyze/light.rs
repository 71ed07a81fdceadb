//! How a picture is lit: dark, bright, contrast, warm or cool, backlit, monochrome.
//!
//! Straight ramps on statistics of CIELAB; `docs/operators.md` has the table of thresholds.

use super::colour::{Lab, middles};
use super::label::{Label, Labeler, ramp, tree};
use super::pixels::mean;
use super::{Budget, Pixels};
use crate::error::Result;

/// Longer side of the picture that is measured.
const LONGEST: u32 = 96;

/// Labels `Light` and what is true of it beneath.
#[derive(Debug, Clone, Copy)]
pub(super) struct Light;

impl Labeler for Light {
    fn name(&self) -> &str {
        "light"
    }

    fn labels(&self, pixels: &Pixels, _: &Budget) -> Result<Vec<Label>> {
        let small = pixels.shrunk(LONGEST);
        let colours: Vec<Lab> = small.iter().map(Lab::of).collect();
        let lightness = mean(colours.iter().map(|c| c.l));
        let deviation = mean(colours.iter().map(|c| (c.l - lightness).powi(2))).sqrt();
        let warmth = mean(colours.iter().map(|c| c.b));
        let grey = mean(colours.iter().map(|c| if c.chroma() < 8.0 { 1.0 } else { 0.0 }));
        let part = |inside: bool| {
            let of_part = colours.iter().zip(middles(&small)).filter(move |(_, middle)| *middle == inside);
            mean(of_part.map(|(c, _)| c.l))
        };
        let leaves = [
            ("Dark", ramp(lightness, 35.0, 15.0)),
            ("Bright", ramp(lightness, 65.0, 85.0)),
            ("High contrast", ramp(deviation, 24.0, 36.0)),
            ("Low contrast", ramp(deviation, 12.0, 4.0)),
            ("Warm", ramp(warmth, 10.0, 30.0)),
            ("Cool", ramp(warmth, -6.0, -26.0)),
            ("Monochrome", ramp(grey, 0.9, 1.0)),
            ("Backlit", ramp(part(false) - part(true), 15.0, 40.0)),
        ];
        Ok(tree("Light", leaves.into_iter().map(|(name, sure)| Label::new(3, name, "Light", sure)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    fn names(pixels: &Pixels) -> Vec<String> {
        let labels = Light.labels(pixels, &Budget::default()).unwrap();
        labels.into_iter().filter(|l| l.level == 3 && l.confidence > 0.5).map(|l| l.name).collect()
    }

    #[test]
    fn light_is_named() {
        assert_eq!(names(&tried::plain(20, 20, [5, 5, 5])), ["Dark", "Low contrast", "Monochrome"]);
        assert_eq!(names(&tried::plain(20, 20, [250, 250, 250])), ["Bright", "Low contrast", "Monochrome"]);
        assert_eq!(
            names(&tried::framed(40, 40, [230, 230, 230], [30, 30, 30])),
            ["High contrast", "Monochrome", "Backlit"]
        );
        assert_eq!(names(&tried::plain(20, 20, [240, 160, 60])), ["Low contrast", "Warm"]);
        assert_eq!(names(&tried::plain(20, 20, [60, 110, 220])), ["Low contrast", "Cool"]);
    }
}
