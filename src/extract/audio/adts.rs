//! AAC in ADTS frames, or behind one ADIF header (ISO/IEC 13818-7, 6.2). Nothing in the stream says how long it is: the frames are counted.

use super::{id3, mpeg, symphonic};
use crate::extract::bitstream::aac::{self, BLOCK, Frame};
use crate::extract::bitstream::replication;
use crate::extract::stream::{Bands, Ratio, Stream, Summary, float, whole};
use crate::extract::{Facts, Input, Parsed};
use symphonia::default::formats::AdtsReader;

/// Part of the file whose frames are counted; the rest is taken to be like it.
const COUNTED: u64 = 1 << 20;

/// Bytes in which the first frames stand, which tell whether upper bands are replicated.
const FIRST: u64 = 8 << 10;

/// Reads a file of ADTS frames.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = frames(input, facts, &mut streams);
    Summary { format: ("aac", "raw ADTS AAC (Advanced Audio Coding)"), streams, ..Summary::default() }
        .publish(input, facts);
    read
}

fn frames(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    id3::version_2(input, facts)?;
    let start = input.position();
    if input.peek_up_to(4)? == b"ADIF" {
        return whole_file(input, streams);
    }
    let opened = symphonic::open(input, facts, |stream, options| Ok(Box::new(AdtsReader::try_new(stream, options)?)));
    streams.extend(facts.tolerate(opened)?.unwrap_or_default());
    input.seek(start, "first frame")?;
    let first = input.peek_up_to(FIRST)?.to_vec();
    let counted = count(input);
    let sound = input.file_len().saturating_sub(start);
    if let Some(blocks) = facts.tolerate(counted)?.filter(|blocks| *blocks > 0.0) {
        for stream in streams.iter_mut().filter(|stream| stream.sample_rate > 0) {
            stream.duration = Some(blocks * f64::from(BLOCK) / f64::from(stream.sample_rate));
            stream.bitrate = stream.duration.filter(|d| *d > 0.0).map(|d| whole(float(sound) * 8.0 / d));
            // A base that all sampling rates divide.
            stream.time_base = Ratio::new(1, 28_224_000);
        }
    }
    for stream in streams.iter_mut().filter(|stream| stream.sample_rate > 0) {
        let head = first.windows(7).find_map(|head| Frame::read(head.try_into().ok()?));
        if head.is_some_and(|head| head.low_complexity) {
            stream.bands = Bands::Unsaid;
            replication::look(replication::of_adts(&first), stream);
        }
    }
    let end = mpeg::trailers(input, facts);
    facts.tolerate(end).map(|_| ())
}

/// A file with one header for all of it (ADIF): its rate says how long it is.
fn whole_file(input: &mut Input<'_>, streams: &mut Vec<Stream>) -> Parsed<()> {
    let bytes = input.peek_up_to(64)?.to_vec();
    let mut stream = Stream { time_base: Ratio::new(1, 28_224_000), ..Stream::default() };
    if aac::adif(&bytes, &mut stream).is_none() {
        return Err(input.malformed("expected the header of ADIF"));
    }
    stream.duration = stream.bitrate.map(|rate| float(input.remaining()) * 8.0 / float(rate));
    streams.push(stream);
    Ok(())
}

/// Raw data blocks from here to the end of the file.
fn count(input: &mut Input<'_>) -> Parsed<f64> {
    let start = input.position();
    let mut blocks = 0_u32;
    while input.remaining() >= 7 && input.position().saturating_sub(start) < COUNTED {
        let Some(frame) = Frame::read(input.peek_array("frame header")?) else {
            // Damage, or a tag between segments: on to the next sync word.
            let gap = next_sync(input.peek_up_to(4096)?);
            input.skip(gap, "next frame")?;
            continue;
        };
        blocks = blocks.saturating_add(frame.blocks);
        input.seek(input.position().saturating_add(frame.len.into()).min(input.end()), "next frame")?;
    }
    let seen = input.position().saturating_sub(start);
    let rest = input.remaining();
    let more = if seen > 0 { float(rest) / float(seen) } else { 0.0 };
    Ok(f64::from(blocks) * (1.0 + more))
}

/// Bytes to the next possible sync word; at least one.
fn next_sync(bytes: &[u8]) -> u64 {
    let at = bytes.iter().skip(1).position(|byte| *byte == 0xFF);
    let bytes = at.map_or(bytes.len(), |at| at.saturating_add(1));
    u64::try_from(bytes).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[expect(clippy::ptr_arg, reason = "a slice has no size and cannot be a trait object")]
    fn counted(data: &Vec<u8>) -> f64 {
        count(&mut Input::new(data, &Limits::default())).unwrap()
    }

    #[test]
    fn one_header_for_the_whole_file() {
        // 128 kbit/s, one program of one pair at 48 kHz, as FAAC writes it.
        let mut data = b"ADIF\0\x3E\x80\0\0\0\x01\x98\x80\0\x04\0".to_vec();
        data.resize(4000, 0x21);
        let facts = crate::extract::tried::facts_of(parse, &data);
        let row = &facts.audio_streams[0];
        assert_eq!(row.get(crate::model::field::AUDIO_CHANNELS), Some(&crate::model::Value::Int(2)));
        assert_eq!(row.get(crate::model::field::AUDIO_SAMPLE_RATE), Some(&crate::model::Value::Int(48_000)));
        crate::extract::tried::survives(parse, &data[..40], 40);
    }

    #[test]
    fn frames_are_counted_over_damage_and_extrapolated() {
        let frame = [&[0xFF, 0xF1, 0x50, 0x80, 0x04, 0x1F, 0xFC][..], &[0; 25]].concat();
        let damaged = [frame.repeat(3), b"junk \xFF\x00".to_vec(), frame.repeat(2)].concat();
        assert_eq!(counted(&damaged), 5.0);
        let long = frame.repeat(100_000);
        assert!((counted(&long) - 100_000.0).abs() < 1.0);
        assert_eq!(counted(&vec![0; 5000]), 0.0);
    }
}
