//! Operators on a file and its pixels: what can be told of a picture beyond what the file says of itself. Knows no store, no
//! network, no parser of containers.
//!
//! The seam is [`Pixels`]: whoever has decoded a picture or a frame asks [`Labelers`] for its labels within a [`Budget`].
//! Operators are functions of bytes and options: the same answer in any process, on any thread.

mod budget;
pub mod embedding;
mod operator;
mod picture;
mod pixels;
mod template;

mod colour;
mod cropping;
pub mod hash;
mod installed;
pub mod label;
mod light;
pub mod manifest;
mod medium;
pub mod place;
pub mod placeholder;
mod saliency;
pub mod score;
pub mod text;

#[cfg(feature = "models")]
pub mod pack;
pub mod run;

#[cfg(test)]
mod tried;

pub use budget::Budget;
pub use cropping::{Cropping, Ratio};
pub use embedding::{Embedding, Faces, Vector};
pub use hash::ImageHash;
pub use installed::{FacesSeen, TextPoint};
pub use label::{Label, Labeler, Labelers};
pub use operator::{Card, Cost, Operator};
pub use picture::{LONGEST, LONGEST_FOR_TEXT, MAX_BYTES, MAX_SIDE, Picture};
pub use pixels::{Pixels, Plane};
pub use run::{Analyzer, Decode};
pub use template::{MAX_TEMPLATES, MAX_TEMPLATES_BYTES, Template, Templates};
