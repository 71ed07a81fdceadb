//! RAR archives: headers of RAR 1.5 to 4 ("RAR version 4.20, technical information") and of RAR 5 ("RAR 5.0 archive
//! format"). The data between them is stepped over.

use super::{Listing, vint};
use crate::extract::{Facts, Input, Parsed};

/// Bytes of a name that are kept.
const NAME: u64 = 4096;
/// Bytes of one header: the technote allows 2 MiB, writers stay below 64 KiB.
const HEADER: u64 = 2 << 20;

/// Lists the archive; the cursor stands at the signature.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut listing = Listing::default();
    let most = facts.content_room();
    if input.peek_array::<4>("signature")? == *b"RE~^" {
        return Err(input.malformed("an archive of RAR 1.4 or older, whose headers are not read"));
    }
    input.skip(6, "signature")?;
    let result = if input.u8("signature")? == 0 {
        four(input, &mut listing, most)
    } else {
        input.skip(1, "signature")?;
        five(input, &mut listing, most)
    };
    listing.publish(input, facts);
    result
}

/// Blocks of RAR 4: CRC, type, flags, size of the header; the size of the data behind it if flag 0x8000 is set.
fn four(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    while input.remaining() >= 7 {
        input.entry()?;
        let at = input.position();
        input.skip(2, "header CRC")?;
        let (kind, flags, size) = (input.u8("block type")?, input.u16_le("flags")?, input.u16_le("header size")?);
        if !(0x72..=0x7B).contains(&kind) || size < 7 {
            return Err(
                input.malformed_at(at, format!("expected a block of type 0x72 to 0x7B, got {kind:#x} of {size} bytes"))
            );
        }
        let mut data = if flags & 0x8000 != 0 { u64::from(input.u32_le("data size")?) } else { 0 };
        match kind {
            // Main header: flag 0x80 says that all headers are encrypted.
            0x73 if flags & 0x80 != 0 => {
                listing.encrypted = true;
                return Ok(());
            }
            0x74 => data = file_of_four(input, listing, most, flags, data)?,
            0x7B => return Ok(()),
            _ => {}
        }
        input.seek(at.saturating_add(u64::from(size)).saturating_add(data), "next block")?;
    }
    Ok(())
}

/// A file header, behind its packed size. Returns the size of its data, with the high half that flag 0x100 adds.
fn file_of_four(input: &mut Input<'_>, listing: &mut Listing, most: usize, flags: u16, packed: u64) -> Parsed<u64> {
    let mut unpacked = u64::from(input.u32_le("unpacked size")?);
    input.skip(11, "file header")?;
    let name_len = u64::from(input.u16_le("name length")?);
    let attributes = input.u32_le("attributes")?;
    let mut data = packed;
    if flags & 0x100 != 0 {
        data = data.saturating_add(u64::from(input.u32_le("high half")?).saturating_mul(1 << 32));
        unpacked = unpacked.saturating_add(u64::from(input.u32_le("high half")?).saturating_mul(1 << 32));
    }
    let name = input.take(name_len.min(NAME), "name")?;
    // With flag 0x200 an ASCII name comes first, behind a zero the differences to the Unicode one.
    let plain = name.split(|byte| *byte == 0).next().unwrap_or(&[]);
    // A folder has all bits of the dictionary size set, in RAR 1.5 only the attribute.
    let folder = flags & 0xE0 == 0xE0 || attributes & 0x10 != 0 && packed == 0 && unpacked == 0;
    listing.encrypted |= flags & 0x04 != 0;
    // A part that continues from the volume before was counted there.
    if flags & 0x01 == 0 {
        listing.add(&String::from_utf8_lossy(plain).replace('\\', "/"), folder, unpacked, most);
    }
    Ok(data)
}

/// Blocks of RAR 5: CRC, size of the header, type, flags, maybe sizes of the extra area and of the data.
fn five(input: &mut Input<'_>, listing: &mut Listing, most: usize) -> Parsed<()> {
    while input.remaining() >= 7 {
        input.entry()?;
        input.skip(4, "header CRC")?;
        let size = vint::read(input, "header size")?;
        let start = input.position();
        if size == 0 || size > HEADER {
            return Err(input.malformed_at(start, format!("expected a header of 1 to {HEADER} bytes, got {size}")));
        }
        let (kind, flags) = (vint::read(input, "header type")?, vint::read(input, "header flags")?);
        let extra = if flags & 1 != 0 { vint::read(input, "extra area size")? } else { 0 };
        let data = if flags & 2 != 0 { vint::read(input, "data size")? } else { 0 };
        let end = start.saturating_add(size);
        match kind {
            2 => {
                let part = input.position()..end;
                let from = end.saturating_sub(extra);
                // Flag 8: the data continues from the volume before.
                let counted = flags & 8 == 0;
                input.within(part, "file header", |input| file_of_five(input, listing, most, from, counted))?;
            }
            4 => {
                listing.encrypted = true;
                return Ok(());
            }
            5 => return Ok(()),
            _ => {}
        }
        input.seek(end.saturating_add(data), "next block")?;
    }
    Ok(())
}

