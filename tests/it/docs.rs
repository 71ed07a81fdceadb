//! Documents cannot rot in silence: the paths, types, links, tables and commands that they name are real.

use crate::tree::{Source, files, read, root};
use medialith::{Error, ErrorKind};
use std::collections::BTreeSet;

fn documents() -> Vec<Source> {
    let mut found = files(&["docs"], "md");
    assert!(found.len() >= 4, "the walk found the documents");
    for path in ["README.md", "CHANGELOG.md"] {
        found.push(Source { path: path.to_owned(), text: read(path) });
    }
    found
}

/// The `code spans` of a document, outside its fenced blocks.
fn spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn named_paths_exist() {
    for document in documents() {
        for span in spans(&document.text) {
            let path = span.split(['#', ' ', '*', '{', '<']).next().unwrap();
            let ours = ["src/", "tests/", "docs/", "benches/", "fuzz/", ".ci/", ".setup/", ".config/"];
            if ours.iter().any(|prefix| path.starts_with(prefix)) {
                assert!(root().join(path).exists(), "{}: there is no {path}", document.path);
            }
        }
    }
}

#[test]
fn named_types_exist() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for source in files(&["src"], "rs") {
        known.extend(source.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned));
    }
    for document in documents() {
        for span in spans(&document.text).iter().filter(|s| is_type_path(s)) {
            let last = span.rsplit("::").next().unwrap().trim_end_matches("()");
            assert!(known.contains(last), "{}: nothing in src is called {span}", document.path);
        }
    }
}

/// `Engine::open()`, `model::File`, `FuzzyQuery`: paths, and names of several words. A single capitalised word may be
/// an example of something else.
fn is_type_path(span: &str) -> bool {
    let words = || span.trim_end_matches("()").split("::");
    let name = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let capitals = |w: &str| w.chars().filter(char::is_ascii_uppercase).count();
    let typed =
        |w: &str| w.starts_with(|c: char| c.is_ascii_uppercase()) && w.contains(|c: char| c.is_ascii_lowercase());
    words().all(name) && words().any(|w| typed(w) && (span.contains("::") || capitals(w) > 1))
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let folder = root().join(&document.path).parent().unwrap().to_owned();
        for target in links(&document.text).filter(|t| !t.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { root().join(&document.path) } else { folder.join(path) };
            assert!(file.exists(), "{}: broken link {target}", document.path);
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(anchors(&text).contains(anchor), "{}: no heading for {target}", document.path);
            }
        }
    }
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()))
}

/// Anchors as the usual renderers make them from headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|l| l.starts_with('#'));
    let anchor = |line: &str| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_readme_gives_the_two_commands() {
    let readme = read("README.md");
    for command in ["./dev index", "./dev test"] {
        assert!(readme.contains(command), "README.md does not name {command}");
    }
    assert!(read(".ci/run").contains("./dev test"), "CI runs the README's test command");
}

/// The rows of the first table whose header begins with `| head `: trimmed cells without back-ticks.
fn table(path: &str, head: &str) -> Vec<Vec<String>> {
    let text = read(path);
    let mut lines = text.lines().skip_while(|l| !l.starts_with(&format!("| {head} |"))).skip(2);
    let rows: Vec<Vec<String>> = lines
        .by_ref()
        .take_while(|l| l.starts_with('|'))
        .map(|l| l.trim_matches('|').split(" | ").map(|c| c.trim().replace('`', "")).collect())
        .collect();
    assert!(!rows.is_empty(), "{path}: no table headed {head}");
    rows
}

#[test]
fn every_error_kind_has_its_row() {
    let rows = table("docs/limits.md", "kind");
    let documented: Vec<&str> = rows.iter().map(|r| r[0].as_str()).collect();
    let real: Vec<String> = ErrorKind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(documented, real);
    for (row, kind) in rows.iter().zip(ErrorKind::ALL) {
        let [_, status, code, retry, _] = row.as_slice() else { panic!("five cells: {row:?}") };
        let status: u16 = status.parse().unwrap();
        assert!([400, 404, 500, 503, 504].contains(&status), "{kind:?}: {status}");
        assert_eq!(status < 500, !["InternalError", "ServiceUnavailable"].contains(&code.as_str()), "{kind:?}");
        assert_eq!(code, kind.api_code(), "{kind:?}");
        assert_eq!(retry == "yes", Error::new(kind, "x").is_retryable(), "{kind:?}");
    }
}

