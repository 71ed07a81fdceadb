//! ZIP archives (PKWARE APPNOTE 6.3.10): the central directory, and single entries unpacked up to a cap.

use crate::extract::{Input, Parsed, length};
use flate2::read::DeflateDecoder;
use std::io::Read;

/// Bytes of the end record without its comment (4.3.16).
const END: usize = 22;
/// Places that are searched for the end record: most archives have no comment, the longest has 65,535 bytes.
const TAILS: [u64; 2] = [1024, 66_000];
/// Bytes of one entry's name that are kept.
const NAME: u64 = 4096;
/// Bit 0 of the general purpose flags: the entry is encrypted (4.4.4).
const ENCRYPTED: u16 = 1;

/// One file or folder of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Name as stored, `/` between folders.
    pub name: Vec<u8>,
    /// General purpose flags (4.4.4).
    pub flags: u16,
    /// Compression method (4.4.5): 0 stored, 8 deflated, 99 AES.
    pub method: u16,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes when unpacked, as claimed.
    pub unpacked: u64,
    /// Where the local header stands in the file.
    pub offset: u64,
}

/// What the directory says.
#[derive(Debug, Default)]
pub struct Directory {
    /// Entries read, at most as many as asked for.
    pub entries: Vec<Entry>,
    /// Entries there are, as claimed.
    pub total: u64,
    /// Where the directory starts.
    pub at: u64,
}

/// The end record: number of entries, size and claimed offset of the directory, and where the directory ends.
struct End {
    total: u64,
    size: u64,
    offset: u64,
    at: u64,
}

impl Entry {
    /// Whether it is encrypted.
    pub fn encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0 || self.method == 99
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with(b"/")
    }

    /// The name as text: UTF-8, or else code page 437 as far as it is ASCII (appendix D).
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

