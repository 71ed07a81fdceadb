//! Boxes of ISO base media files (ISO/IEC 14496-12, 4.2) and of QuickTime.

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// The head of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxHead {
    /// The four-character code.
    pub kind: [u8; 4],
    /// Where the head starts.
    pub start: u64,
    /// The body, ended by the enclosing box where it claims more.
    pub body: Range<u64>,
}

/// The next box of the innermost part; the cursor is then at its body. `None` at the part's end, or where it is
/// filled up with zeros (QuickTime ends a container with a 32-bit zero).
pub fn next(input: &mut Input<'_>) -> Parsed<Option<BoxHead>> {
    if input.remaining() < 8 {
        return Ok(None);
    }
    input.entry()?;
    let start = input.position();
    let size = input.u32_be("box size")?;
    let kind = input.array("box type")?;
    if kind == [0; 4] && size == 0 {
        return Ok(None);
    }
    let end = match size {
        0 => input.end(),
        1 => start.saturating_add(input.u64_be("large box size")?),
        size => start.saturating_add(u64::from(size)),
    };
    let body = input.position();
    if end < body {
        let got = end.saturating_sub(start);
        return Err(input.malformed_at(start, format!("expected a box size of at least 8, got {got}")));
    }
    Ok(Some(BoxHead { kind, start, body: body..end.min(input.end()) }))
}

/// Runs `parse` on the body of every box of the innermost part.
pub fn each<'a>(input: &mut Input<'a>, mut parse: impl FnMut(&mut Input<'a>, &BoxHead) -> Parsed<()>) -> Parsed<()> {
    while let Some(head) = next(input)? {
        input.within(head.body.clone(), "box", |input| parse(input, &head))?;
    }
    Ok(())
}

/// Version and flags of a full box (ISO/IEC 14496-12, 4.2.2).
pub fn version_and_flags(input: &mut Input<'_>) -> Parsed<(u8, u32)> {
    Ok((input.u8("box version")?, input.u24_be("box flags")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Limits, Stop};

    fn kinds(bytes: &[u8]) -> Parsed<Vec<(String, u64)>> {
        let data = bytes.to_vec();
        let mut found = Vec::new();
        each(&mut Input::new(&data, &Limits::default()), |input, head| {
            found.push((String::from_utf8_lossy(&head.kind).into_owned(), input.remaining()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn plain_large_open_ended_and_overlong_boxes() {
        let bytes = b"\0\0\0\x0Aab  xy\0\0\0\x01big \0\0\0\0\0\0\0\x13xyz\0\0\0\0rest123";
        assert_eq!(kinds(bytes).unwrap(), [("ab  ".into(), 2), ("big ".into(), 3), ("rest".into(), 3)]);
        assert_eq!(kinds(b"\0\0\xFF\0over1").unwrap(), [("over".into(), 1)]);
        assert_eq!(kinds(b"\0\0\0\0\0\0\0\0").unwrap(), []);
    }

    #[test]
    fn a_size_inside_the_head_is_malformed_and_never_loops() {
        assert!(matches!(kinds(b"\0\0\0\x03bad 12345678"), Err(Stop::Malformed(w)) if w.offset == 0));
        assert!(kinds(b"\0\0\0\x01bad \0\0\0\0\0\0\0\x08").is_err());
    }
}
