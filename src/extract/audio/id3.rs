//! ID3 tags: version 2 through `symphonia`, without the pictures; version 1 by hand.

use super::tags::{self, Tag};
use crate::extract::{Facts, Input, Parsed};
use std::io::Cursor;
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::{MetadataOptions, MetadataReader};
use symphonia::default::meta::Id3v2Reader;

/// Frames above this are pictures and other objects; they are passed over unread.
const FRAME: u64 = 32 << 10;
/// Most bytes of frames that are kept.
const TAG: u64 = 512 << 10;

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

/// Four times seven bits of a number below 2^28.
fn to_syncsafe(number: u32) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from((number >> shift) & 0x7F).unwrap_or(0))
}

/// Reads the tag that starts here, if one does, and moves behind it.
pub(super) fn version_2(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let len = length(input)?;
    if len == 0 {
        return Ok(());
    }
    let start = input.position();
    let part = start..start.saturating_add(len);
    let tag = input.within(part, "ID3v2 tag", small_frames);
    if let Some(tag) = facts.tolerate(tag)? {
        read(tag, start, input, facts)?;
    }
    Ok(())
}

fn read(tag: Vec<u8>, start: u64, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(tag)), MediaSourceStreamOptions::default());
    let reader = Id3v2Reader::try_new(stream, MetadataOptions::default());
    match reader.and_then(|mut reader| reader.read_all()) {
        Ok(buffer) => tags::from_symphonia(facts, "id3v2", start, &buffer.revision),
        Err(error) => facts.tolerate::<()>(Err(input.malformed_at(start, error.to_string()))).map(|_| ())?,
    }
    Ok(())
}

/// The tag of this part as if it never had a large frame.
fn small_frames(input: &mut Input<'_>) -> Parsed<Vec<u8>> {
    let head: [u8; 10] = input.array("ID3v2 header")?;
    let [_, _, _, version, _, flags, ..] = head;
    // Unsynchronised tags of versions 2 and 3 and tags with an extended header are read as they are: their frames
    // cannot be told apart from outside.
    if flags & 0xC0 != 0 || !(2..=4).contains(&version) {
        let body = input.take_up_to(TAG)?;
        return Ok(with_header(head, body));
    }
    let mut body = Vec::new();
    while let Some((head, size)) = frame_head(input, version)? {
        input.entry()?;
        let end = input.position().saturating_add(size).min(input.end());
        let kept = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if size <= FRAME && kept.saturating_add(size) <= TAG && is_text(&head) {
            body.extend_from_slice(&head);
            body.extend(input.take_up_to(size)?);
        }
        input.seek(end, "next frame")?;
    }
    Ok(with_header(head, body))
}

/// Text frames begin with `T` (ID3v2.4.0, 4.2).
fn is_text(head: &[u8]) -> bool {
    head.first() == Some(&b'T')
}

/// The head of the next frame and the size of its body; `None` at the padding or the end.
fn frame_head(input: &mut Input<'_>, version: u8) -> Parsed<Option<(Vec<u8>, u64)>> {
    let len = if version == 2 { 6 } else { 10 };
    if input.remaining() < len || input.peek_up_to(1)?.first() == Some(&0) {
        return Ok(None);
    }
    let head = input.take(len, "frame header")?;
    let size = match (version, head.as_slice()) {
        (2, &[_, _, _, a, b, c]) => u32::from_le_bytes([c, b, a, 0]),
        // Many writers of version 4 forgot that its sizes are syncsafe, too.
        (4, &[_, _, _, _, a, b, c, d, ..]) if (a | b | c | d) < 0x80 => syncsafe([a, b, c, d]),
        (_, &[_, _, _, _, a, b, c, d, ..]) => u32::from_le_bytes([d, c, b, a]),
        _ => return Ok(None),
    };
    Ok(Some((head, size.into())))
}

fn with_header(head: [u8; 10], body: Vec<u8>) -> Vec<u8> {
    let [a, b, c, version, revision, flags, ..] = head;
    let size = to_syncsafe(u32::try_from(body.len()).unwrap_or(0));
    // Without its footer, which would follow at the old place.
    let mut tag = vec![a, b, c, version, revision, flags & !0x10];
    tag.extend_from_slice(&size);
    tag.extend(body);
    tag
}

/// Reads the ID3v1 tag in the last 128 bytes of the file, for what version 2 did not say (id3.org, "ID3v1").
pub(super) fn version_1(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let Some(start) = input.file_len().checked_sub(128) else { return Ok(()) };
    input.seek(start, "ID3v1 tag")?;
    if input.array::<3>("ID3v1 mark")? != *b"TAG" {
        return Ok(());
    }
    for tag in [Tag::Title, Tag::Artist, Tag::Album] {
        let offset = input.position();
        let bytes: Vec<u8> = input.array::<30>("ID3v1 text")?.into_iter().take_while(|b| *b != 0).collect();
        let text = utf8_or_latin(&bytes);
        if !text.trim().is_empty() {
            tags::tag(facts, "id3v1", tag, offset, text);
        }
    }
    Ok(())
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
    use crate::extract::{Group, Limits};

    fn frame(id: &str, body: &[u8]) -> Vec<u8> {
        [
            id.as_bytes(),
            &u32::try_from(body.len()).unwrap().to_le_bytes().map(|b| b).into_iter().rev().collect::<Vec<_>>(),
            &[0, 0],
            body,
        ]
        .concat()
    }

    fn tagged(version: u8, frames: &[u8]) -> Vec<u8> {
        let size = to_syncsafe(u32::try_from(frames.len()).unwrap());
        [&b"ID3"[..], &[version, 0, 0], &size, frames].concat()
    }

    fn facts_of(data: Vec<u8>) -> (Facts, u64) {
        let limits = Limits { bytes: 100_000, ..Limits::default() };
        let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        version_2(&mut input, &mut facts).unwrap();
        (facts, input.position())
    }

    #[test]
    fn pictures_are_passed_over_unread() {
        let picture = frame("APIC", &vec![7; 3_000_000]);
        let frames = [frame("TIT2", b"\0Song"), picture, frame("TPE1", "\u{1}\u{feff}".as_bytes())].concat();
        let data = tagged(3, &frames);
        let len = data.len() as u64;
        let (facts, end) = facts_of(data);
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(end, len);
    }

    #[test]
    fn utf16_and_several_values() {
        let artist: Vec<u8> =
            [1, 0xFF, 0xFE].into_iter().chain("\u{6771}\u{4eac}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let (facts, _) = facts_of(tagged(3, &[frame("TPE1", &artist), frame("TPE2", b"\0Band")].concat()));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"\u{6771}\u{4eac}".into()));
        assert_eq!(facts.find(Group::Tag, "AlbumArtist"), Some(&"Band".into()));
    }

    #[test]
    fn cut_tags_and_endless_sizes_are_harmless() {
        let whole = tagged(4, &[frame("TIT2", b"\x03Song"), frame("TALB", b"\x03Album")].concat());
        for cut in 0..whole.len() {
            facts_of(whole[..cut].to_vec());
        }
        facts_of([&b"ID3\x03\0\0\x7F\x7F\x7F\x7F"[..], b"TIT2\xFF\xFF\xFF\xFF\0\0\0"].concat());
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
        data.push(1);
        let limits = Limits::default();
        let (mut input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        version_1(&mut input, &mut facts).unwrap();
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Artist \u{e9}".into()));
        assert_eq!(facts.find(Group::Tag, "Album"), None);
    }
}
