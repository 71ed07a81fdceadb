//! What a file says of itself, each fact with where it was found. Knows nothing of what wins over what.

use super::sniff::Format;
use super::warning::{Parsed, Stop, Warning};
use crate::model::{LatLong, Members};
use std::borrow::Cow;

/// The vocabulary that a fact's tag belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Header fields of a still image, the same tags for every format: `ImageWidth`, `ImageHeight`, `FrameCount`...
    Header,
    /// TIFF and EXIF tags of the main image, named as in the EXIF specification.
    Exif,
    /// Tags of EXIF's GPS directory.
    Gps,
    /// Tags of a camera maker's own directory.
    Maker,
    /// XMP properties, as paths with the usual prefixes: `dc:title`.
    Xmp,
    /// Datasets of IPTC-IIM's application record: `Keywords`.
    Iptc,
    /// What a colour profile says of itself: `ProfileDescription`.
    Icc,
    /// Times in one form: `Original`, `Digitized`, `Modified`, `Created`, `Gps`, those of XMP and IPTC, and `Day` for dates
    /// without a time.
    Time,
    /// Places in one form: `Gps`, `Xmp`, `Container`; and `Altitude`, in metres above sea level.
    Place,
    /// Container and stream properties of audio and video, named as the File members: `Duration`, `FormatName`...
    Media,
    /// Properties of documents: `Title`, `Author`, `PageCount`, `Encoding`...
    Document,
    /// Digests of the whole file.
    Digest,
    /// What an archive lists: `EntryCount`, `UnpackedSize`...
    Archive,
    /// Text tags of audio and video in one vocabulary, named as the File members: `Title`, `Artist`...
    Tag,
}

/// A date and time as written in a file, with what is known of its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clock showed.
    pub clock: jiff::civil::DateTime,
    /// Seconds east of UTC; `None` where the file does not say.
    pub offset: Option<i32>,
}

impl Moment {
    /// That many seconds after 1970-01-01 in UTC.
    pub fn since_1970(seconds: i64) -> Option<Moment> {
        let at = jiff::Timestamp::from_second(seconds).ok()?;
        Some(Moment { clock: jiff::tz::Offset::UTC.to_datetime(at), offset: Some(0) })
    }
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Text, or a number in the format's own writing (`1/250`).
    Text(Box<str>),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A date and time.
    Time(Moment),
    /// A point on earth.
    Place(LatLong),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Datum {
        Datum::Text(text.into())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Datum {
        Datum::Text(text.into())
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Datum {
        Datum::Int(number)
    }
}

impl From<u32> for Datum {
    fn from(number: u32) -> Datum {
        Datum::Int(i64::from(number))
    }
}

impl From<f64> for Datum {
    fn from(number: f64) -> Datum {
        Datum::Float(number)
    }
}

impl From<Moment> for Datum {
    fn from(moment: Moment) -> Datum {
        Datum::Time(moment)
    }
}

impl From<LatLong> for Datum {
    fn from(place: LatLong) -> Datum {
        Datum::Place(place)
    }
}

/// One thing that a file says, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The format of the part that says it: `"jpeg"`, `"exif"`, `"bmff"`.
    pub format: &'static str,
    /// The vocabulary of `tag`.
    pub group: Group,
    /// The name inside the vocabulary.
    pub tag: Cow<'static, str>,
    /// Where in the file, in bytes from its start.
    pub offset: u64,
    /// What it says.
    pub value: Datum,
}

/// Collects what a parser finds.
#[derive(Debug, Default)]
pub struct Facts {
    pub(super) facts: Vec<Fact>,
    pub(super) warnings: Vec<Warning>,
    pub(super) refined: Option<Format>,
    max_facts: usize,
    max_warnings: usize,
    max_text: usize,
    max_content: usize,
    /// The text that a document holds, or the names that an archive lists.
    pub(super) content: String,
    /// Members of `VideoStreams`, in the container's order.
    pub video_streams: Vec<Members>,
    /// Members of `AudioStreams`, in the container's order.
    pub audio_streams: Vec<Members>,
    /// Members of `Subtitles`, in the container's order.
    pub subtitles: Vec<Members>,
    /// Width and height of the pictures attached to audio, for `AudioCovers`.
    pub audio_covers: Vec<(u32, u32)>,
}

impl Facts {
    /// An empty collection that keeps at most what `limits` allow.
    pub fn new(limits: &super::Limits) -> Facts {
        Facts {
            max_facts: limits.facts,
            max_warnings: limits.warnings,
            max_text: limits.text,
            max_content: limits.content,
            ..Facts::default()
        }
    }

