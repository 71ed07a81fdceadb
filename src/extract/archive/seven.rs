//! 7z archives (7zFormat.txt of the LZMA SDK): the header at the end of the file, unpacked if it is packed itself.

use super::Listing;
use crate::extract::{Facts, Input, Parsed, length};
use lzma_rust2::{Lzma2Reader, LzmaReader};
use std::io::Read;

/// Bytes of a header, packed or not.
const HEADER: u64 = 4 << 20;
/// Bytes of the dictionary that unpacking a header may use: nothing reaches further back than its start.
const DICTIONARY: u32 = 4 << 20;
/// Bytes of a bit vector: one bit for each thing that may be looked at.
const HEADER_BITS: usize = 1 << 13;
/// Folders, coders and streams that are looked at.
const MOST: u64 = 1 << 16;

/// Property IDs (section "Property IDs").
mod id {
    pub(super) const END: u64 = 0x00;
    pub(super) const HEADER: u64 = 0x01;
    pub(super) const ARCHIVE: u64 = 0x02;
    pub(super) const ADDITIONAL: u64 = 0x03;
    pub(super) const MAIN: u64 = 0x04;
    pub(super) const FILES: u64 = 0x05;
    pub(super) const PACK: u64 = 0x06;
    pub(super) const UNPACK: u64 = 0x07;
    pub(super) const SUB: u64 = 0x08;
    pub(super) const SIZE: u64 = 0x09;
    pub(super) const CRC: u64 = 0x0A;
    pub(super) const FOLDER: u64 = 0x0B;
    pub(super) const UNPACK_SIZE: u64 = 0x0C;
    pub(super) const FILES_OF_FOLDER: u64 = 0x0D;
    pub(super) const EMPTY_STREAM: u64 = 0x0E;
    pub(super) const EMPTY_FILE: u64 = 0x0F;
    pub(super) const NAMES: u64 = 0x11;
    pub(super) const ENCODED: u64 = 0x17;
}

/// Methods (Methods.txt).
const COPY: &[u8] = &[0];
const LZMA: &[u8] = &[3, 1, 1];
const LZMA2: &[u8] = &[0x21];
const AES: &[u8] = &[6, 0xF1, 7, 1];

/// One step of packing.
#[derive(Debug, Default, Clone)]
struct Coder {
    method: Vec<u8>,
    properties: Vec<u8>,
    outputs: u64,
}

/// A chain of coders and the sizes of what each gives.
#[derive(Debug, Default, Clone)]
struct Folder {
    coders: Vec<Coder>,
    /// The output that no other coder takes: what was packed.
    last: usize,
    sizes: Vec<u64>,
    /// Whether its checksum is given: that of its only file is then left out.
    checked: bool,
}

/// What StreamsInfo says.
#[derive(Debug, Default)]
struct Streams {
    position: u64,
    packed: Vec<u64>,
    folders: Vec<Folder>,
}

impl Folder {
    fn size(&self) -> u64 {
        self.sizes.get(self.last).copied().unwrap_or(0)
    }
}

impl Streams {
    fn encrypted(&self) -> bool {
        self.folders.iter().flat_map(|folder| &folder.coders).any(|coder| coder.method == AES)
    }
}

/// Lists the archive.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "signature and CRC")?;
    let (offset, size) = (input.u64_le("header offset")?, input.u64_le("header size")?);
    let mut listing = Listing::default();
    let most = facts.content_room();
    if size > 0 {
        let start = offset.saturating_add(32);
        input.seek(start, "header")?;
        let end = start.saturating_add(size);
        input.within(start..end, "header", |input| header(input, &mut listing, most))?;
    }
    listing.publish(input, facts);
    Ok(())
}

fn header(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    let at = input.position();
    match number(input)? {
        id::HEADER => return plain(input, listing, most),
        id::ENCODED => {}
        other => return Err(input.malformed_at(at, format!("expected a header, got property {other:#x}"))),
    }
    let streams = streams(input)?;
    if streams.encrypted() {
        // That is all one may know without the password.
        listing.encrypted = true;
        return Ok(());
    }
    let bytes = unpack(input, &streams)?;
    let mut inner = input.unpacked(&bytes);
    match number(&mut inner)? {
        id::HEADER => plain(&mut inner, listing, most),
        other => {
            Err(input.malformed_at(at, format!("expected a header inside the packed one, got property {other:#x}")))
        }
    }
}

