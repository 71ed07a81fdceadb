//! Texts, times and places of movies: iTunes items, QuickTime user data and keys, 3GPP assets.

use super::children;
use crate::extract::audio::{Tag, cover, genre, tag};
use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::stream::{Chapter, float, iso_6709, with_zone};
use crate::extract::{Facts, Group, Input, Parsed};
use crate::model::LatLong;

/// Longest text that is read.
const TEXT: u64 = 16 << 10;
/// Most keys of one list.
const KEYS: u32 = 1024;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Tag(Tag),
    /// A number and how many there are, in binary.
    Pair(Tag),
    /// A genre of ID3v1, counted from 1.
    Genre,
    Cover,
    /// What made the recording.
    Device(&'static str),
    /// A date and time of recording.
    Date,
    /// A place after ISO 6709.
    Place,
}

/// Texts found, in the order of the boxes. Better places come first when they are published.
#[derive(Default)]
pub(super) struct Texts {
    found: Vec<(u8, Meaning, u64, String)>,
    pub(super) chapters: Vec<Chapter>,
}

impl Texts {
    fn add(&mut self, rank: u8, meaning: Meaning, offset: u64, text: String) {
        if self.found.len() < 256 && !text.trim().is_empty() {
            self.found.push((rank, meaning, offset, text));
        }
    }

    /// Turns the texts into facts: the first of the best rank wins for each member.
    pub(super) fn publish(mut self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        self.found.sort_by_key(|(rank, ..)| *rank);
        for (_, meaning, offset, text) in self.found {
            match meaning {
                Meaning::Tag(known) | Meaning::Pair(known) => tag(facts, format, known, offset, text),
                Meaning::Genre => tag(facts, format, Tag::Genre, offset, text),
                Meaning::Device(name) => facts.add(format, Group::Media, name, offset, text),
                Meaning::Cover => {}
                Meaning::Date => {
                    tag(facts, format, Tag::Year, offset, text.clone());
                    if let Some(moment) = with_zone(&text) {
                        facts.add(format, Group::Time, "Original", offset, moment);
                    }
                }
                Meaning::Place => {
                    if let Some(place) = iso_6709(&text) {
                        facts.add(format, Group::Place, "Container", offset, place);
                    }
                }
            }
        }
    }
}

/// Ranks: iTunes items, QuickTime keys, iTunes items of any name, user data.
const ITEM: u8 = 0;
const KEY: u8 = 1;
const NAMED: u8 = 2;
const USER: u8 = 3;

/// The box `udta`: QuickTime texts, 3GPP assets, and the box `meta` of iTunes.
pub(super) fn udta(input: &mut Input<'_>, facts: &mut Facts, texts: &mut Texts) -> Parsed<()> {
    children(input, facts, |input, head, facts| match &head.kind {
        b"meta" => meta(input, facts, texts),
        b"loci" => loci(input, facts),
        b"chpl" => nero_chapters(input, texts),
        [0xA9, ..] => quicktime_text(input, head, texts, facts),
        kind => match asset(kind) {
            Some(known) => asset_text(input, known, texts),
            None => Ok(()),
        },
    })
}

/// Four-character codes that iTunes and QuickTime share; the first byte is the sign for copyright.
fn by_code(code: [u8; 4]) -> Option<Meaning> {
    Some(match &code {
        b"\xA9nam" => Meaning::Tag(Tag::Title),
        b"\xA9ART" => Meaning::Tag(Tag::Artist),
        b"aART" => Meaning::Tag(Tag::AlbumArtist),
        b"\xA9alb" => Meaning::Tag(Tag::Album),
        b"\xA9wrt" | b"\xA9com" => Meaning::Tag(Tag::Composer),
        b"\xA9prf" => Meaning::Tag(Tag::Performer),
        b"\xA9con" => Meaning::Tag(Tag::Conductor),
        b"\xA9gen" => Meaning::Tag(Tag::Genre),
        b"\xA9cmt" => Meaning::Tag(Tag::Comment),
        b"\xA9lyr" => Meaning::Tag(Tag::Lyric),
        b"\xA9pub" => Meaning::Tag(Tag::Publisher),
        b"\xA9cpy" | b"cprt" => Meaning::Tag(Tag::Copyright),
        b"tmpo" => Meaning::Tag(Tag::Bpm),
        b"trkn" => Meaning::Pair(Tag::Track),
        b"disk" => Meaning::Pair(Tag::Disc),
        b"gnre" => Meaning::Genre,
        b"covr" => Meaning::Cover,
        b"\xA9mak" => Meaning::Device("Make"),
        b"\xA9mod" => Meaning::Device("Model"),
        b"\xA9swr" | b"\xA9too" => Meaning::Device("Software"),
        b"\xA9day" => Meaning::Date,
        b"\xA9xyz" => Meaning::Place,
        _ => return None,
    })
}

