//! Ogg files (RFC 3533): the header packets of each stream from the first pages, the length from the last ones.

mod codecs;
mod pages;

use super::tags;
use crate::extract::stream::{Kind, Ratio, Stream, Summary, float};
use crate::extract::{Facts, Format, Group, Input, Parsed, Stop};
use codecs::{Head, identify};
use pages::{Page, boundary, page, tail};

/// Pages looked at for header packets: those of sane files fit into a handful.
const PAGES: u32 = 64;
/// Longest header packet that is kept; comments with pictures in them are cut here, behind their texts.
const PACKET: usize = 512 << 10;
/// Most streams of one link, and most links of one file.
const STREAMS: usize = 32;
const LINKS: usize = 32;

/// One logical stream while its headers are read.
struct Logical {
    serial: u32,
    head: Head,
    /// Whole packets seen.
    packets: u32,
    /// The packet that continues on the next page.
    partial: Vec<u8>,
    /// Granule position of the first page with data, and the packets that end on it.
    first: Option<(u64, u64)>,
    last: Option<u64>,
}

/// Reads an Ogg file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut links = Vec::new();
    let read = both_ends(input, facts, &mut links);
    let read = facts.tolerate(read).map(|_| ());
    let streams = joined(links);
    if streams.iter().any(|stream| stream.kind == Kind::Video) {
        facts.refine(Format::OggVideo);
    }
    Summary { format: ("ogg", "Ogg"), streams, ..Summary::default() }.publish(input, facts);
    read
}

/// Streams of the first link, as long as all links together (RFC 3533, 4: chained streams follow one another).
fn joined(links: Vec<Vec<Logical>>) -> Vec<Stream> {
    let mut links = links.into_iter().map(|link| link.into_iter().map(finish).collect::<Vec<Stream>>());
    let mut streams = links.next().unwrap_or_default();
    for link in links {
        for (stream, next) in streams.iter_mut().zip(link) {
            stream.duration = stream.duration.zip(next.duration).map(|(a, b)| a + b).or(stream.duration);
        }
    }
    streams
}

fn both_ends(input: &mut Input<'_>, facts: &mut Facts, links: &mut Vec<Vec<Logical>>) -> Parsed<()> {
    let mut first = Vec::new();
    let read = heads(input, facts, &mut first);
    links.push(first);
    facts.tolerate(read)?;
    let mut strange = false;
    let read = tail(input, |serial, granule| {
        let found = links.first_mut().and_then(|link| link.iter_mut().find(|stream| stream.serial == serial));
        match found {
            Some(stream) => stream.last = stream.last.max(Some(granule)),
            None => strange = true,
        }
    });
    facts.tolerate(read)?;
    // Pages of streams that the first link does not know: further links follow it.
    if strange { chain(input, facts, links) } else { Ok(()) }
}

/// Finds the links one by one: each ends where pages of its streams end.
fn chain(input: &mut Input<'_>, facts: &mut Facts, links: &mut Vec<Vec<Logical>>) -> Parsed<()> {
    let mut start = 0;
    while links.len() < LINKS {
        let Some(link) = links.last_mut() else { break };
        let serials: Vec<u32> = link.iter().map(|stream| stream.serial).collect();
        let next = boundary(input, start, &serials, |serial, granule| {
            let found = link.iter_mut().find(|stream| stream.serial == serial);
            found.into_iter().for_each(|stream| stream.last = stream.last.max(Some(granule)));
        })?;
        let Some(next) = next.filter(|next| *next > start) else { break };
        input.seek(next, "next link")?;
        let mut link = Vec::new();
        // The tags of the first link stand for the whole.
        let mut unused = Facts::new(input.limits());
        let read = heads(input, &mut unused, &mut link);
        facts.tolerate(read)?;
        if link.is_empty() {
            break;
        }
        links.push(link);
        start = next;
    }
    Ok(())
}

/// Reads pages until every stream has its comments and a page of data.
fn heads(input: &mut Input<'_>, facts: &mut Facts, streams: &mut Vec<Logical>) -> Parsed<()> {
    for _ in 0..PAGES {
        let Some(page) = page(input)? else { return Ok(()) };
        if page.is_first && streams.len() < STREAMS {
            let packet = input.take(page.body.end.saturating_sub(page.body.start), "first packet")?;
            let head = identify(&packet);
            streams.push(Logical {
                serial: page.serial,
                head,
                packets: 1,
                partial: Vec::new(),
                first: None,
                last: None,
            });
        } else if let Some(stream) = streams.iter_mut().find(|stream| stream.serial == page.serial) {
            packets(input, &page, stream, facts)?;
        }
        input.seek(page.body.end, "next page")?;
        if streams.iter().all(|stream| stream.packets > 1 && (stream.first.is_some() || !stream.head.timed())) {
            return Ok(());
        }
    }
    Ok(())
}

