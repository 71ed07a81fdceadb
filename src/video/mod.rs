//! Films: encoded video to shots and labels over time.
//!
//! Owns the way from the bytes of a film to what its pictures show: packets out of containers, as few of them decoded as
//! serve, shots by the difference of pictures, labels of chosen pictures joined into clips. Must not know where bytes come
//! from, who labels pictures, or what is stored. Every byte of a film is foreign: containers are walked here through
//! bounded windows, codecs run in-process only where a pure-Rust decoder exists and otherwise in a child process that is
//! fenced in (`docs/tasks.md`).

mod cuts;
mod decode;
mod failure;
mod feature;
mod packets;
mod pipeline;
mod refine;
mod timeline;
mod view;

pub use decode::Frame;
pub use failure::Failure;
pub use pipeline::{Film, Observer, Options, Summary, analyze};
pub use timeline::{FrameLabel, Scene, Shot, TimedLabel};

/// Names pictures. Called with pictures of a film in the order of their times.
pub trait Labeller: Send + Sync {
    /// What one picture shows.
    fn labels(&self, picture: &Frame) -> crate::error::Result<Vec<FrameLabel>>;
}
