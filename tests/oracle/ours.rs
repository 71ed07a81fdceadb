//! Our answers to the same questions: members first, facts where the document has no member.

use crate::ask::Key;
use medialith::extract::{Datum, Extracted, Group};
use medialith::model::{FieldId, Members, Value, field};
use serde_json::Value as Json;
use std::collections::BTreeMap;

const MEMBERS: &[(&str, FieldId)] = &[
    ("type", field::CONTENT_TYPE),
    ("media", field::MEDIA_TYPE),
    ("orientation", field::ORIENTATION),
    ("time", field::PRODUCE_TIME),
    ("place", field::LAT_LONG),
    ("title", field::TITLE),
    ("artist", field::ARTIST),
    ("author", field::ARTIST),
    ("album-artist", field::ALBUM_ARTIST),
    ("album", field::ALBUM),
    ("composer", field::COMPOSER),
    ("format", field::FORMAT_NAME),
    ("duration", field::DURATION),
    ("bitrate", field::BITRATE),
    ("start", field::START_TIME),
    ("streams", field::STREAM_COUNT),
    ("pages", field::PAGE_COUNT),
    ("text", field::DOCUMENT_CONTENT),
    ("language", field::DOCUMENT_LANGUAGE),
];

const VIDEO: &[(&str, FieldId)] = &[
    ("video-codec", field::VIDEO_CODEC_NAME),
    ("video-profile", field::VIDEO_PROFILE),
    ("video-width", field::VIDEO_STREAM_WIDTH),
    ("video-height", field::VIDEO_STREAM_HEIGHT),
    ("video-b-frames", field::VIDEO_HAS_B_FRAMES),
    ("video-sar", field::VIDEO_SAMPLE_ASPECT_RATIO),
    ("video-dar", field::VIDEO_DISPLAY_ASPECT_RATIO),
    ("video-pixels", field::VIDEO_PIXEL_FORMAT),
    ("video-level", field::VIDEO_LEVEL),
    ("video-rate", field::VIDEO_AVERAGE_FRAME_RATE),
    ("video-base-rate", field::VIDEO_FRAME_RATE),
    ("video-time-base", field::VIDEO_TIME_BASE),
    ("video-start", field::VIDEO_START_TIME),
    ("video-duration", field::VIDEO_DURATION),
    ("video-bitrate", field::VIDEO_BITRATE),
    ("video-frames", field::VIDEO_FRAME_COUNT),
    ("video-bits", field::VIDEO_BIT_DEPTH),
    ("video-space", field::VIDEO_COLOR_SPACE),
    ("video-range", field::VIDEO_COLOR_RANGE),
    ("video-transfer", field::VIDEO_COLOR_TRANSFER),
    ("video-primaries", field::VIDEO_COLOR_PRIMARIES),
    ("video-tag", field::VIDEO_CODEC_TAG_STRING),
    ("video-rotate", field::VIDEO_ROTATE),
];

const AUDIO: &[(&str, FieldId)] = &[
    ("audio-codec", field::AUDIO_CODEC_NAME),
    ("audio-samples", field::AUDIO_SAMPLE_FORMAT),
    ("audio-rate", field::AUDIO_SAMPLE_RATE),
    ("audio-channels", field::AUDIO_CHANNELS),
    ("audio-layout", field::AUDIO_CHANNEL_LAYOUT),
    ("audio-time-base", field::AUDIO_TIME_BASE),
    ("audio-start", field::AUDIO_START_TIME),
    ("audio-duration", field::AUDIO_DURATION),
    ("audio-bitrate", field::AUDIO_BITRATE),
    ("audio-frames", field::AUDIO_FRAME_COUNT),
    ("audio-tag", field::AUDIO_CODEC_TAG_STRING),
];

const SUBTITLE: &[(&str, FieldId)] =
    &[("subtitle-codec", field::SUBTITLE_CODEC_NAME), ("subtitle-tag", field::SUBTITLE_CODEC_TAG_STRING)];

/// Fields that show as facts only: vocabulary and tags, the first present one counts.
const FACTS: &[(&str, &str, &[&str])] = &[
    ("genre", "Tag", &["Genre"]),
    ("year", "Tag", &["Year", "Date"]),
    ("track", "Tag", &["Track", "TrackNumber"]),
    ("disc", "Tag", &["Disc", "DiscNumber"]),
    ("altitude", "Place", &["Altitude"]),
    ("frames", "Header", &["FrameCount"]),
    ("bits", "Header", &["BitsPerSample"]),
    ("icc", "Icc", &["ProfileDescription"]),
    ("copyright", "Tag", &["Copyright"]),
    ("rating", "Tag", &["Rating"]),
    ("encoding", "Document", &["Encoding"]),
    ("encrypted", "Document", &["Encrypted"]),
    ("encrypted", "Archive", &["Encrypted"]),
    ("version", "Document", &["Version"]),
    ("columns", "Document", &["Columns"]),
    ("rows", "Document", &["Rows"]),
    ("keywords", "Document", &["Keywords"]),
    ("entries", "Archive", &["EntryCount"]),
    ("unpacked", "Archive", &["UnpackedSize"]),
];

