//! The walk over a packet's elements: keeps the path, and gives each leaf to who wants it.

use super::meaning::Meaning;
use super::names::Names;
use crate::extract::{Facts, Group, Input, Parsed, length};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

/// Leaves of one packet that become facts; the settings of a raw developer are about 500.
const LEAVES: usize = 1000;
/// Items of one array that become facts: longer ones list the brush strokes of a picture, not what is known of it.
const ITEMS: u32 = 256;
/// Bytes of a leaf that becomes a fact: longer ones are pictures and tables in base64.
const TEXT: usize = 8 << 10;

/// What an element is in RDF (ISO 16684-1, 7.4 to 7.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Wrapping around the RDF.
    Outside,
    /// `rdf:RDF`: holds nodes.
    Rdf,
    /// `rdf:Description` or a typed node: holds properties, also as attributes.
    Node,
    /// A property, a field of one, or an item of an array: holds text, an array, or fields.
    Part,
    /// `rdf:Bag`, `rdf:Seq`, `rdf:Alt`: holds items.
    Array,
}

/// An element that is open.
struct Open {
    kind: Kind,
    /// Length of the path without this element.
    outer: usize,
    /// Items seen, of arrays.
    items: u32,
    /// Whether nothing inside becomes a fact: an item beyond the cap.
    muted: bool,
}

/// A walk over one packet.
pub(super) struct Walk<'w, 'i> {
    input: &'w mut Input<'i>,
    facts: &'w mut Facts,
    at: u64,
    names: Names,
    open: Vec<Open>,
    path: String,
    /// Text of the innermost element, if nothing but text was in it so far.
    text: Option<String>,
    left: usize,
    meaning: Meaning,
}

impl<'w, 'i> Walk<'w, 'i> {
    /// A walk over a packet at `at`.
    pub(super) fn new(input: &'w mut Input<'i>, facts: &'w mut Facts, at: u64) -> Walk<'w, 'i> {
        let (names, meaning) = (Names::default(), Meaning::default());
        Walk { input, facts, at, names, open: Vec::new(), path: String::new(), text: None, left: LEAVES, meaning }
    }

    /// Reads the whole packet. XML that breaks off has given its leaves up to there.
    pub(super) fn run(mut self, packet: &str) -> Parsed<()> {
        let mut reader = Reader::from_str(packet);
        let config = reader.config_mut();
        (config.check_end_names, config.allow_unmatched_ends, config.allow_dangling_amp) = (false, true, true);
        let base = self.at;
        let result = loop {
            self.at = base.saturating_add(reader.buffer_position());
            match reader.read_event() {
                Ok(Event::Eof) => break Ok(()),
                Ok(event) => {
                    if let Err(stop) = self.event(event) {
                        break Err(stop);
                    }
                }
                Err(error) => break Err(self.input.malformed_at(self.at, format!("expected XML: {error}"))),
            }
        };
        self.meaning.finish(self.input.format(), self.facts);
        result
    }

