//! GIF87a and GIF89a (GIF89a specification): the logical screen, and the blocks behind it as far as they are read.

use crate::extract::embedded::{decode, icc, xmp};
use crate::extract::{Facts, Group, Input, Parsed, length};

/// Bytes up to which blocks are walked: the data of frames lies in pieces of 255 bytes, so walking is reading.
const WALK: u64 = 1 << 20;
/// Bytes of a colour profile that are kept.
const PROFILE: u64 = 16 << 10;
/// Bytes of an XMP packet that are looked at.
const PACKET: u64 = 256 << 10;

/// What the blocks said so far.
#[derive(Default)]
struct Seen {
    frames: u32,
    centiseconds: u32,
    transparent: bool,
}

/// Reads the logical screen and, of files that are short enough, every block.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(6, "signature")?;
    let at = input.position();
    let (width, height) = (input.u16_le("width")?, input.u16_le("height")?);
    super::size(input, facts, at, u32::from(width), u32::from(height));
    let packed = input.u8("flags")?;
    super::field(input, facts, at, "BitsPerSample", u32::from((packed >> 4) & 7).saturating_add(1));
    super::color_space(input, facts, at, "Palette");
    input.skip(2, "background and aspect ratio")?;
    input.skip(table(packed), "colour table")?;
    let mut seen = Seen::default();
    // A count of some of the frames would be a wrong count: it is a fact only where the walk came to the end.
    if blocks(input, facts, &mut seen)? {
        super::field(input, facts, at, "FrameCount", seen.frames);
        super::field(input, facts, at, "AnimationMilliseconds", seen.centiseconds.saturating_mul(10));
        super::alpha(input, facts, at, seen.transparent);
    }
    Ok(())
}

/// Length of the colour table that the flags of a screen or a frame announce (sections 18 and 20).
fn table(packed: u8) -> u64 {
    if packed & 0x80 == 0 { 0 } else { 3_u64 << u64::from((packed & 7).saturating_add(1)) }
}

/// Walks the blocks. Returns whether it came to the end of the file.
fn blocks(input: &mut Input<'_>, facts: &mut Facts, seen: &mut Seen) -> Parsed<bool> {
    while input.position() < WALK {
        if input.at_end() {
            return Ok(true);
        }
        input.entry()?;
        let at = input.position();
        match input.u8("block")? {
            // Image descriptor (section 20): place, size, flags; a colour table; the least code size.
            0x2C => {
                input.skip(8, "place and size")?;
                let packed = input.u8("flags")?;
                input.skip(table(packed).saturating_add(1), "colour table")?;
                skip_pieces(input)?;
                seen.frames = seen.frames.saturating_add(1);
            }
            0x21 => extension(input, facts, seen)?,
            0x3B => return Ok(true),
            // Some writers put a terminator too many.
            0 => {}
            other => {
                return Err(input.malformed_at(at, format!("expected a block of kind 2c, 21 or 3b, got {other:02x}")));
            }
        }
    }
    Ok(false)
}

fn extension(input: &mut Input<'_>, facts: &mut Facts, seen: &mut Seen) -> Parsed<()> {
    let at = input.position();
    match input.u8("label")? {
        // Graphic control (section 23): size, flags, delay, the transparent colour.
        0xF9 => {
            let [_, packed, low, high] = input.array("graphic control")?;
            seen.transparent |= packed & 1 == 1;
            let delay = u32::from(u16::from_le_bytes([low, high]));
            seen.centiseconds = seen.centiseconds.saturating_add(delay);
            input.skip(1, "transparent colour")?;
            skip_pieces(input)
        }
        0xFE => {
            let text = pieces(input, super::NOTE)?;
            facts.add(input.format(), Group::Header, "Comment", at, decode(&text));
            Ok(())
        }
        0xFF => application(input, facts),
        _ => skip_pieces(input),
    }
}

