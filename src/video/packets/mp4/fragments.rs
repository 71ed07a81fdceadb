//! Samples of movie fragments (ISO/IEC 14496-12, 8.8.4 to 8.8.8, 8.8.12).

use super::tables::Place;
use super::{Sample, WINDOW, boxes};
use crate::codec::ReadAt;
use crate::video::failure::Step;
use crate::video::view::View;

/// Most samples of one run.
const SAMPLES: u64 = 1 << 20;

/// The runs of samples of one track, fragment by fragment.
pub(super) struct Fragments<'a> {
    view: View<'a>,
    track: u64,
    /// Duration and size of samples that say neither.
    defaults: (u64, u64),
    at: u64,
    decoded: i64,
    runs: Vec<Run>,
}

/// A run of samples whose entries have not all been read.
struct Run {
    entries: u64,
    left: u64,
    first: bool,
    flags: u64,
    first_flags: Option<u64>,
    default_flags: u64,
    duration: u64,
    size: u64,
    data: u64,
    /// Time of decoding of the run's fragment, before its first sample.
    starts: Option<i64>,
}

impl<'a> Fragments<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, track: u64, defaults: (u64, u64)) -> Fragments<'a> {
        let view = View::new(source, WINDOW);
        Fragments { view, track, defaults, at: 0, decoded: 0, runs: Vec::new() }
    }

    /// The next sample.
    pub(super) fn next(&mut self) -> Step<Option<Sample>> {
        loop {
            if let Some(run) = self.runs.first_mut() {
                if run.left > 0 {
                    return sample(&mut self.view, run, &mut self.decoded).map(Some);
                }
                self.runs.remove(0);
                continue;
            }
            if !self.fragment()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next fragment; false at the end.
    fn fragment(&mut self) -> Step<bool> {
        let (from, end) = (self.at, self.view.len());
        let mut found = None;
        boxes(&mut self.view, Place { at: from, end }, |_, kind, body| {
            if kind == b"moof" {
                found = Some(body);
            }
            Ok(found.is_none())
        })?;
        let Some(body) = found else { return Ok(false) };
        self.at = body.end;
        let (track, defaults, mut runs) = (self.track, self.defaults, Vec::new());
        boxes(&mut self.view, body, |view, kind, traf| {
            if kind == b"traf" {
                read(view, traf, body.at.saturating_sub(8), (track, defaults), &mut runs)?;
            }
            Ok(true)
        })?;
        self.runs = runs;
        Ok(true)
    }
}

/// Reads the runs of one track fragment.
fn read(
    view: &mut View<'_>,
    traf: Place,
    moof: u64,
    (track, defaults): (u64, (u64, u64)),
    runs: &mut Vec<Run>,
) -> Step<()> {
    let (mut base, mut duration, mut size, mut flags) = (moof, defaults.0, defaults.1, 0);
    let (mut ours, mut starts) = (false, None);
    boxes(view, traf, |view, kind, body| {
        match kind {
            b"tfhd" => {
                let says = view.number(body.at + 1, 3)?;
                ours = view.number(body.at + 4, 4)? == track;
                let mut at = body.at + 8;
                let mut field = |bit: u64, width: usize| -> Step<Option<u64>> {
                    if says & bit == 0 {
                        return Ok(None);
                    }
                    let value = view.number(at, width)?;
                    at += width as u64;
                    Ok(Some(value))
                };
                base = field(1, 8)?.unwrap_or(base);
                field(2, 4)?;
                duration = field(8, 4)?.unwrap_or(duration);
                size = field(16, 4)?.unwrap_or(size);
                flags = field(32, 4)?.unwrap_or(flags);
            }
            b"tfdt" => {
                let long = view.number(body.at, 1)? == 1;
                let time = view.number(body.at + 4, if long { 8 } else { 4 })?;
                starts = i64::try_from(time).ok();
            }
            b"trun" if ours && runs.len() < 1 << 16 => {
                let says = view.number(body.at + 1, 3)?;
                let (count, mut at) = (view.number(body.at + 4, 4)?, body.at + 8);
                let mut data = runs.last().map_or(base, |run: &Run| run.data);
                if says & 1 != 0 {
                    let offset = u32::try_from(view.number(at, 4)?).unwrap_or(0).cast_signed();
                    data = base.saturating_add_signed(i64::from(offset));
                    at += 4;
                }
                let first_flags = if says & 4 != 0 { Some(view.number(at, 4)?) } else { None };
                at += if says & 4 != 0 { 4 } else { 0 };
                let width = (says >> 8 & 15).count_ones() * 4;
                let room = body.end.saturating_sub(at).checked_div(u64::from(width)).unwrap_or(SAMPLES);
                let starts = starts.take();
                let left = count.min(room).min(SAMPLES);
                runs.push(Run {
                    entries: at,
                    left,
                    first: true,
                    flags: says,
                    first_flags,
                    default_flags: flags,
                    duration,
                    size,
                    data,
                    starts,
                });
            }
            _ => {}
        }
        Ok(true)
    })
}

/// Reads an entry of a run (8.8.8).
fn sample(view: &mut View<'_>, run: &mut Run, decoded: &mut i64) -> Step<Sample> {
    if let Some(time) = run.starts.take() {
        *decoded = time;
    }
    let mut field = |bit: u64| -> Step<Option<u64>> {
        if run.flags & bit == 0 {
            return Ok(None);
        }
        let value = view.number(run.entries, 4)?;
        run.entries += 4;
        Ok(Some(value))
    };
    let duration = field(0x100)?.unwrap_or(run.duration);
    let len = field(0x200)?.unwrap_or(run.size);
    let flags = field(0x400)?;
    let offset = field(0x800)?.unwrap_or(0);
    let flags = match (flags, run.first_flags.filter(|_| run.first)) {
        (_, Some(first)) => first,
        (Some(own), None) => own,
        (None, None) => run.default_flags,
    };
    let time = decoded.saturating_add(i64::from(u32::try_from(offset).unwrap_or(0).cast_signed()));
    *decoded = decoded.saturating_add(i64::try_from(duration).unwrap_or(0));
    let at = run.data;
    run.data = run.data.saturating_add(len);
    (run.left, run.first) = (run.left.saturating_sub(1), false);
    // 8.8.3.1: sample_is_non_sync_sample; depends_on 2 says that the sample stands alone.
    let key = flags & 0x1_0000 == 0 && flags >> 24 & 3 != 1;
    Ok(Sample { time, key, at, len })
}
