//! Writing the fields of a record: each value in the shortest form that gives back the same value.

use super::{Names, Tag, text, words};
use crate::codec::take::{put_counted, put_signed, put_varint};
use crate::model::{FieldId, Kind, Members, Value, field};

/// Head nibble that says: the field number follows in full.
pub(super) const ABSOLUTE: u16 = 15;
/// Powers of ten that a double holds exactly and that media values use, by the number of decimals.
const POWERS: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// Appends top-level fields up to the end of the record.
pub(super) fn fields(out: &mut Vec<u8>, members: &Members, names: Names<'_>) {
    put_members(out, members, names, 0);
}

/// Appends members; numbers are written as steps from the one before, `last` for the first.
fn put_members(out: &mut Vec<u8>, members: &Members, names: Names<'_>, mut last: u16) {
    for (id, value) in members.iter() {
        let number = id.number();
        let step = number.checked_sub(last).filter(|step| *step < ABSOLUTE);
        last = number;
        put_value(out, Head { number, step }, id, value, names);
    }
}

/// Where a field stands, for its head byte.
#[derive(Clone, Copy)]
struct Head {
    number: u16,
    step: Option<u16>,
}

impl Head {
    fn put(self, out: &mut Vec<u8>, tag: Tag) {
        match self.step {
            Some(step) => out.push((step as u8) << 4 | tag as u8),
            None => {
                out.push((ABSOLUTE as u8) << 4 | tag as u8);
                put_varint(out, u64::from(self.number));
            }
        }
    }
}

fn put_value(out: &mut Vec<u8>, head: Head, id: FieldId, value: &Value, names: Names<'_>) {
    match value {
        Value::Text(text) => put_text(out, head, id, text, names),
        Value::Int(number) => {
            head.put(out, Tag::Int);
            put_signed(out, *number);
        }
        Value::Float(number) => put_float(out, head, *number),
        Value::Map(pairs) => {
            head.put(out, Tag::Map);
            put_varint(out, pairs.len() as u64);
            for (key, value) in pairs {
                put_counted(out, key.as_bytes());
                put_counted(out, value.as_bytes());
            }
        }
        Value::Rows(rows) => {
            head.put(out, Tag::Rows);
            put_sized(out, |body| put_rows(body, rows));
        }
        Value::Object(members) => {
            head.put(out, Tag::Object);
            put_sized(out, |body| {
                put_varint(body, members.len() as u64);
                put_members(body, members, Names::NONE, 0);
            });
        }
        Value::Json(text) => {
            head.put(out, Tag::Json);
            put_counted(out, text.as_bytes());
        }
    }
}

/// Every row's first step is taken from the first field of the row before, so that equal rows have equal bytes.
fn put_rows(out: &mut Vec<u8>, rows: &[Members]) {
    put_varint(out, rows.len() as u64);
    let mut first = 0;
    for row in rows {
        put_varint(out, row.len() as u64);
        put_members(out, row, Names::NONE, first);
        first = row.iter().next().map_or(first, |(id, _)| id.number());
    }
}

/// Appends what `put` writes after its byte count, so that a reader can pass over it.
fn put_sized(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    // Mostly shorter than 128 bytes: one byte is kept free for the count and the body moves only where that is too few.
    let at = out.len();
    out.push(0);
    put(out);
    let len = out.len() - at - 1;
    match out.get_mut(at) {
        Some(count) if len < 128 => *count = len as u8,
        _ => {
            let mut count = Vec::new();
            put_varint(&mut count, len as u64);
            out.splice(at..=at, count);
        }
    }
}

fn put_text(out: &mut Vec<u8>, head: Head, id: FieldId, value: &str, names: Names<'_>) {
    let packed = match id.field().kind {
        Kind::Time => put_time(out, head, value),
        Kind::Geo => put_point(out, head, value),
        Kind::Keyword => put_keyword(out, head, value),
        _ if id == field::FILENAME => put_name(out, head, value, names),
        _ => false,
    };
    if !packed {
        head.put(out, Tag::Text);
        put_counted(out, value.as_bytes());
    }
}

fn put_name(out: &mut Vec<u8>, head: Head, value: &str, names: Names<'_>) -> bool {
    match value {
        "" => return false,
        _ if value == names.tail => head.put(out, Tag::Tail),
        _ if value == names.key => head.put(out, Tag::Key),
        _ => return false,
    }
    true
}

fn put_time(out: &mut Vec<u8>, head: Head, value: &str) -> bool {
    let Some(time) = text::Time::parse(value) else { return false };
    head.put(out, Tag::Time);
    time.put(out);
    true
}

fn put_point(out: &mut Vec<u8>, head: Head, value: &str) -> bool {
    let Some((lat, lon)) = text::parse_point(value) else { return false };
    head.put(out, Tag::Geo);
    put_signed(out, lat);
    put_signed(out, lon);
    true
}

fn put_keyword(out: &mut Vec<u8>, head: Head, value: &str) -> bool {
    if let Some(word) = words::number(value) {
        head.put(out, Tag::Word);
        out.push(word);
    } else if let Some((flags, digits)) = text::hex_form(value) {
        head.put(out, Tag::Hex);
        out.push(flags);
        text::put_hex(out, digits);
    } else if let Some(number) = text::parse_digits(value) {
        head.put(out, Tag::Digits);
        put_varint(out, number);
    } else {
        return false;
    }
    true
}

fn put_float(out: &mut Vec<u8>, head: Head, number: f64) {
    for (decimals, power) in (0u8..).zip(POWERS) {
        let scaled = (number * power).round();
        // Below 2^53 the scaled integer is exact, and so is the division's nearest double.
        if scaled.abs() < 9_007_199_254_740_992.0 && (scaled / power).to_bits() == number.to_bits() {
            head.put(out, Tag::Decimal);
            out.push(decimals);
            return put_signed(out, scaled as i64);
        }
    }
    head.put(out, Tag::Float);
    out.extend_from_slice(&number.to_le_bytes());
}

/// The double nearest to `scaled` / 10^`decimals`; `None` for more decimals than are written.
pub(super) fn unscale(scaled: i64, decimals: u8) -> Option<f64> {
    POWERS.get(usize::from(decimals)).map(|power| scaled as f64 / power)
}
