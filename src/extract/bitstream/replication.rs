//! Spectral band replication of AAC that no header announces (ISO/IEC 14496-3, 1.6.5.3): ADTS cannot, and older
//! configurations do not. The frames tell. Without decoding what stands in front of it, the element with the replicated
//! bands is found from the end of its block: it ends where the mark of the end begins (4.4.2.1), and says how long it is.

use super::aac::Frame;
use crate::extract::stream::{Bands, Bits, Stream};

/// Blocks that are looked at.
pub const BLOCKS: usize = 16;
/// Highest rate of the lower bands: the upper ones double it, and profiles end at 48 kHz (1.5.2.3).
const MOST: u32 = 24_000;
/// Elements without meaning that may stand between the bands and the end.
const FILLERS: u32 = 2;

/// Looks at the first blocks of a stream of which no header says. Where bands are replicated the rate doubles, and one channel
/// becomes two: a decoder cannot know in advance whether parametric stereo follows, and is to be ready for it (1.6.5.3).
pub fn look<'b>(blocks: impl Iterator<Item = &'b [u8]>, stream: &mut Stream) {
    if !possible(stream) || !mostly(blocks.take(BLOCKS)) {
        return;
    }
    stream.bands = Bands::Found;
    stream.sample_rate = stream.sample_rate.saturating_mul(2);
    if stream.channels == 1 {
        stream.channels = 2;
    }
}

/// Whether there is anything to look for.
pub fn possible(stream: &Stream) -> bool {
    stream.bands == Bands::Unsaid && stream.sample_rate <= MOST
}

/// The raw data blocks of the ADTS frames that begin in `bytes` one behind the other, as far as they are whole.
pub fn of_adts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let start = bytes.windows(7).position(|head| head.try_into().is_ok_and(|head| Frame::read(head).is_some()));
    let mut rest = start.and_then(|start| bytes.get(start..)).unwrap_or(&[]);
    std::iter::from_fn(move || {
        let head = rest.first_chunk::<7>()?;
        let frame = Frame::read(*head)?;
        let (whole, after) = rest.split_at_checked(usize::try_from(frame.len).ok()?)?;
        rest = after;
        // A checksum stands behind the header unless a bit says that it does not.
        whole.get(if head[1] & 1 == 0 { 9 } else { 7 }..)
    })
}

/// Any bytes look like replicated bands once in seventy times: one block says nothing, most of many do.
fn mostly<'b>(blocks: impl Iterator<Item = &'b [u8]>) -> bool {
    let (mut all, mut found) = (0_usize, 0_usize);
    for block in blocks {
        all = all.saturating_add(1);
        found = found.saturating_add(usize::from(carried(block)));
    }
    all > 0 && found.saturating_mul(4) >= all.saturating_mul(3)
}

/// Whether a block ends with replicated bands.
fn carried(block: &[u8]) -> bool {
    let Some((last, byte)) = block.iter().enumerate().next_back().filter(|(_, byte)| **byte != 0).or_else(|| {
        // The bits that fill the last byte up may be all that it holds.
        block.iter().enumerate().rev().nth(1).filter(|(_, byte)| **byte & 1 == 1)
    }) else {
        return false;
    };
    let unused = usize::try_from(byte.trailing_zeros()).unwrap_or(0);
    let end = last.saturating_mul(8).saturating_add(8).saturating_sub(unused);
    let Some(element) = end.checked_sub(3) else { return false };
    at(block, element).take(3) == Some(7) && ends(block, element, FILLERS)
}

