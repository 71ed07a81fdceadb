//! Places of matches against a naive search of windows, and by example.

use super::*;
use crate::index::text::fold;
use crate::model::{field, query::MAX_QUERY_BYTES};
use proptest::prelude::*;

fn file(title: &str) -> File {
    File::new("oss://b/k").with(field::TITLE, title)
}

/// The text with the marked ranges in brackets.
fn marked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for range in ranges {
        out.push_str(&format!("{}[{}]", &text[at..range.start], &text[range.clone()]));
        at = range.end;
    }
    out + &text[at..]
}

/// The title as the query marks it.
fn shown(query: &str, title: &str) -> String {
    let query = Query { text: query.to_owned(), search_in: vec![field::TITLE], ..Query::default() };
    let found = highlight(&file(title), &query);
    assert!(found.len() <= 1, "{found:?}");
    marked(title, found.first().map_or(&[], |found| &found.ranges))
}

#[test]
fn folded_matches_lead_back_to_the_original() {
    for (query, title, expected) in [
        ("harbour", "Old HARBOUR at midnight", "Old [HARBOUR] at midnight"),
        ("electrico", "El\u{e9}ctrico 28", "[El\u{e9}ctrico] 28"),
        ("electrico", "Ele\u{301}ctrico 28", "[Ele\u{301}ctrico] 28"),
        ("strasse", "Gro\u{df}e Stra\u{df}e", "Gro\u{df}e [Stra\u{df}e]"),
        ("s", "Stra\u{df}e", "[S]tra[\u{df}]e"),
        ("\u{65e5}\u{843d}", "\u{897f}\u{6e56}\u{65e5}\u{843d}.jpg", "\u{897f}\u{6e56}[\u{65e5}\u{843d}].jpg"),
        ("\u{304b}", "\u{304b}\u{304c}", "[\u{304b}]\u{304c}"),
        ("\u{30ac}", "x\u{ff76}\u{ff9e}y", "x[\u{ff76}\u{ff9e}]y"),
        ("abc", "\u{ff21}\u{ff22}\u{ff23}", "[\u{ff21}\u{ff22}\u{ff23}]"),
        ("ld at", "Old harbour at", "O[ld] harbour [at]"),
        ("\"ld h\" our", "Old harbour", "O[ld h]arb[our]"),
        ("ab bc aa", "abcabc aaa", "[abcabc] [aaa]"),
    ] {
        assert_eq!(shown(query, title), expected, "{query}");
    }
}

#[test]
fn typos_mark_the_words_that_are_near() {
    assert_eq!(shown("habour", "Old harbour, harbourside"), "Old [harbour], harbourside");
    assert_eq!(shown("midnite~2", "At midnight"), "At midnight");
    assert_eq!(shown("midnigt~", "At midnight; midnigt"), "At [midnight]; [midnigt]");
    // Where every part is there as written, nothing else is marked.
    assert_eq!(shown("harbour", "harbour harbor"), "[harbour] harbor");
    assert_eq!(shown("harbour odl", "harbour harbor old"), "[harbour] [harbor] old");
    let query = Query { text: "harbour".into(), typos: Typos::Always, ..Query::default() };
    assert_eq!(highlight(&file("harbour harbor"), &query)[0].ranges, [0..7, 8..14]);
    let query = Query { text: "habour".into(), typos: Typos::Off, ..Query::default() };
    assert_eq!(highlight(&file("harbour"), &query), []);
}

