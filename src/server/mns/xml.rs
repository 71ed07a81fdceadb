//! XML documents of the MNS API: small ones, read whole into a tree of bounded size, and written.

use super::fault::MnsFault;
use crate::engine::queues::{NAMESPACE, escape};
use quick_xml::Reader;
use quick_xml::events::Event;

/// Most elements of a document that is read: a batch of 16 messages has under 100.
const MAX_ELEMENTS: usize = 512;
/// Deepest nesting that is read.
const MAX_DEPTH: usize = 8;

/// An element with its text and its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Text of the child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|c| c.name == name).map(|c| c.text.as_str())
    }

    /// The child's text as a number; an empty one is as none.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, MnsFault> {
        let Some(text) = self.child(name).map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        let bad = || MnsFault::invalid(format!("{name}: expected a number in its range, got {text:?}"));
        text.parse().map(Some).map_err(|_| bad())
    }
}

fn malformed(why: impl std::fmt::Display) -> MnsFault {
    MnsFault::new(400, "MalformedXML", format!("The XML you provided was not well-formed: {why}."))
}

/// Reads a document whose root has the name `root`; an empty body is an empty root.
pub(super) fn read(body: &[u8], root: &str) -> Result<Element, MnsFault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Element { name: root.to_owned(), ..Element::default() });
    }
    let text = std::str::from_utf8(body).map_err(malformed)?;
    let mut reader = Reader::from_str(text);
    let (mut open, mut count, mut done): (Vec<Element>, usize, Option<Element>) = (Vec::new(), 0, None);
    loop {
        let event = reader.read_event().map_err(malformed)?;
        match event {
            Event::Eof => break,
            Event::Start(ref start) | Event::Empty(ref start) => {
                count += 1;
                if count > MAX_ELEMENTS || open.len() >= MAX_DEPTH || done.is_some() {
                    return Err(malformed("expected a small document with one root"));
                }
                let name = start.local_name().into_inner().to_owned();
                open.push(Element { name, ..Element::default() });
                if matches!(event, Event::Empty(_)) {
                    close(&mut open, &mut done);
                }
            }
            Event::End(_) => close(&mut open, &mut done),
            Event::Text(text) => say(&mut open, &text.xml10_content()),
            Event::CData(text) => say(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().map_err(malformed)?;
                let known = quick_xml::escape::resolve_predefined_entity(&name.xml10_content());
                match (character, known) {
                    (Some(character), _) => say(&mut open, character.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => say(&mut open, known),
                    (None, None) => return Err(malformed("expected no entities of its own")),
                }
            }
            Event::DocType(_) => return Err(malformed("expected no document type")),
            _ => {}
        }
    }
    match done {
        Some(element) if element.name == root && open.is_empty() => Ok(element),
        Some(element) => Err(malformed(format!("expected the root {root}, got {}", element.name))),
        None => Err(malformed("it breaks off")),
    }
}

fn say(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(open: &mut Vec<Element>, done: &mut Option<Element>) {
    let Some(element) = open.pop() else { return };
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *done = Some(element),
    }
}

/// Writes a document.
pub(super) struct Writer {
    out: String,
    open: Vec<String>,
}

impl Writer {
    pub(super) fn new(root: &str) -> Writer {
        let out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">");
        Writer { out, open: vec![root.to_owned()] }
    }

    /// An element with text in it.
    pub(super) fn text(&mut self, name: &str, text: &str) -> &mut Writer {
        self.out.push_str(&format!("<{name}>"));
        escape(text, &mut self.out);
        self.out.push_str(&format!("</{name}>"));
        self
    }

    pub(super) fn number(&mut self, name: &str, number: u64) -> &mut Writer {
        self.text(name, &number.to_string())
    }

    pub(super) fn flag(&mut self, name: &str, flag: bool) -> &mut Writer {
        self.text(name, if flag { "True" } else { "False" })
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &str) -> &mut Writer {
        self.out.push_str(&format!("<{name}>"));
        self.open.push(name.to_owned());
        self
    }

    /// Closes the innermost one.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.out.push_str(&format!("</{name}>"));
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new("Message");
        writer.text("MessageBody", "{\"a\":\"<&>\"}\r\n").number("Priority", 8).open("Inner").flag("L", true);
        let read = read(&writer.finish(), "Message").unwrap();
        assert_eq!(read.child("MessageBody"), Some("{\"a\":\"<&>\"}\r\n"));
        assert_eq!(read.number::<u8>("Priority").unwrap(), Some(8));
        assert_eq!(read.children.last().unwrap().child("L"), Some("True"));
        assert!(read.number::<u8>("MessageBody").is_err());
        assert_eq!(read.number::<u8>("None").unwrap(), None);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(20);
        let wide = format!("<Message>{}</Message>", "<a/>".repeat(MAX_ELEMENTS));
        let entity = "<!DOCTYPE x [<!ENTITY e \"v\">]><Message>&e;</Message>";
        for bad in
            ["<Message>", "<Queue/>", "<Message/><Message/>", "x", "<Message>&e;</Message>", entity, &deep, &wide]
        {
            assert_eq!(read(bad.as_bytes(), "Message").unwrap_err().code, "MalformedXML", "{bad}");
        }
        assert_eq!(read(&[0xFF, 0xFE], "Message").unwrap_err().status, 400);
        assert_eq!(read(b" \n", "Message").unwrap().children, []);
    }
}
