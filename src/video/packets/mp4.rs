//! Packets of MP4 and QuickTime: the sample tables of the movie (ISO/IEC 14496-12, 8.6 and 8.7), and of its fragments
//! (8.8).

mod fragments;
mod tables;

use super::codec::{Codec, Shape, Track, shape_of};
use super::{Packet, Packets, piece};
use crate::codec::ReadAt;
use crate::video::failure::{Failure, Step};
use crate::video::view::{View, big};
use fragments::Fragments;
use tables::{Place, Tables};

/// Bytes of a view that looks for boxes.
const WINDOW: usize = 4096;
/// Boxes looked at in one enclosing box.
const BOXES: u32 = 1 << 20;
/// Most bytes of a sample description.
const DESCRIPTION: u64 = 1 << 20;

/// An open movie.
pub(super) struct Mp4<'a> {
    source: &'a dyn ReadAt,
    track: Track,
    tables: Tables<'a>,
    fragments: Option<Fragments<'a>>,
    timescale: u64,
}

/// The boxes of a video track.
#[derive(Default)]
struct Trak {
    id: u64,
    timescale: u64,
    handler: [u8; 4],
    description: Place,
    places: tables::Places,
}

/// Opens a movie.
pub(super) fn open(source: &dyn ReadAt) -> Step<Mp4<'_>> {
    let mut view = View::new(source, WINDOW);
    let (len, mut movie, mut fragmented) = (view.len(), None, false);
    boxes(&mut view, Place { at: 0, end: len }, |_, kind, body| {
        match kind {
            b"moov" if movie.is_none() => movie = Some(body),
            b"moof" => fragmented = true,
            _ => {}
        }
        Ok(movie.is_none() || !fragmented)
    })?;
    let movie = movie.ok_or_else(|| Failure::damaged("The file holds no movie box."))?;
    let (mut traks, mut defaults) = (Vec::new(), Vec::new());
    boxes(&mut view, movie, |view, kind, body| {
        match kind {
            b"trak" if traks.len() < 256 => {
                let mut trak = Trak::default();
                in_trak(view, body, &mut trak, 0)?;
                traks.push(trak);
            }
            b"mvex" => boxes(view, body, |view, kind, body| {
                if kind == b"trex" && defaults.len() < 256 {
                    defaults.push((
                        view.number(body.at + 4, 4)?,
                        view.number(body.at + 12, 4)?,
                        view.number(body.at + 16, 4)?,
                    ));
                }
                Ok(true)
            })?,
            _ => {}
        }
        Ok(true)
    })?;
    // Cover pictures are tracks of one sample at most: of several tracks the one with most samples.
    let videos = traks.into_iter().filter(|trak| trak.handler == *b"vide");
    let trak =
        videos.max_by_key(|trak| trak.places.samples).ok_or_else(|| Failure::format("The file holds no video."))?;
    let track = describe(&mut view, &trak)?;
    let fragments = fragmented.then(|| {
        let trex = defaults.iter().find(|(id, ..)| *id == trak.id);
        Fragments::new(source, trak.id, trex.map_or((0, 0), |(_, duration, size)| (*duration, *size)))
    });
    let tables = Tables::new(source, trak.places);
    Ok(Mp4 { source, track, tables, fragments, timescale: trak.timescale.max(1) })
}

impl Packets for Mp4<'_> {
    fn track(&self) -> &Track {
        &self.track
    }

    fn next(&mut self) -> Step<Option<Packet>> {
        let sample = match self.tables.next()? {
            Some(sample) => Some(sample),
            None => self.fragments.as_mut().map_or(Ok(None), Fragments::next)?,
        };
        Ok(sample.map(|sample| Packet {
            time: super::milliseconds(sample.time.into(), 1, self.timescale),
            key: sample.key || self.track.codec.is_still(),
            at: sample.at,
            span: sample.len,
            len: sample.len,
        }))
    }

    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read(&self, packet: &Packet) -> Step<Vec<u8>> {
        piece(self.source, packet)
    }
}

/// One sample, times in units of the track.
pub(super) struct Sample {
    time: i64,
    key: bool,
    at: u64,
    len: u64,
}