fn shown(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return None,
    })
}

fn datum(value: &Datum) -> String {
    match value {
        Datum::Text(text) => text.to_string(),
        Datum::Int(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Time(moment) => moment.clock.to_string(),
        Datum::Place(place) => place.to_string(),
    }
}

fn rows(members: &Members, id: FieldId) -> &[Members] {
    match members.get(id) {
        Some(Value::Rows(rows)) => rows,
        _ => &[],
    }
}

pub(crate) fn answers(found: &Extracted) -> BTreeMap<Key, String> {
    let mut all = BTreeMap::new();
    let members = &found.members;
    for (name, id) in MEMBERS {
        members.get(*id).and_then(shown).into_iter().for_each(|text| drop(all.insert((*name, String::new()), text)));
    }
    let side = |id| members.get(id).and_then(Value::as_int);
    if let Some((width, height)) = side(field::IMAGE_WIDTH).zip(side(field::IMAGE_HEIGHT)) {
        all.insert(("size", String::new()), format!("{width} {height}"));
    }
    let labels: Vec<&str> = rows(members, field::LABELS).iter().filter_map(|row| row.text(field::LABEL_NAME)).collect();
    if !labels.is_empty() {
        all.insert(("keywords", String::new()), labels.join("; "));
    }
    let kinds = [
        (VIDEO, field::VIDEO_STREAMS, "video", field::VIDEO_LANGUAGE),
        (AUDIO, field::AUDIO_STREAMS, "audio", field::AUDIO_LANGUAGE),
        (SUBTITLE, field::SUBTITLES, "subtitle", field::SUBTITLE_LANGUAGE),
    ];
    for (table, id, kind, language) in kinds {
        for (at, row) in rows(members, id).iter().enumerate() {
            for (name, id) in table {
                row.get(*id)
                    .and_then(shown)
                    .into_iter()
                    .for_each(|text| drop(all.insert((*name, at.to_string()), text)));
            }
            let language = row.get(language).and_then(shown);
            language.into_iter().for_each(|text| drop(all.insert(("stream-language", format!("{kind}{at}")), text)));
        }
    }
    let lyric = rows(members, field::AUDIO_STREAMS).iter().find_map(|row| row.text(field::AUDIO_LYRIC));
    lyric.into_iter().for_each(|text| drop(all.insert(("lyric", String::new()), text.to_owned())));
    json_members(members, &mut all);
    facts(found, &mut all);
    all
}

fn json_members(members: &Members, all: &mut BTreeMap<Key, String>) {
    let exif = members.text(field::EXIF).and_then(|text| serde_json::from_str::<Json>(text).ok());
    for (name, value) in exif.iter().filter_map(Json::as_object).flatten() {
        let text = value["value"].as_str().unwrap_or_default();
        // The API spells out what the tag abbreviates.
        let reference = name.ends_with("itudeRef") && text.len() > 1;
        let text = text.get(..1).filter(|_| reference).unwrap_or(text).to_owned();
        all.insert(("exif", name.clone()), text);
    }
    let Some(Value::Json(covers)) = members.get(field::AUDIO_COVERS) else { return };
    let covers: Json = serde_json::from_str(covers).unwrap();
    for (at, cover) in covers.as_array().into_iter().flatten().enumerate() {
        let size = format!("{}x{}", cover["ImageWidth"], cover["ImageHeight"]);
        all.insert(("cover", at.to_string()), size);
    }
}

/// Properties of XMP, the items of an array joined, times in exiftool's writing.
fn xmp(found: &Extracted, all: &mut BTreeMap<Key, String>) {
    for fact in found.facts.iter().filter(|fact| fact.group == Group::Xmp && !fact.tag.contains(['/', '['])) {
        let mut text = datum(&fact.value);
        let date = text.get(..10).filter(|d| d.as_bytes().get(4) == Some(&b'-') && d.as_bytes().get(7) == Some(&b'-'));
        if let Some(date) = date.map(|date| date.replace('-', ":")) {
            text = date + &text[10..].replacen('T', " ", 1);
        }
        let joined = all.entry(("xmp", fact.tag.to_lowercase())).or_default();
        // A packet and its extension may say the same.
        if joined.split("; ").any(|known| known == text) {
            continue;
        }
        if !joined.is_empty() {
            joined.push_str("; ");
        }
        joined.push_str(&text);
    }
}

fn facts(found: &Extracted, all: &mut BTreeMap<Key, String>) {
    xmp(found, all);
    for (name, group, tags) in FACTS {
        let named = |group_of: Group, tag: &str| format!("{group_of:?}") == *group && tags.contains(&tag);
        let values: Vec<String> =
            found.facts.iter().filter(|f| named(f.group, &f.tag)).map(|f| datum(&f.value)).collect();
        let text = match (*name, values.first()) {
            (_, None) => continue,
            ("keywords", _) => values.join("; "),
            ("year", Some(date)) => date.chars().take(4).collect(),
            ("track" | "disc", Some(text)) => text.split('/').next().unwrap_or(text).trim_start_matches('0').to_owned(),
            (_, Some(first)) => first.clone(),
        };
        all.insert((*name, String::new()), text);
    }
}
