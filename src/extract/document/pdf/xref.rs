//! The cross-reference table and its streams (ISO 32000-1, 7.5.4 and 7.5.8): where each object stands. Only the heads of
//! the sections are kept; an entry is looked up when it is asked for.

use super::filter;
use super::lexer::Lexer;
use super::object::{Dict, Object};
use crate::extract::{Input, Parsed, length};
use std::collections::HashMap;

/// Sections of one table, and updates of one file.
const SECTIONS: usize = 4096;
const UPDATES: usize = 64;
/// Bytes of an entry in a table that is text.
const ENTRY: u64 = 20;
/// Bytes of an unpacked cross-reference stream.
const TABLE: usize = 4 << 20;
/// Bytes of a trailer.
const TRAILER: u64 = 64 << 10;

/// Where an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At that offset.
    At(u64),
    /// The so-manieth object in the object stream of that number.
    In(u32, usize),
    /// Nowhere: deleted.
    Free,
}

/// Objects of consecutive numbers.
#[derive(Debug)]
enum Section {
    /// Entries of 20 bytes at an offset of the file.
    Text { first: u32, count: u32, at: u64 },
    /// Entries of a stream.
    Packed { first: u32, count: u32, widths: [usize; 3], bytes: Vec<u8> },
    /// Found by searching.
    Found(HashMap<u32, u64>),
}

/// All sections, the newest first.
#[derive(Debug, Default)]
pub(super) struct Xref {
    sections: Vec<Section>,
}

impl Xref {
    /// A table made by searching the file.
    pub(super) fn found(objects: HashMap<u32, u64>) -> Xref {
        Xref { sections: vec![Section::Found(objects)] }
    }

    /// Where an object stands; `None` where no section knows it.
    pub(super) fn place(&self, input: &mut Input<'_>, number: u32, shift: u64) -> Parsed<Option<Place>> {
        for section in &self.sections {
            let place = match section {
                Section::Text { first, count, at } => match number.checked_sub(*first).filter(|index| index < count) {
                    Some(index) => text_entry(input, at.saturating_add(u64::from(index).saturating_mul(ENTRY)))?,
                    None => None,
                },
                Section::Packed { first, count, widths, bytes } => number
                    .checked_sub(*first)
                    .filter(|index| index < count)
                    .and_then(|index| packed_entry(widths, bytes, index)),
                Section::Found(objects) => objects.get(&number).map(|at| Place::At(*at)),
            };
            match place {
                Some(Place::At(at)) => return Ok(Some(Place::At(at.saturating_add(shift)))),
                Some(place) => return Ok(Some(place)),
                None => {}
            }
        }
        Ok(None)
    }
}

/// `nnnnnnnnnn ggggg n` and an end of line.
fn text_entry(input: &mut Input<'_>, at: u64) -> Parsed<Option<Place>> {
    input.seek(at, "cross-reference entry")?;
    // Alone: the object that it leads to stands elsewhere, and is wanted next.
    let bytes: [u8; 18] = input.array_alone("cross-reference entry")?;
    let offset =
        bytes.get(..10).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    Ok(match (offset, bytes.last()) {
        (Some(offset), Some(b'n')) => Some(Place::At(offset)),
        (Some(_), Some(b'f')) => Some(Place::Free),
        _ => None,
    })
}

/// 7.5.8.3: type, and two numbers whose meaning it decides.
fn packed_entry(widths: &[usize; 3], bytes: &[u8], index: u32) -> Option<Place> {
    let size = widths.iter().fold(0, |sum: usize, width| sum.saturating_add(*width));
    let start = usize::try_from(index).ok()?.checked_mul(size)?;
    let mut rest = bytes.get(start..start.checked_add(size)?)?;
    let mut next = |width: usize| {
        let (field, after) = rest.split_at_checked(width)?;
        rest = after;
        Some(field.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(256).wrapping_add(u64::from(*byte))))
    };
    let [kind, second, third] = *widths;
    // Without a width the type is 1.
    let kind = if kind == 0 { 1 } else { next(kind)? };
    let (second, third) = (next(second)?, next(third)?);
    Some(match kind {
        0 => Place::Free,
        1 => Place::At(second),
        2 => Place::In(u32::try_from(second).ok()?, usize::try_from(third).ok()?),
        _ => return None,
    })
}

