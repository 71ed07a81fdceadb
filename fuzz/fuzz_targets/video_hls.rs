//! Any bytes as HLS playlists.
// covers: src/extract/video/hls.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::hls, data));
