//! The one way in which a parser sees a file: a cursor that ends at its parent's end and obeys every cap.
//!
//! Reads go through two windows, one kept at the head of the file and one that moves, so that a header walk costs few
//! system calls and jumping between the head and a far directory costs none. Offsets are absolute in the file.

use super::limits::Limits;
use super::warning::{Parsed, Stop, Warning};
use crate::codec::ReadAt;
use std::ops::Range;
use std::time::Instant;

/// First read of a file: most image headers with their EXIF block end before it.
const HEAD: u64 = 32 << 10;
/// First read elsewhere; doubled while reads are sequential.
const STEP: u64 = 8 << 10;
/// Largest window.
const MOST: u64 = 64 << 10;
/// A file up to this length of which as many bytes were read as it has is read once more, whole, and kept: those with
/// many parts that refer to each other.
const WHOLE: u64 = 1 << 20;
/// Windows start at multiples of this, so that small steps backwards stay inside.
const ALIGN: u64 = 4 << 10;
/// Typed reads between two looks at the clock.
const STEPS_PER_CLOCK: u32 = 1024;
/// Ranges remembered for reports.
const RANGES: usize = 1024;

#[derive(Default)]
struct Window {
    at: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn get(&self, at: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    fn end(&self) -> u64 {
        self.at.saturating_add(length(self.bytes.len()))
    }
}

/// A bounded cursor over one file.
pub struct Input<'a> {
    source: &'a dyn ReadAt,
    limits: Limits,
    format: &'static str,
    head: Window,
    here: Window,
    position: u64,
    end: u64,
    depth: u32,
    entries: u32,
    steps: u32,
    bytes_read: u64,
    ranges: Vec<Range<u64>>,
    stride: Option<u64>,
    deadline: Instant,
    pub(super) failed: Option<Stop>,
}

/// A length in memory as a length in a file.
pub(crate) fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

