//! PNG and APNG (PNG specification, third edition): chunks, with the image data stepped over.

use super::exif;
use crate::extract::{Facts, Format, Group, Input, Moment, Parsed};
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::ops::Range;

/// Image data chunks that are stepped over one by one; behind that many the end of the file is looked at instead.
const HOPS: u32 = 8;
/// Bytes at the end of the file that are searched for chunks behind the image data.
const TAIL: u64 = 16 << 10;

/// Bytes of a text chunk that are read.
const PACKED: u64 = 1 << 20;
/// Bytes that a packed text may unpack to.
const UNPACKED: u64 = 1 << 20;
/// Bytes of a text without a meaning of its own that are kept.
const NOTE: usize = 4096;

/// Reads the chunks.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(8, "signature")?;
    let mut hops = 0_u32;
    while let Some((kind, body)) = next(input)? {
        input.within(body.clone(), "chunk", |input| chunk(input, facts, kind))?;
        match &kind {
            b"IEND" => break,
            b"IDAT" | b"fdAT" => hops = hops.saturating_add(1),
            _ => {}
        }
        let Ok(()) = input.seek(body.end.saturating_add(4), "next chunk") else { break };
        if hops >= HOPS {
            return tail(input, facts);
        }
    }
    Ok(())
}

/// Type and body of the next chunk (section 5.3): length, type, body, CRC.
fn next(input: &mut Input<'_>) -> Parsed<Option<([u8; 4], Range<u64>)>> {
    if input.remaining() < 8 {
        return Ok(None);
    }
    input.entry()?;
    let len = u64::from(input.u32_be("chunk length")?);
    let kind: [u8; 4] = input.array("chunk type")?;
    if !kind.iter().all(u8::is_ascii_alphabetic) {
        return Err(input.malformed(format!("expected a chunk type of four letters, got {kind:?}")));
    }
    let start = input.position();
    Ok(Some((kind, start..start.saturating_add(len))))
}

fn chunk(input: &mut Input<'_>, facts: &mut Facts, kind: [u8; 4]) -> Parsed<()> {
    let at = input.position();
    let result = match &kind {
        b"IHDR" => header(input, facts),
        b"acTL" => animation(input, facts),
        b"eXIf" => exif_chunk(input, facts),
        b"tEXt" => text(input, facts),
        b"zTXt" => packed_text(input, facts),
        b"iTXt" => international_text(input, facts),
        b"tIME" => modified(input, facts, at),
        _ => Ok(()),
    };
    // A bad chunk does not spoil the next one: their lengths are known.
    facts.tolerate(result).map(drop)
}

/// Section 11.2.1.
fn header(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let (width, height) = (input.u32_be("width")?, input.u32_be("height")?);
    super::size(input, facts, at, width, height);
    let bits = input.u8("bit depth")?;
    super::field(input, facts, at, "BitsPerSample", u32::from(bits));
    let color = input.u8("colour type")?;
    super::field(input, facts, at, "ColorType", u32::from(color));
    Ok(())
}

/// Section 11.3.2.1: an animation if there is more than this chunk's promise of one frame.
fn animation(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let frames = input.u32_be("number of frames")?;
    super::field(input, facts, at, "FrameCount", frames);
    facts.refine(Format::Apng);
    Ok(())
}

/// Section 11.3.3.4; some writers keep the identifier of JPEG's APP1.
fn exif_chunk(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_array::<6>("EXIF")? == *b"Exif\0\0" {
        input.skip(6, "EXIF identifier")?;
    }
    exif::parse(input, facts)
}

/// Keyword, zero, Latin-1 text (section 11.3.3.2).
fn text(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.take_up_to(PACKED)?;
    match split(&bytes) {
        Some((keyword, text)) => keyed(input, facts, at, &keyword, text),
        None => Ok(()),
    }
}

