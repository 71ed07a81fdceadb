//! Encoded pictures to small ones: in this process where a pure-Rust decoder exists, otherwise by FFmpeg as a child process.

mod child;
mod h264;
mod raw;
mod still;
mod wrap;

pub(super) use child::find as find_ffmpeg;

use super::failure::{Failure, Step};
use super::packets::Track;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A decoded picture of a film: 8-bit RGB, row by row from the top left, made small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it is shown, in milliseconds of the container's clock.
    pub time: i64,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

/// An encoded picture and when it is shown, in milliseconds.
pub(super) struct Encoded {
    pub(super) time: i64,
    pub(super) key: bool,
    pub(super) bytes: Vec<u8>,
}

/// Gives encoded pictures in the order of decoding, and `None` at the end.
pub(super) type Supply<'s> = dyn FnMut() -> Step<Option<Encoded>> + Send + 's;

/// Takes decoded pictures in the order of their times.
pub(super) type Take<'t> = dyn FnMut(Frame) -> Step<()> + 't;

/// Who asks for an end, and when it comes at the latest.
pub(super) struct Fence<'w> {
    pub(super) deadline: Instant,
    pub(super) allowed: Duration,
    pub(super) stopped: &'w (dyn Fn() -> bool + Sync),
}

impl Fence<'_> {
    /// Fails when time is over or the work was given up.
    pub(super) fn check(&self) -> Step<()> {
        if (self.stopped)() {
            return Err(Failure::stopped());
        }
        if Instant::now() >= self.deadline { Err(Failure::late(self.allowed.as_secs())) } else { Ok(()) }
    }
}

/// Longer side of decoded pictures in pixels: enough to name colours and light and for classifiers, little to hold.
pub(super) const LONGEST: u32 = 320;
/// Most pixels of an encoded picture: 8K and a little more. Larger ones are bombs.
const PIXELS: u64 = 8192 * 4608;

/// How pictures of a track are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Each packet alone, by the decoders of `image`.
    Still,
    H264,
    Child,
}

/// What decodes the tracks of a film.
pub(super) struct Decoder<'d> {
    pub(super) track: &'d Track,
    pub(super) ffmpeg: Option<&'d Path>,
    /// Whether the decoder in this process has failed on the film, so that the next one is asked.
    given_up: AtomicBool,
}

impl<'d> Decoder<'d> {
    pub(super) fn new(track: &'d Track, ffmpeg: Option<&'d Path>) -> Decoder<'d> {
        Decoder { track, ffmpeg, given_up: AtomicBool::new(false) }
    }

    /// The way for pictures that stand alone, or for all.
    fn how(&self, keys_only: bool) -> Step<How> {
        let name = self.track.codec.name.as_str();
        let own = match name {
            "mjpeg" | "png" => Some(How::Still),
            "vp8" if keys_only => Some(How::Still),
            "h264" => Some(How::H264),
            _ => None,
        };
        match own {
            Some(how) if !self.given_up.load(Ordering::Relaxed) => Ok(how),
            _ if self.ffmpeg.is_some() && !self.track.codec.matroska.is_empty() => Ok(How::Child),
            Some(_) => {
                Err(Failure::codec(name, "the built-in decoder failed on this video, and ffmpeg is not installed"))
            }
            None => Err(Failure::codec(name, "it needs ffmpeg, which is not installed")),
        }
    }

    /// Whether pictures that need others can be decoded.
    pub(super) fn decodes_all(&self) -> bool {
        self.how(false).is_ok()
    }

    /// Decodes what `supply` gives; answers how many pictures came of it. `keys_only` says that all of it stands alone.
    pub(super) fn run(
        &self,
        keys_only: bool,
        supply: &mut Supply<'_>,
        take: &mut Take<'_>,
        fence: &Fence<'_>,
    ) -> Step<u64> {
        let mut count = 0;
        let mut counted = |frame: Frame| {
            count += 1;
            fence.check()?;
            take(frame)
        };
        match self.how(keys_only)? {
            How::Still => still::run(self.track, supply, &mut counted, fence)?,
            How::H264 => h264::run(self.track, keys_only, supply, &mut counted, fence)?,
            How::Child => {
                let ffmpeg = self.ffmpeg.unwrap_or(Path::new("ffmpeg"));
                child::run(ffmpeg, self.track, supply, &mut counted, fence)?;
            }
        }
        Ok(count)
    }

    /// Gives up on the decoder in this process; false where no other is left.
    pub(super) fn give_up(&self) -> bool {
        let own = self.how(true).is_ok_and(|how| how != How::Child);
        self.given_up.store(true, Ordering::Relaxed);
        own && self.how(true).is_ok()
    }
}

/// The size of small pictures for encoded ones of that size; fails for bombs.
fn small(width: u32, height: u32) -> Step<(u32, u32)> {
    if u64::from(width) * u64::from(height) > PIXELS {
        return Err(Failure::large(format!("The pictures have {width} x {height} pixels, expected at most {PIXELS}.")));
    }
    let longer = width.max(height).max(1);
    let side = |n: u32| if longer <= LONGEST { n.max(1) } else { (n * LONGEST / longer).max(1) };
    Ok((side(width), side(height)))
}

/// For each of `to` stretches of `from` pixels, where it begins and ends; at least one pixel each.
fn stretches(from: u32, to: u32) -> Vec<(usize, usize)> {
    let at = |n: u32| (u64::from(n) * u64::from(from) / u64::from(to.max(1))) as usize;
    (0..to).map(|n| (at(n), at(n + 1).max(at(n) + 1).min(from as usize))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(small(1920, 1080).unwrap(), (320, 180));
        assert_eq!(small(100, 50).unwrap(), (100, 50));
        assert_eq!(small(4000, 2).unwrap(), (320, 1));
        assert_eq!(small(0, 0).unwrap(), (1, 1));
        assert_eq!(small(65_535, 65_535).unwrap_err().code, "LimitExceededError");
        assert_eq!(stretches(4, 2), [(0, 2), (2, 4)]);
        assert_eq!(stretches(1, 2), [(0, 1), (0, 1)]);
    }
}
