//! The worker's side: into the jail, then one file after the other until the daemon hangs up.

use super::body::{self, Body};
use super::channel::{self, Channel, Lost};
use super::jail;
use super::memory;
use super::outcome::Outcome;
use super::remote::Source;
use super::wire::{Access, Hello, Job, Kind, Pixels, Reply};
use crate::analyze::{Budget, Picture};
use crate::error::{Error, Result};
use crate::extract::{self, Extracted, Hint, Warning};
use rustix::fd::{AsFd, OwnedFd};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The hidden argument that makes a program a worker.
pub const ARGUMENT: &str = "__extract";

/// Makes this process a worker if it was started as one, and then never returns; otherwise does nothing. Call it first in
/// `main`: before threads, open files and the reading of arguments.
pub fn serve_if_asked() {
    serve_with_if_asked(body::read);
}

/// The same with another body: what the worker does with each file. Tests have one that misbehaves.
pub fn serve_with_if_asked(body: Body) {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == ARGUMENT) {
        let memory = arguments.next().and_then(|text| text.to_str()?.parse().ok());
        exit(serve(body, memory.unwrap_or(u64::MAX / 4)));
    }
}

/// Exit code of a worker that was not started by a daemon, or whose daemon broke the protocol.
const NO_DAEMON: i32 = 2;

fn serve(body: Body, memory_bytes: u64) -> i32 {
    // What is set up on first use is set up now: tables of fields and formats, the allocator's arenas.
    let _warm = extract::extract(&b"\xFF\xD8\xFF\xE0 not a picture".to_vec(), &Hint::default(), &Default::default());
    std::panic::set_hook(Box::new(note_panic));
    let posture = jail::enter(memory_bytes);
    let Ok(socket) = std::io::stdin().as_fd().try_clone_to_owned() else { return NO_DAEMON };
    let channel = Mutex::new(Channel::new(socket));
    if send(&channel, &Hello { posture }.encode()).is_err() {
        return NO_DAEMON;
    }
    let mut desk = Desk::default();
    loop {
        let job = match desk.next(&channel) {
            Ok(Some(job)) => job,
            Ok(None) => return 0,
            Err(_) => return NO_DAEMON,
        };
        // Whoever looks for what a dead worker was at finds it there.
        let _nobody_looks = rustix::fs::seek(rustix::stdio::stdout(), rustix::fs::SeekFrom::Start(job.number));
        let files = desk.take_files(&job);
        let (reply, panicked) = perform(body, &job, files, &channel, &mut desk.allowed);
        if desk.put(&channel, &job, &reply, panicked).is_err() || panicked {
            return 0;
        }
    }
}

/// Bytes of replies that are kept back at most.
const KEPT_BACK: usize = 64 << 10;
/// How long a reply is kept back at most, but for the job that follows it: the daemon tells by it how long that one takes.
const KEPT_FOR: Duration = Duration::from_millis(2);

/// What lies between two jobs: descriptors that came and replies that have not gone. Replies to jobs that came together go
/// together, so that each side wakes the other once for all of them.
#[derive(Default)]
struct Desk {
    came: Vec<OwnedFd>,
    files: VecDeque<OwnedFd>,
    replies: Vec<u8>,
    /// When the first of the replies was kept back.
    since: Option<Instant>,
    allowed: jail::Allowed,
}

impl Desk {
    /// The next job; `None` when the daemon has hung up. Sends what was kept back before it waits.
    fn next(&mut self, channel: &Mutex<Channel>) -> Result<Option<Job>> {
        let unlike = |lost: Lost| Error::corrupted(format!("expected a job, got {lost:?}"));
        let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
        if !channel.is_ready() {
            self.send(&channel).map_err(unlike)?;
        }
        let message = match channel.receive(None, Some(&mut self.came)) {
            Err(Lost::Closed) => return Ok(None),
            other => other.map_err(unlike)?,
        };
        self.files.extend(self.came.drain(..));
        match Kind::of(message)? {
            (Kind::Job, take) => Job::decode(take).map(Some),
            (other, _) => Err(Error::corrupted(format!("expected a job, got {other:?}"))),
        }
    }

    /// The descriptors of a job: they come in the order of the jobs.
    fn take_files(&mut self, job: &Job) -> Vec<OwnedFd> {
        let count = job.sources.iter().filter(|(access, _)| *access == Access::Descriptor).count();
        self.files.drain(..count.min(self.files.len())).collect()
    }

