//! Request bodies: a length, or chunks (RFC 9112, sections 6 and 7.1).

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// That many bytes.
    Length(u64),
    /// Chunks, each with its length.
    Chunked,
}

/// Longest line that announces a chunk, extensions included.
const MAX_LINE: usize = 256;
/// Longest trailer section; it is read and dropped.
const MAX_TRAILER: usize = 8 << 10;

/// What the next bytes of a chunked body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Size,
    Data(u64),
    DataEnd,
    Trailer { seen: usize },
    Done,
}

/// Decodes a chunked body piece by piece.
#[derive(Debug)]
pub struct Unchunk {
    expect: Expect,
    /// Bytes that the body may still grow by.
    left: u64,
}

/// What became of the bytes handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// That many were consumed; more are needed.
    More(usize),
    /// That many were consumed, and the body is whole.
    Whole(usize),
    /// Not a chunked body.
    Malformed,
    /// The body exceeds its bound.
    TooLarge,
}

impl Unchunk {
    /// A decoder for a body of at most `most` bytes.
    pub fn new(most: usize) -> Unchunk {
        Unchunk { expect: Expect::Size, left: most as u64 }
    }

    /// Decodes the front of `bytes` and appends it to `body`.
    pub fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Step {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or(&[]);
            let step = match self.expect {
                Expect::Size => self.size(rest),
                Expect::Data(left) => self.data(rest, left, body),
                Expect::DataEnd => self.data_end(rest),
                Expect::Trailer { seen } => self.trailer(rest, seen),
                Expect::Done => return Step::Whole(used),
            };
            match step {
                Ok(0) => return Step::More(used),
                Ok(count) => used += count,
                Err(refused) => return refused,
            }
        }
    }

    fn size(&mut self, rest: &[u8]) -> Result<usize, Step> {
        let Some(line) = line(rest, MAX_LINE)? else { return Ok(0) };
        let digits = line.split(|b| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or(&[]);
        // 15 hexadecimal digits fit 64 bits.
        let valid = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(digits).unwrap_or("");
        let size = u64::from_str_radix(text, 16).ok().filter(|_| valid).ok_or(Step::Malformed)?;
        self.expect = if size == 0 { Expect::Trailer { seen: 0 } } else { Expect::Data(size) };
        Ok(line.len() + 2)
    }

    fn data(&mut self, rest: &[u8], left: u64, body: &mut Vec<u8>) -> Result<usize, Step> {
        if left > self.left {
            return Err(Step::TooLarge);
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        body.extend_from_slice(rest.get(..count).unwrap_or(&[]));
        let left = left - count as u64;
        self.left -= count as u64;
        self.expect = if left == 0 { Expect::DataEnd } else { Expect::Data(left) };
        Ok(count)
    }

    fn data_end(&mut self, rest: &[u8]) -> Result<usize, Step> {
        match rest {
            [b'\r', b'\n', ..] => {
                self.expect = Expect::Size;
                Ok(2)
            }
            [] | [b'\r'] => Ok(0),
            _ => Err(Step::Malformed),
        }
    }

    fn trailer(&mut self, rest: &[u8], seen: usize) -> Result<usize, Step> {
        let Some(line) = line(rest, MAX_TRAILER)? else { return Ok(0) };
        let seen = seen + line.len();
        if seen > MAX_TRAILER {
            return Err(Step::TooLarge);
        }
        self.expect = if line.is_empty() { Expect::Done } else { Expect::Trailer { seen } };
        Ok(line.len() + 2)
    }
}

/// The line at the front, without its CR LF; `None` while it is incomplete.
fn line(rest: &[u8], most: usize) -> Result<Option<&[u8]>, Step> {
    match memchr::memchr(b'\n', rest) {
        None if rest.len() > most => Err(Step::TooLarge),
        None => Ok(None),
        Some(end) => {
            let line = rest.get(..end).and_then(|l| l.strip_suffix(b"\r")).ok_or(Step::Malformed)?;
            if line.len() > most { Err(Step::TooLarge) } else { Ok(Some(line)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> (Step, Vec<u8>) {
        let (mut unchunk, mut body, mut pending) = (Unchunk::new(100), Vec::new(), Vec::new());
        let mut last = Step::More(0);
        for part in bytes.chunks(piece) {
            pending.extend_from_slice(part);
            last = unchunk.take(&pending, &mut body);
            match last {
                Step::More(used) => drop(pending.drain(..used)),
                _ => break,
            }
        }
        (last, body)
    }

    #[test]
    fn chunks_in_pieces_of_any_size() {
        let bytes = b"4;x=y\r\nWiki\r\n0A\r\npedia in\r\n\r\n0\r\nT: v\r\n\r\n";
        for piece in 1..=bytes.len() {
            let (step, body) = decode(bytes, piece);
            assert!(matches!(step, Step::Whole(_)), "{piece}: {step:?}");
            assert_eq!(body, b"Wikipedia in\r\n");
        }
    }

    #[test]
    fn malformed_and_large() {
        for bad in [&b"x\r\n"[..], b"\r\n", b"-1\r\n", b"4\nWiki", b"4\r\nWikiX\r\n", b"1000000000000000\r\n"] {
            assert_eq!(decode(bad, 3).0, Step::Malformed, "{bad:?}");
        }
        // 0x65 bytes are one more than may come: no need to wait for them.
        assert_eq!(decode(b"65\r\n", 9).0, Step::TooLarge);
        assert_eq!(decode(&[b'0'; 400], 50).0, Step::TooLarge);
    }
}
