//! HEIC, HEIF and AVIF (ISO/IEC 23008-12; AVIF 1.1): the primary item's size, rotation and colours, the items that are
//! metadata, and the frames of sequences.

mod items;
mod mini;

use crate::extract::container::bmff;
use crate::extract::embedded::{exif, icc, xmp};
use crate::extract::stream::seconds;
use crate::extract::{Facts, Group, Input, Parsed};
use items::{Items, Property};
use std::ops::Range;

/// Seconds, a century, above which a sequence is taken to play for ever.
const ENDLESS: f64 = 3.2e9;

/// Reads the `meta` box; image sequences without one give the size of their track.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut items = None;
    let mut movie = None;
    while let Some(head) = bmff::next(input)? {
        match &head.kind {
            b"meta" => {
                let found: &mut Items = items.insert(Items::default());
                let result = input.within(head.body.clone(), "meta box", |input| found.read(input));
                facts.tolerate(result)?;
            }
            b"mini" => {
                let result = input.within(head.body.clone(), "mini box", |input| mini::read(input, facts));
                facts.tolerate(result)?;
            }
            b"moov" => movie = Some(head.body.clone()),
            // What a file says of itself stands before its pixels, or else behind them.
            b"mdat" if items.is_some() => break,
            _ => {}
        }
        input.seek(head.body.end, "next box")?;
    }
    let items = items.unwrap_or_default();
    let sized = primary(input, facts, &items)?;
    if let Some(body) = movie {
        let result = input.within(body, "moov box", |input| sequence(input, facts, sized));
        facts.tolerate(result)?;
    }
    metadata(input, facts, "EXIF item", items.exif(), exif::item)?;
    items.xmp().try_for_each(|packet| metadata(input, facts, "XMP item", Some(packet), xmp::parse))
}

