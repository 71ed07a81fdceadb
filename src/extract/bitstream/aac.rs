//! AAC: AudioSpecificConfig (ISO/IEC 14496-3, 1.6) and frame headers of ADTS (ISO/IEC 13818-7, 6.2).

use super::replication;
use crate::extract::stream::{Bands, Bits, Kind, Stream};

/// Sampling frequencies by index (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Samples of one raw data block.
pub const BLOCK: u32 = 1024;

/// AudioSpecificConfig: what the decoder gives wins over what the container says.
pub fn config(bytes: &[u8], stream: &mut Stream) {
    let Some(config) = Config::read(&mut Bits::new(bytes)) else { return };
    if config.object == 36 {
        stream.codec = "mp4als";
        return;
    }
    stream.sample_rate = config.rate;
    stream.bands = config.bands;
    if config.channels > 0 {
        stream.channels = config.channels;
    }
}

/// The header of ADIF (ISO/IEC 13818-7, 6.2), which a whole file has once: its rates and channels.
pub fn adif(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let mut bits = Bits::new(bytes.strip_prefix(b"ADIF")?);
    if bits.flag()? {
        bits.skip(72);
    }
    bits.skip(2);
    let variable = bits.flag()?;
    let bitrate = bits.take(23)?;
    bits.skip(4);
    bits.skip(if variable { 0 } else { 20 });
    bits.skip(4 + 2);
    let rate = RATES.get(usize::try_from(bits.take(4)?).ok()?)?;
    (stream.kind, stream.codec, stream.sample_rate) = (Kind::Audio, "aac", *rate);
    stream.channels = counted(&mut bits)?;
    stream.bitrate = Some(u64::from(bitrate)).filter(|rate| *rate > 0);
    Some(())
}

struct Config {
    object: u32,
    rate: u32,
    channels: u32,
    bands: Bands,
}

impl Config {
    fn read(bits: &mut Bits<'_>) -> Option<Config> {
        let object = object_type(bits)?;
        let mut rate = rate(bits)?;
        let mut channels = speakers(bits.take(4)?);
        // Spectral band replication doubles the rate, parametric stereo the channels (1.6.5).
        let inner = if matches!(object, 5 | 29) {
            rate = self::rate(bits)?;
            if object == 29 {
                channels = 2;
            }
            object_type(bits)?
        } else {
            object
        };
        if channels == 0 && matches!(inner, 1..=4) {
            channels = elements(&mut bits.clone()).unwrap_or(0);
        }
        let mut bands = Bands::Stated;
        if object == inner {
            match extension(bits) {
                Some(Some((upper, stereo))) => {
                    rate = upper;
                    channels = if stereo && channels == 1 { 2 } else { channels };
                }
                Some(None) => {}
                // Low complexity is what bands are added to.
                None if inner == 2 => bands = Bands::Unsaid,
                None => {}
            }
        }
        (rate > 0).then_some(Config { object: inner, rate, channels, bands })
    }
}

/// Channels of a channel configuration (table 1.19).
fn speakers(config: u32) -> u32 {
    match config {
        7 | 12 | 14 => 8,
        11 => 7,
        n if n < 7 => n,
        _ => 0,
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(5)? {
        31 => bits.take(6)?.checked_add(32),
        n => Some(n),
    }
}

fn rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        index => RATES.get(usize::try_from(index).ok()?).copied(),
    }
}

/// Channels of a program configuration element (4.5.1.2) behind the flags of the configuration.
fn elements(bits: &mut Bits<'_>) -> Option<u32> {
    bits.skip(1);
    if bits.flag()? {
        bits.skip(14);
    }
    bits.skip(1 + 4 + 2 + 4);
    counted(bits)
}

/// Channels of a program configuration behind its sampling frequency (ISO/IEC 14496-3, 4.4.1.1).
fn counted(bits: &mut Bits<'_>) -> Option<u32> {
    let (front, side, back) = (bits.take(4)?, bits.take(4)?, bits.take(4)?);
    let low = bits.take(2)?;
    bits.skip(3 + 4);
    for width in [4, 4, 3] {
        if bits.flag()? {
            bits.skip(width);
        }
    }
    let mut channels = low;
    for _ in 0..front.saturating_add(side).saturating_add(back) {
        channels = channels.saturating_add(if bits.flag()? { 2 } else { 1 });
        bits.skip(4);
    }
    Some(channels)
}

/// The extension behind the configuration that older decoders pass over (1.6.6.1): the rate that band replication leads to, and
/// whether stereo is parametric; nothing inside where it says that there is no replication.
fn extension(bits: &mut Bits<'_>) -> Option<Option<(u32, bool)>> {
    while bits.clone().take(11)? != 0x2B7 {
        bits.take(1)?;
    }
    bits.skip(11);
    if bits.take(5)? != 5 {
        return None;
    }
    if !bits.flag()? {
        return Some(None);
    }
    let rate = rate(bits)?;
    let stereo = bits.take(11) == Some(0x548) && bits.flag() == Some(true);
    Some(Some((rate, stereo)))
}

