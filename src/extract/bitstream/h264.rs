//! H.264: sequence parameter sets (ITU-T H.264, 7.3.2.1.1 and E.1.1).

use super::{units, vui};
use crate::extract::stream::{Bits, Coding, Stream};

/// The first sequence parameter set of units between start codes.
pub fn by_start_code(bytes: &[u8], stream: &mut Stream) -> bool {
    units::by_start_code(bytes).any(|unit| parameter_set(unit, stream).is_some())
}

/// The first sequence parameter set of units with their length in front.
pub fn by_length(bytes: &[u8], width: usize, stream: &mut Stream) -> bool {
    units::by_length(bytes, width).any(|unit| parameter_set(unit, stream).is_some())
}

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1); the width of lengths in the samples.
pub fn record(bytes: &[u8], stream: &mut Stream) -> Option<usize> {
    let [1, profile, constraints, level, width, count, rest @ ..] = bytes else { return None };
    stream.coding.profile = profile_name(*profile, *constraints);
    stream.coding.level = Some(*level);
    if count & 0x1F > 0
        && let Some((&[high, low], sets)) = rest.split_first_chunk::<2>()
    {
        let len = usize::from(u16::from_le_bytes([low, high])).min(sets.len());
        parameter_set(sets.get(..len)?, stream);
    }
    Some(usize::from(width & 3).saturating_add(1))
}

/// A unit, if it is a sequence parameter set.
fn parameter_set(unit: &[u8], stream: &mut Stream) -> Option<()> {
    let (head, body) = unit.split_first()?;
    if head & 0x1F != 7 || head & 0x80 != 0 {
        return None;
    }
    let plain = units::unescape(body.get(..body.len().min(512))?);
    let mut bits = Bits::new(&plain);
    let mut read = stream.clone();
    sequence(&mut bits, &mut read)?;
    // The rest may be cut: what stands in front of it counts.
    let _ = usability(&mut bits, &mut read);
    *stream = read;
    Some(())
}

fn sequence(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    let (profile, constraints, level) = (bits.byte(8)?, bits.byte(8)?, bits.byte(8)?);
    bits.golomb()?;
    let (mut chroma, mut depth) = (1, 8);
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        (chroma, depth) = high(bits)?;
    }
    bits.golomb()?;
    let order = order(bits)?;
    let references = bits.golomb()?;
    bits.skip(1);
    let (wide, high) = (bits.golomb()?.checked_add(1)?, bits.golomb()?.checked_add(1)?);
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.skip(1);
    }
    bits.skip(1);
    let fields = if frames_only { 1 } else { 2 };
    let size = (wide.checked_mul(16)?, high.checked_mul(16)?.checked_mul(fields)?);
    let (width, height) = cropped(bits, size, chroma, fields)?;
    stream.coding =
        Coding { profile: profile_name(profile, constraints), level: Some(level), chroma: Some(chroma), depth };
    (stream.width, stream.height) = (width, height);
    // Without reordering the picture order follows the decoding order (8.2.1.3); baseline has no B slices (A.2.1).
    let never = order == 2 || profile == 66 || references == 0;
    stream.b_frames = if never { Some(0) } else { stream.b_frames };
    Some(())
}

/// Chroma format and depth of the high profiles, over their scaling lists.
fn high(bits: &mut Bits<'_>) -> Option<(u8, u8)> {
    let chroma = u8::try_from(bits.golomb()?).ok().filter(|chroma| *chroma <= 3)?;
    if chroma == 3 {
        bits.skip(1);
    }
    let depth = u8::try_from(bits.golomb()?).ok().filter(|more| *more <= 6)?.checked_add(8)?;
    bits.golomb()?;
    bits.skip(1);
    if bits.flag()? {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.flag()? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some((chroma, depth))
}

/// 7.3.2.1.1.1
fn scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<()> {
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..size {
        if next != 0 {
            next = last.checked_add(bits.signed_golomb()?)?.rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// The type of picture order count, over its parameters.
fn order(bits: &mut Bits<'_>) -> Option<u32> {
    let kind = bits.golomb()?;
    match kind {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1);
            bits.signed_golomb()?;
            bits.signed_golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.signed_golomb()?;
            }
        }
        _ => {}
    }
    Some(kind)
}

/// The size without the cropped edges, which count in chroma samples (7-19 to 7-22).
fn cropped(bits: &mut Bits<'_>, (width, height): (u32, u32), chroma: u8, fields: u32) -> Option<(u32, u32)> {
    if !bits.flag()? {
        return Some((width, height));
    }
    let (left, right, top, bottom) = (bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?);
    let across = if matches!(chroma, 1 | 2) { 2 } else { 1 };
    let down = if chroma == 1 { 2 } else { 1 };
    let width_off = left.checked_add(right)?.checked_mul(across)?;
    let height_off = top.checked_add(bottom)?.checked_mul(down)?.checked_mul(fields)?;
    let size = (width.checked_sub(width_off)?, height.checked_sub(height_off)?);
    Some(size).filter(|(width, height)| *width > 0 && *height > 0)
}

/// Usability information: shape, colour, rate, reordering.
fn usability(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if !bits.flag()? {
        return Some(());
    }
    vui::common(bits, stream)?;
    if bits.flag()? {
        let (ticks, scale) = (bits.take(32)?, bits.take(32)?);
        // Two ticks make a frame (E.2.1).
        stream.coded_rate = vui::rate(scale, u64::from(ticks).checked_mul(2)?);
        bits.skip(1);
    }
    let (nal, vcl) = (reference_decoder(bits)?, reference_decoder(bits)?);
    if nal || vcl {
        bits.skip(1);
    }
    bits.skip(1);
    if bits.flag()? {
        bits.skip(1);
        for _ in 0..4 {
            bits.golomb()?;
        }
        stream.b_frames = bits.golomb().filter(|count| *count <= 16).or(stream.b_frames);
    }
    Some(())
}

/// Passes over parameters of the hypothetical reference decoder (E.1.2); whether there were any.
fn reference_decoder(bits: &mut Bits<'_>) -> Option<bool> {
    if !bits.flag()? {
        return Some(false);
    }
    let count = bits.golomb()?.min(31);
    bits.skip(8);
    for _ in 0..=count {
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1);
    }
    bits.skip(20);
    Some(true)
}

