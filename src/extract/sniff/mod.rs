//! What a file is: by its first bytes, then by its structure; the name's extension only breaks ties.

mod brands;
mod extension;
mod format;
mod frames;
mod magic;
mod packages;
mod text;

pub use format::{Format, MediaType};

use super::container::zip;
use super::input::Input;
use super::warning::Parsed;
use file_format::FileFormat;

/// Bytes of the head that are looked at: more than the furthest signature, enough for a text's first lines.
const HEAD: u64 = 4096;
/// Bytes that the crate `file-format` may read. Its furthest signature (ISO 9660) lies at 32,769.
const FOREIGN: u64 = 64 << 10;

/// Answers of `file-format` that name nothing.
static NOTHING: [FileFormat; 4] =
    [FileFormat::ArbitraryBinaryData, FileFormat::Empty, FileFormat::PlainText, FileFormat::Zip];
/// Answers that rest on two bytes: one in 65,536 of any data is taken for each of them. We look further ourselves or
/// not at all.
static GUESSES: [FileFormat; 10] = [
    FileFormat::AdvancedAudioCoding,
    FileFormat::AppleDiskImage,
    FileFormat::AudioCodec3,
    FileFormat::Commodore64Program,
    FileFormat::CommonObjectFileFormat,
    FileFormat::Cpio,
    FileFormat::Gzip,
    FileFormat::JpegXl,
    FileFormat::Mpeg12AudioLayer2,
    FileFormat::Mpeg12AudioLayer3,
];

/// Names the format of the file. The cursor may be anywhere afterwards.
pub fn sniff(input: &mut Input<'_>, name: &str) -> Parsed<Format> {
    input.set_format("sniff");
    let head = input.peek_up_to(HEAD)?.to_vec();
    let extension = extension::of(name);
    if head.is_empty() {
        return Ok(Format::Unknown);
    }
    let format = match magic::find(&head) {
        Some(format) => structure(format, &head, input)?,
        None => unsigned(&head, input, &extension)?,
    };
    Ok(extension::refine(format, &extension))
}

/// What is wrong with a file before any parser sees it: it is empty, or its name promises something else.
pub(super) fn doubt(format: Format, empty: bool, name: &str) -> Option<String> {
    if empty {
        return Some("the file is empty".to_owned());
    }
    extension::broken_promise(format, &extension::of(name))
}

/// Looks inside containers that hold several formats.
fn structure(format: Format, head: &[u8], input: &mut Input<'_>) -> Parsed<Format> {
    Ok(match format {
        Format::Zip => match packages::package(input)? {
            // The crate knows more kinds of packages by their entries.
            Format::Zip => foreign(input)?.filter(|kind| kind.media() != MediaType::Other).unwrap_or(Format::Zip),
            other => other,
        },
        Format::Ole => packages::ole(input)?,
        Format::Mkv => frames::ebml(head),
        Format::Ogg => frames::ogg(head),
        Format::Wmv => frames::asf(head),
        Format::Ico | Format::Cur if !frames::is_icon(head) => Format::Unknown,
        Format::Zstd => frames::skippable(head),
        Format::Av1 if !frames::is_av1(head) => Format::Unknown,
        Format::Bzip2 if !frames::is_bzip2(head) => Format::Unknown,
        other => other,
    })
}

/// Formats without a signature at a fixed place.
fn unsigned(head: &[u8], input: &mut Input<'_>, extension: &str) -> Parsed<Format> {
    let found = brands::bmff(head).or_else(|| frames::netpbm(head)).or_else(|| frames::bitmap(head));
    let found = found.or_else(|| frames::mpeg_ts(head)).or_else(|| frames::tar(head));
    if let Some(format) = found {
        return Ok(format);
    }
    if let Some(format) = frames::bare_video(head) {
        return Ok(format);
    }
    if let Some(format) = frames::mpeg_audio(head, input)? {
        return Ok(format);
    }
    if let Some(format) = text::text(head, extension) {
        return Ok(format);
    }
    if let Some(format) = text::wide(head, extension) {
        return Ok(format);
    }
    match foreign(input)? {
        Some(format) => Ok(format),
        // An archive behind something else, such as a program that unpacks it.
        None if extension::zipped(extension)
            && zip::directory(input, 1).is_ok_and(|found| !found.entries.is_empty()) =>
        {
            packages::package(input)
        }
        None => Ok(Format::Unknown),
    }
}