/// A header that is not packed.
fn plain(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    loop {
        input.entry()?;
        match number(input)? {
            id::END => return Ok(()),
            id::ARCHIVE => properties(input)?,
            id::ADDITIONAL => drop(streams(input)?),
            id::MAIN => {
                let streams = streams(input)?;
                let total = streams.folders.iter().map(Folder::size).fold(0, u64::saturating_add);
                listing.unpacked = listing.unpacked.saturating_add(total);
                listing.encrypted |= streams.encrypted();
            }
            id::FILES => files(input, listing, most)?,
            other => return Err(input.malformed(format!("expected a part of the header, got property {other:#x}"))),
        }
    }
}

/// A number: the count of leading ones of the first byte says how many bytes follow (section "UINT64").
fn number(input: &mut Input<'_>) -> Parsed<u64> {
    let first = input.u8("number")?;
    let more = first.leading_ones();
    let mut value = 0_u64;
    for place in 0..more {
        let byte = u64::from(input.u8("number")?);
        value |= byte.checked_shl(place.saturating_mul(8)).unwrap_or(0);
    }
    // What is left of the first byte are the highest bits.
    let high = u64::from(first) & 0x7F_u64.checked_shr(more).unwrap_or(0);
    Ok(value | high.checked_shl(more.saturating_mul(8)).unwrap_or(0))
}

/// A number of things that follow; each takes part of a byte at least, so that it is below the limit.
fn count(input: &mut Input<'_>, what: &str) -> Parsed<u64> {
    let count = number(input)?;
    if count > MOST {
        return Err(input.malformed(format!("expected at most {MOST} {what}, got {count}")));
    }
    Ok(count)
}

fn properties(input: &mut Input<'_>) -> Parsed<()> {
    while number(input)? != id::END {
        input.entry()?;
        let size = number(input)?;
        input.skip(size, "property")?;
    }
    Ok(())
}

/// A vector of bits, the highest first.
fn bits(input: &mut Input<'_>, len: u64) -> Parsed<Vec<u8>> {
    input.take(len.div_ceil(8), "bits")
}

fn ones(bits: &[u8]) -> u64 {
    bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
}

/// Checksums of `len` things, passed over; returns which are given.
fn checksums(input: &mut Input<'_>, len: u64) -> Parsed<Vec<u8>> {
    let all = input.u8("all defined")? != 0;
    let size = usize::try_from(len.div_ceil(8)).unwrap_or(0);
    let defined = if all { vec![0xFF; size.min(HEADER_BITS)] } else { bits(input, len)? };
    let given = if all { len } else { ones(&defined) };
    input.skip(given.saturating_mul(4), "checksums")?;
    Ok(defined)
}

fn streams(input: &mut Input<'_>) -> Parsed<Streams> {
    let mut streams = Streams::default();
    loop {
        input.entry()?;
        match number(input)? {
            id::END => return Ok(streams),
            id::PACK => packs(input, &mut streams)?,
            id::UNPACK => folders(input, &mut streams)?,
            id::SUB => substreams(input, &streams)?,
            other => return Err(input.malformed(format!("expected a part of the streams, got property {other:#x}"))),
        }
    }
}

fn packs(input: &mut Input<'_>, streams: &mut Streams) -> Parsed<()> {
    streams.position = number(input)?;
    let len = count(input, "packed streams")?;
    loop {
        match number(input)? {
            id::END => return Ok(()),
            id::SIZE => {
                for _ in 0..len {
                    streams.packed.push(number(input)?);
                }
            }
            id::CRC => drop(checksums(input, len)?),
            other => return Err(input.malformed(format!("expected sizes of streams, got property {other:#x}"))),
        }
    }
}

fn folders(input: &mut Input<'_>, streams: &mut Streams) -> Parsed<()> {
    if number(input)? != id::FOLDER {
        return Err(input.malformed("expected folders"));
    }
    let len = count(input, "folders")?;
    if input.u8("external")? != 0 {
        return Err(input.malformed("expected folders here, they are kept elsewhere"));
    }
    for _ in 0..len {
        input.entry()?;
        streams.folders.push(folder(input)?);
    }
    if number(input)? != id::UNPACK_SIZE {
        return Err(input.malformed("expected unpacked sizes"));
    }
    for folder in &mut streams.folders {
        for _ in 0..folder.coders.iter().map(|coder| coder.outputs).fold(0, u64::saturating_add) {
            folder.sizes.push(number(input)?);
        }
    }
    loop {
        match number(input)? {
            id::END => return Ok(()),
            id::CRC => {
                let defined = checksums(input, len)?;
                let flags =
                    defined.iter().flat_map(|byte| (0..8).map(move |bit| byte & 0x80_u8.wrapping_shr(bit) != 0));
                streams.folders.iter_mut().zip(flags).for_each(|(folder, given)| folder.checked = given);
            }
            other => return Err(input.malformed(format!("expected checksums, got property {other:#x}"))),
        }
    }
}

