//! Windows Media audio and video (Advanced Systems Format 01.20.05): the header object says all.

mod content;
mod packets;

use crate::extract::container::asf::{self, Guid};
use crate::extract::stream::{Chapter, Kind, Ratio, Stream, Summary, float, since_1601, windows};
use crate::extract::{Facts, Format, Group, Input, Parsed};
use std::collections::BTreeMap;

// GUIDs of clause 10, as they stand in the file.
const HEADER: Guid = *b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C";
const FILE: Guid = *b"\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\0\xC0\x0C\x20\x53\x65";
const STREAM: Guid = *b"\x91\x07\xDC\xB7\xB7\xA9\xCF\x11\x8E\xE6\0\xC0\x0C\x20\x53\x65";
const EXTENSION: Guid = *b"\xB5\x03\xBF\x5F\x2E\xA9\xCF\x11\x8E\xE3\0\xC0\x0C\x20\x53\x65";
const EXTENDED_STREAM: Guid = *b"\xCB\xA5\xE6\x14\x72\xC6\x32\x43\x83\x99\xA9\x69\x52\x06\x5B\x5A";
const LANGUAGES: Guid = *b"\xA9\x46\x43\x7C\xE0\xEF\xFC\x4B\xB2\x29\x39\x3E\xDE\x41\x5C\x85";
const BITRATES: Guid = *b"\xCE\x75\xF8\x7B\x8D\x46\xD1\x11\x8D\x82\0\x60\x97\xC9\xA2\xB2";
const CONTENT: Guid = *b"\x33\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C";
const EXTENDED_CONTENT: Guid = *b"\x40\xA4\xD0\xD2\x07\xE3\xD2\x11\x97\xF0\0\xA0\xC9\x5E\xA8\x50";
const METADATA: Guid = *b"\xEA\xCB\xF8\xC5\xAF\x5B\x77\x48\x84\x67\xAA\x8C\x44\xFA\x4C\xCA";
const METADATA_LIBRARY: Guid = *b"\x94\x1C\x23\x44\x98\x94\xD1\x49\xA1\x41\x1D\x13\x4E\x45\x70\x54";
const MARKERS: Guid = *b"\x01\xCD\x87\xF4\x51\xA9\xCF\x11\x8E\xE6\0\xC0\x0C\x20\x53\x65";
const AUDIO: Guid = *b"\x40\x9E\x69\xF8\x4D\x5B\xCF\x11\xA8\xFD\0\x80\x5F\x5C\x44\x2B";
const VIDEO: Guid = *b"\xC0\xEF\x19\xBC\x4D\x5B\xCF\x11\xA8\xFD\0\x80\x5F\x5C\x44\x2B";

/// Most streams of one file; their numbers have seven bits (3.3).
const STREAMS: usize = 128;
/// Hundreds of nanoseconds in a second.
const TICKS: f64 = 1e7;

/// What the objects say together.
#[derive(Default)]
struct Film {
    duration: Option<f64>,
    preroll: f64,
    /// Streams with their numbers, in the order of the file.
    streams: Vec<(u16, Stream)>,
    languages: Vec<String>,
    /// By the number of a stream: index of its language, ticks of a frame, bits per second.
    more: BTreeMap<u16, (u16, u64, u32)>,
    chapters: Vec<Chapter>,
    texts: content::Texts,
    /// Bytes of a data packet, where all have the same.
    packet: u64,
    times: packets::Times,
}

/// Reads a file of Windows Media.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut film = Film::default();
    let read = header(input, &mut film, facts);
    let read = facts.tolerate(read).map(|_| ());
    // What the header leaves open, the first pictures tell.
    if film.unrated() && read.is_ok() {
        let sampled = film.sample(input);
        facts.tolerate(sampled)?;
    }
    std::mem::take(&mut film.texts).publish(input.format(), facts);
    let (duration, chapters) = (film.duration, std::mem::take(&mut film.chapters));
    let streams = film.finish();
    let has = |kind| streams.iter().any(|stream: &Stream| stream.kind == kind);
    if has(Kind::Audio) && !has(Kind::Video) {
        facts.refine(Format::Wma);
    }
    let format = ("asf", "ASF (Advanced / Active Streaming Format)");
    Summary { format, duration, streams, chapters, ..Summary::default() }.publish(input, facts);
    read
}