impl<'a> Input<'a> {
    /// A cursor at the start of `source`. Its clock starts now.
    pub fn new(source: &'a dyn ReadAt, limits: &Limits) -> Input<'a> {
        let now = Instant::now();
        Input {
            source,
            limits: *limits,
            format: "file",
            head: Window::default(),
            here: Window::default(),
            position: 0,
            end: source.len(),
            depth: 0,
            entries: 0,
            steps: 0,
            bytes_read: 0,
            ranges: Vec::new(),
            stride: None,
            deadline: now.checked_add(limits.time).unwrap_or(now),
            failed: None,
        }
    }

    /// A cursor over bytes that were unpacked from this file: same caps, same clock, one level deeper.
    pub fn unpacked<'b>(&self, bytes: &'b dyn ReadAt) -> Input<'b> {
        let mut inner = Input::new(bytes, &self.limits);
        inner.deadline = self.deadline;
        inner.depth = self.depth.saturating_add(1);
        inner.entries = self.entries;
        inner.format = self.format;
        inner
    }

    /// The name that errors carry from here on.
    pub fn set_format(&mut self, format: &'static str) {
        self.format = format;
    }

    /// The name that errors carry.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// The caps of this file.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where the next read starts.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Where the innermost enclosing part ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes up to [`Input::end`].
    pub fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// Whether the innermost part is read to its end.
    pub fn at_end(&self) -> bool {
        self.position >= self.end
    }

    /// Length of the whole file.
    pub fn file_len(&self) -> u64 {
        self.source.len()
    }

    /// From here on, elsewhere than in what is held already, so many bytes are read at a time: for stepping over large
    /// parts of which a few bytes count. `None` goes back to reading ahead.
    pub fn set_stride(&mut self, stride: Option<u64>) {
        self.stride = stride;
    }

    /// Bytes read from the source so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Ranges read from the source so far, adjacent ones joined.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// A rule of the format is broken at `offset`.
    pub fn malformed_at(&self, offset: u64, message: impl Into<String>) -> Stop {
        Stop::Malformed(Warning { format: self.format, offset, message: message.into() })
    }

    /// A rule of the format is broken here.
    pub fn malformed(&self, message: impl Into<String>) -> Stop {
        self.malformed_at(self.position, message)
    }

    fn exhausted(&self, message: String) -> Stop {
        Stop::Exhausted(Warning { format: self.format, offset: self.position, message })
    }

    /// Moves to an absolute offset; at most to the end of the innermost part.
    pub fn seek(&mut self, offset: u64, what: &str) -> Parsed<()> {
        if offset > self.end {
            return Err(self.malformed(format!("expected {what} at {offset}, but its part ends at {}", self.end)));
        }
        self.position = offset;
        Ok(())
    }

    /// Back to the start of the file. Meant for the outermost part.
    pub fn rewind(&mut self) {
        self.position = 0;
    }

    /// Moves on by `count` bytes.
    pub fn skip(&mut self, count: u64, what: &str) -> Parsed<()> {
        self.seek(self.position.saturating_add(count), what)
    }

    /// Counts one entry of a directory or sequence: every loop over a file's structure calls this.
    pub fn entry(&mut self) -> Parsed<()> {
        self.entries = self.entries.saturating_add(1);
        if self.entries > self.limits.entries {
            return Err(self.exhausted(format!("more than {} entries", self.limits.entries)));
        }
        self.tick()
    }

    /// Runs `parse` on a part of the innermost part: the cursor starts at its start and cannot leave it. Afterwards
    /// the cursor is at the part's end, whatever `parse` did. A part that claims to be longer than its parent ends
    /// with the parent.
    pub fn within<T>(
        &mut self,
        part: Range<u64>,
        what: &str,
        parse: impl FnOnce(&mut Input<'a>) -> Parsed<T>,
    ) -> Parsed<T> {
        if self.depth >= self.limits.depth {
            return Err(self.exhausted(format!("{what} is nested more than {} levels deep", self.limits.depth)));
        }
        self.entry()?;
        self.seek(part.start, what)?;
        let outer = self.end;
        self.end = part.end.clamp(part.start, outer);
        self.depth = self.depth.saturating_add(1);
        let result = parse(self);
        self.depth = self.depth.saturating_sub(1);
        self.position = self.end;
        self.end = outer;
        result
    }

    /// `len` bytes, all of them or an error. The allocation is capped.
    pub fn take(&mut self, len: u64, what: &str) -> Parsed<Vec<u8>> {
        self.need(len, what)?;
        let size = usize::try_from(len).ok().filter(|&size| size <= self.limits.allocation);
        let Some(size) = size else {
            return Err(self.malformed(format!("{what} claims {len} bytes, over {}", self.limits.allocation)));
        };
        let mut bytes = vec![0; size];
        let got = self.read_up_to(&mut bytes)?;
        if got < size { Err(self.malformed(format!("file ends inside {what}"))) } else { Ok(bytes) }
    }

    /// Up to `len` bytes: fewer where the part ends earlier or the allocation cap is lower.
    pub fn take_up_to(&mut self, len: u64) -> Parsed<Vec<u8>> {
        let len = len.min(self.remaining()).min(length(self.limits.allocation));
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        let got = self.read_up_to(&mut bytes)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    /// `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &str) -> Parsed<[u8; N]> {
        let bytes = self.peek_array(what)?;
        self.position = self.position.saturating_add(length(N));
        Ok(bytes)
    }

    /// `N` bytes, without moving on.
    pub fn peek_array<const N: usize>(&mut self, what: &str) -> Parsed<[u8; N]> {
        self.tick()?;
        self.need(length(N), what)?;
        let at = self.position;
        if self.window(at, N).is_none() {
            self.load(at, length(N))?;
        }
        let short = || format!("file ends inside {what}");
        let found = self.window(at, N).and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
        found.ok_or_else(|| self.malformed(short()))
    }

    /// `N` bytes, read without what stands around them unless they are at hand: for headers that lie far apart.
    pub fn array_alone<const N: usize>(&mut self, what: &str) -> Parsed<[u8; N]> {
        if self.window(self.position, N).is_some() {
            return self.array(what);
        }
        self.tick()?;
        self.need(length(N), what)?;
        let mut bytes = [0; N];
        let got = self.fetch(self.position, &mut bytes)?;
        if got < N {
            return Err(self.malformed(format!("file ends inside {what}")));
        }
        self.position = self.position.saturating_add(length(N));
        Ok(bytes)
    }

    /// Up to `len` bytes (at most one window) without moving on; fewer at the end of the part or file.
    pub fn peek_up_to(&mut self, len: u64) -> Parsed<&[u8]> {
        self.tick()?;
        let (at, len) = (self.position, len.min(self.remaining()).min(MOST));
        let size = usize::try_from(len).unwrap_or(0);
        if self.window(at, size).is_none() {
            self.load(at, len)?;
        }
        let window = if self.head.get(at, size).is_some() { &self.head } else { &self.here };
        let held = usize::try_from(window.end().saturating_sub(at)).unwrap_or(0).min(size);
        Ok(window.get(at, held).unwrap_or(&[]))
    }

    /// Fills as much of `to` as the part and the file hold, and moves on by that much.
    pub fn read_up_to(&mut self, to: &mut [u8]) -> Parsed<usize> {
        let mut done = 0_usize;
        while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let count = if length(rest.len()) >= MOST && self.peek_held() == 0 {
                self.read_direct(rest)?
            } else {
                let bytes = self.peek_up_to(length(rest.len()))?;
                let count = bytes.len();
                if let Some(slot) = rest.get_mut(..count) {
                    slot.copy_from_slice(bytes);
                }
                count
            };
            if count == 0 {
                break;
            }
            self.position = self.position.saturating_add(length(count));
            done = done.saturating_add(count);
        }
        Ok(done)
    }

    fn need(&self, len: u64, what: &str) -> Parsed<()> {
        if self.remaining() >= len {
            return Ok(());
        }
        Err(self.malformed(format!("expected {len} bytes of {what}, but its part has {} left", self.remaining())))
    }

    fn window(&self, at: u64, len: usize) -> Option<&[u8]> {
        self.head.get(at, len).or_else(|| self.here.get(at, len))
    }

    fn peek_held(&self) -> usize {
        self.window(self.position, 1).map_or(0, <[u8]>::len)
    }

    /// One unit of work: looks at the clock now and then.
    pub fn tick(&mut self) -> Parsed<()> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_PER_CLOCK) { self.clock() } else { Ok(()) }
    }

    fn clock(&self) -> Parsed<()> {
        if Instant::now() >= self.deadline {
            return Err(self.exhausted(format!("not done after {} ms", self.limits.time.as_millis())));
        }
        Ok(())
    }

    /// Brings `[at, at + len)` into a window, as far as the file reaches.
    fn load(&mut self, at: u64, len: u64) -> Parsed<()> {
        let file = self.source.len();
        let whole = file <= WHOLE && self.bytes_read >= file && self.head.end() < file;
        let in_head = whole || (at.saturating_add(len) <= HEAD && self.head.bytes.is_empty());
        let (start, size) = if whole {
            (0, file)
        } else if in_head {
            (0, HEAD)
        } else if let Some(stride) = self.stride {
            (at, len.max(stride))
        } else {
            let start = at.checked_rem(ALIGN).map_or(at, |over| at.saturating_sub(over));
            let follows = !self.here.bytes.is_empty() && start >= self.here.at && start <= self.here.end();
            let last = length(self.here.bytes.len());
            let size = if follows { last.saturating_mul(2).clamp(STEP, MOST) } else { STEP };
            (start, size.max(at.saturating_sub(start).saturating_add(len)))
        };
        let mut window = std::mem::take(if in_head { &mut self.head } else { &mut self.here });
        let size = size.min(self.source.len().saturating_sub(start));
        window.at = start;
        window.bytes.resize(usize::try_from(size).unwrap_or(0), 0);
        let got = self.fetch(start, &mut window.bytes)?;
        window.bytes.truncate(got);
        *(if in_head { &mut self.head } else { &mut self.here }) = window;
        Ok(())
    }

    fn read_direct(&mut self, to: &mut [u8]) -> Parsed<usize> {
        let size = usize::try_from(self.remaining()).unwrap_or(usize::MAX).min(to.len());
        let at = self.position;
        match to.get_mut(..size) {
            Some(to) => self.fetch(at, to),
            None => Ok(0),
        }
    }

    /// The only place that reads the source: charges the budget and looks at the clock.
    fn fetch(&mut self, at: u64, to: &mut [u8]) -> Parsed<usize> {
        let mut done = 0_usize;
        while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
            self.clock()?;
            if self.bytes_read.saturating_add(length(rest.len())) > self.limits.bytes {
                return Err(self.exhausted(format!("more than {} bytes to read", self.limits.bytes)));
            }
            match self.source.read_at(at.saturating_add(length(done)), rest) {
                Ok(0) => break,
                Ok(count) => {
                    self.bytes_read = self.bytes_read.saturating_add(length(count));
                    done = done.saturating_add(count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Io(error)),
            }
        }
        self.note(at..at.saturating_add(length(done)));
        Ok(done)
    }

    fn note(&mut self, range: Range<u64>) {
        let room = self.ranges.len() < RANGES;
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ if room && !range.is_empty() => self.ranges.push(range),
            _ => {}
        }
    }
}

