//! Pictures attached to audio: their width and height, from the head of the image; the rest is passed over unread.

use crate::extract::{Facts, Input, Parsed};

/// Most covers that are listed.
const COVERS: usize = 16;
/// Segments of a JPEG looked at for its frame header.
const SEGMENTS: u32 = 64;

/// Lists the image that starts here, in the innermost part.
pub(in crate::extract) fn cover(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let size = size(input);
    if let Some(Some((width, height))) = facts.tolerate(size)? {
        list((width, height), facts);
    }
    Ok(())
}

/// A picture block of FLAC (RFC 9639, 8.8): its size stands in front of the image, unless the writer did not look.
pub(super) fn block(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "picture type")?;
    for what in ["media type", "description"] {
        let len = input.u32_be(what)?;
        input.skip(len.into(), what)?;
    }
    let size = (input.u32_be("picture width")?, input.u32_be("picture height")?);
    input.skip(8, "depth and colours")?;
    if size.0 > 0 && size.1 > 0 {
        list(size, facts);
        return Ok(());
    }
    input.skip(4, "length of the picture")?;
    cover(input, facts)
}

fn list(size: (u32, u32), facts: &mut Facts) {
    if facts.audio_covers.len() < COVERS {
        facts.audio_covers.push(size);
    }
}

/// Width and height of PNG, JPEG, GIF, BMP and WebP.
fn size(input: &mut Input<'_>) -> Parsed<Option<(u32, u32)>> {
    let head = input.peek_up_to(30)?.to_vec();
    Ok(match head.as_slice() {
        [0xFF, 0xD8, ..] => {
            input.skip(2, "start of image")?;
            jpeg(input)?
        }
        // PNG 3rd edition, 11.2.1: IHDR comes first.
        [0x89, b'P', b'N', b'G', _, _, _, _, _, _, _, _, _, _, _, _, w3, w2, w1, w0, h3, h2, h1, h0, ..] => {
            Some((u32::from_le_bytes([*w0, *w1, *w2, *w3]), u32::from_le_bytes([*h0, *h1, *h2, *h3])))
        }
        [b'G', b'I', b'F', b'8', _, b'a', w0, w1, h0, h1, ..] => {
            Some((u16::from_le_bytes([*w0, *w1]).into(), u16::from_le_bytes([*h0, *h1]).into()))
        }
        [b'B', b'M', ..] => {
            input.skip(18, "head of the bitmap")?;
            Some((input.u32_le("width")?, input.i32_le("height")?.unsigned_abs()))
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', kind @ ..] => webp(kind),
        _ => None,
    })
}

/// ITU-T T.81, B.1.1.4 and B.2.2: segments with their lengths up to the frame header.
fn jpeg(input: &mut Input<'_>) -> Parsed<Option<(u32, u32)>> {
    for _ in 0..SEGMENTS {
        let [mark, kind] = input.array("marker")?;
        if mark != 0xFF {
            break;
        }
        let len = u64::from(input.u16_be("length of a segment")?);
        if matches!(kind, 0xC0..=0xCF if !matches!(kind, 0xC4 | 0xC8 | 0xCC)) {
            input.skip(1, "depth")?;
            let (height, width) = (input.u16_be("height")?, input.u16_be("width")?);
            return Ok(Some((width.into(), height.into())));
        }
        input.skip(len.saturating_sub(2), "segment")?;
    }
    Ok(None)
}

/// RFC 9649, 2.5 to 2.7: lossy, lossless, extended.
fn webp(chunk: &[u8]) -> Option<(u32, u32)> {
    let (kind, rest) = chunk.split_first_chunk::<4>()?;
    let body = rest.get(4..)?;
    let plus_one = |low: u8, middle: u8, high: u8| u32::from_le_bytes([low, middle, high, 0]).saturating_add(1);
    match (kind, body) {
        (b"VP8 ", &[_, _, _, _, _, _, w0, w1, h0, h1, ..]) => {
            Some(((u16::from_le_bytes([w0, w1]) & 0x3FFF).into(), (u16::from_le_bytes([h0, h1]) & 0x3FFF).into()))
        }
        (b"VP8L", &[_, a, b, c, d, ..]) => {
            let packed = u32::from_le_bytes([a, b, c, d]);
            Some(((packed & 0x3FFF).saturating_add(1), ((packed >> 14) & 0x3FFF).saturating_add(1)))
        }
        (b"VP8X", &[_, _, _, _, a, b, c, d, e, f, ..]) => Some((plus_one(a, b, c), plus_one(d, e, f))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};

    fn covers(data: &[u8]) -> Vec<(u32, u32)> {
        facts_of(cover, data).audio_covers
    }

    #[test]
    fn sizes_of_five_formats() {
        let png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x01\0\0\0\0\x02";
        assert_eq!(covers(png), [(256, 2)]);
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC2\0\x11\x08\0\x03\0\x05";
        assert_eq!(covers(jpeg), [(5, 3)]);
        assert_eq!(covers(b"GIF89a\x03\0\x04\0"), [(3, 4)]);
        let bitmap = [&b"BM"[..], &[0; 16], &7_u32.to_le_bytes(), &(-8_i32).to_le_bytes()].concat();
        assert_eq!(covers(&bitmap), [(7, 8)]);
        assert_eq!(covers(b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x0F\0\0\x1F\0\0"), [(16, 32)]);
        assert_eq!(covers(b"nothing"), []);
        survives(cover, jpeg, 100);
    }
}
