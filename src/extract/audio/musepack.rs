//! Musepack (trac.musepack.net, "SV7Specification" and "SV8Specification"), and versions 4 to 6, which have no mark.

use super::tags::{self, Tag};
use super::{id3, mpeg};
use crate::extract::stream::{Bits, Kind, Ratio, Stream, Summary, float, seconds, whole};
use crate::extract::{Facts, Input, Parsed};

const RATES: [u32; 4] = [44_100, 48_000, 37_800, 32_000];
/// Samples of a frame.
const FRAME: u64 = 1152;
/// Packets looked at for headers of version 8.
const PACKETS: u32 = 16;

/// Reads a Musepack file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let mut format = ("mpc", "Musepack");
    let read = both_ends(input, facts, &mut format, &mut streams);
    Summary { format, streams, ..Summary::default() }.publish(input, facts);
    read
}

fn both_ends(
    input: &mut Input<'_>,
    facts: &mut Facts,
    format: &mut (&'static str, &'static str),
    streams: &mut Vec<Stream>,
) -> Parsed<()> {
    let mut front = Facts::new(input.limits());
    id3::version_2(input, &mut front)?;
    let start = input.position();
    let eighth = input.peek_up_to(4)? == b"MPCK";
    if eighth {
        *format = ("mpc8", "Musepack SV8");
    }
    let read = match input.peek_array("mark of Musepack")? {
        _ if eighth => version_8(input, facts),
        [b'M', b'P', b'+'] => version_7(input, facts),
        _ => version_4(input),
    };
    let stream = facts.tolerate(read)?;
    let end = mpeg::trailers(input, facts);
    let end = facts.tolerate(end)?.unwrap_or(input.file_len());
    facts.append(front);
    if let Some(mut stream) = stream {
        let rate = stream.duration.filter(|d| *d > 0.0).map(|d| float(end.saturating_sub(start)) * 8.0 / d);
        stream.bitrate = rate.map(whole);
        streams.push(stream);
    }
    Ok(())
}

fn stream(codec: &'static str, rate: u8, channels: u32, samples: u64, unit: u64) -> Stream {
    let rate = RATES.get(usize::from(rate)).copied().unwrap_or(0);
    Stream {
        time_base: Ratio::new(unit, rate.into()),
        duration: seconds(samples, rate),
        sample_rate: rate,
        channels,
        ..Stream::of(Kind::Audio, codec)
    }
}

/// Versions 4 to 6: bits of a word, then the number of frames, 16 bits of it at first. The rate is always the same; before
/// version 6 the last frame is not counted, and half a frame is the delay of the filters.
fn version_4(input: &mut Input<'_>) -> Parsed<Stream> {
    let word = input.u32_le("head")?;
    let version = (word >> 11) & 0x3FF;
    let frames = match version {
        4 => u32::from(
            input.u32_le("number of frames")?.to_le_bytes().last_chunk().map_or(0, |two| u16::from_le_bytes(*two)),
        ),
        5 | 6 => input.u32_le("number of frames")?,
        _ => return Err(input.malformed(format!("expected stream version 4 to 8, got {version}"))),
    };
    let whole = u64::from(frames).saturating_sub(u64::from(version < 6));
    Ok(stream("musepack7", 0, 2, whole.saturating_mul(FRAME).saturating_sub(FRAME >> 1), FRAME))
}

