//! MPEG transport streams (ISO/IEC 13818-1, 2.4.3), also with the time codes of Blu-ray in front of each packet.

use super::{Elementary, tables};
use crate::extract::container::pes;
use crate::extract::stream::Kind;
use crate::extract::{Facts, Input, Parsed};

/// Bytes read at a time, and how often, in search of every stream's header.
const WINDOW: u64 = 64 << 10;
const WINDOWS: u32 = 6;
/// Windows read at the end in search of the last time stamps.
const TAILS: u64 = 4;
/// Most streams that are described.
const STREAMS: usize = 64;
/// Bytes of a packet proper.
const PACKET: usize = 188;
/// Bytes searched for the first packet.
const LEAD: u64 = 4096;

/// How packets lie in the file: where the first one begins, and from one to the next.
#[derive(Clone, Copy)]
struct Layout {
    lead: u64,
    step: u64,
}

/// What the packets say together.
#[derive(Default)]
struct Multiplex {
    maps: Vec<u16>,
    /// Maps that were read.
    read: Vec<u16>,
    found: Vec<Elementary>,
    /// Whether packets came in front of the tables.
    missed: bool,
}

/// Reads a transport stream.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut multiplex = Multiplex::default();
    let read = both_ends(input, &mut multiplex);
    let read = facts.tolerate(read).map(|_| ());
    let programs = u64::try_from(multiplex.read.len()).ok();
    super::publish(("mpegts", "MPEG-TS (MPEG-2 Transport Stream)"), programs, multiplex.found, input, facts);
    read
}

fn both_ends(input: &mut Input<'_>, multiplex: &mut Multiplex) -> Parsed<()> {
    let Some(layout) = layout(input.peek_up_to(LEAD)?) else {
        return Err(input.malformed("expected packets that begin with 0x47"));
    };
    input.seek(layout.lead, "first packet")?;
    for _ in 0..WINDOWS {
        let bytes = window(input, layout)?;
        if bytes.is_empty() || multiplex.complete() {
            break;
        }
        packets(&bytes, layout, |packet| multiplex.head(packet));
        // The tables stand in the middle of what was cut out of a longer stream: once more from the start.
        if multiplex.missed && !multiplex.found.is_empty() {
            multiplex.missed = false;
            multiplex.again();
            input.seek(layout.lead, "first packet")?;
        }
    }
    let size = whole_packets(layout);
    let all = input.file_len().saturating_sub(layout.lead);
    for back in 1..=TAILS {
        let at = all.saturating_sub(size.saturating_mul(back));
        let at = at.saturating_sub(at.checked_rem(layout.step).unwrap_or(0));
        input.seek(layout.lead.saturating_add(at), "last packets")?;
        let bytes = window(input, layout)?;
        packets(&bytes, layout, |packet| multiplex.tail(packet));
        let timed = |one: &&Elementary| matches!(one.stream.kind, Kind::Video | Kind::Audio) && one.first.is_some();
        if at == 0 || multiplex.found.iter().filter(timed).all(|one| one.last.is_some()) {
            break;
        }
    }
    Ok(())
}

/// Five packets in a row (or all there are) tell the layout.
fn layout(head: &[u8]) -> Option<Layout> {
    let steps = [188_usize, 192, 204];
    let fits = |lead: usize, step: usize| {
        let mut marks = head.iter().skip(lead).step_by(step).take(5);
        let count = marks.clone().count();
        count >= 2 && marks.all(|byte| *byte == 0x47)
    };
    let places = (0..head.len().min(1024)).filter(|lead| head.get(*lead) == Some(&0x47));
    let (lead, step) =
        places.flat_map(|lead| steps.map(|step| (lead, step))).find(|(lead, step)| fits(*lead, *step))?;
    Some(Layout { lead: u64::try_from(lead).ok()?, step: u64::try_from(step).ok()? })
}

/// Bytes of a window that holds whole packets.
fn whole_packets(layout: Layout) -> u64 {
    WINDOW.saturating_sub(WINDOW.checked_rem(layout.step).unwrap_or(0))
}

fn window(input: &mut Input<'_>, layout: Layout) -> Parsed<Vec<u8>> {
    input.take_up_to(whole_packets(layout))
}

/// One packet: its number, whether a unit begins in it, its payload.
struct TsPacket<'b> {
    id: u16,
    begins: bool,
    body: &'b [u8],
}

fn packets<'b>(bytes: &'b [u8], layout: Layout, mut take: impl FnMut(&TsPacket<'b>)) {
    let step = usize::try_from(layout.step).unwrap_or(PACKET);
    for slot in bytes.chunks(step) {
        if let Some(packet) = slot.get(..PACKET.min(slot.len())).and_then(packet) {
            take(&packet);
        }
    }
}

/// 2.4.3.2
fn packet(bytes: &[u8]) -> Option<TsPacket<'_>> {
    let [0x47, high, low, control, rest @ ..] = bytes else { return None };
    // Damaged or scrambled packets say nothing.
    if high & 0x80 != 0 || control & 0x10 == 0 {
        return None;
    }
    let id = u16::from_le_bytes([*low, high & 0x1F]);
    let body = if control & 0x20 != 0 { rest.get(usize::from(*rest.first()?).checked_add(1)?..)? } else { rest };
    Some(TsPacket { id, begins: high & 0x40 != 0, body })
}

