//! MP4, MOV, M4A and 3GP: ISO base media files (ISO/IEC 14496-12) and QuickTime movies, whole or in fragments.

mod codes;
mod entry;
mod esds;
mod fragment;
mod samples;
mod tags;
mod track;

use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::stream::{Chapter, Kind, Stream, Summary, longer, seconds, since_1904};
use crate::extract::{Facts, Format, Group, Input, Parsed};
use flate2::read::ZlibDecoder;
use fragment::Fragments;
use std::io::Read;
use track::Track;

/// Most tracks that are described.
const TRACKS: usize = 256;
/// Most bytes of a compressed movie, packed or unpacked.
const UNPACKED: u64 = 1 << 20;

/// What the boxes of a file say together.
#[derive(Default)]
struct Movie {
    timescale: u32,
    /// Degrees clockwise to turn every picture, beside what its track says.
    rotate: u16,
    /// In units of `timescale`; 0 where unknown.
    duration: u64,
    tracks: Vec<Track>,
    fragments: Fragments,
    tags: tags::Texts,
    chapters: Vec<Chapter>,
    /// Set once a compressed movie was unpacked: one inside another is not.
    unpacked: bool,
}

/// Reads an ISO base media or QuickTime file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut movie = Movie::default();
    let walked = walk(input, &mut movie, facts);
    // What was found before a cap stays found.
    let walked = facts.tolerate(walked).map(|_| ());
    let whole = walked.is_ok();
    if whole && !movie.unpacked {
        let read = samples::read(input, &mut movie.tracks, facts);
        movie.chapters = facts.tolerate(read)?.unwrap_or_default();
    }
    movie.publish(whole, input, facts);
    walked
}

fn walk(input: &mut Input<'_>, movie: &mut Movie, facts: &mut Facts) -> Parsed<()> {
    while let Some(head) = bmff::next(input)? {
        let read = input.within(head.body.clone(), "box", |input| top(input, &head, movie, facts));
        facts.tolerate(read)?;
        if movie.fragments.suffice() {
            break;
        }
    }
    Ok(())
}

fn top(input: &mut Input<'_>, head: &BoxHead, movie: &mut Movie, facts: &mut Facts) -> Parsed<()> {
    match &head.kind {
        b"moov" => children(input, facts, |input, head, facts| in_moov(input, head, movie, facts)),
        b"moof" => movie.fragments.moof(input),
        b"sidx" => movie.fragments.sidx(input),
        b"udta" => tags::udta(input, facts, &mut movie.tags),
        b"meta" => tags::meta(input, facts, &mut movie.tags),
        _ => Ok(()),
    }
}

/// Reads every child box; a malformed one is noted and the next one read.
fn children<'a>(
    input: &mut Input<'a>,
    facts: &mut Facts,
    mut parse: impl FnMut(&mut Input<'a>, &BoxHead, &mut Facts) -> Parsed<()>,
) -> Parsed<()> {
    bmff::each(input, |input, head| {
        let read = parse(input, head, facts);
        facts.tolerate(read).map(|_| ())
    })
}

fn in_moov(input: &mut Input<'_>, head: &BoxHead, movie: &mut Movie, facts: &mut Facts) -> Parsed<()> {
    match &head.kind {
        b"mvhd" => mvhd(input, movie, facts),
        b"trak" if movie.tracks.len() < TRACKS => {
            let mut track = Track::default();
            let read = children(input, facts, |input, head, facts| track.in_trak(input, head, facts));
            movie.tracks.push(track);
            read
        }
        b"cmov" if !movie.unpacked => {
            movie.unpacked = true;
            children(
                input,
                facts,
                |input, head, facts| {
                    if head.kind == *b"cmvd" { compressed(input, movie, facts) } else { Ok(()) }
                },
            )
        }
        b"mvex" => children(input, facts, |input, head, _| movie.fragments.in_mvex(input, head)),
        b"udta" => tags::udta(input, facts, &mut movie.tags),
        b"meta" => tags::meta(input, facts, &mut movie.tags),
        _ => Ok(()),
    }
}