/// Names of QuickTime's keys (QuickTime File Format, "QuickTime metadata keys").
fn by_key(name: &[u8]) -> Option<Meaning> {
    Some(match name {
        b"com.apple.quicktime.title" | b"com.apple.quicktime.displayname" | b"title" => Meaning::Tag(Tag::Title),
        b"com.apple.quicktime.artist" | b"com.apple.quicktime.author" | b"artist" => Meaning::Tag(Tag::Artist),
        b"com.apple.quicktime.album" | b"album" => Meaning::Tag(Tag::Album),
        b"album_artist" => Meaning::Tag(Tag::AlbumArtist),
        b"com.apple.quicktime.composer" | b"composer" => Meaning::Tag(Tag::Composer),
        b"com.apple.quicktime.performer" => Meaning::Tag(Tag::Performer),
        b"com.apple.quicktime.make" => Meaning::Device("Make"),
        b"com.apple.quicktime.model" => Meaning::Device("Model"),
        b"com.apple.quicktime.software" => Meaning::Device("Software"),
        b"com.apple.quicktime.content.identifier" => Meaning::Device("ContentIdentifier"),
        b"com.apple.quicktime.genre" | b"genre" => Meaning::Tag(Tag::Genre),
        b"com.apple.quicktime.comment" | b"comment" => Meaning::Tag(Tag::Comment),
        b"com.apple.quicktime.copyright" | b"copyright" => Meaning::Tag(Tag::Copyright),
        b"com.apple.quicktime.creationdate" => Meaning::Date,
        b"com.apple.quicktime.location.ISO6709" => Meaning::Place,
        _ => return None,
    })
}

/// 3GPP TS 26.244, 8: assets with their codes.
fn asset(code: &[u8; 4]) -> Option<Tag> {
    Some(match code {
        b"titl" => Tag::Title,
        b"perf" => Tag::Artist,
        b"auth" => Tag::Composer,
        b"albm" => Tag::Album,
        b"gnre" => Tag::Genre,
        b"cprt" => Tag::Copyright,
        b"dscp" => Tag::Comment,
        _ => return None,
    })
}

/// Texts of QuickTime user data: length, language, text, repeated for further languages (the first one is taken).
fn quicktime_text(input: &mut Input<'_>, head: &BoxHead, texts: &mut Texts, facts: &mut Facts) -> Parsed<()> {
    let Some(meaning) = by_code(head.kind) else { return Ok(()) };
    let offset = input.position();
    // Some writers put an iTunes value here.
    if input.remaining() >= 16 && input.peek_up_to(8)?.get(4..) == Some(b"data") {
        return item(input, meaning, ITEM, texts, facts);
    }
    let len = input.u16_be("text length")?;
    input.skip(2, "language")?;
    let bytes = input.take_up_to(u64::from(len).min(TEXT))?;
    texts.add(USER, meaning, offset, text(&bytes));
    Ok(())
}

fn asset_text(input: &mut Input<'_>, known: Tag, texts: &mut Texts) -> Parsed<()> {
    input.skip(6, "version and language")?;
    let offset = input.position();
    let bytes = input.take_up_to(TEXT)?;
    texts.add(USER, Meaning::Tag(known), offset, text(&bytes));
    Ok(())
}

