//! Codecs by the four-character codes of sample entries (MP4RA, "Codecs"; QuickTime File Format, "Media data atoms")
//! and by object type (MP4RA, "Object types").

/// ffprobe's name of a sample entry's codec, `""` where unknown.
pub(super) fn by_code(code: [u8; 4]) -> &'static str {
    match &code {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" => "h264",
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" | b"hvc2" | b"hev2" => "hevc",
        b"vvc1" | b"vvi1" => "vvc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"mp4v" | b"DIVX" | b"XVID" | b"FMP4" => "mpeg4",
        b"s263" | b"h263" | b"H263" => "h263",
        b"jpeg" | b"mjpa" | b"mjpb" | b"mjpg" | b"AVDJ" => "mjpeg",
        b"mjp2" => "jpeg2000",
        b"png " => "png",
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores",
        b"SVQ1" | b"svq1" | b"svqi" => "svq1",
        b"SVQ3" => "svq3",
        b"cvid" => "cinepak",
        b"rle " => "qtrle",
        b"rpza" => "rpza",
        b"smc " => "smc",
        b"dvc " | b"dvcp" | b"dvpp" | b"dv5n" | b"dv5p" | b"dvh5" | b"dvh6" => "dvvideo",
        b"AVdn" | b"AVdh" => "dnxhd",
        b"raw " | b"2vuy" | b"yuv2" | b"UYVY" => "rawvideo",
        b"v210" => "v210",
        b"FFV1" => "ffv1",
        b"vc-1" => "vc1",
        b"mx3n" | b"mx3p" | b"mx5n" | b"mx5p" | b"xdv2" | b"xdvb" | b"hdv2" | b"m2v1" => "mpeg2video",
        b"mp4a" | b"aac " => "aac",
        b"alac" => "alac",
        b"fLaC" => "flac",
        b"Opus" => "opus",
        b"ac-3" | b"AC-3" | b"sac3" => "ac3",
        b"ec-3" | b"EC-3" => "eac3",
        b"mlpa" => "truehd",
        b"dtsc" | b"dtsh" | b"dtsl" | b"dtse" => "dts",
        b".mp3" | b"mp3 " | b"ms\0\x55" => "mp3",
        b".mp2" | b"ms\0\x50" => "mp2",
        b"samr" => "amr_nb",
        b"sawb" => "amr_wb",
        b"sqcp" => "qcelp",
        b"QDM2" => "qdm2",
        b"ima4" => "adpcm_ima_qt",
        b"ms\0\x02" => "adpcm_ms",
        b"alaw" => "pcm_alaw",
        b"ulaw" => "pcm_mulaw",
        b"agsm" => "gsm",
        b"tx3g" => "mov_text",
        b"text" => "mov_text",
        b"c608" => "eia_608",
        b"wvtt" => "webvtt",
        b"mp4s" => "dvd_subtitle",
        _ => "",
    }
}

/// ffprobe's name of the codec of an MPEG-4 object type; `""` where unknown.
pub(super) fn by_object_type(code: u8) -> &'static str {
    match code {
        0x20 => "mpeg4",
        0x21 => "h264",
        0x23 => "hevc",
        0x40 | 0x66..=0x68 => "aac",
        0x60..=0x65 => "mpeg2video",
        0x69 | 0x6B => "mp3",
        0x6A => "mpeg1video",
        0x6C => "mjpeg",
        0x6D => "png",
        0x6E => "jpeg2000",
        0xA5 => "ac3",
        0xA6 => "eac3",
        0xA9 => "dts",
        0xAD => "opus",
        0xB1 => "vp9",
        0xDD => "vorbis",
        0xE0 => "dvd_subtitle",
        0xE1 => "qcelp",
        _ => "",
    }
}

/// Profile, sample layout and depth of Apple ProRes, which its code names (Apple, "ProRes white paper").
pub(super) fn prores(code: [u8; 4]) -> Option<(&'static str, &'static str, u8)> {
    Some(match &code {
        b"apco" => ("Proxy", "yuv422p10le", 10),
        b"apcs" => ("LT", "yuv422p10le", 10),
        b"apcn" => ("Standard", "yuv422p10le", 10),
        b"apch" => ("HQ", "yuv422p10le", 10),
        b"ap4h" => ("4444", "yuv444p12le", 12),
        b"ap4x" => ("XQ", "yuv444p12le", 12),
        _ => return None,
    })
}

/// PCM codes of QuickTime, by width and order of the samples (QuickTime File Format, "Sound media").
pub(super) fn pcm(code: [u8; 4], bits: u16, little: bool) -> &'static str {
    match (&code, bits) {
        (b"raw ", _) => "pcm_u8",
        (b"twos" | b"sowt" | b"in24" | b"in32" | b"NONE" | b"ipcm" | b"lpcm", 1..=8) => "pcm_s8",
        (b"sowt", _) => "pcm_s16le",
        (b"twos" | b"NONE", 9..=16) => "pcm_s16be",
        (b"in24", _) | (b"twos" | b"NONE" | b"ipcm" | b"lpcm", 24) if !little => "pcm_s24be",
        (b"in24", _) | (b"ipcm" | b"lpcm", 24) => "pcm_s24le",
        (b"in32", _) | (b"ipcm" | b"lpcm", 32) => {
            if little {
                "pcm_s32le"
            } else {
                "pcm_s32be"
            }
        }
        (b"fl32" | b"fpcm", 0..=32) => {
            if little {
                "pcm_f32le"
            } else {
                "pcm_f32be"
            }
        }
        (b"fl64" | b"fpcm", _) => {
            if little {
                "pcm_f64le"
            } else {
                "pcm_f64be"
            }
        }
        (b"ipcm" | b"lpcm", _) => {
            if little {
                "pcm_s16le"
            } else {
                "pcm_s16be"
            }
        }
        _ => "",
    }
}
