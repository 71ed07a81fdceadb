//! ID3 tags: version 2 (id3.org, "ID3v2.2", "ID3v2.3.0", "ID3v2.4.0 main structure"), whose pictures are passed over
//! unread but for their size, and version 1.

mod frames;
mod genres;

use super::tags::{self, Found, Tag};
use crate::extract::{Facts, Input, Parsed};
pub(in crate::extract) use genres::genre;

/// Most bytes of an unsynchronised tag: its frames cannot be told apart from outside, so that it is read as a whole.
const TAG: u64 = 512 << 10;
/// Tags in a row.
const TAGS: u32 = 4;

/// Length of the ID3v2 tag that starts here, header and footer included; 0 where there is none (ID3v2.4.0, 3.1).
pub(super) fn length(input: &mut Input<'_>) -> Parsed<u64> {
    let head = input.peek_up_to(10)?;
    let Some((b"ID3", [_, _, flags, size @ ..])) = head.split_first_chunk::<3>() else { return Ok(0) };
    let Ok(size) = <[u8; 4]>::try_from(size) else { return Ok(0) };
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Ok(u64::from(syncsafe(size)).saturating_add(10).saturating_add(footer))
}

/// A number of four times seven bits (ID3v2.4.0, 6.2).
fn syncsafe(bytes: [u8; 4]) -> u32 {
    bytes.iter().fold(0, |sum, byte| (sum << 7) | u32::from(byte & 0x7F))
}

/// Reads the tags that start here, if one does, and moves behind them.
pub(super) fn version_2(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    for _ in 0..TAGS {
        let len = length(input)?;
        if len == 0 {
            break;
        }
        let start = input.position();
        let outer = input.format();
        input.set_format("id3v2");
        let read = input.within(start..start.saturating_add(len), "ID3v2 tag", |input| tag(input, facts));
        input.set_format(outer);
        facts.tolerate(read)?;
    }
    Ok(())
}

fn tag(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let start = input.position();
    let [_, _, _, version, _, flags, ..] = input.array::<10>("ID3v2 header")?;
    if !(2..=4).contains(&version) {
        return Err(input.malformed_at(start, format!("expected ID3 version 2.2 to 2.4, got 2.{version}")));
    }
    let mut found = Found::default();
    let read = if flags & 0x80 != 0 && version < 4 {
        let bytes = plain(&input.take_up_to(TAG)?);
        let mut inner = input.unpacked(&bytes);
        let mark = facts.mark();
        let read = body(&mut inner, version, flags, &mut found, facts);
        facts.found_in(mark, start);
        read
    } else {
        body(input, version, flags, &mut found, facts)
    };
    facts.tolerate(read)?;
    found.publish("id3v2", facts);
    Ok(())
}

/// The extended header, if there is one, then the frames.
fn body(input: &mut Input<'_>, version: u8, flags: u8, found: &mut Found, facts: &mut Facts) -> Parsed<()> {
    if version > 2 && flags & 0x40 != 0 {
        let size: [u8; 4] = input.array("extended header")?;
        // Version 4 counts these four bytes, too (ID3v2.4.0, 3.2; ID3v2.3.0, 3.2).
        let len = if version == 4 {
            u64::from(syncsafe(size)).saturating_sub(4)
        } else {
            let [a, b, c, d] = size;
            u32::from_le_bytes([d, c, b, a]).into()
        };
        input.skip(len, "extended header")?;
    }
    frames::read(input, version, found, facts)
}

/// Bytes without the zeros that keep sync words out of them (ID3v2.4.0, 6.1).
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut before = 0;
    for &byte in bytes {
        if !(before == 0xFF && byte == 0) {
            plain.push(byte);
        }
        before = byte;
    }
    plain
}

