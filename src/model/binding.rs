//! Bindings: a dataset follows a bucket (operations.md 3).

use super::Timestamp;
use super::uri::is_bucket;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Most patterns of one binding.
pub const MAX_EXCLUDES: usize = 100;
/// Longest prefix or pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 4096;

/// `State`. Stored by position: new ones go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindingState {
    /// Created, nobody follows it yet.
    Ready,
    /// Followed.
    Running,
    /// Paused by a call.
    Stopped,
    /// Its source cannot be reached; it is tried again and nothing is removed meanwhile.
    Retrying,
    /// Given up until it is resumed.
    Failed,
    /// Deleted; its documents are being removed.
    Deleted,
}

impl BindingState {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            BindingState::Ready => "Ready",
            BindingState::Running => "Running",
            BindingState::Stopped => "Stopped",
            BindingState::Retrying => "Retrying",
            BindingState::Failed => "Failed",
            BindingState::Deleted => "Deleted",
        }
    }
}

/// `Phase`. Stored by position: new ones go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindingPhase {
    /// Not begun.
    None,
    /// What is there is being indexed for the first time.
    FullScanning,
    /// Changes are followed.
    IncrementalScanning,
}

impl BindingPhase {
    /// Its name in the API; empty before it begins.
    pub fn name(self) -> &'static str {
        match self {
            BindingPhase::None => "",
            BindingPhase::FullScanning => "FullScanning",
            BindingPhase::IncrementalScanning => "IncrementalScanning",
        }
    }
}

/// What to follow of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindingSpec {
    /// The folder that the bucket stands for, or the address of a store; empty for the one that the process names.
    pub source: String,
    /// Only keys that begin so.
    pub prefix: String,
    /// Not these: `name` anywhere, `a/b` from the bucket's root, `*` and `?` within a name, `**` across names, a final `/`
    /// for folders alone. Up to [`MAX_EXCLUDES`].
    pub exclude: Vec<String>,
    /// Files per second that a scan looks at, at most; 0 for no limit.
    pub rate: u32,
}

impl BindingSpec {
    /// Checks lengths and numbers.
    pub fn validate(&self) -> Result<()> {
        if self.exclude.len() > MAX_EXCLUDES {
            return Err(Error::invalid(format!(
                "exclude: expected at most {MAX_EXCLUDES} patterns, got {}",
                self.exclude.len()
            )));
        }
        let long = self.exclude.iter().chain([&self.prefix, &self.source]).find(|text| text.len() > MAX_PATTERN_BYTES);
        if let Some(text) = long {
            let got = text.len();
            return Err(Error::invalid(format!(
                "binding: expected texts of at most {MAX_PATTERN_BYTES} bytes, got {got}"
            )));
        }
        match self.exclude.iter().find(|pattern| pattern.trim_matches('/').is_empty()) {
            Some(pattern) => Err(Error::invalid(format!("exclude: expected a pattern, got {pattern:?}"))),
            None => Ok(()),
        }
    }
}

/// A binding as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// `ProjectName`.
    pub project: String,
    /// `DatasetName`.
    pub dataset: String,
    /// The bucket of `URI`.
    pub bucket: String,
    /// `State`.
    pub state: BindingState,
    /// `Phase`.
    pub phase: BindingPhase,
    /// `Reason`, or empty.
    pub reason: String,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
    /// What is followed.
    pub spec: BindingSpec,
    /// How well it is followed.
    pub coverage: Coverage,
}

impl Binding {
    /// `URI`.
    pub fn uri(&self) -> String {
        format!("oss://{}", self.bucket)
    }
}

/// How the folders of a binding are followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Folders whose changes the system tells at once.
    pub live: u64,
    /// Folders that are looked at from time to time.
    pub polled: u64,
    /// Folders and files that could not be read when last tried; nothing below them is removed.
    pub unreachable: u64,
    /// Times that the system dropped events.
    pub lost: u64,
    /// Times that a comparison made good for them.
    pub reconciled: u64,
    /// When the last whole comparison began that found everything reachable.
    pub verified: Option<Timestamp>,
}

/// The bucket of a binding's `URI`: `oss://bucket`, with or without a final slash.
pub fn bucket_of(uri: &str) -> Result<&str> {
    let bucket = uri.strip_prefix("oss://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    bucket.filter(|name| is_bucket(name)).ok_or_else(|| {
        let shown: String = uri.chars().take(200).collect();
        Error::invalid(format!("URI: expected oss://bucket, got {shown:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_buckets() {
        assert_eq!((bucket_of("oss://a.b").unwrap(), bucket_of("oss://a/").unwrap()), ("a.b", "a"));
        for bad in ["", "a", "oss://", "oss://a/b", "oss://.a", "http://a"] {
            assert!(bucket_of(bad).unwrap_err().message().contains("expected oss://bucket"), "{bad}");
        }
    }

    #[test]
    fn specs_have_bounds() {
        let many = BindingSpec { exclude: vec!["x".into(); MAX_EXCLUDES + 1], ..BindingSpec::default() };
        let long = BindingSpec { prefix: "x".repeat(MAX_PATTERN_BYTES + 1), ..BindingSpec::default() };
        let empty = BindingSpec { exclude: vec!["/".into()], ..BindingSpec::default() };
        assert!([many, long, empty].iter().all(|spec| spec.validate().is_err()));
        BindingSpec { exclude: vec!["**/.git/".into()], ..BindingSpec::default() }.validate().unwrap();
    }
}
