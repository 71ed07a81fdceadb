//! Projects and datasets: names, limits, descriptions.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A checked project or dataset name: 1 to 128 of letters, digits, `_` and `-`, beginning with a letter or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks the rule; `what` ("ProjectName") is named in the error.
    pub fn parse(what: &str, text: &str) -> Result<Name> {
        let first = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
        let later = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let valid = text.len() <= 128 && text.as_bytes().first().is_some_and(first) && text.bytes().all(later);
        if valid {
            return Ok(Name(text.to_owned()));
        }
        let shown: String = text.chars().take(140).collect();
        let rule = "1 to 128 of A-Z, a-z, 0-9, _ and -, beginning with a letter or _";
        Err(Error::invalid(format!("{what}: expected {rule}, got {shown:?}")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Most bytes of a description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 256;
/// Most projects in one database.
pub const MAX_PROJECTS: usize = 100;
/// Most tags on a project.
pub const MAX_TAGS: usize = 20;

/// Quotas of a dataset; a project holds the defaults for its datasets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// `DatasetMaxBindCount`, 1 to 10.
    pub bind_count: i64,
    /// `DatasetMaxFileCount`, 1 to 100,000,000.
    pub file_count: i64,
    /// `DatasetMaxEntityCount`; kept, not enforced.
    pub entity_count: i64,
    /// `DatasetMaxRelationCount`; kept, not enforced.
    pub relation_count: i64,
    /// `DatasetMaxTotalFileSize`, bytes.
    pub total_file_size: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bind_count: 10,
            file_count: 100_000_000,
            entity_count: 10_000_000_000,
            relation_count: 100_000_000_000,
            total_file_size: 90_000_000_000_000_000,
        }
    }
}

impl Limits {
    /// Checks every range; the error names the parameter.
    pub fn validate(&self) -> Result<()> {
        range("DatasetMaxBindCount", self.bind_count, 1, 10)?;
        range("DatasetMaxFileCount", self.file_count, 1, 100_000_000)?;
        range("DatasetMaxEntityCount", self.entity_count, 1, i64::MAX)?;
        range("DatasetMaxRelationCount", self.relation_count, 1, i64::MAX)?;
        range("DatasetMaxTotalFileSize", self.total_file_size, 1, i64::MAX)
    }
}

fn range(what: &str, value: i64, least: i64, most: i64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{what}: expected {least} to {most}, got {value}")))
}

/// A project tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Key, not empty.
    pub key: String,
    /// Value.
    pub value: String,
}

/// What a caller says of a project, on creation or update. `None` leaves the default or the present value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectSpec {
    /// Up to [`MAX_DESCRIPTION_CHARS`] characters.
    pub description: Option<String>,
    /// Kept, not interpreted.
    pub service_role: Option<String>,
    /// Workflow template of the project's datasets.
    pub template_id: Option<String>,
    /// All tags; replaces the present ones.
    pub tags: Option<Vec<Tag>>,
    /// `ProjectMaxDatasetCount`, 1 to 1,000,000,000.
    pub max_dataset_count: Option<i64>,
    /// Default quotas of datasets.
    pub dataset_limits: Option<Limits>,
}

impl ProjectSpec {
    /// Checks every rule that does not depend on the database.
    pub fn validate(&self) -> Result<()> {
        check_description(self.description.as_deref())?;
        if let Some(count) = self.max_dataset_count {
            range("ProjectMaxDatasetCount", count, 1, 1_000_000_000)?;
        }
        let tags = self.tags.as_deref().unwrap_or(&[]);
        if tags.len() > MAX_TAGS || tags.iter().any(|t| t.key.is_empty()) {
            let count = tags.len();
            return Err(Error::invalid(format!("Tag: expected at most {MAX_TAGS} tags with a key each, got {count}")));
        }
        self.dataset_limits.as_ref().map_or(Ok(()), Limits::validate)
    }
}

/// What a caller says of a dataset. `None` leaves the project's default or the present value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetSpec {
    /// Up to [`MAX_DESCRIPTION_CHARS`] characters.
    pub description: Option<String>,
    /// Workflow template; empty takes the project's.
    pub template_id: Option<String>,
    /// Quotas.
    pub limits: Option<Limits>,
}

impl DatasetSpec {
    /// Checks every rule that does not depend on the database.
    pub fn validate(&self) -> Result<()> {
        check_description(self.description.as_deref())?;
        self.limits.as_ref().map_or(Ok(()), Limits::validate)
    }
}

fn check_description(text: Option<&str>) -> Result<()> {
    let length = text.map_or(0, |t| t.chars().count());
    if length <= MAX_DESCRIPTION_CHARS {
        return Ok(());
    }
    Err(Error::invalid(format!("Description: expected at most {MAX_DESCRIPTION_CHARS} characters, got {length}")))
}

/// A project as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// `ProjectName`.
    pub name: String,
    /// `Description`, may be empty.
    pub description: String,
    /// `ServiceRole`.
    pub service_role: String,
    /// `TemplateId`, may be empty.
    pub template_id: String,
    /// `Tags`.
    pub tags: Vec<Tag>,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
    /// `ProjectMaxDatasetCount`.
    pub max_dataset_count: i64,
    /// Default quotas of datasets.
    pub dataset_limits: Limits,
    /// `DatasetCount`, exact.
    pub dataset_count: i64,
    /// `FileCount`, exact.
    pub file_count: i64,
    /// `TotalFileSize` in bytes, exact.
    pub total_file_size: i64,
}

/// A dataset as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// `ProjectName`.
    pub project: String,
    /// `DatasetName`.
    pub name: String,
    /// `Description`, may be empty.
    pub description: String,
    /// `TemplateId`, may be empty.
    pub template_id: String,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
    /// Quotas.
    pub limits: Limits,
    /// `BindCount`, exact.
    pub bind_count: i64,
    /// `FileCount`, exact.
    pub file_count: i64,
    /// `TotalFileSize` in bytes, exact.
    pub total_file_size: i64,
}

/// One page of a listing, ordered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Token of the next page; empty when this is the last.
    pub next_token: String,
}
