//! Pages of catalog rows by name.

use crate::error::{Error, Result};
use crate::model::Name;
use crate::store::rows::Row;
use crate::store::{Key, Reader, keys};

/// Most entries of one page of a listing.
pub(super) const MAX_LISTING: usize = 200;
/// Entries of a page when none are asked for.
const DEFAULT_LISTING: usize = 100;
/// Longest prefix, in characters.
const MAX_PREFIX: usize = 128;

/// Which entries of a listing to return.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask<'a> {
    pub(super) prefix: &'a str,
    pub(super) token: &'a str,
    pub(super) max_results: usize,
}

impl Ask<'_> {
    /// The page size, or an error that names the parameter.
    pub(super) fn size(&self) -> Result<usize> {
        let prefix = self.prefix.chars().count();
        if prefix > MAX_PREFIX {
            return Err(Error::invalid(format!("Prefix: expected at most {MAX_PREFIX} characters, got {prefix}")));
        }
        match self.max_results {
            0 => Ok(DEFAULT_LISTING),
            n if n <= MAX_LISTING => Ok(n),
            n => Err(Error::invalid(format!("MaxResults: expected 0 to {MAX_LISTING}, got {n}"))),
        }
    }
}

/// Checks the token of a listing of projects or datasets: the name that the page begins with.
pub(super) fn check_name_token(token: &str) -> Result<()> {
    if token.is_empty() { Ok(()) } else { Name::parse("NextToken", token).map(drop) }
}

/// Rows of one page with their names, and the name that the next page starts at, or `""`.
pub(super) type Rows<R> = (Vec<(String, R)>, String);

/// The page of rows that `keep` accepts, under the keys that `key` makes of a name.
pub(super) fn page<R: Row>(
    reader: &Reader<'_>,
    key: impl Fn(&str) -> Key,
    ask: &Ask<'_>,
    keep: impl Fn(&R) -> bool,
) -> Result<Rows<R>> {
    let size = ask.size()?;
    let fixed = key("").bytes.len();
    let from = key(ask.token.max(ask.prefix));
    let mut rows = reader.scan(&key(ask.prefix), Some(&from))?;
    let mut found = Vec::new();
    while let Some((bytes, value)) = rows.current()? {
        let name = keys::text_after(bytes, fixed).ok_or_else(|| Error::corrupted("a catalog key has no name"))?;
        let row = R::decode(value)?;
        if keep(&row) {
            if found.len() == size {
                return Ok((found, name.to_owned()));
            }
            found.push((name.to_owned(), row));
        }
        rows.advance();
    }
    Ok((found, String::new()))
}
