//! Video usability information, as far as H.264 and HEVC share it (ITU-T H.264, E.1.1; H.265, E.2.1).

use crate::extract::stream::{Bits, Ratio, Stream};

/// Shapes of a pixel by index (ITU-T H.273, table 2 of clause 8.6; H.264, table E-1).
const SHAPES: [(u32, u32); 17] = [
    (0, 1),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// Reads up to and with the location of the chroma samples.
pub(super) fn common(bits: &mut Bits<'_>, stream: &mut Stream) -> Option<()> {
    if bits.flag()? {
        let shape = match bits.take(8)? {
            255 => (bits.take(16)?, bits.take(16)?),
            index => SHAPES.get(usize::try_from(index).ok()?).copied().unwrap_or_default(),
        };
        stream.pixel_aspect = stream.pixel_aspect.or(Ratio::new(shape.0.into(), shape.1.into()));
    }
    if bits.flag()? {
        bits.skip(1);
    }
    if bits.flag()? {
        bits.skip(3);
        stream.colour.full = Some(bits.flag()?);
        if bits.flag()? {
            stream.colour.primaries = u16::try_from(bits.take(8)?).ok()?;
            stream.colour.transfer = u16::try_from(bits.take(8)?).ok()?;
            stream.colour.matrix = u16::try_from(bits.take(8)?).ok();
        }
    }
    if bits.flag()? {
        bits.golomb()?;
        bits.golomb()?;
    }
    Some(())
}

/// Pictures per second that a stream can mean; some encoders write any numbers.
const FASTEST: f64 = 1000.0;

/// A rate of `scale` ticks per second and `ticks` per picture.
pub(super) fn rate(scale: u32, ticks: u64) -> Option<Ratio> {
    Ratio::new(scale.into(), ticks).filter(|rate| rate.value() <= FASTEST)
}