fn header(input: &mut Input<'_>, film: &mut Film, facts: &mut Facts) -> Parsed<()> {
    let Some((HEADER, body)) = asf::next(input)? else {
        return Err(input.malformed("expected the header object of ASF"));
    };
    input.within(body, "header", |input| {
        input.skip(6, "number of objects")?;
        objects(input, film, facts)
    })
}

/// Reads every object of this part; a malformed one is noted and the next one read.
fn objects(input: &mut Input<'_>, film: &mut Film, facts: &mut Facts) -> Parsed<()> {
    while let Some((guid, body)) = asf::next(input)? {
        let read = input.within(body, "object", |input| object(input, guid, film, facts));
        facts.tolerate(read)?;
    }
    Ok(())
}

fn object(input: &mut Input<'_>, guid: Guid, film: &mut Film, facts: &mut Facts) -> Parsed<()> {
    match guid {
        FILE => film.file(input, facts),
        STREAM => film.stream(input),
        EXTENSION => {
            input.skip(16 + 2 + 4, "head of the extension")?;
            objects(input, film, facts)
        }
        EXTENDED_STREAM => film.extended(input, facts),
        LANGUAGES => film.languages(input),
        BITRATES => film.bitrates(input),
        MARKERS => film.markers(input),
        CONTENT => content::description(input, &mut film.texts),
        EXTENDED_CONTENT => content::extended(input, &mut film.texts, facts),
        METADATA | METADATA_LIBRARY => content::library(input, &mut film.texts, facts),
        _ => Ok(()),
    }
}

impl Film {
    /// 3.2
    fn file(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        input.skip(16 + 8, "file number and size")?;
        let offset = input.position();
        if let Some(moment) = since_1601(input.u64_le("creation date")?) {
            facts.add(input.format(), Group::Time, "Created", offset, moment);
        }
        input.skip(8, "number of packets")?;
        let play = float(input.u64_le("play duration")?) / TICKS;
        input.skip(8, "send duration")?;
        self.preroll = float(input.u64_le("preroll")?) / 1000.0;
        let live = input.u32_le("flags")? & 1 != 0;
        let (least, most) = (input.u32_le("size of a packet")?, input.u32_le("size of a packet")?);
        self.packet = if least == most { least.into() } else { 0 };
        // What is shown begins behind the preroll.
        self.duration = Some(play - self.preroll).filter(|d| *d > 0.0 && !live);
        Ok(())
    }

    /// 3.3
    fn stream(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let kind: Guid = input.array("kind of stream")?;
        input.skip(16 + 8, "error correction and time offset")?;
        let len = u64::from(input.u32_le("length of the format")?);
        input.skip(4, "length of the error correction")?;
        let number = input.u16_le("flags")? & 0x7F;
        input.skip(4, "reserved")?;
        let part = input.position()..input.position().saturating_add(len);
        let stream = input.within(part, "format of the stream", |input| match kind {
            AUDIO => windows::wave(input),
            VIDEO => {
                // 9.2: size, a flag and the length stand in front of the bitmap header.
                input.skip(4 + 4 + 1 + 2, "size of the picture")?;
                Ok(windows::bitmap(input)?.0)
            }
            _ => Ok(Stream::default()),
        })?;
        if self.streams.len() < STREAMS {
            self.streams.push((number, stream));
        }
        Ok(())
    }

