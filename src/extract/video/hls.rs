//! HLS playlists (RFC 8216): media playlists with their segments, master playlists with their variants.

mod named;

pub use named::{Named, Part, Variant, local};

use crate::extract::stream::{Kind, Ratio, Stream, Summary};
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Most bytes of a playlist that are read.
const BYTES: u64 = 1 << 20;
/// Most variants, renditions and segments that become facts by name; all are counted.
const NAMED: usize = 64;

/// What the lines say together.
#[derive(Default)]
struct Playlist {
    /// Seconds of the segments so far, and their number.
    length: f64,
    segments: u32,
    /// Whether the list says that it is whole.
    ended: bool,
    variants: u32,
    streams: Vec<Stream>,
    renditions: Vec<Stream>,
    bitrate: Option<u64>,
    /// What the last tag says that the line behind it is.
    pending: Option<&'static str>,
    /// The part of the first segment's file that the segment is.
    range: Option<String>,
}

/// Reads a playlist.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut playlist = Playlist::default();
    let mut offset = 0_u64;
    for line in text.split('\n') {
        input.entry()?;
        playlist.line(line.trim(), offset, input.format(), facts);
        offset = offset.saturating_add(u64::try_from(line.len()).unwrap_or(0)).saturating_add(1);
    }
    playlist.publish(input, facts);
    Ok(())
}

impl Playlist {
    fn line(&mut self, line: &str, offset: u64, format: &'static str, facts: &mut Facts) {
        let Some(tag) = line.strip_prefix("#EXT") else {
            if !line.is_empty() && !line.starts_with('#') {
                self.file(line, offset, format, facts);
            }
            return;
        };
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        match name {
            "INF" => {
                let seconds = value.split(',').next().unwrap_or("").trim().parse::<f64>();
                self.length += seconds.ok().filter(|s| s.is_finite() && *s >= 0.0).unwrap_or(0.0);
                self.segments = self.segments.saturating_add(1);
                self.pending = Some("Segment");
            }
            "-X-BYTERANGE" if self.segments <= 1 => self.range = Some(value.to_owned()),
            "-X-MAP" if self.segments == 0 => map(&attributes(value), offset, format, facts),
            "-X-ENDLIST" => self.ended = true,
            "-X-STREAM-INF" => {
                self.variants = self.variants.saturating_add(1);
                let counts = self.variant(&attributes(value));
                self.named("Variant", value, offset, format, facts);
                self.named("VariantStreams", &counts, offset, format, facts);
                self.pending = Some("VariantUri");
            }
            "-X-MEDIA" => {
                self.rendition(&attributes(value));
                self.named("Rendition", value, offset, format, facts);
            }
            "-X-KEY" | "-X-SESSION-KEY" => {
                let method = attributes(value).into_iter().find(|(name, _)| *name == "METHOD");
                if let Some((_, method)) = method.filter(|(_, method)| *method != "NONE") {
                    facts.add(format, Group::Media, "Encryption", offset, method);
                }
            }
            "-X-VERSION" | "-X-TARGETDURATION" | "-X-PLAYLIST-TYPE" | "-X-MEDIA-SEQUENCE" => {
                let name = name.trim_start_matches("-X-");
                facts.add(format, Group::Media, name.to_owned(), offset, value);
            }
            "-X-PROGRAM-DATE-TIME" => time(value, offset, format, facts),
            _ => {}
        }
    }

    /// A line that names a file.
    fn file(&mut self, line: &str, offset: u64, format: &'static str, facts: &mut Facts) {
        let Some(what) = self.pending.take() else { return };
        self.named(what, line, offset, format, facts);
        if let Some(range) = self.range.take().filter(|_| what == "Segment" && self.segments == 1) {
            facts.add(format, Group::Media, "SegmentRange", offset, range);
        }
    }

    fn named(&self, tag: &'static str, value: &str, offset: u64, format: &'static str, facts: &mut Facts) {
        if usize::try_from(self.segments.max(self.variants)).is_ok_and(|count| count <= NAMED) {
            facts.add(format, Group::Media, tag, offset, value);
        }
    }

