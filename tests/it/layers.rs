//! The module graph: every `crate::x` edge must be allowed by the table in `docs/architecture.md`.

use crate::tree::{Source, files, read};
use std::collections::{BTreeMap, BTreeSet};

/// Files outside the module graph: they only name modules, or start the command.
const EXEMPT: [&str; 2] = ["src/lib.rs", "src/main.rs"];
/// Where `async` may be spoken.
const ASYNC_ISLANDS: [&str; 2] = ["server", "source"];
/// Drawer names: they say nothing of what is inside and collect everything.
const FORBIDDEN_NAMES: [&str; 8] = ["utils", "util", "common", "helpers", "core", "misc", "types", "manager"];

#[test]
fn modules_point_down() {
    let allowed = table();
    let sources = files(&["src"], "rs");
    assert!(sources.len() > 10, "the walk found the sources");
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|s| !EXEMPT.contains(&s.path.as_str())) {
        let from = source.module();
        let Some(targets) = allowed.get(from) else {
            wrong.push(format!("{}: module {from} has no row in docs/architecture.md", source.path));
            continue;
        };
        for (line, to) in edges(source) {
            if to != from && !targets.contains(&to) {
                wrong.push(format!("{}:{line}: {from} must not use {to}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_acyclic_and_names_real_modules() {
    let table = table();
    let mut above: BTreeSet<&String> = BTreeSet::new();
    for (module, targets) in rows() {
        for target in &targets {
            assert!(above.iter().any(|m| *m == target), "{module} uses {target}, which must have an earlier row");
        }
        assert!(
            !files(&[&format!("src/{module}")], "rs").is_empty() || module == "error",
            "src has no module {module}"
        );
        above.insert(table.get_key_value(&module).unwrap().0);
    }
}

#[test]
fn async_stays_on_its_islands() {
    let mut wrong = Vec::new();
    for source in files(&["src"], "rs").iter().filter(|s| !ASYNC_ISLANDS.contains(&s.module())) {
        let found =
            source.code().find(|(_, l)| l.contains("async fn ") || l.contains("tokio::") || l.contains(".await"));
        wrong.extend(found.map(|(line, _)| format!("{}:{line}", source.path)));
    }
    assert!(wrong.is_empty(), "async outside {ASYNC_ISLANDS:?}: {wrong:?}");
}

#[test]
fn rocksdb_and_bincode_stay_behind_their_doors() {
    for (word, door) in [("rocksdb::", "src/store/"), ("bincode::", "src/codec/")] {
        for source in files(&["src"], "rs").iter().filter(|s| !s.path.starts_with(door)) {
            let found = source.code().find(|(_, l)| names_crate(l, word));
            assert_eq!(found, None, "{}: {word} belongs to {door}", source.path);
        }
    }
}

#[test]
fn cross_folder_paths_start_at_the_crate() {
    for source in files(&["src"], "rs") {
        assert_eq!(source.code().find(|(_, l)| l.contains("super::super")), None, "{}: spell it crate::", source.path);
    }
}

#[test]
fn folders_and_files_are_named_after_what_they_hold() {
    for source in files(&["src", "tests", "benches", "fuzz"], "rs") {
        let mut parts = source.path.trim_end_matches(".rs").split('/');
        assert!(!parts.any(|p| FORBIDDEN_NAMES.contains(&p)), "{}: a drawer name", source.path);
    }
}

#[test]
fn segment_file_names_are_spelled_in_one_place() {
    let spelled = |s: &&Source| s.code().any(|(_, l)| l.contains(".seg\"") || l.contains(".seg}"));
    let all = files(&["src"], "rs");
    let places: Vec<&str> = all.iter().filter(spelled).map(|s| s.path.as_str()).collect();
    assert!(places.iter().all(|p| *p == "src/index/names.rs"), "{places:?}");
}

/// The rows of the `layers` block, in order: module, and what it may use.
fn rows() -> Vec<(String, BTreeSet<String>)> {
    let text = read("docs/architecture.md");
    let block = text.split("```layers\n").nth(1).expect("docs/architecture.md has a `layers` block");
    let block = block.split("```").next().unwrap();
    let row = |line: &str| {
        let (module, targets) = line.split_once(':').unwrap_or_else(|| panic!("not a row: {line}"));
        (module.trim().to_owned(), targets.split_whitespace().map(str::to_owned).collect())
    };
    block.lines().filter(|l| !l.trim().is_empty()).map(row).collect()
}

fn table() -> BTreeMap<String, BTreeSet<String>> {
    rows().into_iter().collect()
}

/// The modules that a file names: `crate::x`, and every member of `use crate::{x, y::z}`.
fn edges(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: String = source.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
    let numbers: Vec<usize> = source.code().map(|(number, _)| number).collect();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = numbers[code[..at].matches('\n').count()];
        let rest = &code[at + "crate::".len()..];
        let names = if rest.starts_with('{') { members(rest) } else { vec![word(rest)] };
        found.extend(names.into_iter().filter(|n| is_module(n)).map(|n| (line, n)));
    }
    found
}

/// The first names of the members of a `{..}` group.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0usize, Vec::new(), 1);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            names.push(word(group[start..at].trim()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Names re-exported by lib.rs (`crate::Error`) and macros are not modules.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

fn names_crate(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn edges_are_found_in_every_spelling() {
    let text = "//! crate::not\nuse crate::model::{File, Uri};\nuse crate::{\n    codec::{take, frame},\n    Error, index,\n};\nfn f() { crate::query::run() }\n// crate::no\n#[cfg(test)]\nmod tests { use crate::cli; }\n";
    let found: Vec<String> =
        edges(&Source { path: "src/x.rs".into(), text: text.into() }).into_iter().map(|e| e.1).collect();
    assert_eq!(found, ["model", "codec", "index", "query"]);
}
