//! Which columns a text is looked for in. The one place that knows the fields of `FuzzyQuery`.

use crate::error::{Error, Result};
use crate::index::ColumnId;
use crate::model::field::{self, FIELDS, FILENAME, URI};
use crate::model::{Anchor, FieldId};

/// How paths are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathScope {
    /// The whole URI, and so `Filename` wherever it is a part of it.
    Uri,
    /// Only `Filename`.
    Filename,
}

/// The columns of a search.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// How paths are searched: the union of these.
    pub(crate) paths: Vec<PathScope>,
    /// Keyword and text columns.
    pub(crate) columns: Vec<ColumnId>,
}

impl Scope {
    /// The scope of the given fields, or of every searched field.
    pub(crate) fn of(fields: &[FieldId], anchor: Anchor) -> Result<Scope> {
        if let Some(field) = fields.iter().find(|f| !f.field().searched) {
            return Err(Error::invalid(format!("{field} is not a field that text is searched in")));
        }
        let all = || FIELDS.iter().filter(|f| f.searched).map(|f| f.id).collect();
        let fields: Vec<FieldId> = if fields.is_empty() { all() } else { fields.to_vec() };
        let paths = match (fields.contains(&URI), fields.contains(&FILENAME)) {
            // What a file name ends with or contains, its URI does too; what it starts with need not.
            (true, true) if anchor.at_start() => vec![PathScope::Uri, PathScope::Filename],
            (true, _) => vec![PathScope::Uri],
            (false, true) => vec![PathScope::Filename],
            (false, false) => Vec::new(),
        };
        // `Filename` has a column of its own for the documents whose URI does not end in it.
        let columns = fields.iter().filter(|f| **f != field::URI).map(|f| ColumnId::of(*f)).collect();
        Ok(Scope { paths, columns })
    }
}
