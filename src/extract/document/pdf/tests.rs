//! Documents built here, whole and damaged.

use super::*;
use crate::extract::{Datum, Group, Limits};
use std::fmt::Write;

/// A document of those objects, with a table.
fn document(objects: &[&str], trailer: &str) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", text.len()).unwrap();
        writeln!(text, "{} 0 obj {object} endobj", number + 1).unwrap();
    }
    let start = text.len();
    format!("{text}{table}trailer <</Size 9/Root 1 0 R {trailer}>>\nstartxref\n{start}\n%%EOF\n").into_bytes()
}

fn stream(content: &str) -> String {
    format!("<</Length {}>> stream\n{content}\nendstream", content.len())
}

fn read(data: &[u8]) -> Facts {
    let data = data.to_vec();
    let limits = Limits::default();
    let mut facts = Facts::new(&limits);
    let mut input = Input::new(&data, &limits);
    if let Err(crate::extract::Stop::Malformed(warning)) = parse(&mut input, &mut facts) {
        facts.warn(warning);
    }
    facts
}

fn sample() -> Vec<u8> {
    let page =
        "BT /F 12 Tf 72 700 Td (Hello) Tj 0 -14 Td [(W) 80 (orld) -400 (again)] TJ ET q 1 0 0 1 0 -50 cm /X Do Q";
    document(
        &[
            "<</Type/Catalog/Pages 2 0 R/Lang(en-GB)>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 6 0 R>>/XObject<</X 7 0 R>>>>>>",
            "<</Type/Page/Parent 2 0 R/Contents[4 0 R]>>",
            &stream(page),
            "<</Title(A \\(title\\))/Author<FEFF00E9>/CreationDate(D:20200819171111+08'00')>>",
            "<</Type/Font/Subtype/Type1/Encoding<</Differences[65/fi]>>>>",
            &stream("BT /F 10 Tf (A) Tj 300 0 Td (form) Tj ET").replacen("<<", "<</Subtype/Form", 1),
        ],
        "/Info 5 0 R",
    )
}

#[test]
fn properties_pages_and_text() {
    let facts = read(&sample());
    let told = |tag| facts.find(Group::Document, tag).cloned();
    assert_eq!(facts.warnings, []);
    assert_eq!(told("Title"), Some("A (title)".into()));
    assert_eq!(told("Author"), Some("\u{e9}".into()));
    assert_eq!((told("PageCount"), told("Version")), (Some(Datum::Int(1)), Some("1.4".into())));
    assert_eq!((told("Language"), told("Encrypted")), (Some("en-GB".into()), Some("false".into())));
    assert_eq!(facts.content, "Hello\nWorld again\nfi form");
    let Some(Datum::Time(at)) = facts.find(Group::Time, "Created") else { panic!("no time") };
    assert_eq!((at.clock.to_string(), at.offset), ("2020-08-19T17:11:11".into(), Some(28_800)));
}

#[test]
fn a_damaged_table_is_searched_for() {
    let whole = sample();
    let start = whole.windows(9).rposition(|w| w == b"startxref").unwrap();
    let cut = read(&whole[..start]);
    assert_eq!(cut.find(Group::Document, "Title"), Some(&"A (title)".into()));
    assert_eq!(cut.content, "Hello\nWorld again\nfi form");
    let shifted = [&b"junk before the header\n"[..], &whole].concat();
    assert_eq!(read(&shifted).find(Group::Document, "PageCount"), Some(&Datum::Int(1)));
}

#[test]
fn encrypted_documents_say_so_and_no_more() {
    let data = document(
        &["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 7>>", "<</Title(noise)>>"],
        "/Info 3 0 R/Encrypt<</Filter/Standard>>",
    );
    let facts = read(&data);
    assert_eq!(facts.find(Group::Document, "Encrypted"), Some(&"true".into()));
    assert_eq!(facts.find(Group::Document, "PageCount"), Some(&Datum::Int(7)));
    assert_eq!(facts.find(Group::Document, "Title"), None);
}

#[test]
fn circles_end() {
    let data = document(
        &[
            "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>",
            "<</Type/Pages/Kids[2 0 R 3 0 R 3 0 R]>>",
            "<</Type/Page/Contents 4 0 R/Resources 5 0 R>>",
            &stream("/X Do /X Do").replacen("<<", "<</Subtype/Form", 1).replacen("11", "4 0 R", 1),
            "<</XObject<</X 4 0 R>>/Font 5 0 R>>",
        ],
        "/Prev 9",
    );
    let facts = read(&data);
    assert_eq!(facts.find(Group::Document, "PageCount"), Some(&Datum::Int(1)));
}

#[test]
fn cuts_and_flips_never_panic() {
    let whole = sample();
    for at in 0..whole.len() {
        read(&whole[..at]);
        let mut flipped = whole.clone();
        flipped[at] ^= 0x1F;
        read(&flipped);
    }
}
