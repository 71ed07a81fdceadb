//! Word, Excel and PowerPoint packages (ECMA-376): properties of part 2 (section 11) and part 1 (section 22.2), counts by
//! their parts, and the text of the main part.

use super::content::Content;
use super::xml::{self, Node};
use super::{say, say_count, say_keywords, say_time};
use crate::extract::container::zip::{self, Directory, Entry};
use crate::extract::{Facts, Input, Parsed, length};

/// Entries of a package that are looked at.
const ENTRIES: u32 = 16_384;
/// Unpacked bytes of a part with properties.
const PROPERTIES: u64 = 256 << 10;
/// Unpacked bytes of a part with text: marks take some twenty times the room of the words.
const TEXT: u64 = 1 << 20;

/// The parts that the package's relations name, by the last word of the relation's type (part 2, 9.3).
struct Parts {
    main: String,
    core: String,
    app: String,
}

/// What each kind of package has beside properties.
type Rest = fn(&mut Input<'_>, &mut Facts, &Directory, &str) -> Parsed<()>;

/// Word.
pub fn docx(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    package(input, facts, "word/document.xml", |input, facts, directory, main| {
        let mut content = Content::new(facts);
        let found = directory.find(main);
        let result = found.map_or(Ok(()), |entry| text(input, entry, &mut content, word));
        content.finish(input, facts);
        result
    })
}

/// PowerPoint.
pub fn pptx(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    package(input, facts, "ppt/presentation.xml", |input, facts, directory, main| {
        let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
        let slides = numbered(directory, &format!("{folder}/slides/slide"));
        if !slides.is_empty() {
            say(input, facts, 0, "PageCount", i64::try_from(slides.len()).unwrap_or(i64::MAX));
        }
        let mut content = Content::new(facts);
        for entry in slides {
            if content.is_full() {
                break;
            }
            let result = text(input, entry, &mut content, drawing);
            facts.tolerate(result)?;
        }
        content.finish(input, facts);
        Ok(())
    })
}

/// Excel.
pub fn xlsx(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    package(input, facts, "xl/workbook.xml", |input, facts, directory, main| {
        let mut content = Content::new(facts);
        let mut sheets = 0_i64;
        if let Some(entry) = directory.find(main) {
            let bytes = zip::unpack(input, entry, TEXT)?;
            let result = xml::walk(input, &bytes, |node| {
                if let Node::Open("sheet", element) = node {
                    sheets = sheets.saturating_add(1);
                    content.push(&element.get("name").unwrap_or_default());
                    content.line();
                }
                true
            });
            facts.tolerate(result)?;
        }
        if sheets > 0 {
            say(input, facts, 0, "SheetCount", sheets);
        }
        let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some(entry) = directory.find(&format!("{folder}/sharedStrings.xml")) {
            let result = text(input, entry, &mut content, strings);
            facts.tolerate(result)?;
        }
        content.finish(input, facts);
        Ok(())
    })
}

fn package(input: &mut Input<'_>, facts: &mut Facts, main: &str, rest: Rest) -> Parsed<()> {
    let directory = zip::directory(input, ENTRIES)?;
    let mut parts = Parts { main: main.into(), core: "docProps/core.xml".into(), app: "docProps/app.xml".into() };
    if let Some(entry) = directory.find("_rels/.rels") {
        let bytes = zip::unpack(input, entry, PROPERTIES)?;
        let result = relations(input, &bytes, &mut parts);
        facts.tolerate(result)?;
    }
    let lists: [(&str, List); 2] = [(&parts.core, core), (&parts.app, app)];
    for (name, list) in lists {
        if let Some(entry) = directory.find(name) {
            let result =
                zip::unpack(input, entry, PROPERTIES).and_then(|bytes| list(input, facts, entry.offset, &bytes));
            facts.tolerate(result)?;
        }
    }
    rest(input, facts, &directory, &parts.main)
}

/// Reads a list of properties.
type List = fn(&mut Input<'_>, &mut Facts, u64, &[u8]) -> Parsed<()>;

fn relations(input: &mut Input<'_>, bytes: &[u8], parts: &mut Parts) -> Parsed<()> {
    xml::walk(input, bytes, |node| {
        if let Node::Open("Relationship", element) = node {
            let target = element.get("Target").unwrap_or_default().trim_start_matches('/').to_owned();
            match element.get("Type").unwrap_or_default().rsplit('/').next() {
                Some("officeDocument") => parts.main = target,
                Some("core-properties" | "metadata/core-properties") => parts.core = target,
                Some("extended-properties") => parts.app = target,
                _ => {}
            }
        }
        true
    })
}

/// Core properties (part 2, 11).
fn core(input: &mut Input<'_>, facts: &mut Facts, at: u64, bytes: &[u8]) -> Parsed<()> {
    let mut found = Vec::new();
    let result = xml::leaves(input, bytes, |name, leaf| {
        found.push((name.to_owned(), leaf.text.trim().to_owned()));
        true
    });
    for (name, text) in &found {
        match name.as_str() {
            "title" => say(input, facts, at, "Title", text.as_str()),
            "creator" => say(input, facts, at, "Author", text.as_str()),
            "subject" => say(input, facts, at, "Subject", text.as_str()),
            "description" => say(input, facts, at, "Description", text.as_str()),
            "keywords" => say_keywords(input, facts, at, text),
            "category" => say(input, facts, at, "Category", text.as_str()),
            "language" => say(input, facts, at, "Language", text.as_str()),
            "lastModifiedBy" => say(input, facts, at, "LastModifiedBy", text.as_str()),
            "revision" => say(input, facts, at, "Revision", text.as_str()),
            "created" => say_time(input, facts, at, "Created", text),
            "modified" => say_time(input, facts, at, "Modified", text),
            _ => {}
        }
    }
    result
}

/// Extended properties (part 1, 22.2). The numbers of slides and sheets are counted instead.
fn app(input: &mut Input<'_>, facts: &mut Facts, at: u64, bytes: &[u8]) -> Parsed<()> {
    let mut found = Vec::new();
    let result = xml::leaves(input, bytes, |name, leaf| {
        found.push((name.to_owned(), leaf.text.trim().to_owned()));
        true
    });
    for (name, text) in &found {
        match name.as_str() {
            "Pages" => say_count(input, facts, at, "PageCount", text),
            "Words" => say_count(input, facts, at, "WordCount", text),
            "Characters" => say_count(input, facts, at, "CharacterCount", text),
            "Application" => say(input, facts, at, "Application", text.as_str()),
            "Company" => say(input, facts, at, "Company", text.as_str()),
            _ => {}
        }
    }
    result
}

/// `slide1.xml`, `slide2.xml`, ... in the order of their numbers.
fn numbered<'d>(directory: &'d Directory, start: &str) -> Vec<&'d Entry> {
    let number = |entry: &Entry| {
        let name = entry.text();
        let digits = name.strip_prefix(start)?.strip_suffix(".xml")?;
        digits.parse::<u32>().ok()
    };
    let mut found: Vec<(u32, &Entry)> = directory.entries.iter().filter_map(|e| Some((number(e)?, e))).collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// What a mark does to the text.
enum Mark {
    /// What follows is text.
    Text,
    /// A paragraph ends.
    Line,
    /// A word ends.
    Space,
    /// What is inside is not shown.
    Hidden,
    Nothing,
}

/// Part 1, 17.3: runs of text, deleted text left out.
fn word(name: &str) -> Mark {
    match name {
        "t" => Mark::Text,
        "p" | "br" | "cr" => Mark::Line,
        "tab" | "tc" => Mark::Space,
        "del" | "instrText" => Mark::Hidden,
        _ => Mark::Nothing,
    }
}

/// Part 1, 21.1.2.
fn drawing(name: &str) -> Mark {
    match name {
        "t" => Mark::Text,
        "p" | "br" => Mark::Line,
        _ => Mark::Nothing,
    }
}

/// Part 1, 18.4: shared strings, without their phonetic runs.
fn strings(name: &str) -> Mark {
    match name {
        "t" => Mark::Text,
        "si" => Mark::Line,
        "rPh" => Mark::Hidden,
        _ => Mark::Nothing,
    }
}

fn text(input: &mut Input<'_>, entry: &Entry, content: &mut Content, mark: fn(&str) -> Mark) -> Parsed<()> {
    let bytes = zip::unpack(input, entry, TEXT)?;
    let cut = length(bytes.len()) >= TEXT;
    let (mut shown, mut hidden) = (false, 0_u32);
    let result = xml::walk(input, &bytes, |node| {
        match node {
            Node::Open(name, _) => match mark(name) {
                Mark::Text => shown = true,
                Mark::Hidden => hidden = hidden.saturating_add(1),
                _ => {}
            },
            Node::Close(name) => match mark(name) {
                Mark::Text => shown = false,
                Mark::Hidden => hidden = hidden.saturating_sub(1),
                Mark::Line => content.line(),
                Mark::Space => content.space(),
                Mark::Nothing => {}
            },
            Node::Text(text) if shown && hidden == 0 => content.push(text),
            Node::Text(_) => {}
        }
        !content.is_full()
    });
    // Where we stopped reading, XML ends in the middle.
    if cut { Ok(()) } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::container::zip::tests::archive;
    use crate::extract::{Datum, Group, Limits, Parse};

    fn read(parse: Parse, entries: &[(&str, &[u8])]) -> Facts {
        let data = archive(entries);
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        parse(&mut Input::new(&data, &limits), &mut facts).unwrap();
        facts
    }

    fn text_of(facts: &Facts, tag: &str) -> Option<String> {
        match facts.find(Group::Document, tag)? {
            Datum::Text(text) => Some(text.to_string()),
            Datum::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }

    const CORE: &[u8] =
        b"<cp:coreProperties xmlns:cp='c' xmlns:dc='d'><dc:title>The Title</dc:title><dc:creator>A B</dc:creator>\
        <dcterms:created>2021-03-25T00:48:00Z</dcterms:created></cp:coreProperties>";

    #[test]
    fn word_documents() {
        let facts = read(
            docx,
            &[
                ("_rels/.rels", b"<Relationships><Relationship Type='http://x/officeDocument' Target='/word/doc2.xml'/></Relationships>"),
                ("docProps/core.xml", CORE),
                ("docProps/app.xml", b"<Properties><Pages>3</Pages><Words>0</Words></Properties>"),
                ("word/doc2.xml", b"<w:document><w:p><w:r><w:t>Hello </w:t></w:r><w:r><w:t>&amp; more</w:t></w:r></w:p>\
                    <w:del><w:t>gone</w:t></w:del><w:p><w:t>end</w:t></w:p></w:document>"),
            ],
        );
        assert_eq!(facts.content, "Hello & more\nend");
        let told = ["Title", "Author", "PageCount", "WordCount"].map(|tag| text_of(&facts, tag));
        assert_eq!(told, [Some("The Title".into()), Some("A B".into()), Some("3".into()), None]);
        assert!(facts.find(Group::Time, "Created").is_some());
    }

    #[test]
    fn presentations_and_sheets() {
        let slide = |text: &str| format!("<p:sld><a:p><a:t>{text}</a:t></a:p></p:sld>").into_bytes();
        let (ten, two) = (slide("ten"), slide("two"));
        let facts = read(pptx, &[("ppt/slides/slide10.xml", &ten), ("ppt/slides/slide2.xml", &two)]);
        assert_eq!((facts.content.as_str(), text_of(&facts, "PageCount")), ("two\nten", Some("2".into())));
        let facts = read(
            xlsx,
            &[
                ("xl/workbook.xml", b"<workbook><sheets><sheet name='One'/><sheet name='Two'/></sheets></workbook>"),
                (
                    "xl/sharedStrings.xml",
                    b"<sst><si><t>cell</t><rPh><t>kana</t></rPh></si><si><r><t>ri</t></r><r><t>ch</t></r></si></sst>",
                ),
            ],
        );
        assert_eq!((facts.content.as_str(), text_of(&facts, "SheetCount")), ("One\nTwo\ncell\nrich", Some("2".into())));
    }
}
