//! Packets of AVI (Microsoft, "AVI RIFF File Reference"; OpenDML AVI 1.02): chunks of the list of frames in their order.

use super::codec::{Codec, Track, shape_of};
use super::{Packet, Packets, is_key, piece};
use crate::codec::ReadAt;
use crate::video::failure::{Failure, Step};
use crate::video::view::View;

/// Bytes read at a time.
const WINDOW: usize = 4096;
/// Chunks that may follow each other without a picture of ours.
const CHUNKS: u32 = 1 << 22;
/// Most streams of one file.
const STREAMS: u32 = 99;

/// An open film.
pub(super) struct Avi<'a> {
    view: View<'a>,
    source: &'a dyn ReadAt,
    track: Track,
    /// The digits that chunks of the stream begin with.
    stream: [u8; 2],
    scale: u64,
    rate: u64,
    at: u64,
    frame: u64,
    /// The index of key frames: where its next entry is, and its end.
    index: Option<(u64, u64)>,
    index_view: View<'a>,
}

struct Chunk {
    kind: [u8; 4],
    body: u64,
    len: u64,
    next: u64,
}

/// The stream of video: its number, its track, scale and rate.
type Found = (u32, Track, u64, u64);

/// Opens a film.
pub(super) fn open(source: &dyn ReadAt) -> Step<Avi<'_>> {
    let mut view = View::new(source, WINDOW);
    let (mut at, mut found, mut index) = (12, None, None);
    let mut begins = None;
    for _ in 0..CHUNKS {
        let Some(chunk) = chunk(&mut view, at)? else { break };
        at = chunk.next;
        match (&chunk.kind, view.some(chunk.body, 4)?) {
            (b"LIST", b"hdrl") => found = streams(&mut view, chunk.body + 4, chunk.body + chunk.len)?,
            (b"LIST", b"movi") if begins.is_none() => begins = Some(chunk.body + 4),
            (b"idx1", _) => index = Some((chunk.body, chunk.body + chunk.len)),
            _ => {}
        }
    }
    let (number, track, scale, rate) = found.ok_or_else(|| Failure::format("The file holds no video."))?;
    let at = begins.ok_or_else(|| Failure::damaged("The file holds no list of frames."))?;
    let digit = |n: u32| b'0' + u8::try_from(n % 10).unwrap_or(0);
    let stream = [digit(number / 10), digit(number)];
    Ok(Avi { view, source, track, stream, scale, rate, at, frame: 0, index, index_view: View::new(source, WINDOW) })
}

fn chunk(view: &mut View<'_>, at: u64) -> Step<Option<Chunk>> {
    let Some(&[a, b, c, d, s, t, u, v]) = view.some(at, 8)?.first_chunk::<8>() else { return Ok(None) };
    let len = u64::from(u32::from_le_bytes([s, t, u, v]));
    let body = at + 8;
    let end = body.saturating_add(len).min(view.len());
    let next = body.saturating_add(len).saturating_add(len & 1);
    Ok(Some(Chunk { kind: [a, b, c, d], body, len: end.saturating_sub(body), next }))
}

/// The lists of streams: the first one of video.
fn streams(view: &mut View<'_>, mut at: u64, end: u64) -> Step<Option<Found>> {
    let mut number = 0;
    while at < end && number < STREAMS {
        let Some(list) = chunk(view, at)? else { break };
        at = list.next;
        if list.kind != *b"LIST" || view.some(list.body, 4)? != b"strl" {
            continue;
        }
        if let Some((track, scale, rate)) = stream(view, list.body + 4, list.body + list.len)? {
            return Ok(Some((number, track, scale, rate)));
        }
        number += 1;
    }
    Ok(None)
}

fn stream(view: &mut View<'_>, mut at: u64, end: u64) -> Step<Option<(Track, u64, u64)>> {
    let (mut timing, mut track) = (None, None);
    while at < end {
        let Some(chunk) = chunk(view, at)? else { break };
        at = chunk.next;
        match &chunk.kind {
            b"strh" if view.some(chunk.body, 4)? == b"vids" => {
                let little = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
                let (scale, rate) = (little(view.get(chunk.body + 20, 4)?), little(view.get(chunk.body + 24, 4)?));
                timing = Some((scale.max(1), rate.max(1)));
            }
            b"strf" if timing.is_some() => {
                let len = usize::try_from(chunk.len).unwrap_or(0).min(1 << 16);
                track = bitmap(view.some(chunk.body, len)?);
            }
            _ => {}
        }
    }
    Ok(track.zip(timing).map(|(track, (scale, rate))| (track, scale, rate)))
}

/// `BITMAPINFOHEADER` with the decoder's configuration behind it.
fn bitmap(header: &[u8]) -> Option<Track> {
    let little = |at: usize| Some(i32::from_le_bytes(*header.get(at..)?.first_chunk::<4>()?).unsigned_abs());
    let (width, height) = (little(4)?, little(8)?);
    let code = *header.get(16..)?.first_chunk::<4>()?;
    let (codec, private) = match Codec::of_code(code) {
        Some(codec) => (codec, header.get(40..).unwrap_or(&[]).to_vec()),
        None => (Codec::foreign(code, "V_MS/VFW/FOURCC"), header.to_vec()),
    };
    let shape = shape_of(&codec.name, &private);
    Some(Track { codec, private, shape, width, height })
}

impl Avi<'_> {
    /// Whether the picture stands alone: it says so itself, or the index does (AVIIF_KEYFRAME), for codecs unknown here.
    fn is_key(&mut self, chunk: &Chunk) -> Step<bool> {
        let listed = self.listed()?;
        let foreign = self.track.codec.matroska.starts_with("V_MS/");
        if foreign {
            return Ok(listed.unwrap_or(self.frame == 0));
        }
        is_key(&mut self.view, &self.track, chunk.body, chunk.len)
    }

    /// The index's next entry of our stream.
    fn listed(&mut self) -> Step<Option<bool>> {
        while let Some((at, end)) = self.index.filter(|(at, end)| at + 16 <= *end) {
            let [a, b, _, _, flags, ..] = self.index_view.array::<16>(at)?;
            self.index = Some((at + 16, end));
            if [a, b] == self.stream {
                return Ok(Some(flags & 0x10 != 0));
            }
        }
        Ok(None)
    }
}

impl Packets for Avi<'_> {
    fn track(&self) -> &Track {
        &self.track
    }

    fn next(&mut self) -> Step<Option<Packet>> {
        for _ in 0..CHUNKS {
            let Some(chunk) = chunk(&mut self.view, self.at)? else { return Ok(None) };
            // Files beyond 1 GB go on in further lists of frames.
            let head = (&chunk.kind, self.view.some(chunk.body, 4)?);
            let enter = matches!(head, (b"LIST", b"rec " | b"movi") | (b"RIFF", b"AVIX"));
            if enter {
                self.at = chunk.body + 4;
                continue;
            }
            self.at = chunk.next;
            let [a, b, kind @ ..] = chunk.kind;
            if [a, b] != self.stream || !matches!(&kind, b"dc" | b"db") {
                continue;
            }
            let key = chunk.len > 0 && self.is_key(&chunk)?;
            let time = super::milliseconds(self.frame.into(), self.scale, self.rate);
            self.frame += 1;
            // An empty chunk repeats the picture before.
            if chunk.len > 0 {
                return Ok(Some(Packet { time, key, at: chunk.body, span: chunk.len, len: chunk.len }));
            }
        }
        Err(Failure::damaged("The file holds too many chunks without a picture."))
    }

    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read(&self, packet: &Packet) -> Step<Vec<u8>> {
        piece(self.source, packet)
    }
}
