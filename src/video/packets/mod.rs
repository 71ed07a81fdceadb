//! Packets of the first video track of a film: where each picture is, when it is shown, whether it stands alone.
//!
//! Nothing here decodes. Tables are walked, not loaded: a film of hours needs no more memory than one of seconds.

mod avi;
mod codec;
mod flv;
mod hls;
mod key;
mod matroska;
mod mp4;
mod transport;

pub(super) use codec::{Shape, Track};
pub(super) use hls::playlist;

use super::failure::{Failure, Step};
use super::view::{LONGEST, View, read_full};
use crate::codec::ReadAt;
use crate::extract::sniff::{Format, sniff};
use crate::extract::{Input, Limits};

/// Packets in which a first key frame is looked for: as many as encoders leave without one.
const SEARCH: u32 = 1000;
/// Most bytes of what it says about the coding of all pictures.
const HEADERS: usize = 64 << 10;

/// One encoded picture, in the order of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    /// When it is shown, in milliseconds of the container's clock.
    pub(super) time: i64,
    /// Whether it can be decoded without others.
    pub(super) key: bool,
    /// Where it begins.
    pub(super) at: u64,
    /// Bytes from there to its end in the file.
    pub(super) span: u64,
    /// Bytes of the picture itself.
    pub(super) len: u64,
}

/// The packets of a track, one after the other.
pub(super) trait Packets: Send + Sync {
    /// What the packets hold.
    fn track(&self) -> &Track;

    /// The next packet.
    fn next(&mut self) -> Step<Option<Packet>>;

    /// Bytes of the film.
    fn len(&self) -> u64;

    /// The bytes of a packet that was given by `next`, also long before.
    fn read(&self, packet: &Packet) -> Step<Vec<u8>>;
}

/// Opens a film that is one file; the name breaks ties between formats.
pub(super) fn open<'a>(source: &'a dyn ReadAt, name: &str) -> Step<Box<dyn Packets + 'a>> {
    let mut input = Input::new(source, &Limits::default());
    let format = sniff(&mut input, name).map_err(|_| Failure::format("The file's head could not be read."))?;
    Ok(match format {
        Format::Mp4 | Format::M4v | Format::Mov | Format::ThreeGp | Format::ThreeG2 => Box::new(mp4::open(source)?),
        Format::Mkv | Format::WebM => Box::new(matroska::open(source)?),
        Format::Avi => Box::new(avi::open(source)?),
        Format::Flv => Box::new(flv::open(source)?),
        Format::MpegTs => Box::new(transport::open(source)?),
        other => {
            let message = format!("Expected MP4, MOV, MPEG-TS, MKV, AVI, FLV or M3U8, got {}.", other.content_type());
            return Err(Failure::format(message));
        }
    })
}

/// The track of an open film. Where the container does not say how the pictures are coded, the first key frame does.
pub(super) fn described(film: &mut dyn Packets) -> Step<Track> {
    let mut track = film.track().clone();
    for _ in 0..SEARCH {
        if !track.private.is_empty() {
            break;
        }
        let Some(packet) = film.next()? else { break };
        if packet.key {
            let headers = key::headers(&track, &film.read(&packet)?);
            track.private = if headers.len() <= HEADERS { headers } else { Vec::new() };
            break;
        }
    }
    Ok(track)
}

/// Whether a file is a playlist of others.
pub(super) fn is_playlist(source: &dyn ReadAt, name: &str) -> bool {
    let mut input = Input::new(source, &Limits::default());
    matches!(sniff(&mut input, name), Ok(Format::Hls))
}

/// Bytes that lie in one piece.
fn piece(source: &dyn ReadAt, packet: &Packet) -> Step<Vec<u8>> {
    let len = usize::try_from(packet.len).ok().filter(|len| *len <= LONGEST);
    let Some(len) = len else {
        return Err(Failure::large(format!("A picture has {} bytes, expected at most {LONGEST}.", packet.len)));
    };
    let mut bytes = vec![0; len];
    let got = read_full(source, packet.at, &mut bytes)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// `count` units, of which there are `rate` in `scale` seconds, in milliseconds.
fn milliseconds(count: i128, scale: u64, rate: u64) -> i64 {
    let rate = i128::from(rate.max(1));
    let time = count.saturating_mul(i128::from(scale)).saturating_mul(1000).saturating_add(rate / 2).div_euclid(rate);
    i64::try_from(time).unwrap_or(if time < 0 { i64::MIN / 4 } else { i64::MAX / 4 })
}

/// Whether the bytes of a packet begin a picture that stands alone, as far as its head tells.
fn is_key(view: &mut View<'_>, track: &Track, at: u64, len: u64) -> Step<bool> {
    let head = usize::try_from(len).unwrap_or(key::HEAD).min(key::HEAD);
    Ok(key::is_key(track, view.some(at, head)?))
}
