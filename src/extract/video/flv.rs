//! Flash video (Adobe Flash Video File Format Specification 10.1, annex E).

use crate::extract::audio::{Tag, tag};
use crate::extract::bitstream;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, whole, with_zone};
use crate::extract::{Facts, Group, Input, Parsed};

/// Tags looked at for headers.
const TAGS: u32 = 64;
/// Pictures whose times tell the rate.
const TIMES: usize = 12;
/// Bytes of a tag that are looked at.
const BODY: u64 = 4096;
/// Properties read of the script data, and how deep they may nest.
const PROPERTIES: u32 = 1024;
const DEPTH: u32 = 8;

/// What the tags say together.
#[derive(Default)]
struct Film {
    video: Option<Stream>,
    audio: Option<Stream>,
    /// Streams in the order of their first tags: whether it is the video.
    order: Vec<bool>,
    duration: Option<f64>,
    frame_rate: Option<Ratio>,
    video_rate: Option<u64>,
    audio_rate: Option<u64>,
    size: (u32, u32),
    /// Milliseconds of the first sound and the first picture.
    first: (Option<u32>, Option<u32>),
    /// The streams whose headers were read.
    known: (bool, bool),
    /// Times of the first pictures, in milliseconds: their rate, where nothing states it.
    times: Vec<u32>,
}

/// Reads a Flash video.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut film = Film::default();
    let walked = film.walk(input, facts);
    let walked = facts.tolerate(walked).map(|_| ());
    if film.duration.is_none() {
        let last = last_time(input);
        film.duration = facts.tolerate(last)?.flatten().map(|ms| f64::from(ms) / 1000.0);
    }
    film.publish(input, facts);
    walked
}

impl Film {
    fn walk(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        input.skip(4, "FLV mark")?;
        let promised = input.u8("flags")?;
        let start = input.u32_be("size of the header")?;
        input.seek(u64::from(start).saturating_add(4), "first tag")?;
        for _ in 0..TAGS {
            let rated = self.frame_rate.is_some() || self.times.len() >= TIMES;
            let video = promised & 1 == 0 || (self.known.0 && self.first.1.is_some() && rated);
            let audio = promised & 4 == 0 || (self.known.1 && self.first.0.is_some());
            if input.remaining() < 11 || (video && audio && !self.order.is_empty()) {
                break;
            }
            input.entry()?;
            let kind = input.u8("kind of tag")?;
            let len = u64::from(input.u24_be("size of a tag")?);
            let [b, c, d, a] = input.array("time stamp")?;
            input.skip(3, "stream number")?;
            let time = u32::from_le_bytes([d, c, b, a]);
            let body = input.position()..input.position().saturating_add(len);
            input.within(body, "tag", |input| match kind & 0x1F {
                8 => self.sound(input, time),
                9 => self.picture(input, time),
                18 => self.script(input, facts),
                _ => Ok(()),
            })?;
            input.skip(4.min(input.remaining()), "size of the tag")?;
        }
        Ok(())
    }

    /// A tag was met; `time` is that of its sound or picture, none for a tag of headers.
    fn met(&mut self, video: bool, time: Option<u32>) {
        let first = if video { &mut self.first.1 } else { &mut self.first.0 };
        *first = first.or(time);
        if !self.order.contains(&video) {
            self.order.push(video);
        }
    }

    /// E.4.2
    fn sound(&mut self, input: &mut Input<'_>, time: u32) -> Parsed<()> {
        let Some((&head, body)) = input.peek_up_to(BODY)?.split_first() else { return Ok(()) };
        let stream = self.audio.get_or_insert_with(|| {
            let mut stream = Stream::of(Kind::Audio, sound_codec(head));
            stream.sample_rate = 44_100 >> 3_u8.saturating_sub((head >> 2) & 3);
            if matches!(head >> 4, 4 | 5 | 14) {
                stream.sample_rate = if head >> 4 == 4 { 16_000 } else { 8_000 };
            }
            stream.channels = u32::from(head & 1).saturating_add(1);
            stream.tag = Some([head >> 4, 0, 0, 0]);
            stream
        });
        let known = match (stream.codec, body) {
            ("aac", [0, config @ ..]) => {
                bitstream::aac::config(config, stream);
                true
            }
            ("aac", _) => false,
            ("mp3", frame) => bitstream::elementary(frame, stream),
            _ => true,
        };
        let header = stream.codec == "aac" && body.first() == Some(&0);
        self.known.1 |= known;
        self.met(false, Some(time).filter(|_| !header));
        Ok(())
    }

