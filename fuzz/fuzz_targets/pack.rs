//! The texts of a model pack and of the users' templates: any text is read or refused.
// covers: src/analyze/manifest.rs src/analyze/template.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::analyze::Templates;
use medialith::analyze::manifest::{Manifest, rows};

fuzz_target!(|text: &str| {
    if let Ok(manifest) = Manifest::parse(text) {
        assert!(manifest.output.threshold <= 1.0 && manifest.input.is_none_or(|input| input.width > 0));
    }
    if let Ok(rows) = rows(text) {
        assert!(rows.iter().all(|row| (1..=3).contains(&row.level)));
    }
    if let Ok(templates) = Templates::parse(text) {
        assert!(templates.find("Official:AllFunction").is_ok());
    }
});
