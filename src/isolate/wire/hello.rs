//! The first message of a worker.

use super::{Kind, VERSION, finished};
use crate::codec::Take;
use crate::error::{Error, Result};
use crate::isolate::Posture;

/// Marks the program that was started as one that speaks this protocol.
const MAGIC: [u8; 4] = *b"mlwk";

/// What a worker says of itself before it takes a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// What its jail reached.
    pub posture: Posture,
}

impl Hello {
    /// The message.
    pub fn encode(&self) -> Vec<u8> {
        let Posture { limits, seccomp, landlock, unprivileged, counted } = self.posture;
        let flags = [limits, seccomp, unprivileged, counted].iter().rev().fold(0, |bits, on| bits << 1 | u8::from(*on));
        [&[Kind::Hello.tag()][..], &MAGIC, &[VERSION, flags, landlock]].concat()
    }

    /// Reads the body of a message.
    pub fn decode(mut take: Take<'_>) -> Result<Hello> {
        let magic = take.bytes(MAGIC.len(), "magic of a worker")?;
        let version = take.u8("version of the protocol")?;
        if magic != MAGIC || version != VERSION {
            return Err(Error::corrupted(format!(
                "expected a worker of protocol {VERSION}, got {magic:?} of protocol {version}"
            )));
        }
        let (flags, landlock) = (take.u8("posture")?, take.u8("version of Landlock")?);
        finished(take)?;
        if flags > 0b1111 {
            return Err(Error::corrupted(format!("expected four flags of a posture, got {flags:#b}")));
        }
        let on = |bit: u8| flags & bit != 0;
        let posture = Posture { limits: on(1), seccomp: on(2), landlock, unprivileged: on(4), counted: on(8) };
        Ok(Hello { posture })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_strangers() {
        let posture = Posture { limits: true, landlock: 7, counted: true, ..Posture::default() };
        let message = Hello { posture }.encode();
        assert_eq!(Hello::decode(Kind::of(&message).unwrap().1).unwrap().posture, posture);
        for (at, byte) in [(1, b'x'), (5, VERSION + 1), (6, 16)] {
            let mut other = message.clone();
            other[at] = byte;
            assert!(Hello::decode(Kind::of(&other).unwrap().1).is_err());
        }
        assert!(Hello::decode(Take::new(b"Usage: program [OPTION]")).is_err());
    }
}
