//! A picture file to upright pixels, within a budget.
//!
//! Dimensions are read before anything is decoded: a picture whose pixels would not fit the budget, or whose sides are beyond
//! [`MAX_SIDE`], is refused, whatever its bytes go on to claim. The crate `image` decodes (pure Rust); reads stop at the
//! deadline. EXIF orientation is applied, transparency lies on white, and what is kept is shrunk to the size that the caller needs.

use super::{Budget, Pixels};
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::time::Instant;

/// Longest side of a picture that is decoded, in pixels.
pub const MAX_SIDE: u32 = 30_000;
/// Largest picture file that is decoded, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;
/// Longer side of what most operators see, in pixels.
pub const LONGEST: u32 = 1024;
/// Longer side of what text is read from, in pixels: print on a page is still legible.
pub const LONGEST_FOR_TEXT: u32 = 2400;
/// Bytes that one decoded pixel costs at most while it is decoded: 16-bit RGBA, or 8-bit RGBA and what it is turned into.
const PIXEL_BYTES: u64 = 8;

/// A decoded picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Columns of the upright picture, before it was shrunk.
    pub width: u32,
    /// Rows of the upright picture, before it was shrunk.
    pub height: u32,
    /// The upright picture, its longer side at most as long as was asked for.
    pub pixels: Pixels,
}

impl Picture {
    /// Decodes a file and shrinks it to `longest`; of an animation the first picture. The error says why it cannot be: [`ErrorKind::InvalidArgument`] where
    /// the bytes are at fault, [`ErrorKind::BudgetExceeded`] and [`ErrorKind::DeadlineExceeded`] where the budget is.
    pub fn decode(source: &dyn ReadAt, longest: u32, budget: &Budget) -> Result<Picture> {
        let bytes = read(source, budget)?;
        let left = (budget.memory_bytes as u64).saturating_sub(bytes.len() as u64);
        let format = image::guess_format(&bytes).map_err(|e| fault(&e, budget))?;
        if !decodes(format) {
            return Err(Error::invalid(format!("the picture is {format:?}, which no operator decodes")));
        }
        let reader = Timed { bytes: Cursor::new(bytes), deadline: budget.deadline };
        let mut limits = image::Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
        limits.max_alloc = Some(left);
        let mut reader = ImageReader::with_format(reader, format);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|e| fault(&e, budget))?;
        let (width, height) = decoder.dimensions();
        let cost = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(PIXEL_BYTES);
        if cost > left {
            let message = format!("a picture of {width} x {height} needs {cost} bytes to decode, {left} are allowed");
            return Err(Error::new(ErrorKind::BudgetExceeded, message));
        }
        let orientation = decoder.orientation().map_err(|e| fault(&e, budget))?;
        let decoded = DynamicImage::from_decoder(decoder).map_err(|e| fault(&e, budget))?;
        budget.check("decoding")?;
        let mut small = shrink(decoded, longest, budget)?;
        small.apply_orientation(orientation);
        let turned =
            small.width() > small.height() && width < height || small.width() < small.height() && width > height;
        let (width, height) = if turned { (height, width) } else { (width, height) };
        Ok(Picture { width, height, pixels: flatten(&small)? })
    }

    /// A picture of pixels that are decoded already.
    pub fn of(pixels: &Pixels) -> Picture {
        Picture { width: pixels.width(), height: pixels.height(), pixels: pixels.shrunk(LONGEST) }
    }

    /// The same picture with its pixels shrunk to `longest`.
    #[must_use]
    pub fn at_most(&self, longest: u32) -> Picture {
        Picture { pixels: self.pixels.shrunk(longest), ..*self }
    }
}

/// Formats whose decoders are bounded: floating-point ones have no fixed range of light, and are left alone.
fn decodes(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Farbfeld, Gif, Ico, Jpeg, Png, Pnm, Qoi, Tiff, WebP};
    matches!(format, Bmp | Farbfeld | Gif | Ico | Jpeg | Png | Pnm | Qoi | Tiff | WebP)
}

