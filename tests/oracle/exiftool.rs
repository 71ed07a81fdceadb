//! What exiftool says (`-n -G1`): types, sizes, EXIF tag by tag, times, places, titles, properties of documents.

use crate::ask::{Want, Wants, time};
use crate::content_types;
use serde_json::Value as Json;

/// Names that exiftool gives tags for which the EXIF specification has another.
const NAMES: &[(&str, &str)] = &[
    ("ISO", "ISOSpeedRatings"),
    ("CreateDate", "DateTimeDigitized"),
    ("ModifyDate", "DateTime"),
    ("ExifImageWidth", "PixelXDimension"),
    ("ExifImageHeight", "PixelYDimension"),
    ("ImageHeight", "ImageLength"),
    ("ExposureCompensation", "ExposureBiasValue"),
    ("FocalLengthIn35mmFormat", "FocalLengthIn35mmFilm"),
    ("SubfileType", "NewSubfileType"),
    ("LensInfo", "LensSpecification"),
    ("SerialNumber", "BodySerialNumber"),
    ("OwnerName", "CameraOwnerName"),
    ("PixelScale", "ModelPixelScale"),
    ("ModelTiePoint", "ModelTiepoint"),
    ("ModelTransform", "ModelTransformation"),
];

/// Tags that exiftool converts into something else, or that are offsets and tables; and the sizes, because the member
/// EXIF shows those of the header under these names.
const CONVERTED: &[&str] = &[
    "ImageWidth",
    "ImageHeight",
    "ApertureValue",
    "MaxApertureValue",
    "ShutterSpeedValue",
    "CFAPattern",
    "StripOffsets",
    "StripByteCounts",
    "TileOffsets",
    "TileByteCounts",
    "GPSLatitude",
    "GPSLongitude",
    "GPSDestLatitude",
    "GPSDestLongitude",
    "GPSTimeStamp",
    "UserComment",
    "ExifIFD",
    "GPSInfo",
    "JPEGTables",
    "ICC_Profile",
    "ApplicationNotes",
    "ThumbnailOffset",
    "ThumbnailLength",
    "PreviewImageStart",
    "PreviewImageLength",
    "PreviewImage",
    "ThumbnailImage",
    "JpgFromRaw",
    "JpgFromRawStart",
    "JpgFromRawLength",
    "OtherImageStart",
    "OtherImageLength",
    "Padding",
    "OffsetSchema",
    "SubIFD",
    "PrintIM",
    "DNGPrivateData",
    "GPSProcessingMethod",
    "GPSAreaInformation",
    "TransferFunction",
    "SpatialFrequencyResponse",
    "OECFColumns",
    "Opto-ElectricConvFactor",
    "DeviceSettingDescription",
    "Composite",
    "ImageSourceData",
    "XPTitle",
    "GPSVersionID",
    "SubSecTime",
    "SubSecTimeOriginal",
    "SubSecTimeDigitized",
    "GPSDateStamp",
    "YCbCrSubSampling",
];