impl Directory {
    /// The entry of that name, in either case as some writers of packages have it.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Reads the central directory, `most` entries of it.
pub fn directory(input: &mut Input<'_>, most: u32) -> Parsed<Directory> {
    let Some(end) = end(input)? else {
        return Err(input.malformed("expected an end of central directory record, found none"));
    };
    // Something may stand before the archive (a program that unpacks it): offsets then count from the archive's start.
    let start = end.at.saturating_sub(end.size);
    let shift = start.saturating_sub(end.offset);
    let (start, shift) = match input.seek(end.offset, "central directory") {
        Ok(()) if input.peek_up_to(4)? == b"PK\x01\x02" => (end.offset, 0),
        _ => (start, shift),
    };
    input.seek(start, "central directory")?;
    let mut found = Directory { total: end.total, at: start, ..Directory::default() };
    while length(found.entries.len()) < u64::from(most) && input.position() < end.at {
        match entry(input, shift)? {
            Some(entry) => found.entries.push(entry),
            None => break,
        }
    }
    Ok(found)
}

fn end(input: &mut Input<'_>) -> Parsed<Option<End>> {
    let len = input.end();
    for tail in TAILS {
        let from = len.saturating_sub(tail);
        input.seek(from, "end of central directory")?;
        let bytes = input.take_up_to(tail)?;
        let found = bytes.windows(END).rposition(|window| window.starts_with(b"PK\x05\x06"));
        if let Some(at) = found {
            return end_at(input, from.saturating_add(length(at))).map(Some);
        }
        if from == 0 {
            break;
        }
    }
    Ok(None)
}

fn end_at(input: &mut Input<'_>, at: u64) -> Parsed<End> {
    input.seek(at, "end of central directory")?;
    input.skip(10, "end of central directory")?;
    let total = u64::from(input.u16_le("number of entries")?);
    let size = u64::from(input.u32_le("size of the directory")?);
    let offset = u64::from(input.u32_le("offset of the directory")?);
    let plain = End { total, size, offset, at };
    if total < 0xFFFF && size < 0xFFFF_FFFF && offset < 0xFFFF_FFFF {
        return Ok(plain);
    }
    // 4.3.15: the locator stands right before the end record.
    let Some(locator) = at.checked_sub(20) else { return Ok(plain) };
    input.seek(locator, "ZIP64 locator")?;
    if input.array::<4>("ZIP64 locator")? != *b"PK\x06\x07" {
        return Ok(plain);
    }
    input.skip(4, "ZIP64 locator")?;
    let place = input.u64_le("ZIP64 end record")?;
    input.seek(place, "ZIP64 end record")?;
    if input.array::<4>("ZIP64 end record")? != *b"PK\x06\x06" {
        return Err(input.malformed_at(place, "expected the ZIP64 end of central directory record"));
    }
    input.skip(28, "ZIP64 end record")?;
    let (total, size) = (input.u64_le("number of entries")?, input.u64_le("size of the directory")?);
    Ok(End { total, size, offset: input.u64_le("offset of the directory")?, at: place })
}

/// One entry of the directory (4.3.12); `None` where no entry stands.
fn entry(input: &mut Input<'_>, shift: u64) -> Parsed<Option<Entry>> {
    input.entry()?;
    if input.remaining() < 46 || input.array::<4>("entry")? != *b"PK\x01\x02" {
        return Ok(None);
    }
    input.skip(4, "entry")?;
    let (flags, method) = (input.u16_le("flags")?, input.u16_le("method")?);
    input.skip(8, "entry")?;
    let (packed, unpacked) = (u64::from(input.u32_le("size")?), u64::from(input.u32_le("size")?));
    let lengths = [input.u16_le("name length")?, input.u16_le("extra length")?, input.u16_le("comment length")?];
    let [name, extra, comment] = lengths.map(u64::from);
    input.skip(8, "entry")?;
    let offset = u64::from(input.u32_le("offset")?);
    let at = input.position();
    let mut found = Entry { name: input.take(name.min(NAME), "name")?, flags, method, packed, unpacked, offset };
    let after = at.saturating_add(name);
    if [packed, unpacked, offset].contains(&0xFFFF_FFFF) {
        input.within(after..after.saturating_add(extra), "extra field", |input| wide(input, &mut found))?;
    }
    found.offset = found.offset.saturating_add(shift);
    input.seek(after.saturating_add(extra).saturating_add(comment), "next entry")?;
    Ok(Some(found))
}

/// The ZIP64 extra field (4.5.3) holds, in this order, those values that do not fit into 32 bits.
fn wide(input: &mut Input<'_>, entry: &mut Entry) -> Parsed<()> {
    while input.remaining() >= 4 {
        let (tag, len) = (input.u16_le("extra tag")?, u64::from(input.u16_le("extra length")?));
        let next = input.position().saturating_add(len);
        if tag == 1 {
            for value in [&mut entry.unpacked, &mut entry.packed, &mut entry.offset] {
                if *value == 0xFFFF_FFFF && input.position().saturating_add(8) <= next {
                    *value = input.u64_le("ZIP64 value")?;
                }
            }
            break;
        }
        input.seek(next, "extra field")?;
    }
    Ok(())
}

/// Entries from the local headers (4.3.7), as far as their sizes are known: what is left of a truncated archive.
pub fn locals(input: &mut Input<'_>, most: u32) -> Parsed<Vec<Entry>> {
    input.rewind();
    let mut found = Vec::new();
    while length(found.len()) < u64::from(most) && input.remaining() >= 30 {
        input.entry()?;
        let offset = input.position();
        if input.array::<4>("local header")? != *b"PK\x03\x04" {
            break;
        }
        let entry = local(input, offset)?;
        // Bit 3: the sizes stand behind the data, so that the next header cannot be found.
        let known = entry.flags & 8 == 0 || entry.packed > 0;
        let next = input.position().saturating_add(entry.packed);
        found.push(entry);
        if !known || input.seek(next, "next entry").is_err() {
            break;
        }
    }
    Ok(found)
}

/// The rest of a local header; the cursor stands behind its signature, and behind its extra field afterwards.
fn local(input: &mut Input<'_>, offset: u64) -> Parsed<Entry> {
    input.skip(2, "local header")?;
    let (flags, method) = (input.u16_le("flags")?, input.u16_le("method")?);
    input.skip(8, "local header")?;
    let (packed, unpacked) = (u64::from(input.u32_le("size")?), u64::from(input.u32_le("size")?));
    let (name, extra) = (input.u16_le("name length")?, input.u16_le("extra length")?);
    let name = input.take(u64::from(name), "name")?;
    let after = input.position().saturating_add(u64::from(extra));
    input.seek(after, "entry's data")?;
    Ok(Entry { name, flags, method, packed, unpacked, offset })
}

/// The first bytes of an entry, at most `most`. Fewer where the entry is shorter or its data is damaged; an error where
/// there is none to be had.
pub fn unpack(input: &mut Input<'_>, entry: &Entry, most: u64) -> Parsed<Vec<u8>> {
    let name = entry.text();
    if entry.encrypted() {
        return Err(input.malformed_at(entry.offset, format!("{name} is encrypted")));
    }
    input.seek(entry.offset, "local header")?;
    if input.array::<4>("local header")? != *b"PK\x03\x04" {
        return Err(input.malformed_at(entry.offset, format!("expected the local header of {name}")));
    }
    local(input, entry.offset)?;
    let data = input.position();
    let part = data..data.saturating_add(entry.packed);
    input.within(part, "entry", |input| match entry.method {
        0 => input.take_up_to(most),
        8 => {
            let mut bytes = Vec::new();
            // Damaged data ends the entry early; a cap that was met is told by the check.
            let _ = DeflateDecoder::new(input.reader()).take(most).read_to_end(&mut bytes);
            input.check()?;
            Ok(bytes)
        }
        method => Err(input.malformed(format!("{name} is packed by method {method}; expected 0 or 8"))),
    })
}

#[cfg(test)]
pub(in crate::extract) mod tests {
    use super::*;
    use crate::extract::Limits;
    use std::io::Write;

