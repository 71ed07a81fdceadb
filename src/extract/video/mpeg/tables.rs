//! Tables of transport streams (ISO/IEC 13818-1, 2.4.4): which packets carry which stream, and in what codec.

use crate::extract::bitstream::mpeg_audio;
use crate::extract::stream::{Kind, Stream};

/// The body of a section behind its header, without the checksum (2.4.4.3).
pub(super) fn section(bytes: &[u8], table: u8) -> Option<&[u8]> {
    // A pointer says where the section begins.
    let (&pointer, rest) = bytes.split_first()?;
    let &[id, high, low, ..] = rest.get(usize::from(pointer)..)? else { return None };
    let len = (usize::from(high & 15) << 8) | usize::from(low);
    if id != table || len < 9 {
        return None;
    }
    let rest = rest.get(usize::from(pointer)..)?;
    let end = len.checked_sub(1)?.min(rest.len());
    rest.get(8..end)
}

/// Packet numbers of the maps in a program association (2.4.4.3).
pub(super) fn programs(body: &[u8]) -> Vec<u16> {
    let entries = body.as_chunks::<4>().0.iter();
    entries.filter(|[a, b, ..]| (*a, *b) != (0, 0)).map(|[_, _, c, d]| number(*c, *d)).collect()
}

fn number(high: u8, low: u8) -> u16 {
    u16::from_le_bytes([low, high & 0x1F])
}

/// Streams of a program map with their packet numbers (2.4.4.8).
pub(super) fn streams(body: &[u8]) -> Option<Vec<(u16, Stream)>> {
    let &[_, _, high, low, ..] = body else { return None };
    let info = (usize::from(high & 15) << 8) | usize::from(low);
    let (head, mut rest) = body.get(4..)?.split_at_checked(info)?;
    let blu_ray = descriptors(head).any(|(tag, body)| tag == 5 && body.starts_with(b"HDMV"));
    let mut found = Vec::new();
    while let Some((&[kind, a, b, high, low], after)) = rest.split_first_chunk::<5>() {
        let len = ((usize::from(high & 15) << 8) | usize::from(low)).min(after.len());
        let (about, after) = after.split_at_checked(len)?;
        found.push((number(a, b), describe(kind, about, blu_ray)));
        rest = after;
    }
    Some(found)
}

/// Tags and bodies (2.6).
fn descriptors(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&[tag, len], body) = rest.split_first_chunk::<2>()?;
        let (body, after) = body.split_at_checked(usize::from(len).min(body.len()))?;
        rest = after;
        Some((tag, body))
    })
}

fn describe(code: u8, about: &[u8], blu_ray: bool) -> Stream {
    let (kind, codec) = by_type(code, blu_ray).unwrap_or_else(|| by_descriptor(about));
    let mut stream = Stream::of(kind, codec);
    if codec == "opus" {
        // Opus in MPEG-TS (ETSI TS 103 491 and opus-codec.org): always 48 kHz, the channels in a descriptor of its own.
        stream.sample_rate = 48_000;
        let told = descriptors(about)
            .find_map(|(tag, body)| if let (0x7F, [0x80, count, ..]) = (tag, body) { Some(*count) } else { None });
        stream.channels = u32::from(told.filter(|count| (1..=8).contains(count)).unwrap_or(2));
    }
    if codec == "mp2" {
        stream.samples = mpeg_audio::UNTOLD;
    }
    // A registered code says more than the type.
    let registered = descriptors(about).find(|(tag, _)| *tag == 5).and_then(|(_, body)| body.first_chunk::<4>());
    stream.tag = Some(registered.copied().unwrap_or([code, 0, 0, 0]));
    // ISO 639 language, and those of DVB's subtitles and teletext (ETSI EN 300 468, 6.2.41 and 6.2.43).
    let spoken = descriptors(about).find(|(tag, _)| matches!(tag, 0x0A | 0x59 | 0x56));
    if let Some(letters) = spoken.and_then(|(_, body)| body.get(..3)).filter(|l| l.iter().all(u8::is_ascii_lowercase)) {
        stream.language = String::from_utf8_lossy(letters).into_owned();
    }
    if stream.language == "und" {
        stream.language.clear();
    }
    stream
}

/// Types of streams (table 2-34, and what ATSC A/53 and Blu-ray add).
pub(super) fn by_type(code: u8, blu_ray: bool) -> Option<(Kind, &'static str)> {
    Some(match code {
        0x01 => (Kind::Video, "mpeg1video"),
        0x02 => (Kind::Video, "mpeg2video"),
        0x03 | 0x04 => (Kind::Audio, "mp2"),
        0x0F => (Kind::Audio, "aac"),
        0x10 => (Kind::Video, "mpeg4"),
        0x11 => (Kind::Audio, "aac_latm"),
        0x15 => (Kind::Other, "timed_id3"),
        0x1B | 0x20 => (Kind::Video, "h264"),
        0x24 => (Kind::Video, "hevc"),
        0x33 => (Kind::Video, "vvc"),
        0x80 if blu_ray => (Kind::Audio, "pcm_bluray"),
        0x81 => (Kind::Audio, "ac3"),
        0x82 | 0x85 => (Kind::Audio, "dts"),
        0x83 => (Kind::Audio, "truehd"),
        0x84 | 0x87 | 0xA1 => (Kind::Audio, "eac3"),
        0x86 if blu_ray => (Kind::Audio, "dts"),
        0x86 => (Kind::Other, "scte_35"),
        0x90 if blu_ray => (Kind::Subtitle, "hdmv_pgs_subtitle"),
        0xEA => (Kind::Video, "vc1"),
        _ => return None,
    })
}

/// Private streams by their descriptors (ETSI EN 300 468, 6.1 and annexes; registrations of SMPTE-RA).
fn by_descriptor(about: &[u8]) -> (Kind, &'static str) {
    let found = descriptors(about).find_map(|(tag, body)| {
        Some(match (tag, body) {
            (0x6A, _) | (5, [b'A', b'C', b'-', b'3', ..]) => (Kind::Audio, "ac3"),
            (0x7A, _) | (5, [b'E', b'A', b'C', b'3', ..]) => (Kind::Audio, "eac3"),
            (0x7B, _) | (5, [b'D', b'T', b'S', _, ..]) => (Kind::Audio, "dts"),
            (0x7C, _) => (Kind::Audio, "aac"),
            (0x59, _) => (Kind::Subtitle, "dvb_subtitle"),
            (0x56, _) => (Kind::Subtitle, "dvb_teletext"),
            (5, [b'H', b'E', b'V', b'C', ..]) => (Kind::Video, "hevc"),
            (5, [b'A', b'V', b'0', b'1', ..]) => (Kind::Video, "av1"),
            (5, [b'V', b'C', b'-', b'1', ..]) => (Kind::Video, "vc1"),
            (5, [b'O', b'p', b'u', b's', ..]) => (Kind::Audio, "opus"),
            (5, [b'K', b'L', b'V', b'A', ..]) => (Kind::Other, "klv"),
            _ => return None,
        })
    });
    found.unwrap_or((Kind::Other, ""))
}
