//! Single packed files: gzip, bzip2, xz, Zstandard, LZ4. How large they are when unpacked, where the format says so.

use super::vint;
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Bytes of a name that are read.
const NAME: u64 = 4096;
/// Streams that one xz file may be joined of.
const STREAMS: u32 = 64;

fn unpacked(input: &Input<'_>, facts: &mut Facts, at: u64, size: u64) {
    facts.add(input.format(), Group::Archive, "UnpackedSize", at, i64::try_from(size).unwrap_or(i64::MAX));
}

/// RFC 1952, 2.3: name and time in the header; the size, modulo 2^32, at the end.
pub fn gzip(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(3, "header")?;
    let (flags, time) = (input.u8("flags")?, input.u32_le("time")?);
    input.skip(2, "header")?;
    if flags & 4 != 0 {
        let extra = u64::from(input.u16_le("extra field")?);
        input.skip(extra, "extra field")?;
    }
    if flags & 8 != 0 {
        let at = input.position();
        let bytes = input.take_up_to(NAME)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let name = super::latin1(bytes.get(..end).unwrap_or(&[]));
        facts.add(input.format(), Group::Archive, "FileName", at, name.as_str());
        facts.set_content(name);
    }
    let moment = Moment::since_1970(i64::from(time)).filter(|_| time != 0);
    moment.into_iter().for_each(|at| facts.add(input.format(), Group::Time, "Modified", 4, at));
    // Ten bytes of header, two of an empty block, eight at the end.
    if input.end() >= 20 {
        let at = input.end().saturating_sub(4);
        input.seek(at, "size")?;
        let size = u64::from(input.u32_le("size")?);
        unpacked(input, facts, at, size);
    }
    Ok(())
}

/// bzip2 does not say how much it holds.
pub fn bzip2(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(3, "signature")?;
    let level = input.u8("block size")?;
    facts.add(
        input.format(),
        Group::Archive,
        "BlockSize",
        3,
        i64::from(level.saturating_sub(b'0')).saturating_mul(100_000),
    );
    Ok(())
}

/// xz file format 1.2: each stream ends in a footer (2.1.2), which says how long the index before it is (4.3).
pub fn xz(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let (mut end, mut total) = (input.end(), 0_u64);
    for _ in 0..STREAMS {
        let footer = end.saturating_sub(12);
        input.seek(footer, "stream footer")?;
        input.skip(4, "footer CRC")?;
        let index = u64::from(input.u32_le("backward size")?).saturating_add(1).saturating_mul(4);
        input.skip(2, "stream flags")?;
        if input.array::<2>("footer magic")? != *b"YZ" {
            return Err(input.malformed_at(footer, "expected a stream footer that ends in \"YZ\""));
        }
        let start = footer.saturating_sub(index);
        let blocks = input.within(start..footer, "index", |input| records(input, &mut total))?;
        // Before the index: the blocks, and the header of 12 bytes.
        end = start.saturating_sub(blocks).saturating_sub(12);
        if end < 32 {
            break;
        }
    }
    unpacked(input, facts, end, total);
    Ok(())
}

/// Adds up the unpacked sizes; returns the packed ones, each padded to four bytes.
fn records(input: &mut Input<'_>, total: &mut u64) -> Parsed<u64> {
    if input.u8("index indicator")? != 0 {
        return Err(input.malformed("expected the index indicator 0"));
    }
    let count = vint::read(input, "number of records")?;
    let mut packed = 0_u64;
    for _ in 0..count {
        input.entry()?;
        let size = vint::read(input, "packed size")?;
        packed = packed.saturating_add(size.div_ceil(4).saturating_mul(4));
        *total = total.saturating_add(vint::read(input, "unpacked size")?);
    }
    Ok(packed)
}

/// RFC 8878, 3.1.1: the first frame's content size; skippable frames (3.1.2) before it are passed over.
pub fn zstd(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut magic = input.u32_le("magic")?;
    while (0x184D_2A50..=0x184D_2A5F).contains(&magic) {
        input.entry()?;
        let size = u64::from(input.u32_le("frame size")?);
        input.skip(size, "skippable frame")?;
        magic = input.u32_le("magic")?;
    }
    let at = input.position();
    let descriptor = input.u8("frame header")?;
    let single = descriptor & 0x20 != 0;
    if !single {
        input.skip(1, "window descriptor")?;
    }
    input.skip([0_u64, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0), "dictionary ID")?;
    let size = match descriptor.checked_shr(6).unwrap_or(0) {
        0 if single => u64::from(input.u8("content size")?),
        0 => return Ok(()),
        1 => u64::from(input.u16_le("content size")?).saturating_add(256),
        2 => u64::from(input.u32_le("content size")?),
        _ => input.u64_le("content size")?,
    };
    unpacked(input, facts, at, size);
    Ok(())
}

/// LZ4 frame format 1.6.4: flag 0x08 says that the content size follows.
pub fn lz4(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(4, "magic")?;
    let flags = input.u8("FLG byte")?;
    input.skip(1, "BD byte")?;
    if flags & 8 != 0 {
        let size = input.u64_le("content size")?;
        unpacked(input, facts, 6, size);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, survives};
    use super::*;
    use crate::extract::{Datum, Parse};

    fn size(parse: Parse, data: &[u8]) -> Option<i64> {
        match facts(parse, data).find(Group::Archive, "UnpackedSize") {
            Some(Datum::Int(size)) => Some(*size),
            _ => None,
        }
    }

    #[test]
    fn sizes_where_the_format_says_them() {
        let gz = [&b"\x1F\x8B\x08\x08\x01\0\0\0\0\x03name\0\x03\0"[..], &[0; 4], &1234_u32.to_le_bytes()].concat();
        assert_eq!(size(gzip, &gz), Some(1234));
        assert_eq!(facts(gzip, &gz).find(Group::Archive, "FileName"), Some(&Datum::from("name")));
        // Header, one block of 8 bytes, index with one record (8 packed, 300 unpacked), footer.
        let index = [0, 1, 8, 0xAC, 2, 0, 0, 0, 1, 2, 3, 4];
        let tail = [&index[..], &[0; 4], &2_u32.to_le_bytes(), &[0, 4], b"YZ"].concat();
        let one = [&b"\xFD7zXZ\0\0\x04\0\0\0\0"[..], &[0; 8], &tail].concat();
        assert_eq!(size(xz, &one), Some(300));
        assert_eq!(size(xz, &one.repeat(2)), Some(600));
        assert_eq!(size(zstd, b"\x28\xB5\x2F\xFD\x20\x05"), Some(5));
        assert_eq!(size(zstd, b"\x50\x2A\x4D\x18\x02\0\0\0ab\x28\xB5\x2F\xFD\x60\x05\0"), Some(261));
        assert_eq!(size(zstd, b"\x28\xB5\x2F\xFD\0\0"), None);
        assert_eq!(size(lz4, b"\x04\x22\x4D\x18\x68\x40\x07\0\0\0\0\0\0\0\0"), Some(7));
        for (parse, data) in [(gzip as Parse, &gz), (xz, &one)] {
            survives(parse, data);
        }
    }
}
