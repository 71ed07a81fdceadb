//! Packets of MPEG transport streams (ISO/IEC 13818-1, 2.4.3 and 2.4.4): one elementary packet is one picture.

use super::codec::{Codec, Shape, Track};
use super::key::{self, HEAD};
use super::{Packet, Packets};
use crate::codec::ReadAt;
use crate::extract::container::pes;
use crate::video::failure::{Failure, Step};
use crate::video::view::{LONGEST, View};

/// Bytes read at a time.
const WINDOW: usize = 64 << 10;
/// Bytes of a packet proper.
const PACKET: u64 = 188;
/// Packets looked at in search of the tables.
const SEARCH: u64 = 200_000;
/// Packets that may lack their mark in a row before the rest counts as damaged.
const LOST: u64 = 10_000;
/// Milliseconds that the clock may leap between pictures; beyond it, it was set anew.
const LEAP: i64 = 10_000;

/// Where packets lie: the first one, and from one to the next.
#[derive(Clone, Copy)]
struct Layout {
    lead: u64,
    step: u64,
}

/// An open stream.
pub(super) struct Transport<'a> {
    view: View<'a>,
    source: &'a dyn ReadAt,
    track: Track,
    layout: Layout,
    id: u16,
    at: u64,
    begun: Option<Begun>,
    clock: Clock,
}

/// A picture whose end has not been seen.
struct Begun {
    at: u64,
    time: Option<u64>,
    len: u64,
    random: bool,
    head: Vec<u8>,
}

/// One packet: its number, flags and payload.
struct Slot<'b> {
    id: u16,
    begins: bool,
    random: bool,
    body: &'b [u8],
}

/// Opens a stream.
pub(super) fn open(source: &dyn ReadAt) -> Step<Transport<'_>> {
    let mut view = View::new(source, WINDOW);
    let layout = layout(view.some(0, 8192)?);
    let layout = layout.ok_or_else(|| Failure::damaged("Expected packets that begin with 0x47."))?;
    let (mut maps, mut at) = (Vec::new(), layout.lead);
    for _ in 0..SEARCH {
        let bytes = view.some(at, 188)?;
        if bytes.len() < 188 {
            break;
        }
        if let Some(slot) = slot(bytes).filter(|slot| slot.begins) {
            if slot.id == 0 && maps.is_empty() {
                maps = section(slot.body, 0).map(programs).unwrap_or_default();
            } else if maps.contains(&slot.id)
                && let Some((id, codec)) = section(slot.body, 2).and_then(video)
            {
                let track = Track { codec, private: Vec::new(), shape: Shape::Plain, width: 0, height: 0 };
                let (at, begun, clock) = (layout.lead, None, Clock::default());
                return Ok(Transport { view, source, track, layout, id, at, begun, clock });
            }
        }
        at += layout.step;
    }
    Err(Failure::format("The stream's tables name no video that is known."))
}

/// Five packets in a row, or all there are, tell the layout: plain, of Blu-ray, or with error correction.
fn layout(head: &[u8]) -> Option<Layout> {
    let fits = |lead: usize, step: usize| {
        let mut marks = head.iter().skip(lead).step_by(step).take(5);
        marks.len() >= 2 && marks.all(|byte| *byte == 0x47)
    };
    let places = (0..head.len().min(1024)).flat_map(|lead| [188, 192, 204].map(|step| (lead, step)));
    let (lead, step) = places.into_iter().find(|(lead, step)| fits(*lead, *step))?;
    Some(Layout { lead: lead as u64, step: step as u64 })
}

/// 2.4.3.2 and 2.4.3.4
fn slot(bytes: &[u8]) -> Option<Slot<'_>> {
    let [0x47, high, low, control, rest @ ..] = bytes else { return None };
    if high & 0x80 != 0 || control & 0x10 == 0 {
        return None;
    }
    let id = u16::from_le_bytes([*low, high & 0x1F]);
    let (body, random) = if control & 0x20 != 0 {
        let len = usize::from(*rest.first()?);
        (rest.get(len + 1..)?, len > 0 && rest.get(1).is_some_and(|flags| flags & 0x40 != 0))
    } else {
        (rest, false)
    };
    Some(Slot { id, begins: high & 0x40 != 0, random, body })
}

/// The body of a section behind its header, without the checksum (2.4.4.3).
fn section(bytes: &[u8], table: u8) -> Option<&[u8]> {
    let (&pointer, rest) = bytes.split_first()?;
    let rest = rest.get(usize::from(pointer)..)?;
    let &[id, high, low, ..] = rest else { return None };
    let len = usize::from(high & 15) << 8 | usize::from(low);
    let end = (len + 3).checked_sub(4)?.min(rest.len());
    if id == table { rest.get(8..end) } else { None }
}

fn number(high: u8, low: u8) -> u16 {
    u16::from_le_bytes([low, high & 0x1F])
}

/// Packet numbers of the programs' maps.
fn programs(body: &[u8]) -> Vec<u16> {
    let entries = body.as_chunks::<4>().0.iter().filter(|[a, b, ..]| (*a, *b) != (0, 0));
    entries.map(|[_, _, high, low]| number(*high, *low)).collect()
}

