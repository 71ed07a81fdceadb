//! Content types: the same type under the names that programs give it.

use crate::ask::{Want, Wants};
use serde_json::Value as Json;

/// Names of one type, ours first.
const SAME: &[&[&str]] = &[
    &["audio/wav", "audio/x-wav", "audio/vnd.wave"],
    &["audio/aiff", "audio/x-aiff"],
    &["audio/aac", "audio/x-hx-aac-adts", "audio/aacp"],
    &["audio/mp4", "audio/x-m4a", "video/mp4"],
    &["audio/ogg", "video/ogg", "application/ogg", "audio/opus"],
    &["video/ogg", "application/ogg"],
    &["audio/x-ms-wma", "video/x-ms-asf"],
    &["video/x-ms-wmv", "video/x-ms-asf"],
    &["audio/x-matroska", "video/x-matroska"],
    &["audio/webm", "video/webm", "audio/x-matroska"],
    &["video/mp4", "video/x-m4v", "audio/mp4"],
    &["video/x-m4v", "video/mp4"],
    &["video/3gpp2", "audio/3gpp2", "video/3gpp"],
    &["video/mp2t", "video/MP2T", "video/m2ts", "video/mpeg"],
    &["audio/vnd.audible.aax", "video/mp4", "audio/mp4"],
    &["video/x-msvideo", "video/avi", "video/msvideo"],
    &["image/x-win-bitmap", "image/vnd.microsoft.icon", "image/x-cursor", "image/x-icon"],
    &["image/vnd.microsoft.icon", "image/x-icon"],
    &["image/apng", "image/png"],
    &["image/heic", "image/heif"],
    &["image/heic-sequence", "image/heif", "image/heif-sequence", "image/heic"],
    &["image/heif-sequence", "image/heif"],
    &["image/avif", "image/heif"],
    &["image/j2c", "image/x-jp2-codestream", "image/j2k"],
    &["image/x-portable-graymap", "image/x-portable-greymap", "image/x-portable-anymap"],
    &["image/x-adobe-dng", "image/tiff"],
    &["image/x-nikon-nef", "image/tiff"],
    &["image/x-sony-arw", "image/tiff"],
    &["image/x-pentax-pef", "image/tiff"],
    &["image/vnd.adobe.photoshop", "image/x-photoshop", "application/vnd.adobe.photoshop"],
    &["image/vnd.radiance", "image/x-hdr"],
    &["image/qoi", "image/x-qoi"],
    &["text/markdown", "text/plain"],
    &["text/x-rst", "text/plain"],
    &["text/x-shellscript", "text/plain", "text/x-sh"],
    &["audio/ac3", "audio/vnd.dolby.dd-raw"],
    &["audio/x-it", "audio/x-mod"],
    &["audio/x-xm", "audio/x-mod"],
    &["audio/x-s3m", "audio/x-mod"],
    &["image/x-sigma-x3f", "image/x-x3f"],
    &["image/x-pgf", "image/pgf"],
    &["font/ttf", "application/x-font-ttf"],
    &["application/vnd.oasis.opendocument.text-flat-xml", "application/vnd.oasis.opendocument.text", "text/xml"],
    &[
        "application/vnd.oasis.opendocument.presentation-flat-xml",
        "application/vnd.oasis.opendocument.presentation",
        "text/xml",
    ],
    &[
        "application/vnd.oasis.opendocument.graphics-flat-xml",
        "application/vnd.oasis.opendocument.graphics",
        "text/xml",
    ],
    &["text/vtt", "text/plain"],
    &["application/x-subrip", "text/plain"],
    &["text/csv", "text/plain"],
    &["application/json", "text/plain"],
    &["text/html", "application/xhtml+xml", "text/xml", "text/plain"],
    &["application/xhtml+xml", "text/html", "text/xml"],
    &["application/xml", "text/xml", "application/rdf+xml"],
    &["text/rtf", "application/rtf"],
    &["application/rtf", "text/rtf"],
    &["application/vnd.rar", "application/x-rar", "application/x-rar-compressed"],
    &["application/gzip", "application/x-gzip"],
    &["application/x-tar", "application/x-ustar"],
    &["application/x-bzip2", "application/bzip2"],
    &["application/vnd.comicbook+zip", "application/zip"],
    &["application/vnd.comicbook-rar", "application/x-rar", "application/x-rar-compressed"],
    &["audio/x-mpegurl", "text/plain", "application/vnd.apple.mpegurl"],
    &["application/vnd.apple.mpegurl", "text/plain"],
    &["application/dash+xml", "text/xml", "application/xml"],
    &["image/svg+xml", "text/xml"],
];

/// Their name and all of ours that mean the same.
pub(crate) fn names(theirs: &str) -> Vec<String> {
    let ours = SAME.iter().filter(|row| row.contains(&theirs)).map(|row| row[0].to_owned());
    [theirs.to_owned()].into_iter().chain(ours).collect()
}

/// What the manifest says of a file: libmagic's type, and the kind that its makers filed it under.
pub(crate) fn ask(manifest: &Json, wants: &mut Wants) {
    wants.oracle = "manifest";
    let media = match manifest["kind"].as_str() {
        Some("image" | "raw") => "image",
        Some(kind @ ("audio" | "video" | "document" | "archive")) => kind,
        _ => return,
    };
    // The kind of a damaged or empty file is only what its name promises.
    if manifest["size"] != 0 && matches!(manifest["origin"].as_str(), Some("real" | "generated")) {
        wants.add("media", "", Want::Same(media.to_owned()));
    }
    let magic = manifest["mime"].as_str().unwrap_or_default();
    if !matches!(magic, "" | "application/octet-stream" | "inode/x-empty") {
        wants.oracle = "libmagic";
        wants.add("type", "", Want::OneOf(names(magic)));
    }
}
