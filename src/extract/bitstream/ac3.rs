//! AC-3 and E-AC-3: sync frames (ETSI TS 102 366, 4.3, 4.4 and E.1.2).

use crate::extract::stream::{Bits, Kind, Stream};

/// Samples per second by code.
const RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// Bits per second in thousands by half the frame size code (table 4.13).
const BITRATES: [u32; 19] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

/// Bytes and samples of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Bytes with the sync word.
    pub len: u32,
    /// Samples per channel.
    pub samples: u32,
}

/// The frame at the start of `bytes`.
pub fn frame(bytes: &[u8], stream: &mut Stream) -> Option<Frame> {
    let &[0x0B, 0x77, _, _, _, sixth, ..] = bytes else { return None };
    let mut read = stream.clone();
    read.kind = Kind::Audio;
    let frame = if sixth >> 3 > 10 { enhanced(bytes, &mut read) } else { plain(bytes, &mut read) }?;
    *stream = read;
    Some(frame)
}

/// The first frame in `bytes`.
pub fn first(bytes: &[u8], stream: &mut Stream) -> bool {
    let starts = bytes.windows(2).enumerate().filter(|(_, two)| *two == [0x0B, 0x77]).map(|(at, _)| at);
    starts.into_iter().any(|at| frame(bytes.get(at..).unwrap_or(&[]), stream).is_some())
}

fn plain(bytes: &[u8], stream: &mut Stream) -> Option<Frame> {
    let &[_, _, _, _, size, _, ..] = bytes else { return None };
    let rate = *RATES.get(usize::from(size >> 6))?;
    let kilobits = *BITRATES.get(usize::from((size & 0x3F) >> 1))?;
    let mut bits = Bits::new(bytes.get(6..)?);
    let mode = bits.take(3)?;
    if mode & 1 == 1 && mode != 1 {
        bits.skip(2);
    }
    if mode & 4 != 0 {
        bits.skip(2);
    }
    if mode == 2 {
        bits.skip(2);
    }
    stream.codec = "ac3";
    stream.bitrate = Some(u64::from(kilobits).saturating_mul(1000));
    speakers(mode, bits.flag()?, rate, stream);
    // 1,536 samples in words of 16 bits; at 44.1 kHz every second frame has one more.
    let words = kilobits.checked_mul(96_000)?.checked_div(rate)?;
    let odd = if rate == 44_100 { u32::from(size & 1) } else { 0 };
    Some(Frame { len: words.checked_add(odd)?.checked_mul(2)?, samples: 1536 })
}

fn enhanced(bytes: &[u8], stream: &mut Stream) -> Option<Frame> {
    let mut bits = Bits::new(bytes.get(2..)?);
    bits.skip(5);
    let words = bits.take(11)?.checked_add(1)?;
    let code = bits.take(2)?;
    let (rate, blocks) = if code == 3 {
        let rate = *RATES.get(usize::try_from(bits.take(2)?).ok()?)?;
        (rate >> 1, 6)
    } else {
        let blocks: u32 = *[1, 2, 3, 6].get(usize::try_from(bits.take(2)?).ok()?)?;
        (*RATES.get(usize::try_from(code).ok()?)?, blocks)
    };
    let (mode, low) = (bits.take(3)?, bits.flag()?);
    stream.codec = "eac3";
    speakers(mode, low, rate, stream);
    let frame = Frame { len: words.checked_mul(2)?, samples: blocks.saturating_mul(256) };
    let bits = u64::from(frame.len).checked_mul(8)?.checked_mul(rate.into())?;
    stream.bitrate = bits.checked_div(frame.samples.into());
    Some(frame)
}

/// What the record of a container repeats of a frame: code of the rate, arrangement, low frequencies, code of the bit
/// rate.
pub fn describe(rate: u32, mode: u32, low: bool, bitrate: u32, stream: &mut Stream) {
    let of = |table: &[u32], at: u32| usize::try_from(at).ok().and_then(|at| table.get(at).copied());
    if let Some(rate) = of(&RATES, rate) {
        speakers(mode, low, rate, stream);
        stream.bitrate = of(&BITRATES, bitrate).map(|thousands| u64::from(thousands).saturating_mul(1000));
    }
}

/// Table 4.3; the channel of low frequencies comes on top.
fn speakers(mode: u32, low: bool, rate: u32, stream: &mut Stream) {
    let (channels, layout) = match (mode, low) {
        (1, false) => (1, "mono"),
        (0 | 2, false) => (2, "stereo"),
        (0 | 2, true) => (3, "2.1"),
        (3, false) => (3, "3.0"),
        (3, true) => (4, "3.1"),
        (4, false) => (3, "3.0(back)"),
        (5, false) => (4, "4.0"),
        (5, true) => (5, "4.1"),
        (6, false) => (4, "quad(side)"),
        (7, false) => (5, "5.0(side)"),
        (7, true) => (6, "5.1(side)"),
        (1, true) => (2, ""),
        (4, true) => (4, ""),
        _ => (5, ""),
    };
    (stream.channels, stream.layout, stream.sample_rate) = (channels, layout, rate);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    #[test]
    fn frames_of_both_kinds() {
        // 48 kHz, 448 kbit/s, 3/2 with low frequencies.
        let mut stream = Stream::default();
        let head = [0x0B, 0x77, 0, 0, 0x1E, 0x40, 0xE1, 0];
        assert!(first(&[&[9][..], &head].concat(), &mut stream));
        assert_eq!((stream.codec, stream.channels, stream.layout), ("ac3", 6, "5.1(side)"));
        assert_eq!((stream.bitrate, frame(&head, &mut stream).unwrap().len), (Some(448_000), 1792));
        let body = Writer::default().bits(0x0B77, 16).bits(0, 5).bits(511, 11).bits(0, 2).bits(3, 2).bits(2, 3);
        let body = body.bits(0, 1).bits(16, 5).bits(0, 19).bytes();
        assert_eq!(frame(&body, &mut stream), Some(Frame { len: 1024, samples: 1536 }));
        assert_eq!((stream.codec, stream.channels, stream.bitrate), ("eac3", 2, Some(256_000)));
        for at in 0..body.len() {
            frame(&body[..at], &mut Stream::default());
        }
    }
}
