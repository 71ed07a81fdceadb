//! Packets of Matroska and WebM (RFC 9559): blocks of the clusters, one after the other.

use super::codec::{Codec, Shape, Track, shape_of};
use super::{Packet, Packets, is_key};
use crate::codec::ReadAt;
use crate::video::failure::{Failure, Step};
use crate::video::view::{LONGEST, View, big, read_full};

/// Bytes read at a time: heads of blocks lie apart, as far as pictures are long.
const WINDOW: usize = 256;
/// Elements that may follow each other without a block of ours.
const ELEMENTS: u32 = 1 << 22;
/// Most bytes of a description of tracks.
const TRACKS: usize = 8 << 20;

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const SCALE: u32 = 0x2A_D7B1;
const TRACK_LIST: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;
const TIME: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;
const REFERENCE: u32 = 0xFB;

/// An open segment.
pub(super) struct Matroska<'a> {
    view: View<'a>,
    source: &'a dyn ReadAt,
    track: Track,
    /// Bytes that each frame has lost its beginning of (header stripping).
    stripped: Vec<u8>,
    number: u64,
    /// Nanoseconds of a unit of time.
    scale: u64,
    at: u64,
    time: i64,
}

/// The head of an element.
struct Element {
    id: u32,
    body: u64,
    end: u64,
}

/// Opens a segment.
pub(super) fn open(source: &dyn ReadAt) -> Step<Matroska<'_>> {
    let mut view = View::new(source, WINDOW);
    let (mut at, mut scale, mut found) = (0, 1_000_000, None);
    for _ in 0..ELEMENTS {
        let Some(element) = head(&mut view, at)? else { break };
        at = match element.id {
            SEGMENT => element.body,
            CLUSTER => break,
            INFO => {
                let body = body(&mut view, &element)?;
                scale = child(&body, SCALE).map_or(scale, big).max(1);
                element.end
            }
            TRACK_LIST if found.is_none() => {
                found = video(&body(&mut view, &element)?)?;
                element.end
            }
            _ => element.end,
        };
    }
    let (number, track, stripped) = found.ok_or_else(|| Failure::format("The file holds no video."))?;
    Ok(Matroska { view, source, track, stripped, number, scale, at, time: 0 })
}

fn body(view: &mut View<'_>, element: &Element) -> Step<Vec<u8>> {
    let len = usize::try_from(element.end - element.body).unwrap_or(usize::MAX);
    if len > TRACKS {
        return Err(Failure::large(format!("A header has {len} bytes, expected at most {TRACKS}.")));
    }
    Ok(view.some(element.body, len)?.to_vec())
}

/// The head of the element at a place; `None` at the end.
fn head(view: &mut View<'_>, at: u64) -> Step<Option<Element>> {
    let len = view.len();
    let bytes = view.some(at, 12)?;
    let Some((id, size, used)) = parse(bytes) else {
        return if bytes.len() < 2 { Ok(None) } else { Err(Failure::damaged(format!("Expected an element at {at}."))) };
    };
    let body = at + used;
    let end = size.map_or(len, |size| body.saturating_add(size).min(len)).max(body);
    Ok(Some(Element { id, body, end }))
}

/// Identifier, size (`None`: unknown) and length of an element's head (RFC 8794, 4 to 6).
fn parse(bytes: &[u8]) -> Option<(u32, Option<u64>, u64)> {
    let (id, width) = variable(bytes, true)?;
    let id = u32::try_from(id).ok()?;
    let rest = bytes.get(width..)?;
    let (size, more) = variable(rest, false)?;
    let unknown = size == (1_u64 << (7 * more)) - 1;
    Some((id, (!unknown).then_some(size), (width + more) as u64))
}

/// A variable-size number, with its marker where that is part of it, and its width.
fn variable(bytes: &[u8], marked: bool) -> Option<(u64, usize)> {
    let first = *bytes.first().filter(|byte| **byte != 0)?;
    let width = first.leading_zeros() as usize + 1;
    let value = big(bytes.get(..width)?);
    let marker = 1_u64 << (7 * width);
    Some((if marked { value } else { value & (marker - 1) }, width))
}

/// The elements of a body in memory.
fn children(body: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let (id, size, used) = parse(rest)?;
        let after = rest.get(usize::try_from(used).ok()?..)?;
        let len = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX).min(after.len());
        let (inner, next) = after.split_at_checked(len)?;
        rest = next;
        Some((id, inner))
    })
}

fn child(body: &[u8], wanted: u32) -> Option<&[u8]> {
    children(body).find(|(id, _)| *id == wanted).map(|(_, body)| body)
}

/// The first video track: its number, itself, the stripped beginning of its frames.
fn video(tracks: &[u8]) -> Step<Option<(u64, Track, Vec<u8>)>> {
    const ENTRY: u32 = 0xAE;
    let is_video = |entry: &&[u8]| child(entry, 0x83).map(big) == Some(1);
    let entries = children(tracks).filter(|(id, _)| *id == ENTRY).map(|(_, body)| body);
    let Some(entry) = entries.into_iter().find(is_video) else { return Ok(None) };
    let number = child(entry, 0xD7).map_or(0, big);
    let id = String::from_utf8_lossy(child(entry, 0x86).unwrap_or(&[])).trim_end_matches('\0').to_owned();
    let mut private = child(entry, 0x63A2).unwrap_or(&[]).to_vec();
    let codec = match id.as_str() {
        "V_MS/VFW/FOURCC" => {
            let code = private.get(16..20).and_then(|code| code.first_chunk::<4>()).copied().unwrap_or_default();
            match Codec::of_code(code) {
                Some(codec) => {
                    private.drain(..40.min(private.len()));
                    codec
                }
                None => Codec::foreign(code, &id),
            }
        }
        _ => Codec::of_matroska(&id),
    };
    let side = |id: u32| child(entry, 0xE0).and_then(|video| child(video, id)).map_or(0, big);
    let (width, height) = (u32::try_from(side(0xB0)).unwrap_or(0), u32::try_from(side(0xBA)).unwrap_or(0));
    let stripped = encoding(entry)?;
    let shape = shape_of(&codec.name, &private);
    let shape =
        if shape == Shape::Plain && codec.name == "h264" && !private.is_empty() { Shape::Lengths(4) } else { shape };
    Ok(Some((number, Track { codec, private, shape, width, height }, stripped)))
}

