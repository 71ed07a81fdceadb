//! Packets of Flash video (Adobe, "Video File Format Specification" 10.1, annex E; "Enhanced RTMP" 1 for newer codecs).

use super::codec::{Codec, Track, shape_of};
use super::{Packet, Packets, piece};
use crate::codec::ReadAt;
use crate::video::failure::{Failure, Step};
use crate::video::view::{View, big};

/// Bytes read at a time.
const WINDOW: usize = 256;
/// Tags that may follow each other without a picture.
const TAGS: u32 = 1 << 22;
/// Most bytes of a decoder's configuration.
const CONFIGURATION: usize = 1 << 16;

/// An open film.
pub(super) struct Flv<'a> {
    view: View<'a>,
    source: &'a dyn ReadAt,
    track: Track,
    at: u64,
}

/// A tag of video, its header read.
struct Tag {
    key: bool,
    codec: Option<Codec>,
    /// Whether this is the decoder's configuration, or the end of the stream.
    configures: bool,
    ends: bool,
    time: i64,
    body: u64,
    len: u64,
}

/// Opens a film.
pub(super) fn open(source: &dyn ReadAt) -> Step<Flv<'_>> {
    let mut view = View::new(source, WINDOW);
    let first = view.number(5, 4)?.saturating_add(4);
    let (mut at, mut track) = (first, None);
    for _ in 0..TAGS {
        let Some((tag, next)) = tag(&mut view, at)? else { break };
        at = next;
        let Some(tag) = tag else { continue };
        let Some(codec) = tag.codec else { return Err(Failure::codec("flv", "its number is unknown")) };
        if tag.configures {
            let len = usize::try_from(tag.len).unwrap_or(0).min(CONFIGURATION);
            let private = view.some(tag.body, len)?.to_vec();
            let shape = shape_of(&codec.name, &private);
            track = Some(Track { codec, private, shape, width: 0, height: 0 });
            break;
        }
        // The older codecs have no configuration; of others pictures may come in front of it.
        if codec.matroska.starts_with("V_MS/") {
            let private = bitmap(&codec);
            track = Some(Track { codec, private, shape: super::Shape::Plain, width: 0, height: 0 });
            break;
        }
    }
    let track = track.ok_or_else(|| Failure::format("The file holds no video."))?;
    Ok(Flv { view, source, track, at: first })
}

/// A header for a codec that is known by its code only.
fn bitmap(codec: &Codec) -> Vec<u8> {
    let code: Vec<u8> = codec.name.to_ascii_uppercase().bytes().chain([b' '; 4]).take(4).collect();
    // BITMAPINFOHEADER begins with its own size.
    let mut header = 40_u32.to_le_bytes().to_vec();
    header.resize(40, 0);
    if let Some(place) = header.get_mut(16..20) {
        place.copy_from_slice(&code);
    }
    header
}

/// The tag at a place and the place of the next one; `None` at the end, no tag where it is not video.
fn tag(view: &mut View<'_>, at: u64) -> Step<Option<(Option<Tag>, u64)>> {
    let Some(&[kind, a, b, c, t2, t1, t0, t3, ..]) = view.some(at, 11)?.first_chunk::<11>() else { return Ok(None) };
    let (len, body) = (big(&[a, b, c]), at + 11);
    let next = body + len + 4;
    if kind & 31 != 9 || len == 0 {
        return Ok(Some((None, next)));
    }
    let time = i64::try_from(big(&[t3, t2, t1, t0])).unwrap_or(0);
    let head = view.some(body, 8)?.to_vec();
    Ok(Some((read(&head, time, body, len), next)))
}

/// The header of a tag of video (E.4.3); `None` for commands to the player.
fn read(head: &[u8], time: i64, body: u64, len: u64) -> Option<Tag> {
    let (&first, rest) = head.split_first()?;
    let frame = first >> 4 & 7;
    if frame == 5 {
        return None;
    }
    let offset = |bytes: &[u8]| {
        let bits = u32::try_from(big(bytes.get(..3).unwrap_or(&[]))).unwrap_or(0);
        i64::from((bits << 8).cast_signed() >> 8)
    };
    let tag = |codec, kind: u8, time: i64, skip: u64| Tag {
        key: frame == 1,
        codec,
        configures: kind == 0,
        ends: kind == 2,
        time,
        body: body + skip,
        len: len.saturating_sub(skip),
    };
    if first & 0x80 != 0 {
        // Enhanced: the codec by its four-character code.
        let codec = rest.first_chunk::<4>().and_then(|code| Codec::of_code(*code));
        let composed =
            first & 15 == 1 && codec.as_ref().is_some_and(|codec| codec.name == "h264" || codec.name == "hevc");
        let kind = if first & 15 == 3 { 1 } else { first & 15 };
        let (shift, skip) = if composed { (offset(rest.get(4..)?), 8) } else { (0, 5) };
        return (kind <= 2).then(|| tag(codec, kind, time + shift, skip));
    }
    let old = |code: &[u8; 4]| Some(Codec::foreign(*code, "V_MS/VFW/FOURCC"));
    match first & 15 {
        7 => Some(tag(Some(Codec::named("h264")), *rest.first()?, time + offset(rest.get(1..)?), 5)),
        12 => Some(tag(Some(Codec::named("hevc")), *rest.first()?, time + offset(rest.get(1..)?), 5)),
        2 => Some(tag(old(b"FLV1"), 1, time, 1)),
        4 => Some(tag(old(b"VP6F"), 1, time, 2)),
        _ => Some(tag(None, 1, time, 1)),
    }
}

impl Packets for Flv<'_> {
    fn track(&self) -> &Track {
        &self.track
    }

    fn next(&mut self) -> Step<Option<Packet>> {
        for _ in 0..TAGS {
            let Some((tag, next)) = tag(&mut self.view, self.at)? else { return Ok(None) };
            self.at = next;
            if let Some(tag) = tag.filter(|tag| !tag.configures && !tag.ends && tag.len > 0) {
                return Ok(Some(Packet { time: tag.time, key: tag.key, at: tag.body, span: tag.len, len: tag.len }));
            }
        }
        Err(Failure::damaged("The file holds too many tags without a picture."))
    }

    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read(&self, packet: &Packet) -> Step<Vec<u8>> {
        piece(self.source, packet)
    }
}
