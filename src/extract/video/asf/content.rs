//! Texts and pictures of ASF (01.20.05, 3.10, 3.11, 4.7 and 4.8; attributes of Windows Media, wmsdkidl.h).

use crate::extract::audio::{self, Found, Tag};
use crate::extract::container::asf;
use crate::extract::{Facts, Input, Parsed};

/// Longest text that is read.
const TEXT: u64 = 16 << 10;

/// Texts by their place: the description comes first, then its extension, then the library, which holds further values of
/// the same names.
#[derive(Default)]
pub(super) struct Texts {
    description: Found,
    extended: Found,
    library: Found,
}

impl Texts {
    pub(super) fn publish(self, format: &'static str, facts: &mut Facts) {
        let mut all = self.description;
        all.merge(self.extended);
        all.merge(self.library);
        all.publish(format, facts);
    }
}

/// Five texts with their lengths in front.
pub(super) fn description(input: &mut Input<'_>, texts: &mut Texts) -> Parsed<()> {
    let mut lens = [0_u16; 5];
    for len in &mut lens {
        *len = input.u16_le("length of a text")?;
    }
    let kinds = [Some(Tag::Title), Some(Tag::Artist), Some(Tag::Copyright), Some(Tag::Comment), None];
    for (len, kind) in lens.into_iter().zip(kinds) {
        let offset = input.position();
        let text = asf::text(input, len.into())?;
        if let Some(kind) = kind {
            texts.description.add(kind, &text, offset);
        }
    }
    Ok(())
}

/// Names and values with 16-bit lengths.
pub(super) fn extended(input: &mut Input<'_>, texts: &mut Texts, facts: &mut Facts) -> Parsed<()> {
    for _ in 0..input.u16_le("number of attributes")? {
        input.entry()?;
        let len = input.u16_le("length of a name")?;
        let name = asf::text(input, len.into())?;
        let (kind, len) = (input.u16_le("type of a value")?, input.u16_le("length of a value")?);
        value(input, (&name, kind, len.into()), &mut texts.extended, facts)?;
    }
    Ok(())
}

/// Names and values with 32-bit lengths, each with its stream.
pub(super) fn library(input: &mut Input<'_>, texts: &mut Texts, facts: &mut Facts) -> Parsed<()> {
    for _ in 0..input.u16_le("number of attributes")? {
        input.entry()?;
        input.skip(4, "language and stream")?;
        let (name_len, kind) = (input.u16_le("length of a name")?, input.u16_le("type of a value")?);
        let len = input.u32_le("length of a value")?;
        let name = asf::text(input, name_len.into())?;
        value(input, (&name, kind, len.into()), &mut texts.library, facts)?;
    }
    Ok(())
}

/// A value of that name, type and length.
fn value(
    input: &mut Input<'_>,
    (name, kind, len): (&str, u16, u64),
    found: &mut Found,
    facts: &mut Facts,
) -> Parsed<()> {
    let offset = input.position();
    let part = offset..offset.saturating_add(len);
    input.within(part, "value", |input| {
        if name == "WM/Picture" && kind == 1 {
            return picture(input, facts);
        }
        let Some(known) = attribute(name).or_else(|| Tag::of_comment(name)) else { return Ok(()) };
        let text = match kind {
            0 => asf::text(input, input.remaining().min(TEXT))?,
            // A number: of two bytes where it is a flag or a short one.
            2..=5 => number(input)?,
            _ => String::new(),
        };
        found.add(known, &text, offset);
        Ok(())
    })
}

fn number(input: &mut Input<'_>) -> Parsed<String> {
    let bytes = input.take_up_to(8)?;
    Ok(bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)).to_string())
}

/// A picture: its kind, its length, its media type and name in UTF-16, its bytes.
fn picture(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(1 + 4, "kind and length of the picture")?;
    for what in ["media type", "description"] {
        while input.u16_le(what)? != 0 {
            input.tick()?;
        }
    }
    audio::cover(input, facts)
}

/// Attributes of Windows Media.
fn attribute(name: &str) -> Option<Tag> {
    Some(match name {
        "Title" => Tag::Title,
        "Author" => Tag::Artist,
        "WM/AlbumTitle" => Tag::Album,
        "WM/AlbumArtist" => Tag::AlbumArtist,
        "WM/Composer" => Tag::Composer,
        "WM/Conductor" => Tag::Conductor,
        "WM/Genre" => Tag::Genre,
        "WM/Language" => Tag::Language,
        "WM/Lyrics" => Tag::Lyric,
        "WM/PartOfSet" => Tag::Disc,
        "WM/TrackNumber" => Tag::Track,
        "WM/Year" => Tag::Year,
        "WM/Publisher" => Tag::Publisher,
        "WM/ISRC" => Tag::Isrc,
        "WM/BeatsPerMinute" => Tag::Bpm,
        "Copyright" => Tag::Copyright,
        "Description" => Tag::Comment,
        "REPLAYGAIN_TRACK_GAIN" | "replaygain_track_gain" => Tag::TrackGain,
        "REPLAYGAIN_ALBUM_GAIN" | "replaygain_album_gain" => Tag::AlbumGain,
        _ => return None,
    })
}
