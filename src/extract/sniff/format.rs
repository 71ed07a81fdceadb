//! Every format that we name ourselves: its name in messages, its content type, its media type.
//!
//! Content types: the IANA registry where it has one, else the most used unregistered name.

/// What a file is for, as the member `MediaType` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `image`
    Image,
    /// `video`
    Video,
    /// `audio`
    Audio,
    /// `document`
    Document,
    /// `archive`
    Archive,
    /// `other`
    Other,
}

impl MediaType {
    /// The value of the member.
    pub fn name(self) -> &'static str {
        match self {
            MediaType::Image => "image",
            MediaType::Video => "video",
            MediaType::Audio => "audio",
            MediaType::Document => "document",
            MediaType::Archive => "archive",
            MediaType::Other => "other",
        }
    }
}

macro_rules! formats {
    ($($variant:ident $name:literal $content:literal $media:ident;)*) => {
        /// The format of a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $(#[doc = concat!("`", $content, "`")] $variant,)*
            /// A format that only the crate `file-format` names.
            Named(&'static file_format::FileFormat),
        }

        impl Format {
            /// Our own format of that content type, if there is one.
            pub(super) fn of_content_type(name: &str) -> Option<Format> {
                [$(Format::$variant),*].into_iter().find(|format| format.content_type() == name)
            }

            /// The name in messages and facts.
            pub fn name(self) -> &'static str {
                match self {
                    $(Format::$variant => $name,)*
                    Format::Named(format) => format.extension(),
                }
            }

            /// The value of the member `ContentType`.
            pub fn content_type(self) -> &'static str {
                match self {
                    $(Format::$variant => $content,)*
                    Format::Named(format) => format.media_type(),
                }
            }

            /// The value of the member `MediaType`.
            pub fn media(self) -> MediaType {
                match self {
                    $(Format::$variant => MediaType::$media,)*
                    Format::Named(format) => media_of(format.kind()),
                }
            }
        }
    };
}

