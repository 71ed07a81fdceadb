//! The elementary stream descriptor (ISO/IEC 14496-1, 7.2.6).

use super::codes;
use crate::extract::bitstream;
use crate::extract::stream::Stream;
use crate::extract::{Input, Parsed};

/// Bytes of a decoder's configuration that are looked at.
const CONFIGURATION: u64 = 512;

/// Reads the body of the box `esds` into `stream`.
pub(super) fn read(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    input.skip(4, "version and flags")?;
    descriptors(input, stream)
}

fn descriptors(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    while input.remaining() >= 2 {
        let tag = input.u8("descriptor tag")?;
        // Up to four times seven bits (8.3.3).
        let len = input.sevens(4, "descriptor length")?;
        let part = input.position()..input.position().saturating_add(len);
        input.within(part, "descriptor", |input| match tag {
            // ES_Descriptor: three flags say what follows before the next descriptor.
            3 => {
                input.skip(2, "stream number")?;
                let flags = input.u8("stream flags")?;
                if flags & 0x80 != 0 {
                    input.skip(2, "depends on")?;
                }
                if flags & 0x40 != 0 {
                    let len = input.u8("address length")?;
                    input.skip(len.into(), "address")?;
                }
                if flags & 0x20 != 0 {
                    input.skip(2, "clock stream")?;
                }
                descriptors(input, stream)
            }
            4 => decoder(input, stream),
            5 => {
                bitstream::configuration(&input.take_up_to(CONFIGURATION)?, stream);
                Ok(())
            }
            _ => Ok(()),
        })?;
    }
    Ok(())
}

/// DecoderConfigDescriptor: object type, bit rates, then the configuration.
fn decoder(input: &mut Input<'_>, stream: &mut Stream) -> Parsed<()> {
    let named = codes::by_object_type(input.u8("object type")?);
    if !named.is_empty() {
        stream.codec = named;
    }
    input.skip(8, "buffer size and largest bit rate")?;
    stream.bitrate = Some(u64::from(input.u32_be("average bit rate")?)).filter(|rate| *rate > 0);
    descriptors(input, stream)
}