fn text(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Array(all) => all.iter().map(text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// Keys are tried in order.
fn first(answer: &Json, keys: &[&str]) -> Option<String> {
    keys.iter().filter_map(|key| answer.get(*key)).map(text).find(|text| !text.trim().is_empty())
}

pub(crate) fn ask(answer: &Json, manifest: &Json, wants: &mut Wants) {
    let Some(answer) = answer.get(0) else { return };
    let mime = answer["File:MIMEType"].as_str().unwrap_or_default();
    if !mime.is_empty() {
        wants.add("type", "", Want::OneOf(content_types::names(mime)));
    }
    if mime.starts_with("image/") && matches!(manifest["kind"].as_str(), Some("image" | "raw")) {
        image(answer, wants);
    }
    if manifest["kind"] == "document" {
        document(answer, wants);
    }
    let place = answer["Composite:GPSLatitude"].as_f64().zip(answer["Composite:GPSLongitude"].as_f64());
    if let Some((lat, lon)) = place {
        wants.add("place", "", Want::Place(lat, lon));
    }
}

fn image(answer: &Json, wants: &mut Wants) {
    wants.covered.extend(["size", "orientation", "time", "place", "title", "artist", "exif"]);
    if let Some(size) = answer.get("Composite:ImageSize").map(text).filter(|size| !size.split(' ').any(|n| n == "0")) {
        wants.add("size", "", Want::Same(size));
    }
    if let Some(turn) = answer["IFD0:Orientation"].as_i64().filter(|turn| (1..=8).contains(turn)) {
        wants.add("orientation", "", Want::Same(turn.to_string()));
    }
    let times = [
        "Composite:SubSecDateTimeOriginal",
        "ExifIFD:DateTimeOriginal",
        "IFD0:DateTimeOriginal",
        "XMP-exif:DateTimeOriginal",
        "Composite:SubSecCreateDate",
        "ExifIFD:CreateDate",
        "XMP-photoshop:DateCreated",
        "Composite:DateTimeCreated",
        "XMP-xmp:CreateDate",
        "Composite:SubSecModifyDate",
        "IFD0:ModifyDate",
    ];
    let known = times.iter().filter_map(|key| answer.get(*key)).find_map(|at| time(&text(at)));
    known.into_iter().for_each(|at| wants.add("time", "", at));
    let titles = [
        "XMP-dc:Title",
        "IPTC:ObjectName",
        "IFD0:XPTitle",
        "IFD0:ImageDescription",
        "XMP-dc:Description",
        "IPTC:Caption-Abstract",
        "IPTC:Headline",
        "PNG:Title",
        "SVG:Title",
    ];
    let said: Vec<&str> = titles.into_iter().filter(|key| answer.get(*key).is_some()).collect();
    said.iter().for_each(|key| wants.text("title", first(answer, &[key])));
    for key in ["XMP-dc:Creator", "IFD0:Artist", "IPTC:By-line", "IFD0:XPAuthor", "PNG:Author"] {
        wants.text("artist", first(answer, &[key]));
    }
    exif(answer, wants);
    xmp(answer, wants);
    facts(answer, wants);
}

/// Vocabularies of XMP whose properties both sides call the same, but for the first letter.
const XMP: &[&str] = &["dc", "xmp", "xmpMM", "xmpRights", "photoshop", "aux", "tiff", "lr", "GCamera", "hdrgm"];

/// Properties that exiftool converts, or joins from several.
const XMP_CONVERTED: &[&str] =
    &["Thumbnails", "Identifier", "History", "DerivedFrom", "Ingredients", "Pantry", "ManagedFrom"];

fn xmp(answer: &Json, wants: &mut Wants) {
    for (key, value) in answer.as_object().into_iter().flatten() {
        let Some((group, name)) = key.strip_prefix("XMP-").and_then(|rest| rest.split_once(':')) else { continue };
        // A language behind the name.
        let plain = !name.contains('-') && !XMP_CONVERTED.iter().any(|converted| name.starts_with(converted));
        let value = text(value);
        let name = match (group, name) {
            ("photoshop", "ICCProfileName") => "ICCProfile",
            ("tiff", "ImageHeight") => "ImageLength",
            _ => name,
        };
        if XMP.contains(&group) && plain && !value.starts_with("(Binary") && value.len() < 6000 {
            wants.add("xmp", format!("{group}:{name}").to_lowercase(), Want::Values(value));
        }
    }
}

/// What has no member of its own and shows as a fact.
fn facts(answer: &Json, wants: &mut Wants) {
    let altitude = answer["Composite:GPSAltitude"].as_f64();
    altitude.into_iter().for_each(|metres| wants.add("altitude", "", Want::Near(metres, 0.05, 1e-4)));
    for key in ["GIF:FrameCount", "PNG:AnimationFrames"] {
        first(answer, &[key]).into_iter().for_each(|count| wants.add("frames", "", Want::Same(count)));
    }
    let depth = first(answer, &["PNG:BitDepth", "File:BitsPerSample", "QuickTime:BitDepthLuma"]);
    depth.into_iter().for_each(|bits| wants.add("bits", "", Want::Same(bits)));
    wants.text("icc", first(answer, &["ICC_Profile:ProfileDescription"]));
    wants.text("copyright", first(answer, &["XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright"]));
    wants.text("keywords", first(answer, &["XMP-dc:Subject", "IPTC:Keywords", "IFD0:XPKeywords"]));
    if let Some(rating) = first(answer, &["XMP-xmp:Rating", "IFD0:Rating"]) {
        wants.add("rating", "", Want::Values(rating));
    }
}

fn exif(answer: &Json, wants: &mut Wants) {
    for (key, value) in answer.as_object().into_iter().flatten() {
        let Some((group, name)) = key.split_once(':') else { continue };
        if !matches!(group, "IFD0" | "ExifIFD" | "GPS") || CONVERTED.contains(&name) {
            continue;
        }
        let value = text(value);
        let ours = NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
        if !value.trim().is_empty() && !value.starts_with("(Binary") && !name.contains("0x") {
            wants.add("exif", ours, Want::Values(value));
        }
    }
}

fn document(answer: &Json, wants: &mut Wants) {
    wants.covered.extend(["title", "author", "pages", "time", "encoding", "language"]);
    wants.text(
        "title",
        first(answer, &["PDF:Title", "XMP-dc:Title", "XML-dc:Title", "HTML:Title", "RTF:Title", "FlashPix:Title"]),
    );
    let authors = [
        "PDF:Author",
        "XMP-dc:Creator",
        "XML-dc:Creator",
        "HTML:Author",
        "RTF:Author",
        "XMP-meta:Initial-creator",
        "FlashPix:Author",
    ];
    authors.iter().for_each(|key| wants.text("author", first(answer, &[key])));
    wants.text("keywords", first(answer, &["PDF:Keywords", "XML:Keywords", "XMP-meta:Keyword", "HTML:Keywords"]));
    let pages = ["PDF:PageCount", "XML:Slides", "XML:Pages", "XMP-meta:Document-statisticPage-count", "FlashPix:Pages"];
    if let Some(pages) = first(answer, &pages).filter(|count| count != "0") {
        wants.add("pages", "", Want::Same(pages));
    }
    let times = ["PDF:CreateDate", "XML:CreateDate", "XMP-meta:Creation-date", "RTF:CreateDate", "FlashPix:CreateDate"];
    let known = times.iter().filter_map(|key| answer.get(*key)).find_map(|at| time(&text(at)));
    known.into_iter().for_each(|at| wants.add("time", "", at));
    wants.text(
        "language",
        first(answer, &["XML-dc:Language"]).map(|all| all.split("; ").next().unwrap_or("").to_owned()),
    );
    if let Some(encoding) = answer["File:MIMEEncoding"].as_str().filter(|name| !name.starts_with("unknown")) {
        wants.add("encoding", "", Want::OneOf(encodings(encoding)));
    }
    let shape = [("columns", "File:ColumnCount"), ("rows", "File:RowCount")];
    for (field, key) in shape {
        first(answer, &[key]).into_iter().for_each(|count| wants.add(field, "", Want::Same(count)));
    }
}

/// ASCII is UTF-8; and exiftool says ISO-8859-1 of any bytes above 127 that are not UTF-8.
fn encodings(name: &str) -> Vec<String> {
    let more: &[&str] = match name {
        "us-ascii" => &["utf-8"],
        "iso-8859-1" => &[
            "windows-1252",
            "shift_jis",
            "gb18030",
            "big5",
            "euc-jp",
            "euc-kr",
            "gbk",
            "koi8-r",
            "windows-1251",
            "iso-8859-2",
            "windows-1250",
            "iso-8859-5",
            "iso-8859-7",
            "windows-1253",
            "windows-1254",
            "windows-1255",
            "windows-1256",
            "iso-8859-8",
            "iso-8859-6",
            "windows-874",
            "ibm866",
            "x-mac-cyrillic",
            "windows-1257",
            "windows-1258",
            "iso-8859-4",
        ],
        _ => &[],
    };
    [name].into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
}
