//! Any bytes as RealMedia and RealAudio.
// covers: src/extract/video/real.rs
#![no_main]

use medialith::extract::video;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    medialith_fuzz::parse(video::real_media, data);
    medialith_fuzz::parse(video::real_audio, data);
});
