//! The way of one film: packets, key frames, candidates, a closer look at those, shots, labels.
//!
//! First all key frames at least [`SAMPLE`] apart are decoded, one at a time. Two neighbours that differ, or a picture
//! between them that is much longer than its kind (a cut costs an encoder about as much as a key frame), make the stretch
//! between them a candidate; the most different candidates are then decoded picture by picture, within a budget, and cuts
//! are found exactly. Nothing that grows with the film is held but candidates, cuts and labels.

use super::cuts::{HARD, SOFT, changes_content};
use super::decode::{Decoder, Encoded, Fence, Frame, find_ffmpeg};
use super::failure::{Failure, Step};
use super::feature::Feature;
use super::packets::{self, Packet, Packets};
use super::refine;
use super::timeline::{self, Sample, Scene, TimedLabel};
use super::{FrameLabel, Labeller};
use crate::codec::ReadAt;
use crate::error::Result;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Least time between two key frames that are decoded, in milliseconds.
pub(super) const SAMPLE: i64 = 500;
/// A picture without reason to look at its labels again is looked at after so many milliseconds.
const LABEL: i64 = 5_000;
/// Most packets of one film.
const PACKETS: u64 = 20_000_000;
/// Pictures of a stretch in which a whole shot may lie, whatever the key frames around it look like.
const LONG: u64 = 24;
/// Most candidates that are remembered.
const CANDIDATES: usize = 20_000;
/// Most pictures that are labelled.
const LABELLED: usize = 20_000;

/// A film to analyse.
pub struct Film<'f> {
    /// Its bytes.
    pub source: &'f dyn ReadAt,
    /// Its key in the bucket: the extension breaks ties, and the files of a playlist are named relative to it.
    pub key: &'f str,
    /// Opens other files of its bucket by their keys.
    pub open: &'f (dyn Fn(&str) -> Result<Box<dyn ReadAt>> + Send + Sync),
}

/// How an analysis is watched. Called from several threads.
pub trait Observer: Sync {
    /// Whether to give up.
    fn is_stopped(&self) -> bool;
    /// How much is done, 0 to 100.
    fn progress(&self, percent: u8);
}

/// What an analysis may cost.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time for one film.
    pub deadline: Duration,
    /// The FFmpeg to decode what this process cannot; `None`: none.
    pub ffmpeg: Option<PathBuf>,
    /// Pictures that are decoded to find cuts between key frames, at least.
    pub closer_pictures: u64,
    /// The same as a share of all pictures.
    pub closer_share: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { deadline: Duration::from_secs(3600), ffmpeg: find_ffmpeg(), closer_pictures: 6000, closer_share: 0.1 }
    }
}

/// What a film shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The codec, as FFmpeg names it.
    pub codec: String,
    /// Milliseconds from the first picture to the end of the last one.
    pub duration: i64,
    /// Pictures of the film.
    pub pictures: u64,
    /// Pictures that were decoded.
    pub decoded: u64,
    /// Shots in their order, and what each shows.
    pub scenes: Vec<Scene>,
    /// Labels, the longest seen first.
    pub labels: Vec<TimedLabel>,
}

/// A stretch between two key frames that may hold a cut. Numbers count packets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The key frame before and the one behind, or the number of packets.
    pub(super) from: u64,
    pub(super) to: u64,
    /// When the key frame behind is shown.
    pub(super) end: i64,
    /// How much the key frames differ.
    pub(super) difference: f32,
    /// Whether more than the light differs.
    pub(super) content: bool,
    /// When the longest of the pictures that are much longer than others is shown.
    pub(super) spike: Option<i64>,
}

/// Finds the shots of a film and what they show.
pub fn analyze(film: &Film<'_>, labeller: &dyn Labeller, options: &Options, observer: &dyn Observer) -> Step<Summary> {
    let stopped = || observer.is_stopped();
    let begun = Instant::now();
    let deadline = begun.checked_add(options.deadline).unwrap_or(begun);
    let fence = Fence { deadline, allowed: options.deadline, stopped: &stopped };
    if !packets::is_playlist(film.source, film.key) {
        return run(&|| packets::open(film.source, film.key), labeller, options, (&fence, observer));
    }
    let joined = packets::playlist(film.source, film.key, film.open)?;
    run(&|| packets::open(&joined, joined.name()), labeller, options, (&fence, observer))
}

type Open<'a> = dyn Fn() -> Step<Box<dyn Packets + 'a>> + 'a;