/// Takes the packets of a page, and the comments if they are the second one.
fn packets(input: &mut Input<'_>, page: &Page, stream: &mut Logical, facts: &mut Facts) -> Parsed<()> {
    if page.granule > 0 && stream.first.is_none() {
        let ended = page.laces.iter().filter(|lace| **lace < 255).count();
        stream.first = Some((page.granule, u64::try_from(ended).unwrap_or(0)));
    }
    for lace in &page.laces {
        if stream.packets == 1 {
            let room = PACKET.saturating_sub(stream.partial.len());
            let len = usize::from(*lace).min(room);
            stream.partial.extend(input.take_up_to(u64::try_from(len).unwrap_or(0))?);
        }
        if *lace == 255 {
            continue;
        }
        stream.packets = stream.packets.saturating_add(1);
        if stream.packets == 2 {
            comments(std::mem::take(&mut stream.partial), page.body.start, input, stream, facts)?;
        } else {
            return Ok(());
        }
    }
    Ok(())
}

fn comments(packet: Vec<u8>, at: u64, outer: &Input<'_>, stream: &mut Logical, facts: &mut Facts) -> Parsed<()> {
    let mark = stream.head.comment_mark();
    let Some(body) = packet.strip_prefix(mark) else { return Ok(()) };
    // FLAC wraps its comments into a metadata block (RFC 9639, 10.1).
    let body = if stream.head.codec == "flac" { body.get(4..).unwrap_or(&[]) } else { body };
    let body = body.to_vec();
    let mut input = Input::new(&body, outer.limits());
    input.set_format(outer.format());
    let mark = facts.mark();
    let read = tags::vorbis_comments(&mut input, facts).map_err(|stop| match stop {
        // The packet may have been cut; and its own caps are not the file's.
        Stop::Malformed(warning) | Stop::Exhausted(warning) => outer.malformed_at(at, warning.message),
        io @ Stop::Io(_) => io,
    });
    facts.found_in(mark, at);
    if let Some(language) = facts.text_since(mark, Group::Tag, "Language") {
        stream.head.stream.language = language.to_owned();
    }
    facts.tolerate(read).map(|_| ())
}

fn finish(stream: Logical) -> Stream {
    let mut head = stream.head;
    let mut described = std::mem::take(&mut head.stream);
    described.time_base = head.unit;
    let Some((last, unit)) = stream.last.zip(head.unit) else { return described };
    // A stream cut out of a longer one begins late: after more than the first page can hold.
    let late = stream.first.map_or(0, |(granule, packets)| {
        let (first, (usual, most)) = (head.ticks(granule), head.packet);
        if first > packets.saturating_mul(most) { first.saturating_sub(packets.saturating_mul(usual)) } else { 0 }
    });
    let ticks = head.ticks(last).saturating_sub(late.max(head.skip));
    described.start = Some(float(late) * unit.value());
    described.duration = Some(float(ticks) * unit.value());
    if described.kind == Kind::Video {
        described.frame_rate = Ratio::new(unit.denom, unit.numer);
        described.average_rate = described.frame_rate;
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tried::{facts_of, survives};
    use crate::model::{Value, field};

    fn paged(flags: u8, granule: u64, serial: u32, packets: &[&[u8]]) -> Vec<u8> {
        let mut laces = Vec::new();
        for packet in packets {
            laces.extend(std::iter::repeat_n(255, packet.len() / 255));
            laces.push((packet.len() % 255) as u8);
        }
        let head = [&b"OggS\0"[..], &[flags], &granule.to_le_bytes(), &serial.to_le_bytes(), &[0; 8]].concat();
        [head, vec![laces.len() as u8], laces, packets.concat()].concat()
    }

    fn sample() -> Vec<u8> {
        let head = [
            &b"\x01vorbis\0\0\0\0\x02"[..],
            &8000_u32.to_le_bytes(),
            &[0; 4],
            &64_000_u32.to_le_bytes(),
            b"\0\0\0\0\xB8\x01",
        ]
        .concat();
        let comment = b"\x03vorbis\x01\0\0\0v\x01\0\0\0\x0A\0\0\0TITLE=Song\x01";
        let long = [comment.to_vec(), vec![0; 700]].concat();
        [
            paged(2, 0, 7, &[&head]),
            paged(0, 0, 7, &[&long, b"\x05vorbis setup"]),
            paged(0, 1000, 7, &[&[1; 50]]),
            vec![0xAA; 70_000],
            paged(4, 16_000, 7, &[&[1; 50]]),
        ]
        .concat()
    }

    #[test]
    fn headers_comments_and_length() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&2.0.into()));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&"Song".into()));
        assert_eq!(facts.audio_streams[0].get(field::AUDIO_BITRATE), Some(&Value::Int(64_000)));
    }

    #[test]
    fn chained_links_are_as_long_as_all_of_them() {
        let link = |serial: u8| {
            let mut link = sample();
            // The serial number stands 14 bytes behind each page's start.
            let starts: Vec<usize> = (0..link.len()).filter(|at| link[*at..].starts_with(b"OggS")).collect();
            starts.into_iter().for_each(|at| link[at + 14] = serial);
            link
        };
        let chained = [link(7), link(8), link(9)].concat();
        let facts = facts_of(parse, &chained);
        assert_eq!(facts.find(Group::Media, "Duration"), Some(&6.0.into()));
        assert_eq!(facts.audio_streams.len(), 1);
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(), 1000);
    }
}
