//! Signatures at fixed places, with masks. The longest and surest come first: the first match wins.

use super::format::Format;

/// A signature: `bytes` at `at`, where a `.` in `mask` lets any byte pass (an empty mask checks all).
struct Magic {
    at: usize,
    bytes: &'static [u8],
    mask: &'static [u8],
    format: Format,
}

const fn at(at: usize, bytes: &'static [u8], format: Format) -> Magic {
    Magic { at, bytes, mask: b"", format }
}

const fn start(bytes: &'static [u8], format: Format) -> Magic {
    at(0, bytes, format)
}

const fn masked(bytes: &'static [u8], mask: &'static [u8], format: Format) -> Magic {
    Magic { at: 0, bytes, mask, format }
}

/// Form types of RIFF and IFF files stand behind the length: EA IFF 85, "FORM"; Microsoft RIFF MCI, section 2.
const CHUNKED: &[u8] = b"xxxx....xxxx";

static MAGIC: &[Magic] = &[
    start(b"\xFF\xD8\xFF", Format::Jpeg), // ITU-T T.81, B.1.1.3: SOI, then any marker
    start(b"\x89PNG\r\n\x1A\n", Format::Png), // PNG 3rd edition, 5.2
    start(b"GIF87a", Format::Gif),        // GIF89a specification, 17
    start(b"GIF89a", Format::Gif),        // the same
    masked(b"RIFF\0\0\0\0WEBP", CHUNKED, Format::WebP), // RFC 9649, 2.4
    masked(b"RIFF\0\0\0\0WAVE", CHUNKED, Format::Wav), // Microsoft RIFF MCI
    masked(b"RIFX\0\0\0\0WAVE", CHUNKED, Format::Wav), // the same, big-endian
    masked(b"RF64\0\0\0\0WAVE", CHUNKED, Format::Rf64), // EBU Tech 3306
    masked(b"BW64\0\0\0\0WAVE", CHUNKED, Format::Rf64), // ITU-R BS.2088
    masked(b"RIFF\0\0\0\0AVI ", CHUNKED, Format::Avi), // AVI RIFF file reference
    masked(b"RIFF\0\0\0\0RMID", CHUNKED, Format::Midi), // RIFF MIDI
    masked(b"FORM\0\0\0\0AIFF", CHUNKED, Format::Aiff), // AIFF 1.3
    masked(b"FORM\0\0\0\0AIFC", CHUNKED, Format::Aiff), // AIFF-C draft 1991-08-26
    masked(b"FRM8\0\0\0\0\0\0\0\0DSD ", b"xxxx........xxxx", Format::Dff), // DSDIFF 1.5
    start(b"II\x2A\0\x10\0\0\0CR\x02", Format::Cr2), // the "CR" mark behind the TIFF header
    start(b"IIRO", Format::Orf),          // Olympus: TIFF with its own number
    start(b"IIRS", Format::Orf),          // the same
    start(b"MMOR", Format::Orf),          // the same
    start(b"IIU\0", Format::Rw2),         // Panasonic: TIFF with 0x55
    start(b"FUJIFILMCCD-RAW ", Format::Raf), // Fujifilm
    start(b"\0MRM", Format::Mrw),         // Minolta
    start(b"FOVb", Format::X3f),          // Sigma and Foveon
    start(b"gimp xcf ", Format::Xcf),     // GIMP, devel-docs/xcf.txt
    start(b"BPG\xFB", Format::Bpg),       // BPG specification 0.9.8, 3
    start(b"SDPX", Format::Dpx),          // SMPTE ST 268-1, big-endian
    start(b"XPDS", Format::Dpx),          // the same, little-endian
    start(b"PF\n", Format::Pfm),          // pfm(5)
    start(b"Pf\n", Format::Pfm),          // the same, one channel
    masked(b"II\x2A\0\0\0\0\0IIII", b"xxxx....xxxx", Format::Iiq), // Phase One: its own directory behind the header
    masked(b"MM\0\x2A\0\0\0\0MMMM", b"xxxx....xxxx", Format::Iiq), // the same
    start(b"II\x2A\0", Format::Tiff),     // TIFF 6.0, section 2
    start(b"MM\0\x2A", Format::Tiff),     // the same
    start(b"II\x2B\0", Format::Tiff),     // BigTIFF
    start(b"MM\0\x2B", Format::Tiff),     // the same
    start(b"8BPS", Format::Psd),          // Adobe Photoshop file formats
    start(b"\0\0\0\x0CjP  \r\n\x87\n", Format::Jp2), // ITU-T T.800, I.5.1
    start(b"\xFF\x4F\xFF\x51", Format::J2c), // ITU-T T.800, A.4: SOC, SIZ
    start(b"\xFF\x0A", Format::Jxl),      // ISO/IEC 18181-1
    start(b"\0\0\0\x0CJXL \r\n\x87\n", Format::Jxl), // ISO/IEC 18181-2
    start(b"DDS \x7C\0\0\0", Format::Dds), // DDS_HEADER: dwSize is 124
    start(b"\x76\x2F\x31\x01", Format::Exr), // OpenEXR file layout
    start(b"#?RADIANCE\n", Format::Hdr),  // Radiance picture
    start(b"#?RGBE\n", Format::Hdr),      // the same
    start(b"qoif", Format::Qoi),          // QOI specification
    start(b"farbfeld", Format::Farbfeld), // farbfeld(5)
    start(b"SIMPLE  =", Format::Fits),    // FITS 4.0, 4.4.1.1
    start(b"BEGIN:VCARD", Format::VCard), // RFC 6350, 6.1.1
    start(b"BEGIN:VCALENDAR", Format::Calendar), // RFC 5545, 3.4
    start(b"II\x1A\0\0\0HEAPCCDR", Format::Crw), // Canon CIFF 1.0, 2.1
    start(b"Paint Shop Pro Image File\n\x1A", Format::PaintShop), // PSP file format 8, chapter 2
    masked(b"AT&TFORM\0\0\0\0DJVU", b"xxxxxxxx....xxxx", Format::Djvu), // DjVu3 specification, 8.1
    masked(b"AT&TFORM\0\0\0\0DJVM", b"xxxxxxxx....xxxx", Format::Djvu), // the same, many pages
    start(b"FLIF", Format::Flif),         // FLIF 0.3, part 1
    start(b"\x8AMNG\r\n\x1A\n", Format::Mng), // MNG 1.0
    start(b"\x8BJNG\r\n\x1A\n", Format::Jng), // JNG 1.0
    at(10, b"\0\x11\x02\xFF\x0C\0", Format::Pict), // Inside Macintosh: version 2 behind size and frame
    at(522, b"\0\x11\x02\xFF\x0C\0", Format::Pict), // the same behind the program's own 512 bytes
    start(b"PGF", Format::Pgf),           // PGF 7
    at(2048, b"PCD_IPI", Format::PhotoCd), // Photo CD image pack
    start(b"\x89LFP\r\n\x1A\n", Format::Lytro), // Lytro
    start(b"ZISRAWFILE\0\0\0\0\0\0", Format::Zeiss), // ZISRAW DS 1.2.2
    start(b"FPF Public Image Format\0", Format::FlirFpf), // FLIR
    start(b"\0\0\x01\0", Format::Ico),    // ICONDIR; checked further
    start(b"\0\0\x02\0", Format::Cur),    // the same
    start(b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\0\0", Format::Wave64), // Sony Wave64
    start(b"fLaC", Format::Flac),         // RFC 9639, 6
    start(b"ADIF", Format::Aac),          // ISO/IEC 13818-7, 6.2
    start(b"caff\0\x01", Format::Caf),    // Apple Core Audio Format
    start(b"MAC ", Format::Ape),          // Monkey's Audio
    start(b"wvpk", Format::WavPack),      // WavPack 4 and 5
    start(b"MPCK", Format::Musepack),     // Musepack SV8
    start(b"MP+", Format::Musepack),      // Musepack SV7
    start(b"DSD \x1C\0\0\0\0\0\0\0", Format::Dsf), // DSF 1.01
    start(b"TTA1", Format::Tta),          // True Audio
    start(b"TTA2", Format::Tta),          // the same
    start(b"MThd\0\0\0\x06", Format::Midi), // Standard MIDI files 1.0
    start(b"#!AMR\n", Format::Amr),       // RFC 4867, 5.1
    start(b"#!AMR-WB\n", Format::Amr),    // the same
    start(b"OFR ", Format::OptimFrog),    // OptimFROG
    start(b"tBaK", Format::Tak),          // TAK
    start(b"Creative Voice File\x1A", Format::Voc), // Creative Labs
    start(b".snd", Format::Au),           // NeXT/Sun audio
    start(b"\x7F\xFE\x80\x01", Format::Dts), // ETSI TS 102 114
    at(4, b"\x57\x90\x75\x36", Format::Audible), // Audible AA
    start(b"\x02dss", Format::Dss),       // Digital Speech Standard
    start(b"\x03ds2", Format::Dss),       // the same, Pro
    at(1080, b"M.K.", Format::Tracker),   // ProTracker: the mark behind the 31 samples and the order
    at(1080, b"M!K!", Format::Tracker),   // the same, more than 64 patterns
    at(1080, b"FLT4", Format::Tracker),   // Startrekker
    at(1080, b"4CHN", Format::Tracker),   // FastTracker, by channels
    at(1080, b"6CHN", Format::Tracker),   // the same
    at(1080, b"8CHN", Format::Tracker),   // the same
    start(b"\x1F\x07\0\x3F", Format::Dv), // IEC 61834-2: header DIF block, 525 lines
    start(b"\x1F\x07\0\xBF", Format::Dv), // the same, 625 lines
    at(4, b"RED1", Format::Red),          // REDCODE
    at(4, b"RED2", Format::Red),          // the same
    start(b"DKIF\0\0\x20\0", Format::Ivf), // IVF: version 0, header of 32 bytes
    start(b"\x12\0\x0A", Format::Av1),    // AV1, 5.3: temporal delimiter, sequence header
    start(b"\xFF\x01Exiv2", Format::Exv), // Exiv2's own: the segments of a JPEG
    start(b"FLV\x01", Format::Flv),       // Adobe FLV 10.1, E.2
    start(b"\0\0\x01\xBA", Format::MpegPs), // ISO/IEC 13818-1, 2.5.3.3: pack header
    start(b"\0\0\x01\xB3", Format::MpegPs), // ISO/IEC 13818-2: sequence header
    start(b".RMF\0\0\0", Format::RealMedia), // RealMedia
    start(b".ra\xFD\0", Format::RealAudio), // RealAudio
    start(b"\x06\x0E\x2B\x34\x02\x05\x01\x01\x0D\x01\x02\x01\x01", Format::Mxf), // SMPTE ST 377-1: partition pack
    start(b"%PDF-", Format::Pdf),         // ISO 32000-1, 7.5.2
    start(b"%!PS", Format::PostScript),   // Adobe DSC 3.0
    start(b"\xC5\xD0\xD3\xC6", Format::PostScript), // EPS with a DOS header
    start(b"{\\rtf", Format::Rtf),        // RTF 1.9.1
    start(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Format::Ole), // MS-CFB, 2.2
    start(b"PK\x03\x04", Format::Zip),    // APPNOTE 4.3.7
    start(b"PK\x05\x06", Format::Zip),    // APPNOTE 4.3.16: an empty archive
    start(b"PK\x07\x08PK\x03\x04", Format::Zip), // APPNOTE 8.5.4: a spanned one
    start(b"\x1F\x8B\x08", Format::Gzip), // RFC 1952, 2.3.1
    start(b"BZh", Format::Bzip2),         // bzip2; checked further
    start(b"\xFD7zXZ\0", Format::Xz),     // xz file format 1.2, 2.1.1.1
    start(b"\x28\xB5\x2F\xFD", Format::Zstd), // RFC 8878, 3.1.1
    masked(b"\0\x2A\x4D\x18", b".xxx", Format::Zstd), // RFC 8878, 3.1.2: a skippable frame; checked further
    start(b"\x04\x22\x4D\x18", Format::Lz4), // LZ4 frame format
    start(b"7z\xBC\xAF\x27\x1C", Format::SevenZ), // 7z format
    start(b"Rar!\x1A\x07\0", Format::Rar), // RAR 4
    start(b"Rar!\x1A\x07\x01\0", Format::Rar), // RAR 5
    start(b"RE\x7E\x5E", Format::Rar),    // RAR 1.4
    start(b"bplist00", Format::PropertyList), // Apple's binary property list
    start(b"\x1A\x45\xDF\xA3", Format::Mkv), // RFC 8794, 11.2.1; checked further
    start(b"OggS\0", Format::Ogg),        // RFC 3533, 6; checked further
    start(b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C", Format::Wmv), // ASF 01.20.05, 10.1
    at(257, b"ustar", Format::Tar),       // POSIX.1 pax
];

/// The format of the first signature that matches.
pub(super) fn find(head: &[u8]) -> Option<Format> {
    MAGIC.iter().find(|magic| matches(magic, head)).map(|magic| magic.format)
}

fn matches(magic: &Magic, head: &[u8]) -> bool {
    let Some(found) = head.get(magic.at..).and_then(|rest| rest.get(..magic.bytes.len())) else { return false };
    if magic.mask.is_empty() {
        return found == magic.bytes;
    }
    found.iter().zip(magic.bytes).zip(magic.mask).all(|((got, want), mask)| *mask == b'.' || got == want)
}
