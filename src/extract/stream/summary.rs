//! One audio or video file as its container describes it, and the facts that follow.

use super::codec::codec;
use super::number::{Ratio, float, whole};
use super::picture::{Coding, Colour};
use crate::extract::{Datum, Facts, Group, Input};
use crate::model::field::{self, FieldId};
use crate::model::{Members, Value};
use std::fmt;

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Pictures in motion.
    Video,
    /// Sound.
    Audio,
    /// Text or pictures laid over the video.
    Subtitle,
    /// A cover or thumbnail kept as a stream: counted nowhere.
    Picture,
    /// Anything else: counted, not described.
    #[default]
    Other,
}

/// Whether the upper bands of sound are replicated from the lower ones (ISO/IEC 14496-3, 1.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bands {
    /// A header says, or the codec has none.
    #[default]
    Stated,
    /// No header says: the frames tell.
    Unsaid,
    /// The frames said so: a block stands for twice as many samples.
    Found,
}

/// One stream. What a container does not say stays at its default.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// What it carries.
    pub kind: Kind,
    /// Codec by ffprobe's name, `""` where unknown.
    pub codec: &'static str,
    /// The container's own code of the codec: a four-character code, or a number in little-endian order.
    pub tag: Option<[u8; 4]>,
    /// Language code as written.
    pub language: String,
    /// Unit of its time stamps in seconds.
    pub time_base: Option<Ratio>,
    /// First time stamp in seconds.
    pub start: Option<f64>,
    /// Length in seconds.
    pub duration: Option<f64>,
    /// Bits per second.
    pub bitrate: Option<u64>,
    /// Frames of a video, packets of the rest.
    pub frames: Option<u64>,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second, the rate of most of them.
    pub frame_rate: Option<Ratio>,
    /// Frames per second over the whole length.
    pub average_rate: Option<Ratio>,
    /// Width of a pixel by its height.
    pub pixel_aspect: Option<Ratio>,
    /// Profile, level and sampling.
    pub coding: Coding,
    /// Sample layout by ffprobe's name where the codec allows one only, `""` where `coding` tells.
    pub pixels: &'static str,
    /// Colour.
    pub colour: Colour,
    /// Degrees clockwise to turn the picture for display.
    pub rotate: Option<u16>,
    /// Samples per second.
    pub sample_rate: u32,
    /// Whether upper bands are replicated, which doubles the rate (AAC).
    pub bands: Bands,
    /// Channels of sound.
    pub channels: u32,
    /// Speaker layout, `""` where unknown.
    pub layout: &'static str,
    /// Bits per sample of lossless codecs, where it decides the sample format.
    pub bits: u32,
    /// Sample format where the way into the file decides on the decoder, `""` where the codec does.
    pub samples: &'static str,
    /// Frames that a decoder holds back to put them in order; `None` where unknown.
    pub b_frames: Option<u32>,
    /// Frames per second by the codec's own header.
    pub coded_rate: Option<Ratio>,
}

/// A named part of the whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chapter {
    /// Seconds from the start.
    pub start: f64,
    /// Seconds from the start; `None` where the next chapter or the end tells.
    pub end: Option<f64>,
    /// Its name, `""` where it has none.
    pub title: String,
}

/// One file.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Short and long name of the container.
    pub format: (&'static str, &'static str),
    /// Length in seconds; of the longest stream where `None`.
    pub duration: Option<f64>,
    /// First time stamp in seconds.
    pub start: Option<f64>,
    /// Bits per second; by the file's length where `None`.
    pub bitrate: Option<u64>,
    /// Programs of a multiplex.
    pub programs: Option<u64>,
    /// Streams in the container's order.
    pub streams: Vec<Stream>,
    /// Chapters in their order.
    pub chapters: Vec<Chapter>,
}

/// Most chapters that become facts.
const CHAPTERS: usize = 512;

/// Field numbers of the members that the three kinds of streams share.
struct Common {
    index: FieldId,
    language: FieldId,
    codec: FieldId,
    codec_long: FieldId,
    time_base: Option<FieldId>,
    codec_time_base: Option<FieldId>,
    frames: Option<FieldId>,
    tag_text: FieldId,
    tag: FieldId,
    start: FieldId,
    duration: FieldId,
    bitrate: FieldId,
}

