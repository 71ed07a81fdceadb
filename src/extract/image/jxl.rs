//! JPEG XL: codestream header (ISO/IEC 18181-1, annex D) bare or in boxes (ISO/IEC 18181-2).

use crate::extract::container::bmff;
use crate::extract::embedded::{exif, xmp};
use crate::extract::{Facts, Group, Input, Parsed};
use brotli_decompressor::Decompressor;
use std::io::Read;

/// Reads a bare codestream or a boxed file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    if input.peek_array::<2>("signature")? == [0xFF, 0x0A] {
        return codestream(input, facts);
    }
    let mut seen = false;
    bmff::each(input, |input, head| {
        let result = match &head.kind {
            b"jxlc" if !seen => {
                seen = true;
                codestream(input, facts)
            }
            // A part of the codestream behind its number.
            b"jxlp" if !seen => {
                seen = true;
                input.skip(4, "part number")?;
                codestream(input, facts)
            }
            b"Exif" => exif::item(input, facts),
            b"xml " => xmp::parse(input, facts),
            b"brob" => packed(input, facts),
            _ => Ok(()),
        };
        facts.tolerate(result).map(drop)
    })
}

/// Bytes that a packed box may have.
const PACKED: u64 = 1 << 20;
/// Bytes that it may unpack to.
const UNPACKED: u64 = 1 << 20;

/// A box packed with Brotli: the type that it has, then its packed contents (ISO/IEC 18181-2, 9.5).
fn packed(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    let parse = match &input.array("type of the packed box")? {
        b"Exif" => exif::item,
        b"xml " => xmp::parse,
        _ => return Ok(()),
    };
    let bytes = input.take_up_to(PACKED)?;
    let mut contents = Vec::new();
    let unpacked = Decompressor::new(bytes.as_slice(), 4096).take(UNPACKED).read_to_end(&mut contents);
    if let Err(error) = unpacked {
        return Err(input.malformed_at(at, format!("the packed box cannot be unpacked: {error}")));
    }
    let mark = facts.mark();
    let result = parse(&mut input.unpacked(&contents), facts);
    facts.found_in(mark, at);
    result
}

/// Bits, lowest first (18181-1, B.2.1).
struct Bits {
    value: u128,
    left: u32,
}

impl Bits {
    fn take(&mut self, count: u32) -> Option<u32> {
        self.left = self.left.checked_sub(count)?;
        let mask = 1_u128.checked_shl(count)?.checked_sub(1)?;
        let bits = u32::try_from(self.value & mask).ok()?;
        self.value = self.value.checked_shr(count)?;
        Some(bits)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// `U32` (B.2.2): two bits choose how many bits follow, and what is added to them.
    fn choice(&mut self, ways: [(u32, u32); 4]) -> Option<u32> {
        let chosen = usize::try_from(self.take(2)?).ok()?;
        let (base, count) = ways.get(chosen)?;
        self.take(*count)?.checked_add(*base)
    }

    /// `Enum` (B.2.6).
    fn enumeration(&mut self) -> Option<u32> {
        self.choice([(0, 0), (1, 0), (2, 4), (18, 6)])
    }

    /// A side of the size header (D.2).
    fn side(&mut self) -> Option<u32> {
        self.choice([(1, 9), (1, 13), (1, 18), (1, 30)])
    }

    /// Either of the two ways to write a side (D.2).
    fn small_or_side(&mut self, small: bool) -> Option<u32> {
        if small { self.take(5)?.checked_add(1)?.checked_mul(8) } else { self.side() }
    }
}

/// Width to height (D.2, table D.1), by `ratio`.
static RATIOS: [(u32, u32); 7] = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)];

fn size_header(bits: &mut Bits) -> Option<(u32, u32)> {
    let small = bits.take(1)? == 1;
    let height = bits.small_or_side(small)?;
    let width = match bits.take(3)?.checked_sub(1) {
        None => bits.small_or_side(small)?,
        Some(ratio) => {
            let (over, under) = RATIOS.get(usize::try_from(ratio).ok()?)?;
            let width = u64::from(height).checked_mul(u64::from(*over))?.checked_div(u64::from(*under))?;
            u32::try_from(width).ok()?
        }
    };
    Some((width, height))
}

