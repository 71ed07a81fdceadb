//! Paint Shop Pro (PSP file format 8, chapters 2 to 4): blocks of a mark, a number and a length; the first has the size.

use crate::extract::embedded::{decode, exif};
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Blocks with who made the picture, and with EXIF (chapter 3, "Block identifiers").
const CREATOR: u16 = 1;
const EXTENDED: u16 = 10;
/// Bytes of the file's own header, with the version.
const HEADER: u64 = 32 + 4;
/// Bytes of a text.
const TEXT: u64 = 1024;

/// Reads the image's attributes and the blocks behind them.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(32, "signature")?;
    let version = input.u16_le("version")?;
    input.seek(HEADER, "first block")?;
    // Before version 4 the length of a block's first part stands in its header, later inside the block.
    let old = version < 4;
    while input.remaining() > 10 {
        input.entry()?;
        if input.array("mark of a block")? != *b"~BK\0" {
            return Err(input.malformed("expected the mark of a block"));
        }
        let kind = input.u16_le("kind of block")?;
        if old {
            input.skip(4, "length of the first part")?;
        }
        let len = u64::from(input.u32_le("length of a block")?);
        let start = input.position();
        let read = input.within(start..start.saturating_add(len), "block", |input| match kind {
            0 => attributes(input, facts, old),
            CREATOR => fields(input, facts, creator),
            EXTENDED => fields(input, facts, extended),
            _ => Ok(()),
        });
        facts.tolerate(read)?;
    }
    Ok(())
}

/// Chapter 4, "General image attributes block".
fn attributes(input: &mut Input<'_>, facts: &mut Facts, old: bool) -> Parsed<()> {
    if !old {
        input.skip(4, "length of the first part")?;
    }
    let at = input.position();
    let (width, height) = (input.u32_le("width")?, input.u32_le("height")?);
    super::size(input, facts, at, width, height);
    input.skip(8 + 1 + 2, "resolution and compression")?;
    let bits = input.u16_le("bits of a pixel")?;
    super::field(input, facts, at, "BitsPerPixel", u32::from(bits));
    Ok(())
}

/// Reads one field: its number, then its bytes.
type Field = fn(&mut Input<'_>, &mut Facts, u16) -> Parsed<()>;

fn fields(input: &mut Input<'_>, facts: &mut Facts, read: Field) -> Parsed<()> {
    while input.remaining() > 10 && input.array("mark of a field")? == *b"~FL\0" {
        input.entry()?;
        let kind = input.u16_le("kind of field")?;
        let len = u64::from(input.u32_le("length of a field")?);
        let start = input.position();
        input.within(start..start.saturating_add(len), "field", |input| read(input, facts, kind))?;
    }
    Ok(())
}

/// Chapter 4, "Creator data block".
fn creator(input: &mut Input<'_>, facts: &mut Facts, kind: u16) -> Parsed<()> {
    let at = input.position();
    if matches!(kind, 1 | 2) {
        let seconds = i64::from(input.u32_le("time")?);
        let tag = if kind == 1 { "Created" } else { "Modified" };
        let moment = Moment::since_1970(seconds).filter(|_| seconds > 0);
        moment.into_iter().for_each(|moment| facts.add(input.format(), Group::Time, tag, at, moment));
        return Ok(());
    }
    let (group, tag) = match kind {
        0 => (Group::Tag, "Title"),
        3 => (Group::Tag, "Artist"),
        4 => (Group::Header, "Copyright"),
        5 => (Group::Header, "Description"),
        _ => return Ok(()),
    };
    let bytes = input.take_up_to(TEXT)?;
    facts.add(input.format(), group, tag, at, decode(&bytes));
    Ok(())
}

fn extended(input: &mut Input<'_>, facts: &mut Facts, kind: u16) -> Parsed<()> {
    if kind == 3 { exif::identified(input, facts) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Datum;
    use crate::extract::tried::{facts_of, survives};

    fn field(kind: u16, body: &[u8]) -> Vec<u8> {
        [&b"~FL\0"[..], &kind.to_le_bytes(), &(body.len() as u32).to_le_bytes(), body].concat()
    }

    fn sample(version: u16) -> Vec<u8> {
        let block = |kind: u16, body: &[u8]| {
            let first: &[u8] = if version < 4 { &[0; 4] } else { &[] };
            [&b"~BK\0"[..], &kind.to_le_bytes(), first, &(body.len() as u32).to_le_bytes(), body].concat()
        };
        let first: &[u8] = if version < 4 { &[] } else { &[46, 0, 0, 0] };
        let image = [first, &[64, 1, 0, 0, 240, 0, 0, 0], &[0; 11], &[24, 0]].concat();
        let who = [field(3, b"Phil"), field(1, &1_000_000_000_u32.to_le_bytes())].concat();
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let more = field(3, &[b"Exif\0\0", tiff.as_slice()].concat());
        let mut data = b"Paint Shop Pro Image File\n\x1A".to_vec();
        data.resize(32, 0);
        data.extend([version.to_le_bytes(), [0, 0]].concat());
        [data, block(0, &image), block(CREATOR, &who), block(EXTENDED, &more)].concat()
    }

    #[test]
    fn old_and_new_files() {
        for version in [3, 10] {
            let facts = facts_of(parse, &sample(version));
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)), "{version}");
            assert_eq!(facts.find(Group::Header, "BitsPerPixel"), Some(&Datum::Int(24)));
            assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Phil".into()));
            assert!(facts.find(Group::Time, "Created").is_some());
            assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
            survives(parse, &sample(version), 400);
        }
    }
}
