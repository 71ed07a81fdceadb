//! Any message of a store: an error, or keys that an object can have, of a bucket that has a name.
// covers: src/source/hint.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::source::hints;

fuzz_target!(|message: &[u8]| {
    if let Ok(found) = hints(message) {
        // The longest key of S3 and OSS, in bytes.
        assert!(found.iter().all(|hint| (1..=1024).contains(&hint.key.len()) && !hint.bucket.is_empty()));
    }
});
