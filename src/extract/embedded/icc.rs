//! Colour profiles (ICC.1:2022): what the header says, and the profile's name.

use super::utf16;
use crate::extract::{Facts, Group, Input, Parsed};

const FORMAT: &str = "icc";
/// Bytes of a profile that are looked at: the texts stand before the tables in all profiles seen, and tables are large.
const MOST: u64 = 64 << 10;
/// Bytes of the header (7.2).
const HEADER: usize = 128;
/// Entries of the tag table that are looked at; profiles have about twenty.
const TAGS: usize = 100;

/// Reads the profile, or as much of it as the innermost part holds.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    super::block(input, facts, FORMAT, |input, facts| {
        let at = input.position();
        let bytes = input.take_up_to(MOST)?;
        profile(input, facts, at, &bytes)
    })
}

/// Reads a profile that lies in memory and was found at `at`.
pub(in crate::extract) fn profile(input: &Input<'_>, facts: &mut Facts, at: u64, bytes: &[u8]) -> Parsed<()> {
    if bytes.get(36..40) != Some(b"acsp") {
        return Err(input.malformed_at(at, "expected a colour profile with the signature acsp at its byte 36"));
    }
    let format = input.format();
    let mut code = |tag: &'static str, from: usize| {
        let bytes = bytes.get(from..from.saturating_add(4)).unwrap_or(&[]);
        facts.add(format, Group::Icc, tag, at, String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned());
    };
    // 7.2.5 to 7.2.7.
    code("ProfileClass", 12);
    code("ColorSpace", 16);
    code("ConnectionSpace", 20);
    // 7.2.4: major version; minor and fix in four bits each.
    if let Some([major, minor]) = bytes.get(8..10) {
        facts.add(format, Group::Icc, "Version", at, format!("{major}.{}.{}", minor >> 4, minor & 0xF));
    }
    for (signature, tag) in [(*b"desc", "ProfileDescription"), (*b"cprt", "ProfileCopyright")] {
        if let Some(text) = element(bytes, signature).and_then(text) {
            facts.add(format, Group::Icc, tag, at, text);
        }
    }
    Ok(())
}

#[expect(clippy::big_endian_bytes, reason = "profiles are big-endian (ICC.1:2022, 7.1)")]
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
}

/// The bytes of a tagged element (7.3): a table of signature, offset and size.
fn element(bytes: &[u8], signature: [u8; 4]) -> Option<&[u8]> {
    let count = number(bytes, HEADER)?.min(TAGS);
    let table = bytes.get(HEADER.checked_add(4)?..)?;
    let entry = table.as_chunks::<12>().0.iter().take(count).find(|entry| entry.starts_with(&signature))?;
    let (start, len) = (number(entry, 4)?, number(entry, 8)?);
    let end = start.checked_add(len)?.min(bytes.len());
    bytes.get(start..end)
}

/// The text of an element: `desc` of version 2 (ICC.1:2001, 6.5.17), `text` (10.24) or `mluc` (10.15).
fn text(element: &[u8]) -> Option<String> {
    match element.get(..4)? {
        b"desc" => {
            let len = number(element, 8)?;
            let text = element.get(12..12_usize.checked_add(len)?.min(element.len()))?;
            Some(super::decode(text.split(|byte| *byte == 0).next()?))
        }
        b"text" => Some(super::decode(element.get(8..)?.split(|byte| *byte == 0).next()?)),
        b"mluc" => {
            let records = element.get(16..)?.as_chunks::<12>().0.iter().take(number(element, 8)?.min(TAGS));
            // English where there is a choice, as every tool shows it; else the first.
            let english = records.clone().find(|record| record.starts_with(b"en"));
            let record = english.or(records.clone().next())?;
            let (len, start) = (number(record, 4)?, number(record, 8)?);
            Some(utf16(element.get(start..start.checked_add(len)?.min(element.len()))?, false))
        }
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the format under test is big-endian")]
pub(in crate::extract) mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    /// A profile whose name is `element`.
    pub(in crate::extract) fn profile_of(element: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[8..10].copy_from_slice(&[4, 0x30]);
        bytes[12..24].copy_from_slice(b"mntrRGB XYZ ");
        bytes[36..40].copy_from_slice(b"acsp");
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(b"desc");
        bytes.extend(144_u32.to_be_bytes());
        bytes.extend((element.len() as u32).to_be_bytes());
        bytes.extend(element);
        bytes
    }

    fn name(element: &[u8]) -> Option<Datum> {
        let data = profile_of(element);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Icc, "ColorSpace"), Some(&Datum::from("RGB")));
        assert_eq!(facts.find(Group::Icc, "Version"), Some(&Datum::from("4.3.0")));
        facts.find(Group::Icc, "ProfileDescription").cloned()
    }

    #[test]
    fn names_of_both_versions() {
        assert_eq!(name(b"desc\0\0\0\0\0\0\0\x05sRGB\0......"), Some(Datum::from("sRGB")));
        let record = |lang: &[u8; 4], len: u32, at: u32| [&lang[..], &len.to_be_bytes(), &at.to_be_bytes()].concat();
        let both = [record(b"deDE", 2, 40), record(b"enUS", 4, 42)].concat();
        let element = [&b"mluc\0\0\0\0\0\0\0\x02\0\0\0\x0C"[..], &both, b"\0d\0e\0n"].concat();
        assert_eq!(name(&element), Some(Datum::from("en")));
        assert_eq!(name(b"desc\0\0\0\0\xFF\xFF\xFF\xFFcut"), Some(Datum::from("cut")));
        assert_eq!(name(b"mluc\0\0\0\0\xFF\xFF\xFF\xFF"), None);
    }

    #[test]
    fn what_is_no_profile_is_told() {
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&vec![0; 200], &Limits::default()), &mut facts).unwrap();
        assert_eq!((facts.facts.len(), facts.warnings.len()), (0, 1));
    }
}