/// Keyword, zero, method 0, deflated Latin-1 text (section 11.3.3.3).
fn packed_text(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.take_up_to(PACKED)?;
    let Some((keyword, [0, packed @ ..])) = split(&bytes) else { return Ok(()) };
    let text = inflate(input, at, packed)?;
    keyed(input, facts, at, &keyword, &text)
}

/// Keyword, zero, flag, method, language, zero, translated keyword, zero, UTF-8 text (section 11.3.3.4).
fn international_text(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.take_up_to(PACKED)?;
    let Some((keyword, [flag, _, rest @ ..])) = split(&bytes) else { return Ok(()) };
    let Some(text) = rest.splitn(3, |byte| *byte == 0).nth(2) else { return Ok(()) };
    if *flag == 1 {
        let text = inflate(input, at, text)?;
        return keyed(input, facts, at, &keyword, &text);
    }
    keyed(input, facts, at, &keyword, text)
}

/// The keyword in front of the first zero, and what follows.
fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let keyword = exif::decode(parts.next()?);
    Some((keyword, parts.next()?))
}

/// Unpacks a text; one that is longer than may be kept is cut there.
fn inflate(input: &Input<'_>, at: u64, packed: &[u8]) -> Parsed<Vec<u8>> {
    let mut text = Vec::new();
    match ZlibDecoder::new(packed).take(UNPACKED).read_to_end(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(input.malformed_at(at, format!("the packed text cannot be unpacked: {error}"))),
    }
}

/// Two keywords have members of their own, one is how ImageMagick and GIMP keep EXIF.
fn keyed(input: &mut Input<'_>, facts: &mut Facts, at: u64, keyword: &str, text: &[u8]) -> Parsed<()> {
    match keyword {
        "Title" => facts.add("png", Group::Tag, "Title", at, exif::decode(text)),
        "Author" => facts.add("png", Group::Tag, "Artist", at, exif::decode(text)),
        "Raw profile type exif" | "Raw profile type APP1" => return raw_profile(input, facts, at, text),
        _ if text.len() <= NOTE => facts.add("png", Group::Header, keyword.to_owned(), at, exif::decode(text)),
        _ => {}
    }
    Ok(())
}

/// A line with the profile's name, a line with its length, then its bytes in hexadecimal.
fn raw_profile(input: &mut Input<'_>, facts: &mut Facts, at: u64, text: &[u8]) -> Parsed<()> {
    let body = text.trim_ascii_start().splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or(&[]);
    let digits: Vec<u32> = body.iter().filter_map(|byte| char::from(*byte).to_digit(16)).collect();
    let pairs = digits.as_chunks::<2>().0.iter();
    let bytes: Vec<u8> = pairs.filter_map(|[high, low]| u8::try_from((high << 4) | low).ok()).collect();
    let block = bytes.strip_prefix(b"Exif\0\0").unwrap_or(&bytes).to_vec();
    let mark = facts.mark();
    let result = exif::parse(&mut input.unpacked(&block), facts);
    facts.found_in(mark, at);
    result
}

/// Last modification in UTC (section 11.3.4.1).
fn modified(input: &mut Input<'_>, facts: &mut Facts, at: u64) -> Parsed<()> {
    let year = input.u16_be("year")?;
    let [month, day, hour, minute, second] = input.array::<5>("time")?;
    let part = |number: u8| i8::try_from(number).unwrap_or(-1);
    let year = i16::try_from(year).unwrap_or(-1);
    let clock = jiff::civil::DateTime::new(year, part(month), part(day), part(hour), part(minute), part(second), 0);
    match clock {
        Ok(clock) => facts.add("png", Group::Time, "Modified", at, Moment { clock, offset: Some(0) }),
        Err(error) => return Err(input.malformed_at(at, format!("expected a date and time: {error}"))),
    }
    Ok(())
}

