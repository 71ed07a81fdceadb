//! What mutagen, ffprobe's tags and others say of titles, artists and the like.

use crate::ask::{Want, Wants};
use serde_json::Value as Json;

/// Our field and the names of that tag in ID3v2, MP4, Vorbis comments, ASF and APE.
const NAMES: &[(&str, &[&str])] = &[
    ("title", &["TIT2", "\u{a9}nam", "title"]),
    ("artist", &["TPE1", "\u{a9}ART", "artist", "Author"]),
    ("album-artist", &["TPE2", "aART", "albumartist", "WM/AlbumArtist", "Album Artist"]),
    ("album", &["TALB", "\u{a9}alb", "album", "WM/AlbumTitle"]),
    ("composer", &["TCOM", "\u{a9}wrt", "composer", "WM/Composer"]),
    ("genre", &["TCON", "\u{a9}gen", "genre", "WM/Genre"]),
    ("year", &["TDRC", "\u{a9}day", "date", "year", "WM/Year", "TYER"]),
    ("track", &["TRCK", "trkn", "tracknumber", "WM/TrackNumber", "track"]),
    ("disc", &["TPOS", "disk", "discnumber", "WM/PartOfSet", "disc"]),
    ("lyric", &["USLT::eng", "\u{a9}lyr", "lyrics", "WM/Lyrics"]),
];

fn flat(json: &Json) -> String {
    match json {
        Json::Array(all) => all.iter().map(flat).collect::<Vec<_>>().join("/"),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first number: `3/12`, `(3, 12)` and `3` say the same of the track.
fn leading(text: &str) -> Option<String> {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().ok().filter(|n| *n > 0).map(|n| n.to_string())
}

pub(crate) fn mutagen(answer: &Json, _: &Json, wants: &mut Wants) {
    if let Some(length) = answer["length"].as_f64().filter(|length| *length > 0.0) {
        wants.add("duration", "", Want::Near(length, 0.05, 0.01));
    }
    let Some(tags) = answer["tags"].as_object() else { return };
    for (field, names) in NAMES {
        wants.covered.insert(field);
        let said = names.iter().find_map(|name| tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
        let Some(text) = said.map(|(_, value)| flat(value)).filter(|text| !crate::ask::plain(text).is_empty()) else {
            continue;
        };
        match *field {
            "track" | "disc" => leading(&text).into_iter().for_each(|n| wants.add(field, "", Want::Same(n))),
            "year" => text.get(..4).into_iter().for_each(|year| wants.add(field, "", Want::Same(year.to_owned()))),
            // Numbers stand for names in ID3 (ID3v1's list): ours shows the name.
            "genre" if text.trim_matches(['(', ')']).parse::<u8>().is_ok() => {}
            _ => wants.add(field, "", Want::Text(text)),
        }
    }
}
