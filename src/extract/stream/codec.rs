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
    "adpcm_adx" "SEGA CRI ADX ADPCM" "s16p";
    "adpcm_g722" "G.722 ADPCM" "s16";
    "adpcm_g726" "G.726 ADPCM" "s16";
    "adpcm_ima_qt" "ADPCM IMA QuickTime" "s16p";
    "adpcm_ima_wav" "ADPCM IMA WAV" "s16p";
    "adpcm_ms" "ADPCM Microsoft" "s16";
    "adpcm_swf" "ADPCM Shockwave Flash" "s16";
    "alac" "ALAC (Apple Lossless Audio Codec)" "s16p";
    "amr_nb" "AMR-NB (Adaptive Multi-Rate NarrowBand)" "fltp";
    "amr_wb" "AMR-WB (Adaptive Multi-Rate WideBand)" "fltp";
    "ape" "Monkey's Audio" "s16p";
    "ass" "ASS (Advanced SSA) subtitle" "";
    "atrac3" "ATRAC3 (Adaptive TRansform Acoustic Coding 3)" "fltp";
    "av1" "Alliance for Open Media AV1" "";
    "bin_data" "binary data" "";
    "cinepak" "Cinepak" "";
    "cook" "Cook / Cooker / Gecko (RealAudio G2)" "fltp";
    "dirac" "Dirac" "";
    "dnxhd" "VC3/DNxHD" "";
    "dsd_lsbf" "DSD (Direct Stream Digital), least significant bit first" "fltp";
    "dsd_lsbf_planar" "DSD (Direct Stream Digital), least significant bit first, planar" "fltp";
    "dsd_msbf" "DSD (Direct Stream Digital), most significant bit first" "fltp";
    "dsd_msbf_planar" "DSD (Direct Stream Digital), most significant bit first, planar" "fltp";
    "dst" "DST (Direct Stream Transfer)" "fltp";
    "dts" "DCA (DTS Coherent Acoustics)" "fltp";
    "dvb_subtitle" "DVB subtitles" "";
    "dvb_teletext" "DVB teletext" "";
    "dvd_subtitle" "DVD subtitles" "";
    "dvvideo" "DV (Digital Video)" "";
    "eac3" "ATSC A/52B (AC-3, E-AC-3)" "fltp";
    "eia_608" "EIA-608 closed captions" "";
    "ffv1" "FFmpeg video codec #1" "";
    "flac" "FLAC (Free Lossless Audio Codec)" "s16";
    "flashsv" "Flash Screen Video v1" "";
    "flashsv2" "Flash Screen Video v2" "";
    "flv1" "FLV / Sorenson Spark / Sorenson H.263 (Flash Video)" "";
    "gsm" "GSM" "s16";
    "gsm_ms" "GSM Microsoft variant" "s16";
    "h261" "H.261" "";
    "h263" "H.263 / H.263-1996, H.263+ / H.263-1998 / H.263 version 2" "";
    "h264" "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10" "";
    "hdmv_pgs_subtitle" "HDMV Presentation Graphic Stream subtitles" "";
    "hevc" "H.265 / HEVC (High Efficiency Video Coding)" "";
    "huffyuv" "HuffYUV" "";
    "indeo3" "Intel Indeo 3" "";
    "indeo4" "Intel Indeo Video Interactive 4" "";
    "indeo5" "Intel Indeo Video Interactive 5" "";
    "jpeg2000" "JPEG 2000" "";
    "klv" "SMPTE 336M Key-Length-Value (KLV) metadata" "";
    "mjpeg" "Motion JPEG" "";
    "mjpegb" "Apple MJPEG-B" "";
    "mlp" "MLP (Meridian Lossless Packing)" "";
    "mov_text" "MOV text" "";
    "mp1" "MP1 (MPEG audio layer 1)" "s16p";
    "mp2" "MP2 (MPEG audio layer 2)" "s16p";
    "mp3" "MP3 (MPEG audio layer 3)" "fltp";
    "mp4als" "MPEG-4 Audio Lossless Coding (ALS)" "s16";
    "mpeg1video" "MPEG-1 video" "";
    "mpeg2video" "MPEG-2 video" "";
    "mpeg4" "MPEG-4 part 2" "";
    "msmpeg4v1" "MPEG-4 part 2 Microsoft variant version 1" "";
    "msmpeg4v2" "MPEG-4 part 2 Microsoft variant version 2" "";
    "msmpeg4v3" "MPEG-4 part 2 Microsoft variant version 3" "";
    "msrle" "Microsoft RLE" "";
    "msvideo1" "Microsoft Video 1" "";
    "musepack7" "Musepack SV7" "s16p";
    "musepack8" "Musepack SV8" "s16p";
    "nellymoser" "Nellymoser Asao" "flt";
    "opus" "Opus (Opus Interactive Audio Codec)" "fltp";
    "pcm_alaw" "PCM A-law / G.711 A-law" "s16";
    "pcm_bluray" "PCM signed 16|20|24-bit big-endian for Blu-ray media" "s16";
    "pcm_dvd" "PCM signed 20|24-bit big-endian" "s32";
    "pcm_f32be" "PCM 32-bit floating point big-endian" "flt";
    "pcm_f32le" "PCM 32-bit floating point little-endian" "flt";
    "pcm_f64be" "PCM 64-bit floating point big-endian" "dbl";
    "pcm_f64le" "PCM 64-bit floating point little-endian" "dbl";
    "pcm_lxf" "PCM signed 20-bit little-endian planar" "s32p";
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
    "ra_144" "RealAudio 1.0 (14.4K)" "s16";
    "ra_288" "RealAudio 2.0 (28.8K)" "flt";
    "ralf" "RealAudio Lossless" "s16p";
    "rawvideo" "raw video" "";
    "rpza" "QuickTime video (RPZA)" "";
    "rv10" "RealVideo 1.0" "";
    "rv20" "RealVideo 2.0" "";
    "rv30" "RealVideo 3.0" "";
    "rv40" "RealVideo 4.0" "";
    "scte_35" "SCTE 35 Message Queue" "";
    "sipr" "RealAudio SIPR / ACELP.NET" "flt";
    "smc" "QuickTime Graphics (SMC)" "";
    "speex" "Speex" "flt";
    "ssa" "SSA (SubStation Alpha) subtitle" "";
    "subrip" "SubRip subtitle" "";
    "svq1" "Sorenson Vector Quantizer 1 / Sorenson Video 1 / SVQ1" "";
    "svq3" "Sorenson Vector Quantizer 3 / Sorenson Video 3 / SVQ3" "";
    "text" "raw UTF-8 text" "";
    "theora" "Theora" "";
    "timed_id3" "timed ID3 metadata" "";
    "truehd" "TrueHD" "";
    "truespeech" "DSP Group TrueSpeech" "s16";
    "tscc" "TechSmith Screen Capture Codec" "";
    "tta" "TTA (True Audio)" "s16";
    "ttml" "Timed Text Markup Language" "";
    "utvideo" "Ut Video" "";
    "v210" "Uncompressed 4:2:2 10-bit" "";
    "vc1" "SMPTE VC-1" "";
    "vorbis" "Vorbis" "fltp";
    "vp6" "On2 VP6" "";
    "vp6a" "On2 VP6 (Flash version, with alpha channel)" "";
    "vp6f" "On2 VP6 (Flash version)" "";
    "vp8" "On2 VP8" "";
    "vp9" "Google VP9" "";
    "vvc" "H.266 / VVC (Versatile Video Coding)" "";
    "wavpack" "WavPack" "s16p";
    "webvtt" "WebVTT subtitle" "";
    "wmalossless" "Windows Media Audio Lossless" "s16p";
    "wmapro" "Windows Media Audio 9 Professional" "fltp";
    "wmav1" "Windows Media Audio 1" "fltp";
    "wmav2" "Windows Media Audio 2" "fltp";
    "wmavoice" "Windows Media Audio Voice" "flt";
    "wmv1" "Windows Media Video 7" "";
    "wmv2" "Windows Media Video 8" "";
    "wmv3" "Windows Media Video 9" "";
    "xan_dpcm" "DPCM Xan" "s16";
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
