//! What a track's packets hold: the codec, its configuration, the size of pictures.

/// How packets are framed inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::video) enum Shape {
    /// As the codec writes them; H.264 and HEVC with start codes.
    Plain,
    /// Units with their length in front, in that many bytes (ISO/IEC 14496-15).
    Lengths(u8),
}

/// A codec by the names that others know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::video) struct Codec {
    /// As FFmpeg names it; of an unknown one its four-character code.
    pub(in crate::video) name: String,
    /// As Matroska names it (RFC 9559, 5.1.4.1.21 and the codec mappings).
    pub(in crate::video) matroska: String,
}

/// A video track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::video) struct Track {
    pub(in crate::video) codec: Codec,
    /// Configuration of the decoder, as Matroska keeps it in CodecPrivate.
    pub(in crate::video) private: Vec<u8>,
    pub(in crate::video) shape: Shape,
    /// Size of the pictures, 0 where the container does not say.
    pub(in crate::video) width: u32,
    pub(in crate::video) height: u32,
}

/// Names of codecs that Matroska names itself: FFmpeg's, Matroska's.
const KNOWN: [(&str, &str); 12] = [
    ("h264", "V_MPEG4/ISO/AVC"),
    ("hevc", "V_MPEGH/ISO/HEVC"),
    ("mpeg4", "V_MPEG4/ISO/ASP"),
    ("mpeg2video", "V_MPEG2"),
    ("mpeg1video", "V_MPEG1"),
    ("mjpeg", "V_MJPEG"),
    ("vp8", "V_VP8"),
    ("vp9", "V_VP9"),
    ("av1", "V_AV1"),
    ("theora", "V_THEORA"),
    ("prores", "V_PRORES"),
    ("png", "V_PNG"),
];

/// Codes of AVI and QuickTime for the codecs of [`KNOWN`] (the registries of Microsoft and Apple), in capitals.
const CODES: [(&[u8; 4], &str); 35] = [
    (b"H264", "h264"),
    (b"X264", "h264"),
    (b"AVC1", "h264"),
    (b"AVC3", "h264"),
    (b"DAVC", "h264"),
    (b"HEVC", "hevc"),
    (b"HVC1", "hevc"),
    (b"HEV1", "hevc"),
    (b"H265", "hevc"),
    (b"XVID", "mpeg4"),
    (b"DIVX", "mpeg4"),
    (b"DX50", "mpeg4"),
    (b"MP4V", "mpeg4"),
    (b"FMP4", "mpeg4"),
    (b"MPG1", "mpeg1video"),
    (b"MPEG", "mpeg1video"),
    (b"M1V ", "mpeg1video"),
    (b"MPG2", "mpeg2video"),
    (b"M2V1", "mpeg2video"),
    (b"MJPG", "mjpeg"),
    (b"MJPA", "mjpeg"),
    (b"JPEG", "mjpeg"),
    (b"VP80", "vp8"),
    (b"VP08", "vp8"),
    (b"VP90", "vp9"),
    (b"VP09", "vp9"),
    (b"AV01", "av1"),
    (b"MPNG", "png"),
    (b"PNG ", "png"),
    (b"APCH", "prores"),
    (b"APCN", "prores"),
    (b"APCS", "prores"),
    (b"APCO", "prores"),
    (b"AP4H", "prores"),
    (b"DMB1", "mjpeg"),
];

impl Codec {
    /// A codec of [`KNOWN`] by FFmpeg's name.
    pub(super) fn named(name: &str) -> Codec {
        let matroska = KNOWN.iter().find(|(known, _)| *known == name).map_or("", |(_, matroska)| matroska);
        Codec { name: name.to_owned(), matroska: matroska.to_owned() }
    }

    /// A codec of [`KNOWN`] by Matroska's name, or an unknown one.
    pub(super) fn of_matroska(id: &str) -> Codec {
        let known = KNOWN.iter().find(|(_, matroska)| *matroska == id);
        // The profiles of MPEG-4 have names of their own.
        let known = known.map(|(name, _)| *name).or_else(|| id.starts_with("V_MPEG4/ISO/").then_some("mpeg4"));
        let fallback = || id.trim_start_matches("V_").to_ascii_lowercase();
        Codec { name: known.map_or_else(fallback, str::to_owned), matroska: id.to_owned() }
    }

    /// A codec of [`KNOWN`] by its four-character code.
    pub(super) fn of_code(code: [u8; 4]) -> Option<Codec> {
        let code = code.map(|byte| byte.to_ascii_uppercase());
        CODES.iter().find(|(known, _)| **known == code).map(|(_, name)| Codec::named(name))
    }

    /// An unknown codec: named by its code, described to decoders by the container that it came from.
    pub(super) fn foreign(code: [u8; 4], matroska: &str) -> Codec {
        let name: String = code.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_alphanumeric).collect();
        Codec { name: name.to_ascii_lowercase(), matroska: matroska.to_owned() }
    }

    /// Whether each packet stands alone.
    pub(in crate::video) fn is_still(&self) -> bool {
        matches!(self.name.as_str(), "mjpeg" | "png" | "prores")
    }
}

/// The width of the lengths in front of units, by the configuration record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
pub(super) fn shape_of(name: &str, private: &[u8]) -> Shape {
    let place = match (name, private.first()) {
        ("h264", Some(1)) => private.get(4),
        ("hevc", Some(_)) if private.len() >= 23 && !private.starts_with(&[0, 0]) => private.get(21),
        _ => None,
    };
    place.map_or(Shape::Plain, |byte| Shape::Lengths((byte & 3) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(CODES.iter().all(|(_, name)| !Codec::named(name).matroska.is_empty()));
        assert_eq!(Codec::of_matroska("V_MPEG4/ISO/AVC").name, "h264");
        assert_eq!(Codec::of_matroska("V_MPEG4/ISO/SP").name, "mpeg4");
        assert_eq!(Codec::of_matroska("V_REAL/RV40").name, "real/rv40");
        assert_eq!(Codec::of_code(*b"avc1").unwrap().name, "h264");
        assert_eq!(Codec::foreign(*b"cvid", "V_QUICKTIME").name, "cvid");
        assert_eq!(shape_of("h264", &[1, 100, 0, 31, 0xFF, 0xE1]), Shape::Lengths(4));
        assert_eq!(shape_of("h264", &[0, 0, 0, 1, 0x67]), Shape::Plain);
    }
}
