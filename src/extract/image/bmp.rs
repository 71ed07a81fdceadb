//! BMP: the file header and the six DIB headers (Microsoft GDI, `BITMAPFILEHEADER`, `BITMAPCOREHEADER`,
//! `BITMAPINFOHEADER` and its successors).

use crate::extract::embedded::icc;
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
    super::color_space(input, facts, at, if bits <= 8 { "Palette" } else { "RGB" });
    let alpha = header >= V3 && alpha_mask(input, at)? != 0;
    super::alpha(input, facts, at, alpha);
    if header >= V5 {
        profile(input, facts, at)?;
    }
    Ok(())
}

/// Length of the first header with a mask for alpha.
const V3: u32 = 56;
/// Length of the header with a colour profile.
const V5: u32 = 124;

/// The mask of the alpha channel (`BITMAPV4HEADER.bV4AlphaMask`): it counts where the pixels have masks at all.
fn alpha_mask(input: &mut Input<'_>, header: u64) -> Parsed<u32> {
    input.seek(header.saturating_add(16), "compression")?;
    let compression = input.u32_le("compression")?;
    input.seek(header.saturating_add(52), "alpha mask")?;
    let mask = input.u32_le("alpha mask")?;
    // BI_BITFIELDS and BI_ALPHABITFIELDS.
    Ok(if matches!(compression, 3 | 6) { mask } else { 0 })
}

/// `BITMAPV5HEADER`: the kind of colour space, and where its profile lies.
fn profile(input: &mut Input<'_>, facts: &mut Facts, header: u64) -> Parsed<()> {
    input.seek(header.saturating_add(56), "colour space")?;
    // PROFILE_EMBEDDED, in little-endian order.
    if input.array("colour space")? != *b"DEBM" {
        return Ok(());
    }
    input.seek(header.saturating_add(112), "colour profile")?;
    let start = header.saturating_add(u64::from(input.u32_le("profile offset")?));
    let len = u64::from(input.u32_le("profile length")?);
    let result = input.within(start..start.saturating_add(len), "colour profile", |input| icc::parse(input, facts));
    facts.tolerate(result).map(drop)
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

    #[test]
    fn alpha_and_profile_of_the_last_header() {
        let mut data = b"BM............\x7C\0\0\0\x40\x01\0\0\xF0\0\0\0\x01\0\x20\0\x03\0\0\0".to_vec();
        data.resize(14 + 124, 0);
        data[14 + 55] = 0xFF;
        data[14 + 56..14 + 60].copy_from_slice(b"DEBM");
        let profile = icc::tests::profile_of(b"desc\0\0\0\0\0\0\0\x03P3\0");
        data[14 + 112] = 124;
        data[14 + 116] = profile.len() as u8;
        data.extend(profile);
        let mut facts = Facts::new(&Limits::default());
        parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
        assert_eq!(facts.find(Group::Header, "HasAlpha"), Some(&Datum::Int(1)));
        assert_eq!(facts.find(Group::Icc, "ProfileDescription"), Some(&Datum::from("P3")));
        assert_eq!(facts.warnings, []);
    }
}