/// Typed reads, one method per type and byte order.
macro_rules! typed {
    ($($name:ident $type:ty, $len:literal, $from:ident;)*) => {
        impl Input<'_> {
            $(#[doc = concat!("A `", stringify!($type), "` (`", stringify!($from), "`).")]
            #[expect(clippy::allow_attributes, reason = "foreign formats are big-endian as often as little-endian")]
            #[allow(clippy::big_endian_bytes, reason = "foreign formats are big-endian as often as little-endian")]
            pub fn $name(&mut self, what: &str) -> Parsed<$type> {
                Ok(<$type>::$from(self.array::<$len>(what)?))
            })*
        }
    };
}

typed! {
    u8 u8, 1, from_le_bytes;
    u16_be u16, 2, from_be_bytes;
    u16_le u16, 2, from_le_bytes;
    u32_be u32, 4, from_be_bytes;
    u32_le u32, 4, from_le_bytes;
    u64_be u64, 8, from_be_bytes;
    u64_le u64, 8, from_le_bytes;
    i16_be i16, 2, from_be_bytes;
    i16_le i16, 2, from_le_bytes;
    i32_be i32, 4, from_be_bytes;
    i32_le i32, 4, from_le_bytes;
    i64_be i64, 8, from_be_bytes;
    i64_le i64, 8, from_le_bytes;
}

