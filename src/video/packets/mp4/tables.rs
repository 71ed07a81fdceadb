//! The sample tables of a track, walked side by side (ISO/IEC 14496-12, 8.6.1, 8.6.2, 8.7.3 to 8.7.5).

use super::Sample;
use crate::codec::ReadAt;
use crate::video::failure::{Failure, Step};
use crate::video::view::View;

/// Bytes of a table that are read at a time.
const WINDOW: usize = 16 << 10;

/// Bytes of a box's body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) end: u64,
}

/// Where the tables of a track are, with their numbers of entries.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) samples: u64,
    /// Size of each sample; 0 where each has an entry.
    size: u64,
    /// Bits of an entry of the table of sizes.
    bits: u64,
    sizes: u64,
    durations: Option<(u64, u64)>,
    offsets: Option<(u64, u64)>,
    runs: Option<(u64, u64)>,
    chunks: Option<(u64, u64)>,
    /// Bytes of a chunk's place.
    width: u64,
    keys: Option<(u64, u64)>,
}

impl Places {
    /// Remembers a box, if it is a table.
    pub(super) fn keep(&mut self, view: &mut View<'_>, kind: &[u8; 4], body: Place) -> Step<()> {
        let mut table = |width: u64| -> Step<Option<(u64, u64)>> {
            let room = body.end.saturating_sub(body.at + 8).checked_div(width).unwrap_or(0);
            Ok(Some((body.at + 8, view.number(body.at + 4, 4)?.min(room))))
        };
        match kind {
            b"stts" => self.durations = table(8)?,
            b"ctts" => self.offsets = table(8)?,
            b"stsc" => self.runs = table(12)?,
            b"stss" => self.keys = table(4)?,
            b"stco" => (self.chunks, self.width) = (table(4)?, 4),
            b"co64" => (self.chunks, self.width) = (table(8)?, 8),
            b"stsz" => {
                let room = body.end.saturating_sub(body.at + 12) / 4;
                (self.size, self.bits, self.sizes) = (view.number(body.at + 4, 4)?, 32, body.at + 12);
                self.samples = view.number(body.at + 8, 4)?;
                if self.size == 0 {
                    self.samples = self.samples.min(room);
                }
            }
            b"stz2" => {
                let bits = view.number(body.at + 7, 1)?;
                let room = body.end.saturating_sub(body.at + 12).saturating_mul(8).checked_div(bits).unwrap_or(0);
                (self.bits, self.sizes) = (bits, body.at + 12);
                self.samples = view.number(body.at + 8, 4)?.min(room);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A table of runs: so many samples have this value.
struct Runs<'a> {
    view: View<'a>,
    at: u64,
    left: u64,
    current: (u64, u64),
}

impl<'a> Runs<'a> {
    fn new(source: &'a dyn ReadAt, table: Option<(u64, u64)>) -> Runs<'a> {
        let (at, left) = table.unwrap_or((0, 0));
        Runs { view: View::new(source, WINDOW), at, left, current: (0, 0) }
    }

    /// The value of the next sample; that of the last one where the table has ended.
    fn next(&mut self) -> Step<u64> {
        while self.current.0 == 0 && self.left > 0 {
            self.current = (self.view.number(self.at, 4)?, self.view.number(self.at + 4, 4)?);
            self.at += 8;
            self.left -= 1;
        }
        self.current.0 = self.current.0.saturating_sub(1);
        Ok(self.current.1)
    }
}

/// All tables of a track, at the same sample.
pub(super) struct Tables<'a> {
    places: Places,
    durations: Runs<'a>,
    offsets: Runs<'a>,
    sizes: View<'a>,
    chunks: View<'a>,
    runs: View<'a>,
    keys: View<'a>,
    sample: u64,
    decoded: i64,
    /// Place behind the last sample, samples left in its chunk, chunks begun.
    at: u64,
    in_chunk: u64,
    chunk: u64,
    /// Samples of a chunk by the run at hand, and runs read.
    per_chunk: u64,
    run: u64,
    /// Sync samples read, and the number of the next one.
    key: (u64, u64),
}

impl<'a> Tables<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, places: Places) -> Tables<'a> {
        let view = || View::new(source, WINDOW);
        Tables {
            durations: Runs::new(source, places.durations),
            offsets: Runs::new(source, places.offsets),
            sizes: view(),
            chunks: view(),
            runs: view(),
            keys: view(),
            sample: 0,
            decoded: 0,
            at: 0,
            in_chunk: 0,
            chunk: 0,
            per_chunk: 0,
            run: 0,
            key: (0, 0),
            places,
        }
    }

    /// The next sample.
    pub(super) fn next(&mut self) -> Step<Option<Sample>> {
        if self.sample >= self.places.samples || !self.chunk()? {
            return Ok(None);
        }
        let len = self.size()?;
        let key = self.is_key()?;
        let duration = self.durations.next()?;
        let offset = if self.places.offsets.is_some() { self.offsets.next()? } else { 0 };
        // Version 0 says unsigned, and files of both versions hold signed ones.
        let offset = i64::from(u32::try_from(offset).unwrap_or(0).cast_signed());
        let sample = Sample { time: self.decoded.saturating_add(offset), key, at: self.at, len };
        self.decoded = self.decoded.saturating_add(i64::try_from(duration).unwrap_or(0));
        self.at = self.at.saturating_add(len);
        self.in_chunk = self.in_chunk.saturating_sub(1);
        self.sample += 1;
        Ok(Some(sample))
    }

    /// Enters the next chunk where the last one has ended; false where there is none.
    fn chunk(&mut self) -> Step<bool> {
        while self.in_chunk == 0 {
            let Some((chunks, count)) = self.places.chunks.filter(|(_, count)| self.chunk < *count) else {
                return Ok(false);
            };
            let width = self.places.width;
            self.at = self.chunks.number(chunks + self.chunk * width, usize::try_from(width).unwrap_or(4))?;
            self.chunk = self.chunk.saturating_add(1).min(count);
            let Some((runs, count)) = self.places.runs else {
                return Err(Failure::damaged("A track has no table of samples in chunks."));
            };
            while self.run < count && self.runs.number(runs + self.run * 12, 4)? <= self.chunk {
                self.per_chunk = self.runs.number(runs + self.run * 12 + 4, 4)?;
                self.run += 1;
            }
            self.in_chunk = self.per_chunk;
        }
        Ok(true)
    }

    fn size(&mut self) -> Step<u64> {
        if self.places.size > 0 {
            return Ok(self.places.size);
        }
        match self.places.bits {
            4 => {
                let both = self.sizes.number(self.places.sizes + self.sample / 2, 1)?;
                Ok(if self.sample.is_multiple_of(2) { both >> 4 } else { both & 15 })
            }
            bits => {
                let width = bits / 8;
                self.sizes.number(self.places.sizes + self.sample * width, usize::try_from(width).unwrap_or(4))
            }
        }
    }

    /// Whether the sample is one of the table of sync samples; without a table every one is (8.6.2).
    fn is_key(&mut self) -> Step<bool> {
        let Some((keys, count)) = self.places.keys else { return Ok(true) };
        while self.key.1 <= self.sample && self.key.0 < count {
            self.key.1 = self.keys.number(keys + self.key.0 * 4, 4)?;
            self.key.0 += 1;
        }
        // Samples are numbered from 1.
        Ok(self.key.1 == self.sample + 1)
    }
}
