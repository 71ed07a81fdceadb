//! What a file name's extension adds where the bytes leave a choice. It never overrules a signature.

use super::format::Format;

/// The extension in lower case, `""` where there is none.
pub(super) fn of(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase())
}

/// (what the bytes say, extension, what it is then): formats that share all their signatures.
static CHOICES: &[(Format, &str, Format)] = &[
    (Format::Tiff, "dng", Format::Dng),
    (Format::Tiff, "nef", Format::Nef),
    (Format::Tiff, "arw", Format::Arw),
    (Format::Tiff, "pef", Format::Pef),
    (Format::Tiff, "srw", Format::Srw),
    (Format::Tiff, "cr2", Format::Cr2),
    (Format::Zip, "cbz", Format::Cbz),
    (Format::Zip, "apk", Format::Apk),
    (Format::Zip, "jar", Format::Jar),
    (Format::Zip, "epub", Format::Epub),
    (Format::Zip, "docx", Format::Docx),
    (Format::Zip, "xlsx", Format::Xlsx),
    (Format::Zip, "pptx", Format::Pptx),
    (Format::Zip, "odt", Format::Odt),
    (Format::Zip, "ods", Format::Ods),
    (Format::Zip, "odp", Format::Odp),
    (Format::Rar, "cbr", Format::Cbr),
    (Format::Ole, "doc", Format::Doc),
    (Format::Ole, "xls", Format::Xls),
    (Format::Ole, "ppt", Format::Ppt),
    (Format::Mp4, "m4a", Format::M4a),
    (Format::Mp4, "m4b", Format::M4a),
    (Format::Mp4, "m4v", Format::M4v),
    (Format::Mkv, "mka", Format::Mka),
    (Format::WebM, "weba", Format::WebA),
    (Format::Wmv, "wma", Format::Wma),
    (Format::Ogg, "ogg", Format::OggAudio),
    (Format::Ogg, "oga", Format::OggAudio),
    (Format::Ogg, "opus", Format::Opus),
    (Format::Ogg, "spx", Format::Speex),
    (Format::Ogg, "ogv", Format::OggVideo),
    // No signature at all: only the name tells.
    (Format::Unknown, "tga", Format::Tga),
    // Frames behind garbage: players search for the first one, and so does the parser.
    (Format::Unknown, "mp3", Format::Mp3),
];

/// Texts of which the bytes say nothing more.
static TEXTS: &[(&str, Format)] = &[
    ("txt", Format::Text),
    ("text", Format::Text),
    ("log", Format::Text),
    ("md", Format::Markdown),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
    ("htm", Format::Html),
    ("xhtml", Format::Xhtml),
    ("xml", Format::Xml),
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("tsv", Format::Tsv),
    ("srt", Format::Srt),
    ("vtt", Format::Vtt),
    ("tex", Format::Latex),
    ("sh", Format::Script),
    ("fb2", Format::FictionBook),
    ("mpd", Format::Dash),
    ("rst", Format::Rst),
    ("m3u", Format::M3u),
    ("m3u8", Format::Hls),
    ("xmp", Format::Xmp),
    ("svg", Format::Svg),
];

/// Breaks a tie.
pub(super) fn refine(format: Format, extension: &str) -> Format {
    let choice = CHOICES.iter().find(|(of, named, _)| *of == format && *named == extension);
    choice.map_or(format, |(_, _, then)| *then)
}

/// The kind of text that the extension names.
pub(super) fn text(extension: &str) -> Option<Format> {
    TEXTS.iter().find(|(named, _)| *named == extension).map(|(_, format)| *format)
}
