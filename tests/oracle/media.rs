//! What ffprobe and MediaInfo say of streams.

use crate::ask::{Want, Wants};
use serde_json::Value as Json;

/// How an answer of ffprobe is compared.
enum Way {
    Same,
    /// Text like `25/1`, within a thousandth.
    Ratio,
    /// Seconds: 1 % or 50 ms.
    Seconds,
    /// Within 2 %: tools differ in what they count as overhead.
    Rate,
}

/// Our field, ffprobe's key, how to compare; by kind of stream.
type Row = (&'static str, &'static str, Way);

const VIDEO: &[Row] = &[
    ("video-codec", "codec_name", Way::Same),
    ("video-profile", "profile", Way::Same),
    ("video-width", "width", Way::Same),
    ("video-height", "height", Way::Same),
    ("video-b-frames", "has_b_frames", Way::Same),
    ("video-sar", "sample_aspect_ratio", Way::Ratio),
    ("video-dar", "display_aspect_ratio", Way::Ratio),
    ("video-pixels", "pix_fmt", Way::Same),
    ("video-level", "level", Way::Same),
    ("video-rate", "avg_frame_rate", Way::Ratio),
    ("video-base-rate", "r_frame_rate", Way::Ratio),
    ("video-time-base", "time_base", Way::Ratio),
    ("video-start", "start_time", Way::Seconds),
    ("video-duration", "duration", Way::Seconds),
    ("video-bitrate", "bit_rate", Way::Rate),
    ("video-frames", "nb_frames", Way::Same),
    ("video-bits", "bits_per_raw_sample", Way::Same),
    ("video-space", "color_space", Way::Same),
    ("video-range", "color_range", Way::Same),
    ("video-transfer", "color_transfer", Way::Same),
    ("video-primaries", "color_primaries", Way::Same),
    ("video-tag", "codec_tag_string", Way::Same),
];

const AUDIO: &[Row] = &[
    ("audio-codec", "codec_name", Way::Same),
    ("audio-samples", "sample_fmt", Way::Same),
    ("audio-rate", "sample_rate", Way::Same),
    ("audio-channels", "channels", Way::Same),
    ("audio-layout", "channel_layout", Way::Same),
    ("audio-time-base", "time_base", Way::Ratio),
    ("audio-start", "start_time", Way::Seconds),
    ("audio-duration", "duration", Way::Seconds),
    ("audio-bitrate", "bit_rate", Way::Rate),
    ("audio-frames", "nb_frames", Way::Same),
    ("audio-tag", "codec_tag_string", Way::Same),
];

const SUBTITLE: &[Row] =
    &[("subtitle-codec", "codec_name", Way::Same), ("subtitle-tag", "codec_tag_string", Way::Same)];

fn text(json: &Json) -> Option<String> {
    let text = json.as_str().map(str::to_owned).or_else(|| json.as_f64().map(|_| json.to_string()))?;
    let nothing = ["", "unknown", "0/0", "N/A", "und", "[0][0][0][0]", "-99", "0:1"];
    (!nothing.contains(&text.as_str())).then_some(text)
}

fn number(json: &Json) -> Option<f64> {
    text(json)?.parse().ok()
}

fn want(text: String, way: &Way) -> Option<Want> {
    let value = crate::ask::number(&text);
    Some(match way {
        Way::Same if text == "0" => return None,
        Way::Same => Want::Same(text),
        Way::Ratio => Want::Near(value?, 0.0, 1e-3),
        Way::Seconds => Want::Near(value?, 0.05, 0.01),
        Way::Rate => Want::Near(value?, 0.0, 0.02),
    })
}

pub(crate) fn ffprobe(answer: &Json, manifest: &Json, wants: &mut Wants) {
    let streams = answer["streams"].as_array().map_or(&[][..], Vec::as_slice);
    if !matches!(manifest["kind"].as_str(), Some("audio" | "video")) || streams.is_empty() {
        return;
    }
    let cover = |stream: &&Json| stream["disposition"]["attached_pic"] == 1;
    for (kind, rows) in [("video", VIDEO), ("audio", AUDIO), ("subtitle", SUBTITLE)] {
        let of_kind = streams.iter().filter(|s| s["codec_type"] == kind && !cover(s));
        wants.covered.extend(rows.iter().map(|row| row.0));
        for (at, stream) in of_kind.enumerate() {
            for (field, key, way) in rows.iter().filter(|row| says(stream, row.1)) {
                let want = text(&stream[key]).and_then(|text| want(text, way));
                want.into_iter().for_each(|want| wants.add(field, at, want));
            }
            let language = text(&stream["tags"]["language"]);
            language.into_iter().for_each(|name| wants.add("stream-language", format!("{kind}{at}"), Want::Same(name)));
            if kind == "video" {
                rotation(stream, at, wants);
            }
        }
    }
    let sizes = streams
        .iter()
        .filter(cover)
        .filter_map(|s| Some(format!("{}x{}", number(&s["width"])?, number(&s["height"])?)));
    for (at, size) in sizes.filter(|size| !size.starts_with('0')).enumerate() {
        wants.add("cover", at, Want::Same(size));
    }
    container(&answer["format"], streams, wants);
}

