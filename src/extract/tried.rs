//! For tests: a parser run over bytes, whole, cut at each byte, and with each byte changed.

use super::{Facts, Input, Limits, Parse, Parsed};

/// What `parse` finds, and whether it came to its end.
pub(crate) fn run(parse: Parse, data: &[u8], limits: &Limits) -> (Facts, Parsed<()>) {
    let data = data.to_vec();
    let (mut input, mut facts) = (Input::new(&data, limits), Facts::new(limits));
    let read = parse(&mut input, &mut facts);
    (facts, read)
}

/// What `parse` finds.
pub(crate) fn facts_of(parse: Parse, data: &[u8]) -> Facts {
    run(parse, data, &Limits::default()).0
}

/// Runs `parse` over the first `most` bytes' cuts and flips; a panic fails the test.
pub(crate) fn survives(parse: Parse, data: &[u8], most: usize) {
    for at in 0..data.len().min(most) {
        facts_of(parse, &data[..at]);
        for bit in [0x01, 0x80, 0xFF] {
            let mut flipped = data.to_vec();
            flipped[at] ^= bit;
            facts_of(parse, &flipped);
        }
    }
}
