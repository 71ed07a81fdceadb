//! Differences that a person has looked at: `tests/data/oracle-reviewed.txt`.

use std::cell::Cell;

/// One line: path (a trailing `*` stands for any rest), field, reason; separated by tabs.
struct Entry {
    path: String,
    field: String,
    why: String,
    used: Cell<bool>,
}

pub(crate) struct Reviewed(Vec<Entry>);

impl Reviewed {
    pub(crate) fn read() -> Reviewed {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/oracle-reviewed.txt");
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            let [path, field, why] = parts[..] else {
                panic!("expected path, field and reason with tabs between, got {line:?}")
            };
            Entry { path: path.into(), field: field.into(), why: why.into(), used: Cell::new(false) }
        });
        Reviewed(entries.collect())
    }

    /// Why the difference is not ours, if somebody found out.
    pub(crate) fn why(&self, path: &str, field: &str) -> Option<&str> {
        let entry = self.0.iter().find(|entry| {
            let here = entry.path.strip_suffix('*').map_or(entry.path == path, |head| path.starts_with(head));
            here && entry.field == field
        })?;
        entry.used.set(true);
        Some(&entry.why)
    }

    /// Lines that explained nothing.
    pub(crate) fn stale(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|entry| !entry.used.get()).map(|entry| format!("{} {}", entry.path, entry.field))
    }
}
