//! Raw DV (IEC 61834-2; SMPTE ST 314): frames of a fixed length, each in sequences of 150 blocks of 80 bytes.

use crate::extract::stream::{Coding, Kind, Ratio, Stream, Summary, float};
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Bytes of a block and of a sequence.
const BLOCK: usize = 80;
const SEQUENCE: u64 = 12_000;
/// Blocks of a sequence that hold packs about the video, and the blocks of sound, which begin with a pack about it.
const VIDEO_BLOCKS: std::ops::Range<usize> = 3..6;
const SOUND_BLOCKS: [usize; 9] = [6, 22, 38, 54, 70, 86, 102, 118, 134];

/// Reads a file of DV frames.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    // Packs of sound and of the recording's time stand in different sequences.
    let bytes = input.take_up_to(SEQUENCE.saturating_mul(2))?;
    let &[0x1F, 0x07, _, flags, ..] = bytes.as_slice() else {
        return Err(input.malformed("expected the header block of a DV frame"));
    };
    let pal = flags & 0x80 != 0;
    let frame = SEQUENCE.saturating_mul(if pal { 12 } else { 10 });
    let mut video = picture(&bytes, pal);
    let rate = video.frame_rate.map_or(25.0, Ratio::value);
    let duration = Some(float(input.file_len()) / float(frame) / rate).filter(|_| input.file_len() >= frame);
    video.frames = input.file_len().checked_div(frame).filter(|count| *count > 0);
    video.duration = duration;
    let mut streams = vec![video];
    let base = streams.first().and_then(|video| video.time_base);
    streams.extend(sound(&bytes).into_iter().map(|stream| Stream { duration, time_base: base, ..stream }));
    if let Some(clock) = recorded(&bytes) {
        facts.add(input.format(), Group::Time, "Original", 0, Moment { clock, offset: None });
    }
    Summary { format: ("dv", "DV (Digital Video)"), duration, streams, ..Summary::default() }.publish(input, facts);
    Ok(())
}

fn picture(bytes: &[u8], pal: bool) -> Stream {
    // Display mode 2 is wide (IEC 61834-4, VAUX source control).
    let wide = pack(bytes, 0x61).is_some_and(|[_, _, mode, ..]| matches!(mode & 7, 2 | 7));
    let aspect = match (pal, wide) {
        (true, false) => (16, 15),
        (true, true) => (64, 45),
        (false, false) => (8, 9),
        (false, true) => (32, 27),
    };
    let rate = if pal { Ratio::new(25, 1) } else { Ratio::new(30_000, 1001) };
    Stream {
        width: 720,
        height: if pal { 576 } else { 480 },
        pixel_aspect: Ratio::new(aspect.0, aspect.1),
        frame_rate: rate,
        average_rate: rate,
        time_base: rate.and_then(|rate| Ratio::new(rate.denom, rate.numer)),
        coding: Coding { depth: 8, ..Coding::default() },
        // Of the video alone, without sound and packs.
        bitrate: Some(25_000_000),
        // Chroma of the 525-line system is halved twice across, and not down.
        pixels: if pal { "yuv420p" } else { "yuv411p" },
        ..Stream::of(Kind::Video, "dvvideo")
    }
}

/// The streams of sound: at 32 kHz in 12 bits there may be two.
fn sound(bytes: &[u8]) -> Vec<Stream> {
    let mut packs = SOUND_BLOCKS.iter().filter_map(|block| bytes.get(block.saturating_mul(BLOCK).saturating_add(3)..));
    let Some([_, _, _, _, packed]) =
        packs.find_map(|pack| pack.first_chunk::<5>().filter(|pack| pack.first() == Some(&0x50)))
    else {
        return Vec::new();
    };
    let rate: u32 = match (packed >> 3) & 7 {
        0 => 48_000,
        1 => 44_100,
        2 => 32_000,
        _ => return Vec::new(),
    };
    let count = if rate == 32_000 && packed & 7 == 1 { 2 } else { 1 };
    let stream = Stream {
        sample_rate: rate,
        channels: 2,
        bitrate: Some(u64::from(rate).saturating_mul(32)),
        ..Stream::of(Kind::Audio, "pcm_s16le")
    };
    vec![stream; count]
}

/// The first pack of that kind among those about the video: five bytes, fifteen to a block.
fn pack(bytes: &[u8], kind: u8) -> Option<[u8; 5]> {
    let blocks = VIDEO_BLOCKS.filter_map(|block| bytes.get(block.saturating_mul(BLOCK)..)?.get(3..BLOCK));
    blocks.flat_map(|block| block.as_chunks::<5>().0.iter()).find(|pack| pack.first() == Some(&kind)).copied()
}

/// Date and time of the recording in packed decimals (IEC 61834-4, VAUX rec date and rec time).
fn recorded(bytes: &[u8]) -> Option<jiff::civil::DateTime> {
    let second = bytes.get(usize::try_from(SEQUENCE).ok()?..).unwrap_or(&[]);
    let found = |kind| pack(bytes, kind).or_else(|| pack(second, kind));
    let ([_, _, day, month, year], [_, _, seconds, minutes, hours]) = (found(0x62)?, found(0x63)?);
    let decimal = |byte: u8, mask: u8| {
        let byte = byte & mask;
        i8::try_from((byte >> 4).saturating_mul(10).saturating_add(byte & 15)).ok().filter(|_| byte & 15 < 10)
    };
    let year = i16::from(decimal(year, 0xFF)?);
    let year = year.saturating_add(if year < 75 { 2000 } else { 1900 });
    let (month, day) = (decimal(month, 0x1F)?, decimal(day, 0x3F)?);
    let (hours, minutes, seconds) = (decimal(hours, 0x3F)?, decimal(minutes, 0x7F)?, decimal(seconds, 0x7F)?);
    jiff::civil::DateTime::new(year, month, day, hours, minutes, seconds, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn sample() -> Vec<u8> {
        let mut frame = vec![0xFF; 144_000];
        frame[..4].copy_from_slice(&[0x1F, 0x07, 0, 0xBF]);
        let packs = [[0x61, 0xFF, 0xC2, 0xFF, 0xFF], [0x62, 0xFF, 0xC7, 0xE5, 0x03], [0x63, 0xFF, 0xA9, 0x88, 0xC7]];
        frame[243..258].copy_from_slice(&packs.concat());
        frame[6 * 80 + 3..6 * 80 + 8].copy_from_slice(&[0x50, 0, 0, 0, 0xC0]);
        frame.repeat(5)
    }

    #[test]
    fn frames_packs_and_sound() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&0.2.into()));
        let clock = jiff::civil::date(2003, 5, 7).at(7, 8, 29, 0);
        assert_eq!(facts.find(Group::Time, "Original"), Some(&Moment { clock, offset: None }.into()));
        assert_eq!(facts.video_streams[0].text(field::VIDEO_SAMPLE_ASPECT_RATIO), Some("64:45"));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(48_000)));
        survives(parse, &sample()[..600], 600);
    }
}
