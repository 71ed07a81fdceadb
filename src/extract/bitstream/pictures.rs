//! How many pictures begin in a part of a bare stream: it has no other clock.

use super::units;

/// Pictures that begin in `bytes`, by the codec's name; 0 for codecs whose pictures do not show at their start.
pub fn pictures(codec: &str, bytes: &[u8]) -> u64 {
    let begun = |begins: fn(&[u8]) -> bool| {
        u64::try_from(units::by_start_code(bytes).filter(|unit| begins(unit)).count()).unwrap_or(0)
    };
    match codec {
        // ITU-T H.264, 7.3.3: a slice whose first macroblock is number 0, written as one bit that is set.
        "h264" => begun(|unit| matches!(unit, [head, first, ..] if matches!(head & 31, 1 | 5) && first & 0x80 != 0)),
        // ITU-T H.265, 7.3.6.1: a slice segment, which are the types below 32, that is the first of its picture.
        "hevc" => begun(|unit| matches!(unit, [head, _, first, ..] if head >> 1 < 32 && first & 0x80 != 0)),
        // ISO/IEC 14496-2, 6.2.5.
        "mpeg4" => begun(|unit| unit.first() == Some(&0xB6)),
        "mpeg1video" => begun(|unit| unit.first() == Some(&0)),
        "mpeg2video" => frames_and_fields(bytes),
        _ => 0,
    }
}

/// ISO/IEC 13818-2, 6.3.10: the extension of a picture says whether it is a frame or one of two fields.
fn frames_and_fields(bytes: &[u8]) -> u64 {
    let (mut pictures, mut fields) = (0_u64, 0_u64);
    for unit in units::by_start_code(bytes) {
        match unit {
            [0, ..] => pictures = pictures.saturating_add(1),
            [0xB5, head, _, structure, ..] if head >> 4 == 8 && matches!(structure & 3, 1 | 2) => {
                fields = fields.saturating_add(1);
            }
            _ => {}
        }
    }
    pictures.saturating_sub(fields >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_counted_but_not_their_slices() {
        let of = |units: &[&[u8]]| units.iter().flat_map(|unit| [&[0, 0, 1][..], unit].concat()).collect::<Vec<u8>>();
        let h264 =
            of(&[&[0x67, 0x42], &[0x65, 0x88, 1], &[0x65, 0x40, 1], &[0x41, 0x9A], &[0x01, 0x9A], &[0x06, 0xFF]]);
        assert_eq!(pictures("h264", &h264), 3);
        let hevc = of(&[&[0x40, 1, 0xFF], &[0x26, 1, 0xAF], &[0x26, 1, 0x20], &[0x02, 1, 0xD0]]);
        assert_eq!(pictures("hevc", &hevc), 2);
        assert_eq!(pictures("mpeg4", &of(&[&[0x20], &[0xB6, 1], &[0xB6, 2]])), 2);
        let field = [0xB5, 0x8F, 0xFF, 0xF1];
        let mpeg2 = of(&[&[0xB3], &[0, 1], &[1], &[0, 2], &[0, 3], &field, &[0, 4], &field]);
        assert_eq!((pictures("mpeg2video", &mpeg2), pictures("mpeg1video", &mpeg2)), (3, 4));
        assert_eq!((pictures("av1", &mpeg2), pictures("h264", &[0, 0, 1])), (0, 0));
    }
}