    /// Adds a fact. Texts are cut to the cap and lose trailing NULs and spaces; empty ones are not facts.
    pub fn add(
        &mut self,
        format: &'static str,
        group: Group,
        tag: impl Into<Cow<'static, str>>,
        offset: u64,
        value: impl Into<Datum>,
    ) {
        let value = match value.into() {
            Datum::Text(text) => {
                let kept = clean(&text, self.max_text);
                if kept.is_empty() {
                    return;
                }
                if kept.len() == text.len() { Datum::Text(text) } else { Datum::Text(kept.into()) }
            }
            Datum::Float(number) if !number.is_finite() => return,
            other => other,
        };
        if self.facts.len() < self.max_facts {
            self.facts.push(Fact { format, group, tag: tag.into(), offset, value });
        }
    }

    /// Notes what was wrong.
    pub fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < self.max_warnings {
            self.warnings.push(warning);
        }
    }

    /// Turns malformed bytes into a warning, so that a walker can go on with the next part; caps and I/O errors
    /// still end the file.
    pub fn tolerate<T>(&mut self, result: Parsed<T>) -> Parsed<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Malformed(warning)) => {
                self.warn(warning);
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// Bytes of content that are kept: parsers need not look for more text than that.
    pub fn content_room(&self) -> usize {
        self.max_content
    }

    /// The text that a file holds, cut at the cap.
    pub fn set_content(&mut self, text: impl AsRef<str>) {
        self.content = clean(text.as_ref(), self.max_content).to_owned();
    }

    /// Facts and warnings so far, for [`Facts::found_in`].
    pub fn mark(&self) -> (usize, usize) {
        (self.facts.len(), self.warnings.len())
    }

    /// Says that everything since `mark` was found in a packed block at `offset`: offsets inside unpacked bytes mean
    /// nothing to who looks at the file.
    pub fn found_in(&mut self, mark: (usize, usize), offset: u64) {
        self.facts.iter_mut().skip(mark.0).for_each(|fact| fact.offset = offset);
        self.warnings.iter_mut().skip(mark.1).for_each(|warning| warning.offset = offset);
    }

    /// Says that everything since `mark` was found that many bytes further on than it seemed.
    pub(super) fn moved(&mut self, mark: (usize, usize), by: u64) {
        self.facts.iter_mut().skip(mark.0).for_each(|fact| fact.offset = fact.offset.saturating_add(by));
        let later = self.warnings.iter_mut().skip(mark.1);
        later.for_each(|warning| warning.offset = warning.offset.saturating_add(by));
    }

    /// The first text of that name since `mark`.
    pub(super) fn text_since(&self, mark: (usize, usize), group: Group, tag: &str) -> Option<&str> {
        let found = self.facts.iter().skip(mark.0).find(|fact| fact.group == group && fact.tag == tag)?;
        if let Datum::Text(text) = &found.value { Some(text) } else { None }
    }

    /// Takes over what another collection holds, behind what is here: found elsewhere in the file, worth less.
    pub fn append(&mut self, other: Facts) {
        let room = self.max_facts.saturating_sub(self.facts.len());
        self.facts.extend(other.facts.into_iter().take(room));
        other.warnings.into_iter().for_each(|warning| self.warn(warning));
        self.audio_covers.extend(other.audio_covers);
    }

    /// The parser knows the format better than the sniffer did (DNG inside TIFF, audio-only Matroska).
    pub fn refine(&mut self, format: Format) {
        self.refined = Some(format);
    }

    /// The first fact of that name.
    pub fn first(&self, group: Group, tag: &str) -> Option<&Fact> {
        self.facts.iter().find(|f| f.group == group && f.tag == tag)
    }

    /// The value of the first fact of that name.
    pub fn find(&self, group: Group, tag: &str) -> Option<&Datum> {
        self.first(group, tag).map(|fact| &fact.value)
    }
}

/// Text without trailing NULs and white space, cut at `max` bytes on a character boundary.
fn clean(text: &str, max: usize) -> &str {
    let cut = text.get(..text.floor_char_boundary(max)).unwrap_or(text);
    cut.trim_end_matches(|c: char| c == '\0' || c.is_whitespace()).trim_start_matches('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_cut_and_empty_ones_dropped() {
        let mut facts = Facts::new(&crate::extract::Limits { text: 5, ..Default::default() });
        facts.add("t", Group::Tag, "a", 0, "abc\0 \0");
        facts.add("t", Group::Tag, "b", 0, "\0  ");
        facts.add("t", Group::Tag, "c", 0, "abcd\u{e9}xyz");
        facts.add("t", Group::Tag, "d", 0, f64::NAN);
        let texts: Vec<_> = facts.facts.iter().map(|f| f.value.clone()).collect();
        assert_eq!(texts, [Datum::from("abc"), Datum::from("abcd")]);
    }

    #[test]
    fn malformed_is_noted_and_exhausted_is_not_swallowed() {
        let warning = Warning { format: "t", offset: 3, message: "no".into() };
        let mut facts = Facts::new(&Default::default());
        assert_eq!(facts.tolerate::<u8>(Err(Stop::Malformed(warning.clone()))).unwrap(), None);
        assert_eq!(facts.warnings, std::slice::from_ref(&warning));
        assert!(facts.tolerate::<u8>(Err(Stop::Exhausted(warning))).is_err());
    }
}
