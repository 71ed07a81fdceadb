//! Reading the fields of a record. Every claim of the bytes is bounded by the bytes that are there.

use super::write::{ABSOLUTE, unscale};
use super::{MAX_DEPTH, Names, Tag, text, words};
use crate::codec::Take;
use crate::error::{Error, Result};
use crate::model::{FieldId, Members, Text, Value};

/// Reads fields to the end of the record, keeping those that are `wanted` and known.
pub(super) fn fields(take: &mut Take<'_>, names: Names<'_>, wanted: impl Fn(FieldId) -> bool) -> Result<Members> {
    let mut members = Members::new();
    let mut last = 0;
    while !take.is_empty() {
        let (number, tag) = head(take, last)?;
        last = number;
        match FieldId::from_number(number).filter(|id| wanted(*id)) {
            Some(id) => members.set(id, value(take, tag, names, 0)?),
            None => skip(take, tag)?,
        }
    }
    Ok(members)
}

fn head(take: &mut Take<'_>, last: u16) -> Result<(u16, Tag)> {
    let byte = take.u8("field head")?;
    let step = u16::from(byte >> 4);
    let number =
        if step == ABSOLUTE { u16::try_from(take.varint("field number")?).ok() } else { last.checked_add(step) };
    let number =
        number.ok_or_else(|| Error::corrupted("record: expected a field number below 65536, got a larger one"))?;
    Ok((number, Tag::try_from(byte & 15)?))
}

fn value(take: &mut Take<'_>, tag: Tag, names: Names<'_>, depth: u8) -> Result<Value> {
    Ok(match tag {
        Tag::Text => Value::Text(take.text("text value")?.into()),
        Tag::Int => Value::Int(take.signed("integer value")?),
        Tag::Float => Value::Float(finite(f64::from_bits(take.u64("float value")?))?),
        Tag::Decimal => decimal(take)?,
        Tag::Time => Value::Text(text::Time::take(take)?.to_text().into()),
        Tag::Hex => {
            let flags = take.u8("hex form")?;
            Value::Text(text::hex_text(flags, take.counted("hex value")?).into())
        }
        Tag::Digits => Value::Text(take.varint("digits value")?.to_string().into()),
        Tag::Map => map(take)?,
        Tag::Rows => rows(take.counted("rows")?, deeper(depth)?)?,
        Tag::Object => object(take.counted("object")?, deeper(depth)?)?,
        Tag::Json => Value::Json(take.text("JSON value")?.into()),
        Tag::Tail => Value::Text(names.tail.into()),
        Tag::Key => Value::Text(names.key.into()),
        Tag::Geo => Value::Text(text::point_text(take.signed("latitude")?, take.signed("longitude")?).into()),
        Tag::Word => Value::Text(words::word(take.u8("word number")?)?.into()),
    })
}

fn skip(take: &mut Take<'_>, tag: Tag) -> Result<()> {
    match tag {
        Tag::Text | Tag::Json | Tag::Rows | Tag::Object => take.counted("skipped value").map(drop),
        Tag::Hex => take.u8("hex form").and_then(|_| take.counted("hex value")).map(drop),
        Tag::Int | Tag::Digits => take.varint("skipped integer").map(drop),
        Tag::Float => take.u64("skipped float").map(drop),
        Tag::Decimal => take.u8("decimals").and_then(|_| take.varint("skipped decimal")).map(drop),
        Tag::Time => text::Time::take(take).map(drop),
        Tag::Geo => take.varint("latitude").and_then(|_| take.varint("longitude")).map(drop),
        Tag::Tail | Tag::Key => Ok(()),
        Tag::Word => take.u8("word number").map(drop),
        Tag::Map => {
            let pairs = take.count(2, "map")?;
            (0..pairs * 2).try_for_each(|_| take.counted("map entry").map(drop))
        }
    }
}

fn decimal(take: &mut Take<'_>) -> Result<Value> {
    let decimals = take.u8("decimals")?;
    let number = unscale(take.signed("decimal value")?, decimals);
    number
        .map(Value::Float)
        .ok_or_else(|| Error::corrupted(format!("record: {decimals} decimals are more than are written")))
}

fn finite(number: f64) -> Result<f64> {
    if number.is_finite() { Ok(number) } else { Err(Error::corrupted("record: expected a finite number, got none")) }
}

fn map(take: &mut Take<'_>) -> Result<Value> {
    let count = take.count(2, "map")?;
    let mut pairs: Vec<(Text, Text)> = Vec::with_capacity(count);
    for _ in 0..count {
        let (key, value) = (take.text("map key")?, take.text("map value")?);
        if pairs.last().is_some_and(|(last, _)| last.as_str() >= key) {
            return Err(Error::corrupted(format!("record: expected map keys in order, got {key:?} out of it")));
        }
        pairs.push((key.into(), value.into()));
    }
    Ok(Value::Map(pairs))
}

fn rows(bytes: &[u8], depth: u8) -> Result<Value> {
    let mut take = Take::new(bytes);
    let count = take.count(1, "row count")?;
    let (mut rows, mut first) = (Vec::with_capacity(count), 0);
    for _ in 0..count {
        let (row, began) = members(&mut take, first, depth)?;
        first = began;
        rows.push(row);
    }
    Ok(Value::Rows(rows))
}

fn object(bytes: &[u8], depth: u8) -> Result<Value> {
    Ok(Value::Object(members(&mut Take::new(bytes), 0, depth)?.0))
}

/// Members after their count, and the number of the first.
fn members(take: &mut Take<'_>, first: u16, depth: u8) -> Result<(Members, u16)> {
    let count = take.count(1, "member count")?;
    let (mut members, mut last, mut began) = (Members::new(), first, first);
    for at in 0..count {
        let (number, tag) = head(take, last)?;
        last = number;
        if at == 0 {
            began = number;
        }
        match FieldId::from_number(number) {
            Some(id) => members.set(id, value(take, tag, Names::NONE, depth)?),
            None => skip(take, tag)?,
        }
    }
    Ok((members, began))
}

fn deeper(depth: u8) -> Result<u8> {
    if depth < MAX_DEPTH {
        return Ok(depth + 1);
    }
    Err(Error::corrupted(format!("record: expected at most {MAX_DEPTH} levels of objects, got more")))
}
