//! Plain text, Markdown and its kin, JSON: encoding, language, title, and the text itself.

use super::content::Content;
use super::{charset, say};
use crate::extract::{Facts, Format, Input, Parsed, length};

/// Bytes that are read: enough for the content and for telling the encoding.
const MOST: u64 = 128 << 10;
/// Bytes of a title.
const TITLE: usize = 512;

/// Text of any kind.
pub fn text(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let text = read(input, facts)?;
    let title = match input.format() {
        name if name == Format::Latex.name() => command(&text, "\\title{"),
        name if name == Format::Rst.name() => underlined(&text),
        _ => None,
    };
    title.into_iter().for_each(|title| say(input, facts, 0, "Title", title));
    keep(input, facts, &text);
    Ok(())
}

/// Markdown: the title is the front matter's, else the first heading.
pub fn markdown(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let text = read(input, facts)?;
    let title = front_matter(&text).or_else(|| heading(&text)).or_else(|| underlined(&text));
    title.into_iter().for_each(|title| say(input, facts, 0, "Title", title));
    keep(input, facts, &text);
    Ok(())
}

/// JSON: the title is the `title` or `name` of the outermost object.
pub fn json(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let text = read(input, facts)?;
    let whole = input.at_end();
    if whole {
        // The parser has its own cap on depth (128).
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(value) => {
                let title = ["title", "name"].iter().find_map(|key| value.get(key)?.as_str());
                title.into_iter().for_each(|title| say(input, facts, 0, "Title", title));
            }
            Err(error) => facts.warn(crate::extract::Warning {
                format: input.format(),
                offset: 0,
                message: format!("expected JSON: {error}"),
            }),
        }
    }
    keep(input, facts, &text);
    Ok(())
}

/// Reads and decodes the start of the file, and says in what encoding.
pub(super) fn read(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<String> {
    let bytes = input.take_up_to(MOST)?;
    let decoded = charset::decode(&bytes, length(bytes.len()) == input.file_len());
    say(input, facts, 0, "Encoding", decoded.encoding);
    Ok(decoded.text)
}

/// Keeps the text as content.
pub(super) fn keep(input: &Input<'_>, facts: &mut Facts, text: &str) {
    let mut content = Content::new(facts);
    content.push(text);
    content.finish(input, facts);
}

fn short(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= TITLE).then(|| text.to_owned())
}

/// `title: ...` between two lines of three dashes at the start.
fn front_matter(text: &str) -> Option<String> {
    let mut lines = text.lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let title = lines.take_while(|line| line.trim_end() != "---").find_map(|line| line.strip_prefix("title:"))?;
    short(title.trim().trim_matches(['"', '\'']))
}

/// `# ...`, outside of fenced code (CommonMark 0.31, 4.2 and 4.5).
fn heading(text: &str) -> Option<String> {
    let mut fenced = false;
    for line in text.lines().take(200) {
        fenced ^= line.starts_with("```") || line.starts_with("~~~");
        if let Some(title) = line.strip_prefix("# ").filter(|_| !fenced) {
            return short(title.trim().trim_end_matches('#'));
        }
    }
    None
}

/// A line above a line of at least three equal marks (CommonMark 4.3; reStructuredText, "Sections").
fn underlined(text: &str) -> Option<String> {
    let mut last = "";
    for line in text.lines().take(200) {
        let mark = line.trim_end();
        let first = mark.chars().next().filter(|c| matches!(c, '=' | '-' | '~' | '*' | '#' | '^'));
        let rule = mark.len() >= 3 && first.is_some_and(|first| mark.chars().all(|c| c == first));
        // Dashes rule off front matter and tables too: only what is as long as the words above is an underline.
        if rule && !last.trim().is_empty() && mark.len() >= last.trim().chars().count() {
            return short(last);
        }
        last = if rule { "" } else { line };
    }
    None
}

/// What stands in the braces behind a command of LaTeX, if it is simple.
fn command(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(name)?;
    short(after.split_once('}')?.0).filter(|title| !title.contains(['{', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits, Parse};

    fn read_as(format: Format, parse: Parse, content: &str) -> Facts {
        let data = content.as_bytes().to_vec();
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        let mut input = Input::new(&data, &limits);
        input.set_format(format.name());
        parse(&mut input, &mut facts).unwrap();
        facts
    }

    #[test]
    fn titles_of_each_kind() {
        let table: [(Format, Parse, &str, Option<&str>); 9] = [
            (Format::Markdown, markdown, "text\n```\n# code\n```\n# The Title #\n", Some("The Title")),
            (Format::Markdown, markdown, "---\ntitle: 'Front'\n---\n# Other", Some("Front")),
            (Format::Markdown, markdown, "Title\n=====\nx", Some("Title")),
            (Format::Markdown, markdown, "just text", None),
            (Format::Rst, text, "=====\nOver\n=====\n", Some("Over")),
            (Format::Latex, text, "\\title{On Harbours}\n", Some("On Harbours")),
            (Format::Text, text, "Title\n=====", None),
            (Format::Json, json, "{\"name\": \"pkg\", \"x\": [1]}", Some("pkg")),
            (Format::Json, json, "{\"name\": ", None),
        ];
        for (format, parse, content, want) in table {
            let facts = read_as(format, parse, content);
            assert_eq!(facts.find(Group::Document, "Title"), want.map(Datum::from).as_ref(), "{content}");
            assert_eq!(facts.find(Group::Document, "Encoding"), Some(&Datum::from("us-ascii")));
            assert!(!facts.content.is_empty());
        }
    }
}
