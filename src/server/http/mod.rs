//! HTTP/1.1 as far as the API needs it, without the 64 KiB cap on request targets that common stacks have
//! (`docs/decisions/0008-own-http-front.md`).
//!
//! Pure parts (`head`, `body`, `response`) turn bytes into values and back; `connection` drives them over a socket. Knows
//! nothing of actions or signatures.

mod body;
mod buffer;
mod connection;
mod head;
mod response;

pub use body::{Framing, Step, Unchunk};
pub(super) use buffer::Budget;
pub(super) use connection::{Bounds, Incoming, Refusal, Service, serve};
pub use head::{Head, HeadError, head_end, parse};
pub(super) use response::Response;
