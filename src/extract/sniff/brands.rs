//! ISO base media files: which format the brands of the `ftyp` box name (ISO/IEC 14496-12, 4.3).

use super::format::Format;

/// Brands and what they name. Sources: MP4RA's list of brands; ISO/IEC 23008-12, 10; AVIF 1.1, 8.
static BRANDS: &[(&[u8; 4], Format)] = &[
    (b"avif", Format::Avif),
    (b"avis", Format::Avif),
    (b"heic", Format::Heic),
    (b"heix", Format::Heic),
    (b"heim", Format::Heic),
    (b"heis", Format::Heic),
    (b"hevc", Format::HeicSequence),
    (b"hevx", Format::HeicSequence),
    (b"hevm", Format::HeicSequence),
    (b"hevs", Format::HeicSequence),
    (b"mif1", Format::Heif),
    (b"msf1", Format::HeifSequence),
    (b"crx ", Format::Cr3),
    (b"qt  ", Format::Mov),
    (b"M4A ", Format::M4a),
    (b"M4B ", Format::M4a),
    (b"M4P ", Format::M4a),
    (b"F4A ", Format::M4a),
    (b"aax ", Format::Aax),
    (b"aaxc", Format::Aax),
    (b"M4V ", Format::M4v),
    (b"M4VH", Format::M4v),
    (b"M4VP", Format::M4v),
    (b"jp2 ", Format::Jp2),
    (b"jpx ", Format::Jpx),
    (b"jxl ", Format::Jxl),
    (b"isom", Format::Mp4),
];

/// Boxes that start QuickTime files older than `ftyp` (QuickTime File Format, "Overview of file structure").
static CLASSIC: &[&[u8; 4]] = &[b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];
/// Boxes that start a segment of a fragmented file (ISO/IEC 14496-12, 8.16).
static SEGMENT: &[&[u8; 4]] = &[b"styp", b"moof", b"sidx", b"emsg", b"prft"];

/// The format of a file whose first box is one of ISO base media or QuickTime.
pub(super) fn bmff(head: &[u8]) -> Option<Format> {
    let (size, rest) = head.split_first_chunk::<4>()?;
    let (kind, body) = rest.split_first_chunk::<4>()?;
    if SEGMENT.contains(&kind) {
        return Some(Format::Mp4);
    }
    if CLASSIC.contains(&kind) {
        // A first box of sane size: these letters also start text.
        return (size[0] < 0x20).then_some(Format::Mov);
    }
    if kind != b"ftyp" {
        return None;
    }
    let [_, _, high, low] = *size;
    let len = usize::from(u16::from_le_bytes([low, high])).saturating_sub(8);
    Some(by_brands(body.get(..len).unwrap_or(body)))
}

fn by_brands(body: &[u8]) -> Format {
    let mut brands = body.as_chunks::<4>().0.iter();
    let major = brands.next().copied().unwrap_or_default();
    // A still image may carry the general brands `mif1` or `msf1` first and the codec's brand among the others.
    if matches!(&major, b"mif1" | b"msf1") {
        let codec = brands.skip(1).find_map(still);
        return codec.unwrap_or(if &major == b"mif1" { Format::Heif } else { Format::HeifSequence });
    }
    match &major {
        [b'3', b'g', b'2', _] => Format::ThreeG2,
        [b'3', b'g' | b'r' | b's' | b'e', _, _] => Format::ThreeGp,
        _ => BRANDS.iter().find(|(brand, _)| **brand == major).map_or(Format::Mp4, |(_, format)| *format),
    }
}

fn still(brand: &[u8; 4]) -> Option<Format> {
    match brand {
        b"avif" | b"avis" => Some(Format::Avif),
        b"heic" | b"heix" => Some(Format::Heic),
        b"hevc" | b"hevx" => Some(Format::HeicSequence),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_brand_decides_and_general_brands_look_further() {
        let file = |brands: &[u8]| [&[0, 0, 0, brands.len() as u8 + 8], &b"ftyp"[..], brands].concat();
        let table: &[(&[u8], Format)] = &[
            (b"heic\0\0\0\0mif1heic", Format::Heic),
            (b"mif1\0\0\0\0mif1heicmiaf", Format::Heic),
            (b"mif1\0\0\0\0mif1avifmiaf", Format::Avif),
            (b"mif1\0\0\0\0mif1", Format::Heif),
            (b"isom\0\0\x02\0isomiso2", Format::Mp4),
            (b"3gp4\0\0\x02\0isom3gp4", Format::ThreeGp),
            (b"qt  \0\0\x02\0", Format::Mov),
            (b"M4A \0\0\0\0M4A mp42", Format::M4a),
        ];
        for (brands, format) in table {
            assert_eq!(bmff(&file(brands)), Some(*format), "{}", String::from_utf8_lossy(brands));
        }
        assert_eq!(bmff(b"\0\0\0\x08wide"), Some(Format::Mov));
        assert_eq!(bmff(b"The free lunch"), None);
        assert_eq!(bmff(b"\0\0"), None);
    }
}