/// 3GPP TS 26.244, 8.2: a named place, longitude first, in 16.16 degrees.
fn loci(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    input.skip(6, "version and language")?;
    let name = input.peek_up_to(TEXT)?;
    let wide = name.starts_with(&[0xFE, 0xFF]);
    let end = if wide {
        name.chunks(2).position(|unit| unit == [0, 0]).map(|at| at.saturating_add(1).saturating_mul(2))
    } else {
        name.iter().position(|byte| *byte == 0).map(|at| at.saturating_add(1))
    };
    let Some(end) = end else { return Ok(()) };
    input.skip(u64::try_from(end).unwrap_or(u64::MAX), "name")?;
    input.skip(1, "role")?;
    let (lon, lat) = (input.i32_be("longitude")?, input.i32_be("latitude")?);
    if let Some(place) = LatLong::new(f64::from(lat) / 65_536.0, f64::from(lon) / 65_536.0) {
        facts.add(input.format(), Group::Place, "Container", offset, place);
    }
    Ok(())
}

/// The box `meta`, a full box in ISO files and a plain one in QuickTime (ISO/IEC 14496-12, 8.11.1).
pub(super) fn meta(input: &mut Input<'_>, facts: &mut Facts, texts: &mut Texts) -> Parsed<()> {
    if input.peek_up_to(8)?.get(4..) != Some(b"hdlr") {
        input.skip(4, "version and flags")?;
    }
    let mut keys = Vec::new();
    children(input, facts, |input, head, facts| match &head.kind {
        b"keys" => {
            keys = read_keys(input)?;
            Ok(())
        }
        b"ilst" => children(input, facts, |input, head, facts| {
            if head.kind == *b"----" {
                return named_item(input, texts, facts);
            }
            // Without a list of keys the type is a code, with one it is a number of a key, from 1.
            let index = u32::from_le_bytes(reversed(head.kind));
            let keyed = usize::try_from(index).ok().and_then(|n| n.checked_sub(1)).and_then(|n| keys.get(n));
            match keyed {
                Some(meaning) => meaning.map_or(Ok(()), |meaning| item(input, meaning, KEY, texts, facts)),
                None => by_code(head.kind).map_or(Ok(()), |meaning| item(input, meaning, ITEM, texts, facts)),
            }
        }),
        _ => Ok(()),
    })
}

fn reversed([a, b, c, d]: [u8; 4]) -> [u8; 4] {
    [d, c, b, a]
}

/// Meanings of the keys, in their order.
fn read_keys(input: &mut Input<'_>) -> Parsed<Vec<Option<Meaning>>> {
    bmff::version_and_flags(input)?;
    let count = input.u32_be("number of keys")?;
    let mut keys = Vec::new();
    for _ in 0..count.min(KEYS) {
        input.entry()?;
        let size = input.u32_be("key size")?;
        input.skip(4, "key namespace")?;
        let len = u64::from(size.saturating_sub(8));
        let end = input.position().saturating_add(len);
        let name = input.take_up_to(len.min(256))?;
        keys.push(by_key(&name));
        input.seek(end, "next key")?;
    }
    Ok(keys)
}

/// The values in an item's boxes `data`: a type, a locale, the value. Of several texts each counts.
fn item(input: &mut Input<'_>, meaning: Meaning, rank: u8, texts: &mut Texts, facts: &mut Facts) -> Parsed<()> {
    let mut joined: Option<(u64, String)> = None;
    bmff::each(input, |input, head| {
        if head.kind != *b"data" {
            return Ok(());
        }
        let kind = input.u32_be("type of value")?;
        input.skip(4, "locale")?;
        let offset = input.position();
        if meaning == Meaning::Cover {
            return cover(input, facts);
        }
        let value = value(input, meaning, kind)?;
        match &mut joined {
            Some((_, all)) => {
                all.push_str("; ");
                all.push_str(&value);
            }
            None => joined = Some((offset, value)),
        }
        Ok(())
    })?;
    joined.into_iter().for_each(|(offset, value)| texts.add(rank, meaning, offset, value));
    Ok(())
}

