//! Frames of Apple ProRes: sampling and colours of the frame header (SMPTE RDD 36, 5.3.1).

use crate::extract::stream::{Coding, Stream};

/// Reads the header of a frame, with its size in front.
pub fn frame(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let header = bytes.get(4..)?.strip_prefix(b"icpf")?;
    let &[_, _, _, _, _, _, _, _, w1, w0, h1, h0, flags, _, primaries, transfer, matrix, ..] = header else {
        return None;
    };
    if stream.width == 0 {
        (stream.width, stream.height) = (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
    }
    let chroma = match flags >> 6 {
        2 => 2,
        3 => 3,
        _ => return None,
    };
    // The profile, and with it the depth, are the container's code.
    let depth = if stream.coding.depth > 0 { stream.coding.depth } else { 10 };
    stream.coding = Coding { chroma: Some(chroma), depth, ..stream.coding };
    stream.colour.full = stream.colour.full.or(Some(false));
    let named = |own: u16, coded: u8| if matches!(own, 0 | 2) { coded.into() } else { own };
    stream.colour.primaries = named(stream.colour.primaries, primaries);
    stream.colour.transfer = named(stream.colour.transfer, transfer);
    stream.colour.matrix =
        stream.colour.matrix.filter(|m| !matches!(m, 0 | 2)).or(Some(matrix.into()).filter(|m| *m != 0));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_and_colours() {
        let head =
            [&[0, 0, 9, 0][..], b"icpf", &[0, 148, 0, 0], b"apl0", &[7, 0x80, 4, 0x38, 0x80, 0, 1, 1, 6]].concat();
        let mut stream = Stream::default();
        frame(&head, &mut stream).unwrap();
        assert_eq!((stream.width, stream.height, stream.coding.chroma), (1920, 1080, Some(2)));
        assert_eq!((stream.colour.primaries, stream.colour.matrix, stream.colour.full), (1, Some(6), Some(false)));
        assert!((0..head.len()).all(|at| frame(&head[..at], &mut Stream::default()).is_none()));
    }
}
