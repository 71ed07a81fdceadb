//! Text tags of every kind in one vocabulary: the members of the File document.

use crate::extract::{Facts, Group, Input, Parsed, Stop};
use std::borrow::Cow;
use symphonia::core::meta::{MetadataRevision, StandardTag};

/// A member that tags can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Tag {
    Title,
    Artist,
    AlbumArtist,
    Album,
    Composer,
    Performer,
    Language,
}

impl Tag {
    fn name(self) -> &'static str {
        match self {
            Tag::Title => "Title",
            Tag::Artist => "Artist",
            Tag::AlbumArtist => "AlbumArtist",
            Tag::Album => "Album",
            Tag::Composer => "Composer",
            Tag::Performer => "Performer",
            Tag::Language => "Language",
        }
    }

    /// Names of Vorbis comments (xiph.org, "Ogg Vorbis I format specification: comment field", and common use).
    pub(in crate::extract) fn of_comment(key: &str) -> Option<Tag> {
        let names: &[(&str, Tag)] = &[
            ("TITLE", Tag::Title),
            ("ARTIST", Tag::Artist),
            ("ALBUMARTIST", Tag::AlbumArtist),
            ("ALBUM ARTIST", Tag::AlbumArtist),
            ("ALBUM_ARTIST", Tag::AlbumArtist),
            ("ALBUM", Tag::Album),
            ("COMPOSER", Tag::Composer),
            ("PERFORMER", Tag::Performer),
            ("LANGUAGE", Tag::Language),
        ];
        names.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, tag)| *tag)
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
    facts.add(format, Group::Tag, tag.name(), offset, value.trim());
}

/// Adds the tags that `symphonia` found. Where a tag is given several times the values are joined, as its readers
/// split one list value into several tags.
pub(super) fn from_symphonia(facts: &mut Facts, format: &'static str, offset: u64, revision: &MetadataRevision) {
    let containers = std::iter::once(&revision.media).chain(revision.per_track.iter().map(|track| &track.metadata));
    let mut found: Vec<(Tag, String)> = Vec::new();
    for standard in containers.flat_map(|container| &container.tags).filter_map(|tag| tag.std.as_ref()) {
        let Some((tag, value)) = of_standard(standard) else { continue };
        match found.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, joined)) if joined.split("; ").any(|part| part == value) => {}
            Some((_, joined)) => {
                joined.push_str("; ");
                joined.push_str(value);
            }
            None => found.push((tag, value.to_owned())),
        }
    }
    for (known, value) in found {
        tag(facts, format, known, offset, value);
    }
}

fn of_standard(standard: &StandardTag) -> Option<(Tag, &str)> {
    Some(match standard {
        StandardTag::TrackTitle(value) => (Tag::Title, value),
        StandardTag::Artist(value) => (Tag::Artist, value),
        StandardTag::AlbumArtist(value) => (Tag::AlbumArtist, value),
        StandardTag::Album(value) => (Tag::Album, value),
        StandardTag::Composer(value) => (Tag::Composer, value),
        StandardTag::Performer(value) => (Tag::Performer, value),
        StandardTag::Language(value) => (Tag::Language, value),
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
    let mut found: Vec<(Tag, String, u64)> = Vec::new();
    for _ in 0..count {
        input.entry()?;
        let len = u64::from(input.u32_le("comment length")?);
        let start = input.position();
        if len > COMMENT {
            input.skip(len, "comment")?;
            continue;
        }
        let bytes = input.take(len, "comment")?;
        let text = String::from_utf8_lossy(&bytes);
        let Some((key, value)) = text.split_once('=') else { continue };
        let Some(tag) = Tag::of_comment(key) else { continue };
        match found.iter_mut().find(|(known, ..)| *known == tag) {
            // A name may occur more than once: several artists.
            Some((_, joined, _)) => {
                joined.push_str("; ");
                joined.push_str(value);
            }
            None => found.push((tag, value.to_owned(), start)),
        }
    }
    for (known, value, offset) in found {
        tag(facts, input.format(), known, offset, value);
    }
    Ok(())
}

/// What an error of `symphonia` means for the file: a cap or an I/O error of ours, or malformed bytes.
pub(super) fn stop(input: &mut Input<'_>, error: &symphonia::core::errors::Error) -> Stop {
    match input.check() {
        Err(stop) => stop,
        Ok(()) => input.malformed(error.to_string()),
    }
}
