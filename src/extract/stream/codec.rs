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
    "8bps" "QuickTime 8BPS video" "";
    "aac" "AAC (Advanced Audio Coding)" "fltp";
    "aac_latm" "AAC LATM (Advanced Audio Coding LATM syntax)" "fltp";
    "ac3" "ATSC A/52A (AC-3)" "fltp";
    "adpcm_adx" "SEGA CRI ADX ADPCM" "s16p";
    "adpcm_ct" "ADPCM Creative Technology" "s16";
    "adpcm_g722" "G.722 ADPCM" "s16";
    "adpcm_g726" "G.726 ADPCM" "s16";
    "adpcm_ima_qt" "ADPCM IMA QuickTime" "s16p";
    "adpcm_ima_wav" "ADPCM IMA WAV" "s16p";
    "adpcm_ms" "ADPCM Microsoft" "s16";
    "adpcm_sbpro_2" "ADPCM Sound Blaster Pro 2-bit" "s16";
    "adpcm_sbpro_3" "ADPCM Sound Blaster Pro 2.6-bit" "s16";
    "adpcm_sbpro_4" "ADPCM Sound Blaster Pro 4-bit" "s16";
    "adpcm_swf" "ADPCM Shockwave Flash" "s16";
    "adpcm_yamaha" "ADPCM Yamaha" "s16";
    "aic" "Apple Intermediate Codec" "";
    "alac" "ALAC (Apple Lossless Audio Codec)" "s16p";
    "amr_nb" "AMR-NB (Adaptive Multi-Rate NarrowBand)" "fltp";
    "amr_wb" "AMR-WB (Adaptive Multi-Rate WideBand)" "fltp";
    "ape" "Monkey's Audio" "s16p";
    "ass" "ASS (Advanced SSA) subtitle" "";
    "asv1" "ASUS V1" "";
    "asv2" "ASUS V2" "";
    "atrac3" "ATRAC3 (Adaptive TRansform Acoustic Coding 3)" "fltp";
    "atrac3p" "ATRAC3+ (Adaptive TRansform Acoustic Coding 3+)" "fltp";
    "av1" "Alliance for Open Media AV1" "";
    "ayuv" "Uncompressed packed MS 4:4:4:4" "";
    "bin_data" "binary data" "";
    "binkvideo" "Bink video" "";
    "cfhd" "GoPro CineForm HD" "";
    "cinepak" "Cinepak" "";
    "cllc" "Canopus Lossless Codec" "";
    "cook" "Cook / Cooker / Gecko (RealAudio G2)" "fltp";
    "cscd" "CamStudio" "";
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
    "dxtory" "Dxtory" "";
    "dxv" "Resolume DXV" "";
    "eac3" "ATSC A/52B (AC-3, E-AC-3)" "fltp";
    "eia_608" "EIA-608 closed captions" "";
    "evrc" "EVRC (Enhanced Variable Rate Codec)" "flt";
    "ffv1" "FFmpeg video codec #1" "";
    "ffvhuff" "Huffyuv FFmpeg variant" "";
    "flac" "FLAC (Free Lossless Audio Codec)" "s16";
    "flashsv" "Flash Screen Video v1" "";
    "flashsv2" "Flash Screen Video v2" "";
    "flic" "Autodesk Animator Flic video" "";
    "flv1" "FLV / Sorenson Spark / Sorenson H.263 (Flash Video)" "";
    "fraps" "Fraps" "";
    "g2m" "Go2Meeting" "";
    "g723_1" "G.723.1" "s16p";
    "g729" "G.729" "s16p";
    "gif" "CompuServe GIF (Graphics Interchange Format)" "";
    "gsm" "GSM" "s16";
    "gsm_ms" "GSM Microsoft variant" "s16";
    "h261" "H.261" "";
    "h263" "H.263 / H.263-1996, H.263+ / H.263-1998 / H.263 version 2" "";
    "h263i" "Intel H.263" "";
    "h263p" "H.263+ / H.263-1998 / H.263 version 2" "";
    "h264" "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10" "";
    "hap" "Vidvox Hap" "";
    "hdmv_pgs_subtitle" "HDMV Presentation Graphic Stream subtitles" "";
    "hevc" "H.265 / HEVC (High Efficiency Video Coding)" "";
    "hq_hqa" "Canopus HQ/HQA" "";
    "hqx" "Canopus HQX" "";
    "huffyuv" "HuffYUV" "";
    "iac" "IAC (Indeo Audio Coder)" "fltp";
    "imc" "IMC (Intel Music Coder)" "fltp";
    "indeo2" "Intel Indeo 2" "";
    "indeo3" "Intel Indeo 3" "";
    "indeo4" "Intel Indeo Video Interactive 4" "";
    "indeo5" "Intel Indeo Video Interactive 5" "";
    "jpeg2000" "JPEG 2000" "";
    "jpegls" "JPEG-LS" "";
    "klv" "SMPTE 336M Key-Length-Value (KLV) metadata" "";
    "lagarith" "Lagarith lossless" "";
    "loco" "LOCO" "";
    "mace3" "MACE (Macintosh Audio Compression/Expansion) 3:1" "s16p";
    "mace6" "MACE (Macintosh Audio Compression/Expansion) 6:1" "s16p";
    "magicyuv" "MagicYUV video" "";
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
    "mss1" "MS Screen 1" "";
    "mss2" "MS Windows Media Video V9 Screen" "";
    "msvideo1" "Microsoft Video 1" "";
    "mszh" "LCL (LossLess Codec Library) MSZH" "";
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
    "pixlet" "Apple Pixlet" "";
    "png" "PNG (Portable Network Graphics) image" "";
    "prores" "Apple ProRes (iCodec Pro)" "";
    "qcelp" "QCELP / PureVoice" "fltp";
    "qdm2" "QDesign Music Codec 2" "s16";
    "qtrle" "QuickTime Animation (RLE) video" "";
    "r210" "Uncompressed RGB 10-bit" "";
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
    "snow" "Snow" "";
    "speex" "Speex" "flt";
    "ssa" "SSA (SubStation Alpha) subtitle" "";
    "subrip" "SubRip subtitle" "";
    "svq1" "Sorenson Vector Quantizer 1 / Sorenson Video 1 / SVQ1" "";
    "svq3" "Sorenson Vector Quantizer 3 / Sorenson Video 3 / SVQ3" "";
    "tak" "TAK (Tom's lossless Audio Kompressor)" "s16p";
    "targa" "Truevision Targa image" "";
    "text" "raw UTF-8 text" "";
    "theora" "Theora" "";
    "tiff" "TIFF image" "";
    "timed_id3" "timed ID3 metadata" "";
    "truehd" "TrueHD" "";
    "truemotion1" "Duck TrueMotion 1.0" "";
    "truemotion2" "Duck TrueMotion 2.0" "";
    "truespeech" "DSP Group TrueSpeech" "s16";
    "tscc" "TechSmith Screen Capture Codec" "";
    "tscc2" "TechSmith Screen Codec 2" "";
    "tta" "TTA (True Audio)" "s16";
    "ttml" "Timed Text Markup Language" "";
    "ulti" "IBM UltiMotion" "";
    "utvideo" "Ut Video" "";
    "v210" "Uncompressed 4:2:2 10-bit" "";
    "v308" "Uncompressed packed 4:4:4" "";
    "v408" "Uncompressed packed QT 4:4:4:4" "";
    "v410" "Uncompressed 4:4:4 10-bit" "";
    "vble" "VBLE Lossless Codec" "";
    "vc1" "SMPTE VC-1" "";
    "vcr1" "ATI VCR1" "";
    "vorbis" "Vorbis" "fltp";
    "vp3" "On2 VP3" "";
    "vp4" "On2 VP4" "";
    "vp5" "On2 VP5" "";
    "vp6" "On2 VP6" "";
    "vp6a" "On2 VP6 (Flash version, with alpha channel)" "";
    "vp6f" "On2 VP6 (Flash version)" "";
    "vp7" "On2 VP7" "";
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
    "wnv1" "Winnov WNV1" "";
    "xan_dpcm" "DPCM Xan" "s16";
    "xan_wc4" "Wing Commander IV / Xxan" "";
    "y41p" "Uncompressed YUV 4:1:1 12-bit" "";
    "yuv4" "Uncompressed packed 4:2:0" "";
    "zlib" "LCL (LossLess Codec Library) ZLIB" "";
    "zmbv" "Zip Motion Blocks Video" "";
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