    /// 4.3.4.2: each variant has its streams, of video, sound and subtitles so many; the best rate counts.
    fn variant(&mut self, attributes: &[(&str, &str)]) -> String {
        let of = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let rate = of("AVERAGE-BANDWIDTH").or_else(|| of("BANDWIDTH")).and_then(|text| text.parse().ok());
        self.bitrate = self.bitrate.max(rate);
        let size = of("RESOLUTION").and_then(|text| text.split_once(['x', 'X']));
        let size = size.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?))).unwrap_or((0, 0));
        let frames = of("FRAME-RATE").and_then(|text| text.parse().ok()).and_then(Ratio::near);
        let mut streams: Vec<Stream> = of("CODECS").unwrap_or("").split(',').filter_map(by_codec_string).collect();
        if size.0 > 0 && !streams.iter().any(|stream| stream.kind == Kind::Video) {
            streams.insert(0, Stream::of(Kind::Video, ""));
        }
        for stream in streams.iter_mut().filter(|stream| stream.kind == Kind::Video) {
            (stream.width, stream.height) = size;
            stream.frame_rate = frames;
            stream.bitrate = rate;
        }
        streams.truncate(NAMED.saturating_sub(self.streams.len()));
        let count = |kind| streams.iter().filter(|stream| stream.kind == kind).count();
        let counts = format!("{} {} {}", count(Kind::Video), count(Kind::Audio), count(Kind::Subtitle));
        self.streams.extend(streams);
        counts
    }

    /// 4.3.4.1
    fn rendition(&mut self, attributes: &[(&str, &str)]) {
        let of = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| *value);
        let kind = match of("TYPE") {
            "AUDIO" => Kind::Audio,
            "SUBTITLES" => Kind::Subtitle,
            "CLOSED-CAPTIONS" => Kind::Other,
            _ => return,
        };
        let mut stream = Stream::of(kind, if kind == Kind::Subtitle { "webvtt" } else { "" });
        stream.language = of("LANGUAGE").to_owned();
        stream.channels = of("CHANNELS").split('/').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        if self.renditions.len() < NAMED && !of("URI").is_empty() {
            self.renditions.push(stream);
        }
    }

    fn publish(mut self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        let counts = [("SegmentCount", self.segments), ("VariantCount", self.variants)];
        for (tag, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            facts.add(format, Group::Media, tag, 0, count);
        }
        facts.add(format, Group::Media, "Live", 0, i64::from(self.segments > 0 && !self.ended));
        self.streams.append(&mut self.renditions);
        Summary {
            format: ("hls", "Apple HTTP Live Streaming"),
            // A list without its end is live: it has no length.
            duration: Some(self.length).filter(|_| self.ended && self.segments > 0),
            bitrate: self.bitrate,
            programs: Some(u64::from(self.variants.max(u32::from(self.segments > 0)))),
            streams: self.streams,
            ..Summary::default()
        }
        .publish(input, facts);
    }
}

/// 4.3.2.5: what stands in front of every segment behind it.
fn map(attributes: &[(&str, &str)], offset: u64, format: &'static str, facts: &mut Facts) {
    let of = |wanted: &str| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    for (tag, value) in [("Map", of("URI")), ("MapRange", of("BYTERANGE"))] {
        value.into_iter().for_each(|value| facts.add(format, Group::Media, tag, offset, value));
    }
}

/// `NAME=value,NAME="quoted, value"` (4.2).
fn attributes(list: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = list;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, tail) = quoted.split_once('"').unwrap_or((quoted, ""));
                (value, tail.trim_start_matches(','))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim(), value));
        rest = next;
        if found.len() >= NAMED {
            break;
        }
    }
    found
}

