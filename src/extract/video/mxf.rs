//! MXF (SMPTE ST 377-1): the sets of the header metadata, and the first picture of the essence.

use crate::extract::bitstream;
use crate::extract::stream::{Coding, Kind, Ratio, Stream, Summary, float};
use crate::extract::{Facts, Group, Input, Moment, Parsed};
use std::collections::BTreeMap;

/// Packets looked at in search of the header metadata and the first picture.
const PACKETS: u32 = 2048;
/// Bytes of a picture that are looked at.
const PICTURE: u64 = 4096;
/// Most streams that are described.
const STREAMS: usize = 64;

/// The start of the keys of metadata sets, whose kind stands in the byte before the last (ST 377-1, 9.6).
const SET: [u8; 13] = *b"\x06\x0E\x2B\x34\x02\x53\x01\x01\x0D\x01\x01\x01\x01";
/// The start of the keys of essence (ST 379-2, 7).
const ESSENCE: [u8; 12] = *b"\x06\x0E\x2B\x34\x01\x02\x01\x01\x0D\x01\x03\x01";

/// What the sets say together.
#[derive(Default)]
struct Film {
    streams: Vec<Stream>,
    /// Edit rate of a track by the number of its sequence, and lengths of sequences.
    rates: BTreeMap<[u8; 16], Ratio>,
    lengths: BTreeMap<[u8; 16], u64>,
}

/// Reads a file of MXF.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut film = Film::default();
    let read = film.packets(input, facts);
    let read = facts.tolerate(read).map(|_| ());
    let runs = film.lengths.iter().filter_map(|(id, length)| Some(float(*length) / film.rates.get(id)?.value()));
    let duration = runs.fold(None, crate::extract::stream::longer).filter(|d| *d > 0.0);
    let mut streams = film.streams;
    streams.sort_by_key(|stream| stream.kind != Kind::Video);
    streams.iter_mut().for_each(|stream| stream.duration = stream.duration.or(duration));
    let format = ("mxf", "MXF (Material eXchange Format)");
    Summary { format, duration, streams, ..Summary::default() }.publish(input, facts);
    read
}

/// A length in BER (ST 336, 5.3): one byte, or a byte that says how many follow.
fn length(input: &mut Input<'_>) -> Parsed<u64> {
    let first = input.u8("length")?;
    if first & 0x80 == 0 {
        return Ok(first.into());
    }
    let mut value = 0_u64;
    for _ in 0..(first & 0x7F).min(8) {
        value = (value << 8) | u64::from(input.u8("length")?);
    }
    Ok(value)
}

impl Film {
    fn packets(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        for _ in 0..PACKETS {
            if input.remaining() < 17 {
                break;
            }
            input.entry()?;
            let key: [u8; 16] = input.array("key")?;
            let len = length(input)?;
            let part = input.position()..input.position().saturating_add(len);
            let [.., kind, _] = key;
            if key.starts_with(&SET) {
                let read = input.within(part, "set", |input| self.set(input, kind, facts));
                facts.tolerate(read)?;
                continue;
            }
            // Picture items of both generic containers, and compound ones.
            let essence = key.starts_with(&ESSENCE);
            let [.., group, _, _, _] = key;
            if essence && matches!(group, 0x05 | 0x15 | 0x18) {
                let bytes = input.take_up_to(PICTURE.min(len))?;
                let video = self.streams.iter_mut().find(|stream| stream.kind == Kind::Video);
                if let Some(video) = video {
                    bitstream::elementary(&bytes, video);
                }
                break;
            }
            input.seek(part.end.min(input.end()), "next packet")?;
        }
        Ok(())
    }

