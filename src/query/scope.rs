//! Which columns a text is looked for in. The one place that knows the fields of `FuzzyQuery`.

use crate::error::{Error, Result};
use crate::index::ColumnId;
use crate::model::FieldId;
use crate::model::field::{self, FIELDS, FILENAME, URI};

/// How paths are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathScope {
    /// Not at all.
    Off,
    /// The whole URI, and so `Filename` wherever it is a part of it.
    Uri,
    /// Only `Filename`.
    Filename,
}

/// The columns of a search.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) path: PathScope,
    pub(crate) columns: Vec<ColumnId>,
}

impl Scope {
    /// The scope of the given fields, or of every searched field.
    pub(crate) fn of(fields: &[FieldId]) -> Result<Scope> {
        if let Some(field) = fields.iter().find(|f| !f.field().searched) {
            return Err(Error::invalid(format!("{field} is not a field that text is searched in")));
        }
        let all = || FIELDS.iter().filter(|f| f.searched).map(|f| f.id).collect();
        let fields: Vec<FieldId> = if fields.is_empty() { all() } else { fields.to_vec() };
        let path = match (fields.contains(&URI), fields.contains(&FILENAME)) {
            (true, _) => PathScope::Uri,
            (false, true) => PathScope::Filename,
            (false, false) => PathScope::Off,
        };
        // `Filename` has a column of its own for the documents whose URI does not end in it.
        let columns = fields.iter().filter(|f| **f != field::URI).map(|f| ColumnId::of(*f)).collect();
        Ok(Scope { path, columns })
    }
}
