//! AVI: chunks of RIFF (Microsoft, "AVI RIFF File Reference"; OpenDML AVI 1.02 for files above 1 GB).

use crate::extract::audio::riff_info;
use crate::extract::bitstream;
use crate::extract::container::riff::{self, Chunk, Lengths};
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float, whole, windows};
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Chunks of the film looked at for headers of codecs.
const FRAMES: u32 = 64;
/// Bytes of a frame that are looked at.
const FRAME: u64 = 4096;
/// Most streams of one file.
const STREAMS: usize = 64;

/// What the chunks say together.
#[derive(Default)]
struct Film {
    tracks: Vec<Track>,
    /// Microseconds of a frame and their number, by the main header.
    main: (u32, u32),
    /// Frames over all parts of the file, by OpenDML.
    total: Option<u32>,
    /// Bytes of the lists of frames.
    frames: u64,
}

/// One stream while it is read.
#[derive(Default)]
struct Track {
    kind: [u8; 4],
    handler: [u8; 4],
    scale: u32,
    rate: u32,
    start: u32,
    length: u32,
    sample: u32,
    stream: Stream,
    lengths: Option<usize>,
    /// Whether a frame was looked at and gave its header.
    looked: bool,
}

/// Reads a film in RIFF.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "RIFF header")?;
    let mut film = Film::default();
    let walked = walk(input, &mut film, facts);
    let walked = facts.tolerate(walked).map(|_| ());
    let total = film.total.filter(|total| *total > film.main.1);
    let bytes = film.frames;
    let mut streams: Vec<Stream> = film.tracks.into_iter().map(|track| track.finish(total)).collect();
    pictures_rate(bytes, &mut streams);
    Summary { format: ("avi", "AVI (Audio Video Interleaved)"), streams, ..Summary::default() }.publish(input, facts);
    walked
}

/// The bit rate of the one stream of pictures: what its chunks and those of the sound leave of the list of frames.
fn pictures_rate(bytes: u64, streams: &mut [Stream]) {
    let of = |stream: &Stream| stream.bitrate.zip(stream.duration).map_or(0.0, |(rate, d)| float(rate) * d / 8.0);
    let sound: f64 = streams.iter().filter(|stream| stream.kind == Kind::Audio).map(of).sum();
    let parts = if streams.len() > 1 { 2.0 } else { 1.0 };
    let mut pictures = streams.iter_mut().filter(|stream| stream.kind == Kind::Video);
    if let (Some(video), None) = (pictures.next(), pictures.next())
        && let Some(duration) = video.duration
    {
        // Each chunk has a head of eight bytes; sound comes in about as many.
        let heads = float(video.frames.unwrap_or(0)) * 8.0 * parts;
        let rate = whole((float(bytes) - sound - heads) * 8.0 / duration);
        video.bitrate = Some(rate).filter(|rate| *rate > 0);
    }
}

