//! Chunks of RIFF and IFF files: a four-character code, a 32-bit length, a body padded to an even length.

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// Byte order of the lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// RIFF.
    Little,
    /// IFF and RIFX.
    Big,
}

/// The head of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The four-character code.
    pub kind: [u8; 4],
    /// The body, ended by the enclosing chunk where it claims more.
    pub body: Range<u64>,
    /// Length that the chunk claims.
    pub claimed: u32,
}

/// The next chunk of the innermost part; the cursor is then at its body. `None` at the part's end.
pub fn next(input: &mut Input<'_>, lengths: Lengths) -> Parsed<Option<Chunk>> {
    if input.remaining() < 8 {
        return Ok(None);
    }
    input.entry()?;
    let kind = input.array("chunk type")?;
    let claimed = match lengths {
        Lengths::Little => input.u32_le("chunk length")?,
        Lengths::Big => input.u32_be("chunk length")?,
    };
    let start = input.position();
    let end = start.saturating_add(u64::from(claimed)).min(input.end());
    Ok(Some(Chunk { kind, body: start..end, claimed }))
}

/// Moves behind a chunk and its padding byte.
pub fn leave(input: &mut Input<'_>, chunk: &Chunk) -> Parsed<()> {
    let odd = u64::from(chunk.claimed & 1);
    let end = chunk.body.end.saturating_add(odd).min(input.end());
    input.seek(end, "next chunk")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn chunks_are_padded_and_end_with_their_parent() {
        let data = b"one \x03\0\0\0abc\0two \xFF\0\0\0xy".to_vec();
        let mut input = Input::new(&data, &Limits::default());
        let one = next(&mut input, Lengths::Little).unwrap().unwrap();
        assert_eq!((one.kind, one.body.clone()), (*b"one ", 8..11));
        leave(&mut input, &one).unwrap();
        let two = next(&mut input, Lengths::Little).unwrap().unwrap();
        assert_eq!((two.kind, two.body.clone(), two.claimed), (*b"two ", 20..22, 255));
        leave(&mut input, &two).unwrap();
        assert_eq!(next(&mut input, Lengths::Little).unwrap(), None);
    }
}
