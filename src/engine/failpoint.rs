//! Named steps at which a test may fail, delay or kill the process (feature `failpoints`).

use crate::error::Result;

/// Every step, in the order of the walks: commit, seal and merge, rebuild, recovery, creation, checkpoint, deletion.
pub const FAILPOINTS: &[&str] = &[
    "commit-before-batch",
    "store-commit-before",
    "store-commit-after",
    "commit-before-publish",
    "commit-after-publish",
    "seal-begin",
    "seal-merged",
    "seal-written",
    "seal-named",
    "seal-published",
    "merge-begin",
    "merge-merged",
    "merge-written",
    "merge-named",
    "merge-published",
    "merge-unlinked",
    "rebuild-begin",
    "rebuild-segment",
    "rebuild-written",
    "rebuild-named",
    "rebuild-published",
    "rebuild-unlinked",
    "recover-begin",
    "recover-orphans",
    "recover-replayed",
    "create-locked",
    "create-format",
    "create-project-before",
    "create-project-named",
    "create-dataset-before",
    "create-dataset-named",
    "checkpoint-begin",
    "checkpoint-store",
    "checkpoint-folder",
    "checkpoint-copied",
    "checkpoint-linked",
    "checkpoint-format",
    "drop-dataset-before",
    "drop-dataset-named",
    "drop-dataset-unlinked",
];

/// Passes the step `name`, one of [`FAILPOINTS`]; the action `return` makes it fail as an I/O error would.
#[cfg(feature = "failpoints")]
pub(super) fn point(name: &str) -> Result<()> {
    use crate::error::{Error, ErrorKind};
    fail::fail_point!(name, |_| Err(Error::new(ErrorKind::Io, format!("the step {name} was told to fail"))));
    Ok(())
}

/// Passes the step: nothing happens without the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
pub(super) fn point(_name: &str) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_the_sources_pass() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut text = String::new();
        for folder in ["engine", "store"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("failpoint.rs") {
                    text.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        for name in FAILPOINTS {
            let quoted = format!("{name:?}");
            assert!(text.contains(&quoted), "{name} is passed nowhere");
        }
        for passed in ["point(\"", "point!(\""].iter().flat_map(|call| text.split(call).skip(1)) {
            let name = passed.split('"').next().unwrap();
            assert!(FAILPOINTS.contains(&name), "{name} is not listed");
        }
    }
}