/// Looks for EXIF behind the image data: a chunk whose successors lead exactly to the end of the file.
fn tail(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let end = input.end();
    let start = end.saturating_sub(TAIL).max(input.position());
    input.seek(start, "end of file")?;
    let bytes = input.take_up_to(TAIL)?;
    for (index, window) in bytes.windows(4).enumerate() {
        if window != b"eXIf" && window != b"tEXt" {
            continue;
        }
        let kind_at = start.saturating_add(crate::extract::length(index));
        let Some(from) = kind_at.checked_sub(4) else { continue };
        if leads_to_end(input, from)? {
            input.seek(from, "chunk")?;
            while let Some((kind, body)) = next(input)? {
                input.within(body.clone(), "chunk", |input| chunk(input, facts, kind))?;
                input.seek(body.end.saturating_add(4).min(end), "next chunk")?;
            }
            return Ok(());
        }
    }
    Ok(())
}

fn leads_to_end(input: &mut Input<'_>, from: u64) -> Parsed<bool> {
    let end = input.end();
    input.seek(from, "chunk")?;
    loop {
        match next(input) {
            Ok(Some((kind, body))) => {
                let after = body.end.saturating_add(4);
                if kind == *b"IEND" || after >= end {
                    return Ok(kind == *b"IEND" && after <= end);
                }
                input.seek(after, "next chunk")?;
            }
            Ok(None) | Err(crate::extract::Stop::Malformed(_)) => return Ok(false),
            Err(stop) => return Err(stop),
        }
    }
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn chunk_of(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32).to_be_bytes()[..], kind, body, &[0; 4]].concat()
    }

    fn read(chunks: &[Vec<u8>]) -> Facts {
        let data = [b"\x89PNG\r\n\x1A\n".to_vec(), chunks.concat()].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    #[test]
    fn header_text_animation_and_time() {
        let facts = read(&[
            chunk_of(b"IHDR", b"\0\0\x01\x40\0\0\0\xF0\x08\x06\0\0\0"),
            chunk_of(b"acTL", b"\0\0\0\x05\0\0\0\0"),
            chunk_of(b"tEXt", b"Title\0caf\xE9"),
            chunk_of(b"tIME", b"\x07\xE4\x02\x1D\x0C\0\x01"),
            chunk_of(b"IEND", b""),
        ]);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "FrameCount"), Some(&Datum::Int(5)));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&Datum::from("caf\u{e9}")));
        let Some(Datum::Time(time)) = facts.find(Group::Time, "Modified") else { panic!("no time") };
        assert_eq!(time.clock.to_string(), "2020-02-29T12:00:01");
    }

    #[test]
    fn packed_texts_and_raw_profiles() {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![5, 0])], &[], &[]]);
        let hex: String = [b"Exif\0\0", &tiff[..]].concat().iter().map(|byte| format!("{byte:02x}")).collect();
        let profile = format!("\nexif\n    {}\n{}\n", tiff.len() + 6, hex);
        let mut packed = Vec::new();
        flate2::read::ZlibEncoder::new(profile.as_bytes(), flate2::Compression::default())
            .read_to_end(&mut packed)
            .unwrap();
        let facts = read(&[
            chunk_of(b"zTXt", &[&b"Raw profile type exif\0\0"[..], &packed].concat()),
            chunk_of(b"zTXt", b"broken\0\0not packed"),
            chunk_of(b"iTXt", "Title\0\0\0fr\0Titre\0\u{e9}t\u{e9}".as_bytes()),
        ]);
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(5)));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&Datum::from("\u{e9}t\u{e9}")));
        assert_eq!(facts.warnings.len(), 1);
        assert!(facts.facts.iter().all(|fact| fact.offset < 400), "offsets are of the file");
    }

    #[test]
    fn exif_is_found_behind_more_image_data_than_is_stepped_over() {
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![3, 0])], &[], &[]]);
        let mut chunks = vec![chunk_of(b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0")];
        chunks.extend((0..20).map(|_| chunk_of(b"IDAT", b"eXIf and other noise")));
        chunks.push(chunk_of(b"eXIf", &tiff));
        chunks.push(chunk_of(b"IEND", b""));
        assert_eq!(read(&chunks).find(Group::Exif, "Orientation"), Some(&Datum::Int(3)));
    }
}
