//! Any bytes as OptimFROG and TAK.
// covers: src/extract/audio/lossless.rs
#![no_main]

use medialith::extract::audio;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    medialith_fuzz::parse(audio::optim_frog, data);
    medialith_fuzz::parse(audio::tak, data);
});
