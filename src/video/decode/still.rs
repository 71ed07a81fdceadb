//! Codecs whose pictures stand alone as files do: Motion JPEG, PNG, and key frames of VP8 as WebP.

use super::{Encoded, Fence, Frame, Supply, Take, small, stretches};
use crate::video::failure::{Failure, Step};
use crate::video::packets::Track;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use std::panic::catch_unwind;

/// Bytes that a decoder may hold: a picture in 8K.
const MEMORY: u64 = 160 << 20;
/// Most sides of a picture.
const SIDE: u32 = 16_384;

pub(super) fn run(track: &Track, supply: &mut Supply<'_>, take: &mut Take<'_>, fence: &Fence<'_>) -> Step<()> {
    let (mut decoded, mut last) = (false, None);
    while let Some(encoded) = supply()? {
        fence.check()?;
        match picture(track, &encoded) {
            Ok(frame) => {
                decoded = true;
                take(frame)?;
            }
            // One broken picture costs itself.
            Err(failure) => last = Some(failure),
        }
    }
    match last {
        Some(failure) if !decoded => Err(failure),
        _ => Ok(()),
    }
}

fn picture(track: &Track, encoded: &Encoded) -> Step<Frame> {
    let (format, bytes) = match track.codec.name.as_str() {
        "png" => (ImageFormat::Png, encoded.bytes.clone()),
        "vp8" => (ImageFormat::WebP, webp(&encoded.bytes)),
        _ => (ImageFormat::Jpeg, encoded.bytes.clone()),
    };
    let time = encoded.time;
    let decoded = catch_unwind(move || decode(format, bytes, time));
    decoded.unwrap_or_else(|_| Err(Failure::damaged("The decoder of still pictures panicked.")))
}

fn decode(format: ImageFormat, bytes: Vec<u8>, time: i64) -> Step<Frame> {
    let damaged = |e: image::ImageError| Failure::damaged(format!("A picture could not be decoded: {e}"));
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(SIDE), Some(SIDE), Some(MEMORY));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let (to_width, to_height) = small(width, height)?;
    let full = image::DynamicImage::from_decoder(decoder).map_err(damaged)?.into_rgb8();
    let columns = stretches(width, to_width);
    let mut rgb = Vec::with_capacity(to_width as usize * to_height as usize * 3);
    let rows: Vec<&[u8]> = full.as_raw().chunks_exact(width.max(1) as usize * 3).collect();
    for (top, bottom) in stretches(height, to_height) {
        let rows = rows.get(top..bottom).unwrap_or(&[]);
        for (left, right) in &columns {
            let mut sum = [0_u32; 3];
            for row in rows {
                for pixel in row.get(left * 3..right * 3).unwrap_or(&[]).as_chunks::<3>().0 {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
                }
            }
            let count = u32::try_from((right - left) * rows.len()).unwrap_or(1).max(1);
            rgb.extend(sum.map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)));
        }
    }
    Ok(Frame { time, width: to_width, height: to_height, rgb })
}

/// A key frame of VP8 is the whole of a lossy WebP file (RFC 9649, 2.5), but for its headers.
fn webp(frame: &[u8]) -> Vec<u8> {
    let padded = frame.len() + frame.len() % 2;
    let len = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let mut file = b"RIFF".to_vec();
    file.extend(len(padded + 12));
    file.extend(b"WEBPVP8 ");
    file.extend(len(frame.len()));
    file.extend(frame);
    file.resize(padded + 20, 0);
    file
}
