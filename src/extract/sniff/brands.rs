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
    (b"mif2", Format::Heif),
    (b"mif3", Format::Heif),
    (b"avci", Format::Heif),
    (b"vvic", Format::Heif),
    (b"evbi", Format::Heif),
    (b"jpeg", Format::Heif),
    (b"j2ki", Format::Heif),
    (b"1pic", Format::Heif),
    (b"msf1", Format::HeifSequence),
    (b"avcs", Format::HeifSequence),
    (b"vvis", Format::HeifSequence),
    (b"evbs", Format::HeifSequence),
    (b"jpgs", Format::HeifSequence),
    (b"j2is", Format::HeifSequence),
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
    let brands = body.as_chunks::<4>().0;
    let Some((major, rest)) = brands.split_first() else { return Format::Mp4 };
    // Behind the major brand stands its version; in files whose only image is in a `mini` box that is a brand itself.
    let others = if major == b"mif3" { rest } else { rest.get(1..).unwrap_or(&[]) };
    match major {
        [b'3', b'g', b'2', _] => return Format::ThreeG2,
        [b'3', b'g' | b'r' | b's' | b'e', _, _] => return Format::ThreeGp,
        _ => {}
    }
    let named = |brand: &[u8; 4]| BRANDS.iter().find(|(known, _)| *known == brand).map(|(_, format)| *format);
    match named(major) {
        // A still image may carry a general brand first and the codec's brand among the others.
        Some(general @ (Format::Heif | Format::HeifSequence)) => others.iter().find_map(still).unwrap_or(general),
        Some(format) => format,
        // A brand that we do not know: any reader may go by one of the others (ISO/IEC 14496-12, 4.3.1). Films name
        // brands of films, too.
        None if others.iter().any(|brand| FILMS.contains(&brand)) => Format::Mp4,
        None => {
            let general = || others.iter().filter_map(named).find(|format| *format != Format::Mp4);
            others.iter().find_map(still).or_else(general).unwrap_or(Format::Mp4)
        }
    }
}

/// Brands of movies in general.
static FILMS: &[&[u8; 4]] =
    &[b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"dash", b"cmfc"];

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
            (b"mif3avif", Format::Avif),
            (b"mif3heic", Format::Heic),
            (b"avci\0\0\0\0mif1avci", Format::Heif),
            (b"xxxx\0\0\0\0miafmif1heic", Format::Heic),
            (b"xxxx\0\0\0\0miafmif1", Format::Heif),
            (b"xxxx\0\0\0\0isommif1heic", Format::Mp4),
            (b"xxxx\0\0\0\0M4A mp42", Format::Mp4),
            (b"xxxx\0\0\0\0M4A ", Format::M4a),
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
