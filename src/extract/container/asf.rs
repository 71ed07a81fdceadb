//! Objects of ASF (Advanced Systems Format 01.20.05, 2): a GUID, a 64-bit size with the head, a body.

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// A GUID as it stands in the file.
pub type Guid = [u8; 16];

/// The next object of the innermost part: its GUID and body, at which the cursor is then. `None` at the part's end.
pub fn next(input: &mut Input<'_>) -> Parsed<Option<(Guid, Range<u64>)>> {
    if input.remaining() < 24 {
        return Ok(None);
    }
    input.entry()?;
    let start = input.position();
    let guid = input.array("object type")?;
    let size = input.u64_le("object size")?;
    if size < 24 {
        return Err(input.malformed_at(start, format!("expected an object size of at least 24, got {size}")));
    }
    let end = start.saturating_add(size).min(input.end());
    Ok(Some((guid, input.position()..end)))
}

/// A text of that many bytes in UTF-16, up to its end mark.
pub fn text(input: &mut Input<'_>, bytes: u64) -> Parsed<String> {
    let bytes = input.take(bytes, "text")?;
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
    Ok(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn objects_end_with_their_parent_and_never_loop() {
        let data = [&[7; 16][..], &26_u64.to_le_bytes(), b"ab", &[8; 16], &0_u64.to_le_bytes()].concat();
        let mut input = Input::new(&data, &Limits::default());
        assert_eq!(next(&mut input).unwrap(), Some(([7; 16], 24..26)));
        input.skip(2, "body").unwrap();
        assert!(next(&mut input).is_err());
        let wide = b"a\0\xE9\0\0\0x\0".to_vec();
        assert_eq!(text(&mut Input::new(&wide, &Limits::default()), 8).unwrap(), "a\u{e9}");
    }
}
