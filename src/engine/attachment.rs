//! Buckets attached to projects (operations.md 7, "Regions and bucket attachment"): kept and listed, independent of bindings.

use super::catalog::find_project;
use super::listing::{self, Ask};
use super::open::Engine;
use super::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::uri::is_bucket;
use crate::model::{Listing, now};
use crate::store::rows::{AttachmentRow, Row};
use crate::store::{Batch, Durability, Key, Reader, Table, keys};

/// Most characters of an attachment's description (API limit).
pub const MAX_ATTACHMENT_DESCRIPTION: usize = 128;

/// A bucket attached to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `OSSBucket`.
    pub bucket: String,
    /// `ProjectName`.
    pub project: String,
    /// `Description`, may be empty.
    pub description: String,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
}

impl Engine {
    /// Attaches a bucket, which may be attached to one project at a time.
    pub fn attach_bucket(&self, project: &str, bucket: &str, description: &str) -> Result<()> {
        let attached = || -> Result<()> {
            check_bucket(bucket)?;
            let length = description.chars().count();
            if length > MAX_ATTACHMENT_DESCRIPTION {
                let most = MAX_ATTACHMENT_DESCRIPTION;
                return Err(Error::invalid(format!("Description: expected at most {most} characters, got {length}")));
            }
            let inner = &self.handle.inner;
            let _catalog = lock(&inner.catalog);
            let reader = inner.store.reader();
            find_project(&reader, project)?;
            if reader.bytes(&keys::attachment(bucket))?.is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, format!("the bucket {bucket:?} is attached already")));
            }
            let time = now().0;
            let (project, description) = (project.to_owned(), description.to_owned());
            let row = AttachmentRow { project, description, create_time: time, update_time: time };
            let mut batch = inner.store.batch();
            batch.put(&keys::attachment(bucket), &row)?;
            inner.store.commit(batch, Durability::Sync)
        };
        attached().map_err(|e| e.during("AttachOSSBucket"))
    }

    /// Detaches a bucket from its project.
    pub fn detach_bucket(&self, bucket: &str) -> Result<()> {
        let detached = || -> Result<()> {
            check_bucket(bucket)?;
            let inner = &self.handle.inner;
            let _catalog = lock(&inner.catalog);
            let key = keys::attachment(bucket);
            if inner.store.reader().bytes(&key)?.is_none() {
                return Err(missing(bucket));
            }
            let mut batch = inner.store.batch();
            batch.delete(&key)?;
            inner.store.commit(batch, Durability::Sync)
        };
        detached().map_err(|e| e.during("DetachOSSBucket"))
    }

    /// What a bucket is attached to.
    pub fn attachment(&self, bucket: &str) -> Result<Attachment> {
        let found = || -> Result<Attachment> {
            check_bucket(bucket)?;
            let reader = self.handle.inner.store.reader();
            let row: AttachmentRow = reader.row(&keys::attachment(bucket))?.ok_or_else(|| missing(bucket))?;
            Ok(attachment_of(bucket, row))
        };
        found().map_err(|e| e.during("GetOSSBucketAttachment"))
    }

    /// Buckets of a project by name, from `token` on. `max_results`: up to 200, 0 for 100.
    pub fn attachments(&self, project: &str, token: &str, max_results: usize) -> Result<Listing<Attachment>> {
        let listed = || -> Result<Listing<Attachment>> {
            let reader = self.handle.inner.store.reader();
            find_project(&reader, project)?;
            if !token.is_empty() {
                check_bucket(token)?;
            }
            let ask = Ask { prefix: "", token, max_results };
            let keep = |row: &AttachmentRow| row.project == project;
            let (rows, next_token) = listing::page(&reader, keys::attachment, &ask, keep)?;
            let items = rows.into_iter().map(|(bucket, row)| attachment_of(&bucket, row)).collect();
            Ok(Listing { items, next_token })
        };
        listed().map_err(|e| e.during("ListAttachedOSSBuckets"))
    }
}

fn check_bucket(bucket: &str) -> Result<()> {
    if is_bucket(bucket) {
        return Ok(());
    }
    let shown: String = bucket.chars().take(80).collect();
    Err(Error::invalid(format!("OSSBucket: expected 1 to 63 of A-Z, a-z, 0-9, -, _ and ., got {shown:?}")))
}

fn missing(bucket: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("the bucket {bucket:?} is not attached"))
}

/// Detaches all buckets of a project that is about to go.
pub(super) fn forget(reader: &Reader<'_>, batch: &mut Batch<'_>, project: &str) -> Result<()> {
    let mut rows = reader.scan(&keys::attachment(""), None)?;
    while let Some((key, value)) = rows.current()? {
        if AttachmentRow::decode(value)?.project == project {
            batch.delete(&Key { table: Table::Catalog, bytes: key.to_vec() })?;
        }
        rows.advance();
    }
    Ok(())
}

fn attachment_of(bucket: &str, row: AttachmentRow) -> Attachment {
    Attachment {
        bucket: bucket.to_owned(),
        project: row.project,
        description: row.description,
        create_time: row.create_time,
        update_time: row.update_time,
    }
}
