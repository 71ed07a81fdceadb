//! Words that so many documents hold that one byte stands for each. Frozen: words are only ever added at the end.

use crate::error::{Error, Result};
use hashbrown::HashMap;
use std::sync::LazyLock;

/// `MediaType`, `ObjectACL`, `OSSStorageClass`, `OSSObjectType` values of the API (limits.md 4, fields.md), then registered
/// media types (IANA) of the formats that medialith reads, then languages (BCP 47) and address parts.
static WORDS: &[&str] = &[
    "image",
    "video",
    "audio",
    "document",
    "archive",
    "other",
    "default",
    "private",
    "public-read",
    "public-read-write",
    "Standard",
    "IA",
    "Archive",
    "ColdArchive",
    "DeepColdArchive",
    "Normal",
    "Multipart",
    "Appendable",
    "Symlink",
    "Indexed",
    "Failed",
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/heif",
    "image/avif",
    "image/tiff",
    "image/bmp",
    "image/svg+xml",
    "image/x-adobe-dng",
    "image/jp2",
    "image/jxl",
    "image/vnd.adobe.photoshop",
    "image/x-icon",
    "image/x-canon-cr2",
    "image/x-canon-cr3",
    "image/x-nikon-nef",
    "image/x-sony-arw",
    "audio/mpeg",
    "audio/flac",
    "audio/ogg",
    "audio/wav",
    "audio/x-wav",
    "audio/mp4",
    "audio/aac",
    "audio/aiff",
    "audio/opus",
    "audio/x-ms-wma",
    "audio/midi",
    "video/mp4",
    "video/quicktime",
    "video/x-matroska",
    "video/webm",
    "video/x-msvideo",
    "video/x-ms-wmv",
    "video/mpeg",
    "video/mp2t",
    "video/x-flv",
    "video/3gpp",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/json",
    "application/xml",
    "application/octet-stream",
    "application/epub+zip",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "text/plain",
    "text/html",
    "text/css",
    "text/csv",
    "text/markdown",
    "text/xml",
    "face",
    "male",
    "female",
    "none",
    "en",
    "zh",
    "zh-Hans",
    "zh-Hant",
    "ja",
    "ko",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "ru",
    "und",
];

const LONGEST: usize = 80;

/// The number of a word, if it has one.
pub(super) fn number(text: &str) -> Option<u8> {
    static NUMBERS: LazyLock<HashMap<&'static str, u8>> =
        LazyLock::new(|| WORDS.iter().copied().zip(0..=u8::MAX).collect());
    if text.len() > LONGEST { None } else { NUMBERS.get(text).copied() }
}

/// The word of a number.
pub(super) fn word(number: u8) -> Result<&'static str> {
    WORDS
        .get(usize::from(number))
        .copied()
        .ok_or_else(|| Error::corrupted(format!("record: expected a word number below {}, got {number}", WORDS.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_frozen() {
        assert!(WORDS.len() <= 256 && WORDS.iter().all(|w| w.len() <= LONGEST));
        for (at, text) in WORDS.iter().enumerate() {
            assert_eq!(number(text).map(usize::from), Some(at), "{text} is listed twice");
            assert_eq!(word(at as u8).unwrap(), *text);
        }
        for (at, text) in [(0, "image"), (10, "Standard"), (21, "image/jpeg"), (51, "video/mp4"), (94, "und")] {
            assert_eq!(word(at).unwrap(), text);
        }
        assert_eq!(WORDS.len(), 95);
        assert!(word(95).is_err() && number("nope").is_none());
    }
}