    /// An archive of those entries, deflated.
    pub(in crate::extract) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in entries {
            let at = (bytes.len() as u32).to_le_bytes();
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(content).unwrap();
            let packed = packer.finish().unwrap();
            let sizes = [(packed.len() as u32).to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
            let name_len = (name.len() as u16).to_le_bytes();
            let common = [&b"\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0"[..], &sizes, &name_len, &[0, 0]].concat();
            bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), &packed].concat());
            directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &at, name.as_bytes()].concat());
        }
        let count = (entries.len() as u16).to_le_bytes();
        let place = [(directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
        let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &place, &[0, 0]].concat();
        [bytes, directory, end].concat()
    }

    fn read(data: &[u8]) -> Parsed<Directory> {
        directory(&mut Input::new(&data.to_vec(), &Limits::default()), 100)
    }

    #[test]
    fn entries_are_listed_and_unpacked() {
        let data = archive(&[("a/", b""), ("a/b.txt", b"hello hello hello")]);
        let found = read(&data).unwrap();
        assert_eq!((found.entries.len(), found.total), (2, 2));
        assert!(found.entries[0].is_folder() && !found.entries[1].is_folder());
        assert_eq!((found.entries[1].unpacked, found.find("A/B.txt").is_some()), (17, true));
        let limits = Limits::default();
        let mut input = Input::new(&data, &limits);
        assert_eq!(unpack(&mut input, &found.entries[1], 100).unwrap(), b"hello hello hello");
        assert_eq!(unpack(&mut input, &found.entries[1], 5).unwrap(), b"hello");
        assert_eq!(locals(&mut input, 9).unwrap().len(), 2);
    }

    #[test]
    fn what_stands_before_the_archive_does_not_matter() {
        let data = [&b"#!/bin/sh\n"[..], &archive(&[("x", b"data")])].concat();
        let found = read(&data).unwrap();
        assert_eq!(found.entries[0].offset, 10);
        let limits = Limits::default();
        assert_eq!(unpack(&mut Input::new(&data, &limits), &found.entries[0], 9).unwrap(), b"data");
    }

    #[test]
    fn sixty_four_bits() {
        let mut bytes = archive(&[("x", b"data")]);
        // The entry's size moves into an extra field, and the directory's place into the ZIP64 end record.
        let start = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes.truncate(start);
        let head =
            [&b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0"[..], &[0xFF; 8], &[1, 0, 20, 0, 0, 0], &[0; 12]];
        let extra = [&[1, 0, 16, 0][..], &(5_000_000_000_u64).to_le_bytes(), &6_u64.to_le_bytes()].concat();
        bytes.extend([&head.concat()[..], b"x", &extra].concat());
        let (size, place) = ((bytes.len() - start) as u64, bytes.len() as u64);
        let wide =
            [1_u64.to_le_bytes(), 1_u64.to_le_bytes(), size.to_le_bytes(), (start as u64).to_le_bytes()].concat();
        bytes.extend([&b"PK\x06\x06"[..], &[0; 20], &wide].concat());
        bytes.extend([&b"PK\x06\x07\0\0\0\0"[..], &place.to_le_bytes(), &[0; 4]].concat());
        bytes.extend([&b"PK\x05\x06"[..], &[0xFF; 16], &[0, 0]].concat());
        let found = read(&bytes).unwrap();
        assert_eq!((found.total, found.entries[0].unpacked, found.entries[0].packed), (1, 5_000_000_000, 6));
    }

    #[test]
    fn damage_is_told() {
        let data = archive(&[("x", b"data")]);
        for cut in 0..data.len() {
            let part = data[..cut].to_vec();
            assert!(read(&part).is_err(), "{cut}");
        }
    }
}