const VIDEO: Common = Common {
    index: field::VIDEO_INDEX,
    language: field::VIDEO_LANGUAGE,
    codec: field::VIDEO_CODEC_NAME,
    codec_long: field::VIDEO_CODEC_LONG_NAME,
    time_base: Some(field::VIDEO_TIME_BASE),
    codec_time_base: Some(field::VIDEO_CODEC_TIME_BASE),
    frames: Some(field::VIDEO_FRAME_COUNT),
    tag_text: field::VIDEO_CODEC_TAG_STRING,
    tag: field::VIDEO_CODEC_TAG,
    start: field::VIDEO_START_TIME,
    duration: field::VIDEO_DURATION,
    bitrate: field::VIDEO_BITRATE,
};

const AUDIO: Common = Common {
    index: field::AUDIO_INDEX,
    language: field::AUDIO_LANGUAGE,
    codec: field::AUDIO_CODEC_NAME,
    codec_long: field::AUDIO_CODEC_LONG_NAME,
    time_base: Some(field::AUDIO_TIME_BASE),
    codec_time_base: Some(field::AUDIO_CODEC_TIME_BASE),
    frames: Some(field::AUDIO_FRAME_COUNT),
    tag_text: field::AUDIO_CODEC_TAG_STRING,
    tag: field::AUDIO_CODEC_TAG,
    start: field::AUDIO_START_TIME,
    duration: field::AUDIO_DURATION,
    bitrate: field::AUDIO_BITRATE,
};

const SUBTITLE: Common = Common {
    index: field::SUBTITLE_INDEX,
    language: field::SUBTITLE_LANGUAGE,
    codec: field::SUBTITLE_CODEC_NAME,
    codec_long: field::SUBTITLE_CODEC_LONG_NAME,
    time_base: None,
    codec_time_base: None,
    frames: None,
    tag_text: field::SUBTITLE_CODEC_TAG_STRING,
    tag: field::SUBTITLE_CODEC_TAG,
    start: field::SUBTITLE_START_TIME,
    duration: field::SUBTITLE_DURATION,
    bitrate: field::SUBTITLE_BITRATE,
};

impl Summary {
    /// Turns the summary into facts and stream rows.
    pub fn publish(self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        self.properties(input.file_len(), |tag, value| match value {
            Value::Int(number) => facts.add(format, Group::Media, tag, 0, number),
            Value::Float(number) => facts.add(format, Group::Media, tag, 0, number),
            Value::Text(text) => facts.add(format, Group::Media, tag, 0, &*text),
            _ => {}
        });
        for chapter in self.chapters.iter().take(CHAPTERS) {
            facts.add(format, Group::Media, "Chapter", 0, chapter.to_string());
        }
        self.streams(facts);
    }

    /// Rows of the streams; the words of a song, which its tags say, belong to the first stream of sound.
    fn streams(&self, facts: &mut Facts) {
        for (index, stream) in self.streams.iter().enumerate() {
            let index = int(u64::try_from(index).unwrap_or(0));
            match stream.kind {
                Kind::Video => facts.video_streams.push(stream.video(index)),
                Kind::Audio => facts.audio_streams.push(stream.audio(index)),
                Kind::Subtitle => facts.subtitles.push(stream.subtitle(index)),
                Kind::Picture | Kind::Other => {}
            }
        }
        if let Some(Datum::Text(words)) = facts.find(Group::Tag, "Lyric").cloned()
            && let Some(row) = facts.audio_streams.first_mut()
        {
            row.set(field::AUDIO_LYRIC, &*words);
        }
    }