/// Signature, size header and the start of the image metadata (D.2, D.3).
fn codestream(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let at = input.position();
    input.skip(2, "signature")?;
    let bytes = input.peek_up_to(16)?;
    let mut value = [0_u8; 16];
    for (to, from) in value.iter_mut().zip(bytes) {
        *to = *from;
    }
    let left = u32::try_from(bytes.len()).unwrap_or(0).saturating_mul(8);
    let mut bits = Bits { value: u128::from_le_bytes(value), left };
    let Some((width, height)) = size_header(&mut bits) else {
        return Err(input.malformed_at(at, "the file ends inside the size header"));
    };
    super::size(input, facts, at, width, height);
    let mut image = Image::default();
    // Where the bits run out what was read so far stands.
    let _ = image.read(&mut bits);
    image.add(input, facts, at);
    Ok(())
}

/// What the image metadata (D.3) says, with its defaults.
struct Image {
    orientation: Option<u32>,
    animated: bool,
    bits: u32,
    alpha: Option<bool>,
    space: &'static str,
}

impl Default for Image {
    fn default() -> Image {
        Image { orientation: None, animated: false, bits: 8, alpha: None, space: "RGB" }
    }
}

impl Image {
    fn read(&mut self, bits: &mut Bits) -> Option<()> {
        if bits.flag()? {
            self.alpha = Some(false);
            return Some(());
        }
        if bits.flag()? {
            self.orientation = Some(bits.take(3)?.checked_add(1)?);
            if bits.flag()? {
                size_header(bits)?;
            }
            if bits.flag()? {
                preview(bits)?;
            }
            self.animated = bits.flag()?;
            if self.animated {
                animation(bits)?;
            }
        }
        self.bits = depth(bits)?;
        bits.flag()?;
        let channels = bits.choice([(0, 0), (1, 0), (2, 4), (1, 12)])?;
        self.alpha = Some(false);
        // An alpha channel of eight bits says no more than that it is one (D.3.6); writers put alpha first.
        if channels > 0 {
            self.alpha = Some(bits.flag()? || bits.enumeration()? == 0);
        }
        // With more channels, or a first one with fields of its own, the colours are too far to be worth the way.
        if channels == 0 {
            bits.flag()?;
            if !bits.flag()? {
                bits.flag()?;
                self.space = ["RGB", "Grayscale", "XYB", "Other"].get(usize::try_from(bits.enumeration()?).ok()?)?;
            }
        }
        Some(())
    }

    fn add(&self, input: &Input<'_>, facts: &mut Facts, at: u64) {
        if let Some(orientation) = self.orientation {
            facts.add(input.format(), Group::Header, "Orientation", at, i64::from(orientation));
        }
        super::field(input, facts, at, "BitsPerSample", self.bits);
        super::color_space(input, facts, at, self.space);
        if let Some(alpha) = self.alpha {
            super::alpha(input, facts, at, alpha);
        }
        if self.animated {
            super::field(input, facts, at, "Animated", 1);
        }
    }
}

/// Preview header (D.3.4): only to get behind it.
fn preview(bits: &mut Bits) -> Option<()> {
    let ways = match bits.flag()? {
        true => [(16, 0), (32, 0), (1, 5), (33, 9)],
        false => [(1, 6), (65, 8), (321, 10), (1345, 12)],
    };
    bits.choice(ways)?;
    if bits.take(3)? == 0 {
        bits.choice(ways)?;
    }
    Some(())
}

/// Animation header (D.3.5): only to get behind it.
fn animation(bits: &mut Bits) -> Option<()> {
    bits.choice([(100, 0), (1000, 0), (1, 10), (1, 30)])?;
    bits.choice([(1, 0), (1001, 0), (1, 8), (1, 10)])?;
    bits.choice([(0, 0), (0, 3), (0, 16), (0, 32)])?;
    bits.flag().map(drop)
}

