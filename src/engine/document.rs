//! Documents in their three forms: as callers give and get them, as records, and as the index sees them.
//!
//! Members that follow from where a document is stored (`ObjectId`, `ProjectName`, ...) are made on read: they cost no bytes.

use super::{scenes, similar};
use crate::error::Result;
use crate::model::cluster::FIGURE_UNCLUSTERED;
use crate::model::{FieldId, File, Members, Timestamp, Value, field};
use crate::query::Derived;
use crate::store::rows::Placement;
use crate::store::{Record, Stamp};
use sha2::{Digest, Sha256};

/// `ObjectStatus` of a document that carries no other.
const INDEXED: &str = "Indexed";
/// `ObjectType` of every document.
const FILE: &str = "file";

/// Members that callers cannot set: derived on read, or kept by the engine.
pub(super) const SYSTEM: [FieldId; 9] = [
    field::URI,
    field::OWNER_ID,
    field::PROJECT_NAME,
    field::DATASET_NAME,
    field::OBJECT_TYPE,
    field::OBJECT_ID,
    field::CREATE_TIME,
    field::UPDATE_TIME,
    field::IMAGE_HASH_PARTS,
];

/// Members that a document shows only where they are asked for by name: numbers for networks.
const BY_NAME: [FieldId; 2] = [field::IMAGE_EMBEDDING, field::FACE_EMBEDDINGS];

/// A document on its way in.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) file: File,
    pub(super) stamp: Option<Stamp>,
    /// Whether a binding puts it.
    pub(super) bound: bool,
}

/// The record of a document that was first put at `created` and last at `updated`; `bound`: never put by hand.
pub(super) fn to_record(incoming: Incoming, created: Timestamp, updated: Timestamp, bound: bool) -> Record {
    let mut members = incoming.file.into_members();
    members.retain(|id| !SYSTEM.contains(&id));
    if members.text(field::OBJECT_STATUS) == Some(INDEXED) {
        members.remove(field::OBJECT_STATUS);
    }
    Record { members, created, updated, stamp: incoming.stamp, bound }
}

/// What the index sees of a record: its own members, its times and status. What is the same for all documents of a
/// dataset, or unique to each by its URI, is not indexed.
pub(super) fn to_indexed(uri: &str, record: Record) -> File {
    let mut file = File::from_members(record.members);
    file.set(field::URI, uri);
    similar::add_parts(file.members_mut());
    scenes::add_followed(file.members_mut());
    let created = record.created.to_string();
    let updated = if record.updated == record.created { created.clone() } else { record.updated.to_string() };
    file.set(field::CREATE_TIME, created);
    file.set(field::UPDATE_TIME, updated);
    if file.text(field::OBJECT_STATUS).is_none() {
        file.set(field::OBJECT_STATUS, INDEXED);
    }
    file
}

/// Where a document is stored: what its derived members follow from.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) dataset: String,
    pub(super) owner: String,
}

impl Place {
    /// The whole document of a stored record.
    pub(super) fn whole(&self, uri: &str, bytes: &[u8]) -> Result<File> {
        Ok(self.complete(uri, Record::decode(uri, bytes)?, |_| true))
    }

    /// The document of a stored record with the `wanted` members; where none are named all but those that are shown by name alone.
    pub(super) fn document(&self, uri: &str, bytes: &[u8], wanted: &[FieldId]) -> Result<File> {
        if wanted.is_empty() {
            let mut record = Record::decode(uri, bytes)?;
            record.members.retain(|id| !BY_NAME.contains(&id));
            return Ok(self.complete(uri, record, |_| true));
        }
        let record = Record::decode_fields(uri, bytes, wanted)?;
        Ok(self.complete(uri, record, |id| wanted.contains(&id)))
    }

    fn complete(&self, uri: &str, record: Record, wanted: impl Fn(FieldId) -> bool) -> File {
        let mut members = record.members;
        let mut derive = |id: FieldId, value: &dyn Fn() -> String| {
            if wanted(id) && members.get(id).is_none() {
                members.set(id, value());
            }
        };
        derive(field::URI, &|| uri.to_owned());
        for id in [field::OWNER_ID, field::PROJECT_NAME, field::DATASET_NAME, field::OBJECT_TYPE] {
            derive(id, &|| self.constant_of(id).unwrap_or_default().to_owned());
        }
        derive(field::OBJECT_ID, &|| self.object_id(uri));
        derive(field::CREATE_TIME, &|| record.created.to_string());
        derive(field::UPDATE_TIME, &|| record.updated.to_string());
        derive(field::OBJECT_STATUS, &|| INDEXED.to_owned());
        File::from_members(members)
    }

    /// The value that all documents of the dataset have.
    fn constant_of(&self, id: FieldId) -> Option<&str> {
        let value = match id {
            field::OWNER_ID => self.owner.as_str(),
            field::PROJECT_NAME => &self.project,
            field::DATASET_NAME => &self.dataset,
            field::OBJECT_TYPE => FILE,
            _ => "",
        };
        Some(value).filter(|value| !value.is_empty())
    }

