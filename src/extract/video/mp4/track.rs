//! One track of a movie (ISO/IEC 14496-12, 8.3 to 8.7).

use super::entry::{self, Entry};
use super::fragment::Fragments;
use super::{children, long_or_short};
use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::stream::{Kind, Ratio, Stream, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};
use std::collections::BTreeMap;

/// Entries of a table that are read; of longer ones the rest is taken to be like it.
const ENTRIES: u32 = 1 << 16;

/// What the boxes of a track say.
#[derive(Default)]
pub(super) struct Track {
    pub(super) id: u32,
    /// Display size in pixels.
    size: (u32, u32),
    rotate: u16,
    pub(super) timescale: u32,
    duration: u64,
    language: String,
    pub(super) handler: [u8; 4],
    pub(super) entry: Option<Entry>,
    times: Times,
    /// Time before the first sample, in units of the movie.
    delay: u64,
    /// Length of the edits, in units of the movie; 0 where there are none.
    shown: u64,
    /// Where the first edit begins in the media, in units of the track.
    edit: i64,
    /// How much later than decoded the first sample is shown, in units of the track.
    offset: i64,
    /// Tracks that hold the chapters of this one.
    pub(super) chapters: Vec<u32>,
    pub(super) table: Table,
    /// Sum of the sample sizes; `None` where the table is too long to read.
    bytes: Option<u64>,
    samples: u64,
}

/// Samples whose place is kept, for chapters; of other tracks only the first one is read.
const KEPT: usize = 256;

/// Where the first samples are, how long they are in bytes and in ticks.
#[derive(Default)]
pub(super) struct Table {
    pub(super) places: Vec<u64>,
    pub(super) sizes: Vec<u32>,
    pub(super) ticks: Vec<u32>,
    /// Samples of the first chunk.
    pub(super) together: u32,
}

/// The table of sample durations, digested.
#[derive(Default)]
struct Times {
    samples: u64,
    ticks: u64,
    /// The duration that most samples have, and how many do.
    usual: (u32, u64),
}