/// The rarer rest: the crate's table of some hundred signatures, behind a small share of bytes.
fn foreign(input: &mut Input<'_>) -> Parsed<Option<Format>> {
    input.rewind();
    let found = FileFormat::from_reader(input.reader_of(FOREIGN));
    input.check()?;
    let Ok(found) = found else { return Ok(None) };
    if NOTHING.contains(&found) || GUESSES.contains(&found) {
        return Ok(None);
    }
    // The crate lends its names only through its static tables.
    let known = FileFormat::from_kind(found.kind()).iter().find(|known| **known == found);
    let ours = |known: &FileFormat| Format::of_content_type(known.media_type()).filter(|own| *own != Format::Unknown);
    Ok(known.map(|known| ours(known).unwrap_or(Format::Named(known))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn named(bytes: &[u8], name: &str) -> Format {
        let data = bytes.to_vec();
        sniff(&mut Input::new(&data, &Limits::default()), name).unwrap()
    }

    fn zip_of(names: &[&str]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for name in names {
            let at = bytes.len() as u32;
            let len = (name.len() as u16).to_le_bytes();
            bytes.extend([&b"PK\x03\x04\x14\0\x08\0"[..], &[0; 18], &len, &[0, 0], name.as_bytes()].concat());
            directory
                .extend([&b"PK\x01\x02"[..], &[0; 24], &len, &[0; 12], &at.to_le_bytes(), name.as_bytes()].concat());
        }
        let start = bytes.len() as u32;
        let size = (directory.len() as u32).to_le_bytes();
        let end = [&b"PK\x05\x06"[..], &[0; 8], &size, &start.to_le_bytes(), &[0, 0]].concat();
        [bytes, directory, end].concat()
    }

    #[test]
    fn bytes_decide_and_the_extension_breaks_ties_only() {
        let table: &[(&[u8], &str, Format)] = &[
            (b"\xFF\xD8\xFF\xE0", "a.png", Format::Jpeg),
            (b"II\x2A\0", "a.nef", Format::Nef),
            (b"II\x2A\0", "a.jpg", Format::Tiff),
            (b"hello", "a.md", Format::Markdown),
            (b"hello", "a.jpg", Format::Text),
            (b"\x00\x01\x02\xFF", "a.jpg", Format::Unknown),
            (b"", "a.jpg", Format::Unknown),
            (b"RIFF\x04\0\0\0WAVE", "a", Format::Wav),
            (b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm", "a.mkv", Format::WebM),
            (b"\xFE\xFF\0h\0i", "a", Format::Text),
            (b"#EXTM3U\n#EXT-X-VERSION:3\n", "a", Format::Hls),
            (b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "a", Format::Svg),
            (b"{\"a\": 1}", "a.json", Format::Json),
        ];
        for (bytes, name, format) in table {
            assert_eq!(named(bytes, name), *format, "{name} {:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn names_that_promise_something_else_are_doubted() {
        assert_eq!(doubt(Format::Jpeg, false, "a.JPG"), None);
        assert_eq!(doubt(Format::Mp4, false, "a.bin"), None);
        let text = "the name ends in .jpg, but the bytes are video/mp4";
        assert_eq!(doubt(Format::Mp4, false, "b/a.jpg").as_deref(), Some(text));
        assert!(doubt(Format::Unknown, false, "a.mkv").is_some() && doubt(Format::Unknown, true, "a").is_some());
    }

    #[test]
    fn video_without_a_container_and_text_without_a_mark() {
        // Parameter sets of H.264, 192 by 108, as x264 writes them.
        let h264 = b"\0\0\0\x01\x67\x42\xC0\x0B\xDA\x0C\x3F\xEF\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xF1\x42\xAA\0\0\0\x01\x68\xCE\x0F\xC8";
        assert_eq!(named(h264, "a"), Format::H264);
        assert_eq!(named(b"\0\0\0\x01 text", "a.h264"), Format::Unknown);
        let wide: Vec<u8> = "plain words and more".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(named(&wide, "a.txt"), Format::Text);
        assert_eq!(named(&[0; 64], "a.txt"), Format::Unknown);
        assert_eq!(named(b"\x1F\x8B\x08\0", "a.svgz"), Format::SvgPacked);
        assert_eq!(named(b"\xFF\x01Exiv2\xFF\xE1", "a.exv"), Format::Exv);
        let zip = [vec![0x90; 5000], zip_of(&["a.txt", "word/document.xml"])].concat();
        assert_eq!((named(&zip, "a.zip"), named(&zip, "a.bin")), (Format::Docx, Format::Unknown));
    }

    #[test]
    fn packages_are_told_by_their_entries() {
        assert_eq!(named(&zip_of(&["[Content_Types].xml", "_rels/.rels", "word/document.xml"]), "a.zip"), Format::Docx);
        assert_eq!(named(&zip_of(&["a.txt", "xl/workbook.xml"]), "a"), Format::Xlsx);
        assert_eq!(named(&zip_of(&["a.txt"]), "a.cbz"), Format::Cbz);
        let mut epub = zip_of(&["mimetype"]);
        epub.splice(38..38, *b"application/epub+zip");
        assert_eq!(named(&epub, "a.zip"), Format::Epub);
    }

    #[test]
    fn audio_frames_need_a_successor() {
        // MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes.
        let frame = [&b"\xFF\xFB\x90\0"[..], &[0; 413]].concat();
        assert_eq!(named(&frame.repeat(3), "a"), Format::Mp3);
        assert_eq!(named(&[&b"ID3\x04\0\0\0\0\0\x02xx"[..], &frame.repeat(2)].concat(), "a"), Format::Mp3);
        assert_eq!(named(&[&frame[..], &[0; 500]].concat(), "a"), Format::Unknown);
        let adts = [&b"\xFF\xF1\x50\x80\x02\x1F\xFC"[..], &[0; 9]].concat();
        assert_eq!(named(&adts.repeat(4), "a"), Format::Aac);
    }

    #[test]
    fn nothing_panics_on_any_start() {
        for first in 0..=255_u8 {
            for len in [0, 1, 3, 7, 30, 300] {
                let bytes = [vec![first], vec![first ^ 0xFF; len]].concat();
                assert!(!named(&bytes, "x.bin").content_type().is_empty());
            }
        }
    }
}