    /// E.4.3
    fn picture(&mut self, input: &mut Input<'_>, time: u32) -> Parsed<()> {
        let Some((&head, body)) = input.peek_up_to(BODY)?.split_first() else { return Ok(()) };
        let stream = self.video.get_or_insert_with(|| {
            let mut stream = Stream::of(Kind::Video, picture_codec(head, body));
            stream.tag = Some([head & 15, 0, 0, 0]);
            stream
        });
        // Enhanced RTMP: a four-character code instead of a number.
        let known = if head & 0x80 != 0 {
            let config = body.get(4..).filter(|_| head & 15 == 0);
            config.map(|config| bitstream::configuration(config, stream)).is_some()
        } else {
            match (stream.codec, body) {
                ("h264" | "hevc", [0, _, _, _, record @ ..]) => {
                    bitstream::configuration(record, stream);
                    true
                }
                ("h264" | "hevc", _) => false,
                ("flv1", frame) => bitstream::elementary(frame, stream),
                ("vp6f", frame) => vp6(frame, stream).is_some(),
                ("vp6a", frame) => vp6(frame.get(3..).unwrap_or(&[]), stream).is_some(),
                _ => true,
            }
        };
        // H.264 and HEVC say how much later than decoded a picture is shown.
        let (header, later) = match (stream.codec, body) {
            ("h264" | "hevc", [kind, a, b, c, ..]) => (*kind == 0, u32::from_le_bytes([*c, *b, *a, 0])),
            _ => (false, 0),
        };
        self.known.0 |= known;
        if !header && self.times.len() < TIMES {
            self.times.push(time);
        }
        self.met(true, Some(time.saturating_add(later & 0x7F_FFFF)).filter(|_| !header));
        Ok(())
    }

    /// E.4.4: a name, then its value, in AMF 0.
    fn script(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        let mut left = PROPERTIES;
        if input.u8("kind of value")? != 2 || name(input)? != "onMetaData" {
            return Ok(());
        }
        self.value(input, facts, "", 0, &mut left)
    }

    fn value(&mut self, input: &mut Input<'_>, facts: &mut Facts, key: &str, depth: u32, left: &mut u32) -> Parsed<()> {
        let offset = input.position();
        match input.u8("kind of value")? {
            0 => self.number(key, f64::from_bits(input.u64_be("number")?)),
            1 => input.skip(1, "flag")?,
            2 => {
                let text = name(input)?;
                text_of(input.format(), key, offset, text, facts);
            }
            3 => self.object(input, facts, depth, left)?,
            8 => {
                input.skip(4, "number of entries")?;
                self.object(input, facts, depth, left)?;
            }
            10 => {
                // An array, as of key frames: no more than numbers that we do not need.
                for _ in 0..input.u32_be("number of entries")?.min(*left) {
                    *left = left.saturating_sub(1);
                    self.value(input, facts, "", depth.saturating_add(1).min(DEPTH), left)?;
                }
            }
            11 => input.skip(10, "date")?,
            _ => {}
        }
        Ok(())
    }

    fn object(&mut self, input: &mut Input<'_>, facts: &mut Facts, depth: u32, left: &mut u32) -> Parsed<()> {
        if depth >= DEPTH {
            return Err(input.malformed(format!("expected script data at most {DEPTH} levels deep")));
        }
        while input.remaining() > 3 && *left > 0 {
            input.entry()?;
            *left = left.saturating_sub(1);
            let key = name(input)?;
            if key.is_empty() {
                return input.skip(1, "end of the object");
            }
            self.value(input, facts, &key, depth.saturating_add(1), left)?;
        }
        Ok(())
    }

