//! Encoded pictures as a stream of Matroska (RFC 9559) for a decoder that reads a pipe: any codec, any times, no seeking.

use super::Encoded;
use crate::video::packets::Track;

/// Times of the stream begin here, so that pictures shown before the first one have times too.
pub(super) const BASE: i64 = 10_000;

/// The header of the stream.
pub(super) fn header(track: &Track) -> Vec<u8> {
    let ebml = [
        element(&[0x42, 0x86], &[1]),
        element(&[0x42, 0xF7], &[1]),
        element(&[0x42, 0xF2], &[4]),
        element(&[0x42, 0xF3], &[8]),
        element(&[0x42, 0x82], b"matroska"),
        element(&[0x42, 0x87], &[4]),
        element(&[0x42, 0x85], &[2]),
    ];
    let info = [
        element(&[0x2A, 0xD7, 0xB1], &[0x0F, 0x42, 0x40]),
        element(&[0x4D, 0x80], b"medialith"),
        element(&[0x57, 0x41], b"medialith"),
    ];
    let mut entry = vec![
        element(&[0xD7], &[1]),
        element(&[0x73, 0xC5], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], track.codec.matroska.as_bytes()),
    ];
    if !track.private.is_empty() {
        entry.push(element(&[0x63, 0xA2], &track.private));
    }
    if track.width > 0 && track.height > 0 {
        let sides = [element(&[0xB0], &number(track.width.into())), element(&[0xBA], &number(track.height.into()))];
        entry.push(element(&[0xE0], &sides.concat()));
    }
    let tracks = element(&[0xAE], &entry.concat());
    let mut out = element(&[0x1A, 0x45, 0xDF, 0xA3], &ebml.concat());
    // The segment's size is not known.
    out.extend([0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    out.extend(element(&[0x15, 0x49, 0xA9, 0x66], &info.concat()));
    out.extend(element(&[0x16, 0x54, 0xAE, 0x6B], &tracks));
    out
}

/// A cluster of one picture. `from` is the time of the stream's first one.
pub(super) fn cluster(encoded: &Encoded, from: i64) -> Vec<u8> {
    let time = u64::try_from(encoded.time.saturating_sub(from).saturating_add(BASE)).unwrap_or(0);
    let flags = if encoded.key { 0x80 } else { 0 };
    let mut block = vec![0x81, 0, 0, flags];
    block.extend(&encoded.bytes);
    let body = [element(&[0xE7], &number(time)), element(&[0xA3], &block)];
    element(&[0x1F, 0x43, 0xB6, 0x75], &body.concat())
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    let len = body.len() as u64;
    // A size of eight bytes: its marker, then 56 bits.
    out.push(1);
    out.extend((0..7).rev().map(|at| u8::try_from(len >> (8 * at) & 0xFF).unwrap_or(0)));
    out.extend(body);
    out
}

/// A number, the high bytes first.
fn number(value: u64) -> Vec<u8> {
    (0..8).rev().map(|at| u8::try_from(value >> (8 * at) & 0xFF).unwrap_or(0)).collect()
}