fn folder(input: &mut Input<'_>) -> Parsed<Folder> {
    let mut folder = Folder::default();
    let (mut inputs, mut outputs) = (0_u64, 0_u64);
    let coders = count(input, "coders")?.min(64);
    for _ in 0..coders {
        let (coder, taken) = coder(input)?;
        inputs = inputs.saturating_add(taken);
        outputs = outputs.saturating_add(coder.outputs);
        folder.coders.push(coder);
    }
    let mut bound = Vec::new();
    for _ in 1..outputs {
        number(input)?;
        bound.push(number(input)?);
    }
    let packed = inputs.saturating_sub(length(bound.len()));
    if packed > 1 {
        for _ in 0..packed {
            number(input)?;
        }
    }
    let free = (0..outputs).find(|output| !bound.contains(output)).unwrap_or(0);
    folder.last = usize::try_from(free).unwrap_or(0);
    Ok(folder)
}

/// A coder and the number of streams that it takes.
fn coder(input: &mut Input<'_>) -> Parsed<(Coder, u64)> {
    let flags = input.u8("coder")?;
    let method = input.take(u64::from(flags & 0x0F), "method")?;
    let (mut inputs, mut outputs) = (1, 1);
    if flags & 0x10 != 0 {
        (inputs, outputs) = (count(input, "streams")?.min(64), count(input, "streams")?.min(64));
    }
    let properties = if flags & 0x20 != 0 {
        let len = number(input)?;
        input.take(len, "coder properties")?
    } else {
        Vec::new()
    };
    Ok((Coder { method, properties, outputs }, inputs))
}

/// How many files each folder holds, their sizes and checksums: passed over, the folders' sizes are enough.
fn substreams(input: &mut Input<'_>, streams: &Streams) -> Parsed<()> {
    let mut files: Vec<u64> = streams.folders.iter().map(|_| 1).collect();
    loop {
        input.entry()?;
        match number(input)? {
            id::END => return Ok(()),
            id::FILES_OF_FOLDER => {
                for slot in &mut files {
                    *slot = number(input)?;
                }
            }
            id::SIZE => {
                for _ in 0..files.iter().map(|count| count.saturating_sub(1)).fold(0, u64::saturating_add) {
                    input.tick()?;
                    number(input)?;
                }
            }
            id::CRC => {
                let known = |(folder, count): (&Folder, &u64)| if folder.checked && *count == 1 { 0 } else { *count };
                checksums(input, streams.folders.iter().zip(&files).map(known).fold(0, u64::saturating_add))?;
            }
            other => return Err(input.malformed(format!("expected a part of the substreams, got property {other:#x}"))),
        }
    }
}

fn files(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    let len = number(input)?;
    if len > input.remaining().saturating_mul(8) {
        return Err(input.malformed(format!("{len} files do not fit into the header")));
    }
    let (mut empty, mut empty_files) = (0, 0);
    loop {
        input.entry()?;
        let kind = number(input)?;
        if kind == id::END {
            break;
        }
        let size = number(input)?;
        let next = input.position().saturating_add(size);
        match kind {
            id::EMPTY_STREAM => {
                empty = ones(&bits(input, len)?);
            }
            id::EMPTY_FILE => empty_files = ones(&bits(input, empty)?),
            id::NAMES => names(input, size, listing, most)?,
            _ => {}
        }
        input.seek(next, "next property")?;
    }
    listing.entries = listing.entries.saturating_add(len);
    // What has no data and is no empty file is a folder.
    listing.folders = listing.folders.saturating_add(empty.saturating_sub(empty_files));
    Ok(())
}

/// Names in UTF-16, each ended by a zero.
fn names(input: &mut Input<'_>, size: u64, listing: &mut Listing, most: usize) -> Parsed<()> {
    if input.u8("external")? != 0 {
        return Ok(());
    }
    let cap = length(most).saturating_mul(2);
    let bytes = input.take_up_to(size.saturating_sub(1).min(cap))?;
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    listing.names = text.map(|c| if c == '\0' { '\n' } else { c }).collect();
    Ok(())
}