/// Bit depth (D.3.3), of whole numbers or of floats.
fn depth(bits: &mut Bits) -> Option<u32> {
    if bits.flag()? {
        let depth = bits.choice([(32, 0), (16, 0), (24, 0), (1, 6)])?;
        bits.take(4)?;
        return Some(depth);
    }
    bits.choice([(8, 0), (10, 0), (12, 0), (1, 6)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Limits};

    fn pack(fields: &[(u32, u32)]) -> Vec<u8> {
        let mut value = 0_u128;
        let mut at = 0;
        for (bits, count) in fields {
            value |= u128::from(*bits) << at;
            at += count;
        }
        [&[0xFF, 0x0A], &value.to_le_bytes()[..]].concat()
    }

    fn read(fields: &[(u32, u32)]) -> Facts {
        let data = pack(fields);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        facts
    }

    #[test]
    fn packed_boxes() {
        // One uncompressed meta-block (RFC 7932, 9.2): window bits 16, not last, 4 nibbles of length less one, then the
        // bytes; an empty last block. The packet has 32 bytes.
        let packet = b"<rdf:Description dc:title='x' />";
        let brotli = [&[0xF0, 0x01, 0x10][..], packet, &[0x03]].concat();
        let boxed =
            |kind: &[u8; 4], body: &[u8]| [&[0, 0, 0, u8::try_from(body.len() + 8).unwrap()][..], kind, body].concat();
        let good = boxed(b"brob", &[&b"xml "[..], &brotli].concat());
        let bad = boxed(b"brob", b"Exif\xFF\xFF\xFF");
        let data = [boxed(b"JXL ", b"\r\n\x87\n"), bad, good].concat();
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Xmp, "dc:title"), Some(&Datum::from("x")), "{:?}", facts.warnings);
        assert_eq!(facts.warnings.len(), 1);
    }

    #[test]
    fn small_ratio_and_explicit_sizes() {
        type Row<'a> = (&'a [(u32, u32)], i64, i64);
        let table: [Row<'_>; 3] = [
            (&[(1, 1), (29, 5), (3, 3)], 320, 240),
            (&[(0, 1), (1, 2), (1079, 13), (5, 3)], 1920, 1080),
            (&[(0, 1), (0, 2), (99, 9), (0, 3), (2, 2), (199_999, 18)], 200_000, 100),
        ];
        for (fields, width, height) in table {
            let facts = read(fields);
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(width)));
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(height)));
        }
        let turned = read(&[(1, 1), (29, 5), (3, 3), (0, 1), (1, 1), (5, 3)]);
        assert_eq!(turned.find(Group::Header, "Orientation"), Some(&Datum::Int(6)));
    }

    #[test]
    fn depth_alpha_animation_and_colours() {
        let size: [(u32, u32); 3] = [(1, 1), (29, 5), (3, 3)];
        // Not all default, no extra fields, ten bits, small buffers, no extra channel, XYB, colours of their own: grey.
        let grey = [(0, 1), (0, 1), (0, 1), (1, 2), (1, 1), (0, 2), (1, 1), (0, 1), (0, 1), (1, 2)];
        let facts = read(&[&size[..], &grey].concat());
        let of = |facts: &Facts, tag| facts.find(Group::Header, tag).cloned();
        assert_eq!(of(&facts, "BitsPerSample"), Some(Datum::Int(10)));
        assert_eq!(of(&facts, "ColorSpace"), Some(Datum::from("Grayscale")));
        assert_eq!(of(&facts, "HasAlpha"), Some(Datum::Int(0)));
        // Extra fields: orientation 1, an animation of 100/1 ticks; 16-bit floats; one default alpha channel.
        let head = [(0, 1), (1, 1), (0, 3), (0, 1), (0, 1), (1, 1), (0, 2), (0, 2), (0, 2), (0, 1)];
        let body = [(1, 1), (1, 2), (4, 4), (0, 1), (1, 2), (1, 1)];
        let facts = read(&[&size[..], &head, &body].concat());
        assert_eq!(of(&facts, "BitsPerSample"), Some(Datum::Int(16)));
        assert_eq!(of(&facts, "Animated"), Some(Datum::Int(1)));
        assert_eq!(of(&facts, "HasAlpha"), Some(Datum::Int(1)));
        let default = read(&[&size[..], &[(1, 1)]].concat());
        assert_eq!(of(&default, "HasAlpha"), Some(Datum::Int(0)));
    }
}
