//! Streams of audio and video files: what a container says of each, in one shape, and how that becomes facts.
//!
//! Names follow ffprobe, as the API's samples do. Knows no container.

mod bits;
mod brightness;
mod codec;
mod language;
mod moment;
mod number;
mod picture;
mod summary;

pub mod windows;

pub use bits::Bits;
pub use brightness::{content_light, dolby_vision, mastering_display};
pub use codec::{Codec, codec};
pub use language::three_letters;
pub use moment::{iso_6709, since_1601, since_1904, since_2001, with_zone, written};
pub use number::{Ratio, float, seconds, whole};
pub use picture::{Coding, Colour};
pub use summary::{Bands, Chapter, Kind, Stream, Summary, longer};
