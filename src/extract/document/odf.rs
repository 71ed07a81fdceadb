//! OpenDocument packages (ODF 1.2 part 1): `meta.xml` (section 4), and the text of `content.xml` (section 5).

use super::content::Content;
use super::xml::{self, Node};
use super::{say, say_count, say_keywords, say_time};
use crate::extract::container::zip;
use crate::extract::{Facts, Input, Parsed, length};

/// Entries of a package that are looked at.
const ENTRIES: u32 = 4096;
/// Unpacked bytes of `meta.xml` and of the manifest.
const PROPERTIES: u64 = 256 << 10;
/// Unpacked bytes of `content.xml`.
const TEXT: u64 = 1 << 20;

/// Texts, sheets, slides, drawings.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let directory = zip::directory(input, ENTRIES)?;
    if let Some(entry) = directory.find("meta.xml") {
        let result = zip::unpack(input, entry, PROPERTIES).and_then(|bytes| meta(input, facts, entry.offset, &bytes));
        facts.tolerate(result)?;
    }
    let mut locked = false;
    if let Some(entry) = directory.find("META-INF/manifest.xml") {
        let bytes = zip::unpack(input, entry, PROPERTIES)?;
        let result = xml::walk(input, &bytes, |node| {
            // Part 3, 4.5: an entry with these data is encrypted.
            locked |= matches!(node, Node::Open("encryption-data", _));
            !locked
        });
        facts.tolerate(result)?;
    }
    say(input, facts, 0, "Encrypted", if locked { "true" } else { "false" });
    match directory.find("content.xml").filter(|_| !locked) {
        Some(entry) => {
            let bytes = zip::unpack(input, entry, TEXT)?;
            body(input, facts, &bytes)
        }
        None => Ok(()),
    }
}

/// A document in one XML file (section 3.1.2) instead of a package.
pub fn flat(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(TEXT)?;
    let metadata = bytes.windows(14).position(|window| window == b"</office:meta>");
    if let Some(head) = metadata.and_then(|end| bytes.get(..end)) {
        let result = meta(input, facts, 0, head);
        facts.tolerate(result)?;
    }
    let text = bytes.windows(12).position(|window| window == b"<office:body").and_then(|at| bytes.get(at..));
    body(input, facts, text.unwrap_or(&[]))
}

fn meta(input: &mut Input<'_>, facts: &mut Facts, at: u64, bytes: &[u8]) -> Parsed<()> {
    let (mut found, mut counts) = (Vec::new(), Vec::new());
    let result = xml::leaves(input, bytes, |name, leaf| {
        if name == "document-statistic" {
            let known = [
                ("page-count", "PageCount"),
                ("word-count", "WordCount"),
                ("character-count", "CharacterCount"),
                ("table-count", "TableCount"),
            ];
            counts.extend(known.iter().filter_map(|(key, tag)| Some((*tag, leaf.get(key)?.to_owned()))));
        }
        found.push((name.to_owned(), leaf.text.trim().to_owned()));
        true
    });
    counts.iter().for_each(|(tag, count)| say_count(input, facts, at, tag, count));
    // Who began it, and only then who saved it last.
    let author = ["initial-creator", "creator"]
        .iter()
        .find_map(|key| found.iter().find(|(name, text)| name == key && !text.is_empty()));
    author.into_iter().for_each(|(_, name)| say(input, facts, at, "Author", name.as_str()));
    for (name, text) in &found {
        match name.as_str() {
            "title" => say(input, facts, at, "Title", text.as_str()),
            "subject" => say(input, facts, at, "Subject", text.as_str()),
            "description" => say(input, facts, at, "Description", text.as_str()),
            "keyword" => say_keywords(input, facts, at, text),
            "language" => say(input, facts, at, "Language", text.as_str()),
            "generator" => say(input, facts, at, "Application", text.as_str()),
            "creator" => say(input, facts, at, "LastModifiedBy", text.as_str()),
            "creation-date" => say_time(input, facts, at, "Created", text),
            "date" => say_time(input, facts, at, "Modified", text),
            _ => {}
        }
    }
    result
}

