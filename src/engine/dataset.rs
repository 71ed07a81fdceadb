//! The handle of a dataset: files in, files out.

use super::commit;
use super::document::{Incoming, Place};
use super::group::{GROUP_DOCS, Op, Size};
use super::open::{Engine, Inner};
use super::seal::{self, Care};
use super::space::Space;
use super::view::{Sight, scan_files};
use super::{film_labels, outcome, rebuild};
use crate::error::{Error, Result};
use crate::model::{Event, EventType, FieldId, File, Uri};
use crate::store::{Reader, Table, keys};
use std::sync::Arc;

/// A dataset of an open database. Clones are cheap; all see the same files.
#[derive(Clone)]
pub struct Dataset {
    pub(super) engine: Engine,
    pub(super) space: Arc<Space>,
    pub(super) place: Arc<Place>,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Dataset {
    pub(super) fn new(engine: Engine, space: Arc<Space>, place: Place) -> Dataset {
        Dataset { engine, space, place: Arc::new(place) }
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.engine.handle.inner
    }

    /// The database that it belongs to.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Name of the project.
    pub fn project(&self) -> &str {
        &self.place.project
    }

    /// Name of the dataset.
    pub fn name(&self) -> &str {
        &self.place.dataset
    }

    /// Stores documents, replacing those of the same URI; on return they are durable and found by queries. Members that
    /// the engine keeps (`ObjectId`, `ProjectName`, `CreateTime`, ...) are ignored. Up to 10,000 documents with
    /// 32 MiB of text are stored whole or not at all; more are stored in such steps.
    pub fn put(&self, files: Vec<File>) -> Result<()> {
        let incoming = files.into_iter().map(|file| Incoming { file, stamp: None, bound: false }).collect();
        self.put_incoming(incoming).map_err(|e| e.during("put"))
    }

    pub(super) fn put_incoming(&self, files: Vec<Incoming>) -> Result<()> {
        files.iter().try_for_each(|incoming| incoming.file.validate())?;
        let films = files.iter().any(|incoming| film_labels::is_waiting(&incoming.file));
        let (mut step, mut size) = (Vec::with_capacity(files.len().min(GROUP_DOCS)), Size::default());
        for incoming in files {
            let more = size.plus(Size::of(&incoming.file));
            if !more.fits() && !step.is_empty() {
                self.submit(Op::Put(std::mem::take(&mut step)), Vec::new())?;
                size = Size::of(&incoming.file);
            } else {
                size = more;
            }
            step.push(incoming);
        }
        if !step.is_empty() {
            self.submit(Op::Put(step), Vec::new())?;
        }
        if films {
            self.inner().films.note(self.project(), self.name());
        }
        Ok(())
    }

    /// Changes `CustomId`, `CustomLabels` (the whole map) and clusters of `Figures` of stored documents; other members are
    /// ignored, and an absent one stays. Answers for each whether it was there.
    pub fn update(&self, changes: Vec<File>) -> Result<Vec<bool>> {
        let updated = || -> Result<Vec<bool>> {
            changes.iter().try_for_each(File::validate)?;
            if changes.len() > GROUP_DOCS {
                let got = changes.len();
                return Err(Error::invalid(format!(
                    "expected at most {GROUP_DOCS} documents in one update, got {got}"
                )));
            }
            let uris: Vec<&str> = changes.iter().map(File::uri).collect();
            let events = outcome::told(self, &uris, |_| EventType::BATCH_UPDATE)?;
            self.submit(Op::Update(changes), events)
        };
        updated().map_err(|e| e.during("update"))
    }

    /// Removes documents; absent ones are fine. Answers for each whether it was there.
    pub fn delete(&self, uris: Vec<String>) -> Result<Vec<bool>> {
        let deleted = || -> Result<Vec<bool>> {
            uris.iter().try_for_each(|uri| Uri::parse(uri).map(drop))?;
            let mut existed = Vec::with_capacity(uris.len());
            for step in uris.chunks(GROUP_DOCS) {
                let told: Vec<&str> = step.iter().map(String::as_str).collect();
                let kind = |count| if count == 1 { EventType::DELETE } else { EventType::BATCH_DELETE };
                let events = outcome::told(self, &told, kind)?;
                existed.extend(self.submit(Op::Delete(step.to_vec()), events)?);
            }
            Ok(existed)
        };
        deleted().map_err(|e| e.during("delete"))
    }

    /// Files that moved, old address first; answers for each whether both documents were there and are one now.
    pub(super) fn move_documents(&self, pairs: Vec<(String, String)>) -> Result<Vec<bool>> {
        let mut moved = Vec::with_capacity(pairs.len());
        for step in pairs.chunks(GROUP_DOCS / 2) {
            moved.extend(self.submit(Op::Move(step.to_vec()), Vec::new())?);
        }
        Ok(moved)
    }

    fn submit(&self, op: Op, events: Vec<Event>) -> Result<Vec<bool>> {
        commit::submit(self.inner(), &self.space, op, events)
    }

    /// The document of a URI with the named top-level members, all where none are named.
    pub fn get(&self, uri: &str, with_fields: &[FieldId]) -> Result<Option<File>> {
        let uris = [uri.to_owned()];
        self.get_many(&uris, with_fields).map(|files| files.into_iter().next())
    }

    /// The documents of `uris` in their order; absent ones are left out.
    pub fn get_many(&self, uris: &[String], with_fields: &[FieldId]) -> Result<Vec<File>> {
        let found = || -> Result<Vec<File>> {
            uris.iter().try_for_each(|uri| Uri::parse(uri).map(drop))?;
            let mut files = Vec::with_capacity(uris.len());
            self.read(&self.inner().store.reader(), uris, with_fields, |_, file| {
                files.extend(file);
                Ok(())
            })?;
            Ok(files)
        };
        found().map_err(|e| e.during("get"))
    }

    /// Hands the document of each URI to `each`, with its position.
    pub(super) fn read(
        &self,
        reader: &Reader<'_>,
        uris: &[String],
        with_fields: &[FieldId],
        mut each: impl FnMut(usize, Option<File>) -> Result<()>,
    ) -> Result<()> {
        let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(self.space.id, uri).bytes).collect();
        reader.many(Table::Files, &keys, |at, value| {
            let uri = uris.get(at).map_or("", String::as_str);
            each(at, value.map(|bytes| self.place.document(uri, bytes, with_fields)).transpose()?)
        })
    }

