//! Compound files (MS-CFB): the directory of streams, and single streams read up to a cap.

use crate::extract::{Input, Parsed, length};
use std::collections::HashSet;

/// Directory entries that are read: documents have some dozens.
const ENTRIES: usize = 4096;
/// Bytes of the directory: entries of 128 bytes.
const DIRECTORY: u64 = 4096 * 128;
/// Sector numbers from here on are marks, not places (2.1).
const MARKS: u32 = 0xFFFF_FFFA;
/// FAT sectors that the header itself names (2.2).
const IN_HEADER: u32 = 109;

/// One stream.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its name.
    pub name: String,
    start: u32,
    len: u64,
}

/// An opened compound file.
pub struct Ole {
    shift: u32,
    mini_shift: u32,
    cutoff: u64,
    mini_fat: u32,
    double_fat: u32,
    fat: Vec<u32>,
    /// The stream that holds the small streams.
    root: Option<Stream>,
    /// All streams.
    pub streams: Vec<Stream>,
}

/// Reads header and directory.
pub fn open(input: &mut Input<'_>) -> Parsed<Ole> {
    input.rewind();
    input.skip(30, "header")?;
    let (shift, mini_shift) = (u32::from(input.u16_le("sector shift")?), u32::from(input.u16_le("mini sector shift")?));
    if !matches!((shift, mini_shift), (9 | 12, 6)) {
        return Err(input.malformed_at(
            30,
            format!("expected sectors of 2^9 or 2^12 and 2^6 bytes, got 2^{shift}, 2^{mini_shift}"),
        ));
    }
    input.skip(14, "header")?;
    let first = input.u32_le("directory start")?;
    input.skip(4, "header")?;
    let cutoff = u64::from(input.u32_le("mini stream cutoff")?);
    let mini_fat = input.u32_le("mini FAT start")?;
    input.skip(4, "header")?;
    let double_fat = input.u32_le("DIFAT start")?;
    input.skip(4, "header")?;
    let mut fat = Vec::new();
    for _ in 0..IN_HEADER {
        fat.push(input.u32_le("FAT sector")?);
    }
    let mut ole = Ole { shift, mini_shift, cutoff, mini_fat, double_fat, fat, root: None, streams: Vec::new() };
    ole.directory(input, first)?;
    Ok(ole)
}

