//! Texts, times and places of movies: iTunes items, QuickTime user data and keys, 3GPP assets.

use super::children;
use crate::extract::audio::{Tag, tag};
use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::stream::{iso_6709, with_zone};
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
    /// A date and time of recording.
    Date,
    /// A place after ISO 6709.
    Place,
}

/// Texts found, in the order of the boxes. Better places come first when they are published.
#[derive(Default)]
pub(super) struct Texts(Vec<(u8, Meaning, u64, String)>);

impl Texts {
    fn add(&mut self, rank: u8, meaning: Meaning, offset: u64, text: String) {
        if self.0.len() < 256 && !text.trim().is_empty() {
            self.0.push((rank, meaning, offset, text));
        }
    }

    /// Turns the texts into facts: the first of the best rank wins for each member.
    pub(super) fn publish(mut self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        self.0.sort_by_key(|(rank, ..)| *rank);
        for (_, meaning, offset, text) in self.0 {
            match meaning {
                Meaning::Tag(known) => tag(facts, format, known, offset, text),
                Meaning::Date => {
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

/// Ranks: iTunes items, QuickTime keys, user data.
const ITEM: u8 = 0;
const KEY: u8 = 1;
const USER: u8 = 2;

/// The box `udta`: QuickTime texts, 3GPP assets, and the box `meta` of iTunes.
pub(super) fn udta(input: &mut Input<'_>, facts: &mut Facts, texts: &mut Texts) -> Parsed<()> {
    children(input, facts, |input, head, facts| match &head.kind {
        b"meta" => meta(input, facts, texts),
        b"loci" => loci(input, facts),
        [0xA9, ..] => quicktime_text(input, head, texts),
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
        _ => return None,
    })
}

/// Texts of QuickTime user data: length, language, text, repeated for further languages (the first one is taken).
fn quicktime_text(input: &mut Input<'_>, head: &BoxHead, texts: &mut Texts) -> Parsed<()> {
    let Some(meaning) = by_code(head.kind) else { return Ok(()) };
    let offset = input.position();
    // Some writers put an iTunes value here.
    if input.remaining() >= 16 && input.peek_up_to(8)?.get(4..) == Some(b"data") {
        return item(input, meaning, ITEM, texts);
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
        b"ilst" => children(input, facts, |input, head, _| {
            // Without a list of keys the type is a code, with one it is a number of a key, from 1.
            let index = u32::from_le_bytes(reversed(head.kind));
            let keyed = usize::try_from(index).ok().and_then(|n| n.checked_sub(1)).and_then(|n| keys.get(n));
            match keyed {
                Some(meaning) => meaning.map_or(Ok(()), |meaning| item(input, meaning, KEY, texts)),
                None => by_code(head.kind).map_or(Ok(()), |meaning| item(input, meaning, ITEM, texts)),
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

/// The text in an item's box `data`: a type, a locale, the value.
fn item(input: &mut Input<'_>, meaning: Meaning, rank: u8, texts: &mut Texts) -> Parsed<()> {
    bmff::each(input, |input, head| {
        if head.kind != *b"data" {
            return Ok(());
        }
        let kind = input.u32_be("type of value")?;
        input.skip(4, "locale")?;
        let offset = input.position();
        // 1 is UTF-8, 2 UTF-16; 0 leaves it open (QuickTime File Format, "Well-known types").
        if kind <= 2 {
            let bytes = input.take_up_to(TEXT)?;
            let value = if kind == 2 { utf16(&bytes) } else { text(&bytes) };
            texts.add(rank, meaning, offset, value);
        }
        Ok(())
    })
}

/// Text up to a zero: UTF-16 if it is marked so, else UTF-8, else Latin-1.
fn text(bytes: &[u8]) -> String {
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
