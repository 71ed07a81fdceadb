//! Records: one file's document as stored, sparse and skippable. Layout: `docs/format.md`, "Record".
//!
//! The URI is the key and not repeated. A decoder never panics, never allocates more than the bytes allow, and skips
//! fields of newer versions.

mod read;
mod text;
mod words;
mod write;

use crate::codec::Take;
use crate::codec::take::{put_signed, put_varint};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FieldId, Members, Timestamp};

/// First byte of every record.
const VERSION: u8 = 1;
/// Flag: a stamp follows the times.
const HAS_STAMP: u8 = 1;
/// Flag: a binding put the document, and nobody ever did by hand.
const BOUND: u8 = 2;
/// Deepest nesting of rows and objects.
const MAX_DEPTH: u8 = 4;

/// How a value is written: the low four bits of a field's head byte. Frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Text = 0,
    Int = 1,
    Float = 2,
    Decimal = 3,
    Time = 4,
    Hex = 5,
    Digits = 6,
    Map = 7,
    Rows = 8,
    Object = 9,
    Json = 10,
    Tail = 11,
    Geo = 12,
    Word = 13,
    Key = 14,
}

impl TryFrom<u8> for Tag {
    type Error = Error;

    fn try_from(byte: u8) -> Result<Tag> {
        const ALL: [Tag; 15] = [
            Tag::Text,
            Tag::Int,
            Tag::Float,
            Tag::Decimal,
            Tag::Time,
            Tag::Hex,
            Tag::Digits,
            Tag::Map,
            Tag::Rows,
            Tag::Object,
            Tag::Json,
            Tag::Tail,
            Tag::Geo,
            Tag::Word,
            Tag::Key,
        ];
        let known = ALL.get(usize::from(byte)).copied();
        known.ok_or_else(|| Error::corrupted(format!("record: expected a value tag of 0 to 14, got {byte}")))
    }
}

/// What a local file looked like when it was read; an equal stamp means that it need not be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Length in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified: i64,
    /// Inode number, 0 where the source has none.
    pub inode: u64,
}

/// A stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Members without the URI and without what is derived on read.
    pub members: Members,
    /// When the file was first put.
    pub created: Timestamp,
    /// When it was last put or updated.
    pub updated: Timestamp,
    /// What the local file looked like; `None` where the document did not come from one.
    pub stamp: Option<Stamp>,
    /// A binding put the document, and nobody ever did by hand.
    pub bound: bool,
}

impl Record {
    /// Appends the record of `uri` to `out`.
    pub fn encode(&self, uri: &str, out: &mut Vec<u8>) {
        out.push(VERSION);
        let stamp = if self.stamp.is_some() { HAS_STAMP } else { 0 };
        out.push(stamp | if self.bound { BOUND } else { 0 });
        out.extend_from_slice(&self.created.0.to_le_bytes());
        put_signed(out, self.updated.0.wrapping_sub(self.created.0));
        if let Some(stamp) = self.stamp {
            put_varint(out, stamp.size);
            put_signed(out, stamp.modified);
            put_varint(out, stamp.inode);
        }
        write::fields(out, &self.members, Names::of(uri));
    }

    /// Reads the record of `uri`.
    pub fn decode(uri: &str, bytes: &[u8]) -> Result<Record> {
        Record::read(uri, bytes, |_| true)
    }

    /// Reads times, stamp and the `wanted` top-level members, passing over the others.
    pub fn decode_fields(uri: &str, bytes: &[u8], wanted: &[FieldId]) -> Result<Record> {
        Record::read(uri, bytes, |id| wanted.contains(&id))
    }

    fn read(uri: &str, bytes: &[u8], wanted: impl Fn(FieldId) -> bool) -> Result<Record> {
        let mut take = Take::new(bytes);
        let version = take.u8("record version")?;
        if version != VERSION {
            let kind = if version > VERSION { ErrorKind::UnsupportedVersion } else { ErrorKind::Corrupted };
            return Err(Error::new(kind, format!("record of {uri}: expected version {VERSION}, got {version}")));
        }
        let flags = take.u8("record flags")?;
        let created = take.u64("record creation time")? as i64;
        let updated = created.wrapping_add(take.signed("record update time")?);
        let stamp = if flags & HAS_STAMP == 0 { None } else { Some(read_stamp(&mut take)?) };
        let members = read::fields(&mut take, Names::of(uri), wanted)?;
        let bound = flags & BOUND != 0;
        Ok(Record { members, created: Timestamp(created), updated: Timestamp(updated), stamp, bound })
    }
}

fn read_stamp(take: &mut Take<'_>) -> Result<Stamp> {
    Ok(Stamp {
        size: take.varint("stamp size")?,
        modified: take.signed("stamp modification time")?,
        inode: take.varint("stamp inode")?,
    })
}

/// Parts of a URI that a document's `Filename` mostly repeats.
#[derive(Debug, Clone, Copy)]
struct Names<'a> {
    /// What follows the last slash.
    tail: &'a str,
    /// What follows the bucket.
    key: &'a str,
}

impl<'a> Names<'a> {
    /// Inside rows and objects, where nothing is repeated.
    const NONE: Names<'static> = Names { tail: "", key: "" };

    fn of(uri: &'a str) -> Names<'a> {
        let tail = uri.rsplit_once('/').map_or(uri, |(_, name)| name);
        let key = uri.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, key)| key);
        Names { tail, key }
    }
}

#[cfg(test)]
mod tests;