impl Ole {
    /// The stream of that name.
    pub fn find(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// Up to `most` bytes of a stream.
    pub fn read(&self, input: &mut Input<'_>, stream: &Stream, most: u64) -> Parsed<Vec<u8>> {
        let most = most.min(stream.len);
        match &self.root {
            Some(root) if stream.len < self.cutoff => self.mini(input, root, stream.start, most),
            _ => self.chain(input, stream.start, most),
        }
    }

    fn sector(&self, number: u32) -> u64 {
        u64::from(number).saturating_add(1).checked_shl(self.shift).unwrap_or(u64::MAX)
    }

    /// The FAT sector of that index: named by the header, beyond it by a chain of DIFAT sectors (2.5).
    fn fat_sector(&self, input: &mut Input<'_>, index: u32) -> Parsed<u32> {
        if let Some(sector) = usize::try_from(index).ok().and_then(|at| self.fat.get(at)) {
            return Ok(*sector);
        }
        let per_sector = 1_u32.checked_shl(self.shift).unwrap_or(0).checked_div(4).unwrap_or(1).saturating_sub(1);
        let (mut rest, mut sector) = (index.saturating_sub(IN_HEADER), self.double_fat);
        while rest >= per_sector {
            input.entry()?;
            input.seek(self.sector(sector).saturating_add(u64::from(per_sector).saturating_mul(4)), "DIFAT sector")?;
            sector = input.u32_le("DIFAT sector")?;
            rest = rest.saturating_sub(per_sector);
        }
        input.seek(self.sector(sector).saturating_add(u64::from(rest).saturating_mul(4)), "DIFAT sector")?;
        input.u32_le("FAT sector")
    }

    /// The sector that follows in its chain.
    fn next(&self, input: &mut Input<'_>, number: u32) -> Parsed<u32> {
        let per_sector = 1_u32.checked_shl(self.shift).unwrap_or(0).checked_div(4).unwrap_or(1).max(1);
        let index = number.checked_div(per_sector).unwrap_or(0);
        let inside = number.checked_rem(per_sector).unwrap_or(0);
        let sector = self.fat_sector(input, index)?;
        input.seek(self.sector(sector).saturating_add(u64::from(inside).saturating_mul(4)), "FAT")?;
        input.u32_le("FAT")
    }

    /// Bytes of a chain of sectors.
    fn chain(&self, input: &mut Input<'_>, start: u32, most: u64) -> Parsed<Vec<u8>> {
        let (mut bytes, mut seen, mut number) = (Vec::new(), HashSet::new(), start);
        while length(bytes.len()) < most && number < MARKS {
            input.entry()?;
            if !seen.insert(number) {
                return Err(input.malformed(format!("sector {number} comes twice in one chain")));
            }
            input.seek(self.sector(number), "sector")?;
            let size = 1_u64.checked_shl(self.shift).unwrap_or(0);
            let part = input.take_up_to(size.min(most.saturating_sub(length(bytes.len()))))?;
            if part.is_empty() {
                break;
            }
            bytes.extend(part);
            number = self.next(input, number)?;
        }
        Ok(bytes)
    }

    /// Bytes of a chain of mini sectors, which lie in the root's stream (2.4).
    fn mini(&self, input: &mut Input<'_>, root: &Stream, start: u32, most: u64) -> Parsed<Vec<u8>> {
        let cap = length(input.limits().allocation).min(1 << 20);
        let held = self.chain(input, root.start, root.len.min(cap))?;
        let table = self.chain(input, self.mini_fat, cap)?;
        let (mut bytes, mut number) = (Vec::new(), start);
        while length(bytes.len()) < most && number < MARKS {
            input.entry()?;
            let at = usize::try_from(u64::from(number).checked_shl(self.mini_shift).unwrap_or(u64::MAX))
                .unwrap_or(usize::MAX);
            let Some(part) = held.get(at..at.saturating_add(64)).or_else(|| held.get(at..)) else { break };
            bytes.extend_from_slice(part);
            let entry = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(4);
            let Some(next) = table.get(entry..).and_then(|rest| rest.first_chunk::<4>()) else { break };
            number = u32::from_le_bytes(*next);
        }
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    /// Section 2.6.1: name in UTF-16, its length with the final zero, type, start and size of the stream.
    fn directory(&mut self, input: &mut Input<'_>, first: u32) -> Parsed<()> {
        let bytes = self.chain(input, first, DIRECTORY)?;
        for entry in bytes.as_chunks::<128>().0.iter().take(ENTRIES) {
            let [.., low, high, kind, _] = entry.first_chunk::<68>().copied().unwrap_or([0; 68]);
            let len = usize::from(u16::from_le_bytes([low, high])).saturating_sub(2).min(62);
            let units = entry.get(..len).unwrap_or(&[]).as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
            let name = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            let place =
                |at: usize| entry.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
            let stream =
                Stream { name, start: u32::from_le_bytes(place(116)), len: u64::from(u32::from_le_bytes(place(120))) };
            match kind {
                2 => self.streams.push(stream),
                5 => self.root = Some(stream),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(in crate::extract) mod tests {
    use super::*;
    use crate::extract::Limits;

    /// A compound file with one FAT sector and streams of 4096 bytes or more.
    pub(in crate::extract) fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
        let sectors = |len: usize| len.div_ceil(512) as u32;
        let directory_sectors = sectors((streams.len() + 1) * 128);
        let mut fat = vec![0xFFFF_FFFD_u32];
        fat.extend((0..directory_sectors).map(|at| if at + 1 == directory_sectors { 0xFFFF_FFFE } else { at + 2 }));
        let mut directory = entry("Root Entry", 5, 0xFFFF_FFFE, 0);
        let mut body = Vec::new();
        for (name, content) in streams {
            let start = fat.len() as u32;
            let count = sectors(content.len().max(4096));
            fat.extend((0..count).map(|at| if at + 1 == count { 0xFFFF_FFFE } else { start + at + 1 }));
            directory.extend(entry(name, 2, start, content.len().max(4096) as u32));
            let mut padded = content.to_vec();
            padded.resize(count as usize * 512, 0);
            body.extend(padded);
        }
        directory.resize(directory_sectors as usize * 512, 0);
        fat.resize(128, 0xFFFF_FFFF);
        let header =
            [&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], &[0; 16], &[0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0], &[0; 10]];
        let numbers = [1_u32, 1, 0, 4096, 0xFFFF_FFFE, 0, 0xFFFF_FFFE, 0, 0];
        let mut bytes = header.concat();
        bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([0xFF; 108 * 4]);
        bytes.extend(fat.iter().flat_map(|n| n.to_le_bytes()));
        [bytes, directory, body].concat()
    }

    fn entry(name: &str, kind: u8, start: u32, len: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let size = bytes.len() as u16 + 2;
        bytes.resize(64, 0);
        bytes.extend(size.to_le_bytes());
        bytes.push(kind);
        bytes.resize(116, 0);
        bytes.extend([start.to_le_bytes(), len.to_le_bytes(), [0; 4]].concat());
        bytes
    }

    #[test]
    fn streams_are_found_and_read() {
        let content: Vec<u8> = (0..5000_u32).map(|n| n as u8).collect();
        let data = compound(&[("A", b"first"), ("\u{5}SummaryInformation", &content)]);
        let limits = Limits::default();
        let mut input = Input::new(&data, &limits);
        let ole = open(&mut input).unwrap();
        let stream = ole.find("\u{5}SummaryInformation").unwrap().clone();
        assert_eq!(ole.read(&mut input, &stream, 10_000).unwrap()[..5000], content[..]);
        assert_eq!(ole.read(&mut input, &stream, 3).unwrap(), content[..3]);
        assert_eq!(ole.streams.len(), 2);
    }

    #[test]
    fn circles_and_cuts_end() {
        let mut data = compound(&[("A", &[7; 9000])]);
        // The first data sector follows itself.
        data[512 + 8..512 + 12].copy_from_slice(&2_u32.to_le_bytes());
        let limits = Limits::default();
        let mut input = Input::new(&data, &limits);
        let ole = open(&mut input).unwrap();
        assert!(ole.read(&mut input, &ole.streams[0], 9000).is_err());
        for cut in (0..data.len()).step_by(64) {
            let part = data[..cut].to_vec();
            let mut input = Input::new(&part, &limits);
            if let Ok(ole) = open(&mut input) {
                ole.streams.iter().for_each(|stream| drop(ole.read(&mut input, stream, 9000)));
            }
        }
    }
}
