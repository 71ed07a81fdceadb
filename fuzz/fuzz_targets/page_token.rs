//! Tokens that were edited: refused, whatever was changed; whole ones go on where the last page ended.
// covers: src/query
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::ErrorKind;
use medialith::index::{Part, Segment, Snapshot};
use medialith::model::{File, Order, Query, SortKey, field};
use medialith::query::{Context, search};
use std::sync::OnceLock;

const CONTEXT: Context<'_> = Context::new(&[7; 32], 1);
const SORTS: [&str; 5] = ["", "Size", "Title", "Size,Title", "CustomLabels.k"];

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let file = |n: i64| {
            let file = File::new(format!("oss://b/{n:02}/x.jpg"));
            if n % 3 == 0 { file } else { file.with(field::TITLE, format!("t{}", n % 4)).with(field::SIZE, n % 5) }
        };
        let files: Vec<File> = (0..30).map(file).collect();
        Snapshot::new(vec![Part::whole(Segment::build(&files).expect("builds"))])
    })
}

fuzz_target!(|data: &[u8]| {
    let Some(([sort, size], edits)) = data.split_first_chunk::<2>() else { return };
    let sort = SortKey::parse_list(SORTS[usize::from(*sort) % SORTS.len()], "", Order::Asc).expect("valid");
    let mut query = Query { text: "jpg".into(), sort, ..Query::default() };
    query.page.max_results = usize::from(size % 20) + 1;
    let first = search(snapshot(), &query, &CONTEXT).expect("the first page");
    let mut token = first.next_token.clone().into_bytes();
    let (pairs, _) = edits.as_chunks::<2>();
    for &[at, byte] in pairs {
        match usize::from(at) {
            at if at < token.len() => token[at] = byte,
            255 => token.truncate(usize::from(byte)),
            _ => token.push(byte),
        }
    }
    let Ok(token) = String::from_utf8(token) else { return };
    if token.is_empty() {
        return;
    }
    query.page.token.clone_from(&token);
    match search(snapshot(), &query, &CONTEXT) {
        Ok(second) => {
            assert_eq!(token, first.next_token, "an edited token passed");
            assert!(second.uris.iter().all(|uri| !first.uris.contains(uri)), "no row comes twice");
            assert_eq!(second.total, first.total);
        }
        Err(e) => {
            assert_ne!(token, first.next_token, "{e}");
            assert_eq!(e.kind(), ErrorKind::InvalidArgument, "{e}");
        }
    }
});