fn version_7(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<Stream> {
    let head: [u8; 4] = input.array("mark of Musepack")?;
    let [b'M', b'P', b'+', version] = head else { return Err(input.malformed("expected the mark MP+")) };
    if version & 15 != 7 {
        return Err(input.malformed(format!("expected stream version 7, got {}", version & 15)));
    }
    let frames = input.u32_le("number of frames")?;
    let flags = input.u32_le("flags")?;
    let offset = input.position();
    let (title_peak, title_gain) = (input.u16_le("title peak")?, input.i16_le("title gain")?);
    let (album_peak, album_gain) = (input.u16_le("album peak")?, input.i16_le("album gain")?);
    for (tag, gain) in [(Tag::TrackGain, title_gain), (Tag::AlbumGain, album_gain)] {
        if gain != 0 {
            tags::tag(facts, input.format(), tag, offset, format!("{:.2} dB", f64::from(gain) / 100.0));
        }
    }
    for (tag, peak) in [(Tag::TrackPeak, title_peak), (Tag::AlbumPeak, album_peak)] {
        if peak != 0 {
            tags::tag(facts, input.format(), tag, offset, format!("{:.6}", f64::from(peak) / 32_767.0));
        }
    }
    let rate = u8::try_from((flags >> 16) & 3).unwrap_or(0);
    Ok(stream("musepack7", rate, 2, u64::from(frames).saturating_mul(FRAME), FRAME))
}

/// Packets of version 8: two letters, a length with them, a body.
fn version_8(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<Stream> {
    input.skip(4, "mark of Musepack")?;
    let mut found = None;
    for _ in 0..PACKETS {
        let start = input.position();
        let kind: [u8; 2] = input.array("kind of packet")?;
        let len = input.sevens(9, "number")?;
        let end = start.saturating_add(len);
        if end < input.position() {
            return Err(input.malformed_at(start, format!("expected a packet of at least 3 bytes, got {len}")));
        }
        match &kind {
            b"SH" => {
                input.skip(4 + 1, "checksum and version")?;
                let (samples, silence) = (input.sevens(9, "number")?, input.sevens(9, "number")?);
                let packed: [u8; 2] = input.array("rate and channels")?;
                let mut bits = Bits::new(&packed);
                let rate = bits.byte(3).unwrap_or(0);
                bits.skip(5);
                let channels = bits.take(4).unwrap_or(0).saturating_add(1);
                found = Some(stream("musepack8", rate, channels, samples.saturating_sub(silence), FRAME));
            }
            b"RG" => gains(input, facts)?,
            b"AP" | b"SE" => break,
            _ => {}
        }
        input.seek(end.min(input.end()), "next packet")?;
    }
    found.ok_or_else(|| input.malformed("expected a stream header"))
}

/// The gain is stored as 64.82 dB less it, in 256ths (SV8, "Replay gain packet").
fn gains(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(1, "version")?;
    let offset = input.position();
    for tag in [Tag::TrackGain, Tag::AlbumGain] {
        let gain = input.u16_be("gain")?;
        input.skip(2, "peak")?;
        if gain != 0 {
            tags::tag(facts, input.format(), tag, offset, format!("{:.2} dB", 64.82 - f64::from(gain) / 256.0));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    #[test]
    fn both_versions() {
        let le = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let seven = [&b"MP+\x07"[..], &le(&[1000, 1 << 16]), &[0, 0, 0x9C, 0xFF], &[0; 20]].concat();
        let facts = facts_of(parse, &seven);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&24.0.into()));
        assert_eq!(facts.find(Group::Tag, "TrackGain"), Some(&"-1.00 dB".into()));
        // 96,000 samples, none silent, 48 kHz, mono.
        let eight = [&b"MPCKSH\x0F"[..], &[0, 0, 0, 0, 8, 0x85, 0xEE, 0x00, 0, 0x20, 0x00, 0], b"AP\x03"].concat();
        let facts = facts_of(parse, &eight);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&2.0.into()));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_CHANNELS), Some(&Value::Int(1)));
        // 1010 frames, of which versions before 6 have one less.
        let five = [le(&[(160 << 23) | (5 << 11), 1010]), vec![0; 40]].concat();
        let four = [le(&[(160 << 23) | (4 << 11), 1010 << 16]), vec![0; 40]].concat();
        for old in [five, four] {
            let facts = facts_of(parse, &old);
            assert_eq!(facts.find(Group::Media, "Duration"), Some(&26.34449.into()));
            survives(parse, &old, 100);
        }
        assert_eq!(facts_of(parse, &[0; 40]).find(Group::Media, "Duration"), None);
        survives(parse, &seven, 100);
        survives(parse, &eight, 100);
    }
}