/// The first stream of video in a map (2.4.4.8, table 2-34).
fn video(body: &[u8]) -> Option<(u16, Codec)> {
    let length = |high: u8, low: u8| usize::from(high & 15) << 8 | usize::from(low);
    let mut rest = body.get(4 + length(*body.get(2)?, *body.get(3)?)..)?;
    while let Some((&[kind, a, b, c, d], after)) = rest.split_first_chunk::<5>() {
        let name = match kind {
            0x01 => Some("mpeg1video"),
            0x02 | 0x80 => Some("mpeg2video"),
            0x10 => Some("mpeg4"),
            0x1B => Some("h264"),
            0x24 => Some("hevc"),
            _ => None,
        };
        if let Some(name) = name {
            return Some((number(a, b), Codec::named(name)));
        }
        rest = after.get(length(c, d).min(after.len())..)?;
    }
    None
}

/// Time stamps of 33 bits as one clock that only leaps where pictures are shown out of order.
#[derive(Default)]
struct Clock {
    /// The last stamp and the time that it stood for.
    last: Option<(u64, i64)>,
}

impl Clock {
    fn time(&mut self, stamp: Option<u64>) -> i64 {
        let Some((before, time)) = self.last else {
            let first = stamp.unwrap_or(0);
            self.last = Some((first, 0));
            return 0;
        };
        // Without a stamp: a picture later, at 25 a second.
        let Some(stamp) = stamp else {
            self.last = Some((before, time + 40));
            return time + 40;
        };
        let ahead = pes::since(before, stamp);
        let behind = pes::since(stamp, before);
        let ticks = if ahead <= behind { ahead.cast_signed() } else { behind.cast_signed().saturating_neg() };
        let step = (ticks + 45 * ticks.signum()) / 90;
        let step = if step.abs() > LEAP { 40 } else { step };
        self.last = Some((stamp, time + step));
        time + step
    }
}

impl Transport<'_> {
    fn end(&mut self, begun: &Begun, end: u64) -> Packet {
        let key = key::is_key(&self.track, &begun.head) || (begun.random && self.track.codec.name == "h264");
        let time = self.clock.time(begun.time);
        Packet { time, key, at: begun.at, span: end.saturating_sub(begun.at), len: begun.len }
    }
}

/// The picture that begins in a slot.
fn begin(slot: &Slot<'_>, at: u64) -> Option<Begun> {
    let [0, 0, 1, id, _, _, rest @ ..] = slot.body else { return None };
    let packet = pes::packet(*id, rest)?;
    let head = packet.body.iter().copied().take(HEAD).collect();
    Some(Begun { at, time: packet.shown, len: packet.body.len() as u64, random: slot.random, head })
}

impl Packets for Transport<'_> {
    fn track(&self) -> &Track {
        &self.track
    }

    fn next(&mut self) -> Step<Option<Packet>> {
        let mut lost = 0;
        loop {
            let at = self.at;
            let bytes = self.view.some(at, 188)?;
            if (bytes.len() as u64) < PACKET {
                let begun = self.begun.take();
                return Ok(begun.map(|begun| self.end(&begun, at)));
            }
            self.at += self.layout.step;
            let Some(slot) = slot(bytes) else {
                lost += 1;
                if lost > LOST {
                    return Err(Failure::damaged("Expected packets that begin with 0x47, got other bytes."));
                }
                continue;
            };
            if slot.id != self.id {
                continue;
            }
            if slot.begins {
                let next = begin(&slot, at);
                let ended = std::mem::replace(&mut self.begun, next);
                if let Some(ended) = ended {
                    return Ok(Some(self.end(&ended, at)));
                }
            } else if let Some(begun) = &mut self.begun {
                begun.len += slot.body.len() as u64;
                let room = HEAD.saturating_sub(begun.head.len());
                begun.head.extend(slot.body.iter().take(room));
            }
        }
    }

    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read(&self, packet: &Packet) -> Step<Vec<u8>> {
        if packet.len > LONGEST as u64 {
            return Err(Failure::large(format!("A picture has {} bytes, expected at most {LONGEST}.", packet.len)));
        }
        let mut view = View::new(self.source, WINDOW);
        let (mut at, mut picture) = (packet.at, Vec::new());
        while at < packet.at + packet.span {
            let bytes = view.some(at, 188)?;
            if let Some(slot) = slot(bytes).filter(|slot| slot.id == self.id) {
                match slot.body {
                    [0, 0, 1, id, _, _, rest @ ..] if slot.begins => {
                        picture.extend(pes::packet(*id, rest).map_or(&[][..], |packet| packet.body));
                    }
                    body => picture.extend(body),
                }
            }
            at += self.layout.step;
        }
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_wrap_and_are_set_anew() {
        let mut clock = Clock::default();
        let wrap = 1_u64 << 33;
        assert_eq!(clock.time(Some(wrap - 9000)), 0);
        assert_eq!(clock.time(Some(wrap - 1800)), 80);
        assert_eq!(clock.time(Some(wrap - 5400)), 40);
        assert_eq!(clock.time(Some(0)), 100);
        assert_eq!(clock.time(None), 140);
        assert_eq!(clock.time(Some(900_000_000)), 180);
        assert_eq!(clock.time(Some(900_003_600)), 220);
    }

    #[test]
    fn tables_name_the_video() {
        let map = [0xE1, 0, 0xF0, 2, 9, 9, 0x0F, 0xE1, 1, 0xF0, 0, 0x1B, 0xE1, 2, 0xF0, 0];
        assert_eq!(video(&map), Some((0x102, Codec::named("h264"))));
        assert_eq!(video(&map[..11]), None);
        assert_eq!(video(&[]), None);
        assert_eq!(programs(&[0, 0, 0xE0, 16, 0, 1, 0xF0, 0]), [0x1000]);
    }
}
