//! MPEG program streams (ISO/IEC 13818-1, 2.5; ISO/IEC 11172-1), as on DVDs, and bare MPEG video.

use super::Elementary;
use crate::extract::bitstream;
use crate::extract::container::pes;
use crate::extract::stream::{Kind, Stream, Summary, float};
use crate::extract::{Facts, Input, Parsed, length};

/// Bytes read at the start and at the end.
const HEAD: u64 = 256 << 10;
const TAIL: u64 = 128 << 10;
/// Bytes of bare video in which pictures are counted; the rest is taken to be like them.
const COUNTED: u64 = 1 << 20;
/// Most streams that are described.
const STREAMS: usize = 64;

/// What the packets say together.
#[derive(Default)]
struct Program {
    found: Vec<Elementary>,
    /// Codecs by stream number, from a program stream map.
    map: Vec<(u8, (Kind, &'static str))>,
}

/// Reads a program stream.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_up_to(4)? == [0, 0, 1, 0xB3] {
        return bare(input, facts);
    }
    let mut program = Program::default();
    let read = both_ends(input, &mut program);
    let read = facts.tolerate(read).map(|_| ());
    super::publish(("mpeg", "MPEG-PS (MPEG-2 Program Stream)"), None, program.found, input, facts);
    read
}

/// Video without a container: as long as its pictures, else as its bit rate says.
fn bare(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(COUNTED)?;
    let mut stream = Stream::of(Kind::Video, "mpeg2video");
    bitstream::mpeg2::sequence(&bytes, &mut stream);
    stream.frame_rate = stream.coded_rate;
    let pictures = float(bitstream::pictures::pictures(stream.codec, &bytes));
    let share = float(input.file_len()) / float(length(bytes.len())).max(1.0);
    let counted = stream.coded_rate.map(|rate| pictures * share / rate.value()).filter(|d| *d > 0.0);
    let by_rate = stream.bitrate.filter(|rate| *rate > 0).map(|rate| float(input.file_len()) * 8.0 / float(rate));
    stream.duration = counted.or(by_rate);
    Summary { format: ("mpegvideo", "raw MPEG video"), streams: vec![stream], ..Summary::default() }
        .publish(input, facts);
    Ok(())
}

fn both_ends(input: &mut Input<'_>, program: &mut Program) -> Parsed<()> {
    let mut left = HEAD;
    while left > 0 && !program.complete() {
        let bytes = input.take_up_to(left.min(64 << 10))?;
        if bytes.is_empty() {
            break;
        }
        // A packet may go on behind the window: its next one is met all the same.
        packets(&bytes, |id, body| program.head(id, body));
        left = left.saturating_sub(64 << 10);
    }
    let end = input.file_len();
    input.seek(end.saturating_sub(TAIL), "last packets")?;
    let bytes = input.take_up_to(TAIL)?;
    packets(&bytes, |id, body| program.tail(id, body));
    Ok(())
}

/// Packets behind start codes: a stream number, a length of two bytes, the body.
fn packets<'b>(bytes: &'b [u8], mut take: impl FnMut(u8, &'b [u8])) {
    let mut rest = bytes;
    while let Some(at) = rest.windows(4).position(|four| matches!(four, [0, 0, 1, 0xB9..=0xFF])) {
        let Some(&[_, _, _, id, high, low]) = rest.get(at..).and_then(<[u8]>::first_chunk::<6>) else { return };
        let body = rest.get(at.saturating_add(6)..).unwrap_or(&[]);
        // A pack header and an end code have no length: what follows them is searched.
        let len = if matches!(id, 0xB9 | 0xBA) { 0 } else { usize::from(u16::from_le_bytes([low, high])) };
        let (body, after) = body.split_at_checked(len).unwrap_or((body, &[]));
        if id > 0xBB {
            take(id, body);
        }
        rest = if len == 0 { rest.get(at.saturating_add(4)..).unwrap_or(&[]) } else { after };
    }
}

impl Program {
    fn complete(&self) -> bool {
        // Private streams begin late: a few packets of each known one are waited for.
        !self.found.is_empty() && self.found.iter().all(|one| one.known && one.times.len() >= 24)
    }

    fn head(&mut self, id: u8, body: &[u8]) {
        if id == 0xBC {
            self.map = map(body).unwrap_or_default();
            return;
        }
        let Some((key, packet)) = self.packet(id, body) else { return };
        if !self.found.iter().any(|one| one.id == key) && self.found.len() < STREAMS {
            let (kind, codec) = self.codec(id, key, packet.body);
            self.found.push(Elementary::new(key, Stream::of(kind, codec)));
        }
        if let Some(one) = self.found.iter_mut().find(|one| one.id == key) {
            one.begin(&packet);
        }
    }

    fn tail(&mut self, id: u8, body: &[u8]) {
        let Some((key, packet)) = self.packet(id, body) else { return };
        if let Some(one) = self.found.iter_mut().find(|one| one.id == key) {
            one.end(&packet);
        }
    }