impl Input<'_> {
    /// A number in at most `most` groups of seven bits, the highest first; the top bit of a byte says that another follows.
    pub fn sevens(&mut self, most: u32, what: &str) -> Parsed<u64> {
        let mut value = 0_u64;
        for _ in 0..most {
            let byte = self.u8(what)?;
            value = (value << 7) | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    /// A 24-bit big-endian number.
    pub fn u24_be(&mut self, what: &str) -> Parsed<u32> {
        let [a, b, c] = self.array(what)?;
        Ok(u32::from_le_bytes([c, b, a, 0]))
    }

    /// A 24-bit little-endian number.
    pub fn u24_le(&mut self, what: &str) -> Parsed<u32> {
        let [a, b, c] = self.array(what)?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, SeekFrom};

    fn numbers(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn typed_reads_in_both_orders_move_the_cursor() {
        let bytes: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xFF, 0xFE];
        let data = bytes.to_vec();
        let mut input = Input::new(&data, &Limits::default());
        assert_eq!(input.u16_be("a").unwrap(), 0x0102);
        assert_eq!(input.u24_le("b").unwrap(), 0x0005_0403);
        assert_eq!(input.u24_be("c").unwrap(), 0x0006_0708);
        assert_eq!(input.u32_le("d").unwrap(), 0x0C0B_0A09);
        assert_eq!(input.i16_be("e").unwrap(), -2);
        assert!(input.at_end());
        assert!(matches!(input.u8("f"), Err(Stop::Malformed(w)) if w.offset == 14 && w.message.contains('f')));
    }

    #[test]
    fn every_byte_of_a_long_file_is_seen_in_any_order() {
        let data = numbers(300_000);
        let mut input = Input::new(&data, &Limits::default());
        for at in (0..299_990).step_by(4099).chain((0..299_990).rev().step_by(7919)) {
            input.seek(at as u64, "place").unwrap();
            let got: [u8; 9] = input.array("bytes").unwrap();
            assert_eq!(got, data[at..at + 9], "{at}");
        }
        input.seek(10, "place").unwrap();
        assert_eq!(input.take(200_000, "block").unwrap(), data[10..200_010]);
        assert_eq!(input.take_up_to(1_000_000).unwrap(), data[200_010..]);
    }

    #[test]
    fn parts_end_with_their_parent_and_leave_the_cursor_at_their_end() {
        let data = numbers(100);
        let mut input = Input::new(&data, &Limits::default());
        input
            .within(10..20, "outer", |input| {
                assert!(input.seek(21, "x").is_err());
                input.within(15..90, "inner", |input| {
                    assert_eq!(input.remaining(), 5);
                    Ok(())
                })?;
                assert_eq!(input.position(), 20);
                Ok(())
            })
            .unwrap();
        assert_eq!((input.position(), input.end()), (20, 100));
    }

    #[test]
    fn caps_stop_depth_bytes_allocation_entries_and_time() {
        fn dig(input: &mut Input<'_>) -> Parsed<()> {
            input.within(0..input.end(), "part", dig)
        }
        let data = numbers(200_000);
        let limits = Limits { bytes: 50_000, depth: 5, allocation: 100, entries: 20, ..Limits::default() };
        assert!(matches!(dig(&mut Input::new(&data, &limits)), Err(Stop::Exhausted(_))));
        let mut input = Input::new(&data, &limits);
        assert!(matches!(input.take(101, "much"), Err(Stop::Malformed(_))));
        assert!((0..30).any(|_| input.entry().is_err()));
        let far = (0..20).find_map(|i| input.seek(i * 9_000, "far").and_then(|()| input.u8("far")).err());
        assert!(matches!(far, Some(Stop::Exhausted(_))));
        assert!(input.bytes_read() <= 50_000);
        let late = Limits { time: std::time::Duration::ZERO, ..Limits::default() };
        let mut input = Input::new(&data, &late);
        assert!(matches!(input.u8("late"), Err(Stop::Exhausted(_))));
    }

    #[test]
    fn a_reader_stays_in_its_part_and_keeps_the_reason() {
        let data = numbers(100_000);
        let limits = Limits { bytes: 60_000, ..Limits::default() };
        let mut input = Input::new(&data, &limits);
        let read = input.within(100..300, "part", |input| {
            let mut bytes = Vec::new();
            let mut reader = input.reader();
            reader.seek(SeekFrom::Start(50)).unwrap();
            reader.read_to_end(&mut bytes).unwrap();
            Ok(bytes)
        });
        assert_eq!(read.unwrap(), data[150..300]);
        input.rewind();
        assert!(input.reader_of(10).read_exact(&mut [0; 11]).is_err());
        assert!(input.check().is_ok());
        let mut all = Vec::new();
        assert!(input.reader().read_to_end(&mut all).is_err());
        assert!(matches!(input.check(), Err(Stop::Exhausted(_))));
    }

    #[test]
    fn strides_read_little_and_then_reading_goes_on() {
        let data = numbers(1_000_000);
        let mut input = Input::new(&data, &Limits::default());
        input.u8("head").unwrap();
        let before = input.bytes_read();
        input.set_stride(Some(32));
        for at in (100_000..900_000).step_by(10_000) {
            input.seek(at, "part").unwrap();
            assert_eq!(input.array::<8>("part").unwrap()[..], data[at as usize..at as usize + 8]);
        }
        assert!(input.bytes_read() - before <= 80 * 32);
        input.set_stride(None);
        assert_eq!(input.take(100_000, "rest").unwrap(), data[890_008..990_008]);
    }

    #[test]
    fn a_file_that_shrank_is_malformed_not_endless() {
        struct Shrunk;
        impl ReadAt for Shrunk {
            fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
                Ok(0)
            }
            fn len(&self) -> u64 {
                1000
            }
        }
        let mut input = Input::new(&Shrunk, &Limits::default());
        assert!(matches!(input.u32_be("word"), Err(Stop::Malformed(_))));
        assert!(input.take_up_to(500).unwrap().is_empty());
    }

    #[test]
    fn ranges_and_bytes_are_counted_once_per_read() {
        let data = numbers(500_000);
        let mut input = Input::new(&data, &Limits::default());
        input.u8("head").unwrap();
        input.seek(400_000, "tail").unwrap();
        input.u8("tail").unwrap();
        input.rewind();
        input.u8("head again").unwrap();
        assert_eq!(input.ranges().len(), 2);
        assert_eq!(input.bytes_read(), input.ranges().iter().map(|r| r.end - r.start).sum::<u64>());
    }
}
