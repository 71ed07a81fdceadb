//! Any bytes as pictures of Motion JPEG and ProRes, and as bare streams whose pictures are counted.
// covers: src/extract/bitstream/mjpeg.rs src/extract/bitstream/prores.rs src/extract/bitstream/pictures.rs
#![no_main]

use medialith::extract::bitstream::pictures::pictures;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    medialith_fuzz::header(&["mjpeg", "prores"], data);
    for codec in ["h264", "hevc", "mpeg4", "mpeg1video", "mpeg2video"] {
        assert!(pictures(codec, data) <= data.len() as u64);
    }
});
