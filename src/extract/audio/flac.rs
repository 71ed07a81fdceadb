//! FLAC (RFC 9639): metadata blocks up to the first frame; pictures and padding are passed over unread.

use super::{covers, id3, tags};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

/// What the block STREAMINFO says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamInfo {
    pub(super) rate: u32,
    pub(super) channels: u32,
    pub(super) bits: u32,
    /// 0 where unknown.
    pub(super) samples: u64,
}

/// Reads a native FLAC file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = native(input, facts, &mut streams);
    Summary { format: ("flac", "raw FLAC"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn native(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    let tag = id3::length(input)?;
    input.skip(tag, "ID3v2 tag")?;
    if input.array::<4>("FLAC mark")? != *b"fLaC" {
        return Err(input.malformed("expected the mark fLaC"));
    }
    let mut info = None;
    let read = blocks(input, facts, &mut info);
    let audio = input.remaining();
    streams.extend(info.map(|info| stream(info, audio)));
    facts.tolerate(read)?;
    if tag > 0 {
        // The format's own comments come first, and so win.
        input.rewind();
        id3::version_2(input, facts)?;
    }
    Ok(())
}

/// Metadata blocks (RFC 9639, 8.1): one bit for the last, seven for the type, 24 for the length.
fn blocks(input: &mut Input<'_>, facts: &mut Facts, info: &mut Option<StreamInfo>) -> Parsed<()> {
    loop {
        let kind = input.u8("block type")?;
        let len = u64::from(input.u24_be("block length")?);
        let part = input.position()..input.position().saturating_add(len);
        let read = input.within(part, "metadata block", |input| {
            match kind & 0x7F {
                // The first block (8.2); a later one is a block of another kind, misread behind damage.
                0 if info.is_none() => *info = Some(stream_info(input)?),
                4 => tags::vorbis_comments(input, facts)?,
                6 => covers::block(input, facts)?,
                _ => {}
            }
            Ok(())
        });
        facts.tolerate(read)?;
        if kind & 0x80 != 0 || input.at_end() {
            return Ok(());
        }
    }
}

/// RFC 9639, 8.2.
pub(super) fn stream_info(input: &mut Input<'_>) -> Parsed<StreamInfo> {
    input.skip(10, "block and frame sizes")?;
    let packed = input.u64_be("sample rate, channels and length")?;
    let part = |shift: u32, mask: u32| u32::try_from((packed >> shift) & u64::from(mask)).unwrap_or(0);
    let rate = part(44, 0xF_FFFF);
    if rate == 0 {
        return Err(input.malformed("expected a sample rate above 0"));
    }
    Ok(StreamInfo {
        rate,
        channels: part(41, 7).saturating_add(1),
        bits: part(36, 31).saturating_add(1),
        samples: packed & 0xF_FFFF_FFFF,
    })
}

/// A stream of `bytes` bytes.
pub(super) fn stream(info: StreamInfo, bytes: u64) -> Stream {
    let duration = seconds(info.samples, info.rate).filter(|d| *d > 0.0);
    Stream {
        kind: Kind::Audio,
        codec: "flac",
        time_base: Ratio::new(1, info.rate.into()),
        duration,
        bitrate: duration.map(|d| whole(float(bytes) * 8.0 / d)),
        sample_rate: info.rate,
        channels: info.channels,
        bits: info.bits,
        ..Stream::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{run, survives};
    use crate::extract::{Group, Limits};
    use crate::model::field;

    fn block(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&[kind, len[2], len[1], len[0]], body].concat()
    }

    fn comment(pairs: &[&str]) -> Vec<u8> {
        let text = |t: &str| [&u32::try_from(t.len()).unwrap().to_le_bytes()[..], t.as_bytes()].concat();
        let count = u32::try_from(pairs.len()).unwrap().to_le_bytes().to_vec();
        [text("vendor"), count, pairs.iter().flat_map(|p| text(p)).collect()].concat()
    }

    fn sample() -> Vec<u8> {
        // 44,100 Hz, 2 channels, 24 bits, 88,200 samples.
        let packed: u64 = 44_100 << 44 | 1 << 41 | 23 << 36 | 88_200;
        let mut info = vec![0; 10];
        info.extend(packed.to_le_bytes().into_iter().rev());
        info.extend([0; 16]);
        let comments = comment(&["TITLE=Song", "artist=A", "ARTIST=B", "nonsense"]);
        let head = b"\0\0\0\x03\0\0\0\x09image/png\0\0\0\0\0\0\x02\0\0\0\x01\0";
        let picture = block(6, &[&head[..], &vec![1; 5_000_000]].concat());
        [b"fLaC".to_vec(), block(0, &info), picture, block(0x84, &comments), vec![0xFF; 100]].concat()
    }

    fn facts_of(data: &[u8]) -> Facts {
        run(parse, data, &Limits { bytes: 200_000, ..Limits::default() }).0
    }

    #[test]
    fn properties_and_comments_around_a_large_picture() {
        let facts = facts_of(&sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&2.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.audio_covers, [(512, 256)]);
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"A; B".into()));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_SAMPLE_FORMAT), Some("s32"));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        // The picture of 5 MB behind the comments is not what is tried.
        let (whole, at) = (sample(), 60);
        survives(parse, &[&whole[..at], &whole[whole.len() - 200..]].concat(), 400);
    }
}
