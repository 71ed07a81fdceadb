//! One end of the socket between daemon and worker: messages after their length, descriptors beside them.

use super::wire::MAX_MESSAGE;
use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::time::Instant;

/// Bytes of the length before each message.
const LENGTH: usize = 4;
/// Room that a read has at first: most messages come whole.
const ROOM: usize = 64 << 10;
/// Room that is not kept for the next message.
const LARGE: usize = 1 << 20;
/// Most descriptors that are sent together: a file and what describes it from beside, for each job of a batch.
pub(super) const DESCRIPTORS: usize = 64;

/// Why no message came or went.
#[derive(Debug)]
pub(super) enum Lost {
    /// The other end is closed.
    Closed,
    /// The time was up.
    Late,
    /// A message claims to be longer than any may be.
    TooLong(u64),
    /// The system says.
    System(Errno),
}

/// One end.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    /// What came and has not been taken, from `start` to `end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Channel {
    pub(super) fn new(socket: OwnedFd) -> Channel {
        Channel { socket, buffer: vec![0; ROOM], start: 0, end: 0 }
    }

    /// Sends one message and the descriptors that belong to it.
    pub(super) fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Lost> {
        let length = length_of(message)?;
        self.send_parts(&length, message, descriptors)
    }

    /// Sends messages that were put together by [`append`], and the descriptors that belong to them.
    pub(super) fn send_all(&self, messages: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Lost> {
        self.send_parts(&[], messages, descriptors)
    }

    fn send_parts(&self, head: &[u8], body: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Lost> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Lost::System(Errno::NOBUFS));
        }
        let mut sent = 0;
        while sent < head.len() + body.len() {
            let parts = [
                IoSlice::new(head.get(sent..).unwrap_or_default()),
                IoSlice::new(body.get(sent.saturating_sub(head.len())..).unwrap_or_default()),
            ];
            match rustix::net::sendmsg(&self.socket, &parts, &mut control, SendFlags::NOSIGNAL) {
                Ok(count) => sent += count,
                Err(Errno::INTR) => continue,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Lost::Closed),
                Err(e) => return Err(Lost::System(e)),
            }
            // They went with the first byte.
            control.clear();
        }
        Ok(())
    }

    /// Whether a whole message has come already, so that [`Channel::receive`] will not wait.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.whole(), Ok(Some(_)))
    }

    /// The next message; waits for it until `deadline`, without end where there is none. Descriptors that come go into `kept`;
    /// where there is none, the system drops them.
    pub(super) fn receive(
        &mut self,
        deadline: Option<Instant>,
        kept: Option<&mut Vec<OwnedFd>>,
    ) -> Result<&[u8], Lost> {
        let mut kept = kept;
        loop {
            if let Some(len) = self.whole()? {
                let from = self.start + LENGTH;
                self.start = from + len;
                return Ok(self.buffer.get(from..from + len).unwrap_or_default());
            }
            self.make_room();
            if let Some(deadline) = deadline {
                self.wait(deadline)?;
            }
            let count = self.read(kept.as_deref_mut())?;
            if count == 0 {
                return Err(Lost::Closed);
            }
            self.end += count;
        }
    }

    /// The length of the message at `start`, once all of it is there.
    fn whole(&self) -> Result<Option<usize>, Lost> {
        let there = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(head) = there.first_chunk::<LENGTH>() else { return Ok(None) };
        let len = u32::from_le_bytes(*head) as usize;
        if len > MAX_MESSAGE {
            return Err(Lost::TooLong(len as u64));
        }
        Ok((there.len() - LENGTH >= len).then_some(len))
    }

    /// Makes the buffer begin with what is there, and grows it as bytes come: a claimed length costs nothing.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() > LARGE && self.end < ROOM {
            // A picture came; what comes next is small again.
            self.buffer.truncate(ROOM);
            self.buffer.shrink_to_fit();
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn wait(&self, deadline: Instant) -> Result<(), Lost> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(|_| Lost::System(Errno::INVAL))?;
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Err(Lost::Late),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(e) => return Err(Lost::System(e)),
            }
        }
    }

    fn read(&mut self, kept: Option<&mut Vec<OwnedFd>>) -> Result<usize, Lost> {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            let result = match kept {
                None => rustix::net::recv(&self.socket, &mut *room, RecvFlags::empty()).map(|(count, _)| count),
                Some(kept) => return read_with_descriptors(&self.socket, room, kept),
            };
            match result {
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => return Ok(0),
                other => return other.map_err(Lost::System),
            }
        }
    }
}

