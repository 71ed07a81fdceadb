//! Tar archives: ustar and pax (POSIX.1-2001, "pax Interchange Format"), GNU's and older ones.

use super::Listing;
use crate::extract::{Facts, Input, Parsed};

/// Everything is a multiple of this.
const BLOCK: u64 = 512;
/// Bytes of a long name or a pax record that are read.
const LONG: u64 = 64 << 10;

/// What the headers before an entry say of it.
#[derive(Default)]
struct Ahead {
    name: Option<String>,
    size: Option<u64>,
}

/// Walks the headers.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut listing = Listing::default();
    let most = facts.content_room();
    let result = walk(input, &mut listing, most);
    listing.publish(input, facts);
    result
}

fn walk(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    let mut ahead = Ahead::default();
    while input.remaining() >= BLOCK {
        input.entry()?;
        let at = input.position();
        let header: [u8; 512] = input.array_alone("tar header")?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if !sum_is_right(&header) {
            return Err(input.malformed_at(at, "expected a tar header, its checksum is wrong"));
        }
        let size = number(header.get(124..136).unwrap_or(&[]));
        let kind = header.get(156).copied().unwrap_or(0);
        let data = input.position();
        // The size in a pax record counts for the entry that follows it.
        let size = if matches!(kind, b'x' | b'g' | b'L' | b'K') { size } else { ahead.size.unwrap_or(size) };
        match kind {
            b'x' => records(input, size, &mut ahead)?,
            b'L' => ahead.name = Some(text(&input.take_up_to(size.min(LONG))?)),
            b'g' | b'K' => {}
            _ => {
                let entry = std::mem::take(&mut ahead);
                let name = entry.name.unwrap_or_else(|| name(&header));
                let folder = kind == b'5' || name.ends_with('/');
                // Only plain files have data; the size of a link is that of its target.
                let unpacked = if matches!(kind, 0 | b'0' | b'7' | b'S') { size } else { 0 };
                listing.add(&name, folder, unpacked, most);
            }
        }
        let stored = if matches!(kind, b'1' | b'2' | b'3' | b'4' | b'5' | b'6') { 0 } else { size };
        let next = data.saturating_add(stored.div_ceil(BLOCK).saturating_mul(BLOCK));
        input.seek(next, "the entry after this one")?;
    }
    Ok(())
}

/// Records `LENGTH KEY=VALUE\n` (section "pax Extended Header").
fn records(input: &mut Input<'_>, size: u64, ahead: &mut Ahead) -> Parsed<()> {
    let bytes = input.take_up_to(size.min(LONG))?;
    let mut rest = bytes.as_slice();
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        input.tick()?;
        let len = std::str::from_utf8(rest.get(..space).unwrap_or(&[])).ok().and_then(|len| len.parse::<usize>().ok());
        let Some((record, after)) = len.filter(|len| *len > space).and_then(|len| rest.split_at_checked(len)) else {
            break;
        };
        let body = text(record.get(space.saturating_add(1)..).unwrap_or(&[]));
        match body.trim_end_matches('\n').split_once('=') {
            Some(("path", name)) => ahead.name = Some(name.to_owned()),
            Some(("size", size)) => ahead.size = size.parse().ok(),
            _ => {}
        }
        rest = after;
    }
    Ok(())
}

/// The checksum is the sum of the header's bytes, its own field taken as spaces.
fn sum_is_right(header: &[u8; 512]) -> bool {
    let sum =
        |from: usize, to: usize| header.get(from..to).unwrap_or(&[]).iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let total = sum(0, 148).saturating_add(sum(156, 512)).saturating_add(8 * 0x20);
    number(header.get(148..156).unwrap_or(&[])) == total
}

/// Octal digits, or a binary number behind a first byte of 0x80 (GNU).
fn number(field: &[u8]) -> u64 {
    match field.split_first() {
        Some((0x80, rest)) => {
            rest.iter().fold(0_u64, |sum, byte| sum.saturating_mul(256).saturating_add(u64::from(*byte)))
        }
        _ => {
            let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| (b'0'..=b'7').contains(byte));
            digits.fold(0_u64, |sum, byte| sum.saturating_mul(8).saturating_add(u64::from(byte.saturating_sub(b'0'))))
        }
    }
}

/// The name, behind the prefix that ustar has for long ones.
fn name(header: &[u8; 512]) -> String {
    let name = text(header.get(..100).unwrap_or(&[]));
    let prefix = header.get(257..263).filter(|magic| *magic == b"ustar\0").and_then(|_| header.get(345..500));
    match prefix.map(text).filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}/{name}"),
        None => name,
    }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, listed, survives};
    use super::*;

    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut header = vec![0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = kind;
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let mut bytes = [header, content.to_vec()].concat();
        bytes.resize(bytes.len().div_ceil(512) * 512, 0);
        bytes
    }

    #[test]
    fn entries_of_every_kind() {
        let record = b"30 path=a/very/long/name.txt.\n";
        let data = [
            entry("dir/", b'5', b""),
            entry("pax", b'x', record),
            entry("short", b'0', b"12345"),
            entry("././@LongLink", b'L', b"gnu/long/name\0"),
            entry("gnu", b'0', &[1; 700]),
            entry("link", b'2', b""),
            vec![0; 1024],
        ]
        .concat();
        assert_eq!(listed(parse, &data), (4, 1, 705, "false".into()));
        assert_eq!(facts(parse, &data).content, "dir/\na/very/long/name.txt.\ngnu/long/name\nlink");
        survives(parse, &entry("a", b'0', b"x"));
    }

    #[test]
    fn sizes_beyond_octal() {
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0x12, 0, 0, 0, 0]), 0x12_0000_0000);
        assert_eq!(number(b"00000000017\0"), 15);
        assert_eq!(number(b"   17 \0"), 15);
    }
}
