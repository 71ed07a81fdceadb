//! A segment with changed bytes: it is refused, or answers as the whole one does; it never panics.
// covers: src/index src/query src/codec
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::index::{Part, Segment, Snapshot, merge};
use medialith::model::{File, Order, Query, SortKey, field};
use medialith::query::{Context, search};
use std::sync::OnceLock;

fn context() -> Context<'static> {
    Context { budget_bytes: 1 << 26, deadline: None, ..Context::new(&[7; 32], 1) }
}

/// The bytes of a small segment with every kind of column.
fn whole() -> &'static Vec<u8> {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let file = |n: i64| {
            File::new(format!("oss://b/photos/{n:03}/harbour {}.jpg", n * 7919 % 97))
                .with(field::TITLE, format!("Old harbour {n} \u{6771}\u{4eac}"))
                .with(field::SIZE, n * 1000)
                .with(field::PRODUCE_TIME, "2022-06-21T23:58:03Z")
                .with(field::ETAG, format!("\"{n:02X}AB\""))
        };
        let files: Vec<File> = (0..40).map(file).collect();
        let part = Part::whole(Segment::build(&files).expect("builds"));
        let mut bytes = Vec::new();
        merge(&[part], &mut bytes).expect("writes");
        bytes
    })
}

/// Everything that this target asks of a segment; `None` where any part of it is refused.
fn answers(segment: Segment) -> Option<Vec<Vec<String>>> {
    let snapshot = Snapshot::new(vec![Part::whole(segment)]);
    let ask = |text: &str, sort: &str| {
        let sort = SortKey::parse_list(sort, "", Order::Asc).expect("valid");
        let query = Query { text: text.into(), sort, ..Query::default() };
        search(&snapshot, &query, &context()).ok().map(|hits| hits.uris)
    };
    let questions = [("arbou", ""), ("\u{4eac}", "Size"), ("7", "ProduceTime"), ("old harb", "Title"), ("harbuor", "")];
    questions.iter().map(|(text, sort)| ask(text, sort)).collect()
}

fuzz_target!(|data: &[u8]| {
    static TRUTH: OnceLock<Vec<Vec<String>>> = OnceLock::new();
    let truth = TRUTH.get_or_init(|| answers(Segment::from_bytes(whole().clone()).expect("opens")).expect("answers"));
    let mut bytes = whole().clone();
    // Triples of the input: where (two bytes, scaled), and what is written there. A last odd byte cuts the end.
    let (changes, rest) = data.as_chunks::<3>();
    for &[high, low, value] in changes {
        let at = usize::from(u16::from_be_bytes([high, low])) * bytes.len() / 65_536;
        bytes[at] = value;
    }
    if let [cut] = rest {
        bytes.truncate(bytes.len() - usize::from(*cut).min(bytes.len()));
    }
    let Ok(segment) = Segment::from_bytes(bytes) else { return };
    let sound = segment.verify().is_ok();
    match answers(segment) {
        Some(found) => assert_eq!(&found, truth),
        None => assert!(!sound, "a segment that verifies answers"),
    }
});