impl Multiplex {
    /// Whether every stream has its header and its first time.
    fn complete(&self) -> bool {
        // Streams of other kinds may pause for long.
        let all = self.found.iter().all(|one| match one.stream.kind {
            Kind::Video => one.known && one.times.len() >= 8,
            Kind::Audio => one.known && one.first.is_some(),
            _ => true,
        });
        !self.maps.is_empty() && self.read.len() == self.maps.len() && !self.found.is_empty() && all
    }

    fn head(&mut self, packet: &TsPacket<'_>) {
        if packet.id == 0 {
            if let Some(body) = tables::section(packet.body, 0).filter(|_| packet.begins && self.maps.is_empty()) {
                self.maps = tables::programs(body);
                self.maps.truncate(STREAMS);
            }
            return;
        }
        if self.maps.contains(&packet.id) {
            if packet.begins && !self.read.contains(&packet.id) {
                self.map(packet);
            }
            return;
        }
        self.missed |= self.found.is_empty() && packet.begins && packet.body.starts_with(&[0, 0, 1]);
        let Some(one) = self.found.iter_mut().find(|one| one.id == packet.id) else { return };
        if packet.begins {
            if let Some((_, unit)) = unit(packet.body) {
                one.begin(&unit);
            }
        } else {
            one.more(packet.body);
        }
    }

    /// Forgets what the packets said, and keeps what the tables said.
    fn again(&mut self) {
        for one in &mut self.found {
            *one = Elementary::new(one.id, std::mem::take(&mut one.stream));
        }
    }

    fn map(&mut self, packet: &TsPacket<'_>) {
        let Some(streams) = tables::section(packet.body, 2).and_then(tables::streams) else { return };
        self.read.push(packet.id);
        for (id, stream) in streams {
            if self.found.len() < STREAMS && self.found.iter().all(|one| one.id != id) {
                self.found.push(Elementary::new(id, stream));
            }
        }
    }

    fn tail(&mut self, packet: &TsPacket<'_>) {
        let Some(one) = self.found.iter_mut().find(|one| one.id == packet.id) else { return };
        match unit(packet.body).filter(|_| packet.begins) {
            Some((_, unit)) => one.end(&unit),
            None => one.end_more(packet.body),
        }
    }
}

/// The elementary packet that begins here, with its stream number.
fn unit(body: &[u8]) -> Option<(u8, pes::Packet<'_>)> {
    let [0, 0, 1, id, _, _, rest @ ..] = body else { return None };
    Some((*id, pes::packet(*id, rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn slot(id: u16, begins: bool, body: &[u8]) -> Vec<u8> {
        let stuffing = 184 - body.len();
        let mut out = vec![0x47, (id >> 8) as u8 | if begins { 0x40 } else { 0 }, id as u8, 0x30];
        if stuffing == 0 {
            out[3] = 0x10;
        } else {
            out.push(stuffing as u8 - 1);
            out.extend(std::iter::repeat_n(0, stuffing - 1));
        }
        [out, body.to_vec()].concat()
    }

    fn table(id: u8, body: &[u8]) -> Vec<u8> {
        let len = body.len() + 9;
        [&[0, id, 0xB0 | (len >> 8) as u8, len as u8, 0, 1, 0xC1, 0, 0], body, &[0; 4]].concat()
    }

    fn timed(id: u8, ticks: u64, body: &[u8]) -> Vec<u8> {
        let stamp = [
            0x21 | (ticks >> 29 & 0x0E) as u8,
            (ticks >> 22) as u8,
            (ticks >> 14) as u8 | 1,
            (ticks >> 7) as u8,
            (ticks << 1) as u8 | 1,
        ];
        [&[0, 0, 1, id, 0, 0, 0x80, 0x80, 5][..], &stamp, body].concat()
    }

    fn sample(lead: usize) -> Vec<u8> {
        let map = [&[0xE1, 0, 0xF0, 0][..], &[0x02, 0xE1, 0, 0xF0, 0], &[0x03, 0xE1, 1, 0xF0, 6], &[10, 4], b"eng\0"];
        let head = [0, 0, 1, 0xB3, 0x2D, 0x02, 0x40, 0x33, 0x24, 0x9F, 0x23, 0x81];
        let sound = [0xFF, 0xFD, 0x84, 0x00];
        let mut slots = vec![slot(0, true, &table(0, &[0, 1, 0xF0, 0])), slot(0x1000, true, &table(2, &map.concat()))];
        for frame in 0..100_u64 {
            slots.push(slot(0x100, true, &timed(0xE0, 90_000 + frame * 3600, &head)));
            slots.push(slot(0x101, true, &timed(0xC0, 90_000 + frame * 3600, &sound)));
        }
        slots.iter().flat_map(|slot| [vec![0; lead], slot.clone()].concat()).collect()
    }

    #[test]
    fn streams_and_times_with_and_without_time_codes() {
        for lead in [0, 4] {
            let facts = facts_of(parse, &sample(lead));
            assert_eq!(facts.find(Group::Media, "Duration"), Some(&4.0.into()));
            assert_eq!(facts.find(Group::Media, "StartTime"), Some(&1.0.into()));
            assert_eq!(facts.find(Group::Media, "ProgramCount"), Some(&1_i64.into()));
            let video = &facts.video_streams[0];
            assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("mpeg1video"));
            assert_eq!(video.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(720)));
            assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("25/1"));
            let audio = &facts.audio_streams[0];
            assert_eq!(audio.text(field::AUDIO_LANGUAGE), Some("eng"));
            assert_eq!(audio.get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(48_000)));
        }
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(0)[..188 * 8], 188 * 6);
    }
}
