//! Chapters and attachments (RFC 9559, 5.1.7 and 5.1.6).

use crate::extract::audio::cover;
use crate::extract::container::ebml;
use crate::extract::stream::{Chapter, float};
use crate::extract::{Facts, Input, Parsed};

const EDITION: u32 = 0x45B9;
const ATOM: u32 = 0xB6;
const START: u32 = 0x91;
const END: u32 = 0x92;
const DISPLAY: u32 = 0x80;
const STRING: u32 = 0x85;
const ATTACHED: u32 = 0x61A7;
const MEDIA_TYPE: u32 = 0x4660;
const DATA: u32 = 0x465C;

/// Most chapters that are kept.
const CHAPTERS: usize = 512;

/// Reads the element Chapters; nested chapters follow the one that holds them.
pub(super) fn chapters(input: &mut Input<'_>, found: &mut Vec<Chapter>) -> Parsed<()> {
    ebml::each(input, |input, element| match element.id {
        EDITION => chapters(input, found),
        ATOM if found.len() < CHAPTERS => {
            let at = found.len();
            found.push(Chapter::default());
            let mut chapter = Chapter::default();
            ebml::each(input, |input, element| {
                match element.id {
                    START => chapter.start = float(ebml::unsigned(input)?) / 1e9,
                    END => chapter.end = Some(float(ebml::unsigned(input)?) / 1e9),
                    DISPLAY => ebml::each(input, |input, element| {
                        if element.id == STRING && chapter.title.is_empty() {
                            chapter.title = ebml::text(input)?;
                        }
                        Ok(())
                    })?,
                    _ => {}
                }
                Ok(())
            })?;
            if let Some(slot) = found.get_mut(at) {
                *slot = chapter;
            }
            Ok(())
        }
        _ => Ok(()),
    })
}

/// Reads the element Attachments for pictures.
pub(super) fn attachments(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    ebml::each(input, |input, element| {
        if element.id != ATTACHED {
            return Ok(());
        }
        let (mut media, mut data) = (String::new(), None);
        ebml::each(input, |input, element| {
            match element.id {
                MEDIA_TYPE => media = ebml::text(input)?,
                DATA => data = Some(element.body.clone()),
                _ => {}
            }
            Ok(())
        })?;
        match data.filter(|_| media.starts_with("image/")) {
            Some(part) => {
                let end = input.position();
                input.seek(part.start, "picture")?;
                input.within(part, "picture", |input| cover(input, facts))?;
                input.seek(end, "next attachment")
            }
            None => Ok(()),
        }
    })
}
