//! The File document: what is known of one file.

use super::field::{self, FieldId};
use super::value::{Members, Value};
use crate::error::{Error, Result};

/// Most pairs of `CustomLabels` on one file (API limit).
pub const MAX_CUSTOM_LABELS: usize = 100;
/// Longest string of a single member, in bytes; longer text is refused.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// One document: a URI and the members known of it. Serialises to and from the JSON of the IMM data type `File`.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    members: Members,
}

impl File {
    /// A document that knows only its address. The URI is checked when the document is stored.
    pub fn new(uri: impl Into<String>) -> File {
        let mut members = Members::new();
        members.set(field::URI, Value::Text(uri.into().into()));
        File { members }
    }

    /// A document of these members; the URI must be among them for it to be storable.
    pub fn from_members(members: Members) -> File {
        File { members }
    }

    /// The address, `""` where none was given.
    pub fn uri(&self) -> &str {
        self.members.text(field::URI).unwrap_or("")
    }

    /// The value of a top-level field.
    pub fn get(&self, field: FieldId) -> Option<&Value> {
        self.members.get(field)
    }

    /// Sets a top-level field; an empty value removes it.
    pub fn set(&mut self, field: FieldId, value: impl Into<Value>) {
        self.members.set(field, value);
    }

    /// Sets a top-level field and returns the document, for building in one expression.
    #[must_use]
    pub fn with(mut self, field: FieldId, value: impl Into<Value>) -> File {
        self.set(field, value);
        self
    }

    /// Text of a top-level field.
    pub fn text(&self, field: FieldId) -> Option<&str> {
        self.members.text(field)
    }

    /// Integer of a top-level field.
    pub fn int(&self, field: FieldId) -> Option<i64> {
        self.get(field)?.as_int()
    }

    /// All members.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// All members, to change.
    pub fn members_mut(&mut self) -> &mut Members {
        &mut self.members
    }

    /// The members alone.
    pub fn into_members(self) -> Members {
        self.members
    }

    /// Checks every rule a stored document must keep: a valid URI, values that fit their fields, limits.
    /// The error names the field, what was expected and what came.
    pub fn validate(&self) -> Result<()> {
        super::Uri::parse(self.uri())?;
        for (id, value) in self.members.iter() {
            if id.field().parent.is_some() {
                return Err(Error::invalid(format!("{id} is a member of an object, not of the document")));
            }
            value.check(id)?;
            check_limits(id, value)?;
        }
        Ok(())
    }
}

fn check_limits(id: FieldId, value: &Value) -> Result<()> {
    let longest = match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Map(pairs) => {
            if id == field::CUSTOM_LABELS && pairs.len() > MAX_CUSTOM_LABELS {
                let count = pairs.len();
                return Err(Error::invalid(format!(
                    "Index KV count exceeded, should be no more than {MAX_CUSTOM_LABELS}, got {count}"
                )));
            }
            pairs.iter().map(|(k, v)| k.len() + v.len()).max().unwrap_or(0)
        }
        Value::Rows(rows) => return rows.iter().flat_map(Members::iter).try_for_each(|(id, v)| check_limits(id, v)),
        Value::Object(members) => return members.iter().try_for_each(|(id, v)| check_limits(id, v)),
        Value::Int(_) | Value::Float(_) => 0,
    };
    if longest <= MAX_TEXT_BYTES {
        return Ok(());
    }
    Err(Error::invalid(format!("{id}: expected at most {MAX_TEXT_BYTES} bytes, got {longest}")))
}
