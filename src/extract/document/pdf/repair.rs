//! Files whose table of objects is damaged or missing: the objects themselves are searched for.

use super::lexer::Lexer;
use super::object::{Dict, Object};
use super::xref::Xref;
use crate::extract::{Input, Parsed, length};
use std::collections::HashMap;

/// Bytes at each end of the file that are searched.
const MOST: u64 = 512 << 10;
/// Bytes in which a catalogue's dictionary is looked for its type.
const CATALOGUE: usize = 1024;

/// Finds `n g obj` and trailers. Later ones replace earlier ones: updates are appended.
pub(super) fn search(input: &mut Input<'_>) -> Parsed<(Xref, Dict)> {
    let end = input.end();
    let mut found = HashMap::new();
    let mut trailer = Dict::default();
    let mut from = 0;
    for part in [0..MOST.min(end), end.saturating_sub(MOST).max(MOST.min(end))..end] {
        from = part.start.max(from);
        input.seek(from, "object")?;
        let bytes = input.take_up_to(part.end.saturating_sub(from))?;
        objects(input, &bytes, from, &mut found, &mut trailer)?;
        from = part.end;
    }
    if !trailer.has("Root") {
        return Err(input.malformed_at(0, "expected a document catalogue, found none"));
    }
    Ok((Xref::found(found), trailer))
}

fn objects(
    input: &mut Input<'_>,
    bytes: &[u8],
    from: u64,
    found: &mut HashMap<u32, u64>,
    trailer: &mut Dict,
) -> Parsed<()> {
    for line in memchr::memmem::find_iter(bytes, b"obj") {
        input.entry()?;
        let Some((number, at)) = number_before(bytes, line) else { continue };
        found.insert(number, from.saturating_add(length(at)));
        let behind = bytes.get(line.saturating_add(3)..).unwrap_or(&[]);
        let head = behind.get(..behind.len().min(CATALOGUE)).unwrap_or(behind);
        if memchr::memmem::find(head, b"/Catalog").is_none() {
            continue;
        }
        if let Some(Object::Dict(dict)) = Lexer::new(behind).object()
            && dict.get("Type").as_name() == Some("Catalog")
        {
            set(trailer, "Root", Object::Ref(number));
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"trailer") {
        input.entry()?;
        if let Some(Object::Dict(dict)) = Lexer::new(bytes.get(at.saturating_add(7)..).unwrap_or(&[])).object() {
            dict.0
                .into_iter()
                .filter(|(_, value)| *value != Object::Null)
                .for_each(|(key, value)| set(trailer, &key, value));
        }
    }
    Ok(())
}

fn set(dict: &mut Dict, key: &str, value: Object) {
    dict.0.retain(|(known, _)| known != key);
    dict.0.push((key.to_owned(), value));
}

/// The object's number and where it starts, from the place of the word `obj` backwards: `12 0 obj`.
fn number_before(bytes: &[u8], word: usize) -> Option<(u32, usize)> {
    let space = |at: usize| bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\r' | b'\n' | b'\t'));
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = word;
    for _ in 0..2 {
        let before = at;
        while at > 0 && space(at.saturating_sub(1)) {
            at = at.saturating_sub(1);
        }
        let end = at;
        while at > 0 && digit(at.saturating_sub(1)) && end.saturating_sub(at) < 10 {
            at = at.saturating_sub(1);
        }
        if at == end || end == before && before != word {
            return None;
        }
    }
    let digits = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(bytes.get(at..at.checked_add(digits)?)?).ok()?.parse().ok()?;
    Some((number, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_before_their_word() {
        type Row<'a> = (&'a [u8], Option<(u32, usize)>);
        let table: [Row<'_>; 5] = [
            (b"x 12 0 obj", Some((12, 2))),
            (b"7 0 obj", Some((7, 0))),
            (b"endobj", None),
            (b"0 obj", None),
            (b" obj", None),
        ];
        for (bytes, want) in table {
            assert_eq!(number_before(bytes, bytes.len() - 3), want, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