    /// A set of local tags, each with its length (ST 377-1, 9.6).
    fn set(&mut self, input: &mut Input<'_>, kind: u8, facts: &mut Facts) -> Parsed<()> {
        let mut items: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        let offset = input.position();
        while input.remaining() >= 4 {
            input.entry()?;
            let (tag, len) = (input.u16_be("local tag")?, input.u16_be("length of an item")?);
            let end = input.position().saturating_add(len.into());
            let value = input.take_up_to(u64::from(len).min(64))?;
            items.insert(tag, value);
            input.seek(end.min(input.end()), "next item")?;
        }
        let items = Items(items);
        match kind {
            0x30 => {
                if let Some(moment) = items.time(0x3C06) {
                    facts.add(input.format(), Group::Time, "Created", offset, moment);
                }
            }
            // Tracks name their sequence, sequences themselves.
            0x3A | 0x3B => {
                if let Some((id, rate)) = items.id(0x4803).zip(items.ratio(0x4B01)) {
                    self.rates.insert(id, rate);
                }
            }
            0x0F => {
                if let Some((id, length)) = items.id(0x3C0A).zip(items.number(0x0202)) {
                    self.lengths.insert(id, length.min(1 << 40));
                }
            }
            0x27..=0x29 | 0x51 | 0x42 | 0x47 | 0x48 if self.streams.len() < STREAMS => {
                self.streams.extend(items.stream());
            }
            _ => {}
        }
        Ok(())
    }
}

/// Values by local tag (ST 377-1, annexes A and B).
struct Items(BTreeMap<u16, Vec<u8>>);