/// Whether the answer is more than a default: a duration of nothing means that none is known (segments without
/// samples), and a rate that is the unit of time itself means that no two frames were seen.
fn says(stream: &Json, key: &str) -> bool {
    let ratio = |key: &str| text(&stream[key]).and_then(|text| crate::ask::number(&text));
    match key {
        "duration" => number(&stream[key]).is_some_and(|seconds| seconds > 0.0),
        "r_frame_rate" => ratio(key)
            .zip(ratio("time_base"))
            .is_none_or(|(rate, unit)| rate < 1000.0 || (rate * unit - 1.0).abs() > 1e-6),
        _ => true,
    }
}

fn rotation(stream: &Json, at: usize, wants: &mut Wants) {
    let sides = stream["side_data_list"].as_array().into_iter().flatten();
    let turn = sides.filter_map(|side| side["rotation"].as_f64()).next();
    wants.covered.insert("video-rotate");
    if let Some(turn) = turn.filter(|turn| *turn != 0.0) {
        // The matrix says how far the picture is turned to the left, Rotate how far to turn it to the right.
        let right = (-turn).rem_euclid(360.0);
        wants.add("video-rotate", at, Want::Near(right, 0.5, 0.0));
    }
}

fn container(format: &Json, streams: &[Json], wants: &mut Wants) {
    wants.covered.extend(["duration", "bitrate", "start", "streams", "format", "time"]);
    if let Some(names) = format["format_name"].as_str() {
        wants.add("format", "", Want::OneOf(names.split(',').chain([names]).map(str::to_owned).collect()));
    }
    let rows = [
        ("duration", "duration", Way::Seconds),
        ("bitrate", "bit_rate", Way::Rate),
        ("start", "start_time", Way::Seconds),
    ];
    for (field, key, way) in rows {
        let known = text(&format[key]).filter(|_| key == "start_time" || number(&format[key]) > Some(0.0));
        known.and_then(|text| want(text, &way)).into_iter().for_each(|want| wants.add(field, "", want));
    }
    let shown = streams.iter().filter(|s| s["disposition"]["attached_pic"] != 1).count();
    if shown > 0 {
        wants.add("streams", "", Want::Same(shown.to_string()));
    }
    for key in ["com.apple.quicktime.creationdate", "creationdate", "creation_time", "date"] {
        let at = format["tags"][key].as_str().and_then(crate::ask::time);
        at.into_iter().for_each(|at| wants.add("time", "", at));
    }
}

/// MediaInfo as a second opinion on what both call by the same name.
pub(crate) fn mediainfo(answer: &Json, manifest: &Json, wants: &mut Wants) {
    if !matches!(manifest["kind"].as_str(), Some("audio" | "video")) {
        return;
    }
    let tracks = answer["track"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: [(&str, &str, &'static str, Way); 8] = [
        ("General", "Duration", "duration", Way::Seconds),
        ("General", "OverallBitRate", "bitrate", Way::Rate),
        ("Audio", "SamplingRate", "audio-rate", Way::Same),
        ("Audio", "Channels", "audio-channels", Way::Same),
        ("Video", "Width", "video-width", Way::Same),
        ("Video", "Height", "video-height", Way::Same),
        ("Video", "FrameRate", "video-rate", Way::Ratio),
        ("Video", "FrameCount", "video-frames", Way::Same),
    ];
    for (kind, key, field, way) in rows {
        for (at, track) in tracks.iter().filter(|track| track["@type"] == kind).enumerate() {
            let part = if kind == "General" { String::new() } else { at.to_string() };
            let known = text(&track[key]).filter(|text| text.parse::<f64>().is_ok_and(|n| n > 0.0));
            known.and_then(|text| want(text, &way)).into_iter().for_each(|want| wants.add(field, &part, want));
        }
    }
}
