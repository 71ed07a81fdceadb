//! The elementary stream descriptor (ISO/IEC 14496-1, 7.2.6) and the AAC configuration in it (ISO/IEC 14496-3, 1.6).

use super::codes;
use crate::extract::stream::{Bits, Stream};
use crate::extract::{Input, Parsed};

/// Sampling frequencies by index (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Reads the body of the box `esds` into `stream`.
pub(super) fn read(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    input.skip(4, "version and flags")?;
    descriptors(input, stream)
}

fn descriptors(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    while input.remaining() >= 2 {
        let tag = input.u8("descriptor tag")?;
        let len = size(input)?;
        let part = input.position()..input.position().saturating_add(len);
        input.within(part, "descriptor", |input| match tag {
            // ES_Descriptor: three flags say what follows before the next descriptor.
            3 => {
                input.skip(2, "stream number")?;
                let flags = input.u8("stream flags")?;
                if flags & 0x80 != 0 {
                    input.skip(2, "depends on")?;
                }
                if flags & 0x40 != 0 {
                    let len = input.u8("address length")?;
                    input.skip(len.into(), "address")?;
                }
                if flags & 0x20 != 0 {
                    input.skip(2, "clock stream")?;
                }
                descriptors(input, stream)
            }
            4 => decoder(input, stream),
            5 if stream.codec == "aac" => audio_config(&input.take_up_to(64)?, stream),
            _ => Ok(()),
        })?;
    }
    Ok(())
}

/// DecoderConfigDescriptor: object type, bit rates, then the configuration.
fn decoder(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    let named = codes::by_object_type(input.u8("object type")?);
    if !named.is_empty() {
        stream.codec = named;
    }
    input.skip(8, "buffer size and largest bit rate")?;
    stream.bitrate = Some(u64::from(input.u32_be("average bit rate")?)).filter(|rate| *rate > 0);
    descriptors(input, stream)
}

/// A length in up to four times seven bits (8.3.3).
fn size(input: &mut Input<'_>) -> Parsed<u64> {
    let mut len = 0_u64;
    for _ in 0..4 {
        let byte = input.u8("descriptor length")?;
        len = (len << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(len)
}

/// AudioSpecificConfig: what the decoder gives wins over what the container says.
fn audio_config(bytes: &[u8], stream: &mut Stream) -> Parsed<()> {
    let mut bits = Bits::new(bytes);
    if let Some(config) = Config::read(&mut bits) {
        if config.object == 36 {
            stream.codec = "mp4als";
            return Ok(());
        }
        stream.sample_rate = config.rate;
        if config.channels > 0 {
            stream.channels = config.channels;
        }
    }
    Ok(())
}

struct Config {
    object: u32,
    rate: u32,
    channels: u32,
}

impl Config {
    fn read(bits: &mut Bits<'_>) -> Option<Config> {
        let object = object_type(bits)?;
        let mut rate = rate(bits)?;
        let mut channels = match bits.take(4)? {
            7 => 8,
            11 => 7,
            12 | 14 => 8,
            n => n,
        };
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
        (rate > 0).then_some(Config { object: inner, rate, channels })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(bytes: &[u8]) -> (&'static str, u32, u32) {
        let mut stream = Stream { codec: "aac", ..Stream::default() };
        audio_config(bytes, &mut stream).unwrap();
        (stream.codec, stream.sample_rate, stream.channels)
    }

    #[test]
    fn plain_replicated_and_lossless_configurations() {
        // Object 2, index 4, 2 channels.
        assert_eq!(config(&[0x12, 0x10]), ("aac", 44_100, 2));
        // Object 5 at 22,050, extension 44,100, inner object 2.
        assert_eq!(config(&[0x2B, 0x92, 0x08, 0x00]), ("aac", 44_100, 2));
        assert_eq!(config(&[0xF8, 0x80, 0x20, 0, 0, 0, 0]).0, "mp4als");
        assert_eq!(config(&[]), ("aac", 0, 0));
    }
}
