//! A walk over XML: elements by their local names, texts with their references resolved.

use super::charset;
use crate::extract::{Input, Parsed};
use quick_xml::Reader;
use quick_xml::escape;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// One step of the walk.
pub(super) enum Node<'a> {
    /// An element begins.
    Open(&'a str, Element<'a>),
    /// An element ends.
    Close(&'a str),
    /// Text inside the innermost element.
    Text(&'a str),
}

/// The attributes of an element.
pub(super) struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    /// The value of an attribute, by its name with or without prefix.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        // Without the check for doubles, which is quadratic.
        let found = self.0.attributes().with_checks(false).filter_map(Result::ok).find(|attribute| {
            let key = attribute.key;
            key.into_inner() == name || key.local_name().into_inner() == name
        });
        found.map(|attribute| unescaped(&attribute.value).into_owned())
    }
}

fn unescaped(text: &str) -> Cow<'_, str> {
    escape::unescape(text).unwrap_or(Cow::Borrowed(text))
}

/// Walks over `bytes` until the end or until `visit` says `false`. XML that breaks off or is not well formed has given its
/// nodes up to there: the error says where.
pub(super) fn walk(input: &mut Input<'_>, bytes: &[u8], mut visit: impl FnMut(Node<'_>) -> bool) -> Parsed<()> {
    let text = charset::decode(bytes, true).text;
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    (config.check_end_names, config.allow_unmatched_ends, config.allow_dangling_amp) = (false, true, true);
    loop {
        input.tick()?;
        let event = match reader.read_event() {
            Ok(Event::Eof) => return Ok(()),
            Ok(event) => event,
            Err(error) => return Err(input.malformed(format!("expected XML: {error}"))),
        };
        if !give(event, &mut visit) {
            return Ok(());
        }
    }
}

fn give(event: Event<'_>, visit: &mut impl FnMut(Node<'_>) -> bool) -> bool {
    match event {
        Event::Start(element) => visit(Node::Open(element.local_name().into_inner(), Element(&element))),
        Event::Empty(element) => {
            let name = element.local_name();
            visit(Node::Open(name.into_inner(), Element(&element))) && visit(Node::Close(name.into_inner()))
        }
        Event::End(element) => visit(Node::Close(element.local_name().into_inner())),
        Event::Text(text) => visit(Node::Text(&text.xml10_content())),
        Event::CData(text) => visit(Node::Text(&text.xml10_content())),
        Event::GeneralRef(name) => match name.resolve_char_ref() {
            Ok(Some(c)) => visit(Node::Text(c.encode_utf8(&mut [0; 4]))),
            _ => escape::resolve_xml_entity(&name.into_inner()).is_none_or(|text| visit(Node::Text(text))),
        },
        _ => true,
    }
}

/// The texts of elements that hold nothing but text, as `(local name, text)`: how property lists are written.
pub(super) fn leaves(input: &mut Input<'_>, bytes: &[u8], mut leaf: impl FnMut(&str, &Leaf<'_>) -> bool) -> Parsed<()> {
    let (mut text, mut attributes) = (String::new(), Vec::new());
    walk(input, bytes, |node| match node {
        Node::Open(_, element) => {
            text.clear();
            attributes.clear();
            for attribute in element.0.attributes().with_checks(false).filter_map(Result::ok) {
                attributes.push((attribute.key.into_inner().to_owned(), unescaped(&attribute.value).into_owned()));
            }
            true
        }
        Node::Text(more) => {
            if text.len() < 64 << 10 {
                text.push_str(more);
            }
            true
        }
        Node::Close(name) => {
            let go_on = leaf(name, &Leaf { text: &text, attributes: &attributes });
            text.clear();
            attributes.clear();
            go_on
        }
    })
}

/// An element that was closed: its text and attributes.
pub(super) struct Leaf<'a> {
    pub(super) text: &'a str,
    attributes: &'a [(String, String)],
}

impl Leaf<'_> {
    /// The value of an attribute, by its name with or without prefix.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name || key.rsplit(':').next() == Some(name));
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn names_are_local_and_references_resolved() {
        let data: Vec<u8> = Vec::new();
        let limits = Limits::default();
        let mut input = Input::new(&data, &limits);
        let mut seen = Vec::new();
        let xml = b"<a:r xmlns:a='u'><a:x y:k='1 &lt; 2'>A&amp;B&#65;<![CDATA[<c>]]></a:x><e/></a:r>";
        leaves(&mut input, xml, |name, leaf| {
            seen.push(format!("{name}={}:{}", leaf.text, leaf.get("k").unwrap_or("-")));
            true
        })
        .unwrap();
        assert_eq!(seen, ["x=A&BA<c>:1 < 2", "e=:-", "r=:-"]);
        assert!(leaves(&mut input, b"<a><b>1</b><", |_, _| true).is_err());
        assert!(leaves(&mut input, b"<a></b></c>", |_, _| true).is_ok());
    }
}
