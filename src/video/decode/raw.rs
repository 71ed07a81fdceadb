//! Decoded pictures as FFmpeg writes them into a pipe: Matroska with uncompressed RGB.

use super::Frame;
use crate::video::failure::{Failure, Step};
use std::io::{self, Read};

/// Most bytes of an element that is read whole, pictures apart.
const ELEMENT: u64 = 1 << 20;

const ENTER: [u32; 6] = [0x1853_8067, 0x1654_AE6B, 0xAE, 0xE0, 0x1F43_B675, 0xA0];

/// Reads pictures from a stream.
pub(super) struct Reader<R> {
    from: R,
    width: u32,
    height: u32,
    time: i64,
    /// Bytes of a picture, at most.
    most: u64,
}

impl<R: Read> Reader<R> {
    /// A reader of pictures of at most that many pixels.
    pub(super) fn new(from: R, pixels: u64) -> Reader<R> {
        Reader { from, width: 0, height: 0, time: 0, most: pixels.saturating_mul(3) }
    }

    /// The next picture, its time that of the stream; `None` at the end.
    pub(super) fn next(&mut self) -> Step<Option<Frame>> {
        loop {
            let Some((id, size)) = self.head()? else { return Ok(None) };
            if ENTER.contains(&id) {
                continue;
            }
            let Some(size) = size else { return Err(broken("an element without a size")) };
            match id {
                0xA3 | 0xA1 => return self.block(size).map(Some),
                0xB0 => self.width = self.number(size)?,
                0xBA => self.height = self.number(size)?,
                0xE7 => self.time = i64::from(self.number(size)?),
                _ if size > ELEMENT => return Err(broken("an element that is too long")),
                _ => {
                    let mut rest = self.from.by_ref().take(size);
                    io::copy(&mut rest, &mut io::sink()).map_err(|e| Failure::system("read pictures", e))?;
                }
            }
        }
    }

    fn block(&mut self, size: u64) -> Step<Frame> {
        let len = u64::from(self.width) * u64::from(self.height) * 3;
        if len == 0 || len > self.most || size != len + 4 {
            return Err(broken("a picture of another size"));
        }
        let mut head = [0; 4];
        self.fill(&mut head)?;
        let [_, high, low, _] = head;
        let relative = i64::from(i16::from_le_bytes([low, high]));
        let mut rgb = vec![0; usize::try_from(len).unwrap_or(0)];
        self.fill(&mut rgb)?;
        Ok(Frame { time: self.time + relative, width: self.width, height: self.height, rgb })
    }

    fn number(&mut self, size: u64) -> Step<u32> {
        let mut bytes = [0; 8];
        let place = usize::try_from(size).ok().and_then(|size| bytes.get_mut(..size));
        self.fill(place.ok_or_else(|| broken("a number of more than eight bytes"))?)?;
        let value =
            bytes.iter().take(usize::try_from(size).unwrap_or(8)).fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
        u32::try_from(value).map_err(|_| broken("a number that is too large"))
    }

    fn fill(&mut self, to: &mut [u8]) -> Step<()> {
        self.from.read_exact(to).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => broken("an end within a picture"),
            _ => Failure::system("read pictures", e),
        })
    }

    /// Identifier and size of the next element.
    fn head(&mut self) -> Step<Option<(u32, Option<u64>)>> {
        let mut first = [0; 1];
        if self.from.read(&mut first).map_err(|e| Failure::system("read pictures", e))? == 0 {
            return Ok(None);
        }
        let (id, _) = self.variable(first[0], true)?;
        self.fill(&mut first)?;
        let (size, width) = self.variable(first[0], false)?;
        let unknown = size == (1_u64 << (7 * width)) - 1;
        let id = u32::try_from(id).map_err(|_| broken("an element id of more than four bytes"))?;
        Ok(Some((id, (!unknown).then_some(size))))
    }

    fn variable(&mut self, first: u8, marked: bool) -> Step<(u64, u32)> {
        let width = first.leading_zeros() + 1;
        if width > 8 {
            return Err(broken("a number of more than eight bytes"));
        }
        let mut rest = [0; 7];
        let more = rest.get_mut(..width as usize - 1).unwrap_or(&mut []);
        self.from.read_exact(more).map_err(|_| broken("an end within a number"))?;
        let value = more.iter().fold(u64::from(first), |sum, byte| sum << 8 | u64::from(*byte));
        let marker = 1_u64 << (7 * width);
        Ok((if marked { value } else { value & (marker - 1) }, width))
    }
}

fn broken(what: &str) -> Failure {
    Failure::damaged(format!("The decoder ended early: its output holds {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_with_times_and_nothing_else() {
        let mut stream = b"\x1A\x45\xDF\xA3\x81x".to_vec();
        stream.extend(b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x16\x54\xAE\x6B\x8A\xAE\x88\xE0\x86\xB0\x81\x01\xBA\x81\x02");
        stream.extend(b"\x1F\x43\xB6\x75\xFF\xE7\x82\x03\xE8\xA3\x8A\x81\xFF\xFE\x80abcdef");
        let mut reader = Reader::new(stream.as_slice(), 4);
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.time, frame.width, frame.height, &frame.rgb[..]), (998, 1, 2, &b"abcdef"[..]));
        assert_eq!(reader.next().unwrap(), None);
        for cut in 1..stream.len() {
            let mut reader = Reader::new(&stream[..cut], 4);
            assert!(!matches!(reader.next(), Ok(Some(_))), "{cut}");
        }
        assert!(Reader::new(stream.as_slice(), 1).next().is_err());
    }
}
