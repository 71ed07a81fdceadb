//! One track entry (RFC 9559, 5.1.4.1).

use super::blocks::First;
use super::codes;
use crate::extract::bitstream;
use crate::extract::container::ebml;
use crate::extract::stream::{
    Colour, Kind, Ratio, Stream, content_light, dolby_vision, float, mastering_display, whole,
};
use crate::extract::{Input, Parsed};

const NUMBER: u32 = 0xD7;
const UID: u32 = 0x73C5;
const DELAY: u32 = 0x56AA;
const ENCODINGS: u32 = 0x6D80;
const ENCODING: u32 = 0x6240;
const COMPRESSION: u32 = 0x5034;
const STRIPPED: u32 = 0x4255;
const ADDITION: u32 = 0x41E4;
const ADDITION_TYPE: u32 = 0x41E7;
const ADDITION_DATA: u32 = 0x41ED;
const PROJECTION: u32 = 0x7670;
const ROLL: u32 = 0x7675;
const MASTERING: u32 = 0x55D0;
const MOST_LIGHT: u32 = 0x55BC;
const AVERAGE_LIGHT: u32 = 0x55BD;
const TYPE: u32 = 0x83;
const CODEC: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63A2;
const LANGUAGE: u32 = 0x0022_B59C;
const LANGUAGE_BCP47: u32 = 0x0022_B59D;
const DEFAULT_DURATION: u32 = 0x0023_E383;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;
const DISPLAY_WIDTH: u32 = 0x54B0;
const DISPLAY_HEIGHT: u32 = 0x54BA;
const DISPLAY_UNIT: u32 = 0x54B2;
const COLOUR: u32 = 0x55B0;
const MATRIX: u32 = 0x55B1;
const RANGE: u32 = 0x55B9;
const TRANSFER: u32 = 0x55BA;
const PRIMARIES: u32 = 0x55BB;
const AUDIO: u32 = 0xE1;
const RATE: u32 = 0xB5;
const OUTPUT_RATE: u32 = 0x78B5;
const CHANNELS: u32 = 0x9F;
const BIT_DEPTH: u32 = 0x6264;

/// Bytes of private data that are looked at.
const PRIVATE: u64 = 4096;

/// What a track entry says.
#[derive(Default)]
pub(super) struct Track {
    pub(super) number: u64,
    /// Tags name it by this number.
    pub(super) uid: u64,
    kind: u64,
    codec: String,
    private: Vec<u8>,
    language: Option<String>,
    /// Nanoseconds of a frame.
    pub(super) frame: u64,
    /// Nanoseconds that a decoder leaves out at the start.
    delay: u64,
    size: (u32, u32),
    display: (u32, u32),
    display_unit: u64,
    rate: f64,
    output_rate: f64,
    channels: u32,
    bits: u32,
    /// Degrees that the picture is rolled to the left.
    roll: f64,
    colour: Colour,
    /// What mastering and Dolby Vision say, as facts.
    pub(super) notes: Vec<(&'static str, String)>,
    /// Bytes that were taken from the start of each frame (5.1.4.1.31.7).
    pub(super) stripped: Vec<u8>,
    /// Described once the entry is read.
    pub(super) stream: Stream,
    /// Width of the lengths in front of units.
    pub(super) lengths: Option<usize>,
    pub(super) first: First,
}

fn small(input: &mut Input<'_>) -> Parsed<u32> {
    Ok(u32::try_from(ebml::unsigned(input)?).unwrap_or(0))
}

impl Track {
    pub(super) fn read(input: &mut Input<'_>) -> Parsed<Track> {
        // Defaults of RFC 9559, 5.1.4.1.29.
        let mut track = Track { rate: 8000.0, channels: 1, ..Track::default() };
        ebml::each(input, |input, element| {
            match element.id {
                NUMBER => track.number = ebml::unsigned(input)?,
                UID => track.uid = ebml::unsigned(input)?,
                DELAY => track.delay = ebml::unsigned(input)?,
                ENCODINGS => track.encodings(input)?,
                ADDITION => track.addition(input)?,
                TYPE => track.kind = ebml::unsigned(input)?,
                CODEC => track.codec = ebml::text(input)?,
                CODEC_PRIVATE => track.private = input.take_up_to(PRIVATE)?,
                LANGUAGE if track.language.is_none() => track.language = Some(ebml::text(input)?),
                LANGUAGE_BCP47 => track.language = Some(ebml::text(input)?),
                DEFAULT_DURATION => track.frame = ebml::unsigned(input)?,
                VIDEO => track.video(input)?,
                AUDIO => track.audio(input)?,
                _ => {}
            }
            Ok(())
        })?;
        track.describe();
        Ok(track)
    }

