//! VC-1: the sequence header of the advanced profile (SMPTE 421M, 6.1).

use crate::extract::stream::{Bits, Coding, Stream};

/// The first sequence header behind a start code.
pub fn sequence(bytes: &[u8], stream: &mut Stream) -> bool {
    let Some(at) = bytes.windows(4).position(|four| four == [0, 0, 1, 0x0F]) else { return false };
    header(&mut Bits::new(bytes.get(at.saturating_add(4)..).unwrap_or(&[])), stream).is_some()
}

fn header(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if bits.take(2)? != 3 {
        return None;
    }
    let (level, chroma) = (bits.byte(3)?, bits.byte(2)?);
    bits.skip(3 + 5 + 1);
    // In pairs of pixels, less one.
    let pairs = (bits.take(12)?, bits.take(12)?);
    stream.width = pairs.0.saturating_add(1).saturating_mul(2);
    stream.height = pairs.1.saturating_add(1).saturating_mul(2);
    stream.coding = Coding { profile: "Advanced", level: Some(level), chroma: Some(chroma), depth: 8 };
    Some(())
}

/// The profile in the first bits of a record without start codes (SMPTE 421M, annex J).
pub fn simple_or_main(bytes: &[u8], stream: &mut Stream) {
    let name = match bytes.first().map(|first| first >> 6) {
        Some(0) => "Simple",
        Some(1) => "Main",
        Some(2) => "Complex",
        _ => return,
    };
    stream.coding = Coding { profile: name, level: None, chroma: Some(1), depth: 8 };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    #[test]
    fn an_advanced_sequence() {
        let body = Writer::default().bits(3, 2).bits(2, 3).bits(1, 2).bits(0, 9).bits(639, 12).bits(359, 12).bytes();
        let data = [&[0, 0, 1, 0x0F][..], &body].concat();
        let mut stream = Stream::default();
        assert!(sequence(&data, &mut stream));
        assert_eq!((stream.width, stream.height, stream.coding.level), (1280, 720, Some(2)));
        assert!(!sequence(&data[..7], &mut Stream::default()));
        simple_or_main(&[0x4E], &mut stream);
        assert_eq!(stream.coding.profile, "Main");
    }
}