/// Runs `each` on the boxes of a place until it answers false.
fn boxes<'a>(
    view: &mut View<'a>,
    place: Place,
    mut each: impl FnMut(&mut View<'a>, &[u8; 4], Place) -> Step<bool>,
) -> Step<()> {
    let mut at = place.at;
    for _ in 0..BOXES {
        if at.saturating_add(8) > place.end {
            return Ok(());
        }
        let [a, b, c, d, kind @ ..] = view.array::<8>(at)?;
        let (size, head) = match big(&[a, b, c, d]) {
            0 => (place.end - at, 8),
            1 => (view.number(at + 8, 8)?, 16),
            size => (size, 8),
        };
        if size < head {
            return if kind == [0; 4] { Ok(()) } else { Err(Failure::damaged("A box is smaller than its head.")) };
        }
        let end = at.saturating_add(size).min(place.end);
        if !each(view, &kind, Place { at: at + head, end: end.max(at + head) })? {
            return Ok(());
        }
        at = end.max(at + head);
    }
    Ok(())
}

fn in_trak(view: &mut View<'_>, place: Place, trak: &mut Trak, depth: u32) -> Step<()> {
    boxes(view, place, |view, kind, body| {
        match kind {
            b"mdia" | b"minf" | b"stbl" if depth < 4 => in_trak(view, body, trak, depth + 1)?,
            b"tkhd" => {
                let long = view.number(body.at, 1)? == 1;
                trak.id = view.number(body.at + if long { 20 } else { 12 }, 4)?;
            }
            b"mdhd" => {
                let long = view.number(body.at, 1)? == 1;
                trak.timescale = view.number(body.at + if long { 20 } else { 12 }, 4)?;
            }
            b"hdlr" if trak.handler == [0; 4] => trak.handler = view.array(body.at + 8)?,
            b"stsd" => trak.description = body,
            _ => trak.places.keep(view, kind, body)?,
        }
        Ok(true)
    })
}

/// The first sample description (8.5.2; QuickTime File Format, "Video sample description").
fn describe(view: &mut View<'_>, trak: &Trak) -> Step<Track> {
    let at = trak.description.at + 8;
    let [a, b, c, d, code @ ..] = view.array::<8>(at)?;
    let size = big(&[a, b, c, d]).min(trak.description.end.saturating_sub(at)).min(DESCRIPTION);
    if matches!(&code, b"encv" | b"drmi") {
        return Err(Failure::encrypted());
    }
    let width = u32::try_from(view.number(at + 32, 2)?).unwrap_or(0);
    let height = u32::try_from(view.number(at + 34, 2)?).unwrap_or(0);
    let (mut private, mut object) = (Vec::new(), None);
    // Not every description has boxes behind its fields: what cannot be read as boxes is none.
    let read = boxes(view, Place { at: at + 86, end: at + size }, |view, kind, body| {
        let len = usize::try_from(body.end - body.at).unwrap_or(0).min(1 << 16);
        match kind {
            b"avcC" | b"hvcC" | b"av1C" => private = view.get(body.at, len)?.to_vec(),
            b"esds" => (object, private) = elementary(view.get(body.at, len)?),
            _ => {}
        }
        Ok(true)
    });
    let codec = match object {
        Some(0x60..=0x65) => Some(Codec::named("mpeg2video")),
        Some(0x6A) => Some(Codec::named("mpeg1video")),
        Some(0x6C) => Some(Codec::named("mjpeg")),
        _ => Codec::of_code(code),
    };
    let codec = match codec {
        Some(codec) => codec,
        None => {
            read?;
            private = view.get(at, usize::try_from(size).unwrap_or(0))?.to_vec();
            Codec::foreign(code, "V_QUICKTIME")
        }
    };
    let shape = shape_of(&codec.name, &private);
    let shape =
        if shape == Shape::Plain && codec.name == "h264" && !private.is_empty() { Shape::Lengths(4) } else { shape };
    Ok(Track { codec, private, shape, width, height })
}

/// Object type and configuration of an elementary stream (ISO/IEC 14496-1, 7.2.6.5 to 7.2.6.7).
fn elementary(body: &[u8]) -> (Option<u8>, Vec<u8>) {
    let (mut object, mut rest) = (None, body.get(4..).unwrap_or(&[]));
    while let Some((&tag, after)) = rest.split_first() {
        let width = after.iter().take(4).take_while(|byte| **byte & 0x80 != 0).count() + 1;
        let Some((size, inner)) = after.split_at_checked(width) else { break };
        let size = size.iter().fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
        rest = match tag {
            3 => inner.get(3..).unwrap_or(&[]),
            4 => {
                object = inner.first().copied();
                inner.get(13..).unwrap_or(&[])
            }
            5 => return (object, inner.get(..size).unwrap_or(inner).to_vec()),
            _ => inner.get(size..).unwrap_or(&[]),
        };
    }
    (object, Vec::new())
}