/// A movie packed with zlib (QuickTime File Format, "Allowing QuickTime to compress the movie resource").
fn compressed(input: &mut Input<'_>, movie: &mut Movie, facts: &mut Facts) -> Parsed<()> {
    let start = input.position();
    let size = u64::from(input.u32_be("unpacked size")?).min(UNPACKED);
    let packed = input.take_up_to(UNPACKED)?;
    let mut bytes = Vec::new();
    if let Err(error) = ZlibDecoder::new(packed.as_slice()).take(size).read_to_end(&mut bytes) {
        let message = format!("expected a movie packed with zlib: {error}");
        facts.tolerate::<()>(Err(input.malformed_at(start, message)))?;
    }
    let mut inner = Input::new(&bytes, input.limits());
    inner.set_format(input.format());
    let mark = facts.mark();
    let read = children(&mut inner, facts, |input, head, facts| {
        let found = head.kind == *b"moov";
        if found { children(input, facts, |input, head, facts| in_moov(input, head, movie, facts)) } else { Ok(()) }
    });
    facts.found_in(mark, start);
    read
}

/// ISO/IEC 14496-12, 8.2.2.
fn mvhd(input: &mut Input<'_>, movie: &mut Movie, facts: &mut Facts) -> Parsed<()> {
    let offset = input.position();
    let (version, _) = bmff::version_and_flags(input)?;
    let created = if version == 1 { input.u64_be("creation time")? } else { input.u32_be("creation time")?.into() };
    input.skip(if version == 1 { 8 } else { 4 }, "modification time")?;
    movie.timescale = input.u32_be("time scale")?;
    movie.duration = long_or_short(input, version, "duration")?;
    if input.remaining() >= 16 + 36 {
        // 8.2.2: the movie as a whole may be turned, too.
        input.skip(16, "rate and volume")?;
        movie.rotate = track::turn(input.i32_be("matrix")?, input.i32_be("matrix")?);
    }
    if let Some(moment) = since_1904(created) {
        facts.add(input.format(), Group::Time, "Created", offset, moment);
    }
    Ok(())
}

/// A length of 32 or, from version 1 on, 64 bits; all ones mean unknown (ISO/IEC 14496-12, 8.2.2.3).
fn long_or_short(input: &mut Input<'_>, version: u8, what: &str) -> Parsed<u64> {
    if version == 1 {
        let length = input.u64_be(what)?;
        return Ok(if length == u64::MAX { 0 } else { length });
    }
    let length = input.u32_be(what)?;
    Ok(if length == u32::MAX { 0 } else { length.into() })
}

impl Movie {
    /// `whole` says that the file was walked to its end.
    fn publish(self, whole: bool, input: &Input<'_>, facts: &mut Facts) {
        let Movie { timescale, rotate, duration, tracks, fragments, mut tags, mut chapters, .. } = self;
        if chapters.is_empty() {
            chapters = std::mem::take(&mut tags.chapters);
        }
        tags.publish(input, facts);
        for (tag, text) in tracks.iter().filter_map(|track| track.entry.as_ref()).flat_map(|entry| &entry.notes) {
            facts.add(input.format(), Group::Media, *tag, 0, text.as_str());
        }
        let mut streams: Vec<Stream> = tracks.into_iter().map(|track| track.finish(&fragments, timescale)).collect();
        for stream in streams.iter_mut().filter(|stream| rotate > 0 && stream.kind == Kind::Video) {
            let degrees = stream.rotate.unwrap_or(0).saturating_add(rotate).checked_rem(360);
            stream.rotate = degrees.filter(|degrees| *degrees > 0);
        }
        for stream in &mut streams {
            stream.duration = stream.duration.filter(|d| *d > 0.0);
        }
        let has = |kind| streams.iter().any(|stream| stream.kind == kind);
        // The brands of many files do not say that they hold sound alone.
        if has(Kind::Audio) && !has(Kind::Video) && input.format() == Format::Mp4.name() {
            facts.refine(Format::M4a);
        }
        let runs = streams.iter().filter_map(|stream| stream.duration).fold(None, longer);
        let stated = seconds(duration, timescale).filter(|d| *d > 0.0);
        let fragmented = fragments.duration(timescale, runs, input.file_len(), whole);
        let duration = fragmented.into_iter().chain(stated).fold(None, longer);
        let format = ("mov", "QuickTime / MOV");
        Summary { format, duration, streams, chapters, ..Summary::default() }.publish(input, facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{run, survives};
    use crate::extract::{Datum, Limits};
    use crate::model::{LatLong, Value, field};

    fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let size = u32::try_from(body.len() + 8).unwrap().to_le_bytes().into_iter().rev().collect::<Vec<_>>();
        [&size, &kind[..], &body].concat()
    }

    fn be(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes().into_iter().rev()).collect()
    }

