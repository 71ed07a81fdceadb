//! DPX (SMPTE ST 268-1): the image information header, at byte 768, in either byte order.

use crate::extract::{Facts, Input, Parsed};

/// Reads the two headers.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let little = input.array("magic number")? == *b"XPDS";
    input.seek(772, "pixels per line")?;
    let at = input.position();
    let mut side = |what| if little { input.u32_le(what) } else { input.u32_be(what) };
    let (width, height) = (side("pixels per line")?, side("lines")?);
    super::size(input, facts, at, width, height);
    // The first image element: its descriptor (table 1) stands at 800, its bit depth at 803.
    input.seek(800, "descriptor")?;
    let [descriptor, _, _, bits] = input.array("image element")?;
    super::field(input, facts, at, "BitsPerSample", u32::from(bits));
    super::alpha(input, facts, at, matches!(descriptor, 51 | 52 | 101 | 103));
    match descriptor {
        6 => super::color_space(input, facts, at, "Grayscale"),
        50..=52 => super::color_space(input, facts, at, "RGB"),
        100..=103 => super::color_space(input, facts, at, "YCbCr"),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn both_byte_orders() {
        for (magic, width, height) in
            [(b"SDPX", [0, 0, 1, 64], [0, 0, 0, 240]), (b"XPDS", [64, 1, 0, 0], [240, 0, 0, 0])]
        {
            let mut data = magic.to_vec();
            data.resize(2048, 0);
            data[772..776].copy_from_slice(&width);
            data[776..780].copy_from_slice(&height);
            (data[800], data[803]) = (51, 10);
            let mut facts = Facts::new(&Limits::default());
            parse(&mut Input::new(&data, &Limits::default()), &mut facts).unwrap();
            let of = |tag| facts.find(Group::Header, tag).cloned();
            assert_eq!((of("ImageWidth"), of("ImageHeight")), (Some(Datum::Int(320)), Some(Datum::Int(240))));
            assert_eq!((of("BitsPerSample"), of("HasAlpha")), (Some(Datum::Int(10)), Some(Datum::Int(1))));
        }
    }
}