formats! {
    Unknown "file" "application/octet-stream" Other;
    // Still images.
    Jpeg "jpeg" "image/jpeg" Image;
    Png "png" "image/png" Image;
    Apng "png" "image/apng" Image;
    Gif "gif" "image/gif" Image;
    WebP "webp" "image/webp" Image;
    Tiff "tiff" "image/tiff" Image;
    Bmp "bmp" "image/bmp" Image;
    Ico "ico" "image/vnd.microsoft.icon" Image;
    Cur "cur" "image/x-win-bitmap" Image;
    Heic "heic" "image/heic" Image;
    HeicSequence "heic" "image/heic-sequence" Image;
    Heif "heif" "image/heif" Image;
    HeifSequence "heif" "image/heif-sequence" Image;
    Avif "avif" "image/avif" Image;
    Psd "psd" "image/vnd.adobe.photoshop" Image;
    Jp2 "jp2" "image/jp2" Image;
    Jpx "jpx" "image/jpx" Image;
    J2c "j2c" "image/j2c" Image;
    Jxl "jxl" "image/jxl" Image;
    Dng "dng" "image/x-adobe-dng" Image;
    Cr2 "cr2" "image/x-canon-cr2" Image;
    Cr3 "cr3" "image/x-canon-cr3" Image;
    Nef "nef" "image/x-nikon-nef" Image;
    Arw "arw" "image/x-sony-arw" Image;
    Orf "orf" "image/x-olympus-orf" Image;
    Rw2 "rw2" "image/x-panasonic-rw2" Image;
    Raf "raf" "image/x-fuji-raf" Image;
    Pef "pef" "image/x-pentax-pef" Image;
    Srw "srw" "image/x-samsung-srw" Image;
    Mrw "mrw" "image/x-minolta-mrw" Image;
    X3f "x3f" "image/x-sigma-x3f" Image;
    Iiq "iiq" "image/x-raw" Image;
    Xcf "xcf" "image/x-xcf" Image;
    Bpg "bpg" "image/bpg" Image;
    Dpx "dpx" "image/x-dpx" Image;
    Pfm "pfm" "image/x-portable-floatmap" Image;
    Svg "svg" "image/svg+xml" Image;
    SvgPacked "svg" "image/svg+xml" Image;
    Krita "kra" "application/x-krita" Image;
    OpenRaster "ora" "image/openraster" Image;
    Exv "exv" "image/x-exv" Image;
    Dds "dds" "image/vnd.ms-dds" Image;
    Exr "exr" "image/x-exr" Image;
    Hdr "hdr" "image/vnd.radiance" Image;
    Pbm "pbm" "image/x-portable-bitmap" Image;
    Pgm "pgm" "image/x-portable-graymap" Image;
    Ppm "ppm" "image/x-portable-pixmap" Image;
    Pam "pam" "image/x-portable-arbitrarymap" Image;
    Qoi "qoi" "image/qoi" Image;
    Tga "tga" "image/x-tga" Image;
    Farbfeld "ff" "image/x-farbfeld" Image;
    Fits "fits" "image/fits" Image;
    Crw "crw" "image/x-canon-crw" Image;
    PaintShop "psp" "image/x-paintshoppro" Image;
    Pgf "pgf" "image/x-pgf" Image;
    PhotoCd "pcd" "image/x-photo-cd" Image;
    Lytro "lfp" "image/x-lytro-lfp" Image;
    Zeiss "czi" "image/x-zeiss-czi" Image;
    FlirFpf "fpf" "image/x-flir-fpf" Image;
    Pcx "pcx" "image/x-pcx" Image;
    Djvu "djvu" "image/vnd.djvu" Image;
    Flif "flif" "image/flif" Image;
    Mng "mng" "video/x-mng" Video;
    Jng "jng" "image/x-jng" Image;
    Pict "pict" "image/x-pict" Image;
    // Audio.
    Mp3 "mp3" "audio/mpeg" Audio;
    Mp2 "mp2" "audio/mpeg" Audio;
    Aac "aac" "audio/aac" Audio;
    Flac "flac" "audio/flac" Audio;
    OggAudio "ogg" "audio/ogg" Audio;
    OggFlac "ogg" "audio/ogg" Audio;
    Opus "ogg" "audio/ogg" Audio;
    Speex "ogg" "audio/ogg" Audio;
    Wav "wav" "audio/wav" Audio;
    Rf64 "rf64" "audio/wav" Audio;
    Wave64 "w64" "audio/x-w64" Audio;
    Aiff "aiff" "audio/aiff" Audio;
    Caf "caf" "audio/x-caf" Audio;
    M4a "m4a" "audio/mp4" Audio;
    Wma "wma" "audio/x-ms-wma" Audio;
    Ape "ape" "audio/x-ape" Audio;
    WavPack "wavpack" "audio/x-wavpack" Audio;
    Musepack "musepack" "audio/x-musepack" Audio;
    Dsf "dsf" "audio/x-dsf" Audio;
    Dff "dff" "audio/x-dff" Audio;
    Tta "tta" "audio/x-tta" Audio;
    Midi "midi" "audio/midi" Audio;
    Amr "amr" "audio/amr" Audio;
    Ac3 "ac3" "audio/ac3" Audio;
    Dts "dts" "audio/vnd.dts" Audio;
    Au "au" "audio/basic" Audio;
    Voc "voc" "audio/x-voc" Audio;
    OptimFrog "ofr" "audio/x-ofr" Audio;
    Tak "tak" "audio/x-tak" Audio;
    RealAudio "ra" "audio/x-pn-realaudio" Audio;
    Audible "aa" "audio/audible" Audio;
    Aax "aax" "audio/vnd.audible.aax" Audio;
    Dss "dss" "audio/x-dss" Audio;
    Tracker "mod" "audio/x-mod" Audio;
    Mka "matroska" "audio/x-matroska" Audio;
    WebA "matroska" "audio/webm" Audio;
    M3u "m3u" "audio/x-mpegurl" Audio;
    // Video.
    Mp4 "mp4" "video/mp4" Video;
    M4v "mp4" "video/x-m4v" Video;
    Mov "mov" "video/quicktime" Video;
    ThreeGp "3gp" "video/3gpp" Video;
    ThreeG2 "3g2" "video/3gpp2" Video;
    Mkv "matroska" "video/x-matroska" Video;
    WebM "matroska" "video/webm" Video;
    Avi "avi" "video/x-msvideo" Video;
    Flv "flv" "video/x-flv" Video;
    MpegTs "mpegts" "video/mp2t" Video;
    MpegPs "mpegps" "video/mpeg" Video;
    Wmv "wmv" "video/x-ms-wmv" Video;
    OggVideo "ogg" "video/ogg" Video;
    RealMedia "rm" "application/vnd.rn-realmedia" Video;
    Red "r3d" "video/x-red-r3d" Video;
    Dash "dash" "application/dash+xml" Video;
    Mxf "mxf" "application/mxf" Video;
    Dv "dv" "video/x-dv" Video;
    Hls "hls" "application/vnd.apple.mpegurl" Video;
    Ivf "ivf" "video/x-ivf" Video;
    H264 "h264" "video/h264" Video;
    Hevc "hevc" "video/h265" Video;
    Mpeg4Video "m4v" "video/mp4v-es" Video;
    Av1 "obu" "video/av1" Video;
    // Documents.
    Pdf "pdf" "application/pdf" Document;
    PostScript "ps" "application/postscript" Document;
    Rtf "rtf" "application/rtf" Document;
    Doc "doc" "application/msword" Document;
    Xls "xls" "application/vnd.ms-excel" Document;
    Ppt "ppt" "application/vnd.ms-powerpoint" Document;
    Docx "docx" "application/vnd.openxmlformats-officedocument.wordprocessingml.document" Document;
    Xlsx "xlsx" "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" Document;
    Pptx "pptx" "application/vnd.openxmlformats-officedocument.presentationml.presentation" Document;
    Odt "odt" "application/vnd.oasis.opendocument.text" Document;
    Ods "ods" "application/vnd.oasis.opendocument.spreadsheet" Document;
    Odp "odp" "application/vnd.oasis.opendocument.presentation" Document;
    Odg "odg" "application/vnd.oasis.opendocument.graphics" Document;
    FlatOdt "odt" "application/vnd.oasis.opendocument.text-flat-xml" Document;
    FlatOds "ods" "application/vnd.oasis.opendocument.spreadsheet-flat-xml" Document;
    FlatOdp "odp" "application/vnd.oasis.opendocument.presentation-flat-xml" Document;
    FlatOdg "odg" "application/vnd.oasis.opendocument.graphics-flat-xml" Document;
    Pages "pages" "application/vnd.apple.pages" Document;
    Numbers "numbers" "application/vnd.apple.numbers" Document;
    Keynote "key" "application/vnd.apple.keynote" Document;
    Xps "xps" "application/vnd.ms-xpsdocument" Document;
    FictionBook "fb2" "application/x-fictionbook+xml" Document;
    Script "script" "text/x-shellscript" Document;
    Epub "epub" "application/epub+zip" Document;
    Text "text" "text/plain" Document;
    Markdown "markdown" "text/markdown" Document;
    Html "html" "text/html" Document;
    Xhtml "xhtml" "application/xhtml+xml" Document;
    Xml "xml" "application/xml" Document;
    Xmp "xmp" "application/rdf+xml" Document;
    Json "json" "application/json" Document;
    Csv "csv" "text/csv" Document;
    Tsv "tsv" "text/tab-separated-values" Document;
    Srt "srt" "application/x-subrip" Document;
    Vtt "vtt" "text/vtt" Document;
    Latex "tex" "text/x-tex" Document;
    Rst "rst" "text/x-rst" Document;
    VCard "vcard" "text/vcard" Document;
    Calendar "ics" "text/calendar" Document;
    // Archives.
    Zip "zip" "application/zip" Archive;
    Apk "apk" "application/vnd.android.package-archive" Archive;
    Jar "jar" "application/java-archive" Archive;
    Cbz "cbz" "application/vnd.comicbook+zip" Archive;
    Tar "tar" "application/x-tar" Archive;
    Gzip "gzip" "application/gzip" Archive;
    Bzip2 "bzip2" "application/x-bzip2" Archive;
    Xz "xz" "application/x-xz" Archive;
    Zstd "zstd" "application/zstd" Archive;
    Lz4 "lz4" "application/x-lz4" Archive;
    SevenZ "7z" "application/x-7z-compressed" Archive;
    Rar "rar" "application/vnd.rar" Archive;
    Cbr "cbr" "application/vnd.comicbook-rar" Archive;
    PropertyList "plist" "application/x-plist" Other;
    Model3mf "3mf" "model/3mf" Other;
    // Containers whose content is none of the above.
    Ole "ole" "application/x-ole-storage" Other;
    Ogg "ogg" "application/ogg" Other;
    Riff "riff" "application/x-riff" Other;
}

fn media_of(kind: file_format::Kind) -> MediaType {
    use file_format::Kind;
    match kind {
        Kind::Image => MediaType::Image,
        Kind::Video => MediaType::Video,
        Kind::Audio => MediaType::Audio,
        Kind::Document | Kind::Ebook | Kind::Presentation | Kind::Spreadsheet | Kind::Subtitle | Kind::Formula => {
            MediaType::Document
        }
        Kind::Archive | Kind::Compressed | Kind::Disk | Kind::Package => MediaType::Archive,
        _ => MediaType::Other,
    }
}