/// Whether an element with replicated bands, or with nothing behind such a one, ends at that bit (4.4.2.7, 4.4.2.8).
fn ends(block: &[u8], end: usize, fillers: u32) -> bool {
    (0..=269_usize).any(|count| {
        // Fifteen stands for fourteen more than the byte behind it.
        let lengths = [(count < 15).then_some((7, None)), count.checked_sub(14).map(|more| (15, Some(more)))];
        lengths.into_iter().flatten().any(|(head, more)| {
            let body = count.saturating_mul(8);
            let Some(start) = end.checked_sub(body).and_then(|at| at.checked_sub(head)) else { return false };
            let mut bits = at(block, start);
            let (kind, length) = (bits.take(3), bits.take(4));
            let stated = match more {
                None => length == u32::try_from(count).ok(),
                Some(more) => length == Some(15) && bits.take(8) == u32::try_from(more).ok(),
            };
            if kind != Some(6) || !stated {
                return false;
            }
            let rest = |fillers: u32| fillers.checked_sub(1).is_some_and(|left| ends(block, start, left));
            match (count, bits.take(8)) {
                (0, _) => rest(fillers),
                (_, Some(first)) if matches!(first >> 4, 13 | 14) => true,
                // Filling without and with a pattern.
                (_, Some(0 | 0x10)) => rest(fillers),
                _ => false,
            }
        })
    })
}

fn at(block: &[u8], bit: usize) -> Bits<'_> {
    let mut bits = Bits::new(block.get(bit >> 3..).unwrap_or(&[]));
    bits.skip(u32::try_from(bit & 7).unwrap_or(0));
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    /// Any bits of a channel, then bands of so many bytes, so many fillers, the end.
    fn block(lead: u32, bands: u32, fillers: u32) -> Vec<u8> {
        let mut bits = Writer::default().bits(0x2AAA_AAAA, 30).bits(0x1234_5678, lead);
        if bands > 0 {
            bits = bits.bits(6, 3).bits(bands.min(15), 4);
            if bands >= 15 {
                bits = bits.bits(bands - 14, 8);
            }
            bits = bits.bits(13, 4).bits(5, 4);
            for _ in 1..bands {
                bits = bits.bits(0xA5, 8);
            }
        }
        for _ in 0..fillers {
            bits = bits.bits(6, 3).bits(2, 4).bits(0, 16);
        }
        bits.bits(7, 3).bytes()
    }

    fn found(blocks: &[Vec<u8>]) -> (u32, u32) {
        let mut stream = Stream { sample_rate: 22_050, channels: 1, bands: Bands::Unsaid, ..Stream::default() };
        look(blocks.iter().map(Vec::as_slice), &mut stream);
        (stream.sample_rate, stream.channels)
    }

    #[test]
    fn bands_of_any_length_at_any_bit_double_the_rate() {
        for lead in 0..9 {
            for bands in [1, 14, 15, 40, 200] {
                for fillers in 0..=FILLERS {
                    let all = vec![block(lead, bands, fillers); 8];
                    assert_eq!(found(&all), (44_100, 2), "{lead} {bands} {fillers}");
                }
            }
            assert_eq!(found(&vec![block(lead, 0, 1); 8]), (22_050, 1), "{lead}");
        }
        assert_eq!((found(&[]), found(&[vec![], vec![0, 0]])), ((22_050, 1), (22_050, 1)));
    }

    #[test]
    fn blocks_of_chance_and_stated_streams_are_left_alone() {
        let mut seed = 1_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let blocks: Vec<Vec<u8>> = (0..4000).map(|_| (0..200).map(|_| random()).chain([7]).collect()).collect();
        let by_chance = blocks.iter().filter(|block| carried(block)).count();
        assert!(by_chance < 120, "{by_chance}");
        for some in blocks.chunks(BLOCKS) {
            assert_eq!(found(some), (22_050, 1));
        }
        let mut stream = Stream { sample_rate: 22_050, channels: 1, ..Stream::default() };
        look([block(0, 40, 0)].iter().map(Vec::as_slice), &mut stream);
        assert_eq!(stream.sample_rate, 22_050);
    }

    #[test]
    fn blocks_of_frames_with_and_without_checksum() {
        let frame = |second: u8, extra: &[u8]| {
            let len = (7 + extra.len() + 3) as u8;
            [&[0xFF, second, 0x5C, 0x40, len >> 3, len << 5 | 0x1F, 0xFC][..], extra, &[1, 2, 3]].concat()
        };
        let bytes = [vec![9, 9], frame(0xF1, &[]), frame(0xF0, &[7, 7]), vec![0xFF, 0xF1]].concat();
        assert_eq!(of_adts(&bytes).collect::<Vec<_>>(), [[1, 2, 3], [1, 2, 3]]);
    }
}