/// Reads the table that starts at `start` and those before it. Returns the newest trailer.
pub(super) fn read(input: &mut Input<'_>, start: u64, shift: u64) -> Parsed<(Xref, Dict)> {
    let mut xref = Xref::default();
    let mut newest: Option<Dict> = None;
    let (mut ahead, mut seen) = (vec![start], Vec::new());
    while let Some(at) = ahead.pop() {
        if seen.contains(&at) || seen.len() >= UPDATES {
            continue;
        }
        seen.push(at);
        input.seek(at.saturating_add(shift), "cross-reference table")?;
        let trailer = section(input, &mut xref)?;
        // The table of the update before comes last, a stream that belongs to this table first.
        ahead.extend(trailer.get("Prev").as_u64());
        ahead.extend(trailer.get("XRefStm").as_u64());
        newest = newest.or(Some(trailer));
    }
    match newest {
        Some(trailer) => Ok((xref, trailer)),
        None => Err(input.malformed_at(start, "expected a trailer")),
    }
}

fn section(input: &mut Input<'_>, xref: &mut Xref) -> Parsed<Dict> {
    input.entry()?;
    let at = input.position();
    let head = input.peek_up_to(64)?.to_vec();
    let mut lexer = Lexer::new(&head);
    if lexer.keyword(b"xref") {
        input.skip(length(lexer.at()), "cross-reference table")?;
        return table(input, xref);
    }
    let (dict, bytes) = super::file::stream_at(input, at, TABLE)?;
    let Some(bytes) = filter::unpack(&dict, bytes, TABLE).filter(|_| dict.get("Type").as_name() == Some("XRef")) else {
        return Err(input.malformed_at(at, "expected a cross-reference table or stream"));
    };
    let width = |at: usize| {
        dict.get("W").items().get(at).and_then(Object::as_u32).and_then(|width| usize::try_from(width).ok())
    };
    let (Some(a), Some(b), Some(c)) = (width(0), width(1), width(2)) else {
        return Err(input.malformed_at(at, "expected three widths in a cross-reference stream"));
    };
    let widths = [a.min(8), b.min(8), c.min(8)];
    let all = [Object::Int(0), dict.get("Size").clone()];
    let index = if dict.has("Index") { dict.get("Index").items() } else { &all };
    let mut rest = bytes.as_slice();
    for pair in index.chunks(2).take(SECTIONS) {
        let [first, count] = pair else { break };
        let (Some(first), Some(count)) = (first.as_u32(), count.as_u32()) else { break };
        let size = widths.iter().fold(0, |sum: usize, width| sum.saturating_add(*width));
        let len = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size).min(rest.len());
        let (here, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        xref.sections.push(Section::Packed { first, count, widths, bytes: here.to_vec() });
        rest = after;
    }
    Ok(dict)
}

/// Sections of text up to the word `trailer` and its dictionary.
fn table(input: &mut Input<'_>, xref: &mut Xref) -> Parsed<Dict> {
    for _ in 0..SECTIONS {
        input.entry()?;
        let at = input.position();
        let head = input.peek_up_to(64)?.to_vec();
        let mut lexer = Lexer::new(&head);
        if lexer.keyword(b"trailer") {
            input.skip(length(lexer.at()), "trailer")?;
            let bytes = input.take_up_to(TRAILER)?;
            return match Lexer::new(&bytes).object() {
                Some(Object::Dict(dict)) => Ok(dict),
                other => Err(input.malformed_at(at, format!("expected the trailer's dictionary, got {other:?}"))),
            };
        }
        let (first, count) = (lexer.token(0), lexer.token(0));
        let (Some(Object::Int(first)), Some(Object::Int(count))) = (first, count) else { break };
        let (Ok(first), Ok(count)) = (u32::try_from(first), u32::try_from(count)) else { break };
        lexer.space();
        let start = at.saturating_add(length(lexer.at()));
        xref.sections.push(Section::Text { first, count, at: start });
        input.seek(start.saturating_add(u64::from(count).saturating_mul(ENTRY)), "section after this one")?;
    }
    Err(input.malformed("expected a section of the cross-reference table or its trailer"))
}
