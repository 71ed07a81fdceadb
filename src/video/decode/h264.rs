//! H.264 by the crate `rust_h264`, which passes the conformance vectors of ITU-T H.264.1 for the profiles in use.

use super::{Fence, Frame, Supply, Take, small, stretches};
use crate::video::failure::{Failure, Step};
use crate::video::packets::{Shape, Track};
use rust_h264::decoder::{ChromaFormat, OrderedDecoder};
use rust_h264::nal::{NalUnit, NalUnitType, parse_annex_b, parse_avcc, parse_avcc_config, parse_sps_info};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of decoded pictures that a stream may make the decoder hold.
const MEMORY: u64 = 192 << 20;
/// Pictures held for their order: more than encoders use.
const REORDER: usize = 8;
/// Units that may be refused before the decoder counts as unable.
const REFUSED: u32 = 64;

type Decoded = Vec<(rust_h264::decoder::Frame, i64)>;

struct Run<'r> {
    track: &'r Track,
    decoder: OrderedDecoder<i64>,
    taken: u64,
    refused: u32,
    why: String,
}

/// Decodes; of a damaged stream what can be.
pub(super) fn run(
    track: &Track,
    keys_only: bool,
    supply: &mut Supply<'_>,
    take: &mut Take<'_>,
    fence: &Fence<'_>,
) -> Step<()> {
    let depth = if keys_only { 1 } else { REORDER };
    let mut run =
        Run { track, decoder: OrderedDecoder::with_max_depth(depth), taken: 0, refused: 0, why: String::new() };
    let private = track.private.clone();
    if let (Shape::Lengths(_), Ok(config)) = (track.shape, parse_avcc_config(&private)) {
        for unit in config.sps_nals.iter().chain(&config.pps_nals) {
            run.unit(unit, 0, take)?;
        }
    } else {
        for unit in parse_annex_b(&private) {
            run.unit(&unit, 0, take)?;
        }
    }
    while let Some(encoded) = supply()? {
        fence.check()?;
        let units = match track.shape {
            Shape::Lengths(width) => parse_avcc(&encoded.bytes, usize::from(width)),
            Shape::Plain => parse_annex_b(&encoded.bytes),
        };
        for unit in &units {
            run.unit(unit, encoded.time, take)?;
        }
        // Their order counts wrap where the pictures between two key frames are missing (ITU-T H.264, 8.2.1): the order of
        // supply is the right one.
        if keys_only {
            run.flush(take)?;
        }
    }
    run.flush(take)?;
    // Refusals beside pictures are damage, alone they are inability.
    if run.taken == 0 && run.refused > 0 {
        return Err(Failure::codec(&track.codec.name, &run.why));
    }
    Ok(())
}

impl Run<'_> {
    fn unit(&mut self, unit: &NalUnit<'_>, time: i64, take: &mut Take<'_>) -> Step<()> {
        if unit.nal_unit_type == NalUnitType::Sps {
            self.afford(unit)?;
        }
        let decoder = &mut self.decoder;
        // The crate is young: should it panic, the stream is refused as one that it does not know.
        let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode_nal_with_meta(unit, time)));
        match decoded {
            Ok(Ok(frames)) => self.give(frames, take),
            Ok(Err(e)) => self.refuse(e.to_string()),
            Err(_) => {
                self.decoder = OrderedDecoder::with_max_depth(1);
                self.refused = REFUSED;
                self.refuse("the decoder panicked".to_owned())
            }
        }
    }

    /// Gives the pictures that are held for their order.
    fn flush(&mut self, take: &mut Take<'_>) -> Step<()> {
        let decoder = &mut self.decoder;
        let rest = catch_unwind(AssertUnwindSafe(|| decoder.flush_with_meta())).unwrap_or_default();
        self.give(rest, take)
    }

    fn refuse(&mut self, why: String) -> Step<()> {
        self.refused += 1;
        self.why = why;
        if self.refused > REFUSED && self.taken == 0 {
            return Err(Failure::codec(&self.track.codec.name, &self.why));
        }
        Ok(())
    }

    /// Refuses streams that would make the decoder hold too much.
    fn afford(&self, unit: &NalUnit<'_>) -> Step<()> {
        let Ok(info) = parse_sps_info(unit) else { return Ok(()) };
        let picture = u64::from(info.coded_width).saturating_mul(info.coded_height.into()).saturating_mul(3) / 2;
        let depth = u64::from(info.bit_depth_luma).div_ceil(8).max(1);
        let held = picture.saturating_mul(depth).saturating_mul(u64::from(info.reference_frames.min(16)) + 3);
        if held <= MEMORY {
            return Ok(());
        }
        let (width, height) = (info.width, info.height);
        Err(Failure::codec(&self.track.codec.name, &format!("pictures of {width} x {height} need {held} bytes")))
    }

    fn give(&mut self, frames: Decoded, take: &mut Take<'_>) -> Step<()> {
        for (frame, time) in frames {
            self.taken += 1;
            take(shrink(&frame, time)?)?;
        }
        Ok(())
    }
}

