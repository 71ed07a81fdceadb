//! The protocol between daemon and worker: flat, capped, decoded strictly. Layout: `docs/isolation.md`.
//!
//! The worker is taken to be in an attacker's hands: every length is checked against what is left, nothing nests deeper than
//! a document does, unknown tags and left-over bytes are errors, and no claimed number is allocated.

mod hello;
mod members;
mod names;
mod pixels;
mod reply;
mod request;

pub use hello::Hello;
pub use reply::Reply;
pub use request::{Access, Job, Pixels};

use crate::codec::Take;
use crate::error::{Error, Result};

/// Version of the protocol. Both ends are one program, so another version is refused, not spoken.
pub const VERSION: u8 = 2;
/// Most bytes of one message in either direction: a picture as large as text is read from fits.
pub const MAX_MESSAGE: usize = 20 << 20;
/// Most bytes of one answer to a ranged read.
pub const MAX_RANGE: usize = 1 << 20;

/// What a message is; the first byte of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Daemon: read this file.
    Job,
    /// Daemon: bytes that were asked for.
    Data,
    /// Worker, once: what the jail reached.
    Hello,
    /// Worker: bytes of a file without a descriptor are wanted.
    Ask,
    /// Worker: the memory limit refused an allocation. It may die of that, or cope and reply.
    Refused,
    /// Worker: what the file says.
    Reply,
}

/// Tags: both ends must agree on them, so they never change within a version.
const KINDS: [(Kind, u8); 6] =
    [(Kind::Job, 1), (Kind::Data, 2), (Kind::Hello, 16), (Kind::Ask, 17), (Kind::Refused, 18), (Kind::Reply, 19)];

impl Kind {
    /// The byte that stands for it.
    pub fn tag(self) -> u8 {
        KINDS.into_iter().find(|(kind, _)| *kind == self).map_or(0, |(_, tag)| tag)
    }

    /// The kind of a message and its body.
    pub fn of(message: &[u8]) -> Result<(Kind, Take<'_>)> {
        let mut take = Take::new(message);
        let tag = take.u8("kind of message")?;
        let kind = KINDS.into_iter().find(|(_, known)| *known == tag).map(|(kind, _)| kind);
        kind.map(|kind| (kind, take)).ok_or_else(|| Error::corrupted(format!("expected a kind of message, got {tag}")))
    }
}

/// A worker's wish for bytes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Which source of the job: 0 is the file, 1 what describes it from beside.
    pub source: u8,
    /// Where.
    pub offset: u64,
    /// How many, at most [`MAX_RANGE`].
    pub len: u32,
}

impl Ask {
    /// The message.
    pub fn encode(&self) -> [u8; 14] {
        let mut out = [0; 14];
        let parts = [&[Kind::Ask.tag(), self.source][..], &self.offset.to_le_bytes(), &self.len.to_le_bytes()];
        out.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
        out
    }

    /// Reads the body of a message.
    pub fn decode(mut take: Take<'_>) -> Result<Ask> {
        let ask = Ask { source: take.u8("source")?, offset: take.u64("offset")?, len: take.u32("length")? };
        if ask.len as usize > MAX_RANGE {
            return Err(Error::corrupted(format!("expected a range of at most {MAX_RANGE} bytes, got {}", ask.len)));
        }
        finished(take)?;
        Ok(ask)
    }
}

/// Fails if anything is left of a message.
fn finished(take: Take<'_>) -> Result<()> {
    if take.is_empty() {
        return Ok(());
    }
    Err(Error::corrupted(format!("expected the end of the message, got {} bytes more", take.rest().len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_tags_of_their_own() {
        for (kind, tag) in KINDS {
            assert_eq!((kind.tag(), Kind::of(&[tag]).unwrap().0), (tag, kind));
        }
        assert!(Kind::of(&[0]).is_err() && Kind::of(&[]).is_err());
    }

    #[test]
    fn asks_round_trip_and_are_bounded() {
        let ask = Ask { source: 1, offset: 1 << 40, len: 4096 };
        let message = ask.encode();
        let (kind, take) = Kind::of(&message).unwrap();
        assert_eq!((kind, Ask::decode(take).unwrap()), (Kind::Ask, ask));
        let greedy = Ask { len: u32::MAX, ..ask }.encode();
        assert!(Ask::decode(Kind::of(&greedy).unwrap().1).unwrap_err().message().contains("range"));
        let long = [&message[..], &[0]].concat();
        assert!(Ask::decode(Kind::of(&long).unwrap().1).unwrap_err().message().contains("1 bytes more"));
    }
}