    fn number(&mut self, key: &str, number: f64) {
        let thousands = || Some(whole(number * 1000.0)).filter(|rate| *rate > 0);
        match key {
            "duration" => self.duration = Some(number).filter(|d| d.is_finite() && *d > 0.0),
            "width" => self.size.0 = u32::try_from(whole(number)).unwrap_or(0),
            "height" => self.size.1 = u32::try_from(whole(number)).unwrap_or(0),
            "framerate" => self.frame_rate = Ratio::near(number),
            // In kilobits, by ffprobe's reading of 1,024 bits.
            "videodatarate" => self.video_rate = Some(whole(number * 1024.0)).filter(|_| thousands().is_some()),
            "audiodatarate" => self.audio_rate = Some(whole(number * 1024.0)).filter(|_| thousands().is_some()),
            _ => {}
        }
    }

    fn publish(mut self, input: &Input<'_>, facts: &mut Facts) {
        let base = Ratio::new(1, 1000);
        if let Some(video) = &mut self.video {
            if video.width == 0 {
                (video.width, video.height) = self.size;
            }
            video.frame_rate = self.frame_rate.or(video.coded_rate).or(rate_of(&self.times));
            video.average_rate = video.frame_rate;
            video.bitrate = self.video_rate.or(video.bitrate);
            video.start = self.first.1.map(|ms| f64::from(ms) / 1000.0);
        }
        if let Some(audio) = &mut self.audio {
            audio.bitrate = self.audio_rate.or(audio.bitrate);
            audio.start = self.first.0.map(|ms| f64::from(ms) / 1000.0);
        }
        let mut streams = Vec::new();
        for video in &self.order {
            streams.extend(if *video { self.video.take() } else { self.audio.take() });
        }
        for stream in &mut streams {
            (stream.time_base, stream.tag) = (base, None);
        }
        let start = streams.iter().filter_map(|stream| stream.start).reduce(f64::min);
        let format = ("flv", "FLV (Flash Video)");
        Summary { format, duration: self.duration, start, streams, ..Summary::default() }.publish(input, facts);
    }
}

/// Pictures per second by their times.
fn rate_of(times: &[u32]) -> Option<Ratio> {
    let (first, last) = (times.first()?, times.last()?);
    Ratio::measured(u64::try_from(times.len()).ok()?.checked_sub(1)?, last.checked_sub(*first)?.into())
}

/// A text with its length in two bytes.
fn name(input: &mut Input<'_>) -> Parsed<String> {
    let len = input.u16_be("length of a name")?;
    let bytes = input.take(len.into(), "name")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text_of(format: &'static str, key: &str, offset: u64, text: String, facts: &mut Facts) {
    if let Some(known) = Tag::of_comment(key) {
        tag(facts, format, known, offset, text);
    } else if matches!(key, "creationdate" | "metadatadate" | "creation_time")
        && let Some(moment) = with_zone(&text)
    {
        facts.add(format, Group::Time, "Created", offset, moment);
    }
}

/// Table of E.4.2.1, "SoundFormat".
fn sound_codec(head: u8) -> &'static str {
    match (head >> 4, head & 2 != 0) {
        (0, true) => "pcm_s16be",
        (3, true) => "pcm_s16le",
        (0 | 3, false) => "pcm_u8",
        (1, _) => "adpcm_swf",
        (2 | 14, _) => "mp3",
        (4..=6, _) => "nellymoser",
        (7, _) => "pcm_alaw",
        (8, _) => "pcm_mulaw",
        (10, _) => "aac",
        (11, _) => "speex",
        _ => "",
    }
}

