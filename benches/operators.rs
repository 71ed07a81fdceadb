//! What does each operator cost for one picture, and how does it grow with the picture?
//!
//! `cargo bench --bench operators`: JPEG pictures of 0.8, 3 and 12 megapixels that the bench draws; milliseconds of processor time of one
//! thread, the median of several runs.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is run by people, who see it fail")]

use cpu_time::ThreadTime;
use image::{ImageFormat, RgbImage};
use medialith::analyze::pack::Pack;
use medialith::analyze::place::Location;
use medialith::analyze::score::Score;
use medialith::analyze::{Analyzer, Budget, ImageHash, LONGEST, Labeler, Labelers, Picture, placeholder};
use medialith::model::LatLong;
use std::hint::black_box;
use std::io::Cursor;

/// A picture with detail at every scale.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let wave = |grain: f32| ((x as f32 / grain).sin() * (y as f32 / grain * 1.3).cos() + 1.0) * 0.5;
        let value = 255.0 * (0.5 * wave(210.0) + 0.25 * wave(53.0) + 0.15 * wave(13.0) + 0.1 * wave(3.0));
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 28;
        image::Rgb([value as u8, (value * 0.8) as u8 + noise as u8, 255 - value as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// Milliseconds of processor time, the median of `runs`.
fn median<T>(runs: usize, mut run: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let begun = ThreadTime::now();
            black_box(run());
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn show(what: &str, milliseconds: f64) {
    println!("{what:<44} {milliseconds:>9.3} ms");
}

fn main() {
    let analyzer = Analyzer::default();
    let budget = || Budget::new(std::time::Duration::from_secs(60), 1 << 30);
    for (width, height) in [(1024, 768), (2048, 1536), (4000, 3000)] {
        let bytes = jpeg(width, height);
        let decode = || Picture::decode(&bytes, LONGEST, &budget()).unwrap();
        let picture = decode();
        println!("picture {width} x {height}, {} bytes of JPEG", bytes.len());
        show("decode and shrink to 1024", median(9, decode));
        show("labels without networks", median(9, || Labelers::built_in().labels(&picture.pixels, &budget()).unwrap()));
        show("quality score", median(9, || Score::of(&picture)));
        show("perceptual hash", median(9, || ImageHash::of(&picture.pixels)));
        show("placeholder", median(9, || placeholder::of(&picture.pixels)));
        show("cropping", median(9, || analyzer.croppings(&picture, &[], &budget()).unwrap()));
    }
    let scenes = Pack::scenes().unwrap();
    let picture = Picture::decode(&jpeg(1024, 768), LONGEST, &budget()).unwrap();
    show(
        "network medialith-scenes (resampling, asking)",
        median(9, || scenes.labels(&picture.pixels, &budget()).unwrap()),
    );
    let first = median(1, || Location::of(LatLong::new(30.0, 120.0).unwrap()));
    show("places: the first look (unpacking)", first);
    let mut at = 0.0f64;
    let thousand = median(9, || {
        (0..1000)
            .filter_map(|_| {
                at = (at + 7.31) % 120.0;
                Location::of(LatLong::new(at - 55.0, at * 2.9 - 175.0).unwrap())
            })
            .count()
    });
    show("places: a thousand looks", thousand);
}