/// Reads the ID3v1 tag in the last 128 bytes of the file, for what version 2 did not say (id3.org, "ID3v1"). Where the
/// sound ends: in front of the tag.
pub(super) fn version_1(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<u64> {
    let end = input.file_len();
    let Some(start) = end.checked_sub(128) else { return Ok(end) };
    input.seek(start, "ID3v1 tag")?;
    if input.array::<3>("ID3v1 mark")? != *b"TAG" {
        return Ok(end);
    }
    for known in [Tag::Title, Tag::Artist, Tag::Album] {
        let (offset, bytes) = (input.position(), input.array::<30>("ID3v1 text")?);
        text(known, offset, &bytes, facts);
    }
    let (offset, year) = (input.position(), input.array::<4>("ID3v1 year")?);
    text(Tag::Year, offset, &year, facts);
    let (offset, comment) = (input.position(), input.array::<30>("ID3v1 comment")?);
    text(Tag::Comment, offset, &comment, facts);
    // Version 1.1: a zero and a number take the comment's last two bytes.
    if let [.., 0, track @ 1..=255] = comment {
        tags::tag(facts, "id3v1", Tag::Track, offset, track.to_string());
    }
    let offset = input.position();
    if let Some(name) = genre(input.u8("ID3v1 genre")?.into()) {
        tags::tag(facts, "id3v1", Tag::Genre, offset, name);
    }
    Ok(start)
}

fn text(known: Tag, offset: u64, bytes: &[u8], facts: &mut Facts) {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let text = utf8_or_latin(bytes);
    if !text.trim().is_empty() {
        tags::tag(facts, "id3v1", known, offset, text);
    }
}

/// The format says Latin-1; what is UTF-8, up to a last character that the field cut, was meant as such.
fn utf8_or_latin(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(e) => {
            let start = str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or(&[])).unwrap_or_default();
            let cut = e.error_len().is_none() && !start.is_ascii();
            if cut { start.to_owned() } else { bytes.iter().copied().map(char::from).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{run, survives};
    use crate::extract::{Group, Limits};

    fn be(number: usize) -> Vec<u8> {
        u32::try_from(number).unwrap().to_le_bytes().into_iter().rev().collect()
    }

    fn frame(id: &str, body: &[u8]) -> Vec<u8> {
        [id.as_bytes(), &be(body.len()), &[0, 0], body].concat()
    }

    fn tagged(version: u8, flags: u8, frames: &[u8]) -> Vec<u8> {
        let len = u32::try_from(frames.len()).unwrap();
        let size = [21, 14, 7, 0].map(|shift| (len >> shift & 0x7F) as u8);
        [&b"ID3"[..], &[version, 0, flags], &size, frames].concat()
    }

    fn facts_of(data: &[u8]) -> Facts {
        let (facts, read) = run(version_2, data, &Limits { bytes: 100_000, ..Limits::default() });
        read.unwrap();
        facts
    }

    #[test]
    fn pictures_are_passed_over_but_for_their_size() {
        let jpeg = [&b"\xFF\xD8\xFF\xC0\0\x11\x08\0\x03\0\x05"[..], &vec![7; 3_000_000]].concat();
        let picture = frame("APIC", &[&b"\0image/jpeg\0\x03\0"[..], &jpeg].concat());
        let frames = [frame("TIT2", b"\0Song"), picture, frame("TPE1", b"\0Me")].concat();
        let facts = facts_of(&tagged(3, 0, &frames));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Me".into()));
        assert_eq!(facts.audio_covers, [(5, 3)]);
    }

    #[test]
    fn texts_of_all_encodings_and_versions() {
        let wide: Vec<u8> =
            [1, 0xFF, 0xFE].into_iter().chain("\u{6771}\u{4eac}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let frames = [frame("TPE1", &wide), frame("TPE2", b"\0Band"), frame("TCON", b"\0(17)")].concat();
        let facts = facts_of(&tagged(3, 0, &frames));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"\u{6771}\u{4eac}".into()));
        assert_eq!(facts.find(Group::Tag, "AlbumArtist"), Some(&"Band".into()));
        assert_eq!(facts.find(Group::Tag, "Genre"), Some(&"Rock".into()));
        let old = tagged(2, 0, b"TT2\0\0\x05\0SongTP1\0\0\x03\0Me");
        assert_eq!(facts_of(&old).find(Group::Tag, "Artist"), Some(&"Me".into()));
        let several = facts_of(&tagged(4, 0, &frame("TPE1", b"\x03A\0B")));
        assert_eq!(several.find(Group::Tag, "Artist"), Some(&"A; B".into()));
        // Unsynchronised: a zero behind 0xFF is none of the text.
        let synced = [&frame("TIT2", b"\0a\xFFb")[..12], b"\xFF\0b"].concat();
        assert_eq!(facts_of(&tagged(3, 0x80, &synced)).find(Group::Tag, "Title"), Some(&"a\u{ff}b".into()));
    }

    #[test]
    fn words_gains_and_chapters() {
        let title = frame("TIT2", b"\0Intro");
        let chapter = [&b"one\0"[..], &be(1500), &be(4000), &[0xFF; 8], &title].concat();
        let frames = [
            frame("USLT", b"\0engabout\0La la"),
            frame("TX\x58X", b"\0replaygain_track_gain\0-6.5 dB"),
            frame("CHAP", &chapter),
        ];
        let facts = facts_of(&tagged(3, 0, &frames.concat()));
        assert_eq!(facts.find(Group::Tag, "Lyric"), Some(&"La la".into()));
        assert_eq!(facts.find(Group::Tag, "TrackGain"), Some(&"-6.5 dB".into()));
        assert_eq!(facts.find(Group::Media, "Chapter"), Some(&"1.5-4 Intro".into()));
    }

    #[test]
    fn cut_tags_and_endless_sizes_are_harmless() {
        let whole = tagged(4, 0x40, &[&[0, 0, 0, 6, 1, 0][..], &frame("TIT2", b"\x03Song")].concat());
        assert_eq!(facts_of(&whole).find(Group::Tag, "Title"), Some(&"Song".into()));
        survives(version_2, &whole, 200);
        survives(version_2, &[&b"ID3\x03\0\0\x7F\x7F\x7F\x7F"[..], b"TIT2\xFF\xFF\xFF\xFF\0\0\0"].concat(), 100);
    }

    #[test]
    fn version_1_is_the_last_resort() {
        let mut data = vec![0; 200];
        data.extend_from_slice(b"TAG");
        for text in ["Title", "Artist \u{e9}", "", "1999", ""] {
            let mut bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
            bytes.resize(if text == "1999" { 4 } else { 30 }, 0);
            data.extend(bytes);
        }
        data[326] = 7;
        data.push(17);
        let (facts, _) = run(|input, facts| version_1(input, facts).map(|_| ()), &data, &Limits::default());
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Artist \u{e9}".into()));
        assert_eq!(facts.find(Group::Tag, "Track"), Some(&"7".into()));
        assert_eq!(facts.find(Group::Tag, "Genre"), Some(&"Rock".into()));
        assert_eq!(facts.find(Group::Tag, "Album"), None);
    }
}