#[test]
fn documented_limits_are_the_constants() {
    use medialith::model::{binding, file, query, space, task, uri};
    let real: [(&str, usize); 18] = [
        ("uri::MAX_URI_BYTES", uri::MAX_URI_BYTES),
        ("file::MAX_CUSTOM_LABELS", file::MAX_CUSTOM_LABELS),
        ("file::MAX_TEXT_BYTES", file::MAX_TEXT_BYTES),
        ("query::MAX_SORT_KEYS", query::MAX_SORT_KEYS),
        ("query::MAX_PAGE", query::MAX_PAGE),
        ("query::DEFAULT_PAGE", query::DEFAULT_PAGE),
        ("query::MAX_QUERY_BYTES", query::MAX_QUERY_BYTES),
        ("space::MAX_DESCRIPTION_CHARS", space::MAX_DESCRIPTION_CHARS),
        ("space::MAX_PROJECTS", space::MAX_PROJECTS),
        ("space::MAX_TAGS", space::MAX_TAGS),
        ("space::Limits::file_count", usize::try_from(space::Limits::default().file_count).unwrap()),
        ("task::MAX_TASK_TAGS", task::MAX_TASK_TAGS),
        ("task::MAX_TASK_TAG_BYTES", task::MAX_TASK_TAG_BYTES),
        ("task::MAX_TASK_USER_DATA", task::MAX_TASK_USER_DATA),
        ("task::MAX_TASK_PAGE", task::MAX_TASK_PAGE),
        ("space::Limits::bind_count", usize::try_from(space::Limits::default().bind_count).unwrap()),
        ("binding::MAX_EXCLUDES", binding::MAX_EXCLUDES),
        ("binding::MAX_PATTERN_BYTES", binding::MAX_PATTERN_BYTES),
    ];
    compare_limits("constant", &real);
}

#[cfg(feature = "engine")]
#[test]
fn documented_limits_of_the_engine_are_the_constants() {
    use medialith::engine::{audit, ingest, options, tasks};
    let real = [
        ("options::MIN_MEMORY_BYTES", options::MIN_MEMORY_BYTES),
        ("options::MAX_MEMORY_BYTES", options::MAX_MEMORY_BYTES),
        ("options::MAX_BACKGROUND_THREADS", usize::from(options::MAX_BACKGROUND_THREADS)),
        ("tasks::MAX_WAITING_TASKS", usize::try_from(tasks::MAX_WAITING_TASKS).unwrap()),
        ("tasks::MAX_ATTEMPTS", usize::try_from(tasks::MAX_ATTEMPTS).unwrap()),
        ("audit::MOST_DIFFERENCES", audit::MOST_DIFFERENCES),
        ("ingest::MOST_LISTED", ingest::MOST_LISTED),
    ];
    compare_limits("engine constant", &real);
}

#[cfg(feature = "push")]
#[test]
fn documented_limits_of_notifications_are_the_constants() {
    use medialith::engine::queues;
    use medialith::model::event;
    let real = [
        ("queues::MAX_EVENTS", usize::try_from(queues::MAX_EVENTS).unwrap()),
        ("queues::KEPT_EVENTS", usize::try_from(queues::KEPT_EVENTS).unwrap()),
        ("queues::MAX_QUEUES", queues::MAX_QUEUES),
        ("queues::MAX_SUBSCRIPTIONS", queues::MAX_SUBSCRIPTIONS),
        ("queues::MAX_WEBHOOKS", queues::MAX_WEBHOOKS),
        ("queues::MAX_MESSAGE_BYTES", queues::MAX_MESSAGE_BYTES as usize),
        ("queues::MAX_BATCH", queues::MAX_BATCH),
        ("queues::MAX_TAG", queues::MAX_TAG),
        ("queues::MAX_URL", queues::MAX_URL),
        ("queues::MAX_ANSWER", queues::MAX_ANSWER),
        ("event::MAX_NAME", event::MAX_NAME),
    ];
    compare_limits("notification constant", &real);
}

fn compare_limits(head: &str, real: &[(&str, usize)]) {
    let rows = table("docs/limits.md", head);
    let documented: Vec<(String, usize)> =
        rows.iter().map(|r| (r[0].clone(), r[1].replace(' ', "").parse().unwrap())).collect();
    let real: Vec<(String, usize)> = real.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    assert_eq!(documented, real);
}

#[test]
fn anchors_and_spans_are_read_as_rendered() {
    assert!(anchors("## Errors, and codes\n").contains("errors-and-codes"));
    assert_eq!(spans("a `b` c\n```\n`d`\n```\n`e`"), ["b", "e"]);
    assert!(is_type_path("Engine::open()") && is_type_path("model::File"));
    assert!(is_type_path("FuzzyQuery") && !is_type_path("Cafe"));
    assert!(!is_type_path("fn_name") && !is_type_path("GET") && !is_type_path("a b"));
}
