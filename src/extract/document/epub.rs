//! EPUB (EPUB 3.3): the container names the package document, which holds the metadata and the order of reading.

use super::content::Content;
use super::xml::{self, Node};
use super::{html, say, say_time};
use crate::extract::container::zip::{self, Directory};
use crate::extract::{Facts, Input, Parsed};

/// Entries of a book that are looked at.
const ENTRIES: u32 = 16_384;
/// Unpacked bytes of the container, the package document, the list of what is encrypted.
const PROPERTIES: u64 = 1 << 20;
/// Unpacked bytes of one chapter.
const CHAPTER: u64 = 256 << 10;
/// Chapters that are read for their text.
const CHAPTERS: usize = 16;

/// What the package document says that is needed for reading on.
#[derive(Default)]
struct Package {
    /// Tag and text, in the document's order.
    said: Vec<(&'static str, String)>,
    times: Vec<(&'static str, String)>,
    /// Identifier and place of each file.
    items: Vec<(String, String)>,
    /// Identifiers in the order of reading.
    spine: Vec<String>,
}

/// Reads the book.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let directory = zip::directory(input, ENTRIES)?;
    let locked = encrypted(input, facts, &directory)?;
    say(input, facts, 0, "Encrypted", if locked { "true" } else { "false" });
    let Some(path) = root(input, facts, &directory)? else {
        return Err(input.malformed_at(0, "expected META-INF/container.xml to name a package document"));
    };
    let Some(entry) = directory.find(&path) else {
        return Err(input.malformed_at(0, format!("expected the package document {path:?}, which is not there")));
    };
    let bytes = zip::unpack(input, entry, PROPERTIES)?;
    let mut package = Package::default();
    let result = read(input, &bytes, &mut package);
    for tag in ["Title", "Author", "Publisher", "Description", "Keywords", "Language"] {
        let texts: Vec<&str> =
            package.said.iter().filter(|(of, _)| *of == tag).map(|(_, text)| text.as_str()).collect();
        // Several titles are parts of one work, several languages the main one first.
        let text = if matches!(tag, "Title" | "Language") {
            texts.first().copied().unwrap_or("").to_owned()
        } else {
            texts.join("; ")
        };
        if tag == "Keywords" {
            texts.iter().for_each(|word| say(input, facts, entry.offset, tag, *word));
        } else {
            say(input, facts, entry.offset, tag, text);
        }
    }
    package.times.iter().for_each(|(tag, text)| say_time(input, facts, entry.offset, tag, text));
    facts.tolerate(result)?;
    if locked { Ok(()) } else { chapters(input, facts, &directory, &path, &package) }
}

/// Whether content is encrypted: fonts that are only obfuscated do not count (section 4.4).
fn encrypted(input: &mut Input<'_>, facts: &mut Facts, directory: &Directory) -> Parsed<bool> {
    let Some(entry) = directory.find("META-INF/encryption.xml") else { return Ok(false) };
    let bytes = zip::unpack(input, entry, PROPERTIES)?;
    let mut locked = false;
    let result = xml::walk(input, &bytes, |node| {
        if let Node::Open("EncryptionMethod", element) = node {
            let method = element.get("Algorithm").unwrap_or_default();
            locked |=
                !matches!(method.as_str(), "http://www.idpf.org/2008/embedding" | "http://ns.adobe.com/pdf/enc#RC");
        }
        !locked
    });
    facts.tolerate(result)?;
    Ok(locked)
}

/// Section 4.2.6.3.1.
fn root(input: &mut Input<'_>, facts: &mut Facts, directory: &Directory) -> Parsed<Option<String>> {
    let Some(entry) = directory.find("META-INF/container.xml") else { return Ok(None) };
    let bytes = zip::unpack(input, entry, PROPERTIES)?;
    let mut path = None;
    let result = xml::walk(input, &bytes, |node| {
        if let Node::Open("rootfile", element) = node {
            path = element.get("full-path");
        }
        path.is_none()
    });
    facts.tolerate(result)?;
    Ok(path)
}

/// Section 5: metadata, manifest, spine.
fn read(input: &mut Input<'_>, bytes: &[u8], package: &mut Package) -> Parsed<()> {
    xml::leaves(input, bytes, |name, leaf| {
        let text = leaf.text.trim();
        let tag = match name {
            "title" => "Title",
            "creator" => "Author",
            "publisher" => "Publisher",
            "description" => "Description",
            "subject" => "Keywords",
            "language" => "Language",
            _ => "",
        };
        match name {
            _ if !tag.is_empty() && !text.is_empty() => package.said.push((tag, text.to_owned())),
            "date" => package.times.push(("Created", text.to_owned())),
            "meta" if leaf.get("property") == Some("dcterms:modified") => {
                package.times.push(("Modified", text.to_owned()))
            }
            "item" => package
                .items
                .extend(leaf.get("id").zip(leaf.get("href")).map(|(id, href)| (id.to_owned(), href.to_owned()))),
            "itemref" => package.spine.extend(leaf.get("idref").map(str::to_owned)),
            _ => {}
        }
        package.items.len() < 10_000 && package.spine.len() < 10_000
    })
}

fn chapters(
    input: &mut Input<'_>,
    facts: &mut Facts,
    directory: &Directory,
    path: &str,
    package: &Package,
) -> Parsed<()> {
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let mut content = Content::new(facts);
    for id in package.spine.iter().take(CHAPTERS) {
        let Some((_, href)) = package.items.iter().find(|(of, _)| of == id).filter(|_| !content.is_full()) else {
            continue;
        };
        let Some(entry) = directory.find(&format!("{folder}{href}")) else { continue };
        let unpacked = zip::unpack(input, entry, CHAPTER);
        if let Some(bytes) = facts.tolerate(unpacked)? {
            html::text(input, &bytes, &mut content)?;
            content.line();
        }
    }
    content.finish(input, facts);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::container::zip::tests::archive;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn books_are_read_in_their_order() {
        let container: &[u8] = b"<container><rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>";
        let package: &[u8] =
            b"<package><metadata><dc:title>Main</dc:title><dc:title>Sub</dc:title><dc:creator>A</dc:creator>\
            <dc:creator>B</dc:creator><dc:language>fr</dc:language><dc:date>2012-01-18</dc:date></metadata>\
            <manifest><item id='x' href='one.xhtml'/><item id='y' href='two.xhtml'/></manifest>\
            <spine><itemref idref='y'/><itemref idref='x'/></spine></package>";
        let chapter =
            |text: &str| format!("<html><head><title>no</title></head><body><p>{text}</p></body></html>").into_bytes();
        let (one, two) = (chapter("first"), chapter("second"));
        let entries: [(&str, &[u8]); 4] = [
            ("META-INF/container.xml", container),
            ("OEBPS/book.opf", package),
            ("OEBPS/one.xhtml", &one),
            ("OEBPS/two.xhtml", &two),
        ];
        let data = archive(&entries);
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        parse(&mut Input::new(&data, &limits), &mut facts).unwrap();
        assert_eq!(facts.content, "second\nfirst");
        let told = ["Title", "Author", "Language"].map(|tag| facts.find(Group::Document, tag).cloned());
        assert_eq!(told, [Some(Datum::from("Main")), Some(Datum::from("A; B")), Some(Datum::from("fr"))]);
        assert!(facts.find(Group::Time, "Day").is_some());
        let lost = archive(&entries[..1]);
        assert!(parse(&mut Input::new(&lost, &limits), &mut Facts::new(&limits)).is_err());
    }
}