/// The text, and the number of sheets and slides.
fn body(input: &mut Input<'_>, facts: &mut Facts, bytes: &[u8]) -> Parsed<()> {
    let cut = length(bytes.len()) >= TEXT;
    let mut content = Content::new(facts);
    let (mut pages, mut sheets, mut depth, mut nested) = (0_i64, 0_i64, 0_u32, 0_u32);
    let result = xml::walk(input, bytes, |node| {
        match node {
            Node::Open("p" | "h", _) => depth = depth.saturating_add(1),
            Node::Close("p" | "h") => {
                depth = depth.saturating_sub(1);
                content.line();
            }
            Node::Open("s" | "tab", _) => content.space(),
            Node::Open("line-break", _) => content.line(),
            Node::Open("page", _) => pages = pages.saturating_add(1),
            // Tables inside tables are cells, not sheets.
            Node::Open("table", _) => {
                sheets = sheets.saturating_add(i64::from(nested == 0));
                nested = nested.saturating_add(1);
            }
            Node::Close("table") => nested = nested.saturating_sub(1),
            Node::Text(text) if depth > 0 => content.push(text),
            _ => {}
        }
        true
    });
    // Sheets of a spreadsheet; in a text they are tables.
    let counts = [("PageCount", pages, input.format() != "ods"), ("SheetCount", sheets, input.format() == "ods")];
    for (tag, count, _) in counts.into_iter().filter(|(_, count, fits)| *fits && *count > 0 && !cut) {
        say(input, facts, 0, tag, count);
    }
    content.finish(input, facts);
    if cut { Ok(()) } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::container::zip::tests::archive;
    use crate::extract::{Datum, Group, Limits};

    fn read(format: &'static str, entries: &[(&str, &[u8])]) -> Facts {
        let data = archive(entries);
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        let mut input = Input::new(&data, &limits);
        input.set_format(format);
        parse(&mut input, &mut facts).unwrap();
        facts
    }

    #[test]
    fn texts_and_their_statistics() {
        let meta: &[u8] =
            b"<office:meta><meta:initial-creator>First</meta:initial-creator><dc:creator>Last</dc:creator>\
            <dc:title>T</dc:title><meta:document-statistic meta:page-count='2' meta:word-count='8'/></office:meta>";
        let body: &[u8] =
            b"<office:text><text:h>Head</text:h><text:p>one<text:s/>two<text:line-break/>three</text:p></office:text>";
        let facts = read("odt", &[("meta.xml", meta), ("content.xml", body)]);
        assert_eq!(facts.content, "Head\none two\nthree");
        assert_eq!(facts.find(Group::Document, "Author"), Some(&Datum::from("First")));
        assert_eq!(facts.find(Group::Document, "PageCount"), Some(&Datum::Int(2)));
        assert_eq!(facts.find(Group::Document, "Encrypted"), Some(&Datum::from("false")));
    }

    #[test]
    fn sheets_slides_and_locks() {
        let sheets: &[u8] = b"<s><table:table><table:table/></table:table><table:table/></s>";
        assert_eq!(read("ods", &[("content.xml", sheets)]).find(Group::Document, "SheetCount"), Some(&Datum::Int(2)));
        let slides: &[u8] = b"<p><draw:page/><draw:page/><draw:page/></p>";
        assert_eq!(read("odp", &[("content.xml", slides)]).find(Group::Document, "PageCount"), Some(&Datum::Int(3)));
        let manifest: &[u8] = b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
        let locked = read("odt", &[("content.xml", b"noise"), ("META-INF/manifest.xml", manifest)]);
        assert_eq!(locked.find(Group::Document, "Encrypted"), Some(&Datum::from("true")));
    }
}
