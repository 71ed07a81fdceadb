//! Operators on a file and its pixels: what can be told of a picture beyond what the file says of itself. Knows no store, no
//! network, no parser of containers.
//!
//! The seam is [`Pixels`]: whoever has decoded a picture or a frame asks [`Labelers`] for its labels within a [`Budget`].
//! Operators are functions of bytes and options: the same answer in any process, on any thread.

mod budget;
mod pixels;

mod colour;
pub mod label;
mod light;
mod medium;

#[cfg(test)]
mod tried;

pub use budget::Budget;
pub use label::{Label, Labeler, Labelers};
pub use pixels::{Pixels, Plane};
