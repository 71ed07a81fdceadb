//! FuzzyQuery over segments against the naive evaluator.

use crate::model::naive::{compare, naive};
use medialith::index::{Part, Segment, Snapshot, merge_in_memory};
use medialith::model::{Anchor, FieldPath, File, Members, Order, Page, Query, SortKey, Typos, Value, field};
use medialith::query::{Context, search};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY: [u8; 32] = [9; 32];

fn context() -> Context<'static> {
    Context::new(&KEY, 1)
}

/// Follows the tokens through all pages.
fn all_pages(snapshot: &Snapshot, query: &Query) -> (Vec<String>, Option<u64>) {
    let mut query = query.clone();
    let (mut uris, mut total) = (Vec::new(), None);
    loop {
        let hits = search(snapshot, &query, &context()).unwrap();
        assert!(hits.uris.len() <= query.page.max_results);
        assert!(hits.next_token.is_empty() || hits.uris.len() == query.page.max_results);
        total = total.or(hits.total);
        uris.extend(hits.uris);
        if hits.next_token.is_empty() {
            return (uris, total);
        }
        query.page.token = hits.next_token;
    }
}

fn path() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[abA]{1,3}",
        "(beach|bench|photograph|photogroph)",
        "(\u{6771}\u{4eac}|\u{6771}|\u{30ab}\u{3099}|\u{c11c}\u{c6b8})",
        "(\u{c9}t\u{e9}|STRA\u{df}E|\u{ff21})",
    ];
    proptest::collection::vec((word, "[-_. ]?"), 1..4)
        .prop_map(|words| words.into_iter().map(|(w, s)| format!("{w}{s}")).collect::<String>())
}

fn file() -> impl Strategy<Value = File> {
    let key = proptest::collection::vec(path(), 1..4).prop_map(|p| p.join("/"));
    let members = (
        0u8..4,
        proptest::option::of(0i64..6),
        proptest::option::of(path()),
        proptest::option::of(0u8..30),
        proptest::collection::vec(path(), 0..3),
        proptest::collection::btree_map("[kK]", path(), 0..2),
        proptest::option::of(-20i32..20),
    );
    (key, members).prop_map(|(key, (filename, size, title, day, labels, custom, score))| {
        let mut file = File::new(format!("oss://bucket/{key}"));
        match filename {
            0 => {}
            1 => file.set(field::FILENAME, key.as_str()),
            2 => file.set(field::FILENAME, key.rsplit('/').next().unwrap()),
            _ => file.set(field::FILENAME, "Elsewhere beach"),
        }
        size.into_iter().for_each(|s| file.set(field::SIZE, s));
        title.into_iter().for_each(|t| file.set(field::TITLE, t));
        day.into_iter()
            .for_each(|d| file.set(field::PRODUCE_TIME, format!("2024-01-{:02}T00:00:00+0{}:00", d + 1, d % 9)));
        let label = |name: String| Members::from_iter([(field::LABEL_NAME, Value::from(name))]);
        file.set(field::LABELS, Value::Rows(labels.into_iter().map(label).collect()));
        file.set(field::CUSTOM_LABELS, Value::map(custom));
        score.into_iter().for_each(|s| file.set(field::DURATION, f64::from(s) / 8.0));
        file
    })
}

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => path(),
        2 => "[ab/]{1,3}",
        1 => path().prop_map(|p| format!("\"{p}\"")),
        1 => path().prop_map(|p| format!("{}~", p.replace(' ', ""))),
        1 => "(bech|beachx|phtograph|photografs|bench~2|oss://b|et[/]?)",
    ];
    proptest::collection::vec(part, 1..3).prop_map(|parts| parts.join(" "))
}

fn sort() -> impl Strategy<Value = Vec<SortKey>> {
    let path = prop_oneof![
        Just("Size"),
        Just("Title"),
        Just("ProduceTime"),
        Just("Duration"),
        Just("Filename"),
        Just("URI"),
        Just("CustomLabels.k"),
        Just("Artist")
    ];
    let key = (path, any::<bool>()).prop_map(|(path, asc)| SortKey {
        field: FieldPath::parse(path).unwrap(),
        order: if asc { Order::Asc } else { Order::Desc },
    });
    proptest::collection::vec(key, 0..4)
}