impl Items {
    fn number(&self, tag: u16) -> Option<u64> {
        let bytes = self.0.get(&tag).filter(|bytes| bytes.len() <= 8)?;
        Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    fn small(&self, tag: u16) -> u32 {
        self.number(tag).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
    }

    fn ratio(&self, tag: u16) -> Option<Ratio> {
        let &[a, b, c, d, e, f, g, h] = self.0.get(&tag)?.first_chunk::<8>()?;
        Ratio::new(u32::from_le_bytes([d, c, b, a]).into(), u32::from_le_bytes([h, g, f, e]).into())
    }

    fn id(&self, tag: u16) -> Option<[u8; 16]> {
        self.0.get(&tag)?.first_chunk::<16>().copied()
    }

    /// Year, month, day, hour, minute, second, in UTC (ST 377-1, 4.3).
    fn time(&self, tag: u16) -> Option<Moment> {
        let &[high, low, month, day, hour, minute, second] = self.0.get(&tag)?.first_chunk::<7>()?;
        let small = |number: u8| i8::try_from(number).ok();
        let year = i16::try_from(u16::from_le_bytes([low, high])).ok()?;
        let (month, day, hour) = (small(month)?, small(day)?, small(hour)?);
        let clock = jiff::civil::DateTime::new(year, month, day, hour, small(minute)?, small(second)?, 0).ok()?;
        Some(Moment { clock, offset: Some(0) })
    }

    /// The stream that a descriptor describes.
    fn stream(&self) -> Option<Stream> {
        if let Some(rate) = self.ratio(0x3D03) {
            let (channels, bits) = (self.small(0x3D07), self.small(0x3D01));
            let codec = match bits {
                0..=16 => "pcm_s16le",
                17..=24 => "pcm_s24le",
                _ => "pcm_s32le",
            };
            let hertz = u32::try_from(rate.numer.checked_div(rate.denom)?).ok()?;
            let per_second = u64::from(hertz).saturating_mul(channels.into()).saturating_mul(bits.into());
            return Some(Stream {
                sample_rate: hertz,
                channels,
                bitrate: Some(per_second).filter(|rate| *rate > 0),
                time_base: Ratio::new(1, hertz.into()),
                ..Stream::of(Kind::Audio, codec)
            });
        }
        let (width, rows) = (self.small(0x3203), self.small(0x3202));
        if width == 0 {
            return None;
        }
        // Layout 1: each field has its rows for itself.
        let height = if self.small(0x320C) == 1 { rows.saturating_mul(2) } else { rows };
        let picture = self.ratio(0x320E);
        // The shape is that of the rows and columns that are shown.
        let shown = match (self.small(0x3209), self.small(0x3208)) {
            (0, _) | (_, 0) => (width, height),
            (across, down) if height > rows => (across, down.saturating_mul(2)),
            shown => shown,
        };
        let rate = self.ratio(0x3001);
        Some(Stream {
            width,
            height,
            pixel_aspect: picture.and_then(|shape| shape.times(Ratio::new(shown.1.into(), shown.0.into())?)),
            frame_rate: rate,
            average_rate: rate,
            time_base: rate.and_then(|rate| Ratio::new(rate.denom, rate.numer)),
            coding: self.coding(),
            ..Stream::of(Kind::Video, self.0.get(&0x3201).map_or("", |label| codec(label)))
        })
    }

    /// Sampling by the steps of the chroma samples across and down.
    fn coding(&self) -> Coding {
        let chroma = match (self.small(0x3302), self.small(0x3308)) {
            (2, 2) => Some(1),
            (2, _) => Some(2),
            (1, _) => Some(3),
            _ => None,
        };
        Coding { chroma, depth: u8::try_from(self.small(0x3301)).unwrap_or(0), ..Coding::default() }
    }
}

/// Labels of picture coding (SMPTE RP 224, 04.01.02.02).
fn codec(label: &[u8]) -> &'static str {
    match label.get(8..) {
        Some([4, 1, 2, 2, 1, 0x20, ..]) => "mpeg4",
        Some([4, 1, 2, 2, 1, 0x31..=0x3F, ..]) => "h264",
        Some([4, 1, 2, 2, 1, ..]) => "mpeg2video",
        Some([4, 1, 2, 2, 2, ..]) => "dvvideo",
        Some([4, 1, 2, 2, 3, 1, ..]) => "jpeg2000",
        Some([4, 1, 2, 2, 3, 6, ..]) => "prores",
        Some([4, 1, 2, 2, 0x71, ..]) => "dnxhd",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn be(number: u32) -> Vec<u8> {
        number.to_le_bytes().into_iter().rev().collect()
    }

    fn set(kind: u8, items: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let item = |(tag, value): &(u16, Vec<u8>)| {
            let head = [(tag >> 8) as u8, *tag as u8, 0, value.len() as u8];
            [&head[..], value].concat()
        };
        let body: Vec<u8> = items.iter().flat_map(item).collect();
        [&SET[..], &[1, kind, 0, 0x83, 0, 0, body.len() as u8], &body].concat()
    }

    fn sample() -> Vec<u8> {
        let rate = [be(25), be(1)].concat();
        let label = b"\x06\x0E\x2B\x34\x04\x01\x01\x03\x04\x01\x02\x02\x01\x01\x11\0".to_vec();
        let picture = [
            (0x3001, rate.clone()),
            (0x3201, label),
            (0x3202, be(288)),
            (0x3203, be(720)),
            (0x320C, vec![1]),
            (0x320E, [be(16), be(9)].concat()),
        ];
        let sound = [(0x3D03, [be(48_000), be(1)].concat()), (0x3D07, be(2)), (0x3D01, be(24))];
        let created = vec![7, 0xD3, 3, 10, 15, 4, 43, 0];
        let sets = [
            set(0x30, &[(0x3C06, created)]),
            set(0x3B, &[(0x4803, vec![9; 16]), (0x4B01, rate)]),
            set(0x0F, &[(0x3C0A, vec![9; 16]), (0x0202, [be(0), be(100)].concat())]),
            set(0x48, &sound),
            set(0x51, &picture),
        ];
        sets.concat()
    }

    #[test]
    fn descriptors_length_and_time() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&4.0.into()));
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("mpeg2video"));
        assert_eq!(video.text(field::VIDEO_SAMPLE_ASPECT_RATIO), Some("64:45"));
        assert_eq!(video.get(field::VIDEO_INDEX), Some(&Value::Int(0)));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CODEC_NAME), Some("pcm_s24le"));
        assert!(facts.find(Group::Time, "Created").is_some());
        survives(parse, &sample(), 400);
    }
}
