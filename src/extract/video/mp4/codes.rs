//! Codecs by the four-character codes of sample entries (MP4RA, "Codecs"; QuickTime File Format, "Media data atoms")
//! and by object type (MP4RA, "Object types").

/// ffprobe's name of a sample entry's codec, `""` where unknown.
pub(super) fn by_code(code: [u8; 4]) -> &'static str {
    match &code {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" | b"AVin" | b"rv64" | b"xalg" | b"avlg" | b"aivx" => {
            "h264"
        }
        // AVC-Intra: 50 and 100 Mbit/s, by the rate of frames.
        [b'a', b'i', b'5' | b'1', _] => "h264",
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
        b"dvc " | b"dvcp" | b"dvpp" | b"dv5n" | b"dv5p" | b"dv1n" | b"dv1p" | b"AVdv" => "dvvideo",
        [b'd', b'v', b'h', b'1'..=b'6' | b'p' | b'q'] => "dvvideo",
        b"AVdn" | b"AVdh" => "dnxhd",
        b"raw " | b"2vuy" | b"yuv2" | b"UYVY" => "rawvideo",
        b"v210" => "v210",
        b"FFV1" => "ffv1",
        b"vc-1" => "vc1",
        b"mpg1" | b"mp1v" | b"m1v " | b"m1v1" => "mpeg1video",
        b"mpg2" | b"mp2v" | b"m2v1" | b"AVmp" | b"xdhd" | b"xdh2" => "mpeg2video",
        // IMX, HDV and XDCAM, by their size and rate.
        [b'm', b'x', b'3'..=b'5', b'n' | b'p'] => "mpeg2video",
        [b'h', b'd', b'v', b'1'..=b'9' | b'a'] => "mpeg2video",
        [b'x', b'd', b'v' | b'5', b'0'..=b'9' | b'a'..=b'f'] => "mpeg2video",
        b"CFHD" => "cfhd",
        b"Hap1" | b"Hap5" | b"HapY" | b"HapA" | b"HapM" => "hap",
        b"DXD3" | b"DXDI" | b"DXDN" => "dxv",
        b"icod" => "aic",
        b"pxlt" => "pixlet",
        b"8BPS" => "8bps",
        b"r210" => "r210",
        b"v308" => "v308",
        b"v408" => "v408",
        b"v410" => "v410",
        b"yuv4" => "yuv4",
        b"drac" => "dirac",
        b"gif " => "gif",
        b"tiff" => "tiff",
        b"tga " => "targa",
        b"VP30" => "vp3",
        b"VP6F" => "vp6f",
        b"FLV1" => "flv1",
        code => sound_or_text(code),
    }
}

/// The same of sound and text.
fn sound_or_text(code: &[u8; 4]) -> &'static str {
    match code {
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
        b"nmos" => "nellymoser",
        b"spex" | b"SPXN" => "speex",
        b"sevc" => "evrc",
        b"MAC6" => "mace6",
        b"MAC3" => "mace3",
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
