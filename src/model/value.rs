//! Values of File members, and the sorted member list that every object of a document is.

use super::field::{FieldId, Kind};
use super::{LatLong, Timestamp};
use crate::error::{Error, Result};

/// What joins the strings of a set.
const SEPARATOR: char = '\u{1f}';

/// Text of a value: up to 24 bytes are kept in place, which most media types, times, names and labels fit.
pub type Text = compact_str::CompactString;

/// A member's value. Which variant a field takes follows from its [`Kind`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Keyword, Text, Time, Geo and Stored fields, as given; Set fields, their strings joined ([`Value::set`]).
    Text(Text),
    /// Int fields.
    Int(i64),
    /// Float fields; never NaN or infinite.
    Float(f64),
    /// Map fields, sorted by key, each key once.
    Map(Vec<(Text, Text)>),
    /// Rows fields.
    Rows(Vec<Members>),
    /// Object fields.
    Object(Members),
    /// Json fields: compact JSON text.
    Json(Text),
}

impl Value {
    /// A map value from pairs in any order; of equal keys the last wins.
    pub fn map(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
        Value::map_of(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// A map value from pairs in any order; of equal keys the last wins.
    pub(super) fn map_of(mut pairs: Vec<(Text, Text)>) -> Value {
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Value::Map(pairs)
    }

    /// A value of a Set field: its strings, each once and in order, joined with U+001F, which none of them keeps.
    pub fn set(strings: impl IntoIterator<Item = String>) -> Value {
        let sorted: std::collections::BTreeSet<String> =
            strings.into_iter().map(|string| string.replace(SEPARATOR, " ")).filter(|s| !s.is_empty()).collect();
        Value::from(sorted.into_iter().collect::<Vec<_>>().join("\u{1f}"))
    }

    /// The strings of the text of a Set field.
    pub fn strings(set: &str) -> impl Iterator<Item = &str> {
        set.split(SEPARATOR).filter(|string| !string.is_empty())
    }

    /// Whether the value counts as absent: an empty string, map, array or object.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(t) | Value::Json(t) => t.is_empty(),
            Value::Map(m) => m.is_empty(),
            Value::Rows(r) => r.is_empty(),
            Value::Object(o) => o.is_empty(),
            Value::Int(_) | Value::Float(_) => false,
        }
    }

    /// The text of a Text value.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Text(t) = self { Some(t) } else { None }
    }

    /// The number of an Int value.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self { Some(*i) } else { None }
    }

    /// The number of a Float or Int value.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(x) => Some(*x),
            Value::Int(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// Checks that this value fits `field`: variant, parsable time or place, finite number.
    pub(crate) fn check(&self, field: FieldId) -> Result<()> {
        let kind = field.field().kind;
        let fits = match (kind, self) {
            (Kind::Keyword | Kind::Set | Kind::Text | Kind::Stored, Value::Text(_)) | (Kind::Int, Value::Int(_)) => {
                true
            }
            (Kind::Float, Value::Float(x)) => x.is_finite(),
            (Kind::Time, Value::Text(t)) => return Timestamp::parse(t).map(drop).map_err(|e| at(field, &e)),
            (Kind::Geo, Value::Text(t)) => return LatLong::parse(t).map(drop).map_err(|e| at(field, &e)),
            (Kind::Map(_), Value::Map(m)) => m.is_sorted_by(|a, b| a.0 < b.0),
            (Kind::Rows, Value::Rows(rows)) => rows.iter().all(|r| r.belongs_to(field)),
            (Kind::Object, Value::Object(o)) => o.belongs_to(field),
            (Kind::Json, Value::Json(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(Error::invalid(format!("{field}: expected {kind:?}, got {self:?}"))) }
    }
}

fn at(field: FieldId, error: &Error) -> Error {
    Error::invalid(format!("{field}: {}", error.message()))
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Float(number)
    }
}

/// The members of a document or of one of its objects, sorted by field number, each field at most once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members(Vec<(FieldId, Value)>);

impl Members {
    /// No members.
    pub fn new() -> Members {
        Members::default()
    }

    /// No members, with room for some.
    pub(super) fn with_capacity(members: usize) -> Members {
        Members(Vec::with_capacity(members))
    }

    /// The value of a field.
    pub fn get(&self, field: FieldId) -> Option<&Value> {
        let at = self.0.binary_search_by_key(&field, |(id, _)| *id).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, field: FieldId, value: impl Into<Value>) {
        let value = value.into();
        match self.0.binary_search_by_key(&field, |(id, _)| *id) {
            Ok(at) if value.is_empty() => drop(self.0.remove(at)),
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(_) if value.is_empty() => {}
            Err(at) => self.0.insert(at, (field, value)),
        }
    }

    /// Removes a field and returns what it held.
    pub fn remove(&mut self, field: FieldId) -> Option<Value> {
        let at = self.0.binary_search_by_key(&field, |(id, _)| *id).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Fields and values by ascending field number.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &Value)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps the members that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(FieldId) -> bool) {
        self.0.retain(|(id, _)| keep(*id));
    }

    /// Text of a member, `None` where it is absent.
    pub fn text(&self, field: FieldId) -> Option<&str> {
        self.get(field)?.as_str()
    }

    fn belongs_to(&self, parent: FieldId) -> bool {
        self.0.iter().all(|(id, value)| id.field().parent == Some(parent) && value.check(*id).is_ok())
    }
}

impl FromIterator<(FieldId, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (FieldId, Value)>>(items: I) -> Members {
        let mut members = Members::new();
        for (id, value) in items {
            members.set(id, value);
        }
        members
    }
}
