//! PNG and APNG (PNG specification, third edition): chunks, with the image data stepped over.

use crate::extract::embedded::{clock, decode, exif, icc, iptc, photoshop, xmp};
use crate::extract::{Facts, Format, Group, Input, Moment, Parsed, length};
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
/// Bytes that a colour profile is unpacked to.
const PROFILE: u64 = 16 << 10;

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
        b"tRNS" => {
            super::alpha(input, facts, at, true);
            Ok(())
        }
        b"iCCP" => profile(input, facts),
        b"cICP" => coding(input, facts),
        b"eXIf" => exif::identified(input, facts),
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
    // Table 11.1; transparency may also be added by tRNS.
    let (name, components, alpha) = match color {
        0 => ("Grayscale", 1, false),
        3 => ("Palette", 1, false),
        4 => ("Grayscale", 2, true),
        6 => ("RGB", 4, true),
        _ => ("RGB", 3, false),
    };
    super::color_space(input, facts, at, name);
    super::field(input, facts, at, "ColorComponents", components);
    if alpha {
        super::alpha(input, facts, at, true);
    }
    Ok(())
}

/// Section 11.3.2.3: the profile's name, zero, method 0, the packed profile.
fn profile(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let bytes = input.take_up_to(PACKED)?;
    let Some((_, [0, packed @ ..])) = split(&bytes) else { return Ok(()) };
    // The texts of a profile stand before its tables: its start is enough.
    let mut start = Vec::new();
    let unpacked = ZlibDecoder::new(packed).take(PROFILE).read_to_end(&mut start);
    if let (Err(error), true) = (unpacked, start.is_empty()) {
        return Err(input.malformed_at(at, format!("the colour profile cannot be unpacked: {error}")));
    }
    packed_block(input, facts, at, start, icc::parse)
}

/// Section 11.3.2.6: primaries, transfer function, matrix and range as of ITU-T H.273.
fn coding(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let points = input.array::<4>("coding-independent code points")?;
    super::code_points(input, facts, at, points.map(u16::from));
    Ok(())
}

