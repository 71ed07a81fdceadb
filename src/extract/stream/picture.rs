//! How pictures are coded: profile, level, sampling and colour, from the records that containers keep for decoders.

use super::bits::Bits;
use crate::extract::{Input, Parsed};

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
    /// Reads the record of that codec (`avcC`, `hvcC`, `av1C`) from the innermost part.
    pub fn read(codec: &str, input: &mut Input<'_>) -> Parsed<Coding> {
        match codec {
            "h264" => avc(input),
            "hevc" => hevc(input),
            "av1" => av1(input),
            _ => Ok(Coding::default()),
        }
    }

    /// What a codec allows only one way.
    pub fn of_codec(codec: &str) -> Coding {
        match codec {
            "vp8" | "h263" | "mpeg4" | "mpeg1video" | "svq3" => {
                Coding { chroma: Some(1), depth: 8, ..Coding::default() }
            }
            _ => Coding::default(),
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

/// Bytes of a parameter set that are looked at: the sampling stands at its start.
const PARAMETERS: u64 = 32;

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). Its own fields for the sampling are missing or wrong in
/// many files: the first sequence parameter set is asked.
fn avc(input: &mut Input<'_>) -> Parsed<Coding> {
    let [_version, profile, constraints, level, _] = input.array("AVC configuration")?;
    let mut coding = Coding { profile: avc_profile(profile, constraints), level: Some(level), ..Coding::default() };
    if input.remaining() > 2 && input.u8("number of parameter sets")? & 0x1F > 0 {
        let len = u64::from(input.u16_be("length of a parameter set")?);
        let set = input.take_up_to(len.min(PARAMETERS))?;
        if let Some((chroma, depth)) = avc_sampling(&set) {
            (coding.chroma, coding.depth) = (Some(chroma), depth);
        }
    }
    Ok(coding)
}

/// Chroma format and bit depth of a sequence parameter set (ITU-T H.264, 7.3.2.1.1).
fn avc_sampling(set: &[u8]) -> Option<(u8, u8)> {
    let [_unit, profile, _constraints, _level, rest @ ..] = set else { return None };
    if matches!(profile, 66 | 77 | 88) {
        // Below High there is only one way (A.2).
        return Some((1, 8));
    }
    let mut bits = Bits::new(rest);
    bits.golomb()?;
    let chroma = u8::try_from(bits.golomb()?).ok().filter(|chroma| *chroma <= 3)?;
    if chroma == 3 {
        bits.take(1)?;
    }
    let depth = u8::try_from(bits.golomb()?).ok().filter(|more| *more <= 6)?;
    Some((chroma, depth.saturating_add(8)))
}

/// ITU-T H.264, A.2; the second flag constrains, the fourth leaves out inter prediction.
fn avc_profile(profile: u8, constraints: u8) -> &'static str {
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
        _ => "",
    }
}

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).
fn hevc(input: &mut Input<'_>) -> Parsed<Coding> {
    let [_version, profile] = input.array("HEVC configuration")?;
    input.skip(10, "compatibility")?;
    let level = input.u8("level")?;
    input.skip(3, "segmentation and parallelism")?;
    let [chroma, depth] = input.array("chroma format and bit depth")?;
    let profile = match profile & 0x1F {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Rext",
        _ => "",
    };
    Ok(Coding { profile, level: Some(level), chroma: Some(chroma & 3), depth: (depth & 7).saturating_add(8) })
}

/// AV1CodecConfigurationRecord (AV1 in ISOBMFF 1.2, 2.3).
fn av1(input: &mut Input<'_>) -> Parsed<Coding> {
    let [_version, profile, flags] = input.array("AV1 configuration")?;
    let level = profile & 0x1F;
    let profile = match profile >> 5 {
        0 => "Main",
        1 => "High",
        2 => "Professional",
        _ => "",
    };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    let chroma = match (flags & 0x10 != 0, flags & 0x08 != 0, flags & 0x04 != 0) {
        (true, ..) => 0,
        (_, true, true) => 1,
        (_, true, false) => 2,
        (_, false, _) => 3,
    };
    Ok(Coding { profile, level: Some(level), chroma: Some(chroma), depth })
}

impl Colour {
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
    use crate::extract::Limits;

    fn read(codec: &str, bytes: &[u8]) -> Coding {
        let data = bytes.to_vec();
        Coding::read(codec, &mut Input::new(&data, &Limits::default())).unwrap_or_default()
    }

    #[test]
    fn records_of_three_codecs() {
        // Profile 110; set 0, chroma 1, two more bits: 1 | 010 | 011.
        let avc = read("h264", &[1, 110, 0, 31, 0xFF, 0xE1, 0, 5, 0x67, 110, 0, 31, 0b1010_0110]);
        assert_eq!((avc.profile, avc.level, avc.pixel_format(false)), ("High 10", Some(31), "yuv420p10le"));
        let plain = read("h264", &[1, 66, 0xC0, 30, 0xFF, 0xE1, 0, 4, 0x67, 66, 0xC0, 30]);
        assert_eq!((plain.profile, plain.pixel_format(true)), ("Constrained Baseline", "yuvj420p"));
        let hevc = read("hevc", &[1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93, 0xF0, 0, 0xFC, 0xFD, 0xFA, 0xFA]);
        assert_eq!((hevc.profile, hevc.level, hevc.pixel_format(false)), ("Main 10", Some(93), "yuv420p10le"));
        let av1 = read("av1", &[0x81, 0x04, 0x0C, 0]);
        assert_eq!((av1.profile, av1.pixel_format(false)), ("Main", "yuv420p"));
        assert_eq!(read("vp9", &[1, 2, 3]), Coding::default());
        assert_eq!(read("h264", &[1]), Coding::default());
    }

    #[test]
    fn colours_have_names() {
        let colour = Colour { primaries: 9, transfer: 16, matrix: Some(9), full: Some(false) };
        assert_eq!(colour.names(), ["bt2020", "smpte2084", "bt2020nc", "tv"]);
        assert_eq!(Colour::default().names(), [""; 4]);
    }
}
