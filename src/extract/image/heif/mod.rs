//! HEIC, HEIF and AVIF (ISO/IEC 23008-12; AVIF 1.1): the primary item's size and rotation, and the EXIF item.

mod items;

use super::exif;
use crate::extract::container::bmff;
use crate::extract::{Facts, Group, Input, Parsed};
use items::{Items, Property};

/// Reads the `meta` box; image sequences without one give the size of their track.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut items = Items::default();
    let mut movie = None;
    while let Some(head) = bmff::next(input)? {
        match &head.kind {
            b"meta" => {
                let result = input.within(head.body.clone(), "meta box", |input| items.read(input));
                facts.tolerate(result)?;
                break;
            }
            b"moov" => movie = Some(head.body.clone()),
            _ => {}
        }
        input.seek(head.body.end, "next box")?;
    }
    let found = primary(input, facts, &items);
    if !found && let Some(body) = movie {
        let result = input.within(body, "moov box", |input| track(input, facts));
        facts.tolerate(result)?;
    }
    exif_item(input, facts, &items)
}

/// Size, bit depth and rotation of the primary item. Returns whether there is a size.
fn primary(input: &Input<'_>, facts: &mut Facts, items: &Items) -> bool {
    let mut turns = None;
    let mut mirrored = false;
    let mut sized = false;
    for property in items.properties_of(items.primary) {
        match *property {
            Property::Size { width, height, at } if !sized => {
                super::size(input, facts, at, width, height);
                sized = true;
            }
            Property::Rotation { quarters, at } => turns = Some((quarters, at)),
            Property::Mirror => mirrored = true,
            Property::Depth { bits, channels, at } => {
                super::field(input, facts, at, "BitsPerSample", u32::from(bits));
                super::field(input, facts, at, "ColorComponents", u32::from(channels));
            }
            _ => {}
        }
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
    sized
}

/// The item of type `Exif`: an offset to the TIFF header, then the block (ISO/IEC 23008-12, A.2.1).
fn exif_item(input: &mut Input<'_>, facts: &mut Facts, items: &Items) -> Parsed<()> {
    let Some(range) = items.extent_of(*b"Exif") else { return Ok(()) };
    let result = input.within(range, "EXIF item", |input| {
        let skip = u64::from(input.u32_be("TIFF header offset")?);
        input.skip(skip, "TIFF header")?;
        exif::parse(input, facts)
    });
    facts.tolerate(result).map(drop)
}

/// Width and height of the first track with a picture (`tkhd`, ISO/IEC 14496-12, 8.3.2): 16.16 fixed point.
fn track(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let mut sized = false;
    bmff::each(input, |input, head| match &head.kind {
        b"trak" if !sized => bmff::each(input, |input, head| {
            if head.kind != *b"tkhd" {
                return Ok(());
            }
            let at = head.body.end.saturating_sub(8);
            input.seek(at, "track size")?;
            let (width, height) = (input.u32_be("width")? >> 16, input.u32_be("height")? >> 16);
            if width > 0 && height > 0 {
                super::size(input, facts, at, width, height);
                sized = true;
            }
            Ok(())
        }),
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

    /// A file of item 1 (grid, rotated) and item 2 (Exif), whose EXIF lies in `idat`.
    fn sample() -> Vec<u8> {
        let tiff = exif::tests::block_of([&[(0x10F, 2, 6, b"Maker\0".to_vec())], &[], &[]]);
        let exif = [&6_u32.to_be_bytes()[..], b"Exif\0\0", &tiff].concat();
        let infe = |id: u8, kind: &[u8; 4]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], &kind[..], &[0]].concat());
        let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 2][..], &infe(1, b"grid"), &infe(2, b"Exif")].concat());
        let mut iloc = vec![1, 0, 0, 0, 0x44, 0, 0, 1, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
        iloc.extend((exif.len() as u32).to_be_bytes());
        let ispe =
            |w: u16, h: u16| boxed(b"ispe", &[&[0; 6][..], &w.to_be_bytes(), &[0, 0], &h.to_be_bytes()].concat());
        let ipco = boxed(b"ipco", &[ispe(64, 64), ispe(320, 240), boxed(b"irot", &[3])].concat());
        let ipma = boxed(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2, 2, 0x83]);
        let meta = [
            &[0, 0, 0, 0][..],
            &boxed(b"pitm", &[0, 0, 0, 0, 0, 1]),
            &iinf,
            &boxed(b"iloc", &iloc),
            &boxed(b"iprp", &[ipco, ipma].concat()),
            &boxed(b"idat", &exif),
        ];
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), boxed(b"meta", &meta.concat())].concat()
    }

    #[test]
    fn primary_item_rotation_and_exif_in_idat() {
        let data = sample();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.warnings, []);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
        assert_eq!(facts.find(Group::Header, "Orientation"), Some(&Datum::Int(6)));
        assert_eq!(facts.find(Group::Exif, "Make"), Some(&Datum::from("Maker")));
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
