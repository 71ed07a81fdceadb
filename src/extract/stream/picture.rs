//! How pictures are coded: profile, level, sampling and colour, by the names that ffprobe gives them.

/// Colour as numbers of ISO/IEC 23091-2 (H.273); 0 and 2 mean that nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colour {
    /// Colour primaries.
    pub primaries: u16,
    /// Transfer characteristics.
    pub transfer: u16,
    /// Matrix coefficients; `None` where nothing is said, as 0 is a matrix.
    pub matrix: Option<u16>,
    /// Whether samples use the full range.
    pub full: Option<bool>,
}

/// What a decoder configuration says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coding {
    /// Profile by ffprobe's name.
    pub profile: &'static str,
    /// Level as the codec counts.
    pub level: Option<u8>,
    /// 0 grey, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4; `None` where unknown.
    pub chroma: Option<u8>,
    /// Bits per sample; 0 where unknown.
    pub depth: u8,
}

impl Coding {
    /// What a codec allows only one way.
    pub fn of_codec(codec: &str) -> Coding {
        match codec {
            "vp8" | "vp9" | "h263" | "flv1" | "mpeg4" | "mpeg1video" | "mpeg2video" | "svq3" | "theora" | "vp6f"
            | "msmpeg4v2" | "msmpeg4v3" | "wmv1" | "wmv2" | "wmv3" | "vc1" | "rv40" | "rv30" | "rv20" => {
                Coding { chroma: Some(1), depth: 8, ..Coding::default() }
            }
            _ => Coding::default(),
        }
    }

    /// ffprobe's name of three full planes of green, blue and red (matrix 0 of ITU-T H.273), `""` where unknown.
    pub fn planes_of_colour(&self) -> &'static str {
        match (self.chroma, self.depth) {
            (Some(3), 8) => "gbrp",
            (Some(3), 10) => "gbrp10le",
            (Some(3), 12) => "gbrp12le",
            _ => "",
        }
    }

    /// ffprobe's name of the sample layout, `""` where unknown.
    pub fn pixel_format(&self, full: bool) -> &'static str {
        let wide = [
            ["gray", "yuv420p", "yuv422p", "yuv444p"],
            ["gray10le", "yuv420p10le", "yuv422p10le", "yuv444p10le"],
            ["gray12le", "yuv420p12le", "yuv422p12le", "yuv444p12le"],
            ["gray", "yuvj420p", "yuvj422p", "yuvj444p"],
        ];
        let row = match (self.depth, full) {
            (8, false) => 0,
            (10, _) => 1,
            (12, _) => 2,
            (8, true) => 3,
            _ => return "",
        };
        let name = self.chroma.and_then(|chroma| wide.get::<usize>(row)?.get(usize::from(chroma)));
        name.copied().unwrap_or("")
    }
}

impl Colour {
    /// This, and from `other` what this leaves open.
    pub fn or(self, other: Colour) -> Colour {
        let named = |own: u16, other: u16| if matches!(own, 0 | 2) { other } else { own };
        Colour {
            primaries: named(self.primaries, other.primaries),
            transfer: named(self.transfer, other.transfer),
            matrix: self.matrix.filter(|matrix| *matrix != 2).or(other.matrix),
            full: self.full.or(other.full),
        }
    }

    /// ffprobe's names: primaries, transfer, matrix, range; `""` where nothing is said.
    pub fn names(&self) -> [&'static str; 4] {
        let range = match self.full {
            Some(true) => "pc",
            Some(false) => "tv",
            None => "",
        };
        [primaries(self.primaries), transfer(self.transfer), self.matrix.map_or("", matrix), range]
    }
}

/// ITU-T H.273, table 2.
fn primaries(code: u16) -> &'static str {
    match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "film",
        9 => "bt2020",
        10 => "smpte428",
        11 => "smpte431",
        12 => "smpte432",
        22 => "ebu3213",
        _ => "",
    }
}

/// ITU-T H.273, table 3.
fn transfer(code: u16) -> &'static str {
    match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "linear",
        9 => "log100",
        10 => "log316",
        11 => "iec61966-2-4",
        12 => "bt1361e",
        13 => "iec61966-2-1",
        14 => "bt2020-10",
        15 => "bt2020-12",
        16 => "smpte2084",
        17 => "smpte428",
        18 => "arib-std-b67",
        _ => "",
    }
}

/// ITU-T H.273, table 4.
fn matrix(code: u16) -> &'static str {
    match code {
        0 => "gbr",
        1 => "bt709",
        4 => "fcc",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "ycgco",
        9 => "bt2020nc",
        10 => "bt2020c",
        11 => "smpte2085",
        12 => "chroma-derived-nc",
        13 => "chroma-derived-c",
        14 => "ictcp",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn layouts_have_names() {
        let coding = |chroma, depth| Coding { chroma: Some(chroma), depth, ..Coding::default() };
        assert_eq!((coding(1, 8).pixel_format(false), coding(1, 8).pixel_format(true)), ("yuv420p", "yuvj420p"));
        assert_eq!((coding(0, 8).pixel_format(false), coding(2, 10).pixel_format(true)), ("gray", "yuv422p10le"));
        assert_eq!((coding(3, 8).planes_of_colour(), coding(1, 8).planes_of_colour()), ("gbrp", ""));
        assert_eq!((coding(3, 9).pixel_format(false), Coding::default().pixel_format(false)), ("", ""));
    }

    #[test]
    fn colours_have_names() {
        let colour = Colour { primaries: 9, transfer: 16, matrix: Some(9), full: Some(false) };
        assert_eq!(colour.names(), ["bt2020", "smpte2084", "bt2020nc", "tv"]);
        assert_eq!(Colour::default().names(), [""; 4]);
    }
}
