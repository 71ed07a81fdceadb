//! The message that hands a worker one file.

use super::{Kind, finished};
use crate::codec::Take;
use crate::codec::take::{put_counted, put_signed, put_varint};
use crate::error::{Error, Result};
use crate::extract::{Digests, FileHash, Limits, Options};
use crate::isolate::Request;
use std::time::Duration;

/// Longest name that is passed on: only its extension counts.
const NAME: usize = 255;

/// How a worker reaches the bytes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By a descriptor that comes with the message.
    Descriptor,
    /// By asking.
    Ranges,
}

/// One file to read.
#[derive(Debug, Clone)]
pub struct Job {
    /// Number of the job on its worker; the reply repeats it.
    pub number: u64,
    /// The file, and what describes it from beside: how to reach it, and its length.
    pub sources: Vec<(Access, u64)>,
    /// The end of the file's name.
    pub name: String,
    /// Whether facts and ranges are wanted.
    pub evidence: bool,
    /// Caps and assumptions.
    pub options: Options,
    /// Memory that the job may cost.
    pub memory_bytes: u64,
    /// Processor time that it may cost; zero for no end.
    pub cpu: Duration,
    /// What of the picture is wanted; `None` where the metadata is.
    pub pixels: Option<Pixels>,
}

/// A wish for the decoded picture instead of what the file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// Longer side of the picture at most, in pixels.
    pub longest: u32,
    /// Time for it.
    pub time: Duration,
    /// Memory for it.
    pub memory_bytes: u64,
}

impl Job {
    /// What the body of the job is given.
    pub fn request(&self) -> Request<'_> {
        Request { name: &self.name, options: self.options, evidence: self.evidence }
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Kind::Job.tag());
        put_varint(out, self.number);
        out.push(self.sources.len() as u8);
        for (access, len) in &self.sources {
            out.push(u8::from(*access == Access::Ranges));
            put_varint(out, *len);
        }
        let from = self.name.ceil_char_boundary(self.name.len().saturating_sub(NAME));
        put_counted(out, self.name.get(from..).unwrap_or_default().as_bytes());
        out.push(u8::from(self.evidence));
        put_options(out, &self.options);
        put_varint(out, self.memory_bytes);
        put_varint(out, micros(self.cpu));
        out.push(u8::from(self.pixels.is_some()));
        if let Some(Pixels { longest, time, memory_bytes }) = self.pixels {
            [u64::from(longest), micros(time), memory_bytes].into_iter().for_each(|n| put_varint(out, n));
        }
    }

    /// Reads the body of a message.
    pub fn decode(mut take: Take<'_>) -> Result<Job> {
        let number = take.varint("job")?;
        let count = take.u8("sources")?;
        if !(1..=2).contains(&count) {
            return Err(Error::corrupted(format!("expected one or two sources, got {count}")));
        }
        let source = |take: &mut Take<'_>| {
            let access = if flag(take, "access")? { Access::Ranges } else { Access::Descriptor };
            Ok((access, take.varint("length")?))
        };
        let sources = (0..count).map(|_| source(&mut take)).collect::<Result<_>>()?;
        let name = take.text("name")?.to_owned();
        let evidence = flag(&mut take, "evidence")?;
        let options = take_options(&mut take)?;
        let memory_bytes = take.varint("memory")?;
        let cpu = Duration::from_micros(take.varint("processor time")?);
        let pixels = if flag(&mut take, "pixels")? { Some(take_pixels(&mut take)?) } else { None };
        finished(take)?;
        Ok(Job { number, sources, name, evidence, options, memory_bytes, cpu, pixels })
    }
}

fn take_pixels(take: &mut Take<'_>) -> Result<Pixels> {
    let longest = take.varint("longer side")?;
    let longest = u32::try_from(longest)
        .map_err(|_| Error::corrupted(format!("longer side: expected at most 32 bits, got {longest}")))?;
    let time = Duration::from_micros(take.varint("time for pixels")?);
    Ok(Pixels { longest, time, memory_bytes: take.varint("memory for pixels")? })
}

