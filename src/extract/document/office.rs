//! Word, Excel and PowerPoint before their packages: the property sets of compound files (MS-OLEPS).

use super::{say, say_keywords};
use crate::extract::container::ole;
use crate::extract::{Facts, Group, Input, Moment, Parsed};
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};

/// Bytes of a property set.
const MOST: u64 = 256 << 10;
/// Properties of one set.
const PROPERTIES: u32 = 512;
/// Seconds from 1601 to 1970, and the ticks of a second: what FILETIME counts (MS-DTYP, 2.3.3).
const SINCE_1601: i64 = 11_644_473_600;
const TICKS: i64 = 10_000_000;

/// Property identifiers of `SummaryInformation` (MS-OLEPS, 3.1) and `DocumentSummaryInformation` (MS-OSHARED, 2.3.3.2.2).
static SUMMARY: &[(u32, &str)] = &[
    (2, "Title"),
    (3, "Subject"),
    (4, "Author"),
    (5, "Keywords"),
    (6, "Description"),
    (8, "LastModifiedBy"),
    (12, "Created"),
    (13, "Modified"),
    (14, "PageCount"),
    (15, "WordCount"),
    (16, "CharacterCount"),
    (18, "Application"),
];
static DOCUMENT: &[(u32, &str)] = &[(2, "Category"), (7, "PageCount"), (15, "Company")];

/// Reads both property sets.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let file = ole::open(input)?;
    let locked = file.find("EncryptedPackage").is_some() || file.find("EncryptionInfo").is_some();
    say(input, facts, 0, "Encrypted", if locked { "true" } else { "false" });
    for (name, table) in [("\u{5}SummaryInformation", SUMMARY), ("\u{5}DocumentSummaryInformation", DOCUMENT)] {
        let Some(stream) = file.find(name) else { continue };
        let mark = facts.mark();
        let bytes = file.read(input, stream, MOST);
        let result = bytes.and_then(|bytes| {
            let mut inner = input.unpacked(&bytes);
            set(&mut inner, facts, table)
        });
        facts.tolerate(result)?;
        facts.found_in(mark, 0);
    }
    Ok(())
}

/// A property set stream (section 2.21): the first set's place stands at byte 44.
fn set(input: &mut Input<'_>, facts: &mut Facts, table: &[(u32, &'static str)]) -> Parsed<()> {
    input.skip(44, "property set header")?;
    let start = u64::from(input.u32_le("property set offset")?);
    input.seek(start.saturating_add(4), "property set")?;
    let count = input.u32_le("number of properties")?.min(PROPERTIES);
    let mut places = Vec::new();
    for _ in 0..count {
        places.push((input.u32_le("property")?, u64::from(input.u32_le("property offset")?)));
    }
    let mut page = 1252;
    for (id, offset) in &places {
        input.entry()?;
        input.seek(start.saturating_add(*offset), "property")?;
        let kind = input.u32_le("property type")?;
        // Section 3.1.2: the code page of the texts.
        if (*id, kind) == (1, 2) {
            page = input.u16_le("code page")?;
        }
        let tag = table.iter().find(|(of, _)| of == id).map(|(_, tag)| *tag);
        if let Some(tag) = tag {
            property(input, facts, tag, kind, page)?;
        }
    }
    Ok(())
}

/// A value by its type (section 2.15).
fn property(input: &mut Input<'_>, facts: &mut Facts, tag: &'static str, kind: u32, page: u16) -> Parsed<()> {
    match kind {
        // VT_I4.
        3 => {
            let count = input.u32_le("number")?;
            if count > 0 {
                say(input, facts, 0, tag, count);
            }
        }
        // VT_LPSTR.
        30 => {
            let len = u64::from(input.u32_le("text length")?);
            let bytes = input.take_up_to(len.min(64 << 10))?;
            say_text(input, facts, tag, &text(&bytes, page));
        }
        // VT_LPWSTR.
        31 => {
            let len = u64::from(input.u32_le("text length")?);
            let bytes = input.take_up_to(len.saturating_mul(2).min(64 << 10))?;
            say_text(input, facts, tag, &text(&bytes, 1200));
        }
        // VT_FILETIME.
        64 => {
            let ticks = input.i64_le("time")?;
            let seconds = ticks.checked_div(TICKS).and_then(|s| s.checked_sub(SINCE_1601)).filter(|s| *s > 0);
            let moment = seconds.and_then(Moment::since_1970);
            moment.into_iter().for_each(|at| facts.add(input.format(), Group::Time, tag, 0, at));
        }
        _ => {}
    }
    Ok(())
}

fn say_text(input: &Input<'_>, facts: &mut Facts, tag: &'static str, text: &str) {
    if tag == "Keywords" { say_keywords(input, facts, 0, text) } else { say(input, facts, 0, tag, text) }
}

fn text(bytes: &[u8], page: u16) -> String {
    let encoding = match page {
        1200 => UTF_16LE,
        65_001 => encoding_rs::UTF_8,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        10_000 => encoding_rs::MACINTOSH,
        other => Encoding::for_label(format!("windows-{other}").as_bytes()).unwrap_or(WINDOWS_1252),
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::container::ole::tests::compound;
    use crate::extract::{Datum, Limits};

    /// A property set of those properties: identifier, type, value.
    fn property_set(properties: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
        let (mut places, mut values) = (Vec::new(), Vec::new());
        let head = 8 + properties.len() * 8;
        for (id, kind, value) in properties {
            places.extend([id.to_le_bytes(), ((head + values.len()) as u32).to_le_bytes()].concat());
            values.extend([&kind.to_le_bytes()[..], value].concat());
            values.resize(values.len().div_ceil(4) * 4, 0);
        }
        let count = (properties.len() as u32).to_le_bytes();
        [&[0xFE, 0xFF, 0, 0][..], &[0; 40], &48_u32.to_le_bytes(), &[0; 4], &count, &places, &values].concat()
    }

    #[test]
    fn both_sets_are_read() {
        let narrow = |text: &[u8]| [&(text.len() as u32).to_le_bytes()[..], text].concat();
        let time = ((1_597_828_271_i64 + SINCE_1601) * TICKS).to_le_bytes().to_vec();
        let summary = property_set(&[
            (1, 2, 1251_u16.to_le_bytes().to_vec()),
            (2, 30, narrow(b"\xC0 title\0")),
            (12, 64, time),
            (14, 3, 7_u32.to_le_bytes().to_vec()),
        ]);
        let more = property_set(&[(15, 30, narrow(b"Company\0"))]);
        let data = compound(&[("\u{5}SummaryInformation", &summary), ("\u{5}DocumentSummaryInformation", &more)]);
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        parse(&mut Input::new(&data, &limits), &mut facts).unwrap();
        let told = ["Title", "Company", "PageCount"].map(|tag| facts.find(Group::Document, tag).cloned());
        assert_eq!(told, [Some("\u{410} title".into()), Some("Company".into()), Some(Datum::Int(7))]);
        let Some(Datum::Time(at)) = facts.find(Group::Time, "Created") else { panic!("no time") };
        assert_eq!(at.clock.to_string(), "2020-08-19T09:11:11");
        for at in (0..data.len()).step_by(7) {
            let mut flipped = data.clone();
            flipped[at] ^= 0xFF;
            let _ = parse(&mut Input::new(&flipped, &limits), &mut Facts::new(&limits));
        }
    }
}