/// Table of E.4.3.1, "CodecID"; 12 is in common use for HEVC.
fn picture_codec(head: u8, body: &[u8]) -> &'static str {
    if head & 0x80 != 0 {
        return match body.first_chunk::<4>() {
            Some(b"avc1") => "h264",
            Some(b"hvc1") => "hevc",
            Some(b"av01") => "av1",
            Some(b"vp09") => "vp9",
            _ => "",
        };
    }
    match head & 15 {
        2 => "flv1",
        3 => "flashsv",
        4 => "vp6f",
        5 => "vp6a",
        6 => "flashsv2",
        7 => "h264",
        12 => "hevc",
        _ => "",
    }
}

/// A key frame of VP6 (On2, "VP6 Bitstream and Decoder Specification", 9.1): the size in blocks of 16, less the edges
/// that FLV puts in front.
fn vp6(frame: &[u8], stream: &mut Stream) -> Option<()> {
    let [edges, head, version, rest @ ..] = frame else { return None };
    let (edges, head, version) = (*edges, *head, *version);
    if head & 0x80 != 0 {
        return None;
    }
    // A second partition has its offset in front of the size.
    let split = head & 1 != 0 || version >> 3 == 0;
    let &[rows, columns, ..] = rest.get(if split { 2 } else { 0 }..)? else { return None };
    let blocks = |count: u8| u32::from(count).saturating_mul(16);
    stream.width = blocks(columns).checked_sub(u32::from(edges >> 4))?;
    stream.height = blocks(rows).checked_sub(u32::from(edges & 15))?;
    Some(())
}

/// The time stamp of the last tag, whose size stands in the last four bytes.
fn last_time(input: &mut Input<'_>) -> Parsed<Option<u32>> {
    let end = input.file_len();
    input.seek(end.saturating_sub(4), "size of the last tag")?;
    let size = u64::from(input.u32_be("size of the last tag")?);
    let Some(at) = end.checked_sub(size.saturating_add(4)).filter(|_| size > 11) else { return Ok(None) };
    input.seek(at.saturating_add(4), "last tag")?;
    let [b, c, d, a] = input.array("time stamp")?;
    Ok(Some(u32::from_le_bytes([d, c, b, a])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn tagged(kind: u8, time: u8, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len()).unwrap().to_le_bytes();
        let head = [kind, len[2], len[1], len[0], 0, 0, time, 0, 0, 0, 0];
        let size: Vec<u8> = u32::try_from(body.len() + 11).unwrap().to_le_bytes().into_iter().rev().collect();
        [&head[..], body, &size].concat()
    }

    fn sample(duration: f64) -> Vec<u8> {
        let text = |text: &str| [&[0, text.len() as u8][..], text.as_bytes()].concat();
        let number = |key: &str, value: f64| {
            let bits: Vec<u8> = value.to_bits().to_le_bytes().into_iter().rev().collect();
            [text(key), vec![0], bits].concat()
        };
        let members =
            [number("duration", duration), number("framerate", 29.97), number("audiodatarate", 64.0)].concat();
        let title = [text("title"), vec![2], text("Film")].concat();
        let script = [vec![2], text("onMetaData"), vec![8, 0, 0, 0, 3], members, title, vec![0, 0, 9]].concat();
        // Sorenson: 352 x 288, and AAC of 44,100 Hz in stereo.
        let video = tagged(9, 0, &[0x22, 0, 0, 0x80, 0x01, 0, 0, 0]);
        let audio = tagged(8, 0, &[0xAF, 0, 0x12, 0x10]);
        let last = tagged(9, 200, &[0x22, 0, 0, 0x80, 0x01, 0, 0, 0]);
        [b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec(), tagged(18, 0, &script), video, audio, last].concat()
    }

    #[test]
    fn script_and_headers() {
        let facts = facts_of(parse, &sample(12.5));
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&12.5.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Film".into()));
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("flv1"));
        assert_eq!(video.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(352)));
        assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("30000/1001"));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(44_100)));
        let without = facts_of(parse, &sample(0.0));
        assert_eq!(without.find(Group::Media, "Duration"), Some(&0.2.into()));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(1.0), 1000);
    }
}