    /// 4.1: rates and language, and maybe the stream itself.
    fn extended(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        input.skip(8 + 8, "start and end")?;
        let bitrate = input.u32_le("bit rate")?;
        input.skip(7 * 4, "buffers")?;
        let (number, language) = (input.u16_le("stream number")?, input.u16_le("language")?);
        let frame = input.u64_le("ticks of a frame")?;
        let (names, extensions) = (input.u16_le("number of names")?, input.u16_le("number of extensions")?);
        if self.more.len() < STREAMS {
            self.more.insert(number, (language, frame, bitrate));
        }
        for _ in 0..names {
            input.entry()?;
            input.skip(2, "language")?;
            let len = input.u16_le("length of a name")?;
            input.skip(len.into(), "name")?;
        }
        for _ in 0..extensions {
            input.entry()?;
            input.skip(16 + 2, "payload extension")?;
            let len = input.u32_le("length of an extension")?;
            input.skip(len.into(), "payload extension")?;
        }
        objects(input, self, facts)
    }

    /// 4.6
    fn languages(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        for _ in 0..input.u16_le("number of languages")?.min(64) {
            let len = input.u8("length of a language")?;
            self.languages.push(asf::text(input, len.into())?);
        }
        Ok(())
    }

    /// 3.12
    fn bitrates(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        for _ in 0..input.u16_le("number of records")?.min(128) {
            let (number, rate) = (input.u16_le("stream number")? & 0x7F, input.u32_le("bit rate")?);
            self.more.entry(number).or_default().2 = rate;
        }
        Ok(())
    }

    /// 3.7
    fn markers(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        input.skip(16, "reserved")?;
        let count = input.u32_le("number of markers")?;
        input.skip(2, "reserved")?;
        let name = input.u16_le("length of the name")?;
        input.skip(name.into(), "name")?;
        for _ in 0..count.min(1024) {
            input.entry()?;
            input.skip(8, "offset")?;
            let start = float(input.u64_le("time of a marker")?) / TICKS - self.preroll;
            input.skip(2 + 4 + 4, "rest of a marker")?;
            let len = u64::from(input.u32_le("length of a name")?).saturating_mul(2);
            let title = asf::text(input, len.min(input.remaining()))?;
            self.chapters.push(Chapter { start: start.max(0.0), end: None, title });
        }
        Ok(())
    }

    /// Whether a stream of pictures has no rate.
    fn unrated(&self) -> bool {
        let rated = |number: &u16| self.more.get(number).is_some_and(|(_, frame, _)| *frame > 0);
        self.packet > 0 && self.streams.iter().any(|(number, stream)| stream.kind == Kind::Video && !rated(number))
    }

    /// Looks at the first packets, which stand behind the header.
    fn sample(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        while let Some((guid, body)) = asf::next(input)? {
            if guid == packets::DATA {
                let (size, times) = (self.packet, &mut self.times);
                return input.within(body, "data", |input| packets::read(input, size, times));
            }
            input.seek(body.end, "next object")?;
        }
        Ok(())
    }

    fn finish(self) -> Vec<Stream> {
        let Film { streams, more, languages, duration, times, .. } = self;
        let complete = |(number, mut stream): (u16, Stream)| {
            stream.time_base = Ratio::new(1, 1000);
            stream.duration = duration.filter(|_| stream.kind != Kind::Other);
            let (language, frame, rate) = more.get(&number).copied().unwrap_or((u16::MAX, 0, 0));
            if let Some(language) = languages.get(usize::from(language)) {
                stream.language = bibliographic(language);
            }
            if stream.kind == Kind::Video {
                stream.frame_rate = Ratio::new(10_000_000, frame).and_then(|rate| Ratio::near(rate.value()));
                stream.frame_rate = stream.frame_rate.or_else(|| measured(times.get(&u8::try_from(number).ok()?)?));
                stream.average_rate = stream.frame_rate;
                stream.bitrate = Some(u64::from(rate)).filter(|rate| *rate > 0);
            }
            stream
        };
        streams.into_iter().map(complete).collect()
    }
}

/// Pictures per second by the times of the first ones.
fn measured(times: &[(u32, u32)]) -> Option<Ratio> {
    let shown = times.iter().map(|(_, shown)| *shown);
    let (first, last) = (shown.clone().min()?, shown.max()?);
    Ratio::measured(u64::try_from(times.len()).ok()?.checked_sub(1)?, last.checked_sub(first)?.into())
}