    /// The packet and the number of its stream: private streams are told apart by their first byte (DVD-Video).
    fn packet<'b>(&self, id: u8, body: &'b [u8]) -> Option<(u16, pes::Packet<'b>)> {
        if !matches!(id, 0xBD | 0xC0..=0xEF | 0xFD) {
            return None;
        }
        let mut packet = pes::packet(id, body)?;
        if id != 0xBD {
            return Some((id.into(), packet));
        }
        let (&sub, rest) = packet.body.split_first()?;
        // Four bytes in front of sound say where its first frame begins.
        packet.body = if sub >= 0x80 { rest.get(3..)? } else { rest };
        Some((u16::from_le_bytes([sub, id]), packet))
    }

    fn codec(&self, id: u8, key: u16, body: &[u8]) -> (Kind, &'static str) {
        if let Some((_, known)) = self.map.iter().find(|(known, _)| *known == id) {
            return *known;
        }
        let [sub, _] = key.to_le_bytes();
        match (id, sub) {
            (0xE0..=0xEF, _) if body.starts_with(&[0, 0, 0, 1]) || body.starts_with(&[0, 0, 1, 9]) => {
                (Kind::Video, "h264")
            }
            (0xE0..=0xEF, _) => (Kind::Video, "mpeg2video"),
            (0xC0..=0xDF, _) if matches!(body, [0xFF, 0xF0 | 0xF1 | 0xF8 | 0xF9, ..]) => (Kind::Audio, "aac"),
            (0xC0..=0xDF, _) => (Kind::Audio, "mp2"),
            (0xFD, _) => (Kind::Video, "vc1"),
            (_, 0x20..=0x3F) => (Kind::Subtitle, "dvd_subtitle"),
            (_, 0x80..=0x87 | 0xC0..=0xCF) => (Kind::Audio, "ac3"),
            (_, 0x88..=0x8F) => (Kind::Audio, "dts"),
            (_, 0xA0..=0xAF) => (Kind::Audio, "pcm_dvd"),
            _ => (Kind::Other, ""),
        }
    }
}

/// A program stream map (2.5.4): types by stream number.
fn map(body: &[u8]) -> Option<Vec<(u8, (Kind, &'static str))>> {
    let &[_, _, high, low, ..] = body else { return None };
    let info = usize::from(u16::from_le_bytes([low, high]));
    let mut rest = body.get(info.checked_add(6)?..)?;
    let mut found = Vec::new();
    while let Some((&[code, id, high, low], after)) = rest.split_first_chunk::<4>() {
        found.extend(super::tables::by_type(code, false).map(|known| (id, known)));
        rest = after.get(usize::from(u16::from_le_bytes([low, high]))..)?;
        // The checksum ends the map.
        if rest.len() <= 4 {
            break;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn timed(id: u8, ticks: u64, body: &[u8]) -> Vec<u8> {
        let stamp = [
            0x21 | (ticks >> 29 & 0x0E) as u8,
            (ticks >> 22) as u8,
            (ticks >> 14) as u8 | 1,
            (ticks >> 7) as u8,
            (ticks << 1) as u8 | 1,
        ];
        let len = ((body.len() + 8) as u16).to_le_bytes();
        [&[0, 0, 1, id, len[1], len[0], 0x80, 0x80, 5][..], &stamp, body].concat()
    }

    fn sample() -> Vec<u8> {
        let pack = [0, 0, 1, 0xBA, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xF8];
        let head = [0, 0, 1, 0xB3, 0x2D, 0x02, 0x40, 0x33, 0x24, 0x9F, 0x23, 0x81];
        let dolby = [0x80, 1, 0, 1, 0x0B, 0x77, 0, 0, 0x1E, 0x40, 0xE1, 0];
        let mut all = Vec::new();
        for frame in 0..50_u64 {
            let ticks = 9_000 + frame * 3600;
            all.extend([&pack[..], &timed(0xE0, ticks, &head), &timed(0xBD, ticks, &dolby)].concat());
        }
        all
    }

    #[test]
    fn video_and_private_sound() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&2.0.into()));
        assert_eq!(facts.video_streams[0].get(field::VIDEO_STREAM_HEIGHT), Some(&Value::Int(576)));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CODEC_NAME), Some("ac3"));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CHANNEL_LAYOUT), Some("5.1(side)"));
    }

    #[test]
    fn bare_video_is_as_long_as_its_rate_says() {
        let head = [0, 0, 1, 0xB3, 0x2D, 0x02, 0x40, 0x33, 0x24, 0x9F, 0x23, 0x81];
        let facts = facts_of(parse, &[&head[..], &[0; 100_000]].concat());
        assert_eq!(facts.find(Group::Media, "FormatName"), Some(&"mpegvideo".into()));
        assert!(facts.find(Group::Media, "Duration").is_some());
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample()[..400], 400);
    }
}
