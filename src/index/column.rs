//! Which columns a field has, and what their units are.

use super::numbers::Numbers;
use crate::model::field;
use crate::model::{FieldId, Kind};

/// Which part of a field's value a column holds. Numbers are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// The value; for maps the entries' values.
    Value = 0,
    /// The keys of a map's entries.
    Key = 1,
    /// Latitude in degrees.
    Latitude = 2,
    /// Longitude in degrees.
    Longitude = 3,
}

impl Part {
    pub(crate) fn from_number(number: u8) -> Option<Part> {
        [Part::Value, Part::Key, Part::Latitude, Part::Longitude].into_iter().find(|p| *p as u8 == number)
    }
}

/// Names a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId {
    /// The field.
    pub field: FieldId,
    /// The part of its value.
    pub part: Part,
}

impl ColumnId {
    /// The column of a field's value.
    pub fn of(field: FieldId) -> ColumnId {
        ColumnId { field, part: Part::Value }
    }

    /// Whether values are numbers (integers, instants, floats, degrees) rather than strings.
    pub fn is_numeric(self) -> bool {
        matches!(self.field.field().kind, Kind::Int | Kind::Float | Kind::Time | Kind::Geo)
    }

    /// Whether values stand plainly in unit order.
    pub(crate) fn is_plain(self) -> bool {
        IDENTIFIERS.contains(&self.field)
    }
}

/// The array or map whose elements are the units of the field's columns; `None` where units are documents.
pub(crate) fn elements_of(field: FieldId) -> Option<FieldId> {
    if matches!(field.field().kind, Kind::Map(_)) {
        return Some(field);
    }
    field.field().parent.filter(|parent| parent.field().kind == Kind::Rows)
}

/// Fields whose values are names of one thing each (checksums, version numbers): never searched, hardly ever equal, so
/// they stand plainly in unit order instead of behind a dictionary.
const IDENTIFIERS: [FieldId; 8] = [
    field::OBJECT_ID,
    field::OSS_URI,
    field::FILE_HASH,
    field::ETAG,
    field::CONTENT_MD5,
    field::OSS_CRC64,
    field::OSS_VERSION_ID,
    field::FIGURE_ID,
];

/// The columns of a field, none for fields that are only stored.
pub(crate) fn columns_of(field: FieldId) -> &'static [Part] {
    match field.field().kind {
        Kind::Keyword | Kind::Set | Kind::Text | Kind::Int | Kind::Float | Kind::Time => &[Part::Value],
        Kind::Geo => &[Part::Latitude, Part::Longitude],
        Kind::Map(_) => &[Part::Value, Part::Key],
        Kind::Rows | Kind::Object | Kind::Stored | Kind::Json => &[],
    }
}

/// No values yet, of the type that a numeric column holds.
pub(crate) fn no_numbers(column: ColumnId) -> Numbers {
    match column.field.field().kind {
        Kind::Int | Kind::Time => Numbers::Int(Vec::new()),
        _ => Numbers::Float(Vec::new()),
    }
}