/// Codecs as RFC 6381 names them, by their first parts.
fn by_codec_string(text: &str) -> Option<Stream> {
    let (kind, codec) = match text.trim().split('.').next().unwrap_or("") {
        "avc1" | "avc3" => (Kind::Video, "h264"),
        "hvc1" | "hev1" | "dvh1" | "dvhe" => (Kind::Video, "hevc"),
        "av01" => (Kind::Video, "av1"),
        "vp09" | "vp9" => (Kind::Video, "vp9"),
        "vp08" | "vp8" => (Kind::Video, "vp8"),
        "mp4v" => (Kind::Video, "mpeg4"),
        "mp4a" if matches!(text.trim(), "mp4a.40.34" | "mp4a.6B" | "mp4a.69") => (Kind::Audio, "mp3"),
        "mp4a" => (Kind::Audio, "aac"),
        "ac-3" => (Kind::Audio, "ac3"),
        "ec-3" => (Kind::Audio, "eac3"),
        "opus" | "Opus" => (Kind::Audio, "opus"),
        "fLaC" | "flac" => (Kind::Audio, "flac"),
        "wvtt" => (Kind::Subtitle, "webvtt"),
        "stpp" => (Kind::Subtitle, "ttml"),
        _ => return None,
    };
    Some(Stream::of(kind, codec))
}

/// The first time of the stream (4.3.2.6), as ISO 8601.
fn time(text: &str, offset: u64, format: &'static str, facts: &mut Facts) {
    if facts.find(Group::Time, "Created").is_some() {
        return;
    }
    let moment = crate::extract::stream::with_zone(text).or_else(|| {
        let clock = text.trim().parse().ok()?;
        Some(Moment { clock, offset: None })
    });
    if let Some(moment) = moment {
        facts.add(format, Group::Time, "Created", offset, moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    #[test]
    fn a_media_playlist_is_as_long_as_its_segments() {
        let list =
            "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.5,\na.ts\r\n#EXTINF:4.25,title\nb.ts\n#EXT-X-ENDLIST\n";
        let facts = facts_of(parse, list.as_bytes());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&13.75.into()));
        assert_eq!(facts.find(Group::Media, "SegmentCount"), Some(&2_i64.into()));
        assert_eq!(facts.find(Group::Media, "Segment"), Some(&"a.ts".into()));
        let live = facts_of(parse, list.replace("#EXT-X-ENDLIST", "").as_bytes());
        assert_eq!((live.find(Group::Media, "Duration"), live.find(Group::Media, "Live")), (None, Some(&1_i64.into())));
        survives(parse, list.as_bytes(), 200);
    }

    #[test]
    fn the_first_segment_and_what_stands_in_front_of_it() {
        let list = "#EXTM3U\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"700@0\"\n#EXTINF:4,\n#EXT-X-BYTERANGE:900@700\nall.mp4\n\
            #EXTINF:4,\n#EXT-X-BYTERANGE:800@1600\nall.mp4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\nb.mp4\n";
        let named = Named::of(&facts_of(parse, list.as_bytes()).facts);
        let part = |range, offset| Some(Part { uri: "all.mp4".into(), range: Some(range), offset });
        assert_eq!((named.map, named.segment), (part(0..700, 8), part(700..1600, 87)));
        assert!(named.encrypted);
        survives(parse, list.as_bytes(), 300);
    }

    #[test]
    fn a_master_playlist_lists_variants_and_renditions() {
        let list = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",LANGUAGE=\"de\",CHANNELS=\"6\",URI=\"a.m3u8\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970\n\
            v.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=500000\nw.m3u8\n";
        let facts = facts_of(parse, list.as_bytes());
        assert_eq!(facts.find(Group::Media, "ProgramCount"), Some(&2_i64.into()));
        assert_eq!(facts.find(Group::Media, "Bitrate"), Some(&2_000_000_i64.into()));
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("30000/1001"));
        assert_eq!(video.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(1280)));
        assert_eq!(facts.audio_streams[1].text(field::AUDIO_LANGUAGE), Some("de"));
        let named = Named::of(&facts.facts);
        let variants: Vec<_> = named.variants.iter().map(|one| (one.list.uri.as_str(), one.streams)).collect();
        assert_eq!(variants, [("v.m3u8", [1, 1, 0]), ("w.m3u8", [0, 0, 0])]);
        assert_eq!(named.segment, None);
        survives(parse, list.as_bytes(), 300);
    }
}
