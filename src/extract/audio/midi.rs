//! Standard MIDI files 1.0 (MIDI Manufacturers Association): notes, whose length the tempo events decide. Also inside
//! RIFF.

use super::tags::{self, Tag};
use crate::extract::stream::{Summary, float};
use crate::extract::{Facts, Group, Input, Parsed};

/// Most bytes of events that are read.
const BYTES: u64 = 1 << 20;
/// Most tempo changes that are kept.
const CHANGES: usize = 4096;
/// Most bytes of words.
const WORDS: usize = 64 << 10;
/// Microseconds of a quarter note where nothing is said.
const USUAL: u32 = 500_000;

/// What the tracks say together.
#[derive(Default)]
struct Song {
    /// Ticks of a quarter note, or below zero: frames of a second and ticks of a frame.
    division: u16,
    tracks: u16,
    /// Ticks from the start, and microseconds of a quarter note from there on.
    changes: Vec<(u64, u32)>,
    end: u64,
    words: String,
    named: bool,
}

/// Reads a MIDI file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_up_to(4)? == b"RIFF" {
        // The form type, then the one chunk `data`.
        input.skip(20, "RIFF header")?;
    }
    let mut song = Song::default();
    let read = song.chunks(input, facts);
    let read = facts.tolerate(read).map(|_| ());
    facts.add(input.format(), Group::Media, "TrackCount", 0, i64::from(song.tracks));
    if !song.words.is_empty() {
        tags::tag(facts, input.format(), Tag::Lyric, 0, std::mem::take(&mut song.words));
    }
    let duration = song.duration();
    Summary { format: ("midi", "Standard MIDI"), duration, ..Summary::default() }.publish(input, facts);
    read
}

impl Song {
    fn chunks(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        if input.array::<4>("mark of MIDI")? != *b"MThd" {
            return Err(input.malformed("expected the chunk MThd"));
        }
        let len = input.u32_be("length of the header")?;
        let end = input.position().saturating_add(len.into());
        input.skip(2, "kind of file")?;
        self.tracks = input.u16_be("number of tracks")?;
        self.division = input.u16_be("division")?;
        input.seek(end, "first track")?;
        while input.remaining() >= 8 {
            input.entry()?;
            let kind: [u8; 4] = input.array("chunk type")?;
            let len = u64::from(input.u32_be("chunk length")?);
            let start = input.position();
            let end = start.saturating_add(len).min(input.end());
            if kind == *b"MTrk" {
                let events = input.take_up_to(end.saturating_sub(start).min(BYTES))?;
                self.track(&events, start, input, facts);
            }
            input.seek(end, "next chunk")?;
        }
        Ok(())
    }

    /// Events up to the end of the track or the first one that makes no sense.
    fn track(&mut self, events: &[u8], offset: u64, input: &Input<'_>, facts: &mut Facts) {
        let (mut rest, mut ticks, mut running) = (events, 0_u64, 0_u8);
        while let Some((delta, after)) = number(rest) {
            ticks = ticks.saturating_add(delta);
            let Some(after) = self.event(after, &mut running, ticks, (offset, input, facts)) else { break };
            rest = after;
        }
        self.end = self.end.max(ticks);
    }

    /// The bytes behind one event.
    fn event<'b>(
        &mut self,
        bytes: &'b [u8],
        running: &mut u8,
        ticks: u64,
        (offset, input, facts): (u64, &Input<'_>, &mut Facts),
    ) -> Option<&'b [u8]> {
        let (&first, after) = bytes.split_first()?;
        match first {
            0xFF => {
                let (&kind, after) = after.split_first()?;
                let (len, after) = number(after)?;
                let (body, after) = after.split_at_checked(usize::try_from(len).ok()?)?;
                self.meta(kind, body, ticks, |tag, text| tags::tag(facts, input.format(), tag, offset, text));
                (kind != 0x2F).then_some(after)
            }
            0xF0 | 0xF7 => {
                let (len, after) = number(after)?;
                after.get(usize::try_from(len).ok()?..)
            }
            // A status, or data of the one before.
            _ => {
                let data = if first >= 0x80 { after } else { bytes };
                if first >= 0x80 {
                    *running = first;
                }
                let len = match *running >> 4 {
                    0xC | 0xD => 1,
                    8..=0xE => 2,
                    _ => return None,
                };
                data.get(len..)
            }
        }
    }

    fn meta(&mut self, kind: u8, body: &[u8], ticks: u64, mut add: impl FnMut(Tag, String)) {
        let text = || String::from_utf8_lossy(body).into_owned();
        match (kind, body) {
            (0x51, &[a, b, c]) if self.changes.len() < CHANGES => {
                self.changes.push((ticks, u32::from_le_bytes([c, b, a, 0])));
            }
            (0x02, _) => add(Tag::Copyright, text()),
            // The first track's name is that of the piece.
            (0x03, _) if !self.named && !body.is_empty() => {
                self.named = true;
                add(Tag::Title, text());
            }
            (0x05, _) if self.words.len() < WORDS => self.words.push_str(&text().replace('\r', "\n")),
            _ => {}
        }
    }

    /// Seconds from the first to the last event.
    fn duration(&mut self) -> Option<f64> {
        let [low, high] = self.division.to_le_bytes();
        if high & 0x80 != 0 {
            let frames = f64::from(high.wrapping_neg());
            return Some(float(self.end) / (frames * f64::from(low))).filter(|d| d.is_finite());
        }
        if self.division == 0 {
            return None;
        }
        self.changes.sort_by_key(|(at, _)| *at);
        let (mut at, mut tempo, mut microseconds) = (0_u64, USUAL, 0.0);
        for (change, next) in self.changes.iter().copied().chain([(self.end, 0)]) {
            let change = change.min(self.end);
            microseconds += float(change.saturating_sub(at)) * f64::from(tempo);
            (at, tempo) = (change, next);
        }
        Some(microseconds / f64::from(self.division) / 1e6)
    }
}

/// A number in up to four groups of seven bits, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        value = (value << 7) | u64::from(byte & 0x7F);
        rest = after;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};

    #[test]
    fn tempo_decides_the_length() {
        let chunk = |kind: &[u8; 4], body: &[u8]| [&kind[..], &[0, 0, 0, body.len() as u8], body].concat();
        let head = chunk(b"MThd", &[0, 1, 0, 2, 0, 96]);
        // Half a second a quarter, from tick 96 on a whole one; a name and words.
        let tempo =
            [&[0, 0xFF, 3, 4][..], b"Song", &[96, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, 0, 0xFF, 5, 2], b"La"].concat();
        let notes = [0, 0x90, 60, 64, 0x81, 0x40, 60, 0, 0, 0xFF, 0x2F, 0];
        let data = [head, chunk(b"MTrk", &tempo), chunk(b"MTrk", &notes)].concat();
        let facts = facts_of(parse, &data);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.5.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.find(Group::Tag, "Lyric"), Some(&"La".into()));
        survives(parse, &data, 200);
    }
}