/// The language of a tag of RFC 1766 in three letters, for the usual ones; others as they are, without the country.
fn bibliographic(tag: &str) -> String {
    let primary = tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    crate::extract::stream::three_letters(&primary).map_or(primary, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn object(guid: Guid, body: &[u8]) -> Vec<u8> {
        let size = u64::try_from(body.len() + 24).unwrap().to_le_bytes();
        [&guid[..], &size, body].concat()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn sample() -> Vec<u8> {
        // 2003-03-10T15:04:43Z, 13 s played behind 3 s of preroll.
        let times = [116_444_736_000_000_000_u64 + 1_047_308_683 * 10_000_000, 0, 130_000_000, 0, 3000];
        let times: Vec<u8> = times.iter().flat_map(|t| t.to_le_bytes()).collect();
        let file = object(FILE, &[&[0; 24][..], &times, &[0; 16]].concat());
        let stream = |kind: Guid, number: u16, format: &[u8]| {
            let len = u32::try_from(format.len()).unwrap().to_le_bytes();
            let head = [&kind[..], &[0; 24], &len, &[0; 4], &number.to_le_bytes(), &[0; 4]].concat();
            object(STREAM, &[&head, format].concat())
        };
        let wave = b"\x61\x01\x02\0\x44\xAC\0\0\x80\x3E\0\0\x01\0\x10\0\0\0";
        let bitmap =
            [&40_u32.to_le_bytes()[..], &640_u32.to_le_bytes(), &480_u32.to_le_bytes(), &[1, 0, 24, 0]].concat();
        let picture = [&[0; 11][..], &bitmap, b"WMV2", &[0; 20]].concat();
        let frame =
            [&[0; 16][..], &500_000_u32.to_le_bytes(), &[0; 28], &[2, 0, 0, 0], &400_000_u64.to_le_bytes(), &[0; 4]];
        let languages = [&[1, 0, 12][..], &wide("en-US")].concat();
        let inner = [object(EXTENDED_STREAM, &frame.concat()), object(LANGUAGES, &languages)].concat();
        let extension = object(EXTENSION, &[&[0; 22][..], &inner].concat());
        let (title, author) = (wide("Film"), wide("Me"));
        let lens: Vec<u8> =
            [title.len(), author.len(), 0, 0, 0].iter().flat_map(|l| (*l as u16).to_le_bytes()).collect();
        let content = object(CONTENT, &[lens, title, author].concat());
        let name = wide("WM/AlbumTitle");
        let value = wide("Album");
        let pair = [
            &[1, 0][..],
            &(name.len() as u16).to_le_bytes(),
            &name,
            &[0, 0],
            &(value.len() as u16).to_le_bytes(),
            &value,
        ];
        let more = object(EXTENDED_CONTENT, &pair.concat());
        let all = [file, stream(AUDIO, 1, wave), stream(VIDEO, 2, &picture), extension, content, more].concat();
        object(HEADER, &[&[6, 0, 0, 0, 1, 2][..], &all].concat())
    }

    #[test]
    fn streams_tags_and_time() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&10.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Film".into()));
        assert_eq!(facts.find(Group::Tag, "Album"), Some(&"Album".into()));
        assert!(
            matches!(facts.find(Group::Time, "Created"), Some(crate::extract::Datum::Time(m)) if m.clock.year() == 2003)
        );
        let video = &facts.video_streams[0];
        assert_eq!(video.text(field::VIDEO_CODEC_NAME), Some("wmv2"));
        assert_eq!(video.text(field::VIDEO_FRAME_RATE), Some("25/1"));
        assert_eq!(video.get(field::VIDEO_BITRATE), Some(&Value::Int(500_000)));
        assert_eq!(video.text(field::VIDEO_LANGUAGE), Some("eng"));
        assert_eq!(facts.audio_streams[0].text(field::AUDIO_CODEC_NAME), Some("wmav2"));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(), 1200);
    }
}
