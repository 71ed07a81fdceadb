//! Tags of objects beside what is stored of them. New tags change neither ETag nor modification time, so that no listing shows
//! them: they are asked for, an object at a time.

use super::abreast::abreast;
use super::compare::Known;
use super::dataset::Dataset;
use super::rebuild::uri_of;
use super::view::scan_files;
use crate::error::{ErrorKind, Result};
use crate::model::{Value, field};
use crate::source::{Filter, Objects};

/// Objects whose tags are asked for between two looks at the wish to stop.
pub(super) const TOGETHER: usize = 64;

/// What is stored of an object's tags.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tagged {
    pub(super) key: String,
    /// `OSSTagging`; none without tags.
    pub(super) tags: Option<Value>,
}

/// Whether each of these objects has other tags now. One that is gone has not: that is for listings to say.
pub(super) fn differ(objects: &dyn Objects, stored: &[Tagged]) -> Vec<Result<bool>> {
    let differs = |stored: &Tagged| match objects.tags(&stored.key) {
        Ok(found) => Ok(found.get(field::OSS_TAGGING) != stored.tags.as_ref()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    };
    abreast(objects.concurrency(), stored, differs)
}

/// What is stored of the objects of a bucket, from behind one key on, at most `most`; fewer at the end.
pub(super) fn stored(
    dataset: &Dataset,
    bucket: &str,
    filter: &Filter,
    after: &str,
    most: usize,
) -> Result<Vec<Tagged>> {
    let prefix = format!("oss://{bucket}/");
    let reader = dataset.inner().store.reader();
    let mut rows = scan_files(&reader, dataset.space.id, Some(&format!("{prefix}{after}")))?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some((key, value)) = rows.current()?
    {
        let uri = uri_of(key)?;
        let Some(key) = uri.strip_prefix(&prefix) else { break };
        if filter.takes(key) {
            let known = Known::read(uri, value)?;
            // What was never read from an object has no tags to be of.
            if known.stamp.is_some() {
                found.push(Tagged { key: key.to_owned(), tags: known.tags });
            }
        }
        rows.advance();
    }
    Ok(found)
}
