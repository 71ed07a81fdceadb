//! Any bytes as DjVu, MNG, QuickDraw pictures and PGF.
// covers: src/extract/image/plain.rs
#![no_main]

use medialith::extract::image;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for parse in [image::plain::djvu, image::plain::mng, image::plain::pict, image::plain::pgf] {
        medialith_fuzz::parse(parse, data);
    }
});
