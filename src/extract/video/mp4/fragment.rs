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
    /// Default duration and size of a sample by track, from `trex`.
    defaults: BTreeMap<u32, (u32, u32)>,
    /// Samples and their durations by track, summed over the fragments.
    sums: BTreeMap<u32, (u64, u64)>,
    /// Bytes of the samples by track.
    bytes: BTreeMap<u32, u64>,
    /// When the first sample of a track is decoded, and how much later it is shown.
    firsts: BTreeMap<u32, (u64, i64)>,
    /// Durations that samples of a track have, and how many do.
    steps: BTreeMap<(u32, u32), u64>,
}

/// Different durations that are told apart.
const STEPS: usize = 1024;

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
                self.defaults.insert(track, (duration, input.u32_be("default size")?));
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
            let (mut head, mut decoded) = (Head::default(), 0);
            bmff::each(input, |input, inner| match &inner.kind {
                b"tfhd" => {
                    head = self.tfhd(input)?;
                    Ok(())
                }
                b"tfdt" => {
                    let (version, _) = bmff::version_and_flags(input)?;
                    decoded = long_or_short(input, version, "decode time")?;
                    Ok(())
                }
                b"trun" => {
                    let run = trun(input, &head)?;
                    self.add(&head, decoded, &run);
                    Ok(())
                }
                _ => Ok(()),
            })
        })
    }

    fn add(&mut self, head: &Head, decoded: u64, run: &Run) {
        if self.sums.len() >= super::TRACKS && !self.sums.contains_key(&head.track) {
            return;
        }
        let sum = self.sums.entry(head.track).or_default();
        *sum = (sum.0.saturating_add(run.samples), sum.1.saturating_add(run.ticks));
        for (step, samples) in &run.steps {
            if self.steps.len() < STEPS || self.steps.contains_key(&(head.track, *step)) {
                let sum = self.steps.entry((head.track, *step)).or_default();
                *sum = sum.saturating_add(*samples);
            }
        }
        let bytes = self.bytes.entry(head.track).or_default();
        *bytes = bytes.saturating_add(run.bytes);
        self.firsts.entry(head.track).or_insert((decoded, run.offset));
    }

    /// The duration that most samples of a track have.
    pub(super) fn usual_of(&self, track: u32) -> Option<u32> {
        let steps = self.steps.range((track, 0)..=(track, u32::MAX));
        steps.max_by_key(|(_, samples)| **samples).map(|((_, step), _)| *step)
    }

    /// When the first sample of a track is decoded, and how much later it is shown.
    pub(super) fn first_of(&self, track: u32) -> Option<(u64, i64)> {
        self.firsts.get(&track).copied()
    }

    /// Bytes and ticks of the samples of a track, as far as the runs were read.
    pub(super) fn bytes_of(&self, track: u32) -> Option<(u64, u64)> {
        let bytes = self.bytes.get(&track).copied().filter(|bytes| *bytes > 0)?;
        Some((bytes, self.sums.get(&track)?.1))
    }

    /// Track and defaults of a track fragment (8.8.7).
    fn tfhd(&self, input: &mut Input<'_>) -> Parsed<Head> {
        let (_, flags) = bmff::version_and_flags(input)?;
        let track = input.u32_be("track")?;
        let (mut duration, mut size) = self.defaults.get(&track).copied().unwrap_or_default();
        if flags & 1 != 0 {
            input.skip(8, "base offset")?;
        }
        if flags & 2 != 0 {
            input.skip(4, "description")?;
        }
        if flags & 8 != 0 {
            duration = input.u32_be("default duration")?;
        }
        if flags & 0x10 != 0 {
            size = input.u32_be("default size")?;
        }
        Ok(Head { track, duration, size })
    }
}

/// What holds for every sample of a track fragment that says nothing else.
#[derive(Default)]
struct Head {
    track: u32,
    duration: u32,
    size: u32,
}

/// A run of samples, summed.
#[derive(Default)]
struct Run {
    samples: u64,
    ticks: u64,
    bytes: u64,
    /// Composition offset of the first sample.
    offset: i64,
    /// Durations and how many samples have them, one behind the other.
    steps: Vec<(u32, u64)>,
}

/// 8.8.8
fn trun(input: &mut Input<'_>, head: &Head) -> Parsed<Run> {
    let (_, flags) = bmff::version_and_flags(input)?;
    let count = input.u32_be("number of samples")?;
    for (bit, what) in [(0x1, "data offset"), (0x4, "flags of the first sample")] {
        if flags & bit != 0 {
            input.skip(4, what)?;
        }
    }
    let mut run = Run { samples: count.into(), ..Run::default() };
    if flags & 0xF00 == 0 {
        run.ticks = run.samples.saturating_mul(head.duration.into());
        run.bytes = run.samples.saturating_mul(head.size.into());
        run.steps.push((head.duration, run.samples));
        return Ok(run);
    }
    for at in 0..count.min(SAMPLES) {
        let duration = if flags & 0x100 != 0 { input.u32_be("sample duration")? } else { head.duration };
        let size = if flags & 0x200 != 0 { input.u32_be("sample size")? } else { head.size };
        input.skip(if flags & 0x400 != 0 { 4 } else { 0 }, "sample flags")?;
        let offset = if flags & 0x800 != 0 { input.i32_be("composition offset")? } else { 0 };
        if at == 0 {
            run.offset = offset.into();
        }
        match run.steps.last_mut() {
            Some((step, samples)) if *step == duration => *samples = samples.saturating_add(1),
            _ => run.steps.push((duration, 1)),
        }
        run.ticks = run.ticks.saturating_add(duration.into());
        run.bytes = run.bytes.saturating_add(size.into());
    }
    Ok(run)
}