    fn track(handler: &[u8; 4], entry: &[u8], stts: &[u32]) -> Vec<u8> {
        let tkhd = boxed(b"tkhd", &[&be(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 65_536, 0, 0, 0, 0, 0, 0, 0, 0, 0])]);
        let mdhd = boxed(b"mdhd", &[&be(&[0, 0, 0, 1000, 4000]), &[0x15, 0xC7, 0, 0]]);
        let hdlr = boxed(b"hdlr", &[&be(&[0, 0]), handler, &[0; 13]]);
        let stsd = boxed(b"stsd", &[&be(&[0, 1]), entry]);
        let stts = boxed(b"stts", &[&be(stts)]);
        let stsz = boxed(b"stsz", &[&be(&[0, 500, 100])]);
        let stbl = boxed(b"stbl", &[&stsd, &stts, &stsz]);
        boxed(b"trak", &[&tkhd, &boxed(b"mdia", &[&mdhd, &hdlr, &boxed(b"minf", &[&stbl])])])
    }

    /// A table of 100 samples of 40 ms.
    const SAMPLES: &[u32] = &[0, 1, 100, 40];

    fn video_track(stts: &[u32]) -> Vec<u8> {
        let fixed = [&[0; 24][..], &[2, 0x80, 1, 0x68], &[0; 50]].concat();
        let entry = boxed(b"avc1", &[&fixed, &boxed(b"pasp", &[&be(&[4, 3])])]);
        track(b"vide", &entry, stts)
    }

    fn sample() -> Vec<u8> {
        let mvhd = boxed(b"mvhd", &[&be(&[0, 3_600_000_000, 0, 1000, 4000])]);
        let data = |text: &[u8]| boxed(b"data", &[&be(&[1, 0]), text]);
        let name = boxed(b"\xA9nam", &[&data(b"Song")]);
        let ilst = boxed(b"ilst", &[&name]);
        let meta = boxed(b"meta", &[&be(&[0]), &boxed(b"hdlr", &[&[0; 25]]), &ilst]);
        let place = boxed(b"\xA9xyz", &[&[0, 18, 0, 0], b"+27.5916+086.5640/"]);
        let udta = boxed(b"udta", &[&meta, &place]);
        let moov = boxed(b"moov", &[&mvhd, &video_track(SAMPLES), &udta]);
        [boxed(b"ftyp", &[b"isom\0\0\x02\0"]), boxed(b"mdat", &[&[0; 100_000]]), moov].concat()
    }

    fn facts_of(data: &[u8]) -> Facts {
        run(parse, data, &Limits { bytes: 256 << 10, ..Limits::default() }).0
    }

    #[test]
    fn tracks_tags_time_and_place_behind_the_samples() {
        let facts = facts_of(&sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&4.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.find(Group::Place, "Container"), LatLong::new(27.5916, 86.564).map(Datum::Place).as_ref());
        assert!(matches!(facts.find(Group::Time, "Created"), Some(Datum::Time(m)) if m.clock.year() == 2018));
        let row = facts.video_streams.first().unwrap();
        assert_eq!(row.text(field::VIDEO_CODEC_NAME), Some("h264"));
        assert_eq!(row.text(field::VIDEO_AVERAGE_FRAME_RATE), Some("25/1"));
        assert_eq!(row.text(field::VIDEO_ROTATE), Some("90"));
        assert_eq!(row.text(field::VIDEO_SAMPLE_ASPECT_RATIO), Some("4:3"));
        assert_eq!(row.text(field::VIDEO_LANGUAGE), Some("eng"));
        assert_eq!(row.get(field::VIDEO_BITRATE), Some(&Value::Int(100_000)));
        assert_eq!(row.get(field::VIDEO_STREAM_WIDTH), Some(&Value::Int(640)));
    }

    /// A file of 10 GB: a head, samples that are all zero, a tail.
    struct Huge(Vec<u8>, Vec<u8>);

    const HUGE: u64 = 10_000_000_000;

    impl crate::codec::ReadAt for Huge {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
            let tail = HUGE - self.1.len() as u64;
            let byte = |at: u64| match at {
                at if at >= tail => self.1[(at - tail) as usize],
                at => self.0.get(at as usize).copied().unwrap_or(0),
            };
            let count = buf.len().min(usize::try_from(HUGE.saturating_sub(offset)).unwrap());
            (offset..).zip(&mut buf[..count]).for_each(|(at, slot)| *slot = byte(at));
            Ok(count)
        }

        fn len(&self) -> u64 {
            HUGE
        }
    }

    #[test]
    fn a_huge_file_is_read_at_its_ends_only() {
        let moov = sample()[100_024..].to_vec();
        let size: Vec<u8> = (HUGE - 16 - moov.len() as u64).to_le_bytes().into_iter().rev().collect();
        let head = [boxed(b"ftyp", &[b"isom\0\0\x02\0"]), [&be(&[1]), &b"mdat"[..], &size].concat()].concat();
        let (huge, limits) = (Huge(head, moov), Limits::default());
        let (mut input, mut facts) = (Input::new(&huge, &limits), Facts::new(&limits));
        parse(&mut input, &mut facts).unwrap();
        assert_eq!((facts.video_streams.len(), facts.find(Group::Tag, "Title")), (1, Some(&"Song".into())));
        assert!(input.bytes_read() < 100_000, "{}", input.bytes_read());
    }

    #[test]
    fn a_compressed_movie_is_unpacked_once() {
        let pack = |movie: &[u8]| {
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut packer, movie).unwrap();
            let packed = packer.finish().unwrap();
            let size = be(&[u32::try_from(movie.len()).unwrap()]);
            boxed(b"moov", &[&boxed(b"cmov", &[&boxed(b"cmvd", &[&size, &packed])])])
        };
        let plain = boxed(b"moov", &[&video_track(SAMPLES)]);
        assert_eq!(facts_of(&pack(&plain)).video_streams.len(), 1);
        assert_eq!(facts_of(&pack(&pack(&plain))).video_streams.len(), 0);
        assert!(!facts_of(&pack(&vec![0; 3_000_000])).facts.is_empty());
    }

    #[test]
    fn fragments_are_summed_and_many_are_extrapolated() {
        let mvex = boxed(b"mvex", &[&boxed(b"trex", &[&be(&[0, 1, 1, 40, 0, 0])])]);
        let mvhd = boxed(b"mvhd", &[&be(&[0, 0, 0, 1000, 0])]);
        let moov = boxed(b"moov", &[&mvhd, &video_track(&[0, 0]), &mvex]);
        let traf = boxed(b"traf", &[&boxed(b"tfhd", &[&be(&[0, 1])]), &boxed(b"trun", &[&be(&[0, 250])])]);
        let fragment = [boxed(b"moof", &[&traf]), boxed(b"mdat", &[&[0; 3000]])].concat();
        for count in [3, 20, 60, 200] {
            let facts = facts_of(&[moov.clone(), fragment.repeat(count)].concat());
            let Some(Datum::Float(duration)) = facts.find(Group::Media, "Duration") else { panic!("no duration") };
            let expected = 10.0 * count as f64;
            assert!((duration - expected).abs() < expected * 0.05, "{count}: {duration}");
        }
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        let whole = [sample()[..16].to_vec(), sample()[100_024..].to_vec()].concat();
        survives(parse, &whole, usize::MAX);
    }
}
