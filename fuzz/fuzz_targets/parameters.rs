//! Any query and any form: decoded or refused, and each operation takes the parameters or says what is wrong.
// covers: src/server/params.rs src/server/action
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::server::{ACTIONS, Params};

fuzz_target!(|input: (u8, &str, &str)| {
    let (which, query, form) = input;
    let Ok(params) = Params::decode(query, form) else { return };
    assert!(params.query().len() <= params.all().count());
    assert!(params.all().all(|(name, value)| params.get(name) == Some(value)));
    let actions: Vec<_> = ACTIONS.iter().copied().flatten().collect();
    if let Err(message) = params.check(actions[usize::from(which) % actions.len()]) {
        assert!(!message.is_empty());
    }
});
