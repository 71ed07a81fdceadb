//! MPEG-1 and MPEG-2 video: sequence headers and their extensions (ISO/IEC 13818-2, 6.2.2).

use crate::extract::stream::{Bits, Coding, Ratio, Stream};

/// Frames per second by code (ISO/IEC 13818-2, table 6-4).
const RATES: [(u64, u64); 8] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];

/// Shapes of a pixel in MPEG-1, in ten-thousandths of its width by code (ISO/IEC 11172-2, 2.4.3.2).
const MPEG_1_SHAPES: [u64; 14] =
    [10_000, 6735, 7031, 7615, 8055, 8437, 8935, 9157, 9815, 10_255, 10_695, 10_950, 11_575, 12_015];

/// The first sequence header. The codec becomes `mpeg1video` where no extension follows it.
pub fn sequence(bytes: &[u8], stream: &mut Stream) -> bool {
    let Some(at) = bytes.windows(4).position(|four| four == [0, 0, 1, 0xB3]) else { return false };
    let body = bytes.get(at.saturating_add(4)..).unwrap_or(&[]);
    let mut read = stream.clone();
    let Some(head) = header(&mut Bits::new(body), &mut read) else { return false };
    let mut extended = false;
    for (kind, unit) in units(body) {
        match kind {
            0xB5 if !extended => extended = extension(&mut Bits::new(unit), &mut read).is_some(),
            0xB5 => {
                let _ = display(&mut Bits::new(unit), &mut read);
            }
            // A group of pictures or a picture ends the headers.
            0xB8 | 0 => break,
            _ => {}
        }
    }
    read.codec = if extended { "mpeg2video" } else { "mpeg1video" };
    shape(head, extended, &mut read);
    *stream = read;
    true
}

/// Units behind start codes: the code and what follows it.
fn units(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    bytes.windows(4).enumerate().filter_map(|(at, four)| match four {
        [0, 0, 1, kind] => Some((*kind, bytes.get(at.saturating_add(4)..)?)),
        _ => None,
    })
}

/// Reads the header; the code of the shape.
fn header(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<u32> {
    (stream.width, stream.height) = (bits.take(12)?, bits.take(12)?);
    let shape = bits.take(4)?;
    let rate = usize::try_from(bits.take(4)?).ok()?.checked_sub(1)?;
    let (numer, denom) = *RATES.get(rate)?;
    stream.coded_rate = Ratio::new(numer, denom);
    // In units of 400 bits; all ones mean a variable rate.
    let bitrate = bits.take(18)?;
    stream.bitrate = stream.bitrate.or(Some(u64::from(bitrate).saturating_mul(400)).filter(|_| bitrate < 0x3_FFFF));
    stream.coding = Coding { chroma: Some(1), depth: 8, ..Coding::default() };
    stream.colour.full = Some(false);
    stream.b_frames = Some(1);
    (stream.width > 0 && stream.height > 0).then_some(shape)
}

/// 6.2.2.3
fn extension(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if bits.take(4)? != 1 {
        return None;
    }
    bits.skip(1);
    let (profile, level) = (bits.byte(3)?, bits.byte(4)?);
    bits.skip(1);
    let chroma = bits.byte(2)?;
    stream.width |= bits.take(2)? << 12;
    stream.height |= bits.take(2)? << 12;
    bits.skip(12 + 1 + 8);
    let low_delay = bits.flag()?;
    let (numer, denom) = (u64::from(bits.take(2)?).saturating_add(1), u64::from(bits.take(5)?).saturating_add(1));
    stream.coded_rate = stream.coded_rate.and_then(|rate| rate.times(Ratio::new(numer, denom)?));
    stream.b_frames = Some(u32::from(!low_delay));
    stream.coding = Coding { profile: profile_name(profile), level: Some(level), chroma: Some(chroma), depth: 8 };
    Some(())
}

/// 6.2.2.4: colour.
fn display(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if bits.take(4)? != 2 {
        return None;
    }
    bits.skip(3);
    if bits.flag()? {
        stream.colour.primaries = u16::from(bits.byte(8)?);
        stream.colour.transfer = u16::from(bits.byte(8)?);
        stream.colour.matrix = Some(u16::from(bits.byte(8)?));
    }
    Some(())
}

/// MPEG-2 gives the shape of the picture (table 6-3), MPEG-1 that of a pixel.
fn shape(code: u32, mpeg_2: bool, stream: &mut Stream) {
    let picture =
        |wide: u64, high: u64| Ratio::new(wide, high)?.times(Ratio::new(stream.height.into(), stream.width.into())?);
    let found = match (mpeg_2, code) {
        (_, 1) => Ratio::new(1, 1),
        (true, 2) => picture(4, 3),
        (true, 3) => picture(16, 9),
        (true, 4) => picture(221, 100),
        (false, code) => usize::try_from(code)
            .ok()
            .and_then(|code| MPEG_1_SHAPES.get(code.checked_sub(1)?))
            .and_then(|tenthousandths| Ratio::new(10_000, *tenthousandths)),
        _ => None,
    };
    stream.pixel_aspect = stream.pixel_aspect.or(found);
}

/// Table 8-2
fn profile_name(profile: u8) -> &'static str {
    match profile {
        0 => "4:2:2",
        1 => "High",
        2 => "Spatially Scalable",
        3 => "SNR Scalable",
        4 => "Main",
        5 => "Simple",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::Writer;

    fn sample() -> Vec<u8> {
        let head = Writer::default().bits(720, 12).bits(576, 12).bits(3, 4).bits(3, 4).bits(15_000, 18).bits(1, 14);
        let more = Writer::default().bits(1, 4).bits(0, 1).bits(4, 3).bits(8, 4).bits(1, 1).bits(1, 2).bits(0, 4);
        let more = more.bits(0, 21).bits(0, 1).bits(0, 7).bytes();
        let shown = Writer::default().bits(2, 4).bits(1, 3).bits(1, 1).bits(5, 8).bits(5, 8).bits(6, 8).bytes();
        let code = |kind: u8| vec![0, 0, 1, kind];
        [code(0xB3), head.bytes(), code(0xB5), more, code(0xB5), shown, code(0xB8), vec![0; 9]].concat()
    }

    #[test]
    fn sequences_of_both_versions() {
        let mut stream = Stream::default();
        assert!(sequence(&sample(), &mut stream));
        assert_eq!((stream.codec, stream.width, stream.height), ("mpeg2video", 720, 576));
        assert_eq!((stream.coding.profile, stream.coding.level, stream.b_frames), ("Main", Some(8), Some(1)));
        assert_eq!(stream.pixel_aspect.unwrap().with_colon(), "64:45");
        assert_eq!((stream.coded_rate.unwrap().to_string().as_str(), stream.bitrate), ("25/1", Some(6_000_000)));
        assert_eq!(stream.colour.names(), ["bt470bg", "bt470bg", "smpte170m", "tv"]);
        let mut old = Stream::default();
        assert!(sequence(&sample()[..12], &mut old));
        assert_eq!(old.codec, "mpeg1video");
        for at in 0..sample().len() {
            sequence(&sample()[..at], &mut Stream::default());
        }
    }
}
