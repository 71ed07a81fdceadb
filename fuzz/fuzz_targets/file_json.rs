//! A document read from JSON and written again says the same: nothing is lost, reordered or invented.
// covers: src/model
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::model::File;

fuzz_target!(|text: &str| {
    let Ok(file) = File::from_json(text) else { return };
    let again = File::from_json(&file.to_json()).expect("what we write, we read");
    assert_eq!(file.to_json(), again.to_json());
    assert_eq!(file.validate().is_ok(), again.validate().is_ok());
});
