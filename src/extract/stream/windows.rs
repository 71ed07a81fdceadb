//! `WAVEFORMATEX` and `BITMAPINFOHEADER` (Microsoft, mmreg.h and wingdi.h): how WAV, AVI, ASF and Matroska describe
//! streams, and codecs by the codes in them.

use super::number::Ratio;
use super::summary::{Kind, Stream};
use crate::extract::{Input, Parsed, bitstream};

/// Bytes of a decoder's configuration that are looked at.
const CONFIGURATION: u64 = 4096;

/// The fields of `WAVEFORMATEX` and `WAVEFORMATEXTENSIBLE`.
#[derive(Debug, Clone, Copy)]
pub struct Wave {
    /// Code of the format.
    pub code: u16,
    /// Channels.
    pub channels: u16,
    /// Samples per second.
    pub rate: u32,
    /// Average bytes per second.
    pub bytes_per_second: u32,
    /// Bytes of a block.
    pub block: u16,
    /// Bits of a sample.
    pub bits: u16,
    /// Speakers, 0 where it does not say.
    pub mask: u32,
}

impl Wave {
    /// Reads the structure; `big` says that it is in the byte order of RIFX. The cursor is then at the decoder's
    /// configuration.
    pub fn read(input: &mut Input<'_>, big: bool) -> Parsed<Wave> {
        let mut short = |what| if big { input.u16_be(what) } else { input.u16_le(what) };
        let (code, channels) = (short("format code")?, short("number of channels")?);
        let mut long = |what| if big { input.u32_be(what) } else { input.u32_le(what) };
        let (rate, bytes_per_second) = (long("sample rate")?, long("byte rate")?);
        let mut short = |what| if big { input.u16_be(what) } else { input.u16_le(what) };
        let block = short("block size")?;
        // The oldest structure ends here.
        let bits = if input.remaining() >= 2 { input.u16_le("bits per sample")? } else { 8 };
        let mut wave = Wave { code, channels, rate, bytes_per_second, block, bits, mask: 0 };
        if big {
            wave.bits = bits.swap_bytes();
        }
        if input.remaining() >= 2 {
            input.skip(2, "size of the extension")?;
        }
        // Extensible: the code proper begins the GUID of the sub-format.
        if code == 0xFFFE && input.remaining() >= 22 {
            input.skip(2, "valid bits")?;
            wave.mask = input.u32_le("channel mask")?;
            wave.code = input.u16_le("sub-format")?;
            input.skip(14, "sub-format")?;
        }
        if rate == 0 || channels == 0 {
            return Err(input.malformed(format!("expected a rate and channels above 0, got {rate} and {channels}")));
        }
        Ok(wave)
    }

    /// The stream that the structure describes.
    pub fn stream(&self) -> Stream {
        let [low, high] = self.code.to_le_bytes();
        Stream {
            kind: Kind::Audio,
            codec: wave_codec(self.code, self.bits),
            tag: Some([low, high, 0, 0]),
            time_base: Ratio::new(1, self.rate.into()),
            bitrate: Some(u64::from(self.bytes_per_second).saturating_mul(8)).filter(|rate| *rate > 0),
            sample_rate: self.rate,
            channels: self.channels.into(),
            layout: speakers(self.mask),
            bits: self.bits.into(),
            ..Stream::default()
        }
    }
}

/// Reads `WAVEFORMATEX` with the configuration behind it, in the byte order of Windows.
pub fn wave(input: &mut Input<'_>) -> Parsed<Stream> {
    let mut stream = Wave::read(input, false)?.stream();
    let configuration = input.take_up_to(CONFIGURATION)?;
    bitstream::configuration(&configuration, &mut stream);
    if stream.codec == "wmalossless" {
        stream.bits = configuration.first().copied().map_or(stream.bits, u32::from);
    }
    Ok(stream)
}

/// Reads `BITMAPINFOHEADER` with the configuration behind it; the width of the lengths in front of units.
pub fn bitmap(input: &mut Input<'_>) -> Parsed<(Stream, Option<usize>)> {
    input.skip(4, "size of the header")?;
    let (width, height) = (input.i32_le("width")?, input.i32_le("height")?);
    input.skip(2, "planes")?;
    let bits = input.u16_le("bits per pixel")?;
    let code: [u8; 4] = input.array("compression")?;
    input.skip(20, "rest of the header")?;
    let mut stream = Stream {
        kind: Kind::Video,
        codec: video_codec(code),
        tag: Some(code),
        width: width.unsigned_abs(),
        // Below zero: the rows run downwards.
        height: height.unsigned_abs(),
        ..Stream::default()
    };
    if stream.codec == "rawvideo" {
        stream.pixels = plain_pixels(code, bits);
    }
    let configuration = input.take_up_to(CONFIGURATION)?;
    let lengths = bitstream::configuration(&configuration, &mut stream);
    Ok((stream, lengths))
}

