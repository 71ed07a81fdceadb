//! PFM, netpbm's map of floats (pfm(5)): three lines of text, the second of them width and height.

use crate::extract::{Facts, Input, Parsed};

/// Bytes in which the first two lines must end.
const HEAD: u64 = 128;

/// Reads the header.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let bytes = input.take_up_to(HEAD)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_ascii_whitespace();
    let kind = words.next();
    let mut side = || words.next().and_then(|word| word.parse::<u32>().ok());
    let (Some(width), Some(height)) = (side(), side()) else {
        return Err(input.malformed_at(0, "expected width and height as decimal numbers"));
    };
    super::size(input, facts, 3, width, height);
    super::field(input, facts, 0, "BitsPerSample", 32);
    super::color_space(input, facts, 0, if kind == Some("Pf") { "Grayscale" } else { "RGB" });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Datum, Group, Limits};

    #[test]
    fn three_lines() {
        let read = |bytes: &[u8]| {
            let mut facts = Facts::new(&Limits::default());
            let result = parse(&mut Input::new(&bytes.to_vec(), &Limits::default()), &mut facts);
            result.map(|()| {
                (facts.find(Group::Header, "ImageWidth").cloned(), facts.find(Group::Header, "ColorSpace").cloned())
            })
        };
        assert_eq!(read(b"Pf\n320 240\n-1.0\n\xFF").unwrap(), (Some(Datum::Int(320)), Some(Datum::from("Grayscale"))));
        assert!(read(b"PF\nwide high\n").is_err());
    }
}
