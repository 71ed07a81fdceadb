//! Elements of EBML (RFC 8794), which Matroska and WebM are made of.

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// The head of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The identifier with its length marker, as specifications print it.
    pub id: u32,
    /// Where the head starts.
    pub start: u64,
    /// The body, ended by the enclosing element where it claims more or does not say.
    pub body: Range<u64>,
    /// Whether the length is said to be unknown (RFC 8794, 6.2): a live stream.
    pub endless: bool,
}

/// The next element of the innermost part; the cursor is then at its body. `None` at the part's end.
pub fn next(input: &mut Input<'_>) -> Parsed<Option<Element>> {
    if input.at_end() {
        return Ok(None);
    }
    input.entry()?;
    let head = input.position();
    let (id, width) = number(input, "element id")?;
    let Some(id) = u32::try_from(id).ok().filter(|_| width <= 4) else {
        return Err(input.malformed(format!("expected an element id of 1 to 4 bytes, got {width}")));
    };
    let (size, width) = number(input, "element size")?;
    let bits = width.saturating_mul(7);
    let size = size & 1_u64.checked_shl(bits).map_or(u64::MAX, |marker| marker.saturating_sub(1));
    let endless = size == 1_u64.checked_shl(bits).map_or(u64::MAX, |marker| marker.saturating_sub(1));
    let start = input.position();
    let end = if endless { input.end() } else { start.saturating_add(size).min(input.end()) };
    Ok(Some(Element { id, start: head, body: start..end, endless }))
}

/// Runs `parse` on the body of every element of the innermost part.
pub fn each<'a>(input: &mut Input<'a>, mut parse: impl FnMut(&mut Input<'a>, &Element) -> Parsed<()>) -> Parsed<()> {
    while let Some(element) = next(input)? {
        input.within(element.body.clone(), "element", |input| parse(input, &element))?;
    }
    Ok(())
}

/// A variable-size number with its marker, and its width in bytes (RFC 8794, 4).
fn number(input: &mut Input<'_>, what: &str) -> Parsed<(u64, u32)> {
    let first = input.u8(what)?;
    if first == 0 {
        return Err(input.malformed(format!("expected {what} of at most 8 bytes")));
    }
    let width = first.leading_zeros().saturating_add(1);
    let mut value = u64::from(first);
    for _ in 1..width {
        value = (value << 8) | u64::from(input.u8(what)?);
    }
    Ok((value, width))
}

/// A variable-size number without its marker (RFC 8794, 4).
pub fn variable(input: &mut Input<'_>, what: &str) -> Parsed<u64> {
    let (value, width) = number(input, what)?;
    let marker = 1_u64.checked_shl(width.saturating_mul(7)).unwrap_or(0);
    Ok(value & marker.wrapping_sub(1))
}

/// The innermost part as an unsigned number; an empty one is zero (RFC 8794, 7.2).
pub fn unsigned(input: &mut Input<'_>) -> Parsed<u64> {
    let bytes = input.take_up_to(8)?;
    Ok(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

/// The innermost part as a signed number of eight bytes, as dates are (RFC 8794, 7.6).
pub fn date(input: &mut Input<'_>) -> Parsed<i64> {
    input.i64_be("date")
}

/// The innermost part as a float of four or eight bytes (RFC 8794, 7.3); an empty one is zero.
pub fn float(input: &mut Input<'_>) -> Parsed<f64> {
    match input.remaining() {
        4 => Ok(f64::from(f32::from_bits(input.u32_be("float")?))),
        8 => Ok(f64::from_bits(input.u64_be("float")?)),
        0 => Ok(0.0),
        other => Err(input.malformed(format!("expected a float of 4 or 8 bytes, got {other}"))),
    }
}

/// The innermost part as text, up to a zero (RFC 8794, 7.4 and 7.5).
pub fn text(input: &mut Input<'_>) -> Parsed<String> {
    let bytes = input.take_up_to(16 << 10)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    Ok(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn read(bytes: &[u8]) -> Parsed<Vec<Element>> {
        let data = bytes.to_vec();
        let mut found = Vec::new();
        each(&mut Input::new(&data, &Limits::default()), |_, element| {
            found.push(element.clone());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn ids_and_sizes_of_every_width() {
        let bytes = b"\xEC\x82ab\x1A\x45\xDF\xA3\x40\x01c\xE7\x01\0\0\0\0\0\0\x02de\xA3\xFFrest";
        let found = read(bytes).unwrap();
        let shown: Vec<_> = found.iter().map(|e| (e.id, e.body.clone(), e.endless)).collect();
        assert_eq!(
            shown,
            [(0xEC, 2..4, false), (0x1A45_DFA3, 10..11, false), (0xE7, 20..22, false), (0xA3, 24..28, true),]
        );
    }

    #[test]
    fn overlong_and_broken_heads() {
        assert_eq!(read(b"\xEC\x8Fab").unwrap()[0].body, 2..4);
        assert!(read(b"\x00\x81").is_err());
        assert!(read(b"\x08\0\0\0\0\x81x").is_err());
        assert!(read(b"\xEC\x40").is_err());
        assert!(read(b"\xEC\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF").unwrap()[0].endless);
    }
}
