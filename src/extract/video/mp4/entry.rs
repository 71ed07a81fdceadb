//! Sample descriptions (ISO/IEC 14496-12, 8.5.2 and 12; QuickTime File Format, "Sample description atoms").

use super::{children, codes, esds};
use crate::extract::bitstream;
use crate::extract::container::bmff::BoxHead;
use crate::extract::stream::{Bits, Ratio, Stream, content_light, dolby_vision, mastering_display};
use crate::extract::{Facts, Input, Parsed};

/// Bytes of a decoder's configuration that are looked at.
const CONFIGURATION: u64 = 4096;

/// What a sample description says.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) stream: Stream,
    /// Whether PCM samples are little-endian.
    little: bool,
    bits: u16,
    /// Width of the lengths in front of units.
    pub(super) lengths: Option<usize>,
    /// What is said of brightness, as facts.
    pub(super) notes: Vec<(&'static str, String)>,
    /// Whether samples are encrypted, so that none need be looked at.
    pub(super) encrypted: bool,
    /// Frames per second of a time code track, and whether it drops numbers.
    pub(super) code: Option<(u8, bool)>,
    /// The code behind encryption.
    original: Option<[u8; 4]>,
}

/// Reads the description of a track with that handler.
pub(super) fn read(input: &mut Input<'_>, code: [u8; 4], handler: [u8; 4], facts: &mut Facts) -> Parsed<Entry> {
    let mut entry = Entry::default();
    entry.stream.tag = Some(code);
    entry.stream.codec = codes::by_code(code);
    input.skip(8, "reserved and data reference")?;
    let read = match &handler {
        b"vide" | b"auxv" => visual(input, &mut entry, facts),
        b"soun" => sound(input, &mut entry, facts),
        // QuickTime File Format, "Timecode sample description": flags, time scale, length and number of frames.
        b"tmcd" => {
            input.skip(4, "reserved")?;
            let drops = input.u32_be("time code flags")? & 1 != 0;
            input.skip(8, "time scale and length of a frame")?;
            entry.code = Some((input.u8("frames of a second")?, drops));
            Ok(())
        }
        // 3GPP TS 26.245, 5.16: the box in which the text stands.
        b"sbtl" | b"text" if &code == b"tx3g" => {
            input.skip(4 + 1 + 1 + 4, "flags and colour")?;
            let mut edge = |what| input.i16_be(what);
            let (top, left, bottom, right) = (edge("top")?, edge("left")?, edge("bottom")?, edge("right")?);
            entry.stream.width = u32::try_from(right.saturating_sub(left)).unwrap_or(0);
            entry.stream.height = u32::try_from(bottom.saturating_sub(top)).unwrap_or(0);
            Ok(())
        }
        _ => Ok(()),
    };
    facts.tolerate(read)?;
    let code = entry.original.unwrap_or(code);
    if let Some(original) = entry.original {
        entry.encrypted = entry.stream.codec.is_empty();
        entry.stream.tag = Some(original);
        if entry.stream.codec.is_empty() {
            entry.stream.codec = codes::by_code(code);
        }
    }
    if let Some((profile, pixels, depth)) = codes::prores(code) {
        entry.stream.coding.profile = profile;
        (entry.stream.pixels, entry.stream.coding.depth) = (pixels, depth);
    }
    if matches!(&code, b"2vuy" | b"UYVY") {
        entry.stream.pixels = "uyvy422";
    }
    if handler == *b"soun" {
        let pcm = codes::pcm(code, entry.bits, entry.little);
        if !pcm.is_empty() {
            entry.stream.codec = pcm;
        }
    }
    Ok(entry)
}

/// 12.1.3
fn visual(input: &mut Input<'_>, entry: &mut Entry, facts: &mut Facts) -> Parsed<()> {
    input.skip(16, "reserved")?;
    entry.stream.width = input.u16_be("width")?.into();
    entry.stream.height = input.u16_be("height")?.into();
    input.skip(14 + 32 + 4, "resolution, compressor and depth")?;
    children(input, facts, |input, head, _| in_entry(input, head, entry))
}