fn file_of_five(input: &mut Input<'_>, listing: &mut Listing, most: usize, extra: u64, counted: bool) -> Parsed<()> {
    let flags = vint::read(input, "file flags")?;
    let unpacked = vint::read(input, "unpacked size")?;
    vint::read(input, "attributes")?;
    let skipped = (if flags & 2 != 0 { 4_u64 } else { 0 }).saturating_add(if flags & 4 != 0 { 4 } else { 0 });
    input.skip(skipped, "time and CRC")?;
    vint::read(input, "compression")?;
    vint::read(input, "host system")?;
    let len = vint::read(input, "name length")?;
    let name = input.take(len.min(NAME), "name")?;
    if counted {
        // Flag 8: the size is not known.
        let unpacked = if flags & 8 != 0 { 0 } else { unpacked };
        listing.add(&String::from_utf8_lossy(&name), flags & 1 != 0, unpacked, most);
    }
    input.seek(extra, "extra area")?;
    while input.remaining() >= 2 {
        let size = vint::read(input, "record size")?;
        let next = input.position().saturating_add(size);
        // Record 1: file encryption.
        listing.encrypted |= vint::read(input, "record type")? == 1;
        input.seek(next, "next record")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, listed, survives};
    use super::*;

    fn block5(kind: u8, flags: u8, rest: &[u8], data: &[u8]) -> Vec<u8> {
        let body = [&[kind, flags][..], rest].concat();
        [&[0, 0, 0, 0, body.len() as u8][..], &body, data].concat()
    }

    fn file5(name: &str, flags: u8, size: u8, extra: &[u8]) -> Vec<u8> {
        let fixed = [&[flags, size, 0, 0, 1, name.len() as u8][..], name.as_bytes(), extra].concat();
        let sizes: &[u8] = if extra.is_empty() { &[3] } else { &[extra.len() as u8, 3] };
        block5(2, 2 | u8::from(!extra.is_empty()), &[sizes, &fixed].concat(), b"abc")
    }

    #[test]
    fn five_lists_files_folders_and_encryption() {
        let end = block5(5, 0, &[0], b"");
        let head = [&b"Rar!\x1A\x07\x01\0"[..], &block5(1, 0, &[0], b"")].concat();
        let plain = [&head[..], &file5("d", 1, 0, &[]), &file5("d/x", 0, 100, &[]), &end].concat();
        assert_eq!(listed(parse, &plain), (2, 1, 100, "false".into()));
        assert_eq!(facts(parse, &plain).content, "d\nd/x");
        let locked = [&head[..], &file5("x", 0, 5, &[2, 1, 0]), &end].concat();
        assert_eq!(listed(parse, &locked), (1, 0, 5, "true".into()));
        let hidden = [&b"Rar!\x1A\x07\x01\0"[..], &block5(4, 0, &[0, 0, 15], &[0; 40])].concat();
        assert_eq!(listed(parse, &hidden), (0, 0, 0, "true".into()));
        survives(parse, &plain);
    }

    #[test]
    fn four_lists_files_and_encryption() {
        let block = |kind: u8, flags: u16, rest: &[u8]| {
            let size = (7 + rest.len()) as u16;
            [&[0, 0, kind][..], &flags.to_le_bytes(), &size.to_le_bytes(), rest].concat()
        };
        let file = |name: &str, flags: u16| {
            let fixed =
                [&3_u32.to_le_bytes()[..], &9_u32.to_le_bytes(), &[0; 11], &(name.len() as u16).to_le_bytes(), &[0; 4]];
            [block(0x74, flags | 0x8000, &[&fixed.concat()[..], name.as_bytes()].concat()), b"abc".to_vec()].concat()
        };
        let head = [&b"Rar!\x1A\x07\0"[..], &block(0x73, 0, &[0; 6])].concat();
        let data = [&head[..], &file("a\\x", 0), &file("d", 0xE0), &file("y", 4), &block(0x7B, 0, &[])].concat();
        assert_eq!(listed(parse, &data), (3, 1, 27, "true".into()));
        assert_eq!(facts(parse, &data).content, "a/x\nd\ny");
        let hidden = [&b"Rar!\x1A\x07\0"[..], &block(0x73, 0x80, &[0; 6]), &[7; 100]].concat();
        assert_eq!(listed(parse, &hidden), (0, 0, 0, "true".into()));
        survives(parse, &data);
    }
}
