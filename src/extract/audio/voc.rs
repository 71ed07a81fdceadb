//! Creative Voice files (Creative Labs, "Creative Voice file format"): a header, then blocks of a kind and a length.

use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, whole};
use crate::extract::{Facts, Input, Parsed};

/// Blocks that are looked at.
const BLOCKS: u32 = 4096;

/// What the blocks say together.
#[derive(Default)]
struct Voice {
    stream: Stream,
    /// Bits of a sample.
    bits: u32,
    seconds: f64,
    /// Rate and channels of an extended block, for the block of sound behind it.
    extended: Option<(u32, u32)>,
}

/// Reads a voice file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut voice = Voice::default();
    let read = blocks(input, &mut voice);
    let read = facts.tolerate(read).map(|_| ());
    let mut streams = Vec::new();
    if voice.stream.sample_rate > 0 {
        let mut stream = voice.stream;
        stream.kind = Kind::Audio;
        stream.time_base = Ratio::new(1, stream.sample_rate.into());
        stream.duration = Some(voice.seconds).filter(|seconds| *seconds > 0.0);
        let rate = f64::from(stream.sample_rate) * f64::from(stream.channels) * f64::from(voice.bits);
        stream.bitrate = Some(whole(rate)).filter(|rate| *rate > 0);
        streams.push(stream);
    }
    Summary { format: ("voc", "Creative Voice"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn blocks(input: &mut Input<'_>, voice: &mut Voice) -> Parsed<()> {
    input.skip(20, "mark")?;
    let first = u64::from(input.u16_le("length of the header")?);
    input.seek(first, "first block")?;
    for _ in 0..BLOCKS {
        // A block of the kind 0 ends the file, and has no length.
        let kind = if input.at_end() { 0 } else { input.u8("kind of block")? };
        if kind == 0 {
            break;
        }
        let len = u64::from(input.u24_le("length of a block")?);
        let start = input.position();
        input.within(start..start.saturating_add(len), "block", |input| block(input, kind, voice))?;
    }
    Ok(())
}

fn block(input: &mut Input<'_>, kind: u8, voice: &mut Voice) -> Parsed<()> {
    match kind {
        // Sound: a divisor of the rate, a codec.
        1 => {
            let divisor = u32::from(input.u8("divisor of the rate")?);
            let codec = u16::from(input.u8("codec")?);
            let plain = (1_000_000_u32.checked_div(256_u32.saturating_sub(divisor)).unwrap_or(0), 1);
            let (rate, channels) = voice.extended.take().unwrap_or(plain);
            voice.sound(rate, channels, codec);
        }
        // More sound of the same kind.
        2 => {}
        // Silence: its length, a divisor of the rate.
        3 => {
            let samples = u32::from(input.u16_le("length of the silence")?).saturating_add(1);
            let divisor = u32::from(input.u8("divisor of the rate")?);
            voice.seconds += f64::from(samples) * f64::from(256_u32.saturating_sub(divisor)) / 1e6;
            return Ok(());
        }
        // A finer divisor for the block behind: of both channels together.
        8 => {
            let divisor = u32::from(input.u16_le("divisor of the rate")?);
            input.skip(1, "codec")?;
            let channels = u32::from(input.u8("channels")?).saturating_add(1);
            let rate = 256_000_000_u32.checked_div(channels.saturating_mul(65_536_u32.saturating_sub(divisor)));
            voice.extended = Some((rate.unwrap_or(0), channels));
            return Ok(());
        }
        9 => {
            let rate = input.u32_le("rate")?;
            let (_bits, channels) = (input.u8("bits of a sample")?, u32::from(input.u8("channels")?));
            let codec = input.u16_le("codec")?;
            input.skip(4, "reserved")?;
            voice.sound(rate, channels, codec);
        }
        _ => return Ok(()),
    }
    let stream = &voice.stream;
    let bits = f64::from(stream.sample_rate) * f64::from(stream.channels) * f64::from(voice.bits);
    if bits > 0.0 {
        voice.seconds += float(input.remaining()) * 8.0 / bits;
    }
    Ok(())
}

impl Voice {
    /// The first block of sound says how the file sounds.
    fn sound(&mut self, rate: u32, channels: u32, codec: u16) {
        if self.stream.sample_rate > 0 {
            return;
        }
        (self.stream.sample_rate, self.stream.channels) = (rate, channels);
        (self.stream.codec, self.bits) = match codec {
            0 => ("pcm_u8", 8),
            1 => ("adpcm_sbpro_4", 4),
            2 => ("adpcm_sbpro_3", 3),
            3 => ("adpcm_sbpro_2", 2),
            4 => ("pcm_s16le", 16),
            6 => ("pcm_alaw", 8),
            7 => ("pcm_mulaw", 8),
            0x200 => ("adpcm_ct", 4),
            _ => ("", 0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::extract::{Datum, Group};
    use crate::model::{Value, field};

    fn file(blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let mut data = b"Creative Voice File\x1A\x1A\0\x0A\x01\x29\x11".to_vec();
        for (kind, body) in blocks {
            let len = (body.len() as u32).to_le_bytes();
            data.extend([&[*kind][..], &len[..3], body].concat());
        }
        [data, vec![0]].concat()
    }

    fn said(data: &[u8]) -> (Option<Datum>, Option<Value>, Option<Value>) {
        survives(parse, data, 60);
        let facts = facts_of(parse, data);
        let row = facts.audio_streams.first();
        let of = |id| row.and_then(|row| row.get(id)).cloned();
        (facts.find(Group::Media, "Duration").cloned(), of(field::AUDIO_SAMPLE_RATE), of(field::AUDIO_CHANNELS))
    }

    #[test]
    fn old_extended_and_new_blocks() {
        let sound = |head: &[u8], bytes: usize| [head.to_vec(), vec![0x80; bytes]].concat();
        let old = file(&[(1, sound(&[156, 0], 10_000)), (2, vec![0x80; 5000]), (3, vec![0x0F, 0x27, 156])]);
        assert_eq!(said(&old), (Some(2.5.into()), Some(Value::Int(10_000)), Some(Value::Int(1))));
        let stereo = file(&[(8, vec![0x00, 0xCE, 0, 1]), (1, sound(&[156, 0], 20_480))]);
        assert_eq!(said(&stereo), (Some(1.024.into()), Some(Value::Int(10_000)), Some(Value::Int(2))));
        let new = file(&[(9, sound(&[0x40, 0x1F, 0, 0, 16, 1, 4, 0, 0, 0, 0, 0], 16_000))]);
        assert_eq!(said(&new), (Some(1.0.into()), Some(Value::Int(8000)), Some(Value::Int(1))));
        assert_eq!(said(&file(&[])), (None, None, None));
    }
}
