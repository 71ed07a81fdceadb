//! JPEG XL: codestream header (ISO/IEC 18181-1, annex D) bare or in boxes (ISO/IEC 18181-2).

use super::exif;
use crate::extract::container::bmff;
use crate::extract::{Facts, Group, Input, Parsed};

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
            b"Exif" => {
                let skip = u64::from(input.u32_be("TIFF header offset")?);
                input.skip(skip, "TIFF header")?;
                exif::parse(input, facts)
            }
            _ => Ok(()),
        };
        facts.tolerate(result).map(drop)
    })
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

    /// `U32(Bits(9), Bits(13), Bits(18), Bits(30))` plus 1 (D.2).
    fn side(&mut self) -> Option<u32> {
        let count = match self.take(2)? {
            0 => 9,
            1 => 13,
            2 => 18,
            _ => 30,
        };
        self.take(count)?.checked_add(1)
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
    // all_default, extra_fields, then the orientation less one.
    if let (Some(0), Some(1), Some(orientation)) = (bits.take(1), bits.take(1), bits.take(3)) {
        let orientation = i64::from(orientation).saturating_add(1);
        facts.add(input.format(), Group::Header, "Orientation", at, orientation);
    }
    Ok(())
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
}
