//! Frames of ID3v2 (id3.org, "ID3v2.4.0 native frames", and those of versions 2.2 and 2.3).

use super::{genre, plain, syncsafe};
use crate::extract::audio::covers;
use crate::extract::audio::tags::{Found, Tag};
use crate::extract::stream::Chapter;
use crate::extract::{Facts, Group, Input, Parsed};
use flate2::read::ZlibDecoder;
use std::io::Read;

/// Longest text that is read; texts of songs are longer than others.
const TEXT: u64 = 64 << 10;
/// Most bytes of a packed frame, packed or unpacked.
const PACKED: u64 = 256 << 10;

/// The head of a frame: its name, filled up to four letters, and how its body is wrapped.
struct Head {
    name: [u8; 4],
    size: u64,
    packed: bool,
    unsynchronised: bool,
    encrypted: bool,
    /// Bytes between the head and the body.
    extra: u64,
}

/// Reads frames up to the padding or the end.
pub(super) fn read(input: &mut Input<'_>, version: u8, found: &mut Found, facts: &mut Facts) -> Parsed<()> {
    while let Some(head) = head(input, version)? {
        input.entry()?;
        let part = input.position()..input.position().saturating_add(head.size);
        let read = input.within(part, "frame", |input| wrapped(input, &head, version, found, facts));
        facts.tolerate(read)?;
    }
    Ok(())
}

/// The next head; `None` at the padding or the end.
fn head(input: &mut Input<'_>, version: u8) -> Parsed<Option<Head>> {
    let len = if version == 2 { 6 } else { 10 };
    if input.remaining() < len || input.peek_up_to(1)?.first() == Some(&0) {
        return Ok(None);
    }
    let head = input.take(len, "frame header")?;
    Ok(match (version, head.as_slice()) {
        (2, &[a, b, c, x, y, z]) => {
            let size = u32::from_le_bytes([z, y, x, 0]).into();
            let name = longer([a, b, c]);
            Some(Head { name, size, packed: false, unsynchronised: false, encrypted: false, extra: 0 })
        }
        (_, &[n0, n1, n2, n3, a, b, c, d, _, flags]) => {
            // Many writers of version 4 forgot that its sizes are syncsafe, too.
            let safe = version == 4 && (a | b | c | d) < 0x80;
            let size = if safe { syncsafe([a, b, c, d]) } else { u32::from_le_bytes([d, c, b, a]) };
            let new = version == 4;
            // ID3v2.4.0, 4.1.2; ID3v2.3.0, 3.3.1.
            let (group, packed, encrypted) = if new {
                (flags & 0x40 != 0, flags & 8 != 0, flags & 4 != 0)
            } else {
                (flags & 0x20 != 0, flags & 0x80 != 0, flags & 0x40 != 0)
            };
            let length = if new { flags & 1 != 0 } else { packed };
            let extra = u64::from(group).saturating_add(if length { 4 } else { 0 });
            let unsynchronised = new && flags & 2 != 0;
            Some(Head { name: [n0, n1, n2, n3], size: size.into(), packed, unsynchronised, encrypted, extra })
        }
        _ => None,
    })
}

/// Names of version 2.2 by those of its successors, for the frames that we read.
fn longer(name: [u8; 3]) -> [u8; 4] {
    match &name {
        b"TT2" => *b"TIT2",
        b"TP1" => *b"TPE1",
        b"TP2" => *b"TPE2",
        b"TP3" => *b"TPE3",
        b"TAL" => *b"TALB",
        b"TCM" => *b"TCOM",
        b"TRK" => *b"TRCK",
        b"TPA" => *b"TPOS",
        b"TYE" => *b"TYER",
        b"TCO" => *b"TCON",
        b"TLA" => *b"TLAN",
        b"TCR" => *b"TCOP",
        b"TPB" => *b"TPUB",
        b"TRC" => *b"TSRC",
        b"TBP" => *b"TBPM",
        b"TXX" => USER_TEXT,
        b"COM" => *b"COMM",
        b"ULT" => *b"USLT",
        b"SLT" => *b"SYLT",
        b"PIC" => *b"PIC ",
        _ => [0; 4],
    }
}