/// Application extension (section 26): identifier and authentication code, then pieces.
fn application(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let len = u64::from(input.u8("size")?);
    let name = input.take(len, "application")?;
    let at = input.position();
    match name.as_slice() {
        b"XMP DataXMP" => packet(input, facts),
        b"ICCRGBG1012" => {
            let profile = pieces(input, PROFILE)?;
            let mark = facts.mark();
            let result = icc::parse(&mut input.unpacked(&profile), facts);
            facts.found_in(mark, at);
            result
        }
        b"NETSCAPE2.0" => {
            // Sub-block 1: how often the animation is shown; 0 is for ever.
            if let [1, low, high] = pieces(input, 3)?.as_slice() {
                let loops = u16::from_le_bytes([*low, *high]);
                super::field(input, facts, at, "AnimationLoops", u32::from(loops));
            }
            Ok(())
        }
        _ => skip_pieces(input),
    }
}

/// XMP is not cut into pieces: its bytes stand as they are, followed by bytes that lead any walk over pieces to the end
/// (ISO 16684-3, 6.3).
fn packet(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let start = input.position();
    let bytes = input.take_up_to(PACKET)?;
    // The trailer begins 01 FF FE FD.
    let end = bytes.windows(4).position(|window| window == [1, 0xFF, 0xFE, 0xFD]).unwrap_or(bytes.len());
    let end = start.saturating_add(length(end));
    input.within(start..end, "XMP packet", |input| xmp::parse(input, facts))?;
    skip_pieces(input)
}

/// Moves behind data sub-blocks (section 15).
fn skip_pieces(input: &mut Input<'_>) -> Parsed<()> {
    loop {
        input.entry()?;
        match input.u8("piece")? {
            0 => return Ok(()),
            len => input.skip(u64::from(len), "piece")?,
        }
    }
}

/// Data sub-blocks put together, up to `most` bytes.
fn pieces(input: &mut Input<'_>, most: u64) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        input.entry()?;
        match input.u8("piece")? {
            0 => return Ok(bytes),
            len if length(bytes.len()) < most => bytes.extend(input.take(u64::from(len), "piece")?),
            len => input.skip(u64::from(len), "piece")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn read(bytes: &[u8]) -> (Facts, Parsed<()>) {
        let data = bytes.to_vec();
        let mut facts = Facts::new(&Limits::default());
        let result = parse(&mut Input::new(&data, &Limits::default()), &mut facts);
        (facts, result)
    }

    const SCREEN: &[u8] = b"GIF89a\x0A\0\x14\x01\x91\0\0";

    #[test]
    fn logical_screen() {
        let (facts, _) = read(SCREEN);
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(10)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(276)));
        assert_eq!(facts.find(Group::Header, "BitsPerSample"), Some(&Datum::Int(2)));
    }

    #[test]
    fn frames_delays_comments_and_xmp() {
        let frame = b"\x21\xF9\x04\x01\x0A\0\0\0\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
        let trailer: Vec<u8> = [&[1][..], &(0..=255).rev().collect::<Vec<u8>>(), &[0]].concat();
        let blocks = [
            &[0; 12][..],
            b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\x05\0\0",
            frame,
            b"\x21\xFE\x02hi\x03 yo\0",
            b"\x21\xFF\x0BXMP DataXMP<rdf:Description dc:title='x'/>",
            &trailer,
            frame,
            b"\x3B",
        ];
        let (facts, result) = read(&[SCREEN, &blocks.concat()].concat());
        result.unwrap();
        let of = |group, tag| facts.find(group, tag).cloned();
        assert_eq!(of(Group::Header, "FrameCount"), Some(Datum::Int(2)));
        assert_eq!(of(Group::Header, "AnimationMilliseconds"), Some(Datum::Int(200)));
        assert_eq!(of(Group::Header, "AnimationLoops"), Some(Datum::Int(5)));
        assert_eq!(of(Group::Header, "Comment"), Some(Datum::from("hi yo")));
        assert_eq!(of(Group::Header, "HasAlpha"), Some(Datum::Int(1)));
        assert_eq!(of(Group::Xmp, "dc:title"), Some(Datum::from("x")));
        assert_eq!(facts.warnings, []);
    }

    #[test]
    fn a_cut_file_has_no_frame_count() {
        let (facts, result) = read(&[SCREEN, &[0; 12], b"\x2C\0\0\0\0\x01\0\x01\0\0\x02\xFFcut"].concat());
        assert!(result.is_err() && facts.find(Group::Header, "FrameCount").is_none());
    }
}
