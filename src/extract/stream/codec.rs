//! Codecs by the names that ffprobe gives them.

/// What is known of a codec by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// Short name: `aac`.
    pub name: &'static str,
    /// Long name: `AAC (Advanced Audio Coding)`.
    pub long: &'static str,
    /// Sample format that decoders give, `""` where it depends or does not apply.
    pub samples: &'static str,
}

macro_rules! codecs {
    ($($name:literal $long:literal $samples:literal;)*) => {
        static CODECS: &[Codec] = &[$(Codec { name: $name, long: $long, samples: $samples },)*];
    };
}

// Names and long names: the answers of `ffprobe -show_streams` 5.1, so that documents read as the API's samples do.
codecs! {
    "aac" "AAC (Advanced Audio Coding)" "fltp";
    "aac_latm" "AAC LATM (Advanced Audio Coding LATM syntax)" "fltp";
    "ac3" "ATSC A/52A (AC-3)" "fltp";
    "adpcm_g722" "G.722 ADPCM" "s16";
    "adpcm_g726" "G.726 ADPCM" "s16";
    "adpcm_ima_qt" "ADPCM IMA QuickTime" "s16p";
    "adpcm_ima_wav" "ADPCM IMA WAV" "s16p";
    "adpcm_ms" "ADPCM Microsoft" "s16";
    "alac" "ALAC (Apple Lossless Audio Codec)" "s16p";
    "amr_nb" "AMR-NB (Adaptive Multi-Rate NarrowBand)" "flt";
    "amr_wb" "AMR-WB (Adaptive Multi-Rate WideBand)" "flt";
    "ass" "ASS (Advanced SSA) subtitle" "";
    "av1" "Alliance for Open Media AV1" "";
    "cinepak" "Cinepak" "";
    "dirac" "Dirac" "";
    "dnxhd" "VC3/DNxHD" "";
    "dts" "DCA (DTS Coherent Acoustics)" "fltp";
    "dvb_subtitle" "DVB subtitles" "";
    "dvd_subtitle" "DVD subtitles" "";
    "dvvideo" "DV (Digital Video)" "";
    "eac3" "ATSC A/52B (AC-3, E-AC-3)" "fltp";
    "eia_608" "EIA-608 closed captions" "";
    "ffv1" "FFmpeg video codec #1" "";
    "flac" "FLAC (Free Lossless Audio Codec)" "s16";
    "gsm" "GSM" "s16";
    "gsm_ms" "GSM Microsoft variant" "s16";
    "h263" "H.263 / H.263-1996, H.263+ / H.263-1998 / H.263 version 2" "";
    "h264" "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10" "";
    "hdmv_pgs_subtitle" "HDMV Presentation Graphic Stream subtitles" "";
    "hevc" "H.265 / HEVC (High Efficiency Video Coding)" "";
    "jpeg2000" "JPEG 2000" "";
    "mjpeg" "Motion JPEG" "";
    "mlp" "MLP (Meridian Lossless Packing)" "";
    "mov_text" "MOV text" "";
    "mp1" "MP1 (MPEG audio layer 1)" "fltp";
    "mp2" "MP2 (MPEG audio layer 2)" "fltp";
    "mp3" "MP3 (MPEG audio layer 3)" "fltp";
    "mp4als" "MPEG-4 Audio Lossless Coding (ALS)" "";
    "mpeg1video" "MPEG-1 video" "";
    "mpeg2video" "MPEG-2 video" "";
    "mpeg4" "MPEG-4 part 2" "";
    "msmpeg4v3" "MPEG-4 part 2 Microsoft variant version 3" "";
    "opus" "Opus (Opus Interactive Audio Codec)" "fltp";
    "pcm_alaw" "PCM A-law / G.711 A-law" "s16";
    "pcm_f32be" "PCM 32-bit floating point big-endian" "flt";
    "pcm_f32le" "PCM 32-bit floating point little-endian" "flt";
    "pcm_f64be" "PCM 64-bit floating point big-endian" "dbl";
    "pcm_f64le" "PCM 64-bit floating point little-endian" "dbl";
    "pcm_mulaw" "PCM mu-law / G.711 mu-law" "s16";
    "pcm_s16be" "PCM signed 16-bit big-endian" "s16";
    "pcm_s16le" "PCM signed 16-bit little-endian" "s16";
    "pcm_s24be" "PCM signed 24-bit big-endian" "s32";
    "pcm_s24le" "PCM signed 24-bit little-endian" "s32";
    "pcm_s32be" "PCM signed 32-bit big-endian" "s32";
    "pcm_s32le" "PCM signed 32-bit little-endian" "s32";
    "pcm_s64le" "PCM signed 64-bit little-endian" "s64";
    "pcm_s8" "PCM signed 8-bit" "u8";
    "pcm_u8" "PCM unsigned 8-bit" "u8";
    "png" "PNG (Portable Network Graphics) image" "";
    "prores" "Apple ProRes (iCodec Pro)" "";
    "qcelp" "QCELP / PureVoice" "fltp";
    "qdm2" "QDesign Music Codec 2" "s16";
    "qtrle" "QuickTime Animation (RLE) video" "";
    "rawvideo" "raw video" "";
    "rpza" "QuickTime video (RPZA)" "";
    "smc" "QuickTime Graphics (SMC)" "";
    "speex" "Speex" "";
    "ssa" "SSA (SubStation Alpha) subtitle" "";
    "subrip" "SubRip subtitle" "";
    "svq1" "Sorenson Vector Quantizer 1 / Sorenson Video 1 / SVQ1" "";
    "svq3" "Sorenson Vector Quantizer 3 / Sorenson Video 3 / SVQ3" "";
    "text" "raw UTF-8 text" "";
    "theora" "Theora" "";
    "truehd" "TrueHD" "";
    "tta" "TTA (True Audio)" "";
    "vc1" "SMPTE VC-1" "";
    "vorbis" "Vorbis" "fltp";
    "vp6" "On2 VP6" "";
    "vp8" "On2 VP8" "";
    "vp9" "Google VP9" "";
    "vvc" "H.266 / VVC (Versatile Video Coding)" "";
    "wavpack" "WavPack" "";
    "webvtt" "WebVTT subtitle" "";
    "wmav1" "Windows Media Audio 1" "fltp";
    "wmav2" "Windows Media Audio 2" "fltp";
}

/// What is known of the codec of that name.
pub fn codec(name: &str) -> Option<&'static Codec> {
    let at = CODECS.binary_search_by_key(&name, |codec| codec.name).ok()?;
    CODECS.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_is_found() {
        assert!(CODECS.is_sorted_by(|a, b| a.name < b.name));
        assert!(CODECS.iter().all(|listed| codec(listed.name) == Some(listed)));
        assert_eq!(codec("nope"), None);
    }
}
