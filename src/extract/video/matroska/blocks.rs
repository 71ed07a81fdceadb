//! The first frames of each track: headers that the track entries leave out, first times, and rates.

use super::CLUSTER;
use super::track::Track;
use crate::extract::bitstream::{self, replication};
use crate::extract::container::ebml;
use crate::extract::stream::{Kind, Ratio};
use crate::extract::{Input, Parsed};

const TIMESTAMP: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;

/// Blocks looked at.
const BLOCKS: u32 = 64;
/// Bytes of a frame that are looked at.
const FRAME: u64 = 2048;
/// Times of a track that tell its rate.
const TIMES: usize = 33;

/// Where a block is: its track, its time in units of the segment, its first frame.
struct Block {
    track: u64,
    time: i64,
    lacing: u8,
}

/// What the first blocks say of one track.
#[derive(Default)]
pub(super) struct First {
    times: Vec<i64>,
    looked: bool,
    /// Blocks of AAC that may hold replicated bands.
    blocks: Vec<Vec<u8>>,
}

impl First {
    /// Time of the first frame in units of the segment.
    pub(super) fn time(&self) -> Option<i64> {
        self.times.iter().min().copied()
    }

    /// Frames per second by the times, which are rounded to `unit` nanoseconds.
    pub(super) fn rate(&self, unit: u64) -> Option<Ratio> {
        let (first, last) = (*self.times.iter().min()?, *self.times.iter().max()?);
        let frames = f64::from(u32::try_from(self.times.len().checked_sub(1)?).ok()?);
        let span = crate::extract::stream::float(u64::try_from(last.checked_sub(first)?).ok()?.saturating_mul(unit));
        let near = |rate: f64| {
            let whole = rate.round();
            // Rounded times are off by up to two units over the whole span.
            let slack = rate * crate::extract::stream::float(unit) * 2.5 / span;
            let common = [whole, whole * 1000.0 / 1001.0, rate.ceil() * 1000.0 / 1001.0];
            let off = |common: &f64| (common - rate).abs();
            let close = common.into_iter().filter(|common| off(common) <= slack);
            close.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(rate)
        };
        (span > 0.0 && frames >= 2.0).then(|| Ratio::near(near(frames * 1e9 / span))).flatten()
    }
}

/// Reads blocks from here, where clusters begin, until every track of sound or pictures said what it can.
pub(super) fn read(input: &mut Input<'_>, tracks: &mut [Track]) -> Parsed<()> {
    let mut left = BLOCKS;
    while left > 0 && tracks.iter().any(|track| track.wants()) {
        let Some(element) = ebml::next(input)? else { break };
        if element.id == CLUSTER {
            input.within(element.body, "cluster", |input| cluster(input, tracks, &mut left))?;
        } else {
            input.seek(element.body.end, "next part")?;
            left = left.saturating_sub(1);
        }
    }
    for track in tracks.iter_mut().filter(|track| !track.first.looked) {
        replication::look(track.first.blocks.iter().map(Vec::as_slice), &mut track.stream);
    }
    Ok(())
}

fn cluster(input: &mut Input<'_>, tracks: &mut [Track], left: &mut u32) -> Parsed<()> {
    let mut base = 0_i64;
    while *left > 0 && tracks.iter().any(|track| track.wants()) {
        let Some(element) = ebml::next(input)? else { break };
        let body = element.body.clone();
        match element.id {
            TIMESTAMP => {
                base = input.within(body, "time", |input| Ok(i64::try_from(ebml::unsigned(input)?).unwrap_or(0)))?;
            }
            SIMPLE_BLOCK => {
                *left = left.saturating_sub(1);
                input.within(body, "block", |input| block(input, base, tracks))?;
            }
            BLOCK_GROUP => {
                *left = left.saturating_sub(1);
                input.within(body, "group", |input| {
                    ebml::each(
                        input,
                        |input, element| {
                            if element.id == BLOCK { block(input, base, tracks) } else { Ok(()) }
                        },
                    )
                })?;
            }
            // A recording without lengths: the next cluster begins here.
            CLUSTER => return input.seek(body.start, "cluster"),
            _ => input.seek(body.end, "next element")?,
        }
    }
    Ok(())
}

/// RFC 9559, 10.1: track number, time, flags; then the frames.
fn block(input: &mut Input<'_>, base: i64, tracks: &mut [Track]) -> Parsed<()> {
    let track = ebml::variable(input, "track number")?;
    let time = base.saturating_add(i64::from(input.i16_be("time stamp")?));
    let block = Block { track, time, lacing: (input.u8("block flags")? >> 1) & 3 };
    let Some(track) = tracks.iter_mut().find(|one| one.number == block.track) else { return Ok(()) };
    if track.first.times.len() < TIMES {
        track.first.times.push(block.time);
    }
    // Frames of AAC say nothing but whether bands are replicated.
    let silent = track.stream.codec == "aac" && !replication::possible(&track.stream);
    if track.first.looked || block.lacing != 0 || silent {
        return Ok(());
    }
    let kept = u64::try_from(track.stripped.len()).unwrap_or(0);
    let mut bytes = track.stripped.clone();
    bytes.extend(input.take_up_to(FRAME.saturating_sub(kept))?);
    if track.stream.codec == "aac" {
        track.first.blocks.push(bytes);
        if track.first.blocks.len() >= replication::BLOCKS {
            replication::look(track.first.blocks.iter().map(Vec::as_slice), &mut track.stream);
            track.first.looked = true;
        }
        return Ok(());
    }
    track.first.looked = bitstream::first_frame(&bytes, track.lengths, &mut track.stream);
    Ok(())
}

impl Track {
    /// Whether a frame could say more of the track.
    fn wants(&self) -> bool {
        let first = &self.first;
        match self.stream.kind {
            Kind::Video => {
                let rated = self.frame > 0 || first.times.len() >= TIMES;
                first.times.is_empty() || !rated || (self.stream.coding.chroma.is_none() && !first.looked)
            }
            Kind::Audio => {
                let telling = matches!(self.stream.codec, "ac3" | "eac3" | "dts" | "mp1" | "mp2" | "mp3")
                    || replication::possible(&self.stream);
                first.times.is_empty() || (telling && !first.looked)
            }
            _ => false,
        }
    }
}