/// 12.2.3; QuickTime's versions 1 and 2 insert more before the child boxes.
fn sound(input: &mut Input<'_>, entry: &mut Entry, facts: &mut Facts) -> Parsed<()> {
    let version = input.u16_be("version")?;
    input.skip(6, "revision and vendor")?;
    entry.stream.channels = input.u16_be("channels")?.into();
    entry.bits = input.u16_be("bits per sample")?;
    input.skip(4, "compression and packet size")?;
    entry.stream.sample_rate = input.u32_be("sample rate")? >> 16;
    match version {
        1 => input.skip(16, "version 1")?,
        2 => version_2(input, entry)?,
        _ => {}
    }
    entry.stream.bits = entry.bits.into();
    // 3GPP TS 26.244, 6.5 leaves these fields without meaning: AMR is mono, at 8 or 16 kHz.
    match entry.stream.codec {
        "amr_nb" => (entry.stream.channels, entry.stream.sample_rate) = (1, 8_000),
        "amr_wb" => (entry.stream.channels, entry.stream.sample_rate) = (1, 16_000),
        _ => {}
    }
    children(input, facts, |input, head, facts| match &head.kind {
        b"wave" => children(input, facts, |input, head, _| in_entry(input, head, entry)),
        _ => in_entry(input, head, entry),
    })
}

fn version_2(input: &mut Input<'_>, entry: &mut Entry) -> Parsed<()> {
    input.skip(4, "size of the structure")?;
    let rate = f64::from_bits(input.u64_be("sample rate")?);
    entry.stream.sample_rate = u32::try_from(crate::extract::stream::whole(rate)).unwrap_or(0);
    entry.stream.channels = input.u32_be("channels")?;
    input.skip(4, "reserved")?;
    entry.bits = u16::try_from(input.u32_be("bits per channel")?).unwrap_or(0);
    // Core Audio flags: bit 0 float, bit 1 big-endian.
    let flags = input.u32_be("format flags")?;
    entry.little = flags & 2 == 0;
    if entry.stream.tag == Some(*b"lpcm") && flags & 1 != 0 {
        entry.original = Some(*b"fpcm");
    }
    input.skip(8, "packet sizes")
}

