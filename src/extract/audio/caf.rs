//! Core Audio files (Apple Core Audio Format specification 1.0): chunks with a 64-bit size.

use super::tags::{self, Tag};
use crate::extract::bitstream;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, whole};
use crate::extract::{Facts, Input, Parsed};

/// Bytes of the chunk of texts that are read.
const TEXTS: u64 = 64 << 10;
/// Bytes of a decoder's configuration that are looked at.
const COOKIE: u64 = 4096;

/// What the chunks say together.
#[derive(Default)]
struct Sound {
    stream: Stream,
    /// Bytes and frames of a packet; 0 where they differ from packet to packet.
    packet: (u64, u64),
    /// Packets, and the frames in them that are heard or put around the sound.
    packets: Option<(u64, u64)>,
    data: u64,
}

/// Reads a Core Audio file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut sound = Sound::default();
    let read = chunks(input, facts, &mut sound);
    let read = facts.tolerate(read).map(|_| ());
    let streams = if sound.stream.kind == Kind::Audio { vec![sound.finish()] } else { Vec::new() };
    Summary { format: ("caf", "Apple CAF (Core Audio Format)"), streams, ..Summary::default() }.publish(input, facts);
    read
}

fn chunks(input: &mut Input<'_>, facts: &mut Facts, sound: &mut Sound) -> Parsed<()> {
    input.skip(8, "file header")?;
    while input.remaining() >= 12 {
        input.entry()?;
        let kind: [u8; 4] = input.array("chunk type")?;
        let size = input.u64_be("chunk size")?;
        // A size of -1 means: up to the end of the file.
        let end = input.position().saturating_add(size).min(input.end());
        let part = input.position()..end;
        let result = input.within(part, "chunk", |input| match &kind {
            b"desc" => sound.description(input),
            b"pakt" => sound.packet_table(input),
            b"kuki" => sound.cookie(input),
            b"info" => texts(input, facts),
            b"data" => {
                // A number of edits stands in front of the samples.
                sound.data = input.remaining().saturating_sub(4);
                Ok(())
            }
            _ => Ok(()),
        });
        facts.tolerate(result)?;
    }
    Ok(())
}

/// Pairs of texts, each ended by a zero ("Information chunk").
fn texts(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let start = input.position();
    let bytes = input.take_up_to(TEXTS)?;
    let text = String::from_utf8_lossy(bytes.get(4..).unwrap_or(&[]));
    let mut words = text.split('\0');
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        if let Some(tag) = Tag::of_comment(key) {
            tags::tag(facts, input.format(), tag, start, value.to_owned());
        }
    }
    Ok(())
}

impl Sound {
    /// "Audio description chunk".
    fn description(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let rate = whole(f64::from_bits(input.u64_be("sample rate")?));
        let code: [u8; 4] = input.array("format")?;
        let flags = input.u32_be("flags")?;
        self.packet = (input.u32_be("bytes of a packet")?.into(), input.u32_be("frames of a packet")?.into());
        let (channels, bits) = (input.u32_be("channels")?, input.u32_be("bits of a channel")?);
        let sample_rate = u32::try_from(rate).unwrap_or(0);
        let codec = codec(code, flags, bits);
        // Apple Lossless says in its flags how many bits the source had.
        let bits = match (codec, flags) {
            ("alac", 2) => 20,
            ("alac", 3) => 24,
            ("alac", 4) => 32,
            ("alac", _) => 16,
            _ => bits,
        };
        self.stream = Stream {
            tag: Some(code),
            time_base: Ratio::new(1, rate),
            sample_rate,
            channels,
            bits,
            ..Stream::of(Kind::Audio, codec)
        };
        Ok(())
    }

    /// "Packet table chunk": packets, frames that are heard, frames in front and behind.
    fn packet_table(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let packets = input.u64_be("number of packets")?;
        let valid = input.u64_be("frames that are heard")?;
        let (before, behind) = (input.u32_be("frames in front")?, input.u32_be("frames behind")?);
        self.packets = Some((packets, valid.saturating_add(before.into()).saturating_add(behind.into())));
        Ok(())
    }

    /// "Magic cookie chunk": what the decoder needs to know.
    fn cookie(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let bytes = input.take_up_to(COOKIE)?;
        match self.stream.codec {
            // A descriptor of ISO/IEC 14496-1 (7.2.6.6): the specific one lies in that of the decoder, behind 13 bytes.
            "aac" => {
                if let Some(config) = specific(&bytes) {
                    bitstream::configuration(config, &mut self.stream);
                }
            }
            "mp1" | "mp2" | "mp3" | "ac3" | "eac3" => {}
            _ => {
                bitstream::configuration(&bytes, &mut self.stream);
            }
        }
        Ok(())
    }

    fn finish(self) -> Stream {
        let Sound { mut stream, packet: (bytes, frames), packets, data } = self;
        let all = if bytes > 0 && frames > 0 {
            data.checked_div(bytes).and_then(|packets| packets.checked_mul(frames))
        } else {
            packets.map(|(_, counted)| counted)
        };
        // Packets of one length say more exactly how long they are in all.
        let ticks = packets.and_then(|(packets, _)| packets.checked_mul(frames)).filter(|ticks| *ticks > 0).or(all);
        stream.frames = all.filter(|frames| *frames > 0);
        stream.duration =
            ticks.zip(stream.time_base).map(|(ticks, unit)| float(ticks) * unit.value()).filter(|d| *d > 0.0);
        if !stream.codec.starts_with("pcm_") {
            stream.bitrate = stream.duration.map(|d| whole(float(data) * 8.0 / d)).filter(|rate| *rate > 0);
        }
        stream
    }
}

