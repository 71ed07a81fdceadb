//! Any JSON as a filter tree: a filter that keeps the limits, or an error.
// covers: src/model/query
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::model::Filter;

fuzz_target!(|input: &str| {
    if let Ok(filter) = Filter::parse(input) {
        filter.check().expect("within the limits");
    }
});
