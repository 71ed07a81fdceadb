//! HTML and XHTML: title, what the head says, and the text of the body. A scanner that takes tags as they come: pages are
//! rarely as well formed as a parser would wish.

use super::content::Content;
use super::{charset, say, say_keywords};
use crate::extract::{Facts, Input, Parsed, length};

/// Bytes that are read.
const MOST: u64 = 256 << 10;

/// Elements whose inside is not text (HTML, 13.1.2): skipped to their end tags.
const RAW: [&str; 6] = ["script", "style", "noscript", "template", "svg", "math"];
/// Elements that do not end a line (HTML, 4.5 and 4.7).
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "kbd", "mark", "q", "rb", "rt", "ruby", "s",
    "samp", "small", "span", "strong", "sub", "sup", "u",
];
/// References that pages use (HTML, 13.5).
const NAMED: [(&str, &str); 40] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("copy", "\u{a9}"),
    ("reg", "\u{ae}"),
    ("trade", "\u{2122}"),
    ("hellip", "\u{2026}"),
    ("mdash", "\u{2014}"),
    ("ndash", "\u{2013}"),
    ("lsquo", "\u{2018}"),
    ("rsquo", "\u{2019}"),
    ("ldquo", "\u{201c}"),
    ("rdquo", "\u{201d}"),
    ("laquo", "\u{ab}"),
    ("raquo", "\u{bb}"),
    ("bull", "\u{2022}"),
    ("middot", "\u{b7}"),
    ("euro", "\u{20ac}"),
    ("pound", "\u{a3}"),
    ("yen", "\u{a5}"),
    ("sect", "\u{a7}"),
    ("deg", "\u{b0}"),
    ("times", "\u{d7}"),
    ("auml", "\u{e4}"),
    ("ouml", "\u{f6}"),
    ("uuml", "\u{fc}"),
    ("Auml", "\u{c4}"),
    ("Ouml", "\u{d6}"),
    ("Uuml", "\u{dc}"),
    ("szlig", "\u{df}"),
    ("eacute", "\u{e9}"),
    ("egrave", "\u{e8}"),
    ("agrave", "\u{e0}"),
    ("ccedil", "\u{e7}"),
    ("ntilde", "\u{f1}"),
    ("oslash", "\u{f8}"),
    ("aring", "\u{e5}"),
];

/// One piece of a page.
enum Piece<'a> {
    Text(&'a str),
    /// Name in lower case, what stands behind it.
    Open(String, &'a str),
    Close(String),
}

/// Reads the page.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(MOST)?;
    let decoded = charset::decode(&bytes, length(bytes.len()) == input.file_len());
    say(input, facts, 0, "Encoding", decoded.encoding.as_str());
    let mut content = Content::new(facts);
    let mut title = String::new();
    let mut inside = false;
    scan(input, &decoded.text, |input, piece| {
        match piece {
            Piece::Open(name, rest) => match name.as_str() {
                "title" => inside = title.is_empty(),
                "meta" => meta(input, facts, rest),
                "html" => {
                    let language = attribute(rest, "lang").or_else(|| attribute(rest, "xml:lang"));
                    language.into_iter().for_each(|code| say(input, facts, 0, "Language", code));
                }
                _ => {}
            },
            Piece::Text(text) if inside && title.len() < 4096 => title.push_str(text),
            Piece::Close(name) if name == "title" || name == "head" => inside = false,
            _ => {}
        }
        true
    })?;
    body(input, &decoded.text, &mut content)?;
    say(input, facts, 0, "Title", unescaped(&title).split_whitespace().collect::<Vec<_>>().join(" "));
    content.finish(input, facts);
    Ok(())
}

/// Adds the text of a page to `content`.
pub(super) fn text(input: &mut Input<'_>, bytes: &[u8], content: &mut Content) -> Parsed<()> {
    body(input, &charset::decode(bytes, true).text, content)
}

fn body(input: &mut Input<'_>, page: &str, content: &mut Content) -> Parsed<()> {
    let mut hidden = false;
    scan(input, page, |_, piece| {
        match piece {
            Piece::Open(name, _) | Piece::Close(name) if !INLINE.contains(&name.as_str()) => {
                content.line();
                hidden = match name.as_str() {
                    "title" => !hidden,
                    "body" => false,
                    _ => hidden,
                };
            }
            Piece::Text(text) if !hidden => content.push(&unescaped(text)),
            _ => {}
        }
        !content.is_full()
    })
}

