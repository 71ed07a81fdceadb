//! Pictures that tests draw: plain, framed, a natural-looking scene, a printed page, a screen.

use super::Pixels;

/// A picture of a function of place.
pub(super) fn drawn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Pixels {
    let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    Pixels::new(width, height, rgb).unwrap()
}

pub(super) fn plain(width: u32, height: u32, colour: [u8; 3]) -> Pixels {
    drawn(width, height, |_, _| colour)
}

/// One colour around the middle quarter of another.
pub(super) fn framed(width: u32, height: u32, around: [u8; 3], inside: [u8; 3]) -> Pixels {
    let middle = |n: u32, of: u32| n >= of / 4 && n < of - of / 4;
    drawn(width, height, |x, y| if middle(x, width) && middle(y, height) { inside } else { around })
}

/// Random numbers that depend on nothing but the place and the seed.
pub(super) fn noise(x: u32, y: u32, seed: u32) -> f32 {
    let mut n = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ seed.wrapping_mul(0xC2B2_AE3D);
    n = (n ^ (n >> 15)).wrapping_mul(0x2C1B_3C6D);
    n = (n ^ (n >> 12)).wrapping_mul(0x297A_2D39);
    ((n ^ (n >> 15)) & 0xFFFF) as f32 / 65_535.0
}

/// Value noise of one grain size, 0 to 1.
fn smooth(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let corner = |dx: u32, dy: u32| noise(left as u32 + dx, top as u32 + dy, seed);
    let row = |dy: u32| corner(0, dy) * (1.0 - fx) + corner(1, dy) * fx;
    row(0) * (1.0 - fy) + row(1) * fy
}

/// Noise of several grain sizes, as natural surfaces have it (a spectrum that falls with frequency).
pub(super) fn fractal(x: u32, y: u32, seed: u32) -> f32 {
    let octave = |grain: f32| smooth(x as f32 / grain, y as f32 / grain, seed ^ grain as u32);
    (octave(64.0) * 8.0 + octave(32.0) * 4.0 + octave(16.0) * 2.0 + octave(8.0) + octave(4.0) + octave(2.0)) / 17.0
}

/// A landscape of sorts: sky above, textured ground below, a little sensor noise.
pub(super) fn scene(width: u32, height: u32, seed: u32) -> Pixels {
    drawn(width, height, |x, y| {
        let horizon = height as f32 * (0.35 + 0.3 * fractal(x, seed, seed));
        let (texture, grain) = (fractal(x, y, seed), noise(x, y, seed ^ 77) * 6.0);
        let base = if (y as f32) < horizon { [110.0, 150.0, 200.0] } else { [70.0, 95.0, 50.0] };
        base.map(|v| (v * (0.55 + 0.9 * texture) + grain).clamp(0.0, 255.0) as u8)
    })
}

/// Dark strokes in lines on slightly uneven paper.
pub(super) fn page(width: u32, height: u32) -> Pixels {
    drawn(width, height, |x, y| {
        let margin = x < width / 10 || x > width - width / 10 || y < height / 10;
        let ink = !margin && y % 12 < 6 && noise(x / 2, y / 12, 5) > 0.55 && noise(x / 2, y / 3, 6) > 0.3;
        let paper = 232.0 + 8.0 * noise(x, y, 9);
        if ink { [40; 3] } else { [paper as u8; 3] }
    })
}

/// Windows of one colour each with a few icons.
pub(super) fn screen(width: u32, height: u32) -> Pixels {
    drawn(width, height, |x, y| match (x, y) {
        (_, y) if y < 14 => [40, 44, 52],
        (x, _) if x < width / 4 => [60, 90, 160],
        (x, y) if x % 40 < 12 && y % 50 < 12 => [(x % 40 * 20) as u8, 180, (y % 50 * 15) as u8],
        _ => [200, 214, 224],
    })
}