    /// Up to `limit` documents in URI order, after the URI `after` (`""` for the first): for export, page by page. What is
    /// written between two pages is seen or not, everything else is seen once.
    pub fn scan(&self, after: &str, limit: usize) -> Result<Vec<File>> {
        let scanned = || -> Result<Vec<File>> {
            let reader = self.inner().store.reader();
            let mut rows = scan_files(&reader, self.space.id, (!after.is_empty()).then_some(after))?;
            let mut files = Vec::new();
            while files.len() < limit
                && let Some((key, value)) = rows.current()?
            {
                files.push(self.place.whole(rebuild::uri_of(key)?, value)?);
                rows.advance();
            }
            Ok(files)
        };
        scanned().map_err(|e| e.during("scan"))
    }

    /// Number of documents.
    pub fn len(&self) -> Result<u64> {
        Ok(Sight::take(self.inner(), &self.space)?.counters.files)
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Builds the index anew from the records; reads and writes go on meanwhile.
    pub fn rebuild(&self) -> Result<()> {
        rebuild::rebuild(self.inner(), &self.space).map_err(|e| e.during("rebuild"))
    }

    /// Writes the tail to a segment file and waits until nothing is left to merge, small segments included; the next open has
    /// nothing to replay.
    pub fn settle(&self) -> Result<()> {
        let settled = || -> Result<()> {
            self.inner().store.writable()?;
            seal::maintain(self.inner(), &self.space, Care::All)?;
            self.inner().store.flush()
        };
        settled().map_err(|e| e.during("settle"))
    }
}