/// Runs `parse` on bytes that were unpacked from the chunk at `at`.
fn packed_block(
    input: &Input<'_>,
    facts: &mut Facts,
    at: u64,
    bytes: Vec<u8>,
    parse: fn(&mut Input<'_>, &mut Facts) -> Parsed<()>,
) -> Parsed<()> {
    let mark = facts.mark();
    let result = parse(&mut input.unpacked(&bytes), facts);
    facts.found_in(mark, at);
    result
}

/// Section 11.3.2.1: an animation if there is more than this chunk's promise of one frame.
fn animation(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let frames = input.u32_be("number of frames")?;
    super::field(input, facts, at, "FrameCount", frames);
    facts.refine(Format::Apng);
    Ok(())
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
    let keyword = decode(parts.next()?);
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

/// A text by its keyword: blocks of metadata under agreed names, texts with a vocabulary of their own, and others.
fn keyed(input: &mut Input<'_>, facts: &mut Facts, at: u64, keyword: &str, text: &[u8]) -> Parsed<()> {
    match keyword {
        "Title" => facts.add("png", Group::Tag, "Title", at, decode(text)),
        "Author" => facts.add("png", Group::Tag, "Artist", at, decode(text)),
        // ISO 16684-3, 6.5.
        "XML:com.adobe.xmp" => return packed_block(input, facts, at, text.to_vec(), xmp::parse),
        "Raw profile type exif" | "Raw profile type APP1" => return app1(input, facts, at, &raw_profile(text)),
        "Raw profile type xmp" => return packed_block(input, facts, at, raw_profile(text), xmp::parse),
        "Raw profile type iptc" => return packed_block(input, facts, at, raw_profile(text), photoshop_or_iptc),
        "Raw profile type 8bim" => return packed_block(input, facts, at, raw_profile(text), photoshop::parse),
        "Raw profile type icc" | "Raw profile type icm" => {
            return packed_block(input, facts, at, raw_profile(text), icc::parse);
        }
        // Section 11.3.3.1 wants the form of RFC 1123, others are found as often.
        "Creation Time" => {
            let text = decode(text);
            let moment = clock::moment(&text).or_else(|| clock::mail(&text));
            moment.into_iter().for_each(|moment| facts.add("png", Group::Time, "Created", at, moment));
            facts.add("png", Group::Header, "Creation Time", at, text);
        }
        _ if length(text.len()) <= super::NOTE => facts.add("png", Group::Header, keyword.to_owned(), at, decode(text)),
        _ => {}
    }
    Ok(())
}

/// What ImageMagick and GIMP keep as a profile: a line with its name, a line with its length, its bytes in hexadecimal.
fn raw_profile(text: &[u8]) -> Vec<u8> {
    let body = text.trim_ascii_start().splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or(&[]);
    let digits: Vec<u32> = body.iter().filter_map(|byte| char::from(*byte).to_digit(16)).collect();
    let pairs = digits.as_chunks::<2>().0.iter();
    pairs.filter_map(|[high, low]| u8::try_from((high << 4) | low).ok()).collect()
}

/// JPEG's APP1 holds EXIF or XMP.
fn app1(input: &Input<'_>, facts: &mut Facts, at: u64, block: &[u8]) -> Parsed<()> {
    match block.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
        Some(packet) => packed_block(input, facts, at, packet.to_vec(), xmp::parse),
        None => packed_block(input, facts, at, block.strip_prefix(b"Exif\0\0").unwrap_or(block).to_vec(), exif::parse),
    }
}

/// ImageMagick wraps IPTC into Photoshop's resources, others do not.
fn photoshop_or_iptc(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_array::<4>("IPTC")? == *b"8BIM" { photoshop::parse(input, facts) } else { iptc::parse(input, facts) }
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

/// Looks for metadata behind the image data: a chunk whose successors lead exactly to the end of the file.
fn tail(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let end = input.end();
    let start = end.saturating_sub(TAIL).max(input.position());
    input.seek(start, "end of file")?;
    let bytes = input.take_up_to(TAIL)?;
    for (index, window) in bytes.windows(4).enumerate() {
        if ![b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"].iter().any(|kind| window == *kind) {
            continue;
        }
        let kind_at = start.saturating_add(length(index));
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
            chunk_of(b"tEXt", b"Creation Time\0Wed, 19 Aug 2020 17:11:11 +0800"),
            chunk_of(b"IEND", b""),
        ]);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "FrameCount"), Some(&Datum::Int(5)));
        assert_eq!(facts.find(Group::Tag, "Title"), Some(&Datum::from("caf\u{e9}")));
        let Some(Datum::Time(time)) = facts.find(Group::Time, "Modified") else { panic!("no time") };
        assert_eq!(time.clock.to_string(), "2020-02-29T12:00:01");
        let Some(Datum::Time(time)) = facts.find(Group::Time, "Created") else { panic!("no time") };
        assert_eq!((time.clock.to_string(), time.offset), ("2020-08-19T17:11:11".into(), Some(28_800)));
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
    fn colours_transparency_and_blocks_of_metadata() {
        let mut packed = Vec::new();
        let profile = icc::tests::profile_of(b"desc\0\0\0\0\0\0\0\x03P3\0");
        let encoder = flate2::read::ZlibEncoder::new(&profile[..], flate2::Compression::default());
        { encoder }.read_to_end(&mut packed).unwrap();
        let iptc = photoshop::tests::resource_of(0x0404, b"\x1C\x02\x19\0\x03sea");
        let hex: String = iptc.iter().map(|byte| format!("{byte:02x}")).collect();
        let facts = read(&[
            chunk_of(b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\x03\0\0\0"),
            chunk_of(b"iCCP", &[&b"any\0\0"[..], &packed].concat()),
            chunk_of(b"cICP", &[9, 16, 0, 1]),
            chunk_of(b"tRNS", b"\0"),
            chunk_of(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<rdf:Description dc:title='x'/>"),
            chunk_of(b"tEXt", format!("Raw profile type iptc\0\niptc\n  {}\n{hex}\n", iptc.len()).as_bytes()),
        ]);
        let of = |group, tag| facts.find(group, tag).cloned();
        assert_eq!(of(Group::Icc, "ProfileDescription"), Some(Datum::from("P3")));
        assert_eq!(of(Group::Header, "ColorPrimaries"), Some(Datum::Int(9)));
        assert_eq!(of(Group::Header, "HasAlpha"), Some(Datum::Int(1)));
        assert_eq!(of(Group::Header, "ColorSpace"), Some(Datum::from("Palette")));
        assert_eq!(of(Group::Xmp, "dc:title"), Some(Datum::from("x")));
        assert_eq!(of(Group::Iptc, "Keywords"), Some(Datum::from("sea")));
        assert_eq!(facts.warnings, []);
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
