//! Members of a document on the wire.

use crate::codec::Take;
use crate::codec::take::{put_counted, put_signed, put_varint};
use crate::error::{Error, Result};
use crate::model::{FieldId, Members, Value};

/// How deep objects nest: a row of a row of a document.
const DEPTH: u32 = 4;

const TEXT: u8 = 0;
const INT: u8 = 1;
const FLOAT: u8 = 2;
const MAP: u8 = 3;
const ROWS: u8 = 4;
const OBJECT: u8 = 5;
const JSON: u8 = 6;

/// Appends members.
pub(super) fn put(out: &mut Vec<u8>, members: &Members) {
    put_varint(out, members.len() as u64);
    for (id, value) in members.iter() {
        put_varint(out, u64::from(id.number()));
        put_value(out, value);
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => {
            out.push(TEXT);
            put_counted(out, text.as_bytes());
        }
        Value::Json(text) => {
            out.push(JSON);
            put_counted(out, text.as_bytes());
        }
        Value::Int(number) => {
            out.push(INT);
            put_signed(out, *number);
        }
        Value::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Map(pairs) => {
            out.push(MAP);
            put_varint(out, pairs.len() as u64);
            for (key, value) in pairs {
                put_counted(out, key.as_bytes());
                put_counted(out, value.as_bytes());
            }
        }
        Value::Rows(rows) => {
            out.push(ROWS);
            put_varint(out, rows.len() as u64);
            rows.iter().for_each(|row| put(out, row));
        }
        Value::Object(object) => {
            out.push(OBJECT);
            put(out, object);
        }
    }
}

/// Reads members of `parent`, of the document where it is `None`.
pub(super) fn take(from: &mut Take<'_>, parent: Option<FieldId>) -> Result<Members> {
    take_at(from, parent, DEPTH)
}

fn take_at(from: &mut Take<'_>, parent: Option<FieldId>, depth: u32) -> Result<Members> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::corrupted("expected members, got them nested too deep"))?;
    let (mut members, mut last) = (Members::new(), None);
    for _ in 0..from.count(2, "members")? {
        let id = field(from.varint("field")?, parent)?;
        if last >= Some(id) {
            return Err(Error::corrupted(format!("expected fields in ascending order, got {id} again or too late")));
        }
        last = Some(id);
        members.set(id, take_value(from, id, depth)?);
    }
    Ok(members)
}

fn field(number: u64, parent: Option<FieldId>) -> Result<FieldId> {
    let id = u16::try_from(number).ok().and_then(FieldId::from_number);
    id.filter(|id| id.field().parent == parent)
        .ok_or_else(|| Error::corrupted(format!("expected a field of {parent:?}, got number {number}")))
}

fn take_value(from: &mut Take<'_>, id: FieldId, depth: u32) -> Result<Value> {
    Ok(match from.u8("type of a value")? {
        TEXT => Value::Text(from.text("text")?.into()),
        JSON => Value::Json(from.text("json")?.into()),
        INT => Value::Int(from.signed("number")?),
        FLOAT => Value::Float(finite(f64::from_bits(from.u64("number")?))?),
        MAP => {
            let count = from.count(2, "map")?;
            let pair = |from: &mut Take<'_>| Ok((from.text("key")?.to_owned(), from.text("value")?.to_owned()));
            Value::map((0..count).map(|_| pair(from)).collect::<Result<Vec<_>>>()?)
        }
        ROWS => {
            let count = from.count(1, "rows")?;
            Value::Rows((0..count).map(|_| take_at(from, Some(id), depth)).collect::<Result<_>>()?)
        }
        OBJECT => Value::Object(take_at(from, Some(id), depth)?),
        other => return Err(Error::corrupted(format!("expected the type of a value, got {other}"))),
    })
}

pub(super) fn finite(number: f64) -> Result<f64> {
    if number.is_finite() { Ok(number) } else { Err(Error::corrupted("expected a finite number, got another")) }
}