/// Unwraps the body of a frame, where it is wrapped.
fn wrapped(input: &mut Input<'_>, head: &Head, version: u8, found: &mut Found, facts: &mut Facts) -> Parsed<()> {
    if head.encrypted || meaning(head.name).is_none() {
        return Ok(());
    }
    input.skip(head.extra.min(input.remaining()), "frame flags")?;
    if !head.packed && !head.unsynchronised {
        return content(input, head.name, version, found, facts);
    }
    let start = input.position();
    let mut bytes = input.take_up_to(PACKED)?;
    if head.unsynchronised {
        bytes = plain(&bytes);
    }
    if head.packed {
        let mut unpacked = Vec::new();
        let read = ZlibDecoder::new(bytes.as_slice()).take(PACKED).read_to_end(&mut unpacked);
        if let Err(error) = read {
            return Err(input.malformed_at(start, format!("expected a frame packed with zlib: {error}")));
        }
        bytes = unpacked;
    }
    let mark = facts.mark();
    let read = content(&mut input.unpacked(&bytes), head.name, version, found, facts);
    facts.found_in(mark, start);
    read
}

/// A text whose meaning a description in front of it tells. Its letters are spelled out because three of them are a
/// mark for unfinished work.
const USER_TEXT: [u8; 4] = *b"TX\x58\x58";

/// What a frame is for.
enum Meaning {
    Text(Tag),
    Genre,
    UserText,
    Comment(Tag),
    TimedWords,
    Picture,
    OldPicture,
    Chapter,
}

fn meaning(name: [u8; 4]) -> Option<Meaning> {
    Some(match &name {
        b"TIT2" => Meaning::Text(Tag::Title),
        b"TPE1" => Meaning::Text(Tag::Artist),
        b"TPE2" => Meaning::Text(Tag::AlbumArtist),
        b"TPE3" => Meaning::Text(Tag::Performer),
        b"TALB" => Meaning::Text(Tag::Album),
        b"TCOM" => Meaning::Text(Tag::Composer),
        b"TRCK" => Meaning::Text(Tag::Track),
        b"TPOS" => Meaning::Text(Tag::Disc),
        b"TDRC" | b"TYER" | b"TDRL" => Meaning::Text(Tag::Year),
        b"TCON" => Meaning::Genre,
        b"TLAN" => Meaning::Text(Tag::Language),
        b"TCOP" => Meaning::Text(Tag::Copyright),
        b"TPUB" => Meaning::Text(Tag::Publisher),
        b"TSRC" => Meaning::Text(Tag::Isrc),
        b"TBPM" => Meaning::Text(Tag::Bpm),
        &USER_TEXT => Meaning::UserText,
        b"COMM" => Meaning::Comment(Tag::Comment),
        b"USLT" => Meaning::Comment(Tag::Lyric),
        b"SYLT" => Meaning::TimedWords,
        b"APIC" => Meaning::Picture,
        b"PIC " => Meaning::OldPicture,
        b"CHAP" => Meaning::Chapter,
        _ => return None,
    })
}

fn content(input: &mut Input<'_>, name: [u8; 4], version: u8, found: &mut Found, facts: &mut Facts) -> Parsed<()> {
    let (Some(meaning), offset) = (meaning(name), input.position()) else { return Ok(()) };
    if let Meaning::Chapter = meaning {
        return chapter(input, version, facts);
    }
    let coding = input.u8("text encoding")?;
    match meaning {
        Meaning::Text(tag) => texts(coding, &input.take_up_to(TEXT)?).iter().for_each(|t| found.add(tag, t, offset)),
        Meaning::Genre => {
            texts(coding, &input.take_up_to(TEXT)?).iter().for_each(|t| found.add(Tag::Genre, &named(t), offset));
        }
        Meaning::UserText => {
            let pair = texts(coding, &input.take_up_to(TEXT)?);
            if let [key, value, ..] = pair.as_slice()
                && let Some(tag) = Tag::of_comment(key)
            {
                found.add(tag, value, offset);
            }
        }
        Meaning::Comment(tag) => {
            input.skip(3, "language")?;
            // Notes that programs write for themselves carry a description.
            let parts = texts(coding, &input.take_up_to(TEXT)?);
            if let [about, words, ..] = parts.as_slice()
                && (tag == Tag::Lyric || about.is_empty())
            {
                found.add(tag, words, offset);
            }
        }
        Meaning::TimedWords => timed_words(input, coding, offset, found)?,
        Meaning::Picture => {
            text_end(input, 0)?;
            input.skip(1, "kind of picture")?;
            text_end(input, coding)?;
            covers::cover(input, facts)?;
        }
        Meaning::OldPicture => {
            input.skip(4, "kind of picture")?;
            text_end(input, coding)?;
            covers::cover(input, facts)?;
        }
        Meaning::Chapter => {}
    }
    Ok(())
}

