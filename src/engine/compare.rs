//! A source beside the records of its bucket, both in key order: what is new, changed, the same, gone. Memory is bounded by
//! one step, and a store snapshot lives no longer than that.

use super::dataset::Dataset;
use super::document::KEPT;
use super::intake::Candidate;
use super::rebuild::uri_of;
use super::view::scan_files;
use crate::error::Result;
use crate::model::{FieldId, Members, Uri, Value, field};
use crate::source::{Bucket, Entry, Filter, Found, Identity, Skipped, Tour, Why};
use crate::store::{Record, Stamp};

/// Files of one step at most.
const STEP_FILES: usize = 256;
/// Records without a file of one step at most.
const STEP_GONE: usize = 2048;
/// Members of stored documents that a comparison looks at.
const LOOKED_AT: [FieldId; 4] = [field::CUSTOM_ID, field::CUSTOM_LABELS, field::FILE_HASH, field::OSS_TAGGING];

/// What is stored of a file.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) stamp: Option<Stamp>,
    pub(super) bound: bool,
    /// `FileHash`.
    pub(super) hash: String,
    /// Members that stay when the file is read again.
    pub(super) kept: Members,
    /// `OSSTagging`.
    pub(super) tags: Option<Value>,
}

impl Known {
    pub(super) fn read(uri: &str, bytes: &[u8]) -> Result<Known> {
        let record = Record::decode_fields(uri, bytes, &LOOKED_AT)?;
        let hash = record.members.text(field::FILE_HASH).unwrap_or("").to_owned();
        let tags = record.members.get(field::OSS_TAGGING).cloned();
        let mut kept = record.members;
        kept.retain(|id| KEPT.contains(&id));
        Ok(Known { stamp: record.stamp, bound: record.bound, hash, kept, tags })
    }

    /// Whether the document goes when its file does: one that was read from a file, or that a binding made. What a caller
    /// only told stays.
    pub(super) fn goes_with_file(&self) -> bool {
        self.bound || self.stamp.is_some()
    }
}

/// A file of the source.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) uri: String,
    pub(super) entry: Entry,
    pub(super) known: Option<Known>,
}

impl Seen {
    /// The file as one to be read.
    pub(super) fn candidate(self) -> Candidate {
        let Seen { uri, entry, known } = self;
        let (stamp, kept, tags) = known.map_or((None, None, None), |known| (known.stamp, Some(known.kept), known.tags));
        Candidate { uri, entry, stamp, kept, tags }
    }
}

/// A document whose file is not there.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) uri: String,
    pub(super) known: Known,
}

/// Keys of directories that are not of the file systems that were found there before: what was mounted on them is away,
/// and nothing can be said of it.
pub(super) fn away(place: &Bucket, mounts: &[(String, Identity)]) -> Vec<String> {
    let Some(folder) = place.folder() else { return Vec::new() };
    let is_away = |(key, known): &&(String, Identity)| folder.identity_at(key) != Some(*known);
    mounts.iter().filter(is_away).map(|(key, _)| key.clone()).collect()
}

/// What comes behind the bucket in an address.
pub(super) fn key_of(uri: &str) -> &str {
    uri.strip_prefix("oss://").and_then(|rest| rest.split_once('/')).map_or(uri, |(_, key)| key)
}

/// Whether a key is that of a folder or of something below it; the root's is empty.
pub(super) fn is_within(key: &str, folder: &str) -> bool {
    folder.is_empty() || key.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What lies between two keys.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) seen: Vec<Seen>,
    pub(super) gone: Vec<Gone>,
    pub(super) skipped: Vec<Skipped>,
    /// The last key that was looked at; empty for none.
    pub(super) upto: String,
    pub(super) is_last: bool,
}

