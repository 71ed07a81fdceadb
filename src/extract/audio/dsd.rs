//! Sound of one bit: DSF (Sony, "DSF File Format Specification" 1.01) and DSDIFF (Philips, 1.5).

use super::id3;
use super::tags::{self, Tag};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, seconds};
use crate::extract::{Facts, Input, Parsed};

/// Reads a DSF file: a chunk about the file, one about the format, the sound, and an ID3v2 tag at the end.
pub fn dsf(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut streams = Vec::new();
    let read = dsf_chunks(input, facts, &mut streams);
    Summary { format: ("dsf", "DSD Stream File (DSF)"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn dsf_chunks(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Stream>) -> Parsed<()> {
    input.skip(4 + 8 + 8, "head of the file")?;
    let tag = input.u64_le("place of the tag")?;
    if input.array::<4>("format chunk")? != *b"fmt " {
        return Err(input.malformed("expected the chunk fmt"));
    }
    input.skip(8 + 4 + 4 + 4, "version and kind")?;
    let (channels, rate) = (input.u32_le("channels")?, input.u32_le("sample rate")?);
    let bits = input.u32_le("bits per sample")?;
    let samples = input.u64_le("number of samples")?;
    let codec = if bits == 8 { "dsd_msbf_planar" } else { "dsd_lsbf_planar" };
    streams.push(stream(codec, rate, channels, samples));
    if tag > 0 {
        input.seek(tag, "tag")?;
        id3::version_2(input, facts)?;
    }
    Ok(())
}

/// ffprobe counts bytes of eight samples.
fn stream(codec: &'static str, rate: u32, channels: u32, samples: u64) -> Stream {
    Stream {
        time_base: Ratio::new(1, u64::from(rate >> 3)),
        duration: seconds(samples, rate),
        bitrate: Some(u64::from(rate).saturating_mul(channels.into())),
        sample_rate: rate >> 3,
        channels,
        ..Stream::of(Kind::Audio, codec)
    }
}

/// What the chunks of a DSDIFF file say.
#[derive(Default)]
struct Dff {
    rate: u32,
    channels: u32,
    compression: [u8; 4],
    /// Bytes of plain sound, or frames of packed sound and their rate.
    bytes: u64,
    frames: (u32, u16),
}

/// Reads a DSDIFF file.
pub fn dff(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(16, "head of the file")?;
    let mut found = Dff::default();
    let read = dff_chunks(input, &mut found, facts);
    let read = facts.tolerate(read).map(|_| ());
    let streams = if found.rate == 0 { Vec::new() } else { vec![found.stream()] };
    let format = ("iff", "IFF (Interchange File Format)");
    Summary { format, streams, ..Summary::default() }.publish(input, facts);
    read
}

/// Chunks with their length in eight bytes (1.5, 2).
fn dff_chunks(input: &mut Input<'_>, found: &mut Dff, facts: &mut Facts) -> Parsed<()> {
    while input.remaining() >= 12 {
        input.entry()?;
        let kind: [u8; 4] = input.array("chunk type")?;
        let len = input.u64_be("chunk length")?;
        let start = input.position();
        let end = start.saturating_add(len).min(input.end());
        let read = input.within(start..end, "chunk", |input| found.chunk(input, kind, facts));
        facts.tolerate(read)?;
        // Chunks begin at even places.
        input.seek(end.saturating_add(len & 1).min(input.end()), "next chunk")?;
    }
    Ok(())
}

impl Dff {
    fn chunk(&mut self, input: &mut Input<'_>, kind: [u8; 4], facts: &mut Facts) -> Parsed<()> {
        match &kind {
            b"PROP" => {
                input.skip(4, "kind of properties")?;
                dff_chunks(input, self, facts)
            }
            b"DIIN" => dff_chunks(input, self, facts),
            b"FS  " => {
                self.rate = input.u32_be("sample rate")?;
                Ok(())
            }
            b"CHNL" => {
                self.channels = input.u16_be("channels")?.into();
                Ok(())
            }
            b"CMPR" => {
                self.compression = input.array("compression")?;
                Ok(())
            }
            b"DSD " => {
                self.bytes = input.remaining();
                Ok(())
            }
            b"DST " => dff_chunks(input, self, facts),
            b"FRTE" => {
                self.frames = (input.u32_be("number of frames")?, input.u16_be("rate of frames")?);
                Ok(())
            }
            b"DITI" => text(input, Tag::Title, facts),
            b"DIAR" => text(input, Tag::Artist, facts),
            b"ID3 " => id3::version_2(input, facts),
            _ => Ok(()),
        }
    }

    fn stream(&self) -> Stream {
        if self.compression == *b"DST " {
            let plain = stream("dst", self.rate, self.channels, 0);
            return Stream { duration: seconds(self.frames.0.into(), self.frames.1.into()), ..plain };
        }
        let samples = self.bytes.saturating_mul(8).checked_div(self.channels.into()).unwrap_or(0);
        stream("dsd_msbf", self.rate, self.channels, samples)
    }
}

fn text(input: &mut Input<'_>, tag: Tag, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    let len = input.u32_be("length of a text")?;
    let bytes = input.take_up_to(u64::from(len).min(4096))?;
    tags::tag(facts, input.format(), tag, offset, String::from_utf8_lossy(&bytes).into_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    #[test]
    fn both_formats() {
        let le = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let format = [&b"fmt "[..], &le(&[52, 0, 1, 0, 2, 2, 2_822_400, 1, 5_644_800, 0, 4096, 0])].concat();
        let data = [&b"DSD "[..], &le(&[28, 0, 0, 0, 0, 0]), &format].concat();
        let facts = facts_of(dsf, &data);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&2.0.into()));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(352_800)));
        survives(dsf, &data, 100);
        let chunk = |kind: &[u8; 4], body: &[u8]| {
            let len: Vec<u8> = (body.len() as u64).to_le_bytes().into_iter().rev().collect();
            [&kind[..], &len, body].concat()
        };
        let properties = [b"SND ".to_vec(), chunk(b"FS  ", &[0, 0x2B, 0x11, 0]), chunk(b"CHNL", &[0, 2])].concat();
        let sound = chunk(b"DSD ", &[0; 705_600 / 4]);
        let data = [b"FRM8\0\0\0\0\0\0\0\0DSD ".to_vec(), chunk(b"PROP", &properties), sound].concat();
        let facts = facts_of(dff, &data);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&0.25.into()));
        survives(dff, &data[..90], 90);
    }
}
