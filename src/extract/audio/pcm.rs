//! Names of uncompressed sound by width and byte order.

/// Little- or big-endian signed PCM of that many bits; 8 bits count as signed.
pub(super) fn signed(bits: u16, big: bool) -> &'static str {
    match (bits, big) {
        (1..=8, _) => "pcm_s8",
        (9..=16, true) => "pcm_s16be",
        (9..=16, false) => "pcm_s16le",
        (17..=24, true) => "pcm_s24be",
        (17..=24, false) => "pcm_s24le",
        (25..=32, true) => "pcm_s32be",
        (25..=32, false) => "pcm_s32le",
        (33..=64, false) => "pcm_s64le",
        _ => "",
    }
}

/// Floating-point PCM.
pub(super) fn float(bits: u16, big: bool) -> &'static str {
    match (bits, big) {
        (64, true) => "pcm_f64be",
        (64, false) => "pcm_f64le",
        (_, true) => "pcm_f32be",
        (_, false) => "pcm_f32le",
    }
}
