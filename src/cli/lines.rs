//! Lines of a JSONL file, plain or compressed with Zstandard (RFC 8878): bounded, numbered, from a file or standard input.

use crate::error::{Error, Result};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Longest line: a document of the largest texts that its limits allow is far below.
const MAX_LINE_BYTES: u64 = 64 << 20;
const BUFFER_BYTES: usize = 1 << 18;
/// RFC 8878 section 3.1.1: the magic number of a Zstandard frame, as it lies in the file.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Reads line by line.
pub(crate) struct Lines {
    name: String,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
}

/// One line that is not empty.
pub(crate) enum Line<'a> {
    /// Its text.
    Text(&'a str),
    /// Why it has none.
    Bad(String),
}

impl Lines {
    /// Opens a file, or standard input for `-`. Compression is recognised by content.
    pub(crate) fn open(path: &Path) -> Result<Lines> {
        if path.as_os_str() == "-" {
            return Lines::new("standard input", BufReader::with_capacity(BUFFER_BYTES, io::stdin()));
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| Error::io(format_args!("open {name}"), e))?;
        if file.metadata().is_ok_and(|m| m.is_dir()) {
            return Err(Error::invalid(format!("{name}: expected a file of JSON lines, got a folder")));
        }
        Lines::new(&name, BufReader::with_capacity(BUFFER_BYTES, file))
    }

    pub(crate) fn new(name: &str, mut source: impl BufRead + Send + 'static) -> Result<Lines> {
        let head = source.fill_buf().map_err(|e| Error::io(format_args!("read {name}"), e))?;
        let reader: Box<dyn BufRead + Send> = if head.starts_with(&ZSTD_MAGIC) {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, Frames::new(source)))
        } else {
            Box::new(source)
        };
        Ok(Lines { name: name.to_owned(), reader, line: Vec::new(), number: 0 })
    }

    /// The next line that is not blank, with its number counted from 1; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            let mut bounded = self.reader.by_ref().take(MAX_LINE_BYTES);
            let got = bounded.read_until(b'\n', &mut self.line);
            let got = got.map_err(|e| Error::io(format_args!("read {} after line {}", self.name, self.number), e))?;
            if got == 0 {
                return Ok(None);
            }
            self.number += 1;
            if got as u64 == MAX_LINE_BYTES && self.line.last() != Some(&b'\n') {
                self.skip_line()?;
                return Ok(Some((self.number, Line::Bad(format!("longer than {MAX_LINE_BYTES} bytes")))));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let text = match std::str::from_utf8(&self.line) {
            Ok(text) => Line::Text(text.trim_ascii()),
            Err(e) => Line::Bad(format!("not UTF-8 text from byte {} on", e.valid_up_to() + 1)),
        };
        Ok(Some((self.number, text)))
    }

    fn skip_line(&mut self) -> Result<()> {
        self.line = Vec::new();
        let skipped = self.reader.skip_until(b'\n');
        skipped.map(drop).map_err(|e| Error::io(format_args!("read {}", self.name), e))
    }
}

/// The content of all Zstandard frames of a stream, one after the other.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Frames<R> {
        Frames { source, decoder: FrameDecoder::new(), inside: false }
    }

    /// Begins the next frame; false at the end of the stream.
    fn enter(&mut self) -> io::Result<bool> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.source) {
            Ok(()) => self.inside = true,
            // Section 3.1.2: a skippable frame holds something for somebody else.
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(e) => return Err(io::Error::other(e)),
        }
        Ok(true)
    }

    /// Section 3.1.1: the checksum that ends a frame.
    fn leave(&mut self) -> io::Result<()> {
        self.inside = false;
        let written = self.decoder.get_checksum_from_data();
        if written.is_some() && written != self.decoder.get_calculated_checksum() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the Zstandard checksum does not match"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.inside && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.inside && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            } else if self.inside {
                self.leave()?;
            } else if !self.enter()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    fn read(bytes: Vec<u8>) -> Result<Vec<(u64, String)>> {
        let mut lines = Lines::new("test", io::Cursor::new(bytes))?;
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next()? {
            all.push((
                number,
                match line {
                    Line::Text(text) => text.to_owned(),
                    Line::Bad(why) => format!("bad: {why}"),
                },
            ));
        }
        Ok(all)
    }

    #[test]
    fn plain_lines() {
        let all = read(b"one\r\n\n  \ntwo\n\xff\xfe\nlast".to_vec()).unwrap();
        let texts: Vec<(u64, &str)> = all.iter().map(|(n, t)| (*n, t.as_str())).collect();
        assert_eq!(texts, [(1, "one"), (4, "two"), (5, "bad: not UTF-8 text from byte 1 on"), (6, "last")]);
        assert!(read(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn compressed_lines_over_several_frames() {
        let many: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        let mut bytes = compress_to_vec(many.as_bytes(), CompressionLevel::Fastest);
        bytes.extend([0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        bytes.extend(compress_to_vec(&b"end\n"[..], CompressionLevel::Fastest));
        let all = read(bytes.clone()).unwrap();
        assert_eq!(all.len(), 50_001);
        assert_eq!((all[49_999].1.as_str(), all[50_000].1.as_str()), ("line 49999", "end"));
        bytes.truncate(bytes.len() / 2);
        assert!(read(bytes).unwrap_err().message().contains("read test after line"));
    }

    #[test]
    fn a_flipped_byte_is_noticed() {
        let text: String = (0..2000).map(|n| format!("{}\n", n * 7919)).collect();
        let mut bytes = compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let whole: Vec<String> = text.lines().map(str::to_owned).collect();
        let got = read(bytes).map(|all| all.into_iter().map(|(_, t)| t).collect::<Vec<_>>());
        assert!(got.is_err() || got.is_ok_and(|g| g == whole));
    }
}
