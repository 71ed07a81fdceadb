//! Random histories of the engine against its model: put, delete, update, get, query by pages, seal, merge, rebuild,
//! copy, reopen. The operations are those of the fuzz target `engine_ops`.

use crate::model::ops::{self, Op};
use crate::model::world::World;
use proptest::collection::vec;
use proptest::prelude::*;

fn doc() -> impl Strategy<Value = ops::Doc> {
    any::<[u8; 5]>().prop_map(ops::doc)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => vec(doc(), 1..24).prop_map(Op::Put),
        2 => vec(0u8..48, 1..24).prop_map(Op::Delete),
        2 => vec((0u8..48, any::<u8>()), 1..8).prop_map(Op::Update),
        8 => (any::<[u8; 6]>(), any::<bool>()).prop_map(|(numbers, disturbed)| Op::Query(ops::ask(numbers, disturbed))),
        1 => (0u8..48).prop_map(Op::Get),
        1 => vec(0u8..48, 0..12).prop_map(Op::GetMany),
        1 => any::<u8>().prop_map(Op::Scan),
        4 => Just(Op::Settle),
        1 => Just(Op::Rebuild),
        1 => Just(Op::Move),
        2 => Just(Op::Reopen),
        1 => Just(Op::Check),
    ]
}

fn run(history: &[Op]) -> World {
    let mut world = World::new();
    history.iter().for_each(|op| world.apply(op));
    world.check();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::with_cases(32) })]
    #[test]
    fn histories_agree_with_the_model(history in vec(op(), 1..60)) {
        run(&history);
    }

    #[test]
    fn histories_of_the_fuzzer_agree_too(bytes in vec(any::<u8>(), 0..300)) {
        run(&ops::from_bytes(&bytes));
    }
}

/// The histories above are worth something only if files are sealed, merged and rewritten in them.
#[test]
fn histories_reach_seals_and_merges() {
    let query = |text: u8| Op::Query(ops::ask([text, 0, 1, 32, 3, 255], true));
    let mut history = Vec::new();
    for round in 0..10u8 {
        let docs = (0..20u8).map(|n| ops::doc([n.wrapping_mul(7) + round, n + round, n, round, n % 3])).collect();
        history.extend([Op::Put(docs), query(round), Op::Settle, query(2), Op::Delete(vec![round, round + 9])]);
    }
    history.extend([Op::Rebuild, query(4)]);
    let world = run(&history);
    let stats = world.stats();
    assert!(stats.seals >= 10 && stats.merges >= 1 && stats.rebuilds == 1, "{stats:?}");
}
