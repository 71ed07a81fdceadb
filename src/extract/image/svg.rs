//! SVG: `width` and `height` of the root element (SVG 2, 8.2), else the size of its `viewBox`; title, description and the
//! RDF of its metadata (SVG 2, 5.7 and 5.8).

use crate::extract::embedded::{decode, xmp};
use crate::extract::{Facts, Group, Input, Parsed, length};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Bytes in which the root element must end.
const HEAD: u64 = 64 << 10;

/// Reads a drawing that is packed with gzip (RFC 1952), as far as its head goes.
pub fn packed(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.take_up_to(HEAD)?;
    let mut text = Vec::new();
    let unpacked = MultiGzDecoder::new(bytes.as_slice()).take(HEAD).read_to_end(&mut text);
    // What was cut gives what came before the cut.
    if let (Err(error), true) = (unpacked, text.is_empty()) {
        return Err(input.malformed_at(at, format!("the drawing cannot be unpacked: {error}")));
    }
    let mark = facts.mark();
    let result = parse(&mut input.unpacked(&text), facts);
    facts.found_in(mark, at);
    result
}

/// Reads the root element's attributes.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(HEAD)?;
    let text = decode(&bytes);
    let Some((at, root)) = root(&text) else {
        return Err(input.malformed_at(0, format!("expected an <svg> element within {HEAD} bytes")));
    };
    let view: Vec<&str> =
        attribute(root, "viewBox").unwrap_or("").split([' ', ',']).filter(|t| !t.is_empty()).collect();
    let side = |name, place: usize| {
        attribute(root, name).and_then(pixels).or_else(|| view.get(place).copied().and_then(pixels))
    };
    if let (Some(width), Some(height)) = (side("width", 2), side("height", 3)) {
        super::size(input, facts, length(at), width, height);
    }
    for (name, group, tag) in [("title", Group::Tag, "Title"), ("desc", Group::Header, "Description")] {
        if let Some((at, text)) = element(&text, name) {
            let text = quick_xml::escape::unescape(text).unwrap_or(text.into());
            facts.add(input.format(), group, tag, length(at), text.trim());
        }
    }
    match text.find("<rdf:RDF") {
        Some(at) => {
            let rdf = text.get(at..).unwrap_or("");
            let end = rdf.find("</rdf:RDF>").unwrap_or(rdf.len());
            let packet = rdf.get(..end).unwrap_or(rdf);
            let read = xmp::packet(input, facts, length(at), packet.as_bytes());
            facts.tolerate(read).map(drop)
        }
        None => Ok(()),
    }
}

/// Offset and text of the first element of that name without attributes that matter. Only text: markup in it is no title.
fn element<'t>(text: &'t str, name: &str) -> Option<(usize, &'t str)> {
    let mut from = 0_usize;
    loop {
        let at = from.checked_add(text.get(from..)?.find(name)?)?;
        let after = at.checked_add(name.len())?;
        let rest = text.get(after..)?;
        if text.get(..at)?.ends_with('<') && rest.starts_with(|c: char| c == '>' || c.is_whitespace()) {
            let (_, inside) = rest.split_once('>')?;
            return inside.split('<').next().map(|inside| (at, inside));
        }
        from = after;
    }
}

/// Offset and inside of the root's start tag; it may have a namespace prefix.
fn root(text: &str) -> Option<(usize, &str)> {
    let mut from = 0_usize;
    while let Some(at) = text.get(from..)?.find('<') {
        let start = from.checked_add(at)?.checked_add(1)?;
        let rest = text.get(start..)?;
        let name = rest.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next()?;
        if name == "svg" || name.ends_with(":svg") {
            return Some((start, rest.split_once('>').map_or(rest, |(inside, _)| inside)));
        }
        // Comments may hold anything, also tags.
        let skip = if rest.starts_with("!--") { rest.find("-->")? } else { 0 };
        from = start.checked_add(skip)?;
    }
    None
}

fn attribute<'t>(inside: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = inside;
    loop {
        let at = rest.find(name)?;
        let before = rest.get(..at)?;
        rest = rest.get(at.checked_add(name.len())?..)?;
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        if let (true, Some(value)) = (before.ends_with(char::is_whitespace), value) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value.get(1..)?.split(quote).next();
        }
    }
}

/// A length in CSS pixels (CSS Values 3, 6.2); `None` for percentages and font units.
#[expect(clippy::as_conversions, reason = "a float in the range of u32 is rounded on purpose")]
fn pixels(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let number: f64 = digits.trim().parse().ok()?;
    let scale = match text.get(digits.len()..)? {
        "" | "px" => 1.0,
        "in" => 96.0,
        "cm" => 96.0 / 2.54,
        "mm" => 96.0 / 25.4,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        _ => return None,
    };
    let pixels = (number * scale).round();
    (pixels >= 1.0 && pixels <= f64::from(u32::MAX)).then_some(pixels as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn title_description_and_metadata() {
        let text = "<svg width='1' height='1'><title id='t'> A &amp; B</title><desc>Some\nlines</desc><metadata><rdf:RDF>\
                    <cc:Work rdf:about=''><dc:creator><cc:Agent><dc:title>Me</dc:title></cc:Agent></dc:creator></cc:Work>\
                    </rdf:RDF></metadata></svg>";
        let data = text.as_bytes().to_vec();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&Datum::from("A & B")));
        assert_eq!(facts.find(Group::Header, "Description"), Some(&Datum::from("Some\nlines")));
        assert_eq!(facts.find(Group::Xmp, "dc:creator/cc:Agent/dc:title"), Some(&Datum::from("Me")));
        assert_eq!(facts.warnings, []);
    }

    #[test]
    fn sizes_in_units_and_view_boxes() {
        let table = [
            ("<svg width=\"100\" height='50px'>", 100, 50),
            ("<?xml?><!-- <svg width=\"1\"> --><svg:svg stroke-width='9' width = \"4in\" height=\"3in\"/>", 384, 288),
            ("<svg viewBox='0 0 24.2,12'/>", 24, 12),
            ("<svg width='100%' height='100%' viewBox='0 0 30 20'/>", 30, 20),
        ];
        for (text, width, height) in table {
            let data = text.as_bytes().to_vec();
            let mut facts = Facts::new(&Limits::default());
            parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(width)), "{text}");
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(height)), "{text}");
        }
    }
}
