//! Titles and tags (RFC 9559, 5.1.8; Matroska, "Tagging").

use crate::extract::audio::{Tag, tag};
use crate::extract::container::ebml;
use crate::extract::{Facts, Input, Parsed};

const TAG: u32 = 0x7373;
const TARGETS: u32 = 0x63C0;
const TARGET_TYPE: u32 = 0x63CA;
const TARGET_TRACK: u32 = 0x63C5;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;

/// Texts with their rank: the title of the segment, tags of the whole, tags of one track.
#[derive(Default)]
pub(super) struct Texts {
    found: Vec<(u8, Tag, u64, String)>,
    /// Bits per second by the number of a track, as its writer counted them.
    rates: Vec<(u64, u64)>,
}

/// What a tag is about.
#[derive(Default)]
struct Target {
    album: bool,
    /// 0 for the whole.
    track: u64,
}

impl Texts {
    pub(super) fn title(&mut self, offset: u64, text: String) {
        self.add(0, Tag::Title, offset, text);
    }

    fn add(&mut self, rank: u8, tag: Tag, offset: u64, text: String) {
        if self.found.len() < 256 && !text.trim().is_empty() {
            self.found.push((rank, tag, offset, text));
        }
    }

    /// Reads the element Tags.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| if element.id == TAG { self.one(input) } else { Ok(()) })
    }

    fn one(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let mut target = Target::default();
        ebml::each(input, |input, element| match element.id {
            TARGETS => ebml::each(input, |input, element| {
                match element.id {
                    TARGET_TYPE => target.album = ebml::text(input)?.eq_ignore_ascii_case("ALBUM"),
                    TARGET_TRACK => target.track = ebml::unsigned(input)?,
                    _ => {}
                }
                Ok(())
            }),
            SIMPLE_TAG => self.simple(input, &target),
            _ => Ok(()),
        })
    }

    fn simple(&mut self, input: &mut Input<'_>, target: &Target) -> Parsed<()> {
        let offset = input.position();
        let (mut name, mut text) = (String::new(), String::new());
        ebml::each(input, |input, element| {
            match element.id {
                TAG_NAME => name = ebml::text(input)?,
                TAG_STRING => text = ebml::text(input)?,
                _ => {}
            }
            Ok(())
        })?;
        // Statistics of mkvmerge, in common use.
        if name == "BPS"
            && let Ok(rate) = text.trim().parse()
            && self.rates.len() < 256
        {
            self.rates.push((target.track, rate));
        }
        let known = match Tag::of_comment(&name) {
            // The title of an album is not that of its piece.
            Some(Tag::Title) if target.album => Some(Tag::Album),
            other => other,
        };
        if let Some(tag) = known {
            self.add(if target.track > 0 { 2 } else { 1 }, tag, offset, text);
        }
        Ok(())
    }

    /// Turns the texts into facts; the best rank comes first and wins. What is left: the rates of the tracks.
    pub(super) fn publish(mut self, input: &Input<'_>, facts: &mut Facts) -> Vec<(u64, u64)> {
        self.found.sort_by_key(|(rank, ..)| *rank);
        for (_, known, offset, text) in self.found {
            tag(facts, input.format(), known, offset, text);
        }
        self.rates
    }
}