    /// Headers taken out of every frame: the only encoding that leaves the frames readable.
    fn encodings(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| match element.id {
            ENCODING | COMPRESSION => self.encodings(input),
            STRIPPED => {
                self.stripped = input.take_up_to(256)?;
                Ok(())
            }
            _ => Ok(()),
        })
    }

    /// A block addition mapping (RFC 9559, 5.1.4.1.17): Dolby Vision's configuration by its four-character codes.
    fn addition(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (mut kind, mut data) = (0, Vec::new());
        ebml::each(input, |input, element| {
            match element.id {
                ADDITION_TYPE => kind = ebml::unsigned(input)?,
                ADDITION_DATA => data = input.take_up_to(64)?,
                _ => {}
            }
            Ok(())
        })?;
        if matches!(kind, 0x6476_6343 | 0x6476_7643) {
            self.notes.extend(dolby_vision(&data).map(|text| ("DolbyVision", text)));
        }
        Ok(())
    }

    fn video(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| {
            match element.id {
                PIXEL_WIDTH => self.size.0 = small(input)?,
                PIXEL_HEIGHT => self.size.1 = small(input)?,
                DISPLAY_WIDTH => self.display.0 = small(input)?,
                DISPLAY_HEIGHT => self.display.1 = small(input)?,
                DISPLAY_UNIT => self.display_unit = ebml::unsigned(input)?,
                COLOUR => self.colour(input)?,
                PROJECTION => ebml::each(input, |input, element| {
                    if element.id == ROLL {
                        self.roll = ebml::float(input)?;
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })
    }

    /// RFC 9559, 5.1.4.1.28.16
    fn colour(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let mut light = (0, 0);
        ebml::each(input, |input, element| {
            if element.id == MASTERING {
                return self.mastering(input);
            }
            let value = u16::try_from(ebml::unsigned(input)?).unwrap_or(2);
            let colour = &mut self.colour;
            match element.id {
                MATRIX => colour.matrix = Some(value),
                RANGE => colour.full = matches!(value, 1 | 2).then_some(value == 2),
                TRANSFER => colour.transfer = value,
                PRIMARIES => colour.primaries = value,
                MOST_LIGHT => light.0 = value,
                AVERAGE_LIGHT => light.1 = value,
                _ => {}
            }
            Ok(())
        })?;
        if light != (0, 0) {
            self.notes.push(("ContentLight", content_light(light.0, light.1)));
        }
        Ok(())
    }

    /// 5.1.4.1.28.30: red, green, blue and white as x and y, then the brightest and the darkest.
    fn mastering(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let mut values = [0.0; 10];
        ebml::each(input, |input, element| {
            let at = element.id.checked_sub(MASTERING).and_then(|at| usize::try_from(at).ok()?.checked_sub(1));
            if let Some(slot) = at.and_then(|at| values.get_mut(at)) {
                *slot = ebml::float(input)?;
            }
            Ok(())
        })?;
        self.notes.push(("MasteringDisplay", mastering_display(values)));
        Ok(())
    }

    fn audio(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| {
            match element.id {
                RATE => self.rate = ebml::float(input)?,
                OUTPUT_RATE => self.output_rate = ebml::float(input)?,
                CHANNELS => self.channels = small(input)?,
                BIT_DEPTH => self.bits = small(input)?,
                _ => {}
            }
            Ok(())
        })
    }

    /// Makes the stream that the entry describes.
    fn describe(&mut self) {
        let kind = match self.kind {
            1 => Kind::Video,
            2 => Kind::Audio,
            0x11 => Kind::Subtitle,
            _ => Kind::Other,
        };
        let mut stream = Stream::of(kind, codes::codec(&self.codec, &self.private, self.bits));
        // English where nothing is said (RFC 9559, 5.1.4.1.19).
        stream.language = self.language.take().unwrap_or_else(|| "eng".to_owned());
        if stream.language == "und" {
            stream.language.clear();
        }
        stream.tag = codes::tag(&self.codec, &self.private);
        let configuration = codes::configuration(&self.codec, &self.private);
        match kind {
            Kind::Video => {
                self.lengths = bitstream::configuration(configuration, &mut stream);
                self.describe_video(&mut stream);
            }
            Kind::Audio => {
                let rate = if self.output_rate > 0.0 { self.output_rate } else { self.rate };
                stream.sample_rate = u32::try_from(whole(rate)).unwrap_or(0);
                stream.channels = self.channels;
                stream.bits = self.bits;
                stream.bitrate = codes::bitrate(&self.codec, &self.private);
                bitstream::configuration(configuration, &mut stream);
            }
            _ => {}
        }
        self.stream = stream;
    }

    fn describe_video(&self, stream: &mut Stream) {
        // Unit 0 is pixels and 3 a display ratio: for the shape of a pixel they are the same.
        if matches!(self.display_unit, 0 | 3) {
            stream.pixel_aspect = pixel_aspect(self.size, self.display).or(Ratio::new(1, 1));
        }
        stream.frame_rate = frame_rate(self.frame);
        // Both describe the colour: what the container leaves open the codec may say.
        stream.colour = self.colour.or(stream.colour);
        // What is shown has the size that the container says.
        (stream.width, stream.height) = self.size;
        let turned = whole((-self.roll).rem_euclid(360.0));
        stream.rotate = u16::try_from(turned).ok().filter(|degrees| (1..360).contains(degrees));
    }

    /// The stream, in a file of that many seconds whose unit of time is `scale` nanoseconds.
    pub(super) fn finish(self, duration: Option<f64>, scale: u64) -> Stream {
        let Track { mut stream, first, delay, .. } = self;
        stream.duration = duration;
        stream.time_base = Ratio::new(scale, 1_000_000_000);
        stream.start = first.time().map(|time| seconds_of(time, scale) - float(delay) / 1e9);
        if stream.kind == Kind::Video {
            stream.frame_rate = stream.frame_rate.or_else(|| first.rate(scale));
            stream.average_rate = stream.frame_rate;
        }
        stream
    }
}

fn seconds_of(time: i64, scale: u64) -> f64 {
    let size = float(time.unsigned_abs()) * float(scale) / 1e9;
    if time < 0 { -size } else { size }
}

fn pixel_aspect(size: (u32, u32), display: (u32, u32)) -> Option<Ratio> {
    let picture = Ratio::new(display.0.into(), display.1.into())?;
    picture.times(Ratio::new(size.1.into(), size.0.into())?)
}

/// Frames per second by nanoseconds of a frame, which round: to a whole rate or a thousand-and-first of one, if near.
fn frame_rate(frame: u64) -> Option<Ratio> {
    let exact = Ratio::new(1_000_000_000, frame)?;
    let near = |rate: f64| (exact.value() - rate).abs() < rate * 2e-5;
    let even = whole(exact.value());
    if even > 0 && near(exact.value().round()) {
        return Ratio::new(even, 1);
    }
    let up = exact.value().ceil();
    if near(up * 1000.0 / 1001.0) { Ratio::new(whole(up).checked_mul(1000)?, 1001) } else { Some(exact) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shapes() {
        let rate = |ns| frame_rate(ns).unwrap().to_string();
        assert_eq!([rate(40_000_000), rate(41_666_667), rate(33_366_667)], ["25/1", "24/1", "30000/1001"]);
        assert_eq!((rate(41_708_333).as_str(), rate(66_666_000).as_str()), ("24000/1001", "15/1"));
        assert_eq!(frame_rate(0), None);
        assert_eq!(pixel_aspect((720, 576), (1024, 576)).unwrap().with_colon(), "64:45");
        assert_eq!(pixel_aspect((0, 0), (0, 0)), None);
    }
}