    /// Members of the whole, for a file of `bytes` bytes.
    fn properties(&self, bytes: u64, mut add: impl FnMut(&'static str, Value)) {
        add("FormatName", self.format.0.into());
        add("FormatLongName", self.format.1.into());
        let longest = self.streams.iter().filter_map(|s| s.duration).fold(None, longer);
        let duration = self.duration.or(longest).filter(|d| d.is_finite() && *d >= 0.0);
        duration.into_iter().for_each(|d| add("Duration", rounded(d).into()));
        // A stream begins at once unless its container says otherwise.
        let first =
            self.streams.iter().filter(|s| s.duration.is_some()).map(|s| s.start.unwrap_or(0.0)).reduce(f64::min);
        self.start.or(first).into_iter().for_each(|s| add("StartTime", rounded(s).into()));
        let spread = duration.filter(|d| *d > 0.0).map(|d| whole(float(bytes) * 8.0 / d));
        self.bitrate.or(spread).into_iter().for_each(|rate| add("Bitrate", int(rate)));
        let counted = self.streams.iter().filter(|s| s.kind != Kind::Picture).count();
        if counted > 0 {
            add("StreamCount", int(u64::try_from(counted).unwrap_or(0)));
        }
        self.programs.into_iter().for_each(|count| add("ProgramCount", int(count)));
        if let Some(video) = self.streams.iter().find(|s| s.kind == Kind::Video && s.width > 0) {
            add("VideoWidth", int(video.width.into()));
            add("VideoHeight", int(video.height.into()));
        }
        let spoken = self.streams.iter().filter(|s| s.kind == Kind::Audio).find(|s| !s.language.is_empty());
        spoken.into_iter().for_each(|stream| add("Language", stream.language.as_str().into()));
    }
}

/// The longer of two durations.
pub fn longer(a: Option<f64>, b: f64) -> Option<f64> {
    Some(a.map_or(b, |a| a.max(b)))
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", rounded(self.start))?;
        self.end.map_or(Ok(()), |end| write!(f, "-{}", rounded(end)))?;
        write!(f, " {}", self.title)
    }
}

impl Stream {
    /// A stream of that kind and codec of which nothing else is known.
    pub fn of(kind: Kind, codec: &'static str) -> Stream {
        Stream { kind, codec, ..Stream::default() }
    }

    fn common(&self, index: Value, ids: &Common) -> Members {
        let mut row = Members::new();
        row.set(ids.index, index);
        row.set(ids.language, self.language.as_str());
        row.set(ids.codec, self.codec);
        row.set(ids.codec_long, codec(self.codec).map_or("", |codec| codec.long));
        if let Some(tag) = self.tag {
            row.set(ids.tag_text, tag_text(tag));
            row.set(ids.tag, format!("0x{:04x}", u32::from_le_bytes(tag)));
        }
        let bases = [(ids.time_base, self.time_base), (ids.codec_time_base, self.codec_time_base())];
        for (id, ratio) in bases.into_iter().filter_map(|(id, ratio)| id.zip(ratio)) {
            row.set(id, ratio.to_string());
        }
        ids.frames
            .zip(self.frames.or_else(|| self.counted()))
            .into_iter()
            .for_each(|(id, count)| row.set(id, int(count)));
        let start = self.start.or(self.duration.map(|_| 0.0));
        start.into_iter().for_each(|s| row.set(ids.start, rounded(s)));
        self.duration.into_iter().filter(|d| d.is_finite()).for_each(|d| row.set(ids.duration, rounded(d)));
        self.bitrate.or_else(|| self.plain_rate()).into_iter().for_each(|rate| row.set(ids.bitrate, int(rate)));
        row
    }

    /// Bits per second of sound that is not packed.
    fn plain_rate(&self) -> Option<u64> {
        let bits = match self.codec {
            "pcm_u8" | "pcm_s8" | "pcm_alaw" | "pcm_mulaw" => 8,
            "pcm_s16le" | "pcm_s16be" => 16,
            "pcm_s24le" | "pcm_s24be" => 24,
            "pcm_s32le" | "pcm_s32be" | "pcm_f32le" | "pcm_f32be" => 32,
            "pcm_f64le" | "pcm_f64be" => 64,
            _ => return None,
        };
        let rate = u64::from(self.sample_rate).checked_mul(self.channels.into())?.checked_mul(bits)?;
        Some(rate).filter(|rate| *rate > 0)
    }

    /// Frames of a video by its length and its stated rate.
    fn counted(&self) -> Option<u64> {
        let (rate, duration) = self.frame_rate.zip(self.duration).filter(|_| self.kind == Kind::Video)?;
        Some(whole(rate.value() * duration)).filter(|count| *count > 0)
    }