/// What the header of an ADTS frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Bytes of the frame with its header.
    pub len: u32,
    /// Samples per second.
    pub rate: u32,
    /// 0 where the stream itself says.
    pub channels: u32,
    /// Raw data blocks in it.
    pub blocks: u32,
    /// Whether its profile is low complexity, to which upper bands can be added.
    pub low_complexity: bool,
}

impl Frame {
    /// Reads a header.
    pub fn read(head: [u8; 7]) -> Option<Frame> {
        let [0xFF, second, third, fourth, fifth, sixth, seventh] = head else { return None };
        if second & 0xF6 != 0xF0 {
            return None;
        }
        let len = (u32::from(fourth & 3) << 11) | (u32::from(fifth) << 3) | u32::from(sixth >> 5);
        let rate = *RATES.get(usize::from((third >> 2) & 15))?;
        let config = (u32::from(third & 1) << 2) | u32::from(fourth >> 6);
        let blocks = u32::from(seventh & 3).saturating_add(1);
        let low_complexity = third >> 6 == 1;
        (len > 7).then_some(Frame { len, rate, channels: speakers(config), blocks, low_complexity })
    }
}

/// The first frame header of `bytes`.
pub fn adts(bytes: &[u8], stream: &mut Stream) -> bool {
    let found = bytes.windows(7).find_map(|head| Frame::read(head.try_into().ok()?));
    if let Some(frame) = found {
        stream.kind = Kind::Audio;
        stream.codec = "aac";
        (stream.sample_rate, stream.channels) = (frame.rate, frame.channels);
        if frame.low_complexity {
            stream.bands = Bands::Unsaid;
            replication::look(replication::of_adts(bytes), stream);
        }
    }
    found.is_some()
}

/// The first multiplexed element of a LOAS stream (1.7.2), as far as the configuration of its one layer.
pub fn latm(bytes: &[u8], stream: &mut Stream) -> bool {
    let read = |element: &[u8]| {
        let mut bits = Bits::new(element);
        bits.skip(24);
        // The same configuration as before, or a later version of the syntax.
        if bits.flag()? || bits.flag()? {
            return None;
        }
        bits.skip(1 + 6 + 4 + 3);
        Config::read(&mut bits)
    };
    // Eleven bits of sync: 0x2B7.
    let starts = bytes.windows(2).enumerate().filter(|(_, two)| matches!(two, [0x56, 0xE0..=0xFF]));
    let found = starts.map(|(at, _)| at).find_map(|at| read(bytes.get(at..)?));
    if let Some(config) = &found {
        (stream.sample_rate, stream.channels) = (config.rate, config.channels);
    }
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    fn of(bytes: &[u8]) -> (&'static str, u32, u32) {
        let mut stream = Stream { codec: "aac", ..Stream::default() };
        config(bytes, &mut stream);
        (stream.codec, stream.sample_rate, stream.channels)
    }

    #[test]
    fn plain_replicated_and_lossless_configurations() {
        // Object 2, index 4, 2 channels.
        assert_eq!(of(&[0x12, 0x10]), ("aac", 44_100, 2));
        // Object 5 at 22,050, extension 44,100, inner object 2.
        assert_eq!(of(&[0x2B, 0x92, 0x08, 0x00]), ("aac", 44_100, 2));
        // Object 2 at 24,000, mono; behind it the mark, object 5, 48,000.
        let plain = Writer::default().bits(2, 5).bits(6, 4).bits(1, 4).bits(0, 3);
        let hidden = plain.bits(0x2B7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bits(0, 4).bytes();
        assert_eq!(of(&hidden), ("aac", 48_000, 1));
        assert_eq!(of(&[0xF8, 0x80, 0x20, 0, 0, 0, 0]).0, "mp4als");
        assert_eq!(of(&[]), ("aac", 0, 0));
    }

    #[test]
    fn channels_by_elements() {
        // Configuration 0: one pair and one single in front, one pair behind, one low.
        let head = Writer::default().bits(2, 5).bits(3, 4).bits(0, 4).bits(0, 3).bits(0, 10);
        let counts = head.bits(2, 4).bits(0, 4).bits(1, 4).bits(1, 2).bits(0, 7).bits(0, 3);
        let bytes = counts.bits(0, 5).bits(1, 1).bits(0, 4).bits(1, 1).bits(0, 12).bytes();
        assert_eq!(of(&bytes), ("aac", 48_000, 6));
    }

    #[test]
    fn frames_of_adts() {
        let head = [0xFF, 0xF1, 0x50, 0x80, 0x04, 0x1F, 0xFC];
        let frame = Frame { len: 32, rate: 44_100, channels: 2, blocks: 1, low_complexity: true };
        assert_eq!(Frame::read(head), Some(frame));
        assert_eq!(Frame::read([0xFF, 0xF1, 0x7C, 0x80, 0x04, 0x1F, 0xFC]), None);
        let mut stream = Stream::default();
        assert!(adts(&[&[1, 2][..], &head].concat(), &mut stream));
        assert_eq!((stream.sample_rate, stream.channels), (44_100, 2));
    }
}
