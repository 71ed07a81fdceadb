//! What a key allows.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the holder of a key may do; each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Ask.
    Read,
    /// Index, change and delete files.
    Index,
    /// Manage projects, datasets and buckets.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Read, Role::Index, Role::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Index => "index",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let found = Role::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| format!("expected read, index or admin, got {text:?}"))
    }
}

/// Everything about a key but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// `AccessKeyId`.
    pub id: String,
    /// What it allows.
    pub role: Role,
    /// The projects that it is bound to; empty for all.
    pub projects: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// When it was made, nanoseconds since 1970.
    pub created: i64,
    /// When it ends, nanoseconds since 1970; such a key is used with a security token.
    pub expires: Option<i64>,
    /// SHA-256 of the security token.
    pub token_hash: Option<[u8; 32]>,
    /// What its maker noted.
    pub note: String,
}

impl Grant {
    /// Whether it covers a project; `""` for what belongs to none.
    pub fn covers(&self, project: &str) -> bool {
        self.projects.is_empty() || self.projects.iter().any(|p| p == project)
    }
}

/// A new key, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// `AccessKeyId`.
    pub id: String,
    /// `AccessKeySecret`.
    pub secret: String,
    /// The security token that a temporary key is used with.
    pub token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        assert!(Role::Read < Role::Index && Role::Index < Role::Admin);
        assert!(Role::ALL.iter().all(|role| role.name().parse() == Ok(*role)));
        assert!("root".parse::<Role>().unwrap_err().contains("expected read"));
    }
}