/// ITU-T H.264, A.2; the second flag constrains, the fourth leaves out inter prediction.
fn profile_name(profile: u8, constraints: u8) -> &'static str {
    match (profile, constraints & 0x40 != 0, constraints & 0x10 != 0) {
        (66, true, _) => "Constrained Baseline",
        (66, ..) => "Baseline",
        (77, ..) => "Main",
        (88, ..) => "Extended",
        (100, ..) => "High",
        (110, _, true) => "High 10 Intra",
        (110, ..) => "High 10",
        (122, _, true) => "High 4:2:2 Intra",
        (122, ..) => "High 4:2:2",
        (244, _, true) => "High 4:4:4 Intra",
        (244, ..) => "High 4:4:4 Predictive",
        (118, ..) => "Multiview High",
        (128, ..) => "Stereo High",
        (44, ..) => "CAVLC 4:4:4",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::bitstream::written::{Writer, escaped};

    /// 1920 x 1080 (1088 cropped by 8), 25 Hz, pixel 4:3, bt709, two pictures reordered.
    fn full_hd() -> Vec<u8> {
        let head = Writer::default().bits(100, 8).bits(0, 8).bits(40, 8).golomb(0);
        let sampling = head.golomb(1).golomb(0).golomb(0).bits(0, 2);
        let order = sampling.golomb(0).golomb(0).golomb(2).golomb(4).bits(0, 1);
        let size = order.golomb(119).golomb(67).bits(1, 1).bits(1, 1).bits(1, 1);
        let crop = size.golomb(0).golomb(0).golomb(0).golomb(4).bits(1, 1);
        let shape = crop.bits(1, 1).bits(14, 8).bits(0, 1);
        let colour = shape.bits(1, 1).bits(5, 3).bits(0, 1).bits(1, 1).bits(1, 8).bits(1, 8).bits(1, 8).bits(0, 1);
        let timing = colour.bits(1, 1).bits(1, 32).bits(50, 32).bits(1, 1).bits(0, 2).bits(0, 1);
        let order = timing.bits(1, 1).bits(1, 1).golomb(2).golomb(1).golomb(9).golomb(9).golomb(2).golomb(4);
        [vec![0x67], order.bits(1, 1).bytes()].concat()
    }

    #[test]
    fn a_full_parameter_set() {
        let mut stream = Stream::default();
        assert!(by_start_code(&[&[0, 0, 0, 1, 9, 0xF0, 0, 0, 1][..], &escaped(&full_hd())].concat(), &mut stream));
        assert_eq!((stream.width, stream.height, stream.b_frames), (1920, 1080, Some(2)));
        assert_eq!((stream.coding.profile, stream.coding.level), ("High", Some(40)));
        assert_eq!(stream.coding.pixel_format(false), "yuv420p");
        assert_eq!(stream.pixel_aspect.unwrap().with_colon(), "4:3");
        assert_eq!(stream.coded_rate.unwrap().to_string(), "25/1");
        assert_eq!(stream.colour.names(), ["bt709", "bt709", "bt709", "tv"]);
    }

    #[test]
    fn a_record_without_a_whole_set_still_names_its_profile() {
        let set = escaped(&full_hd());
        let record_of = |set: &[u8]| [&[1, 100, 0, 40, 0xFF, 0xE1, 0, set.len() as u8][..], set].concat();
        let mut stream = Stream::default();
        assert_eq!(record(&record_of(&set), &mut stream), Some(4));
        assert_eq!(stream.width, 1920);
        let mut cut = Stream::default();
        assert_eq!(record(&record_of(&set[..6]), &mut cut), Some(4));
        assert_eq!((cut.width, cut.coding.profile), (0, "High"));
        assert_eq!(record(&[0; 9], &mut cut), None);
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        let set = full_hd();
        for at in 0..set.len() {
            parameter_set(&set[..at], &mut Stream::default());
            for bit in 0..8 {
                let mut flipped = set.clone();
                flipped[at] ^= 1 << bit;
                parameter_set(&flipped, &mut Stream::default());
            }
        }
    }
}
