//! Text tags of every kind in one vocabulary: the members of the File document.

use super::covers;
use crate::extract::stream::{Chapter, written};
use crate::extract::{Facts, Group, Input, Parsed, Stop};
use std::borrow::Cow;
use symphonia::core::meta::{MetadataRevision, StandardTag};

macro_rules! tags {
    ($($variant:ident)*) => {
        /// What a tag says. The first eight are members; the others are facts only, `Lyric` one of a stream.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::extract) enum Tag {
            $($variant,)*
        }

        impl Tag {
            fn name(self) -> &'static str {
                match self {
                    $(Tag::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

tags! {
    Title Artist AlbumArtist Album Composer Performer Conductor Language
    Track Disc Year Genre Comment Copyright Publisher Lyric Isrc Bpm TrackGain TrackPeak AlbumGain AlbumPeak
}

/// Names of Vorbis comments, APE items and Matroska tags (xiph.org, "Ogg Vorbis I format specification: comment
/// field"; wiki.hydrogenaud.io, "APE key"; Matroska, "Tagging"; and common use).
static NAMES: &[(&str, Tag)] = &[
    ("TITLE", Tag::Title),
    ("ARTIST", Tag::Artist),
    ("ALBUMARTIST", Tag::AlbumArtist),
    ("ALBUM ARTIST", Tag::AlbumArtist),
    ("ALBUM_ARTIST", Tag::AlbumArtist),
    ("ALBUM", Tag::Album),
    ("COMPOSER", Tag::Composer),
    ("PERFORMER", Tag::Performer),
    ("CONDUCTOR", Tag::Conductor),
    ("LANGUAGE", Tag::Language),
    ("TRACKNUMBER", Tag::Track),
    ("TRACK", Tag::Track),
    ("PART_NUMBER", Tag::Track),
    ("DISCNUMBER", Tag::Disc),
    ("DISC", Tag::Disc),
    ("DATE", Tag::Year),
    ("YEAR", Tag::Year),
    ("DATE_RELEASED", Tag::Year),
    ("GENRE", Tag::Genre),
    ("COMMENT", Tag::Comment),
    ("DESCRIPTION", Tag::Comment),
    ("COPYRIGHT", Tag::Copyright),
    ("PUBLISHER", Tag::Publisher),
    ("ORGANIZATION", Tag::Publisher),
    ("LABEL", Tag::Publisher),
    ("LYRICS", Tag::Lyric),
    ("UNSYNCEDLYRICS", Tag::Lyric),
    ("UNSYNCED LYRICS", Tag::Lyric),
    ("ISRC", Tag::Isrc),
    ("BPM", Tag::Bpm),
    ("REPLAYGAIN_TRACK_GAIN", Tag::TrackGain),
    ("REPLAYGAIN_TRACK_PEAK", Tag::TrackPeak),
    ("REPLAYGAIN_ALBUM_GAIN", Tag::AlbumGain),
    ("REPLAYGAIN_ALBUM_PEAK", Tag::AlbumPeak),
];

impl Tag {
    /// The tag of that name, in capitals or small letters.
    pub(in crate::extract) fn of_comment(key: &str) -> Option<Tag> {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, tag)| *tag)
    }
}

/// Tags of one source while they are read: several values of one name are one value, joined.
#[derive(Default)]
pub(in crate::extract) struct Found(Vec<(Tag, String, u64)>);

/// Longest text that values are joined to.
const JOINED: usize = 64 << 10;

impl Found {
    /// Adds a value; one that was there already adds nothing.
    pub(in crate::extract) fn add(&mut self, tag: Tag, value: &str, offset: u64) {
        if value.trim().is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(known, ..)| *known == tag) {
            Some((_, joined, _)) if joined.len() > JOINED || joined.split("; ").any(|part| part == value) => {}
            Some((_, joined, _)) => {
                joined.push_str("; ");
                joined.push_str(value);
            }
            None => self.0.push((tag, value.to_owned(), offset)),
        }
    }

    /// Adds the values of another source.
    pub(in crate::extract) fn merge(&mut self, other: Found) {
        for (tag, value, offset) in other.0 {
            value.split("; ").for_each(|value| self.add(tag, value, offset));
        }
    }

    /// Turns the tags into facts.
    pub(in crate::extract) fn publish(self, format: &'static str, facts: &mut Facts) {
        for (known, value, offset) in self.0 {
            tag(facts, format, known, offset, value);
        }
    }
}

/// Adds a tag's value as a fact.
pub(in crate::extract) fn tag(
    facts: &mut Facts,
    format: &'static str,
    tag: Tag,
    offset: u64,
    value: impl Into<Cow<'static, str>>,
) {
    let value: Cow<'static, str> = value.into();
    // Of most sounds it is a year or a day; a recorder writes the minute.
    if let Some(moment) = written(&value).filter(|_| tag == Tag::Year && facts.find(Group::Time, "Created").is_none()) {
        facts.add(format, Group::Time, "Created", offset, moment);
    }
    facts.add(format, Group::Tag, tag.name(), offset, value.trim());
}

/// Adds the tags that `symphonia` found. Where a tag is given several times the values are joined, as its readers
/// split one list value into several tags.
pub(super) fn from_symphonia(facts: &mut Facts, format: &'static str, offset: u64, revision: &MetadataRevision) {
    let containers = std::iter::once(&revision.media).chain(revision.per_track.iter().map(|track| &track.metadata));
    let mut found = Found::default();
    for standard in containers.flat_map(|container| &container.tags).filter_map(|tag| tag.std.as_ref()) {
        if let Some((tag, value)) = of_standard(standard) {
            found.add(tag, value, offset);
        }
    }
    found.publish(format, facts);
}

fn of_standard(standard: &StandardTag) -> Option<(Tag, &str)> {
    Some(match standard {
        StandardTag::TrackTitle(value) => (Tag::Title, value),
        StandardTag::Artist(value) => (Tag::Artist, value),
        StandardTag::AlbumArtist(value) => (Tag::AlbumArtist, value),
        StandardTag::Album(value) => (Tag::Album, value),
        StandardTag::Composer(value) => (Tag::Composer, value),
        StandardTag::Performer(value) => (Tag::Performer, value),
        StandardTag::Conductor(value) => (Tag::Conductor, value),
        StandardTag::Language(value) => (Tag::Language, value),
        StandardTag::Genre(value) => (Tag::Genre, value),
        StandardTag::Comment(value) => (Tag::Comment, value),
        StandardTag::Copyright(value) => (Tag::Copyright, value),
        StandardTag::Lyrics(value) => (Tag::Lyric, value),
        _ => return None,
    })
}

/// Longest comment that is read; longer ones hold pictures.
const COMMENT: u64 = 64 << 10;

/// Vorbis comments up to the end of the innermost part (Vorbis I, 5.2.1; RFC 9639, 8.6): a vendor string, a count,
/// then `NAME=value` in UTF-8, each with its length in front.
pub(super) fn vorbis_comments(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let vendor = input.u32_le("vendor length")?;
    input.skip(vendor.into(), "vendor string")?;
    let count = input.u32_le("number of comments")?;
    let mut found = Found::default();
    let mut names = Chapters::default();
    for _ in 0..count {
        input.entry()?;
        let len = u64::from(input.u32_le("comment length")?);
        let start = input.position();
        let head = input.peek_up_to(len.min(24))?;
        if head.get(..PICTURE.len()).is_some_and(|key| key.eq_ignore_ascii_case(PICTURE)) {
            let part = start..start.saturating_add(len);
            input.within(part, "picture", |input| packed_picture(input, facts))?;
            continue;
        }
        if len > COMMENT {
            input.skip(len, "comment")?;
            continue;
        }
        let bytes = input.take(len, "comment")?;
        let text = String::from_utf8_lossy(&bytes);
        let Some((key, value)) = text.split_once('=') else { continue };
        match Tag::of_comment(key) {
            Some(tag) => found.add(tag, value, start),
            None => names.comment(key, value),
        }
    }
    found.publish(input.format(), facts);
    names.publish(input.format(), facts);
    Ok(())
}

/// A comment that holds a picture block of FLAC in Base 64 (xiph.org, "VorbisComment: Cover art").
const PICTURE: &[u8] = b"METADATA_BLOCK_PICTURE=";
/// Characters of such a picture that are unpacked: its head and the head of the image.
const PACKED: u64 = 96 << 10;

fn packed_picture(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(u64::try_from(PICTURE.len()).unwrap_or(0), "name of the comment")?;
    let packed = input.take_up_to(PACKED)?;
    let bytes = base64(&packed);
    let mut inner = input.unpacked(&bytes);
    covers::block(&mut inner, facts)
}

/// RFC 4648, 4; stops at the first character that is none of it.
fn base64(text: &[u8]) -> Vec<u8> {
    let value = |byte: &u8| {
        Some(match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let digits: Vec<u8> = text.iter().map_while(value).collect();
    let mut bytes = Vec::with_capacity(digits.len());
    for four in digits.chunks(4) {
        let packed = four.iter().fold(0_u32, |sum, digit| (sum << 6) | u32::from(*digit));
        let missing = u32::try_from(4_usize.saturating_sub(four.len())).unwrap_or(0);
        let [_, a, b, c] = {
            let [d, c, b, a] = (packed << missing.saturating_mul(6)).to_le_bytes();
            [a, b, c, d]
        };
        bytes.extend([a, b, c].into_iter().take(four.len().saturating_sub(1)));
    }
    bytes
}

/// Chapters in comments: `CHAPTER001=00:00:00.000` and `CHAPTER001NAME=Intro` (xiph.org, "Chapter extension").
#[derive(Default)]
struct Chapters(std::collections::BTreeMap<u32, (String, String)>);

impl Chapters {
    fn comment(&mut self, key: &str, value: &str) {
        let Some(rest) = key.get(..7).filter(|head| head.eq_ignore_ascii_case("CHAPTER")).and(key.get(7..)) else {
            return;
        };
        let (digits, name) = rest.split_at_checked(3).unwrap_or((rest, ""));
        let Ok(number) = digits.parse::<u32>() else { return };
        let slot = self.0.entry(number).or_default();
        match name {
            "" => slot.0 = value.to_owned(),
            name if name.eq_ignore_ascii_case("NAME") => slot.1 = value.to_owned(),
            _ => {}
        }
    }

    fn publish(self, format: &'static str, facts: &mut Facts) {
        for (time, title) in self.0.into_values() {
            if let Some(start) = clock(&time) {
                facts.add(format, Group::Media, "Chapter", 0, Chapter { start, end: None, title }.to_string());
            }
        }
    }
}

/// Seconds of `HH:MM:SS.mmm`.
fn clock(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.trim().parse::<f64>().ok()?))
}

/// What an error of `symphonia` means for the file: a cap or an I/O error of ours, or malformed bytes.
pub(super) fn stop(input: &mut Input<'_>, error: &symphonia::core::errors::Error) -> Stop {
    match input.check() {
        Err(stop) => stop,
        Ok(()) => input.malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn comments(pairs: &[&str]) -> Vec<u8> {
        let text = |t: &str| [&u32::try_from(t.len()).unwrap().to_le_bytes()[..], t.as_bytes()].concat();
        let count = u32::try_from(pairs.len()).unwrap().to_le_bytes().to_vec();
        [text("vendor"), count, pairs.iter().flat_map(|p| text(p)).collect()].concat()
    }

    fn facts_of(pairs: &[&str]) -> Facts {
        let data = comments(pairs);
        let limits = Limits::default();
        let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        vorbis_comments(&mut input, &mut facts).unwrap();
        facts
    }

    #[test]
    fn values_are_joined_and_chapters_named() {
        let facts = facts_of(&["artist=A", "ARTIST=B", "Artist=A", "CHAPTER001=00:01:02.5", "CHAPTER001NAME=Intro"]);
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"A; B".into()));
        assert_eq!(facts.find(Group::Media, "Chapter"), Some(&"62.5 Intro".into()));
        assert_eq!(facts.find(Group::Tag, "Track"), None::<&Datum>);
    }

    #[test]
    fn packed_pictures_have_a_size() {
        assert_eq!(base64(b"TWFu"), b"Man");
        assert_eq!(base64(b"TWE="), b"Ma");
        assert_eq!(base64(b"TQ"), b"M");
        // Kind 3, media type and description empty, 2 x 1 pixels.
        let facts = facts_of(&["metadata_block_picture=AAAAAwAAAAAAAAAAAAAAAgAAAAEAAAAYAAAAAAAAAAA="]);
        assert_eq!(facts.audio_covers, [(2, 1)]);
    }
}
