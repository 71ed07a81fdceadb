//! Sub-types and formats that are told by their first frames, pages or records rather than by a fixed signature.

use super::format::Format;
use crate::extract::bitstream;
use crate::extract::bitstream::mpeg_audio::Frame;
use crate::extract::input::Input;
use crate::extract::stream::Stream;
use crate::extract::warning::Parsed;

/// Matroska or WebM by DocType (RFC 9559, 8), which stands near the start of the EBML header.
pub(super) fn ebml(head: &[u8]) -> Format {
    let header = head.get(..128).unwrap_or(head);
    // Element 0x4282 (DocType); its length, 4, takes one byte or more (RFC 8794, 4).
    let place = header.windows(2).position(|window| window == b"\x42\x82").map_or(0, |at| at.saturating_add(2));
    let value = header.get(place..header.len().min(place.saturating_add(12))).unwrap_or(&[]);
    if contains(value, b"webm") { Format::WebM } else { Format::Mkv }
}

/// The codec of the first logical stream: its identification packet starts behind the first page's segment table
/// (RFC 3533, 6). Later streams can make it a video: every stream's first page comes before any data page.
pub(super) fn ogg(head: &[u8]) -> Format {
    let mut audio = None;
    let mut at = 0_usize;
    while let Some(page) = head.get(at..).filter(|page| page.starts_with(b"OggS")) {
        let Some(&segments) = page.get(26) else { break };
        let body = usize::from(segments).saturating_add(27);
        let sizes = page.get(27..body).unwrap_or(&[]);
        let packet = page.get(body..).unwrap_or(&[]);
        match codec(packet) {
            Some(Format::OggVideo) => return Format::OggVideo,
            other => audio = audio.or(other),
        }
        let size = sizes.iter().map(|&s| usize::from(s)).fold(body, usize::saturating_add);
        at = at.saturating_add(size);
    }
    audio.unwrap_or(Format::Ogg)
}

fn codec(packet: &[u8]) -> Option<Format> {
    let table: [(&[u8], Format); 8] = [
        (b"\x01vorbis", Format::OggAudio), // Vorbis I, 4.2.1
        (b"OpusHead", Format::Opus),       // RFC 7845, 5.1
        (b"Speex   ", Format::Speex),      // Speex manual, table 7.1
        (b"\x7FFLAC", Format::OggFlac),    // RFC 9639, 10.1
        (b"\x80theora", Format::OggVideo), // Theora, 6.2
        (b"BBCD\0", Format::OggVideo),     // Dirac
        (b"\x01video", Format::OggVideo),  // OGM
        (b"OVP80", Format::OggVideo),      // VP8 in Ogg
    ];
    table.iter().find(|(start, _)| packet.starts_with(start)).map(|(_, format)| *format)
}

/// Audio only unless a stream properties object names the video media type (ASF 01.20.05, 3.3 and 10.4).
pub(super) fn asf(head: &[u8]) -> Format {
    const VIDEO: &[u8] = b"\xC0\xEF\x19\xBC\x4D\x5B\xCF\x11\xA8\xFD\0\x80\x5F\x5C\x44\x2B";
    const AUDIO: &[u8] = b"\x40\x9E\x69\xF8\x4D\x5B\xCF\x11\xA8\xFD\0\x80\x5F\x5C\x44\x2B";
    if contains(head, AUDIO) && !contains(head, VIDEO) { Format::Wma } else { Format::Wmv }
}

/// A frame that decoders pass over (RFC 8878, 3.1.2; LZ4 frame format has the same): what comes behind it decides.
pub(super) fn skippable(head: &[u8]) -> Format {
    let mut rest = head;
    while let Some(([first, 0x2A, 0x4D, 0x18], after)) = rest.split_first_chunk::<4>() {
        let Some((size, after)) = after.split_first_chunk::<4>().filter(|_| first & 0xF0 == 0x50) else {
            return Format::Unknown;
        };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        rest = after.get(size..).unwrap_or(&[]);
    }
    if rest.starts_with(b"\x04\x22\x4D\x18") { Format::Lz4 } else { Format::Zstd }
}