fn run(
    open: &Open<'_>,
    labeller: &dyn Labeller,
    options: &Options,
    (fence, observer): (&Fence<'_>, &dyn Observer),
) -> Step<Summary> {
    let track = packets::described(open()?.as_mut())?;
    let decoder = Decoder::new(&track, options.ffmpeg.as_deref());
    let mut first = match keys(open, &decoder, labeller, (fence, observer)) {
        // Another decoder may do better; what one has found is no base for another.
        Err(failure) if failure.code.starts_with("UnsupportedCodec") && decoder.give_up() => {
            keys(open, &decoder, labeller, (fence, observer))?
        }
        other => other?,
    };
    let budget = options.closer_pictures.max((first.pictures as f64 * options.closer_share) as u64);
    let more = refine::closer(open, &decoder, labeller, (&first, budget), (fence, observer))?;
    first.samples.extend(more.samples);
    first.samples.sort_by_key(|(time, _)| *time);
    let duration = first.end();
    let cuts = more.cuts.into_iter().map(|cut| cut - first.start).collect();
    let shots = timeline::shots(cuts, duration);
    first.samples.iter_mut().for_each(|(time, _)| *time -= first.start);
    let labels = timeline::join(&shots, &first.samples);
    let scenes = timeline::scenes(&shots, &first.samples);
    observer.progress(100);
    let decoded = first.decoded + more.decoded;
    Ok(Summary { codec: track.codec.name, duration, pictures: first.pictures, decoded, scenes, labels })
}

/// What the key frames told.
pub(super) struct Keys {
    pub(super) candidates: Vec<Candidate>,
    pub(super) samples: Vec<Sample>,
    pub(super) pictures: u64,
    pub(super) decoded: u64,
    /// Times of the first picture and of the last one.
    pub(super) start: i64,
    last: i64,
}

impl Keys {
    /// Milliseconds from the first picture to the end of the last one.
    fn end(&self) -> i64 {
        let span = self.last - self.start;
        let steps = i64::try_from(self.pictures.saturating_sub(1)).unwrap_or(1).max(1);
        (span + (span + steps / 2) / steps).max(1)
    }
}

/// A key frame that is being decoded, and the stretch that it ends.
#[derive(Debug)]
struct Key {
    time: i64,
    number: u64,
    /// Number of the key frame before; its own where there is none.
    from: u64,
    /// The longest of the much longer pictures between the two: when it is shown, its length.
    spike: Option<(i64, u64)>,
}

/// The stretch at hand while packets are scanned.
#[derive(Debug)]
struct Stretch {
    from: u64,
    time: i64,
    spike: Option<(i64, u64)>,
}

/// The scan of packets: what lies between two decoded key frames.
struct Scan<'a> {
    film: Box<dyn Packets + 'a>,
    keys: Sender<Key>,
    stretch: Option<Stretch>,
    /// Mean length of pictures that need others, and length of the last key frame.
    usual: f64,
    key_len: u64,
    seen: Seen,
    len: u64,
    observer: &'a dyn Observer,
}

/// Counts over all packets.
#[derive(Debug, Clone, Copy)]
struct Seen {
    pictures: u64,
    first: i64,
    last: i64,
}

impl Scan<'_> {
    /// The next key frame to decode.
    fn next(&mut self) -> Step<Option<Encoded>> {
        while let Some(packet) = self.film.next()? {
            let number = self.seen.pictures;
            self.seen.pictures += 1;
            if self.seen.pictures > PACKETS {
                return Err(Failure::large(format!("The video has more than {PACKETS} pictures.")));
            }
            (self.seen.first, self.seen.last) = (self.seen.first.min(packet.time), self.seen.last.max(packet.time));
            if self.len > 0 && number.is_multiple_of(256) {
                let percent = packet.at.saturating_mul(80).checked_div(self.len).unwrap_or(0);
                self.observer.progress(u8::try_from(percent).unwrap_or(80).min(80));
            }
            let due = self.stretch.as_ref().is_none_or(|stretch| packet.time - stretch.time >= SAMPLE);
            if packet.key && due {
                self.end(number, &packet);
                let bytes = self.film.read(&packet)?;
                return Ok(Some(Encoded { time: packet.time, key: true, bytes }));
            }
            if !packet.key {
                self.between(&packet);
            }
        }
        Ok(None)
    }

    fn end(&mut self, number: u64, packet: &Packet) {
        self.key_len = packet.len;
        let ended = self.stretch.replace(Stretch { from: number, time: packet.time, spike: None });
        let (from, spike) = ended.map_or((number, None), |ended| (ended.from, ended.spike));
        // Whoever compares has gone only when the work was given up.
        drop(self.keys.send(Key { time: packet.time, number, from, spike }));
    }

    /// A picture that is four times as long as others of its kind and no small part of a key frame may begin a shot.
    fn between(&mut self, packet: &Packet) {
        let len = packet.len as f64;
        let long = self.usual > 0.0 && len > 4.0 * self.usual + 512.0 && len > 0.2 * self.key_len as f64;
        if let Some(stretch) = self.stretch.as_mut().filter(|_| long)
            && stretch.spike.is_none_or(|(_, longest)| longest < packet.len)
        {
            stretch.spike = Some((packet.time, packet.len));
        }
        if !long {
            self.usual = if self.usual == 0.0 { len.max(1.0) } else { self.usual * 0.9 + len * 0.1 };
        }
    }
}