    /// A sample of sound; a frame of a picture, of which H.264 and MPEG-2 count the fields.
    fn codec_time_base(&self) -> Option<Ratio> {
        if self.kind == Kind::Audio {
            return Ratio::new(1, self.sample_rate.into());
        }
        let rate = self.average_rate.or(self.frame_rate)?;
        let fields = if matches!(self.codec, "h264" | "mpeg1video" | "mpeg2video") { 2 } else { 1 };
        Ratio::new(rate.denom, rate.numer.checked_mul(fields)?)
    }

    fn video(&self, index: Value) -> Members {
        let mut row = self.common(index, &VIDEO);
        if self.width > 0 && self.height > 0 {
            row.set(field::VIDEO_STREAM_WIDTH, int(self.width.into()));
            row.set(field::VIDEO_STREAM_HEIGHT, int(self.height.into()));
        }
        // These codecs know no other shape of a pixel.
        let square = matches!(self.codec, "wmv1" | "wmv2").then(|| Ratio::new(1, 1)).flatten();
        if let Some(pixel) = self.pixel_aspect.or(square) {
            row.set(field::VIDEO_SAMPLE_ASPECT_RATIO, pixel.with_colon());
            let picture = Ratio::new(self.width.into(), self.height.into()).and_then(|r| r.times(pixel));
            picture.into_iter().for_each(|p| row.set(field::VIDEO_DISPLAY_ASPECT_RATIO, p.with_colon()));
        }
        let ratios = [
            (field::VIDEO_FRAME_RATE, self.frame_rate.or(self.average_rate)),
            (field::VIDEO_AVERAGE_FRAME_RATE, self.average_rate.or(self.frame_rate)),
        ];
        for (id, ratio) in ratios {
            ratio.into_iter().for_each(|ratio| row.set(id, ratio.to_string()));
        }
        self.b_frames.into_iter().for_each(|count| row.set(field::VIDEO_HAS_B_FRAMES, int(count.into())));
        self.coded(&mut row);
        self.rotate.into_iter().for_each(|degrees| row.set(field::VIDEO_ROTATE, degrees.to_string()));
        row
    }

    fn coded(&self, row: &mut Members) {
        let (mut coding, mut colour) = (self.coding, self.colour);
        if self.codec == "mjpeg" {
            // JFIF 1.02, page 3: the matrix of BT.601 and the full range.
            (colour.matrix, colour.full) = (colour.matrix.or(Some(5)), colour.full.or(Some(true)));
        }
        if coding.chroma.is_none() {
            let usual = Coding::of_codec(self.codec);
            (coding.chroma, coding.depth) = (usual.chroma, usual.depth);
        }
        row.set(field::VIDEO_PROFILE, coding.profile);
        coding.level.into_iter().for_each(|level| row.set(field::VIDEO_LEVEL, int(level.into())));
        // Only these codecs have names of their own for the full range.
        let full = colour.full == Some(true) && matches!(self.codec, "h264" | "hevc" | "mjpeg");
        let planes = if colour.matrix == Some(0) { coding.planes_of_colour() } else { "" };
        let layout = [self.pixels, only_pixels(self.codec), planes, coding.pixel_format(full)]
            .into_iter()
            .find(|name| !name.is_empty());
        let layout = layout.unwrap_or("");
        row.set(field::VIDEO_PIXEL_FORMAT, layout);
        if coding.depth > 0 {
            row.set(field::VIDEO_BIT_DEPTH, int(coding.depth.into()));
        }
        let [primaries, transfer, matrix, range] = colour.names();
        row.set(field::VIDEO_COLOR_PRIMARIES, primaries);
        row.set(field::VIDEO_COLOR_TRANSFER, transfer);
        row.set(field::VIDEO_COLOR_SPACE, matrix);
        row.set(field::VIDEO_COLOR_RANGE, range);
    }

