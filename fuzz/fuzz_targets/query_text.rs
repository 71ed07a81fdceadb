//! Any query text and any page token: an answer or an error; counts, pages and order agree with each other.
// covers: src/query src/index/text.rs src/index/words.rs src/index/grams.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::index::{Part, Segment, Snapshot};
use medialith::model::{File, Page, Query, field};
use medialith::query::{Context, search};
use std::sync::OnceLock;

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let titles =
            ["Old harbour", "Stra\u{df}e 7", "\u{897f}\u{6e56}\u{65e5}\u{843d}", "a-b_c.d e", "\u{e9}t\u{e9} 2021"];
        let file = |n: usize| File::new(format!("oss://b/{n:02}/x.jpg")).with(field::TITLE, titles[n % titles.len()]);
        let files: Vec<File> = (0..30).map(file).collect();
        Snapshot::new(vec![Part::whole(Segment::build(&files).expect("builds"))])
    })
}

fuzz_target!(|input: (&str, &str)| {
    let (text, token) = input;
    let context = Context::new(&[7; 32], 1);
    let mut query = Query { text: text.to_owned(), ..Query::default() };
    query.page = Page { max_results: 7, token: token.to_owned() };
    let begun = search(snapshot(), &query, &context);
    if !token.is_empty() {
        assert!(begun.is_err(), "nobody guesses a token");
        query.page.token.clear();
    }
    let Ok(mut hits) = search(snapshot(), &query, &context) else { return };
    let total = hits.total.expect("counted");
    let mut uris = hits.uris;
    while !hits.next_token.is_empty() {
        query.page.token = hits.next_token;
        hits = search(snapshot(), &query, &context).expect("the next page");
        uris.append(&mut hits.uris);
    }
    assert!(uris.is_sorted_by(|a, b| a < b), "each file once, in order");
    assert_eq!(uris.len() as u64, total);
});