fn read(source: &dyn ReadAt, budget: &Budget) -> Result<Vec<u8>> {
    let length = source.len();
    if length > MAX_BYTES {
        let message = format!("the picture file: expected at most {MAX_BYTES} bytes, got {length}");
        return Err(Error::new(ErrorKind::BudgetExceeded, message));
    }
    budget.afford(length, "reading")?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        budget.check("reading")?;
        let part = rest.len().min(1 << 20);
        let count = source
            .read_at(filled as u64, rest.get_mut(..part).unwrap_or(&mut []))
            .map_err(|e| Error::io("read the file", e))?;
        if count == 0 {
            break;
        }
        filled += count;
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn fault(error: &ImageError, budget: &Budget) -> Error {
    if Instant::now() >= budget.deadline {
        return Error::new(ErrorKind::DeadlineExceeded, "decoding: the time for this file is over");
    }
    match error {
        ImageError::Limits(limit) => {
            Error::new(ErrorKind::BudgetExceeded, format!("the picture is too large to decode: {limit}"))
        }
        other => Error::invalid(format!("the picture cannot be decoded: {other}")),
    }
}

/// Bounds what comes after by shrinking with a box filter of the crate, which reads each pixel once.
fn shrink(decoded: DynamicImage, longest: u32, budget: &Budget) -> Result<DynamicImage> {
    let longer = decoded.width().max(decoded.height());
    let small = if longer > longest { decoded.thumbnail(longest, longest) } else { decoded };
    budget.check("shrinking")?;
    Ok(small)
}

/// Transparent pixels on white paper.
fn flatten(small: &DynamicImage) -> Result<Pixels> {
    if !small.color().has_alpha() {
        return Pixels::new(small.width(), small.height(), small.to_rgb8().into_raw());
    }
    let rgba = small.to_rgba8();
    let over = |value: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let rgb = rgba.pixels().flat_map(|p| {
        let [r, g, b, alpha] = p.0;
        [over(r, alpha), over(g, alpha), over(b, alpha)]
    });
    let rgb = rgb.collect();
    Pixels::new(rgba.width(), rgba.height(), rgb)
}

/// Bytes that cannot be read any more once the deadline has passed: how a decoder that reads on and on is stopped.
struct Timed {
    bytes: Cursor<Vec<u8>>,
    deadline: Instant,
}

impl Timed {
    fn check(&self) -> std::io::Result<()> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the time for this file is over"))
    }
}

impl Read for Timed {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.check()?;
        self.bytes.read(buf)
    }
}

impl BufRead for Timed {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.check()?;
        let all = self.bytes.get_ref();
        let at = usize::try_from(self.bytes.position()).unwrap_or(usize::MAX);
        let end = at.saturating_add(64 << 10).min(all.len());
        Ok(all.get(at..end).unwrap_or(&[]))
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
    }
}

impl Seek for Timed {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;
    use proptest::prelude::*;
    use std::time::Duration;

    fn encoded(pixels: &Pixels, format: ImageFormat) -> Vec<u8> {
        let image = image::RgbImage::from_raw(pixels.width(), pixels.height(), pixels.rgb().to_vec()).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let scene = tried::scene(64, 48, 1);
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Qoi] {
            let picture = Picture::decode(&encoded(&scene, format), LONGEST, &Budget::default()).unwrap();
            assert_eq!(picture.pixels, scene, "{format:?}");
        }
        let large = Picture::decode(
            &encoded(&tried::plain(3000, 30, [9, 8, 7]), ImageFormat::Png),
            LONGEST,
            &Budget::default(),
        )
        .unwrap();
        assert_eq!((large.width, large.height, large.pixels.width(), large.pixels.height()), (3000, 30, 1024, 10));
    }

    #[test]
    fn an_orientation_turns_the_picture() {
        // APP1 with one IFD entry: orientation 6, "rotate by 90 degrees to the right" (Exif 3.0, 4.6.4).
        let tiff = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let jpeg = encoded(&tried::scene(40, 20, 1), ImageFormat::Jpeg);
        let mut turned = jpeg[..2].to_vec();
        turned.extend([0xFF, 0xE1]);
        turned.extend([0, tiff.len() as u8 + 2]);
        turned.extend(tiff);
        turned.extend(&jpeg[2..]);
        let picture = Picture::decode(&turned, LONGEST, &Budget::default()).unwrap();
        assert_eq!((picture.width, picture.height, picture.pixels.width()), (20, 40, 20));
    }

    #[test]
    fn bombs_are_refused_before_they_are_decoded() {
        let mut bomb = encoded(&tried::plain(8, 8, [0; 3]), ImageFormat::Bmp);
        bomb[18..26].copy_from_slice(&[0x30, 0x75, 0, 0, 0x30, 0x75, 0, 0]);
        let error = Picture::decode(&bomb, LONGEST, &Budget::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BudgetExceeded, "{error}");
        let small = Budget::new(Budget::TIME, 20_000);
        let png = encoded(&tried::plain(600, 600, [0; 3]), ImageFormat::Png);
        assert_eq!(Picture::decode(&png, LONGEST, &small).unwrap_err().kind(), ErrorKind::BudgetExceeded);
        let over = Budget::new(Duration::ZERO, 1 << 20);
        assert_eq!(Picture::decode(&png, LONGEST, &over).unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        assert!(
            Picture::decode(&b"no picture".to_vec(), LONGEST, &Budget::default())
                .unwrap_err()
                .message()
                .contains("decoded")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Damage ends in pixels or in an error, never in a panic.
        #[test]
        fn damaged_files_end(at in 0usize..4000, byte: u8, cut in 0usize..4000, which in 0usize..5) {
            let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff];
            let mut bytes = encoded(&tried::scene(32, 32, 5), formats[which]);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % (length / 2));
            let _ = Picture::decode(&bytes, LONGEST, &Budget::default());
        }
    }
}