/// At least one image, and the first entry's reserved byte is 0 (ICONDIRENTRY).
pub(super) fn is_icon(head: &[u8]) -> bool {
    matches!(head.get(4..10), Some(&[low, high, _, _, _, 0]) if high == 0 && low > 0)
}

/// A block size of 1 to 9 and the block magic, which is pi in BCD.
pub(super) fn is_bzip2(head: &[u8]) -> bool {
    let level = head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level));
    let magic = head.get(4..10);
    level && matches!(magic, Some(b"\x31\x41\x59\x26\x53\x59" | b"\x17\x72\x45\x38\x50\x90"))
}

/// BMP: "BM", and a DIB header of a size that exists. PCX: manufacturer 10, a known version, run-length encoding and
/// bits per pixel. Their first bytes alone are too little.
pub(super) fn bitmap(head: &[u8]) -> Option<Format> {
    if let &[10, 0 | 2 | 3 | 4 | 5, 1, 1 | 2 | 4 | 8, ..] = head {
        return (head.len() >= 128).then_some(Format::Pcx);
    }
    let size = head.strip_prefix(b"BM")?.get(12..16)?;
    matches!(size, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]).then_some(Format::Bmp)
}

/// Bare streams of video: a start code, and headers behind it that a decoder would begin with.
pub(super) fn bare_video(head: &[u8]) -> Option<Format> {
    let unit = head.strip_prefix(&[0, 0, 0, 1]).or_else(|| head.strip_prefix(&[0, 0, 1]))?;
    let codecs = match *unit.first_chunk::<2>()? {
        // H.265, table 7-1: parameter sets, delimiters and messages, all of layer 0.
        [0x40 | 0x42 | 0x44 | 0x46 | 0x4E, 1] => [("hevc", Format::Hevc), ("", Format::Unknown)],
        // ISO/IEC 14496-2, table 6-3: sequence, object; H.264, table 7-1: parameter sets, delimiters and messages.
        [0xB0 | 0xB5 | 0x00..=0x05 | 0x20..=0x2F, _] => [("mpeg4", Format::Mpeg4Video), ("h264", Format::H264)],
        [kind, _] if matches!(kind & 0x9F, 6..=9) => [("h264", Format::H264), ("mpeg4", Format::Mpeg4Video)],
        _ => return None,
    };
    let reads = |codec: &'static str| bitstream::elementary(head, &mut Stream { codec, ..Stream::default() });
    codecs.into_iter().find(|(codec, _)| reads(codec)).map(|(_, format)| format)
}

/// Whether a temporal delimiter is followed by a sequence header that can be read.
pub(super) fn is_av1(head: &[u8]) -> bool {
    let mut stream = Stream { codec: "av1", ..Stream::default() };
    bitstream::elementary(head, &mut stream) && stream.width > 0
}

/// A tar header older than `ustar`: its checksum field, in octal, is the sum of its bytes with that field as spaces
/// (POSIX.1-1988, 10.1.1).
pub(super) fn tar(head: &[u8]) -> Option<Format> {
    let header = head.get(..512)?;
    let (before, rest) = header.split_at_checked(148)?;
    let (field, after) = rest.split_at_checked(8)?;
    let text = std::str::from_utf8(field).ok()?;
    let claimed = u32::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()?;
    let sum = before.iter().chain(after).fold(8 * 0x20_u32, |sum, byte| sum.saturating_add(u32::from(*byte)));
    (sum == claimed).then_some(Format::Tar)
}

/// `P1` to `P7` and white space (netpbm formats pbm(5), pgm(5), ppm(5), pam(5)).
pub(super) fn netpbm(head: &[u8]) -> Option<Format> {
    let &[b'P', kind, space, next, ..] = head else { return None };
    let sane = matches!(next, b'#' | b'0'..=b'9' | b'W' | b' ' | b'\t' | b'\n' | b'\r');
    if !matches!(space, b' ' | b'\t' | b'\n' | b'\r') || !sane {
        return None;
    }
    match kind {
        b'1' | b'4' => Some(Format::Pbm),
        b'2' | b'5' => Some(Format::Pgm),
        b'3' | b'6' => Some(Format::Ppm),
        b'7' if head.get(2..).is_some_and(|rest| contains(rest, b"WIDTH")) => Some(Format::Pam),
        _ => None,
    }
}

