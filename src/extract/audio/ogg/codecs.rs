//! First packets of the codecs found in Ogg, and how each counts time.

use crate::extract::audio::flac;
use crate::extract::stream::{Coding, Colour, Kind, Ratio, Stream, windows};
use crate::extract::{Input, Limits, Parsed};

/// What the first packet of a stream says.
#[derive(Default)]
pub(super) struct Head {
    pub(super) stream: Stream,
    pub(super) codec: &'static str,
    /// Seconds of one tick of the granule position.
    pub(super) unit: Option<Ratio>,
    /// Ticks in front that are not played.
    pub(super) skip: u64,
    /// Ticks of one packet: usually, and at most. How much of a page came before its granule position.
    pub(super) packet: (u64, u64),
    /// Low bits of the granule position that count frames since the last key frame.
    shift: u32,
    /// Whether the granule position holds the frame number in its upper half.
    upper: bool,
}

impl Head {
    /// The time of a granule position in units.
    pub(super) fn ticks(&self, granule: u64) -> u64 {
        if self.upper {
            return granule >> 32;
        }
        let key = granule.checked_shr(self.shift).unwrap_or(0);
        let since = granule.saturating_sub(key.checked_shl(self.shift).unwrap_or(0));
        if self.shift == 0 { granule } else { key.saturating_add(since) }
    }

    /// Whether pages of data are expected to carry times.
    pub(super) fn timed(&self) -> bool {
        self.unit.is_some()
    }

    /// The bytes that the second packet begins with.
    pub(super) fn comment_mark(&self) -> &'static [u8] {
        match self.codec {
            "vorbis" => b"\x03vorbis",
            "opus" => b"OpusTags",
            "theora" => b"\x81theora",
            _ => b"",
        }
    }
}

