//! APE tags, versions 1 and 2 (wiki.hydrogenaud.io, "APEv2 specification"): items in front of a footer at the end.

use super::covers;
use super::tags::{Found, Tag};
use crate::extract::{Facts, Input, Parsed};

const MARK: [u8; 8] = *b"APETAGEX";
/// Bytes of a footer, and of a header.
const FOOTER: u64 = 32;
/// Longest text that is read.
const TEXT: u64 = 64 << 10;

/// Reads the tag whose footer ends at `end`, if one does. Where the sound ends: in front of the tag.
pub(super) fn read(input: &mut Input<'_>, end: u64, facts: &mut Facts) -> Parsed<u64> {
    let Some(footer) = end.checked_sub(FOOTER) else { return Ok(end) };
    input.seek(footer, "APE tag")?;
    if input.array::<8>("APE mark")? != MARK {
        return Ok(end);
    }
    input.skip(4, "version")?;
    // The items and this footer.
    let size = u64::from(input.u32_le("size of the tag")?);
    let (count, flags) = (input.u32_le("number of items")?, input.u32_le("flags")?);
    let Some(start) = end.checked_sub(size).filter(|_| size >= FOOTER) else {
        return Err(input.malformed_at(footer, format!("expected an APE tag of at most {end} bytes, got {size}")));
    };
    let outer = input.format();
    input.set_format("ape tag");
    input.seek(start, "APE items")?;
    let read = input.within(start..footer, "APE items", |input| items(input, count, facts));
    input.set_format(outer);
    facts.tolerate(read)?;
    Ok(if flags & 0x8000_0000 != 0 { start.saturating_sub(FOOTER) } else { start })
}

fn items(input: &mut Input<'_>, count: u32, facts: &mut Facts) -> Parsed<()> {
    let mut found = Found::default();
    for _ in 0..count {
        if input.remaining() < 9 {
            break;
        }
        input.entry()?;
        let (size, flags) = (input.u32_le("size of an item")?, input.u32_le("flags of an item")?);
        let key = key(input)?;
        let offset = input.position();
        let part = offset..offset.saturating_add(size.into());
        let read = input.within(part, "item", |input| match (flags >> 1) & 3 {
            0 => {
                let bytes = input.take_up_to(TEXT)?;
                if let Some(tag) = Tag::of_comment(&key) {
                    String::from_utf8_lossy(&bytes).split('\0').for_each(|value| found.add(tag, value, offset));
                }
                Ok(())
            }
            1 if key.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("cover art")) => {
                // The name of a file, then the picture.
                let name = input.peek_up_to(1024)?.iter().position(|byte| *byte == 0);
                let name = name.map_or(0, |at| u64::try_from(at.saturating_add(1)).unwrap_or(0));
                input.skip(name, "name of the picture")?;
                covers::cover(input, facts)
            }
            _ => Ok(()),
        });
        facts.tolerate(read)?;
    }
    found.publish(input.format(), facts);
    Ok(())
}

/// A name of 2 to 255 ASCII characters, ended by a zero.
fn key(input: &mut Input<'_>) -> Parsed<String> {
    let bytes = input.peek_up_to(256)?;
    let Some(len) = bytes.iter().position(|byte| *byte == 0) else {
        return Err(input.malformed("expected the name of an item of at most 255 bytes"));
    };
    let key = String::from_utf8_lossy(bytes.get(..len).unwrap_or(&[])).into_owned();
    input.skip(u64::try_from(len).unwrap_or(0).saturating_add(1), "name of an item")?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Group;
    use crate::extract::tried::{facts_of, survives};

    fn whole(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        let end = input.file_len();
        read(input, end, facts).map(|_| ())
    }

    #[test]
    fn texts_and_a_cover() {
        let item = |flags: u32, key: &str, value: &[u8]| {
            let len = u32::try_from(value.len()).unwrap();
            [&len.to_le_bytes()[..], &flags.to_le_bytes(), key.as_bytes(), &[0], value].concat()
        };
        let items = [
            item(0, "Title", b"Song"),
            item(0, "artist", b"A\0B"),
            item(2, "Cover Art (Front)", b"x.gif\0GIF89a\x03\0\x04\0"),
        ]
        .concat();
        let size = u32::try_from(items.len() + 32).unwrap();
        let numbers: Vec<u8> = [2000, size, 3, 0, 0, 0].iter().flat_map(|n: &u32| n.to_le_bytes()).collect();
        let data = [vec![0; 50], items, MARK.to_vec(), numbers].concat();
        let facts = facts_of(whole, &data);
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"A; B".into()));
        assert_eq!(facts.audio_covers, [(3, 4)]);
        survives(whole, &data, 400);
    }
}