fn walk(input: &mut Input<'_>, film: &mut Film, facts: &mut Facts) -> Parsed<()> {
    while let Some(chunk) = riff::next(input, Lengths::Little)? {
        let read = input.within(chunk.body.clone(), "chunk", |input| content(input, &chunk, film, facts));
        facts.tolerate(read)?;
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

fn content(input: &mut Input<'_>, chunk: &Chunk, film: &mut Film, facts: &mut Facts) -> Parsed<()> {
    match &chunk.kind {
        b"LIST" => match &input.array::<4>("kind of list")? {
            b"hdrl" | b"odml" => walk(input, film, facts),
            b"strl" if film.tracks.len() < STREAMS => {
                film.tracks.push(Track::default());
                walk(input, film, facts)
            }
            b"INFO" => riff_info(input, Lengths::Little, facts),
            b"movi" => {
                film.frames = film.frames.saturating_add(input.remaining());
                frames(input, film)
            }
            _ => Ok(()),
        },
        b"avih" => {
            let frame = input.u32_le("duration of a frame")?;
            input.skip(12, "rates and flags")?;
            film.main = (frame, input.u32_le("number of frames")?);
            Ok(())
        }
        b"dmlh" => {
            film.total = Some(input.u32_le("number of frames")?);
            Ok(())
        }
        b"vprp" => film.tracks.last_mut().map_or(Ok(()), |track| track.properties(input)),
        b"strh" | b"strf" => film.tracks.last_mut().map_or(Ok(()), |track| track.header(input, chunk)),
        b"IDIT" => date(input, facts),
        _ => Ok(()),
    }
}

/// `Mon Mar 10 15:04:43 2003`, as cameras write it; without a zone.
fn date(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    let bytes = input.take_up_to(64)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(['\0', '\n', '\r', ' ']);
    let clock = jiff::civil::DateTime::strptime("%a %b %d %H:%M:%S %Y", text);
    let others = ["%Y:%m:%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d/ %H:%M", "%Y/%m/%d %H:%M"];
    let clock = others.iter().fold(clock, |found, form| found.or_else(|_| jiff::civil::DateTime::strptime(form, text)));
    if let Ok(clock) = clock {
        facts.add(input.format(), Group::Time, "Original", offset, Moment { clock, offset: None });
    }
    Ok(())
}

/// Looks at the first frame of each stream; their chunks are named by the number of the stream.
fn frames(input: &mut Input<'_>, film: &mut Film) -> Parsed<()> {
    for _ in 0..FRAMES {
        if film.tracks.iter().all(|track| track.looked) {
            break;
        }
        let Some(chunk) = riff::next(input, Lengths::Little)? else { break };
        if chunk.kind == *b"LIST" {
            // A cluster of chunks that are read at once: its chunks follow.
            input.skip(4, "kind of list")?;
            continue;
        }
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] = chunk.kind else {
            riff::leave(input, &chunk)?;
            continue;
        };
        let number = usize::from(tens & 15).saturating_mul(10).saturating_add(usize::from(ones & 15));
        if let Some(track) = film.tracks.get_mut(number).filter(|track| !track.looked && !chunk.body.is_empty()) {
            let bytes = input.take_up_to(FRAME.min(chunk.body.end.saturating_sub(chunk.body.start)))?;
            let sound = track.stream.kind == Kind::Audio;
            // Of sound the header says all, but sometimes not the rate.
            let looked = (sound && track.stream.bitrate.is_some())
                || bitstream::first_frame(&bytes, track.lengths, &mut track.stream);
            track.looked = sound || looked;
        }
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

impl Track {
    fn header(&mut self, input: &mut Input<'_>, chunk: &Chunk) -> Parsed<()> {
        if chunk.kind == *b"strh" {
            (self.kind, self.handler) = (input.array("kind of stream")?, input.array("handler")?);
            input.skip(4 + 4 + 4, "flags")?;
            (self.scale, self.rate) = (input.u32_le("scale")?, input.u32_le("rate")?);
            (self.start, self.length) = (input.u32_le("start")?, input.u32_le("length")?);
            input.skip(8, "buffer size and quality")?;
            self.sample = input.u32_le("sample size")?;
            return Ok(());
        }
        match &self.kind {
            b"vids" => {
                (self.stream, self.lengths) = windows::bitmap(input)?;
                if self.stream.codec.is_empty() {
                    self.stream.codec = windows::video_codec(self.handler);
                }
            }
            b"auds" => self.stream = windows::wave(input)?,
            b"txts" => self.stream.kind = Kind::Subtitle,
            _ => {}
        }
        Ok(())
    }

    /// OpenDML AVI 1.02, 4.1: the shape of the whole picture, and its size.
    fn properties(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        input.skip(5 * 4, "standard and timing")?;
        let (down, across) = (input.u16_le("frame aspect")?, input.u16_le("frame aspect")?);
        let (width, height) = (input.u32_le("frame width")?, input.u32_le("frame height")?);
        let turned = Ratio::new(height.into(), width.into());
        let pixel = Ratio::new(across.into(), down.into()).zip(turned).and_then(|(frame, turned)| frame.times(turned));
        self.stream.pixel_aspect = self.stream.pixel_aspect.or(pixel);
        Ok(())
    }

    /// `total` is the number of frames over all parts, where there are several.
    fn finish(self, total: Option<u32>) -> Stream {
        let Track { mut stream, scale, rate, start, length, .. } = self;
        let unit = Ratio::new(scale.into(), rate.into());
        stream.time_base = unit.or(stream.time_base);
        let video = stream.kind == Kind::Video;
        let length = if video { total.unwrap_or(length) } else { length };
        stream.duration = unit.map(|unit| f64::from(length) * unit.value()).filter(|d| *d > 0.0);
        stream.start = unit.map(|unit| f64::from(start) * unit.value());
        if video {
            stream.frame_rate = Ratio::new(rate.into(), scale.into());
            stream.average_rate = stream.frame_rate;
            stream.frames = Some(length.into()).filter(|count| *count > 0);
        } else if stream.kind == Kind::Audio {
            stream.frames = Some(length.into()).filter(|count| *count > 0);
        }
        if stream.kind == Kind::Audio && self.sample > 0 {
            // Counted in blocks of `sample` bytes.
            let bytes = float(u64::from(length).saturating_mul(self.sample.into()));
            let by_rate = stream.bitrate.map(|rate| bytes * 8.0 / float(rate));
            stream.duration = stream.duration.or(by_rate);
        }
        stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let pad = vec![0; body.len() % 2];
        [&kind[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), body, &pad].concat()
    }

    fn list(kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"LIST", &[kind.to_vec(), parts.concat()].concat())
    }

    fn le(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    fn sample() -> Vec<u8> {
        let avih = chunk(b"avih", &le(&[40_000, 0, 0, 0, 100, 0, 2, 0, 320, 240, 0, 0, 0, 0]));
        let strh = |kind: &[u8], scale, rate, length, size| {
            let head = [kind, &le(&[0, 0, 0, scale, rate, 0, length, 0, 0, size, 0, 0])].concat();
            chunk(b"strh", &head)
        };
        let bitmap = [&le(&[40, 320, 240])[..], &[1, 0, 24, 0], b"XVID", &[0; 20]].concat();
        let video = list(b"strl", &[strh(b"vidsxvid", 1, 25, 100, 0), chunk(b"strf", &bitmap)]);
        let wave = b"\x55\0\x02\0\x44\xAC\0\0\x80\x3E\0\0\x01\0\0\0";
        let audio = list(b"strl", &[strh(b"auds\0\0\0\0", 1, 16_000, 64_000, 1), chunk(b"strf", wave)]);
        let header = list(b"hdrl", &[avih, video, audio, chunk(b"IDIT", b"Mon Mar 10 15:04:43 2003\n\0")]);
        let info = list(b"INFO", &[chunk(b"INAM", b"Film\0")]);
        let frame = [0, 0, 1, 0xB0, 0xF3, 0, 0, 1, 0xB6];
        let movi = list(b"movi", &[chunk(b"00dc", &frame), chunk(b"01wb", &[0; 10])]);
        chunk(b"RIFF", &[b"AVI ".to_vec(), header, info, movi].concat())
    }

    #[test]
    fn streams_tags_and_time() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&4.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Film".into()));
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("mpeg4"));
        assert_eq!(video.text(field::VIDEO_PROFILE), Some("Advanced Simple Profile"));
        assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("25/1"));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_SAMPLE_RATE), Some(&Value::Int(44_100)));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_DURATION), Some(&Value::Float(4.0)));
        assert!(facts.find(Group::Time, "Original").is_some());
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(), 1000);
    }
}
