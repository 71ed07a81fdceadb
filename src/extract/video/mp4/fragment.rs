//! Movies in fragments (ISO/IEC 14496-12, 8.8 and 8.16): how long they are in all.

use super::long_or_short;
use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::stream::{float, seconds};
use crate::extract::{Input, Parsed};
use std::collections::BTreeMap;

/// Most sample durations read of one run.
const SAMPLES: u32 = 1 << 16;

/// Fragments whose runs are read. What they say is exact; of longer movies the index or the rate so far must do.
const READ: u32 = 64;

/// What is said of fragments, in three places.
#[derive(Default)]
pub(super) struct Fragments {
    /// Fragments met.
    count: u32,
    /// Where the last one read ends.
    read_to: u64,
    /// The box `mehd`, in units of the movie.
    extent: u64,
    /// Seconds by the segment indices.
    indexed: f64,
    /// Default duration of a sample by track, from `trex`.
    defaults: BTreeMap<u32, u32>,
    /// Samples and their durations by track, summed over the fragments.
    sums: BTreeMap<u32, (u64, u64)>,
}

impl Fragments {
    /// Whether more of the file need not be read.
    pub(super) fn suffice(&self) -> bool {
        self.count > READ
    }

    /// Length of the whole movie in seconds, where the runs do not tell it: by the extent, the index, or the part of
    /// the file that was read.
    /// `whole` says that the file was walked to its end.
    pub(super) fn duration(&self, timescale: u32, runs: Option<f64>, file: u64, whole: bool) -> Option<f64> {
        if self.count > 0 && whole && !self.suffice() {
            return runs;
        }
        let extent = seconds(self.extent, timescale).filter(|d| *d > 0.0);
        let indexed = Some(self.indexed).filter(|d| *d > 0.0);
        let grown = runs.filter(|_| self.read_to > 0).map(|d| d * float(file) / float(self.read_to));
        extent.or(indexed).or(grown)
    }

    /// Samples and length of one track in its own units, as far as the runs were read.
    pub(super) fn of_track(&self, track: u32) -> Option<(u64, u64)> {
        self.sums.get(&track).copied()
    }

    pub(super) fn in_mvex(&mut self, input: &mut Input<'_>, head: &BoxHead) -> Parsed<()> {
        match &head.kind {
            b"mehd" => {
                let (version, _) = bmff::version_and_flags(input)?;
                self.extent = long_or_short(input, version, "fragment duration")?;
            }
            b"trex" => {
                bmff::version_and_flags(input)?;
                let track = input.u32_be("track")?;
                input.skip(4, "default description")?;
                let duration = input.u32_be("default duration")?;
                self.defaults.insert(track, duration);
            }
            _ => {}
        }
        Ok(())
    }

    /// A segment index: the durations of what it refers to (8.16.3). One that refers to other indices is left out,
    /// as those say the same again.
    pub(super) fn sidx(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        input.skip(4, "reference")?;
        let timescale = input.u32_be("time scale")?;
        input.skip(if version == 0 { 8 } else { 16 }, "first time and offset")?;
        input.skip(2, "reserved")?;
        let count = input.u16_be("number of references")?;
        let mut sum = 0_u64;
        for _ in 0..count {
            let size = input.u32_be("size of reference")?;
            let duration = input.u32_be("duration of reference")?;
            input.skip(4, "access point")?;
            if size >> 31 == 0 {
                sum = sum.saturating_add(duration.into());
            }
        }
        self.indexed += seconds(sum, timescale).unwrap_or(0.0);
        Ok(())
    }

    /// A fragment: its runs of samples.
    pub(super) fn moof(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        self.count = self.count.saturating_add(1);
        // The runs read so far cover what lies before this fragment.
        self.read_to = input.position();
        if self.suffice() {
            return Ok(());
        }
        bmff::each(input, |input, head| {
            if head.kind != *b"traf" {
                return Ok(());
            }
            let (mut track, mut default) = (0, None);
            bmff::each(input, |input, head| match &head.kind {
                b"tfhd" => {
                    (track, default) = tfhd(input)?;
                    Ok(())
                }
                b"trun" => {
                    let default = default.or_else(|| self.defaults.get(&track).copied()).unwrap_or(0);
                    let (samples, ticks) = trun(input, default)?;
                    if self.sums.len() < super::TRACKS {
                        let sum = self.sums.entry(track).or_default();
                        *sum = (sum.0.saturating_add(samples), sum.1.saturating_add(ticks));
                    }
                    Ok(())
                }
                _ => Ok(()),
            })
        })
    }
}

/// Track and default duration of a track fragment (8.8.7).
fn tfhd(input: &mut Input<'_>) -> Parsed<(u32, Option<u32>)> {
    let (_, flags) = bmff::version_and_flags(input)?;
    let track = input.u32_be("track")?;
    if flags & 1 != 0 {
        input.skip(8, "base offset")?;
    }
    if flags & 2 != 0 {
        input.skip(4, "description")?;
    }
    let default = if flags & 8 != 0 { Some(input.u32_be("default duration")?) } else { None };
    Ok((track, default))
}

/// Samples of a run and the sum of their durations (8.8.8).
fn trun(input: &mut Input<'_>, default: u32) -> Parsed<(u64, u64)> {
    let (_, flags) = bmff::version_and_flags(input)?;
    let count = input.u32_be("number of samples")?;
    for (bit, what) in [(0x1, "data offset"), (0x4, "flags of the first sample")] {
        if flags & bit != 0 {
            input.skip(4, what)?;
        }
    }
    if flags & 0x100 == 0 {
        return Ok((count.into(), u64::from(count).saturating_mul(default.into())));
    }
    let others = [0x200, 0x400, 0x800].into_iter().filter(|bit| flags & bit != 0).map(|_| 4_u64).sum();
    let mut sum = 0_u64;
    for _ in 0..count.min(SAMPLES) {
        sum = sum.saturating_add(input.u32_be("sample duration")?.into());
        input.skip(others, "sample")?;
    }
    Ok((count.into(), sum))
}
