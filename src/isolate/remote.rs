//! A worker's sources: a descriptor that came with the job, or bytes asked for one range at a time.

use super::channel::Channel;
use super::wire::{Ask, Kind, MAX_RANGE};
use crate::codec::ReadAt;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A source of a job inside a worker.
pub(super) enum Source<'a> {
    /// Read directly.
    Descriptor { file: OwnedFd, len: u64 },
    /// Asked for.
    Ranges { channel: &'a Mutex<Channel>, number: u8, len: u64 },
}

impl ReadAt for Source<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Descriptor { file, .. } => read_descriptor(file, offset, buf),
            Source::Ranges { channel, number, len } => {
                let most = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX).min(MAX_RANGE);
                let wanted = most.min(buf.len());
                if wanted == 0 {
                    return Ok(0);
                }
                let ask = Ask { source: *number, offset, len: wanted as u32 };
                ask_for(channel, ask, buf)
            }
        }
    }

    fn len(&self) -> u64 {
        match self {
            Source::Descriptor { len, .. } | Source::Ranges { len, .. } => *len,
        }
    }
}

fn read_descriptor(file: &OwnedFd, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    // pread(2) takes signed offsets: beyond them there is nothing to read.
    if i64::try_from(offset).is_err() {
        return Ok(0);
    }
    loop {
        match rustix::io::pread(file, &mut *buf, offset) {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

fn ask_for(channel: &Mutex<Channel>, ask: Ask, buf: &mut [u8]) -> io::Result<usize> {
    let lost = |what: &str| io::Error::other(format!("the daemon {what}"));
    let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
    channel.send(&ask.encode(), &[]).map_err(|_| lost("did not take a question"))?;
    let message = channel.receive(None, None).map_err(|_| lost("did not answer"))?;
    let (kind, mut take) = Kind::of(message).map_err(|_| lost("answered something else"))?;
    let given = kind == Kind::Data && take.u8("answer").is_ok_and(|ok| ok == 1);
    if !given {
        return Err(lost("could not read the source"));
    }
    let bytes = take.rest();
    let to = buf.get_mut(..bytes.len()).ok_or_else(|| lost("answered with more than was asked for"))?;
    to.copy_from_slice(bytes);
    Ok(bytes.len())
}
