//! Any bytes as headers of aac and aac_latm, and as blocks with replicated bands.
// covers: src/extract/bitstream/aac.rs src/extract/bitstream/replication.rs
#![no_main]

use medialith::extract::bitstream::replication;
use medialith::extract::stream::{Bands, Stream};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    medialith_fuzz::header(&["aac", "aac_latm"], data);
    let mut stream = Stream { sample_rate: 22_050, channels: 1, bands: Bands::Unsaid, ..Stream::default() };
    replication::look(data.chunks(64), &mut stream);
    assert!(matches!(stream.sample_rate, 22_050 | 44_100));
});
