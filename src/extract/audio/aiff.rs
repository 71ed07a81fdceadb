//! AIFF 1.3 and AIFF-C (Apple, draft of 1991-08-26): chunks of EA IFF 85.

use super::tags::{self, Tag};
use super::{id3, pcm};
use crate::extract::container::riff::{self, Chunk, Lengths};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, seconds, whole};
use crate::extract::{Facts, Input, Parsed, Stop};

/// The chunk `COMM`.
struct Common {
    channels: u16,
    frames: u32,
    bits: u16,
    rate: f64,
    /// AIFF-C only.
    compression: Option<[u8; 4]>,
}

/// Reads a file of sound in IFF.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "FORM header")?;
    let mut common = None;
    // An ID3 tag says more than the chunks of texts, whatever their order, and so wins.
    let mut plain = Facts::new(input.limits());
    let walked = walk(input, &mut common, facts, &mut plain);
    let walked = facts.tolerate(walked).map(|_| ());
    facts.append(plain);
    let streams = common.as_ref().map(stream).into_iter().collect();
    Summary { format: ("aiff", "Audio IFF"), streams, ..Summary::default() }.publish(input, facts);
    walked
}

fn walk(input: &mut Input<'_>, common: &mut Option<Common>, facts: &mut Facts, plain: &mut Facts) -> Parsed<()> {
    while let Some(chunk) = riff::next(input, Lengths::Big)? {
        let read = input.within(chunk.body.clone(), "chunk", |input| match &chunk.kind {
            b"ID3 " | b"id3 " => id3::version_2(input, facts),
            _ => content(input, &chunk, common, plain),
        });
        facts.tolerate(read)?;
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

fn content(input: &mut Input<'_>, chunk: &Chunk, common: &mut Option<Common>, facts: &mut Facts) -> Parsed<()> {
    match &chunk.kind {
        b"COMM" => *common = Some(read_common(input, facts)?),
        b"NAME" => text(input, Tag::Title, facts)?,
        b"AUTH" => text(input, Tag::Artist, facts)?,
        _ => {}
    }
    Ok(())
}

fn text(input: &mut Input<'_>, tag: Tag, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    let bytes = input.take_up_to(4096)?;
    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
    tags::tag(facts, input.format(), tag, offset, text);
    Ok(())
}

fn read_common(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<Common> {
    let channels = input.u16_be("number of channels")?;
    let frames = input.u32_be("number of frames")?;
    let bits = input.u16_be("bits per sample")?;
    let at = input.position();
    let rate = extended(input.array("sample rate")?);
    let compression = if input.remaining() >= 4 { Some(input.array("compression")?) } else { None };
    if channels == 0 {
        return Err(input.malformed("expected channels above 0, got none"));
    }
    if !(1.0..=1e9).contains(&rate) {
        // What the rest says of the sound stays true.
        if let Stop::Malformed(warning) = input.malformed_at(at, format!("expected a rate above 0, got {rate}")) {
            facts.warn(warning);
        }
    }
    let rate = if (1.0..=1e9).contains(&rate) { rate } else { 0.0 };
    Ok(Common { channels, frames, bits, rate, compression })
}

/// An 80-bit extended float (IEEE 754; AIFF 1.3, "Data types"), as far as a sample rate needs it.
fn extended(bytes: [u8; 10]) -> f64 {
    let [e1, e2, m @ ..] = bytes;
    let exponent = i32::from(u16::from_le_bytes([e2, e1]) & 0x7FFF).saturating_sub(16_383 + 63);
    let mantissa = m.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    crate::extract::stream::float(mantissa) * 2_f64.powi(exponent)
}

/// Compression types of AIFF-C, and those that Apple added.
fn codec(common: &Common) -> &'static str {
    match common.compression.as_ref() {
        None | Some(b"NONE" | b"twos") => pcm::signed(common.bits, true),
        Some(b"sowt") => pcm::signed(common.bits, false),
        Some(b"raw ") => "pcm_u8",
        Some(b"in24") => "pcm_s24be",
        Some(b"in32") => "pcm_s32be",
        Some(b"fl32" | b"FL32") => "pcm_f32be",
        Some(b"fl64" | b"FL64") => "pcm_f64be",
        Some(b"alaw" | b"ALAW") => "pcm_alaw",
        Some(b"ulaw" | b"ULAW") => "pcm_mulaw",
        Some(b"ima4") => "adpcm_ima_qt",
        Some(b"GSM ") => "gsm",
        Some(b"QDM2") => "qdm2",
        Some(_) => "",
    }
}

fn stream(common: &Common) -> Stream {
    let codec = codec(common);
    let rate = u32::try_from(whole(common.rate)).unwrap_or(0);
    // Frames of IMA 4:1 are packets of 64 samples (Apple, Technical Note TN1081).
    let per_frame = if codec == "adpcm_ima_qt" { 64 } else { 1 };
    let width = match codec {
        "pcm_alaw" | "pcm_mulaw" | "pcm_u8" => 8,
        _ => u64::from(common.bits.div_ceil(8)).saturating_mul(8),
    };
    let plain = u64::from(rate).saturating_mul(common.channels.into()).saturating_mul(width);
    Stream {
        kind: Kind::Audio,
        codec,
        tag: common.compression,
        time_base: Ratio::new(1, rate.into()),
        duration: seconds(u64::from(common.frames).saturating_mul(per_frame), rate),
        bitrate: Some(plain).filter(|_| codec.starts_with("pcm_")),
        sample_rate: rate,
        channels: common.channels.into(),
        frames: Some(common.frames.into()),
        ..Stream::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Group, Limits};

    #[test]
    fn common_chunk_and_name() {
        // 44,100 as an 80-bit float: exponent 0x400E, mantissa 0xAC44 at the top.
        let common = b"COMM\0\0\0\x12\0\x02\0\0\xAC\x44\0\x10\x40\x0E\xAC\x44\0\0\0\0\0\0";
        let data = [&b"FORM\0\0\0\0AIFF"[..], common, b"NAME\0\0\0\x04Song"].concat();
        let limits = Limits::default();
        let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        parse(&mut input, &mut facts).unwrap();
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        for cut in 0..data.len() {
            let cut = data[..cut].to_vec();
            let _ = parse(&mut Input::new(&cut, &limits), &mut Facts::new(&limits));
        }
    }
}