    fn audio(&self, index: Value) -> Members {
        let mut row = self.common(index, &AUDIO);
        row.set(field::AUDIO_SAMPLE_FORMAT, self.sample_format());
        if self.sample_rate > 0 {
            row.set(field::AUDIO_SAMPLE_RATE, int(self.sample_rate.into()));
        }
        if self.channels > 0 {
            row.set(field::AUDIO_CHANNELS, int(self.channels.into()));
        }
        row.set(field::AUDIO_CHANNEL_LAYOUT, self.layout_name());
        row
    }

    fn subtitle(&self, index: Value) -> Members {
        let mut row = self.common(index, &SUBTITLE);
        if self.width > 0 && self.height > 0 {
            row.set(field::SUBTITLE_WIDTH, int(self.width.into()));
            row.set(field::SUBTITLE_HEIGHT, int(self.height.into()));
        }
        row
    }

    /// Lossless codecs decode to 16 bits or, above that, to 32.
    fn sample_format(&self) -> &'static str {
        match (self.codec, self.bits) {
            _ if !self.samples.is_empty() => self.samples,
            ("flac", 17..) => "s32",
            ("alac", 17..) => "s32p",
            ("wavpack", 33..) => "fltp",
            ("wavpack" | "ape", 17..) => "s32p",
            ("ape", 1..=8) => "u8p",
            ("wavpack", _) => "s16p",
            ("tta", 1..=8) => "u8",
            ("mp4als", 17..) => "s32",
            ("tta", 17..) => "s32",
            (name, _) => codec(name).map_or("", |codec| codec.samples),
        }
    }

    /// The stated layout, else the usual one for that many channels (ISO/IEC 14496-3, table 1.19).
    fn layout_name(&self) -> &'static str {
        match (self.layout, self.channels) {
            ("", 1) => "mono",
            ("", 2) => "stereo",
            ("", 3) => "3.0",
            ("", 4) => "4.0",
            ("", 5) => "5.0",
            ("", 6) => "5.1",
            ("", 8) => "7.1",
            (stated, _) => stated,
        }
    }
}

/// Sample layout of codecs that know one only, by ffprobe's name; `""` for the others.
fn only_pixels(codec: &str) -> &'static str {
    match codec {
        "svq1" => "yuv410p",
        "cinepak" => "rgb24",
        "flashsv" | "flashsv2" => "bgr24",
        "v210" => "yuv422p10le",
        _ => "",
    }
}

/// Microseconds are enough, and hide how a sum was rounded.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A code as ffprobe writes it: printable characters as they are, others as numbers in brackets.
fn tag_text(tag: [u8; 4]) -> String {
    let mut text = String::new();
    for byte in tag {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b' ' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("[{byte}]"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn a_summary_becomes_facts_and_rows() {
        let data = vec![0; 1000];
        let limits = Limits::default();
        let (input, mut facts) = (Input::new(&data, &limits), Facts::new(&limits));
        let sound = Stream {
            kind: Kind::Audio,
            codec: "aac",
            tag: Some(*b"mp4a"),
            duration: Some(2.0),
            sample_rate: 44_100,
            channels: 2,
            time_base: Ratio::new(1, 44_100),
            ..Stream::default()
        };
        let cover = Stream { kind: Kind::Picture, width: 9, ..Stream::default() };
        Summary { format: ("mov", "QuickTime / MOV"), streams: vec![cover, sound], ..Summary::default() }
            .publish(&input, &mut facts);
        assert_eq!(facts.find(Group::Media, "Bitrate"), Some(&4000_i64.into()));
        assert_eq!(facts.find(Group::Media, "StreamCount"), Some(&1_i64.into()));
        assert_eq!(facts.find(Group::Media, "VideoWidth"), None);
        let row = facts.audio_streams.first().unwrap();
        assert_eq!(row.text(field::AUDIO_CODEC_TAG), Some("0x6134706d"));
        assert_eq!(row.text(field::AUDIO_TIME_BASE), Some("1/44100"));
        assert_eq!(row.text(field::AUDIO_CHANNEL_LAYOUT), Some("stereo"));
        assert_eq!(row.get(field::AUDIO_INDEX), Some(&Value::Int(1)));
        assert!(row.iter().all(|(id, value)| value.check(id).is_ok()));
        assert_eq!(tag_text([1, 0, 0, 0]), "[1][0][0][0]");
    }
}
