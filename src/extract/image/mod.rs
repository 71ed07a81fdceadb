//! Still images: header fields, and where each format keeps its blocks of metadata. Sizes are as stored; how to turn them
//! for display is `Orientation`.

pub mod bmp;
pub mod bpg;
pub mod crw;
pub mod decoder;
pub mod dpx;
pub mod flif;
pub mod gif;
pub mod heif;
pub mod ico;
pub mod jp2;
pub mod jpeg;
pub mod jxl;
pub mod pcx;
pub mod pfm;
pub mod plain;
pub mod png;
pub mod psd;
pub mod psp;
pub mod raw;
pub mod svg;
pub mod tiff;
pub mod webp;
pub mod xcf;

use crate::extract::{Facts, Group, Input};

/// Bytes of a comment or of a text without a meaning of its own that are kept.
const NOTE: u64 = 4096;

/// Adds the size of the main image. A zero is no size: some writers fill it in later and crash before.
fn size(input: &Input<'_>, facts: &mut Facts, at: u64, width: u32, height: u32) {
    if width == 0 || height == 0 {
        if let crate::extract::Stop::Malformed(warning) =
            input.malformed_at(at, format!("expected a size above 0, got {width}x{height}"))
        {
            facts.warn(warning);
        }
        return;
    }
    facts.add(input.format(), Group::Header, "ImageWidth", at, width);
    facts.add(input.format(), Group::Header, "ImageHeight", at, height);
}

/// Adds another header field.
fn field(input: &Input<'_>, facts: &mut Facts, at: u64, tag: &'static str, value: u32) {
    facts.add(input.format(), Group::Header, tag, at, value);
}

/// Says whether pixels can be transparent.
fn alpha(input: &Input<'_>, facts: &mut Facts, at: u64, has: bool) {
    field(input, facts, at, "HasAlpha", u32::from(has));
}

/// Says what the numbers of a pixel mean.
fn color_space(input: &Input<'_>, facts: &mut Facts, at: u64, name: &'static str) {
    facts.add(input.format(), Group::Header, "ColorSpace", at, name);
}

/// Says how numbers become colours in the code points of ITU-T H.273: primaries, transfer function, matrix; then whether
/// the numbers use their full range.
fn code_points(input: &Input<'_>, facts: &mut Facts, at: u64, points: [u16; 4]) {
    let tags = ["ColorPrimaries", "TransferCharacteristics", "MatrixCoefficients", "FullRange"];
    for (tag, value) in tags.into_iter().zip(points) {
        field(input, facts, at, tag, u32::from(value));
    }
}
