//! MPEG-4 part 2 (ISO/IEC 14496-2, 6.2.2 and 6.2.3) and its relatives: H.263 pictures and Sorenson's in FLV.

use crate::extract::stream::{Bits, Ratio, Stream};

/// Shapes of a pixel by code (ISO/IEC 14496-2, table 6-12).
const SHAPES: [(u64, u64); 6] = [(0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33)];

/// Reads the object layer and, in front of it, profile and level.
pub fn object_layer(bytes: &[u8], stream: &mut Stream) -> bool {
    let mut found = false;
    for (at, four) in bytes.windows(4).enumerate() {
        let body = bytes.get(at.saturating_add(4)..).unwrap_or(&[]);
        match four {
            [0, 0, 1, 0xB0] => profile(body.first().copied().unwrap_or(0), stream),
            [0, 0, 1, 0xB5] if !found => {
                visual_object(&mut Bits::new(body), stream);
            }
            [0, 0, 1, 0x20..=0x2F] if !found => {
                let mut read = stream.clone();
                if layer(&mut Bits::new(body), &mut read).is_some() {
                    *stream = read;
                    found = true;
                }
            }
            [0, 0, 1, 0xB6] => break,
            _ => {}
        }
    }
    found
}

/// Table G.1: the profile in the upper half, the level in the lower.
fn profile(code: u8, stream: &mut Stream) {
    let (name, level) = match code {
        // Levels 0 and 0b of the simple profile stand out of line.
        8 => ("Simple Profile", 0),
        _ => match code >> 4 {
            0 => ("Simple Profile", code & 15),
            1 => ("Simple Scalable Profile", code & 15),
            2 => ("Core Profile", code & 15),
            3 => ("Main Profile", code & 15),
            9 => ("Advanced Real Time Simple Profile", code & 15),
            14 => ("Simple Studio Profile", code & 15),
            15 => ("Advanced Simple Profile", code & 7),
            _ => return,
        },
    };
    stream.coding.profile = name;
    stream.coding.level = Some(level);
}

/// The visual object (6.2.2): colours, where it has any.
fn visual_object(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if bits.flag()? {
        bits.skip(4 + 3);
    }
    let video = matches!(bits.take(4)?, 1 | 2);
    if video && bits.flag()? {
        bits.skip(3);
        stream.colour.full = Some(bits.flag()?);
        if bits.flag()? {
            stream.colour.primaries = u16::from(bits.byte(8)?);
            stream.colour.transfer = u16::from(bits.byte(8)?);
            stream.colour.matrix = bits.byte(8).map(u16::from);
        }
    }
    Some(())
}

fn layer(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    bits.skip(1);
    let kind_of_object = bits.take(8)?;
    let version = if bits.flag()? {
        let version = bits.take(4)?;
        bits.skip(3);
        version
    } else {
        1
    };
    let shape = match bits.take(4)? {
        15 => (u64::from(bits.take(8)?), u64::from(bits.take(8)?)),
        code => SHAPES.get(usize::try_from(code).ok()?).copied().unwrap_or_default(),
    };
    stream.pixel_aspect = stream.pixel_aspect.or(Ratio::new(shape.0, shape.1));
    stream.b_frames = Some(0);
    if bits.flag()? {
        bits.skip(2);
        stream.b_frames = Some(u32::from(!bits.flag()?));
        if bits.flag()? {
            bits.skip(79);
        }
    } else {
        // Nothing said: simple and advanced simple objects (table 6-10) are taken to have none.
        stream.b_frames = Some(u32::from(!matches!(kind_of_object, 1 | 17)));
    }
    let kind = bits.take(2)?;
    if kind == 3 && version != 1 {
        bits.skip(4);
    }
    bits.skip(1);
    let ticks = bits.take(16)?;
    bits.skip(1);
    if bits.flag()? {
        let width = 32_u32.saturating_sub(ticks.saturating_sub(1).leading_zeros()).max(1);
        stream.coded_rate = Ratio::new(ticks.into(), bits.take(width)?.into());
    }
    if kind != 0 {
        return None;
    }
    bits.skip(1);
    let width = bits.take(13)?;
    bits.skip(1);
    let height = bits.take(13)?;
    (stream.width, stream.height) = (width, height);
    (stream.coding.chroma, stream.coding.depth) = (Some(1), 8);
    (width > 0 && height > 0).then_some(())
}

/// A picture of Sorenson H.263 (Adobe FLV 10.1, E.4.3.2; H.263 with a start code of 17 bits).
pub fn sorenson(bytes: &[u8], stream: &mut Stream) -> Option<()> {
    let mut bits = Bits::new(bytes);
    if bits.take(17)? != 1 {
        return None;
    }
    bits.skip(5 + 8);
    let size = match bits.take(3)? {
        0 => (bits.take(8)?, bits.take(8)?),
        1 => (bits.take(16)?, bits.take(16)?),
        2 => (352, 288),
        3 => (176, 144),
        4 => (128, 96),
        5 => (320, 240),
        6 => (160, 120),
        _ => return None,
    };
    (stream.width, stream.height) = size;
    (stream.coding.chroma, stream.coding.depth) = (Some(1), 8);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    #[test]
    fn an_object_layer_with_its_profile() {
        let layer = Writer::default().bits(0, 1).bits(2, 8).bits(0, 1).bits(2, 4).bits(0, 1).bits(0, 2).bits(1, 1);
        let time = layer.bits(25, 16).bits(1, 1).bits(1, 1).bits(1, 5);
        let body = time.bits(1, 1).bits(352, 13).bits(1, 1).bits(288, 13).bits(1, 20).bytes();
        let data = [&[0, 0, 1, 0xB0, 0xF5, 0, 0, 1, 0x20][..], &body].concat();
        let mut stream = Stream::default();
        assert!(object_layer(&data, &mut stream));
        assert_eq!((stream.width, stream.height, stream.b_frames), (352, 288, Some(1)));
        assert_eq!((stream.coding.profile, stream.coding.level), ("Advanced Simple Profile", Some(5)));
        assert_eq!(stream.pixel_aspect.unwrap().with_colon(), "12:11");
        assert_eq!(stream.coded_rate.unwrap().to_string(), "25/1");
        for at in 0..data.len() {
            object_layer(&data[..at], &mut Stream::default());
        }
    }

    #[test]
    fn pictures_of_flv() {
        let picture = |size: u32| Writer::default().bits(1, 17).bits(0, 13).bits(size, 3);
        let mut stream = Stream::default();
        assert!(sorenson(&picture(2).bytes(), &mut stream).is_some());
        assert_eq!((stream.width, stream.height), (352, 288));
        assert!(sorenson(&picture(1).bits(400, 16).bits(300, 16).bytes(), &mut stream).is_some());
        assert_eq!((stream.width, stream.height), (400, 300));
        assert!(sorenson(&picture(7).bytes(), &mut stream).is_none());
    }
}