/// The mean of each stretch of pixels, as RGB by ITU-R BT.601 for small pictures and BT.709 for others, video range: what
/// streams that do not say mean by their size (as players take it).
fn shrink(frame: &rust_h264::decoder::Frame, time: i64) -> Step<Frame> {
    let (width, height) = small(frame.width, frame.height)?;
    let plane = |bytes: &[u8], (from_width, from_height): (u32, u32)| {
        mean(bytes, (from_width, from_height), (width, height), frame.bit_depth)
    };
    let chroma_height = match frame.chroma_format {
        ChromaFormat::Yuv422 => frame.height,
        ChromaFormat::Yuv420 => frame.chroma_height(),
    };
    let chroma = (frame.chroma_width(), chroma_height);
    let luma = plane(&frame.y, (frame.width, frame.height));
    let (blue, red) = (plane(&frame.u, chroma), plane(&frame.v, chroma));
    let (kr, kb) = if frame.height > 576 { (0.2126, 0.0722) } else { (0.299, 0.114) };
    let kg = 1.0 - kr - kb;
    let mut rgb = Vec::with_capacity(luma.len() * 3);
    for ((y, u), v) in luma.iter().zip(&blue).zip(&red) {
        let y = (y - 16.0) * 255.0 / 219.0;
        let (u, v) = ((u - 128.0) * 255.0 / 224.0, (v - 128.0) * 255.0 / 224.0);
        let (r, b) = (y + 2.0 * (1.0 - kr) * v, y + 2.0 * (1.0 - kb) * u);
        let g = (y - kr * r - kb * b) / kg;
        rgb.extend([r, g, b].map(|value| value.round().clamp(0.0, 255.0) as u8));
    }
    Ok(Frame { time, width, height, rgb })
}

/// Means of the stretches of a plane, on the scale of 8 bits.
fn mean(bytes: &[u8], (width, height): (u32, u32), to: (u32, u32), depth: u8) -> Vec<f32> {
    let wide = if depth > 8 { 2 } else { 1 };
    let scale = 1.0 / (1_u32 << (depth.clamp(8, 16) - 8)) as f32;
    let columns = stretches(width, to.0);
    let rows: Vec<&[u8]> = bytes.chunks_exact(width.max(1) as usize * wide).collect();
    let mut means = Vec::with_capacity(to.0 as usize * to.1 as usize);
    for (top, bottom) in stretches(height, to.1) {
        let rows = rows.get(top..bottom).unwrap_or(&[]);
        for (left, right) in &columns {
            let mut sum = 0_u32;
            for row in rows {
                let stretch = row.get(left * wide..right * wide).unwrap_or(&[]);
                sum += match wide {
                    1 => stretch.iter().map(|byte| u32::from(*byte)).sum::<u32>(),
                    _ => stretch.as_chunks::<2>().0.iter().map(|pair| u32::from(u16::from_le_bytes(*pair))).sum(),
                };
            }
            let count = ((right - left) * rows.len()).max(1);
            means.push(sum as f32 * scale / count as f32);
        }
    }
    means
}
