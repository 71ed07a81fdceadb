//! One track entry (RFC 9559, 5.1.4.1).

use super::codes;
use crate::extract::container::ebml;
use crate::extract::bitstream;
use crate::extract::stream::{Colour, Kind, Ratio, Stream, whole};
use crate::extract::{Input, Parsed};

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

/// What a track entry says.
#[derive(Default)]
pub(super) struct Track {
    kind: u64,
    codec: String,
    private: Vec<u8>,
    language: Option<String>,
    /// Nanoseconds of a frame.
    frame: u64,
    size: (u32, u32),
    display: (u32, u32),
    display_unit: u64,
    rate: f64,
    output_rate: f64,
    channels: u32,
    bits: u32,
    colour: Colour,
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
                TYPE => track.kind = ebml::unsigned(input)?,
                CODEC => track.codec = ebml::text(input)?,
                CODEC_PRIVATE => track.private = input.take_up_to(1024)?,
                LANGUAGE if track.language.is_none() => track.language = Some(ebml::text(input)?),
                LANGUAGE_BCP47 => track.language = Some(ebml::text(input)?),
                DEFAULT_DURATION => track.frame = ebml::unsigned(input)?,
                VIDEO => track.video(input)?,
                AUDIO => track.audio(input)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(track)
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
                _ => {}
            }
            Ok(())
        })
    }

    /// RFC 9559, 5.1.4.1.28.16
    fn colour(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| {
            let colour = &mut self.colour;
            let value = u16::try_from(ebml::unsigned(input)?).unwrap_or(2);
            match element.id {
                MATRIX => colour.matrix = Some(value),
                RANGE => colour.full = matches!(value, 1 | 2).then_some(value == 2),
                TRANSFER => colour.transfer = value,
                PRIMARIES => colour.primaries = value,
                _ => {}
            }
            Ok(())
        })
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

    /// The stream that the entry describes, in a file of that many seconds.
    pub(super) fn finish(self, duration: Option<f64>) -> Stream {
        let kind = match self.kind {
            1 => Kind::Video,
            2 => Kind::Audio,
            0x11 => Kind::Subtitle,
            _ => Kind::Other,
        };
        let mut stream = Stream {
            kind,
            codec: codes::codec(&self.codec, &self.private, self.bits),
            // English where nothing is said (RFC 9559, 5.1.4.1.19).
            language: self.language.unwrap_or_else(|| "eng".to_owned()),
            duration,
            ..Stream::default()
        };
        if stream.language == "und" {
            stream.language.clear();
        }
        match kind {
            Kind::Video => {
                (stream.width, stream.height) = self.size;
                // Unit 0 is pixels and 3 a display ratio: for the shape of a pixel they are the same.
                if matches!(self.display_unit, 0 | 3) {
                    stream.pixel_aspect = pixel_aspect(self.size, self.display);
                }
                stream.frame_rate = frame_rate(self.frame);
                stream.colour = self.colour;
                bitstream::configuration(&self.private, &mut stream);
            }
            Kind::Audio => {
                let rate = if self.output_rate > 0.0 { self.output_rate } else { self.rate };
                stream.sample_rate = u32::try_from(whole(rate)).unwrap_or(0);
                stream.channels = self.channels;
                stream.bits = self.bits;
            }
            _ => {}
        }
        stream
    }
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