/// RFC 9559, 5.1.4.1.31: frames may have lost a common beginning, or be encrypted.
fn encoding(entry: &[u8]) -> Step<Vec<u8>> {
    let Some(encoding) = child(entry, 0x6D80).and_then(|all| child(all, 0x6240)) else { return Ok(Vec::new()) };
    if child(encoding, 0x5035).is_some() {
        return Err(Failure::encrypted());
    }
    let Some(compression) = child(encoding, 0x5034) else { return Ok(Vec::new()) };
    match child(compression, 0x4254).map_or(0, big) {
        3 => Ok(child(compression, 0x4255).unwrap_or(&[]).to_vec()),
        other => Err(Failure::format(format!("The video track is compressed by algorithm {other}."))),
    }
}

impl Matroska<'_> {
    /// The picture of a block, if it is of our track.
    fn block(&mut self, element: &Element, group: Option<bool>) -> Step<Option<Packet>> {
        let bytes = self.view.some(element.body, 16)?;
        let Some((number, width)) = variable(bytes, false) else { return Ok(None) };
        let Some(&[high, low, flags]) = bytes.get(width..).and_then(|rest| rest.first_chunk::<3>()) else {
            return Ok(None);
        };
        if number != self.number {
            return Ok(None);
        }
        if flags & 6 != 0 {
            return Err(Failure::format("Several pictures lie in one block (lacing)."));
        }
        let relative = i64::from(i16::from_le_bytes([low, high]));
        let ticks = i128::from(self.time.saturating_add(relative)) * i128::from(self.scale);
        let at = element.body + width as u64 + 3;
        let span = element.end.saturating_sub(at);
        let key = group.unwrap_or(flags & 0x80 != 0) || self.track.codec.is_still();
        let len = span.saturating_add(self.stripped.len() as u64);
        Ok(Some(Packet { time: super::milliseconds(ticks, 1, 1_000_000_000), key, at, span, len }))
    }

    /// The block of a group: it stands alone if it refers to no other (RFC 9559, 10.2).
    fn group(&mut self, group: &Element) -> Step<Option<Packet>> {
        let (mut at, mut block, mut refers) = (group.body, None, false);
        while at < group.end {
            let Some(element) = head(&mut self.view, at)? else { break };
            at = element.end;
            match element.id {
                BLOCK => block = Some(element),
                REFERENCE => refers = true,
                _ => {}
            }
        }
        let Some(block) = block else { return Ok(None) };
        let packet = self.block(&block, Some(!refers))?;
        match packet {
            // Writers forget references: the picture itself knows better.
            Some(packet) if packet.key && known(&self.track) && self.stripped.is_empty() => {
                let key = is_key(&mut self.view, &self.track, packet.at, packet.span)?;
                Ok(Some(Packet { key, ..packet }))
            }
            other => Ok(other),
        }
    }
}

/// Whether the pictures of the codec tell that they stand alone, always.
fn known(track: &Track) -> bool {
    matches!(track.codec.name.as_str(), "mpeg1video" | "mpeg2video" | "mpeg4" | "vp8" | "vp9")
}

impl Packets for Matroska<'_> {
    fn track(&self) -> &Track {
        &self.track
    }

    fn next(&mut self) -> Step<Option<Packet>> {
        for _ in 0..ELEMENTS {
            let Some(element) = head(&mut self.view, self.at)? else { return Ok(None) };
            let packet = match element.id {
                SEGMENT | CLUSTER => {
                    self.at = element.body;
                    continue;
                }
                TIME => {
                    let len = usize::try_from(element.end - element.body).unwrap_or(8).min(8);
                    self.time = i64::try_from(self.view.number(element.body, len)?).unwrap_or(0);
                    None
                }
                SIMPLE_BLOCK => self.block(&element, None)?,
                BLOCK_GROUP => self.group(&element)?,
                _ => None,
            };
            self.at = element.end;
            if packet.is_some() {
                return Ok(packet);
            }
        }
        Err(Failure::damaged("The file holds too many elements without a picture."))
    }

    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read(&self, packet: &Packet) -> Step<Vec<u8>> {
        let len = usize::try_from(packet.span).unwrap_or(usize::MAX);
        if len > LONGEST {
            return Err(Failure::large(format!("A picture has {len} bytes, expected at most {LONGEST}.")));
        }
        let mut bytes = self.stripped.clone();
        let from = bytes.len();
        bytes.resize(from + len, 0);
        let got = read_full(self.source, packet.at, bytes.get_mut(from..).unwrap_or(&mut []))?;
        bytes.truncate(from + got);
        Ok(bytes)
    }
}
