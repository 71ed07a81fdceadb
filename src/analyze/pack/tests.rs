//! The pack that comes with medialith, and packs that do not fit together.

use super::*;
use crate::analyze::tried;

const MANIFEST: &str = include_str!("scenes/pack.toml");
const LABELS: &str = include_str!("scenes/labels.csv");
const MODEL: &[u8] = include_bytes!("scenes/model.onnx");

/// Sky above and ground below, with a little texture.
fn scene(sky: [f32; 3], ground: [f32; 3]) -> Pixels {
    tried::drawn(128, 96, |x, y| {
        let base = if y < 45 { sky } else { ground };
        base.map(|v| (v + 24.0 * (tried::fractal(x, y, 3) - 0.5)).clamp(0.0, 255.0) as u8)
    })
}

#[test]
fn scenes_are_told_by_their_colours() {
    let pack = Pack::scenes().unwrap();
    let named = |pixels: &Pixels| {
        let labels = pack.labels(pixels, &Budget::default()).unwrap();
        labels.iter().find(|l| l.level == 3).map_or(String::new(), |l| l.name.clone())
    };
    assert_eq!(named(&scene([120.0, 165.0, 225.0], [70.0, 130.0, 45.0])), "Meadow");
    assert_eq!(named(&scene([170.0, 190.0, 215.0], [235.0, 240.0, 250.0])), "Snow");
    let labels = pack.labels(&scene([120.0, 165.0, 225.0], [70.0, 130.0, 45.0]), &Budget::default()).unwrap();
    let tree: Vec<(u8, &str, &str)> = labels.iter().map(|l| (l.level, l.name.as_str(), l.parent.as_str())).collect();
    assert!(tree.contains(&(1, "Scene", "")) && tree.contains(&(2, "Landscape", "Scene")), "{tree:?}");
    assert!(labels.iter().all(|l| (0.0..=1.0).contains(&l.confidence)));
}

#[test]
fn a_spent_budget_is_an_error() {
    let pack = Pack::scenes().unwrap();
    let over = Budget::new(Duration::ZERO, 1 << 20);
    assert!(pack.labels(&tried::plain(4, 4, [1, 2, 3]), &over).is_err());
}

#[test]
fn parts_that_do_not_fit_are_refused_in_words() {
    let refused = |manifest: &str, labels: &str, model: &[u8]| {
        Pack::from_parts(manifest, labels, model.to_vec()).unwrap_err().message().to_owned()
    };
    let smaller = MANIFEST.replace("width = 32", "width = 16");
    assert!(refused(&smaller, LABELS, MODEL).contains("pack.toml says that the input is [1, 3, 32, 16]"));
    assert!(refused(&MANIFEST.replace("NCHW", "NHWC"), LABELS, MODEL).contains("[1, 32, 32, 3]"));
    let few: String = LABELS.lines().take(4).map(|line| format!("{line}\n")).collect();
    let few = few.replace(",Sky,", ",,").replace(",Landscape,", ",,");
    assert!(refused(MANIFEST, &few, MODEL).contains("a row of labels.csv for each, got 7"));
    let named = MANIFEST.replace("[output]", "[output]\nscores = \"nothing\"");
    assert!(refused(&named, LABELS, MODEL).contains("an output \"nothing\""));
    for broken in [&b""[..], b"not a network", &MODEL[..MODEL.len() / 2]] {
        assert!(refused(MANIFEST, LABELS, broken).starts_with("model.onnx: "));
    }
}