fn query() -> impl Strategy<Value = Query> {
    let fields = prop_oneof![
        4 => Just(vec![]),
        1 => Just(vec![field::FILENAME]),
        1 => Just(vec![field::TITLE, field::URI]),
        1 => Just(vec![field::FILENAME, field::LABEL_NAME]),
        1 => Just(vec![field::CUSTOM_LABELS]),
    ];
    let anchor = prop_oneof![4 => Just(Anchor::None), 1 => Just(Anchor::Start), 1 => Just(Anchor::End), 1 => Just(Anchor::Whole)];
    let typos = prop_oneof![Just(Typos::Off), Just(Typos::Fallback), Just(Typos::Always)];
    (text(), fields, anchor, typos, sort(), 1usize..5, any::<bool>()).prop_map(
        |(text, search_in, anchor, typos, sort, max_results, without_total)| Query {
            text,
            search_in,
            anchor,
            typos,
            sort,
            page: Page { max_results, token: String::new() },
            without_total,
            ..Query::default()
        },
    )
}

/// Splits files over parts; a URI written again is deleted where it was.
fn snapshot(batches: &[Vec<File>]) -> (Snapshot, BTreeMap<String, File>) {
    let mut live: BTreeMap<String, (usize, File)> = BTreeMap::new();
    let mut parts = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let batch: BTreeMap<String, File> = batch.iter().map(|f| (f.uri().to_owned(), f.clone())).collect();
        parts.push(batch.values().cloned().collect::<Vec<_>>());
        live.extend(batch.into_iter().map(|(uri, file)| (uri, (number, file))));
    }
    let part = |(number, files): (usize, Vec<File>)| {
        let segment = Segment::build(&files).unwrap();
        let dead = files.iter().zip(0u32..).filter(|(f, _)| live[f.uri()].0 != number).map(|(_, doc)| doc);
        Part { deleted: Arc::new(dead.collect()), segment: Arc::new(segment) }
    };
    let parts = parts.into_iter().enumerate().map(part).collect();
    (Snapshot::new(parts), live.into_iter().map(|(uri, (_, file))| (uri, file)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn equals_the_naive_evaluator(
        batches in proptest::collection::vec(proptest::collection::vec(file(), 0..14), 1..4),
        queries in proptest::collection::vec(query(), 1..10),
    ) {
        let (snapshot, files) = snapshot(&batches);
        let merged = Snapshot::new(vec![Part::whole(merge_in_memory(&snapshot.parts).unwrap())]);
        prop_assert_eq!(merged.live(), files.len() as u64);
        for query in &queries {
            let expected = naive(&files, query);
            for (name, snapshot) in [("parts", &snapshot), ("merged", &merged)] {
                let (uris, total) = all_pages(snapshot, query);
                prop_assert_eq!(&uris, &expected, "{} {:?}", name, query);
                prop_assert_eq!(total, (!query.without_total).then_some(expected.len() as u64));
            }
        }
    }
}

/// Files enough for every index of a segment to be there: trigrams from 512 KiB of text, words from 32,768 units.
fn many_files() -> Vec<File> {
    let pieces = [
        "Beach",
        "harbour",
        "IMG",
        "dsc",
        "caf\u{e9}",
        "\u{6771}\u{4eac}",
        "\u{5199}\u{771f}",
        "report",
        "2024",
        "final",
    ];
    let folders = ["photos", "Photos/2024", "music/\u{97f3}\u{697d}", "docs/a.b", "docs/a.b/deep"];
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut files = Vec::new();
    for number in 0..40_000 {
        let name = format!(
            "{}-{}_{number:05}{}.jpg",
            pieces[next(10)],
            pieces[next(10)],
            "xyzw".chars().nth(next(4)).unwrap()
        );
        let key = format!("{}/{}/{name}", folders[next(5)], next(300));
        let mut file =
            File::new(format!("oss://bucket/{key}")).with(field::FILENAME, key).with(field::SIZE, next(5000) as i64);
        if next(10) > 0 {
            file.set(field::TITLE, format!("{} song {number} of {}", pieces[next(10)], pieces[next(10)]));
        }
        files.push(file);
    }
    files
}

#[test]
fn large_segments_equal_the_naive_evaluator() {
    let files = many_files();
    let parts: Vec<Part> = files.chunks(15_000).map(|chunk| Part::whole(Segment::build(chunk).unwrap())).collect();
    let merged = merge_in_memory(&parts).unwrap();
    let names: Vec<String> = merged.section_sizes().into_iter().map(|(name, _)| name).collect();
    for section in ["NameGrams", "NameWords", "TextGrams of Title", "TextWords of Title"] {
        assert!(names.iter().any(|n| n == section), "{section} is missing from {names:?}");
    }
    let snapshots = [Snapshot::new(parts), Snapshot::new(vec![Part::whole(merged)])];
    let files: BTreeMap<String, File> = files.into_iter().map(|f| (f.uri().to_owned(), f)).collect();
    // As written everywhere; anchored, in one field, and with typos for a few: brute force takes its time.
    let mut queries: Vec<Query> = Vec::new();
    let ask = |text: &str| Query { text: text.into(), typos: Typos::Off, ..Query::default() };
    let texts = [
        "harbour",
        "img-dsc",
        "2024/1",
        "photos/2024/299/caf",
        "cafe report",
        "\u{4eac}",
        "01234x",
        "9z.jpg",
        "x.",
        "/1/",
    ];
    queries.extend(texts.map(ask));
    for anchor in [Anchor::Start, Anchor::End] {
        let fields = |text: &str| Query { search_in: vec![field::FILENAME, field::TITLE], anchor, ..ask(text) };
        queries.extend(["photos/1", "img", "z.jpg", "5"].map(fields));
    }
    queries.extend(["harbor", "reprot~2 img"].map(|text| Query { typos: Typos::Fallback, ..ask(text) }));
    let by_size = SortKey { field: FieldPath::from(field::SIZE), order: Order::Desc };
    for mut query in queries {
        query.page.max_results = 150;
        let found = naive(&files, &query);
        for sort in [vec![], vec![by_size.clone()]] {
            let mut expected = found.clone();
            expected.sort_by(|a, b| compare(&sort, &files[a], &files[b]));
            query.sort = sort;
            for snapshot in &snapshots {
                let first = search(snapshot, &query, &context()).unwrap();
                assert_eq!(first.total, Some(expected.len() as u64), "{query:?}");
                assert_eq!(first.uris, expected[..expected.len().min(150)], "{query:?}");
                if expected.len() < 1_000 {
                    assert_eq!(all_pages(snapshot, &query).0, expected, "{query:?}");
                }
            }
        }
    }
}

/// Patterns that end in names, where so many names begin like them that folders are searched first: of few folders the names are
/// taken, of many the folders.
#[test]
fn patterns_across_folders_with_many_names() {
    let few = |n: usize| format!("oss://bucket/{}/share/r{n:04}.txt", n / 400);
    let many = |n: usize| format!("oss://bucket/m/{n:04}/share/r.txt");
    let other = |n: usize| format!("oss://bucket/{}/shore/{}.txt", n / 90, ["r", "a"][n % 2]);
    for uris in [
        (0..1600).map(few).chain((0..1600).map(other)).collect::<std::collections::BTreeSet<_>>(),
        (0..1600).map(many).chain((0..1600).map(other)).collect(),
    ] {
        let files: Vec<File> = uris.iter().map(|uri| File::new(uri.clone())).collect();
        let snapshot = Snapshot::new(vec![Part::whole(Segment::build(&files).unwrap())]);
        for (text, anchor) in [
            ("share/r", Anchor::None),
            ("e/r", Anchor::None),
            ("/share/r0", Anchor::None),
            ("oss://bucket/1/share/r", Anchor::Start),
            ("share/r.txt", Anchor::End),
        ] {
            let (search_in, page) = (vec![field::URI], Page { max_results: 1, ..Page::default() });
            let query = Query { text: format!("\"{text}\""), search_in, anchor, page, ..Query::default() };
            let holds = |uri: &&String| match anchor {
                Anchor::Start => uri.starts_with(text),
                Anchor::End => uri.ends_with(text),
                _ => uri.contains(text),
            };
            let expected = uris.iter().filter(holds).count() as u64;
            assert_eq!(search(&snapshot, &query, &context()).unwrap().total, Some(expected), "{text} {anchor:?}");
        }
    }
}
