//! What single samples say: the first picture of a track whose description is bare, chapters, time codes.

use super::track::{Table, Track};
use crate::extract::bitstream::replication;
use crate::extract::stream::{Bands, Chapter, Kind, Stream, seconds};
use crate::extract::{Facts, Group, Input, Parsed, bitstream, length};

/// Bytes of a sample that are looked at.
const SAMPLE: u64 = 4096;

/// Reads what the tracks' descriptions leave to their samples; the chapters of the movie.
pub(super) fn read(input: &mut Input<'_>, tracks: &mut [Track], facts: &mut Facts) -> Parsed<Vec<Chapter>> {
    let listed: Vec<u32> = tracks.iter().flat_map(|track| track.chapters.iter().copied()).collect();
    let mut chapters = Vec::new();
    for track in tracks.iter_mut() {
        if listed.contains(&track.id) && chapters.is_empty() {
            let found = texts(input, track);
            chapters = facts.tolerate(found)?.unwrap_or_default();
            // A track of chapters is none of subtitles.
            track.handler = *b"chap";
        }
        let read = first(input, track, facts);
        facts.tolerate(read)?;
    }
    Ok(chapters)
}

/// Looks at the first sample where it can say more.
fn first(input: &mut Input<'_>, track: &mut Track, facts: &mut Facts) -> Parsed<()> {
    let (Some(&place), Some(&size)) = (track.table.places.first(), track.table.sizes.first()) else { return Ok(()) };
    let video = track.kind() == Kind::Video;
    let Some(entry) = track.entry.as_mut().filter(|entry| !entry.encrypted) else { return Ok(()) };
    if let Some((rate, drops)) = entry.code {
        input.seek(place, "time code")?;
        let frame = input.u32_be("time code")?;
        facts.add(input.format(), Group::Media, "TimeCode", place, time_code(frame, rate, drops));
        return Ok(());
    }
    // The description of these may say anything of channels; their frames do not.
    let told = ["mp1", "mp2", "mp3", "ac3", "eac3", "dts"].contains(&entry.stream.codec);
    if track.handler == *b"soun" && told {
        input.seek(place, "first sample")?;
        let bytes = input.take_up_to(SAMPLE.min(size.into()))?;
        let codec = entry.stream.codec;
        bitstream::first_frame(&bytes, None, &mut entry.stream);
        // Which layer of MPEG audio it is, the container says.
        entry.stream.codec = codec;
        return Ok(());
    }
    if track.handler == *b"soun" && entry.stream.codec == "aac" && entry.stream.bands == Bands::Unsaid {
        return bands(input, place, &track.table, &mut entry.stream);
    }
    let bare = entry.stream.coding.chroma.is_none() && entry.stream.pixels.is_empty();
    let known =
        ["mjpeg", "mpeg4", "mpeg1video", "mpeg2video", "vp8", "vp9", "av1", "h264"].contains(&entry.stream.codec);
    // The record of AV1 may be older than the stream; the code of ProRes says nothing of colours.
    if video && ((known && bare) || matches!(entry.stream.codec, "av1" | "prores")) {
        input.seek(place, "first sample")?;
        let bytes = input.take_up_to(SAMPLE.min(size.into()))?;
        let size = (entry.stream.width, entry.stream.height);
        bitstream::first_frame(&bytes, entry.lengths, &mut entry.stream);
        if size.0 > 0 {
            (entry.stream.width, entry.stream.height) = size;
        }
    }
    Ok(())
}

/// Looks for replicated bands in the samples of the first chunk, which lie one behind the other.
fn bands(input: &mut Input<'_>, place: u64, table: &Table, stream: &mut Stream) -> Parsed<()> {
    let count = usize::try_from(table.together).unwrap_or(usize::MAX).clamp(1, replication::BLOCKS);
    let sizes: Vec<usize> = table.sizes.iter().take(count).filter_map(|size| usize::try_from(*size).ok()).collect();
    if !replication::possible(stream) || sizes.iter().any(|size| length(*size) > SAMPLE) {
        return Ok(());
    }
    input.seek(place, "first samples")?;
    let bytes = input.take_up_to(sizes.iter().map(|size| length(*size)).sum())?;
    let mut rest = bytes.as_slice();
    let blocks = sizes.iter().map_while(|size| {
        let (block, after) = rest.split_at_checked(*size)?;
        rest = after;
        Some(block)
    });
    replication::look(blocks, stream);
    Ok(())
}

/// Texts of a chapter track, each with its length in front; one sample to a chunk.
fn texts(input: &mut Input<'_>, track: &Track) -> Parsed<Vec<Chapter>> {
    let (mut chapters, mut at) = (Vec::new(), 0_u64);
    let table = &track.table;
    for (place, ticks) in table.places.iter().zip(&table.ticks) {
        input.entry()?;
        let start = seconds(at, track.timescale).unwrap_or(0.0);
        at = at.saturating_add((*ticks).into());
        input.seek(*place, "chapter")?;
        let len = input.u16_be("length of a chapter's name")?;
        let bytes = input.take_up_to(u64::from(len).min(1024))?;
        let title = super::tags::text(&bytes);
        chapters.push(Chapter { start, end: seconds(at, track.timescale), title });
    }
    Ok(chapters)
}

/// Hours, minutes, seconds and frames; where numbers are dropped, two of them at the start of each minute but every
/// tenth (SMPTE ST 12-1, 5.2.2).
fn time_code(frame: u32, rate: u8, drops: bool) -> String {
    let per_second = u32::from(rate).max(1);
    let mut frame = frame;
    if drops {
        let per_minute = per_second.saturating_mul(60).saturating_sub(2);
        let per_ten = per_minute.saturating_mul(10).saturating_add(2);
        let (tens, rest) = (frame.checked_div(per_ten).unwrap_or(0), frame.checked_rem(per_ten).unwrap_or(0));
        let minutes = rest.saturating_sub(2).checked_div(per_minute).unwrap_or(0);
        frame = frame.saturating_add(tens.saturating_mul(18)).saturating_add(minutes.saturating_mul(2));
    }
    let part = |by: u32| frame.checked_div(by).unwrap_or(0);
    let total = part(per_second);
    let (hours, minutes, seconds) =
        (total.wrapping_div(3600), total.wrapping_div(60).wrapping_rem(60), total.wrapping_rem(60));
    let frames = frame.checked_rem(per_second).unwrap_or(0);
    let mark = if drops { ';' } else { ':' };
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_codes_with_and_without_dropped_numbers() {
        assert_eq!(time_code(90_000, 25, false), "01:00:00:00");
        assert_eq!(time_code(1799, 30, true), "00:00:59;29");
        assert_eq!(time_code(1800, 30, true), "00:01:00;02");
        assert_eq!(time_code(17_982, 30, true), "00:10:00;00");
        assert!(time_code(u32::MAX, 0, true).contains(';'));
    }
}
