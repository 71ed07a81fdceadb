//! `docs/imm.md` and `docs/server.md` say what the code does.

use crate::tree::{read, root};
use medialith::server::{ACTIONS, Action, Kind, Need, Options, Param};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The tables of docs/imm.md as the code has them.
fn operations() -> String {
    let mut out = String::from("| operation | role | what |\n| --- | --- | --- |\n");
    for action in ACTIONS.iter().copied().flatten() {
        let (name, anchor) = (action.name, action.name.to_lowercase());
        writeln!(out, "| [{name}](#{anchor}) | {} | {} |", action.role, action.about).unwrap();
    }
    ACTIONS.iter().copied().flatten().for_each(|action| operation(&mut out, action));
    out
}

fn operation(out: &mut String, action: &Action) {
    write!(out, "\n### {}\n\n| parameter | | value | what |\n| --- | --- | --- | --- |\n", action.name).unwrap();
    for Param { name, kind, need, about } in action.params {
        let need = match need {
            Need::Required => "required",
            Need::Optional => "",
            Need::Ignored => "ignored",
        };
        writeln!(out, "| {name} | {need} | {} | {about} |", value(*kind)).unwrap();
    }
    let answer = if action.answer.is_empty() { "nothing more".to_owned() } else { action.answer.join(", ") };
    writeln!(out, "\nAnswers RequestId, {answer}.").unwrap();
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Name => "name".into(),
        Kind::Text { chars } => format!("text, up to {chars} characters"),
        Kind::Bytes { most } => format!("text, up to {most} bytes"),
        Kind::Int { least, most } => format!("{least} to {most}"),
        Kind::Quota { least, most: i64::MAX } => format!("from {least}"),
        Kind::Quota { least, most } => format!("quota, {least} to {most}"),
        Kind::Bool => "true or false".into(),
        Kind::Choice(choices) => choices.join(", "),
        Kind::Object => "JSON object".into(),
        Kind::List { most } => format!("JSON array, up to {most}"),
    }
}

#[test]
fn the_support_tables_are_the_code() {
    const BEGIN: &str = "<!-- operations -->\n";
    let text = read("docs/imm.md");
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (tables, after) = rest.split_once("<!-- end -->").unwrap();
    let expected = operations();
    if std::env::var_os("MEDIALITH_BLESS").is_some() {
        std::fs::write(root().join("docs/imm.md"), format!("{before}{BEGIN}{expected}<!-- end -->{after}")).unwrap();
    } else {
        assert!(tables == expected, "run the test with MEDIALITH_BLESS=1 to write the tables of docs/imm.md");
    }
}

/// The rows of the table in docs/server.md whose header begins with `head`.
fn rows(head: &str) -> Vec<Vec<String>> {
    let text = read("docs/server.md");
    let lines = text.lines().skip_while(|l| !l.starts_with(&format!("| {head} |"))).skip(2);
    let cells = |l: &str| l.trim_matches('|').split(" | ").map(|c| c.trim().replace('`', "")).collect();
    lines.take_while(|l| l.starts_with('|')).map(cells).collect()
}

#[test]
fn documented_bounds_are_the_defaults() {
    let options = Options::default();
    let real = [
        ("connections", options.connections as u64),
        ("head_bytes", options.head_bytes as u64),
        ("body_bytes", options.body_bytes as u64),
        ("buffer_bytes", options.buffer_bytes as u64),
        ("idle", options.idle.as_secs()),
        ("receive", options.receive.as_secs()),
        ("send", options.send.as_secs()),
        ("patience", options.patience.as_secs()),
        ("window", options.window.as_secs()),
        ("project_rate", options.project_rate.into()),
        ("project_concurrency", options.project_concurrency.into()),
    ];
    let documented: Vec<(String, u64)> = rows("option of `server::Options`")
        .iter()
        .map(|r| (r[0].clone(), r[1].trim_end_matches('s').replace(' ', "").parse().unwrap()))
        .collect();
    assert_eq!(documented, real.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn documented_limits_are_the_constants() {
    use medialith::engine::{attachment, work};
    use medialith::model::event;
    let real = [
        ("work::MAX_INDEX_FILES", work::MAX_INDEX_FILES as u64),
        ("event::MAX_USER_DATA", event::MAX_USER_DATA as u64),
        ("work::MAX_PENDING_FILES", work::MAX_PENDING_FILES),
        ("attachment::MAX_ATTACHMENT_DESCRIPTION", attachment::MAX_ATTACHMENT_DESCRIPTION as u64),
    ];
    let rows = rows("engine constant");
    let documented: Vec<(String, u64)> =
        rows.iter().map(|r| (r[0].clone(), r[1].replace(' ', "").parse().unwrap())).collect();
    assert_eq!(documented, real.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn documented_codes_and_metrics_are_spelled_in_the_code() {
    let sources: String = crate::tree::files(&["src/server"], "rs").into_iter().map(|s| s.text).collect();
    let codes: BTreeSet<String> = rows("status").into_iter().map(|r| r[1].clone()).collect();
    let metrics: BTreeSet<String> = rows("metric").into_iter().map(|r| r[0].clone()).collect();
    assert!(codes.len() > 15);
    for name in &codes {
        assert!(sources.contains(&format!("\"{name}\"")), "{name}");
    }
    let spelled = sources.split("\"medialith_").skip(1).filter_map(|rest| rest.split_once('"'));
    let whole = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let real: BTreeSet<String> =
        spelled.filter(|(name, _)| whole(name)).map(|(name, _)| format!("medialith_{name}")).collect();
    assert_eq!(metrics, real);
}

/// The unit of docs/server.md is one that systemd takes, with all its directives known.
#[test]
fn the_unit_is_one_of_systemd() {
    let text = read("docs/server.md");
    let unit = text.split_once("```ini\n").unwrap().1.split_once("```").unwrap().0;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("medialith.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/medialith", "/bin/true")).unwrap();
    let verified = std::process::Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
    let Ok(verified) = verified else {
        println!("SKIPPED: no systemd-analyze to verify the unit with");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("medialith.service"), "{said}");
}

#[test]
fn statuses_are_those_of_the_limits() {
    let text = read("docs/limits.md");
    for kind in medialith::ErrorKind::ALL {
        let row = text.lines().find(|l| l.starts_with(&format!("| `{kind:?}` |"))).unwrap();
        let status = row.split('|').nth(2).unwrap().trim();
        assert_eq!(status, medialith::server::status_of(kind).to_string(), "{kind:?}");
    }
}