/// Unpacks the header's own stream: one folder of one coder.
fn unpack(input: &mut Input<'_>, streams: &Streams) -> Parsed<Vec<u8>> {
    let (Some(folder), Some(&packed)) = (streams.folders.first(), streams.packed.first()) else {
        return Err(input.malformed("a packed header without a stream"));
    };
    let ([coder], size) = (folder.coders.as_slice(), folder.size()) else {
        return Err(input.malformed("a header that is packed by more than one method"));
    };
    if size > HEADER || packed > HEADER {
        return Err(input.malformed(format!("a header of {packed} bytes, unpacked {size}; expected at most {HEADER}")));
    }
    // The stream stands in front of the part that we are in.
    input.seek(streams.position.saturating_add(32), "packed header")?;
    let bytes = input.take(packed, "packed header")?;
    let mut out = Vec::new();
    let _ = match (coder.method.as_slice(), coder.properties.as_slice()) {
        // Some writers give the method of copying no number at all.
        (COPY | [], _) => return Ok(bytes),
        (LZMA, &[properties, a, b, c, d]) => {
            let dictionary = u32::from_le_bytes([a, b, c, d]).min(DICTIONARY);
            match LzmaReader::new_with_props(bytes.as_slice(), size, properties, dictionary, None) {
                Ok(reader) => reader.take(size).read_to_end(&mut out),
                Err(error) => Err(error),
            }
        }
        (LZMA2, _) => Lzma2Reader::new(bytes.as_slice(), DICTIONARY, None).take(size).read_to_end(&mut out),
        (other, _) => return Err(input.malformed(format!("a header packed by method {other:02x?}"))),
    };
    if length(out.len()) < size {
        return Err(input.malformed(format!("the packed header gives {} bytes of {size}", out.len())));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, listed, survives};
    use super::*;

    /// An archive whose header is that.
    fn archive(packed: &[u8], header: &[u8]) -> Vec<u8> {
        let place = [(packed.len() as u64).to_le_bytes(), (header.len() as u64).to_le_bytes()].concat();
        [&b"7z\xBC\xAF\x27\x1C\0\x04\0\0\0\0"[..], &place, &[0; 4], packed, header].concat()
    }

    /// One folder with one file of 5 bytes, copied or encrypted; beside it an empty folder.
    fn plain_header(method: &[u8]) -> Vec<u8> {
        let names: Vec<u8> = "a\0d\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let coder = [&[1, method.len() as u8][..], method].concat();
        let files = [5, 2, 0x0E, 1, 0x40, 0x11, 9, 0];
        let streams = [&[4, 6, 0, 1, 9, 5, 0, 7, 0x0B, 1, 0][..], &coder, &[0x0C, 5, 0, 8, 0x0A, 1, 1, 2, 3, 4, 0, 0]];
        [&[1][..], &streams.concat(), &files, &names, &[0, 0]].concat()
    }

    #[test]
    fn plain_headers_are_read() {
        let data = archive(b"hello", &plain_header(&[0]));
        assert_eq!(listed(parse, &data), (2, 1, 5, "false".into()));
        assert_eq!(facts(parse, &data).content, "a\nd");
        survives(parse, &data);
        let locked = archive(b"hello", &plain_header(AES));
        assert_eq!(listed(parse, &locked), (2, 1, 5, "true".into()));
    }

    #[test]
    fn a_header_that_is_copied_is_found_in_front() {
        let inner = plain_header(&[0]);
        let len = inner.len() as u8;
        let packed = [&b"hello"[..], &inner].concat();
        let outer = [0x17, 6, 5, 1, 9, len, 0, 7, 0x0B, 1, 0, 1, 1, 0, 0x0C, len, 0, 0];
        assert_eq!(listed(parse, &archive(&packed, &outer)).0, 2);
        assert_eq!(listed(parse, &archive(b"", b"")), (0, 0, 0, "false".into()));
    }

    #[test]
    fn numbers_of_all_lengths() {
        let limits = crate::extract::Limits::default();
        let table: [(&[u8], u64); 4] = [
            (&[0x7F], 0x7F),
            (&[0x81, 2], 0x102),
            (&[0xC0, 1, 2], 0x201),
            (&[0xFF, 1, 0, 0, 0, 0, 0, 0, 2], 0x0200_0000_0000_0001),
        ];
        for (bytes, want) in table {
            let data = bytes.to_vec();
            assert_eq!(number(&mut Input::new(&data, &limits)).ok(), Some(want));
        }
    }
}
