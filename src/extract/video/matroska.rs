//! Matroska and WebM (RFC 9559): information, tracks and tags of the segment, wherever they stand in it.

mod blocks;
mod codes;
mod more;
mod tags;
mod tail;
mod track;

use crate::extract::container::ebml::{self, Element};
use crate::extract::stream::{Chapter, Kind, Stream, Summary, float, since_2001};
use crate::extract::{Facts, Format, Group, Input, Parsed};
use tags::Texts;
use track::Track;

/// Elements of a segment (RFC 9559, 5.1).
const SEGMENT: u32 = 0x1853_8067;
const HEADER: u32 = 0x1A45_DFA3;
const DOC_TYPE: u32 = 0x4282;
const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x002A_D7B1;
const DURATION: u32 = 0x4489;
const DATE: u32 = 0x4461;
const TITLE: u32 = 0x7BA9;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TAGS: u32 = 0x1254_C367;
const CLUSTER: u32 = 0x1F43_B675;
const CHAPTERS: u32 = 0x1043_A770;
const ATTACHMENTS: u32 = 0x1941_A469;

/// Clusters passed over in search of what stands behind them, where no index says.
const CLUSTERS: u32 = 64;
/// Bytes searched for the next part behind damage, and how often.
const SEARCHED: u64 = 64 << 10;
const SEARCHES: u32 = 8;
/// Most tracks that are described.
const MOST_TRACKS: usize = 256;

/// What the elements of a file say together.
struct Movie {
    webm: bool,
    /// Nanoseconds of one unit of time.
    scale: u64,
    /// In units of `scale`.
    duration: Option<f64>,
    tracks: Vec<Track>,
    texts: Texts,
    /// Where parts of the segment begin, by the index in front.
    index: Vec<(u32, u64)>,
    seen: Vec<u32>,
    /// Where the first cluster begins.
    first: Option<u64>,
    chapters: Vec<Chapter>,
    clusters: u32,
    searches: u32,
}

/// Reads a Matroska or WebM file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut movie = Movie {
        webm: false,
        scale: 1_000_000,
        duration: None,
        tracks: Vec::new(),
        texts: Texts::default(),
        index: Vec::new(),
        seen: Vec::new(),
        first: None,
        chapters: Vec::new(),
        clusters: 0,
        searches: 0,
    };
    let walked = movie.file(input, facts);
    // What was found before a cap stays found.
    let walked = facts.tolerate(walked).map(|_| ());
    movie.publish(input, facts);
    walked
}

impl Movie {
    fn file(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        while let Some(element) = ebml::next(input)? {
            let part = element.body.clone();
            match element.id {
                HEADER => input.within(part, "header", |input| self.header(input))?,
                SEGMENT => return input.within(part, "segment", |input| self.segment(input, facts)),
                _ => input.seek(part.end, "next element")?,
            }
        }
        Ok(())
    }

    fn header(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        ebml::each(input, |input, element| {
            if element.id == DOC_TYPE {
                self.webm = ebml::text(input)? == "webm";
            }
            Ok(())
        })
    }

    fn segment(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        let start = input.position();
        while let Some(element) = self.next_part(input, facts)? {
            if element.id == CLUSTER {
                self.clusters = self.clusters.saturating_add(1);
                self.first = self.first.or(Some(element.start));
                if element.endless || !self.index.is_empty() || self.clusters > CLUSTERS {
                    break;
                }
            }
            self.part(input, &element, start, facts)?;
        }
        self.indexed(input, facts)?;
        if let Some(first) = self.first {
            input.seek(first, "first cluster")?;
            let read = blocks::read(input, &mut self.tracks);
            facts.tolerate(read)?;
        }
        if self.duration.is_none() {
            let last = tail::last_timestamp(input);
            self.duration = facts.tolerate(last)?.flatten();
        }
        Ok(())
    }