/// Decodes and compares key frames.
fn keys(
    open: &Open<'_>,
    decoder: &Decoder<'_>,
    labeller: &dyn Labeller,
    (fence, observer): (&Fence<'_>, &dyn Observer),
) -> Step<Keys> {
    let (sender, supplied) = channel();
    let seen = Seen { pictures: 0, first: i64::MAX, last: i64::MIN };
    let film = open()?;
    let len = film.len();
    let mut scan = Scan { film, keys: sender, stretch: None, usual: 0.0, key_len: 0, seen, len, observer };
    let mut compare = Compare {
        labeller,
        supplied,
        pending: Vec::new(),
        before: None,
        labelled: None,
        samples: Vec::new(),
        candidates: Vec::new(),
    };
    let decoded = {
        let mut supply = || {
            fence.check()?;
            scan.next()
        };
        decoder.run(true, &mut supply, &mut |frame| compare.take(&frame), fence)?
    };
    if decoded == 0 {
        return Err(Failure::damaged("The video holds no picture that can be decoded."));
    }
    let Compare { mut candidates, samples, .. } = compare;
    // Behind the last key frame only long pictures and the length of the rest tell.
    let to = scan.seen.pictures;
    if let Some(Stretch { from, spike, .. }) = scan.stretch
        && (spike.is_some() || to.saturating_sub(from) >= LONG)
    {
        let spike = spike.map(|(time, _)| time);
        candidates.push(Candidate { from, to, end: i64::MAX, difference: 0.0, content: false, spike });
    }
    let Seen { pictures, first, last } = scan.seen;
    Ok(Keys { candidates, samples, pictures, decoded, start: first, last })
}

/// The comparison of decoded key frames.
struct Compare<'l> {
    labeller: &'l dyn Labeller,
    supplied: Receiver<Key>,
    /// Key frames that were supplied and have not come out of the decoder.
    pending: Vec<Key>,
    before: Option<Feature>,
    /// What was labelled last, and when.
    labelled: Option<(Feature, i64)>,
    samples: Vec<Sample>,
    candidates: Vec<Candidate>,
}

impl Compare<'_> {
    fn take(&mut self, frame: &Frame) -> Step<()> {
        self.pending.extend(self.supplied.try_iter());
        let (feature, time) = (Feature::of(frame), frame.time);
        // Key frames that were not decoded leave one longer stretch.
        if let Some(place) = self.pending.iter().position(|key| key.time == time) {
            let ended: Vec<Key> = self.pending.drain(..=place).collect();
            self.compare(&ended, &feature);
        }
        let due = self.labelled.as_ref().is_none_or(|(last, at)| last.distance(&feature) >= SOFT || time - at >= LABEL);
        if due && self.samples.len() < LABELLED {
            self.samples.push((time, label(self.labeller, frame)?));
            self.labelled = Some((feature.clone(), time));
        }
        self.before = Some(feature);
        Ok(())
    }

    fn compare(&mut self, ended: &[Key], feature: &Feature) {
        let (Some(before), Some(first), Some(last)) = (&self.before, ended.first(), ended.last()) else { return };
        let difference = before.distance(feature);
        let longest = ended.iter().filter_map(|key| key.spike).max_by_key(|(_, len)| *len);
        // A shot may begin and end between two key frames that are alike; the budget reaches such stretches last.
        let long = last.number.saturating_sub(first.from) >= LONG && self.candidates.len() < CANDIDATES / 2;
        if (difference >= SOFT || longest.is_some() || long) && self.candidates.len() < CANDIDATES {
            let content = changes_content(Some(before), Some(feature), difference);
            let (from, to, end, spike) = (first.from, last.number, last.time, longest.map(|(time, _)| time));
            self.candidates.push(Candidate { from, to, end, difference, content, spike });
        }
    }
}

/// The labels of a picture. A labeller that fails fails the film: its result would lack labels without saying so.
pub(super) fn label(labeller: &dyn Labeller, frame: &Frame) -> Step<Vec<FrameLabel>> {
    labeller.labels(frame).map_err(|e| Failure::system("label a picture", e.message()))
}

/// What a candidate is taken for without a closer look: a cut where the key frames are as different as a cut makes them.
pub(super) fn guess(candidate: &Candidate) -> Option<i64> {
    let cut = candidate.difference >= HARD && candidate.content && candidate.end != i64::MAX;
    cut.then(|| candidate.spike.unwrap_or(candidate.end))
}
