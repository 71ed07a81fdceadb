//! BMP: the file header and the six DIB headers (Microsoft GDI, `BITMAPFILEHEADER`, `BITMAPCOREHEADER`,
//! `BITMAPINFOHEADER` and its successors).

use crate::extract::{Facts, Input, Parsed};

/// Reads the DIB header.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    input.skip(14, "file header")?;
    let at = input.position();
    let header = input.u32_le("DIB header size")?;
    let (width, height) = if header == 12 {
        (u32::from(input.u16_le("width")?), u32::from(input.u16_le("height")?))
    } else {
        // A negative height means rows from top to bottom.
        (input.i32_le("width")?.unsigned_abs(), input.i32_le("height")?.unsigned_abs())
    };
    super::size(input, facts, at, width, height);
    input.skip(2, "planes")?;
    let bits = input.u16_le("bits per pixel")?;
    super::field(input, facts, at, "BitsPerPixel", u32::from(bits));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn core_and_info_headers() {
        let core = b"BM............\x0C\0\0\0\x40\x01\xF0\0\x01\0\x18\0".to_vec();
        let info = b"BM............\x28\0\0\0\x40\x01\0\0\x10\xFF\xFF\xFF\x01\0\x20\0".to_vec();
        for data in [core, info] {
            let mut facts = Facts::new(&Limits::default());
            parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(320)));
            assert_eq!(facts.find(Group::Header, "ImageHeight"), Some(&Datum::Int(240)));
        }
    }
}
