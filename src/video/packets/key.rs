//! What packets tell by themselves where containers do not: whether a picture stands alone, and how all are coded.

use super::codec::{Shape, Track};

/// Bytes of a packet that are looked at.
pub(super) const HEAD: usize = 4096;

/// Whether the packet that begins so can be decoded without others. Of codecs that are not known here: no.
pub(super) fn is_key(track: &Track, head: &[u8]) -> bool {
    match track.codec.name.as_str() {
        "h264" => units(track, head).any(|unit| unit.first().is_some_and(|byte| byte & 31 == 5)),
        // ITU-T H.265, table 7-1: the pictures of random access are types 16 to 21.
        "hevc" => {
            units(track, head).any(|unit| unit.first().is_some_and(|byte| (16..=21).contains(&((byte >> 1) & 63))))
        }
        "mpeg1video" | "mpeg2video" => mpeg2(head),
        "mpeg4" => after_code(head, 0xB6).and_then(<[u8]>::first).is_some_and(|byte| byte >> 6 == 0),
        "vp8" => head.first().is_some_and(|byte| byte & 1 == 0),
        "vp9" => vp9(head),
        name => matches!(name, "mjpeg" | "png" | "prores"),
    }
}

/// What a key frame says about the coding of all pictures, as decoders want it in front of the first one: streams may say it
/// once, and key frames further on do not stand alone without it. Empty where there is none.
pub(super) fn headers(track: &Track, bytes: &[u8]) -> Vec<u8> {
    match track.codec.name.as_str() {
        // ITU-T H.264, table 7-1: sequence and picture parameter sets.
        "h264" if track.shape == Shape::Plain => sets(bytes, |head| matches!(head & 31, 7 | 8)),
        // ITU-T H.265, table 7-1: video, sequence and picture parameter sets.
        "hevc" if track.shape == Shape::Plain => sets(bytes, |head| matches!((head >> 1) & 63, 32..=34)),
        // ISO/IEC 13818-2, 6.2: a sequence header with its extensions, up to a group or a picture.
        "mpeg1video" | "mpeg2video" => before(bytes, 0xB3, [0xB8, 0]),
        // ISO/IEC 14496-2, 6.2: a visual object sequence or layer, up to a group or a picture.
        "mpeg4" => before(bytes, 0xB0, [0xB3, 0xB6]),
        _ => Vec::new(),
    }
}

/// The units that are wanted by their first byte, each behind a start code.
fn sets(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let units = by_code(bytes).filter(|unit| unit.first().is_some_and(|head| wanted(*head)));
    units.flat_map(|unit| [&[0, 0, 0, 1][..], unit].concat()).collect()
}

/// From the first start code, if it is that one, to the first of the others.
fn before(bytes: &[u8], first: u8, others: [u8; 2]) -> Vec<u8> {
    let end = bytes.windows(4).position(|four| matches!(four, [0, 0, 1, code] if others.contains(code)));
    let head = end.and_then(|end| bytes.get(..end)).unwrap_or(&[]);
    if head.starts_with(&[0, 0, 1, first]) { head.to_vec() } else { Vec::new() }
}

/// ISO/IEC 13818-2, 6.3.9: the picture's type is 1 for intra.
fn mpeg2(head: &[u8]) -> bool {
    after_code(head, 0).and_then(|rest| rest.get(1)).is_some_and(|byte| (byte >> 3) & 7 == 1)
}

/// VP9 bitstream specification, 6.2: marker, profile, show_existing_frame, frame_type.
fn vp9(head: &[u8]) -> bool {
    let Some(first) = head.first() else { return false };
    let profile = (first >> 5 & 1) | (first >> 4 & 1) << 1;
    let shift = if profile == 3 { 1 } else { 0 };
    first >> 6 == 2 && (first >> (3 - shift)) & 1 == 0 && (first >> (2 - shift)) & 1 == 0
}

