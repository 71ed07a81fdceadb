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
    (Format::Zip, "pages", Format::Pages),
    (Format::Zip, "numbers", Format::Numbers),
    (Format::Zip, "key", Format::Keynote),
    (Format::Rar, "cbr", Format::Cbr),
    // Packed text: what it holds shows only when it is unpacked.
    (Format::Gzip, "svgz", Format::SvgPacked),
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
    // Musepack before version 7 has no mark.
    (Format::Unknown, "mpc", Format::Musepack),
    // Frames behind garbage: players search for the first one, and so does the parser.
    (Format::Unknown, "mp3", Format::Mp3),
];

/// Names under which archives are looked for behind whatever stands in front of them.
pub(super) fn zipped(extension: &str) -> bool {
    matches!(
        extension,
        "zip" | "cbz" | "jar" | "apk" | "epub" | "docx" | "xlsx" | "pptx" | "odt" | "ods" | "odp" | "exe"
    )
}

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

/// Extensions that promise one format, and the names of those that keep the promise.
static PROMISES: &[(&str, &[&str])] = &[
    ("jpg", &["jpeg"]),
    ("jpeg", &["jpeg"]),
    ("png", &["png"]),
    ("gif", &["gif"]),
    ("webp", &["webp"]),
    ("bmp", &["bmp"]),
    ("psd", &["psd"]),
    ("avif", &["avif", "heif"]),
    ("heic", &["heic", "heif"]),
    ("jxl", &["jxl"]),
    ("mp3", &["mp3", "mp2"]),
    ("flac", &["flac"]),
    ("wav", &["wav", "rf64"]),
    ("ogg", &["ogg"]),
    ("opus", &["ogg"]),
    ("m4a", &["m4a", "mp4", "mov", "3gp"]),
    ("mp4", &["mp4", "m4a", "mov", "3gp", "3g2"]),
    ("mov", &["mov", "mp4"]),
    ("mkv", &["matroska"]),
    ("webm", &["matroska"]),
    ("avi", &["avi"]),
    ("flv", &["flv"]),
    ("pdf", &["pdf"]),
    ("7z", &["7z"]),
    ("rar", &["rar"]),
];

/// What is wrong with a name, where it promises another format than the bytes are.
pub(super) fn broken_promise(format: Format, extension: &str) -> Option<String> {
    let (_, kept) = PROMISES.iter().find(|(named, _)| *named == extension)?;
    match format {
        _ if kept.contains(&format.name()) => None,
        Format::Unknown => Some(format!("the name ends in .{extension}, but the bytes are of no known format")),
        _ => Some(format!("the name ends in .{extension}, but the bytes are {}", format.content_type())),
    }
}

/// Breaks a tie.
pub(super) fn refine(format: Format, extension: &str) -> Format {
    let choice = CHOICES.iter().find(|(of, named, _)| *of == format && *named == extension);
    choice.map_or(format, |(_, _, then)| *then)
}

/// The kind of text that the extension names.
pub(super) fn text(extension: &str) -> Option<Format> {
    TEXTS.iter().find(|(named, _)| *named == extension).map(|(_, format)| *format)
}