fn meta(input: &Input<'_>, facts: &mut Facts, rest: &str) {
    let Some(text) = attribute(rest, "content") else { return };
    let name = attribute(rest, "name").or_else(|| attribute(rest, "property")).unwrap_or_default();
    let tag = match name.to_ascii_lowercase().as_str() {
        "author" | "dc.creator" => "Author",
        "description" => "Description",
        "keywords" => return say_keywords(input, facts, 0, &text),
        "generator" => "Application",
        _ => return,
    };
    say(input, facts, 0, tag, text);
}

/// Takes a page apart until its end or until `visit` says `false`. Every step moves on, so that the walk is linear.
fn scan<'a>(
    input: &mut Input<'_>,
    page: &'a str,
    mut visit: impl FnMut(&mut Input<'_>, Piece<'a>) -> bool,
) -> Parsed<()> {
    let mut rest = page;
    while !rest.is_empty() {
        input.tick()?;
        let (text, tag) = rest.split_once('<').unwrap_or((rest, ""));
        if !text.is_empty() && !visit(input, Piece::Text(text)) {
            return Ok(());
        }
        rest = tag;
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if tag.starts_with(['!', '?']) {
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        } else if let Some(name) = tag.strip_prefix('/') {
            let (name, after) = name.split_once('>').unwrap_or((name, ""));
            rest = after;
            if !visit(input, Piece::Close(name.trim().to_ascii_lowercase())) {
                return Ok(());
            }
        } else if tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (name, attributes, after) = open(tag);
            rest = if RAW.contains(&name.as_str()) && !attributes.ends_with('/') { past(after, &name) } else { after };
            if !visit(input, Piece::Open(name, attributes)) {
                return Ok(());
            }
        } else if !tag.is_empty() && !visit(input, Piece::Text("<")) {
            return Ok(());
        }
    }
    Ok(())
}

/// Name, attributes, and what stands behind the tag. A `>` inside quotes does not end it.
fn open(tag: &str) -> (String, &str, &str) {
    let name_end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(tag.len());
    let (name, rest) = tag.split_at_checked(name_end).unwrap_or((tag, ""));
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => {
                return (name, rest.get(..at).unwrap_or(""), rest.get(at.saturating_add(1)..).unwrap_or(""));
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            _ => {}
        }
    }
    // A quote that never ends: the next `>` must do.
    let (attributes, after) = rest.split_once('>').unwrap_or((rest, ""));
    (name, attributes, after)
}

/// What stands behind the end tag of that name.
fn past<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

/// The value of an attribute, with or without quotes.
fn attribute(rest: &str, name: &str) -> Option<String> {
    let mut rest = rest;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end)?;
        let (value, next) = match after.trim_start().strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(text) => match text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                Some(quote) => text.get(1..)?.split_once(quote)?,
                None => text.split_at_checked(text.find(char::is_whitespace).unwrap_or(text.len()))?,
            },
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(unescaped(value));
        }
        if next.len() >= rest.len() {
            return None;
        }
        rest = next;
    }
}

/// Text with its references resolved; unknown ones stay as they are.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.char_indices().take(10).find(|(_, c)| *c == ';').map(|(at, _)| at);
        let name = end.and_then(|end| after.get(..end));
        match name.and_then(reference) {
            Some(text) => {
                out.push_str(&text);
                rest = after.split_once(';').map_or("", |(_, rest)| rest);
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(String::from);
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    fn read(page: &str) -> Facts {
        let data = page.as_bytes().to_vec();
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        parse(&mut Input::new(&data, &limits), &mut facts).unwrap();
        facts
    }

    #[test]
    fn heads_and_bodies() {
        let facts = read(
            "<!DOCTYPE html><html lang=en><head><title>A &amp; B\n C</title><meta name='author' content=\"M. &#77;\">\
             <style>p > a { }</style></head><body class='x>y'><p>One <b>bo</b>ld<p>Two&nbsp;&eacute;<!-- no > -->\
             <script>if (a < b) '</p>'</script>1 < 2</body></html>",
        );
        assert_eq!(facts.content, "One bold\nTwo \u{e9}\n1 < 2");
        let told = ["Title", "Author", "Language"].map(|tag| facts.find(Group::Document, tag).cloned());
        assert_eq!(told, [Some(Datum::from("A & B C")), Some(Datum::from("M. M")), Some(Datum::from("en"))]);
    }

    #[test]
    fn nothing_loops_on_broken_pages() {
        let page = "<a b='c><d e=f g><!-- x<script>y</scr <p q=\"r>&#xFFFFFF;&;&unknown; </ > <";
        for end in 0..=page.len() {
            read(&page[..end]);
            read(&page[end..]);
        }
        let deep = "<a ".repeat(20_000);
        assert!(read(&deep).warnings.is_empty());
    }
}