/// A value as text. 1 is UTF-8, 2 UTF-16, 21 and 22 are numbers; 0 leaves it open (QuickTime File Format, "Well-known
/// types").
fn value(input: &mut Input<'_>, meaning: Meaning, kind: u32) -> Parsed<String> {
    let bytes = input.take_up_to(TEXT)?;
    let number = || bytes.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Ok(match (meaning, kind, bytes.as_slice()) {
        (Meaning::Pair(_), 0 | 21, &[_, _, a, b, c, d, ..]) => {
            let (number, of) = (u16::from_le_bytes([b, a]), u16::from_le_bytes([d, c]));
            match (number, of) {
                (0, _) => String::new(),
                (_, 0) => number.to_string(),
                _ => format!("{number}/{of}"),
            }
        }
        (Meaning::Genre, 0 | 21, _) => {
            let name = number().checked_sub(1).and_then(|at| genre(u32::try_from(at).ok()?));
            name.unwrap_or_default().to_owned()
        }
        (_, 0 | 1, _) => text(&bytes),
        (_, 2, _) => utf16(&bytes),
        (_, 21 | 22, _) if bytes.len() <= 8 => number().to_string(),
        _ => String::new(),
    })
}

/// An item of any name: a namespace, a name, a value (iTunes): `----`.
fn named_item(input: &mut Input<'_>, texts: &mut Texts, facts: &mut Facts) -> Parsed<()> {
    let mut name = Vec::new();
    let mut body = None;
    bmff::each(input, |input, head| {
        match &head.kind {
            b"name" => {
                input.skip(4, "version and flags")?;
                name = input.take_up_to(256)?;
            }
            b"data" => body = body.take().or(Some(head.start)),
            _ => {}
        }
        Ok(())
    })?;
    let (name, end) = (String::from_utf8_lossy(&name).into_owned(), input.position());
    let Some(body) = body else { return Ok(()) };
    input.seek(body, "value")?;
    if name == "iTunSMPB" {
        gapless(input, facts)?;
    } else if let Some(known) = Tag::of_comment(&name) {
        item(input, Meaning::Tag(known), NAMED, texts, facts)?;
    }
    input.seek(end, "next item")
}

/// Samples around the sound: hexadecimal numbers, of which the second to fourth are those in front, those behind and
/// those of the sound.
fn gapless(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bmff::each(input, |input, head| {
        if head.kind != *b"data" {
            return Ok(());
        }
        input.skip(8, "type of value")?;
        let offset = input.position();
        let text = text(&input.take_up_to(256)?);
        let numbers = text.split_whitespace().skip(1).map_while(|word| i64::from_str_radix(word, 16).ok());
        for (tag, number) in ["EncoderDelay", "EncoderPadding", "PlayedSamples"].into_iter().zip(numbers) {
            facts.add(input.format(), Group::Media, tag, offset, number);
        }
        Ok(())
    })
}

/// Chapters in Nero's way: a count, then a time in 100 nanoseconds and a name each.
fn nero_chapters(input: &mut Input<'_>, texts: &mut Texts) -> Parsed<()> {
    let (version, _) = bmff::version_and_flags(input)?;
    input.skip(if version > 0 { 4 } else { 0 }, "reserved")?;
    for _ in 0..input.u8("number of chapters")? {
        let start = float(input.u64_be("start of a chapter")?) / 1e7;
        let len = input.u8("length of a name")?;
        let name = input.take(len.into(), "name of a chapter")?;
        texts.chapters.push(Chapter { start, end: None, title: text(&name) });
    }
    Ok(())
}

/// Text up to a zero: UTF-16 if it is marked so, else UTF-8, else Latin-1.
pub(super) fn text(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest);
    }
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|&[high, low]| u16::from_le_bytes([low, high]));
    char::decode_utf16(units.take_while(|unit| *unit != 0)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
