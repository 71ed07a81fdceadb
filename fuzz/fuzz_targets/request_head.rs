//! Any bytes as a request: the head's end is found however they are cut, a head parses or is refused, chunks too.
// covers: src/server/http
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::server::http::{Framing, Step, Unchunk, head_end, parse};

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, bytes) = input;
    let whole = head_end(bytes, 0);
    // A head that comes in two pieces ends at the same place.
    let cut = cut.checked_rem(bytes.len()).unwrap_or(0);
    let first = head_end(&bytes[..cut], 0);
    assert_eq!(first.or_else(|| head_end(bytes, cut)), whole);
    let Some(end) = whole else { return };
    let Ok(head) = parse(&bytes[..end]) else { return };
    assert!(head.target.len() <= end && head.fields.len() <= 100);
    if head.framing == Framing::Chunked {
        let rest = &bytes[end..];
        let (mut once, mut body) = (Unchunk::new(1000), Vec::new());
        let step = once.take(rest, &mut body);
        assert!(body.len() <= 1000);
        // Byte by byte, the same comes out.
        let (mut slow, mut again, mut pending) = (Unchunk::new(1000), Vec::new(), Vec::new());
        for byte in rest {
            pending.push(*byte);
            match slow.take(&pending, &mut again) {
                Step::More(used) => drop(pending.drain(..used)),
                Step::Whole(_) => {
                    assert!(matches!(step, Step::Whole(_)));
                    assert_eq!(body, again);
                    return;
                }
                Step::Malformed | Step::TooLarge => break,
            }
        }
        assert!(!matches!(step, Step::Whole(_)));
    }
});
