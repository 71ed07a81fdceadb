//! What every target does that gives bytes to one parser: read them within the caps, whatever they are.

use medialith::extract::{Facts, Input, Limits, Parse};

/// Runs `parse` on `data` as if that were a whole file.
pub(crate) fn run(data: &[u8], parse: Parse) {
    let (bytes, limits) = (data.to_vec(), Limits::default());
    let mut facts = Facts::new(&limits);
    let mut input = Input::new(&bytes, &limits);
    // Malformed bytes are what a fuzzer makes; that they end in a warning and not in a panic is the claim.
    let _ = parse(&mut input, &mut facts);
    assert!(input.bytes_read() <= limits.bytes, "the budget holds");
}
