//! Any text of the query language: a query that keeps the limits, or an error that points into the text.
// covers: src/query/language src/query/text.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::query::{language, text};

fuzz_target!(|input: &str| {
    match language::parse(input) {
        Ok(search) => {
            if let Some(filter) = &search.filter {
                filter.check().expect("within the limits");
            }
            if !search.text.is_empty() {
                text::parse(&search.text).expect("fuzzy text");
                let again = language::parse(&search.text).expect("its text reads as itself");
                assert_eq!((again.text, again.filter), (search.text, None));
            }
        }
        Err(error) => {
            let number = error.message().strip_prefix("at character ").and_then(|rest| rest.split(':').next());
            let number: usize = number.and_then(|n| n.parse().ok()).expect("a position");
            assert!((1..=input.chars().count() + 1).contains(&number), "{error}");
        }
    }
});
