//! What only a maker's own data says and users look for: how Apple ties the parts of a live photo or a burst together.

use crate::extract::container::tiff::{Entry, Tiff, Values};
use crate::extract::embedded::decode;
use crate::extract::{Facts, Group, Input, Parsed};

/// How Apple's data begins: its name, a version, the byte order. A directory follows; offsets count from the name.
const APPLE: &[u8; 14] = b"Apple iOS\0\0\x01MM";

/// Tags of Apple's directory (as found in pictures of iOS; Apple does not publish them).
static TAGS: &[(u16, &str)] = &[(0x000B, "BurstUUID"), (0x0011, "ContentIdentifier")];

/// Reads the data that `entry` holds; of other makers' nothing.
pub(super) fn parse(input: &mut Input<'_>, facts: &mut Facts, entry: &Entry) -> Parsed<()> {
    let end = entry.at.saturating_add(entry.size());
    if entry.size() < u64::try_from(APPLE.len()).unwrap_or(0) {
        return Ok(());
    }
    input.within(entry.at..end, "maker note", |input| {
        let at = input.position();
        if input.array("maker")? != *APPLE {
            return Ok(());
        }
        let tiff = Tiff::headless(at, false);
        let directory = tiff.directory(input, input.position().saturating_sub(at))?;
        for entry in &directory.entries {
            let Some((_, name)) = TAGS.iter().find(|(tag, _)| *tag == entry.tag) else { continue };
            if let Some(Values::Text(text)) = facts.tolerate(tiff.value(input, entry))? {
                facts.add(input.format(), Group::Maker, *name, entry.at, decode(&text));
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::embedded::exif::{self, tests::block_of};
    use crate::extract::{Datum, Limits};

    #[test]
    fn the_identifier_of_a_live_photo() {
        let mut note = APPLE.to_vec();
        note.extend(b"\0\x01\0\x11\0\x02\0\0\0\x05\0\0\0\x20\0\0\0\0A-1!\0");
        let data = block_of([&[], &[(0x927C, 7, note.len() as u32, note)], &[]]);
        let mut facts = Facts::new(&Limits::default());
        exif::parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Maker, "ContentIdentifier"), Some(&Datum::from("A-1!")));
        assert_eq!(facts.warnings, []);
    }
}