/// The decoder's own configuration inside a descriptor.
fn specific(bytes: &[u8]) -> Option<&[u8]> {
    let mut body = descriptor(bytes, 4)?.get(13..)?;
    while let Some((tag, rest)) = body.split_first() {
        let (len, rest) = sized(rest)?;
        if *tag == 5 {
            return rest.get(..len.min(rest.len()));
        }
        body = rest.get(len..)?;
    }
    None
}

/// The body of the first descriptor of that tag, inside or behind others.
fn descriptor(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first()?;
    let (len, rest) = sized(rest)?;
    match *tag {
        tag if tag == wanted => rest.get(..len.min(rest.len())),
        // That of the stream: its number and flags in front.
        3 => descriptor(rest.get(3..)?, wanted),
        _ => descriptor(rest.get(len..)?, wanted),
    }
}

/// A length in seven bits each of up to four bytes (ISO/IEC 14496-1, 8.3.3).
fn sized(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0_usize;
    for at in 0..4_usize {
        let byte = bytes.get(at)?;
        len = (len << 7) | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((len, bytes.get(at.checked_add(1)?..)?));
        }
    }
    None
}

/// ffprobe's name of a format; of plain samples the first flag says floats, the second little-endian.
fn codec(code: [u8; 4], flags: u32, bits: u32) -> &'static str {
    let (float, little) = (flags & 1 != 0, flags & 2 != 0);
    match (&code, bits) {
        (b"lpcm", 64) => {
            if little {
                "pcm_f64le"
            } else {
                "pcm_f64be"
            }
        }
        (b"lpcm", 32) if float => {
            if little {
                "pcm_f32le"
            } else {
                "pcm_f32be"
            }
        }
        (b"lpcm", 32) => {
            if little {
                "pcm_s32le"
            } else {
                "pcm_s32be"
            }
        }
        (b"lpcm", 24) => {
            if little {
                "pcm_s24le"
            } else {
                "pcm_s24be"
            }
        }
        (b"lpcm", 16) => {
            if little {
                "pcm_s16le"
            } else {
                "pcm_s16be"
            }
        }
        (b"lpcm", 8) => "pcm_s8",
        (b"alaw", _) => "pcm_alaw",
        (b"ulaw", _) => "pcm_mulaw",
        (b"ima4", _) => "adpcm_ima_qt",
        (b"aac " | b"aach" | b"aacp" | b"aace" | b"aacl", _) => "aac",
        (b"alac", _) => "alac",
        (b".mp1", _) => "mp1",
        (b".mp2", _) => "mp2",
        (b".mp3" | b"MPG3", _) => "mp3",
        (b"ac-3", _) => "ac3",
        (b"ec-3", _) => "eac3",
        (b"opus", _) => "opus",
        (b"flac", _) => "flac",
        (b"samr", _) => "amr_nb",
        (b"sawb", _) => "amr_wb",
        (b"MAC3", _) => "mace3",
        (b"MAC6", _) => "mace6",
        (b"QDM2" | b"QDMC", _) => "qdm2",
        (b"ilbc", _) => "ilbc",
        (b"agsm" | b"ms\0\x31", _) => "gsm_ms",
        _ => "",
    }
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the format under test is big-endian")]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&kind[..], &(body.len() as u64).to_be_bytes(), body].concat()
    }

    fn described(code: &[u8; 4], numbers: [u32; 5]) -> Vec<u8> {
        let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        chunk(b"desc", &[&44_100_f64.to_be_bytes()[..], code, &numbers].concat())
    }

    fn packed() -> Vec<u8> {
        let table = [&2_u64.to_be_bytes()[..], &2000_u64.to_be_bytes(), &40_u32.to_be_bytes(), &8_u32.to_be_bytes()];
        // 48 kHz in stereo, by the descriptor.
        let config = [4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x11, 0x90];
        let cookie = [&[3, 24, 0, 0, 0][..], &config].concat();
        let info = chunk(b"info", b"\0\0\0\x01title\0Song\0");
        [
            b"caff\0\x01\0\0".to_vec(),
            described(b"aac ", [0, 0, 1024, 1, 0]),
            chunk(b"pakt", &table.concat()),
            chunk(b"kuki", &cookie),
            info,
            chunk(b"data", &[0; 504]),
        ]
        .concat()
    }

    #[test]
    fn packets_of_a_table_and_plain_samples() {
        let facts = facts_of(parse, &packed());
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        let row = &facts.audio_streams[0];
        assert_eq!(row.text(field::AUDIO_CODEC_NAME), Some("aac"));
        assert_eq!(row.get(field::AUDIO_CHANNELS), Some(&Value::Int(2)));
        assert_eq!(row.get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(48_000)));
        assert_eq!(row.get(field::AUDIO_FRAME_COUNT), Some(&Value::Int(2048)));
        let plain = [
            b"caff\0\x01\0\0".to_vec(),
            described(b"lpcm", [2, 4, 1, 2, 16]),
            [&b"data\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0"[..], &[0; 176_400]].concat(),
        ];
        let facts = facts_of(parse, &plain.concat());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&1.0.into()));
        let row = &facts.audio_streams[0];
        assert_eq!(row.text(field::AUDIO_CODEC_NAME), Some("pcm_s16le"));
        assert_eq!(row.get(field::AUDIO_BITRATE), Some(&Value::Int(1_411_200)));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &packed(), 1000);
    }
}