/// A comparison under way.
pub(super) struct Comparison<'a> {
    dataset: &'a Dataset,
    filter: &'a Filter,
    walk: Box<dyn Tour>,
    /// What the walk found and is not handled yet.
    ahead: Option<Found>,
    /// `oss://bucket/`.
    bucket: String,
    /// How the URIs in question begin.
    prefix: String,
    /// The last URI that was looked at.
    from: String,
    /// The key after which it ends; empty for the end.
    until: String,
    /// Keys of what could not be read: nothing is known of what is below them.
    unread: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Compares what `walk` visits below the folder `within` with the records there, from behind the key `after` up to the
    /// key `until`, where these are not empty.
    pub(super) fn new(
        dataset: &'a Dataset,
        bucket: &str,
        filter: &'a Filter,
        walk: Box<dyn Tour>,
        within: &str,
        (after, until): (&str, &str),
    ) -> Comparison<'a> {
        let bucket = format!("oss://{bucket}/");
        let prefix = if within.is_empty() { bucket.clone() } else { format!("{bucket}{within}/") };
        let from = if after.is_empty() { prefix.clone() } else { format!("{bucket}{after}") };
        let unread = Vec::new();
        Comparison { dataset, filter, walk, ahead: None, bucket, prefix, from, until: until.to_owned(), unread }
    }

    /// The next step.
    pub(super) fn step(&mut self) -> Result<Step> {
        let reader = self.dataset.inner().store.reader();
        let mut rows = scan_files(&reader, self.dataset.space.id, Some(&self.from))?;
        let mut step = Step::default();
        while step.seen.len() + step.skipped.len() < STEP_FILES && step.gone.len() < STEP_GONE {
            let row = match rows.current()? {
                Some((key, value)) => Some((uri_of(key)?, value)).filter(|(uri, _)| self.is_due(uri)),
                None => None,
            };
            let key = self.next_key();
            let found = key.as_ref().map(|key| format!("{}{key}", self.bucket));
            match (found, row) {
                (None, None) => {
                    step.is_last = true;
                    break;
                }
                (found, Some((uri, value))) if found.as_deref().is_none_or(|found| uri < found) => {
                    self.from = uri.to_owned();
                    self.miss(&mut step, uri, value)?;
                    rows.advance();
                }
                (Some(found), row) => {
                    let known = row.filter(|(uri, _)| *uri == found);
                    let is_known = known.is_some();
                    let known = known.map(|(uri, value)| Known::read(uri, value)).transpose()?;
                    self.meet(&mut step, found, known);
                    if is_known {
                        rows.advance();
                    }
                }
                (None, Some(_)) => break,
            }
        }
        step.upto = self.from.strip_prefix(&self.bucket).unwrap_or("").to_owned();
        Ok(step)
    }

    /// File systems that the walk met below the root since the last call, each with the key of its directory.
    pub(super) fn take_mounts(&mut self) -> Vec<(String, Identity)> {
        self.walk.take_mounts()
    }

    /// Keys of what could not be read.
    pub(super) fn unread(&self) -> &[String] {
        &self.unread
    }

    fn is_due(&self, uri: &str) -> bool {
        let key = uri.strip_prefix(&self.bucket).unwrap_or("");
        uri.starts_with(&self.prefix) && (self.until.is_empty() || key <= self.until.as_str())
    }

    /// The key of what the walk finds next.
    fn next_key(&mut self) -> Option<String> {
        if self.ahead.is_none() {
            self.ahead = self.walk.next();
        }
        let key = match self.ahead.as_ref()? {
            Found::File(entry) => &entry.key,
            Found::Skipped(skipped) => &skipped.key,
        };
        (self.until.is_empty() || *key <= self.until).then(|| key.clone())
    }

    /// A record without a file.
    fn miss(&self, step: &mut Step, uri: &str, value: &[u8]) -> Result<()> {
        let key = uri.strip_prefix(&self.bucket).unwrap_or("");
        if !self.filter.takes(key) || self.unread.iter().any(|unread| is_within(key, unread)) {
            return Ok(());
        }
        let known = Known::read(uri, value)?;
        if known.goes_with_file() {
            step.gone.push(Gone { uri: uri.to_owned(), known });
        }
        Ok(())
    }

    /// What the walk found, with its record where it has one.
    fn meet(&mut self, step: &mut Step, uri: String, known: Option<Known>) {
        match self.ahead.take() {
            Some(Found::File(entry)) if Uri::parse(&uri).is_ok() => {
                self.from.clone_from(&uri);
                step.seen.push(Seen { uri, entry, known });
            }
            Some(Found::File(_)) => self.from = uri,
            Some(Found::Skipped(skipped)) => {
                if matches!(skipped.why, Why::Failed(_)) {
                    self.unread.push(skipped.key.clone());
                } else if let Some(known) = known.filter(|k| k.goes_with_file() && self.filter.takes(&skipped.key)) {
                    // A link or a device took the place of the file.
                    step.gone.push(Gone { uri: uri.clone(), known });
                }
                self.from = self.from.clone().max(uri);
                step.skipped.push(skipped);
            }
            None => {}
        }
    }
}