    fn event(&mut self, event: Event<'_>) -> Parsed<()> {
        match event {
            Event::Start(start) => self.start(&start),
            Event::Empty(start) => {
                self.start(&start)?;
                self.end();
                Ok(())
            }
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(text) => self.say(&text.xml10_content()),
            Event::CData(text) => self.say(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().ok().flatten();
                let known = quick_xml::escape::resolve_predefined_entity(&name.xml10_content());
                match (character, known) {
                    (Some(character), _) => self.say(character.encode_utf8(&mut [0; 4])),
                    (None, Some(known)) => self.say(known),
                    // Entities of a packet's own are not XMP, and how others blow up parsers.
                    (None, None) => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Collects text up to where it is too long for a fact.
    fn say(&mut self, text: &str) -> Parsed<()> {
        if let Some(held) = self.text.as_mut().filter(|held| held.len() <= TEXT) {
            held.push_str(text);
        }
        self.input.tick()
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Parsed<()> {
        self.input.entry()?;
        if length(self.open.len()) >= u64::from(self.input.limits().depth) {
            return Err(self.input.malformed_at(self.at, "the elements are nested too deep"));
        }
        let depth = self.open.len();
        if start.attributes_raw().contains("xmlns") {
            self.bind(start, depth);
        }
        let (prefix, name) = split(start.name().into_inner());
        let outer = self.path.len();
        let usual = self.names.usual(prefix);
        let kind = kind(self.open.last().map(|open| open.kind), usual, name);
        if matches!(kind, Kind::Part | Kind::Node) && usual != "rdf" && self.inside() {
            step(&mut self.path, usual, name);
        }
        let muted = self.item(kind, start);
        self.open.push(Open { kind, outer, items: 0, muted });
        self.text = (kind == Kind::Part).then(String::new);
        if matches!(kind, Kind::Node | Kind::Part) {
            self.fields(start);
        }
        Ok(())
    }

    fn bind(&mut self, start: &BytesStart<'_>, depth: usize) {
        for attribute in attributes(start) {
            match split(attribute.key.into_inner()) {
                ("xmlns", prefix) => self.names.bind(prefix, &value(&attribute), depth),
                ("", "xmlns") => self.names.bind("", &value(&attribute), depth),
                _ => {}
            }
        }
    }

    /// Whether this element is below a node: the name of a typed node says no property.
    fn inside(&self) -> bool {
        self.open.iter().any(|open| open.kind == Kind::Node)
    }

    /// Counts an item of an array and adds its language to the path. Returns whether it is beyond the cap.
    fn item(&mut self, kind: Kind, start: &BytesStart<'_>) -> bool {
        let muted = self.open.last().is_some_and(|open| open.muted);
        let Some(array) = self.open.last_mut().filter(|open| open.kind == Kind::Array && kind == Kind::Part) else {
            return muted;
        };
        array.items = array.items.saturating_add(1);
        let (first, over) = (array.items == 1, array.items > ITEMS);
        let lang = attributes(start).find(|attribute| attribute.key.into_inner() == "xml:lang");
        if let Some(lang) = lang.map(|lang| value(&lang)).filter(|lang| !first && lang != "x-default") {
            self.path.push('[');
            self.path.push_str(&lang);
            self.path.push(']');
        }
        muted || over
    }

    /// Properties and fields that are written as attributes (ISO 16684-1, 7.9.2).
    fn fields(&mut self, start: &BytesStart<'_>) {
        for attribute in attributes(start) {
            let (prefix, name) = split(attribute.key.into_inner());
            let usual = self.names.usual(prefix);
            let outer = self.path.len();
            match (usual, name) {
                ("" | "xml" | "xmlns", _) => continue,
                ("rdf", "resource" | "value") => {}
                ("rdf", _) => continue,
                _ => step(&mut self.path, usual, name),
            }
            self.text = None;
            self.leaf(&value(&attribute));
            self.path.truncate(outer);
        }
    }

    fn end(&mut self) {
        if let Some(text) = self.text.take() {
            self.leaf(&text);
        }
        if let Some(open) = self.open.pop() {
            self.path.truncate(open.outer);
        }
        self.names.leave(self.open.len());
    }

    fn leaf(&mut self, text: &str) {
        let text = text.trim();
        let muted = self.open.last().is_some_and(|open| open.muted);
        if text.is_empty() || text.len() > TEXT || self.path.is_empty() || muted || self.left == 0 {
            return;
        }
        self.left = self.left.saturating_sub(1);
        self.meaning.note(&self.path, text, self.at, self.input.format(), self.facts);
        self.facts.add(self.input.format(), Group::Xmp, self.path.clone(), self.at, text);
    }
}

/// What an element is, by its parent and its name.
fn kind(parent: Option<Kind>, prefix: &str, name: &str) -> Kind {
    match (parent, prefix, name) {
        (None | Some(Kind::Outside), "rdf", "RDF") => Kind::Rdf,
        (_, "rdf", "Description") | (Some(Kind::Rdf), ..) => Kind::Node,
        (None | Some(Kind::Outside), ..) => Kind::Outside,
        (_, "rdf", "Bag" | "Seq" | "Alt") => Kind::Array,
        _ => Kind::Part,
    }
}

fn step(path: &mut String, prefix: &str, name: &str) {
    if !path.is_empty() {
        path.push('/');
    }
    if !prefix.is_empty() {
        path.push_str(prefix);
        path.push(':');
    }
    path.push_str(name);
}

/// Attributes up to the first that is malformed. Duplicates are not looked for: that takes quadratic time.
fn attributes<'s>(start: &'s BytesStart<'_>) -> impl Iterator<Item = Attribute<'s>> {
    let mut attributes = start.attributes();
    attributes.with_checks(false);
    attributes.map_while(Result::ok)
}

fn value<'a>(attribute: &Attribute<'a>) -> std::borrow::Cow<'a, str> {
    attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_else(|_| attribute.value.clone())
}

/// Prefix and local name.
fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use crate::extract::embedded::xmp;
    use crate::extract::{Datum, Facts, Group, Input, Limits};

    fn read(packet: &str) -> Facts {
        let data = packet.as_bytes().to_vec();
        let mut facts = Facts::new(&Limits::default());
        xmp::parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    fn leaves(facts: &Facts) -> Vec<(String, String)> {
        let text = |datum: &Datum| match datum {
            Datum::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        let xmp = facts.facts.iter().filter(|fact| fact.group == Group::Xmp);
        xmp.map(|fact| (fact.tag.to_string(), text(&fact.value))).collect()
    }

    /// A packet around properties, with odd prefixes.
    fn wrapped(attributes: &str, properties: &str) -> String {
        format!(
            "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"t\">\
             <r:RDF xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><r:Description r:about=\"\" \
             xmlns:d='http://purl.org/dc/elements/1.1/' xmlns:own=\"urn:mine\" xmlns:e='http://ns.adobe.com/xap/1.0/mm/' \
             {attributes}>{properties}</r:Description></r:RDF></x:xmpmeta>    <?xpacket end=\"w\"?>"
        )
    }

    #[test]
    fn every_way_to_write_a_leaf() {
        let facts = read(&wrapped(
            "own:rating=\"3 &amp; more\"",
            "<d:title><r:Alt><r:li xml:lang=\"x-default\">Caf&#xE9; &lt;1&gt;</r:li><r:li xml:lang=\"fr\">Caf</r:li></r:Alt></d:title>\
             <d:subject><r:Bag><r:li>one</r:li><r:li><![CDATA[t<w>o]]></r:li><r:li/></r:Bag></d:subject>\
             <d:source r:resource=\"urn:x\"/><own:s r:parseType=\"Resource\"><own:f>in</own:f></own:s>\
             <e:History><r:Seq><r:li own:a=\"1\"/><r:li><r:Description><own:a>2</own:a></r:Description></r:li></r:Seq></e:History>\
             <own:q><r:Description><r:value>v</r:value></r:Description></own:q><own:empty> </own:empty>",
        ));
        let want = [
            ("own:rating", "3 & more"),
            ("dc:title", "Caf\u{e9} <1>"),
            ("dc:title[fr]", "Caf"),
            ("dc:subject", "one"),
            ("dc:subject", "t<w>o"),
            ("dc:source", "urn:x"),
            ("own:s/own:f", "in"),
            ("xmpMM:History/own:a", "1"),
            ("xmpMM:History/own:a", "2"),
            ("own:q", "v"),
        ];
        assert_eq!(leaves(&facts), want.map(|(tag, text)| (tag.to_owned(), text.to_owned())));
        assert_eq!(facts.warnings, []);
    }

    #[test]
    fn other_encodings_are_read() {
        let packet = wrapped("own:a='\u{4e2d}'", "");
        let units = |to: fn(u16) -> [u8; 2]| packet.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for data in [
            units(u16::to_le_bytes),
            units(|unit| {
                let [a, b] = unit.to_le_bytes();
                [b, a]
            }),
        ] {
            let mut facts = Facts::new(&Limits::default());
            xmp::parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Xmp, "own:a"), Some(&Datum::from("\u{4e2d}")));
        }
    }

    #[test]
    fn every_cut_gives_what_came_before_and_ends() {
        let whole = wrapped("own:a='1'", "<own:b>2</own:b><own:c><r:Bag><r:li>3</r:li></r:Bag></own:c>");
        let all = leaves(&read(&whole));
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let some = leaves(&read(&whole[..end]));
            assert!(
                some.len() <= all.len() && some.iter().all(|(tag, _)| all.iter().any(|(of, _)| of == tag)),
                "{end}"
            );
        }
    }

    #[test]
    fn hostile_packets_stay_within_their_caps() {
        let many = "<own:k>v</own:k>".repeat(5000);
        assert_eq!(leaves(&read(&wrapped("", &many))).len(), super::LEAVES);
        let items = format!("<own:k><r:Bag>{}</r:Bag></own:k>", "<r:li>v</r:li>".repeat(5000));
        assert_eq!(leaves(&read(&wrapped("", &items))).len(), super::ITEMS as usize);
        let deep = read(&wrapped("", &"<own:k>".repeat(5000)));
        assert_eq!((leaves(&deep).len(), deep.warnings.len()), (0, 1));
        let entities = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>";
        assert_eq!(
            leaves(&read(&wrapped("", &format!("{entities}<own:k>&b;x</own:k>")))),
            [("own:k".into(), "x".into())]
        );
        let long = format!("<own:k>{}</own:k>", "x".repeat(100_000));
        assert_eq!(leaves(&read(&wrapped("", &long))), []);
    }
}
