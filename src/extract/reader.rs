//! `Read + Seek` over an [`Input`], for crates that want a reader: same caps, same end, same clock.

use super::input::{Input, length};
use super::warning::Stop;
use std::io::{self, Read, Seek, SeekFrom};
use symphonia::core::io::MediaSource;

/// A reader over the innermost part of an [`Input`]; its offset 0 is where the input stood when it was made.
///
/// A cap or an I/O error ends it with an error, and [`Input::check`] then says which: crates turn errors into their
/// own and lose the reason.
pub struct Reader<'r, 'a> {
    input: &'r mut Input<'a>,
    base: u64,
    /// Where the crate believes to be; may lie beyond the end, as `Seek` allows.
    at: u64,
    /// Bytes that may still be read through this reader.
    left: u64,
}

impl<'a> Input<'a> {
    /// A reader from here to the end of the innermost part.
    pub fn reader(&mut self) -> Reader<'_, 'a> {
        self.reader_of(u64::MAX)
    }

    /// A reader that fails after `most` bytes read through it, whatever the file's budget still allows.
    pub fn reader_of(&mut self, most: u64) -> Reader<'_, 'a> {
        Reader { base: self.position(), at: 0, left: most, input: self }
    }

    /// The cap or I/O error that a reader met, if one did. Call it after a crate returned.
    pub fn check(&mut self) -> Result<(), Stop> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl Reader<'_, '_> {
    fn len(&self) -> u64 {
        self.input.end().saturating_sub(self.base)
    }
}

impl Read for Reader<'_, '_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len() || to.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return Err(io::Error::other("the reader's share of bytes is used up"));
        }
        let share = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        let to = to.get_mut(..share).unwrap_or_default();
        let from = self.base.saturating_add(self.at);
        let result = self.input.seek(from, "data").and_then(|()| self.input.read_up_to(to));
        match result {
            Ok(count) => {
                self.at = self.at.saturating_add(length(count));
                self.left = self.left.saturating_sub(length(count));
                Ok(count)
            }
            Err(stop) => {
                let error = io::Error::other(stop.to_string());
                self.input.failed = Some(stop);
                Err(error)
            }
        }
    }
}

impl Seek for Reader<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, format!("cannot seek to {to:?}"));
        self.at = target.ok_or_else(outside)?;
        Ok(self.at)
    }
}

impl MediaSource for Reader<'_, '_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}
