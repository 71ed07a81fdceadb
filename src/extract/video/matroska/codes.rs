//! Codecs by Matroska's identifiers (Matroska, "Codec mappings").

use crate::extract::stream::windows;

/// ffprobe's name of a codec; `""` where unknown. `private` is the start of the codec's private data.
pub(super) fn codec(id: &str, private: &[u8], bits: u32) -> &'static str {
    match id {
        "A_PCM/INT/LIT" => return integer(bits, false),
        "A_PCM/INT/BIG" => return integer(bits, true),
        "A_PCM/FLOAT/IEEE" => return if bits == 64 { "pcm_f64le" } else { "pcm_f32le" },
        "A_MS/ACM" => return acm(private, bits),
        "V_MS/VFW/FOURCC" => return vfw(private),
        _ => {}
    }
    // Identifiers may go on behind a slash: A_AAC/MPEG4/LC.
    let named = NAMES
        .iter()
        .find(|(known, _)| id.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    named.map_or("", |(_, name)| name)
}

static NAMES: &[(&str, &str)] = &[
    ("V_MPEG4/ISO/AVC", "h264"),
    ("V_MPEGH/ISO/HEVC", "hevc"),
    ("V_MPEGI/ISO/VVC", "vvc"),
    ("V_MPEG4/ISO", "mpeg4"),
    ("V_MPEG4/MS/V3", "msmpeg4v3"),
    ("V_MPEG1", "mpeg1video"),
    ("V_MPEG2", "mpeg2video"),
    ("V_VP8", "vp8"),
    ("V_VP9", "vp9"),
    ("V_AV1", "av1"),
    ("V_THEORA", "theora"),
    ("V_FFV1", "ffv1"),
    ("V_MJPEG", "mjpeg"),
    ("V_PRORES", "prores"),
    ("V_DIRAC", "dirac"),
    ("V_UNCOMPRESSED", "rawvideo"),
    ("A_AAC", "aac"),
    ("A_AC3", "ac3"),
    ("A_EAC3", "eac3"),
    ("A_DTS", "dts"),
    ("A_TRUEHD", "truehd"),
    ("A_MLP", "mlp"),
    ("A_MPEG/L1", "mp1"),
    ("A_MPEG/L2", "mp2"),
    ("A_MPEG/L3", "mp3"),
    ("A_VORBIS", "vorbis"),
    ("A_OPUS", "opus"),
    ("A_FLAC", "flac"),
    ("A_ALAC", "alac"),
    ("A_TTA1", "tta"),
    ("A_WAVPACK4", "wavpack"),
    ("S_TEXT/UTF8", "subrip"),
    ("S_TEXT/ASCII", "subrip"),
    ("S_TEXT/ASS", "ass"),
    ("S_TEXT/SSA", "ass"),
    ("S_ASS", "ass"),
    ("S_SSA", "ass"),
    ("S_TEXT/WEBVTT", "webvtt"),
    ("D_WEBVTT", "webvtt"),
    ("S_VOBSUB", "dvd_subtitle"),
    ("S_HDMV/PGS", "hdmv_pgs_subtitle"),
    ("S_DVBSUB", "dvb_subtitle"),
];

fn integer(bits: u32, big: bool) -> &'static str {
    match (bits, big) {
        (8, _) => "pcm_u8",
        (16, true) => "pcm_s16be",
        (16, false) => "pcm_s16le",
        (24, true) => "pcm_s24be",
        (24, false) => "pcm_s24le",
        (32, true) => "pcm_s32be",
        (32, false) => "pcm_s32le",
        _ => "",
    }
}

/// The format code at the start of `WAVEFORMATEX`.
fn acm(private: &[u8], bits: u32) -> &'static str {
    let code = private.first_chunk::<2>().map_or(0, |code| u16::from_le_bytes(*code));
    windows::wave_codec(code, u16::try_from(bits).unwrap_or(0))
}

/// The compression code in `BITMAPINFOHEADER`.
fn vfw(private: &[u8]) -> &'static str {
    let code = private.get(16..).and_then(<[u8]>::first_chunk::<4>);
    code.map_or("", |code| windows::video_codec(*code))
}

/// The code that a codec has in Windows, where the track is described in its way.
pub(super) fn tag(id: &str, private: &[u8]) -> Option<[u8; 4]> {
    match id {
        "V_MS/VFW/FOURCC" => private.get(16..)?.first_chunk::<4>().copied(),
        "A_MS/ACM" => private.first_chunk::<2>().map(|[low, high]| [*low, *high, 0, 0]),
        _ => None,
    }
}

/// The decoder's configuration in the private data: behind the structures of Windows.
pub(super) fn configuration<'b>(id: &str, private: &'b [u8]) -> &'b [u8] {
    let head = match id {
        "V_MS/VFW/FOURCC" => 40,
        "A_MS/ACM" => 18,
        _ => 0,
    };
    private.get(head..).unwrap_or(&[])
}

/// The nominal bit rate in the first of the three packets of Vorbis (Vorbis I, 4.2.2), or in `WAVEFORMATEX`.
pub(super) fn bitrate(id: &str, private: &[u8]) -> Option<u64> {
    let number = |at: usize| private.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|four| u32::from_le_bytes(*four));
    let rate = match id {
        "A_VORBIS" => {
            let at = private.windows(7).position(|seven| seven == b"\x01vorbis")?;
            number(at.checked_add(7 + 4 + 1 + 4 + 4)?).filter(|rate| *rate < 1 << 31)
        }
        "A_MS/ACM" => number(8).and_then(|bytes| bytes.checked_mul(8)),
        _ => None,
    };
    rate.map(u64::from).filter(|rate| *rate > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_with_and_without_a_tail() {
        assert_eq!(codec("A_AAC/MPEG4/LC", b"", 0), "aac");
        assert_eq!(codec("V_MPEG4/ISO/ASP", b"", 0), "mpeg4");
        assert_eq!(codec("V_MPEG4/ISO/AVC", b"", 0), "h264");
        assert_eq!(codec("A_AACX", b"", 0), "");
        assert_eq!(codec("A_PCM/INT/LIT", b"", 24), "pcm_s24le");
        assert_eq!(codec("A_MS/ACM", b"\x55\0", 0), "mp3");
        assert_eq!(codec("V_MS/VFW/FOURCC", b"0123456789abcdefXVID", 0), "mpeg4");
        assert_eq!(codec("V_MS/VFW/FOURCC", b"", 0), "");
    }
}