/// Reads what follows the mark of a codec.
type Read = fn(&mut Input<'_>) -> Parsed<Head>;

/// Reads a stream's first packet.
pub(super) fn identify(packet: &[u8]) -> Head {
    let table: [(&[u8], Read); 9] = [
        (b"\x01video\0\0\0", ogm_video),
        (b"\x01audio\0\0\0", ogm_audio),
        (b"\x01text\0\0\0\0", ogm_text),
        (b"\x01vorbis", vorbis),
        (b"OpusHead", opus),
        (b"\x7FFLAC", flac_in_ogg),
        (b"Speex   ", speex),
        (b"\x80theora", theora),
        (b"OVP80", vp8),
    ];
    let Some((mark, read)) = table.iter().find(|(mark, _)| packet.starts_with(mark)) else { return Head::default() };
    let body = packet.get(mark.len()..).unwrap_or(&[]).to_vec();
    let mut input = Input::new(&body, &Limits { bytes: 1 << 20, ..Limits::default() });
    read(&mut input).unwrap_or_default()
}

fn sound(codec: &'static str, rate: u32, channels: u32) -> Head {
    let stream = Stream { kind: Kind::Audio, codec, sample_rate: rate, channels, ..Stream::default() };
    Head { stream, codec, unit: Ratio::new(1, rate.into()), packet: (4096, 65_536), ..Head::default() }
}

/// Vorbis I, 4.2.2.
fn vorbis(input: &mut Input<'_>) -> Parsed<Head> {
    input.skip(4, "version")?;
    let channels = input.u8("channels")?;
    let rate = input.u32_le("sample rate")?;
    input.skip(4, "largest bit rate")?;
    let nominal = input.i32_le("nominal bit rate")?;
    input.skip(4, "least bit rate")?;
    // Blocks overlap by half: a packet adds at most half of the long block.
    let half = 1_u64.checked_shl(u32::from(input.u8("block sizes")? >> 4).saturating_sub(1)).unwrap_or(0);
    let mut head = sound("vorbis", rate, channels.into());
    head.packet = (half, half);
    head.stream.bitrate = u64::try_from(nominal).ok().filter(|rate| *rate > 0);
    Ok(head)
}

/// RFC 7845, 5.1: always counted at 48 kHz.
fn opus(input: &mut Input<'_>) -> Parsed<Head> {
    let [_version, channels] = input.array("channels")?;
    let skip = input.u16_le("pre-skip")?;
    // Packets of 20 ms are the rule, 120 ms the longest.
    Ok(Head { skip: skip.into(), packet: (960, 5760), ..sound("opus", 48_000, channels.into()) })
}

/// RFC 9639, 10.1.
fn flac_in_ogg(input: &mut Input<'_>) -> Parsed<Head> {
    input.skip(4 + 4 + 4, "mapping, mark and block header")?;
    let info = flac::stream_info(input)?;
    let head = sound("flac", info.rate, info.channels);
    Ok(Head { stream: Stream { bits: info.bits, ..head.stream }, ..head })
}

/// The Speex manual, "Ogg file format".
fn speex(input: &mut Input<'_>) -> Parsed<Head> {
    input.skip(20 + 4 + 4, "version")?;
    let rate = input.u32_le("sample rate")?;
    input.skip(8, "mode")?;
    let channels = input.u32_le("channels")?;
    let nominal = input.i32_le("bit rate")?;
    let mut head = sound("speex", rate, channels.min(255));
    head.stream.bitrate = u64::try_from(nominal).ok().filter(|rate| *rate > 0);
    Ok(head)
}

/// Theora specification, 6.2.
fn theora(input: &mut Input<'_>) -> Parsed<Head> {
    input.skip(3 + 4, "version and size in blocks")?;
    let (width, height) = (input.u24_be("width")?, input.u24_be("height")?);
    input.skip(2, "offset")?;
    let (numer, denom) = (input.u32_be("frame rate")?, input.u32_be("frame rate")?);
    let aspect = (input.u24_be("pixel aspect")?, input.u24_be("pixel aspect")?);
    let space = input.u8("colour space")?;
    let nominal = input.u24_be("bit rate")?;
    let packed = input.u16_be("key frame distance")?;
    let stream = Stream {
        kind: Kind::Video,
        codec: "theora",
        width,
        height,
        pixel_aspect: Ratio::new(aspect.0.into(), aspect.1.into()),
        bitrate: Some(u64::from(nominal)).filter(|rate| *rate > 0),
        coding: theora_coding(packed),
        colour: theora_colour(space),
        ..Stream::default()
    };
    let unit = Ratio::new(denom.into(), numer.into());
    Ok(Head { stream, codec: "theora", unit, shift: u32::from((packed >> 5) & 31), packet: (1, 1), ..Head::default() })
}

/// Theora specification, 6.2 and 4.3: Rec. 470M and Rec. 470BG.
fn theora_colour(space: u8) -> Colour {
    match space {
        1 | 2 => Colour { primaries: if space == 1 { 4 } else { 5 }, transfer: 1, matrix: Some(5), full: None },
        _ => Colour::default(),
    }
}

/// The pixel format in the last bits of the header: 0 is 4:2:0, 2 and 3 are 4:2:2 and 4:4:4.
fn theora_coding(packed: u16) -> Coding {
    let chroma = match (packed >> 3) & 3 {
        0 => Some(1),
        2 => Some(2),
        3 => Some(3),
        _ => None,
    };
    Coding { chroma, depth: 8, ..Coding::default() }
}

/// libwebm, "VP8 in Ogg mapping".
fn vp8(input: &mut Input<'_>) -> Parsed<Head> {
    input.skip(3, "version")?;
    let (width, height) = (input.u16_be("width")?, input.u16_be("height")?);
    let aspect = (input.u24_be("pixel aspect")?, input.u24_be("pixel aspect")?);
    let (numer, denom) = (input.u32_be("frame rate")?, input.u32_be("frame rate")?);
    let stream = Stream {
        kind: Kind::Video,
        codec: "vp8",
        width: width.into(),
        height: height.into(),
        pixel_aspect: Ratio::new(aspect.0.into(), aspect.1.into()),
        ..Stream::default()
    };
    Ok(Head {
        stream,
        codec: "vp8",
        unit: Ratio::new(denom.into(), numer.into()),
        upper: true,
        packet: (1, 1),
        ..Head::default()
    })
}

/// OGM's stream header (Tobias Waldvogel, "stream_header"): a code, the length of a unit in 100 nanoseconds, units of
/// a frame.
fn ogm(input: &mut Input<'_>) -> Parsed<([u8; 4], u64, u64)> {
    let code = input.array("codec")?;
    input.skip(4, "size of the header")?;
    let (time, per_unit) = (input.u64_le("length of a unit")?, input.u64_le("samples of a unit")?);
    input.skip(4 + 4 + 2 + 2, "buffers")?;
    Ok((code, time, per_unit))
}

fn ogm_video(input: &mut Input<'_>) -> Parsed<Head> {
    let (code, time, per_unit) = ogm(input)?;
    let stream = Stream {
        tag: Some(code),
        width: input.u32_le("width")?,
        height: input.u32_le("height")?,
        ..Stream::of(Kind::Video, windows::video_codec(code))
    };
    let unit = Ratio::new(time, per_unit.saturating_mul(10_000_000));
    Ok(Head { stream, unit, packet: (1, 1), ..Head::default() })
}

/// The code is that of `WAVEFORMATEX` in hexadecimal digits.
fn ogm_audio(input: &mut Input<'_>) -> Parsed<Head> {
    let (code, _, rate) = ogm(input)?;
    let number = str::from_utf8(&code).ok().and_then(|text| u16::from_str_radix(text, 16).ok()).unwrap_or(0);
    let channels = input.u16_le("channels")?;
    let rate = u32::try_from(rate).unwrap_or(0);
    let mut head = sound(windows::wave_codec(number, 16), rate, channels.into());
    input.skip(2, "block size")?;
    head.stream.bitrate = Some(u64::from(input.u32_le("byte rate")?).saturating_mul(8)).filter(|rate| *rate > 0);
    Ok(head)
}

fn ogm_text(_: &mut Input<'_>) -> Parsed<Head> {
    Ok(Head { stream: Stream::of(Kind::Subtitle, "text"), ..Head::default() })
}
