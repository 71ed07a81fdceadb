//! Pictures of Motion JPEG: the frame header (ITU-T T.81, B.2.2) and the shape of a pixel (JFIF 1.02, page 5).

use crate::extract::stream::{Coding, Ratio, Stream};

/// Reads the segments up to the frame header.
pub fn picture(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let (&[0xFF, kind, high, low], _) = rest.split_first_chunk::<4>()? else { return None };
        let len = usize::from(u16::from_le_bytes([low, high]));
        let body = rest.get(4..)?;
        match kind {
            0xC0..=0xC3 => return frame(kind, body, stream),
            0xE0 => stream.pixel_aspect = stream.pixel_aspect.or(pixel_aspect(body)),
            _ => {}
        }
        rest = rest.get(len.checked_add(2)?..)?;
    }
}

/// Without a unit the two numbers are the shape itself, as players read it; with one they say how many pixels stand on the
/// same length across and down.
fn pixel_aspect(body: &[u8]) -> Option<Ratio> {
    let &[_, _, unit, x1, x0, y1, y0, ..] = body.strip_prefix(b"JFIF\0")? else { return None };
    let (across, down) = (u64::from(u16::from_le_bytes([x0, x1])), u64::from(u16::from_le_bytes([y0, y1])));
    if unit == 0 { Ratio::new(across, down) } else { Ratio::new(down, across) }
}

/// Depth, size, sampling of the components.
fn frame(kind: u8, body: &[u8], stream: &mut Stream) -> Option<()> {
    let &[depth, h1, h0, w1, w0, count, _, across, ..] = body else { return None };
    (stream.width, stream.height) = (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
    let chroma = match (count, across) {
        (1, _) => 0,
        (_, 0x22) => 1,
        (_, 0x21) => 2,
        _ => 3,
    };
    // Table B.1.
    let profile = match kind {
        0xC0 => "Baseline",
        0xC1 => "Sequential",
        0xC2 => "Progressive",
        _ => "Lossless",
    };
    stream.coding = Coding { profile, level: None, chroma: Some(chroma), depth };
    stream.colour.full = Some(true);
    stream.colour.matrix = Some(5);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_sampling_and_shape_of_a_pixel() {
        let jfif = [&[0xFF, 0xE0, 0, 16][..], b"JFIF\0\x01\x02\0\0\x04\0\x03\0\0"].concat();
        let frame = [0xFF, 0xC0, 0, 17, 8, 0, 120, 0, 160, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        let data = [&[0xFF, 0xD8][..], &jfif, &frame].concat();
        let mut stream = Stream { codec: "mjpeg", ..Stream::default() };
        picture(&data, &mut stream).unwrap();
        assert_eq!((stream.width, stream.height, stream.coding.chroma), (160, 120, Some(1)));
        assert_eq!(stream.pixel_aspect, Ratio::new(4, 3));
        for at in 0..data.len() {
            let cut = picture(&data[..at], &mut Stream::default());
            assert!(cut.is_none() || at > 30, "{at}");
        }
    }
}
