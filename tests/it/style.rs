//! House rules that neither rustc nor clippy knows.

use crate::tree::{Source, files};

/// Most lines of one file, tests not counted.
const MAX_FILE_LINES: usize = 800;
/// Largest median of them.
const MAX_MEDIAN_LINES: usize = 200;
/// Nine of ten functions are at most this long.
const MAX_P90_FUNCTION_LINES: usize = 30;
/// Files that are tables of constants and may be longer; at most three.
const TABLES: [&str; 0] = [];

fn all() -> Vec<Source> {
    let found = files(&["src", "tests", "benches", "fuzz"], "rs");
    assert!(found.len() > 10, "the walk found the sources");
    found
}

/// Every line of every file that `wrong` points at, as "path:line".
fn offences(sources: &[Source], wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let lines = source.text.lines().enumerate().filter(|(_, line)| wrong(line));
        found.extend(lines.map(|(n, line)| format!("{}:{}: {}", source.path, n + 1, line.trim())));
    }
    found
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = all().into_iter().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path).collect();
    assert!(silent.is_empty(), "without a module doc: {silent:?}");
}

#[test]
fn sources_are_ascii() {
    assert_eq!(offences(&all(), |line| !line.is_ascii()), Vec::<String>::new());
}

#[test]
fn nothing_is_left_to_do() {
    // Spelled in halves, so that this file passes its own test.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    assert_eq!(offences(&all(), |line| words.iter().any(|w| line.contains(w))), Vec::<String>::new());
}

#[test]
fn no_code_is_commented_out() {
    let dead = |line: &str| {
        let text = line.trim_start();
        let comment = text.starts_with("//") && !text.starts_with("///") && !text.starts_with("//!");
        comment && (text.ends_with(';') || text.ends_with('{'))
    };
    assert_eq!(offences(&all(), dead), Vec::<String>::new());
}

#[test]
fn no_assertion_is_thrown_away() {
    // `matches!(..);` as a statement tests nothing.
    let bare = |line: &str| line.trim_start().starts_with("matches!(") && line.trim_end().ends_with(");");
    assert_eq!(offences(&all(), bare), Vec::<String>::new());
}

#[test]
fn files_are_short() {
    assert!(TABLES.len() <= 3);
    let mut sizes = Vec::new();
    for source in files(&["src"], "rs").iter().filter(|s| !s.is_test_file()) {
        let lines = source.shipped().lines().count();
        assert!(lines <= MAX_FILE_LINES || TABLES.contains(&source.path.as_str()), "{}: {lines} lines", source.path);
        sizes.push(lines);
    }
    sizes.sort_unstable();
    assert!(sizes[sizes.len() / 2] <= MAX_MEDIAN_LINES, "median {}", sizes[sizes.len() / 2]);
}

#[test]
fn functions_are_short() {
    let mut sizes: Vec<usize> = files(&["src"], "rs").iter().flat_map(function_lines).collect();
    sizes.sort_unstable();
    let p90 = sizes[sizes.len() * 9 / 10];
    assert!(p90 <= MAX_P90_FUNCTION_LINES, "p90 of {} functions is {p90} lines", sizes.len());
}

/// Lengths of a file's functions: rustfmt closes a body at the indentation of its `fn`.
fn function_lines(source: &Source) -> Vec<usize> {
    let lines: Vec<&str> = source.shipped().lines().collect();
    let mut sizes = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let head = text.trim_start_matches("pub(crate) ").trim_start_matches("pub ").trim_start_matches("const ");
        if !head.starts_with("fn ") || text.ends_with(';') {
            continue;
        }
        let close = format!("{}}}", " ".repeat(line.len() - text.len()));
        let end = if text.ends_with('}') { Some(0) } else { lines[start..].iter().position(|l| *l == close) };
        sizes.extend(end.map(|n| n + 1));
    }
    sizes
}

#[test]
fn few_test_binaries() {
    let mains: Vec<String> = files(&["tests"], "rs").into_iter().map(|s| s.path).collect();
    let binaries = mains.iter().filter(|p| p.matches('/').count() == 1 || p.ends_with("/main.rs")).count();
    assert!(binaries <= 4, "{binaries} test binaries: each but the oracle's links RocksDB");
}

#[test]
fn function_lengths_are_counted() {
    let text =
        "fn one() { 1 }\npub fn three() {\n    2\n}\nimpl X {\n    fn four(\n        a: u8,\n    ) {\n    }\n}\n";
    let source = Source { path: "src/x.rs".into(), text: text.into() };
    assert_eq!(function_lines(&source), [1, 3, 4]);
}

/// Rows of docs/unsafe.md: file and number of uses.
fn listed_unsafe() -> Vec<(String, usize)> {
    let text = crate::tree::read("docs/unsafe.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `src/")?.split_once("` | "));
    rows.map(|(path, rest)| (format!("src/{path}"), rest.split(' ').next().unwrap().parse().unwrap())).collect()
}

#[test]
fn every_unsafe_is_listed() {
    let uses = |source: &Source| {
        let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
        source.code().map(|(_, line)| words.iter().map(|word| line.matches(word).count()).sum::<usize>()).sum::<usize>()
    };
    let mut found: Vec<(String, usize)> =
        files(&["src"], "rs").iter().map(|s| (s.path.clone(), uses(s))).filter(|(_, count)| *count > 0).collect();
    let mut listed = listed_unsafe();
    found.sort();
    listed.sort();
    assert_eq!(found, listed, "docs/unsafe.md lists every use");
    assert!(found.iter().map(|(_, count)| count).sum::<usize>() <= 20);
}