    /// Names a document for ever: the same after an update, other in another dataset.
    fn object_id(&self, uri: &str) -> String {
        let mut hash = Sha256::new();
        for part in [self.project.as_str(), "/", self.dataset.as_str(), "/", uri] {
            hash.update(part.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }
}

/// Applies what an update may change: `CustomId`, `CustomLabels`, and the clusters of `Figures` (operations.md 4).
pub(super) fn update(members: &mut Members, change: &File) {
    for id in [field::CUSTOM_ID, field::CUSTOM_LABELS] {
        if let Some(value) = change.get(id) {
            members.set(id, value.clone());
        }
    }
    let Some(Value::Rows(changes)) = change.get(field::FIGURES) else { return };
    let Some(Value::Rows(mut figures)) = members.remove(field::FIGURES) else { return };
    for figure in &mut figures {
        let same = |row: &&Members| {
            row.get(field::FIGURE_ID).is_some() && row.get(field::FIGURE_ID) == figure.get(field::FIGURE_ID)
        };
        let cluster = changes.iter().find(same).and_then(|row| row.get(field::FIGURE_CLUSTER_ID));
        if let Some(cluster) = cluster {
            figure.set(field::FIGURE_CLUSTER_ID, cluster.clone());
        }
    }
    members.set(field::FIGURES, Value::Rows(figures));
}

/// Gives figures of a document their clusters, where they are in those that they are taken from; answers whether one was.
pub(super) fn place_in(members: &mut Members, placement: &Placement) -> bool {
    let Some(Value::Rows(mut figures)) = members.remove(field::FIGURES) else { return false };
    let mut changed = false;
    for figure in &mut figures {
        let (name, now) =
            (figure.text(field::FIGURE_ID), figure.text(field::FIGURE_CLUSTER_ID).unwrap_or(FIGURE_UNCLUSTERED));
        let meant = placement.figures.iter().find(|(id, from, ..)| Some(id.as_str()) == name && from == now);
        if let Some((_, _, to, confidence)) = meant {
            figure.set(field::FIGURE_CLUSTER_ID, to.as_str());
            figure.set(field::FIGURE_CLUSTER_CONFIDENCE, f64::from(*confidence) / 1e4);
            changed = true;
        }
    }
    members.set(field::FIGURES, Value::Rows(figures));
    changed
}

/// Lets figures that were there before stay in their clusters.
pub(super) fn keep_clusters(members: &mut Members, before: &Members) {
    let Some(Value::Rows(known)) = before.get(field::FIGURES) else { return };
    let Some(Value::Rows(mut figures)) = members.remove(field::FIGURES) else { return };
    for figure in &mut figures {
        let open = figure.text(field::FIGURE_CLUSTER_ID).is_none_or(|id| id == FIGURE_UNCLUSTERED);
        let name = figure.text(field::FIGURE_ID);
        let same = known.iter().find(|row| open && name.is_some() && row.text(field::FIGURE_ID) == name);
        let Some(same) = same else { continue };
        for id in [field::FIGURE_CLUSTER_ID, field::FIGURE_CLUSTER_CONFIDENCE] {
            if let Some(value) = same.get(id) {
                figure.set(id, value.clone());
            }
        }
    }
    members.set(field::FIGURES, Value::Rows(figures));
}

/// Gives a document what was known of the same file at its address before: what callers said of it (that of the file goes
/// before that of the address), what was found out about its content, and since when it is known.
pub(super) fn inherit(heir: &mut Record, from: Record) {
    let own = [field::OBJECT_STATUS, field::REASON, field::FILENAME, field::EXTRACT_OUTCOME];
    for (id, value) in from.members.iter().filter(|(id, _)| !own.contains(id)) {
        if KEPT.contains(&id) || heir.members.get(id).is_none() {
            heir.members.set(id, value.clone());
        }
    }
    heir.created = heir.created.min(from.created);
    heir.bound &= from.bound;
}

/// Members that callers give to stored documents: reading the file again does not lose them.
pub(super) const KEPT: [FieldId; 2] = [field::CUSTOM_ID, field::CUSTOM_LABELS];

/// The `Size` that counts towards a dataset's total; a negative one counts as nothing.
pub(super) fn counted_size(members: &Members) -> u64 {
    members.get(field::SIZE).and_then(|v| v.as_int()).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// Bytes of text in a document, roughly: what a batch is bounded by.
pub(super) fn weight(members: &Members) -> usize {
    let of = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Map(pairs) => pairs.iter().map(|(k, v)| k.len() + v.len()).sum(),
        Value::Rows(rows) => rows.iter().map(weight).sum(),
        Value::Object(object) => weight(object),
        Value::Int(_) | Value::Float(_) => 8,
    };
    members.iter().map(|(_, value)| of(value)).sum()
}

impl Derived for Place {
    fn constant(&self, field: FieldId) -> Option<&str> {
        self.constant_of(field)
    }

    fn is_derived(&self, field: FieldId) -> bool {
        field == field::OBJECT_ID
    }

    fn of(&self, field: FieldId, uri: &str) -> Option<String> {
        (field == field::OBJECT_ID).then(|| self.object_id(uri))
    }
}
