//! WebP (RFC 9649): lossy, lossless and extended files.

use crate::extract::container::riff::{self, Lengths};
use crate::extract::embedded::{exif, icc, xmp};
use crate::extract::{Facts, Input, Parsed};

/// Flags of the VP8X chunk (section 2.7.1) that announce chunks behind the image data.
const BEHIND: u8 = XMP | EXIF | ANIMATION;
const XMP: u8 = 0x04;
const EXIF: u8 = 0x08;
const ALPHA: u8 = 0x10;
/// The flag of a colour profile, which stands between the VP8X chunk and the image data.
const PROFILE: u8 = 0x20;
const ANIMATION: u8 = 0x02;

/// Bytes of a frame that are read: its head and that of its chunk.
const HEAD: u64 = 32;

/// What the chunks said so far.
#[derive(Default)]
struct Seen {
    /// The flags of an extended file.
    extended: Option<u8>,
    frames: u32,
    milliseconds: u32,
}

/// Reads the chunks that carry sizes, frames and blocks of metadata.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(12, "RIFF header")?;
    let mut seen = Seen::default();
    let result = chunks(input, facts, &mut seen);
    input.set_stride(None);
    if seen.frames > 0 {
        super::field(input, facts, 0, "FrameCount", seen.frames);
        super::field(input, facts, 0, "AnimationMilliseconds", seen.milliseconds);
    }
    result
}

fn chunks(input: &mut Input<'_>, facts: &mut Facts, seen: &mut Seen) -> Parsed<()> {
    while let Some(chunk) = riff::next(input, Lengths::Little)? {
        let first = seen.extended.is_none();
        let result = input.within(chunk.body.clone(), "chunk", |input| match &chunk.kind {
            b"VP8X" => {
                seen.extended = Some(canvas(input, facts)?);
                Ok(())
            }
            b"VP8 " if first => lossy(input, facts),
            b"VP8L" if first => lossless(input, facts),
            b"ANMF" => frame(input, seen),
            b"ICCP" => icc::parse(input, facts),
            b"EXIF" => exif::identified(input, facts),
            // The specification says "XMP ", an early library wrote a zero.
            b"XMP " | b"XMP\0" => xmp::parse(input, facts),
            _ => Ok(()),
        });
        facts.tolerate(result)?;
        // What is behind the image data an extended file announces (section 2.7).
        let profile_follows = |flags| chunk.kind == *b"VP8X" && flags & PROFILE != 0;
        if seen.extended.is_none_or(|flags| flags & BEHIND == 0 && !profile_follows(flags)) {
            break;
        }
        // Frames are stepped over by their heads: reading on between them would read the whole file.
        input.set_stride((chunk.kind == *b"ANMF").then_some(HEAD));
        riff::leave(input, &chunk)?;
    }
    Ok(())
}

/// A frame of an animation (section 2.7.1.1): place and size in 24 bits each, then how long it is shown.
fn frame(input: &mut Input<'_>, seen: &mut Seen) -> Parsed<()> {
    seen.frames = seen.frames.saturating_add(1);
    input.skip(12, "place and size")?;
    seen.milliseconds = seen.milliseconds.saturating_add(input.u24_le("duration")?);
    Ok(())
}

/// Section 2.7.1: flags, reserved bytes, width and height less one.
fn canvas(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<u8> {
    let at = input.position();
    let flags = input.u8("flags")?;
    input.skip(3, "reserved")?;
    let (width, height) = (input.u24_le("width")?, input.u24_le("height")?);
    super::size(input, facts, at, width.saturating_add(1), height.saturating_add(1));
    super::alpha(input, facts, at, flags & ALPHA != 0);
    super::field(input, facts, at, "BitsPerSample", 8);
    Ok(flags)
}

/// RFC 6386, section 9.1: the frame tag, the start code and two 14-bit sizes with a scale in the upper bits.
fn lossy(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    input.skip(3, "frame tag")?;
    let start: [u8; 3] = input.array("start code")?;
    if start != [0x9D, 0x01, 0x2A] {
        return Err(input.malformed_at(at, format!("expected the VP8 start code 9d012a, got {start:02x?}")));
    }
    let (width, height) = (input.u16_le("width")?, input.u16_le("height")?);
    super::size(input, facts, at, u32::from(width & 0x3FFF), u32::from(height & 0x3FFF));
    super::alpha(input, facts, at, false);
    super::field(input, facts, at, "BitsPerSample", 8);
    Ok(())
}

/// Section 3.4: signature 0x2F, then width and height less one in 14 bits each, and whether alpha is used.
fn lossless(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let signature = input.u8("signature")?;
    if signature != 0x2F {
        return Err(input.malformed_at(at, format!("expected the VP8L signature 2f, got {signature:02x}")));
    }
    let bits = input.u32_le("size")?;
    let (width, height) = (bits & 0x3FFF, (bits >> 14) & 0x3FFF);
    super::size(input, facts, at, width.saturating_add(1), height.saturating_add(1));
    super::alpha(input, facts, at, (bits >> 28) & 1 == 1);
    super::field(input, facts, at, "BitsPerSample", 8);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    fn read(chunks: &[u8]) -> Facts {
        let data = [b"RIFF\0\0\0\0WEBP", chunks].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    fn sized(facts: &Facts, width: i64, height: i64) {
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(width)));
        assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(height)));
    }

    #[test]
    fn three_kinds_of_files() {
        sized(&read(b"VP8 \x0A\0\0\0\0\0\0\x9D\x01\x2A\x40\x41\xF0\0"), 320, 240);
        sized(&read(b"VP8L\x05\0\0\0\x2F\x3F\xC1\x3B\0\0"), 320, 240);
        let tiff = exif::tests::block_of([&[(0x112, 3, 1, vec![6, 0])], &[], &[]]);
        let mut file = b"VP8X\x0A\0\0\0\x08\0\0\0\x3F\x01\0\xEF\0\0VP8L\x01\0\0\0\x2F\0EXIF".to_vec();
        file.extend((tiff.len() as u32).to_le_bytes());
        file.extend(tiff);
        let facts = read(&file);
        sized(&facts, 320, 240);
        assert_eq!(facts.find(Group::Exif, "Orientation"), Some(&Datum::Int(6)));
    }

    #[test]
    fn frames_are_counted_and_what_follows_them_is_read() {
        let frame = |ms: u8| [&b"ANMF\x11\0\0\0"[..], &[0; 12], &[ms, 0, 0, 0, 0, 0]].concat();
        let packet = b"<rdf:Description dc:title='x'/>";
        let mut file = b"VP8X\x0A\0\0\0\x16\0\0\0\x3F\x01\0\xEF\0\0".to_vec();
        file.extend([frame(100), frame(50), b"XMP \x1F\0\0\0".to_vec(), packet.to_vec()].concat());
        let facts = read(&file);
        assert_eq!(facts.find(Group::Header, "FrameCount"), Some(&Datum::Int(2)));
        assert_eq!(facts.find(Group::Header, "AnimationMilliseconds"), Some(&Datum::Int(150)));
        assert_eq!(facts.find(Group::Header, "HasAlpha"), Some(&Datum::Int(1)));
        assert_eq!(facts.find(Group::Xmp, "dc:title"), Some(&Datum::from("x")));
    }
}
