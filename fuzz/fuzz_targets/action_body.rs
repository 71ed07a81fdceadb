//! Any JSON as the value of a parameter: a checked document or a refusal, and never a member that callers may not set.
// covers: src/server/action src/model
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::model::field;
use medialith::server::sign::encode;
use medialith::server::{ACTIONS, Kind, Params, read_changed_file, read_input_file};

fuzz_target!(|text: &str| {
    for action in ACTIONS.iter().copied().flatten() {
        for param in action.params.iter().filter(|p| matches!(p.kind, Kind::Object | Kind::List { .. })) {
            let mut query = format!("{}=", param.name);
            encode(text, &mut query);
            let params = Params::decode(&query, "").expect("encoded text decodes");
            assert_eq!(params.get(param.name), Some(text));
            let _refused = params.check(action);
        }
    }
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return };
    if let Ok(file) = read_input_file(value.clone()) {
        assert!(file.get(field::OBJECT_STATUS).is_none() && file.get(field::SIZE).is_none());
    }
    if let Ok(file) = read_changed_file(value) {
        assert!(file.validate().is_ok() && file.get(field::TITLE).is_none());
    }
});
