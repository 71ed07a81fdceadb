//! Any bytes as IVF, and as bare streams of video.
// covers: src/extract/video/elementary.rs
#![no_main]

use medialith::extract::video;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for parse in [video::ivf, video::h264, video::hevc, video::mpeg4, video::av1] {
        medialith_fuzz::parse(parse, data);
    }
});
