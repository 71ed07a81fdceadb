//! Rich Text Format (RTF 1.9.1): the information group, and the text between the control words.

use super::content::Content;
use super::{say, say_keywords};
use crate::extract::{Facts, Group, Input, Moment, Parsed};
use encoding_rs::{Encoding, WINDOWS_1252};
use jiff::civil::DateTime;

/// Bytes that are read.
const MOST: u64 = 512 << 10;
/// Groups inside each other that are kept apart.
const DEPTH: usize = 256;

/// Destinations whose inside is not text ("Contents of an RTF file").
const HIDDEN: [&str; 22] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "pict",
    "object",
    "objdata",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "fldinst",
    "themedata",
    "datastore",
    "generator",
    "xe",
    "rsidtbl",
];
/// Members of the information group, and what they are to us.
const INFO: [(&str, &str); 7] = [
    ("title", "Title"),
    ("author", "Author"),
    ("subject", "Subject"),
    ("keywords", "Keywords"),
    ("doccomm", "Description"),
    ("operator", "LastModifiedBy"),
    ("company", "Company"),
];

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Body,
    Hidden,
    Info(&'static str),
    /// A time of the information group: its parts follow as control words.
    Clock(&'static str),
}

struct Walk<'c> {
    target: Target,
    outer: Vec<Target>,
    encoding: &'static Encoding,
    /// Characters that stand behind `\u` for readers without Unicode.
    fallback: usize,
    skip: usize,
    /// Bytes of the code page, not yet decoded.
    bytes: Vec<u8>,
    info: Vec<(&'static str, String)>,
    clock: [i64; 6],
    times: Vec<(&'static str, [i64; 6])>,
    pages: i64,
    content: &'c mut Content,
}

/// Reads the document.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(MOST)?;
    let mut content = Content::new(facts);
    let mut walk = Walk {
        target: Target::Body,
        outer: Vec::new(),
        encoding: WINDOWS_1252,
        fallback: 1,
        skip: 0,
        bytes: Vec::new(),
        info: Vec::new(),
        clock: [0; 6],
        times: Vec::new(),
        pages: 0,
        content: &mut content,
    };
    walk.all(input, &bytes)?;
    let Walk { info, times, pages, .. } = walk;
    for (tag, text) in info {
        if tag == "Keywords" { say_keywords(input, facts, 0, &text) } else { say(input, facts, 0, tag, text) }
    }
    for (tag, parts) in times {
        moment(parts).into_iter().for_each(|at| facts.add(input.format(), Group::Time, tag, 0, at));
    }
    if pages > 0 {
        say(input, facts, 0, "PageCount", pages);
    }
    content.finish(input, facts);
    Ok(())
}

fn moment(parts: [i64; 6]) -> Option<Moment> {
    let [year, month, day, hour, minute, second] = parts;
    let small = |number: i64| i8::try_from(number).ok();
    let year = i16::try_from(year).ok().filter(|year| *year > 1900)?;
    let clock =
        DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(Moment { clock, offset: None })
}

impl Walk<'_> {
    fn all(&mut self, input: &mut Input<'_>, bytes: &[u8]) -> Parsed<()> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            input.tick()?;
            rest = match byte {
                b'{' => {
                    self.flush();
                    if self.outer.len() < DEPTH {
                        self.outer.push(self.target);
                    }
                    after
                }
                b'}' => {
                    self.close();
                    after
                }
                b'\\' => self.control(after),
                b'\r' | b'\n' => after,
                _ => {
                    self.byte(byte);
                    after
                }
            };
            if self.content.is_full() {
                break;
            }
        }
        self.flush();
        Ok(())
    }

    fn close(&mut self) {
        self.flush();
        if let Target::Clock(tag) = self.target {
            self.times.push((tag, std::mem::take(&mut self.clock)));
        }
        self.target = self.outer.pop().unwrap_or(Target::Body);
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
        } else if self.target != Target::Hidden {
            self.bytes.push(byte);
        }
    }

    /// Decodes what has come so far.
    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if !bytes.is_empty() {
            let (text, _) = self.encoding.decode_without_bom_handling(&bytes);
            self.put(&text);
        }
    }

    fn put(&mut self, text: &str) {
        match self.target {
            Target::Body => self.content.push(text),
            Target::Info(tag) => match self.info.last_mut().filter(|(of, _)| *of == tag) {
                Some((_, said)) if said.len() < 4096 => said.push_str(text),
                Some(_) => {}
                None => self.info.push((tag, text.to_owned())),
            },
            Target::Hidden | Target::Clock(_) => {}
        }
    }

    /// A control word or symbol, behind its backslash. Returns what follows.
    fn control<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        let Some((&first, after)) = rest.split_first() else { return rest };
        if first == b'\'' {
            let code = after
                .get(..2)
                .and_then(|hex| std::str::from_utf8(hex).ok())
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            code.into_iter().for_each(|byte| self.byte(byte));
            return after.get(2..).unwrap_or(&[]);
        }
        if !first.is_ascii_alphabetic() {
            match first {
                b'\\' | b'{' | b'}' => self.byte(first),
                b'~' => self.byte(b' '),
                b'\r' | b'\n' => self.word("par", None),
                // What follows is a destination that a reader may not know.
                b'*' => self.target = Target::Hidden,
                _ => {}
            }
            return after;
        }
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count().min(32);
        let (name, after) = rest.split_at_checked(letters).unwrap_or((rest, &[]));
        let signed = usize::from(after.first() == Some(&b'-'));
        let digits = after.iter().skip(signed).take_while(|byte| byte.is_ascii_digit()).count().min(10);
        let has = if digits > 0 { signed.saturating_add(digits) } else { 0 };
        let (number, after) = after.split_at_checked(has).unwrap_or((&[], after));
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok());
        self.word(std::str::from_utf8(name).unwrap_or(""), number);
        after.strip_prefix(b" ").unwrap_or(after)
    }

    fn word(&mut self, name: &str, number: Option<i64>) {
        if let Some((_, tag)) = INFO.iter().find(|(word, _)| *word == name).filter(|_| self.in_info()) {
            self.target = Target::Info(tag);
            return;
        }
        match (name, number) {
            ("info", _) => self.target = Target::Clock("Info"),
            ("creatim", _) => self.target = Target::Clock("Created"),
            ("revtim", _) => self.target = Target::Clock("Modified"),
            ("printim" | "buptim", _) => self.target = Target::Hidden,
            ("nofpages", Some(pages)) => self.pages = pages,
            ("ansicpg", Some(page)) => self.encoding = code_page(page),
            ("uc", Some(count)) => self.fallback = usize::try_from(count).unwrap_or(1).min(16),
            ("u", Some(code)) => self.unicode(code),
            ("par" | "line" | "sect" | "page" | "row", _) if self.target == Target::Body => {
                self.flush();
                self.content.line();
            }
            ("tab" | "cell", _) => self.byte(b' '),
            (name, _) if HIDDEN.contains(&name) => self.target = Target::Hidden,
            (name, Some(number)) => {
                let part = ["yr", "mo", "dy", "hr", "min", "sec"].iter().position(|part| *part == name);
                if let Some(slot) = part.and_then(|at| self.clock.get_mut(at)) {
                    *slot = number;
                }
            }
            _ => {}
        }
    }

    fn in_info(&self) -> bool {
        self.outer.contains(&Target::Clock("Info"))
    }

    /// A UTF-16 unit as a signed number; the characters behind it are for readers without Unicode.
    fn unicode(&mut self, code: i64) {
        self.flush();
        let unit = u16::try_from(code).or_else(|_| u16::try_from(code.saturating_add(65_536)));
        let c = unit.ok().and_then(|unit| char::decode_utf16([unit]).next()).and_then(Result::ok);
        c.into_iter().for_each(|c| self.put(c.encode_utf8(&mut [0; 4])));
        self.skip = self.fallback;
    }
}