/// Words with their times (ID3v2.4.0, 4.9): the words alone are kept, a line each.
fn timed_words(input: &mut Input<'_>, coding: u8, offset: u64, found: &mut Found) -> Parsed<()> {
    input.skip(3 + 1 + 1, "language and kind of words")?;
    text_end(input, coding)?;
    let mut words = String::new();
    while input.remaining() > 4 {
        input.entry()?;
        let start = input.position();
        text_end(input, coding)?;
        let end = input.position();
        input.seek(start, "words")?;
        let bytes = input.take(end.saturating_sub(start), "words")?;
        if let Some(text) = texts(coding, &bytes).first() {
            words.push_str(text.trim_start_matches('\n'));
            words.push('\n');
        }
        input.skip(4.min(input.remaining()), "time of the words")?;
    }
    found.add(Tag::Lyric, words.trim_end(), offset);
    Ok(())
}

/// A chapter (id3.org, "ID3v2 Chapter Frame Addendum"): its times in milliseconds, its title in a frame of its own.
fn chapter(input: &mut Input<'_>, version: u8, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    text_end(input, 0)?;
    let (start, end) = (input.u32_be("chapter start")?, input.u32_be("chapter end")?);
    input.skip(8, "chapter offsets")?;
    let mut title = String::new();
    while let Some(head) = head(input, version)? {
        input.entry()?;
        let size = head.size.min(input.remaining());
        let body = input.take(size, "frame of a chapter")?;
        if head.name == *b"TIT2"
            && let Some((coding, text)) = body.split_first()
        {
            title = texts(*coding, text).into_iter().next().unwrap_or_default();
        }
    }
    let chapter = Chapter { start: f64::from(start) / 1000.0, end: Some(f64::from(end) / 1000.0), title };
    facts.add("id3v2", Group::Media, "Chapter", offset, chapter.to_string());
    Ok(())
}

/// Moves behind the zero that ends a text.
fn text_end(input: &mut Input<'_>, coding: u8) -> Parsed<()> {
    let wide = matches!(coding, 1 | 2);
    let bytes = input.peek_up_to(4096)?;
    let len = if wide {
        bytes.chunks(2).position(|unit| unit == [0, 0]).map(|at| at.saturating_add(1).saturating_mul(2))
    } else {
        bytes.iter().position(|byte| *byte == 0).map(|at| at.saturating_add(1))
    };
    let len = u64::try_from(len.unwrap_or(bytes.len())).unwrap_or(0);
    input.skip(len, "text")
}

/// Texts between zeros in the encoding that the frame names (ID3v2.4.0, 4).
fn texts(coding: u8, bytes: &[u8]) -> Vec<String> {
    let whole: String = match coding {
        1 | 2 => wide(bytes, coding == 2),
        3 => String::from_utf8_lossy(bytes).into_owned(),
        _ => bytes.iter().copied().map(char::from).collect(),
    };
    let mut parts: Vec<String> = whole.split('\0').map(|part| part.trim_start_matches('\u{feff}').to_owned()).collect();
    if parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    parts
}

/// UTF-16, whose byte order may change with each text in the frame.
fn wide(bytes: &[u8], big: bool) -> String {
    let mut big = big;
    let units = bytes.as_chunks::<2>().0.iter().map(|&[a, b]| {
        match (a, b) {
            (0xFE, 0xFF) => big = true,
            (0xFF, 0xFE) => big = false,
            _ => {}
        }
        let unit = if big { [b, a] } else { [a, b] };
        u16::from_le_bytes(unit)
    });
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The name of a genre that is given as a number, `(17)` or `17`; a name in front of or behind it wins.
fn named(text: &str) -> String {
    let number = |digits: &str| digits.parse::<u32>().ok().and_then(genre);
    if let Some(name) = number(text.trim()) {
        return name.to_owned();
    }
    let Some((digits, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else {
        return text.to_owned();
    };
    match (rest.trim(), number(digits)) {
        ("", Some(name)) => name.to_owned(),
        ("", None) => text.to_owned(),
        (rest, _) => rest.to_owned(),
    }
}