    /// Keeps a reply back, or sends it with all others.
    fn put(&mut self, channel: &Mutex<Channel>, job: &Job, reply: &Reply, now: bool) -> Result<(), Lost> {
        if !channel::append(&mut self.replies, |out| reply.encode_to(job.evidence, out)) {
            channel::append(&mut self.replies, |out| too_long(job).encode_to(false, out));
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if now || self.replies.len() >= KEPT_BACK || since.elapsed() >= KEPT_FOR {
            self.send(&channel.lock().unwrap_or_else(PoisonError::into_inner))?;
        }
        Ok(())
    }

    fn send(&mut self, channel: &Channel) -> Result<(), Lost> {
        if !self.replies.is_empty() {
            channel.send_all(&self.replies, &[])?;
            self.replies.clear();
            self.since = None;
        }
        Ok(())
    }
}

fn send(channel: &Mutex<Channel>, message: &[u8]) -> Result<(), Lost> {
    channel.lock().unwrap_or_else(PoisonError::into_inner).send(message, &[])
}

/// Does one job; tells as well whether it panicked, after which the process is not to be trusted.
fn perform(
    body: Body,
    job: &Job,
    files: Vec<OwnedFd>,
    channel: &Mutex<Channel>,
    allowed: &mut jail::Allowed,
) -> (Reply, bool) {
    let sources = match sources(job, files, channel) {
        Ok(sources) => sources,
        Err(e) => return (failed(job, Outcome::SourceError, e.message()), false),
    };
    let mut sources = sources.iter().map(|source| -> &dyn crate::codec::ReadAt { source });
    let (Some(source), beside) = (sources.next(), sources.next()) else {
        return (failed(job, Outcome::SourceError, "the job has no source"), false);
    };
    allowed.cpu(job.cpu);
    memory::begin(usize::try_from(job.memory_bytes).unwrap_or(usize::MAX));
    let done = catch_unwind(AssertUnwindSafe(|| match job.pixels {
        None => body(source, beside, &job.request()).map(|extracted| settled(job, extracted)),
        Some(pixels) => Ok(seen(job, pixels, source)),
    }));
    let refused = memory::end();
    match done {
        Ok(Ok(reply)) => (if refused { greedy(job, reply) } else { reply }, false),
        Ok(Err(e)) => (failed(job, Outcome::SourceError, e.message()), false),
        Err(_) if refused => (failed(job, Outcome::LimitMemory, &more_than(job)), true),
        Err(_) => {
            let noted = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (failed(job, Outcome::Crashed, &noted), true)
        }
    }
}

fn sources<'a>(job: &Job, files: Vec<OwnedFd>, channel: &'a Mutex<Channel>) -> Result<Vec<Source<'a>>> {
    let mut files = files.into_iter();
    let source = |(number, (access, len)): (u8, &(Access, u64))| match access {
        Access::Ranges => Ok(Source::Ranges { channel, number, len: *len }),
        Access::Descriptor => {
            let file = files.next().ok_or_else(|| Error::corrupted("expected a descriptor with the job, got none"))?;
            Ok(Source::Descriptor { file, len: *len })
        }
    };
    (0..).zip(&job.sources).map(source).collect()
}

fn settled(job: &Job, extracted: Extracted) -> Reply {
    let outcome = Outcome::of(&extracted);
    Reply { number: job.number, outcome, message: String::new(), extracted, picture: None }
}

/// The picture in a file, decoded within its budget.
fn seen(job: &Job, pixels: Pixels, source: &dyn crate::codec::ReadAt) -> Reply {
    let memory = usize::try_from(pixels.memory_bytes).unwrap_or(usize::MAX);
    let picture = Picture::decode(source, pixels.longest, &Budget::new(pixels.time, memory));
    let outcome = if picture.is_ok() { Outcome::Ok } else { Outcome::Partial };
    let extracted = Extracted::default();
    Reply { number: job.number, outcome, message: String::new(), extracted, picture: Some(picture) }
}

/// The reply of a job that was refused memory and coped.
fn greedy(job: &Job, mut reply: Reply) -> Reply {
    if reply.picture.is_none() {
        reply.outcome = Outcome::LimitMemory;
        reply.extracted.warnings.push(Warning { format: "file", offset: 0, message: more_than(job) });
    }
    reply
}

fn failed(job: &Job, outcome: Outcome, message: &str) -> Reply {
    Reply { number: job.number, outcome, message: message.to_owned(), extracted: Extracted::default(), picture: None }
}

fn more_than(job: &Job) -> String {
    format!("a parser asked for more than the {} MiB of memory that one file may cost", job.memory_bytes >> 20)
}

fn too_long(job: &Job) -> Reply {
    failed(job, Outcome::LimitMemory, "what the file says is longer than one answer may be")
}

/// Where and why the last panic was.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn note_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let text = info.payload().downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned()).unwrap_or_default();
    *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("it panicked{place}: {text}");
}

/// Tells the daemon that memory was refused. Called by the allocator: it must not allocate.
pub(super) fn tell_of_refusal() {
    let message = [1, 0, 0, 0, REFUSED];
    let _nobody_to_tell = rustix::io::write(rustix::stdio::stdin(), &message);
}

/// The byte of [`Kind::Refused`].
const REFUSED: u8 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_spells_its_message_as_the_protocol_does() {
        assert_eq!(REFUSED, Kind::Refused.tag());
    }
}