fn put_options(out: &mut Vec<u8>, options: &Options) {
    let Limits { bytes, depth, allocation, entries, text, content, facts, warnings, time } = options.limits;
    let sizes = [allocation, text, content, facts, warnings].map(|size| size as u64);
    [bytes, u64::from(depth), u64::from(entries), micros(time)]
        .into_iter()
        .chain(sizes)
        .for_each(|n| put_varint(out, n));
    put_signed(out, i64::from(options.assume_offset));
    let Digests { file_hash, content_md5, crc64 } = options.digests;
    let hash = match file_hash {
        None => 0,
        Some(FileHash::Md5) => 1,
        Some(FileHash::Blake3) => 2,
        Some(FileHash::Partial) => 3,
    };
    out.extend_from_slice(&[hash, u8::from(content_md5), u8::from(crc64)]);
}

fn take_options(take: &mut Take<'_>) -> Result<Options> {
    let mut number = |what| take.varint(what);
    let narrow = |number: u64, what: &str| {
        u32::try_from(number).map_err(|_| Error::corrupted(format!("{what}: expected at most 32 bits, got {number}")))
    };
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let bytes = number("bytes")?;
    let (depth, entries) = (narrow(number("depth")?, "depth")?, narrow(number("entries")?, "entries")?);
    let time = Duration::from_micros(number("time")?);
    let (allocation, text, content) = (size(number("allocation")?), size(number("text")?), size(number("content")?));
    let (facts, warnings) = (size(number("facts")?), size(number("warnings")?));
    let limits = Limits { bytes, depth, allocation, entries, text, content, facts, warnings, time };
    let offset = take.signed("assumed offset")?;
    let assume_offset = i32::try_from(offset)
        .map_err(|_| Error::corrupted(format!("assumed offset: expected at most a day, got {offset} s")))?;
    let file_hash = match take.u8("digest")? {
        0 => None,
        1 => Some(FileHash::Md5),
        2 => Some(FileHash::Blake3),
        3 => Some(FileHash::Partial),
        other => return Err(Error::corrupted(format!("expected a digest, got {other}"))),
    };
    let digests = Digests { file_hash, content_md5: flag(take, "MD5")?, crc64: flag(take, "CRC-64")? };
    Ok(Options { limits, assume_offset, digests })
}

fn flag(take: &mut Take<'_>, what: &str) -> Result<bool> {
    match take.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::corrupted(format!("{what}: expected 0 or 1, got {other}"))),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let digests = Digests { file_hash: Some(FileHash::Blake3), content_md5: true, crc64: false };
        let options = Options { assume_offset: -3600, digests, ..Options::default() };
        let job = Job {
            number: 300,
            sources: vec![(Access::Descriptor, 1 << 40), (Access::Ranges, 7)],
            name: format!("{}.jpeg", "\u{e9}".repeat(300)),
            evidence: true,
            options,
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(2),
            pixels: Some(Pixels { longest: 1024, time: Duration::from_secs(5), memory_bytes: 1 << 28 }),
        };
        let mut out = Vec::new();
        job.encode(&mut out);
        let (kind, take) = Kind::of(&out).unwrap();
        let read = Job::decode(take).unwrap();
        assert_eq!(kind, Kind::Job);
        assert_eq!((read.number, &read.sources, read.evidence), (300, &job.sources, true));
        assert!(read.name.ends_with("\u{e9}.jpeg") && read.name.len() <= NAME);
        assert_eq!(format!("{:?}", read.options), format!("{options:?}"));
        assert_eq!((read.memory_bytes, read.cpu, read.pixels), (job.memory_bytes, job.cpu, job.pixels));
        for cut in 1..out.len() {
            assert!(Job::decode(Kind::of(&out[..cut]).unwrap().1).is_err(), "{cut}");
        }
    }
}