/// What follows the first start code of that number.
fn after_code(bytes: &[u8], number: u8) -> Option<&[u8]> {
    let at = bytes.windows(4).position(|four| four == [0, 0, 1, number])?;
    bytes.get(at + 4..)
}

/// The units of a packet's head; the last one may be cut off.
pub(super) fn units<'b>(track: &Track, bytes: &'b [u8]) -> Box<dyn Iterator<Item = &'b [u8]> + 'b> {
    match track.shape {
        Shape::Plain => Box::new(by_code(bytes)),
        Shape::Lengths(width) => Box::new(by_length(bytes, width)),
    }
}

fn by_code(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let next = |bytes: &[u8]| bytes.windows(3).position(|three| three == [0, 0, 1]);
    let mut rest = next(bytes).and_then(|at| bytes.get(at + 3..));
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = next(unit);
        rest = end.and_then(|at| unit.get(at + 3..));
        Some(end.and_then(|at| unit.get(..at)).unwrap_or(unit))
    })
}

fn by_length(bytes: &[u8], width: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (head, body) = rest.split_at_checked(usize::from(width))?;
        let len = usize::try_from(crate::video::view::big(head)).unwrap_or(usize::MAX).min(body.len());
        let (unit, after) = body.split_at_checked(len)?;
        rest = after;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::packets::codec::Codec;

    fn track(name: &str, shape: Shape) -> Track {
        Track { codec: Codec::named(name), private: Vec::new(), shape, width: 0, height: 0 }
    }

    #[test]
    fn key_frames_say_how_all_are_coded() {
        let plain = |name, bytes: &[u8]| headers(&track(name, Shape::Plain), bytes);
        let access = [0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 4];
        assert_eq!(plain("h264", &access), [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3]);
        assert_eq!(plain("hevc", &[0, 0, 1, 0x42, 1, 7, 0, 0, 1, 0x26, 1]), [0, 0, 0, 1, 0x42, 1, 7]);
        let sequence = [0, 0, 1, 0xB3, 20, 0, 0, 1, 0xB5, 1, 0, 0, 1, 0xB8, 9, 0, 0, 1, 0, 8];
        assert_eq!(plain("mpeg2video", &sequence), sequence[..10]);
        assert_eq!(plain("mpeg4", &[0, 0, 1, 0xB0, 1, 0, 0, 1, 0xB6, 0x10]), [0, 0, 1, 0xB0, 1]);
        assert!(plain("mpeg2video", &sequence[10..]).is_empty() && plain("vp9", &sequence).is_empty());
        assert!(plain("mpeg2video", &sequence[..10]).is_empty() && plain("h264", &[]).is_empty());
        assert!(headers(&track("h264", Shape::Lengths(4)), &access).is_empty());
    }

    #[test]
    fn heads_tell() {
        let plain = |name, head: &[u8]| is_key(&track(name, Shape::Plain), head);
        assert!(plain("h264", &[0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 0x65, 1]));
        assert!(!plain("h264", &[0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 0x41, 1]));
        assert!(is_key(&track("h264", Shape::Lengths(2)), &[0, 2, 6, 0, 0, 9, 0x25, 1]));
        assert!(plain("hevc", &[0, 0, 1, 0x26, 1]) && !plain("hevc", &[0, 0, 1, 0x02, 1]));
        assert!(plain("mpeg2video", &[0, 0, 1, 0, 0, 0x08]) && !plain("mpeg2video", &[0, 0, 1, 0, 0, 0x10]));
        assert!(plain("mpeg4", &[0, 0, 1, 0xB6, 0x10]) && !plain("mpeg4", &[0, 0, 1, 0xB6, 0x50]));
        assert!(plain("vp8", &[0x10]) && !plain("vp8", &[0x11]));
        assert!(plain("vp9", &[0x82]) && !plain("vp9", &[0x86]));
        assert!(plain("mjpeg", &[]) && !plain("cvid", &[1, 2, 3]));
        assert!(!plain("h264", &[]) && !plain("vp9", &[]) && !plain("mpeg4", &[0, 0, 1]));
    }
}