/// Uncompressed pixels by their code, or else by their bits.
fn plain_pixels(code: [u8; 4], bits: u16) -> &'static str {
    match &code {
        b"I420" | b"IYUV" | b"YV12" => return "yuv420p",
        b"YUY2" => return "yuyv422",
        b"UYVY" => return "uyvy422",
        b"NV12" => return "nv12",
        [0, 0, 0, 0] => {}
        _ => return "",
    }
    match bits {
        8 => "pal8",
        16 => "rgb555le",
        24 => "bgr24",
        32 => "bgra",
        _ => "",
    }
}

/// Codes of mmreg.h; `""` where unknown.
pub fn wave_codec(code: u16, bits: u16) -> &'static str {
    match (code, bits) {
        (1, 0..=8) => "pcm_u8",
        (1, 9..=16) => "pcm_s16le",
        (1, 17..=24) => "pcm_s24le",
        (1, 25..=32) => "pcm_s32le",
        (1, _) => "pcm_s64le",
        (2, _) => "adpcm_ms",
        (3, 64) => "pcm_f64le",
        (3, _) => "pcm_f32le",
        (6, _) => "pcm_alaw",
        (7, _) => "pcm_mulaw",
        (0xA, _) => "wmavoice",
        (0x11, _) => "adpcm_ima_wav",
        (0x20, _) => "adpcm_yamaha",
        (0x22, _) => "truespeech",
        (0x31, _) => "gsm_ms",
        (0x45, _) => "adpcm_g726",
        (0x50, _) => "mp2",
        (0x55, _) => "mp3",
        (0xFF | 0x1600 | 0x1601 | 0x1610 | 0xA106 | 0x706D, _) => "aac",
        (0x1602, _) => "aac_latm",
        (0x160, _) => "wmav1",
        (0x161, _) => "wmav2",
        (0x162, _) => "wmapro",
        (0x163, _) => "wmalossless",
        (0x270, _) => "atrac3",
        (0x42, _) => "g723_1",
        (0x83, _) => "g729",
        (0x401, _) => "imc",
        (0x402, _) => "iac",
        (0x2000, _) => "ac3",
        (0x2001, _) => "dts",
        (0x566F | 0x674F | 0x676F | 0x6770 | 0x6771, _) => "vorbis",
        (0x704F, _) => "opus",
        (0xF1AC, _) => "flac",
        _ => "",
    }
}

/// Four-character codes of video for Windows, in capitals or small letters; `""` where unknown.
pub fn video_codec(code: [u8; 4]) -> &'static str {
    match &code.map(|byte| byte.to_ascii_uppercase()) {
        [0, 0, 0, 0] | b"RGB " | b"DIB " | b"UYVY" | b"YUY2" | b"I420" | b"IYUV" | b"YV12" | b"NV12" => "rawvideo",
        [1, 0, 0, 0] | [2, 0, 0, 0] => "msrle",
        b"XVID" | b"DIVX" | b"DX50" | b"FMP4" | b"MP4V" | b"M4S2" | b"MP4S" | b"3IV2" | b"3IVX" => "mpeg4",
        b"DIV3" | b"DIV4" | b"MP43" | b"MPG3" | b"COL1" => "msmpeg4v3",
        b"MP42" | b"DIV2" => "msmpeg4v2",
        b"MP41" => "msmpeg4v1",
        b"H264" | b"X264" | b"AVC1" | b"DAVC" | b"VSSH" => "h264",
        b"HEVC" | b"H265" | b"HVC1" | b"HEV1" => "hevc",
        b"MJPG" | b"AVRN" | b"JPGL" | b"LJPG" | b"DMB1" => "mjpeg",
        b"WMV1" => "wmv1",
        b"WMV2" => "wmv2",
        b"WMV3" => "wmv3",
        b"WVC1" | b"WMVA" => "vc1",
        b"VP60" | b"VP61" | b"VP62" => "vp6",
        b"VP80" => "vp8",
        b"VP90" => "vp9",
        b"AV01" => "av1",
        b"FLV1" => "flv1",
        b"FFV1" => "ffv1",
        b"HFYU" => "huffyuv",
        b"CVID" => "cinepak",
        b"IV31" | b"IV32" => "indeo3",
        b"IV41" => "indeo4",
        b"IV50" => "indeo5",
        b"MSVC" | b"CRAM" | b"WHAM" => "msvideo1",
        b"DVSD" | b"DVHD" | b"DV25" | b"DV50" | b"DVSL" => "dvvideo",
        b"MPG1" | b"MPEG" => "mpeg1video",
        b"MPG2" | b"MMES" | b"EM2V" | b"M701" | b"HDV1" | b"HDV2" | b"HDV3" | b"HDV5" => "mpeg2video",
        b"THEO" => "theora",
        b"H263" | b"U263" => "h263",
        b"H261" => "h261",
        b"TSCC" => "tscc",
        b"MPNG" | b"PNG1" => "png",
        b"ULRG" | b"ULRA" | b"ULY0" | b"ULY2" | b"ULY4" | b"ULH0" | b"ULH2" | b"ULH4" | b"UQY0" | b"UQY2" | b"UQRG"
        | b"UQRA" => "utvideo",
        b"SVQ1" => "svq1",
        b"SVQ3" => "svq3",
        code => rarer_video_codec(code),
    }
}