impl Track {
    pub(super) fn in_trak(&mut self, input: &mut Input<'_>, head: &BoxHead, facts: &mut Facts) -> Parsed<()> {
        match &head.kind {
            b"tkhd" => self.tkhd(input),
            b"mdia" | b"minf" | b"stbl" | b"edts" => {
                children(input, facts, |input, head, facts| self.in_trak(input, head, facts))
            }
            b"elst" => self.elst(input),
            b"mdhd" => self.mdhd(input),
            // QuickTime has a second handler, for data, inside `minf`: the first one is the medium's.
            b"hdlr" if self.handler == [0; 4] => {
                input.skip(8, "handler head")?;
                self.handler = input.array("handler type")?;
                Ok(())
            }
            b"stsd" => self.stsd(input, facts),
            b"stts" => self.stts(input),
            b"stsz" => self.stsz(input),
            b"stco" | b"co64" => self.places(input, head.kind == *b"co64"),
            b"stsc" => self.stsc(input),
            b"ctts" => self.ctts(input),
            // ISO/IEC 14496-12, 8.3.3; QuickTime File Format, "Chapter lists".
            b"tref" => bmff::each(input, |input, head| {
                while head.kind == *b"chap" && input.remaining() >= 4 && self.chapters.len() < 8 {
                    self.chapters.push(input.u32_be("chapter track")?);
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// 8.3.2
    fn tkhd(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        input.skip(if version == 1 { 16 } else { 8 }, "times")?;
        self.id = input.u32_be("track number")?;
        input.skip(4, "reserved")?;
        long_or_short(input, version, "duration")?;
        input.skip(16, "layer and volume")?;
        let (a, b) = (input.i32_be("matrix")?, input.i32_be("matrix")?);
        input.skip(28, "matrix")?;
        self.rotate = turn(a, b);
        self.size = (input.u32_be("width")? >> 16, input.u32_be("height")? >> 16);
        Ok(())
    }

    /// 8.6.6: an empty edit in front delays the track; the others say what is shown of it.
    fn elst(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        let count = input.u32_be("number of edits")?;
        if count > 0 {
            let length = long_or_short(input, version, "edit length")?;
            let from = if version == 1 { input.i64_be("edit start")? } else { input.i32_be("edit start")?.into() };
            self.delay = if from == -1 { length } else { 0 };
            self.edit = from.max(0);
            self.shown = if from == -1 { 0 } else { length };
            for _ in 1..count.min(ENTRIES) {
                input.skip(4, "edit rate")?;
                let length = long_or_short(input, version, "edit length")?;
                let from = if version == 1 { input.i64_be("edit start")? } else { input.i32_be("edit start")?.into() };
                self.shown = self.shown.saturating_add(if from == -1 { 0 } else { length });
            }
        }
        Ok(())
    }

    /// 8.4.2
    fn mdhd(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        input.skip(if version == 1 { 16 } else { 8 }, "times")?;
        self.timescale = input.u32_be("time scale")?;
        self.duration = long_or_short(input, version, "duration")?;
        self.language = language(input.u16_be("language")?);
        Ok(())
    }

    /// 8.7.5
    fn places(&mut self, input: &mut Input<'_>, long: bool) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        let count = input.u32_be("number of chunks")?;
        for _ in 0..count.min(if self.is_text() { 256 } else { 1 }) {
            let place = if long { input.u64_be("place of a chunk")? } else { input.u32_be("place of a chunk")?.into() };
            self.table.places.push(place);
        }
        Ok(())
    }

    /// 8.7.4: the first chunk alone.
    fn stsc(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        if input.u32_be("number of entries")? > 0 {
            input.skip(4, "first chunk")?;
            self.table.together = input.u32_be("samples of a chunk")?;
        }
        Ok(())
    }

    /// 8.6.1.3: the first sample alone.
    fn ctts(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        if input.u32_be("number of entries")? > 0 {
            input.skip(4, "sample count")?;
            self.offset = input.i32_be("composition offset")?.into();
        }
        Ok(())
    }

    /// Texts may be chapters, so that all their samples count.
    fn is_text(&self) -> bool {
        matches!(&self.handler, b"text" | b"sbtl")
    }

    /// 8.5.2: the first description stands for the track.
    fn stsd(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        input.skip(4, "number of descriptions")?;
        let Some(head) = bmff::next(input)? else { return Ok(()) };
        let handler = self.handler;
        let entry = input
            .within(head.body.clone(), "sample description", |input| entry::read(input, head.kind, handler, facts))?;
        self.entry = Some(entry);
        Ok(())
    }

    /// 8.6.1.2
    fn stts(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        let count = input.u32_be("number of entries")?;
        let mut by_delta: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..count.min(ENTRIES) {
            let (samples, delta) = (input.u32_be("sample count")?, input.u32_be("sample duration")?);
            let room = if self.is_text() { KEPT.saturating_sub(self.table.ticks.len()) } else { 0 };
            let kept = usize::try_from(samples).unwrap_or(usize::MAX).min(room);
            self.table.ticks.extend(std::iter::repeat_n(delta, kept));
            let samples = u64::from(samples);
            self.times.samples = self.times.samples.saturating_add(samples);
            self.times.ticks = self.times.ticks.saturating_add(samples.saturating_mul(delta.into()));
            let sum = by_delta.entry(delta).or_default();
            *sum = sum.saturating_add(samples);
        }
        self.times.usual = by_delta.into_iter().max_by_key(|(_, samples)| *samples).unwrap_or_default();
        Ok(())
    }

    /// 8.7.3.2
    fn stsz(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        let same = input.u32_be("sample size")?;
        let count = input.u32_be("number of samples")?;
        self.samples = count.into();
        if same > 0 {
            self.table.sizes.push(same);
            self.bytes = u64::from(same).checked_mul(count.into());
        } else if count <= ENTRIES {
            let table = input.take_up_to(u64::from(count).saturating_mul(4))?;
            let sizes = table.as_chunks::<4>().0.iter().map(|&[a, b, c, d]| u32::from_le_bytes([d, c, b, a]));
            self.table.sizes = sizes.clone().take(KEPT).collect();
            self.bytes = Some(sizes.map(u64::from).sum());
        }
        Ok(())
    }

    /// The stream that these boxes and the fragments describe.
    pub(super) fn finish(self, fragments: &Fragments, movie_scale: u32) -> Stream {
        let described = self.entry.as_ref().map(|entry| entry.stream.clone()).unwrap_or_default();
        let mut stream = Stream { kind: self.kind(), language: self.language.clone(), ..described };
        let (samples, ticks) = self.lengths(fragments);
        stream.time_base = Ratio::new(1, self.timescale.into());
        // The edits leave out what an encoder put around the sound.
        let shown = seconds(self.shown, movie_scale).filter(|d| *d > 0.0);
        let media = seconds(ticks, self.timescale);
        stream.duration = media.map(|media| shown.map_or(media, |shown| media.min(shown)));
        stream.start = self.start(fragments, movie_scale).filter(|_| samples > 0);
        stream.frames = Some(samples).filter(|n| *n > 0);
        stream.bitrate = self.measured(fragments, media).or(stream.bitrate).filter(|rate| *rate > 0);
        if stream.kind == Kind::Video {
            self.complete_video(&mut stream, fragments);
        }
        // The unit of time of sound is a sample, by custom (ISO/IEC 14496-12, 8.4.2.3).
        if stream.kind == Kind::Audio && stream.sample_rate == 0 && self.timescale > 1 {
            stream.sample_rate = self.timescale;
        }
        stream
    }

    /// When the first sample is shown: behind an empty edit, and as much later than decoded as its offset says, less
    /// what the edit leaves out.
    fn start(&self, fragments: &Fragments, movie_scale: u32) -> Option<f64> {
        let delay = seconds(self.delay, movie_scale).unwrap_or(0.0);
        let first = fragments.first_of(self.id).filter(|_| self.times.ticks == 0);
        let (decoded, offset) = first.unwrap_or((0, self.offset));
        let shown = i64::try_from(decoded).ok()?.saturating_add(offset).saturating_sub(self.edit).max(0);
        Some(delay + seconds(u64::try_from(shown).ok()?, self.timescale)?)
    }

    /// Bits per second by the sizes of the samples: all of them, whatever the edits leave out.
    fn measured(&self, fragments: &Fragments, duration: Option<f64>) -> Option<u64> {
        if let Some((bytes, ticks)) = fragments.bytes_of(self.id).filter(|_| self.times.ticks == 0) {
            return seconds(ticks, self.timescale)
                .filter(|d| *d > 0.0)
                .map(|d| whole((float(bytes) * 8.0 / d).floor()));
        }
        let bytes = self.bytes.filter(|bytes| *bytes > 0);
        bytes.zip(duration.filter(|d| *d > 0.0)).map(|(b, d)| whole((float(b) * 8.0 / d).floor()))
    }

    /// Samples and their ticks, from the tables or the fragments.
    fn lengths(&self, fragments: &Fragments) -> (u64, u64) {
        let (samples, ticks) = fragments.of_track(self.id).unwrap_or_default();
        let known = if self.duration > 0 { self.duration } else { self.times.ticks };
        // The movie may hold the first samples itself and leave the rest to fragments.
        let ticks = if self.times.ticks > 0 { known.saturating_add(ticks) } else { known.max(ticks) };
        (self.samples.max(self.times.samples).saturating_add(samples), ticks)
    }

    fn complete_video(&self, stream: &mut Stream, fragments: &Fragments) {
        if stream.width == 0 || stream.height == 0 {
            (stream.width, stream.height) = self.size;
        }
        stream.rotate = Some(self.rotate).filter(|degrees| *degrees > 0);
        let scale = u64::from(self.timescale);
        let average = scale.checked_mul(self.times.samples).and_then(|n| Ratio::new(n, self.times.ticks));
        let in_fragments = || {
            let (samples, ticks) = fragments.of_track(self.id)?;
            Ratio::new(scale.checked_mul(samples)?, ticks)
        };
        stream.average_rate = average.or_else(in_fragments);
        let usual = fragments.usual_of(self.id).filter(|_| self.times.samples == 0);
        stream.frame_rate = Ratio::new(scale, usual.unwrap_or(self.times.usual.0).into()).or(stream.average_rate);
        // Without samples, as in what stands in front of segments, the codec's own word is all there is.
        stream.frame_rate = stream.frame_rate.or(stream.coded_rate);
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.handler {
            b"vide" | b"auxv" => Kind::Video,
            b"soun" => Kind::Audio,
            b"subt" | b"sbtl" | b"text" | b"subp" | b"clcp" => Kind::Subtitle,
            _ => Kind::Other,
        }
    }
}

/// Degrees clockwise of a matrix.
pub(super) fn turn(a: i32, b: i32) -> u16 {
    let degrees = f64::from(b).atan2(f64::from(a)).to_degrees();
    u16::try_from(whole(degrees.rem_euclid(360.0))).ok().filter(|degrees| *degrees < 360).unwrap_or(0)
}

/// Three letters of five bits each (8.4.2.3). `und` and the numbers of old QuickTime languages, except English, say
/// nothing useful.
fn language(packed: u16) -> String {
    if packed == 0 {
        return "eng".to_owned();
    }
    let letter = |shift: u16| u8::try_from((packed >> shift) & 31).unwrap_or(0).saturating_add(0x60);
    let letters = [letter(10), letter(5), letter(0)];
    let text = String::from_utf8_lossy(&letters).into_owned();
    if packed < 0x400 || text == "und" || !letters.iter().all(u8::is_ascii_lowercase) { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_turns() {
        assert_eq!(language(0x15C7), "eng");
        assert_eq!(language(0x55C4), "");
        assert_eq!((language(0).as_str(), language(11).as_str()), ("eng", ""));
        assert_eq!([turn(65_536, 0), turn(0, 65_536), turn(-65_536, 0), turn(0, -65_536)], [0, 90, 180, 270]);
        assert_eq!((turn(46_341, 46_341), turn(0, 0)), (45, 0));
    }
}
