//! MPEG audio, layers 1 to 3 (ISO/IEC 11172-3 and 13818-3), between ID3 tags.

use super::{id3, symphonic};
use crate::extract::stream::{Stream, Summary, float};
use crate::extract::{Facts, Input, Parsed};
use symphonia::default::formats::MpaReader;

/// How far behind the tags the first frame may begin.
const GARBAGE: u64 = 64 << 10;

/// Bits per second of a frame by index, in thousands (ISO/IEC 11172-3, 2.4.2.3; 13818-3, 2.4.2.3): version 1 layers
/// 1 to 3, then version 2 layer 1 and layers 2 and 3.
const RATES: [[u32; 16]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
];

/// Reads a file of MPEG audio frames.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = frames(input, facts, &mut streams);
    Summary { format: ("mp3", "MP2/3 (MPEG audio layer 2/3)"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn frames(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    id3::version_2(input, facts)?;
    let start = input.position();
    let opened = symphonic::open(input, facts, |stream, options| Ok(Box::new(MpaReader::try_new(stream, options)?)));
    streams.extend(facts.tolerate(opened)?.unwrap_or_default());
    input.seek(start, "first frame")?;
    let rate = first_rate(input)?;
    for stream in streams {
        complete(stream, rate, input.file_len().saturating_sub(start));
    }
    let last = id3::version_1(input, facts);
    facts.tolerate(last).map(|_| ())
}

/// Without a header that counts the frames, the file is taken to keep the rate of its first frame.
fn complete(stream: &mut Stream, rate: Option<u32>, bytes: u64) {
    let Some(rate) = rate else { return };
    if stream.duration.is_none() {
        stream.duration = Some(float(bytes) * 8.0 / f64::from(rate));
        stream.bitrate = Some(rate.into());
    }
}

/// Bits per second of the first frame.
fn first_rate(input: &mut Input<'_>) -> Parsed<Option<u32>> {
    let bytes = input.peek_up_to(GARBAGE)?;
    let rate = bytes.windows(4).find_map(|head| <[u8; 4]>::try_from(head).ok().and_then(frame_rate));
    Ok(rate)
}

/// ISO/IEC 11172-3, 2.4.1.3: eleven bits of sync, version, layer, protection, bit rate, sampling rate.
fn frame_rate(head: [u8; 4]) -> Option<u32> {
    let [0xFF, second, third, _] = head else { return None };
    let (sync, version, layer) = (second >> 5, (second >> 3) & 3, (second >> 1) & 3);
    if sync != 7 || version == 1 || layer == 0 || (third >> 2) & 3 == 3 {
        return None;
    }
    let row = match (version, layer) {
        (3, 3) => 0,
        (3, 2) => 1,
        (3, _) => 2,
        (_, 3) => 3,
        _ => 4,
    };
    let rate = RATES.get(row)?.get(usize::from(third >> 4))?;
    rate.checked_mul(1000).filter(|rate| *rate > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_headers_give_their_rate() {
        assert_eq!(frame_rate([0xFF, 0xFB, 0x90, 0x00]), Some(128_000));
        assert_eq!(frame_rate([0xFF, 0xFD, 0x84, 0x00]), Some(128_000));
        assert_eq!(frame_rate([0xFF, 0xF3, 0x40, 0xC0]), Some(32_000));
        assert_eq!(frame_rate([0xFF, 0xFB, 0xF0, 0x00]), None);
        assert_eq!(frame_rate([0xFF, 0xEB, 0x90, 0x00]), None);
    }
}