/// Runs `parse` on an item, where there is one.
fn metadata(
    input: &mut Input<'_>,
    facts: &mut Facts,
    what: &str,
    range: Option<Range<u64>>,
    parse: fn(&mut Input<'_>, &mut Facts) -> Parsed<()>,
) -> Parsed<()> {
    let Some(range) = range else { return Ok(()) };
    let result = input.within(range, what, |input| parse(input, facts));
    facts.tolerate(result).map(drop)
}

/// The primary item's properties. Returns whether there is a size among them.
fn primary(input: &mut Input<'_>, facts: &mut Facts, items: &Items) -> Parsed<bool> {
    let mut turns = None;
    let mut mirrored = false;
    let mut sized = false;
    let mut coded = None;
    let mut stated = false;
    for property in items.properties_of(items.primary) {
        match property.clone() {
            Property::Size { width, height, at } if !sized => {
                super::size(input, facts, at, width, height);
                super::alpha(input, facts, at, items.has_alpha());
                sized = true;
            }
            Property::Rotation { quarters, at } => turns = Some((quarters, at)),
            Property::Mirror => mirrored = true,
            Property::Depth { bits, channels, at } => {
                stated = true;
                super::field(input, facts, at, "BitsPerSample", u32::from(bits));
                super::field(input, facts, at, "ColorComponents", u32::from(channels));
            }
            Property::Coded { bits, at } => coded = Some((bits, at)),
            Property::CodePoints { points, at } => super::code_points(input, facts, at, points),
            Property::Profile(range) => metadata(input, facts, "colour profile", Some(range), icc::parse)?,
            _ => {}
        }
    }
    // A grid may leave its profile to its tiles.
    let own = items.properties_of(items.primary).any(|property| matches!(property, Property::Profile(_)));
    if let Some(profile) = items.profile().filter(|_| !own && sized) {
        metadata(input, facts, "colour profile", Some(profile), icc::parse)?;
    }
    if let (Some((bits, at)), false, true) = (coded.or(items.coded()), stated, sized) {
        super::field(input, facts, at, "BitsPerSample", u32::from(bits));
    }
    if let (Some((quarters, at)), false) = (turns, mirrored) {
        // Anticlockwise quarters (ISO/IEC 23008-12, 6.5.10) as EXIF writes them (EXIF 2.32, 4.6.4 A).
        let orientation = match quarters {
            1 => 8_i64,
            2 => 3,
            3 => 6,
            _ => 1,
        };
        facts.add(input.format(), Group::Header, "Orientation", at, orientation);
    }
    Ok(sized)
}

/// The first track with a picture: its size (`tkhd`, ISO/IEC 14496-12, 8.3.2, in 16.16 fixed point) where no item has one,
/// and its frames (`stsz`, 8.7.3).
fn sequence(input: &mut Input<'_>, facts: &mut Facts, mut sized: bool) -> Parsed<()> {
    let mut found = false;
    bmff::each(input, |input, head| match &head.kind {
        b"mvhd" => length_of(input, facts),
        b"trak" if !found => bmff::each(input, |input, head| match &head.kind {
            b"tkhd" => {
                let at = head.body.end.saturating_sub(8);
                input.seek(at, "track size")?;
                let (width, height) = (input.u32_be("width")? >> 16, input.u32_be("height")? >> 16);
                found = width > 0 && height > 0;
                if found && !sized {
                    super::size(input, facts, at, width, height);
                    sized = true;
                }
                Ok(())
            }
            b"mdia" if found => frames(input, facts),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

/// How long a sequence plays, its repetitions included (ISO/IEC 14496-12, 8.2.2; AVIF 1.1, 6.3.1.2): nothing where it plays
/// for ever.
fn length_of(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let (version, _) = bmff::version_and_flags(input)?;
    input.skip(if version == 1 { 16 } else { 8 }, "times")?;
    let scale = input.u32_be("time scale")?;
    let (ticks, endless) = if version == 1 {
        (input.u64_be("duration")?, u64::MAX)
    } else {
        (input.u32_be("duration")?.into(), u32::MAX.into())
    };
    let played = seconds(ticks, scale).filter(|d| *d > 0.0 && *d < ENDLESS && ticks != endless);
    played.into_iter().for_each(|d| facts.add(input.format(), Group::Media, "Duration", at, d));
    Ok(())
}

fn frames(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    bmff::each(input, |input, head| match &head.kind {
        b"minf" | b"stbl" => frames(input, facts),
        b"stsz" => {
            input.skip(8, "version, flags, sample size")?;
            let at = input.position();
            let count = input.u32_be("number of samples")?;
            super::field(input, facts, at, "FrameCount", count);
            Ok(())
        }
        _ => Ok(()),
    })
}

#[cfg(test)]
#[expect(clippy::big_endian_bytes, reason = "the formats under test are big-endian")]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    /// A file of item 1 (grid, rotated), item 2 (Exif), item 3 (XMP) and item 4 (alpha), whose metadata lies in `idat`.
    fn sample() -> Vec<u8> {
        let tiff = exif::tests::block_of([&[(0x10F, 2, 6, b"Maker\0".to_vec())], &[], &[]]);
        let exif = [&6_u32.to_be_bytes()[..], b"Exif\0\0", &tiff].concat();
        let packet = b"<rdf:Description dc:title='x'/>";
        let infe = |id: u8, kind: &[u8; 4], rest: &[u8]| {
            boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], &kind[..], b"name\0", rest].concat())
        };
        let infes = [
            infe(1, b"grid", b""),
            infe(2, b"Exif", b""),
            infe(3, b"mime", b"application/rdf+xml\0"),
            infe(4, b"av01", b""),
        ];
        let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 4][..], &infes.concat()].concat());
        let mut iloc = vec![1, 0, 0, 0, 0x44, 0, 0, 2];
        for (id, at, len) in [(2, 0, exif.len()), (3, exif.len(), packet.len())] {
            iloc.extend([0, id, 0, 1, 0, 0, 0, 1]);
            iloc.extend((at as u32).to_be_bytes());
            iloc.extend((len as u32).to_be_bytes());
        }
        let ispe =
            |w: u16, h: u16| boxed(b"ispe", &[&[0; 6][..], &w.to_be_bytes(), &[0, 0], &h.to_be_bytes()].concat());
        let properties = [
            ispe(64, 64),
            ispe(320, 240),
            boxed(b"irot", &[3]),
            boxed(b"auxC", b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"),
            boxed(b"colr", b"nclx\0\x09\0\x10\0\x09\x80"),
            boxed(b"av1C", &[0x81, 0, 0x40, 0]),
            boxed(b"colr", &[b"prof".to_vec(), icc::tests::profile_of(b"desc\0\0\0\0\0\0\0\x03P3\0")].concat()),
        ];
        let ipco = boxed(b"ipco", &properties.concat());
        let ipma = boxed(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 5, 2, 0x83, 5, 6, 7, 0, 4, 1, 4]);
        let meta = [
            &[0, 0, 0, 0][..],
            &boxed(b"pitm", &[0, 0, 0, 0, 0, 1]),
            &iinf,
            &boxed(b"iref", &[vec![0; 4], boxed(b"auxl", &[0, 4, 0, 1, 0, 1])].concat()),
            &boxed(b"iloc", &iloc),
            &boxed(b"iprp", &[ipco, ipma].concat()),
            &boxed(b"idat", &[&exif[..], packet].concat()),
        ];
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), boxed(b"meta", &meta.concat())].concat()
    }

    #[test]
    fn primary_item_and_metadata_in_idat() {
        let data = sample();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.warnings, []);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
        assert_eq!(facts.find(Group::Header, "Orientation"), Some(&Datum::Int(6)));
        assert_eq!(facts.find(Group::Exif, "Make"), Some(&Datum::from("Maker")));
        assert_eq!(facts.find(Group::Xmp, "dc:title"), Some(&Datum::from("x")));
        assert_eq!(facts.find(Group::Icc, "ProfileDescription"), Some(&Datum::from("P3")));
        for (tag, value) in [("HasAlpha", 1), ("BitsPerSample", 10), ("TransferCharacteristics", 16), ("FullRange", 1)]
        {
            assert_eq!(facts.find(Group::Header, tag), Some(&Datum::Int(value)), "{tag}");
        }
    }

    #[test]
    fn frames_of_a_sequence() {
        let mut tkhd = vec![0; 84];
        tkhd[76..84].copy_from_slice(&[1, 64, 0, 0, 0, 240, 0, 0]);
        let stsz = boxed(b"stsz", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12]);
        let mdia = boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &stsz)));
        let trak = boxed(b"trak", &[boxed(b"tkhd", &tkhd), mdia].concat());
        let data = [boxed(b"ftyp", b"avis\0\0\0\0avif"), boxed(b"moov", &trak)].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "FrameCount"), Some(&Datum::Int(12)));
    }

    #[test]
    fn every_cut_and_flip_ends() {
        let whole = sample();
        for end in 0..whole.len() {
            let cut = whole[..end].to_vec();
            let mut facts = Facts::new(&Limits::default());
            let _ = parse(&mut Input::new(&cut, &Limits::default()), &mut facts);
            let mut flipped = whole.clone();
            flipped[end] ^= 0xFF;
            let _ = parse(&mut Input::new(&flipped, &Limits::default()), &mut facts);
            assert!(facts.facts.len() < 100);
        }
    }
}
