//! What to show while a picture loads: a ThumbHash (evanw.github.io/thumbhash), some 25 bytes that hold its average colours,
//! coarse shapes and proportions, written in base64.

use super::Pixels;
use data_encoding::BASE64;

/// Longer side that the format is made from.
const LONGEST: u32 = 100;

/// The placeholder of a picture.
pub fn of(pixels: &Pixels) -> String {
    let small = pixels.shrunk(LONGEST);
    let rgba: Vec<u8> = small.iter().flat_map(|[r, g, b]| [r, g, b, 255]).collect();
    let hash = thumbhash::rgba_to_thumb_hash(small.width() as usize, small.height() as usize, &rgba);
    BASE64.encode(&hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    #[test]
    fn it_shows_average_colour_and_proportions() {
        let text = of(&tried::plain(400, 200, [200, 40, 40]));
        let hash = BASE64.decode(text.as_bytes()).unwrap();
        assert!(hash.len() <= 25, "{} bytes", hash.len());
        let (r, g, b, _) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        assert!((r - 0.78).abs() < 0.06 && (g - 0.16).abs() < 0.06 && (b - 0.16).abs() < 0.06, "{r} {g} {b}");
        let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((ratio - 2.0).abs() < 0.5, "{ratio}");
    }

    #[test]
    fn any_shape_has_one() {
        for (width, height) in [(1, 1), (1, 1000), (1000, 1), (3, 7)] {
            assert!(!of(&tried::plain(width, height, [1, 2, 3])).is_empty());
        }
    }
}
