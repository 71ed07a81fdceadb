//! DTS: headers of core frames (ETSI TS 102 114, 5.3 and 5.4).

use crate::extract::stream::{Bits, Kind, Stream};

/// Samples per second by code (table 5-5); 0 where there is none.
const RATES: [u32; 16] = [0, 8_000, 16_000, 32_000, 0, 0, 11_025, 22_050, 44_100, 0, 0, 12_000, 24_000, 48_000, 0, 0];
/// Bits per second in hundreds by code (table 5-7).
const BITRATES: [u64; 29] = [
    320, 560, 640, 960, 1120, 1280, 1920, 2240, 2560, 3200, 3840, 4480, 5120, 5760, 6400, 7680, 9600, 10_240, 11_520,
    12_800, 13_440, 14_080, 14_112, 14_720, 15_360, 19_200, 20_480, 30_720, 38_400,
];
/// Channels by arrangement (table 5-4).
const CHANNELS: [u32; 16] = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8];

/// The first core frame of `bytes`; its length in bytes and its samples.
pub fn first(bytes: &[u8], stream: &mut Stream) -> Option<(u32, u32)> {
    let at = bytes.windows(4).position(|four| four == [0x7F, 0xFE, 0x80, 0x01])?;
    let mut bits = Bits::new(bytes.get(at.checked_add(4)?..)?);
    bits.skip(1 + 5 + 1);
    let samples = bits.take(7)?.checked_add(1)?.checked_mul(32)?;
    let len = bits.take(14)?.checked_add(1)?;
    let arrangement = usize::try_from(bits.take(6)?).ok()?;
    let rate = *RATES.get(usize::try_from(bits.take(4)?).ok()?)?;
    let bitrate = BITRATES.get(usize::try_from(bits.take(5)?).ok()?);
    bits.skip(5 + 3 + 2);
    let low = matches!(bits.take(2)?, 1 | 2);
    if rate == 0 || len < 96 {
        return None;
    }
    let channels = CHANNELS.get(arrangement)?.checked_add(u32::from(low))?;
    stream.kind = Kind::Audio;
    stream.codec = "dts";
    (stream.sample_rate, stream.channels) = (rate, channels);
    stream.bitrate = bitrate.map(|hundreds| hundreds.saturating_mul(100));
    stream.layout = match (arrangement, low) {
        (0, false) => "mono",
        (1..=4, false) => "stereo",
        (1..=4, true) => "2.1",
        (5, false) => "3.0",
        (9, false) => "5.0(side)",
        (9, true) => "5.1(side)",
        _ => "",
    };
    Some((len, samples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    #[test]
    fn a_core_frame() {
        let head = Writer::default().bits(0x7FFE_8001, 32).bits(0, 7).bits(15, 7).bits(2011, 14).bits(9, 6);
        let frame = head.bits(13, 4).bits(24, 5).bits(0, 10).bits(1, 2).bits(0, 8).bytes();
        let mut stream = Stream::default();
        assert_eq!(first(&frame, &mut stream), Some((2012, 512)));
        assert_eq!((stream.channels, stream.layout, stream.bitrate), (6, "5.1(side)", Some(1_536_000)));
        for at in 0..frame.len() {
            first(&frame[..at], &mut Stream::default());
        }
    }
}
