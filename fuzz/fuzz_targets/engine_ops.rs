//! Any history of operations: the engine agrees with its model, and everything in it with everything else.
// covers: src/engine src/store src/index src/query
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/model/mod.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let history = model::ops::from_bytes(bytes);
    let mut world = model::world::World::new();
    history.iter().for_each(|op| world.apply(op));
    world.check();
});