fn read_with_descriptors(socket: &OwnedFd, room: &mut [u8], kept: &mut Vec<OwnedFd>) -> Result<usize, Lost> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    loop {
        let mut parts = [IoSliceMut::new(room)];
        match rustix::net::recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => {
                for ancillary in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = ancillary {
                        kept.extend(descriptors);
                    }
                }
                return Ok(message.bytes);
            }
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET) => return Ok(0),
            Err(e) => return Err(Lost::System(e)),
        }
    }
}

/// The length that stands before a message.
fn length_of(message: &[u8]) -> Result<[u8; LENGTH], Lost> {
    let length = u32::try_from(message.len()).ok().filter(|_| message.len() <= MAX_MESSAGE);
    length.map(u32::to_le_bytes).ok_or(Lost::TooLong(message.len() as u64))
}

/// Appends a message and its length to others. `fill` writes it; what it wrote is taken away again if it says so.
pub(super) fn append(messages: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    let at = messages.len();
    messages.extend_from_slice(&[0; LENGTH]);
    let filled = fill(messages);
    let length = length_of(messages.get(at + LENGTH..).unwrap_or_default()).ok().filter(|_| filled);
    match (length, messages.get_mut(at..at + LENGTH)) {
        (Some(length), Some(place)) => place.copy_from_slice(&length),
        _ => messages.truncate(at),
    }
    length.is_some()
}

/// Two ends that belong together.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::time::Duration;

    #[test]
    fn messages_of_every_length_with_descriptors() {
        let (one, two) = pair().unwrap();
        let (mut one, mut two) = (Channel::new(one), Channel::new(two));
        let file = std::fs::File::open("/dev/null").unwrap();
        let sizes = [0, 1, ROOM - 4, ROOM, 3 * ROOM + 7, MAX_MESSAGE];
        let (taken, wait) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let one = &one;
            scope.spawn(move || {
                for size in sizes {
                    one.send(&vec![7; size], &[file.as_fd(), file.as_fd()]).unwrap();
                    // One message at a time, as daemon and worker do: descriptors of a second one could come with the first.
                    wait.recv().unwrap();
                }
            });
            for size in sizes {
                let mut kept = Vec::new();
                let deadline = Some(Instant::now() + Duration::from_secs(20));
                assert!(two.receive(deadline, Some(&mut kept)).unwrap() == vec![7; size]);
                assert_eq!(kept.len(), 2, "descriptors with {size} bytes");
                taken.send(()).unwrap();
            }
        });
        assert!(matches!(one.send(&vec![0; MAX_MESSAGE + 1], &[]), Err(Lost::TooLong(_))));
        let late = one.receive(Some(Instant::now() + Duration::from_millis(5)), None);
        assert!(matches!(late, Err(Lost::Late)));
        drop(two);
        assert!(matches!(one.receive(None, None), Err(Lost::Closed)));
        assert!(matches!(one.send(b"x", &[]), Err(Lost::Closed)));
    }

    #[test]
    fn messages_that_were_put_together_come_apart_again() {
        let (one, two) = pair().unwrap();
        let (one, mut two) = (Channel::new(one), Channel::new(two));
        let (file, mut messages) = (std::fs::File::open("/dev/null").unwrap(), Vec::new());
        for size in [3, 0, 5000] {
            assert!(append(&mut messages, |out| {
                out.extend(vec![size as u8; size]);
                true
            }));
        }
        let whole = messages.len();
        assert!(!append(&mut messages, |out| {
            out.push(1);
            false
        }));
        assert!(!append(&mut messages, |out| {
            out.resize(out.len() + MAX_MESSAGE + 1, 0);
            true
        }));
        assert_eq!(messages.len(), whole);
        assert!(!two.is_ready());
        one.send_all(&messages, &[file.as_fd(); DESCRIPTORS]).unwrap();
        let mut kept = Vec::new();
        assert_eq!(two.receive(None, Some(&mut kept)).unwrap(), [3; 3]);
        assert_eq!(kept.len(), DESCRIPTORS);
        assert!(two.is_ready());
        assert!(two.receive(None, None).unwrap().is_empty());
        assert_eq!(two.receive(None, None).unwrap(), vec![5000_usize as u8; 5000]);
        assert!(!two.is_ready());
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        let (one, two) = pair().unwrap();
        let mut two = Channel::new(two);
        rustix::io::write(&one, &u32::MAX.to_le_bytes()).unwrap();
        assert!(matches!(two.receive(None, None), Err(Lost::TooLong(n)) if n == u64::from(u32::MAX)));
        let (one, two) = pair().unwrap();
        let mut two = Channel::new(two);
        rustix::io::write(&one, &(MAX_MESSAGE as u32).to_le_bytes()).unwrap();
        drop(one);
        assert!(matches!(two.receive(None, None), Err(Lost::Closed)));
        assert_eq!(two.buffer.len(), ROOM);
    }
}