fn in_entry(input: &mut Input<'_>, head: &BoxHead, entry: &mut Entry) -> Parsed<()> {
    let stream = &mut entry.stream;
    match &head.kind {
        b"esds" => esds::read(input, stream),
        b"pasp" => {
            let (wide, high) = (input.u32_be("pixel width")?, input.u32_be("pixel height")?);
            stream.pixel_aspect = Ratio::new(wide.into(), high.into());
            Ok(())
        }
        b"btrt" => {
            input.skip(8, "buffer size and largest bit rate")?;
            let average = input.u32_be("average bit rate")?;
            stream.bitrate = stream.bitrate.or(Some(u64::from(average)).filter(|rate| *rate > 0));
            Ok(())
        }
        b"frma" => {
            let code = input.array("original format")?;
            entry.original = Some(code).filter(|code| Some(*code) != stream.tag);
            Ok(())
        }
        b"sinf" => crate::extract::container::bmff::each(input, |input, head| {
            if head.kind == *b"frma" { in_entry(input, head, entry) } else { Ok(()) }
        }),
        // The order of the samples: 0 big-endian, 1 little-endian.
        b"enda" => {
            entry.little = input.u16_be("byte order")? == 1;
            Ok(())
        }
        // ISO/IEC 23003-5: format flags, then the width of a sample.
        b"pcmC" => {
            input.skip(4, "version and flags")?;
            entry.little = input.u8("PCM flags")? & 1 == 1;
            entry.bits = input.u8("sample size")?.into();
            Ok(())
        }
        b"avcC" | b"hvcC" | b"av1C" => {
            if stream.codec.is_empty() {
                // Encrypted: what it was before stands in another box.
                stream.codec = match &head.kind {
                    b"avcC" => "h264",
                    b"hvcC" => "hevc",
                    _ => "av1",
                };
            }
            entry.lengths = bitstream::configuration(&input.take_up_to(CONFIGURATION)?, stream);
            Ok(())
        }
        b"vpcC" => {
            input.skip(4, "version and flags")?;
            bitstream::vpx::record(&input.take_up_to(8)?, stream);
            Ok(())
        }
        b"colr" => colr(input, stream),
        b"mdcv" | b"clli" | b"dvcC" | b"dvvC" | b"dvwC" => brightness(input, head, &mut entry.notes),
        // ETSI TS 102 366, F.4 and F.6: the boxes repeat the fields of a frame.
        b"dac3" => {
            dac3(&input.take_up_to(3)?, stream);
            Ok(())
        }
        b"alac" => alac(input, stream),
        // Opus in ISOBMFF, 4.3.2: always decoded at 48 kHz.
        b"dOps" => {
            stream.sample_rate = 48_000;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// 12.1.5; QuickTime's `nclc` says nothing of the range.
fn colr(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    let kind: [u8; 4] = input.array("kind of colour")?;
    if !matches!(&kind, b"nclx" | b"nclc") {
        return Ok(());
    }
    stream.colour.primaries = input.u16_be("colour primaries")?;
    stream.colour.transfer = input.u16_be("transfer characteristics")?;
    stream.colour.matrix = Some(input.u16_be("matrix coefficients")?);
    if kind == *b"nclx" {
        stream.colour.full = Some(input.u8("range")? & 0x80 != 0);
    }
    Ok(())
}

/// What is said of brightness, as facts.
fn brightness(input: &mut Input<'_>, head: &BoxHead, notes: &mut Vec<(&'static str, String)>) -> Parsed<()> {
    match &head.kind {
        b"mdcv" => notes.push(("MasteringDisplay", mdcv(input)?)),
        b"clli" => notes.push(("ContentLight", content_light(input.u16_be("MaxCLL")?, input.u16_be("MaxFALL")?))),
        _ => notes.extend(dolby_vision(&input.take_up_to(24)?).map(|text| ("DolbyVision", text))),
    }
    Ok(())
}

/// ISO/IEC 14496-12, 12.1.7: green, blue, red and white in 50,000ths, brightness in 10,000ths.
fn mdcv(input: &mut Input<'_>) -> Parsed<String> {
    let mut points = [0.0; 8];
    for point in &mut points {
        *point = f64::from(input.u16_be("mastering display")?) / 50_000.0;
    }
    let most = f64::from(input.u32_be("brightest")?) / 10_000.0;
    let least = f64::from(input.u32_be("darkest")?) / 10_000.0;
    let [gx, gy, bx, by, rx, ry, wx, wy] = points;
    Ok(mastering_display([rx, ry, gx, gy, bx, by, wx, wy, most, least]))
}

/// Sampling rate, channels and bit rate of AC-3.
fn dac3(bytes: &[u8], stream: &mut Stream) {
    let mut bits = Bits::new(bytes);
    let (Some(rate), Some(_), Some(mode)) = (bits.take(2), bits.take(8), bits.take(3)) else { return };
    let (Some(low), Some(code)) = (bits.flag(), bits.take(5)) else { return };
    bitstream::ac3::describe(rate, mode, low, code, stream);
}

/// ALACSpecificConfig (Apple, ALACMagicCookieDescription).
fn alac(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    input.skip(4 + 4 + 1, "version, frame length and compatibility")?;
    stream.bits = input.u8("bits per sample")?.into();
    input.skip(3, "tuning")?;
    stream.channels = input.u8("channels")?.into();
    input.skip(10, "run, frame size and bit rate")?;
    stream.sample_rate = input.u32_be("sample rate")?;
    Ok(())
}