#[test]
fn values_of_every_kind_of_field() {
    let json = r#"{"URI":"oss://b/sea/x.jpg","Filename":"sea/x.jpg","Title":"By the sea","MediaType":"image",
        "CustomLabels":{"Album":"North Sea","k":"v"},"OSSTagging":{"k":"sea"},
        "Labels":[{"LabelName":"sky"},{"LabelName":"sea","LabelConfidence":0.9}]}"#;
    let file = File::from_json(json).unwrap();
    let found = |query: &Query| -> Vec<String> {
        let show = |h: Highlight| {
            assert!(h.value(&file).is_some_and(|value| value.get(h.ranges[0].clone()).is_some()));
            let element = h.element.map_or(String::new(), |at| format!("[{at}]"));
            format!("{}{element} {:?}", h.field, h.ranges)
        };
        highlight(&file, query).into_iter().map(show).collect()
    };
    let text = Query { text: "sea".into(), ..Query::default() };
    let everywhere =
        ["URI [8..11]", "CustomLabels.Album [6..9]", "Filename [0..3]", "Labels.LabelName[1] [0..3]", "Title [7..10]"];
    assert_eq!(found(&text), everywhere);
    for (language, expected) in [
        ("title:the", vec!["Title [3..6]"]),
        ("title:\"the sea\"", vec!["Title [3..10]"]),
        ("label:sea", vec!["Labels.LabelName[1] [0..3]"]),
        ("label(name:se* confidence>0.5)", vec!["Labels.LabelName[1] [0..2]"]),
        ("type:image", vec!["MediaType [0..5]"]),
        ("CustomLabels.album:\"NORTH sea\"", vec!["CustomLabels.Album [0..9]"]),
        ("custom.album:north*", vec!["CustomLabels.Album [0..5]"]),
        ("tag.k:sea", vec!["OSSTagging.k [0..3]"]),
        ("tag.K:sea", vec![]),
        ("name:sea*", vec!["Filename [0..3]"]),
        ("ext:JPG", vec!["URI [13..17]"]),
        ("-title:the", vec![]),
        ("title:the or label=sky", vec!["Labels.LabelName[0] [0..3]", "Title [3..6]"]),
        ("title>A", vec![]),
    ] {
        let search = crate::query::language::parse(language).unwrap();
        let query = Query { text: search.text, filter: search.filter, ..Query::default() };
        assert_eq!(found(&query), expected, "{language}");
    }
}

#[test]
fn the_longest_texts_are_marked_at_once() {
    let began = cpu_time::ThreadTime::now();
    let title = "ab".repeat(1 << 17);
    for text in ["a b ".repeat(MAX_QUERY_BYTES / 4), "ab".repeat(MAX_QUERY_BYTES / 2), "abcd~2-".repeat(1 << 16)] {
        let query = Query { text, ..Query::default() };
        highlight(&file(&title), &query);
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// The union of all windows of characters in whose folded form the pattern begins in the first and ends in the last.
fn naive(text: &str, pattern: &str) -> Vec<Range<usize>> {
    let pattern = fold(pattern);
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let folded = |chars: &[(usize, char)]| fold(&chars.iter().map(|(_, c)| *c).collect::<String>()).into_owned();
    let mut windows = Vec::new();
    for from in 0..chars.len() {
        for to in from + 1..=chars.len() {
            let whole = folded(&chars[from..to]);
            let (first, last) = (folded(&chars[from..from + 1]).len(), folded(&chars[to - 1..to]).len());
            let spans =
                |at: usize| whole[at..].starts_with(&*pattern) && at < first && at + pattern.len() > whole.len() - last;
            if (0..whole.len()).any(|at| whole.is_char_boundary(at) && spans(at)) {
                windows.push(chars[from].0..chars[to - 1].0 + chars[to - 1].1.len_utf8());
            }
        }
    }
    joined(windows)
}

proptest! {
    #[test]
    fn marks_are_where_a_naive_search_finds_them(
        title in "[abS\u{df}\u{e9}\u{fb01}\u{ff21}\u{65e5} ]{1,16}",
        pattern in "[abs\u{df}\u{e9}fi\u{65e5}]{1,3}",
    ) {
        let query = Query { text: pattern.clone(), typos: Typos::Off, search_in: vec![field::TITLE], ..Query::default() };
        let found = highlight(&file(&title), &query);
        let ranges = found.first().map_or(Vec::new(), |found| found.ranges.clone());
        prop_assert_eq!(&ranges, &naive(&title, &pattern));
        prop_assert_eq!(!ranges.is_empty(), fold(&title).contains(&*fold(&pattern)));
    }

    #[test]
    fn ranges_are_places_in_the_value(title in "\\PC{1,30}", text in "\\PC{1,8}") {
        let query = Query { text, ..Query::default() };
        for found in highlight(&file(&title), &query).iter().filter(|found| found.field.id == field::TITLE) {
            prop_assert!(found.ranges.iter().all(|range| title.get(range.clone()).is_some_and(|part| !part.is_empty())));
            prop_assert!(found.ranges.is_sorted_by(|a, b| a.end < b.start));
        }
    }
}