/// Sync bytes at the distance of packets: 188 (ISO/IEC 13818-1, 2.4.3.2), 192 with a time code, 204 with parity.
pub(super) fn mpeg_ts(head: &[u8]) -> Option<Format> {
    let synced = |first: usize, step: usize| {
        let mut places = head.iter().skip(first).step_by(step).take(5);
        let count = places.clone().count();
        count >= 3 && places.all(|&byte| byte == 0x47)
    };
    (synced(0, 188) || synced(4, 192) || synced(0, 204)).then_some(Format::MpegTs)
}

/// MPEG audio, ADTS AAC and AC-3: a frame header whose length leads to the next one; ID3 tags in front are skipped.
pub(super) fn mpeg_audio(head: &[u8], input: &mut Input<'_>) -> Parsed<Option<Format>> {
    let Some(tag) = id3_len(head) else { return Ok(frame_pair(head)) };
    if tag >= input.end() {
        return Ok(Some(Format::Mp3));
    }
    input.rewind();
    input.seek(tag, "audio behind the ID3 tag")?;
    let audio = input.peek_up_to(4096)?;
    let found = super::magic::find(audio).filter(|format| format.media() == super::MediaType::Audio);
    // Padding between tag and audio is common: an ID3 tag alone says MP3 well enough.
    Ok(Some(found.or_else(|| frame_pair(audio)).unwrap_or(Format::Mp3)))
}

/// Length of an ID3v2 tag with its header (ID3v2.4 structure, 3.1): four 7-bit bytes.
fn id3_len(head: &[u8]) -> Option<u64> {
    let &[b'I', b'D', b'3', major, minor, _, a, b, c, d, ..] = head else { return None };
    if major == 0xFF || minor == 0xFF || [a, b, c, d].iter().any(|byte| *byte >= 0x80) {
        return None;
    }
    let size = [a, b, c, d].iter().fold(0_u64, |size, byte| (size << 7) | u64::from(*byte));
    Some(size.saturating_add(10))
}

fn frame_pair(bytes: &[u8]) -> Option<Format> {
    let (format, len) = frame(bytes)?;
    match bytes.get(len..) {
        Some(next) if next.len() >= 7 => frame(next).filter(|(other, _)| *other == format).map(|_| format),
        // The file ends with its first frame, or the frame is longer than what we look at.
        _ => (len >= 24).then_some(format),
    }
}

fn frame(bytes: &[u8]) -> Option<(Format, usize)> {
    let &[a, b, c, d, e, f, ..] = bytes else { return None };
    match (a, b) {
        // ADTS: sync, layer 0 (ISO/IEC 13818-7, 6.2); the length is 13 bits.
        (0xFF, _) if b & 0xF6 == 0xF0 => {
            let len = (usize::from(d & 3) << 11) | (usize::from(e) << 3) | (usize::from(f) >> 5);
            (len > 7 && (c >> 2) & 0xF < 13).then_some((Format::Aac, len))
        }
        (0xFF, _) if b & 0xE0 == 0xE0 => mpeg_frame(b, c),
        // AC-3: sync word (ETSI TS 102 366, 4.3.1); its frame sizes stay within 3,840 bytes.
        (0x0B, 0x77) if e >> 3 <= 16 && (d != 0 || e != 0) => Some((Format::Ac3, usize::MAX)),
        _ => None,
    }
}

fn mpeg_frame(b: u8, c: u8) -> Option<(Format, usize)> {
    let frame = Frame::read([0xFF, b, c, 0])?;
    Some((if frame.layer == 3 { Format::Mp3 } else { Format::Mp2 }, usize::try_from(frame.len).ok()?))
}

/// Whether `part` occurs in `bytes`.
pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
