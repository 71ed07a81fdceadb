//! The closer look: candidates decoded picture by picture, the most different ones first, until the budget is spent.

use super::Labeller;
use super::cuts;
use super::decode::{Decoder, Encoded, Fence, Frame};
use super::failure::Step;
use super::feature::Feature;
use super::packets::{Packet, Packets};
use super::pipeline::{Candidate, Keys, Observer, guess, label};
use super::timeline::Sample;
use std::collections::BTreeSet;

/// Half the pictures of a stretch that are kept to be labelled, at most: of longer ones every so many-th.
const KEPT: usize = 96;
/// Longest stretch that is looked at, in pictures: half a minute at 30 a second, longer than encoders leave without key frame.
const LONGEST: u64 = 1000;
/// Most pictures behind a key frame that are shown before it.
const LEADING: u64 = 16;

/// What the closer look found, times as the container counts them.
#[derive(Default)]
pub(super) struct Closer {
    pub(super) cuts: Vec<i64>,
    pub(super) samples: Vec<Sample>,
    pub(super) decoded: u64,
}

type Open<'a> = dyn Fn() -> Step<Box<dyn Packets + 'a>> + 'a;

/// Finds the cuts in the candidates. Those that the budget does not reach are guessed.
pub(super) fn closer(
    open: &Open<'_>,
    decoder: &Decoder<'_>,
    labeller: &dyn Labeller,
    (keys, budget): (&Keys, u64),
    (fence, observer): (&Fence<'_>, &dyn Observer),
) -> Step<Closer> {
    let mut found = Closer::default();
    let chosen = if decoder.decodes_all() { choose(&keys.candidates, budget) } else { BTreeSet::new() };
    let others = keys.candidates.iter().enumerate().filter(|(at, _)| !chosen.contains(at));
    found.cuts.extend(others.filter_map(|(_, candidate)| guess(candidate)));
    if chosen.is_empty() {
        return Ok(found);
    }
    let mut film = open()?;
    let mut waiting = chosen.iter().filter_map(|at| keys.candidates.get(*at)).peekable();
    let mut active: Vec<(&Candidate, Vec<Packet>)> = Vec::new();
    let (mut number, mut done) = (0_u64, 0);
    while waiting.peek().is_some() || !active.is_empty() {
        let packet = film.next()?;
        while let Some(candidate) = waiting.next_if(|candidate| candidate.from <= number) {
            active.push((candidate, Vec::new()));
        }
        // Two stretches share the key frame between them.
        let mut ended = Vec::new();
        active.retain_mut(|(candidate, packets)| match packet {
            Some(packet) if number <= candidate.to || is_leading(&packet, candidate, number) => {
                packets.push(packet);
                true
            }
            _ => {
                ended.push((*candidate, std::mem::take(packets)));
                false
            }
        });
        for (candidate, packets) in ended {
            look(film.as_ref(), decoder, labeller, (candidate, &packets), fence, &mut found)?;
            done += 1;
            observer.progress(80 + u8::try_from(done * 19 / chosen.len()).unwrap_or(19));
        }
        if packet.is_none() {
            break;
        }
        if number.is_multiple_of(4096) {
            fence.check()?;
        }
        number += 1;
    }
    Ok(found)
}

/// Whether a picture behind the key frame that ends a stretch is shown before it.
fn is_leading(packet: &Packet, candidate: &Candidate, number: u64) -> bool {
    !packet.key && packet.time < candidate.end && number <= candidate.to.saturating_add(LEADING)
}

/// Decodes a stretch and judges it. One that the decoder cannot read is guessed.
fn look(
    film: &dyn Packets,
    decoder: &Decoder<'_>,
    labeller: &dyn Labeller,
    (candidate, packets): (&Candidate, &[Packet]),
    fence: &Fence<'_>,
    found: &mut Closer,
) -> Step<()> {
    let mut stretch = Stretch { from: packets.first().map_or(i64::MIN, |key| key.time), ..Stretch::default() };
    let mut encoded = packets.iter().map(|packet| {
        fence.check()?;
        Ok(Encoded { time: packet.time, key: packet.key, bytes: film.read(packet)? })
    });
    let decoded = decoder.run(
        false,
        &mut || encoded.next().transpose(),
        &mut |frame| {
            stretch.take(frame);
            Ok(())
        },
        fence,
    );
    match decoded {
        Ok(count) => {
            found.decoded += count;
            stretch.judge(labeller, found)
        }
        Err(failure) if failure.passing || failure.code == "TaskTimeout" => Err(failure),
        Err(_) => {
            found.cuts.extend(guess(candidate));
            Ok(())
        }
    }
}

/// The decoded pictures of a stretch, in the order in which they are shown.
struct Stretch {
    /// When the key frame that begins it is shown.
    from: i64,
    times: Vec<i64>,
    features: Vec<Feature>,
    /// Some of the pictures themselves, with their places: every so many-th.
    kept: Vec<(usize, Frame)>,
    every: usize,
}

impl Default for Stretch {
    fn default() -> Stretch {
        Stretch { from: i64::MIN, times: Vec::new(), features: Vec::new(), kept: Vec::new(), every: 1 }
    }
}

impl Stretch {
    fn take(&mut self, frame: Frame) {
        // Behind the key frame of an open group come pictures that are shown before it and refer to ones before it too: they
        // belong to the stretch before, and are broken here.
        if frame.time < self.from {
            return;
        }
        let place = self.features.len();
        self.times.push(frame.time);
        self.features.push(Feature::of(&frame));
        if place.is_multiple_of(self.every) {
            self.kept.push((place, frame));
        }
        if self.kept.len() >= 2 * KEPT {
            self.every *= 2;
            let every = self.every;
            self.kept.retain(|(place, _)| place.is_multiple_of(every));
        }
    }

    /// Finds the cuts, and labels a picture of each part that one begins.
    fn judge(mut self, labeller: &dyn Labeller, found: &mut Closer) -> Step<()> {
        // Decoders give pictures as they are shown. Containers that know only the order of decoding (AVI) have the times right
        // as a whole, but not for each picture.
        self.times.sort_unstable();
        let cuts = cuts::find(&self.features);
        for (at, cut) in cuts.iter().enumerate() {
            let end = cuts.get(at + 1).copied().unwrap_or(usize::MAX);
            let part: Vec<&(usize, Frame)> =
                self.kept.iter().filter(|(place, _)| (*cut..end).contains(place)).collect();
            if let Some((place, frame)) = part.get(part.len() / 2)
                && let Some(time) = self.times.get(*place)
            {
                found.samples.push((*time, label(labeller, frame)?));
            }
        }
        found.cuts.extend(cuts.into_iter().filter_map(|at| self.times.get(at).copied()));
        Ok(())
    }
}

/// The most different candidates that fit the budget; a long picture between alike key frames counts as a likely cut.
fn choose(candidates: &[Candidate], budget: u64) -> BTreeSet<usize> {
    let weight = |candidate: &Candidate| candidate.difference + if candidate.spike.is_some() { 1.0 } else { 0.0 };
    let mut ranked: Vec<(usize, &Candidate)> = candidates.iter().enumerate().collect();
    ranked.sort_by(|(a, one), (b, other)| weight(other).total_cmp(&weight(one)).then(a.cmp(b)));
    let mut left = budget;
    let affords = |(at, candidate): (usize, &Candidate)| {
        let cost = candidate.to.saturating_sub(candidate.from) + 1;
        let fits = cost <= LONGEST && cost <= left;
        left -= if fits { cost } else { 0 };
        fits.then_some(at)
    };
    ranked.into_iter().filter_map(affords).collect()
}
