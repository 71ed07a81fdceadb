//! Any bytes as HLS playlists, and as what they name: no path leaves the folder.
// covers: src/extract/video/hls.rs src/extract/video/hls/named.rs
#![no_main]

use medialith::extract::video;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    medialith_fuzz::parse(video::hls, data);
    if let Some(path) = std::str::from_utf8(data).ok().and_then(video::local) {
        assert!(path.split('/').all(|name| !matches!(name, "" | "." | "..")) && !path.contains('\0'), "{path:?}");
    }
});