/// The encoding of a Windows code page.
fn code_page(number: i64) -> &'static Encoding {
    let label = match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        874 => "windows-874".to_owned(),
        10_000 => "macintosh".to_owned(),
        65_001 => "utf-8".to_owned(),
        other => format!("windows-{other}"),
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(text: &[u8]) -> Facts {
        let data = text.to_vec();
        let limits = Limits::default();
        let mut facts = Facts::new(&limits);
        parse(&mut Input::new(&data, &limits), &mut facts).unwrap();
        facts
    }

    const SAMPLE: &[u8] = b"{\\rtf1\\ansi\\ansicpg1251{\\fonttbl{\\f0 Arial;}}{\\info{\\title A \\'c0}{\\author B}\
        {\\creatim\\yr2020\\mo8\\dy19\\hr17\\min11}{\\nofpages3}}{\\*\\generator x;}\\f0 One\\par Tw\\u8211 ?o\\tab {\\b bold}\\line end}";

    #[test]
    fn information_and_text() {
        let facts = read(SAMPLE);
        assert_eq!(facts.content, "One\nTw\u{2013}o bold\nend");
        assert_eq!(facts.find(Group::Document, "Title"), Some(&Datum::from("A \u{410}")));
        assert_eq!(facts.find(Group::Document, "Author"), Some(&Datum::from("B")));
        assert_eq!(facts.find(Group::Document, "PageCount"), Some(&Datum::Int(3)));
        let Some(Datum::Time(at)) = facts.find(Group::Time, "Created") else { panic!("no time") };
        assert_eq!(at.clock.to_string(), "2020-08-19T17:11:00");
    }

    #[test]
    fn cuts_and_flips_end() {
        for at in 0..SAMPLE.len() {
            read(&SAMPLE[..at]);
            let mut flipped = SAMPLE.to_vec();
            flipped[at] ^= 0xFF;
            read(&flipped);
        }
        read(&[b'{'; 10_000]);
        read(&[b'}'; 10_000]);
    }
}