    /// The next part of the segment. Where there is none, what follows is searched for one: players do so, too.
    fn next_part(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<Option<Element>> {
        loop {
            let start = input.position();
            let found = ebml::next(input);
            if let Some(element) = facts.tolerate(found)? {
                return Ok(element);
            }
            self.searches = self.searches.saturating_add(1);
            input.seek(start.saturating_add(1).min(input.end()), "next part")?;
            let marks = [INFO, TRACKS, TAGS, CLUSTER, CHAPTERS];
            let is_mark = |four: &[u8]| {
                <[u8; 4]>::try_from(four).is_ok_and(|[a, b, c, d]| marks.contains(&u32::from_le_bytes([d, c, b, a])))
            };
            let gap = input.peek_up_to(SEARCHED)?.windows(4).position(is_mark);
            let Some(gap) = gap.filter(|_| self.searches <= SEARCHES) else { return Ok(None) };
            input.skip(u64::try_from(gap).unwrap_or(0), "next part")?;
        }
    }

    /// Reads one part of the segment; a malformed one is noted and the next one read.
    fn part(&mut self, input: &mut Input<'_>, element: &Element, start: u64, facts: &mut Facts) -> Parsed<()> {
        self.seen.push(element.id);
        let read = input.within(element.body.clone(), "part of the segment", |input| match element.id {
            SEEK_HEAD => self.seek_head(input, start),
            INFO => self.info(input, facts),
            TRACKS => ebml::each(input, |input, element| {
                if element.id == TRACK_ENTRY && self.tracks.len() < MOST_TRACKS {
                    self.tracks.push(Track::read(input)?);
                }
                Ok(())
            }),
            TAGS => self.texts.read(input),
            CHAPTERS => more::chapters(input, &mut self.chapters),
            ATTACHMENTS => more::attachments(input, facts),
            _ => Ok(()),
        });
        facts.tolerate(read).map(|_| ())
    }

    /// Reads the parts that the index names and that were not met in front of the clusters.
    fn indexed(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        for (id, at) in std::mem::take(&mut self.index) {
            if !matches!(id, INFO | TRACKS | TAGS | CHAPTERS | ATTACHMENTS) || self.seen.contains(&id) {
                continue;
            }
            let moved = input.seek(at, "part named by the index");
            if facts.tolerate(moved)?.is_none() {
                continue;
            }
            let element = ebml::next(input);
            if let Some(element) = facts.tolerate(element)?.flatten().filter(|element| element.id == id) {
                self.part(input, &element, 0, facts)?;
            }
        }
        Ok(())
    }

    fn seek_head(&mut self, input: &mut Input<'_>, start: u64) -> Parsed<()> {
        ebml::each(input, |input, element| {
            let (mut id, mut at) = (None, None);
            if element.id == SEEK {
                ebml::each(input, |input, element| {
                    match element.id {
                        SEEK_ID => id = u32::try_from(ebml::unsigned(input)?).ok(),
                        SEEK_POSITION => at = Some(ebml::unsigned(input)?.saturating_add(start)),
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            if self.index.len() < 64 {
                self.index.extend(id.zip(at));
            }
            Ok(())
        })
    }

    fn info(&mut self, input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
        ebml::each(input, |input, element| {
            let offset = input.position();
            match element.id {
                TIMESTAMP_SCALE => self.scale = ebml::unsigned(input)?,
                DURATION => self.duration = Some(ebml::float(input)?).filter(|d| d.is_finite() && *d > 0.0),
                DATE => {
                    if let Some(moment) = since_2001(ebml::date(input)?) {
                        facts.add(input.format(), Group::Time, "Created", offset, moment);
                    }
                }
                TITLE => self.texts.title(offset, ebml::text(input)?),
                _ => {}
            }
            Ok(())
        })
    }

    fn publish(self, input: &Input<'_>, facts: &mut Facts) {
        let format = input.format();
        let rates = self.texts.publish(input, facts);
        let duration = self.duration.map(|units| units * float(self.scale) / 1e9);
        let mut streams = Vec::new();
        for track in self.tracks {
            for (tag, text) in &track.notes {
                facts.add(format, Group::Media, *tag, 0, text.as_str());
            }
            let rate = rates.iter().find(|(uid, _)| *uid == track.uid).map(|(_, rate)| *rate);
            let mut stream = track.finish(duration, self.scale);
            stream.bitrate = stream.bitrate.or(rate);
            streams.push(stream);
        }
        let has = |kind| streams.iter().any(|stream: &Stream| stream.kind == kind);
        if has(Kind::Audio) && !has(Kind::Video) {
            facts.refine(if self.webm { Format::WebA } else { Format::Mka });
        }
        let format = ("matroska", "Matroska / WebM");
        Summary { format, duration, streams, chapters: self.chapters, ..Summary::default() }.publish(input, facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn element(id: u32, body: &[u8]) -> Vec<u8> {
        let id: Vec<u8> = id.to_le_bytes().into_iter().rev().skip_while(|b| *b == 0).collect();
        let size = (u32::try_from(body.len()).unwrap() | 0x1000_0000).to_le_bytes().into_iter().rev().collect();
        [id, size, body.to_vec()].concat()
    }

    fn parts() -> [Vec<u8>; 4] {
        let header = element(HEADER, &element(DOC_TYPE, b"matroska"));
        let info = element(INFO, &[element(DURATION, &[0x46, 0x1C, 0x40, 0]), element(TITLE, b"Film")].concat());
        let video = element(0xE0, &[element(0xB0, &[2, 0x80]), element(0xBA, &[1, 0x68])].concat());
        let frame = element(0x0023_E383, &40_000_000_u32.to_le_bytes().into_iter().rev().collect::<Vec<_>>());
        let entry = element(TRACK_ENTRY, &[element(0x83, &[1]), element(0x86, b"V_VP9"), frame, video].concat());
        let simple = element(0x67C8, &[element(0x45A3, b"ARTIST"), element(0x4487, b"Me")].concat());
        [header, info, element(TRACKS, &entry), element(TAGS, &element(0x7373, &simple))]
    }

    fn sample() -> Vec<u8> {
        let [header, info, tracks, tags] = parts();
        let cluster = element(CLUSTER, &[0xEC; 200]);
        // The index names the tags behind the cluster: the head takes 33 bytes itself.
        let seek = |at: u32| {
            let at: Vec<u8> = at.to_le_bytes().into_iter().rev().collect();
            let id: Vec<u8> = TAGS.to_le_bytes().into_iter().rev().collect();
            element(SEEK_HEAD, &element(SEEK, &[element(SEEK_ID, &id), element(SEEK_POSITION, &at)].concat()))
        };
        let before = seek(0).len() + info.len() + tracks.len() + cluster.len();
        let index = seek(u32::try_from(before).unwrap());
        [header, element(SEGMENT, &[index, info, tracks, cluster, tags].concat())].concat()
    }

    #[test]
    fn tracks_in_front_and_tags_behind_the_clusters() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&10.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Film".into()));
        assert_eq!(facts.find(Group::Tag, "Artist"), Some(&"Me".into()));
        let row = facts.video_streams.first().unwrap();
        assert_eq!(row.text(field::VIDEO_CODEC_NAME), Some("vp9"));
        assert_eq!(row.text(field::VIDEO_FRAME_RATE), Some("25/1"));
        assert_eq!(row.get(field::VIDEO_STREAM_HEIGHT), Some(&Value::Int(360)));
    }

    #[test]
    fn parts_behind_damage_are_found() {
        let [header, info, tracks, _] = parts();
        let data = [header, element(SEGMENT, &[vec![0x0A; 300], info, b"\0\0".to_vec(), tracks].concat())].concat();
        let facts = facts_of(parse, &data);
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Film".into()));
        assert_eq!((facts.video_streams.len(), facts.warnings.len()), (1, 2));
    }

    #[test]
    fn a_recording_without_an_end_takes_the_last_block() {
        let [header, _, tracks, _] = parts();
        let block = |at: u8| element(0xA3, &[0x81, 0, at, 0x80, 1, 2]);
        let cluster = |at: u8| element(CLUSTER, &[element(0xE7, &[at, 0]), block(0), block(200)].concat());
        let segment = [&[0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], &tracks].concat();
        let data = [header, segment, cluster(0), cluster(20), cluster(39)].concat();
        let facts = facts_of(parse, &data);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&10.184.into()));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(), usize::MAX);
    }
}