/// The same of codecs that are met less often.
fn rarer_video_codec(code: &[u8; 4]) -> &'static str {
    match code {
        b"FFVH" => "ffvhuff",
        b"CFHD" => "cfhd",
        b"SNOW" => "snow",
        b"ZMBV" => "zmbv",
        b"LAGS" => "lagarith",
        b"FPS1" => "fraps",
        b"CSCD" => "cscd",
        b"M8RG" | b"M8RA" | b"M8G0" | b"M8Y0" | b"M8Y2" | b"M8Y4" | b"M8YA" => "magicyuv",
        b"TSC2" => "tscc2",
        b"G2M2" | b"G2M3" | b"G2M4" | b"G2M5" => "g2m",
        b"ASV1" => "asv1",
        b"ASV2" => "asv2",
        b"VCR1" => "vcr1",
        b"VBLE" => "vble",
        b"LOCO" => "loco",
        b"MSZH" => "mszh",
        b"ZLIB" => "zlib",
        b"WNV1" => "wnv1",
        b"ULTI" => "ulti",
        b"DUCK" | b"PVEZ" => "truemotion1",
        b"TM20" => "truemotion2",
        b"RT21" => "indeo2",
        b"VP30" | b"VP31" => "vp3",
        b"VP40" => "vp4",
        b"VP50" => "vp5",
        b"VP70" | b"VP71" => "vp7",
        b"MSS1" => "mss1",
        b"MSS2" => "mss2",
        b"XTOR" => "dxtory",
        b"CLLC" => "cllc",
        b"CUVC" => "hq_hqa",
        b"CHQX" => "hqx",
        b"I263" => "h263i",
        b"MJLS" => "jpegls",
        b"MJ2C" | b"MJP2" | b"LJ2C" | b"LJ2K" => "jpeg2000",
        b"DRAC" => "dirac",
        b"Y41P" => "y41p",
        b"V308" => "v308",
        b"V408" => "v408",
        b"V410" => "v410",
        b"V210" => "v210",
        b"R210" => "r210",
        b"AYUV" => "ayuv",
        b"AP4H" | b"APCH" | b"APCN" | b"APCS" | b"APCO" => "prores",
        b"AVDN" | b"AVDH" => "dnxhd",
        _ => "",
    }
}

/// Speaker masks of `WAVEFORMATEXTENSIBLE` by ffprobe's names.
pub fn speakers(mask: u32) -> &'static str {
    match mask {
        0x4 => "mono",
        0x3 => "stereo",
        0xB => "2.1",
        0x7 => "3.0",
        0x33 => "quad",
        0x107 => "4.0",
        0x37 => "5.0",
        0x607 => "5.0(side)",
        0x3F => "5.1",
        0x60F => "5.1(side)",
        0x70F => "6.1",
        0x63F => "7.1",
        0xFF => "7.1(wide)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn both_structures() {
        let plain = b"\x01\0\x02\0\x40\x1F\0\0\0\x7D\0\0\x04\0\x10\0".to_vec();
        let stream = wave(&mut Input::new(&plain, &Limits::default())).unwrap();
        assert_eq!((stream.codec, stream.channels, stream.bitrate), ("pcm_s16le", 2, Some(256_000)));
        let tail = b"\x16\0\x10\0\x3F\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71";
        let extended = [&b"\xFE\xFF\x06\0\x80\xBB\0\0\0\0\0\0\x0C\0\x10\0"[..], tail].concat();
        let stream = wave(&mut Input::new(&extended, &Limits::default())).unwrap();
        assert_eq!((stream.codec, stream.layout), ("pcm_s16le", "5.1"));
        let bitmap_of = [&40_u32.to_le_bytes()[..], &320_i32.to_le_bytes(), &(-240_i32).to_le_bytes(), &[1, 0, 24, 0]];
        let data = [&bitmap_of.concat()[..], b"xvid", &[0; 20]].concat();
        let (stream, _) = bitmap(&mut Input::new(&data, &Limits::default())).unwrap();
        assert_eq!((stream.codec, stream.width, stream.height), ("mpeg4", 320, 240));
        assert!(wave(&mut Input::new(&vec![0; 16], &Limits::default())).is_err());
    }
}
